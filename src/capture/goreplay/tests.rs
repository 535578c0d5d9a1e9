//! What the reader of GoReplay's messages makes of the traps that the format has.

use serde_json::json;

use super::*;
use crate::dataset::CapturedExchange;

const T0: i64 = 1_793_597_601_250_000_123;
const ASK: &str =
    r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi there"}],"stream":true}"#;
const EVENTS: &str = "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

fn record(kind: &str, id: &str, timing_ns: i64, latency_ns: Option<i64>, message: &str) -> Value {
    json!({"type": kind, "id": id, "timing_ns": timing_ns, "latency_ns": latency_ns,
        "message": message})
}

fn request(at_ns: i64) -> Value {
    let message = format!(
        "POST /v1/chat/completions?key=not-for-rows HTTP/1.1\r\nHost: llm.example.com\r\n\
         Authorization: Bearer not-for-rows\r\nX-Session-Id: s-3\r\nContent-Length: {}\r\n\r\n{ASK}",
        ASK.len()
    );
    record("1", "9a1b", at_ns, Some(1_200_000), &message)
}

fn response(at_ns: i64) -> Value {
    let (head, tail) = EVENTS.split_at(40);
    let message = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\
         Set-Cookie: not-for-rows\r\nX-Request-Id: req-{at_ns}\r\n\r\n\
         28\r\n{head}\r\n{:x}\r\n{tail}\r\n0\r\n\r\n",
        tail.len()
    );
    record("2", "9a1b", at_ns, Some(300_000_000), &message)
}

fn reading(record: &Value) -> Reading {
    GoReplay.read(record, &ReadContext::default()).remove(0)
}

fn part(record: &Value) -> Value {
    match reading(record) {
        Reading::Part(part) => {
            assert_eq!(part.key, "9a1b");
            assert!(!part.record.to_string().contains("Bearer"), "{}", part.record);
            assert!(!part.record.to_string().contains("Cookie"), "{}", part.record);
            part.record
        }
        other => panic!("{other:?}"),
    }
}

fn joined(records: &[Value]) -> Vec<(usize, Reading)> {
    let parts: Vec<Value> = records.iter().map(part).collect();
    GoReplay.join(&parts, &ReadContext::default())
}

fn rows(records: &[Value]) -> Vec<(usize, CapturedExchange)> {
    let row = |(at, reading)| match reading {
        Reading::Exchange(row) => (at, *row),
        other => panic!("{other:?}"),
    };
    joined(records).into_iter().map(row).collect()
}

#[test]
fn request_and_response_are_one_row_whichever_is_read_first() {
    let pair = [request(T0), response(T0 + 501_200_000)];
    for (records, place) in
        [([pair[0].clone(), pair[1].clone()], 0), ([pair[1].clone(), pair[0].clone()], 1)]
    {
        let [(at, row)] = <[_; 1]>::try_from(rows(&records)).unwrap();
        assert_eq!(at, place, "the place of the request");
        // 501.2 ms to the response's start, of which the request took 1.2; it ran for 300 ms.
        assert_eq!((row.ttfb_ms, row.latency_ms, row.ttft_ms), (Some(500.0), Some(801.2), None));
        assert_eq!(row.captured_at, 1_793_597_601_250_000);
        assert_eq!((row.status_code, row.response_text.as_deref()), (Some(200), Some("Hello")));
        assert_eq!(row.request_body.as_deref(), Some(ASK));
        assert_eq!(row.session_id.as_deref(), Some("s-3"));
        assert_eq!(
            (row.latency_scope.as_deref(), row.time_resolution_ms),
            (Some("gateway"), Some(0.001))
        );
        assert!(!serde_json::to_string(&row).unwrap().contains("not-for-rows"));
        assert!(row.latency_baseline_ok);
    }
}

#[test]
fn a_request_without_response_is_a_row_without_outcome() {
    let [(0, row)] = <[_; 1]>::try_from(rows(&[request(T0)])).unwrap() else { panic!() };
    assert_eq!((row.status_code, row.error_class, row.latency_ms), (None, None, None));
    assert_eq!((row.stream, row.replayable), (Some(true), true));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
    assert!(row.request_id.starts_with("row-"));
}

