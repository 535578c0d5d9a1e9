//! What the reader of Langfuse's exports makes of the traps that the format has.

use serde_json::{Value, json};

use super::*;
use crate::dataset::CapturedExchange;

/// A streamed generation as the scheduled export writes it.
fn blob() -> Value {
    json!({
        "id": "gen-1", "trace_id": "tr-1", "project_id": "p", "type": "GENERATION",
        "parent_observation_id": "sp-0", "start_time": "2026-11-02 05:33:21.250",
        "end_time": "2026-11-02 05:33:23.750", "name": "chat", "environment": "production",
        "metadata": {"ls_provider": "openai"}, "level": "DEFAULT", "status_message": null,
        "input": "{\"messages\":[{\"role\":\"user\",\"content\":\"Printer is on fire\"}],\"tools\":[]}",
        "output": "{\"role\":\"assistant\",\"content\":\"Evacuate.\"}",
        "provided_model_name": "gpt-4o-mini",
        "model_parameters": "{\"temperature\":0.2,\"max_tokens\":300}",
        "usage_details": {"input": 300, "input_cached_tokens": "512", "output": 64, "total": 876},
        "cost_details": {"input": 0.000_045, "total": 0.000_121_8},
        "completion_start_time": "2026-11-02 05:33:21.650", "total_cost": 0.000_121_8,
        "latency": 2500, "time_to_first_token": 400,
        "created_at": "2026-11-02 05:33:25.000", "updated_at": "2026-11-02 05:33:25.000"
    })
}

/// The same as the public API answers.
fn api() -> Value {
    json!({
        "id": "gen-1", "traceId": "tr-1", "projectId": "p", "type": "GENERATION", "name": "chat",
        "parentObservationId": "sp-0", "startTime": "2026-11-02T05:33:21.250Z",
        "endTime": "2026-11-02T05:33:23.750Z", "completionStartTime": "2026-11-02T05:33:21.650Z",
        "model": "gpt-4o-mini", "metadata": {"ls_provider": "openai"}, "level": "DEFAULT",
        "modelParameters": {"temperature": "0.2", "max_tokens": 300},
        "input": {"messages": [{"role": "user", "content": "Printer is on fire"}], "tools": []},
        "output": {"role": "assistant", "content": "Evacuate."},
        "usageDetails": {"input": 300, "input_cached_tokens": 512, "output": 64, "total": 876},
        "calculatedTotalCost": "0.0001218", "inputPrice": "0.00000015", "latency": 2.5,
        "updatedAt": "2026-11-02T05:33:25.000Z"
    })
}

fn trace() -> Value {
    json!({"id": "tr-1", "timestamp": "2026-11-02 05:33:21.000", "name": "triage",
        "project_id": "p", "user_id": "u-17", "session_id": "s-9", "release": null,
        "tags": ["vip"], "public": false, "bookmarked": false})
}

