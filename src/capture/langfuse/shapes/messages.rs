//! Messages of traces as messages of OpenAI Chat Completions.
//!
//! LangChain writes a message in three ways: `{"type": "human", "content": …}`, the constructor
//! `{"lc": 1, "type": "constructor", "id": […, "HumanMessage"], "kwargs": {…}}`, and
//! `{"type": "human", "data": {…}}`. Its tool calls are `{"name", "args", "id"}` with parsed
//! arguments; those in `additional_kwargs` are as the provider sent them and go first.

use serde_json::{Map, Value, json};

use crate::capture::value::{decoded, is_blank, path, present};

use super::tools::is_definition;

/// A conversation and the tools that were found in it.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    pub(super) messages: Vec<Value>,
    pub(super) tools: Vec<Value>,
    /// Whether a message was rewritten, so that all are OpenAI's now.
    pub(super) rewritten: bool,
}

impl Conversation {
    /// Reads a list of messages; `None` if one of them is no message.
    pub(super) fn of(list: &[Value]) -> Option<Self> {
        let mut conversation = Conversation::default();
        for value in list {
            if let Some(tool) = definition(value) {
                conversation.tools.push(tool.into_owned());
                continue;
            }
            let message = Message::of(value)?;
            if message.is_foreign() {
                conversation.rewritten = true;
                conversation.messages.push(message.openai());
            } else {
                conversation.messages.push(value.clone());
            }
        }
        Some(conversation)
    }
}

fn definition(message: &Value) -> Option<std::borrow::Cow<'_, Value>> {
    if message.get("role")? != "tool" || present(message, "tool_call_id").is_some() {
        return None;
    }
    let content = decoded(message.get("content")?);
    is_definition(&content).then_some(content)
}

/// The role of OpenAI for a role, a type or a class of LangChain.
fn role_of(kind: &str) -> Option<&'static str> {
    let kind = kind.strip_suffix("Chunk").unwrap_or(kind);
    Some(match kind {
        "user" | "human" | "HumanMessage" => "user",
        "assistant" | "ai" | "AIMessage" | "model" => "assistant",
        "system" | "SystemMessage" => "system",
        "developer" => "developer",
        "tool" | "ToolMessage" => "tool",
        "function" | "FunctionMessage" => "function",
        _ => return None,
    })
}

/// A message with the object that holds its members.
pub(super) struct Message<'m> {
    role: &'static str,
    members: &'m Value,
    /// It is written in LangChain's way, not in a provider's.
    serialised: bool,
}

impl<'m> Message<'m> {
    /// Recognises a message; `None` for anything else.
    pub(super) fn of(value: &'m Value) -> Option<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let class = value.get("id").and_then(Value::as_array).and_then(|id| id.last()?.as_str());
        if let Some(members) = present(value, "kwargs").filter(|kwargs| kwargs.is_object()) {
            let named = |name: &str| members.get(name).and_then(Value::as_str);
            let kinds = [class, named("type"), named("role")];
            let role = kinds.into_iter().flatten().find_map(role_of)?;
            return Some(Message { role, members, serialised: true });
        }
        if let Some(members) = present(value, "data").filter(|data| data.is_object()) {
            let role = text("type").and_then(role_of)?;
            return Some(Message { role, members, serialised: true });
        }
        let has_content = value.get("content").is_some()
            || present(value, "tool_calls").is_some()
            || present(value, "function_call").is_some();
        if let Some(name) = text("role") {
            let role = role_of(name).filter(|_| has_content)?;
            let is_own = role == name;
            return Some(Message { role, members: value, serialised: !is_own });
        }
        let role = text("type").and_then(role_of).filter(|_| has_content)?;
        Some(Message { role, members: value, serialised: true })
    }

    fn is_foreign(&self) -> bool {
        const MARKS: &[&str] = &["additional_kwargs", "response_metadata", "invalid_tool_calls"];
        let calls = self.members.get("tool_calls").and_then(Value::as_array);
        let mut calls = calls.into_iter().flatten();
        self.serialised
            || MARKS.iter().any(|mark| self.members.get(*mark).is_some())
            || calls.any(|call| call.get("function").is_none())
    }

