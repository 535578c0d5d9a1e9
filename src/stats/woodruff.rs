//! Bounds of a quantile of weighted and clustered rows, by inverting the distribution function.

use super::design::{LEAST_CLUSTERS, few_clusters_factor};
use super::error::{StatsError, check_confidence, check_open_probability};
use super::outcome::Side;
use super::quantile_bounds::{Estimate, order_statistic_ranks};
use super::special::normal_isf;
use super::sum::compensated_sum;

/// Below this expected effective number of rows on the thinner side of the quantile, exact
/// binomial ranks replace the normal approximation.
const NORMAL_FROM: f64 = 20.0;

/// One row of a sample drawn with unequal probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedRow {
    /// The value; a failure is +infinity.
    pub value: f64,
    /// One over the probability of being drawn; 1 in a complete sample.
    pub weight: f64,
    /// Rows with the same number depend on each other.
    pub cluster: u64,
}

/// The weighted type 1 `p`-quantile with one-sided bounds (Woodruff 1952).
///
/// The share of rows at or below the estimate has a linearised, cluster-robust standard error
/// (never below that of independent rows at Kish's effective number, so that ties prove
/// nothing); its bounds on the logit scale (Francisco and Fuller 1991) are read back as
/// quantiles. In thin tails the exact binomial ranks at the effective number take their place.
/// Fewer than five clusters of several rows are an error.
pub fn woodruff_bounds(
    rows: &[WeightedRow],
    p: f64,
    confidence: f64,
) -> Result<Estimate, StatsError> {
    check_confidence(confidence)?;
    check_open_probability(p)?;
    let sample = Sample::of(rows)?;
    let value = sample.quantile(p);
    let (clusters, se) = sample.error_of_share(value);
    let n = sample.rows.len() as u64;
    let independent = clusters == n;
    if !independent && clusters < LEAST_CLUSTERS {
        return Err(StatsError::TooFewClusters { clusters, needed: LEAST_CLUSTERS });
    }
    let factor = if independent { 1.0 } else { few_clusters_factor(clusters, confidence) };
    let variance = p * (1.0 - p);
    let n_eff = (variance / (se * se)).min(sample.kish()) * factor;
    let (low, high) = if n_eff * p.min(1.0 - p) >= NORMAL_FROM {
        let z = normal_isf(1.0 - confidence);
        let reach = z * (variance / n_eff).sqrt() / variance;
        let logit = (p / (1.0 - p)).ln();
        let share = |t: f64| 1.0 / (1.0 + (-t).exp());
        (sample.quantile(share(logit - reach)), sample.quantile(share(logit + reach)))
    } else {
        sample.bounds_by_rank(p, confidence, n_eff)?
    };
    Ok(Estimate { value, low, high, n, clusters, n_eff, deff: n as f64 / n_eff })
}

struct Sample {
    /// Rows with a positive weight, ascending.
    rows: Vec<WeightedRow>,
    total: f64,
}

impl Sample {
    fn of(rows: &[WeightedRow]) -> Result<Self, StatsError> {
        if rows.is_empty() {
            return Err(StatsError::EmptySample);
        }
        if rows.iter().any(|row| row.value.is_nan()) {
            return Err(StatsError::NotANumber);
        }
        if rows.iter().any(|row| !row.weight.is_finite() || row.weight < 0.0) {
            return Err(StatsError::WeightOutOfRange);
        }
        let mut rows: Vec<WeightedRow> =
            rows.iter().filter(|row| row.weight > 0.0).copied().collect();
        rows.sort_unstable_by(|a, b| {
            let values = a.value.total_cmp(&b.value);
            values.then(a.cluster.cmp(&b.cluster)).then(a.weight.total_cmp(&b.weight))
        });
        let total = compensated_sum(rows.iter().map(|row| row.weight));
        if rows.is_empty() { Err(StatsError::WeightOutOfRange) } else { Ok(Self { rows, total }) }
    }

    /// The smallest value whose cumulative weight is at least `p` of the total.
    fn quantile(&self, p: f64) -> f64 {
        let needed = p * self.total * (1.0 - 4.0 * f64::EPSILON);
        let mut reached = 0.0;
        let found = self.rows.iter().find(|row| {
            reached += row.weight;
            reached >= needed
        });
        found.or(self.rows.last()).map_or(f64::NAN, |row| row.value)
    }

    /// Kish's effective number of rows (1965).
    fn kish(&self) -> f64 {
        let squares = compensated_sum(self.rows.iter().map(|row| row.weight * row.weight));
        self.total / squares * self.total
    }

