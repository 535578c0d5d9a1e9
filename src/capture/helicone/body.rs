//! The bodies of a request, wherever an export has them.

use serde_json::{Value, json};

use crate::capture::body::{self, set_replayable, without_request};
use crate::capture::langfuse::shapes::{cell, mark_elided, member, words};
use crate::capture::reason::NotReplayable;
use crate::capture::value::{is_blank, text};
use crate::chat::ChatRequest;
use crate::dataset::CapturedExchange;
use crate::provider::{Dialect, Endpoint, endpoint, sniff_dialect};

use super::schema;

/// Bodies and address of a request.
pub(super) struct Bodies {
    request: Value,
    /// The answer: an object, a recorded stream, or null.
    pub(super) response: Value,
    address: Option<String>,
    endpoint: Option<Endpoint>,
}

impl Bodies {
    pub(super) fn of(record: &Value) -> Self {
        // What the signed address leads to, put beside the row or in place of it.
        let fetched = ["body", "signed_body", "request_response_body"];
        let fetched = fetched.iter().map(|name| cell(record, &[name]).into_owned());
        let mut places = fetched.chain(std::iter::once(record.clone()));
        let fetched = places.find(|place| place.get("request").is_some()).unwrap_or(Value::Null);
        let own = |name: &str, inner: &str| {
            let found = [cell(record, &[name]), cell(&fetched, &[inner])];
            let found = found.iter().map(|body| &**body).find(|body| is_body(body));
            found.cloned().unwrap_or(Value::Null)
        };
        let (mut request, mut response) =
            (own("request_body", "request"), own("response_body", "response"));
        let schema = cell(record, &["llmSchema"]);
        if request.is_null() {
            request = schema.get("request").and_then(schema::request).unwrap_or(Value::Null);
            if response.is_null() {
                response = schema.get("response").and_then(schema::response).unwrap_or(Value::Null);
            }
        }
        let address = words(record, &["request_path", "target_url"]);
        let endpoint = address.as_deref().and_then(endpoint);
        Bodies { request, response: stream_of(response), address, endpoint }
    }

    /// Helicone also logs uses of tools, searches and data, which are no calls of a model.
    pub(super) fn is_no_call(&self) -> bool {
        let kind = self.request.get("_type").and_then(Value::as_str);
        let asked = self.endpoint.as_ref().map(|endpoint| endpoint.operation);
        kind.is_some_and(|kind| matches!(kind, "tool" | "vector_db" | "data"))
            || asked.is_some_and(|asked| matches!(asked, "models" | "count_tokens" | "batch"))
    }

    pub(super) fn provider(&self) -> Option<&'static str> {
        self.endpoint.as_ref().and_then(|endpoint| endpoint.provider)
    }

    pub(super) fn model(&self) -> Option<String> {
        let of_path = || self.endpoint.as_ref().and_then(|endpoint| endpoint.model.clone());
        text(&self.request, &["model"]).or_else(of_path)
    }

    pub(super) fn operation(&self) -> &'static str {
        let named = self.endpoint.as_ref().map(|endpoint| endpoint.operation);
        named.unwrap_or_else(|| {
            let has = |name: &str| self.request.get(name).is_some();
            let path = self.route().unwrap_or_default();
            let ends = |name: &str| path.trim_end_matches('/').ends_with(name);
            match () {
                () if ends("/embeddings") => "embeddings",
                () if ends("/moderations") => "moderation",
                () if path.contains("/images/") => "image",
                () if path.contains("/audio/") => "audio",
                () if has("prompt") && !has("messages") => "text_completion",
                () => "chat",
            }
        })
    }

    /// The path of the address, without host, query and key.
    pub(super) fn route(&self) -> Option<String> {
        let address = self.address.as_deref()?;
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let path = match rest.find('/') {
            Some(at) => rest.get(at..)?,
            None if rest.len() < address.len() => "/",
            None => rest,
        };
        path.split(['?', '#']).next().map(str::to_owned)
    }

    /// The dialect that the address names, else that of the body.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        let of_path = self.endpoint.as_ref().and_then(|endpoint| endpoint.dialect);
        of_path.or_else(|| sniff_dialect(&self.request))
    }

    /// Fills the request's columns; returns the request if it could be read.
    pub(super) fn fill_request(&self, row: &mut CapturedExchange) -> Option<ChatRequest> {
        row.stream = self.endpoint.as_ref().and_then(|endpoint| endpoint.stream);
        if self.request.is_null() {
            without_request(row);
            return None;
        }
        let is_chat = matches!(row.operation.as_str(), "chat" | "text_completion");
        let dialect = self.dialect().filter(|_| is_chat);
        let request = body::fill_request(row, dialect, &self.request);
        mark_elided(row);
        if !is_chat {
            row.stream = None;
            set_replayable(row, Some(NotReplayable::NotChat));
        }
        request
    }
}

/// Whether it is a body: no placeholder for one that is kept elsewhere, and not the text by which
/// the table is searched, which runs contents and roles together.
fn is_body(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty() && !members.contains_key("helicone_message"),
        Value::String(text) => is_stream(text),
        Value::Array(_) => !is_blank(value),
        _ => false,
    }
}

fn is_stream(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("data:") || text.starts_with("event:")
}

/// A recorded stream for `streamed_data`, unless Helicone put the answer together beside it.
///
/// The events are kept without the lines that only frame them, so these are written anew.
fn stream_of(response: Value) -> Value {
    let Some(data) = member(&response, &["streamed_data"]) else { return response };
    let whole = |choice: &Value| choice.get("message").is_some();
    let choices = response.get("choices").and_then(Value::as_array);
    let is_complete = choices.is_some_and(|choices| choices.iter().any(whole))
        || response.get("type").is_some_and(|kind| kind == "message");
    if is_complete {
        return response;
    }
    match data {
        Value::String(text) => json!(text),
        Value::Array(events) => json!(events.iter().map(event).collect::<String>() + end(events)),
        _ => Value::Null,
    }
}

fn event(event: &Value) -> String {
    match event.get("type").and_then(Value::as_str) {
        Some(kind) => format!("event: {kind}\ndata: {event}\n\n"),
        None => format!("data: {event}\n\n"),
    }
}

/// The end of a stream of chunks that did end, which Helicone does not keep.
fn end(events: &[Value]) -> &'static str {
    let has_ended = |event: &Value| {
        let reason = event.get("choices").and_then(|choices| choices.get(0)?.get("finish_reason"));
        reason.is_some_and(|reason| !reason.is_null())
    };
    if events.iter().any(has_ended) { "data: [DONE]\n\n" } else { "" }
}
