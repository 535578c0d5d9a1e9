//! What the reader of Helicone's requests makes of the traps that the format has.

use serde_json::{Value, json};

use super::*;

/// A streamed request as the API gives it, with its bodies fetched.
fn api() -> Value {
    json!({
        "request_id": "7a8b", "request_created_at": "2026-11-02T05:33:21.250+00:00",
        "response_id": "r-1", "response_created_at": "2026-11-02T05:33:23.750+00:00",
        "response_status": 200, "request_path": "https://oai.helicone.ai/v1/chat/completions",
        "provider": "OPENAI", "request_model": "gpt-4o-mini",
        "response_model": "gpt-4o-mini-2024-07-18", "model": "gpt-4o-mini-2024-07-18",
        "delay_ms": 2500, "time_to_first_token": 400, "prompt_tokens": 300,
        "prompt_cache_read_tokens": 512, "prompt_cache_write_tokens": 0, "completion_tokens": 64,
        "total_tokens": 364, "costUSD": 0.000_121_8, "helicone_user": null,
        "request_user_id": "u-17",
        "properties": {"Helicone-Session-Id": "s-9", "team": "support"},
        "cache_reference_id": null, "cache_enabled": false, "llmSchema": null,
        "request_body": {"model": "gpt-4o-mini", "stream": true,
            "messages": [{"role": "user", "content": "Printer is on fire"}]},
        "response_body": {"id": "chatcmpl-1", "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Evacuate."}}]},
        "signed_body_url": null
    })
}

/// A row of the table.
fn table() -> Value {
    json!({
        "request_id": "7a8b", "request_created_at": "2026-11-02 05:33:21.250",
        "response_id": "r-1", "response_created_at": "2026-11-02 05:33:23.750", "latency": "2500",
        "status": "200", "completion_tokens": "64", "prompt_tokens": "812", "model": "gpt-4o-mini",
        "user_id": "undefined", "organization_id": "o", "proxy_key_id": "k", "threat": false,
        "time_to_first_token": 0, "provider": "OPENAI",
        "target_url": "https://api.openai.com/v1/chat/completions", "properties": {"team": "support"},
        "request_body": "Printer is on fireuser", "response_body": "Evacuate.assistant",
        "cost": "121800", "cache_reference_id": "00000000-0000-0000-0000-000000000000",
        "updated_at": "2026-11-02 05:33:25"
    })
}

fn with(base: Value, changes: &[(&str, Value)]) -> Value {
    let mut record = base;
    for (name, value) in changes {
        record[*name] = value.clone();
    }
    record
}

fn joined(records: &[Value]) -> Vec<Reading> {
    let context = ReadContext { utc_offset_s: Some(3_600), ..ReadContext::default() };
    let readings = records.iter().flat_map(|record| Helicone.read(record, &context));
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
        others.extend(Helicone.join(&group, &context).into_iter().map(|(_, reading)| reading));
    }
    others
}