fn with(base: Value, changes: &[(&str, Value)]) -> Value {
    let mut record = base;
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

/// Reads records and joins those of one key, as the importer does.
fn readings(records: &[Value]) -> Vec<Reading> {
    let mut out: Vec<Option<Reading>> = Vec::new();
    let mut groups: std::collections::BTreeMap<String, Vec<(usize, Value)>> =
        std::collections::BTreeMap::new();
    let context = ReadContext { utc_offset_s: Some(3_600), ..ReadContext::default() };
    for reading in records.iter().flat_map(|record| Langfuse.read(record, &context)) {
        if let Reading::Part(part) = &reading {
            groups.entry(part.key.clone()).or_default().push((out.len(), part.record.clone()));
            out.push(None);
        } else {
            out.push(Some(reading));
        }
    }
    for group in groups.into_values() {
        let parts: Vec<Value> = group.iter().map(|(_, record)| record.clone()).collect();
        for (index, reading) in Langfuse.join(&parts, &context) {
            out[group[index].0] = Some(reading);
        }
    }
    out.into_iter().map(|reading| reading.expect("each part has a reading")).collect()
}

fn row(record: &Value) -> CapturedExchange {
    rows(std::slice::from_ref(record)).remove(0)
}

fn rows(records: &[Value]) -> Vec<CapturedExchange> {
    let rows = readings(records).into_iter().filter_map(|reading| match reading {
        Reading::Exchange(row) => Some(*row),
        _ => None,
    });
    rows.collect()
}

#[test]
fn a_streamed_generation_fills_every_column_that_it_has() {
    for record in [blob(), api()] {
        let row = row(&record);
        assert_eq!(row.request_id, "gen-1");
        assert_eq!(row.captured_at, 1_793_597_601_250_000, "UTC, whatever the user states");
        assert_eq!(row.latency_ms, Some(2_500.0));
        assert_eq!(row.ttft_ms, Some(400.0));
        assert_eq!(row.stream, Some(true));
        assert_eq!(row.provider.as_deref(), Some("openai"));
        assert_eq!(row.operation, "chat");
        assert_eq!(row.request_model, "gpt-4o-mini");
        assert_eq!((row.temperature, row.max_output_tokens), (Some(0.2), Some(300)));
        assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
        assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
        assert_eq!(row.cache_read_input_tokens, Some(512));
        assert_eq!(row.usage_source.as_deref(), Some("client"));
        assert_eq!(row.cost_nanousd, Some(121_800));
        assert_eq!((row.status_code, row.error_class.as_deref()), (None, None));
        assert_eq!(row.latency_scope.as_deref(), Some("client"));
        assert!(row.replayable && row.latency_baseline_ok);
        let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
        assert_eq!(
            body,
            json!({"model": "gpt-4o-mini", "temperature": 0.2, "max_tokens": 300, "stream": true,
                "messages": [{"role": "user", "content": "Printer is on fire"}]})
        );
    }
    assert_eq!(row(&blob()).time_basis.as_deref(), Some("assumed_utc"));
    assert_eq!(row(&api()).time_basis.as_deref(), Some("rfc3339"));
}

#[test]
fn a_row_of_csv_is_the_same_row() {
    let mut cells = api();
    for (_, value) in cells.as_object_mut().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        *value = json!(text);
    }
    cells["statusMessage"] = json!("");
    assert_eq!(row(&cells), row(&api()));
}

#[test]
fn session_user_and_tags_come_from_the_trace_of_the_same_project_in_any_order() {
    for records in [[blob(), trace()], [trace(), blob()]] {
        let row = rows(&records).remove(0);
        assert_eq!(row.session_id.as_deref(), Some("s-9"));
        assert_eq!(row.user_id.as_deref(), Some("u-17"));
        assert_eq!(row.tags.as_deref(), Some("[\"vip\"]"));
        assert_eq!(row.route.as_deref(), Some("triage"));
        let filtered = readings(&records);
        assert!(filtered.contains(&Reading::Filtered(FilterReason::NotLlm)));
    }
    let other = with(trace(), &[("project_id", json!("q"))]);
    assert_eq!(rows(&[blob(), other])[0].session_id, None);
    let own = with(blob(), &[("session_id", json!("own"))]);
    assert_eq!(rows(&[trace(), own])[0].session_id.as_deref(), Some("own"));
    let probe = with(trace(), &[("tags", json!(["health-check"]))]);
    let reason = rows(&[probe, blob()]).remove(0).latency_baseline_reason;
    assert_eq!(reason.as_deref(), Some("health_check"));
}

#[test]
fn of_several_states_the_last_written_counts_and_projects_are_apart() {
    let later = with(
        blob(),
        &[("updated_at", json!("2026-11-02 06:00:00.000")), ("output", json!("Run."))],
    );
    for records in [[blob(), later.clone()], [later.clone(), blob()]] {
        let readings = readings(&records);
        assert_eq!(rows(&records).len(), 1);
        assert_eq!(rows(&records)[0].response_text.as_deref(), Some("Run."));
        assert!(readings.contains(&Reading::Filtered(FilterReason::Outdated)));
    }
    let elsewhere = with(later, &[("project_id", json!("q"))]);
    assert_eq!(rows(&[blob(), elsewhere]).len(), 2);
}

#[test]
fn a_generation_around_a_generation_is_counted_once() {
    let inner = with(
        blob(),
        &[
            ("id", json!("gen-2")),
            ("parent_observation_id", json!("gen-1")),
            ("start_time", json!("2026-11-02 05:33:21.300")),
        ],
    );
    let readings = readings(&[blob(), inner.clone()]);
    assert_eq!(readings[0], Reading::Filtered(FilterReason::Wrapper));
    assert_eq!(rows(&[inner.clone(), blob()])[0].request_id, "gen-2");
    let after = with(
        inner,
        &[
            ("start_time", json!("2026-11-02 05:33:23.760")),
            ("end_time", json!("2026-11-02 05:33:25.000")),
        ],
    );
    assert_eq!(rows(&[blob(), after]).len(), 2, "it began when the first had ended");
}

