//! What the reader of Cloudflare's logs makes of the traps that the format has.

use serde_json::{Value, json};

use super::*;

fn api() -> Value {
    json!({
        "id": "01JC", "created_at": "2026-11-02T05:33:21.250Z", "provider": "openai",
        "model": "gpt-4o-mini", "model_type": "", "path": "chat/completions", "request_type": "",
        "request_content_type": "application/json", "response_content_type": "text/event-stream",
        "status_code": 200, "success": true, "cached": false, "duration": 2500,
        "tokens_in": 812, "tokens_out": 64, "cost": 0.000_121_8, "custom_cost": false,
        "metadata": "{\"user\":\"u-17\",\"env\":\"prod\"}", "step": 0
    })
}

fn pushed() -> Value {
    let sealed = json!({"key": "a2V5", "iv": "aXY", "data": "Y2lwaGVy"});
    json!({
        "Gateway": "main", "Provider": "anthropic", "Model": "claude-sonnet-4-5",
        "Endpoint": "v1/messages", "StatusCode": 200, "Cached": false, "RateLimited": false,
        "Metadata": sealed, "RequestBody": sealed, "ResponseBody": sealed
    })
}

fn with(mut record: Value, changes: &[(&str, Value)]) -> Value {
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn reading(record: &Value) -> Reading {
    Cloudflare.read(record, &ReadContext::default()).remove(0)
}

fn row(record: &Value) -> CapturedExchange {
    match reading(record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_log_of_the_api_fills_every_column_that_it_has() {
    let row = row(&api());
    assert_eq!((row.request_id.as_str(), row.captured_at), ("01JC", 1_793_597_601_250_000));
    assert_eq!(
        (row.provider.as_deref(), row.request_model.as_str()),
        (Some("openai"), "gpt-4o-mini")
    );
    assert_eq!((row.latency_ms, row.ttft_ms, row.stream), (Some(2500.0), None, Some(true)));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!(row.usage_source.as_deref(), Some("gateway"));
    assert_eq!((row.cost_nanousd, row.cache_hit), (Some(121_800), Some(false)));
    assert_eq!(
        (row.user_id.as_deref(), row.tags.as_deref()),
        (Some("u-17"), Some(r#"["env:prod"]"#))
    );
    assert_eq!((row.route.as_deref(), row.attempt), (Some("/chat/completions"), 1));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert!(row.latency_baseline_ok);
}

#[test]
fn bodies_that_were_fetched_beside_the_log_make_it_replayable() {
    let request =
        json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Fire"}]});
    let response = json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "message":
        {"content": null, "tool_calls": [{"id": "c1", "type": "function",
            "function": {"name": "alarm", "arguments": "{}"}}]}}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 7}});
    let record =
        with(api(), &[("request_body", json!(request.to_string())), ("response_body", response)]);
    let row = row(&record);
    assert!(row.replayable && row.tool_calls.is_some_and(|calls| calls.contains("alarm")));
    assert_eq!((row.input_tokens, row.usage_source.as_deref()), (Some(900), Some("provider")));
}

#[test]
fn encrypted_rows_keep_their_plain_columns_and_no_cipher() {
    let row = row(&pushed());
    assert_eq!(row.not_replayable_reason.as_deref(), Some("encrypted"));
    assert_eq!((row.content_state.as_str(), row.captured_at), ("absent", 0));
    assert_eq!((row.provider.as_deref(), row.status_code), (Some("anthropic"), Some(200)));
    assert_eq!(
        (row.tenant.as_deref(), row.request_model.as_str()),
        (Some("main"), "claude-sonnet-4-5")
    );
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
    assert!(!serde_json::to_string(&row).unwrap().contains("Y2lwaGVy"));
}

#[test]
fn values_without_a_key_are_plain() {
    let body = json!({"model": "claude-sonnet-4-5", "max_tokens": 9,
        "messages": [{"role": "user", "content": "Fire"}]});
    for request in [json!({"data": body.to_string()}), body.clone(), json!(body.to_string())] {
        let row = row(&with(pushed(), &[("RequestBody", request)]));
        assert_eq!((row.dialect.as_deref(), row.replayable), (Some("anthropic_messages"), true));
    }
}

#[test]
fn cache_hits_fallbacks_and_answers_of_the_gateway_are_told_apart() {
    let hit = row(&with(api(), &[("cached", json!(true)), ("cost", json!(0))]));
    assert_eq!((hit.cost_nanousd, hit.cache_hit), (Some(0), Some(true)));
    assert_eq!(hit.latency_baseline_reason.as_deref(), Some("cache_hit"));
    let second = row(&with(api(), &[("step", json!(1))]));
    assert_eq!((second.attempt, second.latency_baseline_ok), (2, true));
    let blocked = row(&with(api(), &[("status_code", json!(424))]));
    assert_eq!(blocked.error_class.as_deref(), Some("content_blocked"));
    assert_eq!(blocked.latency_baseline_reason.as_deref(), Some("gateway_answer"));
    let limited = with(pushed(), &[("RateLimited", json!(true)), ("StatusCode", json!(429))]);
    let limited = row(&limited);
    assert_eq!(limited.error_class.as_deref(), Some("rate_limit_requests"));
    assert_eq!(limited.latency_baseline_reason.as_deref(), Some("gateway_answer"));
    let failed = row(&with(api(), &[("status_code", json!(503)), ("success", json!(false))]));
    assert_eq!(
        (failed.error_class.as_deref(), failed.status_code),
        (Some("overloaded"), Some(503))
    );
}

#[test]
fn zero_is_unknown_for_tokens_and_cost() {
    let zeros = [("tokens_in", json!(0)), ("tokens_out", json!(0)), ("cost", json!(0))];
    let row = row(&with(api(), &zeros));
    assert_eq!((row.input_tokens, row.output_tokens, row.cost_nanousd), (None, None, None));
    assert_eq!(row.usage_source, None);
}

#[test]
fn wrong_types_and_missing_members_are_told_and_never_fatal() {
    let rejected = |record: &Value| match reading(record) {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected(&json!("x")), RejectReason::NotAnObject);
    assert_eq!(rejected(&with(api(), &[("created_at", Value::Null)])), RejectReason::MissingField);
    assert_eq!(rejected(&with(api(), &[("created_at", json!("soon"))])), RejectReason::BadField);
    assert!(row(&json!({})).request_id.starts_with("row-"));
    for record in [api(), pushed()] {
        let names: Vec<String> = record.as_object().unwrap().keys().cloned().collect();
        for name in names.iter().filter(|name| *name != "created_at") {
            for value in [json!(-5), json!("{"), json!([1]), json!(null), json!({"key": 1})] {
                let row = row(&with(record.clone(), &[(name.as_str(), value)]));
                assert!(!row.request_id.is_empty());
            }
        }
    }
}

#[test]
fn both_shapes_are_known_and_strangers_are_not() {
    assert_eq!(Cloudflare.sniff(&[api()]), Confidence::CERTAIN);
    assert_eq!(Cloudflare.sniff(&[pushed()]), Confidence::CERTAIN);
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "cached": true});
    assert_eq!(Cloudflare.sniff(&[plain]), Confidence::NONE);
}
