//! Real limits of requests and tokens a minute: token buckets on the server's clock.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::config::{ConfigError, check_non_negative};

/// How much each model takes in a minute; absent means without limit.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimits {
    /// Requests a minute.
    pub requests_per_minute: Option<f64>,
    /// Requests that may come at once; absent means one second's worth, at least one.
    pub request_burst: Option<f64>,
    /// Tokens a minute, prompt and answer together.
    pub tokens_per_minute: Option<f64>,
}

impl RateLimits {
    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        let numbers = [
            ("requests_per_minute", self.requests_per_minute),
            ("request_burst", self.request_burst),
            ("tokens_per_minute", self.tokens_per_minute),
        ];
        for (name, number) in numbers {
            let Some(number) = number else { continue };
            let name = format!("{prefix}.{name}");
            check_non_negative(&name, number)?;
            if number < 1.0 {
                return Err(ConfigError { name, problem: "must be at least 1" });
            }
        }
        Ok(())
    }
}

/// What a bucket says about itself in rate-limit headers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct BucketState {
    /// The configured amount a minute.
    pub(super) limit: f64,
    /// What is left now.
    pub(super) remaining: f64,
    /// How long until the bucket is full.
    pub(super) reset: Duration,
}

/// What a limiter says about one request.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct LimitState {
    /// The bucket of requests, if there is one.
    pub(super) requests: Option<BucketState>,
    /// The bucket of tokens, if there is one.
    pub(super) tokens: Option<BucketState>,
    /// Set when the request is refused: which bucket was empty and how long to wait.
    pub(super) refused: Option<(Refusal, Duration)>,
}

/// Which limit a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Requests,
    Tokens,
}

/// The buckets of all models.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    models: BTreeMap<String, (Option<Bucket>, Option<Bucket>)>,
}

impl Limiter {
    /// Takes one request of `tokens` tokens from the buckets of `model`, or refuses it and takes
    /// nothing.
    pub(super) fn admit(
        &mut self,
        model: &str,
        limits: &RateLimits,
        tokens: u64,
        time_scale: f64,
        now: Instant,
    ) -> LimitState {
        if time_scale <= 0.0 {
            return LimitState::default();
        }
        let (requests, token_bucket) = self
            .models
            .entry(model.to_owned())
            .or_insert_with(|| Bucket::pair(limits, time_scale, now));
        for bucket in requests.iter_mut().chain(token_bucket.iter_mut()) {
            bucket.refill(now);
        }
        // A request larger than the whole bucket is let through when the bucket is full, because
        // no wait would ever help it.
        let request_wait = requests.as_ref().and_then(|bucket| bucket.wait_for(1.0));
        let token_wait = token_bucket.as_ref().and_then(|bucket| bucket.wait_for(tokens as f64));
        let refused = match (request_wait, token_wait) {
            (Some(wait), _) => Some((Refusal::Requests, wait)),
            (None, Some(wait)) => Some((Refusal::Tokens, wait)),
            (None, None) => None,
        };
        if refused.is_none() {
            if let Some(bucket) = requests {
                bucket.take(1.0);
            }
            if let Some(bucket) = token_bucket {
                bucket.take(tokens as f64);
            }
        }
        LimitState {
            requests: requests.as_ref().map(Bucket::state),
            tokens: token_bucket.as_ref().map(Bucket::state),
            refused,
        }
    }

    /// Fills every bucket again.
    pub(super) fn reset(&mut self) {
        self.models.clear();
    }
}

#[derive(Debug, Clone)]
struct Bucket {
    per_minute: f64,
    per_second: f64,
    capacity: f64,
    level: f64,
    refilled_at: Instant,
}

impl Bucket {
    fn pair(limits: &RateLimits, scale: f64, now: Instant) -> (Option<Bucket>, Option<Bucket>) {
        let requests = limits.requests_per_minute.map(|per_minute| {
            let capacity = limits.request_burst.unwrap_or_else(|| (per_minute / 60.0).max(1.0));
            Bucket::new(per_minute, capacity, scale, now)
        });
        let tokens = limits
            .tokens_per_minute
            .map(|per_minute| Bucket::new(per_minute, per_minute, scale, now));
        (requests, tokens)
    }

