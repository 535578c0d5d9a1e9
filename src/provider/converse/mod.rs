//! Amazon Bedrock Converse (botocore's model of `bedrock-runtime`), also Nova's own body.
//!
//! - Blocks are unions with one member and no `type`.
//! - Model and streaming stand in the address; `modelId`, `model` and `stream` in the body, where
//!   a log writer put them there, are read as well.
//! - Input counts exclude cached tokens, which are added here.
//! - A stream states its counts after its stop, and has no terminator of its own.

mod message;
mod request;
mod response;

pub(super) use request::parse;
pub(super) use response::parse as parse_response;

use super::decode::StreamDecoder;

/// A decoder of recorded streams, whose frames log writers turn into events or a list.
pub(super) fn stream_decoder() -> StreamDecoder<response::ConverseEvents> {
    StreamDecoder::new(response::ConverseEvents::default(), response::read_body)
}
