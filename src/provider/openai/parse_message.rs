//! Messages of OpenAI Chat Completions into neutral form.

use serde_json::{Map, Value};

use crate::chat::{Message, Part, Role, ToolCall};
use crate::provider::adapter::{Origin, ParseError, Parsed};
use crate::provider::json::{filled_text, present, text};
use crate::provider::loss::{LossFeature, Losses};
use crate::provider::media;

/// Reads `messages`.
pub(super) fn messages(object: &Map<String, Value>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let list =
        object.get("messages").ok_or_else(|| ParseError::Missing("messages".into()))?.as_array();
    let list = list.ok_or_else(|| ParseError::wrong("messages", "a list"))?;
    let mut legacy = LegacyCalls::default();
    for (index, value) in list.iter().enumerate() {
        let path = format!("messages[{index}]");
        let object = value.as_object().ok_or_else(|| ParseError::wrong(&*path, "an object"))?;
        let mut reader = MessageReader {
            object,
            message: Message { role: Role::User, parts: Vec::new(), name: None },
            origin: Origin { path, parts: Vec::new() },
            losses: &mut parsed.losses,
        };
        reader.read(&mut legacy)?;
        parsed.request.messages.push(reader.message);
        parsed.origins.push(reader.origin);
    }
    Ok(())
}

/// Identifiers for calls of the legacy form, which has none.
#[derive(Default)]
struct LegacyCalls {
    made: usize,
}

struct MessageReader<'a> {
    object: &'a Map<String, Value>,
    message: Message,
    origin: Origin,
    losses: &'a mut Losses,
}

impl MessageReader<'_> {
    fn read(&mut self, legacy: &mut LegacyCalls) -> Result<(), ParseError> {
        let role = text(self.object, "role")
            .ok_or_else(|| ParseError::Missing(format!("{}.role", self.origin.path)))?;
        self.message.name = filled_text(self.object, "name").map(str::to_owned);
        match role {
            "system" | "developer" => {
                self.message.role = Role::System;
                self.content()?;
            }
            "user" => self.content()?,
            "assistant" => {
                self.message.role = Role::Assistant;
                self.content()?;
                self.assistant(legacy)?;
            }
            "tool" => {
                let call_id = text(self.object, "tool_call_id").unwrap_or_default().to_owned();
                self.tool_result(call_id)?;
            }
            "function" => {
                self.note(LossFeature::LegacyFunctionsUpgraded, "role");
                // The name is the call's, not a speaker's.
                self.message.name = None;
                self.tool_result(legacy_id(legacy.made))?;
            }
            _ => return Err(ParseError::wrong(format!("{}.role", self.origin.path), "a role")),
        }
        self.note_other_members();
        Ok(())
    }

    fn push(&mut self, part: Part, path: &str) {
        self.message.parts.push(part);
        self.origin.parts.push(format!("{}.{path}", self.origin.path));
    }

    fn note(&mut self, feature: LossFeature, path: &str) {
        self.losses.book(feature, format!("{}.{path}", self.origin.path), "");
    }

    fn content(&mut self) -> Result<(), ParseError> {
        match self.object.get("content") {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => self.push(Part::Text(text.clone()), "content"),
            Some(Value::Array(parts)) => {
                for (index, value) in parts.iter().enumerate() {
                    let path = format!("content[{index}]");
                    let part = part(value).ok_or_else(|| {
                        ParseError::wrong(format!("{}.{path}", self.origin.path), "a content part")
                    })?;
                    for name in ["cache_control", "prompt_cache_breakpoint"] {
                        if value.get(name).is_some_and(|mark| !mark.is_null()) {
                            self.note(LossFeature::CacheControlDropped, &format!("{path}.{name}"));
                        }
                    }
                    self.push(part, &path);
                }
            }
            Some(_) => {
                let path = format!("{}.content", self.origin.path);
                return Err(ParseError::wrong(path, "a text or a list of parts"));
            }
        }
        Ok(())
    }

    fn tool_result(&mut self, call_id: String) -> Result<(), ParseError> {
        self.message.role = Role::Tool;
        self.content()?;
        let content = std::mem::take(&mut self.message.parts);
        self.origin.parts.clear();
        self.push(Part::ToolResult { call_id, content, is_error: false }, "content");
        Ok(())
    }

    fn assistant(&mut self, legacy: &mut LegacyCalls) -> Result<(), ParseError> {
        if let Some(refusal) = filled_text(self.object, "refusal") {
            self.push(Part::Refusal(refusal.to_owned()), "refusal");
        }
        let calls = present(self.object, "tool_calls").and_then(Value::as_array);
        for (index, call) in calls.into_iter().flatten().enumerate() {
            let path = format!("tool_calls[{index}]");
            let part = tool_call(call).ok_or_else(|| {
                ParseError::wrong(format!("{}.{path}", self.origin.path), "a tool call")
            })?;
            self.push(part, &path);
        }
        if let Some(function) = self.object.get("function_call").and_then(Value::as_object) {
            legacy.made += 1;
            self.note(LossFeature::LegacyFunctionsUpgraded, "function_call");
            let call = function_call(function, &legacy_id(legacy.made));
            self.push(Part::ToolCall(call), "function_call");
        }
        Ok(())
    }

    fn note_other_members(&mut self) {
        let known =
            ["role", "content", "name", "refusal", "tool_calls", "tool_call_id", "function_call"];
        for (name, value) in self.object {
            let empty = value.is_null()
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(Map::is_empty);
            if known.contains(&name.as_str()) || empty {
                continue;
            }
            let feature = match name.as_str() {
                "reasoning_content" | "reasoning" | "reasoning_details" | "thinking_blocks" => {
                    LossFeature::ReasoningDropped
                }
                "audio" => LossFeature::AudioUnsupported,
                "cache_control" => LossFeature::CacheControlDropped,
                _ => LossFeature::MessageFieldDropped,
            };
            self.note(feature, name);
        }
    }
}

fn legacy_id(made: usize) -> String {
    format!("call_legacy_{made}")
}

fn part(value: &Value) -> Option<Part> {
    if let Some(text) = value.as_str() {
        return Some(Part::Text(text.to_owned()));
    }
    let object = value.as_object()?;
    let kind = text(object, "type")?;
    Some(match kind {
        "text" => Part::Text(text(object, "text")?.to_owned()),
        "refusal" => Part::Refusal(text(object, "refusal")?.to_owned()),
        "image_url" => {
            // LiteLLM and older servers take the address without its object.
            let image = object.get("image_url")?;
            let url = image.get("url").unwrap_or(image).as_str()?;
            media::image_at(url, image.get("detail").and_then(Value::as_str))
        }
        _ => Part::Other { kind: kind.to_owned(), raw: value.clone() },
    })
}

fn tool_call(value: &Value) -> Option<Part> {
    let object = value.as_object()?;
    let id = text(object, "id").unwrap_or_default();
    if let Some(function) = object.get("function").and_then(Value::as_object) {
        return Some(Part::ToolCall(function_call(function, id)));
    }
    Some(Part::Other { kind: text(object, "type")?.to_owned(), raw: value.clone() })
}

fn function_call(function: &Map<String, Value>, id: &str) -> ToolCall {
    let arguments = match function.get("arguments") {
        Some(Value::String(arguments)) => arguments.clone(),
        None | Some(Value::Null) => String::new(),
        Some(object) => object.to_string(),
    };
    let name = text(function, "name").unwrap_or_default().to_owned();
    ToolCall { id: id.to_owned(), name, arguments }
}
