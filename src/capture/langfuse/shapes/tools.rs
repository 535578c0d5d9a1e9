//! Definitions of tools, which traces keep in four shapes and three places.

use serde_json::{Map, Value, json};

use crate::capture::value::{decoded, is_blank};

/// A tool as OpenAI Chat Completions writes it, from that, from Anthropic's shape, or from a bare
/// function.
pub(in crate::capture) fn openai_tool(tool: &Value) -> Value {
    let tool = decoded(tool);
    if tool.get("function").is_some_and(Value::is_object) {
        let mut tool = tool.into_owned();
        if let Some(members) = tool.as_object_mut()
            && !members.contains_key("type")
        {
            members.insert("type".to_owned(), json!("function"));
        }
        return tool;
    }
    let hosted = tool
        .get("type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind != "function" && kind != "custom");
    if tool.get("name").is_none() || hosted {
        return tool.into_owned();
    }
    let mut function = Map::new();
    for (from, to) in [
        ("name", "name"),
        ("description", "description"),
        ("parameters", "parameters"),
        ("input_schema", "parameters"),
        ("inputSchema", "parameters"),
        ("strict", "strict"),
    ] {
        if let Some(value) = tool.get(from).filter(|value| !value.is_null()) {
            function.insert(to.to_owned(), value.clone());
        }
    }
    json!({ "type": "function", "function": function })
}

/// The tools of a list, or of a map from name to definition, where each may be a text of JSON.
pub(in crate::capture) fn definitions(value: &Value) -> Vec<Value> {
    let value = decoded(value);
    match &*value {
        _ if is_blank(&value) => Vec::new(),
        Value::Array(tools) => tools.iter().map(|tool| decoded(tool).into_owned()).collect(),
        Value::Object(map) => map.iter().filter_map(|(name, tool)| named(name, tool)).collect(),
        _ => Vec::new(),
    }
}

fn named(name: &str, definition: &Value) -> Option<Value> {
    let mut definition = decoded(definition).into_owned();
    definition.as_object_mut()?.entry("name").or_insert_with(|| json!(name));
    Some(openai_tool(&definition))
}

/// Whether a value defines a tool; LangChain's callback of Langfuse puts definitions among the
/// messages, as the content of one of role `tool`.
pub(super) fn is_definition(value: &Value) -> bool {
    value.get("function").is_some_and(Value::is_object)
        || value.get("input_schema").is_some()
        || (value.get("name").is_some() && value.get("parameters").is_some())
}
