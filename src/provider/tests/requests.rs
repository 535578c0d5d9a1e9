//! What is particular to the requests of one dialect.

use serde_json::{Value, json};

use crate::chat::{
    ChatRequest, Part, ReasoningEffort, ResponseFormat, Role, ToolChoice, prompt_key,
};
use crate::provider::{Dialect, Protocol, Target, parse_request, prepare};

fn read(dialect: Dialect, body: &Value) -> ChatRequest {
    parse_request(dialect, body).unwrap()
}

fn roles(request: &ChatRequest) -> Vec<Role> {
    request.messages.iter().map(|message| message.role).collect()
}

/// Identifiers of calls and of what answers them, in order.
fn ids(request: &ChatRequest) -> (Vec<&str>, Vec<&str>) {
    let parts = || request.messages.iter().flat_map(|message| &message.parts);
    let calls = parts().filter_map(|part| match part {
        Part::ToolCall(call) => Some(call.id.as_str()),
        _ => None,
    });
    let results = parts().filter_map(|part| match part {
        Part::ToolResult { call_id, .. } => Some(call_id.as_str()),
        _ => None,
    });
    (calls.collect(), results.collect())
}

#[test]
fn results_of_gemini_find_their_calls_by_name_and_order() {
    let call = |name: &str| json!({"functionCall": {"name": name, "args": {}}});
    let result = |name: &str| json!({"functionResponse": {"name": name, "response": {}}});
    let request = read(
        Dialect::Gemini,
        &json!({"contents": [
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [call("a"), call("b"), call("a")]},
            {"role": "function", "parts": [result("b"), result("a"), result("a")]},
            {"role": "model", "parts": [{"functionCall": {"id": "own", "name": "a", "args": {}}}]},
            {"role": "user", "parts": [
                {"functionResponse": {"id": "own", "name": "a", "response": {}}}, {"text": "and?"}]},
        ]}),
    );
    let (calls, results) = ids(&request);
    assert_eq!(calls, ["call_1", "call_2", "call_3", "own"]);
    assert_eq!(results, ["call_2", "call_1", "call_3", "own"]);
    let tool = Role::Tool;
    let expected =
        [Role::User, Role::Assistant, tool, tool, tool, Role::Assistant, tool, Role::User];
    assert_eq!(roles(&request), expected);
}

