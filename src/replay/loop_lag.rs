//! How late the event loop is: the client's own share of what it measures.
//!
//! A thread asks the loop for a sign of life every few milliseconds and takes the time at which it
//! asked. The loop answers when it gets to it, as it would get to the next bytes of an answer. The
//! difference is by how much everything that the loop timed just then may be late.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Time between two questions.
const INTERVAL: Duration = Duration::from_millis(10);

/// Lags are kept as the worst of each slot of this length.
const SLOT: Duration = Duration::from_millis(20);

/// Slots that are kept: twenty minutes, more than an attempt may take by default.
const SLOTS: usize = 60_000;

/// The lags of one event loop.
#[derive(Debug)]
pub(super) struct LoopLag {
    began: Instant,
    asked: Mutex<Option<Instant>>,
    question: Notify,
    worst: Mutex<Worst>,
}

#[derive(Debug, Default)]
struct Worst {
    /// The number of the first slot that is kept.
    first: u64,
    slots: VecDeque<Duration>,
}

impl LoopLag {
    /// Lags from now on.
    pub(super) fn new(now: Instant) -> Self {
        LoopLag {
            began: now,
            asked: Mutex::default(),
            question: Notify::new(),
            worst: Mutex::default(),
        }
    }

    /// Answers the questions of a thread of its own; to be run on the loop that is measured.
    ///
    /// The thread ends soon after the last owner of the lags is gone.
    pub(super) async fn measure(self: Arc<Self>) {
        let lags = Arc::downgrade(&self);
        let thread = std::thread::Builder::new().name("replay-lag".into());
        if thread.spawn(move || ask(&lags)).is_err() {
            // Without a thread there are no lags, which the rows then say.
            return;
        }
        loop {
            self.question.notified().await;
            let asked = lock(&self.asked).take();
            if let Some(asked) = asked {
                self.note(asked, Instant::now());
            }
        }
    }

    /// The worst lag about the time between two moments, if any was measured.
    pub(super) fn worst(&self, from: Instant, to: Instant) -> Option<Duration> {
        let worst = lock(&self.worst);
        let end = worst.first + worst.slots.len() as u64;
        // The newest slot stands in for an attempt that is too short to have met a question.
        let from = self.slot(from).min(end.checked_sub(1)?).max(worst.first);
        let to = self.slot(to).clamp(from, end - 1);
        let range = (from - worst.first) as usize..=(to - worst.first) as usize;
        worst.slots.range(range).copied().max()
    }

    fn note(&self, asked: Instant, answered: Instant) {
        let lag = answered.saturating_duration_since(asked);
        let (from, to) = (self.slot(asked), self.slot(answered));
        let mut worst = lock(&self.worst);
        if worst.slots.is_empty() {
            worst.first = from;
        }
        while worst.first + (worst.slots.len() as u64) <= to {
            if worst.slots.len() == SLOTS {
                worst.slots.pop_front();
                worst.first += 1;
            }
            worst.slots.push_back(Duration::ZERO);
        }
        let first = worst.first;
        for slot in from.max(first)..=to {
            if let Some(known) = worst.slots.get_mut((slot - first) as usize) {
                *known = lag.max(*known);
            }
        }
    }

    fn slot(&self, moment: Instant) -> u64 {
        let passed = moment.saturating_duration_since(self.began);
        (passed.as_micros() / SLOT.as_micros()) as u64
    }
}

/// Asks until nobody is interested any more.
fn ask(lags: &Weak<LoopLag>) {
    while let Some(lags) = lags.upgrade() {
        let mut asked = lock(&lags.asked);
        // While a question is open, the loop is as late as that question is old.
        if asked.is_none() {
            *asked = Some(Instant::now());
            drop(asked);
            lags.question.notify_one();
        } else {
            drop(asked);
        }
        drop(lags);
        std::thread::sleep(INTERVAL);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lags: &LoopLag, ms: u64) -> Instant {
        lags.began + Duration::from_millis(ms)
    }

    #[test]
    fn an_attempt_has_the_worst_lag_of_its_time() {
        let lags = LoopLag::new(Instant::now());
        let note = |asked: u64, answered: u64| lags.note(at(&lags, asked), at(&lags, answered));
        let worst = |from: u64, to: u64| {
            lags.worst(at(&lags, from), at(&lags, to)).map(|lag| lag.as_millis())
        };
        assert_eq!(worst(0, 10), None);
        note(5, 6);
        note(100, 190);
        note(210, 212);
        assert_eq!(worst(0, 15), Some(1));
        assert_eq!(worst(30, 60), Some(0));
        // The loop stood still from 100 to 190: whatever was under way then is affected.
        assert_eq!(worst(130, 140), Some(90));
        assert_eq!(worst(0, 900), Some(90));
        assert_eq!(worst(205, 230), Some(2));
        assert_eq!(worst(800, 900), Some(2));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let lags = LoopLag::new(Instant::now());
        let far = SLOT.as_millis() as u64 * (SLOTS as u64 + 10);
        lags.note(at(&lags, 0), at(&lags, 30));
        lags.note(at(&lags, far), at(&lags, far + 1));
        assert_eq!(lock(&lags.worst).slots.len(), SLOTS);
        assert_eq!(lags.worst(at(&lags, 0), at(&lags, 30)), Some(Duration::ZERO));
        assert_eq!(lags.worst(at(&lags, far), at(&lags, far)), Some(Duration::from_millis(1)));
    }

    #[tokio::test]
    async fn a_loop_that_runs_answers() {
        let lags = Arc::new(LoopLag::new(Instant::now()));
        let measuring = tokio::spawn(lags.clone().measure());
        while lags.worst(lags.began, Instant::now()).is_none() {
            tokio::task::yield_now().await;
        }
        measuring.abort();
    }
}