#[test]
fn buckets_are_summed_up_unless_the_total_says_that_they_overlap() {
    let tokens = |usage: Value| {
        let row = row(&with(blob(), &[("usage_details", usage)]));
        (
            row.input_tokens,
            row.output_tokens,
            row.cache_read_input_tokens,
            row.reasoning_output_tokens,
        )
    };
    let disjoint = json!({"input": 10, "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 5, "output": 7, "output_reasoning_tokens": 3});
    assert_eq!(tokens(disjoint), (Some(35), Some(10), Some(20), Some(3)));
    let overlapping = json!({"input": 30, "input_cached_tokens": 20, "output": 10,
        "output_reasoning": 3, "total": 40});
    assert_eq!(tokens(overlapping), (Some(30), Some(10), Some(20), Some(3)));
    let openai = json!({"prompt_tokens": 59, "completion_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 4}});
    assert_eq!(tokens(openai), (Some(59), Some(13), Some(4), None));
    assert_eq!(tokens(json!({"input": 0, "output": 0, "total": 0})).0, None, "a failure's zeros");
    let deprecated = with(
        api(),
        &[
            ("usageDetails", json!(null)),
            ("usage", json!({"input": 5, "output": 6, "unit": "TOKENS"})),
        ],
    );
    assert_eq!((row(&deprecated).input_tokens, row(&deprecated).output_tokens), (Some(5), Some(6)));
    let characters = with(
        api(),
        &[("usageDetails", json!(null)), ("usage", json!({"input": 5, "unit": "CHARACTERS"}))],
    );
    assert_eq!(row(&characters).input_tokens, None);
}

#[test]
fn a_cost_of_zero_without_prices_is_unknown() {
    let cost = |total: Value, details: Value| {
        row(&with(blob(), &[("total_cost", total), ("cost_details", details)])).cost_nanousd
    };
    assert_eq!(cost(json!(0), json!({})), None);
    assert_eq!(cost(json!("0.5"), json!({})), Some(500_000_000));
    assert_eq!(cost(json!(null), json!({"total": "0.25"})), Some(250_000_000));
    assert_eq!(cost(json!(0), json!({"input": 0})), Some(0));
}

#[test]
fn a_failure_has_a_class_from_its_message_and_no_status() {
    let record = with(
        api(),
        &[
            ("level", json!("ERROR")),
            ("output", json!(null)),
            ("usageDetails", json!({})),
            ("completionStartTime", json!(null)),
            ("model", json!("gpt-4o")),
            ("statusMessage", json!("Error code: 429 - {'error': {'message': 'slow down'}}")),
        ],
    );
    let row = row(&record);
    assert_eq!(row.error_class.as_deref(), Some("rate_limit_other"));
    assert_eq!((row.status_code, row.response_model.as_deref()), (None, None));
    assert_eq!((row.stream, row.ttft_ms), (Some(false), None));
    assert!(row.replayable, "the request is there");
}

#[test]
fn embeddings_are_rows_that_are_not_replayed_and_other_observations_are_none() {
    let record = with(
        blob(),
        &[
            ("type", json!("EMBEDDING")),
            ("input", json!("[\"a\",\"b\"]")),
            ("output", json!("{\"dimensions\":8}")),
        ],
    );
    let row = row(&record);
    assert_eq!((row.operation.as_str(), row.replayable), ("embeddings", false));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"));
    assert_eq!(row.response_text, None);
    let usage = with(record, &[("usage_details", json!({"input": 6, "total": 6}))]);
    let usage = super::tests::row(&usage);
    assert_eq!((usage.input_tokens, usage.output_tokens), (Some(6), None));
    for kind in ["SPAN", "EVENT", "TOOL", "AGENT"] {
        let record = with(blob(), &[("type", json!(kind))]);
        assert_eq!(readings(&[record]), [Reading::Filtered(FilterReason::NotLlm)]);
    }
}

#[test]
fn content_that_langfuse_took_out_is_not_replayed() {
    for (input, state, reason) in [
        ("<fully masked due to failed mask function>", "redacted", "redacted"),
        ("<truncated due to size exceeding limit>", "truncated", "truncated"),
        (
            "[{\"role\":\"user\",\"content\":\"@@@langfuseMedia:type=image/png|id=1|source=bytes@@@\"}]",
            "redacted",
            "media_elided",
        ),
        ("[{'role': 'user', 'content': 'Hi'}]", "truncated", "truncated"),
        ("", "absent", "no_request_content"),
    ] {
        let row = row(&with(blob(), &[("input", json!(input))]));
        assert_eq!(row.not_replayable_reason.as_deref(), Some(reason), "{input}");
        assert_eq!(row.content_state, state, "{input}");
    }
}

#[test]
fn tools_come_from_wherever_they_are() {
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": {}}});
    let places = [
        ("input", json!({"messages": [{"role": "user", "content": "Hi"}], "tools": [tool]})),
        ("model_parameters", json!({"tools": [tool]}).to_string().into()),
        ("tool_definitions", json!({"f": "{\"parameters\":{}}"})),
    ];
    for (name, value) in places {
        let row = row(&with(blob(), &[(name, value)]));
        assert_eq!(row.tool_count, 1, "{name}");
    }
}

#[test]
fn what_is_missing_or_garbled_is_named_and_nothing_panics() {
    let reject = |record: Value| match readings(&[record]).remove(0) {
        Reading::Reject(reason, detail) => (reason, detail),
        other => panic!("{other:?}"),
    };
    let (reason, detail) = reject(with(blob(), &[("start_time", json!(null))]));
    assert!(reason == RejectReason::MissingField && detail.contains("startTime"), "{detail}");
    let (reason, detail) = reject(with(blob(), &[("start_time", json!("soon"))]));
    assert!(reason == RejectReason::BadField && detail.contains("startTime"), "{detail}");
    assert!(reject(with(blob(), &[("id", json!(""))])).1.contains("`id`"));
    assert!(reject(json!({"id": "x"})).1.contains("`type`"));
    let pending = row(&with(blob(), &[("end_time", json!(null))]));
    assert_eq!((pending.latency_ms, pending.latency_baseline_ok), (None, false));
    assert_eq!(pending.latency_baseline_reason.as_deref(), Some("bad_timing"));
    for name in blob().as_object().unwrap().keys() {
        for odd in
            [json!(7), json!([[1]]), json!({"a": {"b": null}}), json!("{\"x\":"), json!(true)]
        {
            readings(&[with(blob(), &[(name, odd)])]);
        }
    }
    assert!(matches!(Langfuse.read(&json!("x"), &ReadContext::default())[0], Reading::Reject(..)));
}

#[test]
fn a_trace_with_its_observations_inside_is_read_whole() {
    let listed =
        with(trace(), &[("observations", json!([api(), with(api(), &[("type", json!("SPAN"))])]))]);
    let download = json!({"trace": trace(), "observations": [api()]});
    for record in [listed, download] {
        let rows = rows(std::slice::from_ref(&record));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].session_id.as_deref(), Some("s-9"));
        assert_eq!(Langfuse.sniff(&[record]), Confidence::CERTAIN);
    }
}

#[test]
fn its_own_records_are_certain_and_those_of_others_are_not() {
    let score = json!({"id": "s", "trace_id": "t", "observation_id": null, "data_type": "NUMERIC",
        "value": 1.0, "name": "quality", "source": "EVAL"});
    for record in [blob(), api(), trace(), score.clone()] {
        assert_eq!(Langfuse.sniff(std::slice::from_ref(&record)), Confidence::CERTAIN, "{record}");
    }
    assert_eq!(readings(&[score]), [Reading::Filtered(FilterReason::NotLlm)]);
    let litellm = json!({"call_type": "acompletion", "startTime": 1.0, "endTime": 2.0,
        "messages": [], "response": {}, "trace_id": "t"});
    let plain = json!({"timestamp": 1, "id": "x", "user_id": "u", "request": {"messages": []}});
    let run =
        json!({"id": "r", "run_type": "llm", "trace_id": "t", "start_time": "x", "extra": {}});
    for record in [litellm, plain, run, json!({}), json!("text")] {
        assert_eq!(Langfuse.sniff(std::slice::from_ref(&record)), Confidence::NONE, "{record}");
    }
}
