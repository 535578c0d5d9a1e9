//! The answer of a traced call as a response body.

use serde_json::{Value, json};

use crate::capture::body::fill_response;
use crate::capture::value::{decoded, is_blank};
use crate::dataset::CapturedExchange;
use crate::provider::Dialect;

use super::messages::{Message, call};

/// What a trace says of an answer.
#[derive(Debug, Default)]
pub(in crate::capture) struct Answer {
    body: Value,
    dialect: Option<Dialect>,
    /// The output as it was logged.
    text: String,
    /// Token counts in LangChain's form that stood beside the message.
    pub(in crate::capture) usage: Option<Value>,
}

impl Answer {
    /// Reads an output; `None` if there is none.
    ///
    /// What is no message, no body and no list of such is the text of the answer, also where it is
    /// JSON: a model that was asked for JSON answers with that.
    pub(in crate::capture) fn of(output: &Value, finish_reason: Option<&str>) -> Option<Self> {
        if is_blank(output) {
            return None;
        }
        let text = output.as_str().map_or_else(|| output.to_string(), str::to_owned);
        let plain = || of_message(&json!({"role": "assistant", "content": text}), None);
        let mut answer = recognise(&decoded(output), 0).unwrap_or_else(plain).ended(finish_reason);
        answer.text = text;
        Some(answer)
    }

    /// Why it ended, where the answer itself does not say.
    fn ended(mut self, finish_reason: Option<&str>) -> Self {
        let choice = self.body.get_mut("choices").and_then(|choices| choices.get_mut(0));
        if let Some((choice, reason)) = choice.and_then(Value::as_object_mut).zip(finish_reason)
            && choice.get("finish_reason").is_none_or(Value::is_null)
        {
            choice.insert("finish_reason".to_owned(), json!(openai_reason(reason)));
        }
        self
    }

    /// Fills the answer's columns of a row.
    pub(in crate::capture) fn fill(&self, row: &mut CapturedExchange) {
        fill_response(row, self.dialect, &self.body);
        let is_read = row.response_text.is_some() || row.tool_calls.is_some();
        if !is_read && row.refusal.is_none() {
            // It only looked like a body; the model was asked for JSON that does.
            row.error_class = None;
            row.error_message = None;
            row.response_text = Some(self.text.clone());
        }
    }
}

/// Reasons of other dialects under OpenAI's names.
fn openai_reason(reason: &str) -> &str {
    match reason {
        "end_turn" | "stop_sequence" | "STOP" | "eos" | "COMPLETE" => "stop",
        "max_tokens" | "MAX_TOKENS" | "max_output_tokens" => "length",
        "tool_use" | "tool-calls" | "TOOL_CALL" => "tool_calls",
        "SAFETY" | "RECITATION" | "guardrail_intervened" | "content-filter" => "content_filter",
        other => other,
    }
}

fn of_message(message: &Value, reason: Option<&str>) -> Answer {
    let reason = reason.map(openai_reason);
    let choice = json!({"index": 0, "message": message, "finish_reason": reason});
    whole(&json!({ "choices": [choice] }), Dialect::OpenAiChat)
}

fn whole(body: &Value, dialect: Dialect) -> Answer {
    Answer { body: body.clone(), dialect: Some(dialect), ..Answer::default() }
}

/// Wrappers may wrap wrappers, but not without end.
const MAX_DEPTH: usize = 6;

fn recognise(value: &Value, depth: usize) -> Option<Answer> {
    match value {
        _ if depth > MAX_DEPTH => None,
        Value::Array(list) => of_list(list, depth),
        Value::Object(_) => of_object(value, depth),
        _ => None,
    }
}

fn of_object(value: &Value, depth: usize) -> Option<Answer> {
    let list = |name: &str| value.get(name).and_then(Value::as_array);
    let is = |name: &str, text: &str| value.get(name).is_some_and(|own| own == text);
    if let Some(choices) = list("choices") {
        // Legacy completions have a text where chat has a message.
        let text = choices.first().and_then(|choice| choice.get("text")?.as_str());
        return Some(match text {
            Some(text) => of_message(&json!({"role": "assistant", "content": text}), None),
            None => whole(value, Dialect::OpenAiChat),
        });
    }
    if list("candidates").is_some() {
        return Some(whole(value, Dialect::Gemini));
    }
    if is("object", "response") && list("output").is_some() {
        return Some(whole(value, Dialect::OpenAiResponses));
    }
    if is("type", "message") && !has_output_text(value) && list("content").is_some() {
        return Some(whole(value, Dialect::AnthropicMessages));
    }
    if let Some(generations) = list("generations") {
        return of_generation(generations.first()?, depth);
    }
    if has_output_text(value) {
        return Some(of_items(std::slice::from_ref(value)));
    }
    if let Some(message) = Message::of(value) {
        let mut answer = of_message(&message.openai(), message.finish_reason().as_deref());
        answer.usage = message.usage().cloned();
        name_model(&mut answer, message.model());
        return Some(answer);
    }
    if let Some(calls) = list("tool_calls").filter(|calls| !calls.is_empty()) {
        return of_calls(calls);
    }
    alone(value, depth)
}

