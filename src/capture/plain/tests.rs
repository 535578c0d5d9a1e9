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
    Plain.read(record, &ReadContext::default()).remove(0)
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
    let expected = CapturedExchange { time_basis: Some("epoch".into()), ..row(&record) };
    assert_eq!(row(&renamed), expected);
}

#[test]
fn a_latency_without_unit_needs_the_option() {
    let record = with(&[("latency_ms", Value::Null), ("latency", json!(1.5))]);
    let (reason, detail) = rejected(&record);
    assert_eq!(reason, RejectReason::AmbiguousUnit);
    assert!(detail.contains("--latency-unit ms|s"), "{detail}");
    let context =
        ReadContext { latency_unit: Some(LatencyUnit::Seconds), ..ReadContext::default() };
    match Plain.read(&record, &context).remove(0) {
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
        let row = row(&with(&[("request", body), ("endpoint", Value::Null)]));
        (row.dialect.unwrap_or_default(), row.not_replayable_reason.unwrap_or_default())
    };
    let user = json!([{"role": "user", "content": "hi"}]);
    let anthropic = json!({"model": "c", "max_tokens": 5, "system": "s", "messages": user});
    assert_eq!(dialect(anthropic), ("anthropic_messages".into(), String::new()));
    let strange = json!({"model": "g", "rows": []});
    assert_eq!(dialect(strange), (String::new(), "unsupported_dialect".to_owned()));
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
}

#[test]
fn calls_that_generate_no_text_are_kept_but_not_replayed() {
    let kept = |changes: &[(&str, Value)]| {
        let row = row(&with(changes));
        assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
        assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"));
        assert_eq!((row.response_text, row.latency_ms), (None, Some(412.5)));
        row.operation
    };
    assert_eq!(kept(&[("endpoint", json!("/v1/embeddings"))]), "embeddings");
    assert_eq!(kept(&[("endpoint", json!("/v1/images/generations"))]), "image");
    let request = json!({"model": "text-embedding-3-small", "input": "hi"});
    let vectors = json!({"object": "list", "data": [{"embedding": [0.1]}]});
    let shown = [("endpoint", Value::Null), ("request", request), ("response", vectors)];
    assert_eq!(kept(&shown), "embeddings", "the answer shows it");
    assert_eq!(kept(&[("endpoint", Value::Null), ("operation", json!("rerank"))]), "rerank");
}

#[test]
fn a_row_of_csv_is_all_texts_and_its_empty_ones_are_not_there() {
    let record = exchange();
    let csv = json!({
        "timestamp": record["timestamp"], "request_id": "r-1", "endpoint": record["endpoint"],
        "provider": "openai", "request": record["request"].to_string(),
        "response": record["response"].to_string(), "status": "200", "latency_ms": "412.5",
        "ttft_ms": "", "stream": "false", "cost_usd": "0.0000019", "session_id": "s-1",
        "tenant": "acme", "tags": "[\"prod\"]", "error": "", "user_id": " ", "retries": ""
    });
    assert_eq!(row(&csv), row(&record));
    assert_eq!(Plain.sniff(std::slice::from_ref(&csv)), Confidence::LIKELY);
    let counted = json!({"timestamp": "1793597601", "model": "m", "messages":
        "[{\"role\":\"user\",\"content\":\"2+2?\"}]", "response": "4", "input_tokens": "9",
        "output_tokens": "1", "cached_tokens": "", "latency_ms": "10", "latency_scope": "client"});
    let counted = row(&counted);
    assert_eq!((counted.input_tokens, counted.output_tokens), (Some(9), Some(1)));
    assert_eq!(counted.usage_source.as_deref(), Some("client"));
    assert_eq!(counted.latency_scope.as_deref(), Some("client"));
    assert_eq!((counted.request_model.as_str(), counted.message_count), ("m", 1));
    let unit = with(&[("latency_ms", json!("")), ("latency", json!("1.5"))]);
    assert_eq!(rejected(&unit).0, RejectReason::AmbiguousUnit);
}

#[test]
fn bodies_that_were_encoded_twice_are_opened_and_quoted_texts_are_not() {
    let record = exchange();
    let twice = |name: &str| json!(json!(record[name].to_string()).to_string());
    let encoded = with(&[("request", twice("request")), ("response", twice("response"))]);
    assert_eq!(row(&encoded), row(&record));
    let quoted = row(&with(&[("response", json!("\"four\""))]));
    assert_eq!(quoted.response_text.as_deref(), Some("\"four\""));
}

#[test]
fn an_answer_may_be_in_another_dialect_than_its_request() {
    let answer = json!({"type": "message", "model": "claude", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "four"}],
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 4, "output_tokens": 1}});
    let row = row(&with(&[("response", answer)]));
    assert_eq!(row.dialect.as_deref(), Some("openai_chat"));
    assert_eq!((row.response_text.as_deref(), row.input_tokens), (Some("four"), Some(9)));
}

#[test]
fn times_say_how_they_were_stated() {
    let basis = |time: Value| row(&with(&[("timestamp", time)])).time_basis;
    assert_eq!(basis(json!(1_793_597_601)).as_deref(), Some("epoch"));
    assert_eq!(basis(json!("2026-11-02 05:33:21")).as_deref(), Some("assumed_utc"));
    let mut record = with(&[("timestamp", Value::Null)]);
    record["response"]["created"] = json!(1_793_597_601);
    let row = row(&record);
    assert_eq!((row.captured_at, row.time_resolution_ms), (1_793_597_601_000_000, Some(1_000.0)));
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
fn training_rows_lose_their_weights_keep_their_tools_and_may_be_geminis() {
    let tools = json!([{"type": "function", "function": {"name": "f"}}]);
    let record = json!({"tools": tools, "messages": [{"role": "user", "content": "2+2?"},
        {"role": "assistant", "content": "5", "weight": 0}, {"role": "user", "content": "No"},
        {"role": "assistant", "content": "4", "weight": 1}]});
    let row = row(&record);
    assert_eq!((row.tool_count, row.message_count), (1, 3));
    assert!(!row.request_body.unwrap().contains("weight"));
    assert_eq!(row.response_text.as_deref(), Some("4"));
    let part = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let gemini = json!({"contents": [part("user", "2+2?"), part("model", "4")],
        "systemInstruction": part("system", "Count.")});
    let gemini = self::row(&gemini);
    let body: Value = serde_json::from_str(gemini.request_body.as_deref().unwrap()).unwrap();
    assert_eq!(body["contents"], json!([part("user", "2+2?")]));
    assert!(body.get("systemInstruction").is_some() && body.get("model").is_none());
    assert_eq!((gemini.captured_at, gemini.time_basis), (0, None));
}

#[test]
fn no_value_of_another_type_makes_the_reader_fail() {
    let names = exchange();
    for name in names.as_object().unwrap().keys() {
        for odd in [json!(5), json!([1]), json!({"a": {}}), json!(true), json!("x"), Value::Null] {
            reading(&with(&[(name, odd)]));
        }
    }
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
