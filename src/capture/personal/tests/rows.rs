//! Whole rows: columns, JSON, places, identifiers and the state of the content.

use serde_json::{Value, json};

use super::*;
use crate::dataset::CapturedExchange;

fn row() -> CapturedExchange {
    CapturedExchange { content_state: "complete".into(), ..CapturedExchange::default() }
}

fn selecting(paths: &[&str]) -> PersonalData {
    let paths = paths.iter().map(|path| path.parse().unwrap()).collect();
    redactor(&RedactionPolicy { paths, ..RedactionPolicy::all() })
}

#[test]
fn every_column_is_redacted_and_the_same_value_is_the_same_everywhere() {
    let text = || Some("ask a@example.com".to_owned());
    let body =
        json!({"model": "m", "messages": [{"role": "user", "content": "x\na@example.com\"y"}]});
    let calls = json!([{"id": "c", "name": "f", "arguments": "{\"to\": \"a@example.com\"}"}]);
    let mut row = CapturedExchange {
        request_id: "a@example.com".into(),
        session_id: text(),
        user_id: text(),
        route: text(),
        tenant: text(),
        tags: Some(json!(["a@example.com"]).to_string()),
        request_model: "a@example.com".into(),
        request_body: Some(body.to_string()),
        response_text: text(),
        tool_calls: Some(calls.to_string()),
        refusal: text(),
        error_message: text(),
        ..row()
    };
    let redactor = redactor(&RedactionPolicy::all());
    redactor.redact(&mut row);
    assert_eq!(row.request_model, "a@example.com", "a model is no person");
    row.request_model.clear();
    let all = serde_json::to_string(&row).unwrap();
    let stand_in = redactor.redact_text("a@example.com").into_owned();
    assert!(!all.contains("a@example"), "{all}");
    assert_eq!(all.matches(&stand_in).count(), 11, "{all}");
    let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
    assert_eq!(body["messages"][0]["content"], format!("x\n{stand_in}\"y"));
    let calls: Value = serde_json::from_str(row.tool_calls.as_deref().unwrap()).unwrap();
    assert_eq!(calls[0]["arguments"], format!("{{\"to\": \"{stand_in}\"}}"));
    assert_eq!(row.content_state, "pseudonymised");
    assert_eq!(redactor.counts().get("email"), Some(&12));
    let before = row.clone();
    redactor.redact(&mut row);
    assert_eq!(row, before);
}

#[test]
fn bytes_that_are_not_replaced_stay_as_they_were_written() {
    let redactor = redactor(&RedactionPolicy::all());
    let body = "{ \"n\": 1.50e0, \"card\": 4111111111111111,\n \"t\":\"\\u00e9 \\/ a@example.com\",\"a@example.com\":[true,null,{}] , \"e\":\"\\u00e9\\/\" }";
    let shown = without_digits(&redactor.redact_json(body));
    let expected = "{ \"n\": 1.50e0, \"card\": 4111111111111111,\n \"t\":\"é / [email]\",\"[email]\":[true,null,{}] , \"e\":\"\\u00e9\\/\" }";
    assert_eq!(shown, expected);
    let escaped = "{\"t\":\"a\\u0040example.com\"}";
    assert_eq!(without_digits(&redactor.redact_json(escaped)), "{\"t\":\"[email]\"}");
    let named = RedactionPolicy { names: vec!["Claude".into()], ..RedactionPolicy::none() };
    let named = super::redactor(&named);
    let body = "{\"model\":\"claude-sonnet-4\",\"t\":\"Claude\"}";
    let expected = "{\"model\":\"claude-sonnet-4\",\"t\":\"[name]\"}";
    assert_eq!(without_digits(&named.redact_json(body)), expected);
}

