//! Responses request bodies into neutral form: the members beside the input.

use serde_json::{Value, json};

use crate::chat::{Part, ReasoningEffort, ResponseFormat, Role, Tool, ToolChoice};
use crate::provider::adapter::{ParameterNames, ParseError, Parsed};
use crate::provider::fields::{Fields, push};
use crate::provider::loss::{LossFeature, LossSeverity};
use crate::provider::openai::RESPONSES_EFFORT;

use super::items;

/// Members that a field of the neutral request takes, or that are booked here.
const NEUTRAL: &[&str] = &[
    "model",
    "input",
    "instructions",
    "max_output_tokens",
    "temperature",
    "top_p",
    "parallel_tool_calls",
    "stream",
    "user",
    "text",
    "reasoning",
    "tools",
    "tool_choice",
    "previous_response_id",
    "conversation",
    "prompt",
    "truncation",
    "max_tool_calls",
];

/// Members by which a part of the prompt stands at the provider alone.
const STORED_PROMPT: &[&str] = &["previous_response_id", "conversation", "prompt"];

const NAMES: ParameterNames = ParameterNames {
    output_cap: "max_output_tokens",
    reasoning_effort: RESPONSES_EFFORT,
    response_format: "text.format",
    ..ParameterNames::COMMON
};

/// Reads a request body.
pub(in crate::provider) fn parse(body: &Value) -> Result<Parsed, ParseError> {
    let fields = Fields::of_body(body)?;
    let mut parsed = Parsed { names: NAMES, ..Parsed::default() };
    if let Some(text) = fields.text("instructions")? {
        let part = (Part::Text(text.to_owned()), "instructions".to_owned());
        push(&mut parsed, Role::System, "instructions", vec![part]);
    }
    items::input(&fields, &mut parsed)?;
    tools(&fields, &mut parsed)?;
    tool_choice(&fields, &mut parsed)?;
    text_settings(&fields, &mut parsed)?;
    reasoning(&fields, &mut parsed)?;
    let request = &mut parsed.request;
    fields.text("model")?.unwrap_or_default().clone_into(&mut request.model);
    request.max_output_tokens = fields.whole("max_output_tokens")?;
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.parallel_tool_calls = fields.flag("parallel_tool_calls");
    request.stream = fields.flag("stream").unwrap_or(false);
    request.user = fields.text("user")?.map(str::to_owned);
    for (name, value) in fields.members() {
        if !NEUTRAL.contains(&name.as_str()) {
            request.extra.insert(name, value.clone());
        }
    }
    book_others(&fields, &mut parsed);
    Ok(parsed)
}

fn book_others(fields: &Fields<'_>, parsed: &mut Parsed) {
    for name in STORED_PROMPT.iter().filter(|name| fields.get(name).is_some()) {
        let feature = LossFeature::ServerStateStripped;
        parsed.losses.book_as(LossSeverity::Untranslatable, feature, *name, "");
    }
    if let Some(truncation) = fields.get("truncation") {
        let is_default = truncation == "disabled";
        let severity = if is_default { LossSeverity::Benign } else { LossSeverity::Lossy };
        parsed.losses.book_as(severity, LossFeature::ParameterDropped, "truncation", "");
    }
    if fields.get("max_tool_calls").is_some() {
        // It limits the provider's own tools, which are stripped.
        let feature = LossFeature::ParameterDropped;
        parsed.losses.book_as(LossSeverity::Benign, feature, "max_tool_calls", "");
    }
}

