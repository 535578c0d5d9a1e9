//! What the reader of batch files makes of their two sides.

use serde_json::{Value, json};

use super::*;
use crate::dataset::CapturedExchange;

fn request() -> Value {
    json!({"custom_id": "t-1", "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": "gpt-4o-mini", "max_tokens": 5,
        "messages": [{"role": "user", "content": "Classify: refund please"}]}})
}

fn answer() -> Value {
    json!({"id": "batch_req_6a1", "custom_id": "t-1", "error": null, "response": {
        "status_code": 200, "request_id": "req_1", "body": {"id": "chatcmpl-a1",
        "object": "chat.completion", "created": 1_793_600_100, "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "billing"},
            "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 1,
            "prompt_tokens_details": {"cached_tokens": 0}}}}})
}

fn part(record: &Value) -> Part {
    match OpenAiBatch.read(record, &ReadContext::default()).remove(0) {
        Reading::Part(part) => part,
        other => panic!("{other:?}"),
    }
}

fn joined(records: &[Value]) -> Vec<(usize, Reading)> {
    let parts: Vec<Part> = records.iter().map(part).collect();
    assert!(parts.windows(2).all(|pair| pair[0].key == pair[1].key), "{parts:?}");
    let records: Vec<Value> = parts.into_iter().map(|part| part.record).collect();
    OpenAiBatch.join(&records, &ReadContext::default())
}

fn row(records: &[Value]) -> CapturedExchange {
    match joined(records).as_slice() {
        [(_, Reading::Exchange(row))] => (**row).clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn request_and_answer_come_together_in_any_order() {
    let row = row(&[request(), answer()]);
    assert_eq!((row.request_id.as_str(), row.request_model.as_str()), ("t-1", "gpt-4o-mini"));
    assert_eq!(row.captured_at, 1_793_600_100_000_000);
    assert_eq!((row.time_basis.as_deref(), row.time_resolution_ms), (Some("epoch"), Some(1_000.0)));
    assert_eq!(row.dialect.as_deref(), Some("openai_chat"));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
    assert_eq!((row.status_code, row.response_text.as_deref()), (Some(200), Some("billing")));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(12), Some(1)));
    assert_eq!(row.usage_source.as_deref(), Some("provider"));
    assert_eq!((row.latency_ms, row.ttft_ms), (None, None));
    assert!(row.replayable);
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("batch"));
    assert_eq!(self::row(&[answer(), request()]), row);
    assert_eq!(joined(&[answer(), request()])[0].0, 1, "the request's place");
    assert_eq!(self::row(&[answer(), request(), answer()]), row, "shipped twice");
}

#[test]
fn one_side_alone_is_a_row_of_what_is_known() {
    let asked = row(&[request()]);
    assert!(asked.replayable);
    assert_eq!((asked.status_code, asked.response_text, asked.error_class), (None, None, None));
    assert_eq!((asked.captured_at, asked.time_basis), (0, None));
    let answered = row(&[answer()]);
    assert_eq!(answered.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert_eq!(answered.response_text.as_deref(), Some("billing"));
}

#[test]
fn an_identifier_of_two_batches_is_refused_and_named() {
    let mut other = request();
    other["body"]["max_tokens"] = json!(6);
    let refused = joined(&[request(), answer(), other]);
    assert_eq!(refused.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0, 1, 2]);
    for (_, reading) in refused {
        assert!(
            matches!(&reading, Reading::Reject(RejectReason::BadField, detail)
            if detail.contains("`custom_id`") && detail.contains("requests")),
            "{reading:?}"
        );
    }
    let mut second = answer();
    second["response"]["body"]["id"] = json!("chatcmpl-a2");
    assert!(matches!(joined(&[answer(), second])[0].1, Reading::Reject(..)));
}

