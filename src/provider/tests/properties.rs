//! No JSON, however odd, makes a reader panic or repeat what it read.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::provider::{
    Dialect, Protocol, Target, assemble_stream, endpoint, parse_request, parse_response, prepare,
    sniff_dialect, sniff_response, sniff_stream,
};

/// What no error may repeat.
const CONTENT: &str = "c0ntent-of-a-user";

/// Names that readers look for, so that odd values stand where they hurt.
const NAMES: &[&str] = &[
    "messages",
    "role",
    "content",
    "type",
    "text",
    "input",
    "output",
    "contents",
    "parts",
    "systemInstruction",
    "generationConfig",
    "tools",
    "functionDeclarations",
    "functionCall",
    "functionResponse",
    "name",
    "args",
    "response",
    "candidates",
    "usageMetadata",
    "system",
    "toolConfig",
    "toolSpec",
    "toolUse",
    "toolResult",
    "toolUseId",
    "inferenceConfig",
    "image",
    "source",
    "bytes",
    "format",
    "message",
    "delta",
    "choices",
    "prompt",
    "status",
    "usage",
    "tool_calls",
    "function",
    "arguments",
    "thinking",
    "response_format",
    "chat_history",
    "index",
    "contentBlockDelta",
    "contentBlockIndex",
    "messageStop",
    "item",
    "output_index",
    "error",
    "max_tokens",
    "stop",
    "temperature",
    "thinkingConfig",
    "thinkingBudget",
    "inlineData",
    "mimeType",
    "data",
    "model",
    "tool_choice",
    "toolChoice",
    "outputConfig",
    "documents",
];

fn leaf() -> impl Strategy<Value = Value> {
    let words = ["user", "assistant", "model", "tool", "text", "function", "message", CONTENT];
    let types = ["function_call", "function_call_output", "tool_use", "image_url", "input_image"];
    let events = ["response.completed", "message-end", "content-delta", "tool-call-start"];
    let words: Vec<&str> = words.into_iter().chain(types).chain(events).collect();
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(5, 48, 5, |inner| {
        let member = (prop::sample::select(NAMES), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_json_makes_a_reader_panic_or_repeat_content(body in value(), more in value()) {
        let _ = (sniff_dialect(&body), sniff_response(&body));
        let text = body.to_string();
        let stream = format!("data: {text}\n\nevent: x\ndata: {more}\n\n");
        let list = format!("[{text},{more}");
        for dialect in Dialect::ALL {
            if let Err(error) = parse_request(*dialect, &body) {
                prop_assert!(!error.to_string().contains(CONTENT), "{}", error);
            }
            if let Err(error) = parse_response(*dialect, &body) {
                let stated = matches!(error, crate::provider::ParseError::ErrorBody(_));
                prop_assert!(stated || !error.to_string().contains(CONTENT), "{}", error);
            }
            for recorded in [&stream, &list, &text] {
                let _ = sniff_stream(recorded);
                let _ = assemble_stream(*dialect, recorded.as_bytes());
            }
            for protocol in Protocol::ALL {
                let _ = prepare(&text, *dialect, &Target::new(*protocol, "target"));
            }
        }
    }

    #[test]
    fn no_address_makes_the_recogniser_panic(address in "[a-z%:/.?#@*0-9é-]{0,60}") {
        let _ = endpoint(&address);
    }
}

#[test]
fn a_wrong_type_is_named_by_its_path() {
    let hi = json!([{"role": "user", "content": "hi"}]);
    let block = json!([{"role": "user", "content": [{"toolUse": {"name": 7}}]}]);
    for (dialect, body, expected) in [
        (Dialect::OpenAiResponses, json!({"input": 7}), "`input` is not a list"),
        (
            Dialect::OpenAiResponses,
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": 7}]}]}),
            "`input[0].content[0].text` is not a text",
        ),
        (
            Dialect::OpenAiResponses,
            json!({"input": "hi", "text": {"format": {"type": "xml"}}}),
            "`text.format.type` is not a response format",
        ),
        (Dialect::OpenAiCompletions, json!({"prompt": {}}), "`prompt` is not a text or a list"),
        (Dialect::OpenAiCompletions, json!({"model": "m"}), "`prompt` is missing"),
        (
            Dialect::Gemini,
            json!({"contents": [{"role": "user", "parts": [{"text": ["x"]}]}]}),
            "`contents[0].parts[0].text` is not a text",
        ),
        (
            Dialect::Gemini,
            json!({"contents": [], "generation_config": {"max_output_tokens": "x"}}),
            "`generationConfig.maxOutputTokens` is not a whole number",
        ),
        (
            Dialect::BedrockConverse,
            json!({"messages": block}),
            "`messages[0].content[0].toolUse.toolUseId` is missing",
        ),
        (
            Dialect::BedrockConverse,
            json!({"messages": [{"role": "judge", "content": []}]}),
            "`messages[0].role` is not a role",
        ),
        (Dialect::CohereChat, json!({"messages": hi, "k": 1.5}), "`k` is not a whole number"),
        (
            Dialect::CohereChat,
            json!({"message": "hi", "chat_history": [{"message": "x"}]}),
            "`chat_history[0].role` is missing",
        ),
    ] {
        assert_eq!(parse_request(dialect, &body).unwrap_err().to_string(), expected, "{body}");
    }
    for (dialect, body, expected) in [
        (Dialect::OpenAiResponses, json!({"output": "x"}), "`output` is not a list"),
        (Dialect::OpenAiCompletions, json!({"choices": {}}), "`choices` is not a list"),
        (Dialect::OpenAiCompletions, json!({}), "`choices` is missing"),
        (Dialect::Gemini, json!({"candidates": 1}), "`candidates` is not a list"),
        (
            Dialect::Gemini,
            json!({"candidates": [{"content": {"parts": 1}}]}),
            "`candidates[0].content.parts` is not a list",
        ),
        (Dialect::BedrockConverse, json!({"output": {}}), "`output.message` is missing"),
        (Dialect::CohereChat, json!({"message": "x"}), "`message` is not an object"),
    ] {
        assert_eq!(parse_response(dialect, &body).unwrap_err().to_string(), expected, "{body}");
    }
}
