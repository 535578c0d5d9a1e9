//! Which requests go wrong, and how.

use serde::{Deserialize, Serialize};

use super::config::{ConfigError, check_non_negative, check_rates};
use super::draw::Draws;

/// Shares of requests that fail, each from 0 to 1.
///
/// At most one fault strikes a request: one uniform draw is cut into consecutive intervals of the
/// given widths, so that each share is met exactly in expectation and the shares may add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultModel {
    /// Share answered 429 with `Retry-After`.
    pub rate_limit_rate: f64,
    /// The wait that a 429 names, before `time_scale`, in milliseconds.
    pub retry_after_ms: f64,
    /// Whether a 429 also carries `retry-after-ms`; `Retry-After` has whole seconds only.
    pub send_retry_after_ms: bool,
    /// Share answered 500, after the time to first token.
    pub server_error_rate: f64,
    /// Share answered 503 (OpenAI) or 529 (Anthropic).
    pub overloaded_rate: f64,
    /// Share whose connection is closed before any byte.
    pub drop_rate: f64,
    /// Share whose stream ends after `after_chunks` pieces without its terminator. An answer that
    /// is not streamed loses its connection halfway through the body.
    pub cut_rate: f64,
    /// Whether a cut stream loses its connection; otherwise its HTTP body ends in good order.
    pub cut_resets_connection: bool,
    /// Share that stands still for `stall_ms` after `after_chunks` pieces and then goes on.
    pub stall_rate: f64,
    /// How long a stalled stream stands still, before `time_scale`, in milliseconds.
    pub stall_ms: f64,
    /// Share whose stream reports an error after `after_chunks` pieces and ends. An answer that is
    /// not streamed becomes a 500.
    pub stream_error_rate: f64,
    /// How many pieces of output a cut, stall or stream error lets through.
    pub after_chunks: u32,
    /// Share of bodies that are refused with 503 on every attempt; 1 is an outage of everything.
    pub outage_rate: f64,
    /// Whether attempts after the first are spared every fault except the outage. The attempt is
    /// the number at the end of the header `x-rehearsal-draw`.
    pub retry_heals: bool,
}

impl Default for FaultModel {
    fn default() -> Self {
        FaultModel {
            rate_limit_rate: 0.0,
            retry_after_ms: 1000.0,
            send_retry_after_ms: true,
            server_error_rate: 0.0,
            overloaded_rate: 0.0,
            drop_rate: 0.0,
            cut_rate: 0.0,
            cut_resets_connection: false,
            stall_rate: 0.0,
            stall_ms: 60_000.0,
            stream_error_rate: 0.0,
            after_chunks: 3,
            outage_rate: 0.0,
            retry_heals: false,
        }
    }
}

/// A fault that strikes one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 429 with a wait.
    RateLimit,
    /// 500.
    ServerError,
    /// 503 or 529.
    Overloaded,
    /// The connection is closed before any byte.
    Drop,
    /// The answer ends early.
    Cut,
    /// The answer stands still for a while.
    Stall,
    /// The stream reports an error.
    StreamError,
    /// 503 on every attempt.
    Outage,
}

impl FaultModel {
    fn shares(&self) -> [(Fault, f64); 7] {
        [
            (Fault::RateLimit, self.rate_limit_rate),
            (Fault::ServerError, self.server_error_rate),
            (Fault::Overloaded, self.overloaded_rate),
            (Fault::Drop, self.drop_rate),
            (Fault::Cut, self.cut_rate),
            (Fault::Stall, self.stall_rate),
            (Fault::StreamError, self.stream_error_rate),
        ]
    }

    /// Whether the body belongs to those that are refused on every attempt.
    pub(super) fn is_out(&self, seed: u64, draws: &Draws) -> bool {
        draws.of_every_attempt(seed).uniform("outage") < self.outage_rate
    }

    /// The fault that strikes this attempt, if any; an outage is asked for separately.
    pub(super) fn strike(&self, draws: &Draws) -> Option<Fault> {
        if self.retry_heals && draws.attempt() > 1 {
            return None;
        }
        let mut left = draws.uniform("fault");
        for (fault, share) in self.shares() {
            if left < share {
                return Some(fault);
            }
            left -= share;
        }
        None
    }

    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        check_rates(prefix, &self.shares().map(|(_, share)| share))?;
        check_rates(&format!("{prefix}.outage_rate"), &[self.outage_rate])?;
        check_non_negative(&format!("{prefix}.retry_after_ms"), self.retry_after_ms)?;
        check_non_negative(&format!("{prefix}.stall_ms"), self.stall_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(model: &FaultModel, draw: &str) -> Vec<Option<Fault>> {
        (0..4000_u32)
            .map(|index| model.strike(&Draws::new(5, &index.to_le_bytes(), Some(draw))))
            .collect()
    }

    #[test]
    fn each_fault_strikes_the_share_that_was_asked_for() {
        let model = FaultModel { rate_limit_rate: 0.1, cut_rate: 0.3, ..FaultModel::default() };
        let struck = count(&model, "1");
        let limited = struck.iter().filter(|fault| **fault == Some(Fault::RateLimit)).count();
        let cut = struck.iter().filter(|fault| **fault == Some(Fault::Cut)).count();
        // Five binomial standard deviations: 19 around 400, 29 around 1200.
        assert!((305..=495).contains(&limited), "{limited}");
        assert!((1055..=1345).contains(&cut), "{cut}");
        assert!(struck.iter().flatten().all(|f| matches!(f, Fault::RateLimit | Fault::Cut)));
    }

    #[test]
    fn a_retry_is_spared_only_where_retries_heal() {
        let sick = FaultModel { server_error_rate: 1.0, ..FaultModel::default() };
        assert!(count(&sick, "2").iter().all(Option::is_some));
        let healing = FaultModel { retry_heals: true, ..sick };
        assert!(count(&healing, "1").iter().all(Option::is_some));
        assert!(count(&healing, "2").iter().all(Option::is_none));
    }

    #[test]
    fn an_outage_is_the_same_on_every_attempt() {
        let model = FaultModel { outage_rate: 0.5, retry_heals: true, ..FaultModel::default() };
        let mut out = 0;
        for index in 0..200_u32 {
            let body = index.to_le_bytes();
            let first = model.is_out(5, &Draws::new(5, &body, Some("1")));
            assert_eq!(first, model.is_out(5, &Draws::new(5, &body, Some("2"))));
            out += u32::from(first);
        }
        assert!((60..=140).contains(&out), "{out}");
    }

    #[test]
    fn shares_that_add_up_to_more_than_one_are_refused() {
        let model = FaultModel { drop_rate: 0.6, cut_rate: 0.6, ..FaultModel::default() };
        assert!(model.check("faults").is_err());
    }
}
