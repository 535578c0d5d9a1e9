//! What a replay on a schedule shows of load: a part of the report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Percentile;

/// Load findings of an open loop; lists are empty where the pace gives no occasion for them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadReport {
    /// Each arm's knee over all limits, for a ramp.
    pub knees: Vec<ArmKnee>,
    /// The knee under each limit of the plan, for a ramp.
    pub criterion_knees: Vec<CriterionKnee>,
    /// Latency and failures by step of a ramp.
    pub steps: Vec<LoadStep>,
    /// How long latency took to settle after each step of a ramp.
    pub settling: Vec<Settling>,
    /// The capture's busiest hour and minute beside what each arm answered.
    pub demand: Vec<PeakDemand>,
    /// What the arms' limits would reject of the captured arrivals.
    pub rejections: Vec<LimitRejections>,
    /// The busiest window of the replay beside the rest.
    pub at_peak: Vec<AtPeak>,
    /// Bursts of failures, those of most failures.
    pub incidents: Vec<Incident>,
    /// Lateness against the schedule.
    pub slip: Vec<ScheduleSlip>,
}

/// The knee of one arm: the lowest over all its limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmKnee {
    /// The arm.
    pub arm: String,
    /// Highest offered rate that was shown to hold every limit, in requests per second.
    pub holds_per_second: Option<f64>,
    /// Lowest offered rate at which a limit was shown to fail.
    pub fails_per_second: Option<f64>,
    /// Highest offered rate.
    pub highest_per_second: f64,
}

/// The knee of one arm under one limit: a row of `load/knee`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CriterionKnee {
    /// The arm.
    pub arm: String,
    /// The metric that is limited, or `throughput` alone.
    pub metric: String,
    /// Unit of limit and values: `ms`, `share`, or empty.
    pub unit: String,
    /// The limit.
    pub limit: Option<f64>,
    /// Steps of the ramp.
    pub steps: u64,
    /// Highest offered rate, in requests per second.
    pub highest_per_second: f64,
    /// Step of the knee.
    pub holds_step: Option<u32>,
    /// Its offered rate: the knee.
    pub holds_per_second: Option<f64>,
    /// The metric there.
    pub holds_value: Option<f64>,
    /// Its upper one-sided bound.
    pub holds_high: Option<f64>,
    /// Step of the lowest rate that fails.
    pub fails_step: Option<u32>,
    /// Its offered rate.
    pub fails_per_second: Option<f64>,
    /// The metric there; infinite when too many failed.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub fails_value: Option<f64>,
    /// Its lower one-sided bound.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub fails_low: Option<f64>,
    /// Answers per second over the offered rate there.
    pub fails_achieved_share: Option<f64>,
    /// Whether `throughput` or the `limit` fails there.
    pub fails_by: Option<String>,
    /// Steps that neither hold nor fail.
    pub undecided: u64,
}

/// One step of a ramp in one arm: a row of `load/steps`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadStep {
    /// The arm.
    pub arm: String,
    /// The step, from 1.
    pub step: u32,
    /// Requests per second that the schedule offers.
    pub offered_per_second: f64,
    /// Answers per second.
    pub achieved_per_second: Option<f64>,
    /// Answers per second over the offered rate.
    pub achieved_share: Option<f64>,
    /// First attempts.
    pub attempts: u64,
    /// Those that say something of the provider.
    pub n: u64,
    /// Failures among these.
    pub failures: u64,
    /// Their share.
    pub error_rate: Option<f64>,
    /// Lower one-sided bound of it.
    pub error_rate_low: Option<f64>,
    /// Upper one-sided bound of it.
    pub error_rate_high: Option<f64>,
    /// First attempts that met a 429.
    pub rate_limited: u64,
    /// 99th percentile of sent minus scheduled, in ms.
    pub slip_p99_ms: Option<f64>,
    /// Percentiles of the latency in ms, a failure counts as infinite.
    pub latency: Vec<Percentile>,
    /// Percentiles of the time to the first token of streamed answers likewise.
    pub ttft: Vec<Percentile>,
}

/// Latency settling after one step: a row of `load/settling`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    /// The arm.
    pub arm: String,
    /// The step, from 1.
    pub step: u32,
    /// Requests per second that the schedule offers.
    pub offered_per_second: f64,
    /// Answered first attempts.
    pub answered: u64,
    /// Length of the step in seconds.
    pub step_s: f64,
    /// Median latency of the step's last quarter, in ms.
    pub end_level_ms: Option<f64>,
    /// Highest median of a slice, in ms.
    pub highest_ms: Option<f64>,
    /// Seconds until every later slice is near the end level; absent when the step did not settle.
    pub settling_s: Option<f64>,
}

/// Demand of the capture beside the answers of an arm: a row of `load/peak_demand`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeakDemand {
    /// The arm.
    pub arm: String,
    /// `hour` or `minute`.
    pub span: String,
    /// `requests` or `tokens`.
    pub measure: String,
    /// When the busiest one begins, RFC 3339.
    pub begins_at: String,
    /// Requests or tokens in it.
    pub demand: u64,
    /// The same per minute.
    pub demand_per_minute: f64,
    /// Most that the arm answered in one window of the replay, per minute.
    pub answered_per_minute: f64,
    /// That over the demand.
    pub answered_share: f64,
}

