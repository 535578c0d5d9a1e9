//! Reading whole answers of Responses.

use serde_json::Value;

use crate::chat::{ChatResponse, FinishReason, ToolCall, Usage};
use crate::provider::adapter::ParseError;
use crate::provider::answer::{self, list, text};
use crate::provider::error::ProviderError;
use crate::provider::fields::Fields;
use crate::provider::json::count;

/// Reads a whole answer.
pub(in crate::provider) fn parse(body: &Value) -> Result<ChatResponse, ParseError> {
    answer::refuse_error(body)?;
    let fields = Fields::of_body(body)?;
    if fields.get("output").is_none() {
        return Err(ParseError::Missing("output".into()));
    }
    fields.list("output")?;
    Ok(read(body))
}

/// Reads a whole body of an answer with a successful status.
pub(super) fn read_body(bytes: &[u8]) -> Result<ChatResponse, ProviderError> {
    answer::read_body(bytes, parse)
}

/// Reads what a response object holds, whatever its status.
pub(super) fn read(body: &Value) -> ChatResponse {
    let mut response = ChatResponse {
        id: text(body, "id").map(str::to_owned),
        model: text(body, "model").map(str::to_owned),
        ..ChatResponse::default()
    };
    for item in list(body, "output") {
        fold(item, &mut response);
    }
    response.usage = body.get("usage").filter(|counts| counts.is_object()).map(usage);
    finish(body, &mut response);
    response
}

fn fold(item: &Value, response: &mut ChatResponse) {
    match text(item, "type").unwrap_or_default() {
        "message" => {
            for part in list(item, "content") {
                response.text.push_str(text(part, "text").unwrap_or_default());
                if let Some(refusal) = text(part, "refusal") {
                    response.refusal.get_or_insert_default().push_str(refusal);
                }
            }
        }
        "function_call" | "custom_tool_call" => response.tool_calls.push(tool_call(item)),
        "reasoning" => {
            for part in list(item, "summary").chain(list(item, "content")) {
                response.reasoning_text.push_str(text(part, "text").unwrap_or_default());
            }
        }
        _ => {}
    }
}

/// A call item; the free input of a custom tool stands in the place of arguments.
pub(super) fn tool_call(item: &Value) -> ToolCall {
    let member = |name: &str| text(item, name).unwrap_or_default().to_owned();
    let arguments = text(item, "arguments").or(text(item, "input")).unwrap_or_default().to_owned();
    ToolCall { id: member("call_id"), name: member("name"), arguments }
}

fn finish(body: &Value, response: &mut ChatResponse) {
    let Some(status) = text(body, "status") else { return };
    let reason = body.get("incomplete_details").and_then(|details| text(details, "reason"));
    let raw = reason.filter(|_| status == "incomplete").unwrap_or(status);
    response.raw_finish_reason = Some(raw.to_owned());
    response.finish_reason = match raw {
        // An answer that is still being made has not ended.
        "in_progress" | "queued" => None,
        "completed" if response.tool_calls.is_empty() => Some(FinishReason::Stop),
        "completed" => Some(FinishReason::ToolCalls),
        "max_output_tokens" => Some(FinishReason::Length),
        "content_filter" => Some(FinishReason::ContentFilter),
        "failed" => Some(FinishReason::Error),
        other => Some(FinishReason::Other(other.to_owned())),
    };
}

/// All counts are inclusive already.
fn usage(counts: &Value) -> Usage {
    let own = |name: &str| counts.get(name).and_then(count);
    let detail = |outer: &str, name: &str| counts.get(outer)?.get(name).and_then(count);
    Usage {
        input_tokens: own("input_tokens"),
        output_tokens: own("output_tokens"),
        cache_read_input_tokens: detail("input_tokens_details", "cached_tokens"),
        cache_creation_input_tokens: detail("input_tokens_details", "cache_write_tokens"),
        reasoning_output_tokens: detail("output_tokens_details", "reasoning_tokens"),
    }
}
