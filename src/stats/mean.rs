//! One-sided bounds and tests of a mean of clustered rows.

use super::cluster::{ClusterMean, cluster_mean};
use super::design::{FEW_CLUSTERS, LEAST_CLUSTERS};
use super::error::{StatsError, check_confidence};
use super::quantile_bounds::Estimate;
use super::special::{normal_isf, normal_sf, student_isf, student_sf};

/// The mean of `x` with one-sided bounds, robust against dependence within clusters.
///
/// Normal quantiles; Student's t with G - 1 degrees of freedom below [`FEW_CLUSTERS`] clusters;
/// an error below [`LEAST_CLUSTERS`]. Where all values are equal the interval is a point: use
/// [`mean_bounds_within`] if that must not count as proof.
pub fn mean_bounds(x: &[f64], cluster: &[u64], confidence: f64) -> Result<Estimate, StatsError> {
    check_confidence(confidence)?;
    let mean = cluster_mean(x, cluster)?;
    let reach = critical_value(1.0 - confidence, mean.clusters) * standard_error(&mean)?;
    let deff = mean.deff.unwrap_or(1.0);
    Ok(Estimate {
        value: mean.mean,
        low: mean.mean - reach,
        high: mean.mean + reach,
        n: mean.n,
        clusters: mean.clusters,
        n_eff: mean.n as f64 / deff,
        deff,
    })
}

/// As [`mean_bounds`] for values that cannot leave `range` (low, high), such as a disagreement
/// in (0, 1) or a difference of two in (-1, 1).
///
/// Ten equal values do not prove that the mean is known without error. If a share s of clusters
/// could differ from what was seen without this being noticed, 1 - s to the power G is the
/// chance of it; so where no value differs the bounds extend to
/// `value + (high - value) * (1 - alpha^(1/G))` and its mirror image, the exact bound for a
/// yes/no answer. Bounds never leave the range.
pub fn mean_bounds_within(
    x: &[f64],
    cluster: &[u64],
    range: (f64, f64),
    confidence: f64,
) -> Result<Estimate, StatsError> {
    let (least, most) = range;
    if least.is_nan() || most.is_nan() || least >= most {
        return Err(StatsError::ParameterOutOfRange { name: "range", value: most - least });
    }
    if let Some(value) = x.iter().find(|v| !(least..=most).contains(*v)) {
        return Err(if value.is_nan() {
            StatsError::NotANumber
        } else {
            StatsError::ParameterOutOfRange { name: "range", value: most - least }
        });
    }
    let mut estimate = mean_bounds(x, cluster, confidence)?;
    let first = x.first().copied().unwrap_or(f64::NAN);
    if x.iter().all(|v| v.total_cmp(&first).is_eq()) {
        let clusters = estimate.clusters as f64;
        let unseen = -((1.0 - confidence).ln() / clusters).exp_m1();
        estimate.low = estimate.value - (estimate.value - least) * unseen;
        estimate.high = estimate.value + (most - estimate.value) * unseen;
    }
    estimate.low = estimate.low.max(least);
    estimate.high = estimate.high.min(most);
    Ok(estimate)
}

/// P-value of "the true mean is at most `margin`": small means that it is greater.
pub fn mean_p_greater(x: &[f64], cluster: &[u64], margin: f64) -> Result<f64, StatsError> {
    let mean = cluster_mean(x, cluster)?;
    upper_p_value(mean.mean - margin, standard_error(&mean)?, mean.clusters)
}

/// P-value of "the true mean is at least `margin`": small means that it is less.
pub fn mean_p_less(x: &[f64], cluster: &[u64], margin: f64) -> Result<f64, StatsError> {
    let mean = cluster_mean(x, cluster)?;
    upper_p_value(margin - mean.mean, standard_error(&mean)?, mean.clusters)
}

