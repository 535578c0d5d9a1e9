//! The log format `litellm`: LiteLLM's StandardLoggingPayload, one per attempt.
//!
//! Field meanings follow `litellm/types/utils.py` (class `StandardLoggingPayload`) and
//! `litellm_core_utils/litellm_logging.py`, which fills it. What is easily got wrong:
//!
//! - `response_time` is the time to the first token for streams; the latency is always
//!   `endTime - startTime`, measured at the gateway, whose own work it includes.
//! - `stream` is null for failures; then `model_parameters.stream` tells.
//! - A cache hit carries the identifier of the first answer with a suffix.
//! - A failure logs zero tokens, which means unknown.
//! - Token counts are inclusive for every provider.
//! - Calls of `/v1/messages` are logged with an answer rewritten as a chat completion.
//! - Limits, budgets and guardrails of the gateway are failures that no provider made.
//! - The writer for Datadog cuts long `messages` and `response` to texts of Python; the writer for
//!   S3 may leave every `response` out.

mod call;
mod facts;
mod fast;
mod outcome;
mod request;
mod usage;

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::marks::BaselineMarks;
use super::reason::{FilterReason, RejectReason};

use facts::Facts;

pub(super) use call::{Call, Kind};
pub(super) use facts::{asked_model, without_cache_suffix};
pub(super) use outcome::Failed;
pub(super) use usage::{Counts, Parts, fill_consumption};

/// The format of LiteLLM's StandardLoggingPayload.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiteLlm;

impl LogFormat for LiteLlm {
    fn name(&self) -> &'static str {
        "litellm"
    }

    fn title(&self) -> &'static str {
        "LiteLLM StandardLoggingPayload"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |name| record.get(name).is_some();
            let is_payload = has("startTime")
                && has("endTime")
                && (has("call_type") || has("model_map_information") || has("hidden_params"));
            // The table of spend has a call type too, but names its cost and its answer's key.
            let is_spend = has("spend") && has("request_id");
            (is_payload && !is_spend) || is_audit(record)
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        vec![read(record, context)]
    }

    fn read_text(&self, text: &str, context: &ReadContext) -> Option<Reading> {
        fast::read(text, context)
    }
}

/// LiteLLM writes changes of its own tables into the same bucket.
pub(super) fn is_audit(record: &Value) -> bool {
    record.get("table_name").is_some() && record.get("changed_by").is_some()
}

fn read(record: &Value, context: &ReadContext) -> Reading {
    if is_audit(record) {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    if record.get("call_type").is_none() && record.get("startTime").is_none() {
        let detail = "neither `call_type` nor `startTime` is there: it is no payload of LiteLLM";
        return Reading::Reject(RejectReason::MissingField, detail.to_owned());
    }
    let call = match Kind::of(record) {
        Kind::Model(call) => call,
        Kind::BatchStatus => return Reading::Filtered(FilterReason::Aggregate),
        Kind::Management => return Reading::Filtered(FilterReason::NotLlm),
    };
    let facts = match Facts::of(record, context) {
        Ok(facts) => facts,
        Err((reason, detail)) => return Reading::Reject(reason, detail),
    };
    let mut row = facts.row(call);
    let request = request::fill(&mut row, record, call);
    let gateway_answer = outcome::fill(&mut row, record, call, facts.counts.is_some());
    facts.counts.fill(&mut row);
    let not_chat = call.is_no_chat() || (call == Call::PassThrough && row.operation != "chat");
    let marks = BaselineMarks { gateway_answer, not_chat, ..BaselineMarks::default() };
    facts.settle(&mut row, request.as_ref(), marks);
    Reading::Exchange(Box::new(row))
}
