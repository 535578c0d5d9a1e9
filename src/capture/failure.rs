//! What a log says of a failed request, in the classes by which failures are compared.

use serde_json::Value;

use crate::chat::ErrorClass;

use super::secrets::scrub_text;
use super::value::{as_text, is_blank, present, text};

/// The most characters of a provider's message that are kept.
const MAX_MESSAGE_CHARS: usize = 500;

/// A failure as a log tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: Option<i32>,
    pub(super) message: Option<String>,
    /// The provider's or the gateway's own names of the failure: type, code, exception class.
    pub(super) names: Vec<String>,
}

impl Failure {
    /// Reads an `error` member: an object, a list of one, or a text.
    pub(super) fn from_error(error: &Value) -> Self {
        let error = error.as_array().and_then(|list| list.first()).unwrap_or(error);
        if let Some(message) = as_text(error) {
            return Failure { message: Some(clip(&message)), ..Failure::default() };
        }
        let names = ["code", "type", "status", "error_code", "error_class"];
        let names = names.iter().filter_map(|name| text(error, &[name])).collect();
        let message = text(error, &["message", "error_message", "detail"]);
        // OpenRouter and vLLM state the HTTP status that they mean as a numeric code.
        let status = text(error, &["code"]).and_then(|code| code.parse().ok());
        let status = status.filter(|status| (400..600).contains(status));
        Failure { status, message: message.map(|message| clip(&message)), names }
    }

    /// The failure that a response body reports instead of an answer.
    pub(super) fn from_response(response: &Value) -> Option<Self> {
        let error = present(response, "error").filter(|error| is_error(error));
        if let Some(error) = error {
            return Some(Failure::from_error(error));
        }
        // FastAPI servers and several gateways answer `detail` or `message` alone.
        let is_answer = ["choices", "content", "output", "candidates"]
            .iter()
            .any(|name| present(response, name).is_some());
        let message = text(response, &["detail", "message"]).filter(|_| !is_answer)?;
        let names = text(response, &["type", "code"]).into_iter().collect();
        Some(Failure { status: None, message: Some(clip(&message)), names })
    }

    /// The class: by name where that is unmistakable, else by status, with the message to tell
    /// apart what shares one.
    pub(super) fn class(&self) -> ErrorClass {
        if let Some(class) = self.class_by_name() {
            return class;
        }
        match self.status {
            Some(400 | 409 | 422) if self.says(CONTEXT_LENGTH) => ErrorClass::ContextLength,
            Some(400 | 409 | 422) if self.says(CONTENT_BLOCKED) => ErrorClass::ContentBlocked,
            Some(400 | 405 | 409 | 415 | 422) => ErrorClass::InvalidRequest,
            Some(401) => ErrorClass::Auth,
            Some(402) => ErrorClass::Billing,
            Some(403) => ErrorClass::Permission,
            Some(404) => ErrorClass::NotFound,
            Some(408) => ErrorClass::TimeoutTotal,
            Some(413) => ErrorClass::PayloadTooLarge,
            Some(429) => self.rate_limit(),
            Some(503 | 529) => ErrorClass::Overloaded,
            Some(500..=599) => ErrorClass::ServerError,
            None if self.says(&["timed out", "timeout"]) => ErrorClass::TimeoutTotal,
            // Among them 499, a gateway's word for a client that went away.
            _ => ErrorClass::Unknown,
        }
    }

    fn class_by_name(&self) -> Option<ErrorClass> {
        let is = |names: &[&str]| self.names.iter().any(|name| names.contains(&name.as_str()));
        Some(if is(&["insufficient_quota", "billing_hard_limit_reached"]) {
            ErrorClass::QuotaExhausted
        } else if is(&["context_length_exceeded", "ContextWindowExceededError"]) {
            ErrorClass::ContextLength
        } else if is(&[
            "content_policy_violation",
            "content_filter",
            "ResponsibleAIPolicyViolation",
            "ContentPolicyViolationError",
        ]) {
            ErrorClass::ContentBlocked
        } else if is(&["overloaded_error"]) {
            ErrorClass::Overloaded
        } else if self.status.is_none() && is(&["rate_limit_error", "rate_limit_exceeded"]) {
            self.rate_limit()
        } else {
            return None;
        })
    }

