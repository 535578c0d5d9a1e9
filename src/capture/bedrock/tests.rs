//! What the reader of Bedrock's logs makes of the traps that the format has.

use serde_json::{Value, json};

use super::*;

fn log(operation: &str, model: &str, input: &Value, output: &Value) -> Value {
    json!({
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0",
        "timestamp": "2026-11-02T05:33:21Z", "accountId": "111122223333", "region": "us-east-1",
        "identity": {"arn": "arn:aws:sts::111122223333:assumed-role/app/sess-9"},
        "requestId": "2f1e6d0c", "operation": operation, "modelId": model,
        "input": {"inputContentType": "application/json", "inputBodyJson": input,
            "inputTokenCount": 300, "cacheReadInputTokenCount": 512,
            "cacheWriteInputTokenCount": 0},
        "output": {"outputContentType": "application/json", "outputBodyJson": output,
            "outputTokenCount": 64},
        "requestMetadata": {"team": "support", "stage": "prod"}
    })
}

fn converse() -> Value {
    let input = json!({"messages": [{"role": "user", "content": [{"text": "Printer is on fire"}]}],
        "inferenceConfig": {"maxTokens": 300, "temperature": 0.2}});
    let output = json!({"output": {"message": {"role": "assistant",
        "content": [{"text": "Evacuate."}]}}, "stopReason": "end_turn",
        "metrics": {"latencyMs": 2500},
        "usage": {"inputTokens": 300, "outputTokens": 64, "totalTokens": 876,
            "cacheReadInputTokens": 512, "cacheWriteInputTokens": 0}});
    log("Converse", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", &input, &output)
}

fn anthropic_body() -> Value {
    json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 300, "system": "Be brief.",
        "messages": [{"role": "user", "content": "Printer is on fire"}]})
}

fn streamed() -> Value {
    let events = json!([
        {"type": "message_start", "message": {"type": "message", "role": "assistant",
            "model": "claude-sonnet-4-5-20250929", "content": [],
            "usage": {"input_tokens": 300, "cache_read_input_tokens": 512, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0,
            "content_block": {"type": "tool_use", "id": "t1", "name": "alarm", "input": {}}},
        {"type": "content_block_delta", "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": "{\"floor\":3}"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 64}},
        {"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 300,
            "outputTokenCount": 64, "invocationLatency": 2480, "firstByteLatency": 390}}
    ]);
    let model =
        "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0";
    log("InvokeModelWithResponseStream", model, &anthropic_body(), &events)
}

fn readings(record: &Value) -> Vec<Reading> {
    Bedrock.read(record, &ReadContext::default())
}

