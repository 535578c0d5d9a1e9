//! What Anthropic Messages refuses with 400, by API version (2023-06-01 and 2026-10-21).

use serde_json::Value;

use super::dialect::ApiError;
use super::validate::{
    Body, CheckContext, check_count, check_known, check_range, has, is_function_name, messages,
    text,
};

const KNOWN_FIELDS: &[&str] = &[
    "model",
    "messages",
    "max_tokens",
    "system",
    "stop_sequences",
    "stream",
    "thinking",
    "output_config",
    "tools",
    "tool_choice",
    "metadata",
    "service_tier",
    "speed",
    "cache_control",
    "inference_geo",
    "container",
    "diagnostics",
    "user_profile_id",
    "temperature",
    "top_k",
    "top_p",
];

/// The version that no longer takes sampling parameters, not even at their defaults.
const WITHOUT_SAMPLING: &str = "2026-10-21";

const EXTRA_INPUT: &str = "Extra inputs are not permitted";

/// Checks a body whose model and messages are there.
pub(super) fn check(body: &Body, context: CheckContext<'_>) -> Result<(), ApiError> {
    let version = match context.anthropic_version {
        Some(version @ ("2023-06-01" | WITHOUT_SAMPLING)) => version,
        Some(_) => return Err(ApiError::invalid("anthropic-version", "is not a known version")),
        None => return Err(ApiError::invalid("anthropic-version", "header is required")),
    };
    if !context.allow_unknown_fields {
        check_known(body, KNOWN_FIELDS, EXTRA_INPUT)?;
    }
    if !has(body, "max_tokens") {
        return Err(ApiError::invalid("max_tokens", "Field required"));
    }
    check_count(body, "max_tokens")?;
    if version == WITHOUT_SAMPLING {
        let sampling = ["temperature", "top_p", "top_k"];
        if let Some(name) = sampling.into_iter().find(|name| body.contains_key(*name)) {
            return Err(ApiError::invalid(name, EXTRA_INPUT));
        }
    }
    check_range(body, "temperature", 0.0, 1.0)?;
    check_range(body, "top_p", 0.0, 1.0)?;
    check_stop_sequences(body)?;
    check_tools(body)?;
    check_system(body.get("system"))?;
    let messages = messages(body).map(Vec::as_slice).unwrap_or_default();
    check_messages(messages, version)?;
    check_tool_order(messages, has(body, "tools"))
}

fn check_stop_sequences(body: &Body) -> Result<(), ApiError> {
    let valid = match body.get("stop_sequences") {
        None | Some(Value::Null) => true,
        Some(Value::Array(stops)) => {
            stops.iter().all(|stop| stop.as_str().is_some_and(|text| !text.trim().is_empty()))
        }
        Some(_) => false,
    };
    let problem = "each stop sequence must contain non-whitespace";
    if valid { Ok(()) } else { Err(ApiError::invalid("stop_sequences", problem)) }
}

fn check_tools(body: &Body) -> Result<(), ApiError> {
    let tools = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (index, tool) in tools.iter().enumerate() {
        // Tools of the provider's own carry a dated type and no schema.
        let hosted = !matches!(text(tool, "type"), "" | "custom");
        let schema = tool.get("input_schema").map(|schema| text(schema, "type"));
        if !is_function_name(text(tool, "name"), 128) || (!hosted && schema != Some("object")) {
            let problem = "must have a valid name and an input_schema of type object";
            return Err(ApiError::invalid(format!("tools.{index}"), problem));
        }
    }
    let Some(choice) = body.get("tool_choice").filter(|choice| !choice.is_null()) else {
        return Ok(());
    };
    let known = match text(choice, "type") {
        "none" => true,
        "auto" | "any" => !tools.is_empty(),
        "tool" => tools.iter().any(|tool| text(tool, "name") == text(choice, "name")),
        _ => false,
    };
    let problem = "must be auto, any, none or one of the given tools";
    if known { Ok(()) } else { Err(ApiError::invalid("tool_choice", problem)) }
}

fn check_system(system: Option<&Value>) -> Result<(), ApiError> {
    match system {
        None | Some(Value::Null | Value::String(_)) => Ok(()),
        Some(Value::Array(blocks)) => blocks.iter().enumerate().try_for_each(|(index, block)| {
            let at = format!("system.{index}");
            if text(block, "type") != "text" {
                return Err(ApiError::invalid(at, "must be a text block"));
            }
            check_text(block, at)
        }),
        Some(_) => Err(ApiError::invalid("system", "must be text or a list of text blocks")),
    }
}

