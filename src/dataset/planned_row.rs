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
    /// Most that one attempt can cost.
    pub worst_case_nanousd: Option<i64>,
    /// What the translation changes: a JSON array of losses.
    pub losses: Option<String>,
}
