//! The mean of rows that come in clusters, and its standard error.

use super::error::{StatsError, check_columns, check_finite};
use super::sum::compensated_sum;

/// A mean with the standard error for independent rows and the cluster-robust one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusterMean {
    /// The mean of all rows.
    pub mean: f64,
    /// s / sqrt(n), as if rows were independent; absent for a single row.
    pub se_iid: Option<f64>,
    /// sqrt(sum over clusters of (sum of deviations)^2) / n, without small-sample factor.
    pub se_cluster: f64,
    /// `se_cluster` times sqrt(G / (G - 1)), as in Miller (2024), "Adding error bars to evals";
    /// absent for a single cluster.
    pub se_cluster_g: Option<f64>,
    /// The design effect (`se_cluster_g` / `se_iid`)^2; absent where all values are equal.
    pub deff: Option<f64>,
    /// Rows.
    pub n: u64,
    /// Clusters (G).
    pub clusters: u64,
}

/// The mean of `x`, where rows with the same number in `cluster` depend on each other.
///
/// Values are finite. Rows are put into a fixed order first, so a permutation of the input
/// changes no bit of the result.
pub fn cluster_mean(x: &[f64], cluster: &[u64]) -> Result<ClusterMean, StatsError> {
    check_columns(x.len(), cluster.len())?;
    check_finite(x)?;
    let mut rows: Vec<(u64, f64)> = cluster.iter().copied().zip(x.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let n = rows.len() as f64;
    let mean = compensated_sum(rows.iter().map(|(_, x)| *x)) / n;
    let squares = compensated_sum(rows.iter().map(|(_, x)| (x - mean) * (x - mean)));
    let cluster_sums: Vec<f64> = rows
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| compensated_sum(group.iter().map(|(_, x)| x - mean)))
        .collect();
    let g = cluster_sums.len() as f64;
    let se_cluster = compensated_sum(cluster_sums.iter().map(|s| s * s)).sqrt() / n;
    let se_iid = (n > 1.0).then(|| (squares / (n - 1.0) / n).sqrt());
    let se_cluster_g = (g > 1.0).then(|| se_cluster * (g / (g - 1.0)).sqrt());
    let deff = match (se_cluster_g, se_iid) {
        (Some(robust), Some(iid)) if iid > 0.0 => Some((robust / iid) * (robust / iid)),
        _ => None,
    };
    let clusters = cluster_sums.len() as u64;
    Ok(ClusterMean { mean, se_iid, se_cluster, se_cluster_g, deff, n: rows.len() as u64, clusters })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_per_cluster_gives_the_ordinary_standard_error() {
        let x = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
        let estimate = cluster_mean(&x, &[0, 1, 2, 3, 4, 5]).unwrap();
        assert!((estimate.deff.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_permutation_of_rows_changes_no_bit() {
        let x: Vec<f64> = (0..500).map(|i| f64::from(i * 7919 % 1009) * 1e-3 + 1e9).collect();
        let cluster: Vec<u64> = (0..500).map(|i| i % 37).collect();
        let forward = cluster_mean(&x, &cluster).unwrap();
        let rev_x: Vec<f64> = x.iter().rev().copied().collect();
        let rev_c: Vec<u64> = cluster.iter().rev().copied().collect();
        let backward = cluster_mean(&rev_x, &rev_c).unwrap();
        assert_eq!(forward.mean.to_bits(), backward.mean.to_bits());
        assert_eq!(forward.se_cluster.to_bits(), backward.se_cluster.to_bits());
        assert_eq!(forward.se_iid.map(f64::to_bits), backward.se_iid.map(f64::to_bits));
    }

    #[test]
    fn a_single_row_has_no_standard_error() {
        let estimate = cluster_mean(&[2.5], &[1]).unwrap();
        assert_eq!((estimate.se_iid, estimate.se_cluster_g, estimate.deff), (None, None, None));
    }

    #[test]
    fn infinite_values_have_no_mean() {
        assert_eq!(cluster_mean(&[1.0, f64::INFINITY], &[0, 1]), Err(StatsError::NotFinite));
        assert_eq!(cluster_mean(&[1.0, f64::NAN], &[0, 1]), Err(StatsError::NotANumber));
        assert_eq!(
            cluster_mean(&[1.0], &[0, 1]),
            Err(StatsError::LengthMismatch { left: 1, right: 2 })
        );
    }
}
