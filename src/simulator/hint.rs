//! How a 429 words its wait: every provider has a form of its own.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::dialect::{Dialect, go_duration};
use super::draw::Draws;

/// In which headers a 429 names its wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfterHint {
    /// `Retry-After` in whole seconds and `retry-after-ms`.
    #[default]
    Both,
    /// `Retry-After` in whole seconds.
    Seconds,
    /// `Retry-After` as an HTTP date.
    Date,
    /// `retry-after-ms`.
    Milliseconds,
    /// The reset of the bucket: `x-ratelimit-reset-requests` as Go prints durations (OpenAI),
    /// `anthropic-ratelimit-requests-reset` as RFC 3339 (Anthropic).
    Reset,
    /// Nothing.
    None,
    /// One of the above, drawn for each request.
    Any,
}

const DRAWN: [RetryAfterHint; 5] = [
    RetryAfterHint::Seconds,
    RetryAfterHint::Date,
    RetryAfterHint::Milliseconds,
    RetryAfterHint::Reset,
    RetryAfterHint::None,
];

impl RetryAfterHint {
    /// The headers that name a wait of `wait_ms` from `now` on.
    pub(super) fn headers(
        self,
        wait_ms: f64,
        dialect: Dialect,
        now: DateTime<Utc>,
        draws: &Draws,
    ) -> Vec<(String, String)> {
        let header = |name: &str, value: String| (name.to_owned(), value);
        let seconds = || header("retry-after", format!("{}", (wait_ms / 1000.0).ceil()));
        let millis = || header("retry-after-ms", format!("{}", wait_ms.ceil()));
        let wait = TimeDelta::milliseconds(wait_ms.ceil() as i64);
        let end = now.checked_add_signed(wait).unwrap_or(now);
        match self {
            RetryAfterHint::Both => vec![seconds(), millis()],
            RetryAfterHint::Seconds => vec![seconds()],
            RetryAfterHint::Milliseconds => vec![millis()],
            RetryAfterHint::Date => {
                // An HTTP date has whole seconds: rounded up, so that nobody comes too early.
                let end = end.checked_add_signed(TimeDelta::milliseconds(999)).unwrap_or(end);
                vec![header("retry-after", end.format("%a, %d %b %Y %H:%M:%S GMT").to_string())]
            }
            RetryAfterHint::Reset => match dialect {
                Dialect::OpenAi => vec![
                    header("x-ratelimit-remaining-requests", "0".to_owned()),
                    header(
                        "x-ratelimit-reset-requests",
                        go_duration(wait.to_std().unwrap_or_default()),
                    ),
                ],
                Dialect::Anthropic => vec![
                    header("anthropic-ratelimit-requests-remaining", "0".to_owned()),
                    header(
                        "anthropic-ratelimit-requests-reset",
                        end.to_rfc3339_opts(SecondsFormat::Millis, true),
                    ),
                ],
            },
            RetryAfterHint::None => Vec::new(),
            RetryAfterHint::Any => {
                let index = (draws.uniform("retry-after hint") * DRAWN.len() as f64) as usize;
                let hint = DRAWN.get(index).copied().unwrap_or(RetryAfterHint::None);
                hint.headers(wait_ms, dialect, now, draws)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(hint: RetryAfterHint, dialect: Dialect) -> Vec<String> {
        let now = DateTime::from_timestamp(784_111_717, 0).expect("is a time");
        let draws = Draws::new(1, b"body", None);
        let headers = hint.headers(60_000.0, dialect, now, &draws);
        headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
    }

    #[test]
    fn the_same_wait_is_worded_as_each_provider_words_it() {
        use Dialect::{Anthropic, OpenAi};
        assert_eq!(headers(RetryAfterHint::Seconds, OpenAi), ["retry-after: 60"]);
        assert_eq!(headers(RetryAfterHint::Milliseconds, OpenAi), ["retry-after-ms: 60000"]);
        // RFC 9110's example date, 60 s after the start.
        let date = headers(RetryAfterHint::Date, OpenAi);
        assert_eq!(date, ["retry-after: Sun, 06 Nov 1994 08:49:37 GMT"]);
        assert_eq!(headers(RetryAfterHint::Reset, OpenAi)[1], "x-ratelimit-reset-requests: 1m0s");
        assert_eq!(
            headers(RetryAfterHint::Reset, Anthropic)[1],
            "anthropic-ratelimit-requests-reset: 1994-11-06T08:49:37.000Z"
        );
        assert!(headers(RetryAfterHint::None, OpenAi).is_empty());
    }
}
