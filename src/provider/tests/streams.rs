//! Recorded streams of every dialect: whole, cut, in any chunks, with and without their frame.

use proptest::prelude::*;
use serde_json::Value;

use crate::chat::{ErrorClass, FinishReason, ToolCall};
use crate::provider::decode::{Decoded, Decoder};
use crate::provider::{
    Dialect, assemble_stream, cohere, completions, converse, gemini, parse_response, responses,
    sniff_stream,
};

const RESPONSES: &str = r#"event: response.created
data: {"type":"response.created","response":{"id":"resp_1","model":"gpt-5","output":[],"status":"in_progress"}}

event: response.output_item.added
data: {"type":"response.output_item.added","output_index":0,"item":{"type":"message","content":[]}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","output_index":0,"delta":"Hel"}

event: response.output_text.delta
data: {"type":"response.output_text.delta","output_index":0,"delta":"lo"}

event: response.output_item.added
data: {"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"c1","name":"f","arguments":""}}

event: response.function_call_arguments.delta
data: {"type":"response.function_call_arguments.delta","output_index":1,"delta":"{\"a\":1}"}

event: response.completed
data: {"type":"response.completed","response":{"id":"resp_1","model":"gpt-5","status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"Hello"}]},{"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1}"}],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":2}}}}

"#;

const COMPLETIONS: &str = r#"data: {"id":"cmpl-1","object":"text_completion","model":"m","choices":[{"index":0,"text":"Hel","finish_reason":null}]}

data: {"id":"cmpl-1","object":"text_completion","model":"m","choices":[{"index":1,"text":"no"},{"index":0,"text":"lo","finish_reason":"length"}]}

data: {"id":"cmpl-1","object":"text_completion","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":7}}

data: [DONE]

"#;

const GEMINI: &str = r#"data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Hm","thought":true},{"text":"Hel"}]}}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"gemini-3-flash","responseId":"r1"}

data: {"candidates":[{"content":{"role":"model","parts":[{"text":"lo"},{"functionCall":{"name":"f","args":{"a":1}}}]}}]}

data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":4,"candidatesTokenCount":5,"thoughtsTokenCount":2,"totalTokenCount":16},"modelVersion":"gemini-3-flash","responseId":"r1"}

"#;

const CONVERSE: &str = r#"data: {"messageStart":{"role":"assistant"}}

data: {"contentBlockDelta":{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm"}}}}

data: {"contentBlockDelta":{"contentBlockIndex":1,"delta":{"text":"Hello"},"p":"abc"}}

data: {"contentBlockStart":{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"c1","name":"f"}}}}

data: {"contentBlockDelta":{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"a\":1}"}}}}

data: {"contentBlockStop":{"contentBlockIndex":2}}

data: {"messageStop":{"stopReason":"tool_use"}}

data: {"metadata":{"usage":{"inputTokens":5,"outputTokens":7,"cacheReadInputTokens":4,"cacheWriteInputTokens":0},"metrics":{"latencyMs":10}}}

"#;

const COHERE: &str = r#"event: message-start
data: {"type":"message-start","id":"m1","delta":{"message":{"role":"assistant","content":[],"tool_calls":[]}}}

event: tool-plan-delta
data: {"type":"tool-plan-delta","delta":{"message":{"tool_plan":"Hm"}}}

event: content-start
data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}

event: content-delta
data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hello"}}}}

event: tool-call-start
data: {"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"c1","type":"function","function":{"name":"f","arguments":""}}}}}

event: tool-call-delta
data: {"type":"tool-call-delta","index":1,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"a\":1}"}}}}}

event: message-end
data: {"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":3,"output_tokens":6},"tokens":{"input_tokens":9,"output_tokens":7},"cached_tokens":4}}}

"#;

const ANTHROPIC: &str = r#"data: {"type":"message_start","message":{"id":"m1","model":"claude-sonnet-4-5","content":[]}}

data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}

data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"c1","name":"f","input":{}}}

data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}}

data: {"type":"message_delta","delta":{"stop_reason":"tool_use"}}

