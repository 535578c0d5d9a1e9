//! The log format `mitmproxy`: flows as `mitmdump -w` saves them.
//!
//! A record is the dictionary of one flow (mitmproxy `io/io.py`, `flow.py`, `http.py`; versions 7
//! to 21 of the format have these members alike). What is easily got wrong:
//!
//! - Times are seconds since 1970 as floats. `response.timestamp_start` is the first byte of the
//!   headers.
//! - Bodies are as they were sent, compressed by `content-encoding`; null is a body that was
//!   streamed through and not kept, an empty one was empty.
//! - Headers are pairs of bytes.
//! - A flow with an `error` may have an answer too, which then broke off. What the client did not
//!   wait for has none.
//! - The host is that of the connection; behind a transparent proxy it is an address, and the
//!   header `host` has the name.

#[cfg(test)]
mod tests;

use serde_json::Value;

use super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::reason::{FilterReason, RejectReason};
use super::time;
use super::value::{flag, number, path, present, text};
use super::wire::{self, Answer, Exchange, Headers, Times, bytes_of};

/// What mitmproxy's floats can tell apart in our century, in milliseconds.
const RESOLUTION_MS: f64 = 0.001;

/// The format of mitmproxy's flow files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mitmproxy;

impl LogFormat for Mitmproxy {
    fn name(&self) -> &'static str {
        "mitmproxy"
    }

    fn title(&self) -> &'static str {
        "mitmproxy flow file"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            ["type", "client_conn", "server_conn"].iter().all(|name| record.get(name).is_some())
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        vec![read(record).unwrap_or_else(|(reason, detail)| Reading::Reject(reason, detail))]
    }
}

fn read(record: &Value) -> Result<Reading, (RejectReason, String)> {
    let is_http = present(record, "type").is_none_or(|kind| kind == "http");
    if !is_http || present(record, "websocket").is_some() {
        return Ok(Reading::Filtered(FilterReason::NotLlm));
    }
    let request = present(record, "request").ok_or_else(|| missing("request"))?;
    let method = present(request, "method").and_then(Value::as_str);
    let method = method.ok_or_else(|| missing("request.method"))?;
    let began =
        present(request, "timestamp_start").ok_or_else(|| missing("request.timestamp_start"))?;
    let start = time::moment(began, None).ok_or_else(|| {
        (RejectReason::BadField, "`request.timestamp_start` is no point in time".to_owned())
    })?;
    let request_headers = headers(request);
    let is_replayed = present(record, "is_replay").or_else(|| present(request, "is_replay"));
    if is_replayed.is_some_and(|which| which == "request" || flag(which) == Some(true)) {
        return Ok(Reading::Filtered(FilterReason::Wrapper));
    }
    let (latency_ms, ttfb_ms) = durations(record, request);
    let exchange = Exchange {
        record,
        method,
        url: url(request, &request_headers)?,
        request_headers,
        request_body: body(request),
        answer: answer(record)?,
        fault: path(record, &["error", "msg"]).and_then(Value::as_str).map(str::to_owned),
        log_id: text(record, &["id"]),
        times: Times { start, latency_ms, ttfb_ms, scope: "gateway", resolution_ms: RESOLUTION_MS },
    };
    let mut reading = wire::read(&exchange);
    if let (Reading::Exchange(row), Some(which)) = (&mut reading, is_replayed)
        && which == "response"
    {
        wire::answered_from_cache(row);
    }
    Ok(reading)
}

fn missing(name: &str) -> (RejectReason, String) {
    (RejectReason::MissingField, format!("`{name}` is not there"))
}

/// Pairs of bytes; a header that is no UTF-8 is none that is needed.
fn headers(message: &Value) -> Headers {
    let list = message.get("headers").and_then(Value::as_array);
    let pairs = list
        .into_iter()
        .flatten()
        .filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)));
    Headers::of(pairs)
}

fn body(message: &Value) -> Option<Vec<u8>> {
    present(message, "content").and_then(bytes_of).map(std::borrow::Cow::into_owned)
}

fn url(request: &Value, headers: &Headers) -> Result<String, (RejectReason, String)> {
    let part = |name: &str| present(request, name).and_then(Value::as_str);
    let target = part("path").ok_or_else(|| missing("request.path"))?;
    let host = part("host").filter(|host| !host.is_empty());
    let is_address = host.is_none_or(|host| host.parse::<std::net::IpAddr>().is_ok());
    let host = headers.get("host").filter(|_| is_address).or(host).unwrap_or_default();
    Ok(format!("{}://{host}{target}", part("scheme").unwrap_or("http")))
}

fn answer(record: &Value) -> Result<Option<Answer>, (RejectReason, String)> {
    let Some(response) = present(record, "response") else { return Ok(None) };
    let status = present(response, "status_code")
        .or_else(|| present(response, "code"))
        .ok_or_else(|| missing("response.status_code"))?;
    let status = number(status)
        .filter(|status| (100.0..1_000.0).contains(status) && status.fract() == 0.0)
        .ok_or((RejectReason::BadField, "`response.status_code` is no status".to_owned()))?;
    let (headers, body) = (headers(response), body(response));
    Ok(Some(Answer { status: status as i32, headers, body }))
}

/// The whole duration and the time to the first byte, from the request's first byte on.
///
/// What broke off ended when the error came.
fn durations(record: &Value, request: &Value) -> (Option<f64>, Option<f64>) {
    let seconds = |names: &[&str]| path(record, names).and_then(number);
    let Some(start) = present(request, "timestamp_start").and_then(number) else {
        return (None, None);
    };
    // Seconds since 1970 as floats tell microseconds and nothing smaller.
    let since_start = |end: f64| ((end - start) * 1e6).round() / 1e3;
    let end = seconds(&["response", "timestamp_end"]).or_else(|| seconds(&["error", "timestamp"]));
    let first_byte = seconds(&["response", "timestamp_start"]);
    (end.map(since_start), first_byte.map(since_start))
}
