//! What the reader of Portkey's logs makes of the traps that the format has.

use serde_json::{Value, json};

use super::*;

fn export() -> Value {
    json!({
        "id": "046b", "trace_id": "8ecf", "created_at": "2026-11-02T05:33:21.250Z",
        "ai_org": "openai", "ai_model": "gpt-4o-mini-2024-07-18",
        "request_url": "https://api.openai.com/v1/chat/completions",
        "req_units": 812, "res_units": 64, "total_units": 876,
        "cost": 0.000_121_8, "cost_currency": "USD", "response_time": 2500,
        "response_status_code": 200, "prompt_slug": "triage",
        "request": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Fire"}]},
        "response": {"choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Evacuate."}}]},
        "metadata": {"_user": "u-17", "environment": "prod"}
    })
}

fn stored() -> Value {
    json!({
        "_id": {"$oid": "65f0"}, "created_at": "2026-11-02T05:33:21.250Z",
        "organisation_id": "org-1",
        "request": {"url": "https://api.anthropic.com/v1/messages", "method": "POST",
            "headers": {"cookie": "do-not-keep", "x-api-key": "do-not-keep"},
            "portkeyHeaders": {"x-portkey-config": "do-not-keep"},
            "body": {"model": "claude-sonnet-4-5", "max_tokens": 50, "stream": false,
                "messages": [{"role": "user", "content": "Fire"}]}},
        "response": {"status": 200, "responseTime": 900,
            "headers": {"X-Portkey-Cache-Status": "MISS", "x-portkey-retry-attempt-count": "0",
                "set-cookie": "do-not-keep"},
            "body": {"type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
                "content": [{"type": "text", "text": "Run."}], "stop_reason": "end_turn",
                "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 3}}}
    })
}

fn metric() -> Value {
    json!({
        "id": "m-1", "trace_id": "t-1", "created_at": "2026-11-02 05:33:21", "is_success": 1.0,
        "ai_org": "azure-openai", "ai_model": "gpt-4o", "req_units": 20, "res_units": 4,
        "cache_status": "miss", "stream_mode": 1, "ttlt": 1500, "response_time": 400,
        "retry_success_count": 0, "cost": 3, "metadata": {"key": ["_user", "team"],
            "value": ["u-2", "ops"]}
    })
}

fn reading(record: &Value) -> Reading {
    Portkey.read(record, &ReadContext::default()).remove(0)
}

fn row(record: &Value) -> CapturedExchange {
    match reading(record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

fn with(mut record: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

#[test]
fn an_exported_log_fills_every_column_that_it_has() {
    let row = row(&export());
    assert_eq!((row.request_id.as_str(), row.session_id.as_deref()), ("046b", Some("8ecf")));
    assert_eq!(row.captured_at, 1_793_597_601_250_000);
    assert_eq!(row.request_model, "gpt-4o-mini");
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!((row.provider.as_deref(), row.user_id.as_deref()), (Some("openai"), Some("u-17")));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
    assert_eq!(row.tags.as_deref(), Some(r#"["environment:prod","prompt:triage"]"#));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!(row.usage_source.as_deref(), Some("gateway"));
    assert_eq!((row.latency_ms, row.ttft_ms), (Some(2500.0), None));
    assert_eq!((row.cost_nanousd, row.status_code), (Some(121_800), Some(200)));
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    assert!(row.replayable && row.latency_baseline_ok);
}

#[test]
fn the_other_set_of_names_and_texts_of_json_lead_to_the_same_row() {
    let record = export();
    let renamed = json!({
        "id": "046b", "trace_id": "8ecf", "created_at": record["created_at"],
        "ai_provider": "openai", "ai_model": record["ai_model"],
        "request_url": record["request_url"], "request_tokens": 812, "response_tokens": 64,
        "cost": record["cost"], "cost_currency": "usd", "response_time": "2500",
        "status_code": 200, "prompt_slug": "triage", "request": record["request"].to_string(),
        "response": record["response"].to_string(), "metadata": record["metadata"].to_string()
    });
    assert_eq!(row(&renamed), row(&record));
}

#[test]
fn a_stored_object_is_unwrapped_and_its_headers_stay_behind() {
    let row = row(&stored());
    assert_eq!((row.request_id.as_str(), row.latency_ms), ("65f0", Some(900.0)));
    assert_eq!(row.dialect.as_deref(), Some("anthropic_messages"));
    assert_eq!((row.input_tokens, row.usage_source.as_deref()), (Some(15), Some("provider")));
    assert_eq!((row.cache_hit, row.response_text.as_deref()), (Some(false), Some("Run.")));
    assert!(!serde_json::to_string(&row).unwrap().contains("do-not-keep"));
    let mut hit = stored();
    hit["response"]["headers"]["X-Portkey-Cache-Status"] = json!("SEMANTIC HIT");
    assert_eq!(self::row(&hit).latency_baseline_reason.as_deref(), Some("cache_hit"));
    let mut retried = stored();
    retried["response"]["headers"]["x-portkey-retry-attempt-count"] = json!("-1");
    let retried = self::row(&retried);
    assert_eq!(retried.attempt, 2);
    assert_eq!(retried.latency_baseline_reason.as_deref(), Some("retried"));
    let mut bare = stored();
    bare["request"].as_object_mut().unwrap().remove("body");
    let bare = self::row(&bare);
    assert_eq!(bare.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert!(!serde_json::to_string(&bare).unwrap().contains("do-not-keep"));
}

#[test]
fn a_metric_row_has_its_last_tokens_time_and_parallel_lists_of_metadata() {
    let row = row(&metric());
    assert_eq!((row.latency_ms, row.stream, row.ttft_ms), (Some(1500.0), Some(true), None));
    assert_eq!((row.user_id.as_deref(), row.tenant.as_deref()), (Some("u-2"), Some("ops")));
    assert_eq!((row.provider.as_deref(), row.content_state.as_str()), (Some("azure"), "absent"));
    assert_eq!(row.time_basis.as_deref(), Some("assumed_utc"));
    let failed = self::row(&with(metric(), &[("is_success", json!(0.0))]));
    assert_eq!((failed.error_class.as_deref(), failed.status_code), (Some("unknown"), None));
}

#[test]
fn a_cost_counts_only_in_a_stated_unit_that_can_be() {
    let of = |cost: f64, currency: Value| {
        let row = row(&with(export(), &[("cost", json!(cost)), ("cost_currency", currency)]));
        (row.cost_nanousd, row.flaws.first().cloned().unwrap_or_default())
    };
    assert_eq!(of(0.002, json!("USD")), (Some(2_000_000), String::new()));
    assert_eq!(of(0.2, json!("cents")), (Some(2_000_000), String::new()));
    assert_eq!(of(0.002, Value::Null), (None, "cost_unit_unstated".into()));
    assert_eq!(of(0.002, json!("EUR")), (None, "cost_unit_unstated".into()));
    assert_eq!(of(5.0, json!("USD")), (None, "cost_implausible".into()), "876 tokens");
}

#[test]
fn failures_and_guardrails_are_classed_and_attempts_of_a_fallback_share_their_session() {
    let error = json!({"error": {"message": "Limit on requests per min (RPM)"}});
    let failed = with(
        export(),
        &[("id", json!("1")), ("response_status_code", json!(429)), ("response", error)],
    );
    let failed = row(&failed);
    assert_eq!(failed.error_class.as_deref(), Some("rate_limit_requests"));
    let second = row(&with(export(), &[("id", json!("2"))]));
    assert_eq!(failed.session_id, second.session_id);
    assert_eq!(failed.prompt_fingerprint, second.prompt_fingerprint);
    let denied = row(&with(export(), &[("response_status_code", json!(446))]));
    assert_eq!(denied.error_class.as_deref(), Some("content_blocked"));
    assert_eq!(denied.latency_baseline_reason.as_deref(), Some("gateway_answer"));
}

#[test]
fn an_embedding_is_kept_but_not_replayed() {
    let row = row(&with(
        export(),
        &[
            ("request_url", json!("https://api.openai.com/v1/chat/completions")),
            ("request", json!({"model": "text-embedding-3-small", "input": "fire"})),
        ],
    ));
    assert!(!row.replayable, "the body is no chat");
    assert_eq!(row.request_model, "text-embedding-3-small");
}

#[test]
fn wrong_types_and_missing_members_are_told_and_never_fatal() {
    let rejected = |record: &Value| match reading(record) {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected(&json!([1])), RejectReason::NotAnObject);
    assert_eq!(rejected(&json!({"id": "1"})), RejectReason::MissingField);
    assert_eq!(rejected(&json!({"created_at": "soon"})), RejectReason::BadField);
    let bare = row(&json!({"created_at": 1_793_597_601}));
    assert!(bare.request_id.starts_with("row-"));
    for record in [export(), stored(), metric()] {
        let names: Vec<String> = record.as_object().unwrap().keys().cloned().collect();
        for name in names.iter().filter(|name| *name != "created_at") {
            for value in [json!(5), json!("{"), json!([1]), json!(null), json!({"body": [1]})] {
                let row = row(&with(record.clone(), &[(name.as_str(), value)]));
                assert!(!row.request_id.is_empty());
            }
        }
    }
}

#[test]
fn all_three_shapes_are_known_and_strangers_are_not() {
    for record in [export(), stored(), metric()] {
        assert_eq!(Portkey.sniff(&[record]), Confidence::CERTAIN);
    }
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "response": {}});
    assert_eq!(Portkey.sniff(&[plain]), Confidence::NONE);
}
