//! The log format `goreplay`: requests and responses as GoReplay captures them from the network.
//!
//! A record is one message (GoReplay `protocol.go`, `input_raw.go`): `type` 1 is a request, 2 its
//! original response (only with `--input-raw-track-response`), 3 the response to a replay. What
//! is easily got wrong:
//!
//! - `timing_ns` is when the message began, `latency_ns` how long the message itself was on its
//!   way; the time to the first byte lies between the end of the one and the beginning of the
//!   other, and neither field is a response time.
//! - Request and response share an identifier and nothing else; they stand apart in the file.
//! - Bodies are as they were on the line: in chunks, compressed, and cut where packets were lost.
//! - Where packets came out of order, the end of a response is a record of its own, under another
//!   identifier and without status.
//! - A request without response is no failure: nothing is known of its outcome.

mod message;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::format::{Confidence, LogFormat, Part, ReadContext, Reading};
use super::frame::tnetstring::bytes_value;
use super::reason::{FilterReason, RejectReason};
use super::time::Moment;
use super::value::{path, present};
use super::wire::{self, Answer, Exchange, Headers, Times, bytes_of};

use message::{Message, Start};

/// libpcap stamps packets to the microsecond.
const RESOLUTION_MS: f64 = 0.001;

/// The format of GoReplay's capture files.
#[derive(Debug, Clone, Copy)]
pub(super) struct GoReplay;

impl LogFormat for GoReplay {
    fn name(&self) -> &'static str {
        "goreplay"
    }

    fn title(&self) -> &'static str {
        "GoReplay capture file"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let is_kind = |kind: &Value| ["1", "2", "3"].iter().any(|own| kind == own);
            record.get("type").is_some_and(is_kind)
                && record.get("timing_ns").is_some()
                && record.get("message").is_some()
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        vec![read(record).unwrap_or_else(|(reason, detail)| Reading::Reject(reason, detail))]
    }

    fn join(&self, parts: &[Value], _: &ReadContext) -> Vec<(usize, Reading)> {
        join(parts)
    }
}

fn read(record: &Value) -> Result<Reading, (RejectReason, String)> {
    let required = |name: &str| {
        let missing = || (RejectReason::MissingField, format!("`{name}` is not there"));
        present(record, name).ok_or_else(missing)
    };
    let bad = |name: &str| (RejectReason::BadField, format!("`{name}` has no value of its kind"));
    let kind = required("type")?.as_str().ok_or_else(|| bad("type"))?;
    if kind == "3" {
        return Ok(Reading::Filtered(FilterReason::Wrapper));
    }
    let key = required("id")?.as_str().ok_or_else(|| bad("id"))?.to_owned();
    let timing_ns = required("timing_ns")?.as_i64().ok_or_else(|| bad("timing_ns"))?;
    if timing_ns <= 0 {
        return Err(bad("timing_ns"));
    }
    let bytes = bytes_of(required("message")?).ok_or_else(|| bad("message"))?;
    if kind == "2" && !bytes.starts_with(b"HTTP/") {
        return remainder(&bytes);
    }
    let message = match kind {
        "1" => Message::request(&bytes),
        "2" => Message::response(&bytes),
        _ => return Err(bad("type")),
    };
    let message = message.map_err(|flaw| (RejectReason::BadField, flaw))?;
    Ok(Reading::Part(Part { key, record: part(record, timing_ns, &message) }))
}

/// The later part of a response, which GoReplay saves apart where it loses track of the packets.
///
/// The mark of the last chunk tells nothing; anything else is content without its status.
fn remainder(bytes: &[u8]) -> Result<Reading, (RejectReason, String)> {
    if bytes.trim_ascii() == b"0" {
        return Ok(Reading::Filtered(FilterReason::NotLlm));
    }
    let detail = "`message` is a response whose beginning was not captured".to_owned();
    Err((RejectReason::BadField, detail))
}

/// What is needed of a message: no header that may be a secret, no chunks.
fn part(record: &Value, timing_ns: i64, message: &Message) -> Value {
    let mut part = json!({
        "timing_ns": timing_ns,
        "latency_ns": present(record, "latency_ns").and_then(Value::as_i64),
        "headers": message.header_pairs(),
        "body": bytes_value(&message.body),
    });
    match &message.start {
        Start::Request { method, target } => {
            part["method"] = Value::from(method.as_str());
            part["target"] = Value::from(target.as_str());
        }
        Start::Response { status } => part["status"] = Value::from(*status),
    }
    part
}

