//! The clocks of a replay: durations are monotonic, wall time is only a label.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// When the replay began, on both clocks.
///
/// Wall times of attempts are derived from the monotonic clock, so that a step of the system's
/// clock during a replay can neither reorder attempts nor make a duration negative.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplayClock {
    started: Instant,
    started_us: i64,
}

impl ReplayClock {
    /// A clock that starts now.
    #[expect(clippy::disallowed_methods, reason = "the one place of a replay that asks the time")]
    pub(super) fn start() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_us = i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX);
        ReplayClock { started: Instant::now(), started_us }
    }

    /// The moment at which the clock started.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// A moment as wall time, microseconds since 1970.
    pub(super) fn wall_us(&self, moment: Instant) -> i64 {
        let elapsed = moment.saturating_duration_since(self.started).as_micros();
        self.started_us.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX))
    }

    /// A moment in nanoseconds since the start.
    pub(super) fn mono_ns(&self, moment: Instant) -> i64 {
        let elapsed = moment.saturating_duration_since(self.started).as_nanos();
        i64::try_from(elapsed).unwrap_or(i64::MAX)
    }
}

/// A duration in milliseconds.
pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
