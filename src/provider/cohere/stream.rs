//! Reading recorded streams of Cohere, of either version.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::chat::{ChatResponse, ErrorClass};
use crate::provider::answer::{self, text};
use crate::provider::decode::{Events, Step};
use crate::provider::error::Stated;
use crate::provider::json::count;

use super::response;

/// The stream of events, ended by `message-end`, in version 1 by `stream-end`.
#[derive(Debug, Default)]
pub(in crate::provider) struct CohereEvents {
    /// Which call of the response each index stands for.
    calls: BTreeMap<u64, usize>,
}

impl Events for CohereEvents {
    fn event(
        &mut self,
        data: &[u8],
        response: &mut ChatResponse,
    ) -> Result<Step, serde_json::Error> {
        let data = data.trim_ascii();
        if data.is_empty() || data.starts_with(b"[DONE]") {
            return Ok(Step::Nothing);
        }
        let event: Value = serde_json::from_slice(data)?;
        if let Some(stated) = answer::stated_error(&event) {
            return Ok(Step::Failed(stated.classed(ErrorClass::StreamError)));
        }
        if let Some(kind) = text(&event, "event_type") {
            return Ok(version1(kind, &event, response));
        }
        let delta = event.get("delta").unwrap_or(&Value::Null);
        let message = delta.get("message").unwrap_or(&Value::Null);
        let content = message.get("content").unwrap_or(&Value::Null);
        let call = message.get("tool_calls").unwrap_or(&Value::Null);
        Ok(match text(&event, "type").unwrap_or_default() {
            "message-start" => {
                response.id = text(&event, "id").map(str::to_owned);
                Step::Nothing
            }
            "content-start" | "content-delta" => {
                match push(&mut response.text, text(content, "text"), Step::Answer) {
                    Step::Nothing => {
                        let thinking = text(content, "thinking");
                        push(&mut response.reasoning_text, thinking, Step::Reasoning)
                    }
                    step => step,
                }
            }
            "tool-plan-delta" => {
                push(&mut response.reasoning_text, text(message, "tool_plan"), Step::Reasoning)
            }
            "tool-call-start" => {
                self.calls.insert(index(&event), response.tool_calls.len());
                response.tool_calls.push(response::tool_call(call));
                Step::Answer
            }
            "tool-call-delta" => {
                let piece = call.get("function").and_then(|function| text(function, "arguments"));
                let place = self.calls.get(&index(&event));
                match place.and_then(|place| response.tool_calls.get_mut(*place)) {
                    Some(call) => push(&mut call.arguments, piece, Step::Answer),
                    None => Step::Nothing,
                }
            }
            "message-end" => end(delta, response),
            _ => Step::Nothing,
        })
    }

    fn end(self, _: &mut ChatResponse) {}
}

fn end(delta: &Value, response: &mut ChatResponse) -> Step {
    response::stop(text(delta, "finish_reason"), response);
    response.usage = delta.get("usage").and_then(response::usage);
    match text(delta, "error") {
        Some(message) => {
            let stated = Stated { message: message.to_owned(), ..Stated::default() };
            Step::Failed(stated.classed(ErrorClass::StreamError))
        }
        None => Step::Finished,
    }
}

fn version1(kind: &str, event: &Value, response: &mut ChatResponse) -> Step {
    match kind {
        "text-generation" => push(&mut response.text, text(event, "text"), Step::Answer),
        "stream-end" => {
            if let Some(whole) = event.get("response").filter(|whole| whole.is_object()) {
                let said = std::mem::take(&mut response.text);
                *response = response::version1(whole);
                if response.text.is_empty() {
                    response.text = said;
                }
            }
            response::stop(text(event, "finish_reason"), response);
            Step::Finished
        }
        _ => Step::Nothing,
    }
}

fn index(event: &Value) -> u64 {
    event.get("index").and_then(count).unwrap_or(0)
}

fn push(place: &mut String, text: Option<&str>, step: Step) -> Step {
    match text {
        Some(text) => {
            place.push_str(text);
            step
        }
        None => Step::Nothing,
    }
}
