//! What a request makes use of, which a candidate must offer too.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chat::{ChatRequest, Part, ResponseFormat, Role, ToolChoice};

use super::value::{flag, number, present};

/// Names of members of a body that are a feature by being there.
const MEMBERS: &[(&str, &str)] = &[
    ("logit_bias", "logit_bias"),
    ("prediction", "prediction"),
    ("service_tier", "service_tier"),
    ("web_search_options", "web_search"),
    ("audio", "audio"),
    ("previous_response_id", "server_state"),
    ("conversation", "server_state"),
    ("container", "server_state"),
    ("mcp_servers", "mcp"),
    ("reasoning", "reasoning"),
    ("thinking", "reasoning"),
    ("prompt_cache_key", "prompt_caching"),
    ("top_k", "top_k"),
];

/// The features of a request, sorted: what is asked for beyond a plain conversation.
pub(super) fn features(request: &ChatRequest, body: &Value) -> Vec<String> {
    let mut found: BTreeSet<&'static str> = BTreeSet::new();
    let mut note = |applies: bool, name: &'static str| {
        if applies {
            found.insert(name);
        }
    };
    note(!request.tools.is_empty(), "tools");
    note(!request.hosted_tools.is_empty(), "hosted_tools");
    let forced = matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
    note(forced, "forced_tool_choice");
    note(request.parallel_tool_calls == Some(false), "parallel_tool_calls_off");
    match request.response_format {
        Some(ResponseFormat::JsonObject) => note(true, "json_object"),
        Some(ResponseFormat::JsonSchema { .. }) => note(true, "json_schema"),
        Some(ResponseFormat::Text) | None => {}
    }
    note(request.choices.is_some_and(|choices| choices > 1), "several_choices");
    note(request.seed.is_some(), "seed");
    note(!request.stop.is_empty(), "stop_sequences");
    note(request.top_k.is_some(), "top_k");
    let penalties = [request.presence_penalty, request.frequency_penalty];
    note(penalties.into_iter().flatten().any(|penalty| penalty != 0.0), "penalties");
    note(request.reasoning_effort.is_some(), "reasoning");
    note(request.messages.iter().any(|message| message.role == Role::System), "system_prompt");
    note(request.messages.iter().any(|message| message.role == Role::Tool), "tool_results");
    let ends_open = request.messages.last().is_some_and(|last| last.role == Role::Assistant);
    note(ends_open, "prefill");
    for part in request.messages.iter().flat_map(|message| &message.parts) {
        note_part(part, &mut note);
    }
    note(present(body, "logprobs").is_some_and(is_on), "logprobs");
    note(present(body, "top_logprobs").is_some(), "logprobs");
    note(present(body, "store").and_then(flag) == Some(true), "store");
    for (member, name) in MEMBERS {
        note(present(body, member).is_some(), name);
    }
    note(mentions_cache_control(body), "prompt_caching");
    found.into_iter().map(str::to_owned).collect()
}

/// Legacy completions ask for a number of log probabilities, chat for true or false.
fn is_on(value: &Value) -> bool {
    flag(value) == Some(true) || number(value).is_some_and(|number| number > 0.0)
}

fn note_part(part: &Part, note: &mut impl FnMut(bool, &'static str)) {
    match part {
        Part::Image { .. } => note(true, "images"),
        Part::ToolResult { content, .. } => {
            for part in content {
                note_part(part, &mut *note);
            }
        }
        Part::Other { kind, .. } => match kind.as_str() {
            "input_audio" | "audio" => note(true, "audio"),
            "file" | "document" | "input_file" => note(true, "files"),
            "thinking" | "redacted_thinking" | "reasoning" => note(true, "reasoning"),
            _ => note(true, "other_content"),
        },
        _ => {}
    }
}

/// Anthropic's marks of what shall be cached stand on tools, on system blocks and on parts.
fn mentions_cache_control(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, member)| {
            matches!(name.as_str(), "cache_control" | "cachePoint")
                || mentions_cache_control(member)
        }),
        Value::Array(items) => items.iter().any(mentions_cache_control),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Dialect, parse_request};
    use serde_json::json;

    fn of(body: &Value) -> Vec<String> {
        features(&parse_request(Dialect::OpenAiChat, body).unwrap(), body)
    }

    #[test]
    fn a_plain_conversation_has_no_features_and_each_extra_is_named_once() {
        let user = json!({"role": "user", "content": "hi"});
        assert!(of(&json!({"model": "m", "messages": [user], "logprobs": false})).is_empty());
        let body = json!({
            "model": "m", "seed": 1, "n": 2, "logprobs": true, "top_logprobs": 3, "store": true,
            "response_format": {"type": "json_object"}, "reasoning_effort": "low",
            "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required",
            "messages": [
                {"role": "system", "content": [
                    {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}]},
                {"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                    {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]},
            ],
        });
        assert_eq!(
            of(&body),
            [
                "audio",
                "forced_tool_choice",
                "images",
                "json_object",
                "logprobs",
                "prompt_caching",
                "reasoning",
                "seed",
                "several_choices",
                "store",
                "system_prompt",
                "tools",
            ]
        );
    }
}
