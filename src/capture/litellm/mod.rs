//! The log format `litellm`: LiteLLM's StandardLoggingPayload, one per attempt.
//!
//! Field meanings follow `litellm/types/utils.py` (class `StandardLoggingPayload`). What is easily
//! got wrong:
//!
//! - `response_time` is the time to the first token for streams; the latency is always
//!   `endTime - startTime`.
//! - `stream` is null for failures; then `model_parameters.stream` tells.
//! - A cache hit carries the identifier of the first answer with a suffix.
//! - A failure logs zero tokens, which means unknown.
//! - Token counts are inclusive for every provider.
//! - Calls of `/v1/messages` are logged with an answer rewritten as a chat completion.

mod call;
mod request;
mod usage;

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::chat::{ChatRequest, ErrorClass};
use crate::dataset::CapturedExchange;

use super::body::{fill_response, set_error, set_failure};
use super::failure::{Failure, clip};
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::{FilterReason, RejectReason};
use super::time;
use super::value::{flag, nanousd, number, path, present, text};

use call::Call;

/// The format of LiteLLM's StandardLoggingPayload.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiteLlm;

impl LogFormat for LiteLlm {
    fn name(&self) -> &'static str {
        "litellm"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |name| record.get(name).is_some();
            has("startTime")
                && has("endTime")
                && (has("call_type") || has("model_map_information") || has("hidden_params"))
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Reading {
        if record.get("table_name").is_some() && record.get("changed_by").is_some() {
            return Reading::Filtered(FilterReason::NotChat);
        }
        let Some(call) = Call::of(record) else {
            return Reading::Filtered(FilterReason::NotChat);
        };
        let Some(captured_at) = present(record, "startTime").and_then(time::parse) else {
            let reason = if present(record, "startTime").is_some() {
                RejectReason::BadField
            } else {
                RejectReason::MissingField
            };
            return Reading::Reject(reason, "`startTime` is no point in time".to_owned());
        };
        let Some(request_id) = request_id(record) else {
            let detail = "neither `litellm_call_id` nor `id` is there".to_owned();
            return Reading::Reject(RejectReason::MissingField, detail);
        };
        let mut row = identity(record, call, captured_at, request_id);
        let request = request::fill(&mut row, record, call);
        fill_outcome(&mut row, record, call);
        usage::fill(&mut row, record);
        fill_times(&mut row, record);
        settle_baseline(&mut row, baseline_marks(record, request.as_ref(), captured_at));
        Reading::Exchange(Box::new(row))
    }
}

/// The call's identifier; a cache hit's is that of the first answer with a suffix.
fn request_id(record: &Value) -> Option<String> {
    let id = text(record, &["litellm_call_id", "id"])?;
    let is_suffix = |rest: &str| rest.chars().all(|char| char.is_ascii_digit() || char == '.');
    match id.rsplit_once("_cache_hit") {
        Some((id, rest)) if !id.is_empty() && is_suffix(rest) => Some(id.to_owned()),
        _ => Some(id),
    }
}

fn identity(record: &Value, call: Call, captured_at: i64, request_id: String) -> CapturedExchange {
    let metadata = |names: &[&str]| {
        let value = path(record.get("metadata")?, names)?;
        value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    };
    CapturedExchange {
        request_id,
        session_id: text(record, &["session_id", "trace_id"]),
        user_id: text(record, &["end_user"]),
        captured_at,
        provider: text(record, &["custom_llm_provider"]),
        operation: call.operation().to_owned(),
        route: metadata(&["requester_metadata", "route"])
            .or_else(|| metadata(&["user_api_key_request_route"])),
        tenant: metadata(&["user_api_key_team_alias"])
            .or_else(|| metadata(&["user_api_key_team_id"]))
            .or_else(|| metadata(&["requester_metadata", "tenant"])),
        tags: tags(record),
        request_model: request::model(record),
        stream: Some(is_stream(record)),
        cost_nanousd: present(record, "response_cost").and_then(nanousd),
        cache_hit: present(record, "cache_hit").and_then(flag),
        attempt: 1,
        ..CapturedExchange::default()
    }
}

/// A failed stream is logged as null at the top; its parameters still say that it was one.
fn is_stream(record: &Value) -> bool {
    let logged = record.get("stream").and_then(Value::as_bool);
    let asked = path(record, &["model_parameters", "stream"]).and_then(Value::as_bool);
    logged == Some(true) || asked == Some(true)
}

fn tag_list(record: &Value) -> impl Iterator<Item = &str> {
    let list = record.get("request_tags").and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    // LiteLLM adds the client's software as tags of its own.
    texts.filter(|tag| !tag.starts_with("User-Agent:"))
}

fn tags(record: &Value) -> Option<String> {
    let tags: Vec<&str> = tag_list(record).collect();
    if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
}

fn fill_outcome(row: &mut CapturedExchange, record: &Value, call: Call) {
    let response = record.get("response").unwrap_or(&Value::Null);
    // A client that hung up is logged as a success with an error code; the answer is complete.
    let succeeded = match record.get("status").and_then(Value::as_str) {
        Some(status) => status == "success",
        None => record.get("error_str").is_none_or(Value::is_null),
    };
    if succeeded {
        row.status_code = Some(200);
        fill_response(row, call.dialect(), response);
        return;
    }
    let information = record.get("error_information").unwrap_or(&Value::Null);
    let mut failure = Failure::from_error(information);
    if failure.message.is_none() {
        failure.message = text(record, &["error_str"]).map(|message| clip(&message));
    }
    row.status_code = present(information, "error_code")
        .and_then(number)
        .filter(|code| (100.0..600.0).contains(code))
        .map(|code| code as i32);
    let tokens = ["prompt_tokens", "completion_tokens"];
    let has_tokens = tokens
        .iter()
        .any(|name| record.get(*name).and_then(number).is_some_and(|tokens| tokens > 0.0));
    if row.status_code.is_none() && has_tokens {
        // Tokens without a status: the answer had begun when the stream broke.
        set_error(row, ErrorClass::StreamTruncated, failure.message);
    } else {
        failure.status = row.status_code;
        set_failure(row, failure);
    }
}

fn fill_times(row: &mut CapturedExchange, record: &Value) {
    let since_start = |name: &str| {
        let at = present(record, name).and_then(time::parse)?;
        Some((at - row.captured_at) as f64 / 1_000.0)
    };
    let latency_ms = since_start("endTime");
    // For an answer in one piece LiteLLM logs the end as the first token's time.
    let ttft_ms = since_start("completionStartTime")
        .filter(|ttft_ms| row.stream == Some(true) && latency_ms != Some(*ttft_ms));
    row.latency_ms = latency_ms;
    row.ttft_ms = ttft_ms;
}

fn baseline_marks(
    record: &Value,
    request: Option<&ChatRequest>,
    captured_at: i64,
) -> BaselineMarks {
    let metadata = |name: &str| path(record, &["metadata", name]);
    let labels = ["user_api_key_request_route", "user_api_key_alias"];
    let named = labels.iter().filter_map(|name| metadata(name)?.as_str());
    let retries =
        path(record, &["hidden_params", "additional_headers", "x-litellm-attempted-retries"]);
    let end = present(record, "endTime").and_then(time::parse);
    BaselineMarks {
        silent_experiment: metadata("is_silent_experiment").and_then(flag) == Some(true),
        health_check: tag_list(record).chain(named).any(names_a_probe)
            || request.is_some_and(is_probe),
        retried: retries.and_then(number).is_some_and(|retries| retries > 0.0),
        no_end: end.is_none_or(|end| end < captured_at),
    }
}
