//! OpenAI Chat Completions, and the many servers that speak its protocol.
//!
//! - A cap is optional and has two names; reasoning models take the newer one.
//! - Token counts include cached and reasoning tokens.
//! - A stream states its token counts only if asked to, and ends with `[DONE]`.

mod chunk;
mod encode;
mod encode_message;
mod error;
mod parse;
mod parse_message;
mod patch;
mod response;

use serde_json::Value;

use crate::chat::ChatResponse;

use super::adapter::{Adapter, Encoded, ParseError, Parsed, Patched, Target};
use super::decode::{BodyDecoder, Decoded, Decoder, StreamDecoder};
use super::error::{HeaderLookup, ProviderError};
use super::loss::Losses;
use super::protocol::Protocol;
use super::raw::Edit;

pub(super) use chunk::{finish_reason, usage};

/// Where OpenAI Responses carries the reasoning effort.
pub(super) const RESPONSES_EFFORT: &str = "reasoning.effort";

/// The adapter of OpenAI Chat Completions.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenAiChat;

fn stream_decoder() -> StreamDecoder<response::OpenAiEvents> {
    StreamDecoder::new(response::OpenAiEvents::default(), response::read_body)
}

impl Adapter for OpenAiChat {
    fn protocol(&self) -> Protocol {
        Protocol::OpenAiChat
    }

    fn headers(&self, _: &Target<'_>) -> Vec<(&'static str, String)> {
        vec![("content-type", "application/json".to_owned())]
    }

    fn auth_header(&self, _: &str) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    fn request_id_headers(&self) -> &'static [&'static str] {
        &["x-request-id", "apim-request-id"]
    }

    fn parse_request(&self, body: &Value) -> Result<Parsed, ParseError> {
        parse::parse(body)
    }

    fn parse_response(&self, body: &Value) -> Result<ChatResponse, ParseError> {
        response::parse(body)
    }

    fn patch(&self, edit: &mut Edit<'_>, target: &Target<'_>, losses: &mut Losses) -> Patched {
        patch::patch(edit, target, losses)
    }

    fn encode(&self, parsed: &Parsed, target: &Target<'_>, losses: &mut Losses) -> Encoded {
        encode::encode(parsed, target, losses)
    }

    fn decoder(&self, stream: bool) -> Box<dyn Decoder + Send> {
        if stream {
            Box::new(stream_decoder())
        } else {
            Box::new(BodyDecoder::new(response::read_body))
        }
    }

    fn assemble(&self, sse: &[u8]) -> Decoded {
        stream_decoder().assemble(sse)
    }

    fn classify(&self, status: u16, headers: HeaderLookup<'_>, body: &[u8]) -> ProviderError {
        error::classify(status, headers, body)
    }
}
