//! The plan as it is written: serde types that keep the place of everything that is checked later.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::pace::{PaceFile, WarmUpFile};

/// `rehearsal.toml` as typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// Version of the file's shape; 1.
    #[schemars(with = "u32")]
    pub version: Spanned<u32>,
    /// Title of the report.
    pub title: Option<String>,
    /// Today's provider.
    pub incumbent: IncumbentFile,
    /// The providers that may take over.
    #[serde(default)]
    #[schemars(with = "Vec<ArmFile>")]
    pub candidate: Vec<Spanned<ArmFile>>,
    /// The incumbent, replayed again: the noise floor.
    #[schemars(with = "Option<ArmFile>")]
    pub control: Option<Spanned<ArmFile>>,
    /// What is imported.
    #[serde(default)]
    pub capture: CaptureFile,
    /// What is made harmless before a capture is written.
    #[serde(default)]
    pub redaction: RedactionFile,
    /// How it is replayed.
    #[serde(default)]
    pub replay: ReplayFile,
    /// What must hold for a GO.
    #[serde(default)]
    #[schemars(with = "Vec<CriterionFile>")]
    pub criterion: Vec<Spanned<CriterionFile>>,
    /// Where prices come from.
    #[serde(default)]
    pub pricing: PricingFile,
    /// How the monthly bill is projected.
    #[serde(default)]
    pub cost: CostFile,
}

/// `[incumbent]`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IncumbentFile {
    /// The provider's name in the price catalogue, such as `openai`.
    pub provider: String,
    /// Prices that override the catalogue, by model pattern.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, PriceFile>")]
    pub prices: BTreeMap<String, Spanned<PriceFile>>,
}

/// `[[candidate]]` and `[control]`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmFile {
    /// The arm's name; `[control]` has none.
    #[schemars(with = "Option<String>")]
    pub name: Option<Spanned<String>>,
    /// The wire protocol: `openai_chat` or `anthropic_messages`.
    #[schemars(with = "String")]
    pub protocol: Spanned<String>,
    /// Address up to and without the endpoint, such as `https://api.openai.com/v1`.
    #[schemars(with = "String")]
    pub base_url: Spanned<String>,
    /// Environment variable that holds the key; absent: no key is sent.
    #[schemars(with = "Option<String>")]
    pub api_key_env: Option<Spanned<String>>,
    /// File that holds the key, in place of a variable.
    #[schemars(with = "Option<String>")]
    pub api_key_file: Option<Spanned<String>>,
    /// PEM file of certificate authorities to trust beside the system's.
    pub ca_file: Option<String>,
    /// Version of the Anthropic API.
    pub anthropic_version: Option<String>,
    /// The provider's name in the price catalogue.
    pub provider: Option<String>,
    /// Which model answers for which requested one; patterns may end in `*`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub models: BTreeMap<String, Spanned<String>>,
    /// Output cap in tokens for requests that set none.
    pub max_output_tokens: Option<u64>,
    /// Price that overrides the catalogue, for every model of this arm.
    #[schemars(with = "Option<PriceFile>")]
    pub prices: Option<Spanned<PriceFile>>,
    /// How much the provider may be asked at once.
    #[serde(default)]
    #[schemars(with = "LimitsFile")]
    pub limits: Option<Spanned<LimitsFile>>,
    /// Hosted tools that a replay may trigger, by type.
    #[serde(default)]
    pub allow_hosted_tools: Vec<String>,
    /// Whether requests may keep `store`.
    #[serde(default)]
    pub allow_store: bool,
}

/// A price as text with its unit, such as `0.50 USD/1M`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceFile {
    /// Input tokens.
    pub input: String,
    /// Output tokens.
    pub output: String,
    /// Input tokens read from the prompt cache; absent: as input.
    pub cache_read: Option<String>,
    /// Input tokens written into the prompt cache; absent: as input.
    pub cache_write: Option<String>,
}

/// `limits = { … }`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    /// Requests in flight.
    pub concurrency: Option<u64>,
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
}

