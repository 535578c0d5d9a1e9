//! What the readers of load traces make of their lines.

use serde_json::json;

use super::super::format::{Confidence, LogFormat, ReadContext};
use super::*;

const FORMATS: &[&dyn LogFormat] = &[&AzureLlmTrace, &BurstGpt, &Mooncake];

fn azure() -> Value {
    json!({"TIMESTAMP": "2026-11-02 05:33:21.2500000", "ContextTokens": "812",
        "GeneratedTokens": "64"})
}

fn burst() -> Value {
    json!({"Timestamp": "19440110.5", "Session ID": "s-1", "Elapsed time": "3", "Model": "GPT-4",
        "Request tokens": "812", "Response tokens": "64", "Total tokens": "876",
        "Log Type": "Conversation log"})
}

fn mooncake() -> Value {
    json!({"timestamp": 27_482, "input_length": 812, "output_length": 64, "hash_ids": [0, 41]})
}

fn with(mut record: Value, name: &str, value: Value) -> Value {
    record[name] = value;
    record
}

fn read(format: &dyn LogFormat, record: &Value) -> Reading {
    format.read(record, &ReadContext::default()).remove(0)
}

fn row_of(format: &dyn LogFormat, record: &Value) -> CapturedExchange {
    match read(format, record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_row_of_a_trace_is_load_without_content() {
    for (format, record) in FORMATS.iter().zip([azure(), burst(), mooncake()]) {
        let row = row_of(*format, &record);
        assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
        assert_eq!(row.usage_source.as_deref(), Some("trace"));
        assert_eq!((row.operation.as_str(), row.provider, row.attempt), ("chat", None, 1));
        assert_eq!((row.content_state.as_str(), row.replayable), ("absent", false));
        assert_eq!(row.request_id, "", "the importer puts the line's number there");
        assert_eq!(row.status_code, None);
    }
}

#[test]
fn seven_digits_of_a_second_and_zones_are_read() {
    let row = row_of(&AzureLlmTrace, &azure());
    assert_eq!(row.captured_at, 1_793_597_601_250_000);
    assert_eq!((row.time_basis.as_deref(), row.sampled), (Some("assumed_utc"), Some(true)));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
    let zoned = with(azure(), "TIMESTAMP", json!("2026-11-02 06:33:21.250000+01:00"));
    let zoned = row_of(&AzureLlmTrace, &zoned);
    assert_eq!(zoned.captured_at, 1_793_597_601_250_000);
    assert_eq!(zoned.time_basis.as_deref(), Some("rfc3339"));
    let images = row_of(&AzureLlmTrace, &with(azure(), "NumImages", json!("2")));
    assert_eq!(images.image_count, 2);
}

#[test]
fn relative_times_count_from_1970() {
    let row = row_of(&BurstGpt, &burst());
    assert_eq!(
        (row.captured_at, row.time_basis.as_deref()),
        (19_440_110_500_000, Some("relative"))
    );
    let row = row_of(&Mooncake, &mooncake());
    assert_eq!((row.captured_at, row.time_basis.as_deref()), (27_482_000, Some("relative")));
    assert_eq!(row.time_resolution_ms, Some(1.0));
}

#[test]
fn burstgpt_of_eight_columns_has_latency_and_sessions_and_of_six_has_not() {
    let row = row_of(&BurstGpt, &burst());
    assert_eq!((row.latency_ms, row.latency_baseline_ok), (Some(3_000.0), true));
    assert_eq!((row.session_id.as_deref(), row.request_model.as_str()), (Some("s-1"), "GPT-4"));
    assert_eq!(row.tags.as_deref(), Some(r#"["Conversation log"]"#));
    let six = json!({"Timestamp": "5", "Model": "ChatGPT", "Request tokens": "472",
        "Response tokens": "18", "Total tokens": "490", "Log Type": "API log"});
    assert_eq!(BurstGpt.sniff(std::slice::from_ref(&six)), Confidence::CERTAIN);
    let six = row_of(&BurstGpt, &six);
    assert_eq!((six.captured_at, six.latency_ms, six.session_id), (5_000_000, None, None));
    assert_eq!(six.latency_baseline_reason.as_deref(), Some("no_latency"));
}

#[test]
fn no_response_tokens_are_a_failure_in_burstgpt() {
    let row = row_of(&BurstGpt, &with(burst(), "Response tokens", json!("0")));
    assert_eq!((row.output_tokens, row.error_class.as_deref()), (None, Some("unknown")));
}

#[test]
fn a_missing_or_garbled_column_rejects_the_line_by_its_name() {
    let formats: [(&dyn LogFormat, Value, &str); 3] = [
        (&AzureLlmTrace, azure(), "TIMESTAMP"),
        (&BurstGpt, burst(), "Timestamp"),
        (&Mooncake, mooncake(), "timestamp"),
    ];
    for (format, record, time) in formats {
        let told = |value: Value| match read(format, &with(record.clone(), time, value)) {
            Reading::Reject(reason, detail) => (reason, detail.contains(time)),
            other => panic!("{other:?}"),
        };
        assert_eq!(told(json!(null)), (RejectReason::MissingField, true));
        assert_eq!(told(json!("soon")), (RejectReason::BadField, true));
    }
    let tokens = with(azure(), "GeneratedTokens", json!("many"));
    assert!(matches!(read(&AzureLlmTrace, &tokens), Reading::Reject(RejectReason::BadField, _)));
    let elapsed = with(burst(), "Elapsed time", json!("long"));
    assert!(matches!(read(&BurstGpt, &elapsed), Reading::Reject(RejectReason::BadField, _)));
}

#[test]
fn each_trace_is_certain_of_its_own_lines_and_of_no_others() {
    let records =
        [azure(), burst(), mooncake(), json!({"timestamp": 1, "request": {}}), json!("x")];
    for (at, record) in records.iter().enumerate() {
        for (own, format) in FORMATS.iter().enumerate() {
            let expected = if at == own { Confidence::CERTAIN } else { Confidence::NONE };
            assert_eq!(format.sniff(std::slice::from_ref(record)), expected, "{record}");
        }
    }
}

#[test]
fn the_samples_are_read_line_by_line() {
    let mooncake = include_str!("../../../sample-data/captures/mooncake.jsonl");
    let rows = mooncake.lines().map(|line| row_of(&Mooncake, &serde_json::from_str(line).unwrap()));
    assert_eq!(rows.count(), 5);
    let azure = include_str!("../../../sample-data/captures/azure_llm_trace.csv");
    let burst = include_str!("../../../sample-data/captures/burstgpt.csv");
    let tables: [(&str, &dyn LogFormat, usize); 2] =
        [(azure, &AzureLlmTrace, 6), (burst, &BurstGpt, 5)];
    for (text, format, lines) in tables {
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let header = table.headers().unwrap().clone();
        let rows = table.records().map(|cells| {
            let cells = cells.unwrap();
            let cells = header.iter().zip(cells.iter());
            row_of(format, &cells.map(|(name, cell)| (name, json!(cell))).collect())
        });
        assert_eq!(rows.count(), lines);
    }
}
