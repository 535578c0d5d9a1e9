//! Reading Anthropic answers, streamed and whole.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::Value;

use crate::chat::{ChatResponse, ErrorClass, FinishReason, ToolCall, Usage};
use crate::provider::adapter::ParseError;
use crate::provider::decode::{Events, Step, not_json};
use crate::provider::error::{ProviderError, Stated};
use crate::provider::json::{Count, Text, filled};

use super::error;

/// A whole message, and the `message` of a `message_start` event.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct MessageWire<'a> {
    id: Option<Text<'a>>,
    model: Option<Text<'a>>,
    content: Option<Vec<BlockWire<'a>>>,
    stop_reason: Option<Text<'a>>,
    stop_details: Option<StopDetails<'a>>,
    usage: Option<UsageWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct BlockWire<'a> {
    #[serde(rename = "type")]
    kind: Option<Text<'a>>,
    text: Option<Text<'a>>,
    thinking: Option<Text<'a>>,
    id: Option<Text<'a>>,
    name: Option<Text<'a>>,
    input: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct StopDetails<'a> {
    explanation: Option<Text<'a>>,
}

/// Any event of the stream: each kind fills its own members.
#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct EventWire<'a> {
    #[serde(rename = "type")]
    kind: Text<'a>,
    index: Count,
    /// Boxed, as all that a delta lacks, so that the common event stays small.
    message: Option<Box<MessageWire<'a>>>,
    content_block: Option<Box<BlockWire<'a>>>,
    delta: Option<DeltaWire<'a>>,
    usage: Option<UsageWire>,
    error: Option<Value>,
    /// What Bedrock adds to the last event.
    #[serde(rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<Box<Metrics>>,
}

/// Bedrock's own counts, which exclude cached tokens too.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Bedrock's")]
struct Metrics {
    input_token_count: Count,
    output_token_count: Count,
    cache_read_input_token_count: Count,
    cache_write_input_token_count: Count,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct DeltaWire<'a> {
    #[serde(rename = "type")]
    kind: Option<Text<'a>>,
    text: Option<Text<'a>>,
    thinking: Option<Text<'a>>,
    partial_json: Option<Text<'a>>,
    stop_reason: Option<Text<'a>>,
    stop_details: Option<StopDetails<'a>>,
}

/// Token counts; input counts exclude what the cache served or took in.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct UsageWire {
    input_tokens: Count,
    output_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Count,
}

impl DeltaWire<'_> {
    /// Where in `data` the delta's text stands; nothing else of such a delta is read.
    fn text_alone(&self, data: &[u8]) -> Option<Range<usize>> {
        let is_text = filled(self.kind.as_ref()) == Some("text_delta");
        self.text.as_ref().filter(|_| is_text)?.place_in(data)
    }
}

