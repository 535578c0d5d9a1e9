//! The request body put together again from LiteLLM's messages and parameters.
//!
//! LiteLLM wraps a prompt that is a text, or a list of texts, as messages of the user; pass-through
//! calls keep their whole body as the text of one message. Of `generateContent` only the last
//! message of the user is logged, so that such a request cannot be sent again. A system prompt of
//! Anthropic's that is a list of blocks is not logged at all, which cannot be told from a record.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::chat::ChatRequest;
use crate::dataset::{CapturedExchange, ContentState};
use crate::provider::{Dialect, endpoint, sniff_dialect};

use super::super::body::{fill_request, set_replayable, set_state, without_request};
use super::super::marks::is_python_repr;
use super::super::reason::NotReplayable;
use super::super::value::{decoded, is_blank, path, present, text};
use super::call::Call;

/// What LiteLLM logs where it finds no prompt.
const NO_PROMPT: &str = "default-message-value";

/// Fills the request columns; returns the request if it could be read.
pub(super) fn fill(row: &mut CapturedExchange, record: &Value, call: Call) -> Option<ChatRequest> {
    let prompt = decoded(record.get("messages").unwrap_or(&Value::Null));
    if is_blank(&prompt) || sole_text(&prompt) == Some(NO_PROMPT) {
        without_request(row);
        if call.is_no_chat() {
            set_replayable(row, Some(NotReplayable::NotChat));
        }
        return None;
    }
    let (dialect, body) = match call {
        Call::PassThrough => forwarded(row, record, &prompt),
        _ => (call.dialect(), body(row, record, call, &prompt)),
    };
    let request = fill_request(row, dialect, &body);
    if call.is_no_chat() || (call == Call::PassThrough && row.operation != "chat") {
        set_replayable(row, Some(NotReplayable::NotChat));
    }
    let only_the_last_message = call == Call::GenerateContent && !has_parts(&prompt);
    if is_python_repr(&prompt) || only_the_last_message {
        set_state(row, ContentState::Truncated);
        set_replayable(row, Some(NotReplayable::Truncated));
    }
    request
}

/// The body of a record with the prompt in its place.
pub(super) fn body(row: &CapturedExchange, record: &Value, call: Call, prompt: &Value) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::String(row.request_model.clone()));
    match call {
        Call::Messages => {
            let (system, messages) = split_system(prompt);
            if let Some(system) = system {
                body.insert("system".to_owned(), system);
            }
            body.insert("messages".to_owned(), messages);
        }
        Call::GenerateContent if !has_parts(prompt) => {
            let text = sole_text(prompt).unwrap_or_default();
            let contents = json!([{"role": "user", "parts": [{"text": text}]}]);
            body.insert("contents".to_owned(), contents);
        }
        Call::TextCompletion | Call::NoChat(_) => {
            body.insert(call.prompt_member().to_owned(), unwrapped(prompt));
        }
        _ => {
            body.insert(call.prompt_member().to_owned(), prompt.clone());
        }
    }
    add_parameters(&mut body, row, record.get("model_parameters"));
    if call == Call::Responses {
        add_echoes(&mut body, record);
    }
    Value::Object(body)
}

/// Adds the parameters that stand beside the prompt.
pub(super) fn add_parameters(
    body: &mut Map<String, Value>,
    row: &CapturedExchange,
    parameters: Option<&Value>,
) {
    for (name, value) in parameters.and_then(Value::as_object).into_iter().flatten() {
        body.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    if row.stream == Some(true) && !body.contains_key("stream") {
        body.insert("stream".to_owned(), Value::Bool(true));
    }
}

/// Adds what of a request to `/responses` only its answer repeats, because it counts as prompt.
///
/// Sampling parameters of the answer are not taken: unlike these, they are filled with defaults.
fn add_echoes(body: &mut Map<String, Value>, record: &Value) {
    for name in ["instructions", "tools", "previous_response_id"] {
        let echo = path(record, &["response", name]).filter(|echo| !is_blank(echo));
        if let Some(echo) = echo
            && !body.contains_key(name)
        {
            body.insert(name.to_owned(), echo.clone());
        }
    }
}

/// The body of a call that was forwarded unread, and what it asks for.
fn forwarded(
    row: &mut CapturedExchange,
    record: &Value,
    prompt: &Value,
) -> (Option<Dialect>, Value) {
    let body = sole_text(prompt).map(|text| Value::String(text.to_owned()));
    let body = body.as_ref().map_or(Cow::Borrowed(prompt), decoded).into_owned();
    let route = path(record, &["metadata", "user_api_key_request_route"]).and_then(Value::as_str);
    let asked = [present(record, "api_base").and_then(Value::as_str), route];
    let asked = asked.into_iter().flatten().find_map(endpoint);
    let dialect = sniff_dialect(&body).or(asked.as_ref().and_then(|asked| asked.dialect));
    if let Some(asked) = asked {
        asked.operation.clone_into(&mut row.operation);
    }
    if matches!(row.request_model.as_str(), "" | "unknown") {
        row.request_model = text(&body, &["model"]).unwrap_or_default();
    }
    (dialect, body)
}

/// The text of a prompt that is one text or one message of the user with nothing but a text.
fn sole_text(prompt: &Value) -> Option<&str> {
    match prompt {
        Value::String(text) => Some(text),
        Value::Array(messages) => match messages.as_slice() {
            [message] => user_text(message),
            _ => None,
        },
        _ => None,
    }
}

fn user_text(message: &Value) -> Option<&str> {
    let members = message.as_object().filter(|members| members.len() == 2)?;
    members.get("role").filter(|role| *role == "user")?;
    members.get("content")?.as_str()
}

/// A prompt without the messages that LiteLLM wraps texts in.
fn unwrapped(prompt: &Value) -> Value {
    let Some(messages) = prompt.as_array() else { return prompt.clone() };
    let texts: Option<Vec<&str>> = messages.iter().map(user_text).collect();
    match texts.as_deref() {
        Some([text]) => json!(text),
        Some(texts) => json!(texts),
        None => prompt.clone(),
    }
}

/// Whether a prompt is in Gemini's own form.
fn has_parts(prompt: &Value) -> bool {
    let contents = prompt.as_array();
    contents.is_some_and(|contents| contents.iter().any(|content| content.get("parts").is_some()))
}

/// Takes the leading system messages out of the list, where LiteLLM puts Anthropic's `system`.
fn split_system(prompt: &Value) -> (Option<Value>, Value) {
    let Some(messages) = prompt.as_array() else { return (None, prompt.clone()) };
    let is_system = |message: &&Value| message.get("role").is_some_and(|role| role == "system");
    let leading = messages.iter().take_while(is_system).count();
    let (system, rest) = messages.split_at(leading);
    let contents: Vec<&Value> =
        system.iter().filter_map(|message| message.get("content")).collect();
    let system = match contents.as_slice() {
        [] => None,
        [one] => Some((*one).clone()),
        many => Some(Value::Array(many.iter().flat_map(|content| blocks(content)).collect())),
    };
    (system, Value::Array(rest.to_vec()))
}

fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::Array(blocks) => blocks.clone(),
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        _ => Vec::new(),
    }
}
