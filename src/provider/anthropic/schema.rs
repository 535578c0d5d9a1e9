//! JSON Schemas of answers, within what Anthropic's structured outputs know.

use serde_json::{Map, Value};

/// Keywords that the API refuses; each goes into the description, where the model may heed it.
const UNKNOWN: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "contains",
    "patternProperties",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
];

/// Keywords whose value is a schema.
const ONE: &[&str] = &["items"];
/// Keywords whose value is a list of schemas.
const MANY: &[&str] = &["anyOf", "allOf", "prefixItems"];
/// Keywords whose value maps names to schemas.
const NAMED: &[&str] = &["properties", "$defs", "definitions"];

/// Rewrites a schema and lists the keywords that changed, sorted, each once.
pub(super) fn within_limits(schema: &Value) -> (Value, Vec<String>) {
    let mut changed = Vec::new();
    let schema = rewrite(schema, &mut changed);
    changed.sort_unstable();
    changed.dedup();
    (schema, changed)
}

fn rewrite(schema: &Value, changed: &mut Vec<String>) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut output = Map::new();
    let mut told = Vec::new();
    for (keyword, value) in schema {
        let name = keyword.as_str();
        let one_or_none = |value: &Value| matches!(value.as_u64(), Some(0 | 1));
        if UNKNOWN.contains(&name) || (name == "minItems" && !one_or_none(value)) {
            changed.push(keyword.clone());
            told.push(format!("{keyword}: {value}"));
            continue;
        }
        if name == "oneOf" {
            changed.push(keyword.clone());
            output.insert("anyOf".into(), rewrite_list(value, changed));
            continue;
        }
        let value = match value {
            value if ONE.contains(&name) => rewrite(value, changed),
            value if MANY.contains(&name) => rewrite_list(value, changed),
            Value::Object(named) if NAMED.contains(&name) => {
                let rewritten =
                    named.iter().map(|(name, schema)| (name.clone(), rewrite(schema, changed)));
                Value::Object(rewritten.collect())
            }
            value => value.clone(),
        };
        output.insert(keyword.clone(), value);
    }
    if is_object(schema) && output.get("additionalProperties") != Some(&Value::Bool(false)) {
        changed.push("additionalProperties".to_owned());
        output.insert("additionalProperties".into(), false.into());
    }
    if !told.is_empty() {
        let before = output.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{before} {{{}}}", told.join(", "));
        output.insert("description".into(), description.trim_start().into());
    }
    Value::Object(output)
}

fn rewrite_list(value: &Value, changed: &mut Vec<String>) -> Value {
    match value {
        Value::Array(list) => list.iter().map(|schema| rewrite(schema, changed)).collect(),
        other => other.clone(),
    }
}

fn is_object(schema: &Map<String, Value>) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
        || schema.contains_key("properties")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_schema_within_the_limits_stays_as_it_is() {
        let schema = json!({
            "type": "object",
            "properties": {"minimum": {"type": "integer"}, "list": {"type": "array", "minItems": 1}},
            "required": ["minimum"],
            "additionalProperties": false
        });
        assert_eq!(within_limits(&schema), (schema, vec![]));
    }

    #[test]
    fn refused_keywords_move_into_the_description() {
        let schema = json!({
            "properties": {
                "age": {"type": "integer", "minimum": 0, "maximum": 9, "description": "Years."},
                "tags": {"type": "array", "items": {"oneOf": [{"type": "string", "maxLength": 3}]}}
            }
        });
        let (output, changed) = within_limits(&schema);
        assert_eq!(
            output,
            json!({
                "properties": {
                    "age": {"type": "integer", "description": "Years. {minimum: 0, maximum: 9}"},
                    "tags": {"type": "array", "items": {"anyOf": [
                        {"type": "string", "description": "{maxLength: 3}"}
                    ]}}
                },
                "additionalProperties": false
            })
        );
        let expected = ["additionalProperties", "maxLength", "maximum", "minimum", "oneOf"];
        assert_eq!(changed, expected);
    }
}
