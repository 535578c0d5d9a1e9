//! Anthropic Messages request bodies into neutral form.

use serde_json::{Map, Value};

use crate::chat::{ChatRequest, ReasoningEffort, ResponseFormat, Tool, ToolChoice};
use crate::provider::adapter::{ParameterNames, ParseError, Parsed};
use crate::provider::json::{count, present, text};
use crate::provider::loss::{LossFeature, Losses};

use super::parse_message;

/// Members that a field of the neutral request takes.
const NEUTRAL: &[&str] = &[
    "model",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "stream",
    "metadata",
    "output_config",
    "cache_control",
];

const NAMES: ParameterNames = ParameterNames {
    output_cap: "max_tokens",
    stop: "stop_sequences",
    user: "metadata.user_id",
    reasoning_effort: "output_config.effort",
    response_format: "output_config.format",
    parallel_tool_calls: "tool_choice.disable_parallel_tool_use",
    ..ParameterNames::COMMON
};

/// Reads a request body.
pub(super) fn parse(body: &Value) -> Result<Parsed, ParseError> {
    let object = body.as_object().ok_or_else(|| ParseError::wrong("body", "an object"))?;
    let mut parsed = Parsed { names: NAMES, ..Parsed::default() };
    parse_message::system(object, &mut parsed)?;
    parse_message::messages(object, &mut parsed)?;
    tools(object, &mut parsed)?;
    let (request, losses) = (&mut parsed.request, &mut parsed.losses);
    text(object, "model").unwrap_or_default().clone_into(&mut request.model);
    request.max_output_tokens = whole(object, "max_tokens")?;
    request.temperature = number(object, "temperature")?;
    request.top_p = number(object, "top_p")?;
    request.top_k = whole(object, "top_k")?;
    request.stop = stop_sequences(object)?;
    request.stream = object.get("stream").and_then(Value::as_bool).unwrap_or(false);
    metadata(object, request, losses);
    output_config(object, request, losses)?;
    tool_choice(object, request);
    if present(object, "cache_control").is_some() {
        losses.book(LossFeature::CacheControlDropped, "cache_control", "");
    }
    for (name, value) in object {
        if !NEUTRAL.contains(&name.as_str()) && !value.is_null() {
            request.extra.insert(name.clone(), value.clone());
        }
    }
    Ok(parsed)
}

fn number(object: &Map<String, Value>, name: &str) -> Result<Option<f64>, ParseError> {
    let read = |value: &Value| value.as_f64().ok_or_else(|| ParseError::wrong(name, "a number"));
    present(object, name).map(read).transpose()
}

fn whole(object: &Map<String, Value>, name: &str) -> Result<Option<u64>, ParseError> {
    let read =
        |value: &Value| count(value).ok_or_else(|| ParseError::wrong(name, "a whole number"));
    present(object, name).map(read).transpose()
}

fn stop_sequences(object: &Map<String, Value>) -> Result<Vec<String>, ParseError> {
    let Some(value) = present(object, "stop_sequences") else { return Ok(Vec::new()) };
    let wrong = || ParseError::wrong("stop_sequences", "a list of texts");
    let list = value.as_array().ok_or_else(wrong)?;
    list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
}

fn metadata(object: &Map<String, Value>, request: &mut ChatRequest, losses: &mut Losses) {
    let members = present(object, "metadata").and_then(Value::as_object);
    for (name, value) in members.into_iter().flatten() {
        match (name.as_str(), value) {
            ("user_id", Value::String(user)) => request.user = Some(user.clone()),
            (_, Value::Null) => {}
            _ => losses.book(LossFeature::UserDropped, format!("metadata.{name}"), ""),
        }
    }
}

fn output_config(
    object: &Map<String, Value>,
    request: &mut ChatRequest,
    losses: &mut Losses,
) -> Result<(), ParseError> {
    let members = present(object, "output_config").and_then(Value::as_object);
    for (name, value) in members.into_iter().flatten() {
        match (name.as_str(), value) {
            (_, Value::Null) => {}
            ("effort", Value::String(effort)) => {
                request.reasoning_effort = Some(ReasoningEffort(effort.clone()));
            }
            ("format", format) => {
                let schema = format
                    .get("schema")
                    .cloned()
                    .ok_or_else(|| ParseError::Missing("output_config.format.schema".to_owned()))?;
                let format = ResponseFormat::JsonSchema { name: None, schema, strict: Some(true) };
                request.response_format = Some(format);
            }
            _ => losses.book(LossFeature::ParameterDropped, format!("output_config.{name}"), ""),
        }
    }
    Ok(())
}

fn tools(object: &Map<String, Value>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Parsed { request, losses, tool_paths, .. } = parsed;
    let Some(value) = present(object, "tools") else { return Ok(()) };
    let list = value.as_array().ok_or_else(|| ParseError::wrong("tools", "a list"))?;
    for (index, value) in list.iter().enumerate() {
        let path = format!("tools[{index}]");
        let tool = value.as_object().ok_or_else(|| ParseError::wrong(&*path, "an object"))?;
        match text(tool, "type") {
            None | Some("custom") => {}
            Some(kind) => {
                losses.book(LossFeature::HostedToolStripped, path, kind);
                request.hosted_tools.push(value.clone());
                continue;
            }
        }
        let name = text(tool, "name").ok_or_else(|| ParseError::Missing(format!("{path}.name")))?;
        request.tools.push(Tool {
            name: name.to_owned(),
            description: text(tool, "description").map(str::to_owned),
            parameters: present(tool, "input_schema").cloned(),
            strict: tool.get("strict").and_then(Value::as_bool),
        });
        for (member, value) in tool {
            let feature = match member.as_str() {
                "type" | "name" | "description" | "input_schema" | "strict" => continue,
                "cache_control" => LossFeature::CacheControlDropped,
                _ => LossFeature::ToolFieldDropped,
            };
            if !value.is_null() {
                losses.book(feature, format!("{path}.{member}"), "");
            }
        }
        tool_paths.push(path);
    }
    Ok(())
}

fn tool_choice(object: &Map<String, Value>, request: &mut ChatRequest) {
    let Some(value) = present(object, "tool_choice") else { return };
    let kind = value.get("type").and_then(Value::as_str);
    let name = value.get("name").and_then(Value::as_str);
    request.tool_choice = Some(match (kind, name) {
        (Some("auto"), _) => ToolChoice::Auto,
        (Some("any"), _) => ToolChoice::Required,
        (Some("none"), _) => ToolChoice::None,
        (Some("tool"), Some(name)) => ToolChoice::Named(name.to_owned()),
        _ => ToolChoice::Other(value.clone()),
    });
    let disabled = value.get("disable_parallel_tool_use").and_then(Value::as_bool);
    request.parallel_tool_calls = disabled.map(|disabled| !disabled);
}
