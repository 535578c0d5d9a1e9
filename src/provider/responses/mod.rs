//! OpenAI Responses (openai-python's types).
//!
//! - Input is a list of items; calls and their results are items of their own.
//! - Functions and schemas are flat, not nested as in chat.
//! - Whatever the provider keeps (an earlier answer, a conversation, a prompt template) is part of
//!   the prompt, and without it there is nothing to replay.
//! - There is no finish reason; it follows from status and items.
//! - A stream ends with the whole answer; only a cut one is put together from its fragments.

mod items;
mod request;
mod response;
mod stream;

pub(super) use request::parse;
pub(super) use response::parse as parse_response;

use super::decode::StreamDecoder;

/// A decoder of recorded streams.
pub(super) fn stream_decoder() -> StreamDecoder<stream::ResponsesEvents> {
    StreamDecoder::new(stream::ResponsesEvents::default(), response::read_body)
}
