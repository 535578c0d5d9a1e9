//! Wire protocols against recorded shapes: translation, decoding, errors, and any cut of the bytes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rehearsal::chat::{FinishReason, Message, Part, ToolCall, prompt_key};
use rehearsal::provider::{
    self, Decoded, Loss, PrepareError, Progress, Protocol, Target, Thinking, WireRequest,
};
use serde_json::{Value, json};

fn folder(protocol: Protocol) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire").join(protocol.as_str())
}

/// Every fixture of a protocol whose name ends in `suffix`, with the name before it.
fn fixtures(protocol: Protocol, suffix: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder(protocol))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(suffix)?.to_owned();
            Some((name, fs::read(path).unwrap()))
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no fixtures {suffix} of {protocol}");
    found
}

fn read_json(protocol: Protocol, name: &str) -> Value {
    serde_json::from_slice(&fs::read(folder(protocol).join(name)).unwrap()).unwrap()
}

fn decode(protocol: Protocol, stream: bool, pieces: &[&[u8]]) -> (Decoded, Progress) {
    let mut decoder = provider::decoder(protocol, stream);
    let mut total = Progress::default();
    for piece in pieces {
        let progress = decoder.push(piece);
        total.output_events += progress.output_events;
        total.answer_events += progress.answer_events;
        total.events += progress.events;
        total.usage |= progress.usage;
        total.finish |= progress.finish;
        total.finished = progress.finished;
    }
    (decoder.finish(), total)
}

/// The place, counted in `data:` events, of the first event that carries output.
fn first_output_event(protocol: Protocol, sse: &str) -> Option<usize> {
    let sse = sse.replace("\r\n", "\n");
    let events = sse.split_inclusive("\n\n").filter(|event| event.contains("data:"));
    let mut decoder = provider::decoder(protocol, true);
    events.map(|event| decoder.push(event.as_bytes())).position(|step| step.output_events > 0)
}

fn describe(decoded: &Decoded, total: Progress, first: Option<usize>) -> Value {
    let response = &decoded.response;
    let error = decoded.error.as_ref();
    json!({
        "id": response.id,
        "model": response.model,
        "text": response.text,
        "reasoning_text": response.reasoning_text,
        "refusal": response.refusal,
        "tool_calls": response.tool_calls,
        "finish_reason": response.finish_reason.as_ref().map(FinishReason::as_str),
        "raw_finish_reason": response.raw_finish_reason,
        "usage": response.usage,
        "error": error.map(|error| json!({
            "class": error.class.as_str(), "code": error.code, "message": error.message,
        })),
        "complete": decoded.complete,
        "output_events": total.output_events,
        "answer_events": total.answer_events,
        "first_output_event": first,
    })
}

/// A fixture states what differs from an answer of nothing.
fn expected(protocol: Protocol, name: &str) -> Value {
    let mut whole = json!({
        "id": null, "model": null, "text": "", "reasoning_text": "", "refusal": null,
        "tool_calls": [], "finish_reason": null, "raw_finish_reason": null, "usage": null,
        "error": null, "complete": false, "output_events": 0, "answer_events": 0,
        "first_output_event": null,
    });
    for (member, value) in read_json(protocol, &format!("{name}.decoded.json")).as_object().unwrap()
    {
        assert!(whole.get(member).is_some(), "{name}: unknown member {member}");
        whole[member] = value.clone();
    }
    whole
}

#[test]
fn recorded_streams_decode_to_what_they_say() {
    for protocol in Protocol::ALL {
        for (name, sse) in fixtures(*protocol, ".sse") {
            let (decoded, total) = decode(*protocol, true, &[&sse]);
            let first = first_output_event(*protocol, std::str::from_utf8(&sse).unwrap());
            let described = describe(&decoded, total, first);
            assert_eq!(described, expected(*protocol, &name), "{protocol} {name}");
        }
    }
}