/// `[capture]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureFile {
    /// Files, folders or globs that `rehearsal run` imports.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// The log format; absent: found by content.
    #[schemars(with = "Option<String>")]
    pub from: Option<Spanned<String>>,
    /// Share of lines that may be set aside, such as `1%`.
    #[schemars(with = "Option<String>")]
    pub max_reject_rate: Option<Spanned<String>>,
    /// Unit of latencies whose name states none: `ms` or `s`.
    #[schemars(with = "Option<String>")]
    pub latency_unit: Option<Spanned<String>>,
    /// Zone of times that state none, such as `+02:00`; absent: UTC.
    #[schemars(with = "Option<String>")]
    pub time_zone: Option<Spanned<String>>,
    /// File that says which field of an own log means what.
    pub mapping: Option<String>,
}

/// `[redaction]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedactionFile {
    /// Whether every structured kind of personal data is replaced by pseudonyms.
    #[serde(default)]
    pub personal_data: bool,
    /// Kinds of personal data that are replaced, such as `email` and `phone`.
    #[schemars(with = "Option<Vec<String>>")]
    pub kinds: Option<Vec<Spanned<String>>>,
    /// Names that are replaced wherever they stand.
    #[serde(default)]
    pub names: Vec<String>,
    /// File of such names, one a line.
    pub names_file: Option<String>,
    /// Members of request bodies whose values are replaced, such as `messages[*].name`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub paths: Vec<Spanned<String>>,
    /// Own kinds: a name and the regular expression of its values.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub patterns: BTreeMap<String, Spanned<String>>,
    /// Whether the identifiers of users and sessions are replaced.
    #[serde(default)]
    pub ids: bool,
    /// Environment variable with the key of the pseudonyms; absent: a key that is made once and
    /// kept in the project folder.
    pub key_env: Option<String>,
}

/// The sections of a plan that an import heeds; the others may still be missing.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportFile {
    #[serde(default)]
    pub(super) capture: CaptureFile,
    #[serde(default)]
    pub(super) redaction: RedactionFile,
    #[serde(rename = "version")]
    _version: Option<toml::Value>,
    #[serde(rename = "title")]
    _title: Option<toml::Value>,
    #[serde(rename = "incumbent")]
    _incumbent: Option<toml::Value>,
    #[serde(rename = "candidate")]
    _candidate: Option<toml::Value>,
    #[serde(rename = "control")]
    _control: Option<toml::Value>,
    #[serde(rename = "replay")]
    _replay: Option<toml::Value>,
    #[serde(rename = "criterion")]
    _criterion: Option<toml::Value>,
    #[serde(rename = "pricing")]
    _pricing: Option<toml::Value>,
    #[serde(rename = "cost")]
    _cost: Option<toml::Value>,
}

/// `[replay]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayFile {
    /// When requests leave.
    #[schemars(with = "Option<PaceFile>")]
    pub pace: Option<Spanned<PaceFile>>,
    /// Log or trace of load at whose arrival times requests leave, such as `burstgpt.csv`.
    #[schemars(with = "Option<String>")]
    pub schedule_from: Option<Spanned<String>>,
    /// Requests in flight per arm, unless the arm's limits say less.
    #[schemars(with = "Option<u64>")]
    pub concurrency: Option<Spanned<u64>>,
    /// Share of sessions that is replayed, such as `10%`, or a stratified sample.
    #[schemars(with = "Option<SampleFile>")]
    pub sample: Option<Spanned<SampleFile>>,
    /// Most that may be spent, such as `25 USD`.
    #[schemars(with = "Option<String>")]
    pub budget: Option<Spanned<String>>,
    /// Attempts after the first.
    pub retries: Option<u32>,
    /// Most retries, as a share of the requests sent, such as `10%`.
    #[schemars(with = "Option<String>")]
    pub retry_budget: Option<Spanned<String>>,
    /// Time, such as `10min`, after which nothing leaves any more.
    #[schemars(with = "Option<String>")]
    pub stop_after: Option<Spanned<String>>,
    /// Requests after which nothing leaves any more.
    #[schemars(with = "Option<u64>")]
    pub max_requests: Option<Spanned<u64>>,
    /// How much of the beginning is not judged for latency: a time such as `30s`, or a number of
    /// requests per arm.
    #[schemars(with = "Option<WarmUpFile>")]
    pub warm_up: Option<Spanned<WarmUpFile>>,
    /// Whether a turn of a session waits for the turn before it.
    pub session_order: Option<bool>,
    /// How often every exchange is replayed.
    #[schemars(with = "Option<u32>")]
    pub repeats: Option<Spanned<u32>>,
    /// Seed of every random choice.
    pub seed: Option<u64>,
    /// Time limits.
    #[serde(default)]
    pub timeouts: TimeoutsFile,
    /// Rows that are replayed though they normally are not, by reason.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub include: Vec<Spanned<String>>,
    /// Whether the offset of every streamed event is kept.
    #[serde(default)]
    pub keep_event_offsets: bool,
    /// What to do on resume with attempts whose outcome is unknown: `resend` or `keep`.
    #[schemars(with = "Option<String>")]
    pub on_uncertain: Option<Spanned<String>>,
    /// How long a stopped replay waits for requests in flight.
    #[schemars(with = "Option<String>")]
    pub drain: Option<Spanned<String>>,
    /// How long an arm may be out before the replay stops resumably.
    #[schemars(with = "Option<String>")]
    pub give_up_after: Option<Spanned<String>>,
    /// Whether an arm in outage is waited for; else its failures are sent on and judged. Default: true.
    pub circuit_breaker: Option<bool>,
}

