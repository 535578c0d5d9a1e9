//! The gateways of Amazon and Google, and Apigee.

use super::*;

pub(super) fn aws() -> Value {
    json!({"requestId": "f7c1", "requestTime": "02/Nov/2026:05:33:21 +0000",
        "requestTimeEpoch": "1793597601250", "httpMethod": "POST",
        "path": "/prod/v1/chat/completions", "status": "200", "responseLatency": "2531",
        "integrationLatency": "2500", "integrationStatus": "200", "responseLength": "9120",
        "apiKeyId": "acme", "error": "-", "stage": "prod"})
}

pub(super) fn apigee() -> Value {
    json!({"apiproxy": "llm", "gateway_flow_id": "rrt-1", "request_verb": "POST",
        "request_path": "/llm/v1/chat/completions", "response_status_code": "200", "is_error": "0",
        "client_received_start_timestamp": "1793597601250",
        "target_sent_start_timestamp": "1793597601254",
        "target_received_start_timestamp": "1793597601640",
        "client_sent_start_timestamp": "1793597601650",
        "client_sent_end_timestamp": "1793597603750", "total_response_time": "",
        "developer_app": "acme", "dc_model": "gpt-4o-mini", "dc_prompt_tokens": "36",
        "dc_completion_tokens": "12"})
}

pub(super) fn google() -> Value {
    json!({"insertId": "ab1", "logName": "projects/p/logs/apigateway.googleapis.com%2Frequests",
        "timestamp": "2026-11-02T05:33:21.250123456Z",
        "httpRequest": {"requestMethod": "POST", "requestUrl": "/v1/chat/completions?key=secret",
            "status": 200, "latency": "2.531s"}})
}

#[test]
fn quoted_numbers_of_amazon_are_read_and_dashes_are_unknown() {
    let row = row(&AwsApiGateway, &aws());
    assert_eq!((row.request_id.as_str(), row.captured_at), ("f7c1", MOMENT));
    assert_eq!((row.latency_ms, row.latency_scope.as_deref()), (Some(2_531.0), Some("gateway")));
    assert_eq!((row.status_code, row.error_class, row.error_message), (Some(200), None, None));
    assert_eq!((row.tenant.as_deref(), row.time_resolution_ms), (Some("acme"), Some(1.0)));
    assert_eq!(row.route.as_deref(), Some("/prod/v1/chat/completions"));
    assert_eq!((row.input_tokens, row.usage_source), (None, None));
    assert!(row.latency_baseline_ok && !row.replayable);
}

#[test]
fn without_the_epoch_or_the_whole_latency_amazon_is_coarser() {
    let record = with(
        aws(),
        &[
            ("requestTimeEpoch", Value::Null),
            ("responseLatency", json!("-")),
            ("path", json!("-")),
            ("routeKey", json!("POST /v1/chat/completions")),
        ],
    );
    let row = row(&AwsApiGateway, &record);
    assert_eq!((row.captured_at, row.time_resolution_ms), (MOMENT - 250_000, Some(1e3)));
    assert_eq!((row.latency_ms, row.latency_scope.as_deref()), (Some(2_500.0), Some("upstream")));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
}

#[test]
fn what_amazon_refused_itself_is_told_from_what_the_service_failed() {
    let refused = row(
        &AwsApiGateway,
        &with(
            aws(),
            &[
                ("status", json!("429")),
                ("integrationStatus", json!("-")),
                ("error", json!({"message": "Too Many Requests", "responseType": "THROTTLED"})),
            ],
        ),
    );
    assert_eq!(refused.error_class.as_deref(), Some("rate_limit_other"));
    assert_eq!(refused.error_message.as_deref(), Some("Too Many Requests"));
    assert_eq!(refused.latency_baseline_reason.as_deref(), Some("gateway_answer"));
    let failed = row(&AwsApiGateway, &with(aws(), &[("status", json!("503"))]));
    assert_eq!(failed.error_class.as_deref(), Some("overloaded"));
    assert!(failed.latency_baseline_ok);
    let other = with(aws(), &[("path", json!("/prod/orders"))]);
    assert_eq!(read(&AwsApiGateway, &other), NOT_LLM);
}

