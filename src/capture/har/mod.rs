//! The log format `har`: HTTP Archive 1.2, as browsers and debugging proxies export it.
//!
//! A record is one element of `log.entries` (HAR 1.2 specification; mitmproxy
//! `addons/savehar.py`). What is easily got wrong:
//!
//! - Bodies are texts, with `encoding: "base64"` where they are not; in that case they may still
//!   be compressed. The headers `content-encoding` say how the body was sent, not how it stands
//!   in the log.
//! - A browser drops the bodies of streamed and of evicted answers and leaves their size: the
//!   answer is unknown then, not empty.
//! - Status 0 is a request that failed or was cancelled. Proxies log no time for it.
//! - Times are milliseconds; -1 means that a phase did not apply. `time` is the whole call, `send`
//!   and `wait` together reach the first byte of the answer, and `ssl` lies within `connect`.
//! - Preflights, telemetry and web sockets stand among the calls.

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::reason::{FilterReason, RejectReason};
use super::time;
use super::value::{number, path, present};
use super::wire::{self, Answer, Exchange, Headers, Times, from_base64};

/// The format of HTTP Archives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Har;

impl LogFormat for Har {
    fn name(&self) -> &'static str {
        "har"
    }

    fn title(&self) -> &'static str {
        "HTTP Archive 1.2 of a browser or a debugging proxy"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            record.get("startedDateTime").is_some()
                && path(record, &["request", "url"]).is_some()
                && path(record, &["request", "method"]).is_some()
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        vec![
            read(record, context)
                .unwrap_or_else(|(reason, detail)| Reading::Reject(reason, detail)),
        ]
    }
}

fn read(record: &Value, context: &ReadContext) -> Result<Reading, (RejectReason, String)> {
    let is_socket = present(record, "_webSocketMessages").is_some()
        || record.get("_resourceType").is_some_and(|kind| kind == "websocket");
    if is_socket {
        return Ok(Reading::Filtered(FilterReason::NotLlm));
    }
    let request = present(record, "request").ok_or_else(|| missing("request"))?;
    let required = |name: &str| {
        let value = present(request, name).and_then(Value::as_str);
        value.ok_or_else(|| missing(&format!("request.{name}")))
    };
    let (method, url) = (required("method")?, required("url")?);
    let start = present(record, "startedDateTime").ok_or_else(|| missing("startedDateTime"))?;
    let start = time::moment(start, context.utc_offset_s).ok_or_else(|| {
        (RejectReason::BadField, "`startedDateTime` is no point in time".to_owned())
    })?;
    let (answer, fault) = answer(record)?;
    let (latency_ms, ttfb_ms) = durations(record, answer.is_some());
    let exchange = Exchange {
        record,
        method,
        url: url.to_owned(),
        request_headers: headers(request)
            .or_media_type(path(request, &["postData", "mimeType"]).and_then(Value::as_str)),
        request_body: present(request, "postData").and_then(body),
        answer,
        fault,
        log_id: None,
        times: Times {
            start,
            latency_ms,
            ttfb_ms,
            scope: "client",
            resolution_ms: resolution_ms(record),
        },
    };
    Ok(wire::read(&exchange))
}

fn missing(name: &str) -> (RejectReason, String) {
    (RejectReason::MissingField, format!("`{name}` is not there"))
}

fn headers(message: &Value) -> Headers {
    let list = message.get("headers").and_then(Value::as_array);
    let pairs = list
        .into_iter()
        .flatten()
        .filter_map(|header| Some((header.get("name")?.as_str()?, header.get("value")?.as_str()?)));
    Headers::of(pairs)
}

/// The body in `postData` or `content`.
fn body(holder: &Value) -> Option<Vec<u8>> {
    let text = present(holder, "text")?.as_str()?;
    let is_base64 = present(holder, "encoding").is_some_and(|encoding| encoding == "base64");
    // Some writers state the encoding of texts that they left as they are.
    let decoded = if is_base64 { from_base64(text) } else { None };
    Some(decoded.unwrap_or_else(|| text.as_bytes().to_vec()))
}

/// The answer, and what is said of a connection that failed; neither, if the request was still under
/// way.
fn answer(record: &Value) -> Result<(Option<Answer>, Option<String>), (RejectReason, String)> {
    let Some(response) = present(record, "response") else { return Ok((None, None)) };
    let status = match present(response, "status") {
        None => 0.0,
        Some(status) => number(status)
            .filter(|status| (0.0..1_000.0).contains(status) && status.fract() == 0.0)
            .ok_or((RejectReason::BadField, "`response.status` is no status".to_owned()))?,
    };
    let named = present(response, "_error").or_else(|| present(record, "_error"));
    let fault = named.and_then(Value::as_str).filter(|fault| !fault.is_empty());
    if status < 1.0 {
        return Ok((None, Some(fault.unwrap_or("no response").to_owned())));
    }
    let content = present(response, "content");
    let headers = headers(response)
        .or_media_type(content.and_then(|content| present(content, "mimeType")?.as_str()));
    let answer = Answer { status: status as i32, headers, body: content.and_then(body) };
    Ok((Some(answer), fault.map(str::to_owned)))
}

/// The whole duration and the time to the first byte.
///
/// Without an answer there is a duration only if somebody waited for one: proxies log what it took
/// to send the request.
fn durations(record: &Value, is_answered: bool) -> (Option<f64>, Option<f64>) {
    let phase = |name: &str| {
        let ms = path(record, &["timings", name]).and_then(number)?;
        (ms >= 0.0).then_some(ms)
    };
    let wait = phase("wait");
    if !is_answered && wait.is_none_or(|wait| wait <= 0.0) {
        return (None, None);
    }
    let phases = ["blocked", "dns", "connect", "send", "wait", "receive"];
    let sum = wait.map(|_| phases.iter().filter_map(|name| phase(name)).sum());
    let total = present(record, "time").and_then(number).filter(|ms| *ms > 0.0);
    let ttfb_ms = wait.filter(|_| is_answered).map(|wait| phase("send").unwrap_or(0.0) + wait);
    (total.or(sum.filter(|ms| *ms > 0.0)), ttfb_ms)
}

/// Whole milliseconds are what the writer could tell; browsers and mitmproxy log fractions.
fn resolution_ms(record: &Value) -> f64 {
    let is_whole =
        present(record, "time").and_then(number).is_none_or(|ms| ms.fract().abs() < f64::EPSILON);
    if is_whole { 1.0 } else { 0.001 }
}
