//! Messages of every generation of the conventions in the shape of chat completions.
//!
//! The parts of generation C are those of the JSON schemas beside the semantic conventions
//! (`gen-ai-input-messages.json`). LiteLLM puts parts of chat completions among them, and Langfuse
//! logs what the SDK was given.

use serde_json::{Map, Value, json};

use super::super::value::{as_text, is_blank, present, text};

/// What is built of one message.
#[derive(Default)]
struct Builder {
    content: Vec<Value>,
    calls: Vec<Value>,
    results: Vec<Value>,
    reasoning: String,
    refusal: Option<String>,
}

/// The messages of chat completions that a logged message stands for: itself, and each result of a
/// tool as one of its own.
pub(super) fn messages(logged: &Value) -> Vec<Value> {
    // OpenInference nests everything below `message`.
    let logged = logged.get("message").filter(|message| message.is_object()).unwrap_or(logged);
    let stated = text(logged, &["role", "type"]);
    let role = role(stated.as_deref().unwrap_or("user"));
    let mut builder = Builder::default();
    for name in ["parts", "content", "contents"] {
        if let Some(content) = present(logged, name) {
            builder.add_all(content);
        }
    }
    for call in logged.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
        builder.calls.push(tool_call(call));
    }
    for name in ["function_call", "function_call_name"] {
        if let Some(call) = present(logged, name).filter(|call| call.is_object()) {
            builder.calls.push(tool_call(call));
        }
    }
    builder.refusal = builder.refusal.or_else(|| text(logged, &["refusal"]));
    builder.finish(logged, role)
}

/// The role as chat completions name it.
fn role(logged: &str) -> &str {
    match logged {
        "human" | "HumanMessage" => "user",
        "ai" | "model" | "AIMessage" | "message" => "assistant",
        "SystemMessage" => "system",
        "function" | "ToolMessage" => "tool",
        other => other,
    }
}

impl Builder {
    fn add_all(&mut self, content: &Value) {
        match content {
            Value::Array(parts) => parts.iter().for_each(|part| self.add(part)),
            Value::String(logged) => match listed(logged) {
                Some(parts) => parts.iter().for_each(|part| self.add(part)),
                None => self.add(content),
            },
            part => self.add(part),
        }
    }

    fn add(&mut self, part: &Value) {
        let part = part.get("message_content").unwrap_or(part);
        if let Value::String(text) = part {
            self.content.push(json!({"type": "text", "text": text}));
            return;
        }
        let said = || text(part, &["content", "text"]).unwrap_or_default();
        match part.get("type").and_then(Value::as_str).unwrap_or("text") {
            "text" | "input_text" | "output_text" => {
                self.content.push(json!({"type": "text", "text": said()}));
            }
            "tool_call" | "tool_use" | "function_call" => self.calls.push(tool_call(part)),
            "tool_call_response" | "tool_result" => self.results.push(tool_result(part)),
            "reasoning" | "thinking" => {
                let thought = text(part, &["content", "thinking", "text"]);
                self.reasoning.push_str(&thought.unwrap_or_default());
            }
            "refusal" => self.refusal = text(part, &["content", "refusal"]),
            "blob" => self.content.push(blob(part)),
            "uri" => self.content.push(uri(part)),
            "file" if part.get("file").is_none() => {
                let id = present(part, "file_id").cloned().unwrap_or_default();
                self.content.push(json!({"type": "file", "file": {"file_id": id}}));
            }
            "image" => self.content.push(image(part)),
            _ => self.content.push(part.clone()),
        }
    }

    fn finish(self, logged: &Value, role: &str) -> Vec<Value> {
        let mut messages = self.results;
        let is_empty = self.content.is_empty() && self.calls.is_empty() && self.refusal.is_none();
        if is_empty && self.reasoning.is_empty() && !messages.is_empty() {
            return messages;
        }
        let mut message = Map::new();
        message.insert("role".to_owned(), role.into());
        message.insert("content".to_owned(), content(self.content));
        if let Some(name) = text(logged, &["name"]).filter(|_| role != "tool") {
            message.insert("name".to_owned(), name.into());
        }
        if !self.reasoning.is_empty() {
            message.insert("reasoning_content".to_owned(), self.reasoning.into());
        }
        if let Some(refusal) = self.refusal {
            message.insert("refusal".to_owned(), refusal.into());
        }
        if !self.calls.is_empty() {
            message.insert("tool_calls".to_owned(), Value::Array(self.calls));
        }
        if role == "tool" {
            let id = text(logged, &["tool_call_id", "id"]).unwrap_or_default();
            message.insert("tool_call_id".to_owned(), id.into());
        }
        messages.push(Value::Object(message));
        messages
    }
}

