//! What the reader of Kong's entries makes of the traps that the format has.

use serde_json::{Value, json};

use super::*;

/// An entry of the AI proxy as `file-log` writes it.
fn entry() -> Value {
    json!({
        "started_at": 1_793_597_601_250_i64, "client_ip": "10.0.0.9",
        "latencies": {"request": 2500, "kong": 12, "proxy": 410, "receive": 2078},
        "request": {"id": "c0ffee01", "method": "POST", "uri": "/chat?key=do-not-keep",
            "headers": {"authorization": "REDACTED", "x-api-key": "do-not-keep",
                "x-session-id": ["s-9"]}},
        "response": {"status": 200, "headers": {"content-type": "text/event-stream"}},
        "upstream_status": "200", "upstream_uri": "/v1/chat/completions",
        "tries": [{"ip": "192.0.2.1", "port": 443}], "route": {"id": "r1", "name": "chat"},
        "service": {"host": "api.openai.com", "tags": ["prod"]},
        "consumer": {"username": "faq-bot"}, "source": "upstream",
        "ai": {"proxy": {
            "meta": {"provider_name": "openai", "request_model": "gpt-4o-mini",
                "response_model": "gpt-4o-mini-2024-07-18", "llm_latency": 2470,
                "request_mode": "stream"},
            "usage": {"prompt_tokens": 812, "completion_tokens": 64, "time_to_first_token": 400,
                "cost": 0.5, "prompt_tokens_details": {"cached_tokens": 512}},
            "payload": {
                "request": json!({"messages": [{"role": "user", "content": "Printer is on fire"}],
                    "temperature": 0.2}).to_string(),
                "response": json!({"choices": [{"index": 0, "finish_reason": "stop",
                    "message": {"role": "assistant", "content": "Evacuate."}}]}).to_string()},
            "cache": {"cache_status": "Miss"}}}
    })
}

fn without_ai() -> Value {
    let mut record = entry();
    record.as_object_mut().unwrap().remove("ai");
    record
}

fn readings(record: &Value) -> Vec<Reading> {
    Kong.read(record, &ReadContext::default())
}

fn rows(record: &Value) -> Vec<CapturedExchange> {
    let rows = readings(record).into_iter().map(|reading| match reading {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    });
    rows.collect()
}

fn row(record: &Value) -> CapturedExchange {
    rows(record).remove(0)
}

fn reason(record: &Value) -> Option<String> {
    row(record).latency_baseline_reason
}

