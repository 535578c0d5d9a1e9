//! Missing members, wrong types, times that cannot be.

use super::*;
use crate::capture::reason::RejectReason;

fn rejected(record: &Value) -> (RejectReason, String) {
    match readings(std::slice::from_ref(record)).as_slice() {
        [Reading::Reject(reason, detail)] => (*reason, detail.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_without_a_beginning_is_rejected_by_the_fields_name() {
    let mut call = span("eee19b7ec3c1b174", "", &generation_c());
    call["startTimeUnixNano"] = json!("soon");
    let (reason, detail) = rejected(&spans(&[call.clone()]));
    assert_eq!(reason, RejectReason::BadField);
    assert!(detail.contains("startTimeUnixNano"), "{detail}");
    call.as_object_mut().unwrap().remove("startTimeUnixNano");
    assert_eq!(rejected(&spans(&[call])).0, RejectReason::MissingField);
    assert_eq!(rejected(&json!({"hello": 1})).0, RejectReason::MissingField);
    assert_eq!(rejected(&json!("text")).0, RejectReason::NotAnObject);
}

#[test]
fn a_call_without_an_end_or_with_one_before_its_beginning_has_bad_timing() {
    let mut call = span("eee19b7ec3c1b174", "", &generation_c());
    call.as_object_mut().unwrap().remove("endTimeUnixNano");
    let [open] = rows(&[spans(&[call.clone()])]).try_into().unwrap();
    assert_eq!(open.latency_ms, None);
    assert_eq!(open.latency_baseline_reason.as_deref(), Some("bad_timing"));
    call["endTimeUnixNano"] = json!(START_NS - 1);
    let [back] = rows(&[spans(&[call])]).try_into().unwrap();
    assert_eq!((back.latency_ms, back.latency_baseline_ok), (None, false));
}

#[test]
fn a_time_to_first_chunk_is_in_seconds_and_an_answer_in_one_piece_has_none() {
    let whole = json!({"gen_ai.request.stream": false});
    let mut attributes = with(&generation_c(), &whole);
    attributes.as_object_mut().unwrap().remove("gen_ai.response.time_to_first_chunk");
    let row1 = row(&attributes);
    assert_eq!((row1.ttft_ms, row1.stream), (None, Some(false)));
    let late = row(&with(&generation_c(), &json!({"gen_ai.response.time_to_first_chunk": 400})));
    assert_eq!(late.latency_baseline_reason.as_deref(), Some("bad_timing"), "400 s of 2.5 s");
}

#[test]
fn a_call_with_nothing_but_its_kind_is_a_row_of_unknowns() {
    let mut bare = span("", "", &json!({"gen_ai.operation.name": "chat"}));
    bare.as_object_mut().unwrap().remove("traceId");
    let [row] = rows(&[spans(&[bare.clone()])]).try_into().unwrap();
    assert!(row.request_id.starts_with("row-"), "{}", row.request_id);
    assert_eq!((row.input_tokens, row.provider, row.stream), (None, None, None));
    assert_eq!((row.request_model.as_str(), row.content_state.as_str()), ("", "absent"));
    assert_eq!(rows(&[spans(&[bare])])[0].request_id, row.request_id, "stable");
    let sampled_out = with(
        &event("eee19b7ec3c1b174", 0, "gen_ai.user.message", &json!({"content": "x"})),
        &json!({"flags": 0}),
    );
    assert_eq!(filtered(&[logs(&[sampled_out])]), [FilterReason::NotLlm], "its span never was");
}

#[test]
fn wrong_types_anywhere_are_no_panic() {
    let wrong = [
        json!(null),
        json!(7),
        json!("{"),
        json!("[1"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"a": {}}),
        json!(true),
        json!(-1.5e300),
    ];
    let attributes = with(
        &generation_c(),
        &json!({"llm.invocation_parameters": "{}",
        "hidden_params": "{}", "gen_ai.prompt.0.role": "user", "llm.tools.0.tool.json_schema": "{}",
        "langfuse.observation.input": "x", "langfuse.observation.usage_details": "{}",
        "langfuse.observation.cost_details": "{}", "metadata.requester_metadata": "{}"}),
    );
    let names: Vec<String> = attributes.as_object().unwrap().keys().cloned().collect();
    for value in &wrong {
        for name in &names {
            let changed =
                with(&attributes, &Value::Object(Map::from_iter([(name.clone(), value.clone())])));
            let found = readings(&[spans(&[span("eee19b7ec3c1b174", "", &changed)])]);
            assert_eq!(found.len(), 1, "{name} {value}");
        }
        for name in [
            "traceId",
            "spanId",
            "parentSpanId",
            "name",
            "attributes",
            "events",
            "status",
            "startTimeUnixNano",
            "endTimeUnixNano",
        ] {
            let mut call = span("eee19b7ec3c1b174", "", &attributes);
            call[name] = value.clone();
            let mut log = event("eee19b7ec3c1b174", 1, "gen_ai.choice", &json!({"message": value}));
            log["body"] = value.clone();
            assert!(!readings(&[spans(&[call]), logs(&[log])]).is_empty(), "{name} {value}");
        }
        let record = json!({"resource": value, "scopeSpans": [value, {"spans": value}],
            "scopeLogs": [{"logRecords": [value]}]});
        assert!(!Otlp.read(&record, &ReadContext::default()).is_empty(), "{value}");
        assert_eq!(Otlp.join(std::slice::from_ref(value), &ReadContext::default()).len(), 1);
    }
}
