//! The records of a file to parts of traces.
//!
//! A record is an element of `resourceSpans`, `resourceLogs` or `resourceMetrics`, a whole export
//! request, or one span or log record as console exporters write it.

use serde_json::Value;

use crate::dataset::sha256_hex;

use super::super::format::{Part, Reading};
use super::super::reason::{FilterReason, RejectReason};
use super::super::value::{flag, number};
use super::any_value::{attributes, identifier, member};
use super::kind::Kind;
use super::slim::is_gen_ai_event;
use super::span::{Event, Item, START, Span};

const RESOURCE_SPANS: &[&str] = &["resourceSpans", "resource_spans"];
const RESOURCE_LOGS: &[&str] = &["resourceLogs", "resource_logs"];
const RESOURCE_METRICS: &[&str] = &["resourceMetrics", "resource_metrics"];
/// `instrumentationLibrarySpans` is the name of before 2022.
const SCOPE_SPANS: &[&str] = &["scopeSpans", "scope_spans", "instrumentationLibrarySpans"];
const SCOPE_LOGS: &[&str] = &["scopeLogs", "scope_logs", "instrumentationLibraryLogs"];
const SCOPE_METRICS: &[&str] = &["scopeMetrics", "scope_metrics"];

/// Whether a record has the members of OTLP.
pub(super) fn is_own(record: &Value) -> bool {
    let groups =
        [RESOURCE_SPANS, RESOURCE_LOGS, RESOURCE_METRICS, SCOPE_SPANS, SCOPE_LOGS, SCOPE_METRICS];
    groups.iter().any(|names| member(record, names).is_some_and(Value::is_array))
        || is_span(record)
        || is_log_record(record)
}

/// The readings of a record, at least one.
pub(super) fn read(record: &Value) -> Vec<Reading> {
    if !record.is_object() {
        return Reading::reject(RejectReason::NotAnObject, "a line that is no object");
    }
    let mut readings = Vec::new();
    let mut is_known = false;
    for (names, read) in [
        (RESOURCE_SPANS, resource_spans as fn(&Value, &mut Vec<Reading>)),
        (RESOURCE_LOGS, resource_logs),
    ] {
        for group in members(record, names) {
            read(group, &mut readings);
        }
    }
    for names in [RESOURCE_SPANS, RESOURCE_LOGS, SCOPE_SPANS, SCOPE_LOGS] {
        is_known |= member(record, names).is_some_and(Value::is_array);
    }
    resource_spans(record, &mut readings);
    resource_logs(record, &mut readings);
    if is_span(record) {
        readings.push(span_reading(record, Origin::of(record)));
    } else if is_log_record(record) {
        readings.push(event_reading(record));
    }
    if !readings.is_empty() {
        return readings;
    }
    let is_metrics = |names| member(record, names).is_some_and(Value::is_array);
    if is_metrics(RESOURCE_METRICS) || is_metrics(SCOPE_METRICS) {
        Reading::filtered(FilterReason::Aggregate)
    } else if is_known {
        Reading::filtered(FilterReason::NotLlm)
    } else {
        let detail = "none of `scopeSpans`, `scopeLogs` and `scopeMetrics` is there";
        Reading::reject(RejectReason::MissingField, detail)
    }
}

fn members<'v>(object: &'v Value, names: &[&str]) -> impl Iterator<Item = &'v Value> {
    member(object, names).and_then(Value::as_array).into_iter().flatten()
}

/// What the groups around a span say of it.
#[derive(Debug, Clone, Copy, Default)]
struct Origin<'v> {
    scope: &'v str,
    service: &'v str,
}

impl<'v> Origin<'v> {
    /// The origin that a single span states itself.
    fn of(span: &'v Value) -> Self {
        let scope = member(span, &["scope", "instrumentation_scope", "instrumentationScope"]);
        let scope = scope.and_then(|scope| member(scope, &["name"])).and_then(Value::as_str);
        let resource = member(span, &["resource"]).unwrap_or(&Value::Null);
        Origin { scope: scope.unwrap_or_default(), service: service(resource) }
    }
}

/// The resource's `service.name`, from a list of pairs or from an object.
fn service(resource: &Value) -> &str {
    let name = match resource.get("attributes") {
        Some(Value::Array(pairs)) => {
            let pair =
                pairs.iter().find(|pair| pair.get("key").is_some_and(|k| k == "service.name"));
            pair.and_then(|pair| member(pair.get("value")?, &["stringValue", "string_value"]))
        }
        Some(object) => object.get("service.name"),
        None => None,
    };
    name.and_then(Value::as_str).unwrap_or_default()
}

