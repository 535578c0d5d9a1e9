//! Messages of Cohere's version 2 into neutral form.

use serde_json::Value;

use crate::chat::{Part, Role, ToolCall};
use crate::provider::adapter::{ParseError, Parsed};
use crate::provider::fields::{Fields, Placed, push};
use crate::provider::loss::LossFeature;
use crate::provider::media;

/// Reads `messages`.
pub(super) fn messages(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    if fields.get("messages").is_none() {
        return Err(ParseError::Missing("messages".into()));
    }
    for (index, value) in fields.list("messages")?.iter().enumerate() {
        let path = format!("messages[{index}]");
        let message = Fields::of(value, path.clone())?;
        let role = match message.required_text("role")? {
            "system" | "developer" => Role::System,
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "tool" => Role::Tool,
            _ => return Err(ParseError::wrong(message.at("role"), "a role")),
        };
        let mut parts = content(&message, parsed)?;
        match role {
            Role::Tool => {
                let call_id = message.text("tool_call_id")?.unwrap_or_default().to_owned();
                let content = parts.into_iter().map(|(part, _)| part).collect();
                let result = Part::ToolResult { call_id, content, is_error: false };
                parts = vec![(result, message.at("content"))];
            }
            Role::Assistant => parts.extend(calls(&message, parsed)?),
            Role::System | Role::User => {}
        }
        push(parsed, role, &path, parts);
    }
    Ok(())
}

fn content(message: &Fields<'_>, parsed: &mut Parsed) -> Result<Vec<Placed>, ParseError> {
    if let Some(Value::String(text)) = message.get("content") {
        return Ok(vec![(Part::Text(text.clone()), message.at("content"))]);
    }
    let mut parts = Vec::new();
    for (index, value) in message.list("content")?.iter().enumerate() {
        let path = message.at(&format!("content[{index}]"));
        let own = Fields::of(value, path.clone())?;
        let part = match own.required_text("type")? {
            "text" => Part::Text(own.required_text("text")?.to_owned()),
            "thinking" => {
                parsed.losses.book(LossFeature::ReasoningDropped, path, "");
                continue;
            }
            "image_url" => {
                let missing = || ParseError::Missing(own.at("image_url.url"));
                let image = own.object("image_url")?.ok_or_else(missing)?;
                media::image_at(image.required_text("url")?, image.text("detail")?)
            }
            "document" => {
                let document = own.object("document")?;
                let data = document.as_ref().and_then(|document| document.get("data"));
                match data {
                    Some(Value::String(text)) => Part::Text(text.clone()),
                    Some(data) => Part::Text(data.to_string()),
                    None => media::other("document", value.clone()),
                }
            }
            kind => media::other(kind, value.clone()),
        };
        parts.push((part, path));
    }
    Ok(parts)
}

fn calls(message: &Fields<'_>, parsed: &mut Parsed) -> Result<Vec<Placed>, ParseError> {
    if message.text("tool_plan")?.is_some_and(|plan| !plan.is_empty()) {
        parsed.losses.book(LossFeature::ReasoningDropped, message.at("tool_plan"), "");
    }
    if message.get("citations").is_some() {
        parsed.losses.book(LossFeature::CitationsDropped, message.at("citations"), "");
    }
    let mut parts = Vec::new();
    for (index, value) in message.list("tool_calls")?.iter().enumerate() {
        let path = message.at(&format!("tool_calls[{index}]"));
        let call = Fields::of(value, path.clone())?;
        let missing = || ParseError::Missing(call.at("function"));
        let function = call.object("function")?.ok_or_else(missing)?;
        let arguments = match function.get("arguments") {
            Some(Value::String(text)) => text.clone(),
            Some(object) => object.to_string(),
            None => String::new(),
        };
        let id = call.text("id")?.unwrap_or_default().to_owned();
        let name = function.required_text("name")?.to_owned();
        parts.push((Part::ToolCall(ToolCall { id, name, arguments }), path));
    }
    Ok(parts)
}