#[test]
fn recorded_bodies_decode_to_what_they_say() {
    for protocol in Protocol::ALL {
        for (name, body) in fixtures(*protocol, ".body.json") {
            let (decoded, total) = decode(*protocol, false, &[&body]);
            let described = describe(&decoded, total, None);
            assert_eq!(described, expected(*protocol, &name), "{protocol} {name}");
            let parsed = serde_json::from_slice(&body)
                .map(|body: Value| provider::parse_response(*protocol, &body).ok());
            let answer = decoded.error.is_none().then_some(decoded.response);
            assert_eq!(parsed.ok().flatten(), answer, "{protocol} {name}");
        }
    }
}

#[test]
fn every_single_cut_decodes_to_the_same() {
    for protocol in Protocol::ALL {
        for (name, sse) in fixtures(*protocol, ".sse") {
            let whole = decode(*protocol, true, &[&sse]);
            for cut in 0..=sse.len() {
                let (before, after) = sse.split_at(cut);
                let halves = decode(*protocol, true, &[before, after]);
                assert_eq!(halves, whole, "{protocol} {name} cut at {cut}");
            }
            let bytes: Vec<&[u8]> = sse.chunks(1).collect();
            assert_eq!(decode(*protocol, true, &bytes), whole, "{protocol} {name} byte by byte");
        }
    }
}

#[test]
fn a_recorded_stream_whose_end_was_trimmed_is_complete() {
    for protocol in Protocol::ALL {
        for (name, sse) in fixtures(*protocol, ".sse") {
            let (whole, _) = decode(*protocol, true, &[&sse]);
            if !sse.starts_with(b"{") {
                assert_eq!(provider::assemble_stream(*protocol, &sse), whole, "{protocol} {name}");
                let trimmed = provider::assemble_stream(*protocol, sse.trim_ascii_end());
                assert_eq!(trimmed, whole, "{protocol} {name} trimmed");
            }
        }
    }
}

#[test]
fn error_bodies_have_their_classes() {
    for protocol in Protocol::ALL {
        for case in read_json(*protocol, "errors.json").as_array().unwrap() {
            let headers = |name: &str| case["headers"][name].as_str().map(str::to_owned);
            let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
            let body = case["body"].as_str().unwrap();
            let error = provider::classify(*protocol, status, &headers, body.as_bytes());
            assert_eq!(error.class.as_str(), case["class"], "{protocol} {case}");
            assert!(!error.message.is_empty() && !error.message.contains('<'), "{error:?}");
        }
    }
}

/// A target as a fixture describes it, in the protocol that the fixture is not captured in.
fn target(protocol: Protocol, case: &Value) -> Target<'_> {
    let options = &case["target"];
    let flag = |name: &str, default: bool| options[name].as_bool().unwrap_or(default);
    let mut target = Target::new(protocol, options["model"].as_str().unwrap_or("target-model"));
    target.max_output_tokens = options["max_output_tokens"].as_u64();
    target.model_max_output_tokens = options["model_max_output_tokens"].as_u64();
    target.anthropic_version = options["anthropic_version"].as_str().unwrap_or("2023-06-01");
    target.supports_sampling = flag("supports_sampling", true);
    target.model_traits.assistant_prefill = flag("assistant_prefill", true);
    target.model_traits.forced_tool_use = flag("forced_tool_use", true);
    target.model_traits.mid_conversation_system = flag("mid_conversation_system", false);
    target.model_traits.thinking = match options["thinking"].as_str() {
        Some("budget") => Thinking::Budget,
        Some("adaptive") => Thinking::Adaptive,
        _ => Thinking::None,
    };
    target
}

fn brief(losses: &[Loss]) -> Vec<String> {
    let line = |loss: &Loss| format!("{}@{} {}", loss.feature, loss.path, loss.severity.as_str());
    losses.iter().map(line).collect()
}

