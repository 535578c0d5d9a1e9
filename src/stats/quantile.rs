//! Sample quantiles.

use rayon::prelude::*;

use super::error::{StatsError, check_columns, check_probability};

/// How a quantile is read off a sample (Hyndman and Fan 1996).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuantileType {
    /// Type 1, the inverted empirical distribution function: always an observed value, so it
    /// works with +infinity. Every gate uses it.
    InvertedCdf,
    /// Type 6, unbiased for the mean of the uniform distribution.
    Weibull,
    /// Type 7, linear interpolation, the default of numpy, R and `PERCENTILE_CONT`.
    Linear,
    /// Type 8, approximately median-unbiased.
    MedianUnbiased,
}

/// From this many values on, sorting is shared among threads.
const SORT_IN_PARALLEL_FROM: usize = 1 << 16;

/// A copy of the sample in ascending order.
///
/// +infinity is legal (a request that never ended); NaN and an empty sample are errors.
pub fn sorted(values: &[f64]) -> Result<Vec<f64>, StatsError> {
    if values.is_empty() {
        return Err(StatsError::EmptySample);
    }
    if values.iter().any(|x| x.is_nan()) {
        return Err(StatsError::NotANumber);
    }
    // Whole numbers of the same order sort faster than doubles.
    let mut keys: Vec<i64> = values.iter().copied().map(order_key).collect();
    if keys.len() < SORT_IN_PARALLEL_FROM {
        keys.sort_unstable();
    } else {
        keys.par_sort_unstable();
    }
    Ok(keys.into_iter().map(from_order_key).collect())
}

/// A whole number in the order of [`f64::total_cmp`].
pub(super) fn order_key(value: f64) -> i64 {
    flip(value.to_bits() as i64)
}

/// The value whose [`order_key`] this is.
pub(super) fn from_order_key(key: i64) -> f64 {
    f64::from_bits(flip(key) as u64)
}

/// Reverses the order of the negative half, and back.
fn flip(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The type 1 quantile of an ascending sample: the smallest value whose cumulative share is at
/// least `p`.
pub fn type1(sorted: &[f64], p: f64) -> Result<f64, StatsError> {
    quantile(sorted, p, QuantileType::InvertedCdf)
}

/// The type 7 quantile of an ascending sample, for display beside other tools.
pub fn type7(sorted: &[f64], p: f64) -> Result<f64, StatsError> {
    quantile(sorted, p, QuantileType::Linear)
}

/// The quantile of an ascending sample at level `p` in [0, 1].
pub fn quantile(sorted: &[f64], p: f64, kind: QuantileType) -> Result<f64, StatsError> {
    check_probability(p)?;
    let n = sorted.len() as f64;
    let position = match kind {
        QuantileType::InvertedCdf => return at_rank(sorted, type1_rank(sorted.len(), p)),
        QuantileType::Weibull => (n + 1.0) * p,
        QuantileType::Linear => (n - 1.0) * p + 1.0,
        QuantileType::MedianUnbiased => (n + 1.0 / 3.0) * p + 1.0 / 3.0,
    };
    let below = position.floor();
    let left = at_rank(sorted, below as usize)?;
    let right = at_rank(sorted, below as usize + 1)?;
    let share = position - below;
    if share <= 0.0 || left.total_cmp(&right).is_eq() {
        return Ok(left);
    }
    Ok(left + share * (right - left))
}

/// The rank (from 1) of the type 1 quantile among `n` values.
///
/// A product `n * p` that misses a whole number by rounding alone counts as that number, as in
/// R; otherwise p = 0.07 of 100 values would be the eighth.
pub(super) fn type1_rank(n: usize, p: f64) -> usize {
    let position = n as f64 * p;
    let fuzz = 4.0 * f64::EPSILON * position.max(1.0);
    ((position - fuzz).ceil() as usize).clamp(1, n.max(1))
}

/// The value at a rank from 1, with ranks beyond the ends taken as the ends.
pub(super) fn at_rank(sorted: &[f64], rank: usize) -> Result<f64, StatsError> {
    let last = sorted.len().checked_sub(1).ok_or(StatsError::EmptySample)?;
    sorted.get(rank.saturating_sub(1).min(last)).copied().ok_or(StatsError::EmptySample)
}

/// The weighted type 1 quantile: the smallest value whose cumulative weight is at least `p` of
/// the total. Weights are finite and not negative; the values need no order.
pub fn weighted_type1(values: &[f64], weights: &[f64], p: f64) -> Result<f64, StatsError> {
    check_probability(p)?;
    check_columns(values.len(), weights.len())?;
    if values.iter().any(|x| x.is_nan()) {
        return Err(StatsError::NotANumber);
    }
    if weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
        return Err(StatsError::WeightOutOfRange);
    }
    let mut rows: Vec<(f64, f64)> =
        values.iter().copied().zip(weights.iter().copied()).filter(|(_, w)| *w > 0.0).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let total: f64 = rows.iter().map(|(_, w)| w).sum();
    let needed = p * total * (1.0 - 4.0 * f64::EPSILON);
    let mut reached = 0.0;
    for (value, weight) in &rows {
        reached += weight;
        if reached >= needed {
            return Ok(*value);
        }
    }
    rows.last().map(|(value, _)| *value).ok_or(StatsError::WeightOutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_the_slowest_requests() {
        let sample = sorted(&[f64::INFINITY, 1.0, 2.0, 3.0]).unwrap();
        assert!((type1(&sample, 0.75).unwrap() - 3.0).abs() < 1e-15);
        assert!(type1(&sample, 0.76).unwrap().is_infinite());
        assert!((type7(&sample, 1.0 / 3.0).unwrap() - 2.0).abs() < 1e-12);
        let failed = [f64::INFINITY; 3];
        assert!(type7(&failed, 0.4).unwrap().is_infinite());
    }

    #[test]
    fn a_level_that_is_a_whole_rank_up_to_rounding_is_that_rank() {
        assert_eq!(type1_rank(100, 0.07), 7);
        assert_eq!(type1_rank(1000, 0.999), 999);
        assert_eq!(type1_rank(10, 0.0), 1);
        assert_eq!(type1_rank(10, 1.0), 10);
    }

    #[test]
    fn not_a_number_and_nothing_at_all_are_errors() {
        assert_eq!(sorted(&[1.0, f64::NAN]), Err(StatsError::NotANumber));
        assert_eq!(sorted(&[]), Err(StatsError::EmptySample));
        assert_eq!(type1(&[], 0.5), Err(StatsError::EmptySample));
        assert_eq!(type1(&[1.0], 1.5), Err(StatsError::ProbabilityOutOfRange(1.5)));
        assert_eq!(weighted_type1(&[1.0], &[0.0], 0.5), Err(StatsError::WeightOutOfRange));
    }

    #[test]
    fn a_weight_of_three_is_the_value_three_times() {
        let repeated = [1.0, 5.0, 5.0, 5.0, 9.0];
        for p in [0.1, 0.2, 0.5, 0.8, 0.81] {
            let weighted = weighted_type1(&[9.0, 1.0, 5.0], &[1.0, 1.0, 3.0], p).unwrap();
            assert!((weighted - type1(&repeated, p).unwrap()).abs() < 1e-15, "{p}");
        }
    }
}
