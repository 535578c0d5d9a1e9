//! A run at one moment: what `rehearsal top` shows and prints as JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// A run at one moment. Durations are milliseconds, money is nano-dollars.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunView {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// The run, with the shard if it is one: what `--run` takes.
    pub run: String,
    /// Whether a process replays it, or what it left.
    pub state: RunState,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// Exchanges over arms and repeats.
    pub planned: u64,
    /// Those with a final outcome.
    pub done: u64,
    /// Attempts under way; after a crash those whose outcome is not known yet.
    pub in_flight: u64,
    /// Attempts whose outcome is unknown for good.
    pub uncertain: u64,
    /// Exchanges that were done a second, over the last minute; absent when nothing runs.
    pub done_per_second: Option<f64>,
    /// Seconds that the rest will take at that pace.
    pub remaining_s: Option<u64>,
    /// Known costs, and the reservations of uncertain attempts.
    pub spent_nanousd: i64,
    /// What is reserved for attempts under way.
    pub reserved_nanousd: i64,
    /// The budget, for a shard its part.
    pub budget_nanousd: Option<i64>,
    /// One entry an arm.
    pub arms: Vec<ArmView>,
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// A process replays it.
    Running,
    /// Everything has a final outcome.
    Finished,
    /// Nobody replays it, and not everything is done.
    Stopped,
}

impl RunState {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            RunState::Running => "running",
            RunState::Finished => "finished",
            RunState::Stopped => "stopped",
        }
    }
}

/// One arm of a run at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct ArmView {
    /// The candidate's name, or `control`.
    pub arm: String,
    /// Exchanges over repeats.
    pub planned: u64,
    /// Those with a final outcome.
    pub done: u64,
    /// Attempts under way.
    pub in_flight: u64,
    /// Attempts with an outcome.
    pub attempts: u64,
    /// Attempts after the first of an exchange.
    pub retries: u64,
    /// Failed attempts by class; absent classes did not occur.
    pub errors: BTreeMap<String, u64>,
    /// The part of them that met a rate limit.
    pub rate_limited: u64,
    /// Time to first token of answered attempts.
    pub ttft_ms: Option<Percentiles>,
    /// Latency of answered attempts.
    pub latency_ms: Option<Percentiles>,
    /// The same over the last minute.
    pub recent_ttft_ms: Option<Percentiles>,
    /// The same over the last minute.
    pub recent_latency_ms: Option<Percentiles>,
    /// Requests of the last minute; absent when nothing runs.
    pub requests_per_minute: Option<u64>,
    /// The limit on them, for a shard its part.
    pub rpm_limit: Option<u64>,
    /// Input and output tokens of attempts that came back in the last minute.
    pub tokens_per_minute: Option<u64>,
    /// The limit on them, for a shard its part.
    pub tpm_limit: Option<u64>,
    /// The limit on requests in flight, for a shard its part.
    pub concurrency_limit: Option<u64>,
    /// Known costs, and the reservations of uncertain attempts.
    pub spent_nanousd: i64,
}

/// Percentiles of `n` durations in milliseconds (inverse of the empirical distribution).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Percentiles {
    /// How many.
    pub n: u64,
    /// The median.
    pub p50: f64,
    /// The 95th.
    pub p95: f64,
    /// The 99th.
    pub p99: f64,
}
