//! What the reader of flows makes of the traps that the format has.

use serde_json::json;

use super::*;
use crate::dataset::CapturedExchange;

/// A flow as version 21 of the format has it.
fn flow() -> Value {
    json!({
        "version": 21, "type": "http", "id": "3f0f0c0e-4f5f-4a51-9a54-0d4a2a4f7a10",
        "websocket": null, "error": null, "is_replay": null, "marked": "",
        "client_conn": {"timestamp_start": 1_793_597_601.2}, "server_conn": {},
        "request": {"method": "POST", "scheme": "https", "host": "llm.example.com", "port": 443,
            "path": "/v1/chat/completions?key=not-for-rows", "authority": "",
            "headers": [["Authorization", "Bearer not-for-rows"], ["Session-Id", "s-9"]],
            "content": r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi there"}],"stream":true}"#,
            "timestamp_start": 1_793_597_601.25, "timestamp_end": 1_793_597_601.26},
        "response": {"status_code": 200, "reason": "OK",
            "headers": [["content-type", "text/event-stream"]],
            "content": "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
            "timestamp_start": 1_793_597_601.75, "timestamp_end": 1_793_597_603.25}
    })
}

fn with(changes: &[(&str, Value)]) -> Value {
    let mut flow = flow();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        flow.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    flow
}

fn reading(flow: &Value) -> Reading {
    Mitmproxy.read(flow, &ReadContext::default()).remove(0)
}

