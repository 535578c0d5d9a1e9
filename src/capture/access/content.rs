//! Bodies that an operator added to an access log: escaped in several ways, and often cut.

use serde_json::Value;

use crate::chat::ChatRequest;
use crate::dataset::{CapturedExchange, ContentState, UsageSource};
use crate::provider::{Dialect, sniff_dialect};

use super::super::body::{fill_request, fill_response, set_replayable, set_state, without_request};
use super::super::reason::NotReplayable;
use super::super::value::is_blank;

/// A body as a log has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    /// JSON, whole.
    Json(Value),
    /// JSON that breaks off; proxies log no more than their buffer holds.
    Cut(String),
    /// Something else: a stream of events, a form, plain text.
    Other(String),
}

impl Content {
    /// Opens a body; `None` if the log has none.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let Value::String(text) = value else {
            return (!is_blank(value)).then(|| Content::Json(value.clone()));
        };
        let text = text.trim();
        if matches!(text, "" | "-") {
            return None;
        }
        if let Some(json) = json(text) {
            return Some(Content::Json(json));
        }
        let text = unescaped(text);
        if let Some(json) = json(&text) {
            return Some(Content::Json(json));
        }
        let is_json = text.trim_start().starts_with(['{', '[']);
        Some(if is_json { Content::Cut(text) } else { Content::Other(text) })
    }

    /// The body, if it is whole JSON.
    pub(super) fn as_json(&self) -> Option<&Value> {
        match self {
            Content::Json(json) => Some(json),
            _ => None,
        }
    }
}

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(|json: &Value| json.is_object() || json.is_array())
}

/// Undoes NGINX's default escaping, in which each byte beyond plain ASCII, each quote and each
/// backslash is `\xHH`. JSON itself never has `\x`.
pub(super) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = if let (Some(byte), Some(after)) = (byte, after.get(2..)) {
            bytes.push(byte);
            after
        } else {
            bytes.extend_from_slice(b"\\x");
            after
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Fills the request columns; returns the request if it could be read.
pub(super) fn fill_request_of(
    row: &mut CapturedExchange,
    dialect: Option<Dialect>,
    content: Option<&Content>,
) -> Option<ChatRequest> {
    match content {
        Some(Content::Json(body)) => {
            let dialect = dialect.or_else(|| sniff_dialect(body));
            fill_request(row, dialect, body)
        }
        Some(Content::Cut(text)) => {
            fill_request(row, dialect, &Value::String(text.clone()));
            set_state(row, ContentState::Truncated);
            set_replayable(row, Some(NotReplayable::Truncated));
            None
        }
        Some(Content::Other(_)) | None => {
            without_request(row);
            None
        }
    }
}

/// Fills the answer's columns.
pub(super) fn fill_response_of(
    row: &mut CapturedExchange,
    dialect: Option<Dialect>,
    content: Option<&Content>,
) {
    let before = (row.input_tokens, row.output_tokens);
    match content {
        Some(Content::Json(body)) => fill_response(row, dialect, body),
        Some(Content::Other(text)) => fill_response(row, dialect, &Value::String(text.clone())),
        Some(Content::Cut(_)) if row.content_state == ContentState::Complete.as_str() => {
            set_state(row, ContentState::Truncated);
        }
        Some(Content::Cut(_)) | None => {}
    }
    if (row.input_tokens, row.output_tokens) != before {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    } else if row.input_tokens.is_none() && row.output_tokens.is_none() {
        (row.input_tokens, row.output_tokens) = before;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn escapes_of_single_bytes_are_undone_and_anything_else_is_left() {
        assert_eq!(unescaped(r"{\x22a\x22:\x22caf\xC3\xA9\x5C\x22\x22}"), r#"{"a":"café\""}"#);
        assert_eq!(unescaped(r"a\xZZ\x4"), r"a\xZZ\x4");
        assert_eq!(unescaped(r"\xFF"), "\u{FFFD}");
        assert_eq!(unescaped("\\xé1"), "\\xé1", "not in the middle of a character");
    }

    #[test]
    fn a_body_is_whole_cut_other_or_not_there() {
        assert_eq!(Content::of(&json!("{\"a\":1}")), Some(Content::Json(json!({"a": 1}))));
        assert_eq!(Content::of(&json!(r"{\x22a\x22:1}")), Some(Content::Json(json!({"a": 1}))));
        assert_eq!(Content::of(&json!({"a": 1})), Some(Content::Json(json!({"a": 1}))));
        assert_eq!(Content::of(&json!("{\"a\":")), Some(Content::Cut("{\"a\":".to_owned())));
        assert_eq!(Content::of(&json!("data: x")), Some(Content::Other("data: x".to_owned())));
        for nothing in [json!("-"), json!(""), json!(null), json!({})] {
            assert_eq!(Content::of(&nothing), None, "{nothing}");
        }
    }
}