fn check_messages(messages: &[Value], version: &str) -> Result<(), ApiError> {
    let mut before = "";
    for (index, message) in messages.iter().enumerate() {
        let role = text(message, "role");
        let at = format!("messages.{index}");
        let next = messages.get(index + 1).map(|next| text(next, "role"));
        let allowed = match role {
            "user" => true,
            "assistant" => index > 0,
            // Instructions in mid-conversation stand after a user turn and before the answer.
            "system" => before == "user" && matches!(next, None | Some("assistant")),
            _ => false,
        };
        if !allowed {
            return Err(ApiError::invalid(format!("{at}.role"), "this role cannot stand here"));
        }
        check_content(message, role, next.is_none(), version, &at)?;
        before = role;
    }
    Ok(())
}

fn check_content(
    message: &Value,
    role: &str,
    last: bool,
    version: &str,
    at: &str,
) -> Result<(), ApiError> {
    let at = format!("{at}.content");
    let ending = match message.get("content") {
        Some(Value::String(text)) if !text.is_empty() => Some(text.as_str()),
        Some(Value::Array(blocks)) if !blocks.is_empty() => {
            for (index, block) in blocks.iter().enumerate() {
                check_block(block, role, version, format!("{at}.{index}"))?;
            }
            blocks.last().and_then(|block| block.get("text")).and_then(Value::as_str)
        }
        _ => return Err(ApiError::invalid(at, "must have non-empty content")),
    };
    let trails = ending.is_some_and(|text| text.ends_with(char::is_whitespace));
    if role == "assistant" && last && trails {
        return Err(ApiError::invalid(at, "cannot end with trailing whitespace"));
    }
    Ok(())
}

fn check_block(block: &Value, role: &str, version: &str, at: String) -> Result<(), ApiError> {
    let recent = version == WITHOUT_SAMPLING;
    match (text(block, "type"), role) {
        ("", _) => Err(ApiError::invalid(at, "must have a type")),
        ("text", _) => {
            let cites = block.get("citations").and_then(Value::as_array);
            if recent && role == "user" && cites.is_some_and(|list| !list.is_empty()) {
                return Err(ApiError::invalid(format!("{at}.citations"), EXTRA_INPUT));
            }
            check_text(block, at)
        }
        ("document", "assistant") if recent => {
            Err(ApiError::invalid(at, "documents cannot stand in an assistant message"))
        }
        ("tool_use", "assistant") => {
            let valid = !text(block, "id").is_empty()
                && is_function_name(text(block, "name"), 128)
                && block.get("input").is_some_and(Value::is_object);
            let problem = "must have an id, a valid name and an object as input";
            if valid { Ok(()) } else { Err(ApiError::invalid(at, problem)) }
        }
        ("tool_use", _) => Err(ApiError::invalid(at, "only the assistant calls tools")),
        ("tool_result", "user") if !text(block, "tool_use_id").is_empty() => Ok(()),
        ("tool_result", _) => {
            Err(ApiError::invalid(at, "must have a tool_use_id and stand in a user message"))
        }
        ("image_url" | "input_audio" | "file" | "function", _) => {
            Err(ApiError::invalid(at, "is not a block of this protocol"))
        }
        _ => Ok(()),
    }
}

fn check_text(block: &Value, at: String) -> Result<(), ApiError> {
    if text(block, "text").is_empty() {
        return Err(ApiError::invalid(at, "text content blocks must be non-empty"));
    }
    Ok(())
}

/// Each `tool_use` is answered in the very next message, and nothing else is answered.
fn check_tool_order(messages: &[Value], has_tools: bool) -> Result<(), ApiError> {
    let mut open: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let mut calls = Vec::new();
        for block in message.get("content").and_then(Value::as_array).into_iter().flatten() {
            match text(block, "type") {
                "tool_use" => calls.push(text(block, "id")),
                "tool_result" => {
                    let id = text(block, "tool_use_id");
                    let Some(position) = open.iter().position(|call| *call == id) else {
                        let problem = "tool_result without its tool_use in the previous message";
                        return Err(ApiError::invalid(format!("messages.{index}"), problem));
                    };
                    open.swap_remove(position);
                }
                _ => {}
            }
        }
        if !open.is_empty() {
            let problem = "tool_use without its tool_result in the next message";
            return Err(ApiError::invalid(format!("messages.{index}"), problem));
        }
        if !calls.is_empty() && !has_tools {
            return Err(ApiError::invalid("tools", "required where messages hold tool calls"));
        }
        open = calls;
    }
    if open.is_empty() {
        return Ok(());
    }
    Err(ApiError::invalid("messages", "end with a tool_use that has no tool_result"))
}

#[cfg(test)]
#[path = "validate_anthropic_tests.rs"]
mod tests;
