//! What the reader of OTLP makes of the traps that the format has.

mod content;
mod hostile;
mod wrappers;
mod writers;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::*;
use crate::capture::reason::FilterReason;
use crate::dataset::CapturedExchange;

const TRACE: &str = "5b8efff798038103d269b633813fc60c";

/// 2026-11-02 05:33:21.25 UTC, in nanoseconds.
const START_NS: i64 = 1_793_597_601_250_000_000;

/// A value as OTLP types it, whole numbers as text.
fn typed(value: &Value) -> Value {
    match value {
        Value::String(text) => json!({"stringValue": text}),
        Value::Bool(flag) => json!({"boolValue": flag}),
        Value::Number(number) if number.is_i64() => json!({"intValue": number.to_string()}),
        Value::Number(number) => json!({"doubleValue": number}),
        Value::Array(items) => {
            json!({"arrayValue": {"values": items.iter().map(typed).collect::<Vec<_>>()}})
        }
        Value::Object(_) => json!({"kvlistValue": {"values": pairs(value)}}),
        Value::Null => json!({}),
    }
}

/// An object as OTLP's list of pairs.
fn pairs(object: &Value) -> Value {
    let members = object.as_object().into_iter().flatten();
    members.map(|(key, value)| json!({"key": key, "value": typed(value)})).collect()
}

/// A span of 2.5 s.
fn span(id: &str, parent: &str, attributes: &Value) -> Value {
    json!({
        "traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": "chat gpt-4o-mini",
        "kind": 3, "startTimeUnixNano": START_NS.to_string(),
        "endTimeUnixNano": (START_NS + 2_500_000_000).to_string(),
        "attributes": pairs(attributes), "status": {"code": 0}
    })
}

/// A log record of a span, so many milliseconds after the span began.
fn event(span: &str, after_ms: i64, name: &str, body: &Value) -> Value {
    json!({
        "traceId": TRACE, "spanId": span, "eventName": name, "severityNumber": 9,
        "timeUnixNano": (START_NS + after_ms * 1_000_000).to_string(), "body": typed(body),
        "attributes": pairs(&json!({"gen_ai.system": "openai"}))
    })
}

/// A record of spans by one instrumentation.
fn spans_of(scope: &str, spans: &[Value]) -> Value {
    json!({
        "resource": {"attributes": pairs(&json!({"service.name": "faq-bot"}))},
        "scopeSpans": [{"scope": {"name": scope}, "spans": spans}]
    })
}

fn spans(spans: &[Value]) -> Value {
    spans_of("example", spans)
}

fn logs(records: &[Value]) -> Value {
    json!({"resource": {}, "scopeLogs": [{"scope": {"name": "example"}, "logRecords": records}]})
}

/// Adds members to an object.
fn with(object: &Value, changes: &Value) -> Value {
    let mut members: Map<String, Value> = object.as_object().unwrap().clone();
    members.extend(changes.as_object().unwrap().clone());
    Value::Object(members)
}

/// The readings of records, as the importer asks for them.
fn readings(records: &[Value]) -> Vec<Reading> {
    let context = ReadContext::default();
    let mut found = Vec::new();
    let mut parts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in records {
        for reading in Otlp.read(record, &context) {
            match reading {
                Reading::Part(part) => parts.entry(part.key).or_default().push(part.record),
                reading => found.push(reading),
            }
        }
    }
    for parts in parts.values() {
        found.extend(Otlp.join(parts, &context).into_iter().map(|(_, reading)| reading));
    }
    found
}

fn rows(records: &[Value]) -> Vec<CapturedExchange> {
    let row = |reading| match reading {
        Reading::Exchange(row) => Some(*row),
        _ => None,
    };
    readings(records).into_iter().filter_map(row).collect()
}