/// The parts in a text of JSON, which OpenLLMetry writes for content of several parts. Other texts
/// that happen to be JSON are what somebody said.
fn listed(logged: &str) -> Option<Vec<Value>> {
    let parts: Vec<Value> =
        serde_json::from_str(logged).ok().filter(|_| logged.starts_with('['))?;
    let is_part = |part: &Value| {
        let kind = part.get("type").and_then(Value::as_str);
        kind.is_some_and(|kind| match kind {
            "text" => part.get("text").or(part.get("content")).is_some(),
            "image_url" | "input_audio" | "file" | "image" | "tool_use" | "tool_result" => true,
            _ => false,
        })
    };
    (!parts.is_empty() && parts.iter().all(is_part)).then_some(parts)
}

/// One text stands for itself, as it was sent most likely.
fn content(mut parts: Vec<Value>) -> Value {
    match parts.as_mut_slice() {
        [] => Value::Null,
        [one] if one.get("type").is_some_and(|kind| kind == "text") => {
            one.get_mut("text").map(Value::take).unwrap_or_default()
        }
        _ => Value::Array(parts),
    }
}

/// A call in any of the shapes: flat, with `function`, with `tool_call`, Anthropic's.
pub(super) fn tool_call(logged: &Value) -> Value {
    let call = present(logged, "tool_call").unwrap_or(logged);
    let function = call.get("function").filter(|inner| inner.is_object()).unwrap_or(call);
    let arguments = ["arguments", "input", "args"].iter().find_map(|name| present(function, name));
    let arguments = match arguments {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "{}".to_owned(),
    };
    json!({
        "id": text(call, &["id", "call_id"]).unwrap_or_default(),
        "type": "function",
        "function": {"name": text(function, &["name"]).unwrap_or_default(), "arguments": arguments},
    })
}

