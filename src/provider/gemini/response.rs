//! Reading Gemini answers, streamed and whole.

use serde_json::Value;

use crate::chat::{ChatResponse, ErrorClass, FinishReason, ToolCall, Usage};
use crate::provider::adapter::ParseError;
use crate::provider::answer;
use crate::provider::decode::{Events, Step};
use crate::provider::error::ProviderError;
use crate::provider::fields::Fields;
use crate::provider::json::count;

/// Reads a whole answer.
pub(in crate::provider) fn parse(body: &Value) -> Result<ChatResponse, ParseError> {
    answer::refuse_error(body)?;
    let fields = Fields::of_body(body)?.or_snake();
    let candidates = fields.list("candidates")?;
    if candidates.is_empty() && fields.object("promptFeedback")?.is_none() {
        return Err(ParseError::Missing("candidates".into()));
    }
    if let Some(candidate) = candidates.first() {
        let candidate = Fields::of(candidate, "candidates[0]")?.or_snake();
        if let Some(content) = candidate.object("content")? {
            content.list("parts")?;
        }
    }
    let (mut response, mut events) = (ChatResponse::default(), GeminiEvents::default());
    events.chunk(body, &mut response);
    events.end(&mut response);
    Ok(response)
}

/// Reads a whole body of an answer with a successful status.
pub(super) fn read_body(bytes: &[u8]) -> Result<ChatResponse, ProviderError> {
    answer::read_body(bytes, parse)
}

/// The stream of partial answers; each is a whole body in form.
#[derive(Debug, Default)]
pub(in crate::provider) struct GeminiEvents {
    finished: bool,
}

impl Events for GeminiEvents {
    fn event(
        &mut self,
        data: &[u8],
        response: &mut ChatResponse,
    ) -> Result<Step, serde_json::Error> {
        let data = data.trim_ascii();
        if data.is_empty() || data.starts_with(b"[DONE]") {
            return Ok(Step::Nothing);
        }
        let chunk: Value = serde_json::from_slice(data)?;
        Ok(match answer::stated_error(&chunk) {
            Some(stated) => Step::Failed(stated.classed(ErrorClass::StreamError)),
            None => self.chunk(&chunk, response),
        })
    }

    fn may_end(&self) -> bool {
        self.finished
    }

    /// The word for an answer that calls tools is that for one that does not.
    fn end(self, response: &mut ChatResponse) {
        if response.finish_reason == Some(FinishReason::Stop) && !response.tool_calls.is_empty() {
            response.finish_reason = Some(FinishReason::ToolCalls);
        }
    }
}

impl GeminiEvents {
    fn chunk(&mut self, chunk: &Value, response: &mut ChatResponse) -> Step {
        let text = |name: &str, other: &str| {
            let value = chunk.get(name).or_else(|| chunk.get(other));
            value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        response.id = text("responseId", "response_id").or(response.id.take());
        response.model = text("modelVersion", "model_version").or(response.model.take());
        let counts = chunk.get("usageMetadata").or_else(|| chunk.get("usage_metadata"));
        if let Some(counts) = counts.filter(|counts| counts.is_object()) {
            response.usage = Some(usage(counts));
        }
        self.blocked(chunk, response);
        let Some(candidate) = chunk.get("candidates").and_then(|list| list.get(0)) else {
            return Step::Nothing;
        };
        let mut step = Step::Nothing;
        let parts = candidate.get("content").and_then(|content| content.get("parts"));
        for part in parts.and_then(Value::as_array).into_iter().flatten() {
            step = later(step, fold(part, response));
        }
        let reason = candidate.get("finishReason").or_else(|| candidate.get("finish_reason"));
        if let Some(raw) = reason.and_then(Value::as_str) {
            self.finished = true;
            response.finish_reason = Some(finish_reason(raw));
            response.raw_finish_reason = Some(raw.to_owned());
        }
        step
    }

    /// A prompt that was blocked has no candidates.
    fn blocked(&mut self, chunk: &Value, response: &mut ChatResponse) {
        let feedback = chunk.get("promptFeedback").or_else(|| chunk.get("prompt_feedback"));
        let member = |camel: &str, snake: &str| {
            feedback.and_then(|all| all.get(camel).or_else(|| all.get(snake))?.as_str())
        };
        let Some(raw) = member("blockReason", "block_reason") else { return };
        self.finished = true;
        response.finish_reason = Some(FinishReason::ContentFilter);
        response.raw_finish_reason = Some(raw.to_owned());
        response.refusal = member("blockReasonMessage", "block_reason_message").map(str::to_owned);
    }
}

fn later(before: Step, step: Step) -> Step {
    match (&before, &step) {
        (_, Step::Nothing) | (Step::Answer, _) => before,
        _ => step,
    }
}

fn fold(part: &Value, response: &mut ChatResponse) -> Step {
    let is_thought = part.get("thought").and_then(Value::as_bool) == Some(true);
    if let Some(text) = part.get("text").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        let place = if is_thought { &mut response.reasoning_text } else { &mut response.text };
        place.push_str(text);
        return if is_thought { Step::Reasoning } else { Step::Answer };
    }
    let call = part.get("functionCall").or_else(|| part.get("function_call"));
    let Some(call) = call.filter(|call| call.is_object()) else {
        // Pictures and sound are output too, though nothing of them is kept.
        let media = part.get("inlineData").or_else(|| part.get("inline_data"));
        return if media.is_some_and(Value::is_object) { Step::Answer } else { Step::Nothing };
    };
    let text = |name: &str| call.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let arguments = call.get("args").filter(|args| !args.is_null());
    let arguments = arguments.map_or_else(|| "{}".to_owned(), Value::to_string);
    response.tool_calls.push(ToolCall { id: text("id"), name: text("name"), arguments });
    Step::Answer
}

/// The inclusive counts: thoughts are added to the output, unless the total shows that the
/// candidates' count holds them already.
fn usage(counts: &Value) -> Usage {
    let member =
        |camel: &str, snake: &str| counts.get(camel).or_else(|| counts.get(snake)).and_then(count);
    let prompt = member("promptTokenCount", "prompt_token_count");
    let for_tools = member("toolUsePromptTokenCount", "tool_use_prompt_token_count");
    let candidates = member("candidatesTokenCount", "candidates_token_count");
    let thoughts = member("thoughtsTokenCount", "thoughts_token_count");
    let total = member("totalTokenCount", "total_token_count");
    let input = prompt.map(|prompt| prompt.saturating_add(for_tools.unwrap_or(0)));
    let output = match (candidates, thoughts, input, total) {
        (Some(candidates), Some(_), Some(input), Some(total))
            if input.checked_add(candidates) == Some(total) =>
        {
            Some(candidates)
        }
        // Protobuf leaves out a count of zero; the total tells it from an unknown one.
        (None, _, Some(input), Some(total)) => total.checked_sub(input),
        (None, None, ..) => None,
        (candidates, thoughts, ..) => {
            Some(candidates.unwrap_or(0).saturating_add(thoughts.unwrap_or(0)))
        }
    };
    Usage {
        input_tokens: input,
        output_tokens: output,
        cache_read_input_tokens: member("cachedContentTokenCount", "cached_content_token_count"),
        cache_creation_input_tokens: None,
        reasoning_output_tokens: thoughts,
    }
}

fn finish_reason(raw: &str) -> FinishReason {
    match raw {
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => FinishReason::ContentFilter,
        "MALFORMED_FUNCTION_CALL"
        | "MALFORMED_RESPONSE"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE" => FinishReason::Malformed,
        other => FinishReason::Other(other.to_owned()),
    }
}