    fn new(per_minute: f64, capacity: f64, time_scale: f64, now: Instant) -> Self {
        let per_second = per_minute / 60.0 / time_scale;
        Bucket { per_minute, per_second, capacity, level: capacity, refilled_at: now }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed_s = now.saturating_duration_since(self.refilled_at).as_secs_f64();
        self.level = (self.level + elapsed_s * self.per_second).min(self.capacity);
        self.refilled_at = now;
    }

    fn wait_for(&self, amount: f64) -> Option<Duration> {
        let missing = amount.min(self.capacity) - self.level;
        // Less than a millionth of a unit is the rounding of the refill.
        (missing > 1e-6).then(|| seconds(missing / self.per_second))
    }

    fn take(&mut self, amount: f64) {
        self.level -= amount;
    }

    fn state(&self) -> BucketState {
        BucketState {
            limit: self.per_minute,
            remaining: self.level.max(0.0),
            reset: seconds((self.capacity - self.level).max(0.0) / self.per_second),
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(rpm: f64, tpm: Option<f64>) -> RateLimits {
        let request_burst = Some(2.0);
        RateLimits { requests_per_minute: Some(rpm), request_burst, tokens_per_minute: tpm }
    }

    #[test]
    fn a_bucket_lets_its_burst_through_and_then_one_request_an_interval() {
        let mut limiter = Limiter::default();
        let start = Instant::now();
        let limits = limits(60.0, None);
        let mut ask = |at_ms: u64| {
            let now = start + Duration::from_millis(at_ms);
            limiter.admit("m", &limits, 10, 1.0, now).refused.map(|(_, wait)| wait.as_millis())
        };
        assert_eq!([ask(0), ask(0)], [None, None]);
        assert_eq!(ask(0), Some(1000));
        assert_eq!(ask(250), Some(750));
        assert_eq!(ask(1000), None);
        assert_eq!(ask(1000), Some(1000));
    }

    #[test]
    fn a_scaled_clock_scales_the_minute() {
        let mut limiter = Limiter::default();
        let now = Instant::now();
        let limits = limits(60.0, None);
        for _ in 0..2 {
            assert_eq!(limiter.admit("m", &limits, 1, 0.01, now).refused, None);
        }
        let refused = limiter.admit("m", &limits, 1, 0.01, now).refused;
        assert_eq!(refused, Some((Refusal::Requests, Duration::from_millis(10))));
    }

    #[test]
    fn tokens_are_limited_apart_from_requests_and_a_refusal_takes_nothing() {
        let mut limiter = Limiter::default();
        let now = Instant::now();
        let limits = limits(6000.0, Some(100.0));
        assert_eq!(limiter.admit("m", &limits, 90, 1.0, now).refused, None);
        let refused = limiter.admit("m", &limits, 20, 1.0, now);
        assert!(matches!(refused.refused, Some((Refusal::Tokens, _))), "{refused:?}");
        assert_eq!(refused.tokens.map(|bucket| bucket.remaining), Some(10.0));
        assert_eq!(refused.requests.map(|bucket| bucket.remaining), Some(1.0));
        assert_eq!(limiter.admit("m", &limits, 10, 1.0, now).refused, None);
    }

    #[test]
    fn models_do_not_share_a_bucket() {
        let mut limiter = Limiter::default();
        let now = Instant::now();
        let one = RateLimits { request_burst: Some(1.0), ..limits(1.0, None) };
        assert_eq!(limiter.admit("a", &one, 1, 1.0, now).refused, None);
        assert_eq!(limiter.admit("b", &one, 1, 1.0, now).refused, None);
        assert!(limiter.admit("a", &one, 1, 1.0, now).refused.is_some());
    }
}
