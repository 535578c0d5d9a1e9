//! Google Gemini `generateContent`, of AI Studio and of Vertex AI (google-genai's converters).
//!
//! - Model and streaming stand in the address; `model` and `stream` in the body, where a log
//!   writer put them there, are read as well.
//! - Members are camel case, but protobuf's JSON mapping allows snake case too.
//! - A tool call has no identifier before Gemini 3, so a result answers the call of its name.
//! - An answer that calls tools ends with `STOP`.
//! - Output counts exclude thoughts, which are added here; a blocked prompt is answered with
//!   status 200 and no candidate.
//! - A stream has no terminator: it is whole once a finish reason was stated.

mod content;
mod generation;
mod request;
mod response;
mod schema;

pub(super) use request::parse;
pub(super) use response::parse as parse_response;

use super::decode::StreamDecoder;

/// A decoder of recorded streams, as server-sent events or as the list without `alt=sse`.
pub(super) fn stream_decoder() -> StreamDecoder<response::GeminiEvents> {
    StreamDecoder::new(response::GeminiEvents::default(), response::read_body)
}
