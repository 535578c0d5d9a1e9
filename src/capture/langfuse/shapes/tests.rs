//! Conversations of every shape become one body; answers of every shape one answer.

use serde_json::{Map, Value, json};

use crate::capture::body::fill_request;
use crate::chat::ErrorClass;
use crate::dataset::CapturedExchange;
use crate::provider::Dialect;

use super::*;

fn asked(input: &Value) -> (Value, Option<Dialect>) {
    let asked = Asked { model: "m".to_owned(), ..Asked::default() };
    asked.body(input).unwrap()
}

fn key(input: &Value) -> Option<String> {
    let (body, dialect) = asked(input);
    let mut row = CapturedExchange::default();
    fill_request(&mut row, dialect, &body);
    assert!(row.replayable, "{input}: {:?}", row.not_replayable_reason);
    row.prompt_fingerprint
}

fn row_of(output: &Value) -> CapturedExchange {
    let mut row = CapturedExchange::default();
    Answer::of(output, None).unwrap().fill(&mut row);
    row
}

#[test]
fn one_conversation_has_one_key_in_every_serialisation() {
    let openai = key(&json!([
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]));
    for input in [
        json!({"messages": [{"role": "system", "content": "Be brief."},
                            {"role": "user", "content": "Hi"}]}),
        json!([{"type": "system", "content": "Be brief."}, {"type": "human", "content": "Hi"}]),
        json!([[{"lc": 1, "type": "constructor", "id": ["langchain", "schema", "SystemMessage"],
                 "kwargs": {"content": "Be brief.", "type": "system"}},
                {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "HumanMessage"],
                 "kwargs": {"content": "Hi", "additional_kwargs": {}}}]]),
        json!([{"kwargs": {"type": "system", "content": "Be brief."}},
               {"kwargs": {"type": "human", "content": "Hi"}}]),
        json!([{"type": "system", "data": {"content": "Be brief."}},
               {"type": "human", "data": {"content": "Hi"}}]),
        json!(
            "[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Hi\"}]"
        ),
    ] {
        assert_eq!(key(&input), openai, "{input}");
    }
    assert_ne!(key(&json!([{"role": "user", "content": "Hi"}])), openai);
}

#[test]
fn a_text_and_a_single_message_are_what_one_user_says() {
    let one = key(&json!([{"role": "user", "content": "Hi"}]));
    assert_eq!(key(&json!("Hi")), one);
    assert_eq!(key(&json!({"role": "user", "content": "Hi"})), one);
    assert_eq!(key(&json!({"prompts": ["Hi"]})), one);
}

#[test]
fn calls_and_results_of_langchain_become_those_of_openai() {
    let (body, dialect) = asked(&json!({"messages": [[
        {"type": "human", "content": "Weather?"},
        {"type": "ai", "content": [{"type": "text", "text": "Looking."},
                                   {"type": "tool_use", "id": "c1", "name": "w", "input": {}}],
         "tool_calls": [{"name": "w", "args": {"city": "Bonn"}, "id": "c1", "type": "tool_call"}]},
        {"type": "tool", "content": "12 C", "tool_call_id": "c1", "status": "success"},
    ]], "tools": [{"name": "w", "input_schema": {"type": "object"}}]}));
    assert_eq!(dialect, Some(Dialect::OpenAiChat));
    let call = json!({"id": "c1", "type": "function",
        "function": {"name": "w", "arguments": "{\"city\":\"Bonn\"}"}});
    assert_eq!(body["messages"][1]["tool_calls"], json!([call]));
    assert_eq!(body["messages"][1]["content"], json!([{"type": "text", "text": "Looking."}]));
    assert_eq!(
        body["messages"][2],
        json!({"role": "tool", "content": "12 C", "tool_call_id": "c1"})
    );
    assert_eq!(body["tools"][0]["function"]["parameters"], json!({"type": "object"}));
}

#[test]
fn definitions_among_the_messages_are_tools_and_results_are_not() {
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": {}}});
    let (body, _) = asked(&json!([
        {"role": "user", "content": "Hi"}, {"role": "tool", "content": tool}]));
    assert_eq!(body["tools"], json!([tool]));
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(1));
    let (body, _) = asked(&json!([
        {"role": "user", "content": "Hi"},
        {"role": "tool", "tool_call_id": "c1", "content": "{\"name\":\"x\",\"parameters\":1}"}]));
    assert!(body.get("tools").is_none());
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(2));
}