data: {"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":5,"outputTokenCount":7,"invocationLatency":900,"firstByteLatency":300,"cacheReadInputTokenCount":4,"cacheWriteInputTokenCount":0}}

"#;

const STREAMS: &[(Dialect, &str)] = &[
    (Dialect::OpenAiResponses, RESPONSES),
    (Dialect::OpenAiCompletions, COMPLETIONS),
    (Dialect::Gemini, GEMINI),
    (Dialect::BedrockConverse, CONVERSE),
    (Dialect::CohereChat, COHERE),
    (Dialect::AnthropicMessages, ANTHROPIC),
];

/// The data of every event but the terminator of completions.
fn data(stream: &str) -> Vec<&str> {
    let lines = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.filter(|data| *data != "[DONE]").collect()
}

fn decoder(dialect: Dialect) -> Box<dyn Decoder> {
    match dialect {
        Dialect::OpenAiResponses => Box::new(responses::stream_decoder()),
        Dialect::OpenAiCompletions => Box::new(completions::stream_decoder()),
        Dialect::Gemini => Box::new(gemini::stream_decoder()),
        Dialect::BedrockConverse => Box::new(converse::stream_decoder()),
        Dialect::CohereChat => Box::new(cohere::stream_decoder()),
        dialect => crate::provider::decoder(dialect.protocol().unwrap(), true),
    }
}

fn pushed(dialect: Dialect, bytes: &[u8], cuts: &[usize]) -> Decoded {
    let mut decoder = decoder(dialect);
    let mut rest = bytes;
    for cut in cuts {
        let (piece, after) = rest.split_at(*cut % (rest.len() + 1));
        decoder.push(piece);
        rest = after;
    }
    decoder.push(rest);
    decoder.finish()
}

#[test]
fn a_whole_stream_says_what_its_events_amount_to() {
    for (dialect, stream) in STREAMS {
        assert_eq!(sniff_stream(stream), Some(*dialect));
        let decoded = assemble_stream(*dialect, stream.as_bytes());
        assert_eq!((&decoded.error, decoded.complete), (&None, true), "{dialect}");
        let response = decoded.response;
        assert_eq!(response.text, "Hello", "{dialect}");
        let usage = response.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.output_tokens), (Some(9), Some(7)), "{dialect}");
        if *dialect == Dialect::OpenAiCompletions {
            assert_eq!(response.finish_reason, Some(FinishReason::Length));
            continue;
        }
        assert_eq!(usage.cache_read_input_tokens, Some(4), "{dialect}");
        assert_eq!(response.finish_reason, Some(FinishReason::ToolCalls), "{dialect}");
        let id = if *dialect == Dialect::Gemini { "" } else { "c1" };
        let call = ToolCall { id: id.into(), name: "f".into(), arguments: "{\"a\":1}".into() };
        assert_eq!(response.tool_calls, [call], "{dialect}");
        let thought = match dialect {
            Dialect::OpenAiResponses | Dialect::AnthropicMessages => "",
            _ => "Hm",
        };
        assert_eq!(response.reasoning_text, thought, "{dialect}");
    }
}

/// The places of the events that a clock cares about, counted in events from 1.
fn marks(dialect: Dialect, stream: &str) -> [Option<usize>; 5] {
    let mut decoder = decoder(dialect);
    let mut marks = [None; 5];
    let pieces = stream.split_inclusive("\n\n").map(|event| decoder.push(event.as_bytes()));
    for (place, progress) in pieces.enumerate() {
        assert_eq!(progress.events, 1, "{dialect}");
        let [output, answer, usage, finish, finished] = &mut marks;
        let place = Some(place + 1);
        *output = output.or(place.filter(|_| progress.output_events > 0));
        *answer = answer.or(place.filter(|_| progress.answer_events > 0));
        *usage = place.filter(|_| progress.usage).or(*usage);
        *finish = finish.or(place.filter(|_| progress.finish));
        *finished = finished.or(place.filter(|_| progress.finished));
    }
    marks
}

