//! What OpenAI chat completions refuses with 400 (openai-openapi 2.3.0, openai-python 3.54).

use serde_json::Value;

use super::dialect::ApiError;
use super::validate::{
    Body, CheckContext, check_count, check_known, check_range, has, is_function_name, messages,
    text,
};

const KNOWN_FIELDS: &[&str] = &[
    "model",
    "messages",
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "max_completion_tokens",
    "max_tokens",
    "metadata",
    "modalities",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// More choices than this would only cost memory.
const MOST_CHOICES: f64 = 128.0;

/// Checks a body whose model and messages are there.
pub(super) fn check(body: &Body, context: CheckContext<'_>) -> Result<(), ApiError> {
    if !context.allow_unknown_fields {
        check_known(body, KNOWN_FIELDS, "unrecognized request argument")?;
    }
    check_range(body, "temperature", 0.0, 2.0)?;
    check_range(body, "top_p", 0.0, 1.0)?;
    check_range(body, "presence_penalty", -2.0, 2.0)?;
    check_range(body, "frequency_penalty", -2.0, 2.0)?;
    check_range(body, "n", 1.0, MOST_CHOICES)?;
    check_range(body, "top_logprobs", 0.0, 20.0)?;
    for name in ["n", "max_tokens", "max_completion_tokens"] {
        check_count(body, name)?;
    }
    check_combinations(body)?;
    check_tools(body)?;
    check_format(body)?;
    check_messages(messages(body).map(Vec::as_slice).unwrap_or_default())
}

fn check_combinations(body: &Body) -> Result<(), ApiError> {
    let streams = body.get("stream").and_then(Value::as_bool).unwrap_or(false);
    if has(body, "max_tokens") && has(body, "max_completion_tokens") {
        let problem = "cannot be given together with max_completion_tokens";
        return Err(ApiError::invalid("max_tokens", problem));
    }
    if has(body, "stream_options") && !streams {
        return Err(ApiError::invalid("stream_options", "is only allowed when stream is true"));
    }
    if has(body, "top_logprobs") && body.get("logprobs") != Some(&Value::Bool(true)) {
        return Err(ApiError::invalid("top_logprobs", "needs logprobs to be true"));
    }
    match body.get("stop") {
        None | Some(Value::Null | Value::String(_)) => Ok(()),
        Some(Value::Array(stops)) if stops.len() <= 4 && stops.iter().all(Value::is_string) => {
            Ok(())
        }
        Some(_) => Err(ApiError::invalid("stop", "must be text or a list of at most 4 texts")),
    }
}

fn check_tools(body: &Body) -> Result<(), ApiError> {
    let tools = body.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if has(body, "tools") && tools.is_empty() {
        return Err(ApiError::invalid("tools", "must be a list with at least one tool"));
    }
    if tools.is_empty() {
        for name in ["tool_choice", "parallel_tool_calls"] {
            if has(body, name) {
                return Err(ApiError::invalid(name, "is only allowed when tools are given"));
            }
        }
    }
    let mut names = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let kind = text(tool, "type");
        let name = tool.get(kind).map(|it| text(it, "name")).unwrap_or_default();
        if !matches!(kind, "function" | "custom") || !is_function_name(name, 64) {
            let problem = "must be a function or custom tool with a valid name";
            return Err(ApiError::invalid(format!("tools[{index}]"), problem));
        }
        names.push(name);
    }
    match body.get("tool_choice") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(word)) if matches!(word.as_str(), "none" | "auto" | "required") => {
            Ok(())
        }
        Some(choice) => {
            let kind = text(choice, "type");
            let chosen = choice.get(kind).map(|it| text(it, "name")).unwrap_or_default();
            let known = match kind {
                "allowed_tools" => true,
                "function" | "custom" => names.contains(&chosen),
                _ => false,
            };
            if known {
                return Ok(());
            }
            let problem = "must be none, auto, required or one of the given tools";
            Err(ApiError::invalid("tool_choice", problem))
        }
    }
}

fn check_format(body: &Body) -> Result<(), ApiError> {
    let Some(format) = body.get("response_format").filter(|format| !format.is_null()) else {
        return Ok(());
    };
    match text(format, "type") {
        "text" | "json_object" => Ok(()),
        "json_schema" => {
            let schema = format.get("json_schema");
            let name = schema.map(|it| text(it, "name")).unwrap_or_default();
            if is_function_name(name, 64) && schema.is_some_and(|it| it.get("schema").is_some()) {
                return Ok(());
            }
            Err(ApiError::invalid("response_format.json_schema", "must have a name and a schema"))
        }
        _ => {
            let problem = "must be text, json_object or json_schema";
            Err(ApiError::invalid("response_format.type", problem))
        }
    }
}

