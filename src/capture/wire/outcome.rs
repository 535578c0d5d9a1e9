//! What became of a request: status, answer, failure, tokens.

use serde_json::Value;

use crate::chat::ErrorClass;
use crate::dataset::{CapturedExchange, UsageSource};
use crate::provider::{Dialect, Endpoint, sniff_response, sniff_stream};

use super::super::body::{fill_response, set_error, set_failure};
use super::super::failure::{Failure, clip, is_error};
use super::super::value::{count, first, path, present, text};
use super::call::is_text;
use super::content::Content;
use super::{Answer, Exchange};

/// Words of connection faults: mitmproxy's, Chromium's (`net::ERR_…`) and the system's.
const FAULTS: &[(ErrorClass, &[&str])] = &[
    (ErrorClass::TimeoutTotal, &["timed out", "timed_out", "timeout"]),
    (ErrorClass::Dns, &["name_not_resolved", "name or service not known", "getaddrinfo", "dns"]),
    (ErrorClass::Tls, &["tls", "ssl", "certificate", "err_cert"]),
    (
        ErrorClass::Refused,
        &[
            "refused",
            "reset",
            "closed connection",
            "connection closed",
            "connection_closed",
            "empty_response",
            "unreachable",
            "connection_failed",
            "connect call failed",
        ],
    ),
];

/// Fills status, answer and failure; a request of which the log knows no outcome has none.
pub(super) fn fill(
    row: &mut CapturedExchange,
    exchange: &Exchange<'_>,
    call: &Endpoint,
    content: &Content,
) {
    let Some(answer) = &exchange.answer else {
        if let Some(fault) = &exchange.fault {
            set_error(row, fault_class(fault), Some(clip(fault)));
        }
        return;
    };
    row.status_code = Some(answer.status);
    if answer.headers.has_media_type("event-stream") && row.stream.is_none() {
        row.stream = Some(true);
    }
    if is_text(call) {
        fill_text(row, answer, call.dialect, content);
    } else {
        fill_other(row, content);
    }
    if let (None, Content::Absent, Some(fault)) = (&row.error_class, content, &exchange.fault) {
        let is_stream = row.stream == Some(true);
        let class = if is_stream { ErrorClass::StreamTruncated } else { fault_class(fault) };
        set_error(row, class, Some(clip(fault)));
    }
    if row.error_class.is_none() {
        match answer.status {
            400.. => set_failure(row, plain_failure(content)),
            ..200 | 300.. => set_error(row, ErrorClass::Protocol, None),
            _ => {}
        }
    }
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    }
}

/// Fills the answer to a call that generates text.
fn fill_text(
    row: &mut CapturedExchange,
    answer: &Answer,
    dialect: Option<Dialect>,
    content: &Content,
) {
    let is_success = (200..300).contains(&answer.status);
    match content {
        Content::Json(Value::Array(items)) => fill_items(row, dialect, items),
        Content::Json(json) => fill_response(row, dialect, json),
        Content::Text(text) => match events(text) {
            Some(events) => fill_response(row, dialect, &Value::from(events)),
            None if is_success && is_bare_answer(answer, text) => {
                row.response_text = Some(text.clone());
            }
            None if is_success && is_no_answer(answer) => {
                set_error(row, ErrorClass::Protocol, None);
            }
            None => {}
        },
        Content::Cut | Content::Empty if is_success => {
            let is_stream = row.stream == Some(true);
            let class = if is_stream { ErrorClass::StreamTruncated } else { ErrorClass::Protocol };
            set_error(row, class, None);
        }
        Content::Cut | Content::Empty | Content::Absent | Content::Binary => {}
    }
}

/// A list is what Gemini streams without `alt=sse`: one answer an element. A failure may come as
/// a list of one.
fn fill_items(row: &mut CapturedExchange, dialect: Option<Dialect>, items: &[Value]) {
    if let [one] = items {
        return fill_response(row, dialect, one);
    }
    let events: Vec<String> = items.iter().map(|item| format!("data: {item}\n\n")).collect();
    fill_response(row, dialect, &Value::from(events.concat()));
}

