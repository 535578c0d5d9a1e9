//! The exceptions of Bedrock's runtime in the classes by which failures are compared.

use crate::chat::ErrorClass;
use crate::dataset::CapturedExchange;

use super::super::body::set_error;
use super::super::failure::{Failure, clip};

/// Fills in a failure from its code; the message of the answer stands unless the log has its own.
///
/// The statuses are those that the runtime's API model gives to its exceptions.
pub(super) fn fill(row: &mut CapturedExchange, code: &str, message: Option<String>) {
    let message = message.map(|message| clip(&message)).or(row.error_message.take());
    let (status, class) = known(code, message.as_deref());
    row.status_code = row.status_code.filter(|status| *status >= 400).or(status);
    let class = class.unwrap_or_else(|| {
        let names = vec![code.to_owned()];
        Failure { status: row.status_code, message: message.clone(), names }.class()
    });
    set_error(row, class, message.or_else(|| Some(clip(code))));
}

/// The status and, where the status alone does not tell it, the class of a code.
fn known(code: &str, message: Option<&str>) -> (Option<i32>, Option<ErrorClass>) {
    let plain = code.rsplit(['#', '.']).next().unwrap_or(code).to_ascii_lowercase();
    let (status, class) = match plain.trim_end_matches("exception") {
        "throttling" | "toomanyrequests" => (429, throttling(message)),
        "servicequotaexceeded" => (400, Some(ErrorClass::QuotaExhausted)),
        "modelnotready" => (429, Some(ErrorClass::Overloaded)),
        "modeltimeout" => (408, Some(ErrorClass::TimeoutTotal)),
        "modelerror" => (424, Some(ErrorClass::ServerError)),
        "modelstreamerror" => (424, Some(ErrorClass::StreamError)),
        "unrecognizedclient"
        | "expiredtoken"
        | "invalidsignature"
        | "missingauthenticationtoken" => (403, Some(ErrorClass::Auth)),
        "accessdenied" => (403, None),
        "resourcenotfound" => (404, None),
        "conflict" => (409, None),
        "validation" => (400, None),
        "serviceunavailable" => (503, None),
        "internalserver" | "internalfailure" => (500, None),
        _ => return (None, None),
    };
    (Some(status), class)
}

/// Which limit was hit, in Bedrock's words.
fn throttling(message: Option<&str>) -> Option<ErrorClass> {
    let message = message?.to_ascii_lowercase();
    if message.contains("too many tokens") {
        Some(ErrorClass::RateLimitTokens)
    } else if message.contains("too many requests") {
        Some(ErrorClass::RateLimitRequests)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exception_has_the_class_of_what_a_caller_can_do() {
        for (code, message, status, class) in [
            ("ThrottlingException", "Too many tokens, please wait", 429, "rate_limit_tokens"),
            ("throttlingException", "Too many requests", 429, "rate_limit_requests"),
            ("ThrottlingException", "", 429, "rate_limit_other"),
            ("ServiceQuotaExceededException", "", 400, "quota_exhausted"),
            ("ModelTimeoutException", "", 408, "timeout_total"),
            ("ModelNotReadyException", "", 429, "overloaded"),
            ("ModelErrorException", "", 424, "server_error"),
            ("ModelStreamErrorException", "", 424, "stream_error"),
            ("AccessDeniedException", "", 403, "permission"),
            ("ExpiredTokenException", "", 403, "auth"),
            ("ResourceNotFoundException", "", 404, "not_found"),
            ("ValidationException", "Malformed input request", 400, "invalid_request"),
            (
                "ValidationException",
                "Input is too long for requested model.",
                400,
                "context_length",
            ),
            ("ServiceUnavailableException", "", 503, "overloaded"),
            ("InternalServerException", "", 500, "server_error"),
            ("com.amazonaws#ConflictException", "", 409, "invalid_request"),
        ] {
            let mut row = CapturedExchange::default();
            let message = (!message.is_empty()).then(|| message.to_owned());
            fill(&mut row, code, message);
            let got = (row.status_code, row.error_class.as_deref());
            assert_eq!(got, (Some(status), Some(class)), "{code}");
        }
        let mut row = CapturedExchange::default();
        fill(&mut row, "NewException", None);
        assert_eq!((row.status_code, row.error_class.as_deref()), (None, Some("unknown")));
        assert_eq!(row.error_message.as_deref(), Some("NewException"));
    }
}
