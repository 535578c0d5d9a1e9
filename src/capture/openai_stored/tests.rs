//! What the reader of stored chat completions makes of them.

use serde_json::{Value, json};

use super::*;

fn stored() -> Value {
    json!({"object": "chat.completion", "id": "chatcmpl-S1", "model": "gpt-4.1-2025-04-14",
        "created": 1_793_600_200, "request_id": "req_11", "tool_choice": null, "tools": null,
        "usage": {"total_tokens": 31, "completion_tokens": 18, "prompt_tokens": 13}, "seed": 1,
        "top_p": 1.0, "temperature": 0.0, "presence_penalty": 0.0, "frequency_penalty": 0.0,
        "input_user": "u-3", "service_tier": "default", "metadata": {"app": "faq",
        "session_id": "s-1"}, "choices": [{"index": 0, "message": {"role": "assistant",
        "content": "Yes."}, "finish_reason": "stop"}], "response_format": null,
        "messages": [{"id": "msg-0", "role": "user", "content": "Open on Sunday?", "name": null}]})
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut record = stored();
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn reading(record: &Value) -> Reading {
    OpenAiStored.read(record, &ReadContext::default()).remove(0)
}

fn row(record: &Value) -> CapturedExchange {
    match reading(record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stored_completion_with_its_messages_is_an_exchange_without_latency() {
    let row = row(&stored());
    assert_eq!((row.request_id.as_str(), row.provider.as_deref()), ("chatcmpl-S1", Some("openai")));
    assert_eq!(
        row.request_body.as_deref(),
        Some(
            r#"{"model":"gpt-4.1-2025-04-14","messages":[{"role":"user","content":"Open on Sunday?"}],"temperature":0.0,"top_p":1.0,"presence_penalty":0.0,"frequency_penalty":0.0,"seed":1,"user":"u-3"}"#
        )
    );
    assert_eq!((row.captured_at, row.time_resolution_ms), (1_793_600_200_000_000, Some(1_000.0)));
    assert_eq!((row.user_id.as_deref(), row.session_id.as_deref()), (Some("u-3"), Some("s-1")));
    assert_eq!(row.tags.as_deref(), Some(r#"["app=faq","session_id=s-1"]"#));
    assert_eq!((row.response_text.as_deref(), row.stream), (Some("Yes."), None));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(13), Some(18)));
    assert_eq!(row.usage_source.as_deref(), Some("provider"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
    assert!(row.replayable);
}

#[test]
fn messages_come_in_several_ways_or_not_at_all() {
    let count = |changes: &[(&str, Value)]| row(&with(changes)).message_count;
    let page = json!({"object": "list", "data": stored()["messages"]});
    assert_eq!(count(&[("messages", page)]), 1);
    assert_eq!(count(&[("messages", json!(stored()["messages"].to_string()))]), 1);
    assert_eq!(count(&[("messages", Value::Null), ("input", json!("Open?"))]), 1);
    let mut whole = stored()["messages"].as_array().unwrap().clone();
    whole.push(json!({"role": "assistant", "content": "Yes."}));
    assert_eq!(count(&[("messages", json!(whole))]), 1, "the answer is not part of the request");
    let parts = json!([{"role": "user", "content": null, "content_parts": [
        {"type": "text", "text": "Open on Sunday?"}]}]);
    let parts = row(&with(&[("messages", parts)]));
    assert_eq!(parts.prompt_fingerprint, row(&stored()).prompt_fingerprint);
    let bare = row(&with(&[("messages", Value::Null)]));
    assert_eq!(bare.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert_eq!(bare.response_text.as_deref(), Some("Yes."));
}

#[test]
fn a_tool_call_is_kept_and_faults_are_named() {
    let message = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c1",
        "type": "function", "function": {"name": "hours", "arguments": "{}"}}]});
    let choice = json!([{"index": 0, "message": message, "finish_reason": "tool_calls"}]);
    let tools = json!([{"type": "function", "function": {"name": "hours"}}]);
    let called = row(&with(&[("choices", choice), ("tools", tools)]));
    assert_eq!((called.tool_count, called.finish_reason.as_deref()), (1, Some("tool_calls")));
    assert!(called.tool_calls.unwrap().contains("hours"));
    for (name, value, reason) in [
        ("created", Value::Null, RejectReason::MissingField),
        ("created", json!("soon"), RejectReason::BadField),
        ("object", json!("list"), RejectReason::BadField),
    ] {
        let found = reading(&with(&[(name, value)]));
        assert!(
            matches!(&found, Reading::Reject(own, detail)
            if *own == reason && detail.contains(name)),
            "{found:?}"
        );
    }
    for name in stored().as_object().unwrap().keys() {
        for odd in [json!(5), json!([1]), json!({"a": {}}), json!("x"), Value::Null] {
            reading(&with(&[(name, odd)]));
        }
    }
}

#[test]
fn items_are_known_by_what_they_echo() {
    assert_eq!(OpenAiStored.sniff(&[stored()]), Confidence::CERTAIN);
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "response":
        {"object": "chat.completion", "choices": []}});
    let answer = json!({"object": "chat.completion", "choices": [], "created": 1});
    assert_eq!(OpenAiStored.sniff(&[plain]), Confidence::NONE);
    assert_eq!(OpenAiStored.sniff(&[answer]), Confidence::NONE);
}