fn row(record: &Value) -> CapturedExchange {
    match joined(std::slice::from_ref(record)).remove(0) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_streamed_request_fills_every_column_that_it_has() {
    let row = row(&api());
    assert_eq!(row.request_id, "7a8b");
    assert_eq!(row.captured_at, 1_793_597_601_250_000);
    assert_eq!((row.latency_ms, row.ttft_ms), (Some(2_500.0), Some(400.0)));
    assert_eq!((row.stream, row.status_code), (Some(true), Some(200)));
    assert_eq!(row.provider.as_deref(), Some("openai"));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
    assert_eq!(row.session_id.as_deref(), Some("s-9"));
    assert_eq!(row.user_id.as_deref(), Some("u-17"));
    assert_eq!(row.tags.as_deref(), Some("[\"team=support\"]"));
    assert_eq!(row.request_model, "gpt-4o-mini");
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!(row.cache_read_input_tokens, Some(512));
    assert_eq!(row.usage_source.as_deref(), Some("gateway"));
    assert_eq!(row.cost_nanousd, Some(121_800));
    assert_eq!(row.cache_hit, Some(false));
    assert_eq!(row.latency_scope.as_deref(), Some("gateway"));
    assert_eq!(row.dialect.as_deref(), Some("openai_chat"));
    assert!(row.replayable && row.latency_baseline_ok);
}

#[test]
fn a_row_of_the_table_has_times_without_zone_nano_dollars_and_no_bodies() {
    let row = row(&table());
    assert_eq!(row.captured_at, 1_793_597_601_250_000, "UTC, whatever the user states");
    assert_eq!(row.time_basis.as_deref(), Some("assumed_utc"));
    assert_eq!((row.latency_ms, row.ttft_ms), (Some(2_500.0), None));
    assert_eq!(row.cost_nanousd, Some(121_800));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!((row.user_id.as_deref(), row.cache_hit), (None, Some(false)));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert_eq!((row.response_text.as_deref(), row.stream), (None, None));
    let api_cost = with(api(), &[("costUSD", json!(null)), ("cost", json!(0.5))]);
    assert_eq!(super::tests::row(&api_cost).cost_nanousd, Some(500_000_000));
}

#[test]
fn the_last_written_state_counts() {
    let later =
        with(table(), &[("updated_at", json!("2026-11-02 06:00:00")), ("status", json!(500))]);
    for records in [[table(), later.clone()], [later.clone(), table()]] {
        let readings = joined(&records);
        assert!(readings.contains(&Reading::Filtered(FilterReason::Outdated)));
        let status = readings.iter().find_map(|reading| match reading {
            Reading::Exchange(row) => row.status_code,
            _ => None,
        });
        assert_eq!((readings.len(), status), (2, Some(500)));
    }
}

#[test]
fn statuses_below_zero_are_answers_of_the_gateway() {
    for (status, class, reason) in [
        (-1, Some("timeout_total"), "gateway_answer"),
        (-2, None, "bad_timing"),
        (0, None, "bad_timing"),
        (-3, Some("unknown"), "gateway_answer"),
        (-4, Some("content_blocked"), "gateway_answer"),
    ] {
        let changes = [("response_status", json!(status)), ("response_body", json!(null))];
        let row = row(&with(api(), &changes));
        assert_eq!(row.status_code, None, "{status}");
        assert_eq!(row.error_class.as_deref(), class, "{status}");
        assert_eq!(row.latency_baseline_reason.as_deref(), Some(reason), "{status}");
    }
}

#[test]
fn a_failure_of_the_provider_keeps_its_status_and_class() {
    let body = json!({"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}});
    let row = row(&with(api(), &[("response_status", json!(429)), ("response_body", body)]));
    assert_eq!(row.status_code, Some(429));
    assert_eq!(row.error_class.as_deref(), Some("rate_limit_requests"));
    let bare = with(api(), &[("response_status", json!(503)), ("response_body", json!(null))]);
    assert_eq!(super::tests::row(&bare).error_class.as_deref(), Some("overloaded"));
}

#[test]
fn a_hit_of_the_cache_is_told_by_its_reference() {
    let hit = json!("11111111-2222-3333-4444-555555555555");
    let row = row(&with(
        api(),
        &[
            ("cache_reference_id", hit),
            ("prompt_tokens", json!(0)),
            ("prompt_cache_read_tokens", json!(0)),
            ("completion_tokens", json!(0)),
            ("costUSD", json!(0)),
        ],
    ));
    assert_eq!(row.cache_hit, Some(true));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("cache_hit"));
    assert_eq!((row.input_tokens, row.cost_nanousd), (None, None));
    let mut unsaid = api();
    unsaid.as_object_mut().unwrap().remove("cache_reference_id");
    assert_eq!(super::tests::row(&unsaid).cache_hit, None);
}

#[test]
fn bodies_that_were_fetched_are_found_and_placeholders_are_none() {
    let placeholder = json!({"helicone_message": "fetching body from signed_url..."});
    let bare = with(
        api(),
        &[
            ("request_body", placeholder.clone()),
            ("response_body", placeholder),
            ("signed_body_url", json!("https://storage.example.com/body")),
        ],
    );
    let row = row(&bare);
    assert_eq!(row.content_state, "absent");
    assert_eq!(
        (row.stream, row.ttft_ms),
        (Some(true), Some(400.0)),
        "only streams have a first token"
    );
    let (request, response) = (api()["request_body"].clone(), api()["response_body"].clone());
    let pair = json!({"request": request.to_string(), "response": response.to_string()});
    for name in ["body", "signed_body"] {
        let row = super::tests::row(&with(bare.clone(), &[(name, pair.clone())]));
        assert!(row.replayable, "{name}");
        assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    }
    let beside = with(bare, &[("request", request), ("response", response)]);
    assert!(super::tests::row(&beside).replayable);
}

#[test]
fn helicones_own_schema_stands_in_for_the_bodies() {
    let schema = json!({
        "request": {"model": "gpt-4o-mini", "temperature": 0.2, "tool_choice": {"type": "any"},
            "tools": [{"name": "f", "description": "d", "parameters": {"type": "object"}}],
            "messages": [
                {"_type": "message", "role": "user", "content": "Hi"},
                {"_type": "functionCall", "role": "assistant", "content": "",
                 "tool_calls": [{"id": "c1", "name": "f", "arguments": {"a": 1}}]},
                {"_type": "function", "tool_call_id": "c1", "content": "ok"},
                {"_type": "contentArray", "role": "user", "contentArray": [
                    {"_type": "message", "content": "See"},
                    {"_type": "image", "image_url": "https://example.com/a.png"}]}]},
        "response": {"messages": [{"_type": "message", "role": "assistant", "content": "Evacuate."}]}});
    let changes = [
        ("llmSchema", schema.clone()),
        ("request_body", json!(null)),
        ("response_body", json!("")),
    ];
    let row = row(&with(api(), &changes));
    let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
    assert_eq!(body["tool_choice"], "required");
    assert_eq!(body["tools"][0]["function"]["name"], "f");
    assert_eq!(body["messages"][1]["tool_calls"][0]["function"]["arguments"], "{\"a\":1}");
    assert_eq!(body["messages"][2]["tool_call_id"], "c1");
    assert_eq!((row.image_count, row.message_count, row.replayable), (1, 4, true));
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    let mut sound = schema;
    sound["request"]["messages"][0] = json!({"_type": "audio", "role": "user", "audio_data": "x"});
    let row =
        super::tests::row(&with(api(), &[("llmSchema", sound), ("request_body", json!(null))]));
    assert!(!row.replayable, "not all of it is there");
}

#[test]
fn recorded_streams_are_put_together() {
    let chunk = |delta: Value, reason: Value| json!({"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
    let chunks = [
        chunk(json!({"content": "Evac"}), json!(null)),
        chunk(json!({"content": "uate."}), json!("stop")),
    ];
    let raw = json!(format!("data: {}\n\ndata: {}\n\ndata: [DONE]\n\n", chunks[0], chunks[1]));
    for response in [json!({"streamed_data": chunks}), raw.clone(), json!({"streamed_data": raw})] {
        let row = row(&with(api(), &[("response_body", response.clone())]));
        assert_eq!(row.response_text.as_deref(), Some("Evacuate."), "{response}");
        assert_eq!((row.finish_reason.as_deref(), row.error_class), (Some("stop"), None));
    }
    let cut = row(&with(api(), &[("response_body", json!({"streamed_data": [chunks[0]]}))]));
    assert_eq!(cut.error_class.as_deref(), Some("stream_truncated"));
}

#[test]
fn the_answers_own_usage_goes_before_the_columns() {
    let mut record = api();
    record["response_body"]["usage"] = json!({"prompt_tokens": 900, "completion_tokens": 70,
        "completion_tokens_details": {"reasoning_tokens": 30}});
    let row = row(&record);
    assert_eq!((row.input_tokens, row.output_tokens), (Some(900), Some(70)));
    assert_eq!(row.reasoning_output_tokens, Some(30));
    assert_eq!(row.usage_source.as_deref(), Some("provider"));
}

#[test]
fn pictures_that_became_assets_are_not_replayed() {
    let content =
        json!([{"type": "image_url", "image_url": {"url": "<helicone-asset-id key=\"a-1\"/>"}}]);
    let body = json!({"model": "m", "messages": [{"role": "user", "content": content}]});
    let row = row(&with(api(), &[("request_body", body)]));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("media_elided"));
}

#[test]
fn other_operations_are_kept_apart() {
    let embedding = with(
        api(),
        &[
            ("request_path", json!("https://oai.helicone.ai/v1/embeddings")),
            ("request_body", json!({"model": "text-embedding-3-small", "input": "a"})),
            (
                "response_body",
                json!({"object": "list", "data": [], "usage": {"prompt_tokens": 1, "total_tokens": 1}}),
            ),
        ],
    );
    let row = row(&embedding);
    assert_eq!((row.operation.as_str(), row.stream), ("embeddings", None));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"));
    for kind in ["tool", "vector_db", "data"] {
        let record = with(api(), &[("request_body", json!({"_type": kind, "toolName": "x"}))]);
        assert_eq!(joined(&[record]), [Reading::Filtered(FilterReason::NotLlm)]);
    }
}

#[test]
fn a_row_of_csv_is_the_same_row() {
    let mut cells = api();
    for (_, value) in cells.as_object_mut().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        *value = json!(if text == "null" { String::new() } else { text });
    }
    assert_eq!(row(&cells), row(&api()));
}

#[test]
fn what_is_missing_or_garbled_is_named_and_nothing_panics() {
    let reject = |record: Value| match joined(&[record]).remove(0) {
        Reading::Reject(reason, detail) => (reason, detail),
        other => panic!("{other:?}"),
    };
    let (reason, detail) = reject(with(api(), &[("request_created_at", json!(""))]));
    assert!(reason == RejectReason::MissingField && detail.contains("request_created_at"));
    assert_eq!(
        reject(with(api(), &[("request_created_at", json!("soon"))])).0,
        RejectReason::BadField
    );
    assert_eq!(reject(json!([1])).0, RejectReason::NotAnObject);
    let nameless = with(api(), &[("request_id", json!(null))]);
    assert!(row(&nameless).request_id.starts_with("row-"));
    assert_eq!(row(&nameless).request_id, row(&nameless).request_id);
    for base in [api(), table()] {
        for name in base.as_object().unwrap().keys() {
            for odd in
                [json!(7), json!([[1]]), json!({"a": {"b": null}}), json!("{\"x\":"), json!(true)]
            {
                joined(&[with(base.clone(), &[(name, odd)])]);
            }
        }
    }
}

#[test]
fn its_own_records_are_certain_and_those_of_others_are_not() {
    for record in [api(), table()] {
        assert_eq!(Helicone.sniff(&[record]), Confidence::CERTAIN);
    }
    let spend = json!({"request_id": "x", "startTime": "2026-11-02", "spend": 0.1, "api_key": "k"});
    let plain = json!({"timestamp": 1, "request_id": "x", "latency_ms": 3, "request": {}});
    let kong = json!({"request": {}, "latencies": {}, "started_at": 1});
    for record in [spend, plain, kong, json!("text")] {
        assert_eq!(Helicone.sniff(&[record]), Confidence::NONE);
    }
}
