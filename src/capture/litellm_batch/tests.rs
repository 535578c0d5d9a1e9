//! What the reader of LiteLLM's batch items makes of them.

use serde_json::{Value, json};

use super::*;

fn record() -> Value {
    json!({"batch_id": "batch_9", "custom_id": "t-1", "status": "completed",
        "request": {"custom_id": "t-1", "method": "POST", "url": "/v1/chat/completions",
            "body": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]}},
        "response": {"status_code": 200, "body": {"object": "chat.completion",
            "created": 1_793_600_100, "model": "gpt-4o-mini-2024-07-18", "choices": [{"index": 0,
            "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}},
        "usage": {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13},
        "response_cost": 0.000_001, "model": "openai/gpt-4o-mini", "custom_llm_provider": "openai",
        "metadata": {"user_api_key_team_alias": "support"}})
}

fn row(record: &Value) -> CapturedExchange {
    match LiteLlmBatch.read(record, &ReadContext::default()).remove(0) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_item_fills_every_column_that_it_has() {
    let row = row(&record());
    assert_eq!((row.request_id.as_str(), row.captured_at), ("batch_9:t-1", 1_793_600_100_000_000));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(12), Some(1)));
    assert_eq!(row.usage_source.as_deref(), Some("gateway"));
    assert_eq!((row.cost_nanousd, row.provider.as_deref()), (Some(1_000), Some("openai")));
    assert_eq!(row.tenant.as_deref(), Some("support"));
    assert_eq!(row.response_text.as_deref(), Some("Hello"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("batch"));
    assert!(row.replayable);
}

#[test]
fn bare_bodies_texts_and_failures_are_read_and_faults_are_named() {
    let mut bare = record();
    bare["request"] = json!(record()["request"]["body"].to_string());
    bare["response"] = record()["response"]["body"].clone();
    let bare = row(&bare);
    assert!(bare.replayable);
    assert_eq!(bare.response_text.as_deref(), Some("Hello"));
    let mut failed = record();
    failed["status"] = json!("failed");
    failed["response"] = Value::Null;
    failed["usage"] = Value::Null;
    let failed = row(&failed);
    assert_eq!((failed.error_class.as_deref(), failed.input_tokens), (Some("unknown"), None));
    let mut nameless = record();
    nameless["custom_id"] = Value::Null;
    let reading = LiteLlmBatch.read(&nameless, &ReadContext::default()).remove(0);
    assert!(matches!(reading, Reading::Reject(RejectReason::MissingField, _)));
    let audit = json!({"table_name": "keys", "changed_by": "admin"});
    let reading = LiteLlmBatch.read(&audit, &ReadContext::default()).remove(0);
    assert_eq!(reading, Reading::Filtered(FilterReason::NotLlm));
    for name in record().as_object().unwrap().keys() {
        for odd in [json!(5), json!([1]), json!({"a": {}}), json!("x"), Value::Null] {
            let mut record = record();
            record[name] = odd;
            LiteLlmBatch.read(&record, &ReadContext::default());
        }
    }
}

#[test]
fn items_are_known_by_the_batch_and_its_cost() {
    assert_eq!(LiteLlmBatch.sniff(&[record()]), Confidence::CERTAIN);
    let line = json!({"custom_id": "t-1", "response": {}, "error": null});
    assert_eq!(LiteLlmBatch.sniff(&[line]), Confidence::NONE);
}
