//! The JSON Schema of an audit, with the columns of every table from the headers of its queries.

use serde_json::{Map, Value, json};

use super::{Audit, TABLES};
use crate::query::{QueryHeader, named};

/// The JSON Schema (draft 2020-12) of an audit in JSON.
pub fn json_schema() -> Value {
    let mut schema = schemars::schema_for!(Audit).to_value();
    let tables: Map<String, Value> = TABLES
        .iter()
        .filter_map(|name| {
            let header = named(name)?.header().ok()?;
            Some(((*name).to_owned(), table(&header)))
        })
        .collect();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(
            "tables".to_owned(),
            json!({
                "description": "The answer of each query by its name.",
                "type": "object",
                "required": TABLES,
                "additionalProperties": false,
                "properties": tables,
            }),
        );
    }
    if let Some(definitions) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
        definitions.remove("AuditTable");
    }
    schema
}

fn table(header: &QueryHeader) -> Value {
    let columns: Map<String, Value> = header
        .columns
        .iter()
        .map(|column| {
            let kind = match column.data_type.as_str() {
                "Int64" | "Int32" => "integer",
                "Float64" => "number",
                "Boolean" => "boolean",
                _ => "string",
            };
            let value = json!({"description": column.meaning, "type": [kind, "null"]});
            (column.name.clone(), value)
        })
        .collect();
    let names: Vec<&String> = columns.keys().collect();
    json!({
        "description": header.purpose,
        "type": "object",
        "required": ["purpose", "columns", "rows"],
        "properties": {
            "purpose": {"type": "string"},
            "columns": {"type": "array", "items": {"$ref": "#/$defs/AuditColumn"}},
            "rows": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": names,
                    "additionalProperties": false,
                    "properties": columns,
                },
            },
        },
    })
}
