//! How late requests left against their schedule, and whose doing that was.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::clock::ms;

/// A request is late when it leaves more than this after its moment.
const LATE: Duration = Duration::from_millis(1);

/// Lateness of the requests of one arm that a schedule sent.
#[derive(Debug, Default)]
pub(super) struct SlipRecorder {
    /// Lateness in all, and the part that limits of the plan account for, in ms.
    slips: Mutex<Vec<(f32, f32)>>,
}

/// The lateness of one arm in figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Slip {
    /// The arm.
    pub arm: String,
    /// Requests that had a moment to leave at.
    pub scheduled: u64,
    /// Lateness that this program added, in ms: median, 99th percentile and maximum.
    pub client_ms: (f64, f64, f64),
    /// Share of requests that this program sent more than a millisecond late.
    pub client_late_share: f64,
    /// Share of requests that limits of the plan held back by more than a millisecond.
    pub held_back_share: f64,
    /// Time that limits of the plan held requests back, in ms: 99th percentile and maximum.
    pub held_back_ms: (f64, f64),
}

impl SlipRecorder {
    /// Notes a request that left `late` after its moment, `held` of it through the plan's limits.
    pub(super) fn note(&self, late: Duration, held: Duration) {
        let mut slips = self.slips.lock().unwrap_or_else(PoisonError::into_inner);
        slips.push((ms(late) as f32, ms(held) as f32));
    }

    /// The figures so far; absent when no request had a moment to leave at.
    pub(super) fn summary(&self, arm: &str) -> Option<Slip> {
        let slips = self.slips.lock().unwrap_or_else(PoisonError::into_inner);
        if slips.is_empty() {
            return None;
        }
        let mut client: Vec<f32> =
            slips.iter().map(|(late, held)| (late - held).max(0.0)).collect();
        let mut held: Vec<f32> = slips.iter().map(|(_, held)| *held).collect();
        drop(slips);
        client.sort_unstable_by(f32::total_cmp);
        held.sort_unstable_by(f32::total_cmp);
        let late = ms(LATE) as f32;
        let share = |sorted: &[f32]| {
            let in_time = sorted.partition_point(|value| *value <= late);
            (sorted.len() - in_time) as f64 / sorted.len() as f64
        };
        Some(Slip {
            arm: arm.to_owned(),
            scheduled: client.len() as u64,
            client_ms: (quantile(&client, 0.5), quantile(&client, 0.99), quantile(&client, 1.0)),
            client_late_share: share(&client),
            held_back_share: share(&held),
            held_back_ms: (quantile(&held, 0.99), quantile(&held, 1.0)),
        })
    }
}

/// The smallest value that at least a share of all do not exceed.
fn quantile(sorted: &[f32], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    let index = rank.clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).copied().map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_told_apart_by_whose_doing_it_was() {
        let recorder = SlipRecorder::default();
        assert_eq!(recorder.summary("next"), None);
        let milliseconds = Duration::from_millis;
        for _ in 0..97 {
            recorder.note(Duration::ZERO, Duration::ZERO);
        }
        recorder.note(milliseconds(500), milliseconds(500));
        recorder.note(milliseconds(8), milliseconds(0));
        recorder.note(milliseconds(25), milliseconds(20));
        let slip = recorder.summary("next").unwrap();
        assert_eq!(slip.scheduled, 100);
        assert_eq!(slip.client_ms, (0.0, 5.0, 8.0));
        assert_eq!((slip.client_late_share, slip.held_back_share), (0.02, 0.02));
        assert_eq!(slip.held_back_ms, (20.0, 500.0));
    }
}
