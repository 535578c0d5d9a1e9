//! Distribution-free confidence bounds of one quantile, by order statistics.

use super::design::design_effect;
use super::error::{StatsError, check_confidence, check_open_probability};
use super::outcome::Side;
use super::quantile::{at_rank, type1};
use super::special::{binomial_cdf, binomial_sf};

/// A point estimate with its two one-sided bounds and the size of the evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The point estimate; it never decides.
    pub value: f64,
    /// The one-sided lower bound; -infinity where the sample is too small for one.
    pub low: f64,
    /// The one-sided upper bound; +infinity where the sample is too small for one.
    pub high: f64,
    /// Rows.
    pub n: u64,
    /// Independent clusters of rows.
    pub clusters: u64,
    /// Independent rows with the same information.
    pub n_eff: f64,
    /// The design effect: the price of clustering in variance.
    pub deff: f64,
}

/// Ranks (from 1) of the order statistics that bound a quantile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranks {
    /// The lower rank; 0 stands for -infinity.
    pub lower: u64,
    /// The upper rank; n + 1 stands for +infinity.
    pub upper: u64,
    /// P(lower <= X <= upper - 1) for X ~ Binomial(n, p), at least the confidence asked for.
    pub coverage: f64,
}

/// The ranks of the order statistics among `n` that bound the `p`-quantile.
///
/// Exact for continuous distributions and conservative under ties (David and Nagaraja 2003,
/// "Order statistics", section 7.1).
pub fn order_statistic_ranks(
    n: u64,
    p: f64,
    confidence: f64,
    side: Side,
) -> Result<Ranks, StatsError> {
    check_confidence(confidence)?;
    check_open_probability(p)?;
    let (below, above) = side.tails(confidence);
    let lower = if below > 0.0 { smallest_k(n, |k| binomial_cdf(k, n, p) >= below) } else { 0 };
    let upper =
        if above > 0.0 { 1 + smallest_k(n, |k| binomial_sf(k, n, p) <= above) } else { n + 1 };
    let left_out = if lower == 0 { 0.0 } else { binomial_cdf(lower - 1, n, p) };
    let right_out = if upper > n { 0.0 } else { binomial_sf(upper - 1, n, p) };
    Ok(Ranks { lower, upper, coverage: 1.0 - left_out - right_out })
}