fn tools(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    for (index, value) in fields.list("tools")?.iter().enumerate() {
        let path = format!("tools[{index}]");
        let tool = Fields::of(value, path.clone())?;
        match tool.text("type")? {
            Some("function") | None => {}
            Some("custom") => {
                parsed.losses.book(LossFeature::CustomToolUnsupported, path, "custom tool");
                parsed.request.hosted_tools.push(value.clone());
                continue;
            }
            Some(kind) => {
                parsed.losses.book(LossFeature::HostedToolStripped, path, kind);
                parsed.request.hosted_tools.push(value.clone());
                continue;
            }
        }
        parsed.request.tools.push(Tool {
            name: tool.required_text("name")?.to_owned(),
            description: tool.text("description")?.map(str::to_owned),
            parameters: tool.get("parameters").cloned(),
            strict: tool.flag("strict"),
        });
        for (name, _) in tool.members() {
            let known = ["type", "name", "description", "parameters", "strict"];
            if !known.contains(&name.as_str()) {
                parsed.losses.book(LossFeature::ToolFieldDropped, tool.at(&name), "");
            }
        }
        parsed.tool_paths.push(path);
    }
    Ok(())
}

fn tool_choice(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(value) = fields.get("tool_choice") else { return Ok(()) };
    let choice = match value.as_str() {
        Some("auto") => ToolChoice::Auto,
        Some("none") => ToolChoice::None,
        Some("required") => ToolChoice::Required,
        Some(_) => ToolChoice::Other(value.clone()),
        None => {
            let choice = Fields::of(value, "tool_choice")?;
            match (choice.text("type")?, choice.text("name")?) {
                (Some("function"), Some(name)) => ToolChoice::Named(name.to_owned()),
                (Some("allowed_tools"), _) => allowed_tools(&choice)?,
                (Some("custom") | None, _) => ToolChoice::Other(value.clone()),
                (Some(kind), _) => {
                    parsed.losses.book(LossFeature::HostedToolStripped, "tool_choice", kind);
                    return Ok(());
                }
            }
        }
    };
    parsed.request.tool_choice = Some(choice);
    Ok(())
}

/// A choice among some of the tools, in the form of OpenAI Chat Completions.
fn allowed_tools(choice: &Fields<'_>) -> Result<ToolChoice, ParseError> {
    let tool = |tool: &Value| match tool.get("name") {
        Some(name) => json!({"type": "function", "function": {"name": name}}),
        None => tool.clone(),
    };
    let tools: Vec<Value> = choice.list("tools")?.iter().map(tool).collect();
    let mode = choice.text("mode")?.unwrap_or("auto");
    let allowed = json!({"mode": mode, "tools": tools});
    Ok(ToolChoice::Other(json!({"type": "allowed_tools", "allowed_tools": allowed})))
}

fn text_settings(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(text) = fields.object("text")? else { return Ok(()) };
    for (name, value) in text.members() {
        match name.as_str() {
            "format" => {}
            // The same parameter as in chat.
            "verbosity" => {
                parsed.request.extra.insert(name, value.clone());
            }
            _ => parsed.losses.book(LossFeature::ParameterDropped, text.at(&name), ""),
        }
    }
    let Some(format) = text.object("format")? else { return Ok(()) };
    parsed.request.response_format = Some(match format.text("type")? {
        Some("text") => ResponseFormat::Text,
        Some("json_object") => ResponseFormat::JsonObject,
        Some("json_schema") => {
            let missing = || ParseError::Missing(format.at("schema"));
            ResponseFormat::JsonSchema {
                name: format.text("name")?.map(str::to_owned),
                schema: format.get("schema").cloned().ok_or_else(missing)?,
                strict: format.flag("strict"),
            }
        }
        _ => return Err(ParseError::wrong(format.at("type"), "a response format")),
    });
    Ok(())
}

fn reasoning(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(reasoning) = fields.object("reasoning")? else { return Ok(()) };
    if let Some(effort) = reasoning.text("effort")? {
        parsed.request.reasoning_effort = Some(ReasoningEffort(effort.to_owned()));
    }
    for (name, _) in reasoning.members().filter(|(name, _)| name != "effort") {
        // A summary only shows what was thought.
        let shows = matches!(name.as_str(), "summary" | "generate_summary");
        let severity = if shows { LossSeverity::Benign } else { LossSeverity::Lossy };
        parsed.losses.book_as(severity, LossFeature::ParameterDropped, reasoning.at(&name), "");
    }
    Ok(())
}
