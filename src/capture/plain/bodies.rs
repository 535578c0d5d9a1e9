//! Request and response of a record, wherever they stand and however often they were encoded.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::super::reason::RejectReason;
use super::super::value::{decoded, first, is_blank, present, text};
use super::Rejection;

/// Names of the request body.
pub(super) const REQUEST: &[&str] = &["request", "req", "input", "body", "request_body"];

/// Names of the response body.
pub(super) const RESPONSE: &[&str] = &["response", "resp", "output", "completion", "response_body"];

/// Members beside `messages` that belong to the request.
const PARAMETERS: &[&str] =
    &["system", "tools", "tool_choice", "parallel_tool_calls", "functions", "max_tokens"];

/// Members beside `contents` that belong to the request.
const GEMINI_PARAMETERS: &[&str] =
    &["systemInstruction", "system_instruction", "tools", "toolConfig", "generationConfig"];

/// The bodies of a record.
#[derive(Debug)]
pub(super) struct Bodies<'r> {
    pub(super) request: Option<Cow<'r, Value>>,
    /// Null if there is none.
    pub(super) response: Cow<'r, Value>,
    /// Whether the answer was the last message of a conversation.
    pub(super) is_training_row: bool,
}

impl<'r> Bodies<'r> {
    /// Finds the bodies; a record without request and without outcome is set aside.
    pub(super) fn of(record: &'r Value) -> Result<Self, Rejection> {
        let response = first(record, RESPONSE).map(|(_, response)| opened(response));
        if let Some((_, request)) = first(record, REQUEST) {
            let request = Some(opened(request)).filter(|request| !is_blank(request));
            let response = response.unwrap_or(Cow::Owned(Value::Null));
            return Ok(Bodies { request, response, is_training_row: false });
        }
        for (member, parameters) in [("messages", PARAMETERS), ("contents", GEMINI_PARAMETERS)] {
            if let Some(list) = present(record, member).map(decoded).filter(|list| list.is_array())
            {
                let list = list.as_array().map_or(&[][..], Vec::as_slice);
                return Ok(Bodies::of_conversation(record, member, parameters, list, response));
            }
        }
        let outcome = ["status", "status_code", "http_status", "error", "latency_ms", "model"];
        if response.is_none() && !outcome.iter().any(|name| present(record, name).is_some()) {
            let detail = "neither a request (`request`, `messages`) nor an outcome is there";
            return Err((RejectReason::MissingField, detail.to_owned()));
        }
        let response = response.unwrap_or(Cow::Owned(Value::Null));
        Ok(Bodies { request: None, response, is_training_row: false })
    }

    fn of_conversation(
        record: &'r Value,
        member: &str,
        parameters: &[&str],
        turns: &[Value],
        response: Option<Cow<'r, Value>>,
    ) -> Self {
        let (asked, answer) = match turns.split_last() {
            Some((last, before)) if response.is_none() => match answer(member, last) {
                Some(answer) => (before, Some(answer)),
                None => (turns, None),
            },
            _ => (turns, None),
        };
        let mut body = Map::new();
        if let Some(model) = text(record, &["model"]) {
            body.insert("model".to_owned(), Value::String(model));
        } else if member == "messages" {
            body.insert("model".to_owned(), json!(""));
        }
        body.insert(member.to_owned(), asked.iter().map(without_weight).collect());
        for name in parameters {
            if let Some(value) = present(record, name) {
                body.insert((*name).to_owned(), decoded(value).into_owned());
            }
        }
        let is_training_row = answer.is_some();
        let response = response.or(answer.map(Cow::Owned)).unwrap_or(Cow::Owned(Value::Null));
        let request = (!asked.is_empty()).then_some(Cow::Owned(Value::Object(body)));
        Bodies { request, response, is_training_row }
    }

    /// The model that was asked for.
    pub(super) fn model(&self, record: &Value) -> String {
        let of_body = self.request.as_ref().and_then(|body| text(body, &["model"]));
        of_body.or_else(|| text(record, &["model", "request_model"])).unwrap_or_default()
    }
}

/// A body that may be a text of JSON, or a text of such a text.
fn opened(body: &Value) -> Cow<'_, Value> {
    let text_of_text = match body {
        Value::String(text) if text.trim_start().starts_with('"') => {
            serde_json::from_str::<Value>(text).ok().filter(is_encoded)
        }
        _ => None,
    };
    match text_of_text {
        Some(inner) => Cow::Owned(decoded(&inner).into_owned()),
        None => decoded(body),
    }
}

/// Whether it is the text of a body, and not just a text in quotes.
fn is_encoded(value: &Value) -> bool {
    let starts = ["{", "[", "data:", "event:"];
    value
        .as_str()
        .is_some_and(|text| starts.iter().any(|start| text.trim_start().starts_with(start)))
}

/// The answer that the last turn of a training example is, in the form of its dialect.
fn answer(member: &str, last: &Value) -> Option<Value> {
    let is = |role: &str| last.get("role").is_some_and(|own| own == role);
    match member {
        "messages" if is("assistant") => {
            Some(json!({ "choices": [{ "index": 0, "message": without_weight(last) }] }))
        }
        "contents" if is("model") => Some(json!({ "candidates": [{ "content": last }] })),
        _ => None,
    }
}

/// Training examples weigh messages, which no request does.
fn without_weight(message: &Value) -> Value {
    let mut message = message.clone();
    if let Some(members) = message.as_object_mut() {
        members.shift_remove("weight");
    }
    message
}
