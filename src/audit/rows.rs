//! The rows that findings are drawn from; columns that no finding needs are left out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::AuditTable;
use crate::query::QueryError;

/// The rows of one table, typed.
pub(super) fn rows<T: DeserializeOwned>(
    tables: &BTreeMap<String, AuditTable>,
    query: &str,
) -> Result<Vec<T>, QueryError> {
    let rows = tables.get(query).map(|table| table.rows.as_slice()).unwrap_or_default();
    rows.iter()
        .map(|row| serde_json::from_value(Value::Object(row.clone())))
        .collect::<Result<_, _>>()
        .map_err(|error| QueryError::Rows { query: query.to_owned(), message: error.to_string() })
}

/// `audit/overview`.
#[derive(Debug, Deserialize)]
pub(super) struct Overview {
    pub(super) exchanges: u64,
    pub(super) sessions: u64,
    pub(super) with_tokens: u64,
    pub(super) streamed: u64,
    pub(super) with_latency: u64,
    pub(super) with_ttft: u64,
    pub(super) sampled: u64,
    pub(super) replayable: u64,
}

/// `audit/sufficiency`.
#[derive(Debug, Deserialize)]
pub(super) struct Sufficiency {
    pub(super) days_covered: f64,
    pub(super) days_with_traffic: u64,
    pub(super) weekdays_present: u64,
    pub(super) two_weeks: bool,
}

/// `audit/models`.
#[derive(Debug, Deserialize)]
pub(super) struct UsedModel {
    pub(super) request_model: String,
    pub(super) response_model: Option<String>,
    pub(super) kind: String,
    pub(super) exchanges: u64,
    pub(super) deprecation_date: Option<String>,
    pub(super) days_left: Option<i64>,
    pub(super) mapped: Option<bool>,
}

/// `audit/replayability`.
#[derive(Debug, Deserialize)]
pub(super) struct Replayability {
    pub(super) not_replayable_reason: Option<String>,
    pub(super) exchanges: u64,
}

/// `audit/clock`.
#[derive(Debug, Deserialize)]
pub(super) struct Clock {
    pub(super) source_file: String,
    pub(super) before_2015: u64,
    pub(super) beyond_import: u64,
    pub(super) steps_back: u64,
    pub(super) back_share: Option<f64>,
    pub(super) largest_back_ms: Option<f64>,
}

/// `audit/sources`.
#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) file: String,
    pub(super) lines: u64,
    pub(super) rejected: u64,
    pub(super) incomplete: Option<String>,
}
