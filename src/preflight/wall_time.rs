//! How long a replay will take, and what holds it back.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::ArmTraffic;
use crate::plan::Limits;

/// How long one arm will take by each of its limits, in seconds; nothing where there is none, or
/// where the log does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct WallTime {
    /// When the last request is due by the schedule; nothing in a closed loop.
    pub by_schedule_s: Option<f64>,
    /// Requests over requests per minute.
    pub by_rpm_s: Option<f64>,
    /// Expected tokens over tokens per minute.
    pub by_tpm_s: Option<f64>,
    /// Recorded latencies over the requests in flight; nothing in an open loop.
    pub by_concurrency_s: Option<f64>,
    /// The longest of them: a forecast, which the candidate's own speed will change.
    pub expected_s: Option<f64>,
}

/// Forecasts one arm.
pub(super) fn wall_time(
    traffic: &ArmTraffic,
    limits: Limits,
    schedule_end: Option<Duration>,
) -> WallTime {
    let requests = traffic.requests as f64;
    let tokens = (traffic.input_tokens + traffic.output_tokens) as f64;
    let minutes = |units: f64, limit: Option<u64>| limit.map(|limit| units / limit as f64 * 60.0);
    // Where some latencies are missing the others stand for them.
    let known = traffic.with_latency as f64 / traffic.exchanges.max(1) as f64;
    let mut time = WallTime {
        by_schedule_s: schedule_end.map(|end| end.as_secs_f64()),
        by_rpm_s: minutes((requests - 1.0).max(0.0), limits.rpm),
        by_tpm_s: minutes(tokens, limits.tpm),
        by_concurrency_s: (schedule_end.is_none() && traffic.with_latency > 0)
            .then(|| traffic.latency_us as f64 / known / 1e6 / limits.concurrency.max(1) as f64),
        expected_s: None,
    };
    let found = [time.by_schedule_s, time.by_rpm_s, time.by_tpm_s, time.by_concurrency_s];
    let is_told = time.by_schedule_s.is_some() || time.by_concurrency_s.is_some();
    if is_told || traffic.requests == 0 {
        time.expected_s = Some(found.into_iter().flatten().fold(0.0, f64::max));
    }
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic() -> ArmTraffic {
        ArmTraffic {
            exchanges: 100,
            requests: 200,
            input_tokens: 90_000,
            output_tokens: 10_000,
            with_latency: 50,
            // Both repeats of the fifty requests that have one took 2 s each.
            latency_us: 200_000_000,
            ..ArmTraffic::default()
        }
    }

    #[test]
    fn the_tightest_limit_decides() {
        let limits = |rpm, tpm| Limits { concurrency: 8, rpm, tpm };
        let found = wall_time(&traffic(), limits(None, None), None);
        assert_eq!(found.by_concurrency_s, Some(50.0));
        assert_eq!(found.expected_s, Some(50.0));
        let found = wall_time(&traffic(), limits(Some(60), None), None);
        assert_eq!(found.expected_s, Some(199.0));
        let found = wall_time(&traffic(), limits(Some(60), Some(10_000)), None);
        assert_eq!((found.by_tpm_s, found.expected_s), (Some(600.0), Some(600.0)));
    }

    #[test]
    fn an_open_loop_takes_its_schedule_and_an_unknown_latency_is_no_forecast() {
        let limits = Limits { concurrency: 8, rpm: Some(6_000), tpm: None };
        let found = wall_time(&traffic(), limits, Some(Duration::from_mins(1)));
        assert_eq!((found.by_concurrency_s, found.expected_s), (None, Some(60.0)));
        let silent = ArmTraffic { with_latency: 0, latency_us: 0, ..traffic() };
        assert_eq!(wall_time(&silent, limits, None).expected_s, None);
    }
}
