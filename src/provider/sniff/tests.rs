//! Marks of each dialect, and bodies that are none.

use serde_json::{Value, json};

use super::*;
use crate::provider::Dialect;

fn user() -> Value {
    json!([{"role": "user", "content": "hi"}])
}

#[test]
fn marks_of_one_dialect_alone_decide() {
    let user = user();
    let block = json!([{"role": "user", "content": [{"type": "tool_result"}]}]);
    let plain = json!([{"role": "user", "content": [{"text": "hi"}]}]);
    for (dialect, bodies) in [
        (
            Dialect::OpenAiChat,
            vec![
                json!({"messages": user, "max_tokens": 5}),
                json!({"messages": user, "anthropic_version": "x", "system": null}),
                json!({"messages": user, "tools": [{"type": "function"}], "stop": ["a"]}),
                json!({"messages": user, "p": null, "tool_choice": "none"}),
            ],
        ),
        (
            Dialect::AnthropicMessages,
            vec![
                json!({"messages": user, "system": "be brief"}),
                json!({"messages": user, "system": [{"type": "text", "text": "be brief"}]}),
                json!({"messages": user, "max_tokens": 5, "anthropic_version": "vertex-2023-10-16"}),
                json!({"messages": user, "max_tokens": 5, "stop_sequences": ["a"]}),
                json!({"messages": user, "tools": [{"name": "f", "input_schema": {}}]}),
                json!({"messages": block}),
            ],
        ),
        (
            Dialect::OpenAiResponses,
            vec![
                json!({"model": "m", "input": "hi"}),
                json!({"input": "hi", "instructions": "be brief"}),
                json!({"model": "m", "input": user}),
                json!({"input": [{"type": "function_call_output", "call_id": "c", "output": "1"}]}),
                json!({"model": "m", "prompt": {"id": "pmpt_1"}}),
            ],
        ),
        (
            Dialect::OpenAiCompletions,
            vec![
                json!({"model": "m", "prompt": "hi"}),
                json!({"prompt": [1, 2], "max_tokens": 5}),
                json!({"prompt": "hi", "max_gen_len": 5}),
            ],
        ),
        (
            Dialect::Gemini,
            vec![
                json!({"contents": [{"parts": [{"text": "hi"}]}]}),
                json!({"contents": [{}], "generationConfig": {}}),
            ],
        ),
        (
            Dialect::BedrockConverse,
            vec![
                json!({"messages": plain}),
                json!({"messages": [], "inferenceConfig": {}}),
                json!({"messages": user, "system": [{"text": "be brief"}]}),
            ],
        ),
        (
            Dialect::CohereChat,
            vec![
                json!({"messages": user, "p": 0.5}),
                json!({"messages": user, "safety_mode": "STRICT", "stop_sequences": ["a"]}),
                json!({"messages": user, "tool_choice": "REQUIRED"}),
                json!({"message": "hi", "chat_history": []}),
            ],
        ),
    ] {
        for body in &bodies {
            assert_eq!(sniff_dialect(body), Some(dialect), "{body}");
        }
    }
}

#[test]
fn bodies_of_other_calls_are_of_no_chat_dialect() {
    for body in [
        json!({"input": "x"}),
        json!({"model": "text-embedding-3-small", "input": "x"}),
        json!({"model": "m", "input": "x", "encoding_format": "float"}),
        json!({"model": "m", "input": ["a", "b"]}),
        json!({"model": "omni-moderation-latest", "input": [{"type": "text", "text": "x"}]}),
        json!({"model": "gpt-4o-mini-tts", "input": "x", "voice": "alloy"}),
        json!({"model": "dall-e-3", "prompt": "a cat", "n": 1}),
        json!({"prompt": "a cat", "size": "1024x1024"}),
        json!({"inputText": "x"}),
        json!({"contents": []}),
        json!({"messages": "x"}),
        json!({"message": "hello"}),
        json!([]),
    ] {
        assert_eq!(sniff_dialect(&body), None, "{body}");
    }
}

#[test]
fn answers_show_their_dialect() {
    for (body, dialect) in [
        (json!({"choices": [{"message": {}}]}), Dialect::OpenAiChat),
        (json!({"choices": []}), Dialect::OpenAiChat),
        (json!({"choices": [{"text": "a"}]}), Dialect::OpenAiCompletions),
        (json!({"type": "message", "content": []}), Dialect::AnthropicMessages),
        (json!({"object": "response", "output": []}), Dialect::OpenAiResponses),
        (json!({"candidates": []}), Dialect::Gemini),
        (json!({"output": {"message": {}}, "stopReason": "end_turn"}), Dialect::BedrockConverse),
        (json!({"message": {"content": []}, "finish_reason": "COMPLETE"}), Dialect::CohereChat),
        (json!([{"type": "ping"}, {"type": "message_start"}]), Dialect::AnthropicMessages),
        (json!([{"candidates": []}]), Dialect::Gemini),
    ] {
        assert_eq!(sniff_response(&body), Some(dialect), "{body}");
    }
    for body in [json!({"message": "no", "detail": "x"}), json!([1]), json!("x"), json!({})] {
        assert_eq!(sniff_response(&body), None, "{body}");
    }
}

#[test]
fn streams_are_told_by_their_events_not_by_what_an_answer_quotes() {
    let quoting = "event: message_start\ndata: {\"type\": \"message_start\"}\n\n\
                   data: {\"delta\": {\"text\": \"chat.completion.chunk\"}}\n\n";
    assert_eq!(sniff_stream(quoting), Some(Dialect::AnthropicMessages));
    for (stream, dialect) in [
        ("data: {\"choices\":[],\"object\":\"chat.completion.chunk\"}\n\n", Dialect::OpenAiChat),
        (
            ": hi\n\ndata: {\"choices\":[]}\n\ndata: {\"choices\":[{\"delta\":{}}]}",
            Dialect::OpenAiChat,
        ),
        ("data: {\"object\":\"text_completion\"}\n\n", Dialect::OpenAiCompletions),
        (
            "event: response.created\ndata: {\"type\":\"response.created\"}\n\n",
            Dialect::OpenAiResponses,
        ),
        ("data: {\"candidates\":[]}\r\n\r\n", Dialect::Gemini),
        ("[{\n  \"candidates\": []\n}\n,{\"candi", Dialect::Gemini),
        ("{\"messageStart\":{\"role\":\"assistant\"}}\n{\"contentBl", Dialect::BedrockConverse),
        ("data: {\"type\":\"message-start\"}\n\n", Dialect::CohereChat),
        ("data: {\"event_type\":\"stream-start\"}\n\n", Dialect::CohereChat),
    ] {
        assert_eq!(sniff_stream(stream), Some(dialect), "{stream}");
    }
    for stream in ["", "data: [DONE]\n\n", "data: {\"type\":\"ping\"}", "[", "[[]]", "{\"a\":1}"] {
        assert_eq!(sniff_stream(stream), None, "{stream}");
    }
}
