//! Cohere request bodies into neutral form: the members beside the messages.

use serde_json::{Value, json};

use crate::chat::{ResponseFormat, Tool, ToolChoice};
use crate::provider::adapter::{ParameterNames, ParseError, Parsed};
use crate::provider::fields::Fields;
use crate::provider::json::count;
use crate::provider::loss::{LossFeature, LossSeverity};

use super::{message, version1};

/// Members that a field of the neutral request takes, or that are booked here.
const NEUTRAL: &[&str] = &[
    "model",
    "messages",
    "stream",
    "max_tokens",
    "temperature",
    "p",
    "k",
    "stop_sequences",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "tools",
    "strict_tools",
    "tool_choice",
    "documents",
    "thinking",
    "citation_options",
    "message",
    "chat_history",
    "preamble",
];

const NAMES: ParameterNames = ParameterNames {
    stop: "stop_sequences",
    reasoning_effort: "thinking",
    top_p: "p",
    top_k: "k",
    ..ParameterNames::COMMON
};

/// Reads a request body.
pub(in crate::provider) fn parse(body: &Value) -> Result<Parsed, ParseError> {
    let fields = Fields::of_body(body)?;
    let mut parsed = Parsed { names: NAMES, ..Parsed::default() };
    if fields.get("messages").is_none() && fields.get("message").is_some() {
        version1::conversation(&fields, &mut parsed)?;
    } else {
        message::messages(&fields, &mut parsed)?;
        tools(&fields, &mut parsed)?;
    }
    let request = &mut parsed.request;
    fields.text("model")?.unwrap_or_default().clone_into(&mut request.model);
    request.stream = fields.flag("stream").unwrap_or(false);
    request.max_output_tokens = fields.whole("max_tokens")?;
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("p")?;
    request.top_k = fields.whole("k")?;
    request.stop = fields.texts("stop_sequences")?;
    request.seed = fields.get("seed").and_then(Value::as_i64);
    request.presence_penalty = fields.number("presence_penalty")?;
    request.frequency_penalty = fields.number("frequency_penalty")?;
    request.response_format = response_format(&fields)?;
    let odd_seed = request.seed.is_none();
    for (name, value) in fields.members() {
        if !NEUTRAL.contains(&name.as_str()) || (name == "seed" && odd_seed) {
            request.extra.insert(name, value.clone());
        }
    }
    thinking(&fields, &mut parsed)?;
    book_others(&fields, &mut parsed);
    Ok(parsed)
}

/// A budget travels in Anthropic's form, which both encoders read.
fn thinking(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(thinking) = fields.object("thinking")? else { return Ok(()) };
    let kind = thinking.text("type")?.unwrap_or("enabled");
    let neutral = match thinking.get("token_budget").and_then(count) {
        Some(budget) if kind == "enabled" => json!({"type": kind, "budget_tokens": budget}),
        _ => json!({"type": kind}),
    };
    parsed.request.extra.insert("thinking".into(), neutral);
    Ok(())
}

fn book_others(fields: &Fields<'_>, parsed: &mut Parsed) {
    let filled = |value: &Value| value.as_array().is_none_or(|list| !list.is_empty());
    if fields.get("documents").is_some_and(filled) {
        // They are a part of the prompt that no other dialect has a place for.
        parsed.losses.book(LossFeature::ContentUnsupported, "documents", "documents to be cited");
    }
    if let Some(options) = fields.get("citation_options") {
        let is_off = options.get("mode").is_some_and(|mode| mode == "OFF");
        let severity = if is_off { LossSeverity::Benign } else { LossSeverity::Lossy };
        parsed.losses.book_as(severity, LossFeature::CitationsDropped, "citation_options", "");
    }
}

fn tools(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let strict = fields.flag("strict_tools");
    for (index, value) in fields.list("tools")?.iter().enumerate() {
        let path = format!("tools[{index}]");
        let tool = Fields::of(value, path.clone())?;
        let function = tool.object("function")?;
        let function = function.ok_or_else(|| ParseError::Missing(tool.at("function")))?;
        parsed.request.tools.push(Tool {
            name: function.required_text("name")?.to_owned(),
            description: function.text("description")?.map(str::to_owned),
            parameters: function.get("parameters").cloned(),
            strict,
        });
        for (name, _) in function.members() {
            if !["name", "description", "parameters"].contains(&name.as_str()) {
                parsed.losses.book(LossFeature::ToolFieldDropped, function.at(&name), "");
            }
        }
        parsed.tool_paths.push(path);
    }
    parsed.request.tool_choice = match fields.get("tool_choice") {
        None => None,
        Some(choice) if choice == "REQUIRED" => Some(ToolChoice::Required),
        Some(choice) if choice == "NONE" => Some(ToolChoice::None),
        Some(choice) => Some(ToolChoice::Other(choice.clone())),
    };
    Ok(())
}

fn response_format(fields: &Fields<'_>) -> Result<Option<ResponseFormat>, ParseError> {
    let Some(format) = fields.object("response_format")? else { return Ok(None) };
    // The second is the name of version 1.
    let schema = format.get("json_schema").or(format.get("schema"));
    match (format.text("type")?, schema) {
        (Some("text"), _) => Ok(Some(ResponseFormat::Text)),
        (Some("json_object"), None) => Ok(Some(ResponseFormat::JsonObject)),
        (Some("json_object"), Some(schema)) => Ok(Some(ResponseFormat::JsonSchema {
            name: None,
            schema: schema.clone(),
            strict: Some(true),
        })),
        _ => Err(ParseError::wrong(format.at("type"), "a response format")),
    }
}
