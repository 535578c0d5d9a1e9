//! What ends a replay before everything is done.

use std::time::Duration;

use tokio::sync::watch;

use super::StopReason;
use crate::plan::ReplaySettings;

/// When a part of a run ends by the plan, though not everything is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StopRule {
    after: Option<Duration>,
    most_requests: Option<u64>,
}

impl StopRule {
    /// The rule of a plan; without one, a replay ends when everything is done.
    pub(super) fn new(settings: &ReplaySettings) -> Self {
        StopRule { after: settings.stop_after, most_requests: settings.max_requests }
    }

    /// How long the replay may take.
    pub(super) fn after(&self) -> Option<Duration> {
        self.after
    }

    /// Why nothing may leave any more, after a time and a number of requests sent.
    pub(super) fn reached(&self, elapsed: Duration, sent: u64) -> Option<StopReason> {
        if self.after.is_some_and(|after| elapsed >= after) {
            return Some(StopReason::Time);
        }
        self.most_requests.is_some_and(|most| sent >= most).then_some(StopReason::Requests)
    }
}

/// Set once, by whoever finds a reason to stop; nothing leaves after that.
#[derive(Debug)]
pub(super) struct Halt {
    sender: watch::Sender<Option<StopReason>>,
}

impl Halt {
    pub(super) fn new() -> Self {
        Halt { sender: watch::Sender::new(None) }
    }

    /// Stops the replay; the first reason stays.
    pub(super) fn stop(&self, reason: StopReason) {
        self.sender.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason);
            }
            first
        });
    }

    pub(super) fn reason(&self) -> Option<StopReason> {
        *self.sender.borrow()
    }

    /// Waits until somebody stops the replay.
    pub(super) async fn stopped(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`, so that waiting ends only with a reason.
        let _ = receiver.wait_for(Option::is_some).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_ends_by_time_or_by_number_and_else_never() {
        let second = Duration::from_secs(1);
        let none = StopRule::default();
        assert_eq!(none.reached(second * 1_000_000, u64::MAX), None);
        let both = StopRule { after: Some(second * 60), most_requests: Some(100) };
        assert_eq!(both.reached(second * 59, 99), None);
        assert_eq!(both.reached(second * 60, 99), Some(StopReason::Time));
        assert_eq!(both.reached(second * 59, 100), Some(StopReason::Requests));
    }

    #[tokio::test]
    async fn the_first_reason_stays() {
        let halt = Halt::new();
        halt.stop(StopReason::Time);
        halt.stop(StopReason::Budget);
        halt.stopped().await;
        assert_eq!(halt.reason(), Some(StopReason::Time));
    }
}
