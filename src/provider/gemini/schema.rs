//! Gemini's subset of OpenAPI schemas as JSON Schema.

use serde_json::{Map, Value, json};

use crate::provider::loss::LossSeverity;

/// A rewritten schema.
#[derive(Debug, PartialEq)]
pub(super) struct JsonSchema {
    pub(super) schema: Value,
    /// What the rewriting weighs, if it changed anything.
    pub(super) change: Option<LossSeverity>,
}

/// Rewrites a schema: types in lower case, `nullable` as a type of its own.
///
/// An order of properties cannot be prescribed in JSON Schema, so its loss weighs more.
pub(super) fn json_schema(schema: &Value) -> JsonSchema {
    let mut change = None;
    let schema = rewrite(schema, &mut change);
    JsonSchema { schema, change }
}

fn note(change: &mut Option<LossSeverity>, severity: LossSeverity) {
    *change = Some(change.map_or(severity, |before| before.max(severity)));
}

fn rewrite(schema: &Value, change: &mut Option<LossSeverity>) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut output = Map::new();
    for (keyword, value) in schema {
        let value = match (keyword.as_str(), value) {
            ("type", Value::String(kind)) => {
                let lower = kind.to_ascii_lowercase();
                if lower != *kind {
                    note(change, LossSeverity::Benign);
                }
                Value::String(lower)
            }
            ("nullable", Value::Bool(_)) => {
                note(change, LossSeverity::Benign);
                continue;
            }
            ("propertyOrdering" | "property_ordering", _) => {
                note(change, LossSeverity::Lossy);
                continue;
            }
            ("items" | "additionalProperties", inner) => rewrite(inner, change),
            ("anyOf" | "any_of", Value::Array(list)) => {
                let list = list.iter().map(|schema| rewrite(schema, change)).collect();
                output.insert("anyOf".into(), list);
                continue;
            }
            ("properties" | "$defs", Value::Object(named)) => {
                named.iter().map(|(name, schema)| (name.clone(), rewrite(schema, change))).collect()
            }
            (_, value) => value.clone(),
        };
        output.insert(keyword.clone(), value);
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        allow_null(&mut output);
    }
    Value::Object(output)
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_null_are_said_as_json_schema_says_them() {
        let openapi = json!({
            "type": "OBJECT",
            "properties": {
                "type": {"type": "STRING", "nullable": true, "enum": ["a"]},
                "list": {"type": "ARRAY", "items": {"anyOf": [{"type": "INTEGER"}]}},
            },
            "required": ["list"],
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "type": {"type": ["string", "null"], "enum": ["a", null]},
                "list": {"type": "array", "items": {"anyOf": [{"type": "integer"}]}},
            },
            "required": ["list"],
        });
        let change = Some(LossSeverity::Benign);
        assert_eq!(json_schema(&openapi), JsonSchema { schema: expected, change });
        let ordered = json!({"type": "OBJECT", "propertyOrdering": ["b", "a"]});
        assert_eq!(json_schema(&ordered).change, Some(LossSeverity::Lossy));
        let plain = json!({"type": "string", "description": "as it is"});
        assert_eq!(json_schema(&plain), JsonSchema { schema: plain, change: None });
    }
}
