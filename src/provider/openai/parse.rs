//! OpenAI Chat Completions request bodies into neutral form.

use serde_json::{Map, Value};

use crate::chat::{ReasoningEffort, ResponseFormat, Tool, ToolChoice};
use crate::provider::adapter::{ParameterNames, ParseError, Parsed};
use crate::provider::json::{count, present, text};
use crate::provider::loss::{LossFeature, LossSeverity, Losses};

use super::parse_message;

/// Members that a field of the neutral request takes, or that [`tools`] and
/// [`legacy_functions`] read.
const NEUTRAL: &[&str] = &[
    "model",
    "messages",
    "tools",
    "functions",
    "tool_choice",
    "function_call",
    "parallel_tool_calls",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "top_k",
    "stop",
    "n",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "reasoning_effort",
    "user",
    "stream",
];

/// Reads a request body.
pub(super) fn parse(body: &Value) -> Result<Parsed, ParseError> {
    let object = body.as_object().ok_or_else(|| ParseError::wrong("body", "an object"))?;
    let mut parsed = Parsed { names: ParameterNames::COMMON, ..Parsed::default() };
    parse_message::messages(object, &mut parsed)?;
    tools(object, &mut parsed)?;
    legacy_functions(object, &mut parsed);
    let request = &mut parsed.request;
    text(object, "model").unwrap_or_default().clone_into(&mut request.model);
    request.max_output_tokens = whole(object, "max_completion_tokens")?
        .into_iter()
        .chain(whole(object, "max_tokens")?)
        .max();
    request.temperature = number(object, "temperature")?;
    request.top_p = number(object, "top_p")?;
    request.presence_penalty = number(object, "presence_penalty")?;
    request.frequency_penalty = number(object, "frequency_penalty")?;
    request.choices = whole(object, "n")?;
    request.stop = stop(object)?;
    request.stream = object.get("stream").and_then(Value::as_bool).unwrap_or(false);
    request.user = text(object, "user").map(str::to_owned);
    request.reasoning_effort =
        text(object, "reasoning_effort").map(|effort| ReasoningEffort(effort.to_owned()));
    request.parallel_tool_calls = object.get("parallel_tool_calls").and_then(Value::as_bool);
    request.response_format = response_format(object)?;
    // vLLM takes -1 for "no limit", and a seed may be any integer: what is not a plain number of
    // the neutral kind stays under its own name.
    let top_k = object.get("top_k").and_then(count);
    let seed = object.get("seed").and_then(Value::as_i64);
    (request.top_k, request.seed) = (top_k, seed);
    for (name, value) in object {
        let odd = (name == "top_k" && top_k.is_none()) || (name == "seed" && seed.is_none());
        if (!NEUTRAL.contains(&name.as_str()) || odd) && !value.is_null() {
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

fn stop(object: &Map<String, Value>) -> Result<Vec<String>, ParseError> {
    let wrong = || ParseError::wrong("stop", "a text or a list of texts");
    match present(object, "stop") {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(list)) => {
            list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

fn response_format(object: &Map<String, Value>) -> Result<Option<ResponseFormat>, ParseError> {
    let Some(format) = present(object, "response_format") else { return Ok(None) };
    let wrong = || ParseError::wrong("response_format", "a response format");
    let format = format.as_object().ok_or_else(wrong)?;
    Ok(Some(match text(format, "type") {
        Some("text") => ResponseFormat::Text,
        Some("json_object") => ResponseFormat::JsonObject,
        Some("json_schema") => {
            let inner = format.get("json_schema").and_then(Value::as_object);
            // llama.cpp takes the schema beside the type.
            let outer = inner.unwrap_or(format);
            ResponseFormat::JsonSchema {
                name: text(outer, "name").map(str::to_owned),
                schema: present(outer, "schema").cloned().ok_or_else(wrong)?,
                strict: outer.get("strict").and_then(Value::as_bool),
            }
        }
        _ => return Err(wrong()),
    }))
}

fn tools(object: &Map<String, Value>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Parsed { request, losses, tool_paths, .. } = parsed;
    let list = match present(object, "tools") {
        None => &Vec::new(),
        Some(list) => list.as_array().ok_or_else(|| ParseError::wrong("tools", "a list"))?,
    };
    for (index, tool) in list.iter().enumerate() {
        let path = format!("tools[{index}]");
        let member = |name: &str| tool.get(name).and_then(Value::as_object);
        match tool.get("type").and_then(Value::as_str) {
            Some("function") | None => {
                let function = member("function").ok_or_else(|| {
                    ParseError::wrong(format!("{path}.function"), "a function definition")
                })?;
                request.tools.push(function_tool(function, &path)?);
                note_tool_fields(tool, function, &path, losses);
                tool_paths.push(path);
            }
            Some("custom") => {
                losses.book(LossFeature::CustomToolUnsupported, path, "custom tool");
                request.hosted_tools.push(tool.clone());
            }
            Some(kind) => {
                losses.book(LossFeature::HostedToolStripped, path, kind);
                request.hosted_tools.push(tool.clone());
            }
        }
    }
    request.tool_choice = present(object, "tool_choice").map(tool_choice);
    Ok(())
}

fn function_tool(function: &Map<String, Value>, path: &str) -> Result<Tool, ParseError> {
    let name = text(function, "name")
        .ok_or_else(|| ParseError::Missing(format!("{path}.function.name")))?
        .to_owned();
    Ok(Tool {
        name,
        description: text(function, "description").map(str::to_owned),
        parameters: present(function, "parameters").cloned(),
        strict: function.get("strict").and_then(Value::as_bool),
    })
}

fn note_tool_fields(tool: &Value, function: &Map<String, Value>, path: &str, losses: &mut Losses) {
    let known = ["type", "function", "name", "description", "parameters", "strict"];
    let outer = tool.as_object().into_iter().flatten();
    for (name, value) in outer.chain(function) {
        if !known.contains(&name.as_str()) && !value.is_null() {
            let feature = match name.as_str() {
                "cache_control" | "prompt_cache_breakpoint" => LossFeature::CacheControlDropped,
                _ => LossFeature::ToolFieldDropped,
            };
            losses.book(feature, format!("{path}.{name}"), "");
        }
    }
}

fn tool_choice(value: &Value) -> ToolChoice {
    match value.as_str() {
        Some("auto") => return ToolChoice::Auto,
        Some("none") => return ToolChoice::None,
        // `any` is Mistral's word.
        Some("required" | "any") => return ToolChoice::Required,
        _ => {}
    }
    let named = value.get("function").and_then(|function| function.get("name"));
    match named.and_then(Value::as_str) {
        Some(name) => ToolChoice::Named(name.to_owned()),
        None => ToolChoice::Other(value.clone()),
    }
}

/// Reads `functions` and `function_call`, which tools replaced.
fn legacy_functions(object: &Map<String, Value>, parsed: &mut Parsed) {
    let Parsed { request, losses, tool_paths, .. } = parsed;
    let list = object.get("functions").and_then(Value::as_array);
    for (index, function) in list.into_iter().flatten().enumerate() {
        let path = format!("functions[{index}]");
        let tool = function.as_object().and_then(|function| function_tool(function, &path).ok());
        match tool {
            Some(tool) => {
                losses.book(LossFeature::LegacyFunctionsUpgraded, path.clone(), "");
                request.tools.push(tool);
                tool_paths.push(path);
            }
            None => losses.book_as(
                LossSeverity::Untranslatable,
                LossFeature::LegacyFunctionsUpgraded,
                path,
                "not a function definition",
            ),
        }
    }
    if let Some(choice) = present(object, "function_call") {
        losses.book(LossFeature::LegacyFunctionsUpgraded, "function_call", "");
        request.tool_choice = Some(match (choice.as_str(), choice.get("name")) {
            (Some("auto"), _) => ToolChoice::Auto,
            (Some("none"), _) => ToolChoice::None,
            (_, Some(Value::String(name))) => ToolChoice::Named(name.clone()),
            _ => ToolChoice::Other(choice.clone()),
        });
    }
}
