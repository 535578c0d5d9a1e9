//! When one arm's next request may leave: its plan's rates, and the rate that it is granted.
//!
//! Pure: every moment is passed in, so that hours of a replay can be tested in no time.

use std::time::{Duration, Instant};

use super::adaptive::Adaptive;
use super::held::HeldBy;
use crate::plan::Limits;

/// How far behind its spacing a request may leave and the next one still be on time.
const CATCH_UP: Duration = Duration::from_millis(10);

/// Seconds of a token limit that may be used at once. With one minute's refill that stays below
/// 1.2 times the limit in any minute.
const TOKEN_BURST_S: f64 = 10.0;

/// Why a request may not leave yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    /// When to ask again.
    pub(super) until: Instant,
    /// What holds it.
    pub(super) by: HeldBy,
}

/// The rates of one arm.
#[derive(Debug)]
pub(super) struct Gate {
    requests: Option<Spacing>,
    tokens: Option<TokenBucket>,
    adaptive: Adaptive,
}

impl Gate {
    /// A gate that nothing has passed yet.
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        let per_second = |per_minute: u64| per_minute.max(1) as f64 / 60.0;
        let plan_rate = limits.rpm.map(per_second);
        Gate {
            requests: plan_rate.map(|rate| Spacing::new(rate, now)),
            tokens: limits.tpm.map(|tpm| TokenBucket::new(per_second(tpm), now)),
            adaptive: Adaptive::new(plan_rate, now),
        }
    }

    /// Lets a request of at most `tokens` tokens leave at a moment, or says why not.
    ///
    /// # Errors
    /// What holds it, and when to ask again; nothing is booked then.
    pub(super) fn pass(&mut self, tokens: u64, at: Instant) -> Result<(), Hold> {
        let tokens = tokens as f64;
        let by_plan = self
            .requests
            .as_ref()
            .and_then(|spacing| spacing.free_at(at))
            .max(self.tokens.as_mut().and_then(|bucket| bucket.free_at(tokens, at)));
        let by_provider = self.adaptive.free_at(at);
        match (by_plan, by_provider) {
            (None, None) => {}
            (by_plan, Some(until)) if by_plan.is_none_or(|plan| plan <= until) => {
                self.adaptive.held(at);
                return Err(Hold { until, by: HeldBy::BackOff });
            }
            (Some(until), _) => return Err(Hold { until, by: HeldBy::Rate }),
            (None, Some(until)) => return Err(Hold { until, by: HeldBy::BackOff }),
        }
        if let Some(spacing) = &mut self.requests {
            spacing.take(at);
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.level -= tokens;
        }
        self.adaptive.take(at);
        Ok(())
    }

    /// Lets a request leave that has passed before a pause began.
    ///
    /// # Errors
    /// When to ask again.
    pub(super) fn pass_again(&mut self, at: Instant) -> Result<(), Hold> {
        self.adaptive.pass(at).map_err(|until| Hold { until, by: HeldBy::BackOff })
    }

    /// Whether the provider asked for a pause that is not over.
    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.adaptive.is_paused(now)
    }

    /// Settles a reservation of tokens with what was really used.
    pub(super) fn settle_tokens(&mut self, reserved: u64, used: u64) {
        if let Some(bucket) = &mut self.tokens {
            bucket.level = (bucket.level + reserved as f64 - used as f64).min(bucket.capacity);
        }
    }

    /// The provider refused a request that left at `sent_at`.
    pub(super) fn refused(&mut self, sent_at: Instant, wait: Option<Duration>, now: Instant) {
        self.adaptive.refused(sent_at, wait, now);
    }
}

/// Requests at an even distance: the generic cell rate algorithm without burst tolerance.
#[derive(Debug)]
struct Spacing {
    interval: Duration,
    next_free: Instant,
}

impl Spacing {
    fn new(per_second: f64, now: Instant) -> Self {
        Spacing { interval: seconds(1.0 / per_second), next_free: now }
    }

    fn free_at(&self, at: Instant) -> Option<Instant> {
        (at < self.next_free).then_some(self.next_free)
    }

    fn take(&mut self, at: Instant) {
        let earliest = at.checked_sub(CATCH_UP).unwrap_or(at);
        self.next_free = self.next_free.max(earliest) + self.interval;
    }
}

/// Tokens that may be reserved; the level falls below zero for a request above the capacity.
#[derive(Debug)]
struct TokenBucket {
    per_second: f64,
    capacity: f64,
    level: f64,
    refilled_at: Instant,
}

