//! Criteria and findings to outcomes, outcomes to a decision. Pure: no file, clock or SQL.

mod client;
pub mod extended_number;
mod judge;
mod metrics;
mod model;
mod needed;

pub use client::{ClientEvidence, MOST_LATE};
pub use judge::{Evidence, check_criteria, judge};
pub use metrics::{METRICS, Measured, MetricInfo, MetricProblem, measurements, resolve};
pub use model::{
    ArmCoverage, CandidateDecision, CriterionResult, Decision, Direction, Inputs, Money, Needed,
    Outcome, Reason, VERDICT_SCHEMA_VERSION, Verdict,
};
