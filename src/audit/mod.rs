//! What is in use today: the audit of a capture, from named queries to one serialisable value.
//!
//! Every table is the answer of one query of `queries/audit/`, which runs verbatim in
//! `rehearsal sql`, with no run and no plan. The rows are kept as the query gives them, so that
//! JSON, HTML, Markdown and terminal show the same figures; findings are drawn from the same rows.

mod findings;
mod model;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

pub use model::{Audit, AuditColumn, AuditTable, Finding, FindingCode, Severity};
pub use schema::json_schema;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::dataset::CaptureManifest;
use crate::plan::Plan;
use crate::query::{OutputFormat, Parameters, QueryError, Session, find, write_rows};

/// The queries of an audit in reading order; each is a file of `queries/`.
pub const TABLES: &[&str] = &[
    "audit/overview",
    "audit/sufficiency",
    "audit/endpoints",
    "audit/models",
    "audit/model_maps",
    "audit/projection",
    "audit/hours",
    "audit/peaks",
    "audit/features",
    "audit/lengths",
    "audit/latency",
    "audit/latency_left_out",
    "audit/errors",
    "audit/errors_by_day",
    "audit/cache",
    "audit/sessions",
    "audit/tenants",
    "audit/replayability",
    "audit/flaws",
    "audit/time_quality",
    "audit/gaps",
    "audit/clock",
    "audit/sources",
    "audit/source_reasons",
];

/// Version of the shape of an audit's JSON.
const SCHEMA_VERSION: u32 = 1;

/// Audits the capture of a session; the plan only adds which models it maps.
///
/// # Errors
/// The engine's, or a query whose rows are not what this module reads.
pub async fn audit(
    session: &Session,
    manifest: &CaptureManifest,
    plan: Option<&Plan>,
) -> Result<Audit, QueryError> {
    let mut tables = BTreeMap::new();
    for name in TABLES {
        tables.insert((*name).to_owned(), table(session, name).await?);
    }
    let candidates: Vec<String> = plan
        .map(|plan| plan.candidates.iter().map(|arm| arm.name.clone()).collect())
        .unwrap_or_default();
    Ok(Audit {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        capture_sha256: manifest.rows_sha256.clone(),
        candidates: plan.is_some().then_some(candidates),
        findings: findings::findings(&tables, plan.is_some())?,
        tables,
    })
}

async fn table(session: &Session, name: &str) -> Result<AuditTable, QueryError> {
    let query = find(name)?;
    let unreadable = |message: String| QueryError::Rows { query: name.to_owned(), message };
    let header = query.header().map_err(|error| unreadable(error.to_string()))?;
    let frame = session.query(query, &Parameters::new()).await?;
    let batches = session.collect(frame, name).await?;
    let mut text = Vec::new();
    write_rows(&batches, OutputFormat::Json, &mut text)?;
    let rows: Vec<Map<String, Value>> =
        serde_json::from_slice(&text).map_err(|error| unreadable(error.to_string()))?;
    let columns = header
        .columns
        .into_iter()
        .map(|column| AuditColumn {
            name: column.name,
            data_type: column.data_type,
            meaning: column.meaning,
        })
        .collect();
    Ok(AuditTable { purpose: header.purpose, columns, rows })
}
