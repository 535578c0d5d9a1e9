//! What the reader of LangSmith's runs makes of the traps that the format has.

use serde_json::{Value, json};

use super::*;
use crate::dataset::CapturedExchange;

/// A call of LangChain as the API gives it.
fn run() -> Value {
    json!({
        "id": "r-2", "trace_id": "r-1", "parent_run_id": "r-1", "run_type": "llm",
        "dotted_order": "20261102T053321000000Zr-1.20261102T053321250000Zr-2",
        "name": "ChatOpenAI", "start_time": "2026-11-02T05:33:21.250000",
        "end_time": "2026-11-02T05:33:23.750000", "first_token_time": "2026-11-02T05:33:21.650000",
        "session_id": "project-1", "session_name": "support", "status": "success", "error": null,
        "tags": ["seq:step:2", "vip"],
        "inputs": {"messages": [[
            {"lc": 1, "type": "constructor", "id": ["langchain", "schema", "messages", "HumanMessage"],
             "kwargs": {"content": "Printer is on fire", "type": "human"}}]]},
        "outputs": {"generations": [[{"text": "Evacuate.", "generation_info": {"finish_reason": "stop"},
            "message": {"lc": 1, "type": "constructor", "id": ["x", "AIMessage"],
                "kwargs": {"content": "Evacuate.", "type": "ai",
                    "response_metadata": {"model_name": "gpt-4o-mini-2024-07-18"}}}}]],
            "llm_output": {"token_usage": {"prompt_tokens": 1, "completion_tokens": 1}}},
        "extra": {"invocation_params": {"model": "gpt-4o-mini", "_type": "openai-chat",
                "stream": false, "temperature": 0.2, "max_tokens": 300, "stop": null,
                "tools": [{"type": "function", "function": {"name": "open_ticket"}}]},
            "metadata": {"ls_provider": "openai", "ls_model_name": "gpt-4o-mini",
                "ls_temperature": 0.7, "thread_id": "s-9", "user_id": "u-17"}},
        "prompt_tokens": 812, "completion_tokens": 64, "total_tokens": 876,
        "prompt_token_details": {"cache_read": 512},
        "completion_token_details": {"reasoning": 7},
        "prompt_cost": "0.0000834", "completion_cost": "0.0000384", "total_cost": "0.0001218"
    })
}

/// A call of a wrapped client of OpenAI: the inputs are the request's members.
fn wrapped() -> Value {
    let inputs = json!({"model": "gpt-4o-mini", "stream": true, "temperature": 0.5,
        "messages": [{"role": "user", "content": "Hi"}]});
    let outputs = json!({"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Hello"}}],
        "usage_metadata": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11,
            "input_token_details": {"cache_read": 4}, "output_token_details": {}}});
    with(&[
        ("inputs", inputs),
        ("outputs", outputs),
        ("extra", json!({"metadata": {"ls_provider": "openai"}})),
        ("prompt_tokens", json!(null)),
        ("completion_tokens", json!(null)),
    ])
}

