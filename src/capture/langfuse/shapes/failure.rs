//! The class of a failure that is told in words only.

use serde_json::Value;

use crate::capture::failure::Failure;

/// Exception classes of client libraries, by the HTTP status that they stand for.
///
/// Sources: `openai/_exceptions.py`, `anthropic/_exceptions.py`, `google.api_core.exceptions`,
/// the errors of Amazon Bedrock's API.
const EXCEPTIONS: &[(&str, i32)] = &[
    ("RateLimitError", 429),
    ("ResourceExhausted", 429),
    ("ThrottlingException", 429),
    ("AuthenticationError", 401),
    ("PermissionDeniedError", 403),
    ("AccessDeniedException", 403),
    ("NotFoundError", 404),
    ("BadRequestError", 400),
    ("InvalidArgument", 400),
    ("ValidationException", 400),
    ("UnprocessableEntityError", 422),
    ("OverloadedError", 529),
    ("ServiceUnavailable", 503),
    ("InternalServerError", 500),
];

/// Reads the text of an exception, which may be a whole trace of calls.
///
/// Tracing tools keep no HTTP status. Client libraries put it into the message: `Error code: 429 -
/// {…}` (Python), `429 Rate limit reached` (JavaScript); else the exception's class tells it.
pub(in crate::capture) fn failure(text: &str) -> Failure {
    let mut failure = Failure::from_error(&Value::String(text.to_owned()));
    let named = || EXCEPTIONS.iter().find(|(name, _)| text.contains(name));
    failure.status = after(text, "Error code: ")
        .or_else(|| after(text, "status code "))
        .or_else(|| after(text, "status_code="))
        .or_else(|| status(text.trim_start()))
        .or_else(|| named().map(|(_, status)| *status));
    let codes = [
        "insufficient_quota",
        "context_length_exceeded",
        "content_policy_violation",
        "content_filter",
        "overloaded_error",
    ];
    failure.names =
        codes.iter().filter(|code| text.contains(*code)).map(|c| (*c).to_owned()).collect();
    failure
}

fn after(text: &str, words: &str) -> Option<i32> {
    let (_, rest) = text.split_once(words)?;
    status(rest)
}

/// Three digits at the beginning that are a status of failure.
fn status(text: &str) -> Option<i32> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let ends = text.get(digits.len()..)?.chars().next().is_none_or(|next| !next.is_alphanumeric());
    digits.parse().ok().filter(|status| ends && digits.len() == 3 && (400..600).contains(status))
}
