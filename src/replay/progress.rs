//! How far a replay is, for whoever watches.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Most recent durations that the running percentiles look at.
const WINDOW: usize = 4_096;

/// Live figures of a running replay; shared by all its tasks.
#[derive(Debug)]
pub struct Progress {
    state: Mutex<State>,
}

#[derive(Debug, Clone, Default)]
struct State {
    started: Option<Instant>,
    total: u64,
    done_before: u64,
    done: u64,
    in_flight: u64,
    attempts: u64,
    errors: u64,
    rate_limited: u64,
    arms: BTreeMap<String, Recent>,
}

#[derive(Debug, Clone, Default)]
struct Recent {
    values_ms: Vec<f64>,
    next: usize,
}

/// The figures at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Exchanges to be done, over arms and repeats.
    pub total: u64,
    /// Exchanges done, in earlier parts of the run too.
    pub done: u64,
    /// Attempts a second since this part began.
    pub per_second: f64,
    /// Attempts under way.
    pub in_flight: u64,
    /// Attempts that failed, 429 not counted.
    pub errors: u64,
    /// Attempts that met a 429.
    pub rate_limited: u64,
    /// Time to first token per arm, 50th and 99th percentile of the recent ones, in ms.
    pub ttft_ms: Vec<(String, f64, f64)>,
    /// Time since this part began.
    pub elapsed: Duration,
    /// Time that the rest will take at the pace so far.
    pub remaining: Option<Duration>,
}

impl Progress {
    /// A replay that begins now.
    pub fn new(now: Instant) -> Self {
        Progress { state: Mutex::new(State { started: Some(now), ..State::default() }) }
    }

    /// Says how much there is to do, and how much of it was done before.
    ///
    /// Paces count from here: planning took time in which nothing could be sent.
    pub fn set_total(&self, total: u64, done_before: u64) {
        let mut state = self.lock();
        state.started = Some(Instant::now());
        state.total = total;
        state.done_before = done_before;
    }

    /// An attempt leaves.
    pub fn sent(&self) {
        self.lock().in_flight += 1;
    }

    /// An attempt is back.
    pub fn returned(&self, arm: &str, ttft_ms: Option<f64>, failed: bool, rate_limited: bool) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(1);
        state.attempts += 1;
        state.rate_limited += u64::from(rate_limited);
        state.errors += u64::from(failed && !rate_limited);
        if let Some(ttft_ms) = ttft_ms {
            if !state.arms.contains_key(arm) {
                state.arms.insert(arm.to_owned(), Recent::default());
            }
            if let Some(recent) = state.arms.get_mut(arm) {
                recent.add(ttft_ms);
            }
        }
    }

    /// An exchange is done in one arm and repeat.
    pub fn done(&self) {
        self.lock().done += 1;
    }

    /// The figures now.
    pub fn snapshot(&self, now: Instant) -> Snapshot {
        // Requests wait while this is held: what takes time is done with a copy.
        let state = self.lock().clone();
        let elapsed = state.started.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let done = state.done_before + state.done;
        let left = state.total.saturating_sub(done);
        let pace = state.done as f64 / seconds;
        let remaining = (state.done > 0)
            .then(|| Duration::try_from_secs_f64(left as f64 / pace).unwrap_or(Duration::MAX));
        let ttft_ms = state
            .arms
            .iter()
            .map(|(arm, recent)| (arm.clone(), recent.percentile(0.5), recent.percentile(0.99)))
            .collect();
        Snapshot {
            total: state.total,
            done,
            per_second: state.attempts as f64 / seconds,
            in_flight: state.in_flight,
            errors: state.errors,
            rate_limited: state.rate_limited,
            ttft_ms,
            elapsed,
            remaining,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Recent {
    fn add(&mut self, value: f64) {
        if self.values_ms.len() < WINDOW {
            self.values_ms.push(value);
        } else if let Some(oldest) = self.values_ms.get_mut(self.next) {
            *oldest = value;
            self.next = (self.next + 1) % WINDOW;
        }
    }

    fn percentile(&self, p: f64) -> f64 {
        crate::stats::sorted(&self.values_ms)
            .ok()
            .and_then(|sorted| crate::stats::type1(&sorted, p).ok())
            .unwrap_or(f64::NAN)
    }
}
