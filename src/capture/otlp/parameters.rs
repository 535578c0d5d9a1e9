//! Parameters, tools and answer format of a request under the names of chat completions.

use serde_json::{Map, Value, json};

use super::super::value::{is_blank, number, present, text};
use super::indexed;
use super::prompt::opened;
use super::python;
use super::slim::raw_parameter;
use super::span::Span;
use super::tree::Call;

/// Names in a request body and the attributes that state them, the newest convention first.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("temperature", &["gen_ai.request.temperature", "llm.request.temperature", "llm.temperature"]),
    ("top_p", &["gen_ai.request.top_p", "llm.request.top_p", "llm.top_p"]),
    ("top_k", &["gen_ai.request.top_k", "llm.request.top_k", "llm.top_k"]),
    ("max_tokens", &["gen_ai.request.max_tokens", "llm.request.max_tokens"]),
    ("max_completion_tokens", &["gen_ai.request.max_completion_tokens"]),
    ("stop", &["gen_ai.request.stop_sequences", "llm.chat.stop_sequences"]),
    ("seed", &["gen_ai.request.seed", "gen_ai.openai.request.seed", "llm.request.seed"]),
    ("n", &["gen_ai.request.choice.count", "gen_ai.request.n"]),
    (
        "frequency_penalty",
        &[
            "gen_ai.request.frequency_penalty",
            "llm.request.frequency_penalty",
            "llm.frequency_penalty",
        ],
    ),
    (
        "presence_penalty",
        &[
            "gen_ai.request.presence_penalty",
            "llm.request.presence_penalty",
            "llm.presence_penalty",
        ],
    ),
    ("reasoning_effort", &["gen_ai.request.reasoning_effort"]),
];

/// How complete the parameters of a request are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Filled {
    /// Whether an attribute was cut.
    pub(super) is_cut: bool,
    /// Whether all parameters were logged, so that what is not there was not asked for.
    pub(super) is_whole: bool,
}

/// Fills a body that has its model and prompt; `tools` are those that were logged with the prompt.
pub(super) fn fill(body: &mut Map<String, Value>, call: &Call<'_>, tools: Option<Value>) -> Filled {
    let mut filled = Filled::default();
    for span in &call.spans {
        filled.is_whole |= invocation(body, span, &mut filled.is_cut);
        for (name, attributes) in PARAMETERS {
            if let Some(value) = span.attribute(attributes).map(scalar) {
                insert(body, name, value);
            }
        }
        langfuse(body, span);
        for (attribute, value) in &span.attributes {
            if let Some(name) = raw_parameter(attribute) {
                let value = value.as_str().and_then(python::literal).unwrap_or(value.clone());
                insert(body, name, worded(name, value));
            }
        }
        response_format(body, span, &mut filled.is_cut);
    }
    fill_tools(body, call, tools, &mut filled.is_cut);
    filled
}

/// The first statement of a parameter stands.
fn insert(body: &mut Map<String, Value>, name: &str, value: Value) {
    if !is_blank(&value) && !body.contains_key(name) {
        body.insert(name.to_owned(), value);
    }
}

/// Numbers that were logged as text.
fn scalar(value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    match serde_json::from_str::<Value>(text) {
        Ok(inner) if !inner.is_object() && !inner.is_string() => inner,
        _ => python::literal(text).unwrap_or_else(|| value.clone()),
    }
}

/// OpenInference: the parameters of the call as one text of JSON; says whether they are there.
fn invocation(body: &mut Map<String, Value>, span: &Span, is_cut: &mut bool) -> bool {
    let Some(value) = span.attribute(&["llm.invocation_parameters"]) else { return false };
    let Some(Value::Object(parameters)) = opened(value) else {
        *is_cut = true;
        return false;
    };
    // LangChain states the settings of the model, not those of the call.
    let is_whole = !parameters.contains_key("_type");
    for (name, value) in parameters {
        match name.as_str() {
            // LangChain's word for the class, its alias of the model, and what stands elsewhere.
            "_type" | "model_name" | "model" | "messages" | "input" | "contents" => {}
            "stop_sequences" => insert(body, "stop", value),
            "max_output_tokens" => insert(body, "max_tokens", value),
            "candidate_count" => insert(body, "n", value),
            "functions" => insert(body, "tools", tool_list(&value)),
            name => insert(body, name, worded(name, value)),
        }
    }
    is_whole
}

/// A parameter in the words of chat completions, whoever's words it was logged in.
fn worded(name: &str, value: Value) -> Value {
    match name {
        "tools" => tool_list(&value),
        "tool_choice" => tool_choice(value),
        _ => value,
    }
}

/// Anthropic's choice of a tool in OpenAI's words.
fn tool_choice(value: Value) -> Value {
    match value.get("type").and_then(Value::as_str) {
        Some("auto") => "auto".into(),
        Some("any") => "required".into(),
        Some("none") => "none".into(),
        Some("tool") => {
            json!({"type": "function", "function": {"name": text(&value, &["name"])}})
        }
        _ => value,
    }
}

