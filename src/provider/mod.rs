//! Wire protocols, sans-IO: captured body to request bytes, response bytes to neutral answer.
//!
//! Nothing here knows a socket, a clock or a key. A protocol is one folder with an
//! [`Adapter`]; [`ADAPTERS`] lists them. In the captured dialect a body is edited as text, so that
//! it stays byte for byte what it was; between dialects it goes through [`crate::chat`], and
//! whatever is lost on the way is a [`Loss`].
//!
//! More dialects are read than are spoken: a [`Dialect`] without a [`Protocol`] is one folder with
//! three readers (request, whole answer, recorded stream) that `read` lists.

mod adapter;
mod answer;
mod anthropic;
mod cohere;
mod completions;
mod converse;
mod decode;
mod dialect;
mod endpoint;
mod error;
mod extra;
mod fields;
mod gemini;
mod host;
mod json;
mod loss;
mod media;
mod openai;
mod patch;
mod prepare;
mod protocol;
mod rate_limit_reset;
mod raw;
mod read;
mod repeated;
mod responses;
mod sniff;
mod sse;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::chat::{ChatRequest, ChatResponse};

pub use adapter::{
    ADAPTERS, Adapter, Encoded, ModelTraits, Origin, ParameterNames, ParseError, Parsed, Patched,
    Target, Thinking, WireRequest, adapter,
};
pub use decode::{Decoded, Decoder, Progress};
pub use dialect::{Dialect, UnknownDialect};
pub use endpoint::{Endpoint, endpoint};
pub use error::{HeaderLookup, ProviderError, classify, retry_after_ms};
pub use loss::{Loss, LossAction, LossFeature, LossSeverity, Losses};
pub use prepare::{PrepareError, prepare};
pub use protocol::{Protocol, UnknownProtocol};
pub use rate_limit_reset::rate_limit_reset_ms;
pub use raw::Edit;
pub use sniff::{sniff_dialect, sniff_response, sniff_stream};

/// Reads a captured request body into neutral form.
pub fn parse_request(dialect: impl Into<Dialect>, body: &Value) -> Result<ChatRequest, ParseError> {
    read::request(dialect.into(), body).map(|parsed| parsed.request)
}

/// Reads a captured response body, answered in one piece, into neutral form.
pub fn parse_response(
    dialect: impl Into<Dialect>,
    body: &Value,
) -> Result<ChatResponse, ParseError> {
    read::response(dialect.into(), body)
}

/// Reads a captured stream: server-sent events, or their data alone as a list or one after the
/// other. A missing blank line at its end is forgiven; a missing end is an error, with what came.
pub fn assemble_stream(dialect: impl Into<Dialect>, sse: &[u8]) -> Decoded {
    read::stream(dialect.into(), sse)
}

/// A decoder for the bytes of one answer with a successful status.
pub fn decoder(protocol: Protocol, stream: bool) -> Box<dyn Decoder + Send> {
    adapter(protocol).decoder(stream)
}

/// Name of the header that carries the key, and what stands before the key in it.
///
/// `version` is the API version where the protocol has one (`anthropic-version`).
pub fn auth_header(protocol: Protocol, version: &str) -> (&'static str, &'static str) {
    adapter(protocol).auth_header(version)
}

/// Response headers in which the provider states its own request identifier, the best first.
pub fn provider_request_id_headers(protocol: Protocol) -> &'static [&'static str] {
    adapter(protocol).request_id_headers()
}