#[test]
fn each_dialect_is_known_by_its_content() {
    for (input, dialect) in [
        (json!([{"role": "user", "parts": [{"text": "Hi"}]}]), Some(Dialect::Gemini)),
        (json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}), Some(Dialect::Gemini)),
        (
            json!({"system": "x", "messages": [{"role": "user", "content": "Hi"}]}),
            Some(Dialect::AnthropicMessages),
        ),
        (
            json!([{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t",
            "content": "x"}]}]),
            Some(Dialect::AnthropicMessages),
        ),
        (json!({"instructions": "x", "input": "Hi"}), Some(Dialect::OpenAiResponses)),
        (
            json!([{"type": "function_call_output", "call_id": "c", "output": "x"}]),
            Some(Dialect::OpenAiResponses),
        ),
        (json!({"prompt": "Once"}), Some(Dialect::OpenAiCompletions)),
        (json!({"question": "Hi", "context": ["a"]}), None),
        (json!(["one prompt", "another"]), None),
        (json!("[{'role': 'user', 'content': 'Hi'}]"), None),
    ] {
        assert_eq!(asked(&input).1, dialect, "{input}");
    }
    for blank in [json!(null), json!(" "), json!([]), json!({})] {
        assert!(Asked::default().body(&blank).is_none());
    }
}

#[test]
fn parameters_are_typed_named_for_the_dialect_and_kept_only_if_set() {
    let logged = json!({"temperature": "0.2", "max_tokens": "Infinity", "topP": 0.9, "stop": "None",
        "seed": "7", "service_tier": "default", "stream": "true", "_type": "openai-chat",
        "response_format": "{\"type\":\"json_object\"}", "maxTokens": null, "n": "many"});
    let expected = json!({"temperature": 0.2, "top_p": 0.9, "seed": 7, "stream": true,
        "response_format": {"type": "json_object"}});
    assert_eq!(Value::Object(parameters(&logged)), expected);
    assert_eq!(Value::Object(parameters(&json!(logged.to_string()))), expected);
    assert_eq!(parameters(&json!("temperature=1")), Map::new());

    let with = |input: Value| {
        let parameters = parameters(&json!({"max_completion_tokens": 9, "stop": "x"}));
        let asked = Asked { model: "m".to_owned(), parameters, stream: true, ..Asked::default() };
        asked.body(&input).unwrap().0
    };
    let user = json!([{"role": "user", "content": "Hi"}]);
    let openai = with(user.clone());
    assert_eq!(openai["max_completion_tokens"], 9);
    assert_eq!((&openai["stop"], &openai["stream"]), (&json!("x"), &json!(true)));
    let anthropic = with(json!({"system": "s", "messages": user}));
    assert_eq!(anthropic["max_tokens"], 9);
    assert_eq!(anthropic["stop_sequences"], json!(["x"]));
    let gemini = with(json!([{"role": "user", "parts": [{"text": "Hi"}]}]));
    assert_eq!(gemini["generationConfig"], json!({"stopSequences": ["x"]}));
    assert!(gemini.get("stream").is_none());
    let own = with(json!({"messages": user, "max_tokens": 5, "tool_choice": "auto"}));
    assert_eq!((&own["max_tokens"], &own["tool_choice"]), (&json!(5), &json!("auto")));
    assert!(own.get("max_completion_tokens").is_none(), "the request's own cap goes first");
}

#[test]
fn tools_of_a_map_are_named_by_their_keys() {
    let map = json!({"f": "{\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}", "g": 3});
    assert_eq!(
        definitions(&map),
        [json!({"type": "function", "function": {"name": "f", "description": "d",
            "parameters": {"type": "object"}}})]
    );
    let hosted = json!({"type": "web_search", "name": "web_search"});
    assert_eq!(openai_tool(&hosted), hosted);
}

#[test]
fn answers_of_every_shape_have_one_text() {
    for output in [
        json!("Evacuate."),
        json!({"role": "assistant", "content": "Evacuate."}),
        json!("{\"role\":\"assistant\",\"content\":\"Evacuate.\"}"),
        json!({"choices": [{"message": {"content": "Evacuate."}, "finish_reason": "stop"}]}),
        json!({"choices": [{"text": "Evacuate."}]}),
        json!([{"index": 0, "message": {"role": "assistant", "content": "Evacuate."}}]),
        json!({"type": "message", "role": "assistant", "model": "c",
            "content": [{"type": "text", "text": "Evacuate."}], "stop_reason": "end_turn"}),
        json!({"content": [{"type": "output_text", "text": "Evacuate."}], "role": "assistant",
            "type": "message", "status": "completed"}),
        json!({"type": "ai", "content": "Evacuate."}),
        json!({"lc": 1, "type": "constructor", "id": ["x", "AIMessage"],
            "kwargs": {"content": "Evacuate.", "type": "ai"}}),
        json!({"generations": [[{"text": "Evacuate.", "generation_info": {"finish_reason": "stop"}}]]}),
        json!({"generations": [[{"text": "", "message": {"kwargs": {"type": "ai",
            "content": "Evacuate."}}}]], "llm_output": {}}),
        json!({"output": {"role": "assistant", "content": "Evacuate."}, "usage_metadata": {}}),
        json!({"completion": "Evacuate."}),
        json!([{"role": "assistant", "content": "Evacuate."}, {"role": "assistant", "content": "Run."}]),
        json!({"messages": [{"type": "human", "content": "Fire!"}, {"type": "ai", "content": "Evacuate."}]}),
        json!([{"type": "text", "text": "Evacuate."}]),
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "Evacuate."}]}}]}),
    ] {
        let row = row_of(&output);
        assert_eq!(row.response_text.as_deref(), Some("Evacuate."), "{output}");
        assert_eq!(row.error_class, None, "{output}");
    }
}

