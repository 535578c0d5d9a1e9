//! The log format `openai_stored`: stored chat completions, as `GET /v1/chat/completions` lists them.
//!
//! An item is the answer with the parameters of its request. The messages are not in it: they come
//! from `GET /v1/chat/completions/{id}/messages` and are expected as `messages` or `input` beside
//! the rest; without them a row has no request. Source: the example of `listChatCompletions` in
//! OpenAI's OpenAPI description. What is easily got wrong:
//!
//! - `model` is the model that answered; which one was asked for is not kept, nor are `max_tokens`,
//!   `stop` and `stream`.
//! - Failed calls are not stored, so that there is no rate of failures in such a log.
//! - There is no latency, and `created` is in whole seconds.
//! - Stored messages have identifiers of their own, which no request has.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value, json};

use crate::dataset::{CapturedExchange, UsageSource};
use crate::provider::Dialect;

use super::body::{fill_request, fill_response, without_request};
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::marks::{BaselineMarks, settle_baseline};
use super::reason::RejectReason;
use super::time::{Moment, fill_time, parse};
use super::value::{decoded, is_blank, present, text};

/// Parameters of a request that an item repeats, under the names that a request has them by.
const PARAMETERS: &[&str] = &[
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "reasoning_effort",
];

/// Members of a stored message that a request has too.
const MESSAGE: &[&str] = &["role", "content", "name", "refusal", "tool_calls", "tool_call_id"];

/// The format of stored chat completions.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenAiStored;

impl LogFormat for OpenAiStored {
    fn name(&self) -> &'static str {
        "openai_stored"
    }

    fn title(&self) -> &'static str {
        "OpenAI stored chat completions"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |name: &str| record.get(name).is_some();
            is_completion(record)
                && has("choices")
                && ["input_user", "request_id", "messages", "input"].into_iter().any(has)
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        vec![match read(record) {
            Ok(row) => Reading::Exchange(Box::new(row)),
            Err((reason, detail)) => Reading::Reject(reason, detail.to_owned()),
        }]
    }
}

fn is_completion(record: &Value) -> bool {
    record.get("object").is_some_and(|object| object == "chat.completion")
}

fn read(record: &Value) -> Result<CapturedExchange, (RejectReason, &'static str)> {
    if !is_completion(record) {
        return Err((RejectReason::BadField, "`object` is not `chat.completion`"));
    }
    let created = present(record, "created");
    let created = created.ok_or((RejectReason::MissingField, "`created` is not there"))?;
    let us = parse(created).ok_or((RejectReason::BadField, "`created` is no point in time"))?;
    let request_id = text(record, &["id", "request_id"]);
    let request_id = request_id.ok_or((RejectReason::MissingField, "`id` is not there"))?;
    let metadata = |names: &[&str]| text(record.get("metadata")?, names);
    let mut row = CapturedExchange {
        request_id,
        session_id: metadata(&["session_id", "conversation_id", "thread_id"]),
        user_id: text(record, &["input_user"]),
        provider: Some("openai".to_owned()),
        operation: "chat".to_owned(),
        route: metadata(&["route"]),
        tenant: metadata(&["tenant", "team"]),
        tags: tags(record),
        request_model: text(record, &["model"]).unwrap_or_default(),
        status_code: Some(200),
        time_resolution_ms: Some(1_000.0),
        ..CapturedExchange::default()
    };
    fill_time(&mut row, Moment { us, basis: "epoch" });
    match messages(record) {
        Some(messages) => {
            let body = body(&row, record, messages);
            fill_request(&mut row, Some(Dialect::OpenAiChat), &body);
            // Whether it was a stream is not kept.
            row.stream = None;
        }
        None => without_request(&mut row),
    }
    fill_response(&mut row, Some(Dialect::OpenAiChat), record);
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    }
    settle_baseline(&mut row, BaselineMarks::default());
    Ok(row)
}

/// The stored labels, each as `name=value`.
fn tags(record: &Value) -> Option<String> {
    let labels = present(record, "metadata")?.as_object()?.iter();
    let tags: Vec<String> = labels
        .filter_map(|(name, value)| {
            Some(format!("{name}={}", text(&json!({ "v": value }), &["v"])?))
        })
        .collect();
    if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
}

/// The messages of the request, whichever way they were joined to the item: a list, a page of one,
/// or a single text.
fn messages(record: &Value) -> Option<Vec<Value>> {
    let joined = present(record, "messages").or_else(|| present(record, "input"))?;
    let joined = decoded(joined);
    let list = joined.get("data").unwrap_or(&joined);
    let mut messages: Vec<Value> = match list {
        Value::String(text) if !text.trim().is_empty() => {
            vec![json!({ "role": "user", "content": text })]
        }
        Value::Array(messages) => messages.iter().map(message).collect(),
        _ => Vec::new(),
    };
    let answer = record.get("choices").and_then(|choices| choices.get(0)?.get("message"));
    let is_answer = |message: &Value| {
        let member = |name: &str| message.get(name) == answer.and_then(|answer| answer.get(name));
        answer.is_some() && member("role") && member("content")
    };
    if messages.last().is_some_and(is_answer) {
        messages.pop();
    }
    (!messages.is_empty()).then_some(messages)
}

fn message(stored: &Value) -> Value {
    let Some(members) = stored.as_object() else { return stored.clone() };
    let mut message: Map<String, Value> = members
        .iter()
        .filter(|(name, value)| MESSAGE.contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // A message of several parts has its texts in `content` and the parts beside it.
    if let Some(parts) = present(stored, "content_parts").filter(|parts| !is_blank(parts)) {
        message.insert("content".to_owned(), parts.clone());
    }
    if !message.contains_key("content") {
        message.insert("content".to_owned(), Value::Null);
    }
    Value::Object(message)
}

fn body(row: &CapturedExchange, record: &Value, messages: Vec<Value>) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::String(row.request_model.clone()));
    body.insert("messages".to_owned(), Value::Array(messages));
    for name in PARAMETERS {
        if let Some(value) = present(record, name) {
            body.insert((*name).to_owned(), value.clone());
        }
    }
    if let Some(user) = &row.user_id {
        body.insert("user".to_owned(), Value::String(user.clone()));
    }
    Value::Object(body)
}
