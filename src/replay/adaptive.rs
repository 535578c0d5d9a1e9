//! The rate that a provider turns out to grant: found by its refusals, kept without them.
//!
//! Additive increase and multiplicative decrease on the rate of one arm. A refusal cuts the rate
//! below what was granted lately; what is not refused lets it rise again, fast up to the rate that
//! was known to be good and slowly beyond it. Requests are spaced evenly, so that neither a pause
//! nor its end is followed by a burst. A request counts as granted when it is not refused: its
//! answer may take many times as long as a refusal.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What a cut leaves of the rate that was granted.
const CUT: f64 = 0.95;

/// Time over which the granted rate is measured, and the requests that it must hold if need be.
const WINDOW: Duration = Duration::from_secs(10);
const WINDOW_REQUESTS: usize = 50;

/// Least time that a rate is measured over: less would take a full bucket for a rate.
const LEAST_WINDOW: Duration = Duration::from_secs(1);

/// Requests without which a measured rate says less than the one that was sent at, and refusals
/// after which nothing is taken for granted.
const ENOUGH: usize = 5;

/// Most requests that are remembered.
const MOST: usize = 4_096;

/// A request that is not refused within this time is taken for granted.
const GRANTED_AFTER: Duration = Duration::from_secs(1);

/// Time after a cut in which further refusals are still owed to the rate before it.
const SETTLING: Duration = Duration::from_secs(1);

/// A pause from which the rate comes back step by step, and the measurement begins anew.
const LONG_PAUSE: Duration = Duration::from_secs(1);

/// Time in which a rate below the known good one doubles.
const DOUBLING: Duration = Duration::from_secs(2);

/// Share by which a rate below the known good one rises with one request granted, at most.
const RECOVERY_PER_REQUEST: f64 = 1.0;

/// Share by which a rate above the known good one rises in a second, and with one request.
const RISE_PER_SECOND: f64 = 0.01;
const RISE_PER_REQUEST: f64 = 0.001;

/// The rate to begin with when nothing was granted yet, requests a second.
const FIRST_RATE: f64 = 1.0;

/// A rate is never cut below this, requests a second.
const LEAST_RATE: f64 = 0.1;

/// How far behind its spacing a request may leave and the next one still be on time.
const CATCH_UP: Duration = Duration::from_millis(10);

/// A rate rises only while it holds requests back, or did so within this time.
const HELD_LATELY: Duration = Duration::from_secs(5);

/// A pause of the whole arm is never longer than this, whatever a provider asks.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// The rate of one arm as far as its refusals made one necessary.
#[derive(Debug)]
pub(super) struct Adaptive {
    /// Requests a second; `None` as long as nothing was refused.
    rate: Option<f64>,
    /// The rate that was known to be good.
    good: f64,
    /// The plan's own limit, beyond which no rate of ours is needed.
    plan_rate: f64,
    next_free: Instant,
    paused_until: Instant,
    pause: Duration,
    cut_at: Option<Instant>,
    /// Refusals without a request granted since the last cut.
    in_a_row: usize,
    risen_at: Instant,
    held_at: Option<Instant>,
    /// When the last long pause ended, and when the good rate was reached after it.
    resumed_at: Instant,
    level_from: Instant,
    /// When requests left that were not refused, ascending.
    sent: VecDeque<Instant>,
    /// How many of them, from the oldest on, are taken for granted.
    granted: usize,
}

impl Adaptive {
    /// A rate without bound, for an arm that the plan allows `plan_rate` requests a second.
    pub(super) fn new(plan_rate: Option<f64>, now: Instant) -> Self {
        Adaptive {
            rate: None,
            good: f64::INFINITY,
            plan_rate: plan_rate.unwrap_or(f64::INFINITY),
            next_free: now,
            paused_until: now,
            pause: Duration::ZERO,
            cut_at: None,
            in_a_row: 0,
            risen_at: now,
            held_at: None,
            resumed_at: now,
            level_from: now,
            sent: VecDeque::new(),
            granted: 0,
        }
    }

    /// Whether the provider asked for a pause that is not over.
    pub(super) fn is_paused(&self, now: Instant) -> bool {
        now < self.paused_until
    }

    /// Lets a request leave at a moment, or says when to ask again.
    pub(super) fn pass(&mut self, at: Instant) -> Result<(), Instant> {
        if let Some(free) = self.free_at(at) {
            self.held_at = Some(at);
            return Err(free);
        }
        self.take(at);
        Ok(())
    }

    /// When a request may leave, if not at once.
    pub(super) fn free_at(&self, at: Instant) -> Option<Instant> {
        let free = match self.rate {
            Some(_) => self.paused_until.max(self.next_free),
            None => self.paused_until,
        };
        (at < free).then_some(free)
    }

    /// Books a request that leaves at a moment that is free.
    pub(super) fn take(&mut self, at: Instant) {
        self.sent.push_back(at);
        if self.sent.len() > MOST {
            self.sent.pop_front();
            self.granted = self.granted.saturating_sub(1);
        }
        let old_enough = at.checked_sub(GRANTED_AFTER);
        while old_enough.is_some_and(|before| self.sent.get(self.granted) <= Some(&before)) {
            self.granted += 1;
            self.rise(at);
        }
        if let Some(rate) = self.rate {
            let earliest = at.checked_sub(CATCH_UP).unwrap_or(at);
            self.next_free = self.next_free.max(earliest) + interval(rate);
        }
    }

