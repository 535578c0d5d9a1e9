//! How many requests a criterion needs before it can be decided.

use super::error::{StatsError, check_confidence, check_open_probability};
use super::quantile::type1;
use super::special::{binomial_cdf, normal_isf, normal_pdf};

/// The largest number of requests that planning searches.
const LARGEST: u64 = 2_000_000;

/// The smallest n with (1 - `p`)^n <= `alpha`: so many requests without one failure prove a
/// failure rate below `p`.
pub fn zero_fail(p: f64, alpha: f64) -> Result<u64, StatsError> {
    check_open_probability(p)?;
    power_at_most((-p).ln_1p(), alpha)
}

/// The smallest n for which the `p`-quantile has a finite one-sided upper bound at confidence
/// 1 - `alpha`: `p`^n <= `alpha`.
pub fn quantile_upper(p: f64, alpha: f64) -> Result<u64, StatsError> {
    check_open_probability(p)?;
    power_at_most(p.ln(), alpha)
}

/// The smallest n with exp(n * `log_base`) <= `alpha`.
fn power_at_most(log_base: f64, alpha: f64) -> Result<u64, StatsError> {
    check_open_probability(alpha)?;
    // A quotient that is whole up to rounding is that whole number, as in 0.5^3 <= 0.125.
    let n = alpha.ln() / log_base;
    Ok((n * (1.0 - 4.0 * f64::EPSILON)).ceil().max(1.0) as u64)
}

/// The smallest n from which the exact test of "rate >= `p0`" at level `alpha` passes with
/// probability `power` at the true rate `p1` < `p0`, and keeps doing so for the next 200 n.
///
/// The power of an exact test falls back whenever the critical count stays the same (the
/// "saw-tooth"), hence the look ahead.
pub fn binom_pass(p0: f64, p1: f64, alpha: f64, power: f64) -> Result<u64, StatsError> {
    const LOOK_AHEAD: u64 = 200;
    check_open_probability(p0)?;
    check_open_probability(alpha)?;
    check_confidence(power)?;
    if !(0.0..p0).contains(&p1) {
        return Err(StatsError::ParameterOutOfRange { name: "true rate", value: p1 });
    }
    let reach = normal_isf(alpha) * (p0 * (1.0 - p0)).sqrt()
        + normal_isf(1.0 - power) * (p1 * (1.0 - p1)).sqrt();
    let approximate = (reach / (p0 - p1)).powi(2);
    if approximate > LARGEST as f64 {
        return Err(StatsError::SampleTooLarge { limit: LARGEST });
    }
    // The normal approximation is within a few percent where counts are large.
    let start = if approximate > 20_000.0 { (approximate * 0.9) as u64 } else { 1 };
    let mut critical = 0;
    let mut first = None;
    for n in start..=2 * LARGEST {
        while binomial_cdf(critical, n, p0) <= alpha {
            critical += 1;
        }
        let passes = critical > 0 && binomial_cdf(critical - 1, n, p1) >= power;
        match (passes, first) {
            (true, None) => first = Some(n),
            (true, Some(since)) if n - since >= LOOK_AHEAD => return Ok(since),
            (true, Some(_)) => {}
            (false, _) => first = None,
        }
    }
    Err(StatsError::SampleTooLarge { limit: LARGEST })
}

/// Requests after which the one-sided bound of a mean clears its limit with probability `power`.
///
/// `sd` is the standard deviation of one row, `margin_left` the distance between the expected
/// mean and the limit in the same unit. Multiply by the design effect where rows cluster.
pub fn n_for_mean(
    sd: f64,
    margin_left: f64,
    confidence: f64,
    power: f64,
) -> Result<u64, StatsError> {
    let z = normal_sum(confidence, power)?;
    if !(sd.is_finite() && sd >= 0.0) {
        return Err(StatsError::ParameterOutOfRange { name: "sd", value: sd });
    }
    whole_number((z * sd / positive(margin_left, "margin_left")?).powi(2))
}

