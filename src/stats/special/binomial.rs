//! Binomial tails, also for effective counts that are not whole numbers.

use super::beta::beta_tails;
use super::gamma::{deviance, stirling_error};

/// P(X = k) for X ~ Binomial(n, p) (Loader 2000).
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> f64 {
    if k > n || !(0.0..=1.0).contains(&p) {
        return if k > n { 0.0 } else { f64::NAN };
    }
    let (x, m, q) = (k as f64, n as f64, 1.0 - p);
    if k == 0 {
        return (m * (-p).ln_1p()).exp();
    }
    if k == n {
        return p.powf(m);
    }
    let rest = m - x;
    let log = stirling_error(m)
        - stirling_error(x)
        - stirling_error(rest)
        - deviance(x, m * p)
        - deviance(rest, m * q);
    log.exp() * (m / (2.0 * std::f64::consts::PI * x * rest)).sqrt()
}

/// P(X <= k) for X ~ Binomial(n, p).
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    lower_tail(k as f64, n as f64, p)
}

/// P(X > k) for X ~ Binomial(n, p).
pub fn binomial_sf(k: u64, n: u64, p: f64) -> f64 {
    upper_tail(k as f64 + 1.0, n as f64, p)
}

/// P(X <= k), extended to real `k` and `n` by the regularised incomplete beta function.
pub fn lower_tail(k: f64, n: f64, p: f64) -> f64 {
    if k >= n {
        return if p.is_nan() { f64::NAN } else { 1.0 };
    }
    if k < 0.0 {
        return 0.0;
    }
    beta_tails(k + 1.0, n - k, p, 1.0 - p).1
}

/// P(X >= k), extended to real `k` and `n` by the regularised incomplete beta function.
pub fn upper_tail(k: f64, n: f64, p: f64) -> f64 {
    if k <= 0.0 {
        return if p.is_nan() { f64::NAN } else { 1.0 };
    }
    if k >= n + 1.0 {
        return 0.0;
    }
    beta_tails(k, n - k + 1.0, p, 1.0 - p).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_a_million_coin_flips_is_right_to_eight_digits() {
        // Half of the mass plus half of the central term: 0.5 + C(n, n/2) / 2^(n+1), where the
        // central term is sqrt(2/(pi n)) (1 - 1/(4n) + ...).
        let n = 1_000_000_u64;
        let central = (2.0 / (std::f64::consts::PI * 1e6)).sqrt() * (1.0 - 0.25e-6);
        let expected = 0.5 + 0.5 * central;
        assert!((binomial_cdf(n / 2, n, 0.5) - expected).abs() < 1e-9);
    }

    #[test]
    fn probabilities_of_all_outcomes_sum_to_the_tails() {
        let total: f64 = (0..=7).map(|k| binomial_pmf(k, 40, 0.1)).sum();
        assert!((total - binomial_cdf(7, 40, 0.1)).abs() < 1e-14);
        assert!((1.0 - total - binomial_sf(7, 40, 0.1)).abs() < 1e-14);
    }

    #[test]
    fn impossible_and_certain_events_have_probability_zero_and_one() {
        assert!(upper_tail(0.0, 10.0, 0.3) >= 1.0);
        assert!(upper_tail(11.0, 10.0, 0.3) <= 0.0);
        assert!(lower_tail(10.0, 10.0, 0.3) >= 1.0);
        assert!(lower_tail(-1.0, 10.0, 0.3) <= 0.0);
        assert!(binomial_pmf(11, 10, 0.3) <= 0.0);
    }
}