fn row(record: &Value) -> CapturedExchange {
    match readings(record).remove(0) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_of_converse_fills_every_column_that_it_has() {
    let row = row(&converse());
    assert_eq!((row.request_id.as_str(), row.user_id.as_deref()), ("2f1e6d0c", Some("sess-9")));
    assert_eq!((row.captured_at, row.time_resolution_ms), (1_793_597_601_000_000, Some(1000.0)));
    assert_eq!(
        (row.provider.as_deref(), row.tenant.as_deref()),
        (Some("bedrock"), Some("support"))
    );
    assert_eq!(row.tags.as_deref(), Some(r#"["stage:prod"]"#));
    assert_eq!(row.request_model, "anthropic.claude-sonnet-4-5-20250929-v1:0");
    let billed = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    assert_eq!(row.response_model.as_deref(), Some(billed));
    assert_eq!(row.dialect.as_deref(), Some("bedrock_converse"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)), "300 + 512");
    assert_eq!(
        (row.cache_read_input_tokens, row.usage_source.as_deref()),
        (Some(512), Some("provider"))
    );
    assert_eq!((row.latency_ms, row.ttft_ms, row.stream), (Some(2500.0), None, Some(false)));
    assert_eq!(row.latency_scope.as_deref(), Some("provider"));
    assert_eq!((row.status_code, row.error_class.as_deref()), (Some(200), None));
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    assert_eq!(row.finish_reason.as_deref(), Some("stop"));
    assert!(row.latency_baseline_ok);
    let mut stream = converse();
    stream["operation"] = json!("ConverseStream");
    assert_eq!(self::row(&stream).stream, Some(true));
}

#[test]
fn a_stream_of_events_is_put_together_with_both_times() {
    let row = row(&streamed());
    assert_eq!((row.latency_ms, row.ttft_ms), (Some(2480.0), Some(390.0)));
    assert_eq!(
        row.tool_calls.as_deref(),
        Some(r#"[{"id":"t1","name":"alarm","arguments":"{\"floor\":3}"}]"#)
    );
    assert_eq!(row.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!(row.request_model, "anthropic.claude-sonnet-4-5-20250929-v1:0");
    let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
    assert_eq!((&body["stream"], &body["model"]), (&json!(true), &json!(row.request_model)));
    assert_eq!((row.dialect.as_deref(), row.replayable), (Some("anthropic_messages"), true));
    assert!(row.latency_baseline_ok && row.error_class.is_none());
    let mut cut = streamed();
    cut["output"]["outputBodyJson"].as_array_mut().unwrap().truncate(3);
    assert_eq!(self::row(&cut).error_class.as_deref(), Some("stream_truncated"));
}

#[test]
fn a_plain_invocation_has_no_latency() {
    let output = json!({"type": "message", "role": "assistant", "model": "claude-x",
        "content": [{"type": "text", "text": "Run."}], "stop_reason": "end_turn"});
    let id = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2";
    let row = row(&log("InvokeModel", id, &anthropic_body(), &output));
    assert_eq!(
        (row.latency_ms, row.latency_baseline_reason.as_deref()),
        (None, Some("no_latency"))
    );
    assert_eq!(
        (row.request_model.as_str(), row.response_model.as_deref()),
        ("a1b2", Some("claude-x"))
    );
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)), "the log's own");
    assert!(row.replayable && !serde_json::to_string(&row).unwrap().contains("111122223333"));
}

#[test]
fn bodies_of_other_vendors_are_kept_with_text_and_tokens_but_not_replayed() {
    let metrics = json!({"inputTokenCount": 15, "outputTokenCount": 4, "invocationLatency": 700,
        "firstByteLatency": 90});
    let whole = [
        ("meta.llama3-8b", json!({"generation": "Run.", "stop_reason": "stop"})),
        (
            "amazon.titan-text",
            json!({"results": [{"outputText": "Run.", "completionReason": "FINISH"}]}),
        ),
        ("mistral.mistral-7b", json!({"outputs": [{"text": "Run.", "stop_reason": "stop"}]})),
    ];
    for (model, answer) in whole {
        let row = row(&log("InvokeModel", model, &json!({"prompt": "Fire?"}), &answer));
        assert_eq!(row.response_text.as_deref(), Some("Run."), "{model}");
        assert_eq!(
            (row.finish_reason.as_deref(), row.operation.as_str()),
            (Some("stop"), "text_completion")
        );
        assert_eq!(row.not_replayable_reason.as_deref(), Some("unsupported_dialect"));
        assert!(row.request_body.is_some_and(|body| body.contains("Fire?")));
    }
    let events = json!([{"generation": "Ru"}, {"generation": "n.", "stop_reason": "length",
        "amazon-bedrock-invocationMetrics": metrics}]);
    let operation = "InvokeModelWithResponseStream";
    let mut record = log(operation, "meta.llama3-8b", &json!({"prompt": "Fire?"}), &events);
    record["input"].as_object_mut().unwrap().retain(|name, _| !name.ends_with("Count"));
    let row = row(&record);
    assert_eq!(
        (row.response_text.as_deref(), row.finish_reason.as_deref()),
        (Some("Run."), Some("length"))
    );
    assert_eq!((row.input_tokens, row.ttft_ms), (Some(15), Some(90.0)), "of the metrics");
    let nova = json!({"schemaVersion": "messages-v1", "system": [{"text": "Be brief."}],
        "messages": [{"role": "user", "content": [{"text": "Fire?"}]}]});
    let nova = self::row(&log("InvokeModel", "us.amazon.nova-lite-v1:0", &nova, &Value::Null));
    assert_eq!(nova.not_replayable_reason.as_deref(), Some("unsupported_dialect"));
}

#[test]
fn openais_models_are_asked_in_openais_dialect() {
    let input = json!({"messages": [{"role": "user", "content": "Fire?"}], "max_tokens": 9});
    let output = json!([
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Run."}}]},
        {"object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    ]);
    let operation = "InvokeModelWithResponseStream";
    let row = row(&log(operation, "openai.gpt-oss-120b-1:0", &input, &output));
    assert_eq!((row.dialect.as_deref(), row.replayable), (Some("openai_chat"), true));
    assert_eq!((row.response_text.as_deref(), row.error_class), (Some("Run."), None));
}

#[test]
fn content_that_lies_elsewhere_or_was_left_out_is_said_to_be_missing() {
    let mut outsourced = converse();
    outsourced["input"] = json!({"inputContentType": "application/json", "inputTokenCount": 9,
        "inputBodyS3Path": "s3://bucket.example.com/data/2f1e6d0c_input.json.gz"});
    let row = row(&outsourced);
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert_eq!((row.content_state.as_str(), row.request_body.as_deref()), ("absent", None));
    outsourced["input"]["inputContentType"] = json!("image/png");
    let reason = self::row(&outsourced).not_replayable_reason;
    assert_eq!(reason.as_deref(), Some("media_elided"));
    let mut picture = streamed();
    let part = json!([{"type": "image", "source": {"type": "base64", "media_type": "image/png"}}]);
    picture["input"]["inputBodyJson"]["messages"][0]["content"] = part;
    let reason = self::row(&picture).not_replayable_reason;
    assert_eq!(reason.as_deref(), Some("media_elided"));
}

#[test]
fn failures_have_their_class_and_no_tokens() {
    let mut failed = converse();
    failed["errorCode"] = json!("ThrottlingException");
    failed["output"] = Value::Null;
    failed["input"]["inputTokenCount"] = json!(0);
    failed["input"]["cacheReadInputTokenCount"] = json!(0);
    let row = row(&failed);
    assert_eq!(
        (row.error_class.as_deref(), row.status_code),
        (Some("rate_limit_other"), Some(429))
    );
    assert_eq!((row.input_tokens, row.output_tokens, row.usage_source), (None, None, None));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
}

#[test]
fn embeddings_are_kept_speech_is_no_chat_and_counting_calls_no_model() {
    let embedding = log(
        "InvokeModel",
        "amazon.titan-embed-text-v2:0",
        &json!({"inputText": "x"}),
        &json!({"embedding": [0.1], "inputTextTokenCount": 3}),
    );
    let row = row(&embedding);
    assert_eq!(row.operation, "embeddings");
    assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"));
    let mut speech = converse();
    speech["operation"] = json!("InvokeModelWithBidirectionalStream");
    assert_eq!(self::row(&speech).operation, "realtime");
    let mut counting = converse();
    counting["operation"] = json!("CountTokens");
    assert_eq!(readings(&counting), [Reading::Filtered(FilterReason::NotLlm)]);
}

#[test]
fn wrong_types_and_missing_members_are_told_and_never_fatal() {
    let rejected = |record: &Value| match readings(record).remove(0) {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected(&json!("x")), RejectReason::NotAnObject);
    assert_eq!(rejected(&json!({"timestamp": 1})), RejectReason::MissingField);
    assert_eq!(rejected(&json!({"operation": "Converse"})), RejectReason::MissingField);
    let soon = json!({"operation": "Converse", "timestamp": "soon"});
    assert_eq!(rejected(&soon), RejectReason::BadField);
    for record in [converse(), streamed()] {
        let names: Vec<String> = record.as_object().unwrap().keys().cloned().collect();
        for name in names.iter().filter(|name| !["timestamp", "operation"].contains(&name.as_str()))
        {
            for value in [json!(-5), json!("{"), json!([1]), json!(null), json!({"a": [1]})] {
                let mut record = record.clone();
                record[name.as_str()] = value;
                assert!(!row(&record).request_id.is_empty());
            }
        }
    }
}

#[test]
fn invocation_logs_are_known_by_their_schema() {
    assert_eq!(Bedrock.sniff(&[converse(), streamed()]), Confidence::CERTAIN);
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "operation": "x"});
    assert_eq!(Bedrock.sniff(&[plain]), Confidence::NONE);
}
