//! The log format `litellm_spend_logs`: rows of LiteLLM's table `LiteLLM_SpendLogs`.
//!
//! They come as JSON (of `/spend/logs`, or of a dump) or as a CSV of Postgres, in which every value
//! is a text and the columns of type jsonb are texts of JSON. Column meanings follow
//! `litellm/proxy/schema.prisma` and `proxy/spend_tracking/spend_tracking_utils.py`. What is easily
//! got wrong:
//!
//! - Times have no zone and are UTC.
//! - The request is in `proxy_server_request`, as the client sent it, and only if the proxy stores
//!   prompts; `messages` is `{}` except for realtime calls.
//! - Texts of more than 2048 characters are cut in the middle.
//! - `cache_hit` is a text of Python, `"None"` among them.
//! - A request is one row, whatever attempts it took: its times include them.
//! - `spend` and the token counts of a failure are zero, which means unknown for the tokens.

mod request;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::ChatRequest;
use crate::dataset::CapturedExchange;

use super::body::fill_response;
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::litellm::{
    Call, Counts, Failed, Kind, Parts, asked_model, is_audit, without_cache_suffix,
};
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::{FilterReason, RejectReason};
use super::time::{Moment, fill_time, moment};
use super::value::{decoded, flag, is_blank, nanousd, number, path, present, text};

/// The format of LiteLLM's table of spend.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiteLlmSpendLogs;

impl LogFormat for LiteLlmSpendLogs {
    fn name(&self) -> &'static str {
        "litellm_spend_logs"
    }

    fn title(&self) -> &'static str {
        "LiteLLM table LiteLLM_SpendLogs, JSON or CSV"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |name| record.get(name).is_some();
            has("spend")
                && has("request_id")
                && has("call_type")
                && (has("api_key") || has("proxy_server_request"))
                && record.get("startTime").is_some_and(Value::is_string)
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        vec![match read(record) {
            Ok(reading) => reading,
            Err((reason, detail)) => Reading::Reject(reason, detail),
        }]
    }
}

/// The row's columns of type jsonb.
struct Columns<'r> {
    metadata: Cow<'r, Value>,
    response: Cow<'r, Value>,
    tags: Cow<'r, Value>,
}

fn read(record: &Value) -> Result<Reading, (RejectReason, String)> {
    // Without dates `/spend/logs` sums up the spend of each day.
    if is_audit(record) || (record.get("request_id").is_none() && record.get("users").is_some()) {
        return Ok(Reading::Filtered(FilterReason::Aggregate));
    }
    let call = match Kind::of(record) {
        Kind::Model(call) => call,
        Kind::BatchStatus => return Ok(Reading::Filtered(FilterReason::Aggregate)),
        Kind::Management => return Ok(Reading::Filtered(FilterReason::NotLlm)),
    };
    let json = |name: &str| record.get(name).map_or(Cow::Owned(Value::Null), decoded);
    let columns = Columns {
        metadata: json("metadata"),
        response: json("response"),
        tags: json("request_tags"),
    };
    let times = Times::of(record)?;
    let id = text(record, &["litellm_call_id", "request_id"]).ok_or_else(|| {
        let detail = "neither `litellm_call_id` nor `request_id` is there".to_owned();
        (RejectReason::MissingField, detail)
    })?;
    let mut row = identity(record, &columns, call, without_cache_suffix(&id));
    fill_time(&mut row, times.start);
    let request = request::fill(&mut row, record, call);
    times.fill(&mut row);
    let counts = counts(record, &columns);
    let gateway_answer = fill_outcome(&mut row, record, &columns, call, counts.is_some());
    counts.fill(&mut row);
    let marks = marks(&columns, request.as_ref());
    let not_chat = call.is_no_chat() || (call == Call::PassThrough && row.operation != "chat");
    settle_baseline(&mut row, BaselineMarks { gateway_answer, not_chat, ..marks });
    Ok(Reading::Exchange(Box::new(row)))
}

fn identity(record: &Value, columns: &Columns<'_>, call: Call, id: &str) -> CapturedExchange {
    let metadata = |name: &str| text(&columns.metadata, &[name]);
    let column = |name: &str| text(record, &[name]).filter(|text| text != "None");
    let count = |name: &str| {
        let number = present(&columns.metadata, name).and_then(number);
        number.unwrap_or(0.0).max(0.0)
    };
    let provider = column("custom_llm_provider");
    let attempts = 1.0 + count("attempted_retries") + count("attempted_fallbacks");
    CapturedExchange {
        request_id: id.to_owned(),
        session_id: column("session_id"),
        user_id: column("end_user").or_else(|| column("user")),
        operation: call.operation().to_owned(),
        route: metadata("user_api_key_request_route"),
        tenant: metadata("user_api_key_team_alias").or_else(|| column("team_id")),
        tags: tags(&columns.tags),
        request_model: asked_model(
            column("model_group").or_else(|| metadata("original_model_group")).as_deref(),
            column("model").as_deref(),
            provider.as_deref(),
        ),
        provider,
        cost_nanousd: present(record, "spend").and_then(nanousd),
        cache_hit: present(record, "cache_hit").and_then(flag),
        attempt: attempts as i32,
        latency_scope: Some("gateway".to_owned()),
        time_resolution_ms: Some(1.0),
        ..CapturedExchange::default()
    }
}

