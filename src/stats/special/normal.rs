//! The standard normal distribution.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::{erfc, erfc_inv};

/// Density at `x`.
pub fn normal_pdf(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// P(Z <= x).
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x / SQRT_2)
}

/// P(Z > x), accurate in the upper tail.
pub fn normal_sf(x: f64) -> f64 {
    0.5 * erfc(x / SQRT_2)
}

/// ln P(Z > x), accurate in both tails.
///
/// Beyond 37.5 the tail itself underflows, so the asymptotic series of Mills' ratio is used.
pub fn normal_log_sf(x: f64) -> f64 {
    if x < 0.0 {
        (-normal_cdf(x)).ln_1p()
    } else if x <= 37.5 {
        normal_sf(x).ln()
    } else {
        let r = 1.0 / (x * x);
        -0.5 * x * x - (x * (2.0 * PI).sqrt()).ln() + (-r * (1.0 - r * (3.0 - 15.0 * r))).ln_1p()
    }
}

/// The quantile: the x with P(Z <= x) = p.
pub fn normal_ppf(p: f64) -> f64 {
    -normal_isf(p)
}

/// The upper quantile: the x with P(Z > x) = q, accurate for the smallest q.
pub fn normal_isf(q: f64) -> f64 {
    if !(0.0..=1.0).contains(&q) {
        return f64::NAN;
    }
    if q <= 0.5 { upper_quantile(q) } else { -upper_quantile(1.0 - q) }
}

/// Two Newton steps on the log scale bring the rational approximation to full precision.
fn upper_quantile(q: f64) -> f64 {
    if q <= 0.0 {
        return f64::INFINITY;
    }
    let mut x = SQRT_2 * erfc_inv(2.0 * q);
    for _ in 0..2 {
        let sf = normal_sf(x);
        let pdf = normal_pdf(x);
        if sf > 0.0 && pdf > 0.0 {
            x += (sf.ln() - q.ln()) * sf / pdf;
        }
    }
    x
}
