//! The log format `portkey`: Portkey's log export, its log-store objects and its metric rows.
//!
//! Field meanings follow Portkey's documentation (`product/observability/logs-export`, with the
//! sample files of logs and metrics). What is easily got wrong:
//!
//! - The export's field names come in two sets: `ai_org`, `req_units`, `response_status_code` and
//!   `ai_provider`, `request_tokens`, `status_code`. An export holds only the requested fields.
//! - `cost` is in dollars where `cost_currency` says `USD`; other parts of Portkey count in cents.
//!   A cost without currency, or one beyond any price list, is not read, which the row's flaws say.
//! - The attempts of a fallback are logs of their own with the same `trace_id`. It becomes the
//!   session where the caller's metadata names none, so that they are found to belong together.
//! - `response_time`, `responseTime` and `ttlt` (to the last token) are milliseconds at the gateway;
//!   a time to the first token is not logged.
//! - Metadata of metric rows is two parallel lists, `key` and `value`.
//! - The headers of log-store objects hold cookies and addresses. Nothing of them is read but
//!   Portkey's own marks of cache and retries.

mod fields;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::ErrorClass;
use crate::dataset::{CapturedExchange, sha256_hex};

use super::body::set_error;
use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::kong::labels::{add_tags, fill_labels, tags_of};
use super::kong::proxied::{Call, fill_gateway_usage, http_status, path_of, provider_name};
use super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::reason::RejectReason;
use super::time::{fill_time, moment};
use super::value::{count, decoded, flag, number, path, present, text};

use fields::{Cost, cache_hit, cost, labels, retries};

/// Portkey answers so where one of its guardrails denies a request.
const GUARDRAIL_DENIED: i32 = 446;

/// The format of Portkey's logs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portkey;

impl LogFormat for Portkey {
    fn name(&self) -> &'static str {
        "portkey"
    }

    fn title(&self) -> &'static str {
        "Portkey log export, log store and metrics"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |name: &str| record.get(name).is_some();
            let any = |names: &[&str]| names.iter().any(|name| has(name));
            let is_store = path(record, &["request", "portkeyHeaders"]).is_some()
                || path(record, &["response", "lastUsedOptionJsonPath"]).is_some();
            let figures =
                ["req_units", "request_tokens", "response_status_code", "response_time", "ttlt"];
            is_store || (any(&["ai_org", "ai_provider"]) && has("ai_model") && any(&figures))
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        if !record.is_object() {
            return Reading::reject(RejectReason::NotAnObject, "a log is an object");
        }
        let Some(created_at) = present(record, "created_at") else {
            return Reading::reject(RejectReason::MissingField, "`created_at` is not there");
        };
        let Some(created_at) = moment(created_at, context.utc_offset_s) else {
            return Reading::reject(RejectReason::BadField, "`created_at` is no point in time");
        };
        let log = Log::of(record);
        let mut row = log.identity();
        fill_time(&mut row, created_at);
        log.fill(&mut row);
        Reading::row(row)
    }
}

/// A log of any of the three shapes.
struct Log<'r> {
    record: &'r Value,
    /// The request as a log-store object wraps it, or the body itself.
    request: Cow<'r, Value>,
    response: Cow<'r, Value>,
}

impl<'r> Log<'r> {
    fn of(record: &'r Value) -> Self {
        let side = |name: &str| match record.get(name) {
            Some(value) => decoded(value),
            None => Cow::Owned(Value::Null),
        };
        Log { record, request: side("request"), response: side("response") }
    }

    /// A body, whether it is wrapped or not.
    fn body(side: &Value) -> &Value {
        const WRAPPER: [&str; 4] = ["headers", "status", "url", "portkeyHeaders"];
        let is_wrapped = WRAPPER.iter().any(|name| side.get(*name).is_some());
        match side.get("body") {
            Some(body) => body,
            None if is_wrapped => &Value::Null,
            None => side,
        }
    }

