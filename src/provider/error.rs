//! Failures in the provider's words, and what a caller can do about them.

use chrono::DateTime;
use serde_json::{Map, Value};

use crate::chat::ErrorClass;

use super::json::present;
use super::protocol::Protocol;

/// Looks up a response header by its lower-case name.
pub type HeaderLookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The most characters of a provider's message that are kept.
const MAX_MESSAGE_CHARS: usize = 500;

/// A failure that the provider reported or that its bytes showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderError {
    /// What kind of failure it is.
    pub class: ErrorClass,
    /// The provider's own message, at most 500 characters, control characters replaced.
    pub message: String,
    /// The provider's own code or type.
    pub code: Option<String>,
}

impl ProviderError {
    pub(super) fn protocol(message: &str) -> Self {
        ProviderError { class: ErrorClass::Protocol, message: message.to_owned(), code: None }
    }
}

/// The error that a body states: OpenAI's and Anthropic's `error` object, or one of the plainer
/// forms of other servers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stated {
    pub(super) message: String,
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    /// Codes of nested error objects (Azure `innererror`, Anthropic `details`).
    pub(super) inner_code: Option<String>,
}

impl Stated {
    /// Reads the value of a body's `error` member.
    pub(super) fn from_value(error: &Value) -> Self {
        let Some(object) = error.as_object() else {
            return Stated { message: scalar(error).unwrap_or_default(), ..Stated::default() };
        };
        let inner_code = ["innererror", "inner_error", "details", "metadata"]
            .iter()
            .filter_map(|name| object.get(*name).and_then(Value::as_object))
            .find_map(|inner| member(inner, "code").or_else(|| member(inner, "error_code")));
        let message = member(object, "message").unwrap_or_default();
        Stated { message, kind: member(object, "type"), code: member(object, "code"), inner_code }
    }

    /// Reads a whole body; `None` if it states no error.
    pub(super) fn from_body(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        // Gemini and some gateways wrap the object into a list.
        let object = value.as_object().or_else(|| value.as_array()?.first()?.as_object())?;
        if let Some(error) = present(object, "error") {
            return Some(Stated::from_value(error));
        }
        // FastAPI servers and several gateways answer `detail` or `message` alone.
        let message = ["message", "detail"].iter().find_map(|name| member(object, name))?;
        let (kind, code) = (member(object, "type"), member(object, "code"));
        Some(Stated { message, kind, code, inner_code: None })
    }

    /// The most telling of the stated codes.
    pub(super) fn best_code(&self) -> Option<String> {
        let stated = [&self.code, &self.kind, &self.inner_code];
        stated.into_iter().flatten().next().map(|code| excerpt(code))
    }

    /// Whether any of the stated codes is one of `codes`.
    pub(super) fn is(&self, codes: &[&str]) -> bool {
        [&self.code, &self.kind, &self.inner_code]
            .into_iter()
            .flatten()
            .any(|stated| codes.contains(&stated.as_str()))
    }

    /// Whether the message holds one of `phrases`, whatever its case.
    pub(super) fn says(&self, phrases: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }

    /// The error with its class.
    pub(super) fn classed(&self, class: ErrorClass) -> ProviderError {
        ProviderError { class, message: excerpt(&self.message), code: self.best_code() }
    }
}

