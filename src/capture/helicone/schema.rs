//! Helicone's own form of a conversation, `llmSchema`, as a body of OpenAI Chat Completions.
//!
//! Source: `LLMRequestBody`, `LLMResponseBody` and `Message` of `packages/llm-mapper/types.ts`.

use serde_json::{Map, Value, json};

use crate::capture::langfuse::shapes::{openai_tool, parameters};
use crate::capture::value::{is_blank, path, text};

/// The request body; `None` if there is no conversation in it.
///
/// Uses of tools, searches and data keep their mark, `_type`.
pub(super) fn request(schema: &Value) -> Option<Value> {
    for name in ["toolDetails", "vectorDBDetails", "dataDetails"] {
        if let Some(details) = schema.get(name).filter(|details| details.get("_type").is_some()) {
            return Some(details.clone());
        }
    }
    let mut body = Map::new();
    if let Some(model) = text(schema, &["model"]) {
        body.insert("model".to_owned(), json!(model));
    }
    let messages = schema.get("messages").and_then(Value::as_array);
    if let Some(messages) = messages.filter(|messages| !messages.is_empty()) {
        let messages = messages.iter().map(message).collect::<Option<Vec<Value>>>()?;
        body.insert("messages".to_owned(), Value::Array(messages));
    } else {
        let (name, content) = ["prompt", "input"]
            .iter()
            .find_map(|name| Some((*name, schema.get(*name).filter(|value| !is_blank(value))?)))?;
        body.insert(name.to_owned(), content.clone());
    }
    for (name, value) in parameters(schema) {
        let value = match name.as_str() {
            "tools" => Value::Array(value.as_array()?.iter().map(openai_tool).collect()),
            "tool_choice" => choice(&value),
            _ => value,
        };
        body.insert(name, value);
    }
    Some(Value::Object(body))
}

/// The choice of a tool in Helicone's words, which are Anthropic's.
fn choice(value: &Value) -> Value {
    match value.get("type").and_then(Value::as_str) {
        Some("any") => json!("required"),
        Some("tool") => json!({"type": "function", "function": {"name": value.get("name")}}),
        Some(kind @ ("auto" | "none")) => json!(kind),
        _ => value.clone(),
    }
}

/// The response body.
pub(super) fn response(schema: &Value) -> Option<Value> {
    if let Some(error) = path(schema, &["error", "heliconeMessage"]) {
        let message = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
        return Some(json!({ "error": { "message": message } }));
    }
    let messages = schema.get("messages").and_then(Value::as_array)?;
    let message = message(messages.last()?)?;
    let choice = json!({"index": 0, "message": message, "finish_reason": null});
    Some(json!({"model": schema.get("model"), "choices": [choice]}))
}

fn message(own: &Value) -> Option<Value> {
    let kind = own.get("_type").and_then(Value::as_str).unwrap_or("message");
    let role = own.get("role").and_then(Value::as_str);
    let mut message = Map::new();
    let role = match kind {
        "functionCall" => "assistant",
        "function" => "tool",
        _ => role?,
    };
    message.insert("role".to_owned(), json!(role));
    let parts = own.get("contentArray").and_then(Value::as_array);
    let content = match parts {
        Some(parts) => Value::Array(parts.iter().map(part).collect::<Option<Vec<Value>>>()?),
        None if kind == "message" || kind.starts_with("function") => {
            own.get("content").cloned().unwrap_or(Value::Null)
        }
        None => json!([part(own)?]),
    };
    message.insert("content".to_owned(), content);
    let calls = own.get("tool_calls").and_then(Value::as_array);
    let calls: Vec<Value> = calls.into_iter().flatten().filter_map(call).collect();
    if !calls.is_empty() {
        message.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    if kind == "function" {
        message.insert("tool_call_id".to_owned(), json!(text(own, &["tool_call_id", "id"])));
    }
    Some(Value::Object(message))
}

fn call(own: &Value) -> Option<Value> {
    let name = own.get("name")?.as_str()?;
    let arguments = own.get("arguments").map_or_else(
        || "{}".to_owned(),
        |given| given.as_str().map_or_else(|| given.to_string(), str::to_owned),
    );
    let function = json!({"name": name, "arguments": arguments});
    let id = own.get("id").and_then(Value::as_str).unwrap_or_default();
    Some(json!({"id": id, "type": "function", "function": function}))
}

/// A part of a message; files and sound are not in the schema as they were sent.
fn part(own: &Value) -> Option<Value> {
    match own.get("_type").and_then(Value::as_str).unwrap_or("message") {
        "message" => Some(json!({"type": "text", "text": own.get("content")?.as_str()?})),
        "image" => {
            let url = text(own, &["image_url", "content"])?;
            Some(json!({"type": "image_url", "image_url": {"url": url}}))
        }
        _ => None,
    }
}