    /// Whether a model wrote it.
    pub(super) fn is_answer(&self) -> bool {
        self.role == "assistant"
    }

    /// Why the answer ended, where LangChain keeps it.
    pub(super) fn finish_reason(&self) -> Option<String> {
        let metadata = self.members.get("response_metadata")?;
        let names = ["finish_reason", "stop_reason", "stopReason"];
        names.iter().find_map(|name| metadata.get(*name)?.as_str().map(str::to_owned))
    }

    /// The model that answered, where LangChain keeps it.
    pub(super) fn model(&self) -> Option<String> {
        let metadata = self.members.get("response_metadata")?;
        let names = ["model_name", "model"];
        names.iter().find_map(|name| metadata.get(*name)?.as_str().map(str::to_owned))
    }

    /// What LangChain counted.
    pub(super) fn usage(&self) -> Option<&'m Value> {
        present(self.members, "usage_metadata")
    }

    /// The message as OpenAI writes it.
    pub(super) fn openai(&self) -> Value {
        let mut message = Map::new();
        message.insert("role".to_owned(), json!(self.role));
        let calls = self.calls();
        let content = self.members.get("content").unwrap_or(&Value::Null);
        message.insert("content".to_owned(), content_of(content, !calls.is_empty()));
        if !calls.is_empty() {
            message.insert("tool_calls".to_owned(), Value::Array(calls));
        }
        for name in ["name", "tool_call_id", "function_call", "refusal"] {
            let own = present(self.members, name);
            let kept = own.or_else(|| path(self.members, &["additional_kwargs", name]));
            if let Some(value) = kept.filter(|value| !is_blank(value)) {
                message.insert(name.to_owned(), value.clone());
            }
        }
        Value::Object(message)
    }

    fn calls(&self) -> Vec<Value> {
        let places = [&["additional_kwargs", "tool_calls"][..], &["tool_calls"]];
        let lists = places.iter().filter_map(|place| path(self.members, place)?.as_array());
        let calls = lists.into_iter().find(|calls| !calls.is_empty());
        calls.into_iter().flatten().filter_map(call).collect()
    }
}

/// A call of a tool as OpenAI writes it, from that, from LangChain's shape and from a bare
/// function.
pub(super) fn call(value: &Value) -> Option<Value> {
    let function = value.get("function").filter(|function| function.is_object()).unwrap_or(value);
    let name = function.get("name")?.as_str()?;
    let arguments = function.get("arguments").or_else(|| function.get("args"));
    let arguments = match arguments? {
        Value::String(text) => text.clone(),
        Value::Null => "{}".to_owned(),
        object => object.to_string(),
    };
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
    let function = json!({ "name": name, "arguments": arguments });
    Some(json!({ "id": id, "type": "function", "function": function }))
}

/// Content in OpenAI's parts; Anthropic's blocks of tool use are dropped where the calls are told
/// apart.
fn content_of(content: &Value, has_calls: bool) -> Value {
    let Value::Array(parts) = content else { return content.clone() };
    let is_call = |part: &&Value| {
        part.get("type").is_some_and(|kind| {
            ["tool_use", "tool_call", "input_json_delta", "function_call"]
                .iter()
                .any(|name| kind == *name)
        })
    };
    let kept = parts.iter().filter(|part| !(has_calls && is_call(part)));
    Value::Array(kept.map(part_of).collect())
}

/// LangChain's own form of a picture is `{"type": "image", "source_type" …}` or, later,
/// `{"type": "image", "base64" | "url", "mime_type"}`.
fn part_of(part: &Value) -> Value {
    let text = |name: &str| part.get(name).and_then(Value::as_str);
    if text("type") != Some("image") || part.get("source").is_some() {
        return part.clone();
    }
    let media_type = text("mime_type").unwrap_or("image/png");
    let inline = text("base64").or_else(|| text("data"));
    let url = inline.map_or_else(
        || text("url").map(str::to_owned),
        |data| Some(format!("data:{media_type};base64,{data}")),
    );
    url.map_or_else(|| part.clone(), |url| json!({"type": "image_url", "image_url": {"url": url}}))
}
