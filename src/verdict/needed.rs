//! What would decide an inconclusive criterion.

use super::metrics::Measured;
use super::model::{Direction, Needed};
use crate::compare::Finding;
use crate::stats::{binom_pass, n_for_mean, quantile_upper, zero_fail};

/// Power with which the needed number of exchanges shall decide.
const POWER: f64 = 0.8;

/// Events so near to the limit that no affordable number of exchanges would decide.
const HOPELESS_SHARE: f64 = 0.6;

/// The number of exchanges that would decide, if the truth is what was estimated, and what the
/// missing ones would cost at `mean_usd` each.
pub(super) fn needed(
    finding: &Finding,
    measured: &Measured,
    confidence: f64,
    mean_usd: Option<f64>,
) -> Option<Needed> {
    let n = finding.n.unwrap_or(0).unsigned_abs();
    let wanted = if measured.counts_events {
        events_needed(share(finding, n), measured.limit, confidence)
    } else if let Some(exceedance) = measured.exceedance {
        let least = quantile_upper(1.0 - exceedance, 1.0 - confidence).ok();
        events_needed(share(finding, n), exceedance, confidence)
            .or(least.filter(|least| *least > n))
    } else {
        mean_needed(finding, measured, confidence, n)
    };
    // An effective sample smaller than its rows needs as many more rows.
    let wanted = wanted.map(|wanted| wanted.max(n.saturating_add(1)));
    let usd = wanted.zip(mean_usd).map(|(wanted, usd)| wanted.saturating_sub(n) as f64 * usd);
    wanted.map(|wanted| Needed { n: Some(wanted), usd })
}

fn share(finding: &Finding, n: u64) -> f64 {
    match finding.events {
        Some(events) if n > 0 => events as f64 / n as f64,
        _ => 0.0,
    }
}

fn events_needed(share: f64, limit: f64, confidence: f64) -> Option<u64> {
    let alpha = 1.0 - confidence;
    if share <= 0.0 {
        return zero_fail(limit, alpha).ok();
    }
    if share > HOPELESS_SHARE * limit {
        return None;
    }
    binom_pass(limit, share, alpha, POWER).ok()
}

/// Means and ratios: the standard error shrinks with the root of the number of exchanges.
fn mean_needed(finding: &Finding, measured: &Measured, confidence: f64, n: u64) -> Option<u64> {
    let (value, low, high) = (finding.value?, finding.low?, finding.high?);
    let (distance, reach) = match measured.direction {
        Direction::AtMost => (measured.limit - value, high - value),
        Direction::AtLeast => (value - measured.limit, value - low),
    };
    if n == 0 || distance <= 0.0 || !reach.is_finite() || reach <= 0.0 {
        return None;
    }
    let z = crate::stats::special::normal_isf(1.0 - confidence);
    let sd = reach / z * (n as f64).sqrt();
    n_for_mean(sd, distance, confidence, POWER).ok()
}