/// The upper tail of `distance / se`. Without any spread the sign decides, and no distance at
/// all is no evidence.
pub(super) fn upper_p_value(distance: f64, se: f64, clusters: u64) -> Result<f64, StatsError> {
    if distance.is_nan() {
        return Err(StatsError::NotANumber);
    }
    if se <= 0.0 {
        return Ok(if distance > 0.0 { 0.0 } else { 1.0 });
    }
    let z = distance / se;
    Ok(if clusters < FEW_CLUSTERS { student_sf(z, clusters as f64 - 1.0) } else { normal_sf(z) })
}

/// The quantile that cuts off `tail`, for this number of clusters.
pub(super) fn critical_value(tail: f64, clusters: u64) -> f64 {
    if clusters < FEW_CLUSTERS {
        student_isf(tail, clusters as f64 - 1.0)
    } else {
        normal_isf(tail)
    }
}

/// Refuses a number of clusters for which no robust variance exists.
pub(super) fn check_clusters(clusters: u64) -> Result<(), StatsError> {
    if clusters < LEAST_CLUSTERS {
        return Err(StatsError::TooFewClusters { clusters, needed: LEAST_CLUSTERS });
    }
    Ok(())
}

fn standard_error(mean: &ClusterMean) -> Result<f64, StatsError> {
    check_clusters(mean.clusters)?;
    mean.se_cluster_g
        .ok_or(StatsError::TooFewClusters { clusters: mean.clusters, needed: LEAST_CLUSTERS })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(n: u64) -> Vec<u64> {
        (0..n).collect()
    }

    #[test]
    fn few_clusters_widen_the_bounds_by_student_s_quantile() {
        let x = [1.0, 2.0, 3.0, 4.0, 5.0];
        let bounds = mean_bounds(&x, &ids(5), 0.95).unwrap();
        // s = sqrt(2.5), t(0.95; 4) = 2.131847 (published tables).
        let reach = 2.131_847 * (2.5_f64 / 5.0).sqrt();
        assert!((bounds.high - 3.0 - reach).abs() < 1e-5, "{bounds:?}");
        assert!((3.0 - bounds.low - reach).abs() < 1e-5);
    }

    #[test]
    fn four_clusters_are_refused() {
        let too_few = StatsError::TooFewClusters { clusters: 4, needed: 5 };
        assert_eq!(mean_bounds(&[1.0; 4], &ids(4), 0.95), Err(too_few));
        assert_eq!(mean_p_greater(&[1.0; 4], &ids(4), 0.0), Err(too_few));
    }

    #[test]
    fn a_bound_beyond_the_margin_and_a_small_p_value_say_the_same() {
        let x: Vec<f64> = (0..60).map(|i| f64::from(i % 7)).collect();
        let bounds = mean_bounds(&x, &ids(60), 0.95).unwrap();
        for margin in [bounds.low - 1e-6, bounds.low + 1e-6] {
            let p = mean_p_greater(&x, &ids(60), margin).unwrap();
            assert_eq!(p < 0.05, bounds.low > margin);
        }
        let p = mean_p_less(&x, &ids(60), bounds.high).unwrap();
        assert!((p - 0.05).abs() < 1e-9, "{p}");
    }

    #[test]
    fn equal_answers_of_a_few_requests_do_not_prove_agreement() {
        let none = mean_bounds_within(&[0.0; 10], &ids(10), (0.0, 1.0), 0.95).unwrap();
        // 1 - 0.05^(1/10) = 0.258866 (exact binomial bound of 0 in 10, published tables: 0.2589).
        assert!((none.high - 0.258_866).abs() < 1e-6, "{none:?}");
        assert!(none.low >= 0.0 && none.value.abs() < 1e-15);
        let many = mean_bounds_within(&[0.0; 149], &ids(149), (0.0, 1.0), 0.95).unwrap();
        assert!(many.high < 0.02, "{many:?}");
    }

    #[test]
    fn values_outside_their_range_are_refused() {
        assert!(mean_bounds_within(&[0.0, 2.0, 0.0, 0.0, 0.0], &ids(5), (0.0, 1.0), 0.95).is_err());
        assert_eq!(
            mean_bounds_within(&[f64::NAN; 5], &ids(5), (0.0, 1.0), 0.95),
            Err(StatsError::NotANumber)
        );
    }
}
