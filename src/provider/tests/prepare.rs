//! The same conversation, captured in each dialect, goes out as the same request.

use serde_json::{Value, json};

use crate::provider::{
    Dialect, LossSeverity, PrepareError, Protocol, Target, Thinking, WireRequest, parse_request,
    prepare,
};

const IMAGE: &str = "iVBORw0KGgo=";
const RESULT: &str = r#"{"sky":"clear"}"#;

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": false
    })
}

/// A system instruction, a question with a picture, a call, its result, and every parameter.
fn captured(dialect: Dialect) -> Value {
    let url = format!("data:image/png;base64,{IMAGE}");
    match dialect {
        Dialect::OpenAiResponses => json!({
            "model": "gpt-4o", "instructions": "Be brief.", "stream": true,
            "max_output_tokens": 100, "temperature": 0.5,
            "input": [
                {"role": "user", "content": [
                    {"type": "input_text", "text": "Weather?"},
                    {"type": "input_image", "image_url": url}]},
                {"type": "function_call", "call_id": "call_1", "name": "weather",
                 "arguments": r#"{"city":"Rome"}"#},
                {"type": "function_call_output", "call_id": "call_1", "output": RESULT}],
            "tools": [{"type": "function", "name": "weather", "description": "Tells the weather.",
                       "parameters": schema()}],
            "tool_choice": "auto",
            "text": {"format": {"type": "json_schema", "name": "response", "schema": schema(),
                                "strict": true}},
        }),
        Dialect::Gemini => json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]}, "stream": true,
            "contents": [
                {"role": "user", "parts": [
                    {"text": "Weather?"},
                    {"inlineData": {"mimeType": "image/png", "data": IMAGE}}]},
                {"role": "model", "parts": [
                    {"functionCall": {"name": "weather", "args": {"city": "Rome"}}}]},
                {"role": "user", "parts": [
                    {"functionResponse": {"name": "weather", "response": {"sky": "clear"}}}]}],
            "tools": [{"functionDeclarations": [
                {"name": "weather", "description": "Tells the weather.",
                 "parametersJsonSchema": schema()}]}],
            "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
            "generationConfig": {
                "maxOutputTokens": 100, "temperature": 0.5, "stopSequences": ["END"],
                "responseMimeType": "application/json", "responseJsonSchema": schema()},
        }),
        Dialect::BedrockConverse => json!({
            "system": [{"text": "Be brief."}], "stream": true,
            "messages": [
                {"role": "user", "content": [
                    {"text": "Weather?"},
                    {"image": {"format": "png", "source": {"bytes": IMAGE}}}]},
                {"role": "assistant", "content": [
                    {"toolUse": {"toolUseId": "call_1", "name": "weather",
                                 "input": {"city": "Rome"}}}]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "call_1", "status": "success",
                                    "content": [{"json": {"sky": "clear"}}]}}]}],
            "toolConfig": {"tools": [{"toolSpec": {
                "name": "weather", "description": "Tells the weather.",
                "inputSchema": {"json": schema()}}}], "toolChoice": {"auto": {}}},
            "inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "stopSequences": ["END"]},
            "outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema":
                {"name": "response", "schema": schema().to_string()}}}},
        }),
        Dialect::CohereChat => json!({
            "model": "command-a", "stream": true, "max_tokens": 100, "temperature": 0.5,
            "stop_sequences": ["END"],
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [
                    {"type": "text", "text": "Weather?"},
                    {"type": "image_url", "image_url": {"url": url}}]},
                {"role": "assistant", "tool_calls": [
                    {"id": "call_1", "type": "function", "function":
                     {"name": "weather", "arguments": r#"{"city":"Rome"}"#}}]},
                {"role": "tool", "tool_call_id": "call_1", "content": [
                    {"type": "document", "document": {"data": {"sky": "clear"}}}]}],
            "tools": [{"type": "function", "function": {
                "name": "weather", "description": "Tells the weather.", "parameters": schema()}}],
            "response_format": {"type": "json_object", "json_schema": schema()},
        }),
        _ => unreachable!("{dialect} has tests of its own"),
    }
}

fn as_openai() -> Value {
    let url = format!("data:image/png;base64,{IMAGE}");
    json!({
        "model": "target",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "Weather?"},
                {"type": "image_url", "image_url": {"url": url}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function",
                 "function": {"name": "weather", "arguments": r#"{"city":"Rome"}"#}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": RESULT}],
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "Tells the weather.", "parameters": schema()}}],
        "tool_choice": "auto",
        "max_tokens": 100,
        "temperature": 0.5,
        "stop": ["END"],
        "response_format": {"type": "json_schema", "json_schema":
            {"name": "response", "schema": schema(), "strict": true}},
        "stream": true,
        "stream_options": {"include_usage": true},
    })
}

