//! What the reader of API Management's logs makes of the traps that the format has.

use serde_json::{Value, json};

use crate::capture::format::{Confidence, LogFormat, ReadContext, Reading};
use crate::capture::reason::{FilterReason, RejectReason};
use crate::dataset::CapturedExchange;

use super::AzureApim;

fn llm(sequence: i64, request: &Value, response: &Value) -> Value {
    json!({
        "TimeGenerated": "2026-11-02T05:33:21.25Z", "CorrelationId": "C-1",
        "RequestId": "chatcmpl-1", "SequenceNumber": sequence,
        "OperationName": "ChatCompletions_Create", "DeploymentName": "mini-prod",
        "ModelName": "gpt-4o-mini", "IsStreamCompletion": true, "PromptTokens": 812,
        "CompletionTokens": 64, "TotalTokens": 876, "RequestMessages": request,
        "ResponseMessages": response, "Type": "ApiManagementGatewayLlmLog"
    })
}

fn gateway() -> Value {
    json!({
        "TimeGenerated": "2026-11-02T05:33:21.25Z", "CorrelationId": "c-1", "TotalTime": 2531,
        "BackendTime": 2500, "ResponseCode": 200, "BackendResponseCode": 200, "Cache": "none",
        "Url": "https://gateway.example.com/openai/deployments/mini-prod/chat/completions?subscription-key=do-not-keep",
        "RequestHeaders": {"api-key": "do-not-keep"}, "CallerIpAddress": "203.0.113.9",
        "ApimSubscriptionId": "support", "ProductId": "starter", "Type": "ApiManagementGatewayLogs"
    })
}

fn request() -> Value {
    json!([{"role": "user", "content": "Printer is on fire"}])
}

fn response() -> Value {
    json!([{"role": "assistant", "content": "Evacuate."}])
}

fn parts(records: &[Value]) -> Vec<Value> {
    let readings = records.iter().flat_map(|own| AzureApim.read(own, &ReadContext::default()));
    let parts = readings.map(|reading| match reading {
        Reading::Part(part) => {
            assert_eq!(part.key, "c-1");
            part.record
        }
        other => panic!("{other:?}"),
    });
    parts.collect()
}

fn joined(records: &[Value]) -> Vec<(usize, Reading)> {
    AzureApim.join(&parts(records), &ReadContext::default())
}

