//! What the reader of HTTP Archives makes of the traps that the format has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::dataset::CapturedExchange;

/// A call as mitmproxy exports it.
fn entry() -> Value {
    json!({
        "startedDateTime": "2026-11-02T06:33:21.250000+01:00", "time": 2_500.5,
        "request": {"method": "POST", "url": "https://llm.example.com/v1/chat/completions",
            "headers": [{"name": "Authorization", "value": "Bearer not-for-rows"}],
            "postData": {"mimeType": "application/json", "text":
                r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi there"}]}"#}},
        "response": {"status": 200, "headers": [{"name": "x-request-id", "value": "req_77"}],
            "content": {"size": 120, "mimeType": "application/json", "text":
                r#"{"id":"chatcmpl-c","choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":8,"completion_tokens":1}}"#}},
        "timings": {"connect": 20.0, "ssl": 30.0, "send": 0.5, "wait": 2_400.0, "receive": 80.0}
    })
}

/// The entry with the value at a pointer replaced.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut entry = entry();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        entry.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    entry
}

fn reading(entry: &Value) -> Reading {
    Har.read(entry, &ReadContext::default()).remove(0)
}

fn row(entry: &Value) -> CapturedExchange {
    match reading(entry) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_entry_is_a_row_with_the_time_of_its_first_byte() {
    let row = row(&entry());
    assert_eq!((row.request_id.as_str(), row.captured_at), ("req_77", 1_793_597_601_250_000));
    assert_eq!((row.latency_ms, row.ttfb_ms), (Some(2_500.5), Some(2_400.5)));
    assert_eq!((row.ttft_ms, row.latency_scope.as_deref()), (None, Some("client")));
    assert_eq!((row.time_basis.as_deref(), row.time_resolution_ms), (Some("rfc3339"), Some(0.001)));
    assert_eq!((row.response_text.as_deref(), row.input_tokens), (Some("Hello"), Some(8)));
    assert!(row.replayable);
}

#[test]
fn phases_of_minus_one_do_not_count_and_make_up_for_a_missing_total() {
    let times = |changes: &[(&str, Value)]| {
        let row = row(&with(changes));
        (row.latency_ms, row.ttfb_ms)
    };
    let minus = json!(-1);
    // connect 20 + wait 2400 + receive 80; the 30 of TLS lie within the connecting.
    let untimed = [("/time", minus.clone()), ("/timings/send", minus.clone())];
    assert_eq!(times(&untimed), (Some(2_500.0), Some(2_400.0)));
    assert_eq!(times(&[("/timings/wait", minus.clone())]), (Some(2_500.5), None));
    assert_eq!(times(&[("/time", minus), ("/timings", json!({}))]), (None, None));
    let whole = row(&with(&[("/time", json!(2500))]));
    assert_eq!(whole.time_resolution_ms, Some(1.0));
}

#[test]
fn base64_is_undone_and_what_it_holds_decompressed() {
    let text = entry()["response"]["content"]["text"].as_str().unwrap().to_owned();
    let packed = zstd::stream::encode_all(text.as_bytes(), 3).unwrap();
    let changed = |body: &[u8], coding: &str| {
        with(&[
            ("/response/content/text", json!(STANDARD.encode(body))),
            ("/response/content/encoding", json!("base64")),
            ("/response/headers", json!([{"name": "Content-Encoding", "value": coding}])),
        ])
    };
    assert_eq!(row(&changed(text.as_bytes(), "br")).response_text.as_deref(), Some("Hello"));
    assert_eq!(row(&changed(&packed, "zstd")).response_text.as_deref(), Some("Hello"));
    let claimed = with(&[("/response/content/encoding", json!("base64"))]);
    assert_eq!(row(&claimed).response_text.as_deref(), Some("Hello"), "the text as it was");
}

#[test]
fn a_dropped_answer_is_unknown_and_the_request_is_still_replayed() {
    let dropped = row(&with(&[("/response/content", json!({"size": 4_096, "mimeType": "x"}))]));
    assert_eq!((dropped.response_text, dropped.error_class), (None, None));
    assert!(dropped.replayable && dropped.latency_baseline_ok);
    let empty = row(&with(&[("/response/content", json!({"size": 0, "text": ""}))]));
    assert_eq!(empty.error_class.as_deref(), Some("protocol"));
    let broken = with(&[
        ("/response/content", json!({"size": 0})),
        ("/response/_error", json!("net::ERR_CONNECTION_RESET")),
    ]);
    assert_eq!(row(&broken).error_class.as_deref(), Some("refused"));
}

#[test]
fn a_stream_is_read_from_its_events() {
    let events = "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let streamed = with(&[
        ("/response/content/text", json!(events)),
        ("/response/content/mimeType", json!("text/event-stream")),
    ]);
    let row = row(&streamed);
    assert_eq!((row.response_text.as_deref(), row.error_class), (Some("Hello"), None));
}

#[test]
fn status_zero_is_a_failure_with_a_duration_only_if_somebody_waited() {
    let failed = |wait: f64, error: Value| {
        row(&with(&[
            ("/response", json!({"status": 0, "headers": [], "content": {}, "_error": error})),
            ("/timings/wait", json!(wait)),
            ("/time", json!(4_000.0)),
        ]))
    };
    let cancelled = failed(3_900.0, Value::Null);
    assert_eq!((cancelled.status_code, cancelled.error_class.as_deref()), (None, Some("unknown")));
    assert_eq!((cancelled.latency_ms, cancelled.ttfb_ms), (Some(4_000.0), None));
    let reset = failed(0.0, json!("server closed connection"));
    assert_eq!((reset.error_class.as_deref(), reset.latency_ms), (Some("refused"), None));
    assert!(reset.replayable);
}

#[test]
fn preflights_sockets_and_telemetry_are_filtered() {
    for changes in [
        ("/request/method", json!("OPTIONS")),
        ("/_webSocketMessages", json!([{"type": "send", "data": "{}"}])),
        ("/_resourceType", json!("websocket")),
        (
            "/request",
            json!({"method": "POST", "url": "https://t.example.com/collect",
            "postData": {"text": "{\"events\":[]}"}}),
        ),
    ] {
        let reading = reading(&with(std::slice::from_ref(&changes)));
        assert_eq!(reading, Reading::Filtered(FilterReason::NotLlm), "{}", changes.0);
    }
}

#[test]
fn a_missing_or_garbled_field_is_named() {
    for (pointer, value, reason, field) in [
        ("/request", Value::Null, RejectReason::MissingField, "`request`"),
        ("/request/url", json!(7), RejectReason::MissingField, "`request.url`"),
        ("/request/method", Value::Null, RejectReason::MissingField, "`request.method`"),
        ("/startedDateTime", Value::Null, RejectReason::MissingField, "`startedDateTime`"),
        ("/startedDateTime", json!("soon"), RejectReason::BadField, "`startedDateTime`"),
        ("/response/status", json!("ok"), RejectReason::BadField, "`response.status`"),
    ] {
        match reading(&with(&[(pointer, value)])) {
            Reading::Reject(own, detail) => {
                assert_eq!(own, reason);
                assert!(detail.contains(field), "{detail}");
            }
            other => panic!("{pointer}: {other:?}"),
        }
    }
}

#[test]
fn wrong_types_anywhere_never_panic() {
    let pointers = [
        "/request/headers",
        "/request/postData",
        "/response",
        "/response/headers",
        "/response/content",
        "/response/content/text",
        "/timings",
        "/time",
        "/request/url",
    ];
    for pointer in pointers {
        for value in
            [json!(null), json!(-1), json!("x"), json!([1]), json!({"a": []}), json!(1e300)]
        {
            reading(&with(&[(pointer, value)]));
        }
    }
    reading(&json!([]));
    reading(&json!("text"));
}

#[test]
fn entries_are_known_by_their_start_and_their_request() {
    assert_eq!(Har.sniff(&[entry()]), Confidence::CERTAIN);
    for other in [
        json!({"startTime": 1.0, "endTime": 2.0, "call_type": "acompletion"}),
        json!({"timestamp": 1, "request": {"messages": []}, "response": {}}),
        json!({"type": "1", "id": "a", "timing_ns": 1, "message": ""}),
        json!({"type": "http", "client_conn": {}, "server_conn": {}, "request": {"method": "POST"}}),
        json!({"started_at": 1, "request": {"url": "/v1", "method": "POST"}, "latencies": {}}),
    ] {
        assert_eq!(Har.sniff(std::slice::from_ref(&other)), Confidence::NONE, "{other}");
    }
}