fn as_anthropic() -> Value {
    json!({
        "model": "target",
        "max_tokens": 100,
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "Weather?"},
                {"type": "image", "source":
                    {"type": "base64", "media_type": "image/png", "data": IMAGE}}]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "call_1", "name": "weather",
                 "input": {"city": "Rome"}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "call_1",
                 "content": [{"type": "text", "text": RESULT}]}]}],
        "tools": [{"name": "weather", "description": "Tells the weather.",
                   "input_schema": schema()}],
        "tool_choice": {"type": "auto"},
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "output_config": {"format": {"type": "json_schema", "schema": schema()}},
        "stream": true,
    })
}

fn body(request: &WireRequest) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// Losses as `feature@path severity`, sent or refused.
fn losses(body: &Value, dialect: Dialect, target: &Target<'_>) -> Vec<String> {
    let losses = match prepare(&body.to_string(), dialect, target) {
        Ok(request) => request.losses,
        Err(PrepareError::Untranslatable { losses }) => losses,
        Err(error) => panic!("{error}"),
    };
    let line = |loss: &crate::provider::Loss| {
        format!("{}@{} {}", loss.feature, loss.path, loss.severity.as_str())
    };
    losses.iter().map(line).collect()
}

fn openai() -> Target<'static> {
    Target::new(Protocol::OpenAiChat, "target")
}

fn anthropic() -> Target<'static> {
    Target::new(Protocol::AnthropicMessages, "target")
}

#[test]
fn one_conversation_is_one_request_whatever_dialect_it_was_captured_in() {
    for dialect in
        [Dialect::OpenAiResponses, Dialect::Gemini, Dialect::BedrockConverse, Dialect::CohereChat]
    {
        let captured = captured(dialect);
        for (target, mut expected) in [(openai(), as_openai()), (anthropic(), as_anthropic())] {
            let object = expected.as_object_mut().unwrap();
            match dialect {
                // Responses has no stop sequences, Cohere no word for a choice that is free.
                Dialect::OpenAiResponses => {
                    object.retain(|name, _| !name.starts_with("stop"));
                }
                Dialect::CohereChat => object.retain(|name, _| name != "tool_choice"),
                _ => {}
            }
            let request = prepare(&captured.to_string(), dialect, &target).unwrap();
            assert_eq!(body(&request), expected, "{dialect}");
            assert_eq!(request.losses, [], "{dialect}");
            assert!(request.stream, "{dialect}");
            assert_eq!((request.image_count, request.output_cap), (1, Some(100)), "{dialect}");
        }
    }
}

#[test]
fn a_prompt_to_be_continued_becomes_a_question_and_says_so() {
    let captured = json!({"model": "gpt-3.5-turbo-instruct", "prompt": "Say hi", "max_tokens": 5,
                          "stop": "\n\n", "temperature": 0, "n": 1, "echo": false, "logprobs": 2});
    let booked = [
        "prompt_to_message@prompt lossy",
        "logprobs_dropped@logprobs lossy",
        "parameter_dropped@echo benign",
    ];
    assert_eq!(losses(&captured, Dialect::OpenAiCompletions, &openai()), booked);
    let request = prepare(&captured.to_string(), Dialect::OpenAiCompletions, &openai()).unwrap();
    let expected = json!({
        "model": "target", "messages": [{"role": "user", "content": "Say hi"}], "max_tokens": 5,
        "temperature": 0.0, "stop": ["\n\n"], "n": 1});
    assert_eq!(body(&request), expected);
    for prompt in [json!(["a", "b"]), json!([1, 2]), json!([[1], [2]])] {
        let several = json!({"model": "m", "prompt": prompt, "max_tokens": 1});
        let refused = prepare(&several.to_string(), Dialect::OpenAiCompletions, &anthropic());
        assert!(matches!(refused, Err(PrepareError::Untranslatable { .. })), "{prompt}");
    }
}

#[test]
fn an_anthropic_body_without_a_model_goes_out_with_the_targets() {
    let captured = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
                          "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(parse_request(Dialect::AnthropicMessages, &captured).unwrap().model, "");
    for target in [openai(), anthropic()] {
        let request = prepare(&captured.to_string(), Dialect::AnthropicMessages, &target).unwrap();
        assert_eq!(body(&request)["model"], "target");
        assert_eq!(body(&request)["max_tokens"], 9);
        let severities: Vec<LossSeverity> =
            request.losses.iter().map(|loss| loss.severity).collect();
        assert_eq!(severities, [LossSeverity::Benign]);
    }
}

#[test]
fn a_prompt_that_only_the_provider_holds_is_refused() {
    let hi = json!([{"role": "user", "content": "hi"}]);
    let gemini = json!([{"parts": [{"text": "hi"}]}]);
    let converse = json!([{"role": "user", "content": [{"text": "hi"}]}]);
    for (dialect, body) in [
        (Dialect::OpenAiResponses, json!({"input": "hi", "previous_response_id": "resp_1"})),
        (Dialect::OpenAiResponses, json!({"input": "hi", "conversation": "conv_1"})),
        (Dialect::OpenAiResponses, json!({"prompt": {"id": "pmpt_1"}})),
        (Dialect::OpenAiResponses, json!({"input": [{"type": "item_reference", "id": "m"}]})),
        (Dialect::Gemini, json!({"contents": gemini, "cachedContent": "cachedContents/1"})),
        (Dialect::BedrockConverse, json!({"messages": converse, "promptVariables": {}})),
        (Dialect::CohereChat, json!({"messages": hi, "documents": ["a"]})),
    ] {
        for target in [openai(), Target { max_output_tokens: Some(9), ..anthropic() }] {
            let refused = prepare(&body.to_string(), dialect, &target);
            assert!(matches!(refused, Err(PrepareError::Untranslatable { .. })), "{body}");
        }
    }
}