#[test]
fn translations_and_their_losses_are_as_recorded() {
    let pairs = [
        (Protocol::OpenAiChat, Protocol::AnthropicMessages),
        (Protocol::AnthropicMessages, Protocol::OpenAiChat),
    ];
    for (from, to) in pairs {
        for (name, _) in fixtures(from, ".json").iter().filter(|(n, _)| n.starts_with("translate"))
        {
            let case = read_json(from, &format!("{name}.json"));
            let captured = case["captured"].to_string();
            let (body, losses) = match provider::prepare(&captured, from, &target(to, &case)) {
                Ok(request) => (serde_json::from_slice(&request.body).unwrap(), request.losses),
                Err(PrepareError::Untranslatable { losses }) => (Value::Null, losses),
                Err(error) => panic!("{name}: {error}"),
            };
            assert_eq!(brief(&losses), case["losses"].as_array().unwrap().as_slice(), "{name}");
            assert_eq!(body, case["body"], "{from} {name}");
        }
    }
}

fn same_dialect(body: &str, adjust: impl Fn(&mut Target<'_>)) -> (String, WireRequest) {
    let mut target = Target::new(Protocol::OpenAiChat, "next");
    adjust(&mut target);
    let request = provider::prepare(body, Protocol::OpenAiChat, &target).unwrap();
    (String::from_utf8(request.body.clone()).unwrap(), request)
}

#[test]
fn the_captured_dialect_goes_out_byte_for_byte_but_for_the_model() {
    let body = concat!(
        "{ \"model\" : \"gpt-4o\",\n\t\"messages\":[{\"role\":\"user\",\"content\":\"\\u00e9 \\ud83d\"}],",
        "\"temperature\":0.70,\"seed\":12345678901234567890123,\"x\":1E+2,\"max_tokens\" :5 }"
    );
    let (sent, request) = same_dialect(body, |_| {});
    assert_eq!(sent, body.replace("gpt-4o", "next"));
    assert_eq!((request.losses.len(), request.output_cap, request.choices), (0, Some(5), 1));
}

#[test]
fn what_a_replay_must_change_is_booked_and_the_rest_stays() {
    let body = concat!(
        r#"{"model":"a","store":true,"messages":[{"role":"user","content":[{"type":"image_url"}]}],"#,
        r#""tools":[{"type":"web_search"},{"type":"function","function":{"name":"f"}}],"n":3,"#,
        r#""previous_response_id":"r","stream":true,"stream_options":{ "x" : 1 }}"#
    );
    let (sent, request) = same_dialect(body, |target| target.max_output_tokens = Some(77));
    let expected = concat!(
        r#"{"model":"next","messages":[{"role":"user","content":[{"type":"image_url"}]}],"#,
        r#""tools":[{"type":"function","function":{"name":"f"}}],"n":3,"#,
        r#""stream":true,"stream_options":{ "x" : 1,"include_usage":true },"max_tokens":77}"#
    );
    assert_eq!(sent, expected);
    assert_eq!((request.output_cap, request.choices), (Some(77), 3));
    assert_eq!((request.image_count, request.stream), (1, true));
    let booked = [
        "store_stripped@store benign",
        "server_state_stripped@previous_response_id lossy",
        "hosted_tool_stripped@tools[0] lossy",
        "include_usage_added@stream_options.include_usage benign",
        "output_cap_added@max_tokens lossy",
    ];
    assert_eq!(brief(&request.losses), booked);
    let allowed = ["web_search".to_owned(), "previous_response_id".to_owned()];
    let target = Target {
        allow_hosted_tools: &allowed,
        allow_store: true,
        ..Target::new(Protocol::OpenAiChat, "a")
    };
    let kept = provider::prepare(body, Protocol::OpenAiChat, &target).unwrap();
    assert_eq!(brief(&kept.losses), [booked[3]]);
}

#[test]
fn an_anthropic_body_stays_as_it_is_but_for_what_the_version_and_the_rules_refuse() {
    let body = concat!(
        r#"{"anthropic_version":"vertex-2023-10-16","max_tokens":1e2,"system":"s","temperature":1.0,"#,
        r#""top_k":3,"container":"c","tools":[{"type":"web_search_20250305","name":"web_search"}],"#,
        r#""tool_choice":{"type":"tool","name":"web_search"},"messages":[{"role":"user","content":"#,
        r#"[{"type":"tool_result","content":[{"type":"image"}]},{"type":"image"}]}]}"#
    );
    let mut target = Target::new(Protocol::AnthropicMessages, "claude \"x\"");
    target.anthropic_version = "2026-10-21";
    let request = provider::prepare(body, Protocol::AnthropicMessages, &target).unwrap();
    let expected = concat!(
        r#"{"max_tokens":1e2,"system":"s","messages":[{"role":"user","content":"#,
        r#"[{"type":"tool_result","content":[{"type":"image"}]},{"type":"image"}]}],"#,
        r#""model":"claude \"x\""}"#
    );
    assert_eq!(String::from_utf8(request.body).unwrap(), expected);
    assert_eq!((request.output_cap, request.image_count), (Some(100), 2));
    assert_eq!(request.path, "/messages");
    assert!(request.headers.contains(&("anthropic-version", "2026-10-21".to_owned())));
    let booked = [
        "server_state_stripped@container lossy",
        "hosted_tool_stripped@tools[0] lossy",
        "hosted_tool_stripped@tool_choice lossy",
        "sampling_dropped@temperature benign",
        "sampling_dropped@top_k lossy",
        "api_version_moved@anthropic_version benign",
    ];
    assert_eq!(brief(&request.losses), booked);
}

#[test]
fn the_cap_of_a_reasoning_model_has_the_newer_name() {
    let body = r#"{"model":"a","messages":[]}"#;
    for (model, member) in [
        ("o3-mini", "max_completion_tokens"),
        ("openai/gpt-5.1", "max_completion_tokens"),
        ("gpt-4o", "max_tokens"),
        ("gpt-oss-120b", "max_tokens"),
        ("olmo-2", "max_tokens"),
    ] {
        let mut target = Target::new(Protocol::OpenAiChat, model);
        target.max_output_tokens = Some(7);
        let request = provider::prepare(body, Protocol::OpenAiChat, &target).unwrap();
        let expected = format!(r#"{{"model":"{model}","messages":[],"{member}":7}}"#);
        assert_eq!(String::from_utf8(request.body).unwrap(), expected);
    }
}

#[test]
fn the_key_travels_as_the_version_wants_it() {
    let bearer = ("authorization", "Bearer ");
    assert_eq!(provider::auth_header(Protocol::OpenAiChat, ""), bearer);
    let anthropic = |version| provider::auth_header(Protocol::AnthropicMessages, version);
    assert_eq!(anthropic("2023-06-01"), ("x-api-key", ""));
    assert_eq!(anthropic("2026-10-21"), bearer);
}

#[test]
fn a_body_that_two_readers_may_read_differently_is_refused() {
    for body in [r#"{"model":"a","model":"b","messages":[]}"#, "[]", "{", "{\"messages\":[]} x"] {
        for to in Protocol::ALL {
            let refused = provider::prepare(body, Protocol::OpenAiChat, &Target::new(*to, "m"));
            assert!(matches!(refused, Err(PrepareError::Malformed { .. })), "{body}");
        }
    }
}

/// Any cut of a fixture's bytes into pieces.
fn cuts() -> impl Strategy<Value = (Protocol, usize, Vec<usize>)> {
    let protocol = prop::sample::select(Protocol::ALL);
    (protocol, any::<usize>(), prop::collection::vec(1_usize..200, 0..60))
}

/// An ordinary conversation in OpenAI's form: system first, then turns, some with tool calls.
fn conversation() -> impl Strategy<Value = Value> {
    let text = "[a-zA-Zäß😀]{1,8}( [a-z\"\\\\{}]{1,6}){0,2}";
    let turn = (text, text, prop::option::of((text, text)));
    (prop::collection::vec(text, 0..3), prop::collection::vec(turn, 1..5)).prop_map(
        |(systems, turns)| {
            let said = |role: &str, text: &str| json!({"role": role, "content": text});
            let mut messages: Vec<Value> =
                systems.iter().map(|text| said("system", text)).collect();
            for (index, (user, assistant, tool)) in turns.iter().enumerate() {
                messages.push(said("user", user));
                if let Some((argument, result)) = tool {
                    let id = format!("call_{index}");
                    let arguments = json!({"x": argument, "n": index}).to_string();
                    let function = json!({"name": "look", "arguments": arguments});
                    let call = json!({"id": id, "type": "function", "function": function});
                    messages
                        .push(json!({"role": "assistant", "content": null, "tool_calls": [call]}));
                    messages.push(json!({"role": "tool", "tool_call_id": id, "content": result}));
                }
                messages.push(said("assistant", assistant));
            }
            messages.push(said("user", "last"));
            let function = json!({"name": "look", "parameters": {"type": "object"}});
            let tools = json!([{"type": "function", "function": function}]);
            json!({"model": "gpt-4o", "max_tokens": 9, "messages": messages, "tools": tools})
        },
    )
}

fn tool_calls(messages: &[Message]) -> Vec<&ToolCall> {
    let calls = messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::ToolCall(call) => Some(call),
        _ => None,
    });
    calls.collect()
}