impl TokenBucket {
    fn new(per_second: f64, now: Instant) -> Self {
        let capacity = per_second * TOKEN_BURST_S;
        TokenBucket { per_second, capacity, level: capacity, refilled_at: now }
    }

    fn free_at(&mut self, tokens: f64, at: Instant) -> Option<Instant> {
        let elapsed = at.saturating_duration_since(self.refilled_at).as_secs_f64();
        self.level = (self.level + elapsed * self.per_second).min(self.capacity);
        self.refilled_at = self.refilled_at.max(at);
        // A request above the capacity leaves when the bucket is full: no wait would help it more.
        let missing = tokens.min(self.capacity) - self.level;
        (missing > 1e-6).then(|| self.refilled_at + seconds(missing / self.per_second))
    }
}

/// A duration from seconds that may be out of range: at most a day.
fn seconds(value: f64) -> Duration {
    Duration::from_secs_f64(value.clamp(0.0, 86_400.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn gate(rpm: Option<u64>, tpm: Option<u64>) -> (Gate, Instant) {
        let now = Instant::now();
        (Gate::new(Limits { concurrency: 1, rpm, tpm }, now), now)
    }

    fn hold(until: Instant, by: HeldBy) -> Result<(), Hold> {
        Err(Hold { until, by })
    }

    #[test]
    fn requests_are_spaced_evenly_and_a_pause_earns_no_burst() {
        let (mut gate, now) = gate(Some(60), None);
        assert_eq!(gate.pass(0, now), Ok(()));
        assert_eq!(gate.pass(0, now), hold(now + SECOND, HeldBy::Rate));
        let later = now + SECOND * 10;
        assert_eq!(gate.pass(0, later), Ok(()));
        let next = later + SECOND.saturating_sub(CATCH_UP);
        assert_eq!(gate.pass(0, later), hold(next, HeldBy::Rate));
        assert_eq!(gate.pass(0, next), Ok(()));
    }

    #[test]
    fn tokens_are_reserved_and_what_was_not_used_comes_back() {
        // 1,000 tokens a second, 10,000 at once.
        let (mut gate, now) = gate(None, Some(60_000));
        assert_eq!(gate.pass(8_000, now), Ok(()));
        assert_eq!(gate.pass(5_000, now), hold(now + SECOND * 3, HeldBy::Rate));
        gate.settle_tokens(8_000, 4_000);
        assert_eq!(gate.pass(5_000, now), Ok(()));
        assert_eq!(gate.pass(2_000, now), hold(now + SECOND, HeldBy::Rate));
        // More than was reserved is owed.
        gate.settle_tokens(5_000, 6_000);
        assert_eq!(gate.pass(2_000, now), hold(now + SECOND * 2, HeldBy::Rate));
    }

    #[test]
    fn a_request_larger_than_the_bucket_leaves_when_it_is_full() {
        let (mut gate, now) = gate(None, Some(60_000));
        assert_eq!(gate.pass(25_000, now), Ok(()));
        assert_eq!(
            gate.pass(1, now + SECOND * 15),
            hold(now + SECOND * 15 + seconds(0.001), HeldBy::Rate)
        );
        assert_eq!(gate.pass(1, now + SECOND * 16), Ok(()));
    }

    #[test]
    fn in_no_minute_more_tokens_leave_than_a_fifth_above_the_limit() {
        let (mut gate, start) = gate(None, Some(60_000));
        let mut sent = Vec::new();
        let mut now = start;
        while now < start + SECOND * 300 {
            match gate.pass(700, now) {
                Ok(()) => sent.push(now),
                Err(hold) => now = hold.until,
            }
        }
        for (index, from) in sent.iter().enumerate() {
            let within = sent[index..].iter().take_while(|at| **at < *from + SECOND * 60).count();
            assert!(within * 700 <= 72_000, "{within} requests in a minute");
        }
        assert!(sent.len() * 700 >= 299_000);
    }

    #[test]
    fn a_pause_that_a_provider_asks_for_is_kept() {
        let (mut gate, now) = gate(None, None);
        assert_eq!(gate.pass(0, now), Ok(()));
        gate.refused(now, Some(SECOND * 5), now);
        assert!(gate.is_paused(now + SECOND * 4));
        assert_eq!(gate.pass(0, now), hold(now + SECOND * 5, HeldBy::BackOff));
        assert_eq!(gate.pass_again(now), hold(now + SECOND * 5, HeldBy::BackOff));
        assert_eq!(gate.pass(0, now + SECOND * 5), Ok(()));
        // What waits for the end of the pause leaves one by one.
        assert!(gate.pass(0, now + SECOND * 5).is_err());
    }
}
