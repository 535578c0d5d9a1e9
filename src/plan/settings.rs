//! The plan as it is meant: validated, with every default filled in.

use std::str::FromStr;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::ModelMap;
use super::pace::{Pace, WarmUp};
use crate::pricing::{NanoUsd, Price, PriceError, UsdPerToken};
use crate::provider::Protocol;

/// A validated plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Title of the report.
    pub title: String,
    /// The incumbent's name in the price catalogue.
    pub incumbent_provider: String,
    /// Prices of the incumbent's models that override the catalogue.
    pub incumbent_prices: Vec<PriceOverride>,
    /// The candidates in the order of the file.
    pub candidates: Vec<Arm>,
    /// The incumbent, replayed again.
    pub control: Option<Arm>,
    /// What is imported.
    pub capture: CaptureSettings,
    /// What is made harmless before a capture is written.
    pub redaction: RedactionSettings,
    /// How it is replayed.
    pub replay: ReplaySettings,
    /// What must hold for a GO.
    pub criteria: Vec<Criterion>,
    /// The price file that replaces the embedded catalogue.
    pub price_file: Option<String>,
    /// How the monthly bill is projected.
    pub cost: CostSettings,
}

impl Plan {
    /// All arms that are replayed: the control, if there is one, then the candidates.
    pub fn arms(&self) -> impl Iterator<Item = &Arm> {
        self.control.iter().chain(&self.candidates)
    }

    /// The plan as canonical JSON: the text whose hash stands in the verdict.
    ///
    /// # Errors
    /// Never for a validated plan; serialisation is fallible by type.
    pub fn canonical_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

/// One arm: an address that is replayed to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Arm {
    /// The candidate's name, or `control`.
    pub name: String,
    /// Whether it is the incumbent replayed again.
    pub is_control: bool,
    /// The wire protocol.
    #[serde(serialize_with = "protocol_name")]
    pub protocol: Protocol,
    /// Address up to and without the endpoint, without a final slash.
    pub base_url: String,
    /// Environment variable that holds the key.
    pub api_key_env: Option<String>,
    /// File that holds the key, beside the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key_file: Option<String>,
    /// PEM file of certificate authorities to trust beside the system's, beside the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// Version of the Anthropic API.
    pub anthropic_version: String,
    /// The provider's name in the price catalogue.
    pub provider: String,
    /// Which model answers for which requested one.
    pub models: ModelMap,
    /// Output cap in tokens for requests that set none.
    pub max_output_tokens: Option<u64>,
    /// Price that overrides the catalogue.
    pub price: Option<PriceOverride>,
    /// How much the provider may be asked at once.
    pub limits: Limits,
    /// Hosted tools that a replay may trigger.
    pub allow_hosted_tools: Vec<String>,
    /// Whether requests may keep `store`.
    pub allow_store: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn protocol_name<S: Serializer>(protocol: &Protocol, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(protocol.as_str())
}

/// A price in the plan, as text with its unit; parsed and checked when the plan is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceOverride {
    /// The model pattern, for the incumbent's prices.
    pub model: String,
    /// Input tokens.
    pub input: String,
    /// Output tokens.
    pub output: String,
    /// Input tokens read from the prompt cache.
    pub cache_read: Option<String>,
    /// Input tokens written into the prompt cache.
    pub cache_write: Option<String>,
}

impl PriceOverride {
    /// The price that the texts mean.
    ///
    /// # Errors
    /// A text that is no price.
    pub fn price(&self) -> Result<Price, PriceError> {
        let rate = |text: &Option<String>| text.as_deref().map(UsdPerToken::from_str).transpose();
        let mut price = Price::from_plan(&self.input, &self.output)?;
        price.cache_read = rate(&self.cache_read)?;
        price.cache_write = rate(&self.cache_write)?;
        Ok(price)
    }
}

/// How much a provider may be asked at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Requests in flight.
    pub concurrency: u64,
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
}

/// `[capture]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaptureSettings {
    /// Files, folders or globs that `rehearsal run` imports.
    pub inputs: Vec<String>,
    /// The log format; absent: found by content.
    pub from: Option<String>,
    /// Share of lines that may be set aside.
    pub max_reject_rate: f64,
    /// Milliseconds in the unit of latencies whose name states none.
    pub latency_unit_ms: Option<f64>,
    /// Zone of times that state none, seconds east of UTC.
    pub utc_offset_s: Option<i32>,
    /// File that says which field of an own log means what.
    pub mapping: Option<String>,
}

/// `[redaction]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RedactionSettings {
    /// Names of the kinds of personal data that are replaced; see [`REDACTION_KINDS`].
    pub kinds: Vec<String>,
    /// Names that are replaced.
    pub names: Vec<String>,
    /// File of such names, one a line.
    pub names_file: Option<String>,
    /// Members of request bodies whose values are replaced.
    pub paths: Vec<String>,
    /// Own kinds: name and regular expression.
    pub patterns: Vec<(String, String)>,
    /// Whether the identifiers of users and sessions are replaced.
    pub ids: bool,
    /// Environment variable with the key of the pseudonyms.
    pub key_env: Option<String>,
}

