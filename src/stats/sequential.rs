//! Tests and intervals that stay valid however often one looks, for stopping early.

use super::error::{StatsError, check_open_probability};
use super::outcome::Direction;
use super::special::{beta_log_kernel, beta_log_tails};

/// The logarithm of the evidence, after `k` events in `n` rows, that the true rate is below
/// (`AtMost`) or above (`AtLeast`) `limit`.
///
/// A mixture likelihood ratio over a Beta(`a`, `b`) prior cut to the side in question; under the
/// hypothesis of the other side it exceeds ln(1 / alpha) at any time with probability at most
/// alpha (Ville 1939; Robbins 1970). Rows must be independent and in random order.
pub fn bernoulli_log_evidence(
    k: u64,
    n: u64,
    limit: f64,
    (a, b): (f64, f64),
    direction: Direction,
) -> Result<f64, StatsError> {
    check_open_probability(limit)?;
    for (name, value) in [("a", a), ("b", b)] {
        if !(value.is_finite() && value > 0.0) {
            return Err(StatsError::ParameterOutOfRange { name, value });
        }
    }
    if k > n {
        return Err(StatsError::CountExceedsTotal { count: k as f64, total: n as f64 });
    }
    let (shape_a, shape_b) = (a + k as f64, b + (n - k) as f64);
    let side = |a: f64, b: f64| {
        let (below, above) = beta_log_tails(limit, a, b);
        if direction == Direction::AtMost { below } else { above }
    };
    // B(a + k, b + n - k) / (B(a, b) limit^k (1 - limit)^(n-k)) is a quotient of two densities
    // at the limit, in which the large powers cancel before they are formed.
    let ratio = beta_log_kernel(limit, a, b) - beta_log_kernel(limit, shape_a, shape_b);
    Ok(ratio + side(shape_a, shape_b) - side(a, b))
}

/// Half the width of a confidence sequence, with the tuning that it used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SequenceWidth {
    /// The tuning parameter, which makes the sequence narrowest at `best_at` values.
    pub rho2: f64,
    /// Half of the width, in the unit of the values.
    pub half_width: f64,
}

/// The asymptotic confidence sequence of a mean after `n` values with standard deviation `sd`:
/// mean -+ half width covers the true mean at all times at once with probability 1 - `alpha`
/// (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, theorem 2.2).
///
/// Two-sided. With clusters, values are the sums of clusters and `n` their number, at least 100.
/// `best_at` is the n at which the sequence shall be narrowest.
pub fn confidence_sequence(
    n: u64,
    sd: f64,
    alpha: f64,
    best_at: u64,
) -> Result<SequenceWidth, StatsError> {
    check_open_probability(alpha)?;
    if n == 0 || best_at == 0 {
        return Err(StatsError::EmptySample);
    }
    if !(sd.is_finite() && sd >= 0.0) {
        return Err(StatsError::ParameterOutOfRange { name: "sd", value: sd });
    }
    let log = -2.0 * alpha.ln();
    let rho2 = (log + log.ln_1p()) / best_at as f64;
    let n = n as f64;
    let grown = n * rho2 + 1.0;
    let half_width = sd * (2.0 * grown / (n * n * rho2) * (grown.sqrt() / alpha).ln()).sqrt();
    Ok(SequenceWidth { rho2, half_width })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_grows_with_rows_and_points_to_one_side() {
        let at_most =
            |k, n| bernoulli_log_evidence(k, n, 0.01, (0.5, 0.5), Direction::AtMost).unwrap();
        let at_least =
            |k, n| bernoulli_log_evidence(k, n, 0.01, (0.5, 0.5), Direction::AtLeast).unwrap();
        assert!(at_most(0, 5000) > at_most(0, 500) && at_most(0, 500) > at_most(0, 50));
        assert!(at_least(40, 1000) > 3.0 && at_most(40, 1000) < 0.0);
        // So far on the wrong side that its probability is no double.
        let hopeless = at_most(900_000, 1_000_000);
        assert!(hopeless.is_finite() && hopeless < -5.0, "{hopeless}");
    }

    #[test]
    fn the_sequence_is_wider_than_a_single_interval_and_shrinks() {
        let width = |n| confidence_sequence(n, 1.0, 0.05, 1000).unwrap().half_width;
        assert!(width(1000) > 1.96 / 1000.0_f64.sqrt() && width(4000) < width(1000));
    }

    #[test]
    fn parameters_without_meaning_are_refused() {
        assert!(bernoulli_log_evidence(2, 1, 0.1, (0.5, 0.5), Direction::AtMost).is_err());
        assert!(bernoulli_log_evidence(0, 1, 0.1, (0.0, 0.5), Direction::AtMost).is_err());
        assert_eq!(confidence_sequence(0, 1.0, 0.05, 10), Err(StatsError::EmptySample));
        assert!(confidence_sequence(1, f64::NAN, 0.05, 10).is_err());
    }
}
