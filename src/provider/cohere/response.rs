//! Reading whole answers of Cohere, of either version.

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
    if fields.get("message").is_none() && fields.get("text").is_some() {
        fields.text("text")?;
        return Ok(version1(body));
    }
    let missing = || ParseError::Missing("message".into());
    let message = fields.object("message")?.ok_or_else(missing)?;
    let mut response = ChatResponse {
        id: text(body, "id").map(str::to_owned),
        model: text(body, "model").map(str::to_owned),
        ..ChatResponse::default()
    };
    if let Some(Value::String(whole)) = message.get("content") {
        response.text.push_str(whole);
    } else {
        for part in message.list("content")? {
            response.text.push_str(text(part, "text").unwrap_or_default());
            response.reasoning_text.push_str(text(part, "thinking").unwrap_or_default());
        }
    }
    response.reasoning_text.push_str(message.text("tool_plan")?.unwrap_or_default());
    for call in message.list("tool_calls")? {
        response.tool_calls.push(tool_call(call));
    }
    stop(fields.text("finish_reason")?, &mut response);
    response.usage = body.get("usage").and_then(usage);
    Ok(response)
}

/// Reads a whole body of an answer with a successful status.
pub(super) fn read_body(bytes: &[u8]) -> Result<ChatResponse, ProviderError> {
    answer::read_body(bytes, parse)
}

/// Reads an answer of version 1, also the one that ends its stream.
pub(super) fn version1(body: &Value) -> ChatResponse {
    let mut response = ChatResponse::default();
    let id = text(body, "response_id").or(text(body, "generation_id"));
    response.id = id.map(str::to_owned);
    text(body, "text").unwrap_or_default().clone_into(&mut response.text);
    for call in list(body, "tool_calls") {
        let arguments = call.get("parameters").map_or_else(|| "{}".to_owned(), Value::to_string);
        let name = text(call, "name").unwrap_or_default().to_owned();
        response.tool_calls.push(ToolCall { id: String::new(), name, arguments });
    }
    stop(text(body, "finish_reason"), &mut response);
    if !response.tool_calls.is_empty() && response.finish_reason == Some(FinishReason::Stop) {
        response.finish_reason = Some(FinishReason::ToolCalls);
    }
    response.usage = body.get("meta").and_then(usage);
    response
}

/// A call of version 2.
pub(super) fn tool_call(call: &Value) -> ToolCall {
    let function = call.get("function").unwrap_or(&Value::Null);
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        Some(object @ Value::Object(_)) => object.to_string(),
        _ => String::new(),
    };
    let member = |value: &Value, name: &str| text(value, name).unwrap_or_default().to_owned();
    ToolCall { id: member(call, "id"), name: member(function, "name"), arguments }
}

/// Tokens, not billed units.
pub(super) fn usage(counts: &Value) -> Option<Usage> {
    let tokens = counts.get("tokens")?;
    Some(Usage {
        input_tokens: tokens.get("input_tokens").and_then(count),
        output_tokens: tokens.get("output_tokens").and_then(count),
        cache_read_input_tokens: counts.get("cached_tokens").and_then(count),
        ..Usage::default()
    })
}

/// Sets the finish reason.
pub(super) fn stop(raw: Option<&str>, response: &mut ChatResponse) {
    let Some(raw) = raw else { return };
    response.raw_finish_reason = Some(raw.to_owned());
    response.finish_reason = Some(match raw.to_ascii_uppercase().as_str() {
        "COMPLETE" | "STOP_SEQUENCE" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        "ERROR_TOXIC" => FinishReason::ContentFilter,
        "ERROR_LIMIT" => FinishReason::ContextOverflow,
        "ERROR" | "TIMEOUT" => FinishReason::Error,
        _ => FinishReason::Other(raw.to_owned()),
    });
}
