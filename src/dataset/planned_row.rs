//! What the replay intends with each captured exchange: a row of the table `planned`.

use serde::{Deserialize, Serialize};

/// One captured exchange in one arm, and whether it is to be sent there.
///
/// Every exchange has one row per arm: planned ones have no reason, the others say why not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlannedRow {
    /// The arm.
    pub arm: String,
    /// Row number of the captured exchange.
    pub ordinal: i32,
    /// The log's identifier of the exchange.
    pub request_id: String,
    /// Why the exchange is not sent to this arm; absent when it is.
    pub excluded_reason: Option<String>,
    /// The model that the arm is asked for.
    pub target_model: Option<String>,
    /// The output cap that the request carries or is reserved with, in tokens.
    pub output_cap: Option<i64>,
    /// Upper bound of the input in tokens.
    pub input_bound: Option<i64>,
    /// Upper bound of the output in tokens: the cap times the choices.
    pub output_bound: Option<i64>,
    /// Most that one attempt can cost: what is reserved before it is sent.
    pub worst_case_nanousd: Option<i64>,
    /// Input tokens to expect: those of the recorded answer, else by the length of the body.
    pub expected_input_tokens: Option<i64>,
    /// Output tokens to expect: those of the recorded answer, else the mean of its model.
    pub expected_output_tokens: Option<i64>,
    /// Cost to expect: the recorded usage at this arm's price.
    pub expected_cost_nanousd: Option<i64>,
    /// The same with the whole input read from the prompt cache and an answer half as long.
    pub low_cost_nanousd: Option<i64>,
    /// Whether the expectation rests on recorded usage.
    pub usage_recorded: Option<bool>,
    /// The stratum of the exchange's session, in a stratified sample.
    pub stratum: Option<String>,
    /// Inverse of the session's probability to be in the sample; absent when it is not in it.
    pub sample_weight: Option<f64>,
    /// Hosted tools and server-side state of the request that the plan lets through.
    pub hosted_tools: Vec<String>,
    /// What the translation changes: a JSON array of losses.
    pub losses: Option<String>,
}
