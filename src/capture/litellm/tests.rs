//! What the reader of LiteLLM's payload makes of the traps that the format has.

use serde_json::{Value, json};

use super::super::reason::RejectReason;
use super::*;
use crate::dataset::CapturedExchange;

/// A streamed chat completion as the proxy logs it.
fn payload() -> Value {
    json!({
        "id": "chatcmpl-1", "litellm_call_id": "call-1", "trace_id": "trace-1", "session_id": "",
        "call_type": "acompletion", "cache_hit": false, "stream": true, "status": "success",
        "custom_llm_provider": "openai", "startTime": 1_793_597_601.25,
        "endTime": 1_793_597_603.75, "completionStartTime": 1_793_597_601.65,
        "response_time": 0.4, "model": "openai/gpt-4o-mini", "model_group": "chat-default",
        "response_cost": 0.000_121_8, "prompt_tokens": 812, "completion_tokens": 64,
        "end_user": "u-17", "request_tags": ["prod", "User-Agent: curl"],
        "messages": [{"role": "system", "content": "File tickets."},
                     {"role": "user", "content": "Printer is on fire"}],
        "response": {"model": "gpt-4o-mini-2024-07-18", "choices": [{"index": 0,
            "finish_reason": "tool_calls", "message": {"role": "assistant", "content": null,
            "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "open_ticket",
            "arguments": "{\"severity\":\"high\"}"}}]}}],
            "usage": {"prompt_tokens": 812, "completion_tokens": 64,
                "prompt_tokens_details": {"cached_tokens": 512},
                "completion_tokens_details": {"reasoning_tokens": 7}}},
        "model_parameters": {"temperature": 0.2, "max_tokens": 300, "stream": true,
            "tools": [{"type": "function", "function": {"name": "open_ticket"}}]},
        "metadata": {"user_api_key_team_alias": "support",
            "user_api_key_request_route": "/chat/completions",
            "requester_metadata": {"headers": {"x-secret": "do not keep"}}}
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut record = payload();
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn reading(record: &Value) -> Reading {
    LiteLlm.read(record, &ReadContext::default()).remove(0)
}

