//! Parameters of named queries: text in, typed values out, never pasted into SQL.

use std::collections::BTreeMap;

use datafusion::scalar::ScalarValue;

use super::QueryError;
use super::header::{QueryField, QueryHeader};

/// Parameters by name, as text.
pub type Parameters = BTreeMap<String, String>;

/// Checks parameters against a header and gives each its declared type.
///
/// The engine itself would bind a value of the wrong type without a word.
pub(super) fn bind(
    header: &QueryHeader,
    parameters: &Parameters,
) -> Result<Vec<(String, ScalarValue)>, QueryError> {
    let known = |name: &String| header.parameters.iter().any(|field| field.name == *name);
    if let Some(unknown) = parameters.keys().find(|name| !known(name)) {
        return Err(QueryError::UnknownParameter(unknown.clone()));
    }
    header
        .parameters
        .iter()
        .map(|field| Ok((field.name.clone(), typed(field, parameters)?)))
        .collect()
}

fn typed(field: &QueryField, parameters: &Parameters) -> Result<ScalarValue, QueryError> {
    let text = parameters.get(&field.name).ok_or_else(|| QueryError::MissingParameter {
        name: field.name.clone(),
        data_type: field.data_type.clone(),
        meaning: field.meaning.clone(),
    })?;
    let refuse = || QueryError::BadParameter {
        name: field.name.clone(),
        data_type: field.data_type.clone(),
        value: text.clone(),
    };
    match field.data_type.as_str() {
        "Utf8" => Ok(ScalarValue::Utf8(Some(text.clone()))),
        "Int64" => text.parse().map(|v| ScalarValue::Int64(Some(v))).map_err(|_| refuse()),
        "Float64" => text.parse().map(|v| ScalarValue::Float64(Some(v))).map_err(|_| refuse()),
        "Boolean" => text.parse().map(|v| ScalarValue::Boolean(Some(v))).map_err(|_| refuse()),
        _ => Err(refuse()),
    }
}
