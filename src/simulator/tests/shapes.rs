//! The forms of answers in both protocols.

use super::client::{ask, ask_anthropic, send};
use super::*;
use crate::chat::ToolCall;

const TEXT: &str = "Grüße aus Köln, 届きます";

fn call(name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: String::new(), name: name.into(), arguments: arguments.into() }
}

#[tokio::test]
async fn an_openai_stream_has_role_content_finish_usage_and_terminator() {
    let config = SimulatorConfig { answers: recorded("hi", text_answer(TEXT)), ..instant() };
    let simulator = start(config).await;
    let more = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let answer = ask(simulator.addr(), &openai("hi", &more), "1").await;
    assert!(answer.complete);
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let id = answer.header("x-request-id").expect("must have an id").to_owned();
    assert_eq!(simulator.log()[0].provider_request_id, id);
    assert_eq!(answer.events().last().expect("is not empty").1, "[DONE]");
    let chunks = answer.data();
    let (usage, chunks) = chunks.split_last().expect("is not empty");
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    assert!(chunks.iter().all(|chunk| chunk["usage"].is_null() && chunk["choices"][0].is_object()));
    let text: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, TEXT);
    let finish = chunks.last().expect("is not empty");
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!(usage["choices"], json!([]));
    // Two bytes of prompt, by the documented estimate.
    assert_eq!(usage["usage"]["prompt_tokens"], 1);
    assert_eq!(usage["usage"]["completion_tokens"], TEXT.len().div_ceil(4));
}

#[tokio::test]
async fn without_include_usage_an_openai_stream_has_no_usage_at_all() {
    let simulator = start(instant()).await;
    let answer = ask(simulator.addr(), &openai("hi", &json!({ "stream": true })), "1").await;
    assert!(answer.data().iter().all(|chunk| chunk.get("usage").is_none()));
}

