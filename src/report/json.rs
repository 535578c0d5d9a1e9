//! The report as JSON, and the schemas of the JSON documents.

use schemars::JsonSchema;
use serde_json::Value;

use super::{Report, ReportError};

/// The report as indented JSON with a newline at its end.
///
/// # Errors
/// When serialisation fails, which the types of a [`Report`] give no occasion for.
pub fn json(report: &Report) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}

/// The JSON Schema (draft 2020-12) of `report.json`.
pub fn json_schema() -> Value {
    schema_of::<Report>()
}

/// The JSON Schema (draft 2020-12) of any document of ours, such as the verdict.
pub fn schema_of<T: JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}
