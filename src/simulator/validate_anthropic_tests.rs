//! Tests of the Anthropic checks.

use crate::simulator::dialect::Dialect;
use crate::simulator::validate::{self, CheckContext};
use serde_json::{Value, json};

fn checked(change: &Value, version: Option<&str>) -> Option<String> {
    let mut body = json!({
        "model": "m",
        "max_tokens": 64,
        "messages": [{ "role": "user", "content": "hi" }],
    });
    let fields = body.as_object_mut().expect("is an object");
    fields.extend(change.as_object().expect("is an object").clone());
    let context = CheckContext { anthropic_version: version, ..CheckContext::default() };
    let result = validate::check(Dialect::Anthropic, &body, context);
    result.err().map(|error| error.param.unwrap_or_default())
}

fn refused(change: &Value) -> Option<String> {
    checked(change, Some("2023-06-01"))
}

fn tool() -> Value {
    json!({ "name": "f", "input_schema": { "type": "object" } })
}

fn turns() -> (Value, Value, Value) {
    let user = json!({ "role": "user", "content": "x" });
    let call = json!({ "type": "tool_use", "id": "t1", "name": "f", "input": {} });
    let result = json!({ "type": "tool_result", "tool_use_id": "t1", "content": "r" });
    (
        user,
        json!({ "role": "assistant", "content": [call] }),
        json!({ "role": "user", "content": [result] }),
    )
}

#[test]
fn the_version_header_is_required_and_must_be_known() {
    assert_eq!(checked(&json!({}), None).as_deref(), Some("anthropic-version"));
    assert_eq!(checked(&json!({}), Some("2020-01-01")).as_deref(), Some("anthropic-version"));
    assert_eq!(checked(&json!({}), Some("2023-06-01")), None);
    assert_eq!(checked(&json!({}), Some("2026-10-21")), None);
}

#[test]
fn the_newer_version_takes_no_sampling_parameter_even_at_its_default() {
    for (name, value) in [("temperature", json!(1)), ("top_p", json!(1)), ("top_k", json!(4))] {
        let change = Value::Object([(name.to_owned(), value)].into_iter().collect());
        assert_eq!(checked(&change, Some("2023-06-01")), None, "{name}");
        assert_eq!(checked(&change, Some("2026-10-21")).as_deref(), Some(name));
    }
}

#[test]
fn the_newer_version_refuses_assistant_documents_and_user_citations() {
    let document = json!({ "messages": [
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": [{ "type": "document", "source": {} }] },
        { "role": "user", "content": "y" },
    ] });
    let cited = json!({ "messages": [{ "role": "user", "content":
        [{ "type": "text", "text": "x", "citations": [{}] }] }] });
    for (change, name) in
        [(document, "messages.1.content.0"), (cited, "messages.0.content.0.citations")]
    {
        assert_eq!(checked(&change, Some("2023-06-01")), None);
        assert_eq!(checked(&change, Some("2026-10-21")).as_deref(), Some(name));
    }
}

#[test]
fn a_whole_tool_turn_is_accepted() {
    let (user, assistant, result) = turns();
    let change = json!({ "tools": [tool()], "messages": [user, assistant, result] });
    assert_eq!(refused(&change), None);
}

#[test]
fn what_the_protocol_refuses_is_refused_by_its_name() {
    for (change, name) in [
        (json!({ "max_tokens": null }), "max_tokens"),
        (json!({ "max_tokens": 0 }), "max_tokens"),
        (json!({ "n": 1 }), "n"),
        (json!({ "temperature": 1.2 }), "temperature"),
        (json!({ "stop_sequences": [" "] }), "stop_sequences"),
        (json!({ "tools": [{ "type": "function", "function": {} }] }), "tools.0"),
        (json!({ "tools": [{ "name": "f" }] }), "tools.0"),
        (json!({ "tool_choice": "auto" }), "tool_choice"),
        (json!({ "system": [{ "type": "text", "text": "" }] }), "system.0"),
        (json!({ "messages": [{ "role": "system", "content": "x" }] }), "messages.0.role"),
        (json!({ "messages": [{ "role": "assistant", "content": "x" }] }), "messages.0.role"),
        (json!({ "messages": [{ "role": "tool", "content": "x" }] }), "messages.0.role"),
        (json!({ "messages": [{ "role": "user", "content": "" }] }), "messages.0.content"),
        (
            json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url" }] }] }),
            "messages.0.content.0",
        ),
        (
            json!({ "messages": [
                { "role": "user", "content": "x" },
                { "role": "assistant", "content": "so far " },
            ] }),
            "messages.1.content",
        ),
    ] {
        assert_eq!(refused(&change).as_deref(), Some(name), "{change}");
    }
}

#[test]
fn calls_and_results_must_meet_in_neighbouring_messages() {
    let (user, assistant, result) = turns();
    for (messages, name) in [
        (json!([result]), "messages.0"),
        (json!([user, result]), "messages.1"),
        (json!([user, assistant, user]), "messages.2"),
        (json!([user, assistant, result, result]), "messages.3"),
        (json!([user, assistant]), "messages"),
    ] {
        let change = json!({ "tools": [tool()], "messages": messages });
        assert_eq!(refused(&change).as_deref(), Some(name), "{change}");
    }
    let without_tools = json!({ "messages": [user, assistant, result] });
    assert_eq!(refused(&without_tools).as_deref(), Some("tools"));
}
