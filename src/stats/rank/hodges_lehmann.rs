//! The Hodges-Lehmann estimate of a shift: the median of all pairwise differences.

use super::super::error::{StatsError, check_confidence, check_finite};
use super::super::quantile::sorted;
use super::super::special::normal_isf;
use super::exact::{mann_whitney_null, signed_sum_null};
use super::selection::{Pairs, Sums};

/// A shift with its two-sided interval, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HodgesLehmann {
    /// The median of all differences (two samples) or of all Walsh averages (pairs).
    pub estimate: f64,
    /// The lower end; -infinity where the samples are too small.
    pub low: f64,
    /// The upper end; +infinity where the samples are too small.
    pub high: f64,
    /// The interval runs from the k-th smallest to the k-th largest; 0 where it is unbounded.
    pub k: u64,
    /// The coverage reached without ties; absent where ranks come from the normal distribution.
    pub achieved: Option<f64>,
}

/// The shift of `x` against `y`: the median of all x_i - y_j (Hodges and Lehmann 1963).
///
/// The interval inverts the Mann-Whitney test, exactly or by the normal distribution. Infinite
/// values have no differences and are refused.
pub fn hodges_lehmann(
    x: &[f64],
    y: &[f64],
    confidence: f64,
    exact: bool,
) -> Result<HodgesLehmann, StatsError> {
    check_confidence(confidence)?;
    check_finite(x)?;
    check_finite(y)?;
    let x = sorted(x)?;
    let mut negated: Vec<f64> = y.iter().map(|y| -y).collect();
    negated = sorted(&negated)?;
    let (m, n) = (x.len() as u64, y.len() as u64);
    let null = if exact { Some(mann_whitney_null(m, n)?) } else { None };
    let sd = (m as f64 * n as f64 * (m + n + 1) as f64 / 12.0).sqrt();
    let sums = Sums { first: &x, second: &negated, pairs: Pairs::All };
    Ok(interval(&sums, sd, null.as_deref(), confidence))
}

/// The centre of paired `differences`: the median of all Walsh averages (d_i + d_j) / 2.
///
/// The interval inverts the signed-rank test, exactly or by the normal distribution.
pub fn hodges_lehmann_paired(
    differences: &[f64],
    confidence: f64,
    exact: bool,
) -> Result<HodgesLehmann, StatsError> {
    check_confidence(confidence)?;
    check_finite(differences)?;
    let d = sorted(differences)?;
    let n = d.len() as u64;
    let ranks: Vec<u64> = (1..=n).collect();
    let null = if exact { Some(signed_sum_null(&ranks)?) } else { None };
    let sd = (n as f64 * (n + 1) as f64 * (2 * n + 1) as f64 / 24.0).sqrt();
    let sums = Sums { first: &d, second: &d, pairs: Pairs::Walsh };
    Ok(interval(&sums, sd, null.as_deref(), confidence))
}

fn interval(sums: &Sums<'_>, sd: f64, null: Option<&[f64]>, confidence: f64) -> HodgesLehmann {
    let count = sums.len();
    let half = (1.0 - confidence) / 2.0;
    let (k, achieved) = if let Some(null) = null {
        let (k, left_out) = exact_rank(null, half);
        (k, Some(1.0 - 2.0 * left_out))
    } else {
        let rank = count as f64 / 2.0 + 0.5 - normal_isf(half) * sd;
        (rank.floor().max(0.0) as u64, None)
    };
    let (low, high) = if k == 0 {
        (f64::NEG_INFINITY, f64::INFINITY)
    } else {
        (sums.select(k), sums.select(count + 1 - k))
    };
    let upper = sums.select(count / 2 + 1);
    let estimate =
        if count % 2 == 1 { upper } else { f64::midpoint(sums.select(count / 2), upper) };
    HodgesLehmann { estimate, low, high, k, achieved }
}

/// The largest k with P(U <= k - 1) <= `half`, and that probability (0 for k = 0).
fn exact_rank(null: &[f64], half: f64) -> (u64, f64) {
    let (mut k, mut reached) = (0, 0.0);
    for p in null {
        if reached + p > half {
            break;
        }
        reached += p;
        k += 1;
    }
    (k, reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifting_one_sample_shifts_estimate_and_interval() {
        let x: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 31)).collect();
        let y: Vec<f64> = (0..25).map(|i| f64::from(i * 11 % 29)).collect();
        let moved: Vec<f64> = x.iter().map(|x| x + 8.0).collect();
        let before = hodges_lehmann(&x, &y, 0.95, true).unwrap();
        let after = hodges_lehmann(&moved, &y, 0.95, true).unwrap();
        for (a, b) in
            [(before.estimate, after.estimate), (before.low, after.low), (before.high, after.high)]
        {
            assert!((b - a - 8.0).abs() < 1e-12);
        }
        assert!(before.achieved.unwrap() >= 0.95);
    }

    #[test]
    fn a_hundred_thousand_differences_take_no_quadratic_memory() {
        let d: Vec<f64> = (0..100_000_u64).map(|i| (i * 7919 % 100_003) as f64).collect();
        let found = hodges_lehmann_paired(&d, 0.95, false).unwrap();
        assert!((found.estimate - 50_000.0).abs() < 20.0, "{found:?}");
        assert!(found.low < found.estimate && found.estimate < found.high);
    }

    #[test]
    fn infinite_values_have_no_shift() {
        assert_eq!(
            hodges_lehmann(&[f64::INFINITY], &[1.0], 0.95, false),
            Err(StatsError::NotFinite)
        );
        assert_eq!(hodges_lehmann_paired(&[], 0.95, false), Err(StatsError::EmptySample));
    }
}
