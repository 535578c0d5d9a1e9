//! The log format `nginx`: access logs of NGINX, lines of `combined` or JSON of a `log_format`.
//!
//! Names are those of NGINX's variables (`ngx_http_log_module`, `ngx_http_upstream_module`), which
//! operators mostly keep as names of members. What is easily got wrong:
//!
//! - Every time (`$msec`, `$time_iso8601`, `$time_local`) is taken when the line is written, at the
//!   end of the request: the start is that less `$request_time`. `$msec` is exact to the
//!   millisecond, the others to the second.
//! - All durations are seconds.
//! - `$upstream_…` variables are lists (`0.120, 2.301 : 0.010`) if several upstreams were asked;
//!   their last item is that of the answer. A call with more than one was retried.
//! - `$upstream_header_time` starts when the upstream is asked, so earlier attempts go before it.
//! - Status 499 is NGINX's own for a client that went away, 000 for nothing sent. An upstream that
//!   broke off in the middle of an answer leaves no trace: the status stays 200.
//! - `$request_body` is empty if the body did not fit into memory, and is escaped as `\xHH` without
//!   `escape=json`.
//! - `combined` without a time of the request has no latency; its row's time is that of the end.

mod line;

use std::borrow::Cow;

use serde_json::Value;

use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::call::{HttpCall, Outcome};
use super::lookup::{is_known, is_stated_absent, known, known_number, known_text, stamp};
use super::purpose::fill_address;
use super::{Rejection, not_an_access_log_line, operator};

const TIMES: &[&str] =
    &["msec", "time_msec", "time_iso8601", "time_local", "@timestamp", "timestamp", "time", "ts"];
const REQUEST_TIME: &[&str] = &["request_time", "rt"];
const UPSTREAM_TIME: &[&str] = &["upstream_response_time", "urt"];
const HEADER_TIME: &[&str] = &["upstream_header_time", "uht"];
const UPSTREAM: &[&str] =
    &["upstream_addr", "upstream_status", "upstream_response_time", "upstream_header_time"];

/// The format of NGINX's access logs.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Nginx;

impl LogFormat for Nginx {
    fn name(&self) -> &'static str {
        "nginx"
    }

    fn title(&self) -> &'static str {
        "NGINX access logs, combined or JSON"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| match record {
            Value::String(line) => line::record(line).is_some(),
            record => {
                let has = |names: &[&str]| names.iter().any(|name| record.get(*name).is_some());
                let own = ["body_bytes_sent", "time_iso8601", "time_local", "msec"];
                let is_timed = has(&["request_time"]) && !has(&["requestTime", "httpMethod"]);
                (is_timed && (has(UPSTREAM) || has(&own)))
                    || (has(UPSTREAM) && has(&["time_iso8601", "time_local", "msec"]))
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
            let record = line::record(text).or_else(|| line::json_record(text));
            Cow::Owned(record.ok_or_else(not_an_access_log_line)?)
        }
        record => Cow::Borrowed(record),
    };
    Ok(call(&record, context)?.into_reading(&record, context))
}

fn call(record: &Value, context: &ReadContext) -> Result<HttpCall, Rejection> {
    let upstream = Attempts::of(known(record, UPSTREAM_TIME));
    let total_ms = known_number(record, REQUEST_TIME).map(|s| s * 1_000.0);
    let cache_hit = cache_hit(record);
    let mut call = HttpCall {
        request_id: known_text(record, &["request_id", "http_x_request_id"]),
        at: stamp(record, TIMES, context)?,
        at_end: true,
        host: known_text(record, &["proxy_host", "upstream_host", "host", "http_host"]),
        outcome: outcome(record, cache_hit),
        latency_ms: total_ms.or_else(|| upstream.sum_ms()),
        ttfb_ms: ttfb_ms(record, &upstream),
        latency_scope: Some(match total_ms {
            None if upstream.sum_ms().is_some() => "upstream",
            _ => "gateway",
        }),
        retries: retries(record),
        cache_hit,
        request_body: known(record, &["request_body", "req_body", "body"]).cloned(),
        response_body: known(record, &["response_body", "resp_body"]).cloned(),
        content_type: known_text(
            record,
            &["sent_http_content_type", "upstream_http_content_type", "content_type"],
        ),
        user_id: known_text(record, &["remote_user"]),
        ..HttpCall::default()
    };
    let addresses: &[&str] = &["request_uri", "uri", "url", "path"];
    fill_address(&mut call, record, [&["request"], &["request_method", "method"], addresses]);
    operator::fill(&mut call, record);
    Ok(call)
}

/// A list of one item per upstream that was asked; an unknown item is none.
struct Attempts(Vec<Option<f64>>);

impl Attempts {
    fn of(value: Option<&Value>) -> Self {
        let seconds = |item: &str| item.trim().parse().ok().filter(|s: &f64| s.is_finite());
        match value {
            Some(Value::String(text)) => Attempts(items(text).map(seconds).collect()),
            Some(Value::Number(number)) => Attempts(vec![number.as_f64()]),
            _ => Attempts(Vec::new()),
        }
    }

    /// All attempts together, if all are known.
    fn sum_ms(&self) -> Option<f64> {
        let sum = self.0.iter().copied().sum::<Option<f64>>();
        sum.filter(|_| !self.0.is_empty()).map(|s| s * 1_000.0)
    }
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    // Addresses hold colons too; only one between spaces parts two groups of upstreams.
    list.split(',').flat_map(|group| group.split(" : "))
}

/// Until the headers of the answer, with the attempts before it.
fn ttfb_ms(record: &Value, upstream: &Attempts) -> Option<f64> {
    let Attempts(headers) = Attempts::of(known(record, HEADER_TIME));
    let (last, earlier) = headers.split_last()?;
    let before = match upstream.0.get(..earlier.len()) {
        Some(before) => before.iter().copied().sum::<Option<f64>>()?,
        None => return None,
    };
    last.map(|last| (before + last) * 1_000.0)
}

fn retries(record: &Value) -> usize {
    let counts = UPSTREAM.iter().filter_map(|name| {
        record.get(*name).filter(|value| is_known(value))?.as_str().map(|list| items(list).count())
    });
    counts.max().unwrap_or(1).saturating_sub(1)
}

fn cache_hit(record: &Value) -> Option<bool> {
    let status = known_text(record, &["upstream_cache_status"])?;
    match status.to_ascii_uppercase().as_str() {
        "HIT" | "STALE" | "UPDATING" | "REVALIDATED" => Some(true),
        "MISS" | "BYPASS" | "EXPIRED" => Some(false),
        _ => None,
    }
}

fn outcome(record: &Value, cache_hit: Option<bool>) -> Outcome {
    let status = known_number(record, &["status"]).map(|status| status as i32);
    Outcome {
        status,
        client_left: status == Some(499),
        by_gateway: is_stated_absent(record, UPSTREAM) && cache_hit != Some(true),
        ..Outcome::default()
    }
}