impl UsageWire {
    /// Counts of a stream are cumulative: a later one replaces an earlier one.
    fn update(&mut self, later: UsageWire) {
        let newer = |old: &mut Count, new: Count| *old = Count(new.0.or(old.0));
        newer(&mut self.input_tokens, later.input_tokens);
        newer(&mut self.output_tokens, later.output_tokens);
        newer(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        newer(&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details);
    }

    /// The inclusive counts: cache reads and writes are added to the input.
    fn inclusive(self) -> Usage {
        let cached = self.cache_read_input_tokens.0.unwrap_or(0);
        let written = self.cache_creation_input_tokens.0.unwrap_or(0);
        let input = self.input_tokens.0;
        Usage {
            input_tokens: input.map(|fresh| fresh.saturating_add(cached).saturating_add(written)),
            output_tokens: self.output_tokens.0,
            cache_read_input_tokens: self.cache_read_input_tokens.0,
            cache_creation_input_tokens: self.cache_creation_input_tokens.0,
            reasoning_output_tokens: self.output_tokens_details.and_then(|d| d.thinking_tokens.0),
        }
    }
}

/// Reads a whole message.
pub(super) fn parse(body: &Value) -> Result<ChatResponse, ParseError> {
    if body.get("type").and_then(Value::as_str) == Some("error") {
        let error = body.get("error").unwrap_or(&Value::Null);
        let code = Stated::from_value(error).best_code().unwrap_or_else(|| "no code".into());
        return Err(ParseError::ErrorBody(code));
    }
    let wire =
        MessageWire::deserialize(body).map_err(|_| ParseError::wrong("body", "a message"))?;
    if wire.content.is_none() {
        return Err(ParseError::Missing("content".into()));
    }
    let mut events = AnthropicEvents::default();
    let mut response = ChatResponse::default();
    events.message(wire, &mut response);
    events.end(&mut response);
    Ok(response)
}

/// Reads a whole body of an answer with a successful status.
pub(super) fn read_body(bytes: &[u8]) -> Result<ChatResponse, ProviderError> {
    let body: Value = serde_json::from_slice(bytes).map_err(|_| not_json(bytes))?;
    if let Some(error) = body.get("error").filter(|error| !error.is_null()) {
        let stated = Stated::from_value(error);
        let class = error::class_in_success(&stated);
        return Err(stated.classed(class));
    }
    parse(&body).map_err(|error| ProviderError::protocol(&error.to_string()))
}

/// The stream of events, ended by `message_stop`.
#[derive(Debug, Default)]
pub(super) struct AnthropicEvents {
    usage: Option<UsageWire>,
    /// Which call of the response each block index stands for.
    calls: BTreeMap<u64, usize>,
    /// Arguments that a block brought whole, by call; they hold if no fragment follows.
    whole_inputs: BTreeMap<usize, String>,
}

impl Events for AnthropicEvents {
    fn event(
        &mut self,
        data: &[u8],
        response: &mut ChatResponse,
    ) -> Result<Step, serde_json::Error> {
        let event: EventWire<'_> = match serde_json::from_slice(data) {
            Ok(event) => event,
            Err(_) if is_unknown_kind(data) => return Ok(Step::Nothing),
            Err(error) => return Err(error),
        };
        Ok(match event.kind.as_str() {
            "content_block_delta" => match event.delta {
                Some(delta) => match self.delta(event.index, &delta, response) {
                    Step::Answer => delta.text_alone(data).map_or(Step::Answer, Step::Text),
                    step => step,
                },
                None => Step::Nothing,
            },
            "content_block_start" => match event.content_block {
                Some(block) => self.block(event.index.0, *block, response),
                None => Step::Nothing,
            },
            "message_start" => {
                if let Some(message) = event.message {
                    self.message(*message, response);
                }
                Step::Nothing
            }
            "message_delta" => {
                if let Some(delta) = event.delta {
                    stop(delta.stop_reason.as_ref(), delta.stop_details.as_ref(), response);
                }
                self.add_usage(event.usage, response);
                Step::Nothing
            }
            "message_stop" => {
                if let Some(metrics) = event.metrics {
                    self.complete_usage(*metrics, response);
                }
                Step::Finished
            }
            "error" => {
                let stated = Stated::from_value(&event.error.unwrap_or(Value::Null));
                Step::Failed(stated.classed(ErrorClass::StreamError))
            }
            // Pings, block ends, and kinds that the API's versioning policy allows to be added.
            _ => Step::Nothing,
        })
    }

    fn end(self, response: &mut ChatResponse) {
        for (place, call) in response.tool_calls.iter_mut().enumerate() {
            if call.arguments.is_empty() {
                call.arguments =
                    self.whole_inputs.get(&place).map_or_else(|| "{}".to_owned(), Clone::clone);
            }
        }
    }
}

impl AnthropicEvents {
    fn add_usage(&mut self, usage: Option<UsageWire>, response: &mut ChatResponse) {
        if let Some(usage) = usage {
            self.usage.get_or_insert_default().update(usage);
            response.usage = self.usage.map(UsageWire::inclusive);
        }
    }

    /// Bedrock's counts stand in for those that the model's own events did not state.
    fn complete_usage(&mut self, metrics: Metrics, response: &mut ChatResponse) {
        let stated = self.usage.unwrap_or_default();
        let mut usage = UsageWire {
            input_tokens: metrics.input_token_count,
            output_tokens: metrics.output_token_count,
            cache_read_input_tokens: metrics.cache_read_input_token_count,
            cache_creation_input_tokens: metrics.cache_write_input_token_count,
            output_tokens_details: None,
        };
        usage.update(stated);
        self.usage = Some(usage);
        response.usage = Some(usage.inclusive());
    }

