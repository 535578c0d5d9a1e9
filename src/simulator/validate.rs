//! Checks that both protocols share: a JSON object with known fields in their ranges.

use serde_json::{Map, Value};

use super::dialect::{ApiError, Dialect};
use super::{validate_anthropic, validate_openai};

/// The fields of a request body.
pub(super) type Body = Map<String, Value>;

/// What of the HTTP headers a check needs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CheckContext<'a> {
    /// The header `anthropic-version`.
    pub(super) anthropic_version: Option<&'a str>,
    /// Whether unknown top-level fields are let through.
    pub(super) allow_unknown_fields: bool,
}

/// Refuses what the real provider would refuse with 400, so that a faulty translation shows
/// without a network.
pub(super) fn check(
    dialect: Dialect,
    body: &Value,
    context: CheckContext<'_>,
) -> Result<(), ApiError> {
    let Some(body) = body.as_object() else {
        return Err(ApiError::new(400, "the body is not a JSON object"));
    };
    match body.get("model") {
        Some(Value::String(model)) if !model.is_empty() => {}
        _ => return Err(ApiError::invalid("model", "a model name is required")),
    }
    if messages(body).is_none_or(Vec::is_empty) {
        return Err(ApiError::invalid("messages", "a list with at least one message is required"));
    }
    for name in ["stream", "parallel_tool_calls", "logprobs", "store"] {
        if body.get(name).is_some_and(|value| !value.is_boolean() && !value.is_null()) {
            return Err(ApiError::invalid(name, "must be true or false"));
        }
    }
    match dialect {
        Dialect::OpenAi => validate_openai::check(body, context),
        Dialect::Anthropic => validate_anthropic::check(body, context),
    }
}

/// The messages, if they are a list.
pub(super) fn messages(body: &Body) -> Option<&Vec<Value>> {
    body.get("messages").and_then(Value::as_array)
}

/// A field as text; empty if it is absent or something else.
pub(super) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// Whether a field is there and not null.
pub(super) fn has(body: &Body, field: &str) -> bool {
    body.get(field).is_some_and(|value| !value.is_null())
}

/// Refuses top-level fields outside `known`.
pub(super) fn check_known(body: &Body, known: &[&str], problem: &str) -> Result<(), ApiError> {
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(ApiError::invalid(name.as_str(), problem)),
        None => Ok(()),
    }
}

/// Refuses a number outside `low..=high`; absent and null are fine.
pub(super) fn check_range(body: &Body, field: &str, low: f64, high: f64) -> Result<(), ApiError> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(()),
        Some(value) if value.as_f64().is_some_and(|number| (low..=high).contains(&number)) => {
            Ok(())
        }
        Some(_) => Err(ApiError::invalid(field, &format!("must be a number from {low} to {high}"))),
    }
}

/// Refuses a count that is not a whole number from 1 up; absent and null are fine.
pub(super) fn check_count(body: &Body, field: &str) -> Result<(), ApiError> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(()),
        Some(value) if value.as_u64().is_some_and(|count| count >= 1) => Ok(()),
        Some(_) => Err(ApiError::invalid(field, "must be a whole number from 1 up")),
    }
}

/// Whether a name can be a function's: 1 to `longest` of letters, digits, `_` and `-`.
pub(super) fn is_function_name(name: &str, longest: usize) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=longest).contains(&name.len()) && name.chars().all(fits)
}
