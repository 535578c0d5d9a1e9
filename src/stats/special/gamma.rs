//! The regularised incomplete gamma function, for the chi-squared and Poisson distributions.

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

use super::solve::{LOG_LIMIT, increasing_root};

/// P(X > x) for X ~ chi-squared with `df` degrees of freedom.
pub fn chi2_sf(x: f64, df: f64) -> f64 {
    gamma_tails(df / 2.0, x / 2.0).1
}

/// The upper quantile: the x with P(X > x) = q.
pub fn chi2_isf(q: f64, df: f64) -> f64 {
    if !(0.0..=1.0).contains(&q) {
        return f64::NAN;
    }
    let a = df / 2.0;
    let root = if q <= 0.5 {
        increasing_root(a.ln(), -LOG_LIMIT, LOG_LIMIT, |u| {
            let upper = gamma_tails(a, u.exp()).1;
            (q.ln() - upper.ln(), kernel(a, u.exp()) / upper)
        })
    } else {
        increasing_root(a.ln(), -LOG_LIMIT, LOG_LIMIT, |u| {
            let lower = gamma_tails(a, u.exp()).0;
            (lower.ln() - (-q).ln_1p(), kernel(a, u.exp()) / lower)
        })
    };
    2.0 * root.exp()
}

/// P(X <= k) for X ~ Poisson(mu).
pub fn poisson_cdf(k: u64, mu: f64) -> f64 {
    gamma_tails(k as f64 + 1.0, mu).1
}

/// P(X > k) for X ~ Poisson(mu).
pub fn poisson_sf(k: u64, mu: f64) -> f64 {
    gamma_tails(k as f64 + 1.0, mu).0
}

/// (P(a, x), Q(a, x)): the smaller one is computed, the other is its complement.
fn gamma_tails(a: f64, x: f64) -> (f64, f64) {
    if a.is_nan() || a <= 0.0 || x.is_nan() || x < 0.0 {
        return (f64::NAN, f64::NAN);
    }
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x < a + 1.0 {
        let lower = kernel(a, x) / a * series(a, x);
        (lower, 1.0 - lower)
    } else {
        let upper = kernel(a, x) * continued_fraction(a, x);
        (1.0 - upper, upper)
    }
}

/// x^a e^-x / Gamma(a), with full relative precision (Loader 2000).
fn kernel(a: f64, x: f64) -> f64 {
    (-stirling_error(a) - deviance(a, x)).exp() * (a / (2.0 * PI)).sqrt()
}

/// 1 + x/(a+1) + x^2/((a+1)(a+2)) + ... (DLMF 8.11.4).
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut shifted) = (1.0, 1.0, a);
    while term > f64::EPSILON * 0.1 * sum {
        shifted += 1.0;
        term *= x / shifted;
        sum += term;
    }
    sum
}

/// The continued fraction of DLMF 8.9.2 by the modified Lentz algorithm.
fn continued_fraction(a: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away = |v: f64| if v.abs() < TINY { TINY } else { v };
    let limit = 1000 + 20 * a.sqrt() as u64;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away(b);
    let mut h = d;
    for i in 1..=limit {
        let i = i as f64;
        let numerator = -i * (i - a);
        b += 2.0;
        d = 1.0 / away(numerator * d + b);
        c = away(b + numerator / c);
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    h
}

/// ln Gamma(n+1) minus Stirling's approximation (Loader 2000, section 3).
pub(super) fn stirling_error(n: f64) -> f64 {
    if n <= 15.0 {
        return ln_gamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * (2.0 * PI).ln();
    }
    let r = 1.0 / (n * n);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r * (1.0 / 1188.0)))))
        / n
}

/// x ln(x/m) + m - x without cancellation near x = m (Loader 2000, `bd0`).
pub(super) fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut term = 2.0 * x * v;
    let mut odd = 1.0;
    loop {
        term *= v * v;
        odd += 2.0;
        let next = sum + term / odd;
        if next.to_bits() == sum.to_bits() || next.is_nan() {
            return sum;
        }
        sum = next;
    }
}
