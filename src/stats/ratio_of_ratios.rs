//! The ratio of two ratios of totals, such as the cost per token of one arm over another's.

use std::collections::BTreeMap;

use super::design::LEAST_CLUSTERS;
use super::error::{StatsError, check_confidence};
use super::mean::critical_value;
use super::special::normal_sf;
use super::sum::compensated_sum;

/// One request: what both arms paid and consumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRow {
    /// Numerator of the candidate, for instance cost.
    pub candidate_total: f64,
    /// Denominator of the candidate, for instance tokens.
    pub candidate_units: f64,
    /// Numerator of the incumbent.
    pub incumbent_total: f64,
    /// Denominator of the incumbent.
    pub incumbent_units: f64,
    /// The cluster of requests that depend on each other.
    pub cluster: u64,
}

/// (sum total / sum units of the candidate) over the same of the incumbent, with its error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioOfRatios {
    /// The ratio.
    pub ratio: f64,
    /// Its linearised, cluster-robust standard error.
    pub se: f64,
    /// One-sided lower bound.
    pub low: f64,
    /// One-sided upper bound.
    pub high: f64,
    /// Rows.
    pub n: u64,
    /// Clusters.
    pub clusters: u64,
}

impl RatioOfRatios {
    /// P-value of "the true ratio is at most `bound`": small means that it is greater.
    pub fn p_greater(&self, bound: f64) -> f64 {
        if self.se > 0.0 {
            return normal_sf((self.ratio - bound) / self.se);
        }
        if self.ratio > bound { 0.0 } else { 1.0 }
    }
}

/// Estimates the ratio of ratios by linearisation (Taylor series; Wolter 2007, "Introduction to
/// variance estimation", section 6.5): the influence of a row is
/// R (y_c / Y_c - x_c / X_c - y_i / Y_i + x_i / X_i), summed by cluster.
///
/// # Errors
/// An empty sample, a value that is no finite number, or too few clusters.
pub fn ratio_of_ratios(rows: &[RateRow], confidence: f64) -> Result<RatioOfRatios, StatsError> {
    check_confidence(confidence)?;
    if rows.is_empty() {
        return Err(StatsError::EmptySample);
    }
    let finite = |row: &RateRow| {
        [row.candidate_total, row.candidate_units, row.incumbent_total, row.incumbent_units]
            .iter()
            .all(|value| value.is_finite())
    };
    if !rows.iter().all(finite) {
        return Err(StatsError::NotFinite);
    }
    let total = |field: fn(&RateRow) -> f64| {
        let mut values: Vec<f64> = rows.iter().map(field).collect();
        values.sort_unstable_by(f64::total_cmp);
        compensated_sum(values)
    };
    let (y_c, x_c) = (total(|r| r.candidate_total), total(|r| r.candidate_units));
    let (y_i, x_i) = (total(|r| r.incumbent_total), total(|r| r.incumbent_units));
    let ratio = (y_c / x_c) / (y_i / x_i);
    let mut by_cluster: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for row in rows {
        let influence = ratio
            * (row.candidate_total / y_c - row.candidate_units / x_c - row.incumbent_total / y_i
                + row.incumbent_units / x_i);
        by_cluster.entry(row.cluster).or_default().push(influence);
    }
    let clusters = by_cluster.len() as u64;
    if clusters < LEAST_CLUSTERS {
        return Err(StatsError::TooFewClusters { clusters, needed: LEAST_CLUSTERS });
    }
    let squares = compensated_sum(by_cluster.into_values().map(|mut influences| {
        influences.sort_unstable_by(f64::total_cmp);
        compensated_sum(influences).powi(2)
    }));
    let g = clusters as f64;
    let se = (squares * g / (g - 1.0)).sqrt();
    let reach = critical_value(1.0 - confidence, clusters) * se;
    let n = rows.len() as u64;
    Ok(RatioOfRatios { ratio, se, low: ratio - reach, high: ratio + reach, n, clusters })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::ratio_of_totals;

    fn rows() -> Vec<RateRow> {
        (0..60_u32)
            .map(|i| RateRow {
                candidate_total: f64::from(10 + i % 7),
                candidate_units: 4.0,
                incumbent_total: f64::from(20 + i % 5),
                incumbent_units: 4.0,
                cluster: u64::from(i / 3),
            })
            .collect()
    }

    #[test]
    fn with_equal_units_it_is_the_ratio_of_totals() {
        let rows = rows();
        let ours = ratio_of_ratios(&rows, 0.95).unwrap();
        let y: Vec<f64> = rows.iter().map(|r| r.candidate_total).collect();
        let x: Vec<f64> = rows.iter().map(|r| r.incumbent_total).collect();
        let cluster: Vec<u64> = rows.iter().map(|r| r.cluster).collect();
        let reference = ratio_of_totals(&y, &x, Some(&cluster), 0.95).unwrap();
        assert!((ours.ratio - reference.ratio).abs() < 1e-12);
        assert!((ours.se - reference.se).abs() < 1e-12, "{} {}", ours.se, reference.se);
    }

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let mut reversed = rows();
        reversed.reverse();
        assert_eq!(ratio_of_ratios(&rows(), 0.95), ratio_of_ratios(&reversed, 0.95));
    }
}