#[test]
fn settings_of_gemini_are_read_in_either_spelling() {
    let camel = json!({
        "contents": [{"parts": [{"text": "hi"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "generationConfig": {"topP": 0.5, "topK": 40.0, "maxOutputTokens": 9, "seed": -1,
            "candidateCount": 2, "thinkingConfig": {"thinkingLevel": "LOW"},
            "responseMimeType": "application/json", "responseSchema": {"type": "STRING"}},
    });
    let snake = json!({
        "contents": [{"parts": [{"text": "hi"}]}],
        "system_instruction": {"parts": [{"text": "Be brief."}]},
        "tool_config": {"function_calling_config": {"mode": "ANY",
                                                    "allowed_function_names": ["f"]}},
        "tools": [{"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "generation_config": {"top_p": 0.5, "top_k": 40, "max_output_tokens": 9, "seed": -1,
            "candidate_count": 2, "thinking_config": {"thinking_level": "LOW"},
            "response_mime_type": "application/json", "response_schema": {"type": "STRING"}},
    });
    let request = read(Dialect::Gemini, &camel);
    assert_eq!(request, read(Dialect::Gemini, &snake));
    assert_eq!((request.top_p, request.top_k, request.seed), (Some(0.5), Some(40), Some(-1)));
    assert_eq!((request.max_output_tokens, request.choices), (Some(9), Some(2)));
    assert_eq!(request.tool_choice, Some(ToolChoice::Named("f".into())));
    assert_eq!(request.tools[0].parameters, Some(json!({"type": "object"})));
    assert_eq!(request.reasoning_effort, Some(ReasoningEffort("low".into())));
    let schema = json!({"type": "string"});
    let format = ResponseFormat::JsonSchema { name: None, schema, strict: Some(true) };
    assert_eq!(request.response_format, Some(format));
    assert!(request.extra.is_empty());
}

#[test]
fn thinking_budgets_of_gemini_are_off_at_zero() {
    let with = |budget: Value| {
        let config = json!({"thinkingConfig": {"thinkingBudget": budget}});
        read(Dialect::Gemini, &json!({"contents": [], "generationConfig": config}))
    };
    assert_eq!(with(json!(0)).reasoning_effort, Some(ReasoningEffort("none".into())));
    assert_eq!(with(json!(512)).extra["thinking"]["budget_tokens"], 512);
    let dynamic = with(json!(-1));
    assert_eq!((dynamic.reasoning_effort, dynamic.extra.is_empty()), (None, true));
}

#[test]
fn items_of_one_answer_are_one_message() {
    let request = read(
        Dialect::OpenAiResponses,
        &json!({"model": "m", "input": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "go"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]},
            {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "2", "name": "f", "arguments": "{}"},
            {"type": "message", "role": "assistant", "content": "b"},
            {"type": "function_call_output", "call_id": "1", "output": [
                {"type": "input_text", "text": "x"}]},
            {"type": "function_call_output", "call_id": "2", "output": "y"},
        ]}),
    );
    let expected = [Role::System, Role::User, Role::Assistant, Role::Tool, Role::Tool];
    assert_eq!(roles(&request), expected);
    assert_eq!(request.messages[2].parts.len(), 4);
    assert_eq!(ids(&request), (vec!["1", "2"], vec!["1", "2"]));
}

#[test]
fn a_choice_among_some_tools_reaches_both_protocols() {
    let tool =
        |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object"}});
    let captured = json!({
        "model": "m", "input": "hi", "max_output_tokens": 9, "tools": [tool("a"), tool("b")],
        "tool_choice": {"type": "allowed_tools", "mode": "required",
                        "tools": [{"type": "function", "name": "b"}]}});
    let send = |protocol| {
        let target = Target::new(protocol, "target");
        let request = prepare(&captured.to_string(), Dialect::OpenAiResponses, &target).unwrap();
        serde_json::from_slice::<Value>(&request.body).unwrap()
    };
    let allowed = &send(Protocol::OpenAiChat)["tool_choice"]["allowed_tools"];
    assert_eq!(allowed["mode"], "required");
    assert_eq!(allowed["tools"], json!([{"type": "function", "function": {"name": "b"}}]));
    let body = send(Protocol::AnthropicMessages);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    assert_eq!(body["tool_choice"], json!({"type": "any"}));
}

#[test]
fn a_failed_tool_of_converse_stays_failed() {
    let request = read(
        Dialect::BedrockConverse,
        &json!({"modelId": "m", "messages": [
            {"role": "user", "content": [{"text": "go"}, {"cachePoint": {"type": "default"}}]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm"}}},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"z": 1, "a": 2}}}]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "t", "content": [{"text": "no"}], "status": "error"}}]},
        ]}),
    );
    assert_eq!(request.model, "m");
    let Part::ToolCall(call) = &request.messages[1].parts[0] else { panic!("no call") };
    assert_eq!(call.arguments, r#"{"z":1,"a":2}"#);
    let Part::ToolResult { is_error, .. } = &request.messages[2].parts[0] else { panic!() };
    assert!(is_error);
    assert_eq!(roles(&request), [Role::User, Role::Assistant, Role::Tool]);
}

#[test]
fn a_conversation_of_cohere_is_the_same_in_both_versions() {
    let older = read(
        Dialect::CohereChat,
        &json!({
        "model": "command-r", "preamble": "Be brief.", "message": "more", "k": 5, "p": 0.5,
        "chat_history": [{"role": "USER", "message": "hi"}, {"role": "CHATBOT", "message": "yes"}],
        "stop_sequences": ["x"]}),
    );
    let newer = read(
        Dialect::CohereChat,
        &json!({
        "model": "command-r", "k": 5, "p": 0.5, "stop_sequences": ["x"], "messages": [
            {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "text", "text": "yes"}]},
            {"role": "user", "content": "more"}]}),
    );
    assert_eq!(older, newer);
    assert_eq!((newer.top_k, newer.top_p), (Some(5), Some(0.5)));
}

#[test]
fn the_prompts_key_does_not_depend_on_the_dialect() {
    let chat = read(
        Dialect::OpenAiChat,
        &json!({"messages": [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]}),
    );
    let key = prompt_key(&chat.messages);
    for (dialect, body) in [
        (Dialect::OpenAiResponses, json!({"instructions": "Be brief.", "input": "hi"})),
        (
            Dialect::Gemini,
            json!({"systemInstruction": "Be brief.", "contents": [{"parts": [{"text": "hi"}]}]}),
        ),
        (
            Dialect::BedrockConverse,
            json!({"system": [{"text": "Be brief."}],
                   "messages": [{"role": "user", "content": [{"text": "hi"}]}]}),
        ),
        (Dialect::CohereChat, json!({"preamble": "Be brief.", "message": "hi"})),
    ] {
        assert_eq!(prompt_key(&read(dialect, &body).messages), key, "{dialect}");
    }
}
