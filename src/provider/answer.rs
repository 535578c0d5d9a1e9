//! What the readers of captured answers share.

use serde_json::Value;

use crate::chat::{ChatResponse, ErrorClass};

use super::adapter::ParseError;
use super::decode::not_json;
use super::error::{ProviderError, Stated};

/// The error that a body states in `error`; some servers send an empty one with a good answer.
pub(super) fn stated_error(body: &Value) -> Option<Stated> {
    // Gemini and some gateways wrap the object into a list.
    let body = body.as_array().and_then(|list| list.first()).unwrap_or(body);
    let error = body.get("error")?;
    let is_error = match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    is_error.then(|| Stated::from_value(error))
}

/// Refuses a body that reports an error instead of an answer.
pub(super) fn refuse_error(body: &Value) -> Result<(), ParseError> {
    match stated_error(body) {
        None => Ok(()),
        Some(stated) => {
            Err(ParseError::ErrorBody(stated.best_code().unwrap_or_else(|| "no code".into())))
        }
    }
}

/// Reads the bytes of a whole answer with its dialect's `parse`.
pub(super) fn read_body(
    bytes: &[u8],
    parse: fn(&Value) -> Result<ChatResponse, ParseError>,
) -> Result<ChatResponse, ProviderError> {
    let body: Value = serde_json::from_slice(bytes).map_err(|_| not_json(bytes))?;
    if let Some(stated) = stated_error(&body) {
        return Err(stated.classed(ErrorClass::ServerError));
    }
    parse(&body).map_err(|error| ProviderError::protocol(&error.to_string()))
}

/// A member that is a text with something in it.
pub(super) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The elements of a member that is a list.
pub(super) fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}
