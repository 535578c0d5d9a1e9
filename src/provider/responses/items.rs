//! Input items of Responses requests into neutral messages.

use serde_json::Value;

use crate::chat::{Part, Role, ToolCall};
use crate::provider::adapter::{ParseError, Parsed};
use crate::provider::fields::{Fields, Placed, push};
use crate::provider::loss::{LossFeature, LossSeverity};
use crate::provider::media;

/// What the provider's own tools leave in a conversation; their work shows in later messages.
const HOSTED_ITEMS: &[&str] = &[
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "tool_search_call",
    "tool_search_output",
    "mcp_call",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
];

/// Reads `input`: a text, or a list of items.
pub(super) fn input(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    match fields.get("input") {
        None if fields.get("prompt").is_some() => Ok(()),
        None => Err(ParseError::Missing("input".into())),
        Some(Value::String(text)) => {
            let part = (Part::Text(text.clone()), "input".to_owned());
            push(parsed, Role::User, "input", vec![part]);
            Ok(())
        }
        Some(_) => {
            for (index, value) in fields.list("input")?.iter().enumerate() {
                let path = format!("input[{index}]");
                item(&Fields::of(value, path)?, parsed)?;
            }
            Ok(())
        }
    }
}

fn item(item: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    match item.text("type")? {
        None | Some("message") => message(item, parsed),
        Some("function_call") => {
            let id = item.text("call_id")?.or(item.text("id")?).unwrap_or_default().to_owned();
            let name = item.required_text("name")?.to_owned();
            let arguments = item.text("arguments")?.unwrap_or_default().to_owned();
            let call = Part::ToolCall(ToolCall { id, name, arguments });
            assistant(item.path(), vec![(call, item.path().to_owned())], parsed, true);
            Ok(())
        }
        Some("function_call_output") => {
            let call_id = item.text("call_id")?.unwrap_or_default().to_owned();
            let content = content(item, "output", parsed)?.into_iter().map(|(part, _)| part);
            let result = Part::ToolResult { call_id, content: content.collect(), is_error: false };
            push(parsed, Role::Tool, item.path(), vec![(result, item.at("output"))]);
            Ok(())
        }
        Some("reasoning") => {
            parsed.losses.book(LossFeature::ReasoningDropped, item.path(), "");
            Ok(())
        }
        Some("item_reference") => {
            let feature = LossFeature::ServerStateStripped;
            parsed.losses.book_as(LossSeverity::Untranslatable, feature, item.path(), "");
            Ok(())
        }
        Some(kind @ ("custom_tool_call" | "custom_tool_call_output")) => {
            parsed.losses.book(LossFeature::CustomToolUnsupported, item.path(), kind);
            Ok(())
        }
        Some(kind) => {
            let feature = if HOSTED_ITEMS.contains(&kind) {
                LossFeature::HostedToolStripped
            } else {
                LossFeature::ContentUnsupported
            };
            parsed.losses.book(feature, item.path(), kind);
            Ok(())
        }
    }
}

fn message(item: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let role = match item.required_text("role")? {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" | "developer" => Role::System,
        _ => return Err(ParseError::wrong(item.at("role"), "a role")),
    };
    let parts = content(item, "content", parsed)?;
    if role == Role::Assistant {
        assistant(item.path(), parts, parsed, false);
    } else {
        push(parsed, role, item.path(), parts);
    }
    Ok(())
}

/// Adds what the model said. The items of one answer are one message: a call belongs to what was
/// said before it, and a text after a call stands before the call's result.
fn assistant(path: &str, parts: Vec<Placed>, parsed: &mut Parsed, is_call: bool) {
    let calls = |part: &Part| matches!(part, Part::ToolCall(_));
    let last = parsed.request.messages.last_mut().zip(parsed.origins.last_mut());
    let open = last.filter(|(message, _)| {
        message.role == Role::Assistant && (is_call || message.parts.iter().any(calls))
    });
    match open {
        Some((message, origin)) => {
            for (part, path) in parts {
                message.parts.push(part);
                origin.parts.push(path);
            }
        }
        None => push(parsed, Role::Assistant, path, parts),
    }
}

/// Reads a text or a list of parts.
fn content(item: &Fields<'_>, name: &str, parsed: &mut Parsed) -> Result<Vec<Placed>, ParseError> {
    if let Some(Value::String(text)) = item.get(name) {
        return Ok(vec![(Part::Text(text.clone()), item.at(name))]);
    }
    let mut parts = Vec::new();
    for (index, value) in item.list(name)?.iter().enumerate() {
        let path = format!("{}[{index}]", item.at(name));
        let own = Fields::of(value, path.clone())?;
        if own.get("prompt_cache_breakpoint").is_some() {
            let at = own.at("prompt_cache_breakpoint");
            parsed.losses.book(LossFeature::CacheControlDropped, at, "");
        }
        parts.push((part(&own, value)?, path));
    }
    Ok(parts)
}

fn part(own: &Fields<'_>, raw: &Value) -> Result<Part, ParseError> {
    let kind = own.required_text("type")?;
    let part = match kind {
        "input_text" | "output_text" | "text" => {
            Some(Part::Text(own.required_text("text")?.to_owned()))
        }
        "refusal" => Some(Part::Refusal(own.required_text("refusal")?.to_owned())),
        "input_image" => match (own.text("image_url")?, own.text("file_id")?) {
            (Some(url), _) => Some(media::image_at(url, own.text("detail")?)),
            (None, Some(id)) => Some(media::stored_file(id)),
            (None, None) => None,
        },
        "input_file" => match (own.text("file_data")?, own.text("file_id")?) {
            (Some(data), _) => Some(media::file(data, own.text("filename")?)),
            (None, Some(id)) => Some(media::stored_file(id)),
            (None, None) => None,
        },
        "input_audio" => {
            let audio = own.object("input_audio")?;
            let data = audio.as_ref().map(|audio| audio.text("data")).transpose()?.flatten();
            let format = audio.as_ref().map(|audio| audio.text("format")).transpose()?.flatten();
            data.map(|data| media::audio(format.unwrap_or("wav"), data))
        }
        _ => None,
    };
    Ok(part.unwrap_or_else(|| media::other(kind, raw.clone())))
}
