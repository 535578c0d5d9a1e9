//! The shortcut gives the general reader's row or none, whatever a log holds.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::format::{LogFormat, ReadContext, Reading};
use super::super::LiteLlm;

/// A streamed completion with all that the proxy writes beside it.
fn completion() -> Value {
    json!({
        "id": "chatcmpl-1", "litellm_call_id": "call-1", "trace_id": "trace-1", "session_id": "",
        "call_type": "acompletion", "cache_hit": null, "stream": true, "status": "success",
        "status_fields": {"llm_api_status": "success", "guardrail_status": "not_run"},
        "custom_llm_provider": "openai", "startTime": 1_793_597_601.25,
        "endTime": 1_793_597_603.75, "completionStartTime": 1_793_597_601.65,
        "response_time": 0.4, "model": "openai/gpt-4o-mini", "model_group": "chat-default",
        "response_cost": 1.2e-05, "prompt_tokens": 812, "completion_tokens": 64,
        "end_user": "u-17", "request_tags": ["prod", "User-Agent: curl"],
        "messages": [
            {"role": "system", "content": "File tickets.\nBe \"brief\" – très."},
            {"role": "user", "content": "Printer is on fire \u{1f525}"}],
        "response": {"id": "chatcmpl-1", "object": "chat.completion", "created": 1_793_597_601,
            "model": "gpt-4o-mini-2024-07-18", "system_fingerprint": null,
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Evacuate.", "tool_calls": null,
                    "function_call": null, "provider_specific_fields": {"refusal": null},
                    "annotations": []}, "provider_specific_fields": {}}],
            "usage": {"prompt_tokens": 812, "completion_tokens": 64, "total_tokens": 876,
                "prompt_tokens_details": {"cached_tokens": 512, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 7}}},
        "model_parameters": {"temperature": 0.20, "max_tokens": 300, "stream": true},
        "metadata": {"user_api_key_alias": "backend", "user_api_key_team_alias": "support",
            "user_api_key_request_route": "/chat/completions", "user_api_key_team_id": null,
            "requester_metadata": {"route": "/tickets", "headers": {"host": "gw.example.com"}},
            "usage_object": {"cache_creation_input_tokens": 3}, "spend_logs_metadata": null},
        "hidden_params": {"litellm_overhead_time_ms": 6.1, "usage_object": null,
            "additional_headers": {"x-litellm-attempted-retries": 0}},
        "model_map_information": {"model_map_key": "gpt", "model_map_value": {"max_tokens": 1e6}},
        "error_str": null, "error_information": {"error_code": "", "error_class": ""},
        "guardrail_information": null
    })
}

/// A conversation with tools, in both directions.
fn tool_calls() -> Value {
    let mut record = completion();
    record["messages"] = json!([
        {"content": "How warm is it?", "role": "user"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function",
            "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\"}"}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "9 °C"},
        {"role": "user", "content": [{"type": "text", "text": "And tomorrow?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/map.png"}}]}]);
    record["model_parameters"] = json!({"tools": [{"type": "function", "function":
        {"name": "weather", "parameters": {"type": "object"}}}], "seed": 7});
    record["stream"] = Value::Null;
    record["response"]["choices"][0] = json!({"index": 0, "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": null, "tool_calls": [{"id": "c2",
            "type": "function", "function": {"name": "weather", "arguments": "{}"}}]}});
    record
}

/// A failed attempt.
fn failure() -> Value {
    let mut record = completion();
    record["status"] = json!("failure");
    record["response"] = json!({});
    record["prompt_tokens"] = json!(0);
    record["completion_tokens"] = json!(0);
    record["error_str"] = json!("litellm.RateLimitError: slow down");
    record["error_information"] = json!({"error_code": "429", "error_class": "RateLimitError",
        "error_message": "slow down", "error_rate_limit_category": "litellm_rate_limit"});
    record
}

fn bases() -> [Value; 3] {
    [completion(), tool_calls(), failure()]
}

fn shortcut(text: &str) -> Option<Reading> {
    LiteLlm.read_text(text, &ReadContext::default())
}

