//! The answer of a call from what its spans and events say.

use serde_json::{Map, Value, json};

use crate::dataset::{CapturedExchange, ContentState};
use crate::provider::Dialect;

use super::super::body::{fill_response, set_state};
use super::super::value::{as_text, decoded, is_blank, path, present, text};
use super::indexed;
use super::messages::{messages, says_something, tool_call};
use super::prompt::{event_body, opened};
use super::span::Span;
use super::tree::Call;

/// One choice of an answer: its message and why it ended.
type Choice = (Value, Option<String>);

/// Fills the columns of the answer: from the provider's own response body, else from messages.
pub(super) fn fill(row: &mut CapturedExchange, call: &Call<'_>) {
    if let Some(body) = call.spans.iter().find_map(|span| own_body(span)) {
        let dialect = row.dialect.as_deref().and_then(|dialect| dialect.parse().ok());
        fill_response(row, dialect, &body);
    }
    if row.response_text.is_none() {
        fill_choices(row, call);
    }
    let stated = |names: &[&str]| call.spans.iter().find_map(|span| span.text(names));
    if let Some(model) = stated(&["gen_ai.response.model", "llm.response.model_name"]) {
        row.response_model = Some(model);
    } else if row.response_model.is_none() && row.error_class.is_none() {
        // OpenInference's only name of the model is that of the answer.
        row.response_model = stated(&["llm.model_name"]);
    }
    if row.finish_reason.is_none() {
        row.finish_reason = finish_reason(call).map(|reason| closed(&reason).to_owned());
    }
}

fn fill_choices(row: &mut CapturedExchange, call: &Call<'_>) {
    for span in &call.spans {
        let Some(choices) = choices(span) else {
            if was_cut(span) {
                cut(row);
            }
            continue;
        };
        let Some((first, reason)) = choices.first() else { continue };
        if !says_something(first) {
            // Why the answer ended is logged also where its content is not.
            row.finish_reason = reason.as_deref().map(|reason| closed(reason).to_owned());
            continue;
        }
        let choices: Vec<Value> = choices.into_iter().zip(0..).map(wire_choice).collect();
        fill_response(row, Some(Dialect::OpenAiChat), &json!({"choices": choices}));
        return;
    }
}

fn wire_choice(((message, reason), index): (Choice, usize)) -> Value {
    let reason = reason.map(|reason| match closed(&reason) {
        "other" => reason,
        known => known.to_owned(),
    });
    json!({"index": index, "message": message, "finish_reason": reason})
}

/// Marks that the answer was cut, where nothing worse is known.
fn cut(row: &mut CapturedExchange) {
    if row.content_state == ContentState::Complete.as_str() {
        set_state(row, ContentState::Truncated);
    }
}

/// Whether an answer is there that was cut, so that it cannot be read.
fn was_cut(span: &Span) -> bool {
    let value = span.attribute(&["gen_ai.output.messages", "output.value"]);
    value.is_some_and(|value| opened(value).is_none())
}

/// The response body as OpenInference logs it.
fn own_body(span: &Span) -> Option<Value> {
    let body = span.attribute(&["output.value"]).map(|value| decoded(value).into_owned())?;
    let list = |name: &str| body.get(name).is_some_and(Value::is_array);
    let is_message = body.get("type").is_some_and(|kind| kind == "message") && list("content");
    let is_body = is_message || list("choices") || list("output") || list("candidates");
    is_body.then_some(body)
}

fn choices(span: &Span) -> Option<Vec<Choice>> {
    of_messages(span)
        .or_else(|| of_indexed(span, "llm.output_messages."))
        .or_else(|| of_indexed(span, "gen_ai.completion."))
        .or_else(|| of_events(span))
        .or_else(|| of_langfuse(span))
}

/// A message of an answer with its own reason, the singular word of generation C among them.
fn choice(logged: &Value) -> Option<Choice> {
    let reason = text(logged, &["finish_reason"]);
    let mut logged = logged.clone();
    if let Some(object) = logged.as_object_mut() {
        let message = object.get("message").is_some_and(Value::is_object);
        if !message {
            object.entry("role").or_insert_with(|| "assistant".into());
        }
    }
    let message = messages(&logged).into_iter().next_back()?;
    (says_something(&message) || reason.is_some()).then_some((message, reason))
}

/// Generation C; LiteLLM states the tools that are called apart from it.
fn of_messages(span: &Span) -> Option<Vec<Choice>> {
    let list = match opened(span.attribute(&["gen_ai.output.messages"])?)? {
        Value::Array(list) => list,
        said @ Value::String(_) => vec![json!({"role": "assistant", "content": said})],
        one => vec![one],
    };
    let mut choices: Vec<Choice> = list.iter().filter_map(choice).collect();
    if let Some((message, _)) = choices.first_mut() {
        let calls = litellm_calls(span);
        if present(message, "tool_calls").is_none() && !calls.is_empty() {
            set(message, "tool_calls", Value::Array(calls));
        } else if !says_something(message) {
            // Content was captured, and there is none.
            set(message, "content", "".into());
        }
    }
    Some(choices)
}

