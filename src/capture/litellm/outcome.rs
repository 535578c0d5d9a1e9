//! How a call ended, and who says so: the provider or the gateway itself.

use serde_json::Value;

use crate::chat::ErrorClass;
use crate::dataset::{CapturedExchange, ContentState};
use crate::provider::Dialect;

use super::super::body::{fill_response, set_error, set_failure, set_state};
use super::super::failure::{Failure, clip};
use super::super::marks::{content_state, is_python_repr};
use super::super::value::{decoded, number, path, present};
use super::call::Call;
use super::usage::fill_consumption;

/// Exceptions by which a guardrail of the gateway refuses a request or an answer.
const GUARDRAILS: &[&str] = &[
    "BlockedPiiEntityError",
    "GuardrailRaisedException",
    "ModifyResponseException",
    "NomaBlockedMessage",
    "RejectedRequestError",
    "SensitiveDataRouteException",
];

/// Other exceptions that LiteLLM raises of itself (`litellm/exceptions.py`, `types/router.py`,
/// `proxy/_types.py`).
const OWN: &[&str] = &[
    "BudgetExceededError",
    "LiteLLMUnknownProvider",
    "ModelAccessDeniedHTTPException",
    "ModelAccessDeniedProxyException",
    "ProxyModelNotFoundError",
    "RateLimitUnverifiableError",
    "RouterRateLimitError",
    "RouterRateLimitErrorBasic",
    "TeamNotFoundError",
    "UnsupportedParamsError",
];

/// Exceptions of the proxy, by which it also hands on what a forwarded call came back with.
const PROXY: &[&str] = &["HTTPException", "ProxyException"];

/// What a failed payload says of its failure.
#[derive(Debug)]
pub(in crate::capture) struct Failed<'a> {
    /// `error_information`.
    pub(in crate::capture) information: &'a Value,
    pub(in crate::capture) error_str: Option<&'a str>,
    /// `status_fields.guardrail_status`.
    pub(in crate::capture) guardrail_status: Option<&'a str>,
    /// Whether something was consumed.
    pub(in crate::capture) has_tokens: bool,
}

impl Failed<'_> {
    /// Fills the columns of the failure; says whether the gateway raised it of itself.
    pub(in crate::capture) fn fill(&self, row: &mut CapturedExchange, call: Call) -> bool {
        let mut failure = Failure::from_error(self.information);
        if failure.message.is_none() {
            failure.message = self.error_str.filter(|text| !text.trim().is_empty()).map(clip);
        }
        row.status_code = present(self.information, "error_code")
            .and_then(number)
            .filter(|code| (100.0..600.0).contains(code))
            .map(|code| code as i32);
        if row.status_code.is_none() && self.has_tokens {
            // Tokens without a status: the answer had begun when the stream broke.
            set_error(row, ErrorClass::StreamTruncated, failure.message);
            return false;
        }
        failure.status = row.status_code;
        set_failure(row, failure);
        self.name_the_limit(row);
        if self.is_guardrail() {
            row.error_class = Some(ErrorClass::ContentBlocked.as_str().to_owned());
        }
        self.is_own(call)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.information.get(name).and_then(Value::as_str)
    }

    fn is_class(&self, names: &[&str]) -> bool {
        self.text("error_class").is_some_and(|class| names.contains(&class))
    }

    fn is_guardrail(&self) -> bool {
        self.is_class(GUARDRAILS) || self.guardrail_status == Some("guardrail_intervened")
    }

    fn is_own(&self, call: Call) -> bool {
        let limit = self.text("error_rate_limit_category");
        self.is_guardrail()
            || self.is_class(OWN)
            || limit.is_some_and(|category| category.starts_with("litellm_"))
            || (self.is_class(PROXY) && call != Call::PassThrough)
    }

    /// LiteLLM states apart which limit was hit, where the message does not.
    fn name_the_limit(&self, row: &mut CapturedExchange) {
        let class = match self.text("error_rate_limit_type") {
            Some("budget") => ErrorClass::Billing,
            None if self.is_class(&["BudgetExceededError"]) => ErrorClass::Billing,
            Some("requests") => ErrorClass::RateLimitRequests,
            Some("tokens") => ErrorClass::RateLimitTokens,
            _ => return,
        };
        let vague = [ErrorClass::RateLimitOther, ErrorClass::InvalidRequest, ErrorClass::Unknown];
        let is_vague = vague.iter().any(|vague| row.error_class.as_deref() == Some(vague.as_str()));
        if is_vague {
            row.error_class = Some(class.as_str().to_owned());
        }
    }
}

/// Fills the outcome of a record; says whether the gateway failed of itself.
pub(super) fn fill(
    row: &mut CapturedExchange,
    record: &Value,
    call: Call,
    has_tokens: bool,
) -> bool {
    // A client that hung up is logged as a success with an error code; the answer is complete.
    let succeeded = match record.get("status").and_then(Value::as_str) {
        Some(status) => status == "success",
        None => record.get("error_str").is_none_or(Value::is_null),
    };
    if succeeded {
        row.status_code = Some(200);
        let dialect = row.dialect.as_deref().and_then(|dialect| dialect.parse().ok());
        let response = record.get("response").unwrap_or(&Value::Null);
        if call.is_no_chat() {
            fill_consumption(row, response);
        } else {
            fill_answer(row, dialect.or(call.dialect()), response);
        }
        return false;
    }
    let information = record.get("error_information").unwrap_or(&Value::Null);
    let text = |value: Option<&'_ Value>| value.and_then(Value::as_str).map(str::to_owned);
    let error_str = text(record.get("error_str"));
    let guardrail_status = text(path(record, &["status_fields", "guardrail_status"]));
    Failed {
        information,
        error_str: error_str.as_deref(),
        guardrail_status: guardrail_status.as_deref(),
        has_tokens,
    }
    .fill(row, call)
}

/// Fills the answer, which Datadog's variant cuts to a text of Python, and pass-through calls wrap.
fn fill_answer(row: &mut CapturedExchange, dialect: Option<Dialect>, response: &Value) {
    let cut = |text: &str| content_state(text) == ContentState::Truncated;
    if is_python_repr(response) || response.as_str().is_some_and(cut) {
        if row.content_state == ContentState::Complete.as_str() {
            set_state(row, ContentState::Truncated);
        }
        return;
    }
    let wrapped = response.as_object().filter(|members| members.len() == 1);
    match wrapped.and_then(|members| members.get("response")) {
        Some(inner) => fill_response(row, dialect, &decoded(inner)),
        None if redacted_text(response) => {
            if row.content_state == ContentState::Complete.as_str() {
                set_state(row, ContentState::Redacted);
            }
        }
        None => fill_response(row, dialect, response),
    }
}

/// `{"text": "redacted-by-litellm"}`, in the place of an answer of any other form.
fn redacted_text(response: &Value) -> bool {
    response.get("text").is_some_and(|text| text == "redacted-by-litellm")
}