#[test]
fn each_protocol_has_its_first_token_its_counts_and_its_end() {
    let place = |number: usize| (number > 0).then_some(number);
    for (dialect, expected) in [
        // Output, answer, last new token counts, reason of the end, terminator.
        (Dialect::OpenAiResponses, [3, 3, 7, 7, 7]),
        (Dialect::OpenAiCompletions, [1, 1, 3, 2, 4]),
        (Dialect::Gemini, [1, 1, 3, 3, 0]),
        (Dialect::BedrockConverse, [2, 3, 8, 7, 0]),
        (Dialect::CohereChat, [2, 4, 7, 7, 7]),
        (Dialect::AnthropicMessages, [3, 3, 7, 6, 7]),
    ] {
        let (_, stream) = STREAMS.iter().find(|(known, _)| *known == dialect).unwrap();
        assert_eq!(marks(dialect, stream), expected.map(place), "{dialect}");
    }
}

#[test]
fn what_carries_no_output_is_no_first_token() {
    let chat = |delta: &str| format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#);
    let part = |part: &str| format!(r#"{{"candidates":[{{"content":{{"parts":[{part}]}}}}]}}"#);
    for (dialect, event, counts) in [
        (Dialect::OpenAiChat, chat(r#"{"role":"assistant","content":""}"#), false),
        (Dialect::OpenAiChat, r#"{"choices":[],"usage":{"prompt_tokens":1}}"#.into(), false),
        (Dialect::OpenAiChat, r#"{"choices":[{"index":0,"content_filter_results":{}}]}"#.into(), false),
        (Dialect::OpenAiChat, chat(r#"{"content":"a"}"#), true),
        (Dialect::OpenAiChat, chat(r#"{"refusal":"a"}"#), true),
        (Dialect::OpenAiChat, chat(r#"{"reasoning":"a"}"#), true),
        (Dialect::OpenAiChat, chat(r#"{"reasoning_content":"a"}"#), true),
        (Dialect::OpenAiChat, chat(r#"{"tool_calls":[{"index":0,"function":{"name":"f"}}]}"#), true),
        (Dialect::OpenAiChat, chat(r#"{"audio":{"transcript":"a"}}"#), true),
        (Dialect::OpenAiResponses, r#"{"type":"response.created","response":{"id":"r"}}"#.into(), false),
        (
            Dialect::OpenAiResponses,
            r#"{"type":"response.output_item.added","item":{"type":"reasoning"}}"#.into(),
            false,
        ),
        (
            Dialect::OpenAiResponses,
            r#"{"type":"response.output_item.added","item":{"type":"function_call","name":"f"}}"#.into(),
            true,
        ),
        (Dialect::OpenAiResponses, r#"{"type":"response.audio.delta","delta":"QQ=="}"#.into(), true),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"message_start","message":{"usage":{"input_tokens":1}}}"#.into(),
            false,
        ),
        (Dialect::AnthropicMessages, r#"{"type":"ping"}"#.into(), false),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#.into(),
            false,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"redacted_thinking"}}"#.into(),
            true,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","name":"f"}}"#.into(),
            true,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"x"}}"#.into(),
            false,
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a"}}"#.into(),
            true,
        ),
        (Dialect::Gemini, part(r#"{"text":""}"#), false),
        (Dialect::Gemini, part(r#"{"text":"a","thought":true}"#), true),
        (Dialect::Gemini, part(r#"{"functionCall":{"name":"f"}}"#), true),
        (Dialect::Gemini, part(r#"{"inlineData":{"mimeType":"image/png","data":"QQ=="}}"#), true),
        (Dialect::BedrockConverse, r#"{"messageStart":{"role":"assistant"}}"#.into(), false),
        (
            Dialect::BedrockConverse,
            r#"{"contentBlockStart":{"contentBlockIndex":0,"start":{"toolUse":{"name":"f"}}}}"#.into(),
            true,
        ),
        (Dialect::CohereChat, r#"{"type":"message-start","id":"m"}"#.into(), false),
        (
            Dialect::CohereChat,
            r#"{"type":"content-start","delta":{"message":{"content":{"text":""}}}}"#.into(),
            false,
        ),
        (
            Dialect::CohereChat,
            r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"a"}}}"#.into(),
            true,
        ),
    ] {
        let progress = decoder(dialect).push(format!("data: {event}\n\n").as_bytes());
        assert_eq!((progress.events, progress.output_events > 0), (1, counts), "{event}");
    }
}

#[test]
fn comments_are_no_events() {
    for comment in [": keep-alive\n\n", ":\n\n", "event: ping\n\n"] {
        let progress = decoder(Dialect::OpenAiChat).push(comment.as_bytes());
        assert_eq!(progress.events, 0, "{comment:?}");
    }
}

#[test]
fn events_without_their_frame_say_the_same() {
    for (dialect, stream) in STREAMS {
        let whole = assemble_stream(*dialect, stream.as_bytes());
        let events = data(stream);
        // Only a terminator, which is no JSON, ends a stream of completions.
        if *dialect == Dialect::OpenAiCompletions {
            continue;
        }
        let lists = [
            format!("[{}]", events.join(",")),
            format!(" [\n{}\n]\n", events.join("\n,\n")),
            events.join("\n"),
        ];
        for list in &lists {
            assert_eq!(sniff_stream(list), Some(*dialect), "{dialect}");
            assert_eq!(assemble_stream(*dialect, list.as_bytes()), whole, "{dialect}");
        }
        let value: Value = serde_json::from_str(&lists[0]).unwrap();
        assert_eq!(parse_response(*dialect, &value), Ok(whole.response), "{dialect}");
        let cut = &lists[0][..lists[0].len() - 12];
        let decoded = assemble_stream(*dialect, cut.as_bytes());
        let class = decoded.error.map(|error| error.class);
        // Converse states its counts after the end of the answer.
        let expected =
            (*dialect != Dialect::BedrockConverse).then_some(ErrorClass::StreamTruncated);
        assert_eq!(class, expected, "{dialect}");
    }
}

#[test]
fn a_cut_stream_keeps_what_came_and_says_that_it_was_cut() {
    for (dialect, stream) in STREAMS {
        let end = stream.find("lo\"").unwrap();
        let end = end + stream[end..].find("\n\n").unwrap() + 2;
        let decoded = assemble_stream(*dialect, &stream.as_bytes()[..end]);
        assert!(!decoded.complete, "{dialect}");
        assert_eq!(decoded.response.text, "Hello", "{dialect}");
        assert_eq!(decoded.error.unwrap().class, ErrorClass::StreamTruncated, "{dialect}");
    }
    let calls = RESPONSES.find("event: response.completed").unwrap();
    let cut = assemble_stream(Dialect::OpenAiResponses, &RESPONSES.as_bytes()[..calls]);
    assert_eq!(cut.response.tool_calls[0].arguments, "{\"a\":1}");
    assert_eq!(cut.response.id.as_deref(), Some("resp_1"));
}

#[test]
fn a_failure_in_a_stream_is_one_whatever_came_before() {
    for (dialect, event, code) in [
        (
            Dialect::OpenAiResponses,
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"x"},"output":[]}}"#,
            "server_error",
        ),
        (
            Dialect::OpenAiResponses,
            r#"{"type":"error","code":"rate_limit_exceeded","message":"x"}"#,
            "rate_limit_exceeded",
        ),
        (Dialect::OpenAiCompletions, r#"{"error":{"message":"x","code":500}}"#, "500"),
        (Dialect::Gemini, r#"{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}"#, "503"),
        (
            Dialect::BedrockConverse,
            r#"{"throttlingException":{"message":"x"}}"#,
            "throttlingException",
        ),
    ] {
        let stream = format!("data: {event}\n\ndata: [DONE]\n\n");
        let error = assemble_stream(dialect, stream.as_bytes()).error.unwrap();
        assert_eq!(error.class, ErrorClass::StreamError, "{event}");
        assert_eq!(error.code.as_deref(), Some(code), "{event}");
    }
    let ended = "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"x\"}}\n\n";
    let decoded = assemble_stream(Dialect::CohereChat, ended.as_bytes());
    assert_eq!(decoded.response.finish_reason, Some(FinishReason::Error));
    assert_eq!(decoded.error.unwrap().class, ErrorClass::StreamError);
}

/// Events of text around a piece, as servers write them: with what may stand beside it.
fn text_event(dialect: Dialect, piece: &str, shape: usize) -> String {
    let piece = serde_json::to_string(piece).unwrap();
    if dialect == Dialect::AnthropicMessages {
        return [
            format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":{piece}}}}}"#),
            format!(r#"{{"delta":{{"text":{piece},"type":"text_delta"}},"index":0,"type":"content_block_delta"}} "#),
            format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"thinking_delta","thinking":{piece}}}}}"#),
            format!(r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":{piece},"thinking":"x"}}}}"#),
            r#"{"type":"ping"}"#.to_owned(),
        ][shape % 5]
            .clone();
    }
    [
        format!(r#"{{"id":"c","model":"m","choices":[{{"index":0,"delta":{{"content":{piece}}},"finish_reason":null}}]}}"#),
        format!(r#"{{"id":"c","model":"m","choices":[{{"index":1,"delta":{{"content":{piece}}},"finish_reason":null}}]}}"#),
        format!(r#"{{"choices":[{{"delta":{{"content":{piece}}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":3}}}}"#),
        format!(r#" {{"choices":[{{"delta":{{"content":{piece},"reasoning":{piece}}}}}]}}"#),
        format!(r#"{{"choices":[{{"delta":{{"reasoning_content":{piece}}}}}],"id":"d"}}"#),
    ][shape % 5]
        .clone()
}

/// What a decoder says that reads every event on its own, and so takes no shortcut.
fn one_by_one(dialect: Dialect, events: &[String]) -> (String, String, u32, u32) {
    let mut sum = (String::new(), String::new(), 0, 0);
    for event in events {
        let mut decoder = decoder(dialect);
        let progress = decoder.push(format!("data: {event}\n\n").as_bytes());
        let response = decoder.finish().response;
        sum.0.push_str(&response.text);
        sum.1.push_str(&response.reasoning_text);
        sum.2 += progress.output_events;
        sum.3 += progress.answer_events;
    }
    sum
}

proptest! {
    #[test]
    fn the_shortcut_for_repeated_events_says_what_the_reader_of_json_says(
        pieces in prop::collection::vec(("[a-c\"\\\\\n\u{e9}{}:, ]{0,4}", 0usize..12), 1..16),
    ) {
        for dialect in [Dialect::OpenAiChat, Dialect::AnthropicMessages] {
            // Most events have the first shape, as in life.
            let shape = |shape: usize| if shape < 5 { shape } else { 0 };
            let events: Vec<String> = pieces
                .iter()
                .map(|(piece, number)| text_event(dialect, piece, shape(*number)))
                .collect();
            let mut decoder = decoder(dialect);
            let framed: Vec<String> =
                events.iter().map(|event| format!("data: {event}\n\n")).collect();
            let stream = framed.concat();
            let progress = decoder.push(stream.as_bytes());
            let response = decoder.finish().response;
            let said = (
                response.text,
                response.reasoning_text,
                progress.output_events,
                progress.answer_events,
            );
            prop_assert_eq!(said, one_by_one(dialect, &events), "{}", dialect);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_cut_of_the_bytes_decodes_to_the_same(cuts in prop::collection::vec(0usize..400, 0..12)) {
        for (dialect, stream) in STREAMS {
            let whole = assemble_stream(*dialect, stream.as_bytes());
            prop_assert_eq!(&pushed(*dialect, stream.as_bytes(), &cuts), &whole, "{}", dialect);
            let crlf = stream.replace('\n', "\r\n");
            prop_assert_eq!(&pushed(*dialect, crlf.as_bytes(), &cuts), &whole, "{}", dialect);
        }
    }
}
