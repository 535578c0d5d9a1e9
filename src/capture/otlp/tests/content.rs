//! Requests and answers of every generation of the conventions.

use super::*;

/// Request and answer that each generation below states.
fn expect_ticket(row: &CapturedExchange, what: &str) {
    let body = body(row);
    let expected = json!([{"role": "system", "content": "You file tickets."},
        {"role": "user", "content": "Printer is on fire"}]);
    assert_eq!(body["messages"], expected, "{what}");
    assert_eq!(row.tool_count, 1, "{what}");
    let calls: Value = serde_json::from_str(row.tool_calls.as_deref().unwrap()).unwrap();
    assert_eq!(calls[0]["name"], "open_ticket", "{what}");
    assert_eq!(calls[0]["arguments"], r#"{"severity":"high"}"#, "{what}");
    assert_eq!(row.finish_reason.as_deref(), Some("tool_calls"), "{what}");
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)), "{what}");
    assert!(row.replayable, "{what}: {:?}", row.not_replayable_reason);
}

fn generation_a() -> Value {
    json!({
        "gen_ai.system": "OpenAI", "llm.request.type": "chat",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.prompt.0.role": "system", "gen_ai.prompt.0.content": "You file tickets.",
        "gen_ai.prompt.1.role": "user", "gen_ai.prompt.1.content": "Printer is on fire",
        "llm.request.functions.0.name": "open_ticket",
        "llm.request.functions.0.parameters": "{\"type\":\"object\"}",
        "llm.chat.stop_sequences": ["END"], "gen_ai.request.temperature": 0.2,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.finish_reason": "tool_calls",
        "gen_ai.completion.0.tool_calls.0.id": "call_1",
        "gen_ai.completion.0.tool_calls.0.name": "open_ticket",
        "gen_ai.completion.0.tool_calls.0.arguments": "{\"severity\":\"high\"}",
        "gen_ai.usage.prompt_tokens": 812, "gen_ai.usage.completion_tokens": 64,
        "llm.usage.total_tokens": 876, "traceloop.association.properties.session_id": "s-1"
    })
}

fn open_inference() -> Value {
    json!({
        "openinference.span.kind": "LLM", "llm.system": "openai",
        "llm.model_name": "gpt-4o-mini-2024-07-18",
        "llm.invocation_parameters": "{\"model\": \"gpt-4o-mini\", \"temperature\": 0.2}",
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "You file tickets.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "Printer is on fire",
        "llm.tools.0.tool.json_schema":
            "{\"name\":\"open_ticket\",\"input_schema\":{\"type\":\"object\"}}",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "open_ticket",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments":
            "{\"severity\":\"high\"}",
        "llm.finish_reason": "tool_use", "llm.token_count.prompt": 812,
        "llm.token_count.completion": 64, "session.id": "s-1", "llm.cost.total": 0.0021
    })
}

#[test]
fn every_generation_tells_the_same_request_and_answer() {
    expect_ticket(&row(&generation_c()), "structured and texts of JSON");
    let a = row(&generation_a());
    expect_ticket(&a, "indexed");
    assert_eq!((a.provider.as_deref(), a.session_id.as_deref()), (Some("openai"), Some("s-1")));
    assert_eq!(body(&a)["stop"], json!(["END"]));
    assert_eq!(a.stream, None, "nothing says so");
    let open_inference = row(&open_inference());
    expect_ticket(&open_inference, "OpenInference");
    assert_eq!(open_inference.request_model, "gpt-4o-mini");
    assert_eq!(open_inference.temperature, Some(0.2));
    assert_eq!(open_inference.stream, Some(false), "all parameters are there");
    assert_eq!(open_inference.cost_nanousd, Some(2_100_000));
}

