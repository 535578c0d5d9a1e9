//! What the reader of OpenRouter's generations makes of the traps that the format has.

use serde_json::{Value, json};

use super::*;

fn generation() -> Value {
    json!({
        "id": "gen-17", "upstream_id": "chatcmpl-1", "model": "openai/gpt-4o-mini",
        "created_at": "2026-11-02T05:33:21.250000+00:00", "provider_name": "Azure",
        "streamed": true, "cancelled": false, "latency": 400, "moderation_latency": null,
        "generation_time": 2100, "finish_reason": "stop", "native_finish_reason": "stop",
        "tokens_prompt": 800, "tokens_completion": 63, "native_tokens_prompt": 812,
        "native_tokens_completion": 64, "native_tokens_reasoning": 0, "native_tokens_cached": 512,
        "total_cost": 0.000_121_8, "usage": 0.000_121_8, "is_byok": false,
        "external_user": "u-17", "api_type": "completions", "provider_responses": [{"status": 200}]
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut record = generation();
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn reading(record: &Value) -> Reading {
    OpenRouter.read(record, &ReadContext::default()).remove(0)
}

fn row(record: &Value) -> CapturedExchange {
    match reading(record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_generation_fills_every_column_that_it_has_wrapped_or_not() {
    let row = row(&generation());
    assert_eq!(row, self::row(&json!({"data": generation()})));
    assert_eq!((row.request_id.as_str(), row.captured_at), ("gen-17", 1_793_597_601_250_000));
    assert_eq!(row.request_model, "openai/gpt-4o-mini");
    assert_eq!(row.provider.as_deref(), Some("openrouter"));
    assert_eq!(row.tags.as_deref(), Some(r#"["served_by:azure"]"#));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)), "the billed ones");
    assert_eq!((row.cache_read_input_tokens, row.reasoning_output_tokens), (Some(512), Some(0)));
    assert_eq!((row.cost_nanousd, row.user_id.as_deref()), (Some(121_800), Some("u-17")));
    assert_eq!((row.finish_reason.as_deref(), row.status_code), (Some("stop"), Some(200)));
    assert_eq!((row.stream, row.attempt, row.error_class), (Some(true), 1, None));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
}

#[test]
fn latency_is_added_up_only_where_it_cannot_be_the_total_and_is_never_a_first_token() {
    let sum = row(&generation());
    assert_eq!((sum.latency_ms, sum.ttft_ms, sum.ttfb_ms), (Some(2500.0), None, None));
    assert_eq!(sum.latency_baseline_reason.as_deref(), Some("other_scope"));
    let unclear = row(&with(&[("latency", json!(1250)), ("generation_time", json!(1200))]));
    assert_eq!((unclear.latency_ms, unclear.ttft_ms), (None, None));
    assert_eq!(unclear.latency_baseline_reason.as_deref(), Some("no_latency"));
    assert_eq!(row(&with(&[("generation_time", Value::Null)])).latency_ms, None);
}

#[test]
fn fallbacks_failures_and_cancellations_are_told() {
    let fallback = json!([{"status": 503, "provider_name": "A"}, {"status": 200}]);
    let second = row(&with(&[("provider_responses", fallback)]));
    assert_eq!((second.attempt, second.status_code), (2, Some(200)));
    assert_eq!(second.latency_baseline_reason.as_deref(), Some("retried"));
    let failed = row(&with(&[("provider_responses", json!([{"status": 429}]))]));
    assert_eq!(failed.error_class.as_deref(), Some("rate_limit_other"));
    let cancelled = row(&with(&[("cancelled", json!(true)), ("finish_reason", Value::Null)]));
    assert_eq!(cancelled.error_class.as_deref(), Some("unknown"));
    let broken = row(&with(&[("finish_reason", json!("error"))]));
    assert_eq!(broken.error_class.as_deref(), Some("stream_error"));
}

#[test]
fn with_an_own_key_the_provider_charges_besides() {
    let own = [("is_byok", json!(true)), ("upstream_inference_cost", json!(0.001))];
    assert_eq!(row(&with(&own)).cost_nanousd, Some(1_121_800));
    assert_eq!(row(&with(&[("is_byok", json!(true))])).cost_nanousd, None, "the fee alone");
}

#[test]
fn an_embedding_is_kept_but_no_chat_and_a_daily_sum_is_filtered() {
    let row = row(&with(&[("api_type", json!("embeddings"))]));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"));
    let day = json!({"date": "2026-11-02", "model": "m", "requests": 50, "usage": 1.5});
    assert_eq!(reading(&day), Reading::Filtered(FilterReason::Aggregate));
}

#[test]
fn wrong_types_and_missing_members_are_told_and_never_fatal() {
    let rejected = |record: &Value| match reading(record) {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected(&json!(7)), RejectReason::NotAnObject);
    assert_eq!(rejected(&with(&[("created_at", Value::Null)])), RejectReason::MissingField);
    assert_eq!(rejected(&with(&[("created_at", json!("soon"))])), RejectReason::BadField);
    let bare = row(&json!({"created_at": 1_793_597_601}));
    assert_eq!((bare.input_tokens, bare.stream, bare.cost_nanousd), (None, None, None));
    let names: Vec<String> = generation().as_object().unwrap().keys().cloned().collect();
    for name in names.iter().filter(|name| *name != "created_at") {
        for value in [json!(-5), json!("x"), json!([1]), json!(null), json!({"a": 1})] {
            assert_eq!(row(&with(&[(name.as_str(), value)])).ttft_ms, None);
        }
    }
}

#[test]
fn generations_are_known_by_their_native_tokens() {
    assert_eq!(OpenRouter.sniff(&[generation()]), Confidence::CERTAIN);
    assert_eq!(OpenRouter.sniff(&[json!({"data": generation()})]), Confidence::CERTAIN);
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "latency": 5});
    assert_eq!(OpenRouter.sniff(&[plain]), Confidence::NONE);
}
