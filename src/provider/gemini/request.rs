//! Gemini request bodies into neutral form: the members beside contents and generation settings.

use serde_json::{Value, json};

use crate::chat::{Tool, ToolChoice};
use crate::provider::adapter::{ParameterNames, ParseError, Parsed};
use crate::provider::fields::Fields;
use crate::provider::loss::{LossFeature, LossSeverity};

use super::{content, generation, schema};

/// Members that a field of the neutral request takes, or that are booked here.
const NEUTRAL: &[&str] = &[
    "model",
    "stream",
    "contents",
    "systemInstruction",
    "generationConfig",
    "tools",
    "toolConfig",
    "cachedContent",
];

const NAMES: ParameterNames = ParameterNames {
    output_cap: "generationConfig.maxOutputTokens",
    stop: "generationConfig.stopSequences",
    user: "labels",
    reasoning_effort: "generationConfig.thinkingConfig",
    response_format: "generationConfig.responseMimeType",
    parallel_tool_calls: "toolConfig",
    tool_choice: "toolConfig.functionCallingConfig",
    temperature: "generationConfig.temperature",
    top_p: "generationConfig.topP",
    top_k: "generationConfig.topK",
    choices: "generationConfig.candidateCount",
    seed: "generationConfig.seed",
    presence_penalty: "generationConfig.presencePenalty",
    frequency_penalty: "generationConfig.frequencyPenalty",
};

/// Reads a request body.
pub(in crate::provider) fn parse(body: &Value) -> Result<Parsed, ParseError> {
    let fields = Fields::of_body(body)?.or_snake();
    let mut parsed = Parsed { names: NAMES, ..Parsed::default() };
    fields.text("model")?.unwrap_or_default().clone_into(&mut parsed.request.model);
    parsed.request.stream = fields.flag("stream").unwrap_or(false);
    content::system(&fields, &mut parsed)?;
    content::contents(&fields, &mut parsed)?;
    generation::settings(&fields, &mut parsed)?;
    tools(&fields, &mut parsed)?;
    tool_choice(&fields, &mut parsed)?;
    if fields.get("cachedContent").is_some() {
        // A part of the prompt stands at the provider alone.
        parsed.losses.book_as(
            LossSeverity::Untranslatable,
            LossFeature::ServerStateStripped,
            "cachedContent",
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

fn tools(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    for (index, value) in fields.list("tools")?.iter().enumerate() {
        let tool = Fields::of(value, format!("tools[{index}]"))?.or_snake();
        for (kind, own) in tool.members() {
            if kind == "functionDeclarations" {
                declarations(&tool, parsed)?;
            } else {
                parsed.losses.book(LossFeature::HostedToolStripped, tool.at(&kind), kind.clone());
                parsed.request.hosted_tools.push(json!({ kind: own }));
            }
        }
    }
    Ok(())
}

fn declarations(tool: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    for (index, value) in tool.list("functionDeclarations")?.iter().enumerate() {
        let path = tool.at(&format!("functionDeclarations[{index}]"));
        let function = Fields::of(value, path.clone())?.or_snake();
        let own = function.get("parameters").map(schema::json_schema);
        if let Some(changed) = own.as_ref().and_then(|own| own.change) {
            let at = function.at("parameters");
            parsed.losses.book_as(changed, LossFeature::ToolSchemaChanged, at, "to JSON Schema");
        }
        let own = own.map(|own| own.schema);
        parsed.request.tools.push(Tool {
            name: function.required_text("name")?.to_owned(),
            description: function.text("description")?.map(str::to_owned),
            parameters: function.get("parametersJsonSchema").cloned().or(own),
            strict: None,
        });
        for (name, _) in function.members() {
            let known = ["name", "description", "parameters", "parametersJsonSchema"];
            if !known.contains(&name.as_str()) {
                parsed.losses.book(LossFeature::ToolFieldDropped, function.at(&name), "");
            }
        }
        parsed.tool_paths.push(path);
    }
    Ok(())
}

fn tool_choice(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(config) = fields.object("toolConfig")? else { return Ok(()) };
    for (name, _) in config.members().filter(|(name, _)| name != "functionCallingConfig") {
        parsed.losses.book(LossFeature::ParameterDropped, config.at(&name), "");
    }
    let Some(calling) = config.object("functionCallingConfig")? else { return Ok(()) };
    let allowed = calling.texts("allowedFunctionNames")?;
    let mode = calling.text("mode")?.unwrap_or("AUTO");
    parsed.request.tool_choice = Some(match (mode, allowed.as_slice()) {
        ("NONE", _) => ToolChoice::None,
        ("ANY", []) => ToolChoice::Required,
        ("ANY", [name]) => ToolChoice::Named(name.clone()),
        ("ANY", names) => some_of(names),
        ("AUTO" | "MODE_UNSPECIFIED", _) => ToolChoice::Auto,
        (mode, _) => {
            let feature = LossFeature::ToolChoiceChanged;
            parsed.losses.book(feature, calling.at("mode"), mode.to_lowercase());
            ToolChoice::Auto
        }
    });
    Ok(())
}

/// A call of one of several functions, in the form of OpenAI Chat Completions.
fn some_of(names: &[String]) -> ToolChoice {
    let tools: Vec<Value> =
        names.iter().map(|name| json!({"type": "function", "function": {"name": name}})).collect();
    let allowed = json!({"mode": "required", "tools": tools});
    ToolChoice::Other(json!({"type": "allowed_tools", "allowed_tools": allowed}))
}
