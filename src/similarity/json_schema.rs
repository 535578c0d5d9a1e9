//! Whether an answer keeps to the JSON schema that the request asked for.

use std::cell::RefCell;

use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

/// Where the request bodies of the wire dialects hold the schema of the answer.
const PLACES: &[&str] = &[
    "/response_format/json_schema/schema",
    "/response_format/schema",
    "/text/format/schema",
    "/output_format/schema",
    "/output_config/format/schema",
    "/generationConfig/responseJsonSchema",
];

/// The JSON schema that a request asks the answer to keep to, as JSON text; `None` when there is
/// none.
pub fn requested_schema(request_body: &str) -> Option<String> {
    // Most requests ask for no schema, and bodies are long.
    if !request_body.contains("schema") && !request_body.contains("Schema") {
        return None;
    }
    let body: Value = serde_json::from_str(request_body).ok()?;
    PLACES
        .iter()
        .filter_map(|place| body.pointer(place))
        .find(|schema| schema.is_object())
        .map(Value::to_string)
}

thread_local! {
    /// The schema seen last and its validator: rows of one route share theirs.
    static LAST: RefCell<Option<(String, Option<Validator>)>> = const { RefCell::new(None) };
}

/// Whether a text is JSON that is valid under a JSON schema; `None` when the schema is none that
/// can be used.
///
/// Drafts 4 to 2020-12, by `$schema`, else the newest. References to other documents are never
/// fetched, so a schema with one cannot be used. Patterns run in linear time; one with
/// look-around or back references makes a schema unusable too. A text that is not JSON is invalid.
pub fn json_schema_valid(text: &str, schema: &str) -> Option<bool> {
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| known != schema) {
            *last = Some((schema.to_owned(), validator(schema)));
        }
        let validator = last.as_ref().and_then(|(_, validator)| validator.as_ref())?;
        let value = serde_json::from_str::<Value>(text);
        Some(value.is_ok_and(|value| validator.is_valid(&value)))
    })
}

fn validator(schema: &str) -> Option<Validator> {
    let schema: Value = serde_json::from_str(schema).ok()?;
    jsonschema::options().with_pattern_options(PatternOptions::regex()).build(&schema).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"type": "object", "required": ["n"], "additionalProperties": false,
                            "properties": {"n": {"type": "integer"}}}"#;

    #[test]
    fn answers_are_held_to_the_schema() {
        assert_eq!(json_schema_valid(r#"{"n": 1}"#, SCHEMA), Some(true));
        assert_eq!(json_schema_valid(r#"{"n": "1"}"#, SCHEMA), Some(false));
        assert_eq!(json_schema_valid("Sure!", SCHEMA), Some(false));
    }

    #[test]
    fn what_is_no_schema_says_nothing() {
        assert_eq!(json_schema_valid("{}", "no schema"), None);
        assert_eq!(json_schema_valid("{}", r#"{"type": "strange"}"#), None);
        assert_eq!(json_schema_valid("{}", r#"{"$ref": "https://example.com/a.json"}"#), None);
        assert_eq!(json_schema_valid("\"aa\"", r#"{"pattern": "(a)\\1"}"#), None);
    }

    #[test]
    fn the_schema_is_found_in_the_request() {
        let completions = r#"{"response_format": {"type": "json_schema", "json_schema":
                             {"name": "x", "schema": {"type": "object"}}}}"#;
        assert_eq!(requested_schema(completions).as_deref(), Some(r#"{"type":"object"}"#));
        let responses = r#"{"text": {"format": {"type": "json_schema", "schema": {}}}}"#;
        assert_eq!(requested_schema(responses).as_deref(), Some("{}"));
        assert_eq!(requested_schema(r#"{"messages": "schema"}"#), None);
        assert_eq!(requested_schema("schema"), None);
    }
}
