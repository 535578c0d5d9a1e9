//! The log format `cloudflare`: logs of Cloudflare's AI Gateway, from its API and from Logpush.
//!
//! Field meanings follow Cloudflare's API reference (`ai-gateway/gateways/{id}/logs`) and its page
//! on Logpush of AI Gateway. What is easily got wrong:
//!
//! - Logpush encrypts bodies and metadata: each is `{key, iv, data}`, which only the holder of the
//!   private key can open. Such rows keep their plain columns. A value without `key` is plain.
//! - Rows of Logpush may state no time and no duration; they are kept without.
//! - `duration` is milliseconds at the gateway. A time to the first token is not logged.
//! - `step` above zero is a later attempt of a request with fallbacks.
//! - A cost and tokens of zero mean unknown, unless the answer came from the cache.
//! - Status 424 is a block by data loss prevention, and `RateLimited` a limit of the gateway: both
//!   are answers of Cloudflare, not of the provider.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::ErrorClass;
use crate::dataset::{CapturedExchange, sha256_hex};

use super::body::{set_error, set_replayable};
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::kong::labels::{fill_labels, tags_of};
use super::kong::proxied::{Call, fill_gateway_usage, http_status, path_of, provider_name};
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::{NotReplayable, RejectReason};
use super::time::{fill_time, moment};
use super::value::{count, decoded, flag, nanousd, number, present, text};

/// What Cloudflare answers where data loss prevention blocks a request.
const BLOCKED: i32 = 424;

const TIME: &[&str] = &["created_at", "CreatedAt", "Datetime", "Timestamp"];

/// The format of Cloudflare's AI Gateway.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cloudflare;

impl LogFormat for Cloudflare {
    fn name(&self) -> &'static str {
        "cloudflare"
    }

    fn title(&self) -> &'static str {
        "Cloudflare AI Gateway, API and Logpush"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let all = |names: &[&str]| names.iter().all(|name| record.get(*name).is_some());
            let any = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
            let api = all(&["tokens_in", "tokens_out", "cached"])
                && any(&["step", "custom_cost", "model_type", "request_type"]);
            let pushed = all(&["Gateway", "Provider"])
                && any(&["RequestBody", "ResponseBody", "StatusCode"]);
            let sealed = ["RequestBody", "ResponseBody", "Metadata"]
                .iter()
                .filter(|name| record.get(**name).is_some_and(is_encrypted))
                .count();
            api || pushed || sealed >= 2
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        if !record.is_object() {
            return Reading::reject(RejectReason::NotAnObject, "a log is an object");
        }
        let mut row = identity(record);
        if let Some(time) = first_of(record, TIME) {
            let Some(time) = moment(time, context.utc_offset_s) else {
                let detail = "`created_at` is no point in time";
                return Reading::reject(RejectReason::BadField, detail);
            };
            fill_time(&mut row, time);
        } else if record.get("tokens_in").is_some() {
            return Reading::reject(RejectReason::MissingField, "`created_at` is not there");
        }
        fill(&mut row, record);
        Reading::row(row)
    }
}

/// The first of several names that is there, for values of any kind.
fn first_of<'r>(record: &'r Value, names: &[&str]) -> Option<&'r Value> {
    names.iter().find_map(|name| present(record, name))
}

fn identity(record: &Value) -> CapturedExchange {
    let mut row = CapturedExchange {
        request_id: text(record, &["id", "Id", "ID", "LogId"])
            .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(record.to_string()))),
        provider: text(record, &["provider", "Provider"]).and_then(|name| provider_name(&name)),
        request_model: text(record, &["model", "Model"]).unwrap_or_default(),
        status_code: first_of(record, &["status_code", "StatusCode"]).and_then(http_status),
        latency_ms: first_of(record, &["duration", "Duration"]).and_then(number),
        cache_hit: first_of(record, &["cached", "Cached"]).and_then(flag),
        time_resolution_ms: Some(1.0),
        ..CapturedExchange::default()
    };
    row.latency_scope = row.latency_ms.map(|_| "gateway".to_owned());
    let step = first_of(record, &["step", "Step"]).and_then(count).unwrap_or(0);
    row.attempt = i32::try_from(step.saturating_add(1)).unwrap_or(i32::MAX);
    let metadata = plain(record, &["metadata", "Metadata"]);
    if let Some(labels) = metadata.as_object() {
        fill_labels(&mut row, labels.iter().map(|(name, value)| (name.as_str(), value)));
    }
    let gateway = text(record, &["gateway", "Gateway"]);
    row.tenant = row.tenant.take().or(gateway);
    row
}

