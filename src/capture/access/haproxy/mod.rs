//! The log format `haproxy`: HTTP logs of HAProxy, lines of `option httplog` or JSON.
//!
//! Fields follow HAProxy's `doc/configuration.txt`, section 8 (HTTP log format, timing events,
//! termination states); JSON is expected to name members by the aliases of that format or by what
//! they are. What is easily got wrong:
//!
//! - Timers are milliseconds and `-1` is a phase that was not reached. `Ta` is the whole call;
//!   `TR+Tw+Tc+Tr` the time to the headers of the answer, no timer is that of a first token.
//! - A `+` before `Ta` means that the line was written before the end (`logasap`).
//! - The date is that of the first byte of the request, in local time without a zone.
//! - A date to the second beside the milliseconds of the moment of logging: the latter less `Ta` is
//!   the start, exactly, if both agree.
//! - The termination state tells a broken answer that the status (200) does not.
//! - The converter `json(utf8s)` leaves out characters beyond the basic plane, such as emoji, so a
//!   logged body may have lost some without a trace.
//! - Captured headers stand in braces without names, and may be secrets: no column has one unless a
//!   mapping asks for it, as `request_captures.0`.

mod line;
mod termination;

use std::borrow::Cow;

use serde_json::Value;

use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::super::value::number;
use super::call::HttpCall;
use super::lookup::{Stamp, known, known_number, known_text, stamp};
use super::purpose::fill_address;
use super::{Rejection, not_an_access_log_line, operator};

/// Names of the date of the request's first byte.
const STARTS: &[&str] = &[
    "accept_date",
    "request_date",
    "date_time",
    "tr",
    "trg",
    "trl",
    "start_time",
    "@timestamp",
    "timestamp",
    "time",
    "date",
];
/// Names of the moment of logging, which `%[date(0,ms)]` gives.
const LOGGED: &[&str] = &["ts_ms", "date_ms", "logged_at_ms"];
const TOTAL: &[&str] = &["Ta", "Tt"];
const TIMERS: [&[&str]; 4] = [&["TR", "Tq"], &["Tw"], &["Tc"], &["Tr"]];

/// The format of HAProxy's HTTP logs.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct HaProxy;

impl LogFormat for HaProxy {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn title(&self) -> &'static str {
        "HAProxy HTTP logs, text or JSON"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| match record {
            Value::String(line) => line::record(line).is_some(),
            record => {
                let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
                has(TOTAL) && has(&["Tr"]) && has(&["Tc"])
            }
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        vec![match read(record, context) {
            Ok(reading) => reading,
            Err((reason, detail)) => Reading::Reject(reason, detail),
        }]
    }
}

fn read(record: &Value, context: &ReadContext) -> Result<Reading, Rejection> {
    let record = match record {
        Value::String(text) => {
            let record = line::record(text).or_else(|| json_record(text));
            Cow::Owned(record.ok_or_else(not_an_access_log_line)?)
        }
        record => Cow::Borrowed(record),
    };
    Ok(call(&record, context)?.into_reading(&record, context))
}

/// A line of JSON behind a syslog prefix.
fn json_record(line: &str) -> Option<Value> {
    let json = line.get(line.find('{')?..)?;
    serde_json::from_str(json.trim_end()).ok().filter(Value::is_object)
}

fn call(record: &Value, context: &ReadContext) -> Result<HttpCall, Rejection> {
    let latency_ms = known(record, TOTAL).filter(|value| !is_partial(value)).and_then(timer);
    let (at, at_end) = start(record, latency_ms, context)?;
    let mut call = HttpCall {
        request_id: known_text(record, &["unique_id", "ID", "request_id"]),
        at,
        at_end,
        outcome: termination::outcome(record),
        latency_ms,
        ttfb_ms: TIMERS.iter().map(|names| known(record, names).and_then(timer)).sum(),
        latency_scope: Some("gateway"),
        retries: retries(record),
        request_body: known(record, &["request_body", "req_body", "body"]).cloned(),
        content_type: known_text(record, &["response_content_type"]),
        ..HttpCall::default()
    };
    let methods: &[&str] = &["method", "http_method", "HM"];
    let addresses: &[&str] = &["uri", "HU", "url", "path", "HP", "HPO", "request_uri"];
    fill_address(&mut call, record, [&["request", "http_request", "r"], methods, addresses]);
    operator::fill(&mut call, record);
    Ok(call)
}

/// A phase that was reached, in milliseconds.
fn timer(value: &Value) -> Option<f64> {
    number(value).filter(|ms| *ms >= 0.0)
}

fn is_partial(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with('+'))
}

/// When the call began, and whether the time is that of its end.
fn start(
    record: &Value,
    latency_ms: Option<f64>,
    context: &ReadContext,
) -> Result<(Option<Stamp>, bool), Rejection> {
    let date = stamp(record, STARTS, context)?;
    let logged = stamp(record, LOGGED, context)?;
    let Some(date) = date else { return Ok((logged, true)) };
    if let (Some(logged), Some(latency_ms)) = (logged, latency_ms)
        && date.resolution_ms > logged.resolution_ms
    {
        let start_us = logged.moment.us.saturating_sub((latency_ms * 1_000.0).round() as i64);
        let second = |us: i64| us.div_euclid(1_000_000);
        if second(start_us) == second(date.moment.us) {
            return Ok((Some(logged), true));
        }
    }
    Ok((Some(date), false))
}

/// A `+` before the count means that the request went to another server.
fn retries(record: &Value) -> usize {
    let count = known_number(record, &["retries", "rc"]).unwrap_or(0.0);
    count.clamp(0.0, 1e6) as usize
}
