//! When a used-up rate limit is full again, for refusals that do not say how long to wait.

use chrono::DateTime;

use super::HeaderLookup;

/// Limits that providers report: the header of what is left, and of when it is full again.
const LIMITS: &[(&str, &str)] = &[
    ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"),
    ("anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"),
    ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ("anthropic-ratelimit-output-tokens-remaining", "anthropic-ratelimit-output-tokens-reset"),
    ("x-ratelimit-remaining", "x-ratelimit-reset"),
    ("ratelimit-remaining", "ratelimit-reset"),
];

/// How long until the rate limit that is used up is full again, in milliseconds: the wait of a 429
/// that names none; absent when no header says so.
///
/// Read are durations as Go prints them (`1s`, `6m0s`, `120ms`: OpenAI), RFC 3339 times
/// (Anthropic), seconds (Azure), and seconds or milliseconds since 1970. A time in the past is 0.
/// Of several limits those count of which nothing is left, and where none says so, all; the
/// longest decides, since too late costs time and too early another refusal.
pub fn rate_limit_reset_ms(headers: HeaderLookup<'_>, now_epoch_ms: i64) -> Option<u64> {
    let waits: Vec<(bool, u64)> = LIMITS
        .iter()
        .filter_map(|(remaining, reset)| {
            let wait_ms = wait_ms(headers(reset)?.trim(), now_epoch_ms)?;
            let left: Option<f64> = headers(remaining).and_then(|text| text.trim().parse().ok());
            Some((left.is_some_and(|left| left <= 0.0), wait_ms))
        })
        .collect();
    let used_up = waits.iter().filter(|(used_up, _)| *used_up).map(|(_, wait_ms)| *wait_ms).max();
    used_up.or_else(|| waits.iter().map(|(_, wait_ms)| *wait_ms).max())
}

fn wait_ms(text: &str, now_epoch_ms: i64) -> Option<u64> {
    let until = |epoch_ms: i64| epoch_ms.saturating_sub(now_epoch_ms).max(0).unsigned_abs();
    if let Ok(number) = text.parse::<f64>() {
        return match number {
            number if !number.is_finite() || number < 0.0 => None,
            number if number >= 1e11 => Some(until(number as i64)),
            number if number >= 1e9 => Some(until((number * 1_000.0) as i64)),
            seconds => Some((seconds * 1_000.0).ceil() as u64),
        };
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(until(time.timestamp_millis()));
    }
    duration_ms(text)
}

/// Reads a duration such as `1h2m3.5s` or `120ms`.
fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total_ms = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let unit_ms = match unit {
            "d" => 86_400_000.0,
            "h" => 3_600_000.0,
            "m" => 60_000.0,
            "s" => 1_000.0,
            "ms" => 1.0,
            "us" | "µs" => 0.001,
            "ns" => 0.000_001,
            _ => return None,
        };
        total_ms += number.parse::<f64>().ok()? * unit_ms;
        rest = after;
    }
    (total_ms.is_finite() && !text.is_empty()).then_some(total_ms.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reset(headers: &[(&str, &str)], now_epoch_ms: i64) -> Option<u64> {
        let lookup = |name: &str| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        rate_limit_reset_ms(&lookup, now_epoch_ms)
    }

    #[test]
    fn only_limits_that_are_used_up_are_waited_for() {
        let headers = [
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "1.5s"),
            ("x-ratelimit-remaining-tokens", "12"),
            ("x-ratelimit-reset-tokens", "6m0s"),
        ];
        assert_eq!(reset(&headers, 0), Some(1_500));
        assert_eq!(reset(&headers[2..], 0), Some(360_000), "none is used up: all count");
        assert_eq!(reset(&[], 0), None);
    }

    #[test]
    fn every_form_of_a_moment_is_read() {
        let wait = |text: &str, now: i64| wait_ms(text, now);
        assert_eq!(wait("6m0s", 0), Some(360_000));
        assert_eq!(wait("1h2m3.5s", 0), Some(3_723_500));
        assert_eq!(wait("120ms", 0), Some(120));
        assert_eq!(wait("1500µs", 0), Some(2));
        assert_eq!(wait("59.5", 0), Some(59_500));
        assert_eq!(wait("1700000060", 1_700_000_000_000), Some(60_000));
        assert_eq!(wait("1700000060500", 1_700_000_000_000), Some(60_500));
        assert_eq!(wait("2023-11-14T22:14:20Z", 1_700_000_000_000), Some(60_000));
        assert_eq!(wait("2023-11-14T22:12:20Z", 1_700_000_000_000), Some(0));
        for wrong in ["", "soon", "-1", "1x", "NaN", "1.2.3s"] {
            assert_eq!(wait(wrong, 0), None, "{wrong}");
        }
    }
}