#[test]
fn calls_of_every_shape_are_the_same_call() {
    let openai = json!({"id": "c1", "type": "function",
        "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let langchain = json!({"name": "f", "args": {"a": 1}, "id": "c1", "type": "tool_call"});
    let expected = row_of(&json!({"role": "assistant", "content": null, "tool_calls": [openai]}));
    assert!(expected.tool_calls.as_deref().is_some_and(|calls| calls.contains("\"f\"")));
    for output in [
        json!([openai]),
        json!({"tool_calls": [openai]}),
        json!({"role": "assistant", "tool_calls": [langchain]}),
        json!({"type": "ai", "content": "", "tool_calls": [langchain]}),
        json!({"type": "ai", "content": "", "additional_kwargs": {"tool_calls": [openai]}}),
        json!([{"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}"}]),
    ] {
        assert_eq!(row_of(&output).tool_calls, expected.tool_calls, "{output}");
    }
}

#[test]
fn json_that_a_model_was_asked_for_is_the_text_of_its_answer() {
    for output in [
        json!({"city": "Bonn", "population": 330_000}),
        json!([5, 1, 3]),
        json!({"error": "none", "message": "ok"}),
        json!({"choices": ["a", "b"]}),
        json!("{\"detail\":\"x\"}"),
        json!("\"Thrive Ahead\""),
    ] {
        let row = row_of(&output);
        let text = output.as_str().map_or_else(|| output.to_string(), str::to_owned);
        assert_eq!(row.response_text, Some(text), "{output}");
        assert_eq!(row.error_class, None, "{output}");
    }
    assert!(Answer::of(&json!(""), None).is_none());
}

#[test]
fn an_answer_ends_for_the_reason_that_stands_beside_it() {
    let ends = |output: Value, beside| {
        let mut row = CapturedExchange::default();
        Answer::of(&output, beside).unwrap().fill(&mut row);
        row.finish_reason
    };
    assert_eq!(ends(json!("x"), Some("max_tokens")).as_deref(), Some("length"));
    let own =
        json!({"type": "ai", "content": "x", "response_metadata": {"stop_reason": "end_turn"}});
    assert_eq!(ends(own, Some("length")).as_deref(), Some("stop"));
    assert_eq!(ends(json!("x"), None), None);
}

#[test]
fn a_failure_in_words_has_the_class_of_its_status() {
    for (text, class) in [
        (
            "Error code: 429 - {'error': {'message': 'tokens per min (TPM)'}}",
            ErrorClass::RateLimitTokens,
        ),
        (
            "RateLimitError('slow down')Traceback (most recent call last)",
            ErrorClass::RateLimitOther,
        ),
        ("401 Incorrect API key provided", ErrorClass::Auth),
        ("Error code: 400 - context_length_exceeded", ErrorClass::ContextLength),
        ("Request timed out.", ErrorClass::TimeoutTotal),
        ("APITimeoutError()", ErrorClass::TimeoutTotal),
        ("Error code: 12345", ErrorClass::Unknown),
        ("", ErrorClass::Unknown),
    ] {
        assert_eq!(failure(text).class(), class, "{text}");
    }
}

#[test]
fn providers_have_the_names_of_price_catalogues() {
    for (name, catalogue) in [
        ("OPENAI", Some("openai")),
        ("amazon_bedrock", Some("bedrock")),
        ("az.ai.openai", Some("azure")),
        ("google_vertexai", Some("vertex_ai")),
        ("CUSTOM", None),
        ("Groq", Some("groq")),
    ] {
        assert_eq!(provider(name).as_deref(), catalogue, "{name}");
    }
    for (model, maker) in [
        ("gpt-4o-mini", Some("openai")),
        ("claude-sonnet-4-5", Some("anthropic")),
        ("groq/llama-3.3-70b", Some("groq")),
        ("gpt-oss-120b", None),
        ("llama-3.3-70b", None),
    ] {
        assert_eq!(provider_of_model(model).as_deref(), maker, "{model}");
    }
}

#[test]
fn a_route_is_what_the_application_named_and_no_class() {
    let of = |name: &str| route(&json!({ "name": name }), &["name"]);
    for name in ["OpenAI-generation", "ChatOpenAI", "AzureChatOpenAI", "RunnableSequence", " "] {
        assert_eq!(of(name), None, "{name}");
    }
    for name in ["Chat with support", "triage", "Runner"] {
        assert_eq!(of(name).as_deref(), Some(name));
    }
}
