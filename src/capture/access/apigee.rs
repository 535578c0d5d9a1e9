//! The log format `apigee`: exported analytics of Apigee, as CSV or lines of JSON.
//!
//! Field names are those of Apigee's analytics dimensions and metrics. What is easily got wrong:
//!
//! - Times are milliseconds since 1970 in some exports and texts in UTC in others.
//! - Durations are milliseconds. `total_response_time` is the whole call; without it the client's
//!   own timestamps give it.
//! - A call that a policy refused never reached a target: its target times are empty or zero.
//! - Token counts and the model are there only if a data collector wrote them, as columns `dc_…`.
//! - `client_ip`, headers and the developer's address are left alone.

use serde_json::{Map, Value};

use super::super::failure::{Failure, clip};
use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::Rejection;
use super::call::{HttpCall, Outcome};
use super::lookup::{Stamp, is_stated_absent, known, known_number, known_text, stamp};
use super::operator;
use super::purpose::fill_address;

/// The format of Apigee's exported analytics.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Apigee;

impl LogFormat for Apigee {
    fn name(&self) -> &'static str {
        "apigee"
    }

    fn title(&self) -> &'static str {
        "Apigee analytics export"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |name: &str| record.get(name).is_some();
            has("client_received_start_timestamp")
                && (has("apiproxy") || has("response_status_code"))
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        vec![match call(record, context) {
            Ok(call) => call.into_reading(record, context),
            Err((reason, detail)) => Reading::Reject(reason, detail),
        }]
    }
}

fn call(record: &Value, context: &ReadContext) -> Result<HttpCall, Rejection> {
    let at = |name: &str| stamp(record, &[name], context);
    let start = at("client_received_start_timestamp")?;
    let since_start = |end: Option<Stamp>| {
        let (start, end) = (start?.moment.us, end?.moment.us);
        Some((end - start) as f64 / 1_000.0).filter(|_| end >= start)
    };
    let end = at("client_sent_end_timestamp")?;
    let first_byte = at("client_sent_start_timestamp")?.or(at("target_received_start_timestamp")?);
    let mut call = HttpCall {
        request_id: known_text(record, &["gateway_flow_id", "x_apigee_message_id", "message_id"]),
        at: start,
        host: known_text(record, &["target_host"]),
        outcome: outcome(record),
        latency_ms: known_number(record, &["total_response_time"]).or_else(|| since_start(end)),
        ttfb_ms: since_start(first_byte),
        latency_scope: Some("gateway"),
        tenant: known_text(record, &["developer_app"]),
        ..HttpCall::default()
    };
    let addresses: &[&str] = &["request_path", "request_uri"];
    fill_address(&mut call, record, [&[], &["request_verb"], addresses]);
    operator::fill(&mut call, &collected(record));
    operator::fill(&mut call, record);
    Ok(call)
}

/// What data collectors wrote, by the names that the operator gave.
fn collected(record: &Value) -> Value {
    let members = record.as_object().into_iter().flatten();
    let collected = members.filter_map(|(name, value)| {
        Some((name.strip_prefix("dc_")?.to_ascii_lowercase(), value.clone()))
    });
    Value::Object(collected.collect::<Map<_, _>>())
}

fn outcome(record: &Value) -> Outcome {
    let status = known_number(record, &["response_status_code"]).map(|status| status as i32);
    let fault = known_text(record, &["x_apigee_fault_code", "fault_code", "ax_fault_code"]);
    let has_failed = known_number(record, &["is_error"]).is_some_and(|flag| flag > 0.0)
        || known(record, &["is_error"]).is_some_and(|flag| *flag == Value::Bool(true));
    let sent = &["target_sent_start_timestamp"];
    let never_asked =
        is_stated_absent(record, sent) || known_number(record, sent).is_some_and(|at| at <= 0.0);
    let failure = Failure {
        message: fault.as_deref().map(clip),
        names: fault.into_iter().collect(),
        ..Failure::default()
    };
    let failed = has_failed || status.is_some_and(|status| status >= 400);
    Outcome {
        status,
        failure: if failed { failure } else { Failure::default() },
        has_failed,
        by_gateway: never_asked && failed,
        client_left: status == Some(499),
        ..Outcome::default()
    }
}