fn set(message: &mut Value, name: &str, value: Value) {
    if let Some(message) = message.as_object_mut() {
        message.insert(name.to_owned(), value);
    }
}

/// The calls of tools that LiteLLM numbers under `gen_ai.completion`, without identifiers.
fn litellm_calls(span: &Span) -> Vec<Value> {
    let list = indexed::list(&span.attributes, "gen_ai.completion.");
    let calls = list.items.iter().zip(0..).filter_map(|(item, at)| {
        let mut call = tool_call(present(item, "function_call")?);
        if let Some(id) = call.get_mut("id").filter(|id| is_blank(id)) {
            *id = format!("call_{at}").into();
        }
        Some(call)
    });
    calls.collect()
}

/// Generation A and OpenInference: an answer is spread over attributes.
fn of_indexed(span: &Span, prefix: &str) -> Option<Vec<Choice>> {
    let list = indexed::list(&span.attributes, prefix);
    let choices: Vec<Choice> = list.items.iter().filter_map(choice).collect();
    (!choices.is_empty()).then_some(choices)
}

/// Generation B: an event a choice.
fn of_events(span: &Span) -> Option<Vec<Choice>> {
    let mut choices = Vec::new();
    for event in &span.events {
        match event.name.as_str() {
            "gen_ai.choice" => choices.extend(choice(&choice_body(&event_body(event)))),
            "gen_ai.content.completion" => {
                let list = opened(event.attributes.get("gen_ai.completion")?)?;
                choices.extend(list.as_array().into_iter().flatten().filter_map(choice));
            }
            _ => {}
        }
    }
    (!choices.is_empty()).then_some(choices)
}

/// The message of a choice with the choice's own reason.
fn choice_body(body: &Value) -> Value {
    let mut message = match body.get("message") {
        Some(Value::Object(message)) => message.clone(),
        Some(said) => Map::from_iter([("content".to_owned(), said.clone())]),
        None => body.as_object().cloned().unwrap_or_default(),
    };
    if let Some(reason) = present(body, "finish_reason") {
        message.insert("finish_reason".to_owned(), reason.clone());
    }
    if !message.contains_key("tool_calls")
        && let Some(calls) = present(body, "tool_calls")
    {
        message.insert("tool_calls".to_owned(), calls.clone());
    }
    let has_arguments = |call: &Value| path(call, &["function", "arguments"]).is_some();
    let calls = message.get("tool_calls").and_then(Value::as_array);
    if calls.is_some_and(|calls| !calls.iter().all(has_arguments)) {
        // Arguments are content, and content was not captured.
        message.remove("tool_calls");
    }
    Value::Object(message)
}

/// Langfuse: the message, or its text alone. An answer may itself be JSON, so that only an object
/// with a role is a message.
fn of_langfuse(span: &Span) -> Option<Vec<Choice>> {
    let value = span.attribute(&["langfuse.observation.output"])?;
    let output = decoded(value);
    let messages = match &*output {
        Value::Array(list) if !list.is_empty() => list.clone(),
        one => vec![one.clone()],
    };
    if messages.iter().all(|message| message.get("role").is_some_and(Value::is_string)) {
        return Some(messages.iter().filter_map(choice).collect());
    }
    let said = as_text(value).unwrap_or_else(|| output.to_string());
    Some(vec![(json!({"role": "assistant", "content": said}), None)])
}

/// Why the answer ended, where its message does not say.
fn finish_reason(call: &Call<'_>) -> Option<String> {
    let names = [
        "gen_ai.response.finish_reasons",
        "llm.finish_reason",
        "llm.response.finish_reason",
        "llm.response.stop_reason",
        "gen_ai.completion.0.finish_reason",
        "langfuse.observation.metadata.finish_reason",
        "anthropic.message.stop_reason",
    ];
    let stated = |name: &str| call.spans.iter().find_map(|span| span.attribute(&[name]));
    names.iter().find_map(|name| match opened(stated(name)?)? {
        Value::Array(reasons) => as_text(reasons.first()?),
        Value::String(reason) => Some(reason.trim_matches('"').to_owned()),
        _ => None,
    })
}

/// A reason in the closed set of the column.
fn closed(reason: &str) -> &'static str {
    match reason.to_ascii_lowercase().as_str() {
        "stop" | "end_turn" | "stop_sequence" | "completed" | "complete" | "eos" => "stop",
        "length" | "max_tokens" | "max_output_tokens" => "length",
        "tool_call" | "tool_calls" | "tool_use" | "function_call" => "tool_calls",
        "content_filter" | "safety" | "guardrail_intervened" | "content_filtered" => {
            "content_filter"
        }
        "refusal" => "refusal",
        "error" => "error",
        _ => "other",
    }
}