/// Pairs the messages of one identifier: a response answers the request before it in time.
fn join(parts: &[Value]) -> Vec<(usize, Reading)> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let part = |at: usize| parts.get(at).unwrap_or(&Value::Null);
    let is_response = |at: usize| part(at).get("status").is_some();
    order.sort_by_key(|at| (timing_ns(part(*at)), is_response(*at), *at));
    let mut readings = Vec::new();
    let mut open: Option<usize> = None;
    for at in order {
        if !is_response(at) {
            if let Some(request) = open.replace(at) {
                readings.push((request, exchange(part(request), None)));
            }
        } else if let Some(request) = open.take() {
            readings.push((request, exchange(part(request), Some(part(at)))));
        } else {
            readings.push((at, orphan(part(at))));
        }
    }
    if let Some(request) = open {
        readings.push((request, exchange(part(request), None)));
    }
    readings
}

/// A response whose request was not captured; it matters only if it is a model's.
fn orphan(response: &Value) -> Reading {
    if wire::is_answer(body(response).as_deref(), &headers(response)) {
        let detail = "no request has the `id` of this response".to_owned();
        Reading::Reject(RejectReason::MissingField, detail)
    } else {
        Reading::Filtered(FilterReason::NotLlm)
    }
}

fn exchange(request: &Value, response: Option<&Value>) -> Reading {
    let request_headers = headers(request);
    let target = request.get("target").and_then(Value::as_str).unwrap_or_default();
    let url = match request_headers.get("host") {
        Some(host) if target.starts_with('/') => format!("http://{host}{target}"),
        _ => target.to_owned(),
    };
    let (latency_ms, ttfb_ms) =
        response.map_or((None, None), |response| durations(request, response));
    let answer = response.map(|response| Answer {
        status: path(response, &["status"]).and_then(Value::as_i64).unwrap_or_default() as i32,
        headers: headers(response),
        body: body(response),
    });
    wire::read(&Exchange {
        record: request,
        method: request.get("method").and_then(Value::as_str).unwrap_or_default(),
        url,
        request_headers,
        request_body: body(request),
        answer,
        fault: None,
        log_id: None,
        times: Times {
            start: Moment { us: timing_ns(request) / 1_000, basis: "epoch" },
            latency_ms,
            ttfb_ms,
            scope: "gateway",
            resolution_ms: RESOLUTION_MS,
        },
    })
}

fn timing_ns(part: &Value) -> i64 {
    part.get("timing_ns").and_then(Value::as_i64).unwrap_or_default()
}

/// How long a message was on its way; a message of one packet took no time, as old files say
/// nothing of it.
fn on_its_way_ns(part: &Value) -> i64 {
    part.get("latency_ns").and_then(Value::as_i64).unwrap_or_default().max(0)
}

/// The whole duration and the time to the first byte; in whole nanoseconds until the end, as a
/// float of nanoseconds since 1970 has lost the last digits.
fn durations(request: &Value, response: &Value) -> (Option<f64>, Option<f64>) {
    let sent = timing_ns(request).saturating_add(on_its_way_ns(request));
    let end = timing_ns(response).saturating_add(on_its_way_ns(response));
    let ms = |ns: i64| ns as f64 / 1e6;
    let latency_ms = ms(end.saturating_sub(timing_ns(request)));
    let ttfb_ms = ms(timing_ns(response).saturating_sub(sent));
    // Old files do not say when the response ended: what they tell is when it began.
    let is_whole = response.get("latency_ns").is_some_and(Value::is_i64);
    (is_whole.then_some(latency_ms), Some(ttfb_ms))
}

fn headers(part: &Value) -> Headers {
    let pairs = part.get("headers").and_then(Value::as_array);
    let pairs = pairs.into_iter().flatten();
    Headers::of(pairs.filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?))))
}

fn body(part: &Value) -> Option<Vec<u8>> {
    present(part, "body").and_then(bytes_of).map(std::borrow::Cow::into_owned)
}
