//! A span and an event as they are carried to the join of their trace.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::value::{as_text, is_blank};
use super::any_value::{attributes, identifier, member, nanoseconds};
use super::kind::Kind;
use super::slim;

/// One part of a trace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Item {
    /// A call of a model.
    Span(Box<Span>),
    /// A span that is none, of which only its place and whose it is are of use.
    Around {
        /// Its identifier.
        id: String,
        /// That of the span around it.
        parent: String,
        /// Whose the calls inside it are.
        attributes: Map<String, Value>,
    },
    /// A log record that belongs to a span.
    Event {
        /// The identifier of its span, empty if it has none.
        span: String,
        /// Whether the span was recorded; unset if the log record does not say.
        sampled: Option<bool>,
        /// What the record says.
        event: Box<Event>,
    },
}

/// What is kept of a span.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Span {
    pub(super) kind: Kind,
    /// Lower-case hexadecimal digits; empty if there is none.
    pub(super) trace: String,
    pub(super) id: String,
    pub(super) parent: String,
    /// The name of the instrumentation.
    pub(super) scope: String,
    /// The resource's `service.name`.
    pub(super) service: String,
    /// Nanoseconds since 1970.
    pub(super) start_ns: Option<i64>,
    pub(super) end_ns: Option<i64>,
    /// When the first chunk of a stream came.
    pub(super) first_chunk_ns: Option<i64>,
    pub(super) attributes: Map<String, Value>,
    pub(super) events: Vec<Event>,
    /// Whether its status is an error.
    pub(super) failed: bool,
    pub(super) message: Option<String>,
    /// Whether the SDK dropped attributes.
    pub(super) dropped: bool,
    /// Whether the SDK dropped events.
    pub(super) dropped_events: bool,
}

/// What is kept of a log record or of an event of a span.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) time_ns: Option<i64>,
    pub(super) attributes: Map<String, Value>,
    pub(super) body: Value,
}

/// The event that carries request and answer as a whole.
pub(super) const DETAILS: &str = "gen_ai.client.inference.operation.details";

/// Events by which instrumentations mark chunks of a stream.
const CHUNKS: &[&str] = &[
    "llm.content.completion.chunk",
    "gen_ai.content.completion.chunk",
    "First Token Stream Event",
    "ai.stream.firstChunk",
];

impl Span {
    /// The value of the first name whose attribute is there and not blank.
    pub(super) fn attribute(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.attributes.get(*name).filter(|value| !is_blank(value)))
    }

    /// The same as a text.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| as_text(self.attributes.get(*name)?))
    }

    /// Whether an attribute's name begins so.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        self.attributes.keys().any(|name| name.starts_with(prefix))
    }

    /// Reads a span of OTLP, or of a line as console and file exporters write it.
    pub(super) fn read(span: &Value, scope: &str, service: &str) -> Self {
        let id = |names: &[&str], bytes| identifier(member(span, names), bytes);
        let context = member(span, &["context", "spanContext"]).unwrap_or(span);
        let of_context = |names: &[&str], bytes| identifier(member(context, names), bytes);
        let read_attributes = member(span, &["attributes"]).map(attributes).unwrap_or_default();
        let name = member(span, &["name"]).and_then(Value::as_str).unwrap_or_default();
        let mut read = Span {
            kind: Kind::of(name, scope, &read_attributes),
            trace: of_context(&["traceId", "trace_id"], 16),
            id: of_context(&["spanId", "span_id", "id"], 8),
            parent: id(&["parentSpanId", "parent_span_id", "parent_id", "parentId"], 8),
            scope: scope.to_owned(),
            service: service.to_owned(),
            start_ns: member(span, START).and_then(nanoseconds),
            end_ns: member(span, END).and_then(nanoseconds),
            dropped: is_counted(span, &["droppedAttributesCount", "dropped_attributes_count"]),
            dropped_events: is_counted(span, &["droppedEventsCount", "dropped_events_count"]),
            ..Span::default()
        };
        if read.end_ns.is_none() {
            // The SDK for JavaScript counts both in microseconds.
            let duration_us = member(span, &["duration"]).and_then(Value::as_i64);
            read.end_ns = read
                .start_ns
                .zip(duration_us)
                .and_then(|(start, duration)| start.checked_add(duration.checked_mul(1_000)?));
        }
        read.attributes = slim::attributes(read.kind, read_attributes);
        read.read_status(span);
        read.read_events(span);
        read
    }

    fn read_status(&mut self, span: &Value) {
        let Some(status) = span.get("status") else { return };
        self.failed = match member(status, &["code", "status_code"]) {
            Some(Value::Number(code)) => code.as_i64() == Some(2),
            Some(Value::String(code)) => {
                matches!(code.as_str(), "2" | "STATUS_CODE_ERROR" | "ERROR" | "StatusCode.ERROR")
            }
            _ => false,
        };
        self.message = member(status, &["message", "description"]).and_then(as_text);
    }

    fn read_events(&mut self, span: &Value) {
        if self.kind == Kind::Other {
            return;
        }
        let events = span.get("events").and_then(Value::as_array);
        for event in events.into_iter().flatten() {
            let name = member(event, &["name"]).and_then(Value::as_str).unwrap_or_default();
            if CHUNKS.contains(&name) {
                let at = event_time(event);
                self.first_chunk_ns = self.first_chunk_ns.into_iter().chain(at).min();
            } else if slim::is_wanted_event(name) {
                self.add_event(Event::read(event, name));
            }
        }
    }

    /// Adds an event; one that tells the whole call adds to the attributes.
    pub(super) fn add_event(&mut self, event: Event) {
        if event.name != DETAILS {
            self.events.push(event);
            return;
        }
        for (name, value) in event.attributes {
            self.attributes.entry(name).or_insert(value);
        }
    }
}

/// Names of the beginning of a span.
pub(super) const START: &[&str] =
    &["startTimeUnixNano", "start_time_unix_nano", "start_time", "startTime", "timestamp"];
const END: &[&str] = &["endTimeUnixNano", "end_time_unix_nano", "end_time", "endTime"];

impl Event {
    /// Reads a log record or an event of a span.
    pub(super) fn read(event: &Value, name: &str) -> Self {
        let read = member(event, &["attributes"]).map(attributes).unwrap_or_default();
        Event {
            name: name.to_owned(),
            time_ns: event_time(event),
            attributes: slim::attributes(Kind::Chat, read),
            body: event.get("body").map(super::any_value::plain).unwrap_or_default(),
        }
    }
}

fn event_time(event: &Value) -> Option<i64> {
    let names = ["timeUnixNano", "time_unix_nano", "timestamp", "time"];
    let observed = ["observedTimeUnixNano", "observed_time_unix_nano", "observed_timestamp"];
    let at = |names| member(event, names).and_then(nanoseconds);
    at(&names).or_else(|| at(&observed))
}

fn is_counted(span: &Value, names: &[&str]) -> bool {
    member(span, names).and_then(super::super::value::number).is_some_and(|count| count > 0.0)
}
