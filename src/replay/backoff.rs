//! Whether a failed attempt is made again, and how long it waits before.

use std::sync::Mutex;
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::key::AttemptKey;

/// Upper bound of the first wait before a retry; it doubles up to [`MAX_BACKOFF`].
const MIN_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// A provider that asks to wait longer than this is not asked again.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_mins(2);

/// Retries that are allowed beyond the budget's share: as many as requests may be in flight, all
/// of which a provider may refuse before the first refusal is known, within these bounds.
const LEAST_RETRIES: (u64, u64) = (20, 256);

/// How many retries one arm may still make.
///
/// Retries are a share of the requests sent: stray failures are made good, and a provider that
/// fails for long is not met with more requests than the capture holds.
#[derive(Debug)]
pub(super) struct RetryBudget {
    share: f64,
    least: u64,
    state: Mutex<RetryState>,
}

#[derive(Debug, Default)]
struct RetryState {
    sent: u64,
    retries: u64,
    denied: u64,
}

impl RetryBudget {
    /// A budget of retries, as a share of the requests sent, for an arm with so many in flight.
    pub(super) fn new(share: f64, concurrency: u64) -> Self {
        let (least, most) = LEAST_RETRIES;
        let least = if share > 0.0 { concurrency.clamp(least, most) } else { 0 };
        RetryBudget { share, least, state: Mutex::default() }
    }

    /// A request was sent.
    pub(super) fn sent(&self) {
        self.lock().sent += 1;
    }

    /// Takes one retry, if there is one left.
    pub(super) fn take(&self) -> bool {
        let mut state = self.lock();
        let allowed = self.least + (self.share * state.sent as f64) as u64;
        let granted = state.retries < allowed;
        if granted {
            state.retries += 1;
        } else {
            state.denied += 1;
        }
        granted
    }

    /// Retries that were not made because there was none left.
    pub(super) fn denied(&self) -> u64 {
        self.lock().denied
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, RetryState> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// How long an attempt waits: what the provider asks for, and a random part of a bound that
/// doubles (full jitter), so that requests refused together do not come back together.
///
/// The random part follows from the seed and the attempt.
pub(super) fn backoff(seed: u64, key: AttemptKey, tries: u32, asked: Option<Duration>) -> Duration {
    let doubled = MIN_BACKOFF.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(MAX_BACKOFF);
    let stream = u64::from(key.arm) << 48
        ^ u64::from(key.ordinal.unsigned_abs()) << 16
        ^ u64::from(key.repeat) << 8
        ^ u64::from(key.attempt);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ stream);
    asked.unwrap_or_default() + doubled.mul_f64(rng.random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_spread_up_to_a_doubling_bound_and_follows_from_the_seed() {
        let key = AttemptKey { arm: 0, ordinal: 7, repeat: 1, attempt: 1 };
        let asked = Duration::from_secs(3);
        for tries in 1..20 {
            let wait = backoff(1, key, tries, None);
            assert!(wait <= MAX_BACKOFF);
            assert_eq!(wait, backoff(1, key, tries, None));
            assert_eq!(backoff(1, key, tries, Some(asked)), asked + wait);
        }
        assert!(backoff(1, key, 1, None) < backoff(1, key, 5, None));
        let waits: Vec<Duration> =
            (0..1_000).map(|ordinal| backoff(1, AttemptKey { ordinal, ..key }, 1, None)).collect();
        let below = waits.iter().filter(|wait| **wait < MIN_BACKOFF / 2).count();
        assert!((400..600).contains(&below), "{below} of 1,000 in the lower half");
    }

    #[test]
    fn retries_are_a_share_of_what_is_sent() {
        let budget = RetryBudget::new(0.1, 4);
        let granted = |budget: &RetryBudget| (0..10_000).filter(|_| budget.take()).count();
        assert_eq!(granted(&budget), 20);
        for _ in 0..1_000 {
            budget.sent();
        }
        assert_eq!(granted(&budget), 100);
        assert_eq!(budget.denied(), 20_000 - 120);
        let none = RetryBudget::new(0.0, 4);
        none.sent();
        assert_eq!(granted(&none), 0);
    }
}