    /// Clusters, and the standard error of the weighted share at or below `value`.
    fn error_of_share(&self, value: f64) -> (u64, f64) {
        let share = |row: &&WeightedRow| if row.value <= value { row.weight } else { 0.0 };
        let reached = compensated_sum(self.rows.iter().map(|row| share(&row))) / self.total;
        let mut parts: Vec<(u64, f64)> =
            self.rows.iter().map(|row| (row.cluster, share(&row) - reached * row.weight)).collect();
        parts.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let sums: Vec<f64> = parts
            .chunk_by(|a, b| a.0 == b.0)
            .map(|group| compensated_sum(group.iter().map(|(_, part)| *part)))
            .collect();
        let g = sums.len() as f64;
        let squares = compensated_sum(sums.iter().map(|sum| sum * sum));
        (sums.len() as u64, (squares * g / (g - 1.0)).sqrt() / self.total)
    }

    fn bounds_by_rank(
        &self,
        p: f64,
        confidence: f64,
        n_eff: f64,
    ) -> Result<(f64, f64), StatsError> {
        let m = n_eff.floor().max(1.0) as u64;
        let lower = order_statistic_ranks(m, p, confidence, Side::Lower)?.lower;
        let upper = order_statistic_ranks(m, p, confidence, Side::Upper)?.upper;
        // A rank stands for a span of shares; the outer end of the span is taken.
        let low = match lower {
            0 => f64::NEG_INFINITY,
            rank => self.quantile((rank - 1) as f64 / m as f64 + 1e-12),
        };
        let high = if upper > m { f64::INFINITY } else { self.quantile(upper as f64 / m as f64) };
        Ok((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{quantile_bounds, sorted};
    use super::*;

    fn rows(values: &[f64], size: u64) -> Vec<WeightedRow> {
        let row =
            |(value, i): (&f64, u64)| WeightedRow { value: *value, weight: 1.0, cluster: i / size };
        values.iter().zip(0..).map(row).collect()
    }

    #[test]
    fn thin_tails_of_independent_rows_have_the_exact_ranks() {
        let values: Vec<f64> = (0..400).map(|i| f64::from(i * 7919 % 1009)).collect();
        let exact = quantile_bounds(&sorted(&values).unwrap(), 0.99, 0.95).unwrap();
        let own = woodruff_bounds(&rows(&values, 1), 0.99, 0.95).unwrap();
        for (a, b) in [(exact.value, own.value), (exact.low, own.low), (exact.high, own.high)] {
            assert!(a.total_cmp(&b).is_eq(), "{exact:?} {own:?}");
        }
    }

    #[test]
    fn a_weight_of_two_is_the_row_twice_in_one_cluster() {
        let values: Vec<f64> = (0..600).map(|i| f64::from(i * 7919 % 1009)).collect();
        let once: Vec<WeightedRow> = rows(&values, 4)
            .into_iter()
            .map(|row| WeightedRow { weight: if row.cluster % 2 == 0 { 2.0 } else { 1.0 }, ..row })
            .collect();
        let twice: Vec<WeightedRow> = once
            .iter()
            .flat_map(|row| {
                let copies = if row.weight > 1.5 { 2 } else { 1 };
                vec![WeightedRow { weight: 1.0, ..*row }; copies]
            })
            .collect();
        let (a, b) = (woodruff_bounds(&once, 0.8, 0.95), woodruff_bounds(&twice, 0.8, 0.95));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert!((a.value - b.value).abs() < 1e-12);
        // The spread of the shares is the same; only Kish's number tells the two apart.
        assert!(a.low <= b.low && a.high >= b.high, "{a:?} {b:?}");
        assert!(b.low - a.low <= 5.0 && a.high - b.high <= 5.0, "{a:?} {b:?}");
    }

    #[test]
    fn all_failures_are_an_infinite_quantile_and_bad_weights_are_refused() {
        let failed = woodruff_bounds(&rows(&[f64::INFINITY; 100], 1), 0.5, 0.95).unwrap();
        assert!(failed.low.is_infinite() && failed.low > 0.0);
        let mut bad = rows(&[1.0, 2.0], 1);
        bad[0].weight = -1.0;
        assert_eq!(woodruff_bounds(&bad, 0.5, 0.95), Err(StatsError::WeightOutOfRange));
        assert_eq!(woodruff_bounds(&[], 0.5, 0.95), Err(StatsError::EmptySample));
    }
}
