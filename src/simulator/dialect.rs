//! The wire protocols that the simulator speaks, and how each words an error.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::limiter::{BucketState, LimitState};
use crate::provider::Protocol;

/// A protocol that the simulator can answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    OpenAi,
    Anthropic,
}

impl Dialect {
    /// The dialect of a path, whatever prefix stands before the endpoint's own name.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        if path.ends_with("/chat/completions") {
            Some(Dialect::OpenAi)
        } else if path.ends_with("/messages") {
            Some(Dialect::Anthropic)
        } else {
            None
        }
    }

    pub(super) fn protocol(self) -> Protocol {
        match self {
            Dialect::OpenAi => Protocol::OpenAiChat,
            Dialect::Anthropic => Protocol::AnthropicMessages,
        }
    }

    /// The header that carries the provider's identifier of a request.
    pub(super) fn request_id_header(self) -> &'static str {
        match self {
            Dialect::OpenAi => "x-request-id",
            Dialect::Anthropic => "request-id",
        }
    }

    /// The status of an overloaded provider: Anthropic has one of its own.
    pub(super) fn overloaded_status(self) -> u16 {
        match self {
            Dialect::OpenAi => 503,
            Dialect::Anthropic => 529,
        }
    }

    /// The error's body as this protocol words it.
    pub(super) fn error_body(self, error: &ApiError, request_id: &str) -> Value {
        match self {
            Dialect::OpenAi => json!({ "error": {
                "message": error.message,
                "type": error.openai_type.unwrap_or_else(|| openai_type(error.status)),
                "param": error.param,
                "code": error.code,
            } }),
            Dialect::Anthropic => {
                let kind = anthropic_type(error.status);
                let mut inner = json!({ "type": kind, "message": error.message });
                if let (Some(code), Some(fields)) = (error.code, inner.as_object_mut()) {
                    fields.insert("details".into(), json!({ "error_code": code }));
                }
                json!({ "type": "error", "error": inner, "request_id": request_id })
            }
        }
    }

    /// Rate-limit headers for the limits that are configured.
    pub(super) fn limit_headers(
        self,
        limits: &LimitState,
        now: DateTime<Utc>,
    ) -> Vec<(String, String)> {
        let mut headers = Vec::new();
        for (family, bucket) in [("requests", limits.requests), ("tokens", limits.tokens)] {
            let Some(bucket) = bucket else { continue };
            for (field, value) in self.bucket_fields(&bucket, now) {
                let name = match self {
                    Dialect::OpenAi => format!("x-ratelimit-{field}-{family}"),
                    Dialect::Anthropic => format!("anthropic-ratelimit-{family}-{field}"),
                };
                headers.push((name, value));
            }
        }
        headers
    }

    fn bucket_fields(
        self,
        bucket: &BucketState,
        now: DateTime<Utc>,
    ) -> [(&'static str, String); 3] {
        let reset = match self {
            Dialect::OpenAi => go_duration(bucket.reset),
            Dialect::Anthropic => {
                let wait = chrono::TimeDelta::from_std(bucket.reset).unwrap_or_default();
                let at = now.checked_add_signed(wait).unwrap_or(now);
                at.to_rfc3339_opts(SecondsFormat::Secs, true)
            }
        };
        [
            ("limit", format!("{}", bucket.limit.floor() as u64)),
            ("remaining", format!("{}", bucket.remaining.floor() as u64)),
            ("reset", reset),
        ]
    }
}

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    pub(super) status: u16,
    /// In plain words; never holds content of the request.
    pub(super) message: String,
    /// The parameter at fault.
    pub(super) param: Option<String>,
    /// A word for programs.
    pub(super) code: Option<&'static str>,
    /// OpenAI's error type, where it says more than the status: a 429 names what ran out.
    pub(super) openai_type: Option<&'static str>,
}

impl ApiError {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        let message = message.into();
        ApiError { status, message, param: None, code: None, openai_type: None }
    }

    /// A 400 about a parameter.
    pub(super) fn invalid(param: impl Into<String>, problem: &str) -> Self {
        let param = param.into();
        ApiError { param: Some(param.clone()), ..ApiError::new(400, format!("{param}: {problem}")) }
    }

    /// A 429 because `what` (requests or tokens) ran out.
    pub(super) fn limit(what: &'static str) -> Self {
        let message = format!("Rate limit reached: {what} per min");
        let error = ApiError::new(429, message).code("rate_limit_exceeded");
        ApiError { openai_type: Some(what), ..error }
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
}

fn openai_type(status: u16) -> &'static str {
    match status {
        429 => "rate_limit_error",
        503 => "service_unavailable_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

/// A duration as Go prints it (`6m0s`, `1.5s`, `20ms`), which is how OpenAI words resets.
pub(super) fn go_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1000 {
        return format!("{millis}ms");
    }
    let (minutes, rest_ms) = (millis / 60_000, millis % 60_000);
    let seconds = rest_ms as f64 / 1000.0;
    if minutes > 0 { format!("{minutes}m{seconds}s") } else { format!("{seconds}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_prefix_may_stand_before_an_endpoint() {
        for (path, dialect) in [
            ("/v1/chat/completions", Some(Dialect::OpenAi)),
            ("/a/b/chat/completions", Some(Dialect::OpenAi)),
            ("/v1/messages", Some(Dialect::Anthropic)),
            ("/v1/responses", None),
        ] {
            assert_eq!(Dialect::of_path(path), dialect, "{path}");
        }
    }

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        for (millis, text) in
            [(0, "0ms"), (20, "20ms"), (1000, "1s"), (1500, "1.5s"), (360_000, "6m0s")]
        {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn each_dialect_words_the_same_limit_in_its_own_headers() {
        let bucket = BucketState { limit: 60.0, remaining: 1.5, reset: Duration::from_secs(2) };
        let limits = LimitState { requests: Some(bucket), ..LimitState::default() };
        let now = DateTime::from_timestamp(1_790_000_000, 0).expect("is a time");
        let line = |dialect: Dialect| -> Vec<String> {
            let headers = dialect.limit_headers(&limits, now);
            headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
        };
        assert_eq!(
            line(Dialect::OpenAi),
            [
                "x-ratelimit-limit-requests: 60",
                "x-ratelimit-remaining-requests: 1",
                "x-ratelimit-reset-requests: 2s",
            ]
        );
        assert_eq!(
            line(Dialect::Anthropic),
            [
                "anthropic-ratelimit-requests-limit: 60",
                "anthropic-ratelimit-requests-remaining: 1",
                "anthropic-ratelimit-requests-reset: 2026-09-21T14:13:22Z",
            ]
        );
    }
}