#[test]
fn a_streamed_call_of_the_ai_proxy_fills_every_column_that_it_has() {
    let row = row(&entry());
    let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
    assert_eq!((&body["model"], &body["stream"]), (&json!("gpt-4o-mini"), &json!(true)));
    assert_eq!((row.request_id.as_str(), row.session_id.as_deref()), ("c0ffee01", Some("s-9")));
    assert_eq!(
        (row.captured_at, row.time_basis.as_deref()),
        (1_793_597_601_250_000, Some("epoch"))
    );
    assert_eq!(
        (row.latency_ms, row.ttfb_ms, row.ttft_ms),
        (Some(2500.0), Some(410.0), Some(400.0))
    );
    assert_eq!(row.latency_scope.as_deref(), Some("gateway"));
    assert_eq!((row.provider.as_deref(), row.operation.as_str()), (Some("openai"), "chat"));
    assert_eq!((row.route.as_deref(), row.tenant.as_deref()), (Some("chat"), Some("faq-bot")));
    assert_eq!(row.tags.as_deref(), Some(r#"["prod"]"#));
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!(row.cache_read_input_tokens, Some(512));
    assert_eq!(row.usage_source.as_deref(), Some("gateway"));
    assert_eq!(row.cost_nanousd, None, "the currency is not stated");
    assert_eq!((row.stream, row.cache_hit, row.status_code), (Some(true), Some(false), Some(200)));
    assert!(row.replayable && row.latency_baseline_ok);
}

#[test]
fn neither_headers_nor_queries_reach_a_row() {
    for record in [entry(), without_ai()] {
        let text = serde_json::to_string(&row(&record)).unwrap();
        assert!(!text.contains("do-not-keep"), "{text}");
    }
}

#[test]
fn older_versions_name_the_plugin_and_keep_the_prompt_apart() {
    let mut record = entry();
    record["ai"] = json!({
        "payload": {"request": record["ai"]["proxy"]["payload"]["request"]},
        "ai-proxy": {
            "meta": {"provider_name": "UNSPECIFIED", "request_model": "gpt-4o-mini"},
            "usage": {"prompt_token": 12, "completion_token": 3, "total_tokens": 15},
            "payload": {"response": record["ai"]["proxy"]["payload"]["response"]}}
    });
    let row = row(&record);
    assert_eq!((row.input_tokens, row.output_tokens), (Some(12), Some(3)));
    assert_eq!((row.message_count, row.response_text.as_deref()), (1, Some("Evacuate.")));
    assert_ne!(row.provider.as_deref(), Some("unspecified"));
}

#[test]
fn each_plugin_that_called_a_model_has_a_row_and_only_the_proxys_is_a_baseline() {
    let mut record = entry();
    record["ai"]["ai-request-transformer"] = json!({
        "meta": {"provider_name": "mistral", "request_model": "mistral-small", "llm_latency": 300},
        "usage": {"prompt_tokens": 40, "completion_tokens": 9}});
    record["ai"]["sanitizer"] = json!({"sanitized_items": [{"original_text": "do-not-keep"}]});
    let rows = rows(&record);
    assert_eq!(rows.len(), 2);
    assert!(rows[0].latency_baseline_ok);
    assert_eq!(rows[0].flaws, ["prompt_altered"]);
    assert_eq!(rows[1].request_id, "c0ffee01:ai-request-transformer");
    assert_eq!(
        (rows[1].latency_ms, rows[1].latency_scope.as_deref()),
        (Some(300.0), Some("upstream"))
    );
    assert_eq!(rows[1].latency_baseline_reason.as_deref(), Some("other_scope"));
    assert_eq!((rows[1].input_tokens, rows[1].status_code), (Some(40), None));
    assert_eq!(rows[1].not_replayable_reason.as_deref(), Some("no_request_content"));
    assert!(!serde_json::to_string(&rows).unwrap().contains("do-not-keep"));
}

#[test]
fn zero_tokens_are_unknown_and_minus_one_is_no_first_byte() {
    let mut record = entry();
    record["ai"]["proxy"]["usage"] = json!({"prompt_tokens": 0, "completion_tokens": 0});
    record["latencies"]["proxy"] = json!(-1);
    let row = row(&record);
    assert_eq!((row.input_tokens, row.output_tokens, row.usage_source), (None, None, None));
    assert_eq!((row.ttfb_ms, row.ttft_ms), (None, None));
}

#[test]
fn cache_hits_retries_and_kongs_own_answers_stay_out_of_the_baseline() {
    let mut hit = entry();
    hit["ai"]["proxy"]["cache"]["cache_status"] = json!("Hit");
    hit["source"] = json!("exit");
    assert_eq!(row(&hit).cache_hit, Some(true));
    assert_eq!(reason(&hit).as_deref(), Some("cache_hit"));
    let mut retried = entry();
    retried["upstream_status"] = json!("502, 200");
    assert_eq!((row(&retried).attempt, reason(&retried).as_deref()), (2, Some("retried")));
    let mut limited = without_ai();
    limited["source"] = json!("exit");
    limited["response"]["status"] = json!(429);
    limited["upstream_status"] = Value::Null;
    let row = row(&limited);
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("gateway_answer"));
    assert_eq!(row.error_class.as_deref(), Some("rate_limit_other"));
    let mut probe = without_ai();
    probe["request"]["uri"] = json!("/healthz");
    assert_eq!(reason(&probe).as_deref(), Some("health_check"));
}

#[test]
fn an_entry_without_ai_block_counts_by_its_address_or_by_the_body_that_was_added() {
    let bare = row(&without_ai());
    assert_eq!((bare.operation.as_str(), bare.stream), ("chat", Some(true)));
    assert_eq!(bare.not_replayable_reason.as_deref(), Some("no_request_content"));
    let mut other = without_ai();
    other["upstream_uri"] = json!("/orders");
    assert_eq!(readings(&other), [Reading::Filtered(FilterReason::NotLlm)]);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).to_string();
    let answer = "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":\
                  {\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    for (request, response) in
        [(body.clone(), answer.to_owned()), (STANDARD.encode(&body), STANDARD.encode(answer))]
    {
        let mut nested = other.clone();
        nested["request"]["body"] = json!(request);
        nested["response"]["body"] = json!(response);
        let mut flat = other.clone();
        flat["request_body"] = json!(request);
        flat["response_body"] = json!(response);
        for record in [nested, flat] {
            let row = row(&record);
            assert_eq!((row.request_model.as_str(), row.replayable), ("m", true));
            assert_eq!(row.response_text.as_deref(), Some("Hello"));
        }
    }
}

#[test]
fn a_failure_is_classed_by_the_body_and_tool_calls_are_read() {
    let mut failed = entry();
    failed["response"]["status"] = json!(429);
    failed["ai"]["proxy"]["payload"]["response"] = json!(
        r#"{"error":{"message":"Rate limit reached on tokens per min (TPM)","type":"tokens"}}"#
    );
    assert_eq!(row(&failed).error_class.as_deref(), Some("rate_limit_tokens"));
    let mut called = entry();
    called["ai"]["proxy"]["payload"]["response"] = json!({"choices": [{"index": 0,
        "finish_reason": "tool_calls", "message": {"content": null, "tool_calls": [{"id": "c1",
        "type": "function", "function": {"name": "open_ticket", "arguments": "{}"}}]}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2}});
    let row = row(&called);
    assert!(row.tool_calls.unwrap().contains("open_ticket"));
    assert_eq!((row.input_tokens, row.usage_source.as_deref()), (Some(5), Some("provider")));
}

#[test]
fn wrong_types_and_missing_members_are_told_and_never_fatal() {
    let rejected = |record: Value| match readings(&record).remove(0) {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected(json!("text")), RejectReason::NotAnObject);
    assert_eq!(rejected(json!({"latencies": {}})), RejectReason::MissingField);
    assert_eq!(rejected(json!({"started_at": "soon"})), RejectReason::BadField);
    let bare = json!({"started_at": 1_793_597_601_250_i64, "ai": {"proxy": {"meta": {}}}});
    let row = row(&bare);
    assert!(row.request_id.starts_with("row-"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
    let names = ["latencies", "request", "response", "upstream_status", "tries", "route", "ai"];
    for name in names {
        for value in [json!(5), json!("x"), json!([1]), json!(null), json!({"a": [1]})] {
            let mut record = entry();
            record[name] = value;
            assert!(!readings(&record).is_empty());
        }
    }
}

#[test]
fn kongs_entries_are_known_by_their_latencies() {
    assert_eq!(Kong.sniff(&[entry(), without_ai()]), Confidence::CERTAIN);
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "response": {}});
    assert_eq!(Kong.sniff(&[plain]), Confidence::NONE);
}