fn general(text: &str) -> Reading {
    let record: Value = serde_json::from_str(text).unwrap();
    LiteLlm.read(&record, &ReadContext::default()).remove(0)
}

/// How a writer spells its JSON.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is one habit of writers")]
struct Spelling {
    spaces: bool,
    /// Escapes for everything that is not ASCII, as Python writes by default.
    ascii: bool,
    /// Escapes that no one needs.
    odd_escapes: bool,
    exponents: bool,
    /// The first member of each object again at its end.
    repeats: bool,
}

const PYTHON: Spelling =
    Spelling { spaces: true, ascii: true, odd_escapes: false, exponents: false, repeats: false };

fn written(value: &Value, how: Spelling) -> String {
    let mut out = String::new();
    write_value(&mut out, value, how);
    out
}

fn write_value(out: &mut String, value: &Value, how: Spelling) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { separator(how) });
                write_value(out, item, how);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let again = members.iter().take(usize::from(how.repeats));
            for (index, (name, member)) in members.iter().chain(again).enumerate() {
                out.push_str(if index == 0 { "" } else { separator(how) });
                write_text(out, name, Spelling { odd_escapes: false, ..how });
                out.push_str(if how.spaces { ": " } else { ":" });
                write_value(out, member, how);
            }
            out.push('}');
        }
        Value::String(text) => write_text(out, text, how),
        Value::Number(number) => {
            out.push_str(&number.to_string());
            if how.exponents && !number.to_string().contains(['e', 'E']) {
                out.push_str("E+0");
            }
        }
        other => out.push_str(&other.to_string()),
    }
}

fn separator(how: Spelling) -> &'static str {
    if how.spaces { ", " } else { "," }
}

fn write_text(out: &mut String, text: &str, how: Spelling) {
    let json = serde_json::to_string(text).unwrap();
    for (index, char) in json.chars().enumerate() {
        let is_odd = how.odd_escapes && index % 5 == 1 && char.is_ascii_alphabetic();
        let is_name_of_escape = index > 0 && json.chars().nth(index - 1) == Some('\\');
        if (how.ascii && !char.is_ascii()) || (is_odd && !is_name_of_escape) {
            let mut units = [0; 2];
            for unit in char.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(char);
        }
    }
}

/// Every place of a value, as a JSON pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, member)| places(member, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

#[derive(Debug, Clone)]
enum Change {
    Set(usize, Value),
    Remove(usize),
    Add(usize, String, Value),
}

fn apply(record: &mut Value, change: &Change) {
    let mut all = Vec::new();
    places(record, "", &mut all);
    let place = |index: &usize| all[1 + index % (all.len() - 1)].clone();
    match change {
        Change::Set(index, value) => *record.pointer_mut(&place(index)).unwrap() = value.clone(),
        Change::Add(index, name, value) => {
            if let Some(Value::Object(members)) = record.pointer_mut(&place(index)) {
                members.insert(name.clone(), value.clone());
            }
        }
        Change::Remove(index) => {
            let place = place(index);
            let (parent, name) = place.rsplit_once('/').unwrap();
            match record.pointer_mut(parent).unwrap() {
                Value::Object(members) => drop(members.shift_remove(name)),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                _ => {}
            }
        }
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    let words = [
        "",
        " ",
        "stop",
        "eos",
        "user",
        "assistant",
        "developer",
        "tool",
        "success",
        "failure",
        "acompletion",
        "aresponses",
        "redacted-by-litellm",
        "[REDACTED]",
        "MaxDepthExceeded",
        "ping",
        "health-check",
        "a_cache_hit1.5",
        "guardrail_intervened",
        "azure/gpt",
        "***",
        "[base64_data truncated: 72B]",
        "{\"content\":\"FILTERED\"}",
        "tab\tand \u{1}",
        "1.5",
        "chat.completion",
        "text_completion",
        "message",
        "BudgetExceededError",
        "tokens",
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_i64..3).prop_map(Value::from),
        proptest::sample::select(words.to_vec()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let names = [
        "role",
        "content",
        "text",
        "type",
        "error",
        "message",
        "index",
        "refusal",
        "url",
        "stream",
        "cache_control",
        "cached_tokens",
        "function",
        "name",
        "arguments",
        "model",
        "messages",
    ];
    leaf().prop_recursive(3, 12, 4, move |inner| {
        let name = proptest::sample::select(names.to_vec());
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..4).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            }),
        ]
    })
}

