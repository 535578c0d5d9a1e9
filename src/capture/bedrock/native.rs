//! Answers in the vendors' own shapes, whole or as a list of stream events, and the metrics that
//! Bedrock adds to them.

use serde_json::Value;

use crate::chat::FinishReason;

use super::super::value::{decoded, number, path, present, text};

/// Bedrock's own measures of an invocation: in the answer or in the last event that has them.
pub(super) fn metrics(answer: &Value) -> Option<&Value> {
    const NAME: &str = "amazon-bedrock-invocationMetrics";
    match answer {
        Value::Array(events) => events.iter().rev().find_map(|event| present(event, NAME)),
        whole => present(whole, NAME),
    }
}

/// The latency that Converse measures, in milliseconds.
pub(super) fn converse_latency_ms(answer: &Value) -> Option<f64> {
    let of = |value: &Value| path(value, &["metrics", "latencyMs"]).and_then(number);
    match answer {
        Value::Array(events) => {
            events.iter().rev().find_map(|event| of(event.get("metadata").unwrap_or(event)))
        }
        whole => of(whole),
    }
}

/// The events as server-sent ones, where they are those of Anthropic or of OpenAI.
pub(super) fn event_stream(events: &[Value]) -> Option<String> {
    let mut stream = String::new();
    let (mut is_openai, mut is_finished) = (false, false);
    for event in events {
        let event = decoded(event);
        let choices = event.get("choices").and_then(Value::as_array);
        match (text(&event, &["type"]), choices) {
            (Some(kind), _) => stream.extend(["event: ", kind.as_str(), "\n"]),
            (None, Some(choices)) => {
                is_openai = true;
                is_finished |= choices.iter().any(|own| present(own, "finish_reason").is_some());
            }
            (None, None) => continue,
        }
        stream.extend(["data: ", event.to_string().as_str(), "\n\n"]);
    }
    // The terminator of OpenAI's streams is no event, so that Bedrock has nothing to log.
    if is_openai && is_finished {
        stream.push_str("data: [DONE]\n\n");
    }
    (!stream.is_empty()).then_some(stream)
}

/// The text of an answer of Llama, Mistral, Titan, Nova, Cohere, AI21 or an old Claude.
pub(super) fn text_of(answer: &Value) -> Option<String> {
    if let Value::Array(events) = answer {
        let texts: Vec<String> = events.iter().filter_map(text_of).collect();
        return (!texts.is_empty()).then(|| texts.concat());
    }
    let flat = ["generation", "outputText", "completion", "text"];
    if let Some(text) = flat.iter().find_map(|name| answer.get(*name)?.as_str()) {
        return Some(text.to_owned());
    }
    let first = |list: &str, names: &[&str]| {
        let item = answer.get(list)?.get(0)?;
        path(item, names)?.as_str().map(str::to_owned)
    };
    let delta = || path(answer, &["contentBlockDelta", "delta", "text"])?.as_str();
    first("results", &["outputText"])
        .or_else(|| first("outputs", &["text"]))
        .or_else(|| first("generations", &["text"]))
        .or_else(|| first("completions", &["data", "text"]))
        .or_else(|| delta().map(str::to_owned))
        .or_else(|| nova_text(answer))
}

fn nova_text(answer: &Value) -> Option<String> {
    let parts = path(answer, &["output", "message", "content"])?.as_array()?;
    let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
    Some(texts.collect::<Vec<_>>().concat())
}

/// Why such an answer ended.
pub(super) fn finish_reason(answer: &Value) -> Option<String> {
    let of = |value: &Value| {
        text(value, &["stop_reason", "stopReason", "completionReason", "finish_reason"])
    };
    let reason = match answer {
        Value::Array(events) => events
            .iter()
            .rev()
            .find_map(|event| of(event).or_else(|| of(event.get("messageStop")?))),
        whole => of(whole).or_else(|| {
            let lists = ["results", "outputs", "generations"];
            lists.iter().find_map(|list| of(whole.get(*list)?.get(0)?))
        }),
    };
    let reason = reason?;
    let known = match reason.to_ascii_lowercase().as_str() {
        "stop" | "end_turn" | "stop_sequence" | "finish" | "finished" | "complete" => {
            FinishReason::Stop
        }
        "length" | "max_tokens" => FinishReason::Length,
        "tool_use" | "tool_calls" => FinishReason::ToolCalls,
        "content_filtered" | "guardrail_intervened" | "error_toxic" => FinishReason::ContentFilter,
        _ => FinishReason::Other(reason),
    };
    Some(known.as_str().to_owned())
}