#[test]
fn apigee_gives_the_latency_by_its_timestamps_and_tokens_by_data_collectors() {
    let row = row(&Apigee, &apigee());
    assert_eq!((row.request_id.as_str(), row.captured_at), ("rrt-1", MOMENT));
    assert_eq!((row.latency_ms, row.ttfb_ms), (Some(2_500.0), Some(400.0)));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(36), Some(12)));
    assert_eq!((row.request_model.as_str(), row.tenant.as_deref()), ("gpt-4o-mini", Some("acme")));
    assert_eq!((row.status_code, row.error_class), (Some(200), None));
    let total = with(apigee(), &[("total_response_time", json!(2_600))]);
    assert_eq!(self::row(&Apigee, &total).latency_ms, Some(2_600.0));
    let text = json!("2026-11-02 05:33:21.250 UTC");
    let text = with(apigee(), &[("client_received_start_timestamp", text)]);
    assert_eq!(self::row(&Apigee, &text).captured_at, MOMENT);
}

#[test]
fn a_call_that_a_policy_of_apigee_refused_never_reached_the_target() {
    let refused = [
        ("response_status_code", json!("429")),
        ("is_error", json!("1")),
        ("target_sent_start_timestamp", json!("0")),
        ("x_apigee_fault_code", json!("policies.ratelimit.QuotaViolation")),
    ];
    let row = row(&Apigee, &with(apigee(), &refused));
    assert_eq!(row.error_class.as_deref(), Some("rate_limit_other"));
    assert_eq!(row.error_message.as_deref(), Some("policies.ratelimit.QuotaViolation"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("gateway_answer"));
    let garbled = with(apigee(), &[("client_received_start_timestamp", json!("soon"))]);
    let reading = read(&Apigee, &garbled);
    assert!(rejected(&reading).1.contains("client_received_start_timestamp"));
}

#[test]
fn a_duration_of_google_is_a_text_in_seconds() {
    let row = row(&GoogleCloud, &google());
    assert_eq!((row.request_id.as_str(), row.latency_ms), ("ab1", Some(2_531.0)));
    assert_eq!((row.captured_at, row.time_resolution_ms), (MOMENT + 123, Some(0.001)));
    assert_eq!(row.route.as_deref(), Some("/v1/chat/completions"));
    assert!(!serde_json::to_string(&row).unwrap().contains("secret"));
    let mut object = google();
    object["httpRequest"]["latency"] = json!({"seconds": "2", "nanos": 531_000_000});
    assert_eq!(self::row(&GoogleCloud, &object).latency_ms, Some(2_531.0));
    object["httpRequest"]["latency"] = json!("2.531");
    assert_eq!(self::row(&GoogleCloud, &object).latency_ms, None, "no unit, no duration");
    object["httpRequest"]["cacheHit"] = json!(true);
    assert_eq!(self::row(&GoogleCloud, &object).cache_hit, Some(true));
}

#[test]
fn entries_of_endpoints_are_read_from_their_payload_and_other_entries_left_out() {
    let endpoints = json!({"insertId": "e1", "logName": "l", "timestamp": "2026-11-02T05:33:21Z",
        "jsonPayload": {"url": "/v1/chat/completions", "http_method": "POST",
            "http_response_code": 429, "request_latency_in_ms": "905",
            "error_cause": "RESOURCE_EXHAUSTED", "model": "m"}});
    let row = row(&GoogleCloud, &endpoints);
    assert_eq!((row.latency_ms, row.request_model.as_str()), (Some(905.0), "m"));
    assert_eq!(row.error_class.as_deref(), Some("rate_limit_other"));
    assert_eq!(row.error_message.as_deref(), Some("RESOURCE_EXHAUSTED"));
    let mut left = google();
    left["jsonPayload"] = json!({"statusDetails": "client_disconnected_before_any_response"});
    left["httpRequest"]["status"] = json!(0);
    let left = self::row(&GoogleCloud, &left);
    assert_eq!((left.status_code, left.error_class.as_deref()), (None, Some("unknown")));
    assert_eq!(left.latency_baseline_reason.as_deref(), Some("other_scope"));
    let other = json!({"insertId": "o", "logName": "l", "textPayload": "config reloaded"});
    assert_eq!(read(&GoogleCloud, &other), NOT_LLM);
}
