//! Converse request bodies into neutral form: the members beside system and messages.

use serde_json::Value;

use crate::chat::{ReasoningEffort, ResponseFormat, Tool, ToolChoice};
use crate::provider::adapter::{ParameterNames, ParseError, Parsed};
use crate::provider::fields::Fields;
use crate::provider::json::count;
use crate::provider::loss::{LossFeature, LossSeverity};

use super::message;

/// Members that a field of the neutral request takes, or that are booked here.
const NEUTRAL: &[&str] = &[
    "model",
    "modelId",
    "stream",
    "schemaVersion",
    "system",
    "messages",
    "inferenceConfig",
    "toolConfig",
    "outputConfig",
    "additionalModelRequestFields",
    "promptVariables",
];

const NAMES: ParameterNames = ParameterNames {
    output_cap: "inferenceConfig.maxTokens",
    stop: "inferenceConfig.stopSequences",
    user: "requestMetadata",
    reasoning_effort: "additionalModelRequestFields",
    response_format: "outputConfig.textFormat",
    parallel_tool_calls: "toolConfig.toolChoice",
    tool_choice: "toolConfig.toolChoice",
    temperature: "inferenceConfig.temperature",
    top_p: "inferenceConfig.topP",
    top_k: "additionalModelRequestFields.top_k",
    ..ParameterNames::COMMON
};

/// Reads a request body.
pub(in crate::provider) fn parse(body: &Value) -> Result<Parsed, ParseError> {
    let fields = Fields::of_body(body)?;
    let mut parsed = Parsed { names: NAMES, ..Parsed::default() };
    let model = fields.text("model")?.or(fields.text("modelId")?);
    model.unwrap_or_default().clone_into(&mut parsed.request.model);
    parsed.request.stream = fields.flag("stream").unwrap_or(false);
    message::system(&fields, &mut parsed)?;
    message::messages(&fields, &mut parsed)?;
    inference(&fields, &mut parsed)?;
    tools(&fields, &mut parsed)?;
    output_config(&fields, &mut parsed)?;
    model_fields(&fields, &mut parsed)?;
    if fields.get("promptVariables").is_some() {
        // The prompt itself stands at the provider alone.
        parsed.losses.book_as(
            LossSeverity::Untranslatable,
            LossFeature::ServerStateStripped,
            "promptVariables",
            "",
        );
    }
    for (name, value) in fields.members() {
        if !NEUTRAL.contains(&name.as_str()) {
            parsed.request.extra.insert(name, value.clone());
        }
    }
    Ok(parsed)
}

fn inference(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(config) = fields.object("inferenceConfig")? else { return Ok(()) };
    let request = &mut parsed.request;
    // The second names are those of Nova's own body.
    let cap = config.whole("maxTokens")?.or(config.whole("max_new_tokens")?);
    request.max_output_tokens = cap.or(config.whole("maxNewTokens")?);
    request.temperature = config.number("temperature")?;
    request.top_p = config.number("topP")?.or(config.number("top_p")?);
    request.top_k = config.whole("topK")?.or(config.whole("top_k")?);
    request.stop = config.texts("stopSequences")?;
    for (name, _) in config.members() {
        let known = [
            "maxTokens",
            "max_new_tokens",
            "maxNewTokens",
            "temperature",
            "topP",
            "top_p",
            "topK",
            "top_k",
            "stopSequences",
        ];
        if !known.contains(&name.as_str()) {
            parsed.losses.book(LossFeature::ParameterDropped, config.at(&name), "");
        }
    }
    Ok(())
}

fn tools(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(config) = fields.object("toolConfig")? else { return Ok(()) };
    for (index, value) in config.list("tools")?.iter().enumerate() {
        let tool = Fields::of(value, config.at(&format!("tools[{index}]")))?;
        if let Some(spec) = tool.object("toolSpec")? {
            let tool = function(&spec, parsed)?;
            parsed.request.tools.push(tool);
            parsed.tool_paths.push(spec.path().to_owned());
            continue;
        }
        let kind = tool.members().next().map_or_else(String::new, |(kind, _)| kind);
        let feature = if kind == "cachePoint" {
            LossFeature::CacheControlDropped
        } else {
            parsed.request.hosted_tools.push(value.clone());
            LossFeature::HostedToolStripped
        };
        parsed.losses.book(feature, tool.path(), kind);
    }
    if let Some(choice) = config.get("toolChoice") {
        let named = choice.get("tool").and_then(|tool| tool.get("name")?.as_str());
        parsed.request.tool_choice = Some(match named {
            Some(name) => ToolChoice::Named(name.to_owned()),
            None if choice.get("auto").is_some() => ToolChoice::Auto,
            None if choice.get("any").is_some() => ToolChoice::Required,
            None => ToolChoice::Other(choice.clone()),
        });
    }
    Ok(())
}

fn function(spec: &Fields<'_>, parsed: &mut Parsed) -> Result<Tool, ParseError> {
    for (name, _) in spec.members() {
        if !["name", "description", "inputSchema", "strict"].contains(&name.as_str()) {
            parsed.losses.book(LossFeature::ToolFieldDropped, spec.at(&name), "");
        }
    }
    let schema = spec.object("inputSchema")?.and_then(|schema| schema.get("json"));
    Ok(Tool {
        name: spec.required_text("name")?.to_owned(),
        description: spec.text("description")?.map(str::to_owned),
        parameters: schema.map(embedded),
        strict: spec.flag("strict"),
    })
}

/// JSON, also where it is written into a text.
fn embedded(value: &Value) -> Value {
    let text = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    text.unwrap_or_else(|| value.clone())
}

fn output_config(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(config) = fields.object("outputConfig")? else { return Ok(()) };
    if let Some(effort) = config.text("effort")? {
        parsed.request.reasoning_effort = Some(ReasoningEffort(effort.to_owned()));
    }
    let Some(format) = config.object("textFormat")? else { return Ok(()) };
    let structure = format.object("structure")?;
    let structure = structure.map(|structure| structure.object("jsonSchema")).transpose()?;
    let Some(outer) = structure.flatten() else { return Ok(()) };
    let missing = || ParseError::Missing(outer.at("schema"));
    parsed.request.response_format = Some(ResponseFormat::JsonSchema {
        name: outer.text("name")?.map(str::to_owned),
        schema: outer.get("schema").map(embedded).ok_or_else(missing)?,
        strict: Some(true),
    });
    Ok(())
}

/// What Converse hands to the model as it is: parameters under the model's own names.
fn model_fields(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(own) = fields.object("additionalModelRequestFields")? else { return Ok(()) };
    for (name, value) in own.members() {
        match (name.as_str(), value) {
            ("top_k" | "topK", value) if count(value).is_some() => {
                parsed.request.top_k = count(value);
            }
            ("reasoning_effort", Value::String(effort)) => {
                parsed.request.reasoning_effort = Some(ReasoningEffort(effort.clone()));
            }
            // `reasoning_config` is LangChain's and AWS's older name for the same.
            ("thinking" | "reasoning_config", thinking) => {
                parsed.request.extra.insert("thinking".into(), thinking.clone());
            }
            ("output_config", Value::Object(config)) if config.len() == 1 => {
                match config.get("effort").and_then(Value::as_str) {
                    Some(effort) => {
                        parsed.request.reasoning_effort = Some(ReasoningEffort(effort.to_owned()));
                    }
                    None => {
                        parsed.losses.book(LossFeature::ParameterDropped, own.at(&name), "");
                    }
                }
            }
            _ => parsed.losses.book(LossFeature::ParameterDropped, own.at(&name), ""),
        }
    }
    Ok(())
}
