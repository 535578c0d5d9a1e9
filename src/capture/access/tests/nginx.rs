//! NGINX: times of the end, lists of attempts, escaped bodies.

use super::*;

/// `café` in a body, with NGINX's default escaping.
const ESCAPED: &str = r"{\x22model\x22:\x22m\x22,\x22messages\x22:[{\x22role\x22:\x22user\x22,\x22content\x22:\x22caf\xC3\xA9\x22}]}";

pub(super) const COMBINED: &str = "203.0.113.9 - - [02/Nov/2026:05:33:23 +0000] \
     \"POST /v1/chat/completions?key=secret HTTP/1.1\" 200 674 \"-\" \"app/1.0\" rt=2.500 \
     uht=0.400 urt=2.498";

pub(super) fn json_line() -> Value {
    json!({
        "msec": "1793597603.750", "request_id": "0f3c", "request_method": "POST",
        "request_uri": "/v1/chat/completions?key=secret", "status": 200, "request_time": "2.500",
        "upstream_header_time": "0.400", "upstream_response_time": "2.498",
        "upstream_status": "200", "upstream_addr": "192.0.2.1:443", "upstream_cache_status": "",
        "bytes_sent": 9120, "http_x_session_id": "s-9", "remote_user": "-",
        "request_body": "{\"model\":\"gpt-4o-mini\",\"stream\":true,\"messages\":[{\"role\":\
                         \"user\",\"content\":\"Printer is on fire\"}]}"
    })
}

fn changed(changes: &[(&str, Value)]) -> CapturedExchange {
    row(&Nginx, &with(json_line(), changes))
}

fn line(text: &str) -> CapturedExchange {
    row(&Nginx, &json!(text))
}

#[test]
fn a_json_line_is_read_and_its_time_is_that_of_the_end() {
    let row = row(&Nginx, &json_line());
    assert_eq!(row.captured_at, MOMENT, "23.750 less 2.500 seconds");
    assert_eq!((row.latency_ms, row.ttfb_ms, row.ttft_ms), (Some(2_500.0), Some(400.0), None));
    assert_eq!((row.time_basis.as_deref(), row.time_resolution_ms), (Some("epoch"), Some(1.0)));
    assert_eq!((row.request_id.as_str(), row.session_id.as_deref()), ("0f3c", Some("s-9")));
    assert_eq!((row.user_id, row.cache_hit), (None, None), "a dash is unknown");
    assert_eq!((row.request_model.as_str(), row.stream), ("gpt-4o-mini", Some(true)));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"), "without the key");
    assert_eq!(row.latency_scope.as_deref(), Some("gateway"));
    assert_eq!((row.operation.as_str(), row.status_code), ("chat", Some(200)));
    assert!(row.replayable && row.latency_baseline_ok && row.error_class.is_none());
}

#[test]
fn a_combined_line_is_read_to_the_second() {
    let row = line(COMBINED);
    assert_eq!(row.captured_at, MOMENT - 750_000, "23 less 2.500 seconds");
    assert_eq!((row.latency_ms, row.ttfb_ms), (Some(2_500.0), Some(400.0)));
    assert_eq!((row.time_basis.as_deref(), row.time_resolution_ms), (Some("rfc3339"), Some(1e3)));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    assert!(row.request_id.is_empty(), "the importer takes the place in the file");
    assert!(!serde_json::to_string(&row).unwrap().contains("secret"));
}

#[test]
fn extensions_of_combined_are_known() {
    let combined = &COMBINED[..COMBINED.find(" rt=").unwrap()];
    let bare = line(&format!("{combined} 2.500 2.498"));
    assert_eq!((bare.latency_ms, bare.ttfb_ms), (Some(2_500.0), None));
    let swapped = line(&format!("{combined} \"2.498\" \"2.500\""));
    assert_eq!(swapped.latency_ms, Some(2_500.0), "the whole is never shorter than a part");
    let none = line(combined);
    assert_eq!((none.latency_ms, none.captured_at), (None, MOMENT + 1_750_000));
    assert_eq!(none.latency_baseline_reason.as_deref(), Some("no_latency"));
    let ingress = line(&format!(
        "{combined} 994 2.500 [ai-gateway-80] [] 10.0.0.1:80, 10.0.0.2:80 0, 674 0.900, 1.590 \
         502, 200 5931168c"
    ));
    assert_eq!((ingress.latency_ms, ingress.attempt), (Some(2_500.0), 2));
    assert_eq!(ingress.request_id, "5931168c");
    let syslog = line(&format!("<190>Nov  2 05:33:23 edge nginx: {combined} rt=2.500"));
    assert_eq!((syslog.latency_ms, syslog.user_id), (Some(2_500.0), None));
}

