//! Which dialect a captured answer is written in, whole or as a stream.

use serde_json::Value;

use crate::provider::dialect::Dialect;

/// How many events are looked at before a stream is given up as unknown.
const MAX_EVENTS: usize = 16;

/// The dialect of a response body, where a member shows it.
pub fn sniff_response(response_body: &Value) -> Option<Dialect> {
    if let Value::Array(events) = response_body {
        return events.iter().take(MAX_EVENTS).find_map(of_event);
    }
    let has = |name: &str| response_body.get(name).is_some_and(|value| !value.is_null());
    let is = |name: &str, value: &str| response_body.get(name).is_some_and(|own| own == value);
    if let Some(choices) = response_body.get("choices") {
        let first = choices.get(0).unwrap_or(&Value::Null);
        let is_text = is("object", "text_completion")
            || (first.get("text").is_some() && first.get("message").is_none());
        return Some(if is_text { Dialect::OpenAiCompletions } else { Dialect::OpenAiChat });
    }
    let inner = |outer: &str, name: &str| response_body.get(outer)?.get(name);
    if is("type", "message") {
        Some(Dialect::AnthropicMessages)
    } else if is("object", "response")
        || (has("status") && response_body.get("output").is_some_and(Value::is_array))
    {
        Some(Dialect::OpenAiResponses)
    } else if is_gemini(response_body) {
        Some(Dialect::Gemini)
    } else if inner("output", "message").is_some() {
        Some(Dialect::BedrockConverse)
    } else if inner("message", "content").or(inner("message", "tool_calls")).is_some()
        && has("finish_reason")
        || (has("generation_id") && has("text"))
    {
        Some(Dialect::CohereChat)
    } else {
        let is_llama = has("generation") && (has("stop_reason") || has("generation_token_count"));
        is_llama.then_some(Dialect::OpenAiCompletions)
    }
}

fn is_gemini(body: &Value) -> bool {
    let names = ["candidates", "promptFeedback", "usageMetadata"];
    names.iter().any(|name| body.get(name).is_some_and(|value| !value.is_null()))
}

/// The dialect of a recorded stream of events, where an event shows it.
///
/// The first events are read as JSON, because a text may quote the words of any dialect.
pub fn sniff_stream(events: &str) -> Option<Dialect> {
    let text = events.trim_start();
    if text.starts_with(['[', '{']) {
        return of_values(text);
    }
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let values = data.filter_map(|data| serde_json::from_str(data).ok());
    values.take(MAX_EVENTS).find_map(|event: Value| of_event(&event))
}

/// Events without their frame, as a list or one after the other.
fn of_values(text: &str) -> Option<Dialect> {
    let mut rest = text.strip_prefix('[').unwrap_or(text);
    for _ in 0..MAX_EVENTS {
        rest = rest.trim_start_matches(|char: char| char.is_whitespace() || char == ',');
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let event = values.next()?.ok()?;
        if let Some(dialect) = of_event(&event).or_else(|| sniff_response(&event)) {
            return Some(dialect);
        }
        rest = rest.get(values.byte_offset()..)?;
    }
    None
}

fn of_event(event: &Value) -> Option<Dialect> {
    let member = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let object = event.as_object()?;
    match member("object") {
        "chat.completion.chunk" => return Some(Dialect::OpenAiChat),
        "text_completion" => return Some(Dialect::OpenAiCompletions),
        _ => {}
    }
    let kind = member("type");
    if kind.starts_with("response.") {
        return Some(Dialect::OpenAiResponses);
    }
    if kind.starts_with("message_") || kind.starts_with("content_block_") {
        return Some(Dialect::AnthropicMessages);
    }
    let cohere = ["message-", "content-", "tool-plan-", "tool-call-", "citation-"];
    if cohere.iter().any(|prefix| kind.starts_with(prefix)) || !member("event_type").is_empty() {
        return Some(Dialect::CohereChat);
    }
    let converse = [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
    ];
    if converse.iter().any(|name| object.contains_key(*name)) {
        return Some(Dialect::BedrockConverse);
    }
    if is_gemini(event) {
        return Some(Dialect::Gemini);
    }
    let choice = object.get("choices").and_then(|choices| choices.get(0))?;
    if choice.get("delta").is_some() {
        Some(Dialect::OpenAiChat)
    } else {
        choice.get("text").is_some().then_some(Dialect::OpenAiCompletions)
    }
}