fn root() -> Value {
    json!({"id": "r-1", "trace_id": "r-1", "parent_run_id": null, "run_type": "chain",
        "name": "triage", "start_time": "2026-11-02T05:33:21", "session_id": "project-1",
        "tags": ["prod"], "extra": {"metadata": {"conversation_id": "root-session"}}})
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut record = run();
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn joined(records: &[Value]) -> Vec<Reading> {
    let context = ReadContext { utc_offset_s: Some(3_600), ..ReadContext::default() };
    let readings = records.iter().flat_map(|record| LangSmith.read(record, &context));
    let (mut parts, mut others) = (Vec::new(), Vec::new());
    for reading in readings {
        match reading {
            Reading::Part(part) => parts.push(part),
            other => others.push(other),
        }
    }
    let keys: std::collections::BTreeSet<String> =
        parts.iter().map(|part| part.key.clone()).collect();
    for key in keys {
        let own = parts.iter().filter(|part| part.key == key);
        let group: Vec<Value> = own.map(|part| part.record.clone()).collect();
        others.extend(LangSmith.join(&group, &context).into_iter().map(|(_, reading)| reading));
    }
    others
}

fn rows(records: &[Value]) -> Vec<CapturedExchange> {
    let rows = joined(records).into_iter().filter_map(|reading| match reading {
        Reading::Exchange(row) => Some(*row),
        _ => None,
    });
    rows.collect()
}

fn row(record: &Value) -> CapturedExchange {
    rows(std::slice::from_ref(record)).remove(0)
}

fn body(row: &CapturedExchange) -> Value {
    serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap()
}

#[test]
fn a_streamed_call_of_langchain_fills_every_column_that_it_has() {
    let row = row(&run());
    assert_eq!(row.request_id, "r-2");
    assert_eq!(row.session_id.as_deref(), Some("s-9"), "not the project");
    assert_eq!(row.user_id.as_deref(), Some("u-17"));
    assert_eq!(row.captured_at, 1_793_597_601_250_000);
    assert_eq!(row.time_basis.as_deref(), Some("assumed_utc"));
    assert_eq!((row.latency_ms, row.ttft_ms), (Some(2_500.0), Some(400.0)));
    assert_eq!(row.stream, Some(true), "whatever the parameters say");
    assert_eq!(row.provider.as_deref(), Some("openai"));
    assert_eq!(row.request_model, "gpt-4o-mini");
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    assert_eq!(row.finish_reason.as_deref(), Some("stop"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!((row.cache_read_input_tokens, row.reasoning_output_tokens), (Some(512), Some(7)));
    assert_eq!(row.cost_nanousd, Some(121_800));
    assert_eq!(row.tags.as_deref(), Some("[\"vip\"]"));
    assert!(row.replayable && row.latency_baseline_ok);
    assert_eq!(
        body(&row),
        json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Printer is on fire"}],
            "tools": [{"type": "function", "function": {"name": "open_ticket"}}],
            "temperature": 0.2, "max_tokens": 300, "stream": true})
    );
}

#[test]
fn a_wrapped_client_logs_the_request_as_inputs_and_usage_beside_the_answer() {
    let row = row(&wrapped());
    let expected = json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5, "stream": true});
    assert_eq!(body(&row), expected);
    assert_eq!(row.response_text.as_deref(), Some("Hello"));
    assert_eq!((row.input_tokens, row.cache_read_input_tokens), (Some(9), Some(4)));
}

#[test]
fn objects_as_texts_and_numbers_as_texts_are_the_same_row() {
    let mut flat = run();
    for (_, value) in flat.as_object_mut().unwrap() {
        if !value.is_null() && !value.is_string() {
            *value = json!(value.to_string());
        }
    }
    assert_eq!(row(&flat), row(&run()));
    let numbers = with(&[
        ("total_cost", json!(null)),
        ("prompt_cost", json!(0.5)),
        ("completion_cost", json!(0.25)),
    ]);
    assert_eq!(row(&numbers).cost_nanousd, Some(750_000_000));
}

#[test]
fn the_first_token_may_be_an_event() {
    let events = json!([{"name": "start", "time": "2026-11-02T05:33:21.250000"},
        {"name": "new_token", "time": "2026-11-02T05:33:21.700000"},
        {"name": "new_token", "time": "2026-11-02T05:33:21.900000"}]);
    let row = row(&with(&[("first_token_time", json!(null)), ("events", events)]));
    assert_eq!((row.ttft_ms, row.stream), (Some(450.0), Some(true)));
}

#[test]
fn an_answer_in_one_piece_has_no_first_token() {
    let row = row(&with(&[("first_token_time", json!(null))]));
    assert_eq!((row.ttft_ms, row.stream), (None, Some(false)));
}

#[test]
fn the_outermost_run_gives_what_the_call_does_not_say() {
    let extra = json!({"metadata": {"ls_provider": "openai", "ls_model_name": "m"}});
    let bare = with(&[("extra", extra), ("tags", json!(null))]);
    for records in [[bare.clone(), root()], [root(), bare.clone()]] {
        let row = rows(&records).remove(0);
        assert_eq!(row.session_id.as_deref(), Some("root-session"));
        assert_eq!(row.route.as_deref(), Some("triage"));
        assert_eq!(row.tags.as_deref(), Some("[\"prod\"]"));
    }
    assert_eq!(rows(&[root(), run()])[0].session_id.as_deref(), Some("s-9"), "its own goes first");
    let mut nested = root();
    nested["child_runs"] = json!([bare]);
    assert_eq!(rows(&[nested])[0].session_id.as_deref(), Some("root-session"));
    assert_eq!(rows(&[json!({"runs": [root(), run()], "cursors": {}})]).len(), 1);
}

