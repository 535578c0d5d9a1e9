//! One captured exchange of HTTP to a row: what all wire captures have in common.
//!
//! A wire capture holds what went over the line, so that nothing is reported and everything is
//! read: the address says what was asked for, the body with which parameters, the status and the
//! body of the answer what became of it. What is easily got wrong:
//!
//! - Keys stand in headers and in queries (`?key=`): of headers only a list of harmless ones is
//!   kept, of addresses only the path.
//! - The time to the first byte is that of the headers, which many servers send long before the
//!   first token: it is never a time to first token.
//! - A status of 200 says only that an answer began. A stream that ends early, or an error event
//!   in it, is a failure.
//! - A body that the log dropped is unknown; one that is empty is a failure.

mod call;
mod content;
mod headers;
mod outcome;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::chat::ChatRequest;
use crate::dataset::{CapturedExchange, ContentState, sha256_hex};
use crate::provider::Endpoint;

use super::body::{fill_request, set_replayable, set_state, without_request};
use super::format::Reading;
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::{FilterReason, NotReplayable};
use super::time::{Moment, fill_time};
use super::value::{flag, present, text};

use call::{call, is_text, path_of};
use content::Content;

pub(super) use content::{bytes_of, from_base64};
pub(super) use headers::Headers;

/// A captured exchange of HTTP.
#[derive(Debug)]
pub(super) struct Exchange<'r> {
    /// The record, of which an identifier is made where nothing else has one.
    pub(super) record: &'r Value,
    pub(super) method: &'r str,
    /// The whole address if it is known, else the path.
    pub(super) url: String,
    pub(super) request_headers: Headers,
    /// The body as it was sent; `None` if the log does not have it.
    pub(super) request_body: Option<Vec<u8>>,
    /// The answer, as far as one began.
    pub(super) answer: Option<Answer>,
    /// What the log says of a connection that failed.
    pub(super) fault: Option<String>,
    /// The log's own identifier of the exchange.
    pub(super) log_id: Option<String>,
    pub(super) times: Times,
}

/// An answer of HTTP.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: i32,
    pub(super) headers: Headers,
    /// The body as it was sent; `None` if the log does not have it.
    pub(super) body: Option<Vec<u8>>,
}

/// When an exchange was, and how long it took.
#[derive(Debug)]
pub(super) struct Times {
    pub(super) start: Moment,
    /// From the request's first byte to the answer's last.
    pub(super) latency_ms: Option<f64>,
    /// To the answer's first byte.
    pub(super) ttfb_ms: Option<f64>,
    /// Who measured: the column `latency_scope`.
    pub(super) scope: &'static str,
    /// The smallest difference that the log can tell.
    pub(super) resolution_ms: f64,
}

/// Reads an exchange.
pub(super) fn read(exchange: &Exchange<'_>) -> Reading {
    let is_upgrade = exchange.request_headers.get("upgrade").is_some();
    if !exchange.method.eq_ignore_ascii_case("POST") || is_upgrade {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    let body = exchange.request_body.as_deref();
    let body = Content::of(body, &exchange.request_headers);
    let answer = exchange.answer.as_ref();
    let answer = answer
        .map_or(Content::Absent, |answer| Content::of(answer.body.as_deref(), &answer.headers));
    match call(&exchange.url, &body, &answer) {
        Some(call) => Reading::Exchange(Box::new(row(exchange, &call, &body, &answer))),
        None => Reading::Filtered(FilterReason::NotLlm),
    }
}

fn row(
    exchange: &Exchange<'_>,
    call: &Endpoint,
    body: &Content,
    answer: &Content,
) -> CapturedExchange {
    let mut row = identity(exchange, call, body, answer);
    let request = fill_request_columns(&mut row, call, body);
    outcome::fill(&mut row, exchange, call, answer);
    fill_time(&mut row, exchange.times.start);
    row.latency_ms = exchange.times.latency_ms;
    row.ttfb_ms = exchange.times.ttfb_ms.filter(|ms| ms.is_finite() && *ms >= 0.0);
    row.latency_scope = Some(exchange.times.scope.to_owned());
    row.time_resolution_ms = Some(exchange.times.resolution_ms);
    let marks = BaselineMarks {
        health_check: row.route.as_deref().is_some_and(names_a_probe)
            || request.as_ref().is_some_and(is_probe),
        not_chat: !is_text(call),
        ..BaselineMarks::default()
    };
    settle_baseline(&mut row, marks);
    row
}

/// Whether a body looks like a model's answer, whatever was asked.
pub(super) fn is_answer(body: Option<&[u8]>, headers: &Headers) -> bool {
    outcome::answer_dialect(&Content::of(body, headers)).is_some()
}

fn identity(
    exchange: &Exchange<'_>,
    call: &Endpoint,
    request: &Content,
    answer: &Content,
) -> CapturedExchange {
    let headers = exchange.answer.as_ref().map(|answer| &answer.headers);
    let model = call.model.clone();
    let body = request.json();
    CapturedExchange {
        request_id: headers
            .and_then(Headers::request_id)
            .or_else(|| outcome::body_id(answer))
            .or_else(|| exchange.log_id.clone())
            .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(exchange.record.to_string()))),
        session_id: exchange.request_headers.session_id(),
        provider: call.provider.map(str::to_owned),
        operation: call.operation.to_owned(),
        route: Some(path_of(&exchange.url).to_owned()),
        request_model: model.or_else(|| text(body?, &["model"])).unwrap_or_default(),
        stream: call.stream.or_else(|| flag(present(body?, "stream")?)),
        cache_hit: headers.and_then(Headers::cache_hit),
        attempt: exchange.request_headers.attempt(),
        ..CapturedExchange::default()
    }
}

/// Fills the request columns; returns the request if it could be read.
fn fill_request_columns(
    row: &mut CapturedExchange,
    call: &Endpoint,
    body: &Content,
) -> Option<ChatRequest> {
    let dialect = call.dialect.filter(|_| is_text(call));
    let request = match body {
        Content::Json(body) => fill_request(row, dialect, body),
        Content::Cut => {
            without_request(row);
            set_state(row, ContentState::Truncated);
            set_replayable(row, Some(NotReplayable::Truncated));
            None
        }
        Content::Absent | Content::Empty => {
            without_request(row);
            None
        }
        Content::Text(_) | Content::Binary => {
            without_request(row);
            set_replayable(row, Some(NotReplayable::UnreadableRequest));
            None
        }
    };
    if !is_text(call) {
        set_replayable(row, Some(NotReplayable::NotChat));
    }
    request
}

/// Marks a row whose answer a proxy played back from a recording.
pub(super) fn answered_from_cache(row: &mut CapturedExchange) {
    row.cache_hit = Some(true);
    settle_baseline(row, BaselineMarks::default());
}
