//! What the reader of LiteLLM's table of spend makes of JSON and of CSV.

use serde_json::{Value, json};

use super::*;

/// A streamed completion as a row of a CSV export: every value a text.
fn csv_row() -> Value {
    json!({
        "request_id": "chatcmpl-1", "litellm_call_id": "call-1", "call_type": "acompletion",
        "api_key": "9f86", "spend": "0.0001218", "total_tokens": "876", "prompt_tokens": "812",
        "completion_tokens": "64", "startTime": "2026-11-02 05:33:21.250",
        "endTime": "2026-11-02 05:33:23.750", "completionStartTime": "2026-11-02 05:33:21.650",
        "request_duration_ms": "2500", "model": "openai/gpt-4o-mini", "model_group": "chat-default",
        "custom_llm_provider": "openai", "user": "", "end_user": "u-17", "session_id": "s-9",
        "team_id": "t1", "cache_hit": "None", "cache_key": "Cache OFF", "status": "success",
        "request_tags": "[\"prod\", \"User-Agent: curl\"]",
        "metadata": "{\"attempted_retries\": 0, \"attempted_fallbacks\": 0, \
            \"user_api_key_team_alias\": \"support\", \
            \"additional_usage_values\": {\"cache_read_input_tokens\": 512}}",
        "messages": "{}",
        "proxy_server_request": "{\"model\": \"chat-default\", \"api_key\": \"REDACTED_BY_LITELM\", \
            \"messages\": [{\"role\": \"user\", \"content\": \"Printer is on fire\"}], \
            \"stream\": true}",
        "response": "{\"id\": \"chatcmpl-1\", \"model\": \"gpt-4o-mini-2024-07-18\", \
            \"choices\": [{\"index\": 0, \"finish_reason\": \"stop\", \
            \"message\": {\"role\": \"assistant\", \"content\": \"Evacuate.\"}}]}"
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut record = csv_row();
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn reading(record: &Value) -> Reading {
    LiteLlmSpendLogs.read(record, &ReadContext::default()).remove(0)
}

fn row(record: &Value) -> CapturedExchange {
    match reading(record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_of_a_csv_fills_every_column_that_it_has() {
    let row = row(&csv_row());
    assert_eq!((row.request_id.as_str(), row.session_id.as_deref()), ("call-1", Some("s-9")));
    assert_eq!((row.user_id.as_deref(), row.tenant.as_deref()), (Some("u-17"), Some("support")));
    assert_eq!(row.captured_at, 1_793_597_601_250_000);
    assert_eq!(row.time_basis.as_deref(), Some("assumed_utc"));
    assert_eq!((row.latency_ms, row.ttft_ms, row.stream), (Some(2_500.0), Some(400.0), Some(true)));
    assert_eq!(row.latency_scope.as_deref(), Some("gateway"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!(row.cache_read_input_tokens, Some(512));
    assert_eq!(row.usage_source.as_deref(), Some("gateway"));
    assert_eq!((row.cost_nanousd, row.cache_hit), (Some(121_800), None));
    assert_eq!(row.tags.as_deref(), Some(r#"["prod"]"#));
    assert_eq!(row.request_model, "chat-default");
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    assert_eq!((row.status_code, row.dialect.as_deref()), (Some(200), Some("openai_chat")));
    assert_eq!(
        row.request_body.as_deref(),
        Some(
            r#"{"model":"chat-default","messages":[{"role":"user","content":"Printer is on fire"}],"stream":true}"#
        )
    );
    assert!(row.replayable && row.latency_baseline_ok);
    assert!(!serde_json::to_string(&row).unwrap().contains("9f86"), "the hash of the key");
}

#[test]
fn a_row_of_the_api_is_the_same_as_that_of_the_csv() {
    let mut record = csv_row();
    for name in ["request_tags", "metadata", "messages", "proxy_server_request", "response"] {
        record[name] = decoded(&csv_row()[name]).into_owned();
    }
    for (name, value) in [
        ("spend", json!(0.000_121_8)),
        ("prompt_tokens", json!(812)),
        ("completion_tokens", json!(64)),
        ("request_duration_ms", json!(2500)),
        ("startTime", json!("2026-11-02T05:33:21.250000Z")),
        ("endTime", json!("2026-11-02T05:33:23.750000Z")),
        ("completionStartTime", json!("2026-11-02T05:33:21.650000Z")),
    ] {
        record[name] = value;
    }
    let expected = CapturedExchange { time_basis: Some("rfc3339".to_owned()), ..row(&csv_row()) };
    assert_eq!(row(&record), expected);
}

#[test]
fn rows_without_stored_prompts_are_kept_for_the_audit() {
    let empty = [("proxy_server_request", json!("{}")), ("response", json!("{}"))];
    let bare = row(&with(&empty));
    assert_eq!((bare.content_state.as_str(), bare.replayable), ("absent", false));
    assert_eq!(bare.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert_eq!((bare.stream, bare.ttft_ms), (Some(true), Some(400.0)), "the first token shows it");
    let mut whole = with(&empty);
    whole["completionStartTime"] = whole["endTime"].clone();
    assert_eq!((row(&whole).stream, row(&whole).ttft_ms), (None, None));
    whole["request_duration_ms"] = json!("");
    assert_eq!(row(&whole).latency_ms, Some(2_500.0), "from the times");
}

#[test]
fn a_cut_prompt_is_not_replayed_and_a_cut_answer_is_marked() {
    let cut = "ab... (litellm_truncated skipped 99 chars. Truncated for the database) ...yz";
    let body = json!({"messages": [{"role": "user", "content": cut}]}).to_string();
    let prompt = row(&with(&[("proxy_server_request", json!(body))]));
    assert_eq!(prompt.not_replayable_reason.as_deref(), Some("truncated"));
    let answer = json!({"choices": [{"message": {"content": cut}}]}).to_string();
    let answer = row(&with(&[("response", json!(answer))]));
    assert_eq!((answer.content_state.as_str(), answer.replayable), ("truncated", true));
}

#[test]
fn failures_cache_hits_and_retries_stay_apart() {
    let failed = |class: &str, code: &str| {
        let information = json!({"error_information": {"error_code": code, "error_class": class,
            "error_message": "no"}, "status": "failure"});
        row(&with(&[
            ("metadata", json!(information.to_string())),
            ("status", json!("")),
            ("response", json!("{}")),
            ("prompt_tokens", json!("0")),
            ("completion_tokens", json!("0")),
        ]))
    };
    let vendor = failed("RateLimitError", "429");
    assert_eq!(vendor.error_class.as_deref(), Some("rate_limit_other"));
    assert_eq!((vendor.input_tokens, vendor.latency_baseline_reason), (None, None));
    let own = failed("ProxyException", "401");
    assert_eq!(own.latency_baseline_reason.as_deref(), Some("gateway_answer"));
    let hit = row(&with(&[
        ("cache_hit", json!("True")),
        ("litellm_call_id", json!("")),
        ("request_id", json!("chatcmpl-1_cache_hit1793597601.59")),
    ]));
    assert_eq!((hit.request_id.as_str(), hit.cache_hit), ("chatcmpl-1", Some(true)));
    assert_eq!(hit.latency_baseline_reason.as_deref(), Some("cache_hit"));
    assert_eq!(row(&with(&[("cache_hit", json!("False"))])).cache_hit, Some(false));
    let retried = row(&with(&[("metadata", json!("{\"attempted_retries\": 1}"))]));
    assert_eq!((retried.attempt, retried.latency_baseline_reason.as_deref()), (2, Some("retried")));
}

#[test]
fn other_calls_and_sums_are_told_apart_and_faults_are_named() {
    let embedding = row(&with(&[("call_type", json!("aembedding"))]));
    assert_eq!(embedding.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(embedding.operation, "embeddings");
    let batch = with(&[("call_type", json!("aretrieve_batch"))]);
    assert_eq!(reading(&batch), Reading::Filtered(FilterReason::Aggregate));
    let day = json!({"startTime": "2026-11-02", "spend": 1.5, "users": {}, "models": {}});
    assert_eq!(reading(&day), Reading::Filtered(FilterReason::Aggregate));
    for (changes, reason) in [
        ([("startTime", json!("")), ("x", json!(1))], RejectReason::MissingField),
        ([("startTime", json!("soon")), ("x", json!(1))], RejectReason::BadField),
        ([("request_id", json!("")), ("litellm_call_id", json!(""))], RejectReason::MissingField),
    ] {
        assert!(matches!(reading(&with(&changes)), Reading::Reject(found, _) if found == reason));
    }
    for name in csv_row().as_object().unwrap().keys() {
        for odd in [json!(5), json!([1]), json!({"a": {}}), Value::Null] {
            reading(&with(&[(name, odd)]));
        }
    }
}

#[test]
fn the_table_is_known_by_its_columns_and_payloads_are_not_taken_for_it() {
    assert_eq!(LiteLlmSpendLogs.sniff(&[csv_row()]), Confidence::CERTAIN);
    let payload = json!({"call_type": "acompletion", "startTime": 1.0, "endTime": 2.0,
        "messages": [], "response": {}});
    assert_eq!(LiteLlmSpendLogs.sniff(std::slice::from_ref(&payload)), Confidence::NONE);
    assert_eq!(super::super::litellm::LiteLlm.sniff(&[csv_row()]), Confidence::NONE);
}