fn row(flow: &Value) -> CapturedExchange {
    match reading(flow) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_flow_is_a_row_with_the_times_of_the_proxy() {
    let row = row(&flow());
    assert_eq!(row.request_id, "3f0f0c0e-4f5f-4a51-9a54-0d4a2a4f7a10");
    assert_eq!(
        (row.captured_at, row.time_basis.as_deref()),
        (1_793_597_601_250_000, Some("epoch"))
    );
    assert_eq!((row.latency_ms, row.ttfb_ms, row.ttft_ms), (Some(2_000.0), Some(500.0), None));
    assert_eq!(row.latency_scope.as_deref(), Some("gateway"));
    assert_eq!((row.response_text.as_deref(), row.stream), (Some("Hello"), Some(true)));
    assert_eq!((row.session_id.as_deref(), row.status_code), (Some("s-9"), Some(200)));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
    assert!(!serde_json::to_string(&row).unwrap().contains("not-for-rows"));
}

#[test]
fn what_broke_off_ended_when_the_error_came() {
    let error = json!({"msg": "Client disconnected.", "timestamp": 1_793_597_604.25});
    let gone = row(&with(&[("/response", Value::Null), ("/error", error.clone())]));
    assert_eq!((gone.status_code, gone.error_class.as_deref()), (None, Some("unknown")));
    assert_eq!((gone.latency_ms, gone.ttfb_ms), (Some(3_000.0), None));
    let broken = row(&with(&[
        ("/response/content", Value::Null),
        ("/response/timestamp_end", Value::Null),
        ("/error", error.clone()),
    ]));
    assert_eq!(
        (broken.status_code, broken.error_class.as_deref()),
        (Some(200), Some("stream_truncated"))
    );
    assert_eq!((broken.latency_ms, broken.ttfb_ms), (Some(3_000.0), Some(500.0)));
    let late = row(&with(&[("/error", error)]));
    assert_eq!((late.error_class, late.latency_ms), (None, Some(2_000.0)), "the answer is whole");
}

#[test]
fn a_body_that_was_streamed_through_is_unknown() {
    let row = row(&with(&[("/response/content", Value::Null)]));
    assert_eq!((row.response_text, row.error_class, row.replayable), (None, None, true));
    let bytes = json!({"base64": "//4A"});
    let binary = super::tests::row(&with(&[("/response/content", bytes)]));
    assert_eq!((binary.response_text, binary.error_class), (None, None));
}

#[test]
fn behind_a_transparent_proxy_the_host_is_in_the_header() {
    let url = |host: &str, header: &str| {
        let request = json!({"scheme": "https", "host": host, "path": "/v1/x"});
        super::url(&request, &Headers::of([("Host", header)])).unwrap()
    };
    assert_eq!(url("203.0.113.9", "llm.example.com"), "https://llm.example.com/v1/x");
    assert_eq!(url("llm.example.com", "inner.example.com"), "https://llm.example.com/v1/x");
    assert_eq!(url("203.0.113.9", ""), "https://203.0.113.9/v1/x");
}

#[test]
fn other_kinds_of_flows_and_replays_are_no_calls() {
    let not_llm = Reading::Filtered(FilterReason::NotLlm);
    assert_eq!(reading(&with(&[("/type", json!("tcp"))])), not_llm);
    assert_eq!(reading(&with(&[("/websocket", json!({"messages": []}))])), not_llm);
    assert_eq!(reading(&with(&[("/request/method", json!("GET"))])), not_llm);
    let wrapper = Reading::Filtered(FilterReason::Wrapper);
    assert_eq!(reading(&with(&[("/is_replay", json!("request"))])), wrapper);
    assert_eq!(reading(&with(&[("/request/is_replay", json!(true))])), wrapper, "old versions");
    let played_back = row(&with(&[("/is_replay", json!("response"))]));
    assert_eq!(played_back.latency_baseline_reason.as_deref(), Some("cache_hit"));
}

#[test]
fn versions_differ_in_members_that_are_not_needed() {
    let old = json!({
        "version": 7, "type": "http", "client_conn": {}, "server_conn": {},
        "request": {"method": "POST", "host": "llm.example.com", "path": "/v1/chat/completions",
            "headers": [["a", {"base64": "/w=="}], ["b"], "c"],
            "content": flow()["request"]["content"], "timestamp_start": 1_793_597_601},
        "response": {"status_code": 200, "headers": [], "content": flow()["response"]["content"],
            "timestamp_start": 1_793_597_602.5, "timestamp_end": 1_793_597_603}
    });
    let row = row(&old);
    assert_eq!((row.response_text.as_deref(), row.latency_ms), (Some("Hello"), Some(2_000.0)));
    assert!(row.request_id.starts_with("row-"));
}

#[test]
fn a_missing_or_garbled_field_is_named_and_wrong_types_never_panic() {
    for (pointer, value, reason, field) in [
        ("/request", Value::Null, RejectReason::MissingField, "`request`"),
        ("/request/method", json!(1), RejectReason::MissingField, "`request.method`"),
        ("/request/path", Value::Null, RejectReason::MissingField, "`request.path`"),
        (
            "/request/timestamp_start",
            Value::Null,
            RejectReason::MissingField,
            "`request.timestamp_start`",
        ),
        (
            "/request/timestamp_start",
            json!("soon"),
            RejectReason::BadField,
            "`request.timestamp_start`",
        ),
        (
            "/response/status_code",
            Value::Null,
            RejectReason::MissingField,
            "`response.status_code`",
        ),
        ("/response/status_code", json!(7), RejectReason::BadField, "`response.status_code`"),
    ] {
        match reading(&with(&[(pointer, value)])) {
            Reading::Reject(own, detail) => {
                assert_eq!(own, reason);
                assert!(detail.contains(field), "{detail}");
            }
            other => panic!("{pointer}: {other:?}"),
        }
    }
    let pointers = [
        "/request",
        "/request/headers",
        "/request/content",
        "/response",
        "/error",
        "/response/headers",
        "/response/content",
        "/response/timestamp_end",
        "/type",
        "/is_replay",
    ];
    for pointer in pointers {
        for value in [json!(-1), json!("x"), json!([[1, 2]]), json!({"a": []}), json!(1e300)] {
            reading(&with(&[(pointer, value)]));
        }
    }
    reading(&json!(null));
}

#[test]
fn flows_are_known_by_their_connections() {
    assert_eq!(Mitmproxy.sniff(&[flow()]), Confidence::CERTAIN);
    for other in [
        json!({"startedDateTime": "x", "request": {"method": "POST", "url": "u"}}),
        json!({"type": "1", "id": "a", "timing_ns": 1, "message": ""}),
        json!({"type": "GENERATION", "traceId": "t", "startTime": "x"}),
    ] {
        assert_eq!(Mitmproxy.sniff(std::slice::from_ref(&other)), Confidence::NONE, "{other}");
    }
}
