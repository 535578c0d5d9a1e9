//! Cohere chat, version 2, and version 1 as far as a conversation without tools goes (cohere-python).
//!
//! - Version 2 looks like OpenAI's chat; top-k and top-p are `k` and `p`, and documents stand
//!   beside the messages.
//! - An unset temperature is 0.3, not 1.
//! - `billed_units` are not tokens; the counts of `tokens` are read.
//! - The plan that precedes tool calls is the model's reasoning.

mod message;
mod request;
mod response;
mod stream;
mod version1;

pub(super) use request::parse;
pub(super) use response::parse as parse_response;

use super::decode::StreamDecoder;

/// A decoder of recorded streams of either version.
pub(super) fn stream_decoder() -> StreamDecoder<stream::CohereEvents> {
    StreamDecoder::new(stream::CohereEvents::default(), response::read_body)
}