fn tool_result(part: &Value) -> Value {
    let result = ["response", "result", "content"].iter().find_map(|name| present(part, name));
    let said = match result {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let id = text(part, &["id", "tool_use_id", "tool_call_id"]).unwrap_or_default();
    json!({"role": "tool", "tool_call_id": id, "content": said})
}

fn blob(part: &Value) -> Value {
    let mime = text(part, &["mime_type"]);
    let data = present(part, "content").and_then(as_text).unwrap_or_default();
    let modality = text(part, &["modality"]).unwrap_or_default();
    let kind = |kind: &str| mime.as_deref().is_some_and(|mime| mime.starts_with(kind));
    if modality == "image" || kind("image/") {
        let mime = mime.unwrap_or_else(|| "image/png".to_owned());
        let url = format!("data:{mime};base64,{data}");
        return json!({"type": "image_url", "image_url": {"url": url}});
    }
    if modality == "audio" || kind("audio/") {
        let format = mime.as_deref().and_then(|mime| mime.split_once('/')).map_or("wav", |of| of.1);
        let format = if format == "mpeg" { "mp3" } else { format };
        return json!({"type": "input_audio", "input_audio": {"data": data, "format": format}});
    }
    let mime = mime.unwrap_or_else(|| "application/octet-stream".to_owned());
    json!({"type": "file", "file": {"file_data": format!("data:{mime};base64,{data}")}})
}

fn uri(part: &Value) -> Value {
    let uri = text(part, &["uri"]).unwrap_or_default();
    let mime = text(part, &["mime_type"]).unwrap_or_default();
    let is_image =
        mime.starts_with("image/") || text(part, &["modality"]).is_some_and(|m| m == "image");
    if is_image {
        json!({"type": "image_url", "image_url": {"url": uri}})
    } else {
        json!({"type": "file", "file": {"file_url": uri}})
    }
}

/// A picture as OpenInference or Anthropic state it.
fn image(part: &Value) -> Value {
    let image = part.get("image").unwrap_or(&Value::Null);
    let url = image.get("image").unwrap_or(image).get("url").and_then(as_text);
    let source = part.get("source").unwrap_or(&Value::Null);
    let mime = text(source, &["media_type"]).unwrap_or_else(|| "image/png".to_owned());
    let data = text(source, &["data"]).map(|data| format!("data:{mime};base64,{data}"));
    match url.or(data).or_else(|| text(source, &["url"])) {
        Some(url) => json!({"type": "image_url", "image_url": {"url": url}}),
        None => part.clone(),
    }
}

/// Whether a message says, calls or answers anything; one that was logged without its content does
/// not.
pub(super) fn says_something(message: &Value) -> bool {
    let has = |name: &str| present(message, name).is_some();
    let is_assistant = message.get("role").is_some_and(|role| role == "assistant");
    has("content")
        || has("tool_calls")
        || has("refusal")
        || (is_assistant && has("reasoning_content"))
}

/// Whether a message has a picture, sound or file without its data.
pub(super) fn lacks_media(message: &Value) -> bool {
    let parts = message.get("content").and_then(Value::as_array);
    parts.into_iter().flatten().any(|part| {
        let of = |names: [&str; 2]| part.get(names[0]).map(|inner| inner.get(names[1]));
        let url = of(["image_url", "url"]).map(|url| url.is_none_or(is_elided));
        let data = of(["input_audio", "data"]).map(|data| data.is_none_or(is_elided));
        url == Some(true) || data == Some(true)
    })
}

/// Langfuse takes media out and leaves a token in their place.
fn is_elided(data: &Value) -> bool {
    let is_token = |data: &str| data.ends_with(";base64,") || data.starts_with("@@@langfuseMedia:");
    is_blank(data) || data.as_str().is_some_and(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_every_writer_become_those_of_chat_completions() {
        let call = json!({"id": "c1", "type": "function",
            "function": {"name": "f", "arguments": "{\"a\":1}"}});
        let assistant = json!([{"role": "assistant", "content": null, "tool_calls": [call]}]);
        for logged in [
            json!({"role": "assistant", "parts": [
                {"type": "tool_call", "id": "c1", "name": "f", "arguments": {"a": 1}}]}),
            json!({"role": "assistant", "parts": [], "tool_calls": [call]}),
            json!({"role": "assistant", "tool_calls": [
                {"id": "c1", "name": "f", "arguments": "{\"a\":1}"}]}),
            json!({"message": {"role": "assistant", "tool_calls": [{"tool_call":
                {"id": "c1", "function": {"name": "f", "arguments": "{\"a\":1}"}}}]}}),
            json!({"role": "assistant", "content": [
                {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}]}),
        ] {
            assert_eq!(Value::Array(messages(&logged)), assistant, "{logged}");
        }
        let result = json!([{"role": "tool", "content": "42", "tool_call_id": "c1"}]);
        for logged in [
            json!({"role": "tool", "parts": [
                {"type": "tool_call_response", "id": "c1", "response": "42"}]}),
            json!({"role": "tool", "content": "42", "tool_call_id": "c1"}),
            json!({"role": "tool", "content": "42", "id": "c1"}),
            json!({"role": "tool", "tool_call_id": "c1",
                "parts": [{"type": "text", "content": "42"}]}),
        ] {
            assert_eq!(Value::Array(messages(&logged)), result, "{logged}");
        }
    }

    #[test]
    fn media_become_addresses_and_what_is_left_out_is_noticed() {
        let logged = json!({"role": "user", "parts": [
            {"type": "text", "content": "What is this?"},
            {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "QUJD"},
            {"type": "uri", "modality": "image", "uri": "https://example.com/a.png"},
            {"type": "file", "modality": "document", "file_id": "file-1"},
            {"type": "server_tool_call", "name": "x"}]});
        let message = messages(&logged).remove(0);
        let expected = json!([{"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            {"type": "file", "file": {"file_id": "file-1"}},
            {"type": "server_tool_call", "name": "x"}]);
        assert_eq!(message["content"], expected);
        assert!(!lacks_media(&message));
        let elided = json!({"role": "user", "parts": [
            {"type": "blob", "mime_type": "image/png", "modality": "image"}]});
        assert!(lacks_media(&messages(&elided)[0]));
    }

    #[test]
    fn a_text_of_json_stays_a_text_unless_it_is_a_list_of_parts() {
        let said = |content: &str| {
            messages(&json!({"role": "user", "content": content}))[0]["content"].clone()
        };
        assert_eq!(said("[1, 2]"), "[1, 2]");
        assert_eq!(said(r#"[{"type": "bug"}]"#), r#"[{"type": "bug"}]"#);
        assert_eq!(said(r#"[{"type": "text", "text": "hi"}]"#), "hi");
        assert!(!says_something(&messages(&json!({"role": "user"}))[0]));
        assert!(says_something(&messages(&json!({"role": "assistant", "content": ""}))[0]));
    }
}
