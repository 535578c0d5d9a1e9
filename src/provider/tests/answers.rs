//! Whole answers: what was said, why it ended, what it cost.

use serde_json::{Value, json};

use crate::chat::{ChatResponse, FinishReason, ToolCall, Usage};
use crate::provider::{Dialect, ParseError, parse_response};

fn read(dialect: Dialect, body: &Value) -> ChatResponse {
    parse_response(dialect, body).unwrap()
}

fn call(id: &str) -> ToolCall {
    ToolCall { id: id.into(), name: "f".into(), arguments: r#"{"b":1,"a":2}"#.into() }
}

#[test]
fn text_reasoning_and_calls_are_told_apart() {
    let args = json!({"b": 1, "a": 2});
    let bodies = [
        (
            Dialect::OpenAiResponses,
            "c1",
            "completed",
            json!({
            "id": "x", "object": "response", "status": "completed", "error": null, "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]},
                {"type": "web_search_call", "id": "ws"},
                {"type": "message", "content": [
                    {"type": "output_text", "text": "a"}, {"type": "output_text", "text": "b"}]},
                {"type": "function_call", "call_id": "c1", "name": "f",
                 "arguments": args.to_string()}]}),
        ),
        (
            Dialect::Gemini,
            "",
            "STOP",
            json!({
            "responseId": "x", "candidates": [{"finishReason": "STOP", "content": {"parts": [
                {"text": "Hm", "thought": true}, {"text": "a"}, {"text": "b"},
                {"functionCall": {"name": "f", "args": args}, "thoughtSignature": "eA=="}]}}]}),
        ),
        (
            Dialect::BedrockConverse,
            "c1",
            "tool_use",
            json!({
            "stopReason": "tool_use", "output": {"message": {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "eA=="}}},
                {"text": "a"}, {"citationsContent": {"content": [{"text": "b"}]}},
                {"toolUse": {"toolUseId": "c1", "name": "f", "input": args}}]}}}),
        ),
        (
            Dialect::CohereChat,
            "c1",
            "TOOL_CALL",
            json!({
            "id": "x", "finish_reason": "TOOL_CALL", "message": {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "ab"}],
                "tool_calls": [{"id": "c1", "type": "function",
                    "function": {"name": "f", "arguments": args.to_string()}}]}}),
        ),
    ];
    for (dialect, id, raw, body) in bodies {
        let answer = read(dialect, &body);
        assert_eq!(
            (answer.text.as_str(), answer.reasoning_text.as_str()),
            ("ab", "Hm"),
            "{dialect}"
        );
        assert_eq!(answer.tool_calls, [call(id)], "{dialect}");
        assert_eq!(answer.finish_reason, Some(FinishReason::ToolCalls), "{dialect}");
        assert_eq!(answer.raw_finish_reason.as_deref(), Some(raw), "{dialect}");
        assert_eq!(answer.usage, None, "{dialect}");
    }
}

#[test]
fn counts_are_inclusive_whatever_the_provider_leaves_out() {
    let usage = |input, output, read, written, reasoning| Usage {
        input_tokens: input,
        output_tokens: output,
        cache_read_input_tokens: read,
        cache_creation_input_tokens: written,
        reasoning_output_tokens: reasoning,
    };
    let gemini = |counts: Value| {
        read(Dialect::Gemini, &json!({"candidates": [{}], "usageMetadata": counts})).usage.unwrap()
    };
    // 5 + 3 thoughts; 10 + 2 for tools.
    assert_eq!(
        gemini(json!({"promptTokenCount": 10, "toolUsePromptTokenCount": 2,
                      "cachedContentTokenCount": 4, "candidatesTokenCount": 5,
                      "thoughtsTokenCount": 3, "totalTokenCount": 20})),
        usage(Some(12), Some(8), Some(4), None, Some(3))
    );
    // The total shows that the 8 hold the thoughts already.
    assert_eq!(
        gemini(json!({"promptTokenCount": 10, "candidatesTokenCount": 8, "thoughtsTokenCount": 3,
                      "totalTokenCount": 18})),
        usage(Some(10), Some(8), None, None, Some(3))
    );
    assert_eq!(
        gemini(json!({"promptTokenCount": 10, "totalTokenCount": 10})),
        usage(Some(10), Some(0), None, None, None)
    );
    assert_eq!(gemini(json!({"promptTokenCount": 10})), usage(Some(10), None, None, None, None));
    let converse = json!({"output": {"message": {"content": []}}, "usage": {
        "inputTokens": 300, "outputTokens": 64, "totalTokens": 883, "cacheReadInputTokens": 512,
        "cacheWriteInputTokens": 7}});
    assert_eq!(
        read(Dialect::BedrockConverse, &converse).usage,
        Some(usage(Some(819), Some(64), Some(512), Some(7), None))
    );
    let responses = json!({"output": [], "usage": {
        "input_tokens": 10, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
        "output_tokens": 8, "output_tokens_details": {"reasoning_tokens": 3}}});
    assert_eq!(
        read(Dialect::OpenAiResponses, &responses).usage,
        Some(usage(Some(10), Some(8), Some(4), Some(1), Some(3)))
    );
    let cohere = json!({"message": {"content": []}, "usage": {
        "billed_units": {"input_tokens": 1, "output_tokens": 2},
        "tokens": {"input_tokens": 10, "output_tokens": 8}}});
    assert_eq!(
        read(Dialect::CohereChat, &cohere).usage,
        Some(usage(Some(10), Some(8), None, None, None))
    );
    let billed = json!({"message": {"content": []},
                        "usage": {"billed_units": {"input_tokens": 1, "output_tokens": 2}}});
    assert_eq!(read(Dialect::CohereChat, &billed).usage, None);
}

