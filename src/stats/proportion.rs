//! Confidence intervals and exact tests of one proportion.

use super::error::{StatsError, check_confidence, check_probability};
use super::outcome::{Alternative, Side};
use super::special::{
    beta_isf, beta_ppf, binomial_cdf, binomial_pmf, binomial_sf, lower_tail, normal_isf, upper_tail,
};

/// The ends of a confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// How the interval of a proportion is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProportionMethod {
    /// Wilson's score interval (1927), close to nominal on average: for display.
    Wilson,
    /// The exact interval of Clopper and Pearson (1934), never below nominal: for gates.
    ClopperPearson,
    /// The equal-tailed posterior interval under Jeffreys' prior (Brown, Cai, DasGupta 2001).
    Jeffreys,
}

/// The confidence interval of a proportion after `k` events in `n` trials.
///
/// A one-sided interval puts the whole error into its one end; the other end is 0 or 1.
pub fn proportion_interval(
    k: u64,
    n: u64,
    confidence: f64,
    side: Side,
    method: ProportionMethod,
) -> Result<Interval, StatsError> {
    check_confidence(confidence)?;
    check_counts(k as f64, n as f64)?;
    let tails = side.tails(confidence);
    let (k, n) = (k as f64, n as f64);
    Ok(match method {
        ProportionMethod::ClopperPearson => clopper_pearson(k, n, tails),
        ProportionMethod::Wilson => wilson(k, n, tails),
        ProportionMethod::Jeffreys => jeffreys(k, n, tails),
    })
}

/// The Clopper-Pearson interval for effective counts that need not be whole, such as counts
/// divided by a design effect (Korn and Graubard 1998).
pub fn clopper_pearson_effective(
    k: f64,
    n: f64,
    confidence: f64,
    side: Side,
) -> Result<Interval, StatsError> {
    check_confidence(confidence)?;
    check_counts(k, n)?;
    Ok(clopper_pearson(k, n, side.tails(confidence)))
}

fn check_counts(k: f64, n: f64) -> Result<(), StatsError> {
    if k.is_nan() || n.is_nan() {
        return Err(StatsError::NotANumber);
    }
    if k < 0.0 {
        return Err(StatsError::NegativeValue);
    }
    if n <= 0.0 {
        return Err(StatsError::EmptySample);
    }
    if k > n { Err(StatsError::CountExceedsTotal { count: k, total: n }) } else { Ok(()) }
}

fn clopper_pearson(k: f64, n: f64, (below, above): (f64, f64)) -> Interval {
    let low = if k <= 0.0 || below <= 0.0 { 0.0 } else { beta_ppf(below, k, n - k + 1.0) };
    let high = if k >= n || above <= 0.0 { 1.0 } else { beta_isf(above, k + 1.0, n - k) };
    Interval { low, high }
}

fn wilson(k: f64, n: f64, (below, above): (f64, f64)) -> Interval {
    let end = |tail: f64, sign: f64| {
        let z = normal_isf(tail);
        let share = k / n;
        let centre = share + z * z / (2.0 * n);
        let reach = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        (centre + sign * reach) / (1.0 + z * z / n)
    };
    Interval {
        low: if k <= 0.0 || below <= 0.0 { 0.0 } else { end(below, -1.0) },
        high: if k >= n || above <= 0.0 { 1.0 } else { end(above, 1.0) },
    }
}

fn jeffreys(k: f64, n: f64, (below, above): (f64, f64)) -> Interval {
    let (a, b) = (k + 0.5, n - k + 0.5);
    Interval {
        low: if below <= 0.0 { 0.0 } else { beta_ppf(below, a, b) },
        high: if above <= 0.0 { 1.0 } else { beta_isf(above, a, b) },
    }
}

/// The exact binomial test of "the true proportion is `p0`" after `k` events in `n` trials.
///
/// The two-sided p-value sums all outcomes that are not more likely than the one seen, with a
/// relative tolerance of 1e-7 as in R and SciPy.
pub fn binom_test(k: u64, n: u64, p0: f64, alternative: Alternative) -> Result<f64, StatsError> {
    check_probability(p0)?;
    check_counts(k as f64, n as f64)?;
    Ok(match alternative {
        Alternative::Less => lower_tail(k as f64, n as f64, p0),
        Alternative::Greater => upper_tail(k as f64, n as f64, p0),
        Alternative::TwoSided => two_sided(k, n, p0).min(1.0),
    })
}

fn two_sided(k: u64, n: u64, p0: f64) -> f64 {
    let seen = binomial_pmf(k, n, p0) * (1.0 + 1e-7);
    let mean = n as f64 * p0;
    let unlikely = |i: u64| binomial_pmf(i, n, p0) <= seen;
    if (k as f64) < mean {
        let first = partition(mean.ceil() as u64, n + 1, unlikely);
        let far = if first > n { 0.0 } else { binomial_sf(first.saturating_sub(1), n, p0) };
        binomial_cdf(k, n, p0) + if first == 0 { 1.0 } else { far }
    } else if (k as f64) > mean {
        let first_likely = partition(0, mean.floor() as u64 + 1, |i| !unlikely(i));
        let far = if first_likely == 0 { 0.0 } else { binomial_cdf(first_likely - 1, n, p0) };
        upper_tail(k as f64, n as f64, p0) + far
    } else {
        1.0
    }
}

/// The first index of `from..to` at which a monotone condition holds, or `to`.
fn partition(from: u64, to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_counts_between_whole_ones_give_bounds_between_theirs() {
        let high =
            |k: f64, n: f64| clopper_pearson_effective(k, n, 0.95, Side::Upper).unwrap().high;
        assert!(high(2.0, 100.0) < high(2.5, 100.0) && high(2.5, 100.0) < high(3.0, 100.0));
        let exact =
            proportion_interval(2, 100, 0.95, Side::Upper, ProportionMethod::ClopperPearson);
        assert!((high(2.0, 100.0) - exact.unwrap().high).abs() < 1e-15);
    }

    #[test]
    fn impossible_counts_are_refused() {
        let refused = clopper_pearson_effective(3.0, 2.0, 0.95, Side::Upper);
        assert_eq!(refused, Err(StatsError::CountExceedsTotal { count: 3.0, total: 2.0 }));
        assert_eq!(
            clopper_pearson_effective(-1.0, 2.0, 0.95, Side::Upper),
            Err(StatsError::NegativeValue)
        );
        assert_eq!(
            clopper_pearson_effective(0.0, 0.0, 0.95, Side::Upper),
            Err(StatsError::EmptySample)
        );
    }
}