#[test]
fn bodies_are_unescaped_and_one_that_breaks_off_is_marked() {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "café"}]});
    let opened = |row: &CapturedExchange| {
        serde_json::from_str::<Value>(row.request_body.as_deref().unwrap()).unwrap()
    };
    let escaped = changed(&[("request_body", json!(ESCAPED))]);
    assert_eq!(opened(&escaped), body);
    assert!(escaped.replayable);
    let in_line = line(&format!("{COMBINED} \"{ESCAPED}\""));
    assert_eq!((opened(&in_line), in_line.replayable), (body.clone(), true));
    let named = line(&format!("{COMBINED} body=\"{ESCAPED}\""));
    assert_eq!(opened(&named), body);
    // A JSON line without `escape=json` is no JSON; it comes as text.
    let raw = format!(
        "{{\"msec\":\"1793597603.750\",\"request\":\"POST /v1/chat/completions HTTP/1.1\",\
         \"status\":200,\"request_time\":2.5,\"request_body\":\"{ESCAPED}\"}}"
    );
    assert_eq!(opened(&line(&raw)), body);
    let cut = changed(&[("request_body", json!("{\"model\":\"m\",\"messages\":[{\"role\""))]);
    assert_eq!(cut.not_replayable_reason.as_deref(), Some("truncated"));
    assert_eq!((cut.content_state.as_str(), cut.replayable), ("truncated", false));
    let dash = changed(&[("request_body", json!("-"))]);
    assert_eq!((dash.content_state.as_str(), dash.request_body), ("absent", None));
    let form = changed(&[("request_body", json!("--boundary"))]);
    assert_eq!(form.request_body, None);
}

#[test]
fn several_upstreams_are_retries_and_the_first_byte_comes_after_the_earlier_ones() {
    let row = changed(&[
        ("request_time", json!(3.105)),
        ("upstream_response_time", json!("0.100, 0.900 : 2.101")),
        ("upstream_header_time", json!("-, 0.800 : 0.455")),
        ("upstream_status", json!("504, 502 : 200")),
        ("upstream_addr", json!("192.0.2.1:443, 192.0.2.2:443 : 192.0.2.3:443")),
    ]);
    assert_eq!((row.attempt, row.latency_ms), (3, Some(3_105.0)));
    assert!((row.ttfb_ms.unwrap() - 1_455.0).abs() < 1e-6, "0.100 + 0.900 + 0.455");
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("retried"));
    let upstream = changed(&[("request_time", json!("-"))]);
    assert_eq!((upstream.latency_ms, upstream.captured_at), (Some(2_498.0), MOMENT + 2_000));
    assert_eq!(upstream.latency_scope.as_deref(), Some("upstream"));
}

#[test]
fn failures_caches_and_answers_of_nginx_itself_are_told_apart() {
    let told = |changes: &[(&str, Value)]| {
        let row = changed(changes);
        (row.status_code, row.error_class, row.latency_baseline_reason)
    };
    let class = |class: &str| Some(class.to_owned());
    assert_eq!(told(&[("status", json!("429"))]), (Some(429), class("rate_limit_other"), None));
    assert_eq!(told(&[("status", json!(502))]), (Some(502), class("server_error"), None));
    let left = (Some(499), class("unknown"), class("other_scope"));
    assert_eq!(told(&[("status", json!(499))]), left);
    assert_eq!(told(&[("status", json!("000"))]), (None, class("unknown"), None));
    let names = ["upstream_addr", "upstream_status", "upstream_response_time"];
    let mut alone: Vec<_> = names.iter().map(|name| (*name, json!("-"))).collect();
    alone.extend([("upstream_header_time", json!("")), ("status", json!(503))]);
    assert_eq!(told(&alone), (Some(503), class("overloaded"), class("gateway_answer")));
    alone.extend([("status", json!(200)), ("upstream_cache_status", json!("HIT"))]);
    assert_eq!(told(&alone), (Some(200), None, class("cache_hit")));
    let miss = changed(&[("upstream_cache_status", json!("MISS"))]);
    assert_eq!((miss.cache_hit, miss.latency_baseline_ok), (Some(false), true));
}