/// Tool results must follow the calls that they answer, and every call must be answered.
fn check_messages(messages: &[Value]) -> Result<(), ApiError> {
    let mut open: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let role = text(message, "role");
        let at = |field: &str| format!("messages[{index}].{field}");
        if role != "tool" && !open.is_empty() {
            let problem = "comes before the results of the preceding tool calls";
            return Err(ApiError::invalid(format!("messages[{index}]"), problem));
        }
        match role {
            "system" | "developer" | "user" | "function" => {
                check_content(message, &at("content"))?;
            }
            "assistant" => {
                let calls = message.get("tool_calls").and_then(Value::as_array);
                let speaks = ["content", "refusal", "function_call", "audio"]
                    .iter()
                    .any(|name| message.get(*name).is_some_and(|value| !value.is_null()));
                if !speaks && calls.is_none_or(Vec::is_empty) {
                    return Err(ApiError::invalid(at("content"), "is required without tool calls"));
                }
                open = calls.into_iter().flatten().map(|call| text(call, "id")).collect();
                if open.iter().any(|id| id.is_empty()) {
                    return Err(ApiError::invalid(at("tool_calls"), "must each have an id"));
                }
            }
            "tool" => {
                check_content(message, &at("content"))?;
                let id = text(message, "tool_call_id");
                let Some(position) = open.iter().position(|call| *call == id) else {
                    let problem = "answers no tool call of the preceding assistant message";
                    return Err(ApiError::invalid(at("tool_call_id"), problem));
                };
                open.swap_remove(position);
            }
            _ => return Err(ApiError::invalid(at("role"), "is not a role")),
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    Err(ApiError::invalid("messages", "end before every tool call has its result"))
}

fn check_content(message: &Value, at: &str) -> Result<(), ApiError> {
    const KINDS: &[&str] = &["text", "image_url", "input_audio", "file", "refusal"];
    let valid = match message.get("content") {
        Some(Value::String(_)) => true,
        Some(Value::Array(parts)) => {
            !parts.is_empty() && parts.iter().all(|part| KINDS.contains(&text(part, "type")))
        }
        _ => false,
    };
    if valid { Ok(()) } else { Err(ApiError::invalid(at, "must be text or a list of parts")) }
}

#[cfg(test)]
mod tests {
    use crate::simulator::dialect::Dialect;
    use crate::simulator::validate::{self, CheckContext};
    use serde_json::{Value, json};

    fn param(change: &Value) -> Option<String> {
        let mut body = json!({
            "model": "m",
            "messages": [{ "role": "user", "content": "hi" }],
        });
        let fields = body.as_object_mut().expect("is an object");
        fields.extend(change.as_object().expect("is an object").clone());
        let checked = validate::check(Dialect::OpenAi, &body, CheckContext::default());
        checked.err().map(|error| error.param.unwrap_or_default())
    }

    fn tool() -> Value {
        json!({ "type": "function", "function": { "name": "f", "parameters": {} } })
    }

    #[test]
    fn what_the_protocol_allows_is_accepted() {
        let call = json!({
            "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" },
        });
        for change in [
            json!({}),
            json!({ "stream": true, "stream_options": { "include_usage": true }, "n": 2 }),
            json!({ "tools": [tool()], "tool_choice": "required", "temperature": 2 }),
            json!({ "tools": [tool()], "tool_choice":
                { "type": "function", "function": { "name": "f" } } }),
            json!({ "max_tokens": 5, "max_completion_tokens": null, "stop": ["a", "b"] }),
            json!({ "messages": [
                { "role": "user", "content": [{ "type": "text", "text": "x" }] },
                { "role": "assistant", "content": null, "tool_calls": [call] },
                { "role": "tool", "tool_call_id": "c1", "content": "r" },
            ] }),
        ] {
            assert_eq!(param(&change), None, "{change}");
        }
    }

    #[test]
    fn what_the_protocol_refuses_is_refused_by_its_name() {
        for (change, name) in [
            (json!({ "top_k": 4 }), "top_k"),
            (json!({ "model": "" }), "model"),
            (json!({ "messages": [] }), "messages"),
            (json!({ "temperature": 2.5 }), "temperature"),
            (json!({ "max_tokens": 0 }), "max_tokens"),
            (json!({ "max_tokens": 1, "max_completion_tokens": 1 }), "max_tokens"),
            (json!({ "stream_options": {} }), "stream_options"),
            (json!({ "tool_choice": "auto" }), "tool_choice"),
            (json!({ "tools": [tool()], "tool_choice": "any" }), "tool_choice"),
            (json!({ "tools": [{ "name": "f", "input_schema": {} }] }), "tools[0]"),
            (json!({ "stop": ["1", "2", "3", "4", "5"] }), "stop"),
            (json!({ "response_format": { "type": "json" } }), "response_format.type"),
            (json!({ "messages": [{ "role": "user", "content": null }] }), "messages[0].content"),
            (json!({ "messages": [{ "role": "model", "content": "" }] }), "messages[0].role"),
        ] {
            assert_eq!(param(&change).as_deref(), Some(name), "{change}");
        }
    }

    #[test]
    fn a_tool_result_without_its_call_and_a_call_without_its_result_are_refused() {
        let user = json!({ "role": "user", "content": "x" });
        let call = json!({
            "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" },
        });
        let assistant = json!({ "role": "assistant", "tool_calls": [call] });
        let result = |id: &str| json!({ "role": "tool", "tool_call_id": id, "content": "r" });
        for (messages, name) in [
            (json!([user, result("c1")]), "messages[1].tool_call_id"),
            (json!([user, assistant, result("c2")]), "messages[2].tool_call_id"),
            (json!([user, assistant, user]), "messages[2]"),
            (json!([user, assistant]), "messages"),
            (json!([user, assistant, result("c1"), result("c1")]), "messages[3].tool_call_id"),
        ] {
            assert_eq!(param(&json!({ "messages": messages })).as_deref(), Some(name));
        }
    }
}
