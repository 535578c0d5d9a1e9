//! What becomes of exchanges of HTTP, whatever the capture that they are from.

use std::io::Write;

use serde_json::json;

use super::*;

const START: Moment = Moment { us: 1_793_597_601_250_000, basis: "epoch" };

fn ask() -> Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Where is my parcel?"}],
        "stream": true})
}

fn events(end: &str) -> String {
    let chunk = json!({"id": "chatcmpl-5f0c2ab7719e", "object": "chat.completion.chunk",
        "model": "gpt-4o-mini-2024-07-18", "choices": [{"index": 0, "delta": {"content": "On its way."},
        "finish_reason": null}]});
    let last = json!({"id": "chatcmpl-5f0c2ab7719e", "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 4}});
    format!("data: {chunk}\n\ndata: {last}\n\n{end}")
}

fn answered(status: i32, media: &str, body: &[u8]) -> Answer {
    let headers = Headers::of([("Content-Type", media)]);
    Answer { status, headers, body: Some(body.to_vec()) }
}

/// A streamed chat completion that succeeds.
fn exchange() -> Exchange<'static> {
    Exchange {
        record: &Value::Null,
        method: "POST",
        url: "https://llm.example.com/v1/chat/completions?key=not-for-rows#x".to_owned(),
        request_headers: Headers::of([
            ("Authorization", "Bearer not-for-rows"),
            ("X-Session-Id", "s-7"),
            ("X-Stainless-Retry-Count", "1"),
        ]),
        request_body: Some(ask().to_string().into_bytes()),
        answer: Some(answered(200, "text/event-stream", events("data: [DONE]\n\n").as_bytes())),
        fault: None,
        log_id: Some("log-1".to_owned()),
        times: Times {
            start: START,
            latency_ms: Some(900.0),
            ttfb_ms: Some(200.0),
            scope: "gateway",
            resolution_ms: 0.001,
        },
    }
}

fn row_of(exchange: &Exchange<'_>) -> CapturedExchange {
    match read(exchange) {
        Reading::Exchange(row) => *row,
        other => panic!("{other:?}"),
    }
}

fn outcome(answer: Option<Answer>, fault: Option<&str>) -> CapturedExchange {
    row_of(&Exchange { answer, fault: fault.map(str::to_owned), ..exchange() })
}

fn class(row: &CapturedExchange) -> Option<&str> {
    row.error_class.as_deref()
}

fn is_filtered(exchange: &Exchange<'_>) -> bool {
    read(exchange) == Reading::Filtered(FilterReason::NotLlm)
}

#[test]
fn a_streamed_call_fills_every_column_that_the_line_tells() {
    let row = row_of(&exchange());
    assert_eq!(row.request_body, Some(ask().to_string()));
    assert_eq!((row.dialect.as_deref(), row.stream), (Some("openai_chat"), Some(true)));
    assert_eq!((row.operation.as_str(), row.request_model.as_str()), ("chat", "gpt-4o-mini"));
    assert_eq!(row.response_text.as_deref(), Some("On its way."));
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini-2024-07-18"));
    assert_eq!((row.status_code, class(&row)), (Some(200), None));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(12), Some(4)));
    assert_eq!(row.usage_source.as_deref(), Some("provider"));
    assert_eq!((row.latency_ms, row.ttfb_ms, row.ttft_ms), (Some(900.0), Some(200.0), None));
    assert_eq!((row.captured_at, row.attempt), (START.us, 2));
    assert_eq!(row.session_id.as_deref(), Some("s-7"));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
    assert!(row.replayable && row.latency_baseline_ok);
    assert!(!serde_json::to_string(&row).unwrap().contains("not-for-rows"));
}

#[test]
fn the_path_alone_is_kept_of_an_address() {
    for (url, path) in [
        ("https://a.example.com/v1/x?key=k", "/v1/x"),
        ("https://user:pass@a.example.com", "/"),
        ("/v1/x#f", "/v1/x"),
        ("http://a.example.com:8080/v1//x/?a=/b", "/v1//x/"),
    ] {
        assert_eq!(path_of(url), path, "{url}");
    }
}

#[test]
fn identifiers_are_the_providers_then_the_answers_then_the_logs() {
    let id = |headers: &[(&str, &str)], body: &Value| {
        let mut answer = answered(200, "application/json", body.to_string().as_bytes());
        answer.headers = Headers::of(headers.iter().copied());
        outcome(Some(answer), None).request_id
    };
    let named = json!({"id": "chatcmpl-5f0c2ab7719e", "choices": []});
    let numbered = json!({"id": "chatcmpl-123", "choices": []});
    assert_eq!(id(&[("x-request-id", "req-1"), ("cf-ray", "r")], &named), "req-1");
    assert_eq!(id(&[("Request-Id", "req-2")], &named), "req-2");
    assert_eq!(id(&[("x-request-id", " ")], &named), "chatcmpl-5f0c2ab7719e");
    assert_eq!(id(&[], &numbered), "log-1", "one of a thousand numbers names nothing");
    assert_eq!(row_of(&exchange()).request_id, "chatcmpl-5f0c2ab7719e", "of the first event");
    let record = json!({"a": 1});
    let nameless = Exchange { record: &record, log_id: None, answer: None, ..exchange() };
    assert_eq!(row_of(&nameless).request_id, "row-015abd7f5cc57a2d");
}