proptest! {
    #[test]
    fn any_cut_of_the_bytes_decodes_to_the_same((protocol, which, sizes) in cuts()) {
        let fixtures = fixtures(protocol, ".sse");
        let (name, sse) = &fixtures[which % fixtures.len()];
        let (mut pieces, mut rest) = (Vec::new(), sse.as_slice());
        for size in sizes {
            let (piece, after) = rest.split_at(size.min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let whole = decode(protocol, true, &[sse]);
        prop_assert_eq!(decode(protocol, true, &pieces), whole, "{} {}", protocol, name);
    }

    #[test]
    fn ordinary_conversations_survive_the_way_there_and_back(body in conversation()) {
        let there = Target::new(Protocol::AnthropicMessages, "claude");
        let anthropic =
            provider::prepare(&body.to_string(), Protocol::OpenAiChat, &there).unwrap();
        prop_assert_eq!(brief(&anthropic.losses), Vec::<String>::new());
        let sent = std::str::from_utf8(&anthropic.body).unwrap();
        let back = Target::new(Protocol::OpenAiChat, "gpt-4o");
        let openai = provider::prepare(sent, Protocol::AnthropicMessages, &back).unwrap();
        prop_assert_eq!(brief(&openai.losses), Vec::<String>::new());

        let parse = |protocol, bytes: &[u8]| {
            let body = serde_json::from_slice(bytes).unwrap();
            provider::parse_request(protocol, &body).unwrap().messages
        };
        let first = parse(Protocol::OpenAiChat, body.to_string().as_bytes());
        let middle = parse(Protocol::AnthropicMessages, &anthropic.body);
        let last = parse(Protocol::OpenAiChat, &openai.body);
        prop_assert_eq!(prompt_key(&first), prompt_key(&middle));
        prop_assert_eq!(&first, &last);
        prop_assert_eq!(tool_calls(&first), tool_calls(&middle));
    }

    #[test]
    fn no_bytes_make_a_decoder_or_a_classifier_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        status in any::<u16>(),
    ) {
        for protocol in Protocol::ALL {
            for stream in [true, false] {
                let (decoded, _) = decode(*protocol, stream, &[&bytes]);
                prop_assert!(decoded.error.is_some());
            }
            provider::classify(*protocol, status, &|_| None, &bytes);
        }
    }
}
