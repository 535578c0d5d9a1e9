//! Published traces of load on models: when requests came, how long they and their answers were.
//!
//! There is no content and no answer, so a row can never be sent again; it serves schedules and
//! projections of cost. What is easily got wrong:
//!
//! - Lines can be equal and are still different requests, so no identifier is made of their content:
//!   `request_id` is left empty, and the importer puts the number of the line there.
//! - Times of BurstGPT and Mooncake are relative. They count from 1970, with the basis `relative`,
//!   and mean nothing but their differences.

mod azure_llm_trace;
mod burstgpt;
mod mooncake;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::dataset::{CapturedExchange, UsageSource};

use super::body::without_request;
use super::format::Reading;
use super::marks::{BaselineMarks, settle_baseline};
use super::reason::RejectReason;
use super::time::{Moment, fill_time};
use super::value::{count, number, present};

pub(super) use azure_llm_trace::AzureLlmTrace;
pub(super) use burstgpt::BurstGpt;
pub(super) use mooncake::Mooncake;

/// A reason to set a record aside, on the way to a reading.
type Rejection = (RejectReason, String);

/// The row of a line, as far as all traces have it.
fn row(at: Moment, resolution_ms: f64, input: i64, output: Option<i64>) -> CapturedExchange {
    let mut row = CapturedExchange {
        operation: "chat".to_owned(),
        attempt: 1,
        input_tokens: Some(input),
        output_tokens: output,
        usage_source: Some(UsageSource::Trace.as_str().to_owned()),
        time_resolution_ms: Some(resolution_ms),
        ..CapturedExchange::default()
    };
    fill_time(&mut row, at);
    without_request(&mut row);
    row
}

/// The reading of a line.
fn reading(row: Result<CapturedExchange, Rejection>) -> Vec<Reading> {
    match row {
        Ok(mut row) => {
            settle_baseline(&mut row, BaselineMarks::default());
            Reading::row(row)
        }
        Err((reason, detail)) => Reading::reject(reason, detail),
    }
}

/// A member that must be there.
fn required<'r>(record: &'r Value, name: &str) -> Result<&'r Value, Rejection> {
    let missing = || (RejectReason::MissingField, format!("`{name}` is not there"));
    present(record, name).ok_or_else(missing)
}

/// A count of tokens that must be there.
fn tokens(record: &Value, name: &str) -> Result<i64, Rejection> {
    let bad = || (RejectReason::BadField, format!("`{name}` is no count of tokens"));
    count(required(record, name)?).ok_or_else(bad)
}

/// A time that counts from the start of the trace, in units of so many microseconds.
fn relative(record: &Value, name: &str, unit_us: f64) -> Result<Moment, Rejection> {
    let bad = || (RejectReason::BadField, format!("`{name}` is no time since the start"));
    let us = number(required(record, name)?).map(|units| (units * unit_us).round());
    let us = us.filter(|us| (0.0..9e18).contains(us)).ok_or_else(bad)?;
    Ok(Moment { us: us as i64, basis: "relative" })
}
