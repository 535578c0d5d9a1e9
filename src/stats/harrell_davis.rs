//! A smooth estimate of a quantile, for trends.

use super::error::{StatsError, check_finite, check_open_probability};
use super::special::{beta_cdf, beta_isf, beta_ppf};
use super::sum::compensated_sum;

/// Weight outside the ranks that are summed, on either side.
const NEGLIGIBLE: f64 = 1e-18;

/// The estimate of Harrell and Davis (1982) for an ascending sample: a mean of all order
/// statistics, weighted by a beta distribution.
///
/// For finite values and p up to 0.95; beyond, its weight rests on the largest values alone, and
/// no gate uses it.
pub fn harrell_davis(sorted: &[f64], p: f64) -> Result<f64, StatsError> {
    check_open_probability(p)?;
    check_finite(sorted)?;
    if sorted.is_empty() {
        return Err(StatsError::EmptySample);
    }
    let n = sorted.len() as f64;
    let (a, b) = ((n + 1.0) * p, (n + 1.0) * (1.0 - p));
    // Of a million order statistics only those near the quantile have weight.
    let first = (n * beta_ppf(NEGLIGIBLE, a, b)).floor() as usize;
    let last = ((n * beta_isf(NEGLIGIBLE, a, b)).ceil() as usize).min(sorted.len());
    let mut below = beta_cdf(first as f64 / n, a, b);
    let terms = sorted.iter().enumerate().take(last).skip(first).map(|(i, x)| {
        let upto = if i + 1 == sorted.len() { 1.0 } else { beta_cdf((i + 1) as f64 / n, a, b) };
        let weight = upto - below;
        below = upto;
        weight * x
    });
    Ok(compensated_sum(terms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_a_symmetric_sample_is_its_centre() {
        let sample: Vec<f64> = (0..200_001).map(f64::from).collect();
        assert!((harrell_davis(&sample, 0.5).unwrap() - 100_000.0).abs() < 1e-6);
    }

    #[test]
    fn failures_have_no_smooth_quantile() {
        assert_eq!(harrell_davis(&[1.0, f64::INFINITY], 0.5), Err(StatsError::NotFinite));
        assert_eq!(harrell_davis(&[], 0.5), Err(StatsError::EmptySample));
    }
}
