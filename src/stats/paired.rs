//! Paired yes/no outcomes: the same request on two arms.
//!
//! `b` counts the pairs in which only the first arm has the event, `c` those in which only the
//! second has it; the difference of the rates is (b - c) / n.

use super::error::{StatsError, check_confidence};
use super::proportion::Interval;
use super::special::{binomial_cdf, binomial_pmf, chi2_sf, normal_isf, normal_sf};

/// McNemar's test (1947) in its usual forms, all from the discordant pairs alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Two-sided exact binomial p-value.
    pub p_exact: f64,
    /// Two-sided mid-p value (Fagerland, Lydersen, Laake 2013): the recommended one.
    pub p_midp: f64,
    /// (b - c)^2 / (b + c).
    pub chi2: f64,
    /// Asymptotic p-value of `chi2`.
    pub p_chi2: f64,
    /// max(|b - c| - 1, 0)^2 / (b + c), with Edwards' continuity correction.
    pub chi2_cc: f64,
    /// Asymptotic p-value of `chi2_cc`.
    pub p_chi2_cc: f64,
    /// One-sided exact p-value against b > c.
    pub p_exact_greater: f64,
    /// One-sided mid-p value against b > c.
    pub p_midp_greater: f64,
}

/// Tests whether `b` and `c` differ. Without discordant pairs every p-value is 1.
pub fn mcnemar(b: u64, c: u64) -> McNemar {
    let n = b + c;
    if n == 0 {
        return McNemar {
            p_exact: 1.0,
            p_midp: 1.0,
            chi2: 0.0,
            p_chi2: 1.0,
            chi2_cc: 0.0,
            p_chi2_cc: 1.0,
            p_exact_greater: 1.0,
            p_midp_greater: 1.0,
        };
    }
    let smaller = b.min(c);
    let doubled = 2.0 * binomial_cdf(smaller, n, 0.5);
    let total = n as f64;
    let difference = b.abs_diff(c) as f64;
    let chi2 = difference * difference / total;
    let corrected = (difference - 1.0).max(0.0);
    let chi2_cc = corrected * corrected / total;
    // At p = 1/2 the chance of b or more is that of c or fewer.
    let greater = binomial_cdf(c, n, 0.5);
    McNemar {
        p_exact: doubled.min(1.0),
        p_midp: (doubled - binomial_pmf(smaller, n, 0.5)).min(1.0),
        chi2,
        p_chi2: chi2_sf(chi2, 1.0),
        chi2_cc,
        p_chi2_cc: chi2_sf(chi2_cc, 1.0),
        p_exact_greater: greater,
        p_midp_greater: greater - 0.5 * binomial_pmf(b, n, 0.5),
    }
}

/// Tango's score statistic (1998) of "the difference of the rates is `margin`"; standard normal
/// under that hypothesis, positive where the difference is greater.
pub fn tango_z(n: u64, b: u64, c: u64, margin: f64) -> Result<f64, StatsError> {
    check_pairs(n, b, c)?;
    if !(margin > -1.0 && margin < 1.0) {
        return Err(StatsError::ParameterOutOfRange { name: "margin", value: margin });
    }
    let (distance, spread) = score_parts(n, b, c, margin);
    Ok(if spread > 0.0 { distance / spread } else { 0.0 })
}

/// P-value of "the difference of the rates is at most `margin`": small means it is greater.
pub fn tango_p_greater(n: u64, b: u64, c: u64, margin: f64) -> Result<f64, StatsError> {
    tango_z(n, b, c, margin).map(normal_sf)
}

/// P-value of "the difference of the rates is at least `margin`": small means it is less.
pub fn tango_p_less(n: u64, b: u64, c: u64, margin: f64) -> Result<f64, StatsError> {
    tango_z(n, b, c, margin).map(|z| normal_sf(-z))
}

/// Tango's two-sided score interval of the difference (b - c) / n at level `confidence`.
pub fn tango_interval(n: u64, b: u64, c: u64, confidence: f64) -> Result<Interval, StatsError> {
    check_confidence(confidence)?;
    interval_at(n, b, c, normal_isf((1.0 - confidence) / 2.0))
}