/// An object whose one member of content is the answer itself.
fn alone(value: &Value, depth: usize) -> Option<Answer> {
    let members = value.as_object()?;
    let beside = ["usage_metadata", "usage", "finish_reason", "role", "model", "llm_output", "run"];
    let mut contents = members.iter().filter(|(name, _)| !beside.contains(&name.as_str()));
    let (name, content) = contents.next()?;
    if contents.next().is_some() {
        return None;
    }
    let names = ["output", "outputs", "completion", "text", "content", "message", "messages"];
    if !names.contains(&name.as_str()) {
        return None;
    }
    match content {
        Value::String(text) => {
            let reason = members.get("finish_reason").and_then(Value::as_str);
            Some(of_message(&json!({"role": "assistant", "content": text}), reason))
        }
        other => recognise(other, depth + 1),
    }
}

/// LangChain's `LLMResult`: lists of generations, each with a text and perhaps a message.
fn of_generation(generation: &Value, depth: usize) -> Option<Answer> {
    if let Value::Array(inner) = generation {
        return of_generation(inner.first()?, depth + 1).filter(|_| depth < MAX_DEPTH);
    }
    let reason = generation.get("generation_info").and_then(|own| own.get("finish_reason"));
    let reason = reason.and_then(Value::as_str);
    let message = generation.get("message").and_then(|message| recognise(message, depth + 1));
    let text = generation.get("text").and_then(Value::as_str);
    let plain = || Some(of_message(&json!({"role": "assistant", "content": text?}), None));
    message.or_else(plain).map(|answer| answer.ended(reason))
}

fn of_list(list: &[Value], depth: usize) -> Option<Answer> {
    let first = list.first()?;
    let kind = |item: &Value, names: &[&str]| {
        item.get("type").and_then(Value::as_str).is_some_and(|kind| names.contains(&kind))
    };
    if first.get("message").is_some() && first.get("role").is_none() {
        return Some(whole(&json!({ "choices": list }), Dialect::OpenAiChat));
    }
    if list.iter().any(has_output_text)
        || list.iter().all(|item| kind(item, &["function_call", "reasoning", "message"]))
    {
        return Some(of_items(list));
    }
    if list.iter().all(|item| kind(item, &["text", "tool_use", "thinking", "redacted_thinking"])) {
        let body = json!({"type": "message", "role": "assistant", "content": list});
        return Some(whole(&body, Dialect::AnthropicMessages));
    }
    if list.iter().all(|item| call(item).is_some()) {
        return of_calls(list);
    }
    if list.len() == 1 || first.is_array() {
        return recognise(first, depth + 1);
    }
    of_messages(list)
}

/// Several messages: all of the assistant are choices that were asked for; else the answer
/// is the last of a conversation.
fn of_messages(list: &[Value]) -> Option<Answer> {
    let messages = list.iter().map(Message::of).collect::<Option<Vec<Message>>>()?;
    if messages.iter().any(|message| !message.is_answer()) {
        let answer = messages.last().filter(|message| message.is_answer())?;
        return Some(of_message(&answer.openai(), answer.finish_reason().as_deref()));
    }
    let choices: Vec<Value> = messages
        .iter()
        .enumerate()
        .map(|(index, message)| json!({"index": index, "message": message.openai()}))
        .collect();
    Some(whole(&json!({ "choices": choices }), Dialect::OpenAiChat))
}

fn of_calls(calls: &[Value]) -> Option<Answer> {
    let calls: Vec<Value> = calls.iter().filter_map(call).collect();
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
    (!calls.is_empty()).then(|| of_message(&message, None))
}

fn has_output_text(item: &Value) -> bool {
    let parts = item.get("content").and_then(Value::as_array);
    let mut parts = parts.into_iter().flatten();
    parts
        .any(|part| part.get("type").is_some_and(|kind| kind == "output_text" || kind == "refusal"))
}

/// Items of the Responses API without their body: texts and calls as one message.
fn of_items(items: &[Value]) -> Answer {
    let parts = items.iter().filter_map(|item| item.get("content")?.as_array()).flatten();
    let texts: Vec<&str> = parts.filter_map(|part| part.get("text")?.as_str()).collect();
    let is_call = |item: &&Value| item.get("type").is_some_and(|kind| kind == "function_call");
    let calls: Vec<Value> = items
        .iter()
        .filter(is_call)
        .filter_map(|item| {
            let mut call = call(item)?;
            if let Some(id) = item.get("call_id") {
                call.as_object_mut()?.insert("id".to_owned(), id.clone());
            }
            Some(call)
        })
        .collect();
    let content = if texts.is_empty() { Value::Null } else { json!(texts.concat()) };
    let mut message = json!({"role": "assistant", "content": content});
    if let (false, Some(members)) = (calls.is_empty(), message.as_object_mut()) {
        members.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    of_message(&message, None)
}

fn name_model(answer: &mut Answer, model: Option<String>) {
    if let Some((body, model)) = answer.body.as_object_mut().zip(model) {
        body.insert("model".to_owned(), Value::String(model));
    }
}
