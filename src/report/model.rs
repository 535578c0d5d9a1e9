//! The report as one value; HTML, Markdown and JSON are views of it and add no figure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ClientHealth, LoadReport};
use crate::verdict::Verdict;

/// Version of the shape of `report.json`.
pub const REPORT_SCHEMA_VERSION: u32 = 1;

/// Everything that a sign-off needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// When the report was made, RFC 3339; a label, given by the caller.
    pub generated_at: String,
    /// The plan's title, or a default one.
    pub title: String,
    /// The verdict that the report explains.
    pub verdict: Verdict,
    /// The capture that was replayed.
    pub capture: CaptureSummary,
    /// The arms in order: the captured incumbent, the control if there is one, the candidates.
    pub arms: Vec<ArmSummary>,
    /// Latency distributions, one per arm, model and measure.
    pub latency: Vec<LatencySeries>,
    /// Load findings, when requests left on a schedule.
    pub load: Option<LoadReport>,
    /// How the client held up, per arm.
    pub client: Vec<ClientHealth>,
    /// Failures by class, per arm.
    pub error_classes: Vec<ErrorClassCount>,
    /// Failures over the time of the replay, per arm.
    pub errors_over_time: Vec<ErrorBucket>,
    /// Stretches in which an arm was out.
    pub outages: Vec<Outage>,
    /// Agreement of answers, per arm and measure.
    pub consistency: Vec<ConsistencyRow>,
    /// Tokens, per arm and model.
    pub tokens: Vec<TokenRow>,
    /// Cost, per arm.
    pub cost: Vec<CostRow>,
    /// The prices behind every cost.
    pub prices: Vec<PriceRow>,
    /// What translations changed or dropped, per arm and feature.
    pub losses: Vec<LossRow>,
    /// Every query that made a figure of this report.
    pub queries: Vec<QueryUse>,
    /// Statements on method and limits, one sentence each.
    pub notes: Vec<String>,
}

/// The capture in a few figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureSummary {
    /// Captured exchanges.
    pub exchanges: u64,
    /// First exchange, RFC 3339.
    pub from: Option<String>,
    /// Last exchange, RFC 3339.
    pub to: Option<String>,
    /// Exchanges per requested model.
    pub models: BTreeMap<String, u64>,
    /// Lines of the log that were set aside, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Lines that repeated an earlier one.
    pub duplicates: u64,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmSummary {
    /// `incumbent` (as captured), `control`, or the candidate's name.
    pub name: String,
    /// `incumbent`, `control` or `candidate`.
    pub role: String,
    /// The wire protocol.
    pub protocol: Option<String>,
    /// The address, without credentials.
    pub base_url: Option<String>,
    /// Which model answers for which requested model.
    pub models: BTreeMap<String, String>,
}

/// The distribution of one duration in one arm and model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatencySeries {
    /// The arm.
    pub arm: String,
    /// The requested model, or `(all)`.
    pub model: String,
    /// `latency_ms`, `ttft_ms` or `tpot_ms`.
    pub measure: String,
    /// First attempts that entered, failures included.
    pub n: u64,
    /// Failures among them, which count as infinitely slow.
    pub failures: u64,
    /// Percentiles over all first attempts, with order-statistic bounds.
    pub percentiles: Vec<Percentile>,
    /// The same percentiles over successful first attempts alone, without bounds.
    pub success_percentiles: Vec<Percentile>,
    /// The same percentiles including retries and their waiting time.
    pub with_retries_percentiles: Vec<Percentile>,
    /// Box plot of the successes: 5th, 25th, 50th, 75th and 95th percentile.
    pub box_plot: Option<BoxPlot>,
    /// Empirical distribution of all first attempts: value in ms, share at or below it.
    pub ecdf: Vec<(f64, f64)>,
}

/// One percentile with its two one-sided bounds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Percentile {
    /// 0 to 1.
    pub p: f64,
    /// Type-1 quantile (an observed value); infinite when too many failed.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub value: Option<f64>,
    /// Lower one-sided bound.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub low: Option<f64>,
    /// Upper one-sided bound; infinite when there are too few rows.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub high: Option<f64>,
}

