//! Reading Converse answers, streamed and whole.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::chat::{ChatResponse, ErrorClass, FinishReason, ToolCall, Usage};
use crate::provider::adapter::ParseError;
use crate::provider::answer::{self, text};
use crate::provider::decode::{Events, Step};
use crate::provider::error::{ProviderError, Stated};
use crate::provider::fields::Fields;
use crate::provider::json::count;

/// Reads a whole answer.
pub(in crate::provider) fn parse(body: &Value) -> Result<ChatResponse, ParseError> {
    answer::refuse_error(body)?;
    let fields = Fields::of_body(body)?;
    let missing = || ParseError::Missing("output.message".into());
    let output = fields.object("output")?.ok_or_else(missing)?;
    let message = output.object("message")?.ok_or_else(missing)?;
    let mut response = ChatResponse::default();
    for block in message.list("content")? {
        fold(block, &mut response);
    }
    stop(fields.text("stopReason")?, &mut response);
    response.usage = fields.get("usage").filter(|counts| counts.is_object()).map(usage);
    Ok(response)
}

/// Reads a whole body of an answer with a successful status.
pub(super) fn read_body(bytes: &[u8]) -> Result<ChatResponse, ProviderError> {
    answer::read_body(bytes, parse)
}

/// The stream of events, each an object with the event's name as its only member.
#[derive(Debug, Default)]
pub(in crate::provider) struct ConverseEvents {
    stopped: bool,
    /// Which call of the response each block stands for.
    calls: BTreeMap<u64, usize>,
}

impl Events for ConverseEvents {
    fn event(
        &mut self,
        data: &[u8],
        response: &mut ChatResponse,
    ) -> Result<Step, serde_json::Error> {
        let event: Value = serde_json::from_slice(data)?;
        let Some((kind, inner)) = event.as_object().and_then(named) else {
            return Ok(match answer::stated_error(&event) {
                Some(stated) => Step::Failed(stated.classed(ErrorClass::StreamError)),
                None => Step::Nothing,
            });
        };
        let index = inner.get("contentBlockIndex").and_then(count).unwrap_or(0);
        Ok(match kind {
            "contentBlockStart" => {
                match inner.get("start").and_then(|start| start.get("toolUse")) {
                    Some(call) => {
                        self.calls.insert(index, response.tool_calls.len());
                        response.tool_calls.push(tool_call(call, String::new()));
                        Step::Answer
                    }
                    None => Step::Nothing,
                }
            }
            "contentBlockDelta" => match inner.get("delta") {
                Some(delta) => self.delta(index, delta, response),
                None => Step::Nothing,
            },
            "messageStop" => {
                self.stopped = true;
                stop(text(inner, "stopReason"), response);
                Step::Nothing
            }
            "metadata" => {
                let counts = inner.get("usage").filter(|counts| counts.is_object());
                response.usage = counts.map(usage).or(response.usage);
                Step::Nothing
            }
            kind if kind.ends_with("Exception") => {
                let stated = Stated {
                    message: text(inner, "message").unwrap_or_default().to_owned(),
                    code: Some(kind.to_owned()),
                    ..Stated::default()
                };
                Step::Failed(stated.classed(ErrorClass::StreamError))
            }
            _ => Step::Nothing,
        })
    }

    fn may_end(&self) -> bool {
        self.stopped
    }

    fn end(self, response: &mut ChatResponse) {
        for call in response.tool_calls.iter_mut().filter(|call| call.arguments.is_empty()) {
            "{}".clone_into(&mut call.arguments);
        }
    }
}

impl ConverseEvents {
    fn delta(&self, index: u64, delta: &Value, response: &mut ChatResponse) -> Step {
        if let Some(text) = text(delta, "text") {
            response.text.push_str(text);
            return Step::Answer;
        }
        let thought = delta.get("reasoningContent").and_then(|content| text(content, "text"));
        if let Some(text) = thought {
            response.reasoning_text.push_str(text);
            return Step::Reasoning;
        }
        let input = delta.get("toolUse").and_then(|call| text(call, "input"));
        let place = self.calls.get(&index).and_then(|place| response.tool_calls.get_mut(*place));
        match (input, place) {
            (Some(input), Some(call)) => {
                call.arguments.push_str(input);
                Step::Answer
            }
            _ => Step::Nothing,
        }
    }
}

/// The event's name and what it holds; padding may stand beside it.
fn named(event: &serde_json::Map<String, Value>) -> Option<(&str, &Value)> {
    let is_name = |name: &str| {
        name.starts_with("message")
            || name.starts_with("contentBlock")
            || name == "metadata"
            || name.ends_with("Exception")
    };
    let mut members = event.iter().map(|(name, inner)| (name.as_str(), inner));
    members.find(|(name, inner)| is_name(name) && inner.is_object())
}

fn fold(block: &Value, response: &mut ChatResponse) {
    if let Some(text) = text(block, "text") {
        response.text.push_str(text);
    } else if let Some(call) = block.get("toolUse") {
        let arguments = call.get("input").map_or_else(|| "{}".to_owned(), Value::to_string);
        response.tool_calls.push(tool_call(call, arguments));
    } else if let Some(thought) = block.get("reasoningContent") {
        let thought = thought.get("reasoningText").and_then(|thought| text(thought, "text"));
        response.reasoning_text.push_str(thought.unwrap_or_default());
    } else if let Some(cited) = block.get("citationsContent") {
        for piece in answer::list(cited, "content") {
            response.text.push_str(text(piece, "text").unwrap_or_default());
        }
    }
}

fn tool_call(call: &Value, arguments: String) -> ToolCall {
    let member = |name: &str| text(call, name).unwrap_or_default().to_owned();
    ToolCall { id: member("toolUseId"), name: member("name"), arguments }
}

/// The inclusive counts: cache reads and writes are added to the input.
fn usage(counts: &Value) -> Usage {
    let member =
        |name: &str, older: &str| counts.get(name).or_else(|| counts.get(older)).and_then(count);
    let read = member("cacheReadInputTokens", "cacheReadInputTokenCount");
    let written = member("cacheWriteInputTokens", "cacheWriteInputTokenCount");
    let fresh = counts.get("inputTokens").and_then(count);
    let cached = read.unwrap_or(0).saturating_add(written.unwrap_or(0));
    Usage {
        input_tokens: fresh.map(|fresh| fresh.saturating_add(cached)),
        output_tokens: counts.get("outputTokens").and_then(count),
        cache_read_input_tokens: read,
        cache_creation_input_tokens: written,
        reasoning_output_tokens: None,
    }
}

fn stop(raw: Option<&str>, response: &mut ChatResponse) {
    let Some(raw) = raw else { return };
    response.raw_finish_reason = Some(raw.to_owned());
    response.finish_reason = Some(match raw {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "guardrail_intervened" | "content_filtered" => FinishReason::ContentFilter,
        "malformed_model_output" | "malformed_tool_use" => FinishReason::Malformed,
        "model_context_window_exceeded" => FinishReason::ContextOverflow,
        other => FinishReason::Other(other.to_owned()),
    });
}