fn change() -> impl Strategy<Value = Change> {
    let names = [
        "content",
        "name",
        "refusal",
        "tool_calls",
        "cache_control",
        "error",
        "detail",
        "output",
        "table_name",
        "seed",
        "top_k",
        "stop",
        "n",
        "max_tokens",
        "response_format",
        "tools",
        "messages",
        "model",
        "reasoning_content",
        "audio",
        "delta",
        "is_silent_experiment",
        "x-litellm-attempted-fallbacks",
        "usage_object",
        "reasoning",
        "annotations",
        "user",
    ];
    let names = proptest::sample::select(names.to_vec()).prop_map(str::to_owned);
    prop_oneof![
        (any::<usize>(), leaf()).prop_map(|(place, value)| Change::Set(place, value)),
        (any::<usize>(), value()).prop_map(|(place, value)| Change::Set(place, value)),
        any::<usize>().prop_map(Change::Remove),
        (any::<usize>(), names, value())
            .prop_map(|(place, name, value)| Change::Add(place, name, value)),
    ]
}

fn spelling() -> impl Strategy<Value = Spelling> {
    let rarely = proptest::bool::weighted(0.1);
    (any::<bool>(), any::<bool>(), rarely, rarely, rarely).prop_map(
        |(spaces, ascii, odd_escapes, exponents, repeats)| Spelling {
            spaces,
            ascii,
            odd_escapes,
            exponents,
            repeats,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_500) })]

    #[test]
    fn what_the_shortcut_reads_the_general_reader_reads_alike(
        base in 0_usize..3,
        changes in proptest::collection::vec(change(), 0..4),
        how in spelling(),
    ) {
        let mut record = bases()[base].clone();
        for change in &changes {
            apply(&mut record, change);
        }
        let text = written(&record, how);
        if let Some(reading) = shortcut(&text) {
            prop_assert_eq!(reading, general(&text), "{}", text);
        }
    }
}

#[test]
fn the_common_forms_take_the_shortcut_in_every_spelling_of_the_writers() {
    for record in bases() {
        for (spaces, ascii) in [(false, false), (true, false), (false, true), (true, true)] {
            let text = written(&record, Spelling { spaces, ascii, ..PYTHON });
            assert_eq!(shortcut(&text).unwrap(), general(&text), "{text}");
        }
    }
}

#[test]
fn other_forms_are_left_to_the_general_reader() {
    let with = |place: &str, value: Value| {
        let mut record = completion();
        *record.pointer_mut(place).unwrap() = value;
        record.to_string()
    };
    let python = written(&completion(), PYTHON);
    for text in [
        with("/call_type", json!("aresponses")),
        with("/messages", json!("Hi")),
        with("/messages", json!([])),
        with("/response", json!("{'id': 'x'")),
        with("/response/object", json!("text_completion")),
        with("/startTime", Value::Null),
        with("/startTime", json!("2026-11-02T05:33:21Z")),
        python.replacen("\"id\"", "\"id\": \"twice\", \"id\"", 1),
        python.replacen("512", "NaN", 1),
    ] {
        assert_eq!(shortcut(&text), None, "{text}");
    }
}

#[test]
fn what_is_no_sound_json_is_left_to_be_mended_wherever_it_stands() {
    let python = written(&completion(), PYTHON);
    let deep = format!("{}1{}", "[".repeat(127), "]".repeat(127));
    for (sound, flaw) in [
        ("\"host\": \"", "\"host\": \"\\ud83d"),
        ("1000000.0", "1e999"),
        ("1000000.0", deep.as_str()),
        ("\"host\": \"", "\"host\": \"\\x"),
        ("\"host\": \"", "\"host\": \"\n"),
    ] {
        let text = python.replacen(sound, flaw, 1);
        assert_ne!(text, python, "{sound}");
        assert!(serde_json::from_str::<Value>(&text).is_err(), "{flaw}");
        assert_eq!(shortcut(&text), None, "{flaw}");
    }
}
