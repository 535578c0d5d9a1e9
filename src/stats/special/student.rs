//! Student's t distribution.

use super::beta::{beta_tails, lower_quantile};

/// P(T <= t) with `df` degrees of freedom.
pub fn student_cdf(t: f64, df: f64) -> f64 {
    student_sf(-t, df)
}

/// P(T > t) with `df` degrees of freedom (DLMF 8.17, Abramowitz and Stegun 26.7.1).
pub fn student_sf(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let square = t * t;
    let (tail, centre) = beta_tails(df / 2.0, 0.5, df / (df + square), square / (df + square));
    if t >= 0.0 { 0.5 * tail } else { 0.5 + 0.5 * centre }
}

/// The upper quantile: the t with P(T > t) = q.
pub fn student_isf(q: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&q) {
        return f64::NAN;
    }
    if q > 0.5 {
        return -student_isf(1.0 - q, df);
    }
    let (x, y) = if q <= 0.25 {
        lower_quantile(2.0 * q, df / 2.0, 0.5)
    } else {
        let (y, x) = lower_quantile(1.0 - 2.0 * q, 0.5, df / 2.0);
        (x, y)
    };
    (df * y / x).sqrt()
}
