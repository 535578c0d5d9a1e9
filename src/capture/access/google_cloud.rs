//! The log format `google_cloud`: entries of Google Cloud Logging that tell of an HTTP request.
//!
//! Fields follow `google/logging/type/http_request.proto` and the request logs of API Gateway, of
//! load balancers and of Cloud Endpoints, which puts them under `jsonPayload`. What is easily got
//! wrong:
//!
//! - `httpRequest.latency` is a text in seconds (`"2.531s"`), sizes are texts too.
//! - Endpoints writes `request_latency_in_ms`, and leaves it out for streams.
//! - `insertId` names the entry. Entries without a request are other logs of the project.
//! - `requestUrl` may carry a key in its query.

use serde_json::Value;

use super::super::failure::{Failure, clip};
use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::super::reason::FilterReason;
use super::super::value::{flag, number, path, present};
use super::Rejection;
use super::call::{HttpCall, Outcome};
use super::lookup::{known, known_at, known_number, known_text, stamp};
use super::operator;

/// The format of Google Cloud's LogEntry.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct GoogleCloud;

impl LogFormat for GoogleCloud {
    fn name(&self) -> &'static str {
        "google_cloud"
    }

    fn title(&self) -> &'static str {
        "Google Cloud Logging: API Gateway, Endpoints, load balancers"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        let is_entry =
            |record: &Value| record.get("insertId").is_some() && record.get("logName").is_some();
        let requests = first_records.iter().filter(|record| is_request(record)).count();
        // One request among entries of other kinds is enough: exports mix them.
        let level = if requests > 0 { Confidence::CERTAIN } else { Confidence::POSSIBLE };
        Confidence::if_most(first_records, level, is_entry)
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        if !is_request(record) {
            return Reading::filtered(FilterReason::NotLlm);
        }
        vec![match call(record, context) {
            Ok(call) => call.into_reading(record, context),
            Err((reason, detail)) => Reading::Reject(reason, detail),
        }]
    }
}

fn is_request(record: &Value) -> bool {
    let payload = ["http_response_code", "http_method", "api_method"];
    present(record, "httpRequest").is_some_and(Value::is_object)
        || payload.iter().any(|name| path(record, &["jsonPayload", name]).is_some())
}

fn call(record: &Value, context: &ReadContext) -> Result<HttpCall, Rejection> {
    let request = record.get("httpRequest").unwrap_or(&Value::Null);
    let payload = record.get("jsonPayload").unwrap_or(&Value::Null);
    let latency_ms = known(request, &["latency"]).and_then(seconds).map(|s| s * 1_000.0);
    let mut call = HttpCall {
        request_id: known_text(record, &["insertId"]),
        at: stamp(record, &["timestamp"], context)?,
        method: known_text(request, &["requestMethod"])
            .or_else(|| known_text(payload, &["http_method"])),
        address: known_text(request, &["requestUrl"]).or_else(|| known_text(payload, &["url"])),
        outcome: outcome(request, payload),
        latency_ms: latency_ms.or_else(|| known_number(payload, &["request_latency_in_ms"])),
        latency_scope: Some("gateway"),
        cache_hit: known(request, &["cacheHit"]).and_then(flag),
        ..HttpCall::default()
    };
    operator::fill(&mut call, payload);
    operator::fill(&mut call, record.get("labels").unwrap_or(&Value::Null));
    Ok(call)
}

/// A protobuf duration: `"2.531s"`, or an object where the export did not fold it.
fn seconds(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.trim().strip_suffix('s')?.parse().ok(),
        Value::Object(_) => {
            let whole = known_at(value, &["seconds"]).and_then(number).unwrap_or(0.0);
            let nanos = known_at(value, &["nanos"]).and_then(number).unwrap_or(0.0);
            Some(whole + nanos / 1e9)
        }
        _ => None,
    }
    .filter(|seconds: &f64| seconds.is_finite())
}

fn outcome(request: &Value, payload: &Value) -> Outcome {
    let status = known_number(request, &["status"]);
    let status = status.or_else(|| known_number(payload, &["http_response_code"]));
    let status = status.map(|status| status as i32);
    let details = known_text(payload, &["statusDetails"]).unwrap_or_default();
    // What a load balancer says of a good answer is no failure.
    let is_failure = status.is_none_or(|status| !(200..400).contains(&status));
    let cause = known_text(payload, &["error_cause"]).filter(|_| is_failure);
    let message = cause.or_else(|| (is_failure && !details.is_empty()).then(|| details.clone()));
    Outcome {
        status,
        failure: Failure { message: message.map(|text| clip(&text)), ..Failure::default() },
        client_left: status == Some(499) || details.starts_with("client_disconnected"),
        is_cut: details == "backend_connection_closed_after_partial_response_sent",
        by_gateway: matches!(
            details.as_str(),
            "denied_by_security_policy"
                | "handled_by_identity_aware_proxy"
                | "failed_to_pick_backend"
        ),
        ..Outcome::default()
    }
}
