//! The dry run as a value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MoneyForecast, WallTime};

/// What a replay will do, found out without sending anything.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Preflight {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// Version of the program.
    pub tool_version: String,
    /// The run that `replay` begins or resumes.
    pub run_id: String,
    /// Whether that run was begun already.
    pub is_begun: bool,
    /// SHA-256 over the rows of the capture.
    pub capture_sha256: String,
    /// Exchanges of the capture.
    pub captured: u64,
    /// When requests leave, as the plan says it.
    pub pace: serde_json::Value,
    /// Seed of every random choice.
    pub seed: u64,
    /// How often every exchange is sent.
    pub repeats: u32,
    /// Attempts after the first, made only after failures; their cost is in no figure here.
    pub retries: u32,
    /// Which sessions are sent.
    pub sample: SamplePlan,
    /// Every arm, the control first.
    pub arms: Vec<ArmPlan>,
    /// Which model answers for which.
    pub models: Vec<ModelRow>,
    /// What is not sent, and why.
    pub excluded: Vec<ExcludedRow>,
    /// What translations change or drop.
    pub losses: Vec<LossRow>,
    /// Hosted tools and server-side state: what fires and what is stripped.
    pub hosted_tools: Vec<HostedToolRow>,
    /// The capture's peak against the limits of each arm.
    pub limits: Vec<LimitRow>,
    /// How long the replay will take; nothing when the log does not tell.
    pub wall_time_s: Option<f64>,
    /// What it will cost, against the budget.
    pub money: MoneyForecast,
    /// Why `replay` would refuse to begin, if it would.
    pub refusals: Vec<String>,
}

/// Which sessions are sent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SamplePlan {
    /// Share of sessions, overall or of each stratum.
    pub share: f64,
    /// Column that makes the strata.
    pub stratify_by: Option<String>,
    /// Sessions that every stratum contributes.
    pub min_per_stratum: Option<u64>,
    /// How far each stratum is taken.
    pub strata: Vec<StratumRow>,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ArmPlan {
    /// Where its requests go.
    pub destination: Destination,
    /// What is sent to it.
    pub traffic: ArmTraffic,
    /// How long that takes.
    pub wall_time: WallTime,
}

/// Where the requests of an arm go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Destination {
    /// The wire protocol.
    pub protocol: String,
    /// The only address that is contacted for this arm.
    pub base_url: String,
    /// The proxy of the environment on the way there, without credentials.
    pub proxy: Option<String>,
    /// Environment variable that holds the key; nothing: no key is sent.
    pub api_key_env: Option<String>,
    /// Whether that variable holds something now.
    pub api_key_is_set: bool,
}

/// What is sent to an arm: one row of `plan/arms`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArmTraffic {
    /// The candidate's name, or `control`.
    pub arm: String,
    /// Whether it is the incumbent replayed again.
    pub is_control: bool,
    /// Captured exchanges.
    pub captured: i64,
    /// Exchanges that are not sent.
    pub excluded: i64,
    /// Exchanges that are sent.
    pub exchanges: i64,
    /// Times that each is sent.
    pub repeats: i64,
    /// Requests without retries.
    pub requests: i64,
    /// Exchanges without a known price.
    pub unpriced: i64,
    /// Exchanges whose usage the log has.
    pub with_usage: i64,
    /// Input tokens at the low end.
    pub input_tokens_low: i64,
    /// Input tokens to expect.
    pub input_tokens: i64,
    /// Most input tokens.
    pub input_tokens_high: i64,
    /// Output tokens at the low end.
    pub output_tokens_low: i64,
    /// Output tokens to expect.
    pub output_tokens: i64,
    /// Most output tokens.
    pub output_tokens_high: i64,
    /// Low cost.
    pub cost_low_nanousd: Option<i64>,
    /// Expected cost.
    pub cost_nanousd: Option<i64>,
    /// Highest cost: the sum of the reservations.
    pub cost_high_nanousd: Option<i64>,
    /// Highest reservation of one request.
    pub largest_nanousd: Option<i64>,
    /// Exchanges whose latency the log has.
    pub with_latency: i64,
    /// Sum of these latencies over all repeats.
    pub latency_us: i64,
}

/// One row of `plan/models`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelRow {
    /// The arm.
    pub arm: String,
    /// Model that was asked for.
    pub request_model: String,
    /// Model that the arm is asked for.
    pub target_model: Option<String>,
    /// Requests without retries.
    pub requests: i64,
    /// Input tokens to expect.
    pub input_tokens: Option<i64>,
    /// Output tokens to expect.
    pub output_tokens: Option<i64>,
    /// Expected cost; nothing without a known price.
    pub cost_nanousd: Option<i64>,
    /// Highest cost; nothing without a known price.
    pub cost_high_nanousd: Option<i64>,
}

/// One row of `plan/excluded`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExcludedRow {
    /// The arm.
    pub arm: String,
    /// Why it is not sent.
    pub excluded_reason: String,
    /// Captured exchanges.
    pub exchanges: i64,
    /// Share of all captured exchanges.
    pub share: f64,
}

/// One row of `report/losses`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LossRow {
    /// The arm.
    pub arm: String,
    /// What is changed.
    pub feature: String,
    /// `added`, `changed`, `dropped`, `stripped` or `refused`.
    pub action: String,
    /// `benign`, `lossy` or `untranslatable`.
    pub severity: String,
    /// Requests concerned.
    pub requests: i64,
    /// Requests prepared for the arm.
    pub prepared: i64,
}

/// One row of `plan/hosted_tools`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostedToolRow {
    /// The arm.
    pub arm: String,
    /// Type of the hosted tool, or member of the body.
    pub tool: String,
    /// `fires` or `stripped`.
    pub fate: String,
    /// Exchanges concerned.
    pub exchanges: i64,
}

/// One row of `plan/limits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitRow {
    /// The arm.
    pub arm: String,
    /// `concurrency`, `requests_per_minute` or `tokens_per_minute`.
    pub measure: String,
    /// Highest value of the capture.
    pub peak: i64,
    /// When it was first reached, UTC.
    pub peak_at: Option<String>,
    /// Limit to ask for.
    pub ask: i64,
    /// Limit of the plan.
    pub stated: Option<i64>,
    /// `enough`, `tight`, `too_low` or `not_stated`.
    pub standing: String,
}

/// One row of `plan/strata`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StratumRow {
    /// Value of the column that makes the strata.
    pub stratum: String,
    /// Sessions whose rarest value it is.
    pub sessions: i64,
    /// Those of the sample.
    pub sessions_taken: i64,
    /// Exchanges of all these sessions.
    pub exchanges: i64,
    /// Exchanges of those of the sample.
    pub exchanges_taken: i64,
    /// Sessions over sessions taken.
    pub sample_weight: Option<f64>,
}