#[test]
fn a_call_inside_a_call_is_counted_once() {
    let inner = |parent: Value| {
        with(&[
            ("id", json!("r-3")),
            ("parent_run_id", parent),
            (
                "dotted_order",
                json!(
                    "20261102T053321000000Zr-1.20261102T053321250000Zr-2.20261102T053321300000Zr-3"
                ),
            ),
            ("start_time", json!("2026-11-02T05:33:21.300000")),
        ])
    };
    for inner in [inner(json!("r-2")), inner(json!(null))] {
        let rows = rows(&[run(), inner.clone()]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].request_id, "r-3");
        assert!(joined(&[run(), inner]).contains(&Reading::Filtered(FilterReason::Wrapper)));
    }
}

#[test]
fn of_two_states_the_finished_one_counts() {
    let pending =
        with(&[("end_time", json!(null)), ("outputs", json!(null)), ("status", json!("pending"))]);
    let rows = rows(&[pending.clone(), run()]);
    assert_eq!((rows.len(), rows[0].latency_ms), (1, Some(2_500.0)));
    assert!(joined(&[pending.clone(), run()]).contains(&Reading::Filtered(FilterReason::Outdated)));
    assert_eq!(row(&pending).latency_baseline_reason.as_deref(), Some("bad_timing"));
}

#[test]
fn failures_other_runs_and_embeddings() {
    let error =
        "RateLimitError(\"Error code: 429 - {'error': {'code': 'insufficient_quota'}}\")Traceback";
    let row = row(&with(&[
        ("error", json!(error)),
        ("status", json!("error")),
        ("outputs", json!(null)),
        ("prompt_tokens", json!(0)),
        ("completion_tokens", json!(0)),
    ]));
    assert_eq!(row.error_class.as_deref(), Some("quota_exhausted"));
    assert_eq!((row.status_code, row.input_tokens), (None, None));
    for kind in ["chain", "tool", "retriever", "prompt", "parser"] {
        let other = with(&[("run_type", json!(kind)), ("extra", json!({}))]);
        assert_eq!(joined(&[other]), [Reading::Filtered(FilterReason::NotLlm)], "{kind}");
    }
    let embedding = with(&[
        ("run_type", json!("embedding")),
        ("inputs", json!({"input": ["a"]})),
        ("outputs", json!({"vectors": 1})),
    ]);
    let row = rows(&[embedding]).remove(0);
    assert_eq!((row.operation.as_str(), row.response_text), ("embeddings", None));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
}

#[test]
fn hidden_inputs_are_absent() {
    for inputs in [json!({}), json!(null), json!({"model": "gpt-4o-mini"})] {
        let row = row(&with(&[("inputs", inputs)]));
        assert_eq!(row.content_state, "absent");
        assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    }
}

#[test]
fn what_is_missing_or_garbled_is_named_and_nothing_panics() {
    let reject = |record: Value| match joined(&[record]).remove(0) {
        Reading::Reject(reason, detail) => (reason, detail),
        other => panic!("{other:?}"),
    };
    assert_eq!(reject(with(&[("start_time", json!("soon"))])).0, RejectReason::BadField);
    assert!(reject(with(&[("start_time", json!(null))])).1.contains("start_time"));
    assert!(reject(with(&[("id", json!(null))])).1.contains("`id`"));
    assert!(reject(with(&[("run_type", json!(null))])).1.contains("run_type"));
    for name in run().as_object().unwrap().keys() {
        for odd in
            [json!(7), json!([[1]]), json!({"a": {"b": null}}), json!("{\"x\":"), json!(true)]
        {
            joined(&[with(&[(name, odd)])]);
        }
    }
    assert!(matches!(joined(&[json!([1])])[0], Reading::Reject(RejectReason::NotAnObject, _)));
}

#[test]
fn its_own_records_are_certain_and_those_of_others_are_not() {
    for record in [run(), root(), json!({"runs": [run()]})] {
        assert_eq!(LangSmith.sniff(std::slice::from_ref(&record)), Confidence::CERTAIN);
    }
    let langfuse = json!({"id": "g", "traceId": "t", "type": "GENERATION", "startTime": "x",
        "usageDetails": {}});
    let litellm =
        json!({"call_type": "acompletion", "startTime": 1.0, "endTime": 2.0, "trace_id": "t"});
    for record in [langfuse, litellm, json!({"run_type": "llm"}), json!("text")] {
        assert_eq!(LangSmith.sniff(&[record]), Confidence::NONE);
    }
}