#[test]
fn logged_answers_models_and_tokens_are_used() {
    let answer = json!({"id": "c", "object": "chat.completion", "model": "gpt-4o-mini-2024-07-18",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant",
            "content": null, "tool_calls": [{"id": "call_1", "type": "function",
                "function": {"name": "book", "arguments": "{}"}}]}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4}});
    let full = changed(&[("response_body", json!(answer.to_string()))]);
    assert!(full.tool_calls.unwrap().contains("book"));
    assert_eq!(full.usage_source.as_deref(), Some("provider"));
    let cut = changed(&[("response_body", json!("{\"choices\":["))]);
    assert_eq!((cut.content_state.as_str(), cut.replayable), ("truncated", true));
    let plain = [("request_body", json!("")), ("model", json!("m")), ("prompt_tokens", json!("7"))];
    let counted = changed(&plain);
    assert_eq!((counted.request_model.as_str(), counted.input_tokens), ("m", Some(7)));
    assert_eq!(counted.usage_source.as_deref(), Some("gateway"));
    let anthropic = changed(&[
        ("request_uri", json!("/v1/messages")),
        ("request_body", json!("")),
        ("input_tokens", json!(10)),
        ("cache_read_input_tokens", json!(90)),
        ("sent_http_content_type", json!("text/event-stream; charset=utf-8")),
    ]);
    assert_eq!(anthropic.input_tokens, Some(100), "Anthropic counts cached tokens beside");
    assert_eq!(anthropic.stream, Some(true));
    let azure = changed(&[
        ("request_uri", json!("/openai/deployments/own-4o/chat/completions?api-version=1")),
        ("request_body", json!("")),
        ("proxy_host", json!("acme.openai.azure.com")),
    ]);
    assert_eq!(azure.provider.as_deref(), Some("azure"), "by the host behind");
    assert_eq!(azure.request_model, "own-4o", "by the path");
}

#[test]
fn what_is_no_call_of_a_model_is_left_out_unless_a_mapping_keeps_it() {
    let bare = |uri: &str, method: &str| {
        let changes = [("request_uri", json!(uri)), ("request_method", json!(method))];
        with(with(json_line(), &changes), &[("request_body", json!(""))])
    };
    assert_eq!(read(&Nginx, &bare("/health", "GET")), NOT_LLM);
    assert_eq!(read(&Nginx, &bare("/v1/chat/completions", "OPTIONS")), NOT_LLM);
    assert_eq!(read(&Nginx, &bare("/v1/models", "GET")), NOT_LLM);
    assert_eq!(read(&Nginx, &bare("/prod/chat", "POST")), NOT_LLM);
    let embedding = row(&Nginx, &bare("/v1/embeddings", "POST"));
    assert_eq!(embedding.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(embedding.operation, "embeddings");
    let all = mapped_by("all_requests = true");
    let kept = row_of(read_in(&Nginx, &bare("/prod/chat", "POST"), &all));
    assert_eq!((kept.operation.as_str(), kept.route.as_deref()), ("chat", Some("/prod/chat")));
    let probe = row_of(read_in(&Nginx, &bare("/health", "GET"), &all));
    assert_eq!(probe.latency_baseline_reason.as_deref(), Some("health_check"));
    let paths = mapped_by(
        "[fields]\ntenant = \"upstream_addr\"\n[paths]\n\"/prod/chat\" = \"/v1/messages\"\n\
         \"/prod/rank*\" = \"rerank\"",
    );
    let rank = row_of(read_in(&Nginx, &bare("/prod/rank/2", "POST"), &paths));
    assert_eq!(rank.not_replayable_reason.as_deref(), Some("not_chat"));
    assert_eq!(rank.latency_baseline_reason.as_deref(), Some("not_chat"));
    let body = json!("{\"model\":\"c\",\"max_tokens\":5,\"messages\":[]}");
    let chat = with(bare("/prod/chat", "POST"), &[("request_body", body)]);
    let chat = row_of(read_in(&Nginx, &chat, &paths));
    assert_eq!(chat.dialect.as_deref(), Some("anthropic_messages"), "by the path it stands for");
    assert_eq!(chat.tenant.as_deref(), Some("192.0.2.1:443"));
    let own_path = with(json_line(), &[("request_uri", json!("/prod/chat"))]);
    assert!(row(&Nginx, &own_path).replayable, "the body shows a chat request");
}

#[test]
fn lines_of_other_logs_are_refused_without_their_text() {
    for text in [
        "2026/11/02 05:33:21 [error] 26#26: *2 upstream prematurely closed connection, \
         request: \"POST /v1/chat/completions HTTP/1.1\", host: \"x\"",
        "",
        "{\"msec\":",
    ] {
        let reading = read(&Nginx, &json!(text));
        assert_eq!(rejected(&reading), (RejectReason::BadField, "not an access log line"));
    }
    let timeless = read(&Nginx, &with(json_line(), &[("msec", json!("-"))]));
    assert_eq!(rejected(&timeless).0, RejectReason::MissingField);
    let garbled = read(&Nginx, &with(json_line(), &[("msec", json!("soon"))]));
    assert_eq!(rejected(&garbled), (RejectReason::BadField, "`msec` is no point in time"));
}
