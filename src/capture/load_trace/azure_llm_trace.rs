//! The log format `azure_llm_trace`: the Azure LLM inference traces of 2023, 2024 and 2025.
//!
//! Columns follow the descriptions in the repository `Azure/AzurePublicDataset`. What is easily got
//! wrong:
//!
//! - `TIMESTAMP` has seven digits of a second; rows keep six. The trace of 2023 states no zone and
//!   is taken as UTC, unless the user states one.
//! - Only the trace of 2025 has `NumImages`.
//! - Model, latency and status are not there. By its own words it is a sample of the traffic.

use serde_json::Value;

use crate::dataset::CapturedExchange;

use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::super::reason::RejectReason;
use super::super::time::moment;
use super::super::value::{count, present};
use super::{Rejection, reading, required, row, tokens};

/// The format of the Azure LLM inference traces.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct AzureLlmTrace;

impl LogFormat for AzureLlmTrace {
    fn name(&self) -> &'static str {
        "azure_llm_trace"
    }

    fn title(&self) -> &'static str {
        "Azure LLM inference trace"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let names = ["TIMESTAMP", "ContextTokens", "GeneratedTokens"];
            names.iter().all(|name| record.get(*name).is_some())
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        reading(exchange(record, context))
    }
}

fn exchange(record: &Value, context: &ReadContext) -> Result<CapturedExchange, Rejection> {
    let bad = || (RejectReason::BadField, "`TIMESTAMP` is no point in time".to_owned());
    let at = moment(required(record, "TIMESTAMP")?, context.utc_offset_s).ok_or_else(bad)?;
    let output = tokens(record, "GeneratedTokens")?;
    let mut row = row(at, 0.001, tokens(record, "ContextTokens")?, Some(output));
    let images = present(record, "NumImages").and_then(count);
    row.image_count = images.and_then(|images| i32::try_from(images).ok()).unwrap_or(0);
    row.sampled = Some(true);
    Ok(row)
}