fn own_tags(tags: &Value) -> impl Iterator<Item = &str> {
    let texts = tags.as_array().into_iter().flatten().filter_map(Value::as_str);
    // LiteLLM adds the client's software as tags of its own.
    texts.filter(|tag| !tag.starts_with("User-Agent:"))
}

fn tags(tags: &Value) -> Option<String> {
    let tags: Vec<&str> = own_tags(tags).collect();
    if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
}

/// The times of a row.
struct Times {
    start: Moment,
    end_us: Option<i64>,
    first_token_us: Option<i64>,
    duration_ms: Option<f64>,
}

impl Times {
    fn of(record: &Value) -> Result<Self, (RejectReason, String)> {
        let start = present(record, "startTime").filter(|start| !is_blank(start));
        let start = start
            .ok_or_else(|| (RejectReason::MissingField, "`startTime` is not there".to_owned()))?;
        // The column is UTC whatever zone the user states.
        let start = moment(start, None).ok_or_else(|| {
            (RejectReason::BadField, "`startTime` is no point in time".to_owned())
        })?;
        let at = |name: &str| Some(moment(present(record, name)?, None)?.us);
        Ok(Times {
            start,
            end_us: at("endTime"),
            first_token_us: at("completionStartTime"),
            duration_ms: present(record, "request_duration_ms").and_then(number),
        })
    }

    /// Fills the durations; the end stands for the first token of an answer in one piece, so that
    /// another first token shows a stream where the request does not.
    fn fill(&self, row: &mut CapturedExchange) {
        let since_start = |at_us: i64| (at_us - self.start.us) as f64 / 1_000.0;
        row.latency_ms = self.duration_ms.or(self.end_us.map(since_start));
        let first = self.first_token_us.filter(|first| Some(*first) != self.end_us);
        if first.is_some() && row.stream.is_none() {
            row.stream = Some(true);
        }
        row.ttft_ms = first.filter(|_| row.stream == Some(true)).map(since_start);
    }
}

fn counts(record: &Value, columns: &Columns<'_>) -> Counts {
    let own = present(&columns.response, "usage").filter(|usage| !is_blank(usage));
    let kept = |name: &str| path(&columns.metadata, &[name]).map(Parts::of);
    Counts {
        own: own.map(Parts::of),
        kept: [kept("usage_object"), kept("additional_usage_values")],
        ..Counts::of(record)
    }
}

fn fill_outcome(
    row: &mut CapturedExchange,
    record: &Value,
    columns: &Columns<'_>,
    call: Call,
    has_tokens: bool,
) -> bool {
    let information = path(&columns.metadata, &["error_information"]).unwrap_or(&Value::Null);
    let status = text(record, &["status"]).or_else(|| text(&columns.metadata, &["status"]));
    let failed = match status.as_deref() {
        Some(status) => status == "failure",
        None => text(information, &["error_message", "error_class"]).is_some(),
    };
    if !failed {
        row.status_code = Some(200);
        if !call.is_no_chat() {
            let dialect = row.dialect.as_deref().and_then(|dialect| dialect.parse().ok());
            fill_response(row, dialect.or(call.dialect()), &columns.response);
        }
        return false;
    }
    let guardrail_status = path(&columns.metadata, &["status_fields", "guardrail_status"]);
    Failed {
        information,
        error_str: None,
        guardrail_status: guardrail_status.and_then(Value::as_str),
        has_tokens,
    }
    .fill(row, call)
}

fn marks(columns: &Columns<'_>, request: Option<&ChatRequest>) -> BaselineMarks {
    let metadata = &columns.metadata;
    let more_than_none =
        |name: &str| present(metadata, name).and_then(number).is_some_and(|count| count > 0.0);
    let named = ["user_api_key_request_route", "user_api_key_alias"];
    let named = named.iter().filter_map(|name| metadata.get(*name)?.as_str());
    BaselineMarks {
        silent_experiment: present(metadata, "is_silent_experiment").and_then(flag) == Some(true),
        health_check: own_tags(&columns.tags).chain(named).any(names_a_probe)
            || request.is_some_and(is_probe),
        retried: more_than_none("attempted_retries") || more_than_none("attempted_fallbacks"),
        ..BaselineMarks::default()
    }
}
