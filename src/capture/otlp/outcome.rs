//! How a call failed, from the status of its span, its attributes and its exception events.

use crate::chat::ErrorClass;
use crate::dataset::CapturedExchange;

use super::super::body::set_error;
use super::super::failure::{Failure, clip};
use super::super::value::{as_text, number};
use super::span::Span;
use super::tree::Call;

/// Fills status and failure; `has_begun` says whether a part of the answer had come.
pub(super) fn fill(row: &mut CapturedExchange, call: &Call<'_>, has_begun: bool) {
    let Some(span) = call.spans.first() else { return };
    row.status_code = stated_status(call);
    if !is_failure(span) {
        return;
    }
    let names = names(span);
    let message = message(span);
    let of_message = || message.as_deref().and_then(status_in);
    let of_name = || names.iter().find_map(|name| status_of(name));
    row.status_code = row.status_code.filter(|status| *status >= 400);
    row.status_code = row.status_code.or_else(of_message).or_else(of_name);
    let failure = Failure { status: row.status_code, message: message.clone(), names };
    let has_begun = has_begun || is_broken_off(&failure);
    let class = match failure.class() {
        class if has_begun && failure.status.is_none() => match class {
            ErrorClass::Unknown if is_connection(&failure) || is_broken_off(&failure) => {
                ErrorClass::StreamTruncated
            }
            ErrorClass::Unknown => ErrorClass::StreamError,
            class => class,
        },
        ErrorClass::Unknown if is_timeout(&failure) => ErrorClass::TimeoutTotal,
        ErrorClass::Unknown if is_connection(&failure) => ErrorClass::Refused,
        class => class,
    };
    set_error(row, class, message);
}

/// Exceptions that were handled are recorded too, so that an event alone is no failure.
fn is_failure(span: &Span) -> bool {
    span.failed
        || span.attribute(&["error.type"]).is_some()
        || span.text(&["langfuse.observation.level"]).is_some_and(|level| level == "ERROR")
}

fn stated_status(call: &Call<'_>) -> Option<i32> {
    let names = ["http.response.status_code", "http.status_code", "error.code"];
    let status = |span: &&Span| names.iter().find_map(|name| number(span.attribute(&[name])?));
    let status = call.spans.iter().find_map(status)?;
    (100.0..600.0).contains(&status).then_some(status as i32)
}

/// The attributes of the exception that ended the span, which is the last.
fn exception(span: &Span, name: &str) -> Option<String> {
    let is_exception =
        |name: &str| matches!(name, "exception" | "gen_ai.client.operation.exception");
    let mut exceptions = span.events.iter().rev().filter(|event| is_exception(&event.name));
    exceptions.find_map(|event| as_text(event.attributes.get(name)?))
}

/// The names of the failure without modules before them.
fn names(span: &Span) -> Vec<String> {
    let names =
        [span.text(&["error.type"]), exception(span, "exception.type"), span.text(&["error.code"])];
    let bare = |name: String| name.rsplit('.').next().unwrap_or_default().to_owned();
    names.into_iter().flatten().map(bare).filter(|name| !name.is_empty()).collect()
}

fn message(span: &Span) -> Option<String> {
    span.text(&["error.message"])
        .or_else(|| exception(span, "exception.message"))
        .or_else(|| span.text(&["langfuse.observation.status_message"]))
        .or_else(|| span.message.clone())
        .map(|message| clip(&message))
}

/// The status in the words of the SDKs for Python: `Error code: 429 - …`.
fn status_in(message: &str) -> Option<i32> {
    let (_, rest) = message.split_once("Error code: ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|status| (400..600).contains(status))
}

/// The status that a class of the SDKs of OpenAI and Anthropic stands for. `InternalServerError`
/// is any of 500 and above.
fn status_of(name: &str) -> Option<i32> {
    Some(match name {
        "BadRequestError" => 400,
        "AuthenticationError" => 401,
        "PermissionDeniedError" => 403,
        "NotFoundError" => 404,
        "ConflictError" => 409,
        "UnprocessableEntityError" => 422,
        "RateLimitError" => 429,
        "InternalServerError" => 500,
        "ServiceUnavailableError" => 503,
        "OverloadedError" => 529,
        // The conventions allow the status itself as the type.
        code => return code.parse().ok().filter(|status| (400..600).contains(status)),
    })
}

/// Words of clients for an answer that ended before it was whole.
fn is_broken_off(failure: &Failure) -> bool {
    let words = ["payload is not completed", "incomplete chunked read", "peer closed connection"];
    let message = failure.message.as_deref().unwrap_or_default();
    words.iter().any(|word| message.contains(word))
}

fn is_timeout(failure: &Failure) -> bool {
    failure.names.iter().any(|name| name.to_ascii_lowercase().contains("timeout"))
}

fn is_connection(failure: &Failure) -> bool {
    let names = ["connection", "connecterror", "readerror", "remoteprotocolerror"];
    failure.names.iter().any(|name| {
        let name = name.to_ascii_lowercase();
        names.iter().any(|part| name.contains(part))
    }) || failure.message.as_deref().is_some_and(|message| message.contains("Connection error"))
}