/// What limits would reject: a row of `load/limit_rejections`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitRejections {
    /// The arm whose limits they are.
    pub arm: String,
    /// Requests per minute.
    pub rpm: Option<u64>,
    /// Tokens per minute.
    pub tpm: Option<u64>,
    /// Seconds of a limit that may be used at once.
    pub burst_s: f64,
    /// The part of the capture.
    pub part: String,
    /// When it begins, RFC 3339.
    pub begins_at: Option<String>,
    /// Requests in it.
    pub requests: u64,
    /// Requests with known tokens.
    pub with_tokens: u64,
    /// Requests that are rejected.
    pub rejected: u64,
    /// Their share.
    pub rejected_share: Option<f64>,
}

/// The busiest window of the replay, or the rest: a row of `load/at_peak`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AtPeak {
    /// The arm.
    pub arm: String,
    /// `peak` or `rest`.
    pub part: String,
    /// Length of the window in seconds; absent when the whole replay is the peak.
    pub window_s: Option<f64>,
    /// Begin of the window in seconds since the first scheduled moment.
    pub begins_s: Option<f64>,
    /// First attempts.
    pub sent: u64,
    /// Those that say something of the provider.
    pub n: u64,
    /// Failures among these.
    pub failures: u64,
    /// Their share.
    pub error_rate: Option<f64>,
    /// Lower one-sided bound of it.
    pub error_rate_low: Option<f64>,
    /// Upper one-sided bound of it.
    pub error_rate_high: Option<f64>,
    /// Percentiles of the latency in ms, a failure counts as infinite.
    pub latency: Vec<Percentile>,
    /// Percentiles of the time to the first token of streamed answers likewise.
    pub ttft: Vec<Percentile>,
}

/// One burst of failures: a row of `load/recovery`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// The arm.
    pub arm: String,
    /// Number of the incident within the arm, from 1.
    pub incident: u64,
    /// `rate_limit`, `failure` or `mixed`.
    pub kind: String,
    /// Its first failure, in seconds since the arm's first sending.
    pub begins_s: f64,
    /// Attempts that failed in it.
    pub failures: u64,
    /// Attempts sent from its first to its last failure.
    pub attempts: u64,
    /// From its first to its last failure, in ms.
    pub failing_ms: f64,
    /// Longest wait that the provider asked for, in ms.
    pub retry_after_ms: Option<u64>,
    /// From its first failure to the end of the first lasting answer, in ms.
    pub recovery_ms: Option<f64>,
    /// Incidents of the arm.
    pub incidents: u64,
    /// Incidents among them that outlasted the replay.
    pub unrecovered: u64,
}

/// Lateness of one arm: a row of `load/schedule_slip`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSlip {
    /// The arm.
    pub arm: String,
    /// First attempts.
    pub attempts: u64,
    /// Those that left later than scheduled by more than `late_beyond_share` of the median latency.
    pub late: u64,
    /// Their share.
    pub late_share: f64,
    /// Share of the median latency beyond which an attempt is late.
    pub late_beyond_share: f64,
    /// Median of sent minus scheduled.
    pub slip_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub slip_p99_ms: Option<f64>,
    /// The largest.
    pub slip_max_ms: Option<f64>,
    /// Attempts that the client alone made late.
    pub client_late: u64,
    /// Their share.
    pub client_late_share: f64,
    /// Median of the part of the slip that no limit of the plan accounts for.
    pub client_slip_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub client_slip_p99_ms: Option<f64>,
    /// The largest.
    pub client_slip_max_ms: Option<f64>,
    /// Attempts that limits of the plan held back.
    pub held_back: u64,
    /// 99th percentile of the time that they were held back.
    pub held_back_p99_ms: Option<f64>,
    /// 99th percentile of the latency from the moment of sending.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub from_sent_p99_ms: Option<f64>,
    /// The same from the scheduled moment.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub from_schedule_p99_ms: Option<f64>,
}

/// How the client held up in one arm: a row of `report/client_health`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientHealth {
    /// The arm.
    pub arm: String,
    /// Attempts with an answer.
    pub attempts: u64,
    /// Median latency.
    pub latency_p50_ms: Option<f64>,
    /// Median time to the first token of streamed answers.
    pub ttft_p50_ms: Option<f64>,
    /// Median of the time that the client spent on an attempt.
    pub overhead_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub overhead_p99_ms: Option<f64>,
    /// The largest.
    pub overhead_max_ms: Option<f64>,
    /// Median of the worst lateness of the event loop during an attempt.
    pub lag_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub lag_p99_ms: Option<f64>,
    /// The largest.
    pub lag_max_ms: Option<f64>,
    /// Median of the worst lateness until the first output of a streamed answer.
    pub first_token_lag_p50_ms: Option<f64>,
    /// Attempts that opened a connection of their own.
    pub connections: u64,
    /// Median of the time that this took, which is in no other figure.
    pub connect_p50_ms: Option<f64>,
    /// 99th percentile of it.
    pub connect_p99_ms: Option<f64>,
}
