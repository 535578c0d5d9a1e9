//! Wire protocols, sans-IO: captured body to request bytes, response bytes to neutral answer.
//!
//! Nothing here knows a socket, a clock or a key. A protocol is one folder with an
//! [`Adapter`]; [`ADAPTERS`] lists them. In the captured dialect a body is edited as text, so that
//! it stays byte for byte what it was; between dialects it goes through [`crate::chat`], and
//! whatever is lost on the way is a [`Loss`].

mod adapter;
mod anthropic;
mod decode;
mod error;
mod extra;
mod json;
mod loss;
mod openai;
mod patch;
mod prepare;
mod protocol;
mod raw;
mod sniff;
mod sse;

use serde_json::Value;

use crate::chat::{ChatRequest, ChatResponse};

pub use adapter::{
    ADAPTERS, Adapter, Encoded, ModelTraits, Origin, ParameterNames, ParseError, Parsed, Patched,
    Target, Thinking, WireRequest, adapter,
};
pub use decode::{Decoded, Decoder, Progress};
pub use error::{HeaderLookup, ProviderError, classify, retry_after_ms};
pub use loss::{Loss, LossAction, LossFeature, LossSeverity, Losses};
pub use prepare::{PrepareError, prepare};
pub use protocol::{Protocol, UnknownProtocol};
pub use raw::Edit;
pub use sniff::sniff_dialect;

/// Reads a captured request body into neutral form.
pub fn parse_request(dialect: Protocol, body: &Value) -> Result<ChatRequest, ParseError> {
    adapter(dialect).parse_request(body).map(|parsed| parsed.request)
}

/// Reads a captured response body, answered in one piece, into neutral form.
pub fn parse_response(dialect: Protocol, body: &Value) -> Result<ChatResponse, ParseError> {
    adapter(dialect).parse_response(body)
}

/// Reads a captured stream of server-sent events; a missing blank line at its end is forgiven.
pub fn assemble_stream(dialect: Protocol, sse: &[u8]) -> Decoded {
    adapter(dialect).assemble(sse)
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