#[test]
fn an_identifier_that_comes_again_is_paired_in_the_order_of_time() {
    let second = T0 + 10_000_000_000;
    let records =
        [response(second + 5_000_000), request(second), request(T0), response(T0 + 5_000_000)];
    let rows = rows(&records);
    let found: Vec<(usize, &str)> =
        rows.iter().map(|(at, row)| (*at, row.request_id.as_str())).collect();
    assert_eq!(found, [(2, "req-1793597601255000123"), (1, "req-1793597611255000123")]);
    let unanswered = super::tests::rows(&[request(T0), request(second), response(second + 1)]);
    assert_eq!(unanswered[0].1.status_code, None);
    assert_eq!(unanswered[1].1.status_code, Some(200));
}

#[test]
fn a_response_without_request_is_missed_only_if_a_model_gave_it() {
    assert!(matches!(
        &joined(&[response(T0)])[..],
        [(0, Reading::Reject(RejectReason::MissingField, _))]
    ));
    let page = record("2", "9a1b", T0, None, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(joined(&[page]), [(0, Reading::Filtered(FilterReason::NotLlm))]);
}

#[test]
fn a_response_whose_end_old_files_do_not_state_has_no_duration() {
    let mut response = response(T0 + 501_200_000);
    response["latency_ns"] = Value::Null;
    let rows = rows(&[request(T0), response]);
    assert_eq!((rows[0].1.latency_ms, rows[0].1.ttfb_ms), (None, Some(500.0)));
}

#[test]
fn replays_and_remainders_are_set_apart() {
    let replay = record("3", "9a1b", T0, Some(1), "HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(reading(&replay), Reading::Filtered(FilterReason::Wrapper));
    let end = record("2", "9a1b", T0, Some(0), "0\r\n\r\n");
    assert_eq!(reading(&end), Reading::Filtered(FilterReason::NotLlm));
    let rest = record("2", "9a1b", T0, Some(0), "5\r\nhello\r\n0\r\n\r\n");
    assert!(matches!(reading(&rest), Reading::Reject(RejectReason::BadField, _)));
    let other =
        record("1", "9a1b", T0, None, "GET /health HTTP/1.1\r\nHost: a.example.com\r\n\r\n");
    assert_eq!(joined(&[other]), [(0, Reading::Filtered(FilterReason::NotLlm))]);
}

#[test]
fn a_missing_or_garbled_field_is_named_and_wrong_types_never_panic() {
    let with = |name: &str, value: Value| {
        let mut record = request(T0);
        record[name] = value;
        reading(&record)
    };
    for (name, value, reason) in [
        ("type", Value::Null, RejectReason::MissingField),
        ("type", json!("4"), RejectReason::BadField),
        ("id", Value::Null, RejectReason::MissingField),
        ("timing_ns", json!("soon"), RejectReason::BadField),
        ("timing_ns", json!(0), RejectReason::BadField),
        ("message", json!(7), RejectReason::BadField),
        ("message", json!("POST / HTTP/1.1\r\nHo"), RejectReason::BadField),
    ] {
        match with(name, value) {
            Reading::Reject(own, detail) => {
                assert_eq!(own, reason, "{detail}");
                assert!(detail.contains(name), "{detail}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    for value in [json!(null), json!(-1), json!([1]), json!({"a": 1}), json!(true)] {
        for name in ["type", "id", "timing_ns", "latency_ns", "message"] {
            with(name, value.clone());
        }
        GoReplay.join(&[value.clone(), value], &ReadContext::default());
    }
}

#[test]
fn messages_are_known_by_their_type_and_time() {
    assert_eq!(GoReplay.sniff(&[request(T0), response(T0)]), Confidence::CERTAIN);
    for other in [
        json!({"type": "http", "client_conn": {}, "server_conn": {}}),
        json!({"startedDateTime": "x", "request": {"method": "POST", "url": "u"}}),
        json!({"type": "1", "message": "x"}),
    ] {
        assert_eq!(GoReplay.sniff(std::slice::from_ref(&other)), Confidence::NONE, "{other}");
    }
}