/// Langfuse's parameters, without the defaults that its SDK fills in for what was not set.
fn langfuse(body: &mut Map<String, Value>, span: &Span) {
    let parameters = span.attribute(&["langfuse.observation.model.parameters"]).and_then(opened);
    let Some(Value::Object(parameters)) = parameters else { return };
    for (name, value) in parameters {
        let stated = number(&value);
        let is =
            |default: f64| stated.is_some_and(|stated| (stated - default).abs() < f64::EPSILON);
        let is_default = match name.as_str() {
            "temperature" | "top_p" => is(1.0),
            "frequency_penalty" | "presence_penalty" => is(0.0),
            "max_tokens" | "max_completion_tokens" => stated.is_none(),
            // The tier that the provider answered from.
            "service_tier" => true,
            _ => false,
        };
        if !is_default {
            insert(body, &name, scalar(&value));
        }
    }
}

/// The answer's format; a schema that was not logged is as good as cut.
fn response_format(body: &mut Map<String, Value>, span: &Span, is_cut: &mut bool) {
    if body.contains_key("response_format") {
        return;
    }
    let schema = span.attribute(&["gen_ai.request.structured_output_schema"]);
    let whole = span.attribute(&["langfuse.observation.metadata.response_format"]);
    if let Some(value) = schema.or(whole) {
        match opened(value) {
            Some(format) if is_format(&format) => insert(body, "response_format", format),
            Some(schema @ Value::Object(_)) => {
                let named = json!({"name": "response", "schema": schema});
                let format = json!({"type": "json_schema", "json_schema": named});
                insert(body, "response_format", format);
            }
            _ => *is_cut = true,
        }
        return;
    }
    let names = ["gen_ai.openai.request.response_format", "gen_ai.request.response_format"];
    let Some(value) = span.attribute(&names) else {
        // The convention says `json` with and without a schema.
        *is_cut |= span.attribute(&["gen_ai.output.type"]).is_some_and(|kind| kind == "json");
        return;
    };
    match opened(value) {
        Some(format) if is_format(&format) => insert(body, "response_format", format),
        Some(Value::String(kind)) if matches!(kind.as_str(), "text" | "json_object") => {
            insert(body, "response_format", json!({"type": kind}));
        }
        _ => *is_cut = true,
    }
}

/// Whether it is the member of a body, not the schema alone.
fn is_format(format: &Value) -> bool {
    match format.get("type").and_then(Value::as_str) {
        Some("json_object" | "text") => {
            format.as_object().is_some_and(|members| members.len() == 1)
        }
        Some("json_schema") => format.get("json_schema").is_some(),
        _ => false,
    }
}

fn fill_tools(
    body: &mut Map<String, Value>,
    call: &Call<'_>,
    tools: Option<Value>,
    is_cut: &mut bool,
) {
    if let Some(tools) = tools {
        insert(body, "tools", tool_list(&tools));
    }
    for span in &call.spans {
        if body.contains_key("tools") {
            return;
        }
        if let Some(value) = span.attribute(&["gen_ai.tool.definitions", "gen_ai.request.tools"]) {
            match opened(value) {
                Some(tools) => insert(body, "tools", tool_list(&tools)),
                None => *is_cut = true,
            }
        }
        let schemas = indexed::list(&span.attributes, "llm.tools.");
        let schema = |item: &Value| {
            let schema = item.get("tool").unwrap_or(item).get("json_schema")?;
            opened(schema)
        };
        let tools: Vec<Value> = schemas.items.iter().filter_map(schema).collect();
        *is_cut |= schemas.has_gap || tools.len() < schemas.items.len();
        insert(body, "tools", tool_list(&Value::Array(tools)));
        let functions = indexed::list(&span.attributes, "llm.request.functions.");
        *is_cut |= functions.has_gap;
        insert(body, "tools", tool_list(&Value::Array(functions.items)));
    }
}

/// Tools in the shape of chat completions.
fn tool_list(tools: &Value) -> Value {
    match tools {
        Value::Array(tools) => tools.iter().map(tool).collect(),
        _ => Value::Null,
    }
}

fn tool(logged: &Value) -> Value {
    let name = text(logged, &["name"]);
    let kind = logged.get("type").and_then(Value::as_str);
    if logged.get("function").is_some()
        || name.is_none()
        || !matches!(kind, None | Some("function" | "custom"))
    {
        return logged.clone();
    }
    let mut function = Map::new();
    function.insert("name".to_owned(), name.into());
    let schemas = ["parameters", "input_schema", "inputSchema"];
    let schema = schemas.iter().find_map(|name| present(logged, name));
    for (name, value) in [
        ("description", present(logged, "description").cloned()),
        ("parameters", schema.and_then(opened)),
        ("strict", present(logged, "strict").cloned()),
    ] {
        if let Some(value) = value {
            function.insert(name.to_owned(), value);
        }
    }
    json!({"type": "function", "function": function})
}