/// Requests per arm after which the upper bound of a ratio of two `p`-quantiles stays below its
/// limit with probability `power`.
///
/// `log_sparsity` is the slope of the log quantile (see [`log_sparsity`]), `limit_ratio` the
/// largest ratio allowed, `true_ratio` the ratio expected, `correlation` that of the two arms'
/// "not above the quantile" indicators. Delta method on the log scale.
pub fn n_for_quantile_ratio(
    p: f64,
    log_sparsity: f64,
    limit_ratio: f64,
    true_ratio: f64,
    correlation: f64,
    confidence: f64,
    power: f64,
) -> Result<u64, StatsError> {
    check_open_probability(p)?;
    if !(-1.0..=1.0).contains(&correlation) {
        return Err(StatsError::ParameterOutOfRange { name: "correlation", value: correlation });
    }
    let z = normal_sum(confidence, power)?;
    let sparsity = positive(log_sparsity, "log_sparsity")?;
    let ratio = positive(limit_ratio, "limit_ratio")? / positive(true_ratio, "true_ratio")?;
    let distance = positive(ratio.ln(), "margin between true and limiting ratio")?;
    let sd = sparsity * (2.0 * (1.0 - correlation) * p * (1.0 - p)).sqrt();
    whole_number((z * sd / distance).powi(2))
}

/// The slope d ln Q(u) / du at u = `p` of an ascending sample of positive values, by a central
/// difference with the bandwidth of Hall and Sheather (1988).
///
/// For a lognormal distribution it is sigma / phi(z_p). +infinity values make it infinite.
pub fn log_sparsity(sorted: &[f64], p: f64) -> Result<f64, StatsError> {
    check_open_probability(p)?;
    let n = sorted.len() as f64;
    let z = normal_isf(1.0 - p);
    let density = normal_pdf(z);
    let bandwidth = n.powf(-1.0 / 3.0)
        * 1.959_964_f64.powf(2.0 / 3.0)
        * (1.5 * density * density / (2.0 * z * z + 1.0)).cbrt();
    let h = bandwidth.min(0.9 * p.min(1.0 - p));
    let (low, high) = (type1(sorted, p - h)?, type1(sorted, p + h)?);
    if low <= 0.0 {
        return Err(StatsError::NegativeValue);
    }
    Ok((high.ln() - low.ln()) / (2.0 * h))
}

fn normal_sum(confidence: f64, power: f64) -> Result<f64, StatsError> {
    check_confidence(confidence)?;
    check_confidence(power)?;
    Ok(normal_isf(1.0 - confidence) + normal_isf(1.0 - power))
}

fn positive(value: f64, name: &'static str) -> Result<f64, StatsError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(StatsError::ParameterOutOfRange { name, value })
    }
}

fn whole_number(n: f64) -> Result<u64, StatsError> {
    // Beyond this a count has no meaning for a replay, and f64 no longer holds it exactly.
    const COUNTABLE: u64 = 1 << 53;
    if n.is_finite() && n < COUNTABLE as f64 {
        Ok((n.ceil() as u64).max(2))
    } else {
        Err(StatsError::SampleTooLarge { limit: COUNTABLE })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_ratio_sizes_follow_the_delta_method() {
        // sigma = 0.6, p50, limit 1.2: (2.486475 * 0.6 * sqrt(0.5) / (0.398942 * 0.182322))^2
        // = 210.4, by hand.
        let sparsity = 0.6 / normal_pdf(0.0);
        let n = n_for_quantile_ratio(0.5, sparsity, 1.2, 1.0, 0.0, 0.95, 0.8).unwrap();
        assert_eq!(n, 211);
    }

    #[test]
    fn a_candidate_already_at_the_limit_can_never_be_proven_within_it() {
        assert!(n_for_quantile_ratio(0.9, 1.0, 1.2, 1.2, 0.0, 0.95, 0.8).is_err());
        assert!(n_for_mean(1.0, 0.0, 0.95, 0.8).is_err());
        assert!(binom_pass(0.01, 0.01, 0.05, 0.8).is_err());
    }

    #[test]
    fn half_the_margin_needs_four_times_the_requests() {
        let wide = n_for_mean(1.0, 0.02, 0.95, 0.8).unwrap();
        let narrow = n_for_mean(1.0, 0.01, 0.95, 0.8).unwrap();
        assert!((narrow as f64 / wide as f64 - 4.0).abs() < 1e-3);
    }

    #[test]
    fn sparsity_of_a_log_uniform_sample_is_its_log_range() {
        let sample: Vec<f64> = (0..2000).map(|i| (f64::from(i) / 1000.0).exp()).collect();
        let slope = log_sparsity(&sample, 0.5).unwrap();
        assert!((slope - 2.0).abs() < 0.02, "{slope}");
    }

    #[test]
    fn whole_quotients_are_not_rounded_up() {
        assert_eq!(quantile_upper(0.5, 0.125), Ok(3));
    }
}
