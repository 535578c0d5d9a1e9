//! What a limit per minute does to given arrivals: a token bucket, run over them.

use super::error::StatsError;

/// Limits of a provider, each a token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinuteLimits {
    /// Requests per minute; infinite for none.
    pub requests: f64,
    /// Tokens per minute; infinite for none.
    pub tokens: f64,
    /// Seconds of a limit that may be used at once: the size of the bucket.
    pub burst_s: f64,
}

/// One request as a limit sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// When it arrives, in microseconds.
    pub at_us: f64,
    /// Its tokens.
    pub tokens: f64,
    /// Whether its fate is counted; the others only take their share of the limit.
    pub counted: bool,
}

/// How many arrivals limits reject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejections {
    /// Counted arrivals.
    pub arrivals: u64,
    /// Those of them that are rejected.
    pub rejected: u64,
}

/// Counts the arrivals, in order of time, that the limits reject.
///
/// Each bucket begins full, holds `burst_s` seconds of its limit, and fills evenly. A rejected
/// request takes nothing and does not come again. A request larger than a whole bucket passes when
/// the bucket is full, because no wait would ever help it, and leaves a debt. The request bucket
/// holds one request at least.
///
/// # Errors
/// Limits or a burst that are not positive.
pub fn limit_rejections(
    arrivals: &[Arrival],
    limits: MinuteLimits,
) -> Result<Rejections, StatsError> {
    let positive = [
        ("requests_per_minute", limits.requests),
        ("tokens_per_minute", limits.tokens),
        ("burst_s", limits.burst_s),
    ];
    for (name, value) in positive {
        if value.is_nan() || value <= 0.0 {
            return Err(StatsError::ParameterOutOfRange { name, value });
        }
    }
    let capacity = |per_minute: f64| per_minute / 60.0 * limits.burst_s;
    let start_us = arrivals.first().map_or(0.0, |arrival| arrival.at_us);
    let bucket = |per_minute: f64, least: f64| {
        let capacity = capacity(per_minute).max(least);
        capacity.is_finite().then(|| Bucket {
            per_us: per_minute / 60e6,
            capacity,
            level: capacity,
            filled_us: start_us,
        })
    };
    let mut buckets = [bucket(limits.requests, 1.0), bucket(limits.tokens, 0.0)];
    let mut found = Rejections { arrivals: 0, rejected: 0 };
    for arrival in arrivals {
        let amounts = [1.0, arrival.tokens];
        let mut passes = true;
        for (bucket, amount) in buckets.iter_mut().zip(amounts) {
            passes &= bucket.as_mut().is_none_or(|bucket| bucket.has(amount, arrival.at_us));
        }
        for (bucket, amount) in buckets.iter_mut().zip(amounts) {
            if let Some(bucket) = bucket.as_mut().filter(|_| passes) {
                bucket.level -= amount;
            }
        }
        found.arrivals += u64::from(arrival.counted);
        found.rejected += u64::from(arrival.counted && !passes);
    }
    Ok(found)
}

/// A bucket that fills evenly up to its capacity.
#[derive(Debug)]
struct Bucket {
    per_us: f64,
    capacity: f64,
    level: f64,
    filled_us: f64,
}

impl Bucket {
    /// Fills the bucket up to a moment and says whether it holds an amount.
    fn has(&mut self, amount: f64, at_us: f64) -> bool {
        let elapsed_us = (at_us - self.filled_us).max(0.0);
        self.level = (self.level + elapsed_us * self.per_us).min(self.capacity);
        self.filled_us = at_us;
        // Less than a millionth of a unit is the rounding of the filling.
        self.level + 1e-6 >= amount.min(self.capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(at_s: &[f64], tokens: f64) -> Vec<Arrival> {
        let arrival = |s: &f64| Arrival { at_us: s * 1e6, tokens, counted: true };
        at_s.iter().map(arrival).collect()
    }

    fn limits(requests: f64, tokens: f64, burst_s: f64) -> MinuteLimits {
        MinuteLimits { requests, tokens, burst_s }
    }

    fn rejected(arrivals: &[Arrival], limits: MinuteLimits) -> u64 {
        limit_rejections(arrivals, limits).unwrap().rejected
    }

    #[test]
    fn a_burst_beyond_the_bucket_is_rejected_and_the_bucket_fills_again() {
        // 60 a minute with a bucket of 2: the third at once is rejected, one a second passes.
        let times = [0.0, 0.0, 0.0, 1.0, 1.5, 2.0];
        assert_eq!(rejected(&arrivals(&times, 0.0), limits(60.0, f64::INFINITY, 2.0)), 2);
        // By the minute the bucket holds 60.
        let burst = vec![5.0; 100];
        assert_eq!(rejected(&arrivals(&burst, 0.0), limits(60.0, f64::INFINITY, 60.0)), 40);
    }

    #[test]
    fn tokens_are_limited_apart_and_a_rejected_request_takes_nothing() {
        let arrivals = [
            Arrival { at_us: 0.0, tokens: 90.0, counted: true },
            Arrival { at_us: 0.0, tokens: 20.0, counted: true },
            Arrival { at_us: 0.0, tokens: 10.0, counted: true },
        ];
        assert_eq!(rejected(&arrivals, limits(f64::INFINITY, 100.0, 60.0)), 1);
        assert_eq!(rejected(&arrivals, limits(1.0, 1e9, 60.0)), 2);
        assert_eq!(rejected(&arrivals, limits(f64::INFINITY, f64::INFINITY, 60.0)), 0);
    }

    #[test]
    fn a_request_larger_than_the_bucket_passes_when_it_is_full_and_leaves_a_debt() {
        // A bucket of 100 tokens, 100 a second: 250 tokens leave a debt of 150.
        let at_s = [0.0, 1.0, 2.5];
        let mut arrivals = arrivals(&at_s, 100.0);
        arrivals[0].tokens = 250.0;
        assert_eq!(rejected(&arrivals, limits(f64::INFINITY, 6_000.0, 1.0)), 1);
    }

    #[test]
    fn uncounted_arrivals_take_their_share_of_the_limit() {
        let mut burst = arrivals(&[0.0; 4], 0.0);
        burst[0].counted = false;
        let found = limit_rejections(&burst, limits(2.0, f64::INFINITY, 60.0)).unwrap();
        assert_eq!(found, Rejections { arrivals: 3, rejected: 2 });
    }

    #[test]
    fn limits_that_are_not_positive_are_refused() {
        for bad in [limits(0.0, 1.0, 1.0), limits(1.0, f64::NAN, 1.0), limits(1.0, 1.0, -1.0)] {
            assert!(limit_rejections(&[], bad).is_err(), "{bad:?}");
        }
    }
}
