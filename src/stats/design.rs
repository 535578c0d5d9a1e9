//! How many independent rows a clustered sample of yes/no answers is worth.

use super::error::{StatsError, check_confidence};
use super::special::{normal_isf, student_isf};
use super::sum::compensated_sum;

/// Below this number of clusters, quantiles of Student's t replace those of the normal.
pub const FEW_CLUSTERS: u64 = 20;

/// Below this number of clusters the cluster-robust variance is not usable at all.
pub const LEAST_CLUSTERS: u64 = 5;

/// The worth of a clustered sample, after Korn and Graubard (1998), "Confidence intervals for
/// proportions with small expected number of positive counts estimated from survey data".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DesignEffect {
    /// Rows.
    pub n: u64,
    /// Rows for which the answer is yes.
    pub events: u64,
    /// Clusters.
    pub clusters: u64,
    /// The variance of the share relative to independent rows, never below 1.
    ///
    /// Where all rows give the same answer the sample holds no variance to compare, and the rows
    /// count as independent (Parker et al. 2017, NCHS data presentation standards for
    /// proportions, which set the effective to the actual sample size at 0 and 1).
    pub deff: f64,
    /// The number of independent rows with the same information: n / deff, smaller still with
    /// fewer than [`FEW_CLUSTERS`] clusters (squared ratio of normal to t quantile).
    pub n_eff: f64,
}

impl DesignEffect {
    /// The number of events that fits `n_eff`.
    pub fn events_eff(&self) -> f64 {
        self.events as f64 * (self.n_eff / self.n as f64)
    }
}

/// The design effect of a yes/no answer per row, given with the row's cluster.
///
/// Rows that all have clusters of their own are independent, whatever their number. Otherwise
/// fewer than [`LEAST_CLUSTERS`] clusters are an error.
pub fn design_effect(
    rows: impl IntoIterator<Item = (bool, u64)>,
    confidence: f64,
) -> Result<DesignEffect, StatsError> {
    check_confidence(confidence)?;
    let counts = count_by_cluster(rows);
    let n: u64 = counts.iter().map(|c| c.size).sum();
    let events: u64 = counts.iter().map(|c| c.events).sum();
    if n == 0 {
        return Err(StatsError::EmptySample);
    }
    let clusters = counts.len() as u64;
    if clusters == n {
        return Ok(DesignEffect { n, events, clusters, deff: 1.0, n_eff: n as f64 });
    }
    if clusters < LEAST_CLUSTERS {
        return Err(StatsError::TooFewClusters { clusters, needed: LEAST_CLUSTERS });
    }
    let deff = if events == 0 || events == n {
        1.0
    } else {
        variance_ratio(&counts, n as f64, events as f64).max(1.0)
    };
    let n_eff = n as f64 / deff * few_clusters_factor(clusters, confidence);
    Ok(DesignEffect { n, events, clusters, deff, n_eff })
}

struct ClusterCount {
    size: u64,
    events: u64,
}

fn count_by_cluster(rows: impl IntoIterator<Item = (bool, u64)>) -> Vec<ClusterCount> {
    let mut rows: Vec<(u64, bool)> = rows.into_iter().map(|(event, c)| (c, event)).collect();
    rows.sort_unstable();
    rows.chunk_by(|a, b| a.0 == b.0)
        .map(|group| ClusterCount {
            size: group.len() as u64,
            events: group.iter().filter(|(_, event)| *event).count() as u64,
        })
        .collect()
}

/// Cluster-robust over independent variance of the share.
fn variance_ratio(counts: &[ClusterCount], n: f64, events: f64) -> f64 {
    let share = events / n;
    let g = counts.len() as f64;
    let squares = compensated_sum(counts.iter().map(|c| {
        let deviation = c.events as f64 - share * c.size as f64;
        deviation * deviation
    }));
    let robust = squares * g / (g - 1.0) / (n * n);
    let independent = share * (1.0 - share) / (n - 1.0);
    robust / independent
}

/// The squared ratio of the normal to the t quantile with G - 1 degrees of freedom, at most 1.
pub(super) fn few_clusters_factor(clusters: u64, confidence: f64) -> f64 {
    if clusters >= FEW_CLUSTERS {
        return 1.0;
    }
    // The ratio is undefined at 0.5, where both quantiles are zero, and flat below 0.75.
    let tail = (1.0 - confidence).min(0.25);
    let ratio = normal_isf(tail) / student_isf(tail, clusters as f64 - 1.0);
    ratio * ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_clusters_are_worth_themselves() {
        let effect = design_effect((0..3).map(|i| (i == 0, i)), 0.95).unwrap();
        assert_eq!((effect.n, effect.events, effect.clusters), (3, 1, 3));
        assert!((effect.n_eff - 3.0).abs() < 1e-15);
    }

    #[test]
    fn clusters_that_answer_as_one_are_worth_one_row_each() {
        // 40 clusters of 5 equal rows: deff = 5 (199/200) (40/39), by the two variance formulas.
        let rows = (0..200_u64).map(|i| ((i / 5) % 4 == 0, i / 5));
        let effect = design_effect(rows, 0.95).unwrap();
        let expected = 5.0 * (199.0 / 200.0) * (40.0 / 39.0);
        assert!((effect.deff - expected).abs() < 1e-12, "{}", effect.deff);
    }

    #[test]
    fn rows_that_all_agree_count_one_by_one() {
        let effect = design_effect((0..200_u64).map(|i| (false, i / 5)), 0.95).unwrap();
        assert!((effect.deff - 1.0).abs() < 1e-12);
        assert!((effect.n_eff - 200.0).abs() < 1e-12);
    }

    #[test]
    fn a_handful_of_clusters_is_refused_and_a_dozen_is_discounted() {
        let refused = design_effect((0..40_u64).map(|i| (i % 3 == 0, i / 10)), 0.95);
        assert_eq!(refused, Err(StatsError::TooFewClusters { clusters: 4, needed: 5 }));
        let few = design_effect((0..120_u64).map(|i| (i % 3 == 0, i / 10)), 0.95).unwrap();
        // z(0.95) = 1.644854, t(0.95; 11) = 1.795885 (published tables).
        let expected = 120.0 / few.deff * (1.644_854_f64 / 1.795_885).powi(2);
        assert!((few.n_eff - expected).abs() < 1e-3, "{} {expected}", few.n_eff);
    }
}
