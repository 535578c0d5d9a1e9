//! The log format `aws_api_gateway`: access logs of Amazon API Gateway, as JSON.
//!
//! Operators write the template themselves, from variables documented under "Variables for access
//! logging for API Gateway"; the usual names for them are known here. What is easily got wrong:
//!
//! - Every value is put in as text, so numbers are quoted and `-` stands for unknown.
//! - `requestTimeEpoch` is milliseconds, `requestTime` the same moment to the second.
//! - `responseLatency` is the whole call, `integrationLatency` that of the service behind; both are
//!   milliseconds.
//! - Times, model and tokens of the service are not known to the gateway. A call that it refused
//!   itself (throttled, unauthorised) has no integration status.
//! - `identity.apiKey` is a secret and is never read; `identity.apiKeyId` is its public name.

use serde_json::Value;

use super::super::failure::{Failure, clip};
use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::super::value::present;
use super::Rejection;
use super::call::{HttpCall, Outcome};
use super::lookup::{is_stated_absent, known, known_at, known_number, known_text, stamp};
use super::operator;
use super::purpose::fill_address;

const TIMES: &[&str] = &["requestTimeEpoch", "request_time_epoch", "requestTime", "request_time"];
const LATENCY: &[&str] = &["responseLatency", "response_latency"];
const INTEGRATION_LATENCY: &[&str] =
    &["integrationLatency", "integration_latency", "integration.latency"];
const INTEGRATION_STATUS: &[&str] =
    &["integrationStatus", "integration_status", "integration.status"];

/// The format of Amazon API Gateway's access logs.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct AwsApiGateway;

impl LogFormat for AwsApiGateway {
    fn name(&self) -> &'static str {
        "aws_api_gateway"
    }

    fn title(&self) -> &'static str {
        "Amazon API Gateway access logs"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
            has(&["requestId", "request_id", "extendedRequestId"])
                && (has(&["requestTimeEpoch", "request_time_epoch"])
                    || (has(&["requestTime", "request_time"])
                        && (has(LATENCY) || has(INTEGRATION_LATENCY) || has(&["routeKey"]))))
                && has(&["httpMethod", "http_method", "routeKey", "resourcePath", "path"])
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
    let total = known_number(record, LATENCY);
    let behind = known_number(record, INTEGRATION_LATENCY);
    let mut call = HttpCall {
        request_id: known_text(record, &["requestId", "request_id", "extendedRequestId"]),
        at: stamp(record, TIMES, context)?,
        outcome: outcome(record),
        latency_ms: total.or(behind),
        latency_scope: Some(if total.is_none() && behind.is_some() {
            "upstream"
        } else {
            "gateway"
        }),
        user_id: identity(record, &["principalId", "authorizer.principalId"], "principalId"),
        tenant: identity(record, &["apiKeyId", "identity.apiKeyId", "api_key_id"], "apiKeyId"),
        ..HttpCall::default()
    };
    fill_address(
        &mut call,
        record,
        [
            &["routeKey", "route_key"],
            &["httpMethod", "http_method", "method"],
            &["path", "requestPath", "resourcePath", "resource_path"],
        ],
    );
    operator::fill(&mut call, record);
    Ok(call)
}

/// Who called, flat or within `identity` or `authorizer`.
fn identity(record: &Value, names: &[&str], member: &str) -> Option<String> {
    let nested = || {
        let holders = ["identity", "authorizer"];
        let value = holders.iter().find_map(|holder| known_at(record, &[holder, member]))?;
        value.as_str().map(str::to_owned)
    };
    known_text(record, names).or_else(nested)
}

fn outcome(record: &Value) -> Outcome {
    let error = present(record, "error").filter(|error| error.is_object());
    let message = error.and_then(|error| known_text(error, &["message"]));
    let message = message.or_else(|| {
        known_text(record, &["errorMessage", "error.message", "error_message", "error"])
    });
    let kind = error.and_then(|error| known_text(error, &["responseType"]));
    let kind = kind.or_else(|| {
        known_text(record, &["errorResponseType", "error.responseType", "responseType"])
    });
    let status = known_number(record, &["status", "statusCode"]).map(|status| status as i32);
    let never_asked = is_stated_absent(record, INTEGRATION_STATUS)
        || (is_stated_absent(record, INTEGRATION_LATENCY) && known(record, LATENCY).is_some());
    let failure = Failure {
        message: message.or_else(|| kind.clone()).map(|message| clip(&message)),
        names: kind.into_iter().collect(),
        ..Failure::default()
    };
    Outcome {
        status,
        failure,
        by_gateway: never_asked && status.is_some_and(|status| status >= 400),
        ..Outcome::default()
    }
}