fn member(object: &Map<String, Value>, name: &str) -> Option<String> {
    object.get(name).and_then(scalar)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first characters of a message, fit for one line.
pub(super) fn excerpt(message: &str) -> String {
    let plain = |char: char| if char.is_control() { ' ' } else { char };
    message.trim().chars().take(MAX_MESSAGE_CHARS).map(plain).collect()
}

/// Classes a failure: by the stated error where `by_code` knows it, else by status.
pub(super) fn classify_by(
    status: u16,
    body: &[u8],
    by_code: impl Fn(&Stated) -> Option<ErrorClass>,
    rate_limit: impl Fn(&Stated) -> ErrorClass,
) -> ProviderError {
    let stated = Stated::from_body(body);
    // A status that is neither success nor failure says more than any body.
    let named = if (400..600).contains(&status) { stated.as_ref().and_then(by_code) } else { None };
    let class = named.unwrap_or_else(|| match status {
        429 => rate_limit(stated.as_ref().unwrap_or(&Stated::default())),
        _ => by_status(status),
    });
    match stated {
        Some(stated) => stated.classed(class),
        None => ProviderError { class, message: describe(status, body), code: None },
    }
}

/// The class of a status code of which nothing else is known.
pub(super) fn by_status(status: u16) -> ErrorClass {
    match status {
        401 => ErrorClass::Auth,
        402 => ErrorClass::Billing,
        403 => ErrorClass::Permission,
        404 => ErrorClass::NotFound,
        413 => ErrorClass::PayloadTooLarge,
        429 => ErrorClass::RateLimitOther,
        // 498 is Groq's "flex capacity exceeded".
        498 | 503 | 529 => ErrorClass::Overloaded,
        408 | 500..=599 => ErrorClass::ServerError,
        400..=499 => ErrorClass::InvalidRequest,
        _ => ErrorClass::Protocol,
    }
}

/// Words of servers that refuse a prompt for its length without a code for it.
pub(super) const TOO_LONG: &[&str] = &[
    "maximum context length",
    "context length exceeded",
    "context window",
    "context size",
    "prompt is too long",
    "input is too long",
];

/// Describes a body that states no error; a page or a binary body is not repeated.
fn describe(status: u16, body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    if text.is_empty() || text.starts_with(['<', '{', '[']) {
        format!("HTTP {status} without a stated error ({} bytes)", body.len())
    } else {
        excerpt(text)
    }
}

/// Tells the kinds of rate limit apart by what the headers say is used up.
///
/// `requests` and `tokens` are header names of the remaining allowance.
pub(super) fn rate_limit_by_headers(
    headers: HeaderLookup<'_>,
    requests: &[&str],
    tokens: &[&str],
) -> Option<ErrorClass> {
    let used_up = |names: &[&str]| {
        names.iter().any(|name| {
            headers(name)
                .and_then(|value| value.trim().parse::<f64>().ok())
                .is_some_and(|n| n <= 0.0)
        })
    };
    match (used_up(requests), used_up(tokens)) {
        (true, false) => Some(ErrorClass::RateLimitRequests),
        (false, true) => Some(ErrorClass::RateLimitTokens),
        _ => None,
    }
}

/// Classes a failed (non-2xx) answer of a provider.
pub fn classify(
    protocol: Protocol,
    status: u16,
    headers: HeaderLookup<'_>,
    body: &[u8],
) -> ProviderError {
    super::adapter::adapter(protocol).classify(status, headers, body)
}

/// How long the provider asks to wait, in milliseconds.
///
/// `retry-after-ms` (milliseconds, may be a fraction) is read before `retry-after` (seconds, may
/// be a fraction, or an HTTP date), as the official clients do. A date in the past is 0; it is
/// held against the answer's own `Date`, so that no clock has to be right but the provider's.
pub fn retry_after_ms(headers: HeaderLookup<'_>, now_epoch_ms: i64) -> Option<u64> {
    let number = |text: &str, unit_ms: f64| {
        let value: f64 = text.trim().parse().ok()?;
        (value.is_finite() && value >= 0.0).then_some((value * unit_ms).ceil() as u64)
    };
    if let Some(wait_ms) = headers("retry-after-ms").and_then(|text| number(&text, 1.0)) {
        return Some(wait_ms);
    }
    let text = headers("retry-after")?;
    number(&text, 1000.0).or_else(|| {
        let epoch_ms = |text: &str| {
            DateTime::parse_from_rfc2822(text.trim()).ok().map(|date| date.timestamp_millis())
        };
        let now_ms = headers("date").and_then(|date| epoch_ms(&date)).unwrap_or(now_epoch_ms);
        Some(epoch_ms(&text)?.saturating_sub(now_ms).max(0).unsigned_abs())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&str, &str)], now_epoch_ms: i64) -> Option<u64> {
        let lookup = |name: &str| {
            headers.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        retry_after_ms(&lookup, now_epoch_ms)
    }

    #[test]
    fn milliseconds_come_before_seconds_and_dates_are_read() {
        assert_eq!(wait(&[("retry-after-ms", "12.5"), ("retry-after", "9")], 0), Some(13));
        assert_eq!(wait(&[("retry-after-ms", "soon"), ("retry-after", "1.5")], 0), Some(1500));
        // RFC 9110's example date is 784111777 seconds after the epoch.
        let date = [("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(wait(&date, 784_111_775_500), Some(1500));
        assert_eq!(wait(&date, 900_000_000_000), Some(0));
        assert_eq!(wait(&[("retry-after", "-1")], 0), None);
        assert_eq!(wait(&[("retry-after", "NaN")], 0), None);
        assert_eq!(wait(&[], 0), None);
    }

    #[test]
    fn a_date_is_held_against_the_answers_own() {
        let headers = [
            ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("date", "Sun, 06 Nov 1994 08:49:07 GMT"),
        ];
        assert_eq!(wait(&headers, 900_000_000_000), Some(30_000));
    }

    #[test]
    fn every_status_has_a_class_and_redirects_are_no_answer() {
        assert_eq!(by_status(302), ErrorClass::Protocol);
        assert_eq!(by_status(408), ErrorClass::ServerError);
        assert_eq!(by_status(422), ErrorClass::InvalidRequest);
        assert_eq!(by_status(529), ErrorClass::Overloaded);
        assert_eq!(by_status(599), ErrorClass::ServerError);
    }

    #[test]
    fn pages_are_described_and_plain_text_is_kept_on_one_line() {
        assert_eq!(
            describe(502, b"<html>secret</html>"),
            "HTTP 502 without a stated error (19 bytes)"
        );
        assert_eq!(describe(503, b"\xff\xfe"), "HTTP 503 without a stated error (2 bytes)");
        assert_eq!(describe(503, b"upstream\nconnect error\n"), "upstream connect error");
        assert_eq!(excerpt(&"é".repeat(600)).chars().count(), 500);
    }
}