    fn identity(&self) -> CapturedExchange {
        let record = self.record;
        let id = text(record, &["id", "_id"])
            .or_else(|| text(record.get("_id")?, &["$oid"]))
            .unwrap_or_else(|| format!("row-{:.16}", sha256_hex(record.to_string())));
        let provider = text(record, &["ai_org", "ai_provider"]);
        let mut row = CapturedExchange {
            request_id: id,
            provider: provider.and_then(|name| provider_name(&name)),
            stream: present(record, "stream_mode").and_then(flag),
            status_code: ["response_status_code", "status_code"]
                .iter()
                .find_map(|name| present(record, name))
                .or_else(|| present(&self.response, "status"))
                .and_then(http_status),
            latency_ms: self.latency_ms(),
            latency_scope: self.latency_ms().map(|_| "gateway".to_owned()),
            time_resolution_ms: Some(1.0),
            cache_hit: cache_hit(record, &self.response),
            ..CapturedExchange::default()
        };
        let labels = labels(record);
        fill_labels(&mut row, labels.iter().map(|(name, value)| (name.as_str(), value)));
        row.session_id = row.session_id.take().or_else(|| text(record, &["trace_id"]));
        row.tenant = row.tenant.take().or_else(|| text(record, &["workspace_slug"]));
        let prompt = text(record, &["prompt_slug"]);
        add_tags(&mut row, prompt.map(|slug| format!("prompt:{slug}")).into_iter().collect());
        row
    }

    /// The whole call. Metric rows know the last token's time, which is no time of the headers.
    fn latency_ms(&self) -> Option<f64> {
        let positive = |value: &Value| number(value).filter(|ms| *ms > 0.0);
        let last_token = present(self.record, "ttlt").and_then(positive);
        let whole = present(self.record, "response_time").and_then(number);
        let stored = present(&self.response, "responseTime").and_then(number);
        last_token.or(whole).or(stored)
    }

    fn fill(&self, row: &mut CapturedExchange) {
        let url = text(self.record, &["request_url"]).or_else(|| text(&self.request, &["url"]));
        let url = url.unwrap_or_default();
        let model = text(self.record, &["ai_model"]);
        let call = Call {
            address: &url,
            request: Log::body(&self.request),
            response: Log::body(&self.response),
        };
        let content = call.fill(row);
        if row.request_model.is_empty() {
            row.request_model = model.clone().unwrap_or_default();
        }
        row.response_model = row.response_model.take().or(model);
        row.route =
            row.route.take().or_else(|| (!url.is_empty()).then(|| path_of(&url).to_owned()));
        let tokens = |names: &[&str]| {
            names.iter().find_map(|name| present(self.record, name).and_then(count))
        };
        let input = tokens(&["req_units", "request_tokens"]);
        fill_gateway_usage(row, input, tokens(&["res_units", "response_tokens"]));
        match cost(self.record, row) {
            Cost::Stated(nanousd) => row.cost_nanousd = Some(nanousd),
            Cost::Doubtful(flaw) => row.flaws.push(flaw.to_owned()),
            Cost::Absent => {}
        }
        let denied = row.status_code == Some(GUARDRAIL_DENIED);
        if denied {
            set_error(row, ErrorClass::ContentBlocked, row.error_message.clone());
        } else if row.error_class.is_none() && self.failed_without_status(row) {
            set_error(row, ErrorClass::Unknown, None);
        }
        let retries = retries(self.record, &self.response);
        row.attempt = i32::try_from(retries.saturating_add(1)).unwrap_or(1);
        let marks = BaselineMarks {
            not_chat: content.not_chat,
            gateway_answer: denied,
            retried: retries > 0,
            health_check: names_a_probe(row.route.as_deref().unwrap_or_default())
                || tags_of(row).iter().any(|tag| names_a_probe(tag))
                || content.request.as_ref().is_some_and(is_probe),
            ..BaselineMarks::default()
        };
        settle_baseline(row, marks);
    }

    fn failed_without_status(&self, row: &CapturedExchange) -> bool {
        let success = present(self.record, "is_success").and_then(flag);
        row.status_code.is_none() && success == Some(false)
    }
}