fn row(record: &Value) -> CapturedExchange {
    match reading(record) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

fn failure(code: &str, message: &str) -> Value {
    with(&[
        ("status", json!("failure")),
        ("stream", Value::Null),
        ("response", json!({})),
        ("prompt_tokens", json!(0)),
        ("completion_tokens", json!(0)),
        ("error_information", json!({"error_code": code, "error_message": message})),
    ])
}

#[test]
fn a_streamed_completion_fills_every_column_that_it_has() {
    let row = row(&payload());
    let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
    let names: Vec<&String> = body.as_object().unwrap().keys().collect();
    assert_eq!(names, ["model", "messages", "temperature", "max_tokens", "stream", "tools"]);
    assert_eq!(body["model"], "chat-default");
    assert_eq!(row.request_id, "call-1");
    assert_eq!(row.session_id.as_deref(), Some("trace-1"));
    assert_eq!(row.user_id.as_deref(), Some("u-17"));
    assert_eq!(row.captured_at, 1_793_597_601_250_000);
    assert_eq!(row.latency_ms, Some(2_500.0));
    assert_eq!(row.ttft_ms, Some(400.0));
    assert_eq!(row.stream, Some(true));
    assert_eq!(row.route.as_deref(), Some("/chat/completions"));
    assert_eq!(row.tenant.as_deref(), Some("support"));
    assert_eq!(row.tags.as_deref(), Some(r#"["prod"]"#));
    assert_eq!(row.dialect.as_deref(), Some("openai_chat"));
    assert_eq!((row.tool_count, row.message_count, row.turn_index), (1, 2, Some(1)));
    assert_eq!((row.temperature, row.max_output_tokens), (Some(0.2), Some(300)));
    let calls = r#"[{"id":"c1","name":"open_ticket","arguments":"{\"severity\":\"high\"}"}]"#;
    assert_eq!(row.tool_calls.as_deref(), Some(calls));
    assert_eq!(row.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!((row.cache_read_input_tokens, row.reasoning_output_tokens), (Some(512), Some(7)));
    assert_eq!(row.usage_source.as_deref(), Some("provider"));
    assert_eq!(row.cost_nanousd, Some(121_800));
    assert_eq!((row.status_code, row.error_class.as_deref()), (Some(200), None));
    assert!(row.replayable && row.latency_baseline_ok);
    assert_eq!(row.content_state, "complete");
    assert!(!serde_json::to_string(&row).unwrap().contains("do not keep"));
}

#[test]
fn an_answer_in_one_piece_has_no_first_token() {
    let record = with(&[
        ("stream", Value::Null),
        ("model_parameters", json!({"stream": false})),
        ("completionStartTime", json!(1_793_597_603.75)),
        ("response_time", json!(2.5)),
    ]);
    let row = row(&record);
    assert_eq!((row.stream, row.ttft_ms, row.latency_ms), (Some(false), None, Some(2_500.0)));
}

#[test]
fn a_cache_hit_keeps_the_first_identifier_and_stays_out_of_the_baseline() {
    let record = with(&[
        ("id", json!("chatcmpl-9_cache_hit1793597601.5969744")),
        ("litellm_call_id", Value::Null),
        ("cache_hit", json!(true)),
    ]);
    let row = row(&record);
    assert_eq!(row.request_id, "chatcmpl-9");
    assert!(row.replayable && !row.latency_baseline_ok);
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("cache_hit"));
    let kept = with(&[("litellm_call_id", json!("a_cache_hit_of_mine"))]);
    assert_eq!(self::row(&kept).request_id, "a_cache_hit_of_mine");
}

#[test]
fn failures_are_classed_and_their_zero_tokens_are_unknown() {
    for (code, message, class) in [
        ("429", "Rate limit reached on tokens per min (TPM)", "rate_limit_tokens"),
        ("429", "Rate limit reached on requests per min (RPM)", "rate_limit_requests"),
        ("408", "Request timed out.", "timeout_total"),
        ("400", "This model's maximum context length is 8192 tokens", "context_length"),
        ("400", "bad `n`", "invalid_request"),
        ("401", "", "auth"),
        ("403", "", "permission"),
        ("404", "", "not_found"),
        ("413", "", "payload_too_large"),
        ("502", "<html>", "server_error"),
        ("503", "", "overloaded"),
        ("", "strange", "unknown"),
    ] {
        let row = row(&failure(code, message));
        assert_eq!(row.error_class.as_deref(), Some(class), "{code} {message}");
        assert_eq!(row.status_code, code.parse().ok());
        assert_eq!((row.input_tokens, row.output_tokens, row.usage_source), (None, None, None));
        assert_eq!(row.stream, Some(true), "the parameters tell");
        assert!(row.replayable && row.response_text.is_none());
    }
}

#[test]
fn tokens_without_a_status_are_a_stream_that_broke() {
    let mut record = failure("", "Response payload is not completed");
    record["prompt_tokens"] = json!(40);
    record["completion_tokens"] = json!(59);
    let row = row(&record);
    assert_eq!(row.error_class.as_deref(), Some("stream_truncated"));
    assert_eq!((row.status_code, row.output_tokens), (None, Some(59)));
    assert_eq!(row.usage_source.as_deref(), Some("gateway"));
}

#[test]
fn the_model_is_the_alias_else_the_deployment_without_its_provider() {
    let model = |group: Value, model: &str, provider: Value| {
        let changes =
            [("model_group", group), ("model", json!(model)), ("custom_llm_provider", provider)];
        row(&with(&changes)).request_model
    };
    assert_eq!(model(json!("alias"), "openai/gpt", json!("openai")), "alias");
    assert_eq!(model(Value::Null, "openai/gpt", json!("openai")), "gpt");
    assert_eq!(model(Value::Null, "meta-llama/Llama", json!("hosted_vllm")), "meta-llama/Llama");
    assert_eq!(model(Value::Null, "bedrock/us.x", Value::Null), "us.x");
}

#[test]
fn anthropic_messages_get_their_system_back_and_the_rewritten_answer_is_read() {
    let record = with(&[
        ("call_type", json!("anthropic_messages")),
        ("model_parameters", json!({"max_tokens": 512})),
    ]);
    let row = row(&record);
    let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
    assert_eq!(body["system"], "File tickets.");
    assert_eq!(body["messages"], json!([{"role": "user", "content": "Printer is on fire"}]));
    assert_eq!(body["stream"], true);
    assert_eq!(row.dialect.as_deref(), Some("anthropic_messages"));
    assert_eq!(row.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!(row.prompt_fingerprint, self::row(&payload()).prompt_fingerprint);
    assert!(row.replayable);
}

#[test]
fn calls_that_generate_no_text_are_kept_apart_and_management_is_filtered() {
    for (call, operation) in [
        ("aembedding", "embeddings"),
        ("aimage_generation", "image"),
        ("amoderation", "moderation"),
        ("atranscription", "audio"),
        ("arerank", "rerank"),
        ("_arealtime", "realtime"),
        ("aocr", "other"),
    ] {
        let row = row(&with(&[("call_type", json!(call))]));
        assert_eq!(row.operation, operation);
        assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"), "{call}");
        assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"), "{call}");
    }
    for (call, reason) in [
        ("aretrieve_batch", FilterReason::Aggregate),
        ("acreate_batch", FilterReason::NotLlm),
        ("afile_list", FilterReason::NotLlm),
        ("never_heard_of", FilterReason::NotLlm),
    ] {
        let record = with(&[("call_type", json!(call))]);
        assert_eq!(reading(&record), Reading::Filtered(reason), "{call}");
    }
    let audit = json!({"table_name": "keys", "changed_by": "admin", "startTime": 1});
    assert_eq!(reading(&audit), Reading::Filtered(FilterReason::NotLlm));
}

#[test]
fn content_that_the_writer_took_away_is_not_replayed() {
    let state = |changes: &[(&str, Value)]| {
        let row = row(&with(changes));
        (row.content_state, row.not_replayable_reason)
    };
    let some = |text: &str| Some(text.to_owned());
    let redacted = json!([{"role": "user", "content": "redacted-by-litellm"}]);
    assert_eq!(state(&[("messages", redacted)]), ("redacted".into(), some("redacted")));
    let picture = json!([{"role": "user", "content": [{"type": "image_url", "image_url":
        {"url": "data:image/png;base64,[base64_data truncated: 72B]"}}]}]);
    assert_eq!(state(&[("messages", picture)]), ("truncated".into(), some("truncated")));
    let python = json!("[{'role': 'user', 'content': 'hi'}]");
    assert_eq!(state(&[("messages", python)]), ("truncated".into(), some("truncated")));
    for nothing in [Value::Null, json!([]), json!("")] {
        let expected = ("absent".into(), some("no_request_content"));
        assert_eq!(state(&[("messages", nothing)]), expected);
    }
    let answer = json!({"choices": [{"message": {"content": "redacted-by-litellm"}}]});
    assert_eq!(state(&[("response", answer)]), ("redacted".into(), None));
}

#[test]
fn probes_experiments_retries_and_odd_times_stay_out_of_the_baseline() {
    let reason = |changes: &[(&str, Value)]| row(&with(changes)).latency_baseline_reason.unwrap();
    assert_eq!(reason(&[("metadata", json!({"is_silent_experiment": true}))]), "silent_experiment");
    assert_eq!(reason(&[("request_tags", json!(["health-check"]))]), "health_check");
    let retries = json!({"additional_headers": {"x-litellm-attempted-retries": 2}});
    assert_eq!(reason(&[("hidden_params", retries)]), "retried");
    assert_eq!(reason(&[("endTime", json!(1_793_597_600.0))]), "bad_timing");
    assert_eq!(reason(&[("endTime", Value::Null)]), "bad_timing");
    assert_eq!(reason(&[("completionStartTime", json!(1_793_597_609.0))]), "bad_timing");
}

#[test]
fn what_the_format_requires_is_asked_for_by_name() {
    let rejected = |changes: &[(&str, Value)]| match reading(&with(changes)) {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected(&[("startTime", Value::Null)]), RejectReason::MissingField);
    assert_eq!(rejected(&[("startTime", json!("soon"))]), RejectReason::BadField);
    let nameless = [("litellm_call_id", Value::Null), ("id", Value::Null)];
    assert_eq!(rejected(&nameless), RejectReason::MissingField);
}

#[test]
fn a_payload_of_the_oldest_version_is_read_too() {
    let record = json!({"id": "a", "startTime": 1.0, "endTime": 2.0, "model": "gpt",
        "messages": [{"role": "user", "content": "hi"}],
        "response": {"choices": [{"message": {"content": "ho"}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 1}}});
    let row = row(&record);
    assert_eq!(row.response_text.as_deref(), Some("ho"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(3), Some(1)));
    assert_eq!(row.usage_source.as_deref(), Some("provider"));
}

#[test]
fn responses_are_put_together_with_what_only_the_answer_repeats() {
    let answer = json!({"object": "response", "model": "gpt-4o", "instructions": "Be brief.",
        "temperature": 1.0, "tools": [], "status": "completed", "output": [{"type": "message",
            "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]}],
        "usage": {"completion_tokens": 64, "prompt_tokens": 812,
            "prompt_tokens_details": {"cached_tokens": 512}}});
    let record = with(&[
        ("call_type", json!("aresponses")),
        ("messages", json!([{"role": "user", "content": "Hi"}])),
        ("model_parameters", json!({"stream": true})),
        ("response", answer),
    ]);
    let row = row(&record);
    assert_eq!(row.dialect.as_deref(), Some("openai_responses"));
    assert_eq!(
        row.request_body.as_deref(),
        Some(
            r#"{"model":"chat-default","input":[{"role":"user","content":"Hi"}],"stream":true,"instructions":"Be brief."}"#
        )
    );
    assert_eq!((row.input_tokens, row.cache_read_input_tokens), (Some(812), Some(512)));
}

#[test]
fn prompts_that_were_wrapped_as_messages_are_unwrapped() {
    let body = |call: &str, messages: Value| {
        let record = with(&[
            ("call_type", json!(call)),
            ("messages", messages),
            ("stream", json!(false)),
            ("model_parameters", json!({})),
        ]);
        serde_json::from_str::<Value>(row(&record).request_body.as_deref().unwrap()).unwrap()
    };
    let user = |text: &str| json!({"role": "user", "content": text});
    let one = body("atext_completion", json!([user("Once")]));
    assert_eq!(one, json!({"model": "chat-default", "prompt": "Once"}));
    let two = body("aembedding", json!([user("a"), user("b")]));
    assert_eq!(two, json!({"model": "chat-default", "input": ["a", "b"]}));
    let forwarded = json!({"model": "claude", "max_tokens": 9, "system": "s",
        "messages": [user("Hi")]});
    let record = with(&[
        ("call_type", json!("pass_through_endpoint")),
        ("messages", json!([user(&forwarded.to_string())])),
        ("api_base", json!("https://api.anthropic.com/v1/messages")),
        (
            "response",
            json!({"response": "{\"type\": \"message\", \"model\": \"claude\", \
            \"content\": [{\"type\": \"text\", \"text\": \"Ho\"}]}"}),
        ),
    ]);
    let row = row(&record);
    assert_eq!(row.request_body, Some(forwarded.to_string()));
    assert_eq!(row.dialect.as_deref(), Some("anthropic_messages"));
    assert_eq!(row.response_text.as_deref(), Some("Ho"));
}

#[test]
fn generate_content_logs_the_last_message_alone_and_a_placeholder_is_no_prompt() {
    let gemini = |messages: Value| {
        row(&with(&[("call_type", json!("agenerate_content")), ("messages", messages)]))
    };
    let last = gemini(json!([{"role": "user", "content": "And then?"}]));
    assert_eq!(last.dialect.as_deref(), Some("gemini"));
    assert_eq!(last.not_replayable_reason.as_deref(), Some("truncated"));
    let whole = gemini(json!([{"role": "user", "parts": [{"text": "Hi"}]}]));
    assert_ne!(whole.not_replayable_reason.as_deref(), Some("truncated"));
    let nothing = gemini(json!([{"role": "user", "content": "default-message-value"}]));
    assert_eq!(nothing.not_replayable_reason.as_deref(), Some("no_request_content"));
}

#[test]
fn answers_that_a_writer_cut_or_left_out_are_no_answers() {
    let python = json!(
        "{'id': 'chatcmpl-1', 'choices': [...truncated by litellm, this logger \
                        does not support large content"
    );
    let cut = row(&with(&[("response", python)]));
    assert_eq!((cut.response_text, cut.content_state.as_str()), (None, "truncated"));
    assert_eq!((cut.replayable, cut.usage_source.as_deref()), (true, Some("gateway")));
    let prompts_only = row(&with(&[("response", Value::Null)]));
    assert_eq!((prompts_only.response_text, prompts_only.status_code), (None, Some(200)));
    assert_eq!(prompts_only.content_state, "complete");
    let redacted = row(&with(&[("response", json!({"text": "redacted-by-litellm"}))]));
    assert_eq!((redacted.response_text, redacted.content_state.as_str()), (None, "redacted"));
}

#[test]
fn what_the_gateway_itself_refuses_is_not_the_providers_failure() {
    let refused = |class: &str, more: Value| {
        let mut record = failure("429", "no");
        record["error_information"]["error_class"] = json!(class);
        for (name, value) in more.as_object().unwrap() {
            record["error_information"][name] = value.clone();
        }
        let row = row(&record);
        (row.error_class.unwrap(), row.latency_baseline_reason)
    };
    let own = Some("gateway_answer".to_owned());
    let limit = json!({"error_rate_limit_category": "litellm_rate_limit",
        "error_rate_limit_type": "tokens"});
    assert_eq!(refused("RateLimitError", limit), ("rate_limit_tokens".into(), own.clone()));
    let vendor = json!({"error_rate_limit_category": "vendor_rate_limit"});
    assert_eq!(refused("RateLimitError", vendor), ("rate_limit_other".into(), None));
    assert_eq!(refused("BudgetExceededError", json!({})), ("billing".into(), own.clone()));
    let blocked = refused("GuardrailRaisedException", json!({}));
    assert_eq!(blocked, ("content_blocked".into(), own.clone()));
    assert_eq!(refused("HTTPException", json!({})).1, own);
    let mut intervened = failure("400", "no");
    intervened["status_fields"] = json!({"guardrail_status": "guardrail_intervened"});
    assert_eq!(row(&intervened).latency_baseline_reason, own);
}

#[test]
fn times_are_those_of_the_gateway_and_a_fallback_is_a_later_attempt() {
    let headers = json!({"additional_headers": {"x-litellm-attempted-fallbacks": 1}});
    let row = row(&with(&[("hidden_params", headers)]));
    assert_eq!((row.attempt, row.latency_baseline_ok), (2, true));
    assert_eq!(row.latency_scope.as_deref(), Some("gateway"));
    assert_eq!((row.time_basis.as_deref(), row.time_resolution_ms), (Some("epoch"), Some(0.001)));
}

#[test]
fn no_value_of_another_type_makes_the_reader_fail() {
    for call in [
        "acompletion",
        "anthropic_messages",
        "aresponses",
        "agenerate_content",
        "pass_through_endpoint",
        "atext_completion",
        "aembedding",
    ] {
        for name in payload().as_object().unwrap().keys() {
            for odd in [json!(5), json!([1]), json!({"a": {}}), json!("x"), Value::Null] {
                reading(&with(&[("call_type", json!(call)), (name, odd)]));
            }
        }
    }
}