fn fill(row: &mut CapturedExchange, record: &Value) {
    let address = text(record, &["path", "Endpoint", "endpoint"]).unwrap_or_default();
    // The API states the path without its first slash.
    let address =
        if address.contains("://") { address } else { format!("/{}", address.trim_matches('/')) };
    let request = plain(record, &["request_body", "RequestBody", "request"]);
    let response = plain(record, &["response_body", "ResponseBody", "response"]);
    let call = Call { address: &address, request: &request, response: &response };
    let content = call.fill(row);
    let is_sealed = |names: &[&str]| first_of(record, names).is_some_and(is_encrypted);
    if is_sealed(&["request_body", "RequestBody"]) && !content.not_chat {
        set_replayable(row, Some(NotReplayable::Encrypted));
    }
    row.route =
        row.route.take().or_else(|| (address.len() > 1).then(|| path_of(&address).to_owned()));
    if row.stream.is_none() {
        let kind = text(record, &["response_content_type"]);
        row.stream = kind.map(|kind| kind.starts_with("text/event-stream"));
    }
    let tokens = |names: &[&str]| first_of(record, names).and_then(count);
    fill_gateway_usage(
        row,
        tokens(&["tokens_in", "TokensIn"]),
        tokens(&["tokens_out", "TokensOut"]),
    );
    let cost = first_of(record, &["cost", "Cost"]).and_then(nanousd);
    row.cost_nanousd = cost.filter(|cost| *cost > 0 || row.cache_hit == Some(true));
    let gateway_answer = own_answer(row, record);
    let success = first_of(record, &["success", "Success"]).and_then(flag);
    if row.error_class.is_none() && row.status_code.is_none() && success == Some(false) {
        set_error(row, ErrorClass::Unknown, None);
    }
    let marks = BaselineMarks {
        not_chat: content.not_chat,
        gateway_answer,
        health_check: names_a_probe(row.route.as_deref().unwrap_or_default())
            || tags_of(row).iter().any(|tag| names_a_probe(tag))
            || content.request.as_ref().is_some_and(is_probe),
        ..BaselineMarks::default()
    };
    settle_baseline(row, marks);
}

/// Classes what Cloudflare itself answered; says whether it did.
fn own_answer(row: &mut CapturedExchange, record: &Value) -> bool {
    let limited = first_of(record, &["RateLimited", "rate_limited"]).and_then(flag) == Some(true);
    if limited {
        row.status_code = row.status_code.or(Some(429));
        set_error(row, ErrorClass::RateLimitRequests, row.error_message.clone());
    } else if row.status_code == Some(BLOCKED) {
        set_error(row, ErrorClass::ContentBlocked, row.error_message.clone());
    } else {
        return false;
    }
    true
}

/// The first of several names as plain content: what is encrypted counts as not there.
fn plain<'r>(record: &'r Value, names: &[&str]) -> Cow<'r, Value> {
    match first_of(record, names) {
        None => Cow::Owned(Value::Null),
        Some(value) if is_encrypted(value) => Cow::Owned(Value::Null),
        Some(value) => match value.get("data").filter(|_| is_envelope(value)) {
            Some(data) => decoded(data),
            None => decoded(value),
        },
    }
}

fn is_encrypted(value: &Value) -> bool {
    ["key", "iv", "data"].iter().all(|name| value.get(*name).is_some_and(Value::is_string))
}

/// A value that Logpush could have encrypted, but did not.
fn is_envelope(value: &Value) -> bool {
    value.as_object().is_some_and(|members| {
        members.keys().all(|name| matches!(name.as_str(), "key" | "iv" | "data"))
    })
}