#[test]
fn hosted_tools_and_reasoning_of_the_history_are_booked_and_left_out() {
    let captured = json!({
        "model": "gpt-5", "max_output_tokens": 50, "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low"}, "tools": [{"type": "web_search"}], "store": true,
        "input": [
            {"role": "user", "content": "News?"},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "web_search_call", "id": "ws_1"},
            {"type": "message", "role": "assistant", "content": [
                {"type": "output_text", "text": "None."}]},
            {"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}],
    });
    let expected = [
        "reasoning_dropped@input[1] lossy",
        "hosted_tool_stripped@input[2] lossy",
        "hosted_tool_stripped@tools[0] lossy",
        "parameter_dropped@reasoning.summary benign",
        "file_id_unsupported@input[4].content[0] untranslatable",
        "store_stripped@store benign",
    ];
    let target = Target { model: "gpt-5.1", ..openai() };
    assert_eq!(losses(&captured, Dialect::OpenAiResponses, &target), expected);
}

#[test]
fn a_thinking_budget_reaches_a_model_that_takes_budgets() {
    let captured = json!({
        "messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "inferenceConfig": {"maxTokens": 4000},
        "additionalModelRequestFields": {
            "thinking": {"type": "enabled", "budget_tokens": 2000}, "top_k": 5}});
    let mut target = anthropic();
    target.model_traits.thinking = Thinking::Budget;
    let request = prepare(&captured.to_string(), Dialect::BedrockConverse, &target).unwrap();
    assert_eq!(body(&request)["thinking"], json!({"type": "enabled", "budget_tokens": 2000}));
    // The API refuses sampling parameters beside thinking.
    let booked = losses(&captured, Dialect::BedrockConverse, &target);
    assert_eq!(booked, ["sampling_dropped@additionalModelRequestFields.top_k lossy"]);
    let without = losses(&captured, Dialect::BedrockConverse, &anthropic());
    assert_eq!(without, ["reasoning_effort_dropped@thinking lossy"]);
}

#[test]
fn sound_and_documents_go_where_they_are_taken() {
    let gemini = json!({"contents": [{"parts": [
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERg=="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}}]}],
        "generationConfig": {"maxOutputTokens": 9}});
    assert!(losses(&gemini, Dialect::Gemini, &openai()).is_empty());
    let refused = losses(&gemini, Dialect::Gemini, &anthropic());
    assert_eq!(refused, ["audio_unsupported@contents[0].parts[1] untranslatable"]);
    let converse = json!({"messages": [{"role": "user", "content": [
        {"document": {"format": "txt", "name": "terms", "source": {"text": "All sales final."}}}]}],
        "inferenceConfig": {"maxTokens": 9}});
    let request = prepare(&converse.to_string(), Dialect::BedrockConverse, &anthropic()).unwrap();
    assert_eq!(body(&request)["messages"][0]["content"][0]["source"]["data"], "All sales final.");
    let booked = losses(&converse, Dialect::BedrockConverse, &openai());
    assert_eq!(booked, ["document_changed@messages[0].content[0] lossy"]);
}

#[test]
fn a_loss_names_the_place_in_the_body_that_was_captured() {
    let gemini = json!({"contents": [{"parts": [{"text": "hi"}]}], "generationConfig": {
        "temperature": 1.5, "seed": 3, "candidateCount": 2, "frequencyPenalty": 0.5,
        "responseLogprobs": true}, "safetySettings": [], "labels": {"team": "shop"}});
    let expected = [
        "logprobs_dropped@generationConfig.responseLogprobs lossy",
        "output_cap_missing@generationConfig.maxOutputTokens untranslatable",
        "temperature_clamped@generationConfig.temperature lossy",
        "choices_unsupported@generationConfig.candidateCount untranslatable",
        "seed_dropped@generationConfig.seed lossy",
        "penalty_dropped@generationConfig.frequencyPenalty lossy",
        "parameter_dropped@safetySettings lossy",
        "parameter_dropped@labels benign",
    ];
    assert_eq!(losses(&gemini, Dialect::Gemini, &anthropic()), expected);
    let cohere = json!({"messages": [{"role": "user", "content": "hi"}], "p": 0.5, "k": 3});
    let target = Target { supports_sampling: false, ..openai() };
    let expected = ["sampling_dropped@p lossy", "sampling_dropped@k lossy"];
    assert_eq!(losses(&cohere, Dialect::CohereChat, &target), expected);
}
