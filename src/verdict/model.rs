//! What a verdict is: the document `verdict.json`, one Rust type per object in it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the shape of `verdict.json`; raised when a reader must change.
pub const VERDICT_SCHEMA_VERSION: u32 = 1;

/// May the migration go ahead?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Decision {
    /// Every gate is met.
    #[serde(rename = "GO")]
    Go,
    /// At least one gate fails, and the failure survives Holm's correction.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// The evidence does not decide.
    #[serde(rename = "INCONCLUSIVE")]
    Inconclusive,
}

impl Decision {
    /// The word as it is printed and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Go => "GO",
            Decision::NoGo => "NO-GO",
            Decision::Inconclusive => "INCONCLUSIVE",
        }
    }
}

/// How one criterion came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The one-sided confidence bound lies within the limit.
    Met,
    /// The opposite one-sided bound lies beyond the limit.
    NotMet,
    /// Neither: more data would be needed, or the figure could not be measured.
    Inconclusive,
}

impl Outcome {
    /// The word as it is printed and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Met => "met",
            Outcome::NotMet => "not_met",
            Outcome::Inconclusive => "inconclusive",
        }
    }
}

/// On which side of its bound a figure is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Small is good: the figure must not exceed the bound.
    AtMost,
    /// Large is good: the figure must not fall below the bound.
    AtLeast,
}

/// The whole verdict: everything that a reader needs to check the decision.
///
/// `run_id` and `tool_version` are labels; all other bytes depend on inputs, plan and seed alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// Version of the program that judged.
    pub tool_version: String,
    /// The run that was judged.
    pub run_id: String,
    /// The decision over all candidates.
    pub decision: Decision,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
    /// The decision for each candidate by itself.
    pub candidates: Vec<CandidateDecision>,
    /// Every criterion, per candidate and segment.
    pub criteria: Vec<CriterionResult>,
    /// What became of every captured exchange, per arm and repeat.
    pub coverage: Vec<ArmCoverage>,
    /// What the replay cost.
    pub money: Money,
    /// Hashes of everything that the verdict rests on.
    pub inputs: Inputs,
}

/// One reason for the decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// A stable word for programs, such as `criterion_not_met` or `coverage_too_low`.
    pub code: String,
    /// The candidate concerned, if it is not the run as a whole.
    pub arm: Option<String>,
    /// One sentence for people.
    pub text: String,
}

/// The decision for one candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateDecision {
    /// The candidate's name.
    pub arm: String,
    /// Its decision.
    pub decision: Decision,
}

/// The outcome of one criterion for one candidate and segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CriterionResult {
    /// The metric's name, such as `latency_ms.p99`.
    pub metric: String,
    /// How the figure relates to its bound: `absolute`, `ratio`, `increase` or `excess`.
    pub comparison: String,
    /// Unit of estimate, interval and bound.
    pub unit: String,
    /// On which side of the bound the figure is good.
    pub direction: Direction,
    /// The column that splits the traffic, if the criterion is per segment.
    pub segment: Option<String>,
    /// The segment's value; absent when the criterion is overall.
    pub segment_value: Option<String>,
    /// The candidate.
    pub arm: String,
    /// Whether the criterion decides (`true`) or only advises.
    pub gate: bool,
    /// Why a criterion that the plan calls a gate only advises.
    pub advisory_reason: Option<String>,
    /// How it came out.
    pub outcome: Outcome,
    /// Point estimate; never decides.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub estimate: Option<f64>,
    /// Lower one-sided confidence bound.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub low: Option<f64>,
    /// Upper one-sided confidence bound.
    #[serde(with = "crate::verdict::extended_number")]
    #[schemars(with = "crate::verdict::extended_number::ExtendedNumber")]
    pub high: Option<f64>,
    /// Exchanges that entered the estimate.
    pub n: u64,
    /// Independent clusters among them (sessions and repeated prompts joined).
    pub clusters: u64,
    /// Exchanges with the counted event, for rates.
    pub events: Option<u64>,
    /// The limit that the plan sets.
    pub bound: f64,
    /// Confidence level of each one-sided bound.
    pub confidence: f64,
    /// p-value of the hypothesis that the criterion holds; small speaks against the candidate.
    pub p: Option<f64>,
    /// The same after Holm's correction over all gates.
    pub p_holm: Option<f64>,
    /// The statistical method.
    pub method: String,
    /// The query under `queries/` that measured the figure.
    pub query: String,
    /// SHA-256 of that query's text.
    pub query_hash: String,
    /// The parameters that the query was run with.
    pub parameters: BTreeMap<String, String>,
    /// Why the outcome is what it is, in a sentence.
    pub reason: String,
    /// What would decide an inconclusive criterion.
    pub needed: Option<Needed>,
}

/// What it would take to decide an inconclusive criterion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Needed {
    /// Exchanges needed in all, if the true value is what was estimated.
    pub n: Option<u64>,
    /// What replaying the missing ones would cost, at the mean cost so far, in USD.
    pub usd: Option<f64>,
}

/// What became of the captured exchanges in one arm and repeat.
///
/// `captured = planned + excluded`, and `planned = done + failed + uncertain + not_sent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmCoverage {
    /// The arm's name.
    pub arm: String,
    /// Which repeat, from 1.
    pub repeat: u32,
    /// Exchanges in the capture.
    pub captured: u64,
    /// Exchanges that could be replayed at all.
    pub replayable: u64,
    /// Exchanges that the plan sends to this arm.
    pub planned: u64,
    /// Planned exchanges with a terminal outcome, the provider's failures included.
    pub done: u64,
    /// Planned exchanges that failed on our side.
    pub failed: u64,
    /// Planned exchanges whose last attempt has an unknown outcome.
    pub uncertain: u64,
    /// Planned exchanges that were not sent.
    pub not_sent: u64,
    /// Captured exchanges that were not planned, by reason.
    pub excluded: BTreeMap<String, u64>,
}

/// What the replay cost, in integer nano-dollars, so that sums are exact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Money {
    /// The budget of the plan.
    pub budget_nanousd: i64,
    /// Cost of all attempts with a known outcome.
    pub spent_nanousd: i64,
    /// Reservations of attempts whose outcome is uncertain: at most this much more was spent.
    pub uncertain_nanousd: i64,
    /// Cost per arm.
    pub arms: BTreeMap<String, i64>,
}

/// Hashes (SHA-256, hex) of everything that the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// The validated plan.
    pub plan_sha256: String,
    /// The prices that were used.
    pub prices_sha256: String,
    /// The canonical rows of the capture.
    pub capture_sha256: String,
    /// The canonical rows of the results, ordered by arm, request id, repeat and attempt.
    pub results_sha256: String,
    /// The plan's seed.
    pub seed: u64,
}
