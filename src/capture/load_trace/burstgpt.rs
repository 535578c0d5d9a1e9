//! The log format `burstgpt`: the BurstGPT traces of a campus' use of ChatGPT and GPT-4.
//!
//! Columns follow the description in the repository `HPMLL/BurstGPT`. What is easily got wrong:
//!
//! - `Timestamp` is seconds since midnight of the first day, and later parts do not begin at zero.
//! - `Elapsed time`, seconds for the whole answer, is only in files with eight columns, as is
//!   `Session ID`, which only conversations have.
//! - Zero response tokens are a request that failed, not an empty answer.

use serde_json::{Value, json};

use crate::chat::ErrorClass;
use crate::dataset::CapturedExchange;

use super::super::body::set_error;
use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::super::reason::RejectReason;
use super::super::value::{number, text};
use super::{Rejection, reading, relative, row, tokens};

/// The format of the BurstGPT traces.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct BurstGpt;

impl LogFormat for BurstGpt {
    fn name(&self) -> &'static str {
        "burstgpt"
    }

    fn title(&self) -> &'static str {
        "BurstGPT trace"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let names = ["Timestamp", "Request tokens", "Response tokens"];
            names.iter().all(|name| record.get(*name).is_some())
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        reading(exchange(record))
    }
}

fn exchange(record: &Value) -> Result<CapturedExchange, Rejection> {
    let at = relative(record, "Timestamp", 1e6)?;
    let output = tokens(record, "Response tokens")?;
    let answered = (output > 0).then_some(output);
    let mut row = row(at, 1_000.0, tokens(record, "Request tokens")?, answered);
    row.request_model = text(record, &["Model"]).unwrap_or_default();
    row.session_id = text(record, &["Session ID"]);
    row.tags = text(record, &["Log Type"]).map(|kind| json!([kind]).to_string());
    if let Some(elapsed) = text(record, &["Elapsed time"]) {
        let bad = || (RejectReason::BadField, "`Elapsed time` is no number".to_owned());
        let seconds = number(&Value::String(elapsed)).ok_or_else(bad)?;
        row.latency_ms = Some(seconds * 1_000.0);
        row.latency_scope = Some("gateway".to_owned());
    }
    if answered.is_none() {
        set_error(&mut row, ErrorClass::Unknown, None);
    }
    Ok(row)
}
