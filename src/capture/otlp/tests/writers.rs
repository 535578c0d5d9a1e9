//! What particular writers do: LiteLLM, Langfuse, vLLM, console exporters; and failures.

use super::*;

fn failed(attributes: &Value, message: &str, exception: Option<(&str, &str)>) -> Value {
    let events: Vec<Value> = exception
        .into_iter()
        .map(|(kind, message)| {
            json!({"name": "exception", "timeUnixNano": START_NS.to_string(), "attributes":
                pairs(&json!({"exception.type": kind, "exception.message": message,
                    "exception.stacktrace": "File \"/srv/app.py\""}))})
        })
        .collect();
    let changes = json!({"status": {"code": 2, "message": message}, "events": events});
    with(&span("eee19b7ec3c1b174", "", attributes), &changes)
}

fn chat() -> Value {
    json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.input.messages":
            [{"role": "user", "parts": [{"type": "text", "content": "Printer is on fire"}]}]})
}

#[test]
fn failures_have_the_class_that_status_exception_or_message_show() {
    let limit = "Error code: 429 - Rate limit reached on tokens per min (TPM): Limit 30000";
    let chunk = json!({"gen_ai.response.time_to_first_chunk": 0.2});
    for (attributes, message, exception, class, status) in [
        (chat(), limit, None, "rate_limit_tokens", Some(429)),
        (chat(), "", Some(("openai.RateLimitError", "slow down")), "rate_limit_other", Some(429)),
        (chat(), "", Some(("openai.APITimeoutError", "")), "timeout_total", None),
        (chat(), "Connection error.", None, "refused", None),
        (with(&chat(), &chunk), "Connection error.", None, "stream_truncated", None),
        (with(&chat(), &chunk), "The server had an error", None, "stream_error", None),
        (with(&chat(), &json!({"error.type": "503"})), "", None, "overloaded", Some(503)),
        (
            with(&chat(), &json!({"http.response.status_code": 401})),
            "denied",
            None,
            "auth",
            Some(401),
        ),
        (chat(), "odd", None, "unknown", None),
    ] {
        let [row] = rows(&[spans(&[failed(&attributes, message, exception)])]).try_into().unwrap();
        assert_eq!(row.error_class.as_deref(), Some(class), "{message} {exception:?}");
        assert_eq!(row.status_code, status, "{message} {exception:?}");
        assert!(row.replayable);
        assert!(!serde_json::to_string(&row).unwrap().contains("/srv/app.py"));
    }
    let handled =
        with(&failed(&chat(), "", Some(("KeyError", "x"))), &json!({"status": {"code": 1}}));
    assert_eq!(rows(&[spans(&[handled])])[0].error_class, None, "an exception that was handled");
}

#[test]
fn chunk_events_tell_the_first_token_and_that_it_was_a_stream() {
    let chunk = |ms: i64| {
        json!({"name": "gen_ai.content.completion.chunk",
            "timeUnixNano": (START_NS + ms * 1_000_000).to_string()})
    };
    let events = json!({"events": [chunk(420), chunk(400), chunk(440)]});
    let streamed = with(&span("eee19b7ec3c1b174", "", &chat()), &events);
    let [row] = rows(&[spans(&[streamed])]).try_into().unwrap();
    assert_eq!((row.ttft_ms, row.stream), (Some(400.0), Some(true)));
    assert_eq!(body(&row)["stream"], true);
}

/// LiteLLM's span of a call and the one below it of what it sent.
fn litellm(call_id: &str, changes: &Value) -> Vec<Value> {
    let outer = json!({
        "gen_ai.operation.name": "acompletion", "llm.request.type": "acompletion",
        "litellm.call_id": call_id, "litellm.model_group": "chat-default",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o-mini", "llm.is_streaming": "False",
        "metadata.user_api_key_request_route": "/v1/chat/completions", "llm.user": "u-17",
        "metadata.requester_metadata": "{'tenant': 'acme', 'session_id': 'sess-0', \
            'tags': ['prod'], 'headers': {'x-app-key': 'do not keep'}}",
        "hidden_params": "{\"cache_key\": null}", "gen_ai.cost.total_cost": 0.000_121_8,
        "gen_ai.input.messages": "[{\"role\": \"user\", \"parts\": [{\"type\": \"text\", \
            \"content\": \"Printer is on fire\"}]}]",
        "gen_ai.output.messages": "[{\"role\": \"assistant\", \"parts\": \
            [{\"type\": \"text\", \"content\": \"I open one.\"}], \
            \"finish_reason\": \"tool_calls\"}]",
        "gen_ai.completion.0.function_call.name": "open_ticket",
        "gen_ai.completion.0.function_call.arguments": "{\"severity\":\"high\"}",
        "llm.request.functions.0.name": "open_ticket",
        "gen_ai.usage.input_tokens": 812, "gen_ai.usage.output_tokens": 64
    });
    let raw = json!({"llm.openai.messages": "[{'role': 'user', 'content': 'Printer is on fire'}]",
        "llm.openai.stop": "['\\n\\n']", "llm.openai.seed": 7, "llm.openai.temperature": 0,
        "llm.openai.response_format": "{'type': 'json_object'}",
        "llm.openai.choices": "[{'a': 1}]"});
    let raw = with(
        &span("a000000000000003", "a000000000000002", &raw),
        &json!({"name": "raw_gen_ai_request"}),
    );
    let proxy = span("a000000000000001", "", &json!({"http.route": "/v1/chat/completions"}));
    vec![raw, span("a000000000000002", "a000000000000001", &with(&outer, changes)), proxy]
}

