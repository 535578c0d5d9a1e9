//! Nested spans of one call, and several calls of one trace.

use super::*;

const OUTER: &str = "a000000000000001";
const MIDDLE: &str = "a000000000000002";
const INNER: &str = "a000000000000003";
const SECOND: &str = "a000000000000004";

/// A span that begins and ends so many milliseconds after the first.
fn timed(id: &str, parent: &str, from_to_ms: (i64, i64), attributes: &Value) -> Value {
    let at = |ms: i64| (START_NS + ms * 1_000_000).to_string();
    let times = json!({"startTimeUnixNano": at(from_to_ms.0), "endTimeUnixNano": at(from_to_ms.1)});
    with(&span(id, parent, attributes), &times)
}

fn prompt() -> Value {
    json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "openai/gpt-4o-mini",
        "gen_ai.input.messages":
            [{"role": "user", "parts": [{"type": "text", "content": "Printer is on fire"}]}]})
}

fn usage() -> Value {
    json!({"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.usage.input_tokens": 12, "gen_ai.usage.output_tokens": 3,
        "gen_ai.response.time_to_first_chunk": 0.1})
}

#[test]
fn of_nested_spans_the_innermost_with_content_stands_and_the_others_add_what_they_have() {
    let chain = json!({"openinference.span.kind": "CHAIN", "session.id": "s-1"});
    let root = timed(OUTER, "", (0, 3_000), &chain);
    let outer = timed(MIDDLE, OUTER, (100, 2_900), &with(&prompt(), &json!({"user.id": "u-1"})));
    let http = timed("a00000000000000f", MIDDLE, (150, 2_850), &json!({"http.route": "/v1/x"}));
    let inner = timed(INNER, "a00000000000000f", (200, 2_800), &usage());
    // Each in a record of its own, the innermost first, as batches are sent.
    let records = [inner, http, outer, root].map(|span| spans(std::slice::from_ref(&span)));
    let [row] = rows(&records).try_into().unwrap();
    assert_eq!(row.request_id, format!("{TRACE}-{MIDDLE}"), "the inner span has no content");
    assert_eq!((row.latency_ms, row.input_tokens), (Some(2_800.0), Some(12)));
    assert_eq!(row.ttft_ms, Some(200.0), "0.1 s after the inner span began");
    assert_eq!((row.session_id.as_deref(), row.user_id.as_deref()), (Some("s-1"), Some("u-1")));
    let mut reasons = filtered(&records);
    reasons.sort();
    assert_eq!(reasons, [FilterReason::NotLlm, FilterReason::NotLlm, FilterReason::Wrapper]);

    let full = timed(INNER, MIDDLE, (200, 2_800), &with(&prompt(), &usage()));
    let outer = timed(MIDDLE, OUTER, (100, 2_900), &with(&prompt(), &json!({"user.id": "u-1"})));
    let [row] = rows(&[spans(&[outer, full])]).try_into().unwrap();
    assert_eq!(row.request_id, format!("{TRACE}-{INNER}"));
    assert_eq!((row.latency_ms, row.user_id.as_deref()), (Some(2_600.0), Some("u-1")));
    assert_eq!(row.session_id, None, "the span with it is not in the log");
}

#[test]
fn another_model_inside_or_a_sibling_is_another_call() {
    let outer = timed(OUTER, "", (0, 3_000), &with(&prompt(), &usage()));
    let judge = with(&prompt(), &json!({"gen_ai.request.model": "judge-large"}));
    let inner = timed(INNER, OUTER, (100, 900), &judge);
    assert_eq!(rows(&[spans(&[outer.clone(), inner])]).len(), 2);
    let sibling = timed(SECOND, "", (10, 900), &with(&prompt(), &usage()));
    assert_eq!(rows(&[spans(&[outer.clone(), sibling.clone()])]).len(), 2);
    let dated = json!({"gen_ai.request.model": "gpt-4o-mini-2024-07-18"});
    let version = timed(INNER, OUTER, (100, 900), &with(&prompt(), &dated));
    assert_eq!(rows(&[spans(&[outer, version])]).len(), 1);
    // Two instrumentations of one SDK that do not know each other have the same answer.
    let answer = json!({"gen_ai.response.id": "msg-1"});
    let twin = |span: &Value, id| {
        with(
            span,
            &json!({"spanId": id, "attributes":
        pairs(&with(&prompt(), &answer))}),
        )
    };
    let twins = [twin(&sibling, OUTER), twin(&sibling, INNER)];
    assert_eq!(rows(&[spans(&twins)]).len(), 1);
}

#[test]
fn attempts_inside_one_wrapper_are_rows_of_one_identifier() {
    let outer = timed(OUTER, "", (0, 3_000), &with(&prompt(), &json!({"user.id": "u-1"})));
    let failed = with(
        &timed(INNER, OUTER, (100, 500), &with(&prompt(), &json!({"error.type": "503"}))),
        &json!({"status": {"code": 2}}),
    );
    let answered = timed(SECOND, OUTER, (900, 2_900), &with(&prompt(), &usage()));
    let rows = rows(&[spans(&[outer.clone(), failed, answered])]);
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.request_id == format!("{TRACE}-{OUTER}")));
    assert!(rows.iter().all(|row| row.user_id.as_deref() == Some("u-1")));
    assert_eq!(rows[0].error_class.as_deref(), Some("overloaded"));
    assert_eq!(rows[1].error_class, None);
    // Without content of their own they are attempts that the outer span includes.
    let bare = |id, from| timed(id, OUTER, (from, from + 400), &usage());
    let [whole] =
        super::rows(&[spans(&[outer, bare(INNER, 100), bare(SECOND, 900)])]).try_into().unwrap();
    assert_eq!(whole.request_id, format!("{TRACE}-{OUTER}"));
    assert_eq!(whole.latency_baseline_reason.as_deref(), Some("retried"));
}

#[test]
fn a_span_that_the_log_holds_twice_is_the_same_row_and_an_older_state_is_outdated() {
    let whole = span(INNER, "", &with(&prompt(), &usage()));
    let twice = rows(&[spans(std::slice::from_ref(&whole)), spans(std::slice::from_ref(&whole))]);
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[0], twice[1], "the importer counts it as a duplicate");
    let early = span(INNER, "", &prompt());
    for order in [[early.clone(), whole.clone()], [whole, early]] {
        let record = [spans(&order)];
        assert_eq!(rows(&record).first().and_then(|row| row.input_tokens), Some(12));
        assert_eq!(filtered(&record), [FilterReason::Outdated]);
    }
}

#[test]
fn parents_that_go_round_in_a_circle_are_each_taken_once() {
    let a = span(OUTER, INNER, &prompt());
    let b = span(INNER, OUTER, &prompt());
    let c = span(MIDDLE, MIDDLE, &prompt());
    let found = readings(&[spans(&[a, b, c])]);
    assert_eq!(found.len(), 3);
    // A chain deeper than any stack.
    let id = |at: usize| format!("b{at:015x}");
    let chain: Vec<Value> = (0..3_000).map(|at| span(&id(at + 1), &id(at), &prompt())).collect();
    assert_eq!(rows(&[spans(&chain)]).len(), 1);
}
