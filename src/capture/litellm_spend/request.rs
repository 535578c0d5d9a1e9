//! The request as the client sent it to the proxy.

use serde_json::Value;

use crate::chat::ChatRequest;
use crate::dataset::CapturedExchange;
use crate::provider::sniff_dialect;

use super::super::body::{fill_request, set_replayable, without_request};
use super::super::litellm::Call;
use super::super::reason::NotReplayable;
use super::super::value::{decoded, is_blank, present};

/// What LiteLLM writes in the place of a credential that was in a body.
const MASK: &str = "REDACTED_BY_LITELM";

/// Fills the request columns; returns the request if it could be read.
pub(super) fn fill(row: &mut CapturedExchange, record: &Value, call: Call) -> Option<ChatRequest> {
    let body = present(record, "proxy_server_request").map(decoded);
    let body = body.filter(|body| body.is_object() && !is_blank(body)).map(|body| bare(&body));
    let mut request = None;
    if let Some(body) = &body {
        let dialect = sniff_dialect(body).filter(|_| call == Call::PassThrough);
        request = fill_request(row, call.dialect().or(dialect), body);
        row.stream = row.stream.or_else(|| present(body, "stream").and_then(Value::as_bool));
    } else {
        without_request(row);
    }
    if call.is_no_chat() {
        set_replayable(row, Some(NotReplayable::NotChat));
    }
    request
}

/// The body without an envelope of address and headers, and without masked credentials, which
/// no provider would take.
fn bare(logged: &Value) -> Value {
    let is_envelope = logged.get("url").is_some() || logged.get("headers").is_some();
    let inner = logged.get("body").filter(|body| is_envelope && body.is_object());
    let mut body = inner.unwrap_or(logged).clone();
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| value != MASK);
    }
    body
}
