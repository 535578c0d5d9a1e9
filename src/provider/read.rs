//! Captured bodies of every dialect to neutral form.

use serde_json::Value;

use crate::chat::ChatResponse;

use super::adapter::{ParseError, Parsed, adapter};
use super::decode::Decoded;
use super::dialect::Dialect;
use super::protocol::Protocol;
use super::{cohere, completions, converse, gemini, responses};

/// Reads a request body.
pub(super) fn request(dialect: Dialect, body: &Value) -> Result<Parsed, ParseError> {
    match dialect {
        Dialect::OpenAiChat => adapter(Protocol::OpenAiChat).parse_request(body),
        Dialect::AnthropicMessages => adapter(Protocol::AnthropicMessages).parse_request(body),
        Dialect::OpenAiResponses => responses::parse(body),
        Dialect::OpenAiCompletions => completions::parse(body),
        Dialect::Gemini => gemini::parse(body),
        Dialect::BedrockConverse => converse::parse(body),
        Dialect::CohereChat => cohere::parse(body),
    }
}

/// Reads a whole response body; a list is one if it holds all events of a stream.
pub(super) fn response(dialect: Dialect, body: &Value) -> Result<ChatResponse, ParseError> {
    if body.is_array() {
        let decoded = stream(dialect, body.to_string().as_bytes());
        return match decoded.error {
            None => Ok(decoded.response),
            Some(error) => {
                Err(ParseError::ErrorBody(error.code.unwrap_or_else(|| error.class.to_string())))
            }
        };
    }
    match dialect {
        Dialect::OpenAiChat => adapter(Protocol::OpenAiChat).parse_response(body),
        Dialect::AnthropicMessages => adapter(Protocol::AnthropicMessages).parse_response(body),
        Dialect::OpenAiResponses => responses::parse_response(body),
        Dialect::OpenAiCompletions => completions::parse_response(body),
        Dialect::Gemini => gemini::parse_response(body),
        Dialect::BedrockConverse => converse::parse_response(body),
        Dialect::CohereChat => cohere::parse_response(body),
    }
}

/// Reads a recorded stream as a whole.
pub(super) fn stream(dialect: Dialect, recorded: &[u8]) -> Decoded {
    match dialect {
        Dialect::OpenAiChat => adapter(Protocol::OpenAiChat).assemble(recorded),
        Dialect::AnthropicMessages => adapter(Protocol::AnthropicMessages).assemble(recorded),
        Dialect::OpenAiResponses => responses::stream_decoder().assemble(recorded),
        Dialect::OpenAiCompletions => completions::stream_decoder().assemble(recorded),
        Dialect::Gemini => gemini::stream_decoder().assemble(recorded),
        Dialect::BedrockConverse => converse::stream_decoder().assemble(recorded),
        Dialect::CohereChat => cohere::stream_decoder().assemble(recorded),
    }
}