/// `sample = "10%"` or `{ share = "10%", stratify_by = "route", min_per_stratum = 200 }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a sample: \"10%\" or { share = \"10%\", stratify_by = \"route\", min_per_stratum = 200 }"
)]
pub enum SampleFile {
    /// A share of all sessions.
    Share(String),
    /// A share of the sessions of each stratum.
    Stratified(StratifiedFile),
}

/// `{ share = …, stratify_by = …, min_per_stratum = … }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StratifiedFile {
    /// Share of the sessions of each stratum, such as `10%`.
    pub share: String,
    /// Column that makes the strata: `route`, `request_model`, `tenant`, `stream` or `has_tools`.
    pub stratify_by: String,
    /// Sessions that every stratum contributes; a stratum with no more is taken whole.
    #[serde(default)]
    pub min_per_stratum: u64,
}

/// `[replay.timeouts]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeoutsFile {
    /// To a connection.
    #[schemars(with = "Option<String>")]
    pub connect: Option<Spanned<String>>,
    /// To the first output.
    #[schemars(with = "Option<String>")]
    pub first_token: Option<Spanned<String>>,
    /// Between two events of a stream.
    #[schemars(with = "Option<String>")]
    pub idle: Option<Spanned<String>>,
    /// For an attempt as a whole.
    #[schemars(with = "Option<String>")]
    pub total: Option<Spanned<String>>,
}

/// `[[criterion]]`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CriterionFile {
    /// A metric's name.
    #[schemars(with = "String")]
    pub metric: Spanned<String>,
    /// Absolute upper bound.
    #[schemars(with = "Option<ValueFile>")]
    pub max: Option<Spanned<ValueFile>>,
    /// Absolute lower bound.
    #[schemars(with = "Option<ValueFile>")]
    pub min: Option<Spanned<ValueFile>>,
    /// Upper bound of candidate over incumbent.
    #[schemars(with = "Option<f64>")]
    pub max_ratio: Option<Spanned<f64>>,
    /// Upper bound of the increase over the incumbent: relative, or in points for a share.
    #[schemars(with = "Option<ValueFile>")]
    pub max_increase: Option<Spanned<ValueFile>>,
    /// Upper bound of the excess over the control's own noise, in points.
    #[schemars(with = "Option<ValueFile>")]
    pub max_excess: Option<Spanned<ValueFile>>,
    /// Column that splits the traffic.
    #[schemars(with = "Option<String>")]
    pub segment: Option<Spanned<String>>,
    /// Level of each one-sided bound.
    #[schemars(with = "Option<f64>")]
    pub confidence: Option<Spanned<f64>>,
    /// Whether the criterion decides.
    #[serde(default = "yes")]
    pub gate: bool,
}

fn yes() -> bool {
    true
}

/// A bound: a number, or text with a unit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number, or text with a unit such as \"500ms\", \"20%\" or \"1 USD\""
)]
pub enum ValueFile {
    /// A bare number.
    Number(f64),
    /// Text with a unit.
    Text(String),
}

/// `[pricing]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PricingFile {
    /// A price file in the shape of LiteLLM's; absent: the embedded catalogue.
    pub file: Option<String>,
}

/// `[cost]`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CostFile {
    /// Requests a month; absent: projected from the capture.
    pub monthly_requests: Option<u64>,
}
