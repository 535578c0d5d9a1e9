//! Failures as OpenAI and the servers that speak its protocol state them.

use crate::chat::ErrorClass;
use crate::provider::error::{
    HeaderLookup, ProviderError, Stated, TOO_LONG, by_status, classify_by, rate_limit_by_headers,
};

/// Classes a failed answer.
pub(super) fn classify(status: u16, headers: HeaderLookup<'_>, body: &[u8]) -> ProviderError {
    let by_code = |stated: &Stated| by_code(stated, status);
    let rate_limit = |stated: &Stated| {
        rate_limit_by_headers(
            headers,
            &["x-ratelimit-remaining-requests"],
            &["x-ratelimit-remaining-tokens"],
        )
        .unwrap_or_else(|| rate_limit_by_text(stated))
    };
    classify_by(status, body, by_code, rate_limit)
}

/// The class of an error that came with a successful status.
///
/// OpenRouter and vLLM state the HTTP status that they mean as a numeric code.
pub(super) fn class_in_success(stated: &Stated) -> ErrorClass {
    let meant = stated.code.as_deref().and_then(|code| code.parse().ok());
    let status = meant.filter(|status| (400..600).contains(status)).unwrap_or(500);
    by_code(stated, status).unwrap_or_else(|| match status {
        429 => rate_limit_by_text(stated),
        _ => by_status(status),
    })
}

fn by_code(stated: &Stated, status: u16) -> Option<ErrorClass> {
    let refused = matches!(status, 400 | 413 | 422);
    let class = if stated.is(&["insufficient_quota", "billing_hard_limit_reached"]) {
        ErrorClass::QuotaExhausted
    } else if stated.is(&["slow_down", "server_is_overloaded", "service_unavailable_error"]) {
        ErrorClass::Overloaded
    } else if stated.is(&["context_length_exceeded", "exceed_context_size_error"])
        || (refused && stated.says(TOO_LONG))
    {
        ErrorClass::ContextLength
    } else if stated.is(&[
        "content_policy_violation",
        "content_filter",
        "ResponsibleAIPolicyViolation",
    ]) {
        ErrorClass::ContentBlocked
    } else if stated.is(&["invalid_api_key"]) {
        ErrorClass::Auth
    } else if stated.is(&["model_not_found"]) {
        ErrorClass::NotFound
    } else {
        return None;
    };
    Some(class)
}

/// OpenAI names the exhausted limit in the message and, less exactly, in the error's type.
fn rate_limit_by_text(stated: &Stated) -> ErrorClass {
    let tokens = stated.says(&["tokens per min", "tokens per day", "(tpm)"]);
    let requests = stated.says(&["requests per min", "requests per day", "(rpm)"]);
    match (requests, tokens) {
        (true, false) => ErrorClass::RateLimitRequests,
        (false, true) => ErrorClass::RateLimitTokens,
        _ if stated.is(&["tokens"]) => ErrorClass::RateLimitTokens,
        _ if stated.is(&["requests"]) => ErrorClass::RateLimitRequests,
        _ => ErrorClass::RateLimitOther,
    }
}