    /// Notes that a request was held back.
    pub(super) fn held(&mut self, at: Instant) {
        self.held_at = Some(at);
    }

    /// A request was granted: the rate rises, if it is what holds requests back.
    fn rise(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.risen_at.max(self.paused_until));
        self.risen_at = self.risen_at.max(now);
        let Some(rate) = self.rate else { return };
        let lately = HELD_LATELY.max(interval(rate) * 2);
        let held_lately =
            self.held_at.is_some_and(|at| now.saturating_duration_since(at) <= lately);
        if !held_lately || self.is_paused(now) {
            return;
        }
        let seconds = since.as_secs_f64();
        let risen = if rate < self.good {
            let doubled = (seconds / DOUBLING.as_secs_f64()).exp2();
            let risen = (rate * doubled.min(1.0 + RECOVERY_PER_REQUEST)).min(self.good);
            if risen >= self.good {
                // What left on the way up says nothing of what would be granted.
                self.level_from = self.level_from.max(now);
            }
            risen
        } else {
            // Where a refusal costs a long pause, it is risked the more rarely.
            let caution = (2.0 * self.pause.as_secs_f64()).max(1.0);
            rate * (1.0 + (seconds * RISE_PER_SECOND).min(RISE_PER_REQUEST) / caution)
        };
        self.rate = (risen < self.plan_rate).then_some(risen);
    }

    /// A request that left at `sent_at` was refused; `wait` is what the provider asks for.
    pub(super) fn refused(&mut self, sent_at: Instant, wait: Option<Duration>, now: Instant) {
        let wait = wait.unwrap_or_default().min(LONGEST_PAUSE);
        self.paused_until = self.paused_until.max(now + wait);
        self.forget(sent_at);
        let measured = self.measured(sent_at);
        let before = self.rate.unwrap_or(f64::INFINITY);
        let granted = |cut: Instant| self.sent.iter().any(|at| cut < *at && *at < sent_at);
        self.in_a_row = if self.cut_at.is_some_and(granted) { 0 } else { self.in_a_row + 1 };
        let granted_since = self.in_a_row < ENOUGH;
        let settled = |cut: Instant| if granted_since { cut + SETTLING } else { cut };
        if self.cut_at.is_some_and(|cut| sent_at <= settled(cut)) {
            // The rate was cut since, when less was known to be refused.
            if let Some(measured) = measured {
                self.good = self.good.min(CUT * measured);
                self.rate = Some(before.min(self.good).max(LEAST_RATE));
            }
            return;
        }
        self.pause = wait;
        let granted = match (measured, self.rate) {
            _ if !granted_since => None,
            (Some(measured), _) => Some(measured.min(before)),
            (None, rate) => rate,
        };
        let rate = if let Some(granted) = granted {
            self.good = CUT * granted;
            // After a pause worth the name the rate comes back step by step.
            if wait >= LONG_PAUSE { self.good / 2.0 } else { self.good }
        } else {
            // Little or nothing is granted: no rate that was good once is tried at once.
            (before / 2.0).min(FIRST_RATE)
        };
        let rate = rate.max(LEAST_RATE);
        self.rate = Some(rate);
        self.cut_at = Some(now);
        if wait >= LONG_PAUSE {
            self.resumed_at = self.paused_until;
            self.level_from = self.paused_until;
        }
        self.next_free = if wait.is_zero() { now + interval(rate) } else { self.paused_until };
        self.risen_at = now;
        self.held_at = Some(now);
    }

    /// Forgets the request that left at a moment.
    fn forget(&mut self, sent_at: Instant) {
        let after = self.sent.partition_point(|at| *at <= sent_at);
        if let Some(place) = after.checked_sub(1) {
            self.sent.remove(place);
            self.granted -= usize::from(place < self.granted);
        }
    }

    /// Requests a second that left until a moment and were not refused: at an even rate, if that
    /// was long enough, else since the last long pause.
    fn measured(&self, until: Instant) -> Option<f64> {
        let long_enough = |from: Instant| until.saturating_duration_since(from) >= LEAST_WINDOW;
        let from = if long_enough(self.level_from) { self.level_from } else { self.resumed_at };
        let known = self.sent.partition_point(|at| *at <= until);
        let oldest = self.sent.partition_point(|at| *at < from).min(known);
        let begin = until.checked_sub(WINDOW).unwrap_or(until);
        let of_window = known - self.sent.partition_point(|at| *at < begin).min(known);
        let count = of_window.max(WINDOW_REQUESTS).min(known - oldest);
        // A window that does not begin with the measurement begins with a request.
        let (from, count) = match self.sent.get(known - count) {
            Some(first) if known - count > oldest => (*first, count.saturating_sub(1)),
            _ => (from, count),
        };
        let time = until.saturating_duration_since(from);
        if count < ENOUGH || (self.rate.is_some() && time < LEAST_WINDOW) {
            return None;
        }
        Some(count as f64 / time.max(LEAST_WINDOW).as_secs_f64())
    }
}

fn interval(per_second: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(LONGEST_PAUSE)
}