#[test]
fn what_is_no_call_of_a_model_is_filtered_and_a_chat_body_is_one_on_any_path() {
    assert!(is_filtered(&Exchange { method: "OPTIONS", ..exchange() }));
    assert!(is_filtered(&Exchange { method: "GET", ..exchange() }));
    let upgrade = Headers::of([("Upgrade", "websocket")]);
    assert!(is_filtered(&Exchange { request_headers: upgrade, ..exchange() }));
    let post = |url: &str, body: Option<&str>| Exchange {
        url: url.to_owned(),
        request_body: body.map(|body| body.as_bytes().to_vec()),
        ..exchange()
    };
    let own = "https://apps.example.com/assist";
    let kept = row_of(&post(own, Some(&ask().to_string())));
    assert_eq!((kept.route.as_deref(), kept.operation.as_str()), (Some("/assist"), "chat"));
    assert!(kept.replayable);
    for body in [None, Some(""), Some("a=b"), Some(r#"{"events": []}"#), Some(r#"{"input": 3}"#)] {
        assert!(is_filtered(&post(own, body)), "{body:?}");
    }
    let mail = Some(r#"{"to": "u-3", "body": "hello"}"#);
    assert!(is_filtered(&post("https://apps.example.com/api/messages", mail)));
    let unseen = row_of(&post("https://llm.example.com/v1/chat/completions", None));
    assert_eq!(unseen.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert_eq!(unseen.content_state, "absent");
}

#[test]
fn a_request_that_is_cut_or_no_json_is_kept_but_not_replayed() {
    let with = |body: &[u8]| row_of(&Exchange { request_body: Some(body.to_vec()), ..exchange() });
    let cut = with(br#"{"model": "gpt-4o-mini", "messages": [{"role"#);
    assert_eq!((cut.content_state.as_str(), cut.replayable), ("truncated", false));
    assert_eq!(cut.not_replayable_reason.as_deref(), Some("truncated"));
    assert_eq!(cut.response_text.as_deref(), Some("On its way."));
    let form = with(b"--x\r\nContent-Disposition: form-data");
    assert_eq!(form.not_replayable_reason.as_deref(), Some("unreadable_request"));
    assert_eq!(form.request_body, None);
}

#[test]
fn a_status_of_200_is_a_success_only_with_a_whole_answer() {
    let stream =
        |body: &str| outcome(Some(answered(200, "text/event-stream", body.as_bytes())), None);
    let json = |body: &str| {
        let request = json!({"model": "m", "messages": [{"role": "user", "content": "a b"}]});
        row_of(&Exchange {
            request_body: Some(request.to_string().into_bytes()),
            answer: Some(answered(200, "application/json", body.as_bytes())),
            ..exchange()
        })
    };
    assert_eq!(class(&stream("")), Some("stream_truncated"));
    let begun = stream(
        "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"On\"}}]}\n\n",
    );
    assert_eq!(class(&begun), Some("stream_truncated"));
    assert_eq!(begun.response_text.as_deref(), Some("On"));
    let broken = stream("data: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}\n\n");
    assert_eq!(
        (class(&broken), broken.error_message.as_deref()),
        (Some("stream_error"), Some("boom"))
    );
    let prefixed = stream(&format!(": ping\r\nid: 1\nretry: 10\n{}", events("data: [DONE]\n\n")));
    assert_eq!((class(&prefixed), prefixed.response_text.as_deref()), (None, Some("On its way.")));
    assert_eq!(class(&json("")), Some("protocol"));
    assert_eq!(class(&json(r#"{"choices": [{"mess"#)), Some("protocol"));
    assert_eq!(class(&json("{\"choices\" oh}")), Some("protocol"));
    assert_eq!(
        class(&json(r#"{"error": {"message": "no", "code": 429}}"#)),
        Some("rate_limit_other")
    );
    let page = outcome(Some(answered(200, "text/html", b"<html>Sign in</html>")), None);
    assert_eq!((class(&page), &page.response_text), (Some("protocol"), &None));
    let bare = outcome(Some(answered(200, "text/plain", b"On its way.")), None);
    assert_eq!((class(&bare), bare.response_text.as_deref()), (None, Some("On its way.")));
    let moved = outcome(Some(answered(307, "text/html", b"")), None);
    assert_eq!(class(&moved), Some("protocol"));
}

#[test]
fn an_answer_that_the_log_dropped_is_unknown_unless_the_connection_failed() {
    let dropped = || Some(Answer { body: None, ..answered(200, "text/event-stream", b"") });
    let unknown = outcome(dropped(), None);
    assert_eq!((class(&unknown), &unknown.response_text, unknown.replayable), (None, &None, true));
    let broken = outcome(dropped(), Some("server closed connection"));
    assert_eq!(class(&broken), Some("stream_truncated"));
    assert_eq!(broken.error_message.as_deref(), Some("server closed connection"));
    let nothing = outcome(None, None);
    assert_eq!((class(&nothing), nothing.status_code), (None, None));
}

#[test]
fn failures_have_the_class_of_status_and_body_or_of_the_connection() {
    let overload =
        br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    for (status, media, body, expected) in [
        (502, "text/html", b"<h1>502 Bad Gateway</h1>".as_slice(), "server_error"),
        (529, "application/json", overload, "overloaded"),
        (429, "application/json", b"{}", "rate_limit_other"),
        (401, "text/plain", b"", "auth"),
        (
            400,
            "application/json",
            br#"[{"error": {"message": "prompt is too long", "code": 400}}]"#,
            "context_length",
        ),
    ] {
        let row = outcome(Some(answered(status, media, body)), None);
        assert_eq!((class(&row), row.status_code), (Some(expected), Some(status)));
        assert_eq!(row.response_text, None, "{status}");
    }
    for (fault, expected) in [
        ("net::ERR_CONNECTION_TIMED_OUT", "timeout_total"),
        ("net::ERR_NAME_NOT_RESOLVED", "dns"),
        ("net::ERR_CERT_DATE_INVALID", "tls"),
        ("server closed connection", "refused"),
        ("[Errno 111] Connect call failed", "refused"),
        ("Client disconnected.", "unknown"),
        ("net::ERR_ABORTED", "unknown"),
    ] {
        let row = outcome(None, Some(fault));
        assert_eq!((class(&row), row.error_message.as_deref()), (Some(expected), Some(fault)));
    }
}

#[test]
fn compressed_bodies_are_read_and_a_gateways_cache_is_told_by_its_header() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(events("data: [DONE]\n\n").as_bytes()).unwrap();
    let mut answer = answered(200, "", &packed.finish().unwrap());
    answer.headers = Headers::of([("content-encoding", "gzip"), ("Helicone-Cache", "HIT")]);
    let row = outcome(Some(answer), None);
    assert_eq!(row.response_text.as_deref(), Some("On its way."));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("cache_hit"));
    for (status, hit) in [("MISS", Some(false)), ("SEMANTIC HIT", Some(true)), ("DISABLED", None)] {
        assert_eq!(Headers::of([("x-portkey-cache-status", status)]).cache_hit(), hit);
    }
}

#[test]
fn a_list_of_chunks_is_a_stream() {
    let text = events("");
    let chunks = text.split_terminator("\n\n").filter_map(|event| event.strip_prefix("data: "));
    let list = format!("[{}]", chunks.collect::<Vec<_>>().join(",\n"));
    let row = outcome(Some(answered(200, "application/json", list.as_bytes())), None);
    assert_eq!(row.response_text.as_deref(), Some("On its way."));
    assert_eq!(row.output_tokens, Some(4));
}

#[test]
fn other_calls_of_models_are_kept_with_their_tokens_but_not_replayed() {
    let call = Endpoint {
        provider: Some("openai"),
        operation: "embeddings",
        dialect: None,
        model: None,
        stream: None,
    };
    let body = json!({"model": "text-embedding-3-small", "input": ["parcel"]});
    let answer = json!({"object": "list", "model": "text-embedding-3-small",
        "data": [{"embedding": [0.25]}], "usage": {"prompt_tokens": 2, "total_tokens": 2}});
    let answer = answered(200, "application/json", answer.to_string().as_bytes());
    let content = Content::of(answer.body.as_deref(), &answer.headers);
    let exchange = Exchange { answer: Some(answer), ..exchange() };
    let row = row(&exchange, &call, &Content::Json(body), &content);
    assert_eq!(
        (row.operation.as_str(), row.request_model.as_str()),
        ("embeddings", "text-embedding-3-small")
    );
    assert_eq!(row.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("not_chat"));
    assert_eq!((row.input_tokens, row.output_tokens, row.response_text), (Some(2), None, None));
    assert_eq!(row.provider.as_deref(), Some("openai"));
}

#[test]
fn lines_of_json_are_no_failure_and_their_request_is_of_no_known_dialect() {
    let lines = b"{\"message\":{\"content\":\"On\"},\"done\":false}\n{\"done\":true}\n";
    let own = |answer| {
        let url = "http://llm.example.com:11434/api/chat".to_owned();
        row_of(&Exchange { url, answer: Some(answer), ..exchange() })
    };
    let native = own(answered(200, "application/x-ndjson", lines));
    assert_eq!((class(&native), &native.response_text), (None, &None));
    assert_eq!(native.not_replayable_reason.as_deref(), Some("unsupported_dialect"));
    let events = events("data: [DONE]\n\n");
    let compatible = own(answered(200, "text/event-stream", events.as_bytes()));
    assert_eq!(compatible.dialect.as_deref(), Some("openai_chat"));
    assert_eq!(compatible.response_text.as_deref(), Some("On its way."));
}