/// The five figures of a box plot, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoxPlot {
    /// 5th percentile (end of the lower whisker).
    pub p05: f64,
    /// 25th percentile.
    pub p25: f64,
    /// Median.
    pub p50: f64,
    /// 75th percentile.
    pub p75: f64,
    /// 95th percentile (end of the upper whisker).
    pub p95: f64,
}

/// How often one class of failure was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorClassCount {
    /// The arm.
    pub arm: String,
    /// The error class.
    pub error_class: String,
    /// First attempts that failed so.
    pub first_attempts: u64,
    /// All attempts that failed so.
    pub attempts: u64,
}

/// Attempts and failures in one slice of the replay's time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorBucket {
    /// The arm.
    pub arm: String,
    /// Start of the slice, in seconds since the first attempt of the replay.
    pub start_s: f64,
    /// Length of the slice in seconds.
    pub width_s: f64,
    /// Attempts sent in it.
    pub attempts: u64,
    /// Failures among them, 429 included.
    pub errors: u64,
}

/// A stretch of the replay in which every attempt of an arm met an outage's failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// The arm.
    pub arm: String,
    /// Its first attempt, in seconds since the first attempt of the replay.
    pub start_s: f64,
    /// How long it lasted in seconds: until the next attempt that met no outage, or to the last.
    pub length_s: f64,
    /// Whether such an attempt came.
    pub ended: bool,
    /// Attempts that met it.
    pub attempts: u64,
    /// What they were booked at, in US dollars.
    pub cost_usd: f64,
}

/// How far answers agree with the incumbent's captured ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyRow {
    /// The arm; the control's row is the noise floor.
    pub arm: String,
    /// `exact`, `normalised`, `edit`, `json` or `tool_calls`.
    pub measure: String,
    /// Answers that could be compared.
    pub n: u64,
    /// Pairs to which the measure does not apply, or without an answer on one side.
    pub not_applicable: u64,
    /// Mean disagreement, 0 (same) to 1.
    pub disagreement: Option<f64>,
    /// Lower one-sided bound of it.
    pub low: Option<f64>,
    /// Upper one-sided bound of it.
    pub high: Option<f64>,
}

/// Tokens of one arm and model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRow {
    /// The arm.
    pub arm: String,
    /// The requested model.
    pub model: String,
    /// Exchanges with known usage.
    pub exchanges: u64,
    /// Input tokens, cached ones included.
    pub input_tokens: i64,
    /// Output tokens, reasoning ones included.
    pub output_tokens: i64,
    /// Input tokens read from a prompt cache.
    pub cache_read_input_tokens: i64,
    /// Output tokens spent on reasoning.
    pub reasoning_output_tokens: i64,
}

/// Cost of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostRow {
    /// The arm.
    pub arm: String,
    /// Exchanges with a known cost.
    pub exchanges: u64,
    /// Their cost in USD, every attempt counted.
    pub cost_usd: f64,
    /// Part of it that is estimated, because the provider reported no usage, in USD.
    pub estimated_usd: f64,
    /// Mean cost of one exchange in USD.
    pub mean_usd: Option<f64>,
    /// Monthly bill at the captured volume, in USD.
    pub monthly_usd: Option<f64>,
    /// Lower one-sided bound of it.
    pub monthly_low_usd: Option<f64>,
    /// Upper one-sided bound of it.
    pub monthly_high_usd: Option<f64>,
}

/// One price that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRow {
    /// The arm.
    pub arm: String,
    /// The model that is priced.
    pub model: String,
    /// Input price in USD per million tokens, as decimal text.
    pub input_usd_per_million: String,
    /// Output price in USD per million tokens, as decimal text.
    pub output_usd_per_million: String,
    /// Where the price comes from, and of which date.
    pub source: String,
}

/// How often translating to an arm changed or dropped something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LossRow {
    /// The arm.
    pub arm: String,
    /// What was changed, such as `seed_dropped`.
    pub feature: String,
    /// `added`, `changed`, `dropped`, `stripped` or `refused`.
    pub action: String,
    /// `benign`, `lossy` or `untranslatable`.
    pub severity: String,
    /// Requests concerned.
    pub requests: u64,
    /// Share of all requests prepared for the arm.
    pub share: f64,
}

/// A query behind the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryUse {
    /// Its name, to be run by `rehearsal sql --query NAME`.
    pub name: String,
    /// SHA-256 of its text.
    pub sha256: String,
    /// What it answers.
    pub purpose: String,
}
