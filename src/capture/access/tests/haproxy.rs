//! HAProxy: timers, termination states and local times.

use super::*;

pub(super) const LINE: &str = "Nov  2 05:33:21 edge haproxy[143]: 203.0.113.9:51000 \
     [02/Nov/2026:05:33:21.250] fe_ai~ be_openai/s1 1/0/24/375/2500 200 9120 - - ---- \
     12/12/3/3/0 0/0 {faq-bot|s-9} {req_77} \"POST /v1/chat/completions?key=secret HTTP/1.1\"";

pub(super) fn json_line() -> Value {
    json!({
        "ts_ms": 1_793_597_603_750_i64, "accept_date": "02/Nov/2026:05:33:21 +0000",
        "method": "POST", "uri": "/v1/chat/completions", "status": 200, "bytes_read": 9120,
        "TR": 1, "Tw": 0, "Tc": 24, "Tr": 375, "Ta": 2500, "term_state": "--", "server": "s1",
        "request_body": "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}"
    })
}

fn line(from: &str, to: &str) -> CapturedExchange {
    assert!(LINE.contains(from));
    row(&HaProxy, &json!(LINE.replace(from, to)))
}

#[test]
fn a_text_line_is_read_with_its_local_time() {
    let row = line("", "");
    assert_eq!((row.captured_at, row.time_basis.as_deref()), (MOMENT, Some("assumed_utc")));
    assert_eq!((row.latency_ms, row.ttfb_ms, row.ttft_ms), (Some(2_500.0), Some(400.0), None));
    assert_eq!((row.time_resolution_ms, row.status_code), (Some(1.0), Some(200)));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"), "without the key");
    assert!(row.latency_baseline_ok && row.error_class.is_none());
    assert_eq!((row.session_id.as_deref(), row.tags.as_deref()), (None, None));
    let zoned = ReadContext { utc_offset_s: Some(3_600), ..ReadContext::default() };
    let zoned = row_of(read_in(&HaProxy, &json!(LINE), &zoned));
    assert_eq!(zoned.captured_at, MOMENT - 3_600_000_000);
    assert_eq!(zoned.time_basis.as_deref(), Some("stated_offset"));
}

#[test]
fn captured_headers_are_read_only_where_a_mapping_names_them() {
    let context = mapped_by(
        "[fields]\nroute = \"request_captures.0\"\nsession_id = \"request_captures.1\"\n\
         request_id = \"response_captures.0\"",
    );
    let row = row_of(read_in(&HaProxy, &json!(LINE), &context));
    assert_eq!((row.route.as_deref(), row.session_id.as_deref()), (Some("faq-bot"), Some("s-9")));
    assert_eq!(row.request_id, "req_77");
    assert_eq!(line(" {faq-bot|s-9} {req_77}", "").latency_ms, Some(2_500.0));
}

#[test]
fn a_phase_that_was_not_reached_and_a_total_before_the_end_are_unknown() {
    let timeout = line("1/0/24/375/2500 200", "1/0/24/-1/5021 504");
    assert_eq!((timeout.latency_ms, timeout.ttfb_ms), (Some(5_021.0), None));
    let early = line("/2500 200", "/+401 200");
    assert_eq!((early.latency_ms, early.ttfb_ms), (None, Some(400.0)));
    assert_eq!(early.latency_baseline_reason.as_deref(), Some("no_latency"));
    let retried = line("12/12/3/3/0", "12/12/3/3/+2");
    assert_eq!((retried.attempt, retried.latency_baseline_ok), (3, false));
}

#[test]
fn the_termination_state_tells_what_the_status_does_not() {
    let told = |status: &str, state: &str| {
        let row = line("200 9120 - - ----", &format!("{status} 9120 - - {state}"));
        (row.error_class.unwrap_or_default(), row.latency_baseline_reason.unwrap_or_default())
    };
    let pair = |class: &str, reason: &str| (class.to_owned(), reason.to_owned());
    assert_eq!(told("200", "SD--"), pair("stream_truncated", ""));
    assert_eq!(told("200", "sD--"), pair("stream_truncated", ""));
    assert_eq!(told("200", "CD--"), pair("unknown", "other_scope"));
    assert_eq!(told("502", "SH--"), pair("server_error", ""));
    assert_eq!(told("504", "sH--"), pair("server_error", ""));
    assert_eq!(told("403", "PR--"), pair("permission", "gateway_answer"));
    assert_eq!(told("429", "----"), pair("rate_limit_other", ""));
    assert_eq!(told("-1", "CR--"), pair("unknown", "other_scope"));
    assert_eq!(told("200", "--VN"), pair("", ""));
}

#[test]
fn json_gets_its_start_from_the_moment_of_logging_where_both_agree() {
    let exact = row(&HaProxy, &json_line());
    assert_eq!((exact.captured_at, exact.time_resolution_ms), (MOMENT, Some(1.0)));
    assert_eq!((exact.latency_ms, exact.ttfb_ms), (Some(2_500.0), Some(400.0)));
    assert!(exact.replayable);
    let apart = with(json_line(), &[("ts_ms", json!(1_793_597_609_000_i64))]);
    let apart = row(&HaProxy, &apart);
    assert_eq!((apart.captured_at, apart.time_resolution_ms), (MOMENT - 250_000, Some(1e3)));
    let alone = row(&HaProxy, &with(json_line(), &[("accept_date", Value::Null)]));
    assert_eq!(alone.captured_at, MOMENT);
    let text = json!(format!("Nov  2 05:33:21 edge haproxy[1]: {}", json_line()));
    assert_eq!(row(&HaProxy, &text).captured_at, MOMENT, "behind a syslog prefix");
}

#[test]
fn lines_that_tell_of_no_request_are_refused_or_left_out() {
    for text in ["Nov  2 05:33:21 edge haproxy[1]: Proxy fe_ai started.", "", "{\"Ta\":"] {
        let reading = read(&HaProxy, &json!(text));
        assert_eq!(rejected(&reading), (RejectReason::BadField, "not an access log line"));
    }
    let bad_request = LINE.replace("POST /v1/chat/completions?key=secret HTTP/1.1", "<BADREQ>");
    assert_eq!(read(&HaProxy, &json!(bad_request)), NOT_LLM);
    let cut = LINE.trim_end_matches(" HTTP/1.1\"");
    assert_eq!(row(&HaProxy, &json!(cut)).route.as_deref(), Some("/v1/chat/completions"));
}
