//! What the reader of the plain convention makes of its many forms.

use serde_json::{Value, json};

use super::super::format::LatencyUnit;
use super::*;

fn exchange() -> Value {
    json!({
        "timestamp": "2026-11-02T05:33:21.250Z", "request_id": "r-1",
        "endpoint": "https://gateway.example/v1/chat/completions?x=1", "provider": "openai",
        "request": {"model": "gpt-4o-mini", "temperature": 0,
            "messages": [{"role": "user", "content": "2+2?"}]},
        "response": {"model": "gpt-4o-mini-2024-07-18", "choices": [{"index": 0,
            "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 1}},
        "status": 200, "latency_ms": 412.5, "ttft_ms": null, "stream": false,
        "cost_usd": 0.000_001_9, "session_id": "s-1", "tenant": "acme", "tags": ["prod"]
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut record = exchange();
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn reading(record: &Value) -> Reading {
    Plain.read(record, &ReadContext::default())
}

fn row(record: &Value) -> CapturedExchange {
    match reading(record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

fn rejected(record: &Value) -> (RejectReason, String) {
    match reading(record) {
        Reading::Reject(reason, detail) => (reason, detail),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_of_the_convention_is_read() {
    let row = row(&exchange());
    assert_eq!(row.request_id, "r-1");
    assert_eq!(row.captured_at, 1_793_597_601_250_000);
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
    assert_eq!(row.request_model, "gpt-4o-mini");
    assert_eq!(row.response_text.as_deref(), Some("4"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(9), Some(1)));
    assert_eq!((row.latency_ms, row.ttft_ms, row.stream), (Some(412.5), None, Some(false)));
    assert_eq!(row.cost_nanousd, Some(1_900));
    assert_eq!(row.usage_source.as_deref(), Some("provider"));
    assert_eq!((row.session_id.as_deref(), row.tenant.as_deref()), (Some("s-1"), Some("acme")));
    assert_eq!((row.attempt, row.tags.as_deref()), (1, Some(r#"["prod"]"#)));
    assert!(row.replayable && row.latency_baseline_ok);
}

#[test]
fn every_alias_leads_to_the_same_row() {
    let record = exchange();
    let renamed = json!({
        "ts": 1_793_597_601_250_i64, "id": "r-1", "url": record["endpoint"],
        "provider": "openai", "body": record["request"].to_string(),
        "completion": record["response"].to_string(), "http_status": "200",
        "duration_s": "0.4125", "stream": "false", "cost": "0.0000019",
        "conversation_id": "s-1", "team": "acme", "tags": ["prod"]
    });
    assert_eq!(row(&renamed), row(&record));
}

#[test]
fn a_latency_without_unit_needs_the_option() {
    let record = with(&[("latency_ms", Value::Null), ("latency", json!(1.5))]);
    let (reason, detail) = rejected(&record);
    assert_eq!(reason, RejectReason::AmbiguousUnit);
    assert!(detail.contains("--latency-unit ms|s"), "{detail}");
    let context = ReadContext { latency_unit: Some(LatencyUnit::Seconds) };
    match Plain.read(&record, &context) {
        Reading::Exchange(row) => assert_eq!(row.latency_ms, Some(1_500.0)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_recorded_stream_is_put_together_and_one_without_end_is_truncated() {
    let events = "data: {\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\
                  \"delta\":{\"content\":\"He\"}}]}\n\n\
                  data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\
                  \"delta\":{\"content\":\"llo\"},\"finish_reason\":\"stop\"}]}\n\n";
    let complete = row(&with(&[("response", json!(format!("{events}data: [DONE]\n\n")))]));
    assert_eq!(complete.response_text.as_deref(), Some("Hello"));
    assert_eq!((complete.error_class.as_deref(), complete.status_code), (None, Some(200)));
    let cut = row(&with(&[("response", json!(events))]));
    assert_eq!(cut.response_text.as_deref(), Some("Hello"));
    assert_eq!(cut.error_class.as_deref(), Some("stream_truncated"));
    let anthropic = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\
                     \"c\",\"usage\":{\"input_tokens\":5}}}\n\nevent: content_block_delta\ndata: \
                     {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\
                     \"text\":\"Hi\"}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let anthropic = row(&with(&[("response", json!(anthropic))]));
    assert_eq!(anthropic.response_text.as_deref(), Some("Hi"));
    assert_eq!(anthropic.input_tokens, Some(5));
}

#[test]
fn failures_come_as_status_as_body_or_as_error() {
    let class = |changes: &[(&str, Value)]| {
        let row = row(&with(changes));
        (row.error_class.unwrap_or_default(), row.error_message.unwrap_or_default())
    };
    let body = json!({"error": {"message": "Limit on requests per min (RPM)", "type": "requests"}});
    let expected = ("rate_limit_requests".into(), "Limit on requests per min (RPM)".into());
    assert_eq!(class(&[("status", json!(429)), ("response", body)]), expected);
    let null = ("response", Value::Null);
    assert_eq!(
        class(&[("status", json!(503)), null.clone()]),
        ("overloaded".into(), String::new())
    );
    let error = ("error", json!({"message": "no such model", "code": 404}));
    let status = ("status", json!(404));
    assert_eq!(class(&[status, null.clone(), error]), ("not_found".into(), "no such model".into()));
    let word = ("status", json!("error"));
    assert_eq!(class(&[word, null]), ("unknown".into(), String::new()));
    assert_eq!(class(&[("error", json!(""))]), (String::new(), String::new()));
}

#[test]
fn bodies_of_other_dialects_are_kept_and_told_apart() {
    let dialect = |body: Value| {
        let row = row(&with(&[("request", body)]));
        (row.dialect.unwrap_or_default(), row.not_replayable_reason.unwrap_or_default())
    };
    let user = json!([{"role": "user", "content": "hi"}]);
    let anthropic = json!({"model": "c", "max_tokens": 5, "system": "s", "messages": user});
    assert_eq!(dialect(anthropic), ("anthropic_messages".into(), String::new()));
    let unsupported = (String::new(), "unsupported_dialect".to_owned());
    assert_eq!(dialect(json!({"model": "g", "contents": []})), unsupported);
    assert_eq!(dialect(json!({"model": "o", "input": "hi"})), unsupported);
    let broken = json!({"model": "m", "messages": [{"content": 5}]});
    assert_eq!(dialect(broken), ("openai_chat".into(), "unreadable_request".into()));
}

#[test]
fn rows_without_a_request_are_kept_for_the_audit_and_strangers_are_rejected() {
    let row = row(&with(&[("request", Value::Null)]));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert_eq!((row.content_state.as_str(), row.replayable), ("absent", false));
    assert_eq!(row.response_text.as_deref(), Some("4"));
    assert_eq!(rejected(&json!({"level": "info"})).0, RejectReason::MissingField);
    assert_eq!(rejected(&with(&[("timestamp", json!("soon"))])).0, RejectReason::BadField);
    let timeless = with(&[("timestamp", Value::Null)]);
    assert_eq!(rejected(&timeless).0, RejectReason::MissingField);
    let embedding = with(&[("endpoint", json!("/v1/embeddings"))]);
    assert_eq!(reading(&embedding), Reading::Filtered(FilterReason::NotChat));
}

#[test]
fn a_training_row_is_an_exchange_whose_answer_is_its_last_message() {
    let record = json!({"messages": [{"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "4"}]});
    let row = row(&record);
    assert_eq!((row.message_count, row.response_text.as_deref()), (1, Some("4")));
    assert_eq!(row.captured_at, 0);
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
    assert_eq!(row.prompt_fingerprint, self::row(&exchange()).prompt_fingerprint);
    assert!(row.request_id.starts_with("row-"));
    assert_eq!(row.request_id, self::row(&record).request_id, "the same content, the same name");
}

#[test]
fn probes_retries_and_cache_hits_stay_out_of_the_baseline() {
    let reason = |changes: &[(&str, Value)]| row(&with(changes)).latency_baseline_reason.unwrap();
    assert_eq!(reason(&[("cached", json!(true))]), "cache_hit");
    assert_eq!(reason(&[("route", json!("/health"))]), "health_check");
    assert_eq!(reason(&[("retries", json!(1))]), "retried");
    assert_eq!(row(&with(&[("attempt", json!(3))])).attempt, 3);
    assert_eq!(reason(&[("latency_ms", Value::Null)]), "no_latency");
    let late = [("stream", json!(true)), ("ttft_ms", json!(500))];
    assert_eq!(reason(&late), "bad_timing");
    let probe = json!({"messages": [{"role": "user", "content": "ping"}], "max_tokens": 1});
    assert_eq!(reason(&[("request", probe)]), "health_check");
}

#[test]
fn an_answer_that_is_plain_text_is_kept_as_it_is() {
    let row = row(&with(&[("response", Value::Null), ("completion", json!("four"))]));
    assert_eq!(row.response_text.as_deref(), Some("four"));
    assert_eq!((row.error_class, row.finish_reason), (None, None));
}