#[test]
fn a_member_says_what_its_number_is() {
    let redactor = redactor(&RedactionPolicy::all());
    let shown = |json: &str| without_digits(&redactor.redact_json(json));
    assert_eq!(shown(r#"{"userPhone":"4155550123"}"#), r#"{"userPhone":"[phone]"}"#);
    assert_eq!(shown(r#"{"phones":["612 345 678"]}"#), r#"{"phones":["[phone]"]}"#);
    assert_eq!(shown(r#"{"order_id":"415-555-0123"}"#), r#"{"order_id":"415-555-0123"}"#);
    assert_eq!(shown(r#"{"bsn":"111222333"}"#), r#"{"bsn":"[national_id]"}"#);
    assert_eq!(shown(r#"{"app_version":"1.2.3.4"}"#), r#"{"app_version":"1.2.3.4"}"#);
    assert_eq!(
        shown(r#"{"n":4155550123,"card":"{\"n\":4111111111111111}"}"#),
        r#"{"n":4155550123,"card":"{\"n\":4111111111111111}"}"#
    );
}

#[test]
fn paths_replace_whatever_stands_there_and_below() {
    let redactor =
        selecting(&["messages[*].metadata.customer", "metadata.*", "rows[1]", "tags[*]"]);
    let mut row = CapturedExchange {
        request_body: Some(
            r#"{"messages":[{"content":"Jo","metadata":{"customer":{"name":"Jo","age":7,"vip":true},"x":"Jo"}}],"metadata":{"a":"a@example.com","b":""},"rows":["p","q"]}"#.into(),
        ),
        tags: Some(r#"["Jo"]"#.into()),
        ..row()
    };
    redactor.redact(&mut row);
    let body = without_digits(row.request_body.as_deref().unwrap());
    let expected = r#"{"messages":[{"content":"Jo","metadata":{"customer":{"name":"[field]","age":"[field]","vip":true},"x":"Jo"}}],"metadata":{"a":"[email]","b":""},"rows":["p","[field]"]}"#;
    assert_eq!(body, expected);
    assert_eq!(without_digits(row.tags.as_deref().unwrap()), r#"["[field]"]"#);
    assert_eq!(row.content_state, "pseudonymised");
    let before = row.clone();
    redactor.redact(&mut row);
    assert_eq!(row, before);
}

#[test]
fn identifiers_are_replaced_as_a_whole_if_asked_for() {
    let mut row = CapturedExchange {
        user_id: Some("u-17 of acme".into()),
        session_id: Some("s-1".into()),
        request_body: Some(r#"{"user":"u-17 of acme","metadata":{"session_id":"s-1"}}"#.into()),
        ..row()
    };
    let kept = row.clone();
    redactor(&RedactionPolicy::all()).redact(&mut row);
    assert_eq!(row, kept);
    let redactor = redactor(&RedactionPolicy { ids: true, ..RedactionPolicy::none() });
    redactor.redact(&mut row);
    let (user, session) = (row.user_id.unwrap(), row.session_id.unwrap());
    assert_eq!(without_digits(&user), "[user]");
    assert_eq!(without_digits(&session), "[session]");
    let expected = format!(r#"{{"user":"{user}","metadata":{{"session_id":"{session}"}}}}"#);
    assert_eq!(row.request_body, Some(expected));
}

#[test]
fn the_state_of_content_says_whether_content_was_replaced() {
    let redactor = redactor(&RedactionPolicy { ids: true, ..RedactionPolicy::all() });
    let state = |row: CapturedExchange| {
        let mut row = row;
        redactor.redact(&mut row);
        row.content_state
    };
    let answer = |text: &str| CapturedExchange { response_text: Some(text.into()), ..row() };
    assert_eq!(state(answer("hello")), "complete");
    assert_eq!(state(answer("a@example.com")), "pseudonymised");
    assert_eq!(state(answer("[secret:jwt]")), "complete");
    assert_eq!(state(CapturedExchange { user_id: Some("u".into()), ..row() }), "complete");
    let cut = CapturedExchange { content_state: "truncated".into(), ..answer("a@example.com") };
    assert_eq!(state(cut), "truncated");
}

#[test]
fn text_that_is_no_json_or_nested_too_deep_is_redacted_as_text() {
    let redactor = redactor(&RedactionPolicy::all());
    let shown = |json: &str| without_digits(&redactor.redact_json(json));
    assert_eq!(shown("{\"a\": a@example.com"), "{\"a\": [email]");
    assert_eq!(shown("\"a@example.com\" x"), "\"[email]\" x");
    let deep = format!("{}\"a@example.com\"{}", "[".repeat(500), "]".repeat(500));
    assert_eq!(shown(&deep), deep.replace("a@example.com", "[email]"));
}
