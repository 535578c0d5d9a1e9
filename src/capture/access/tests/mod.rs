//! What the readers of access logs make of their records.

mod cloud;
mod haproxy;
mod mapped;
mod nginx;
mod samples;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::dataset::CapturedExchange;

use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::super::mapping::Mapping;
use super::super::reason::{FilterReason, RejectReason};
use super::*;

/// 2026-11-02 05:33:21.250 UTC.
const MOMENT: i64 = 1_793_597_601_250_000;

const FORMATS: &[&dyn LogFormat] =
    &[&AwsApiGateway, &Apigee, &GoogleCloud, &Nginx, &HaProxy, &Mapped];

fn with(mut record: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn mapped_by(text: &str) -> ReadContext {
    let mapping = Mapping::parse(text).unwrap();
    ReadContext { mapping: Some(Arc::new(mapping)), ..ReadContext::default() }
}

fn read_in(format: &dyn LogFormat, record: &Value, context: &ReadContext) -> Reading {
    let mut readings = format.read(record, context);
    assert_eq!(readings.len(), 1, "{record}");
    readings.remove(0)
}

fn read(format: &dyn LogFormat, record: &Value) -> Reading {
    read_in(format, record, &ReadContext::default())
}

fn row_of(reading: Reading) -> CapturedExchange {
    match reading {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

fn row(format: &dyn LogFormat, record: &Value) -> CapturedExchange {
    row_of(read(format, record))
}

fn rejected(reading: &Reading) -> (RejectReason, &str) {
    match reading {
        Reading::Reject(reason, detail) => (*reason, detail),
        other => panic!("{other:?}"),
    }
}

const NOT_LLM: Reading = Reading::Filtered(FilterReason::NotLlm);

/// One record of each format, in the order of [`FORMATS`], and a text line of two of them.
fn own_records() -> Vec<(usize, Value)> {
    vec![
        (0, cloud::aws()),
        (1, cloud::apigee()),
        (2, cloud::google()),
        (3, nginx::json_line()),
        (3, json!(nginx::COMBINED)),
        (4, haproxy::json_line()),
        (4, json!(haproxy::LINE)),
    ]
}

#[test]
fn each_format_is_certain_of_its_own_records_and_of_no_others() {
    for (own, record) in own_records() {
        for (at, format) in FORMATS.iter().enumerate() {
            let confidence = format.sniff(std::slice::from_ref(&record));
            let expected = if at == own { Confidence::CERTAIN } else { Confidence::NONE };
            assert_eq!(confidence, expected, "{} of {record}", format.name());
        }
    }
    for stranger in [
        json!({"request_id": "r", "timestamp": "2026-11-02", "status": 200, "latency_ms": 5}),
        json!({"startTime": 1.0, "endTime": 2.0, "call_type": "completion"}),
        json!({"timestamp": 5, "input_length": 1, "output_length": 2, "hash_ids": []}),
        json!({"schemaType": "ModelInvocationLog", "requestId": "r", "timestamp": "t"}),
        json!({"latencies": {"request": 5}, "started_at": 5, "request": {"uri": "/"}}),
        json!("2026/11/02 05:33:21 [error] 26#26: *2 upstream prematurely closed connection"),
        json!("INFO 11-02 05:33:21 [logger.py:39] Received request"),
    ] {
        for format in FORMATS {
            let confidence = format.sniff(std::slice::from_ref(&stranger));
            assert_eq!(confidence, Confidence::NONE, "{} of {stranger}", format.name());
        }
    }
}

#[test]
fn what_is_no_record_of_a_format_makes_none_of_them_panic() {
    let context = mapped_by("[fields]\ncaptured_at = \"t\"\nrequest_body = \"b\"");
    for record in [
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!("{"),
        json!({"status": [], "request_time": {}, "request": 5, "msec": false, "Ta": [1]}),
        json!({"httpRequest": [], "jsonPayload": {"http_method": 5}, "timestamp": {}}),
        json!({"httpRequest": {"latency": "s", "status": "x", "requestUrl": 7}}),
        json!({"requestTimeEpoch": -5, "path": "/v1/chat/completions", "error": {"message": 1}}),
        json!({"request_path": "/v1/messages", "client_received_start_timestamp": "never"}),
        json!({"t": {"a": 1}, "b": [[[]]]}),
    ] {
        for format in FORMATS {
            assert_eq!(format.read(&record, &ReadContext::default()).len(), 1);
            assert_eq!(format.read(&record, &context).len(), 1);
        }
    }
}