#[test]
fn a_call_through_litellms_proxy_is_one_row_with_what_was_sent() {
    let record = spans_of("litellm", &litellm("call-1", &json!({})));
    let [row] = rows(std::slice::from_ref(&record)).try_into().unwrap();
    let sent = body(&row);
    assert_eq!(
        (&sent["stop"], &sent["seed"], &sent["temperature"]),
        (&json!(["\n\n"]), &json!(7), &json!(0))
    );
    assert_eq!(sent["response_format"], json!({"type": "json_object"}));
    assert_eq!((row.request_id.as_str(), row.request_model.as_str()), ("call-1", "chat-default"));
    assert_eq!(row.session_id.as_deref(), Some("sess-0"));
    assert_eq!((row.tenant.as_deref(), row.tags.as_deref()), (Some("acme"), Some(r#"["prod"]"#)));
    assert_eq!(row.user_id.as_deref(), Some("u-17"));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
    assert_eq!(
        (row.latency_scope.as_deref(), row.usage_source.as_deref()),
        (Some("gateway"), Some("gateway"))
    );
    assert_eq!((row.cost_nanousd, row.stream, row.cache_hit), (Some(121_800), Some(false), None));
    let calls = r#"[{"id":"call_0","name":"open_ticket","arguments":"{\"severity\":\"high\"}"}]"#;
    assert_eq!(row.tool_calls.as_deref(), Some(calls));
    assert_eq!(row.response_text.as_deref(), Some("I open one."));
    assert!(row.replayable);
    let parts: Vec<Reading> = Otlp.read(&record, &ReadContext::default());
    assert!(!format!("{parts:?}").contains("do not keep"), "headers are not even carried");

    let hit = litellm("call-2", &json!({"hidden_params": "{\"cache_key\": \"16767f\"}"}));
    let [hit] = rows(&[spans_of("litellm", &hit)]).try_into().unwrap();
    assert_eq!(
        (hit.cache_hit, hit.latency_baseline_reason.as_deref()),
        (Some(true), Some("cache_hit"))
    );
}

#[test]
fn a_fallback_in_litellm_is_two_rows_of_one_identifier() {
    let failed = json!({"error.type": "InternalServerError", "error.code": "500",
        "gen_ai.response.id": "call-1"});
    let mut attempts = litellm("call-1", &json!({"gen_ai.response.id": "chatcmpl-1"}));
    let first = litellm("call-1", &failed).remove(1);
    attempts.push(with(&first, &json!({"spanId": "a00000000000000a", "status": {"code": 2}})));
    let rows = rows(&[spans_of("litellm", &attempts)]);
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.request_id == "call-1"));
    let classes: Vec<Option<&str>> = rows.iter().map(|row| row.error_class.as_deref()).collect();
    assert_eq!(classes, [None, Some("server_error")]);
}

#[test]
fn langfuses_own_defaults_are_no_parameters_and_a_json_answer_stays_text() {
    let input = json!({"messages": [{"role": "user", "content": "Describe Paris."}],
        "tools": [{"type": "function", "function": {"name": "f"}}]});
    let generation = |output: &str| {
        json!({
            "langfuse.observation.type": "generation", "langfuse.session.id": "s-1",
            "langfuse.observation.model.name": "gpt-4o-mini", "langfuse.user.id": "u-1",
            "langfuse.observation.input": input.to_string(), "langfuse.observation.output": output,
            "langfuse.observation.model.parameters": "{\"temperature\": 1, \"max_tokens\": \
                \"Infinity\", \"top_p\": 0.9, \"frequency_penalty\": 0, \"seed\": 7}",
            "langfuse.observation.completion_start_time": "\"2026-11-02T05:33:21.650000Z\"",
            "langfuse.observation.usage_details": "{\"input\": 300, \"input_cached_tokens\": 512, \
                \"output\": 64}",
            "langfuse.trace.tags": ["prod"],
            "langfuse.observation.metadata.finish_reason": "\"stop\""
        })
    };
    let row1 = row(&generation("{\"city\": \"Paris\"}"));
    let body1 = body(&row1);
    let names: Vec<&String> = body1.as_object().unwrap().keys().collect();
    assert_eq!(names, ["model", "messages", "top_p", "seed", "tools", "stream"]);
    assert_eq!(row1.response_text.as_deref(), Some("{\"city\": \"Paris\"}"));
    assert_eq!((row1.ttft_ms, row1.stream), (Some(400.0), Some(true)));
    assert_eq!((row1.input_tokens, row1.cache_read_input_tokens), (Some(812), Some(512)));
    assert_eq!((row1.session_id.as_deref(), row1.user_id.as_deref()), (Some("s-1"), Some("u-1")));
    assert_eq!(
        (row1.tags.as_deref(), row1.finish_reason.as_deref()),
        (Some(r#"["prod"]"#), Some("stop"))
    );
    let message = row(&generation("{\"role\": \"assistant\", \"content\": \"Big.\"}"));
    assert_eq!(message.response_text.as_deref(), Some("Big."));
    let token = "[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": \
        {\"url\": \"@@@langfuseMedia:type=image/png|id=x@@@\"}}]}]";
    let media = row(&with(&generation("A pixel."), &json!({"langfuse.observation.input": token})));
    assert_eq!(media.not_replayable_reason.as_deref(), Some("media_elided"));
}

#[test]
fn a_span_of_the_engine_is_a_row_without_content_or_adds_to_its_client() {
    let engine = json!({"gen_ai.response.model": "gpt-4o-mini", "gen_ai.usage.prompt_tokens": 812,
        "gen_ai.usage.completion_tokens": 64, "gen_ai.latency.time_to_first_token": 0.4,
        "gen_ai.latency.e2e": 2.5, "gen_ai.request.max_tokens": 300});
    let server = span("a000000000000002", "a000000000000001", &engine);
    let [row] =
        rows(&[spans_of("vllm.llm_engine", std::slice::from_ref(&server))]).try_into().unwrap();
    assert_eq!(
        (row.latency_scope.as_deref(), row.usage_source.as_deref()),
        (Some("engine"), Some("provider"))
    );
    assert_eq!((row.input_tokens, row.ttft_ms), (Some(812), Some(400.0)));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    let client = spans(&[span("a000000000000001", "", &chat())]);
    let [row] = rows(&[client, spans_of("vllm.llm_engine", &[server])]).try_into().unwrap();
    assert_eq!((row.latency_scope.as_deref(), row.input_tokens), (Some("client"), Some(812)));
    assert!(row.replayable);
}

#[test]
fn lines_of_console_exporters_and_bare_spans_are_read_like_batches() {
    let python = json!({"name": "chat gpt-4o-mini",
        "context": {"trace_id": format!("0x{TRACE}"), "span_id": "0xeee19b7ec3c1b174"},
        "kind": "SpanKind.CLIENT", "parent_id": null, "start_time": "2026-11-02T05:33:21.250000Z",
        "end_time": "2026-11-02T05:33:23.750000Z", "status": {"status_code": "UNSET"},
        "attributes": generation_c(), "events": [],
        "resource": {"attributes": {"service.name": "faq-bot"}}});
    let javascript = json!({"resource": {"attributes": {"service.name": "faq-bot"}},
        "instrumentationScope": {"name": "example"}, "traceId": TRACE, "id": "eee19b7ec3c1b174",
        "name": "chat gpt-4o-mini", "timestamp": START_NS / 1_000, "duration": 2_500_000,
        "attributes": generation_c(), "status": {"code": 0}, "events": []});
    let expected = row(&generation_c());
    let bare = span("eee19b7ec3c1b174", "", &generation_c());
    for line in [python, javascript] {
        assert_eq!(rows(std::slice::from_ref(&line)).first(), Some(&expected), "{line}");
    }
    let [bare] = rows(&[bare]).try_into().unwrap();
    assert_eq!((bare.request_id, bare.latency_ms), (expected.request_id, Some(2_500.0)));
    let whole = json!({"resourceSpans": [spans(&[])], "resourceLogs": []});
    assert_eq!(filtered(&[whole]), [FilterReason::NotLlm]);
}