    /// Which limit was hit: the message says it; OpenAI's type says it where the message does not.
    fn rate_limit(&self) -> ErrorClass {
        let tokens =
            self.says(&["tokens per min", "tokens per day", "(tpm)", "(tpd)", "token limit"]);
        let requests = self.says(&["requests per min", "requests per day", "(rpm)", "(rpd)"]);
        let is = |kind: &str| self.names.iter().any(|name| name == kind);
        match (tokens, requests) {
            (true, false) => ErrorClass::RateLimitTokens,
            (false, true) => ErrorClass::RateLimitRequests,
            (false, false) if is("tokens") => ErrorClass::RateLimitTokens,
            (false, false) if is("requests") => ErrorClass::RateLimitRequests,
            _ => ErrorClass::RateLimitOther,
        }
    }

    fn says(&self, phrases: &[&str]) -> bool {
        let Some(message) = &self.message else { return false };
        let message = message.to_lowercase();
        phrases.iter().any(|phrase| message.contains(phrase))
    }
}

/// Words of providers that refuse a prompt for its length.
const CONTEXT_LENGTH: &[&str] = &[
    "maximum context length",
    "context length exceeded",
    "contextwindowexceeded",
    "context window",
    "context size",
    "prompt is too long",
    "input is too long",
    "exceed context limit",
];

/// Words of providers that refuse a prompt for what it says.
const CONTENT_BLOCKED: &[&str] =
    &["content management policy", "content policy", "content filter", "contentpolicyviolation"];

/// Some writers put an empty `error` beside every good answer.
pub(super) fn is_error(error: &Value) -> bool {
    !is_blank(error) && *error != Value::Bool(false)
}

/// The first characters of a message, fit for one line; a secret is replaced before it is cut.
pub(super) fn clip(message: &str) -> String {
    let plain = |char: char| if char.is_control() { ' ' } else { char };
    scrub_text(message.trim()).chars().take(MAX_MESSAGE_CHARS).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn class(status: i32, error: &Value) -> ErrorClass {
        Failure { status: Some(status), ..Failure::from_error(error) }.class()
    }

    #[test]
    fn a_rate_limit_is_told_by_its_message_before_its_type() {
        let tokens = "Rate limit reached on tokens per min (TPM): Limit 30000";
        let requests = "Rate limit reached on requests per min (RPM): Limit 3";
        assert_eq!(
            class(429, &json!({"message": tokens, "type": "requests"})),
            ErrorClass::RateLimitTokens
        );
        assert_eq!(class(429, &json!(requests)), ErrorClass::RateLimitRequests);
        assert_eq!(class(429, &json!({"type": "tokens"})), ErrorClass::RateLimitTokens);
        assert_eq!(class(429, &json!("slow down")), ErrorClass::RateLimitOther);
        assert_eq!(class(429, &json!({"code": "insufficient_quota"})), ErrorClass::QuotaExhausted);
    }

    #[test]
    fn every_status_has_the_class_of_what_a_caller_can_do() {
        for (status, message, expected) in [
            (400, "`n` must be 1", ErrorClass::InvalidRequest),
            (400, "This model's maximum context length is 8192", ErrorClass::ContextLength),
            (400, "blocked by our content management policy", ErrorClass::ContentBlocked),
            (401, "", ErrorClass::Auth),
            (403, "", ErrorClass::Permission),
            (404, "", ErrorClass::NotFound),
            (408, "", ErrorClass::TimeoutTotal),
            (413, "", ErrorClass::PayloadTooLarge),
            (499, "client went away", ErrorClass::Unknown),
            (500, "", ErrorClass::ServerError),
            (502, "", ErrorClass::ServerError),
            (503, "", ErrorClass::Overloaded),
            (529, "", ErrorClass::Overloaded),
        ] {
            assert_eq!(class(status, &json!(message)), expected, "{status} {message}");
        }
        assert_eq!(
            Failure::from_error(&json!("Request timed out")).class(),
            ErrorClass::TimeoutTotal
        );
    }

    #[test]
    fn a_code_that_is_a_status_counts_as_one() {
        let failure = Failure::from_error(&json!({"message": "busy", "code": 529}));
        assert_eq!(failure.class(), ErrorClass::Overloaded);
        let key = ["gs", "k_", &"a1B2".repeat(8)].concat();
        let clipped = clip(&format!("{} {key}", "x".repeat(MAX_MESSAGE_CHARS - 10)));
        assert!(!clipped.contains("a1B2"), "{clipped}");
    }

    #[test]
    fn an_empty_error_is_no_error() {
        for error in [json!(null), json!(""), json!({}), json!(false)] {
            assert_eq!(Failure::from_response(&json!({"error": error, "choices": []})), None);
        }
        let stated = Failure::from_response(&json!({"detail": "no\nsuch\tmodel"})).unwrap();
        assert_eq!(stated.message.as_deref(), Some("no such model"));
    }
}