#[test]
fn every_reason_has_its_place_and_an_unknown_one_keeps_its_word() {
    let other = |word: &str| FinishReason::Other(word.to_owned());
    let gemini = |word: &str| json!({"candidates": [{"finishReason": word}]});
    let converse = |word: &str| json!({"output": {"message": {"content": []}}, "stopReason": word});
    let cohere = |word: &str| json!({"message": {"content": []}, "finish_reason": word});
    let incomplete = |word: &str| json!({"output": [], "status": "incomplete", "incomplete_details": {"reason": word}});
    let text = |word: &str| json!({"choices": [{"text": "", "finish_reason": word}]});
    for (dialect, body, expected) in [
        (Dialect::Gemini, gemini("STOP"), FinishReason::Stop),
        (Dialect::Gemini, gemini("MAX_TOKENS"), FinishReason::Length),
        (Dialect::Gemini, gemini("SAFETY"), FinishReason::ContentFilter),
        (Dialect::Gemini, gemini("MALFORMED_FUNCTION_CALL"), FinishReason::Malformed),
        (Dialect::Gemini, gemini("OTHER"), other("OTHER")),
        (Dialect::BedrockConverse, converse("stop_sequence"), FinishReason::Stop),
        (Dialect::BedrockConverse, converse("max_tokens"), FinishReason::Length),
        (Dialect::BedrockConverse, converse("guardrail_intervened"), FinishReason::ContentFilter),
        (Dialect::BedrockConverse, converse("malformed_tool_use"), FinishReason::Malformed),
        (
            Dialect::BedrockConverse,
            converse("model_context_window_exceeded"),
            FinishReason::ContextOverflow,
        ),
        (Dialect::CohereChat, cohere("COMPLETE"), FinishReason::Stop),
        (Dialect::CohereChat, cohere("MAX_TOKENS"), FinishReason::Length),
        (Dialect::CohereChat, cohere("TIMEOUT"), FinishReason::Error),
        (Dialect::OpenAiResponses, incomplete("max_output_tokens"), FinishReason::Length),
        (Dialect::OpenAiResponses, incomplete("content_filter"), FinishReason::ContentFilter),
        (Dialect::OpenAiResponses, incomplete("steered"), other("steered")),
        (
            Dialect::OpenAiResponses,
            json!({"output": [], "status": "completed"}),
            FinishReason::Stop,
        ),
        (Dialect::OpenAiCompletions, text("length"), FinishReason::Length),
        (
            Dialect::OpenAiCompletions,
            json!({"generation": "a", "stop_reason": "stop"}),
            FinishReason::Stop,
        ),
    ] {
        assert_eq!(read(dialect, &body).finish_reason, Some(expected), "{body}");
    }
    let queued = json!({"output": [], "status": "queued"});
    assert_eq!(read(Dialect::OpenAiResponses, &queued).finish_reason, None);
}

#[test]
fn refusals_and_blocked_prompts_are_answers() {
    let refused = json!({"status": "completed", "output": [{"type": "message", "content": [
        {"type": "refusal", "refusal": "I cannot."}]}]});
    let answer = read(Dialect::OpenAiResponses, &refused);
    assert_eq!((answer.text.as_str(), answer.refusal.as_deref()), ("", Some("I cannot.")));
    let blocked = json!({"promptFeedback": {"blockReason": "SAFETY",
                                            "blockReasonMessage": "Blocked."},
                         "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}});
    let answer = read(Dialect::Gemini, &blocked);
    assert_eq!(answer.finish_reason, Some(FinishReason::ContentFilter));
    assert_eq!(answer.raw_finish_reason.as_deref(), Some("SAFETY"));
    assert_eq!(answer.refusal.as_deref(), Some("Blocked."));
}

#[test]
fn an_error_body_is_no_answer() {
    for (dialect, body, code) in [
        (
            Dialect::OpenAiResponses,
            json!({"status": "failed", "output": [], "error": {"code": "server_error"}}),
            "server_error",
        ),
        (Dialect::Gemini, json!({"error": {"code": 429, "message": "m"}}), "429"),
        (Dialect::Gemini, json!([{"error": {"code": 429, "message": "m"}}]), "429"),
        (Dialect::OpenAiCompletions, json!({"error": {"type": "overloaded"}}), "overloaded"),
    ] {
        let error = ParseError::ErrorBody(code.to_owned());
        assert_eq!(parse_response(dialect, &body), Err(error), "{body}");
    }
    // A list of events without its end is not a whole answer.
    let cut = json!([{"candidates": [{"content": {"parts": [{"text": "a"}]}}]}]);
    let error = ParseError::ErrorBody("stream_truncated".to_owned());
    assert_eq!(parse_response(Dialect::Gemini, &cut), Err(error));
}

#[test]
fn answers_of_older_interfaces_are_read_too() {
    let cohere = json!({"text": "Hi", "generation_id": "g", "finish_reason": "COMPLETE",
                        "meta": {"tokens": {"input_tokens": 3, "output_tokens": 1}}});
    let answer = read(Dialect::CohereChat, &cohere);
    assert_eq!((answer.text.as_str(), answer.usage.unwrap().input_tokens), ("Hi", Some(3)));
    let llama = json!({"generation": "Hi", "prompt_token_count": 3, "generation_token_count": 1,
                       "stop_reason": "length"});
    let answer = read(Dialect::OpenAiCompletions, &llama);
    assert_eq!((answer.text.as_str(), answer.usage.unwrap().output_tokens), ("Hi", Some(1)));
    assert_eq!(answer.finish_reason, Some(FinishReason::Length));
}
