//! The log format `litellm_batch`: one line for each item of a batch job, as LiteLLM writes them to
//! `batch_line_items/…/part-00000.jsonl` of a bucket (`integrations/batch_line_item_objects.py`).
//!
//! An item has request and response of the batch's own files, the gateway's cost and counts, and
//! no time but the answer's own. Rows of audit logs, which share the bucket, are filtered.

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::dataset::CapturedExchange;

use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::litellm::{Counts, Parts, asked_model, is_audit};
use super::openai_batch::Item;
use super::reason::{FilterReason, RejectReason};
use super::value::{count, decoded, nanousd, path, present, text};

/// The format of LiteLLM's items of batch jobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiteLlmBatch;

impl LogFormat for LiteLlmBatch {
    fn name(&self) -> &'static str {
        "litellm_batch"
    }

    fn title(&self) -> &'static str {
        "LiteLLM items of batch jobs"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |name| record.get(name).is_some();
            has("batch_id") && has("custom_id") && has("response_cost")
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        if is_audit(record) {
            return Reading::filtered(FilterReason::NotLlm);
        }
        let Some(custom_id) = text(record, &["custom_id"]) else {
            return Reading::reject(RejectReason::MissingField, "`custom_id` is not there");
        };
        Reading::row(row(record, &custom_id))
    }
}

fn row(record: &Value, custom_id: &str) -> CapturedExchange {
    let side = |name: &str| present(record, name).map(decoded);
    let (request, response) = (side("request"), side("response"));
    let provider = text(record, &["custom_llm_provider"]);
    let batch_id = text(record, &["batch_id"]);
    let item = Item {
        // Two batches may use the same identifier.
        request_id: batch_id.map_or_else(|| custom_id.to_owned(), |id| format!("{id}:{custom_id}")),
        url: request.as_deref().and_then(|request| request.get("url")?.as_str()),
        body: request.as_deref().map(|request| present(request, "body").unwrap_or(request)),
        status_code: response.as_deref().and_then(|response| present(response, "status_code")),
        answer: response.as_deref().map(|response| present(response, "body").unwrap_or(response)),
        error: present(record, "error").or(response.as_deref().and_then(|r| present(r, "error"))),
        failed: text(record, &["status"]).is_some_and(|status| is_failure(&status)),
    };
    let mut row = item.row();
    row.tenant = path(record, &["metadata", "user_api_key_team_alias"]).and_then(as_text);
    row.cost_nanousd = present(record, "response_cost").and_then(nanousd);
    row.provider = provider.or(row.provider);
    if let Some(model) = text(record, &["model"]).filter(|_| row.request_model.is_empty()) {
        row.request_model = asked_model(None, Some(&model), row.provider.as_deref());
    }
    let tokens = |name: &str| path(record, &["usage", name]).and_then(count);
    let counts = Counts {
        input: tokens("prompt_tokens"),
        output: tokens("completion_tokens"),
        own: item.answer.and_then(|answer| present(answer, "usage")).map(Parts::of),
        kept: [present(record, "usage").map(Parts::of), None],
    };
    if counts.is_some() {
        counts.fill(&mut row);
    }
    row
}

fn as_text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn is_failure(status: &str) -> bool {
    matches!(status, "failed" | "failure" | "error" | "errored" | "expired" | "cancelled")
}