/// The events of a stream from its first one on; `None` if the text is no stream.
///
/// A stream may begin with comments, `id:` and `retry:` lines.
fn events(text: &str) -> Option<&str> {
    const FIELDS: [&str; 5] = ["data:", "event:", "id:", "retry:", ":"];
    let text = text.trim_start();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("data:") || line.starts_with("event:") {
            return text.get(at..);
        }
        let is_field = FIELDS.iter().any(|field| line.starts_with(field));
        if !is_field && !line.trim().is_empty() {
            return None;
        }
        at += line.len();
    }
    None
}

/// Servers of one's own may answer with the bare text.
fn is_bare_answer(answer: &Answer, text: &str) -> bool {
    let media = answer.headers.get("content-type");
    let is_text = media.is_none() || answer.headers.has_media_type("text/plain");
    is_text && !text.trim_start().starts_with(['{', '[', '<'])
}

/// A page of HTML is no answer of a model, nor is broken JSON. Lines of JSON, as Ollama streams
/// them, and streams of other kinds may be one; they are not read.
fn is_no_answer(answer: &Answer) -> bool {
    let is = |word| answer.headers.has_media_type(word);
    is("html") || (is("json") && !is("ndjson") && !is("jsonl"))
}

/// The failure that a body other than JSON or events reports, such as a load balancer's page.
fn plain_failure(content: &Content) -> Failure {
    match content {
        Content::Text(text) => Failure { message: Some(clip(text)), ..Failure::default() },
        _ => Failure::default(),
    }
}

/// Fills what the answer to any other call says: its failure, or its tokens.
fn fill_other(row: &mut CapturedExchange, content: &Content) {
    let Some(json) = content.json() else { return };
    if let Some(error) = present(json, "error").filter(|error| is_error(error)) {
        set_failure(row, Failure::from_error(error));
        return;
    }
    row.response_model = text(json, &["model"]);
    let Some(usage) = present(json, "usage") else { return };
    let tokens = |names| first(usage, names).and_then(|(_, tokens)| count(tokens));
    row.input_tokens = tokens(&["prompt_tokens", "input_tokens"]);
    row.output_tokens = tokens(&["completion_tokens", "output_tokens"]);
}

fn fault_class(fault: &str) -> ErrorClass {
    let fault = fault.to_lowercase();
    let known = FAULTS.iter().find(|(_, words)| words.iter().any(|word| fault.contains(word)));
    // Among the rest are clients that went away.
    known.map_or(ErrorClass::Unknown, |(class, _)| *class)
}

/// The identifier in an answer, or in the first events of a stream.
///
/// Short ones do not count: some servers number their answers from a thousand at random
/// (`chatcmpl-123` of Ollama), and two requests of one identifier are taken for attempts of one.
pub(super) fn body_id(content: &Content) -> Option<String> {
    const MIN_ID_BYTES: usize = 16;
    const PLACES: &[&[&str]] = &[&["id"], &["responseId"], &["message", "id"], &["response", "id"]];
    let of = |json: &Value| {
        PLACES.iter().find_map(|names| {
            let id = path(json, names)?.as_str()?;
            (id.len() >= MIN_ID_BYTES).then(|| id.to_owned())
        })
    };
    match content {
        Content::Json(Value::Array(items)) => items.first().and_then(of),
        Content::Json(json) => of(json),
        Content::Text(text) => {
            let data = events(text)?.lines().filter_map(|line| line.strip_prefix("data:"));
            data.take(4).find_map(|data| of(&serde_json::from_str(data).ok()?))
        }
        Content::Absent | Content::Empty | Content::Cut | Content::Binary => None,
    }
}

/// The dialect of an answer; `None` if it looks like no model's.
pub(super) fn answer_dialect(content: &Content) -> Option<Dialect> {
    match content {
        Content::Json(json) => sniff_response(json),
        Content::Text(text) => events(text).and_then(sniff_stream),
        Content::Absent | Content::Empty | Content::Cut | Content::Binary => None,
    }
}
