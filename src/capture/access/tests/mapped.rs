//! The user's own mapping.

use super::*;

const MAPPING: &str = r#"
[fields]
captured_at = "ts"
latency_ms = { path = "timing.total", unit = "s" }
ttft_ms = { path = "timing.first", unit = "us" }
ttfb_ms = { path = "timing.headers", unit = "ns" }
status_code = "http"
request_model = "model"
response_model = "served"
input_tokens = "usage.in"
output_tokens = "usage.out"
cache_read_input_tokens = "usage.cached"
session_id = "who.visit"
tenant = '"who.team"'
request_id = "id"
error_message = "failure"
cost = { path = "cents", unit = "cents" }
request_body = "req"
response_body = "resp"
response_text = "answer"
stream = "streamed"
cache_hit = "cached"
retries = "retries"
endpoint = "url"
tags = "labels"
[time]
zone = "+02:00"
[usage]
input_includes_cached = false
[constants]
provider = "OpenAI"
latency_scope = "client"
"#;

fn record() -> Value {
    json!({
        "ts": "2026-11-02 07:33:21.250", "id": "own-1",
        "timing": {"total": "2.5", "first": 300_000, "headers": 200_000_000},
        "http": 200, "model": "gpt-4o-mini", "served": "gpt-4o-mini-2024-07-18",
        "usage": {"in": 10, "out": 5, "cached": 90}, "who": {"visit": "s-1"}, "who.team": "acme",
        "cents": 0.05, "streamed": true, "cached": false, "labels": ["prod"],
        "req": "{\"model\":\"gpt-4o-mini\",\"stream\":true,\"messages\":[{\"role\":\"user\",\
                \"content\":\"2+2?\"}]}",
        "answer": "{\"sum\":4}"
    })
}

fn changed(changes: &[(&str, Value)]) -> Reading {
    read_in(&Mapped, &with(record(), changes), &mapped_by(MAPPING))
}

#[test]
fn every_mapped_field_is_read_in_its_unit() {
    let row = row_of(changed(&[]));
    assert_eq!((row.captured_at, row.time_basis.as_deref()), (MOMENT, Some("stated_offset")));
    assert_eq!(
        (row.latency_ms, row.ttft_ms, row.ttfb_ms),
        (Some(2_500.0), Some(300.0), Some(200.0))
    );
    assert_eq!((row.request_id.as_str(), row.session_id.as_deref()), ("own-1", Some("s-1")));
    assert_eq!((row.tenant.as_deref(), row.provider.as_deref()), (Some("acme"), Some("openai")));
    assert_eq!((row.input_tokens, row.cache_read_input_tokens), (Some(100), Some(90)));
    assert_eq!((row.cost_nanousd, row.cache_hit), (Some(500_000), Some(false)));
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(row.response_text.as_deref(), Some("{\"sum\":4}"), "JSON, but a text all the same");
    assert_eq!(
        (row.latency_scope.as_deref(), row.tags.as_deref()),
        (Some("client"), Some(r#"["prod"]"#))
    );
    assert_eq!((row.stream, row.dialect.as_deref()), (Some(true), Some("openai_chat")));
    assert!(row.replayable && row.latency_baseline_ok);
}

#[test]
fn bodies_may_be_objects_messages_alone_streams_or_cut() {
    let messages = json!([{"role": "user", "content": "2+2?"}]);
    let row = row_of(changed(&[("req", messages.clone())]));
    let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
    assert_eq!(body, json!({"model": "gpt-4o-mini", "messages": messages}));
    assert!(row.replayable);
    let cut = row_of(changed(&[("req", json!("{\"messages\":[{"))]));
    assert_eq!(cut.not_replayable_reason.as_deref(), Some("truncated"));
    let removed = json!({"messages": [{"role": "user", "content": "[REDACTED]"}]});
    let removed = row_of(changed(&[("req", removed)]));
    assert_eq!(removed.not_replayable_reason.as_deref(), Some("redacted"));
    let events = "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\
                  \"delta\":{\"content\":\"4\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let streamed = row_of(changed(&[("answer", Value::Null), ("resp", json!(events))]));
    assert_eq!(streamed.response_text.as_deref(), Some("4"));
    assert_eq!(streamed.usage_source.as_deref(), Some("gateway"), "the stream states no usage");
    assert_eq!(streamed.input_tokens, Some(100));
}

#[test]
fn failures_retries_and_cache_hits_are_read() {
    let limited = row_of(changed(&[
        ("http", json!("429")),
        ("failure", json!("Limit on tokens per min (TPM)")),
        ("answer", Value::Null),
    ]));
    assert_eq!(limited.error_class.as_deref(), Some("rate_limit_tokens"));
    let word = row_of(changed(&[("http", json!("failed"))]));
    assert_eq!((word.status_code, word.error_class.as_deref()), (None, Some("unknown")));
    let hit = row_of(changed(&[("cached", json!("hit"))]));
    assert_eq!(hit.latency_baseline_reason.as_deref(), Some("cache_hit"));
    let retried = row_of(changed(&[("retries", json!(2))]));
    assert_eq!((retried.attempt, retried.latency_baseline_ok), (3, false));
    let whole = row_of(changed(&[("streamed", json!(false))]));
    assert_eq!(whole.ttft_ms, None, "an answer in one piece has no first token of its own");
}

#[test]
fn a_garbled_field_rejects_the_record_by_the_name_of_the_field() {
    for (name, value, field) in [
        ("ts", json!("soon"), "`captured_at`"),
        ("timing", json!({"total": "fast"}), "`latency_ms`"),
        ("usage", json!({"in": 1.5}), "`input_tokens`"),
        ("cents", json!(-1), "`cost`"),
        ("cached", json!("perhaps"), "`cache_hit`"),
        ("retries", json!("no"), "`retries`"),
    ] {
        let reading = changed(&[(name, value)]);
        let (reason, detail) = rejected(&reading);
        assert_eq!(reason, RejectReason::BadField);
        assert!(detail.starts_with(field), "{detail}");
    }
    assert_eq!(rejected(&changed(&[("ts", Value::Null)])).0, RejectReason::MissingField);
    let unmapped = read(&Mapped, &record());
    assert_eq!(rejected(&unmapped).0, RejectReason::MissingField);
}

#[test]
fn a_time_of_the_end_leads_back_to_the_start() {
    let mapping = MAPPING.replace("zone = \"+02:00\"", "zone = \"+02:00\"\nat = \"end\"");
    let row = row_of(read_in(&Mapped, &record(), &mapped_by(&mapping)));
    assert_eq!(row.captured_at, MOMENT - 2_500_000);
}

#[test]
fn a_record_of_texts_as_csv_gives_it_needs_no_more_than_a_time() {
    let context = mapped_by(
        "[fields]\ncaptured_at = \"When\"\ninput_tokens = \"Tokens in\"\noperation = \"Kind\"",
    );
    let record = json!({"When": "1793597601.250", "Tokens in": "36", "Kind": "embeddings"});
    let row = row_of(read_in(&Mapped, &record, &context));
    assert_eq!((row.captured_at, row.input_tokens), (MOMENT, Some(36)));
    assert_eq!((row.operation.as_str(), row.time_resolution_ms), ("embeddings", Some(1.0)));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"));
    let unknown = with(record, &[("Kind", json!("talk"))]);
    assert_eq!(row_of(read_in(&Mapped, &unknown, &context)).operation, "other");
}
