//! What the reader of Azure OpenAI's diagnostic logs makes of the traps that the format has.

use serde_json::{Value, json};

use crate::capture::format::{Confidence, LogFormat, ReadContext, Reading};
use crate::capture::reason::{FilterReason, RejectReason};
use crate::dataset::CapturedExchange;

use super::AzureOpenAi;

fn properties() -> Value {
    json!({"apiName": "Azure OpenAI API version 2024-10-21",
        "requestTime": 639_291_944_012_500_000_i64, "responseTime": 639_291_944_037_810_000_i64,
        "requestLength": 412, "responseLength": 990, "objectId": "11aa", "streamType": "Streaming",
        "modelDeploymentName": "mini-prod", "modelName": "gpt-4o-mini",
        "modelVersion": "2024-07-18"})
}

fn event() -> Value {
    json!({
        "time": "2026-11-02T05:33:24.0000000Z", "category": "RequestResponse",
        "resourceId": "/SUBSCRIPTIONS/S/PROVIDERS/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/A",
        "operationName": "ChatCompletions_Create", "durationMs": "2531", "resultSignature": "200",
        "callerIPAddress": "203.0.113.***", "correlationId": "c-7",
        "properties": properties().to_string()
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut record = event();
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn reading(record: &Value) -> Reading {
    AzureOpenAi.read(record, &ReadContext::default()).remove(0)
}

fn row(record: &Value) -> CapturedExchange {
    match reading(record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_event_fills_every_column_that_it_has_and_starts_at_its_ticks() {
    let row = row(&event());
    assert_eq!(row.captured_at, 1_793_597_601_250_000, "not the time of writing");
    assert_eq!((row.request_id.as_str(), row.user_id.as_deref()), ("c-7", Some("11aa")));
    assert_eq!((row.latency_ms, row.latency_scope.as_deref()), (Some(2531.0), Some("provider")));
    assert_eq!(
        (row.request_model.as_str(), row.response_model.as_deref()),
        ("mini-prod", Some("gpt-4o-mini"))
    );
    assert_eq!((row.stream, row.status_code, row.ttft_ms), (Some(true), Some(200), None));
    assert_eq!(row.tags.as_deref(), Some(r#"["model_version:2024-07-18"]"#));
    assert_eq!((row.input_tokens, row.usage_source.as_deref()), (None, None));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert!(row.latency_baseline_ok);
    assert!(!serde_json::to_string(&row).unwrap().contains("203.0.113"));
}

#[test]
fn rows_of_the_diagnostics_table_and_properties_as_object_are_read_alike() {
    assert_eq!(row(&with(&[("properties", properties())])), row(&event()));
    let table = json!({"TimeGenerated [UTC]": "2026-11-02T05:33:24Z", "Type": "AzureDiagnostics",
        "ResourceProvider": "MICROSOFT.COGNITIVESERVICES", "Category": "RequestResponse",
        "OperationName": "ChatCompletions_Create", "DurationMs": "2531", "ResultSignature": "200",
        "CorrelationId": "c-7", "properties_s": properties().to_string()});
    assert_eq!(AzureOpenAi.sniff(std::slice::from_ref(&table)), Confidence::CERTAIN);
    assert_eq!(row(&table), row(&event()));
}

#[test]
fn without_ticks_the_events_own_time_counts_and_without_duration_the_ticks() {
    let mut bare = properties();
    bare["requestTime"] = json!(1_793_597_601);
    let row = row(&with(&[("properties", bare)]));
    assert_eq!(
        (row.captured_at, row.time_basis.as_deref()),
        (1_793_597_604_000_000, Some("rfc3339"))
    );
    let ticks = self::row(&with(&[("durationMs", Value::Null)]));
    assert_eq!(ticks.latency_ms, Some(2531.0), "25 310 000 ticks");
}

#[test]
fn failures_have_their_status_class_and_embeddings_are_no_chat() {
    let limited = row(&with(&[("resultSignature", json!(429))]));
    assert_eq!(limited.error_class.as_deref(), Some("rate_limit_other"));
    let embedding = row(&with(&[("operationName", json!("Embeddings_Create"))]));
    assert_eq!(embedding.latency_baseline_reason.as_deref(), Some("not_chat"));
    assert_eq!(embedding.not_replayable_reason.as_deref(), Some("not_chat"));
}

#[test]
fn audits_traces_and_other_services_are_set_aside() {
    for changes in [
        [("category", json!("Audit")), ("operationName", json!("ListKey"))],
        [("category", json!("Trace")), ("properties", json!("{}"))],
        [("operationName", json!("AnalyzeText")), ("properties", json!("{}"))],
    ] {
        assert_eq!(reading(&with(&changes)), Reading::Filtered(FilterReason::NotLlm));
    }
}

#[test]
fn wrong_types_and_missing_members_are_told_and_never_fatal() {
    let rejected = |record: &Value| match reading(record) {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    let bare = json!({"modelName": "m"});
    assert_eq!(rejected(&json!([1])), RejectReason::NotAnObject);
    let none = with(&[("time", Value::Null), ("properties", bare.clone())]);
    assert_eq!(rejected(&none), RejectReason::MissingField);
    let soon = with(&[("time", json!("soon")), ("properties", bare)]);
    assert_eq!(rejected(&soon), RejectReason::BadField);
    for name in ["durationMs", "resultSignature", "correlationId", "resourceId", "callerIPAddress"]
    {
        for value in [json!(-5), json!("x"), json!([1]), json!(null), json!({"a": 1})] {
            assert!(!row(&with(&[(name, value)])).request_id.is_empty());
        }
    }
}

#[test]
fn diagnostic_events_are_known_by_category_and_service() {
    assert_eq!(AzureOpenAi.sniff(&[event()]), Confidence::CERTAIN);
    let gateway = json!({"category": "GatewayLogs", "correlationId": "c", "time": "t"});
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "response": {}});
    assert_eq!(AzureOpenAi.sniff(&[gateway, plain]), Confidence::NONE);
}
