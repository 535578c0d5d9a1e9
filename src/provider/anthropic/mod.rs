//! Anthropic Messages, in both API versions that are in use.
//!
//! - System instructions stand beside the messages; user and assistant take turns; tool results
//!   are blocks of a user turn; a cap is required.
//! - Version 2026-10-21 refuses temperature, top-p and top-k, and takes the key as a bearer token.
//! - Input counts exclude cached tokens, which are added here.
//! - A stream always states its token counts and ends with `message_stop`.

mod encode;
mod encode_message;
mod encode_tools;
mod error;
mod parse;
mod parse_message;
mod patch;
mod response;
mod schema;
mod turns;

use serde_json::Value;

use crate::chat::ChatResponse;

use super::adapter::{Adapter, Encoded, ParseError, Parsed, Patched, Target};
use super::decode::{BodyDecoder, Decoded, Decoder, StreamDecoder};
use super::error::{HeaderLookup, ProviderError};
use super::loss::Losses;
use super::protocol::Protocol;
use super::raw::Edit;

/// The API version that takes the key in a header of its own.
pub(super) const FIRST_VERSION: &str = "2023-06-01";

/// The API version from which on sampling parameters are refused.
const NO_SAMPLING_VERSION: &str = "2026-10-21";

/// Whether the target takes temperature, top-p and top-k; versions are dates, so they sort.
fn takes_sampling(target: &Target<'_>) -> bool {
    target.supports_sampling && target.anthropic_version < NO_SAMPLING_VERSION
}

/// The adapter of Anthropic Messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anthropic;

fn stream_decoder() -> StreamDecoder<response::AnthropicEvents> {
    StreamDecoder::new(response::AnthropicEvents::default(), response::read_body)
}

impl Adapter for Anthropic {
    fn protocol(&self) -> Protocol {
        Protocol::AnthropicMessages
    }

    fn headers(&self, target: &Target<'_>) -> Vec<(&'static str, String)> {
        vec![
            ("content-type", "application/json".to_owned()),
            ("anthropic-version", target.anthropic_version.to_owned()),
        ]
    }

    fn auth_header(&self, version: &str) -> (&'static str, &'static str) {
        if version > FIRST_VERSION { ("authorization", "Bearer ") } else { ("x-api-key", "") }
    }

    fn request_id_headers(&self) -> &'static [&'static str] {
        &["request-id", "x-request-id"]
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
