//! System and messages of Converse requests into neutral form.

use serde_json::Value;

use crate::chat::{Part, Role, ToolCall};
use crate::provider::adapter::{ParseError, Parsed};
use crate::provider::fields::{Fields, Placed, push, push_turn};
use crate::provider::loss::{LossFeature, Losses};
use crate::provider::media;

/// Reads `system`: each text becomes a system message.
pub(super) fn system(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    for (part, path) in blocks(fields, "system", &mut parsed.losses)? {
        push(parsed, Role::System, &path.clone(), vec![(part, path)]);
    }
    Ok(())
}

/// Reads `messages`.
pub(super) fn messages(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    if fields.get("messages").is_none() {
        return Err(ParseError::Missing("messages".into()));
    }
    for (index, value) in fields.list("messages")?.iter().enumerate() {
        let path = format!("messages[{index}]");
        let message = Fields::of(value, path.clone())?;
        let role = match message.required_text("role")? {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" => Role::System,
            _ => return Err(ParseError::wrong(message.at("role"), "a role")),
        };
        let parts = blocks(&message, "content", &mut parsed.losses)?;
        push_turn(parsed, role, &path, parts);
    }
    Ok(())
}

/// Reads a list of blocks; a bare text, which gateways let through, is one.
fn blocks(fields: &Fields<'_>, name: &str, losses: &mut Losses) -> Result<Vec<Placed>, ParseError> {
    if let Some(Value::String(text)) = fields.get(name) {
        return Ok(vec![(Part::Text(text.clone()), fields.at(name))]);
    }
    let mut parts = Vec::new();
    for (index, value) in fields.list(name)?.iter().enumerate() {
        let path = format!("{}[{index}]", fields.at(name));
        let block = Fields::of(value, path.clone())?;
        parts.extend(part(&block, value, losses)?.map(|part| (part, path)));
    }
    Ok(parts)
}

fn part(block: &Fields<'_>, raw: &Value, losses: &mut Losses) -> Result<Option<Part>, ParseError> {
    if let Some(text) = block.text("text")? {
        return Ok(Some(Part::Text(text.to_owned())));
    }
    let Some((kind, _)) = block.members().next() else {
        return Err(ParseError::wrong(block.path(), "a content block"));
    };
    let mut dropped = |feature| {
        losses.book(feature, block.at(&kind), "");
        Ok(None)
    };
    let inner = match kind.as_str() {
        "cachePoint" => return dropped(LossFeature::CacheControlDropped),
        "reasoningContent" => return dropped(LossFeature::ReasoningDropped),
        "json" => return Ok(block.get("json").map(|value| Part::Text(value.to_string()))),
        _ => block.object(&kind)?,
    };
    let Some(inner) = inner else { return Ok(None) };
    let part = match kind.as_str() {
        "toolUse" => Some(tool_use(&inner)?),
        "toolResult" => Some(tool_result(&inner, losses)?),
        "image" | "audio" | "document" => medium(&kind, &inner)?,
        "guardContent" => guarded(&inner, losses)?,
        "citationsContent" => {
            losses.book(LossFeature::CitationsDropped, inner.at("citations"), "");
            let texts = blocks(&inner, "content", losses)?;
            let texts = texts.iter().filter_map(|(part, _)| match part {
                Part::Text(text) => Some(text.as_str()),
                _ => None,
            });
            Some(Part::Text(texts.collect()))
        }
        _ => None,
    };
    Ok(Some(part.unwrap_or_else(|| media::other(&kind, raw.clone()))))
}

fn tool_use(call: &Fields<'_>) -> Result<Part, ParseError> {
    let arguments = call.get("input").map_or_else(|| "{}".to_owned(), Value::to_string);
    let id = call.required_text("toolUseId")?.to_owned();
    Ok(Part::ToolCall(ToolCall { id, name: call.required_text("name")?.to_owned(), arguments }))
}

fn tool_result(result: &Fields<'_>, losses: &mut Losses) -> Result<Part, ParseError> {
    let call_id = result.required_text("toolUseId")?.to_owned();
    let content = blocks(result, "content", losses)?.into_iter().map(|(part, _)| part).collect();
    let is_error = result.text("status")? == Some("error");
    Ok(Part::ToolResult { call_id, content, is_error })
}

/// A picture, sound or document, inline or in the caller's bucket.
fn medium(kind: &str, inner: &Fields<'_>) -> Result<Option<Part>, ParseError> {
    let Some(source) = inner.object("source")? else { return Ok(None) };
    let name = inner.text("name")?;
    if let Some(place) = source.object("s3Location")? {
        return Ok(Some(media::stored_file(place.text("uri")?.unwrap_or_default())));
    }
    if let Some(text) = source.text("text")? {
        return Ok(Some(media::text_document(text, name)));
    }
    let Some(data) = source.text("bytes")? else { return Ok(None) };
    let format = inner.text("format")?.unwrap_or_default();
    Ok(match (kind, format) {
        ("image", "jpg") => media::inline("image/jpeg", data, None),
        ("image", format) => media::inline(&format!("image/{format}"), data, None),
        ("audio", format) => media::inline(&format!("audio/{format}"), data, None),
        (_, "pdf") => media::inline("application/pdf", data, name),
        _ => None,
    })
}

/// Content that a guardrail looks at; the text stays, the mark goes.
fn guarded(inner: &Fields<'_>, losses: &mut Losses) -> Result<Option<Part>, ParseError> {
    let text = inner.object("text")?.map(|text| text.text("text")).transpose()?.flatten();
    if text.is_some() {
        losses.book(LossFeature::MessageFieldDropped, inner.path(), "the guardrail's mark");
    }
    Ok(text.map(|text| Part::Text(text.to_owned())))
}