fn row(records: &[Value]) -> CapturedExchange {
    match joined(records).remove(0) {
        (_, Reading::Exchange(row)) => *row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_and_its_gateway_row_make_one_exchange_in_any_order() {
    let records = [
        llm(0, &json!(request().to_string()), &Value::Null),
        gateway(),
        llm(1, &Value::Null, &response()),
    ];
    let row = row(&records);
    assert_eq!(joined(&records).len(), 1);
    assert_eq!((row.request_id.as_str(), row.captured_at), ("C-1", 1_793_597_601_250_000));
    assert_eq!((row.latency_ms, row.status_code), (Some(2531.0), Some(200)));
    assert_eq!((row.ttft_ms, row.ttfb_ms, row.stream), (None, None, Some(true)));
    assert_eq!((row.operation.as_str(), row.provider.as_deref()), ("chat", Some("azure")));
    assert_eq!(row.request_model, "mini-prod");
    assert_eq!(row.response_model.as_deref(), Some("gpt-4o-mini"));
    assert_eq!((row.input_tokens, row.output_tokens), (Some(812), Some(64)));
    assert_eq!((row.usage_source.as_deref(), row.cache_hit), (Some("gateway"), Some(false)));
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    assert_eq!(
        (row.tenant.as_deref(), row.tags.as_deref()),
        (Some("support"), Some(r#"["product:starter"]"#))
    );
    assert_eq!(
        (row.message_count, row.flaws.as_slice()),
        (1, ["params_missing".to_owned()].as_slice())
    );
    assert!(row.replayable && row.latency_baseline_ok);
    let mut turned = records.clone();
    turned.reverse();
    let turned = self::row(&turned);
    assert_eq!(turned.request_id.to_lowercase(), row.request_id.to_lowercase());
    assert_eq!((turned.request_body, turned.response_text), (row.request_body, row.response_text));
}

#[test]
fn neither_headers_nor_keys_in_addresses_reach_a_part() {
    let parts = parts(&[gateway()]);
    let text = serde_json::to_string(&parts).unwrap();
    assert!(!text.contains("do-not-keep") && !text.contains("203.0.113.9"), "{text}");
}

#[test]
fn messages_in_pieces_are_put_together_by_their_sequence() {
    let text = request().to_string();
    let (head, tail) = text.split_at(20);
    let records = [
        llm(2, &Value::Null, &json!(response().to_string())),
        llm(1, &json!(tail), &Value::Null),
        llm(0, &json!(head), &Value::Null),
        llm(0, &json!(head), &Value::Null),
    ];
    let row = row(&records);
    let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
    assert_eq!(body["messages"], request());
    assert_eq!(row.response_text.as_deref(), Some("Evacuate."));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
    let cut = self::row(&[llm(0, &json!(head), &Value::Null), records[0].clone()]);
    assert_eq!((cut.content_state.as_str(), cut.replayable), ("truncated", false));
    assert_eq!(cut.not_replayable_reason.as_deref(), Some("truncated"));
    assert_eq!(cut.response_text.as_deref(), Some("Evacuate."));
}

#[test]
fn the_gateways_own_copy_of_the_body_has_the_parameters() {
    let body = json!({"messages": request(), "temperature": 0.2, "tools": [{"type": "function",
        "function": {"name": "alarm"}}]});
    let mut with_body = gateway();
    with_body["RequestBody"] = json!(body.to_string());
    let call = json!([{"role": "assistant", "content": null, "tool_calls": [{"id": "c1",
        "type": "function", "function": {"name": "alarm", "arguments": "{}"}}]}]);
    let row = row(&[llm(0, &request(), &call), with_body.clone()]);
    assert_eq!((row.temperature, row.tool_count, row.flaws.len()), (Some(0.2), 1, 0));
    assert!(row.tool_calls.unwrap().contains("alarm"));
    with_body["RequestBody"] = json!(&body.to_string()[..30]);
    let row = self::row(&[llm(0, &request(), &response()), with_body]);
    assert_eq!((row.temperature, row.flaws.len()), (None, 1), "the body is cut");
}

#[test]
fn events_with_properties_and_texts_of_csv_are_read_alike() {
    let expected = row(&[llm(0, &request(), &response())]);
    let event = json!({"time": "2026-11-02T05:33:21.25Z", "category": "GatewayLlmLogs",
        "operationName": "Microsoft.ApiManagement/GatewayLlmLogs", "correlationId": "C-1",
        "properties": json!({"sequenceNumber": 0, "operationName": "ChatCompletions_Create",
            "deploymentName": "mini-prod", "modelName": "gpt-4o-mini", "isStreamCompletion": true,
            "promptTokens": 812, "completionTokens": 64, "requestMessages": request(),
            "responseMessages": response()}).to_string()});
    assert_eq!(row(&[event]), expected);
    let csv = json!({"TimeGenerated": "2026-11-02T05:33:21.25Z", "CorrelationId": "C-1",
        "SequenceNumber": "0", "OperationName": "ChatCompletions_Create",
        "DeploymentName": "mini-prod", "ModelName": "gpt-4o-mini", "IsStreamCompletion": "True",
        "PromptTokens": "812", "CompletionTokens": "64",
        "RequestMessages": request().to_string(), "ResponseMessages": response().to_string()});
    assert_eq!(row(std::slice::from_ref(&csv)), expected);
    let members = csv.as_object().unwrap();
    let columns: Vec<Value> = members.keys().map(|name| json!({"name": name})).collect();
    let cells: Vec<&Value> = members.values().collect();
    let table = json!({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [cells]}]});
    assert_eq!(AzureApim.sniff(std::slice::from_ref(&table)), Confidence::CERTAIN);
    assert_eq!(row(&[table]), expected);
}

#[test]
fn failures_cache_hits_and_the_gateways_own_answers_are_told_apart() {
    let with = |changes: &[(&str, Value)]| {
        let mut record = gateway();
        for (name, value) in changes {
            record[*name] = value.clone();
        }
        row(&[llm(0, &request(), &Value::Null), record])
    };
    let limited = with(&[
        ("ResponseCode", json!(429)),
        ("BackendResponseCode", json!(0)),
        ("LastErrorReason", json!("TokenLimitExceeded")),
    ]);
    assert_eq!(limited.error_class.as_deref(), Some("rate_limit_other"));
    assert_eq!(limited.latency_baseline_reason.as_deref(), Some("gateway_answer"));
    let failed = with(&[
        ("ResponseCode", json!(500)),
        ("BackendResponseCode", json!(500)),
        ("LastErrorMessage", json!("backend broke")),
    ]);
    assert_eq!(failed.error_class.as_deref(), Some("server_error"));
    assert_eq!(failed.error_message.as_deref(), Some("backend broke"));
    assert!(failed.latency_baseline_ok);
    assert_eq!(
        with(&[("Cache", json!("hit"))]).latency_baseline_reason.as_deref(),
        Some("cache_hit")
    );
}

#[test]
fn gateway_rows_alone_are_calls_only_if_their_address_is_a_models() {
    let row = row(&[gateway()]);
    assert_eq!((row.operation.as_str(), row.latency_ms), ("chat", Some(2531.0)));
    assert_eq!(row.not_replayable_reason.as_deref(), Some("no_request_content"));
    let mut other = gateway();
    other["Url"] = json!("https://gateway.example.com/orders");
    assert_eq!(
        joined(&[other.clone(), other]),
        [
            (0, Reading::Filtered(FilterReason::NotLlm)),
            (1, Reading::Filtered(FilterReason::NotLlm)),
        ]
    );
}

#[test]
fn wrong_types_and_missing_members_are_told_and_never_fatal() {
    let first = |record: Value| AzureApim.read(&record, &ReadContext::default()).remove(0);
    let rejected = |reading: Reading| match reading {
        Reading::Reject(reason, _) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected(first(json!("x"))), RejectReason::NotAnObject);
    let mut keyless = gateway();
    keyless["CorrelationId"] = Value::Null;
    assert_eq!(rejected(first(keyless)), RejectReason::MissingField);
    assert_eq!(first(json!({"a": 1})), Reading::Filtered(FilterReason::NotLlm));
    let mut timeless = llm(0, &request(), &response());
    timeless["TimeGenerated"] = json!("soon");
    assert_eq!(rejected(joined(&[timeless]).remove(0).1), RejectReason::BadField);
    let names: Vec<String> = gateway().as_object().unwrap().keys().cloned().collect();
    for name in names.iter().filter(|name| !["CorrelationId", "Type"].contains(&name.as_str())) {
        for value in [json!(-5), json!("{"), json!([1]), json!(null), json!({"a": [1]})] {
            let mut record = gateway();
            record[name.as_str()] = value;
            assert!(!joined(&[record, llm(0, &json!([5]), &json!({"x": 1}))]).is_empty());
        }
    }
    assert!(AzureApim.join(&[json!(5)], &ReadContext::default()).is_empty());
}

#[test]
fn both_tables_are_known_and_strangers_are_not() {
    assert_eq!(AzureApim.sniff(&[gateway(), llm(0, &request(), &response())]), Confidence::CERTAIN);
    let plain = json!({"timestamp": 1, "request": {"messages": []}, "response": {}});
    let other = json!({"category": "RequestResponse", "correlationId": "c", "time": "t"});
    assert_eq!(AzureApim.sniff(&[plain, other]), Confidence::NONE);
}