    fn message(&mut self, message: MessageWire<'_>, response: &mut ChatResponse) {
        response.id = filled(message.id.as_ref()).map(str::to_owned);
        response.model = filled(message.model.as_ref()).map(str::to_owned);
        self.add_usage(message.usage, response);
        for block in message.content.into_iter().flatten() {
            self.block(None, block, response);
        }
        stop(message.stop_reason.as_ref(), message.stop_details.as_ref(), response);
    }

    fn block(
        &mut self,
        index: Option<u64>,
        block: BlockWire<'_>,
        response: &mut ChatResponse,
    ) -> Step {
        match filled(block.kind.as_ref()).unwrap_or_default() {
            "text" => push(&mut response.text, block.text.as_ref(), Step::Answer),
            "thinking" => {
                push(&mut response.reasoning_text, block.thinking.as_ref(), Step::Reasoning)
            }
            "redacted_thinking" => Step::Reasoning,
            "tool_use" => {
                let place = response.tool_calls.len();
                let text = |text: Option<&Text<'_>>| filled(text).unwrap_or_default().to_owned();
                let (id, name) = (text(block.id.as_ref()), text(block.name.as_ref()));
                response.tool_calls.push(ToolCall { id, name, arguments: String::new() });
                if let Some(index) = index {
                    self.calls.insert(index, place);
                }
                if let Some(Value::Object(input)) = block.input
                    && !input.is_empty()
                {
                    self.whole_inputs.insert(place, Value::Object(input).to_string());
                }
                Step::Answer
            }
            // Calls of tools that the provider runs itself are output too, but not ours to answer.
            kind if kind.ends_with("tool_use") => Step::Answer,
            _ => Step::Nothing,
        }
    }

    fn delta(&mut self, index: Count, delta: &DeltaWire<'_>, response: &mut ChatResponse) -> Step {
        match filled(delta.kind.as_ref()).unwrap_or_default() {
            "text_delta" => push(&mut response.text, delta.text.as_ref(), Step::Answer),
            "thinking_delta" => {
                push(&mut response.reasoning_text, delta.thinking.as_ref(), Step::Reasoning)
            }
            "input_json_delta" => {
                let place = index.0.and_then(|index| self.calls.get(&index));
                let call = place.and_then(|place| response.tool_calls.get_mut(*place));
                let mut unowned = String::new();
                let arguments = call.map_or(&mut unowned, |call| &mut call.arguments);
                push(arguments, delta.partial_json.as_ref(), Step::Answer)
            }
            _ => Step::Nothing,
        }
    }
}

/// Whether the data is an event of a kind that this decoder does not read; such a kind may give
/// any type to a member that has another meaning elsewhere.
fn is_unknown_kind(data: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(rename = "type", borrow)]
        kind: Text<'a>,
    }
    let read = ["content_block_", "message_", "error"];
    serde_json::from_slice::<Kind<'_>>(data)
        .is_ok_and(|event| !read.iter().any(|known| event.kind.as_str().starts_with(known)))
}

fn push(place: &mut String, text: Option<&Text<'_>>, step: Step) -> Step {
    match filled(text) {
        Some(text) => {
            place.push_str(text);
            step
        }
        None => Step::Nothing,
    }
}

fn stop(reason: Option<&Text<'_>>, details: Option<&StopDetails<'_>>, response: &mut ChatResponse) {
    if let Some(raw) = filled(reason) {
        response.finish_reason = Some(finish_reason(raw));
        response.raw_finish_reason = Some(raw.to_owned());
    }
    if let Some(explanation) = details.and_then(|details| filled(details.explanation.as_ref())) {
        response.refusal = Some(explanation.to_owned());
    }
}

fn finish_reason(raw: &str) -> FinishReason {
    match raw {
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::Refusal,
        "pause_turn" => FinishReason::Paused,
        "model_context_window_exceeded" => FinishReason::ContextOverflow,
        other => FinishReason::Other(other.to_owned()),
    }
}
