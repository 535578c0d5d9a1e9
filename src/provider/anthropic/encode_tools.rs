//! Neutral tools and tool choice as Anthropic takes them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::chat::{Tool, ToolChoice};
use crate::provider::adapter::{Parsed, Target};
use crate::provider::loss::{LossFeature, LossSeverity, Losses};

/// The longest tool name that the API takes, in characters.
const MAX_NAME_CHARS: usize = 128;

/// Tools and choice in the API's form.
#[derive(Debug, Default)]
pub(super) struct Tools {
    pub(super) definitions: Vec<Value>,
    pub(super) choice: Option<Value>,
    /// Whether the choice forces a call, which thinking models refuse.
    pub(super) forced: bool,
}

/// Writes tools and choice; `called` are the tools that earlier turns called.
pub(super) fn tools(
    parsed: &Parsed,
    called: &BTreeSet<String>,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Tools {
    let request = &parsed.request;
    if request.tools.is_empty() {
        return only_in_history(parsed, called, losses);
    }
    let allowed = allowed_tools(request.tool_choice.as_ref());
    if allowed.is_some() {
        losses.book(LossFeature::ToolsFiltered, "tool_choice.allowed_tools", "");
    }
    let mut tools = Vec::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate() {
        if allowed.as_ref().is_none_or(|allowed| allowed.names.contains(&tool.name.as_str())) {
            tools.push(definition(tool, parsed.tool_path(index), losses));
        }
    }
    let choice = match (&request.tool_choice, allowed) {
        (_, Some(allowed)) if allowed.required => Some(ToolChoice::Required),
        (_, Some(_)) => Some(ToolChoice::Auto),
        (Some(ToolChoice::Other(_)), None) => {
            losses.book_as(
                LossSeverity::Untranslatable,
                LossFeature::ToolChoiceChanged,
                parsed.names.tool_choice,
                "unknown form",
            );
            None
        }
        (choice, None) => choice.clone(),
    };
    let (choice, forced) = choice_value(choice, parsed, target, losses);
    Tools { definitions: tools, choice, forced }
}

/// The API refuses tool blocks in the history of a request without tools.
fn only_in_history(parsed: &Parsed, called: &BTreeSet<String>, losses: &mut Losses) -> Tools {
    let (request, names) = (&parsed.request, &parsed.names);
    let parameters = [
        (names.tool_choice, LossFeature::ToolChoiceChanged, request.tool_choice.is_some()),
        (
            names.parallel_tool_calls,
            LossFeature::ParallelToolCallsDropped,
            request.parallel_tool_calls.is_some(),
        ),
    ];
    for (name, feature, present) in parameters {
        if present {
            losses.book_as(LossSeverity::Benign, feature, name, "no tools are left");
        }
    }
    if called.is_empty() {
        return Tools::default();
    }
    let detail = format!("{} tools of the history, not to be called", called.len());
    losses.book(LossFeature::ToolDefinitionAdded, "tools", detail);
    let tools = called
        .iter()
        .map(|name| json!({"name": name, "input_schema": {"type": "object"}}))
        .collect();
    Tools { definitions: tools, choice: Some(json!({"type": "none"})), forced: false }
}

fn definition(tool: &Tool, path: &str, losses: &mut Losses) -> Value {
    let legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    if !(1..=MAX_NAME_CHARS).contains(&tool.name.len()) || !tool.name.chars().all(legal) {
        losses.book(LossFeature::ToolNameUnsupported, format!("{path}.name"), "");
    }
    let mut object = Map::new();
    object.insert("name".into(), tool.name.clone().into());
    if let Some(description) = tool.description.as_ref().filter(|text| !text.is_empty()) {
        object.insert("description".into(), description.clone().into());
    }
    object.insert("input_schema".into(), input_schema(tool, path, losses));
    if tool.strict == Some(true) {
        object.insert("strict".into(), true.into());
    }
    Value::Object(object)
}

/// The API requires a schema, and that it says `object`.
fn input_schema(tool: &Tool, path: &str, losses: &mut Losses) -> Value {
    let mut schema = match &tool.parameters {
        Some(Value::Object(schema)) => schema.clone(),
        _ => Map::new(),
    };
    if schema.get("type") != Some(&"object".into()) {
        losses.book(LossFeature::ToolSchemaChanged, format!("{path}.parameters"), "type added");
        schema.insert("type".into(), "object".into());
    }
    Value::Object(schema)
}

struct Allowed<'a> {
    names: Vec<&'a str>,
    required: bool,
}

/// OpenAI's choice among some of the tools.
fn allowed_tools(choice: Option<&ToolChoice>) -> Option<Allowed<'_>> {
    let Some(ToolChoice::Other(value)) = choice else { return None };
    let allowed = value.get("allowed_tools")?;
    let tools = allowed.get("tools")?.as_array()?;
    let name = |tool: &'_ Value| -> Option<String> {
        tool.get("function")?.get("name")?.as_str().map(str::to_owned)
    };
    if tools.iter().any(|tool| name(tool).is_none()) {
        return None;
    }
    let names = tools.iter().filter_map(|tool| tool.get("function")?.get("name")?.as_str());
    let required = allowed.get("mode").and_then(Value::as_str) == Some("required");
    Some(Allowed { names: names.collect(), required })
}

fn choice_value(
    choice: Option<ToolChoice>,
    parsed: &Parsed,
    target: &Target<'_>,
    losses: &mut Losses,
) -> (Option<Value>, bool) {
    let serial = parsed.request.parallel_tool_calls == Some(false);
    let is_forced = matches!(choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
    let choice = if is_forced && !target.model_traits.forced_tool_use {
        let path = parsed.names.tool_choice;
        losses.book(LossFeature::ToolChoiceChanged, path, "the model cannot be forced");
        Some(ToolChoice::Auto)
    } else {
        choice
    };
    let forced = is_forced && target.model_traits.forced_tool_use;
    let mut value = match choice {
        None if serial => json!({"type": "auto"}),
        None | Some(ToolChoice::Other(_)) => return (None, false),
        Some(ToolChoice::Auto) => json!({"type": "auto"}),
        Some(ToolChoice::Required) => json!({"type": "any"}),
        Some(ToolChoice::Named(name)) => json!({"type": "tool", "name": name}),
        Some(ToolChoice::None) => {
            if serial {
                let path = parsed.names.parallel_tool_calls;
                losses.book(LossFeature::ParallelToolCallsDropped, path, "no tool may be called");
            }
            return (Some(json!({"type": "none"})), false);
        }
    };
    if serial && let Some(object) = value.as_object_mut() {
        object.insert("disable_parallel_tool_use".into(), true.into());
    }
    (Some(value), forced)
}