impl RedactionSettings {
    /// Whether personal data is left as it is.
    pub fn is_off(&self) -> bool {
        let lists = self.kinds.len() + self.names.len() + self.paths.len() + self.patterns.len();
        lists == 0 && self.names_file.is_none() && !self.ids
    }
}

/// Kinds of personal data that are known by their structure.
pub const REDACTION_KINDS: &[&str] = &["email", "phone", "iban", "card", "ip", "national_id"];

/// What an import heeds of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportSettings {
    /// What is imported.
    pub capture: CaptureSettings,
    /// What is made harmless before it is written.
    pub redaction: RedactionSettings,
}

/// A log or trace whose arrival times are followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduleFile {
    /// The file, relative to the plan.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// How a sample of sessions is stratified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StrataSettings {
    /// Column that makes the strata; one of [`SEGMENTS`].
    pub stratify_by: String,
    /// Sessions that every stratum contributes; a stratum with no more is taken whole.
    pub min_per_stratum: u64,
}

/// Columns that may split the traffic, into segments of a criterion or strata of a sample.
pub const SEGMENTS: &[&str] = &["request_model", "route", "tenant", "stream", "has_tools"];

/// What to do on resume with attempts whose outcome is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UncertainPolicy {
    /// Send the request again, as a further attempt.
    Resend,
    /// Leave the exchange uncertain.
    Keep,
}

/// Time limits of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Timeouts {
    /// To a connection.
    pub connect: Duration,
    /// To the first output.
    pub first_token: Duration,
    /// Between two pieces of a stream.
    pub idle: Duration,
    /// As a whole.
    pub total: Duration,
}

/// `[replay]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplaySettings {
    /// When requests leave.
    pub pace: Pace,
    /// Whose arrival times an open loop follows; absent: those of the capture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleFile>,
    /// Share of sessions that is replayed, overall or of each stratum.
    pub sample: f64,
    /// How the sample is stratified; absent: it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strata: Option<StrataSettings>,
    /// Most that may be spent; absent: a replay is refused.
    pub budget: Option<NanoUsd>,
    /// Attempts after the first.
    pub retries: u32,
    /// Most retries, as a share of the requests sent.
    pub retry_budget: f64,
    /// Time after which nothing leaves any more, for each part of a run.
    pub stop_after: Option<Duration>,
    /// Requests after which nothing leaves any more, for each part of a run.
    pub max_requests: Option<u64>,
    /// How much of the beginning is not judged for latency.
    pub warm_up: Option<WarmUp>,
    /// Whether a turn of a session waits for the turn before it.
    pub session_order: bool,
    /// How often every exchange is replayed.
    pub repeats: u32,
    /// Seed of every random choice.
    pub seed: u64,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Rows that are replayed though they normally are not, by reason.
    pub include: Vec<String>,
    /// Whether the offset of every streamed event is kept.
    pub keep_event_offsets: bool,
    /// What to do with attempts whose outcome is unknown.
    pub on_uncertain: UncertainPolicy,
    /// How long a stopped replay waits for requests in flight.
    pub drain: Duration,
    /// How long an arm may be out before the replay stops resumably.
    pub give_up_after: Duration,
    /// Whether an arm in outage is waited for; else its failures are sent on and judged.
    pub circuit_breaker: bool,
}

/// The unit that a bound was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundUnit {
    /// A bare number.
    None,
    /// Milliseconds.
    Milliseconds,
    /// A share between 0 and 1.
    Share,
    /// US dollars.
    Usd,
}

/// To what a figure is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BoundKind {
    /// The figure itself must not exceed the bound.
    Max,
    /// The figure itself must not fall below the bound.
    Min,
    /// The candidate's figure over the incumbent's must not exceed the bound.
    MaxRatio,
    /// The candidate's figure must not exceed the incumbent's by more.
    MaxIncrease,
    /// The disagreement must not exceed the control's own by more.
    MaxExcess,
}

impl BoundKind {
    /// The key in the plan.
    pub fn as_str(self) -> &'static str {
        match self {
            BoundKind::Max => "max",
            BoundKind::Min => "min",
            BoundKind::MaxRatio => "max_ratio",
            BoundKind::MaxIncrease => "max_increase",
            BoundKind::MaxExcess => "max_excess",
        }
    }
}

/// The limit of a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bound {
    /// To what it applies.
    pub kind: BoundKind,
    /// Its value: milliseconds, share, dollars or a bare number.
    pub value: f64,
    /// The unit that it was written with.
    pub unit: BoundUnit,
}

/// `[[criterion]]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Criterion {
    /// The metric's name.
    pub metric: String,
    /// The limit.
    pub bound: Bound,
    /// Column that splits the traffic.
    pub segment: Option<String>,
    /// Level of each one-sided bound.
    pub confidence: f64,
    /// Whether it decides.
    pub gate: bool,
    /// Where the metric's name stands in the file, for messages; no part of the plan's hash.
    #[serde(skip)]
    pub span: std::ops::Range<usize>,
}

/// `[cost]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CostSettings {
    /// Requests a month; absent: projected from the capture.
    pub monthly_requests: Option<u64>,
}