/// The smallest k in 0..=n for which a monotone condition holds, by bisection.
fn smallest_k(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The type 1 `p`-quantile of an ascending sample of independent rows, with one-sided bounds.
///
/// A value of +infinity (a failed request) takes part as the largest value.
pub fn quantile_bounds(sorted: &[f64], p: f64, confidence: f64) -> Result<Estimate, StatsError> {
    let n = sorted.len() as u64;
    bounds_at(sorted, p, confidence, n as f64).map(|(value, low, high)| Estimate {
        value,
        low,
        high,
        n,
        clusters: n,
        n_eff: n as f64,
        deff: 1.0,
    })
}

/// The type 1 `p`-quantile of (value, cluster) rows, with one-sided bounds.
///
/// The design effect is that of the indicator "not above the quantile" (Woodruff 1952); the
/// exact binomial ranks are taken at the effective sample size and mapped outward to ranks of
/// the rows. Fewer than five clusters of several rows are an error.
pub fn quantile_bounds_clustered(
    values: &[(f64, u64)],
    p: f64,
    confidence: f64,
) -> Result<Estimate, StatsError> {
    let column: Vec<f64> = values.iter().map(|(x, _)| *x).collect();
    let sample = super::quantile::sorted(&column)?;
    let quantile = type1(&sample, p)?;
    let effect = design_effect(values.iter().map(|(x, c)| (*x <= quantile, *c)), confidence)?;
    let (value, low, high) = bounds_at(&sample, p, confidence, effect.n_eff)?;
    Ok(Estimate {
        value,
        low,
        high,
        n: effect.n,
        clusters: effect.clusters,
        n_eff: effect.n_eff,
        deff: effect.deff,
    })
}

/// Quantile, lower and upper bound with the ranks of a sample of `n_eff` rows.
fn bounds_at(
    sorted: &[f64],
    p: f64,
    confidence: f64,
    n_eff: f64,
) -> Result<(f64, f64, f64), StatsError> {
    let value = type1(sorted, p)?;
    let n = sorted.len() as u64;
    let m = (n_eff.floor() as u64).min(n);
    let lower = order_statistic_ranks(m, p, confidence, Side::Lower)?.lower;
    let upper = order_statistic_ranks(m, p, confidence, Side::Upper)?.upper;
    let low = match lower {
        0 => f64::NEG_INFINITY,
        rank => at_rank(sorted, outward_lower(rank, m, n))?,
    };
    let high = if upper > m { f64::INFINITY } else { at_rank(sorted, outward_upper(upper, m, n))? };
    Ok((value, low, high))
}

/// The first of the `n` ranks that the `rank`-th of `m` effective rows stands for.
pub(super) fn outward_lower(rank: u64, m: u64, n: u64) -> usize {
    let product = u128::from(rank.saturating_sub(1)) * u128::from(n);
    (product / u128::from(m.max(1))) as usize + 1
}

/// The last of the `n` ranks that the `rank`-th of `m` effective rows stands for.
pub(super) fn outward_upper(rank: u64, m: u64, n: u64) -> usize {
    (u128::from(rank) * u128::from(n)).div_ceil(u128::from(m.max(1))) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12 || a.to_bits() == b.to_bits()
    }

    #[test]
    fn the_upper_bound_of_p99_is_finite_from_299_rows_on() {
        let sample: Vec<f64> = (1..=299).map(f64::from).collect();
        assert!(close(quantile_bounds(&sample, 0.99, 0.95).unwrap().high, 299.0));
        assert!(quantile_bounds(&sample[..298], 0.99, 0.95).unwrap().high.is_infinite());
    }

    #[test]
    fn more_failures_than_the_tail_holds_make_the_quantile_infinite() {
        let mut sample: Vec<f64> = (1..=900).map(f64::from).collect();
        sample.extend([f64::INFINITY; 100]);
        let estimate = quantile_bounds(&sample, 0.99, 0.95).unwrap();
        assert!(estimate.value.is_infinite() && estimate.low.is_infinite());
        assert!(estimate.low > 0.0);
    }

    #[test]
    fn clusters_of_equal_rows_bound_as_one_row_each_would() {
        let distinct: Vec<(f64, u64)> = (0..400).map(|i| (f64::from(i), i as u64)).collect();
        let doubled: Vec<(f64, u64)> = distinct.iter().flat_map(|row| [*row, *row]).collect();
        let once = quantile_bounds_clustered(&distinct, 0.9, 0.95).unwrap();
        let twice = quantile_bounds_clustered(&doubled, 0.9, 0.95).unwrap();
        assert!(close(once.value, twice.value));
        assert!(twice.low <= once.low && twice.low >= once.low - 1.0, "{twice:?} {once:?}");
        assert!(twice.high >= once.high && twice.high <= once.high + 1.0, "{twice:?} {once:?}");
    }

    #[test]
    fn bounds_do_not_depend_on_the_order_of_rows() {
        let rows: Vec<(f64, u64)> =
            (0..300_u64).map(|i| ((i * 7919 % 1009) as f64, i % 41)).collect();
        let reversed: Vec<(f64, u64)> = rows.iter().rev().copied().collect();
        assert_eq!(
            quantile_bounds_clustered(&rows, 0.9, 0.95),
            quantile_bounds_clustered(&reversed, 0.9, 0.95)
        );
    }

    #[test]
    fn ranks_of_the_whole_sample_map_to_themselves() {
        assert_eq!((outward_lower(7, 90, 90), outward_upper(7, 90, 90)), (7, 7));
        assert_eq!((outward_lower(7, 45, 90), outward_upper(7, 45, 90)), (13, 14));
    }

    #[test]
    fn coverage_of_simulated_bounds_is_at_least_nominal() {
        use rand::{Rng, SeedableRng};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let (mut above, mut below) = (0, 0);
        for _ in 0..1000 {
            let draws: Vec<f64> = (0..200).map(|_| rng.random::<f64>()).collect();
            let sample = super::super::sorted(&draws).unwrap();
            let estimate = quantile_bounds(&sample, 0.9, 0.95).unwrap();
            above += i32::from(estimate.high >= 0.9);
            below += i32::from(estimate.low <= 0.9);
        }
        // 950 expected at least; 930 is three standard deviations below.
        assert!(above >= 930 && below >= 930, "{above} {below}");
    }
}
