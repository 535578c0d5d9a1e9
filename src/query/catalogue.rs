//! The catalogue of `queries/`: every named query, with its text as it stands in the file.

use super::header::{HeaderError, QueryHeader};
use crate::dataset::sha256_hex;

/// A query of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedQuery {
    /// Path below `queries/`, without the ending.
    pub name: &'static str,
    /// The whole file.
    pub sql: &'static str,
}

impl NamedQuery {
    /// Its header.
    ///
    /// # Errors
    /// A header that does not follow the format.
    pub fn header(&self) -> Result<QueryHeader, HeaderError> {
        QueryHeader::parse(self.sql)
    }

    /// SHA-256 of its text, 64 hex digits.
    pub fn sha256(&self) -> String {
        sha256_hex(self.sql)
    }
}

macro_rules! query {
    ($name:literal) => {
        NamedQuery { name: $name, sql: include_str!(concat!("../../queries/", $name, ".sql")) }
    };
}

/// Every query, in order of names.
pub const QUERIES: &[NamedQuery] = &[
    query!("audit/cache"),
    query!("audit/clock"),
    query!("audit/endpoints"),
    query!("audit/errors"),
    query!("audit/errors_by_day"),
    query!("audit/features"),
    query!("audit/flaws"),
    query!("audit/gaps"),
    query!("audit/hours"),
    query!("audit/latency"),
    query!("audit/latency_left_out"),
    query!("audit/lengths"),
    query!("audit/model_maps"),
    query!("audit/models"),
    query!("audit/overview"),
    query!("audit/peaks"),
    query!("audit/projection"),
    query!("audit/replayability"),
    query!("audit/sessions"),
    query!("audit/source_reasons"),
    query!("audit/sources"),
    query!("audit/sufficiency"),
    query!("audit/tenants"),
    query!("audit/time_quality"),
    query!("checks/duplicate_attempts"),
    query!("checks/impossible_attempts"),
    query!("checks/several_final_attempts"),
    query!("checks/unplanned_attempts"),
    query!("consistency/by_turn"),
    query!("consistency/finish_reasons"),
    query!("consistency/json_paths"),
    query!("consistency/languages"),
    query!("consistency/measures"),
    query!("consistency/refusals"),
    query!("consistency/tool_arguments"),
    query!("consistency/worst_pairs"),
    query!("criteria/config_error_rate"),
    query!("criteria/consistency"),
    query!("criteria/consistency_excess"),
    query!("criteria/cost_per_token_ratio"),
    query!("criteria/cost_ratio"),
    query!("criteria/coverage"),
    query!("criteria/error_rate"),
    query!("criteria/error_rate_increase"),
    query!("criteria/error_rate_increase_to_log"),
    query!("criteria/latency_quantile"),
    query!("criteria/latency_ratio"),
    query!("criteria/latency_ratio_to_log"),
    query!("criteria/losses_untranslatable"),
    query!("criteria/rate_limit_rate"),
    query!("criteria/refusal_new"),
    query!("load/at_peak"),
    query!("load/knee"),
    query!("load/limit_rejections"),
    query!("load/peak_demand"),
    query!("load/recovery"),
    query!("load/schedule_slip"),
    query!("load/settling"),
    query!("load/steps"),
    query!("plan/arms"),
    query!("plan/excluded"),
    query!("plan/hosted_tools"),
    query!("plan/limits"),
    query!("plan/models"),
    query!("plan/strata"),
    query!("report/capture_models"),
    query!("report/client_health"),
    query!("report/cost"),
    query!("report/coverage"),
    query!("report/error_classes"),
    query!("report/errors_over_time"),
    query!("report/latency_values"),
    query!("report/losses"),
    query!("report/money"),
    query!("report/outages"),
    query!("report/prices"),
    query!("report/results_by_model"),
    query!("report/sample_weights"),
    query!("report/tokens"),
    query!("views/first_attempts"),
    query!("views/load_steps"),
    query!("views/losses"),
    query!("views/pairs"),
];

/// The query with a name.
pub fn named(name: &str) -> Option<&'static NamedQuery> {
    QUERIES.iter().find(|query| query.name == name)
}