/// The two one-sided score bounds of the difference (b - c) / n, each at level `confidence`.
pub fn tango_bounds(n: u64, b: u64, c: u64, confidence: f64) -> Result<Interval, StatsError> {
    check_confidence(confidence)?;
    interval_at(n, b, c, normal_isf(1.0 - confidence))
}

fn check_pairs(n: u64, b: u64, c: u64) -> Result<(), StatsError> {
    if n == 0 {
        return Err(StatsError::EmptySample);
    }
    match b.checked_add(c) {
        Some(discordant) if discordant <= n => Ok(()),
        _ => Err(StatsError::CountExceedsTotal { count: b as f64 + c as f64, total: n as f64 }),
    }
}

/// Numerator b - c - n d of the score and its standard deviation, with the second rate at its
/// maximum-likelihood value q under the constraint.
fn score_parts(n: u64, b: u64, c: u64, difference: f64) -> (f64, f64) {
    let (pairs, first, second) = (n as f64, b as f64, c as f64);
    let variance = difference * (1.0 - difference);
    let linear = -first - second + (2.0 * pairs - first + second) * difference;
    let root = (linear * linear + 8.0 * pairs * second * variance).max(0.0).sqrt();
    // The quotient form avoids cancellation where the linear term is positive.
    let q = if linear > 0.0 {
        2.0 * second * variance / (root + linear)
    } else {
        (root - linear) / (4.0 * pairs)
    };
    let spread = (pairs * (2.0 * q + variance)).max(0.0).sqrt();
    (first - second - pairs * difference, spread)
}

fn interval_at(n: u64, b: u64, c: u64, z: f64) -> Result<Interval, StatsError> {
    check_pairs(n, b, c)?;
    let estimate = (b as f64 - c as f64) / n as f64;
    let end = |far: f64, z: f64| {
        let (mut inside, mut outside) = (estimate, far);
        // The difference is resolved to the last bit long before this many halvings.
        for _ in 0..200 {
            let middle = f64::midpoint(inside, outside);
            let (distance, spread) = score_parts(n, b, c, middle);
            if distance.abs() <= z * spread {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        f64::midpoint(inside, outside)
    };
    Ok(Interval { low: end(-1.0, z.abs()), high: end(1.0, z.abs()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_discordant_pairs_the_bound_still_narrows_with_n() {
        let small = tango_bounds(100, 0, 0, 0.95).unwrap();
        let large = tango_bounds(10_000, 0, 0, 0.95).unwrap();
        // b = c = 0: z^2 = n d / (1 - d), so d = z^2 / (n + z^2), z = 1.644854.
        let z2 = 1.644_854_f64.powi(2);
        assert!((small.high - z2 / (100.0 + z2)).abs() < 1e-7, "{small:?}");
        assert!(large.high < 0.0003 && (large.low + large.high).abs() < 1e-12);
    }

    #[test]
    fn at_margin_zero_the_score_is_mcnemar_s() {
        let z = tango_z(200, 15, 6, 0.0).unwrap();
        assert!((z * z - mcnemar(15, 6).chi2).abs() < 1e-12);
    }

    #[test]
    fn swapping_the_arms_mirrors_the_interval() {
        let forward = tango_interval(300, 20, 7, 0.9).unwrap();
        let backward = tango_interval(300, 7, 20, 0.9).unwrap();
        assert!((forward.low + backward.high).abs() < 1e-10);
        assert!((forward.high + backward.low).abs() < 1e-10);
    }

    #[test]
    fn bounds_and_p_values_agree() {
        let bounds = tango_bounds(400, 12, 9, 0.95).unwrap();
        assert!((tango_p_less(400, 12, 9, bounds.high).unwrap() - 0.05).abs() < 1e-9);
        assert!((tango_p_greater(400, 12, 9, bounds.low).unwrap() - 0.05).abs() < 1e-9);
    }

    #[test]
    fn more_discordant_pairs_than_pairs_are_refused() {
        assert!(tango_interval(10, 8, 3, 0.95).is_err());
        assert_eq!(tango_interval(0, 0, 0, 0.95), Err(StatsError::EmptySample));
    }
}
