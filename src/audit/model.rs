//! The audit as a value: findings and tables.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a capture says of the traffic of today.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Audit {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// Version of the program.
    pub tool_version: String,
    /// SHA-256 over the rows of the capture.
    pub capture_sha256: String,
    /// The candidates of the plan; null without a plan.
    pub candidates: Option<Vec<String>>,
    /// What a reader must know, the gravest first.
    pub findings: Vec<Finding>,
    /// The answer of each query by its name.
    pub tables: BTreeMap<String, AuditTable>,
}

/// The answer of one query.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AuditTable {
    /// What the query answers.
    pub purpose: String,
    /// Its columns, in order.
    pub columns: Vec<AuditColumn>,
    /// Its rows, in its order; null is unknown, which is neither zero nor false.
    pub rows: Vec<Map<String, Value>>,
}

/// A column of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AuditColumn {
    /// Its name, which ends in its unit where it has one.
    pub name: String,
    /// Its Arrow type.
    pub data_type: String,
    /// What it means.
    pub meaning: String,
}

/// Something that a migration must heed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What kind of finding it is.
    pub code: FindingCode,
    /// One or two plain sentences with the figures.
    pub text: String,
    /// The query that shows it.
    pub query: String,
    /// The models, files or classes that it is about.
    pub subjects: Vec<String>,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A replay of this capture by this plan would not say what it is meant to say.
    Blocker,
    /// A part of the traffic or of the evidence is missing or about to change.
    Warning,
    /// Good to know.
    Info,
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingCode {
    /// The capture covers at least two weeks.
    TwoWeeks,
    /// The capture covers less than two weeks.
    NotTwoWeeks,
    /// Not every day of the week has traffic.
    WeekdayMix,
    /// Fine-tuned, custom or unlisted models that no plan maps.
    CustomModels,
    /// Other models that the plan does not map.
    UnmappedModels,
    /// Models that their provider has retired or soon will.
    DeprecatedModels,
    /// The log may hold a sample only, so volume cannot be projected.
    Sampled,
    /// Many exchanges cannot be sent again.
    LowReplayable,
    /// The log has no latencies.
    NoLatency,
    /// Streams without a time to first token.
    NoTtft,
    /// Many exchanges without token counts.
    NoTokens,
    /// Times that cannot be right.
    Clock,
    /// The log names no conversations.
    NoSessions,
    /// Many lines of the log were set aside.
    Rejected,
    /// A file was read in part.
    Incomplete,
}