#[test]
fn events_of_a_log_meet_their_span_whichever_file_comes_first() {
    let id = "eee19b7ec3c1b174";
    let attributes = json!({"gen_ai.operation.name": "chat", "gen_ai.system": "az.ai.openai",
        "gen_ai.request.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": 12,
        "gen_ai.openai.request.response_format": "json_object"});
    let call = json!([{"id": "c1", "type": "function",
        "function": {"name": "open_ticket", "arguments": "{}"}}]);
    let spans = spans(&[span(id, "", &attributes)]);
    let logs = logs(&[
        event(id, 3, "gen_ai.tool.message", &json!({"id": "c1", "content": "opened"})),
        event(id, 1, "gen_ai.user.message", &json!({"content": "Printer is on fire"})),
        event(id, 2, "gen_ai.assistant.message", &json!({"tool_calls": call})),
        event(
            id,
            900,
            "gen_ai.choice",
            &json!({"index": 0, "finish_reason": "stop", "message": {"content": "Evacuate."}}),
        ),
    ]);
    let [first] = rows(&[spans.clone(), logs.clone()]).try_into().unwrap();
    let [second] = rows(&[logs.clone(), spans]).try_into().unwrap();
    assert_eq!(first, second);
    let messages = body(&first)["messages"].clone();
    let roles: Vec<&Value> = messages.as_array().unwrap().iter().map(|m| &m["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "tool"]);
    assert_eq!(messages[2]["tool_call_id"], "c1");
    assert_eq!(first.response_text.as_deref(), Some("Evacuate."));
    assert_eq!(first.finish_reason.as_deref(), Some("stop"));
    assert_eq!(first.response_format.as_deref(), Some("json_object"));
    assert_eq!(first.not_replayable_reason.as_deref(), Some("truncated"), "the tools are nowhere");
    let alone = readings(&[logs]);
    assert!(matches!(alone.as_slice(), [Reading::Reject(_, detail)] if detail.contains("span")));
}

#[test]
fn events_without_captured_content_leave_a_row_without_it() {
    let id = "eee19b7ec3c1b174";
    let spans = spans(&[span(
        id,
        "",
        &json!({"gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 12}),
    )]);
    let empty = event(id, 1, "gen_ai.user.message", &json!({}));
    let call = json!({"id": "c1", "type": "function", "function": {"name": "open_ticket"}});
    let message = json!({"role": "assistant", "tool_calls": [call]});
    let choice = json!({"index": 0, "finish_reason": "tool_calls", "message": message});
    let logs = logs(&[empty, event(id, 2, "gen_ai.choice", &choice)]);
    let [row] = rows(&[spans, logs]).try_into().unwrap();
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert_eq!((row.content_state.as_str(), row.input_tokens), ("absent", Some(12)));
    assert_eq!((row.response_text, row.tool_calls), (None, None), "unknown, not empty");
    assert_eq!(row.finish_reason.as_deref(), Some("tool_calls"));
    assert!(row.latency_baseline_ok);
}

#[test]
fn an_event_with_all_details_completes_its_span_or_stands_alone() {
    let id = "eee19b7ec3c1b174";
    let details = with(
        &event(id, 2_500, "gen_ai.client.inference.operation.details", &json!({})),
        &json!({"attributes": pairs(&generation_c())}),
    );
    let bare = json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini"});
    let spans = spans(&[span(id, "", &bare)]);
    let [joined] = rows(&[logs(std::slice::from_ref(&details)), spans]).try_into().unwrap();
    expect_ticket(&joined, "joined");
    assert_eq!(joined.latency_ms, Some(2_500.0));
    let [alone] = rows(&[logs(&[details])]).try_into().unwrap();
    expect_ticket(&alone, "alone");
    assert_eq!(alone.captured_at, (START_NS + 2_500_000_000) / 1_000);
    assert_eq!(alone.latency_baseline_reason.as_deref(), Some("no_latency"));
}

#[test]
fn the_body_as_it_was_sent_counts_more_than_what_is_spread_over_attributes() {
    let sent = json!({"model": "gpt-4o-mini", "seed": 7, "tool_choice": "auto", "stream": true,
        "messages": [{"role": "user", "content": "hi"}]});
    let answer = json!({"id": "r", "object": "chat.completion", "choices": [{"index": 0,
        "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}]});
    let row1 = row(&with(
        &open_inference(),
        &json!({"input.value": sent.to_string(), "output.value": answer.to_string()}),
    ));
    assert_eq!(body(&row1), sent);
    assert_eq!(row1.response_text.as_deref(), Some("Hello."));
    assert_eq!((row1.stream, row1.seed), (Some(true), Some(7)));
    // LangChain logs a value of its own under the same name.
    let framework = json!({"messages": [[{"lc": 1, "kwargs": {"content": "hi"}}]], "model": "x"});
    let row2 = row(&with(&open_inference(), &json!({"input.value": framework.to_string()})));
    expect_ticket(&row2, "the indexed messages stand");
}

#[test]
fn a_schema_that_was_not_logged_is_missing_from_the_request() {
    let format = |changes: &Value| row(&with(&generation_c(), changes));
    let named = format(&json!({"gen_ai.openai.request.response_format": "json_schema"}));
    assert_eq!(named.not_replayable_reason.as_deref(), Some("truncated"));
    assert_eq!(
        format(&json!({"gen_ai.output.type": "json"})).not_replayable_reason.as_deref(),
        Some("truncated")
    );
    assert!(format(&json!({"gen_ai.output.type": "text"})).replayable);
    let schema = format(&json!({
        "gen_ai.request.structured_output_schema": "{\"type\":\"object\",\"properties\":{}}"}));
    assert_eq!(schema.response_format.as_deref(), Some("json_schema"));
    let object =
        format(&json!({"gen_ai.request.structured_output_schema": "{\"type\": \"json_object\"}"}));
    assert_eq!(object.response_format.as_deref(), Some("json_object"));
    assert!(object.replayable);
}

#[test]
fn what_was_cut_dropped_or_hidden_is_not_replayable() {
    let reason = |row: CapturedExchange| (row.content_state, row.not_replayable_reason.unwrap());
    let state = |state: &str, reason: &str| (state.to_owned(), reason.to_owned());
    let cut = json!({"gen_ai.input.messages": "[{\"role\":\"user\",\"parts\":[{\"type\":\"te"});
    let cut = row(&with(&generation_c(), &cut));
    assert_eq!(reason(cut), state("truncated", "truncated"));
    let gap = json!({"gen_ai.prompt.3.role": "user", "gen_ai.prompt.3.content": "and now?"});
    assert_eq!(reason(row(&with(&generation_a(), &gap))), state("truncated", "truncated"));
    let filtered = json!({"gen_ai.prompt.1.content": "FILTERED"});
    assert_eq!(reason(row(&with(&generation_a(), &filtered))), state("redacted", "redacted"));
    let hidden = json!({"openinference.span.kind": "LLM", "llm.model_name": "m",
        "input.value": "__REDACTED__", "output.value": "__REDACTED__"});
    let hidden = row(&hidden);
    assert_eq!(hidden.response_text, None);
    assert_eq!(reason(hidden), state("redacted", "no_request_content"));
    let dropped =
        with(&span("eee19b7ec3c1b174", "", &generation_a()), &json!({"droppedAttributesCount": 3}));
    let [dropped] = rows(&[spans(&[dropped])]).try_into().unwrap();
    assert_eq!(reason(dropped), state("truncated", "truncated"));
    // 24 characters of JSON show the limit at which a prompt of 24 characters was cut too.
    let limit = json!({"input.value": "{\"messages\": [{\"role\": \"",
        "llm.input_messages.1.message.contents.0.message_content.text":
            "Printer is on fire, so w"});
    assert_eq!(reason(row(&with(&open_inference(), &limit))), state("truncated", "truncated"));
    let answer = json!({"gen_ai.output.messages": "[{\"role\":\"assistant\",\"pa"});
    let answer = row(&with(&generation_c(), &answer));
    assert_eq!((answer.content_state.as_str(), answer.replayable), ("truncated", true));
}

#[test]
fn embeddings_are_kept_as_rows_that_are_no_chat() {
    let row =
        row(&json!({"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e-small",
        "gen_ai.usage.input_tokens": 17, "gen_ai.input.messages":
            [{"role": "user", "parts": [{"type": "text", "content": "Printer manual"}]}]}));
    assert_eq!((row.operation.as_str(), row.input_tokens), ("embeddings", Some(17)));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"));
    assert_eq!(body(&row), json!({"model": "e-small", "input": ["Printer manual"]}));
}
