//! System blocks and messages of Anthropic Messages into neutral form.
//!
//! Each system block becomes a system message, and a user turn with tool results becomes one tool
//! message a result and a user message with the rest, so that a conversation looks the same as in
//! protocols that give tools a role of their own.

use serde_json::{Map, Value};

use crate::chat::{ImageSource, Message, Part, Role, ToolCall};
use crate::provider::adapter::{Origin, ParseError, Parsed};
use crate::provider::json::{present, text};
use crate::provider::loss::{LossFeature, Losses};

/// Reads the top-level `system`.
pub(super) fn system(object: &Map<String, Value>, parsed: &mut Parsed) -> Result<(), ParseError> {
    match present(object, "system") {
        None => {}
        Some(Value::String(text)) => {
            push(parsed, Role::System, "system", vec![(Part::Text(text.clone()), String::new())]);
        }
        Some(value) => {
            for (part, path) in blocks(value, "system", &mut parsed.losses)? {
                push(parsed, Role::System, &path.clone(), vec![(part, path)]);
            }
        }
    }
    Ok(())
}

/// Reads `messages`.
pub(super) fn messages(object: &Map<String, Value>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let value = object.get("messages").ok_or_else(|| ParseError::Missing("messages".into()))?;
    let list = value.as_array().ok_or_else(|| ParseError::wrong("messages", "a list"))?;
    for (index, message) in list.iter().enumerate() {
        let path = format!("messages[{index}]");
        let role = match message.get("role").and_then(Value::as_str) {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => Role::System,
            Some(_) => return Err(ParseError::wrong(format!("{path}.role"), "a role")),
            None => return Err(ParseError::Missing(format!("{path}.role"))),
        };
        let content_path = format!("{path}.content");
        let content = match message.get("content") {
            None | Some(Value::Null) => return Err(ParseError::Missing(content_path)),
            Some(Value::String(text)) => vec![(Part::Text(text.clone()), content_path)],
            Some(value) => blocks(value, &content_path, &mut parsed.losses)?,
        };
        let (results, rest): (Vec<_>, Vec<_>) =
            content.into_iter().partition(|(part, _)| matches!(part, Part::ToolResult { .. }));
        let only_results = !results.is_empty() && rest.is_empty();
        for result in results {
            push(parsed, Role::Tool, &path, vec![result]);
        }
        if !only_results {
            push(parsed, role, &path, rest);
        }
    }
    Ok(())
}

fn push(parsed: &mut Parsed, role: Role, path: &str, parts: Vec<(Part, String)>) {
    let (parts, paths) = parts.into_iter().unzip();
    parsed.request.messages.push(Message { role, parts, name: None });
    parsed.origins.push(Origin { path: path.to_owned(), parts: paths });
}

/// Reads a list of content blocks, each with its path.
fn blocks(
    value: &Value,
    path: &str,
    losses: &mut Losses,
) -> Result<Vec<(Part, String)>, ParseError> {
    let list =
        value.as_array().ok_or_else(|| ParseError::wrong(path, "a text or a list of blocks"))?;
    let mut parts = Vec::with_capacity(list.len());
    for (index, block) in list.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let part = block.as_object().map(|object| part(object, block, &path, losses));
        let part = part.transpose()?.flatten();
        parts.push((part.ok_or_else(|| ParseError::wrong(&*path, "a content block"))?, path));
    }
    Ok(parts)
}

fn part(
    object: &Map<String, Value>,
    raw: &Value,
    path: &str,
    losses: &mut Losses,
) -> Result<Option<Part>, ParseError> {
    if present(object, "cache_control").is_some() {
        losses.book(LossFeature::CacheControlDropped, format!("{path}.cache_control"), "");
    }
    let Some(kind) = text(object, "type") else { return Ok(None) };
    let part = match kind {
        "text" => {
            let cited = object.get("citations").and_then(Value::as_array);
            if cited.is_some_and(|list| !list.is_empty()) {
                losses.book(LossFeature::CitationsDropped, format!("{path}.citations"), "");
            }
            text(object, "text").map(|text| Part::Text(text.to_owned()))
        }
        "image" => Some(match image_source(object) {
            Some(source) => Part::Image { source, detail: None },
            None => other(kind, raw),
        }),
        "tool_use" => tool_use(object),
        "tool_result" => Some(tool_result(object, path, losses)?),
        _ => Some(other(kind, raw)),
    };
    Ok(part)
}

fn other(kind: &str, raw: &Value) -> Part {
    Part::Other { kind: kind.to_owned(), raw: raw.clone() }
}

fn image_source(block: &Map<String, Value>) -> Option<ImageSource> {
    let source = block.get("source")?.as_object()?;
    match text(source, "type")? {
        "base64" => Some(ImageSource::Base64 {
            media_type: text(source, "media_type")?.to_owned(),
            data: text(source, "data")?.to_owned(),
        }),
        "url" => Some(ImageSource::Url(text(source, "url")?.to_owned())),
        _ => None,
    }
}

fn tool_use(block: &Map<String, Value>) -> Option<Part> {
    let arguments = present(block, "input").map_or_else(|| "{}".to_owned(), Value::to_string);
    let id = text(block, "id")?.to_owned();
    Some(Part::ToolCall(ToolCall { id, name: text(block, "name")?.to_owned(), arguments }))
}

fn tool_result(
    block: &Map<String, Value>,
    path: &str,
    losses: &mut Losses,
) -> Result<Part, ParseError> {
    let call_id = text(block, "tool_use_id")
        .ok_or_else(|| ParseError::Missing(format!("{path}.tool_use_id")))?
        .to_owned();
    let is_error = block.get("is_error").and_then(Value::as_bool).unwrap_or(false);
    let content = match present(block, "content") {
        None => Vec::new(),
        Some(Value::String(text)) => vec![Part::Text(text.clone())],
        Some(value) => blocks(value, &format!("{path}.content"), losses)?
            .into_iter()
            .map(|(part, _)| part)
            .collect(),
    };
    Ok(Part::ToolResult { call_id, content, is_error })
}