/// The one row of one span with these attributes.
fn row(attributes: &Value) -> CapturedExchange {
    let mut rows = rows(&[spans(&[span("eee19b7ec3c1b174", "", attributes)])]);
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

fn filtered(records: &[Value]) -> Vec<FilterReason> {
    let reason = |reading| match reading {
        Reading::Filtered(reason) => Some(reason),
        _ => None,
    };
    readings(records).into_iter().filter_map(reason).collect()
}

fn body(row: &CapturedExchange) -> Value {
    serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap()
}

/// A streamed call with a tool, by the newest conventions.
fn generation_c() -> Value {
    json!({
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt-4o-mini", "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": "chatcmpl-1", "gen_ai.request.stream": true,
        "gen_ai.request.temperature": 0.2, "gen_ai.request.max_tokens": 300,
        "gen_ai.request.stop_sequences": ["END"], "gen_ai.request.choice.count": 1,
        "gen_ai.response.time_to_first_chunk": 0.4, "gen_ai.conversation.id": "conv-7",
        "gen_ai.usage.input_tokens": 812, "gen_ai.usage.cache_read.input_tokens": 512,
        "gen_ai.usage.output_tokens": 64, "gen_ai.usage.reasoning.output_tokens": 7,
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "gen_ai.system_instructions": [{"type": "text", "content": "You file tickets."}],
        "gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\
            \"content\":\"Printer is on fire\"}]}]",
        "gen_ai.output.messages": [{"role": "assistant", "finish_reason": "tool_call", "parts": [
            {"type": "tool_call", "id": "call_1", "name": "open_ticket",
             "arguments": {"severity": "high"}}]}],
        "gen_ai.tool.definitions": [{"type": "function", "name": "open_ticket",
            "parameters": {"type": "object", "properties": {}}}],
        "gen_ai.unheard.of": {"a": [1]}
    })
}

#[test]
fn a_streamed_call_fills_every_column_that_the_conventions_have() {
    let row = row(&generation_c());
    let tool = json!({"type": "function", "function": {"name": "open_ticket",
        "parameters": {"type": "object", "properties": {}}}});
    let expected = json!({
        "model": "gpt-4o-mini",
        "messages": [{"role": "system", "content": "You file tickets."},
                     {"role": "user", "content": "Printer is on fire"}],
        "temperature": 0.2, "max_tokens": 300, "stop": ["END"], "n": 1, "tools": [tool],
        "stream": true
    });
    assert_eq!(body(&row), expected);
    assert_eq!(row.request_id, format!("{TRACE}-eee19b7ec3c1b174"));
    assert_eq!(row.session_id.as_deref(), Some("conv-7"));
    assert_eq!((row.captured_at, row.time_basis.as_deref()), (START_NS / 1_000, Some("epoch")));
    assert_eq!((row.latency_ms, row.ttft_ms), (Some(2_500.0), Some(400.0)));
    assert_eq!(row.time_resolution_ms, Some(1.0));
    assert_eq!(row.provider.as_deref(), Some("azure"));
    assert_eq!((row.operation.as_str(), row.route.as_deref()), ("chat", Some("faq-bot")));
    assert_eq!((row.sampled, row.latency_scope.as_deref()), (Some(true), Some("client")));
    assert_eq!((row.request_model.as_str(), row.stream), ("gpt-4o-mini", Some(true)));
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!((row.cache_read_input_tokens, row.reasoning_output_tokens), (Some(512), Some(7)));
    assert_eq!(row.usage_source.as_deref(), Some("client"));
    let calls = r#"[{"id":"call_1","name":"open_ticket","arguments":"{\"severity\":\"high\"}"}]"#;
    assert_eq!(row.tool_calls.as_deref(), Some(calls));
    assert_eq!(row.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!((row.error_class, row.status_code), (None, None));
    assert!(row.replayable && row.latency_baseline_ok);
    assert_eq!(row.content_state, "complete");
}

#[test]
fn records_of_otlp_are_known_for_certain_and_those_of_others_are_not() {
    let console = json!({"name": "chat", "context": {"trace_id": "0x1", "span_id": "0x2"},
        "start_time": "2026-11-02T05:33:21.250000Z", "attributes": {}});
    for own in [
        spans(&[]),
        logs(&[]),
        json!({"resource": {}, "scopeMetrics": []}),
        json!({"resourceMetrics": []}),
        span("eee19b7ec3c1b174", "", &json!({})),
        event("eee19b7ec3c1b174", 0, "gen_ai.choice", &json!({})),
        console,
    ] {
        assert_eq!(Otlp.sniff(std::slice::from_ref(&own)), Confidence::CERTAIN, "{own}");
    }
    for other in [
        json!({"call_type": "acompletion", "startTime": 1.0, "endTime": 2.0, "trace_id": "t"}),
        json!({"traceId": "t", "id": "g", "type": "GENERATION", "startTime": "2026-11-02"}),
        json!({"trace_id": "t", "id": "g", "provided_model_name": "m", "start_time": "2026-11-02"}),
        json!({"timestamp": 1, "request": {"messages": []}, "response": {}, "attributes": {}}),
        json!({"logName": "l", "insertId": "i", "trace": "t", "spanId": "s", "timestamp": "t"}),
        json!("resourceSpans"),
    ] {
        assert_eq!(Otlp.sniff(&[other]), Confidence::NONE);
    }
}

#[test]
fn metrics_are_sums_and_unrelated_spans_and_logs_are_no_calls() {
    let tool = span("a000000000000001", "", &json!({"gen_ai.operation.name": "execute_tool"}));
    let http =
        span("a000000000000002", "a000000000000001", &json!({"http.request.method": "POST"}));
    let log = event("a000000000000002", 1, "device.app.lifecycle", &json!({}));
    assert_eq!(filtered(&[spans(&[tool, http]), logs(&[log])]), [FilterReason::NotLlm; 3]);
    let metrics = json!({"resourceMetrics": [{"scopeMetrics": []}]});
    assert_eq!(filtered(&[metrics]), [FilterReason::Aggregate]);
    assert_eq!(filtered(&[spans(&[])]), [FilterReason::NotLlm]);
}
