//! How much one arm may be asked at once: concurrency, requests and tokens per minute.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::plan::Limits;

/// The limits of one arm, shared by all its requests.
#[derive(Debug)]
pub struct Limiter {
    slots: Arc<Semaphore>,
    requests: Option<Mutex<Bucket>>,
    tokens: Option<Mutex<Bucket>>,
}

impl Limiter {
    /// A limiter that has not been used yet.
    pub fn new(limits: Limits, now: Instant) -> Self {
        let slots = usize::try_from(limits.concurrency).unwrap_or(usize::MAX);
        let bucket = |per_minute: u64| Mutex::new(Bucket::new(per_minute as f64 / 60.0, now));
        Limiter {
            slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            requests: limits.rpm.map(bucket),
            tokens: limits.tpm.map(bucket),
        }
    }

    /// Waits for a free slot; none is given out once the limiter is closed.
    pub async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().acquire_owned().await.ok()
    }

    /// Books one request of `tokens` tokens and says when it may leave.
    ///
    /// Requests are spaced evenly, so that a pause is never followed by a burst above the limit.
    pub fn book(&self, tokens: u64, now: Instant) -> Instant {
        let by_requests = self.requests.as_ref().map_or(now, |bucket| lock(bucket).book(1.0, now));
        let by_tokens =
            self.tokens.as_ref().map_or(now, |bucket| lock(bucket).book(tokens as f64, now));
        by_requests.max(by_tokens)
    }

    /// Gives back tokens that were booked and not used.
    pub fn refund_tokens(&self, tokens: u64) {
        if let Some(bucket) = &self.tokens {
            lock(bucket).refund(tokens as f64);
        }
    }
}

fn lock(bucket: &Mutex<Bucket>) -> std::sync::MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A leaky bucket as a virtual queue (the generic cell rate algorithm without burst tolerance).
#[derive(Debug)]
struct Bucket {
    per_second: f64,
    next_free: Instant,
}

impl Bucket {
    fn new(per_second: f64, now: Instant) -> Self {
        Bucket { per_second, next_free: now }
    }

    fn book(&mut self, units: f64, now: Instant) -> Instant {
        let at = self.next_free.max(now);
        self.next_free = at + Duration::from_secs_f64((units / self.per_second).min(86_400.0));
        at
    }

    fn refund(&mut self, units: f64) {
        let back = Duration::from_secs_f64((units / self.per_second).min(86_400.0));
        if let Some(earlier) = self.next_free.checked_sub(back) {
            self.next_free = earlier;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_spaced_evenly_and_a_pause_earns_no_burst() {
        let now = Instant::now();
        let limiter = Limiter::new(Limits { concurrency: 1, rpm: Some(60), tpm: None }, now);
        assert_eq!(limiter.book(0, now), now);
        assert_eq!(limiter.book(0, now), now + Duration::from_secs(1));
        let later = now + Duration::from_secs(10);
        assert_eq!(limiter.book(0, later), later);
        assert_eq!(limiter.book(0, later), later + Duration::from_secs(1));
    }

    #[test]
    fn unused_tokens_come_back() {
        let now = Instant::now();
        let limiter = Limiter::new(Limits { concurrency: 1, rpm: None, tpm: Some(60_000) }, now);
        assert_eq!(limiter.book(5_000, now), now);
        limiter.refund_tokens(4_000);
        assert_eq!(limiter.book(1, now), now + Duration::from_secs(1));
    }
}
