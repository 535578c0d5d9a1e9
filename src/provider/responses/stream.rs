//! Reading recorded streams of Responses.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::chat::{ChatResponse, ErrorClass, FinishReason};
use crate::provider::answer::{list, text};
use crate::provider::decode::{Events, Step};
use crate::provider::error::Stated;
use crate::provider::json::count;

use super::response;

/// The stream of events, ended by one that holds the whole answer.
#[derive(Debug, Default)]
pub(in crate::provider) struct ResponsesEvents {
    /// Which call of the response each output item stands for.
    calls: BTreeMap<u64, usize>,
}

impl Events for ResponsesEvents {
    fn event(
        &mut self,
        data: &[u8],
        response: &mut ChatResponse,
    ) -> Result<Step, serde_json::Error> {
        let data = data.trim_ascii();
        // Some servers end every stream as they end that of a chat; the answer ended before.
        if data.is_empty() || data.starts_with(b"[DONE]") {
            return Ok(Step::Nothing);
        }
        let event: Value = serde_json::from_slice(data)?;
        let whole = event.get("response");
        Ok(match text(&event, "type").unwrap_or_default() {
            "response.output_text.delta" => push(&mut response.text, &event, Step::Answer),
            "response.refusal.delta" if text(&event, "delta").is_some() => {
                push(response.refusal.get_or_insert_default(), &event, Step::Answer)
            }
            "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" => {
                push(&mut response.reasoning_text, &event, Step::Reasoning)
            }
            // Sound is output too, though nothing of it is kept.
            "response.audio.delta" | "response.output_audio.delta"
                if text(&event, "delta").is_some() =>
            {
                Step::Answer
            }
            "response.output_item.added" => self.item(&event, response),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.arguments(&event, response)
            }
            "response.created" | "response.in_progress" => {
                if let Some(whole) = whole {
                    response.id = text(whole, "id").map(str::to_owned);
                    response.model = text(whole, "model").map(str::to_owned);
                }
                Step::Nothing
            }
            "response.completed" | "response.incomplete" | "response.cancelled" => {
                take(whole, response);
                Step::Finished
            }
            "response.failed" => {
                take(whole, response);
                let error = whole.and_then(|whole| whole.get("error")).unwrap_or(&Value::Null);
                Step::Failed(Stated::from_value(error).classed(ErrorClass::StreamError))
            }
            "error" => {
                let error = event.get("error").filter(|error| error.is_object()).unwrap_or(&event);
                let stated = Stated { kind: None, ..Stated::from_value(error) };
                Step::Failed(stated.classed(ErrorClass::StreamError))
            }
            _ => Step::Nothing,
        })
    }

    fn end(self, _: &mut ChatResponse) {}
}

impl ResponsesEvents {
    fn item(&mut self, event: &Value, response: &mut ChatResponse) -> Step {
        let Some(item) = event.get("item") else { return Step::Nothing };
        if !matches!(text(item, "type"), Some("function_call" | "custom_tool_call")) {
            return Step::Nothing;
        }
        self.calls.insert(index(event), response.tool_calls.len());
        response.tool_calls.push(response::tool_call(item));
        Step::Answer
    }

    fn arguments(&self, event: &Value, response: &mut ChatResponse) -> Step {
        let place = self.calls.get(&index(event));
        match place.and_then(|place| response.tool_calls.get_mut(*place)) {
            Some(call) => push(&mut call.arguments, event, Step::Answer),
            None => Step::Nothing,
        }
    }
}

fn index(event: &Value) -> u64 {
    event.get("output_index").and_then(count).unwrap_or(0)
}

fn push(place: &mut String, event: &Value, step: Step) -> Step {
    match text(event, "delta") {
        Some(delta) => {
            place.push_str(delta);
            step
        }
        None => Step::Nothing,
    }
}

/// Takes the whole answer; one without output keeps the fragments that came.
fn take(whole: Option<&Value>, response: &mut ChatResponse) {
    let Some(whole) = whole else { return };
    let read = response::read(whole);
    if list(whole, "output").next().is_some() {
        *response = read;
    } else {
        response.id = read.id.or(response.id.take());
        response.model = read.model.or(response.model.take());
        response.usage = read.usage;
        let calls = !response.tool_calls.is_empty();
        response.finish_reason = match read.finish_reason {
            Some(FinishReason::Stop) if calls => Some(FinishReason::ToolCalls),
            reason => reason,
        };
        response.raw_finish_reason = read.raw_finish_reason;
    }
}
