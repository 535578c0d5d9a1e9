//! The beta distribution: regularised incomplete beta function and its inverse.

use super::gamma::{deviance, stirling_error};
use super::solve::{LOG_LIMIT, increasing_root};

/// P(B <= x) for B ~ Beta(a, b).
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    beta_tails(a, b, x, 1.0 - x).0
}

/// P(B > x) for B ~ Beta(a, b).
pub fn beta_sf(x: f64, a: f64, b: f64) -> f64 {
    beta_tails(a, b, x, 1.0 - x).1
}

/// The quantile: the x with P(B <= x) = p.
pub fn beta_ppf(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.5 { lower_quantile(p, a, b).0 } else { lower_quantile(1.0 - p, b, a).1 }
}

/// The upper quantile: the x with P(B > x) = q.
pub fn beta_isf(q: f64, a: f64, b: f64) -> f64 {
    if q <= 0.5 { lower_quantile(q, b, a).1 } else { lower_quantile(1.0 - q, a, b).0 }
}

/// Both tails at `x`, where `y` = 1 - x is given apart so that neither end loses digits.
pub(super) fn beta_tails(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if [a, b, x, y].iter().any(|v| v.is_nan()) || a <= 0.0 || b <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    if x < (a + 1.0) / (a + b + 2.0) {
        let lower = kernel(a, b, x, y) * continued_fraction(a, b, x) / a;
        (lower, 1.0 - lower)
    } else {
        let upper = kernel(b, a, y, x) * continued_fraction(b, a, y) / b;
        (1.0 - upper, upper)
    }
}

/// x^a (1-x)^b / B(a, b) by the saddle-point expansion of Loader (2000), "Fast and accurate
/// computation of binomial probabilities", which keeps full relative precision for large a and b.
fn kernel(a: f64, b: f64, x: f64, y: f64) -> f64 {
    exponent(a, b, x, y).exp() * (a / (a + b) * b / (2.0 * std::f64::consts::PI)).sqrt()
}

/// ln of x^a (1-x)^b / B(a, b), finite where the value itself is no double.
fn log_kernel(a: f64, b: f64, x: f64, y: f64) -> f64 {
    exponent(a, b, x, y) + 0.5 * (a / (a + b) * b / (2.0 * std::f64::consts::PI)).ln()
}

fn exponent(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance(a, n * x)
        - deviance(b, n * y)
}

/// ln of x^a (1-x)^b / B(a, b) for 0 < x < 1.
pub fn beta_log_kernel(x: f64, a: f64, b: f64) -> f64 {
    log_kernel(a, b, x, 1.0 - x)
}

/// (ln P(B <= x), ln P(B > x)) for B ~ Beta(a, b) and 0 < x < 1, finite where a tail is no double.
pub fn beta_log_tails(x: f64, a: f64, b: f64) -> (f64, f64) {
    let y = 1.0 - x;
    if x < (a + 1.0) / (a + b + 2.0) {
        let lower = log_kernel(a, b, x, y) + (continued_fraction(a, b, x) / a).ln();
        (lower, (-lower.exp()).ln_1p())
    } else {
        let upper = log_kernel(b, a, y, x) + (continued_fraction(b, a, y) / b).ln();
        ((-upper.exp()).ln_1p(), upper)
    }
}

/// The continued fraction of DLMF 8.17.22 by the modified Lentz algorithm; it converges in
/// O(sqrt(max(a, b))) terms left of the mean, so the limit scales with the arguments.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let limit = 1000 + 20 * a.max(b).sqrt() as u64;
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..=limit {
        let m = m as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away(1.0 + even * d);
        c = away(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away(1.0 + odd * d);
        c = away(1.0 + odd / c);
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    h
}

/// The pair (x, 1 - x) with lower tail `p` <= 1/2, found on the logit scale.
pub(super) fn lower_quantile(p: f64, a: f64, b: f64) -> (f64, f64) {
    if !(0.0..=1.0).contains(&p) || a.is_nan() || a <= 0.0 || b.is_nan() || b <= 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if p <= 0.0 {
        return (0.0, 1.0);
    }
    let root = increasing_root((a / b).ln(), -LOG_LIMIT, LOG_LIMIT, |t| {
        let (x, y) = from_logit(t);
        let lower = beta_tails(a, b, x, y).0;
        (lower.ln() - p.ln(), kernel(a, b, x, y) / lower)
    });
    from_logit(root)
}

fn from_logit(t: f64) -> (f64, f64) {
    (1.0 / (1.0 + (-t).exp()), 1.0 / (1.0 + t.exp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_of_a_large_symmetric_beta_is_one_half() {
        for a in [1.0, 50.0, 5e3, 5e6] {
            assert!((beta_cdf(0.5, a, a) - 0.5).abs() < 1e-11, "{a}: {}", beta_cdf(0.5, a, a));
        }
    }

    #[test]
    fn quantiles_invert_both_tails_over_twelve_orders_of_magnitude() {
        for (a, b) in [(0.5, 0.5), (1.0, 3000.0), (1901.0, 2e6), (300.0, 2.0)] {
            for p in [1e-12, 1e-6, 0.01, 0.3, 0.7, 0.999] {
                let lower = beta_cdf(beta_ppf(p, a, b), a, b);
                assert!((lower / p - 1.0).abs() < 1e-9, "{a} {b} {p}: {lower}");
                let mirrored = beta_sf(1.0 - beta_isf(p, b, a), a, b);
                assert!((mirrored - (1.0 - p)).abs() < 1e-9, "{a} {b} {p}: {mirrored}");
            }
        }
    }

    #[test]
    fn arguments_outside_the_domain_give_nan() {
        assert!(beta_cdf(f64::NAN, 1.0, 1.0).is_nan());
        assert!(beta_cdf(0.5, 0.0, 1.0).is_nan());
        assert!(beta_ppf(1.5, 1.0, 1.0).is_nan());
    }
}