#[tokio::test]
async fn an_anthropic_stream_opens_and_closes_its_blocks() {
    let answer = RecordedAnswer {
        text: "Let me see.".into(),
        tool_calls: vec![call("f", r#"{"city": "Köln"}"#), call("g", "{}")],
        completion_tokens: Some(9),
        ..RecordedAnswer::default()
    };
    let config = SimulatorConfig { answers: recorded("hi", answer), ..instant() };
    let simulator = start(config).await;
    let answer =
        ask_anthropic(simulator.addr(), &anthropic("hi", &json!({ "stream": true }))).await;
    assert!(answer.complete && answer.header("request-id").is_some());
    let events = answer.events();
    let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
    let mut runs = names.clone();
    runs.dedup();
    let block = ["content_block_start", "content_block_delta", "content_block_stop"];
    let expected: Vec<_> = ["message_start", "ping"]
        .into_iter()
        .chain(block)
        .chain(block)
        .chain(block)
        .chain(["message_delta", "message_stop"])
        .collect();
    assert_eq!(runs, expected);
    let data = answer.data();
    assert!(data.iter().zip(&names).all(|(data, name)| data["type"] == *name));
    let joined = |index: usize, field: &str| -> String {
        let of_block = data.iter().filter(|event| event["index"] == index);
        of_block.filter_map(|event| event["delta"][field].as_str()).collect()
    };
    assert_eq!(joined(0, "text"), "Let me see.");
    assert_eq!(joined(1, "partial_json"), r#"{"city": "Köln"}"#);
    let ending = &data[data.len() - 2];
    assert_eq!(ending["delta"]["stop_reason"], "tool_use");
    assert_eq!(ending["usage"]["output_tokens"], 9);
}

#[tokio::test]
async fn tool_calls_travel_in_pieces_that_join_to_the_document() {
    let answer =
        RecordedAnswer { tool_calls: vec![call("f", r#"{"a": [1, 2, 3]}"#)], ..text_answer("") };
    let config = SimulatorConfig { answers: recorded("hi", answer), ..instant() };
    let simulator = start(config).await;
    let whole = ask(simulator.addr(), &openai("hi", &json!({})), "1").await.json();
    let message = &whole["choices"][0]["message"];
    assert_eq!(message["content"], Value::Null);
    assert_eq!(message["tool_calls"][0]["function"]["name"], "f");
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    let stream = ask(simulator.addr(), &openai("hi", &json!({ "stream": true })), "1").await;
    let data = stream.data();
    let calls: Vec<_> =
        data.iter().map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0]).collect();
    let first = calls.iter().find(|call| call.is_object()).expect("must call");
    assert_eq!((&first["type"], &first["function"]["name"]), (&json!("function"), &json!("f")));
    let pieces: Vec<_> =
        calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
    assert!(pieces.len() > 2);
    assert_eq!(pieces.concat(), message["tool_calls"][0]["function"]["arguments"]);
}

#[tokio::test]
async fn a_document_of_anthropic_carries_arguments_as_json_and_usage() {
    let answer = RecordedAnswer {
        tool_calls: vec![call("f", r#"{"a": 1}"#)],
        prompt_tokens: Some(17),
        ..text_answer("so")
    };
    let config = SimulatorConfig { answers: recorded("hi", answer), ..instant() };
    let simulator = start(config).await;
    let whole = ask_anthropic(simulator.addr(), &anthropic("hi", &json!({}))).await.json();
    assert_eq!(whole["content"][0], json!({ "type": "text", "text": "so" }));
    assert_eq!(whole["content"][1]["input"], json!({ "a": 1 }));
    assert_eq!((&whole["type"], &whole["stop_reason"]), (&json!("message"), &json!("tool_use")));
    assert_eq!(whole["usage"]["input_tokens"], 17);
}

#[tokio::test]
async fn an_output_cap_ends_the_answer_with_its_own_reason() {
    let answer = RecordedAnswer { completion_tokens: Some(40), ..text_answer(&"x".repeat(80)) };
    let config = SimulatorConfig { answers: recorded("hi", answer), ..instant() };
    let simulator = start(config).await;
    let cap = json!({ "max_tokens": 10 });
    let openai = ask(simulator.addr(), &openai("hi", &cap), "1").await.json();
    assert_eq!(openai["choices"][0]["finish_reason"], "length");
    assert_eq!(openai["choices"][0]["message"]["content"], "x".repeat(20));
    assert_eq!(openai["usage"]["completion_tokens"], 10);
    let anthropic = ask_anthropic(simulator.addr(), &anthropic("hi", &cap)).await.json();
    assert_eq!(anthropic["stop_reason"], "max_tokens");
}

#[tokio::test]
async fn several_choices_are_drawn_apart_and_counted_together() {
    let simulator = start(instant()).await;
    let whole = ask(simulator.addr(), &openai("hi", &json!({ "n": 3 })), "1").await.json();
    let choices = whole["choices"].as_array().expect("must be a list");
    let texts: Vec<_> =
        choices.iter().map(|it| it["message"]["content"].as_str().expect("text")).collect();
    assert_eq!(texts.len(), 3);
    assert_ne!(texts[0], texts[1]);
    let tokens: usize = texts.iter().map(|text| text.len().div_ceil(4)).sum();
    assert_eq!(whole["usage"]["completion_tokens"], tokens);
}

#[tokio::test]
async fn a_refusal_is_told_in_each_protocols_own_way() {
    let Answers::Recorded(kept) = recorded("hi", text_answer("yes")) else { unreachable!() };
    let captured = CapturedAnswers { map: kept.map, refuse_rate: 1.0, ..Default::default() };
    let simulator =
        start(SimulatorConfig { answers: Answers::Captured(captured), ..instant() }).await;
    let plain = ask(simulator.addr(), &openai("hi", &json!({})), "1").await.json();
    assert!(plain["choices"][0]["message"]["content"].is_string());
    let format = json!({ "response_format": { "type": "json_schema",
        "json_schema": { "name": "s", "schema": { "type": "object" } } } });
    let structured = ask(simulator.addr(), &openai("hi", &format), "1").await.json();
    assert!(structured["choices"][0]["message"]["refusal"].is_string());
    let anthropic = ask_anthropic(simulator.addr(), &anthropic("hi", &json!({}))).await.json();
    assert_eq!(anthropic["stop_reason"], "refusal");
    assert!(simulator.log().iter().all(|entry| entry.answer == Some(AnswerOrigin::Refused)));
}

#[tokio::test]
async fn a_prompt_without_recording_is_not_found_in_either_protocol() {
    let config = SimulatorConfig { answers: recorded("hi", text_answer("x")), ..instant() };
    let simulator = start(config).await;
    let openai = ask(simulator.addr(), &openai("other", &json!({})), "1").await;
    assert_eq!(openai.status, Some(404));
    assert_eq!(openai.json()["error"]["code"], "no_recorded_answer");
    let anthropic = ask_anthropic(simulator.addr(), &anthropic("other", &json!({}))).await;
    assert_eq!(anthropic.status, Some(404));
    assert_eq!(anthropic.json()["error"]["details"]["error_code"], "no_recorded_answer");
}

#[tokio::test]
async fn broken_requests_are_answered_400_in_the_words_of_the_protocol() {
    let simulator = start(instant()).await;
    let bad_json = send(simulator.addr(), "POST /v1/chat/completions", &[], "{").await;
    assert_eq!(bad_json.status, Some(400));
    assert_eq!(bad_json.json()["error"]["type"], "invalid_request_error");
    let body = anthropic("x", &json!({})).to_string();
    let unversioned = send(simulator.addr(), "POST /v1/messages", &[], &body).await;
    assert_eq!(unversioned.status, Some(400));
    assert_eq!(unversioned.json()["type"], "error");
    assert!(simulator.log().iter().all(|entry| entry.outcome == Outcome::Invalid));
}
