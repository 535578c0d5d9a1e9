//! Failures as Anthropic states them.

use crate::chat::ErrorClass;
use crate::provider::error::{
    HeaderLookup, ProviderError, Stated, TOO_LONG, classify_by, rate_limit_by_headers,
};

/// Classes a failed answer.
pub(super) fn classify(status: u16, headers: HeaderLookup<'_>, body: &[u8]) -> ProviderError {
    classify_by(status, body, by_type, |_| rate_limit(headers))
}

/// The class of an error that came with a successful status.
pub(super) fn class_in_success(stated: &Stated) -> ErrorClass {
    by_type(stated).unwrap_or(if stated.is(&["rate_limit_error"]) {
        ErrorClass::RateLimitOther
    } else {
        ErrorClass::ServerError
    })
}

fn by_type(stated: &Stated) -> Option<ErrorClass> {
    if stated.is(&["enforced_spend_limit_reached"]) {
        return Some(ErrorClass::QuotaExhausted);
    }
    Some(match stated.kind.as_deref()? {
        "authentication_error" => ErrorClass::Auth,
        "billing_error" => ErrorClass::Billing,
        "permission_error" => ErrorClass::Permission,
        "not_found_error" => ErrorClass::NotFound,
        "request_too_large" => ErrorClass::PayloadTooLarge,
        "overloaded_error" => ErrorClass::Overloaded,
        "api_error" | "timeout_error" => ErrorClass::ServerError,
        "conflict_error" => ErrorClass::InvalidRequest,
        "invalid_request_error" => by_message(stated),
        _ => return None,
    })
}

/// Anthropic has one type for everything that is wrong with a request; only the text says more.
fn by_message(stated: &Stated) -> ErrorClass {
    if stated.says(TOO_LONG) || stated.says(&["exceed context limit"]) {
        ErrorClass::ContextLength
    } else if stated.says(&["credit balance is too low", "api usage limits"]) {
        ErrorClass::Billing
    } else if stated.says(&["content filtering policy"]) {
        ErrorClass::ContentBlocked
    } else {
        ErrorClass::InvalidRequest
    }
}

fn rate_limit(headers: HeaderLookup<'_>) -> ErrorClass {
    rate_limit_by_headers(
        headers,
        &["anthropic-ratelimit-requests-remaining"],
        &[
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-output-tokens-remaining",
        ],
    )
    .unwrap_or(ErrorClass::RateLimitOther)
}