fn resource_spans(group: &Value, readings: &mut Vec<Reading>) {
    let service = group.get("resource").map(service).unwrap_or_default();
    for scoped in members(group, SCOPE_SPANS) {
        let scope = member(scoped, &["scope", "instrumentationLibrary"]);
        let scope = scope.and_then(|scope| scope.get("name")).and_then(Value::as_str);
        let origin = Origin { scope: scope.unwrap_or_default(), service };
        for span in members(scoped, &["spans"]) {
            readings.push(span_reading(span, origin));
        }
    }
}

fn resource_logs(group: &Value, readings: &mut Vec<Reading>) {
    for scoped in members(group, SCOPE_LOGS) {
        for record in members(scoped, &["logRecords", "log_records", "logs"]) {
            readings.push(event_reading(record));
        }
    }
}

fn is_span(record: &Value) -> bool {
    let context = member(record, &["context", "spanContext"]).unwrap_or(record);
    let has = |object: &Value, names: &[&str]| member(object, names).is_some_and(Value::is_string);
    let is_otlp = has(record, &["spanId", "span_id"])
        && member(record, &["startTimeUnixNano", "start_time_unix_nano"]).is_some();
    // The SDKs' own objects: Python's console exporter, JavaScript's.
    let is_sdk = member(record, START).is_some()
        && record.get("attributes").is_some_and(Value::is_object)
        && member(record, &["context", "spanContext", "instrumentationScope"]).is_some()
        && (has(context, &["span_id", "spanId"]) || has(record, &["id"]));
    has(context, &["traceId", "trace_id"]) && (is_otlp || is_sdk)
}

fn is_log_record(record: &Value) -> bool {
    let times = ["timeUnixNano", "observedTimeUnixNano", "time_unix_nano", "observed_timestamp"];
    let severity = ["severityNumber", "severity_number", "eventName", "event_name"];
    member(record, &times).is_some()
        && member(record, &severity).is_some()
        && member(record, &["traceId", "trace_id"]).is_some()
}

fn span_reading(span: &Value, origin: Origin<'_>) -> Reading {
    let read = Span::read(span, origin.scope, origin.service);
    let is_call = read.kind != Kind::Other;
    if is_call && read.start_ns.is_none() {
        let (reason, detail) = match member(span, START) {
            Some(_) => (RejectReason::BadField, "`startTimeUnixNano` is no point in time"),
            None => (RejectReason::MissingField, "`startTimeUnixNano` is not there"),
        };
        return Reading::Reject(reason, detail.to_owned());
    }
    // A root that says nothing of its calls is on nobody's way to the root.
    if !is_call && (read.trace.is_empty() || read.parent.is_empty() && read.attributes.is_empty()) {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    let trace = read.trace.clone();
    let item = if is_call {
        Item::Span(Box::new(read))
    } else {
        Item::Around { id: read.id, parent: read.parent, attributes: read.attributes }
    };
    part(&trace, &item, span)
}

fn event_reading(record: &Value) -> Reading {
    let stated = member(record, &["eventName", "event_name"]).and_then(Value::as_str);
    // Before `eventName` there was an attribute for the name.
    let named = || {
        let list = attributes(record.get("attributes")?);
        list.get("event.name")?.as_str().map(str::to_owned)
    };
    let name = stated.map(str::to_owned).or_else(named).unwrap_or_default();
    if !is_gen_ai_event(&name) {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    let trace = identifier(member(record, &["traceId", "trace_id"]), 16);
    let sampled = match member(record, &["flags", "trace_flags"]) {
        Some(Value::Bool(sampled)) => Some(*sampled),
        Some(flags) => number(flags).map(|flags| flags as i64 & 1 == 1),
        None => None,
    };
    let item = Item::Event {
        span: identifier(member(record, &["spanId", "span_id"]), 8),
        sampled: sampled.or_else(|| record.get("sampled").and_then(flag)),
        event: Box::new(Event::read(record, &name)),
    };
    part(&trace, &item, record)
}

/// A part of its trace; without a trace it is one of its own.
fn part(trace: &str, item: &Item, record: &Value) -> Reading {
    let key = match trace {
        "" => format!("row-{:.16}", sha256_hex(record.to_string())),
        trace => trace.to_owned(),
    };
    match serde_json::to_value(item) {
        Ok(record) => Reading::Part(Part { key, record }),
        Err(_) => {
            Reading::Reject(RejectReason::BadField, "a span that cannot be carried".to_owned())
        }
    }
}