#[test]
fn failures_are_those_of_the_answer_or_of_the_job() {
    let mut refused = answer();
    refused["response"] = json!({"status_code": 429, "body": {"error": {
        "message": "Limit on requests per min (RPM)", "type": "requests"}}});
    let failed = row(&[request(), refused]);
    assert_eq!(failed.status_code, Some(429));
    assert_eq!(failed.error_class.as_deref(), Some("rate_limit_requests"));
    let expired = json!({"id": "b", "custom_id": "t-1", "response": null,
        "error": {"code": "batch_expired", "message": "not executed in time"}});
    let expired = row(&[request(), expired]);
    assert_eq!(expired.error_class.as_deref(), Some("unknown"));
    assert_eq!(expired.error_message.as_deref(), Some("not executed in time"));
    let mut bare = answer();
    bare["response"] = json!({"status_code": 503, "body": null});
    assert_eq!(row(&[bare]).error_class.as_deref(), Some("overloaded"));
}

#[test]
fn batches_of_anthropic_and_gemini_are_read_too() {
    let asked = json!({"custom_id": "a-1", "params": {"model": "claude-sonnet", "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}]}});
    let answered = json!({"custom_id": "a-1", "result": {"type": "succeeded", "message": {
        "type": "message", "model": "claude-sonnet", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello"}],
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 2}}}});
    let row = row(&[asked.clone(), answered]);
    assert_eq!(row.dialect.as_deref(), Some("anthropic_messages"));
    assert_eq!((row.response_text.as_deref(), row.input_tokens), (Some("Hello"), Some(7)));
    let errored = json!({"custom_id": "a-1", "result": {"type": "errored", "error": {
        "type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}}});
    assert_eq!(self::row(&[errored]).error_class.as_deref(), Some("overloaded"));
    let cancelled = json!({"custom_id": "a-1", "result": {"type": "canceled"}});
    assert_eq!(self::row(&[asked, cancelled]).error_class.as_deref(), Some("unknown"));
    let contents = json!([{"role": "user", "parts": [{"text": "Hi"}]}]);
    let asked = json!({"key": "g-1", "request": {"contents": contents}});
    let gemini = part(&asked);
    assert_eq!(gemini.key, "gemini:g-1");
    assert!(self::row(&[asked]).request_body.unwrap().contains("\"parts\""));
}

#[test]
fn one_identifier_in_the_files_of_two_makers_is_two_calls() {
    let anthropic = json!({"custom_id": "t-1", "params": {}});
    assert_ne!(part(&request()).key, part(&anthropic).key);
}

#[test]
fn strange_records_are_set_aside_by_name_and_none_makes_the_reader_fail() {
    let reject = |record: Value| match OpenAiBatch.read(&record, &ReadContext::default()).remove(0)
    {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(reject(json!({"custom_id": "t-1"})), RejectReason::MissingField);
    assert_eq!(reject(json!({"custom_id": [], "error": {}})), RejectReason::BadField);
    for base in [request(), answer()] {
        for name in base.as_object().unwrap().keys() {
            for odd in [json!(5), json!([1]), json!({"a": {}}), json!("x"), Value::Null] {
                let mut record = base.clone();
                record[name] = odd;
                for reading in OpenAiBatch.read(&record, &ReadContext::default()) {
                    if let Reading::Part(part) = reading {
                        OpenAiBatch.join(&[part.record], &ReadContext::default());
                    }
                }
            }
        }
    }
}

#[test]
fn both_sides_are_known_by_their_members_and_other_logs_are_not_taken_for_them() {
    assert_eq!(OpenAiBatch.sniff(&[request()]), Confidence::CERTAIN);
    assert_eq!(OpenAiBatch.sniff(&[answer()]), Confidence::CERTAIN);
    let item = json!({"batch_id": "b", "custom_id": "t", "response": {}, "response_cost": 0});
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "response": {}});
    assert_eq!(OpenAiBatch.sniff(&[item]), Confidence::NONE);
    assert_eq!(OpenAiBatch.sniff(&[plain]), Confidence::NONE);
}
