//! Faults and limits as a client meets them.

use super::client::{ask, ask_anthropic};
use super::*;

fn sick(faults: FaultModel) -> SimulatorConfig {
    let answers = recorded("hi", text_answer(&"word ".repeat(20)));
    SimulatorConfig { answers, faults, ..instant() }
}

fn streamed() -> Value {
    openai("hi", &json!({ "stream": true }))
}

#[tokio::test]
async fn a_rate_limit_names_its_wait_in_seconds_and_milliseconds() {
    let faults = FaultModel { rate_limit_rate: 1.0, retry_after_ms: 1500.0, ..Default::default() };
    let simulator = start(SimulatorConfig { time_scale: 1.0, ..sick(faults) }).await;
    let answer = ask(simulator.addr(), &streamed(), "1").await;
    assert_eq!((answer.status, answer.header("retry-after")), (Some(429), Some("2")));
    assert_eq!(answer.header("retry-after-ms"), Some("1500"));
    assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
}

#[tokio::test]
async fn overload_has_the_status_of_the_protocol() {
    let faults = FaultModel { overloaded_rate: 1.0, ..Default::default() };
    let simulator = start(sick(faults)).await;
    assert_eq!(ask(simulator.addr(), &streamed(), "1").await.status, Some(503));
    let anthropic = ask_anthropic(simulator.addr(), &anthropic("hi", &json!({}))).await;
    assert_eq!(anthropic.status, Some(529));
    assert_eq!(anthropic.json()["error"]["type"], "overloaded_error");
}

#[tokio::test]
async fn a_server_error_and_an_outage_are_told_apart_in_the_log() {
    let mut faults = FaultModel { server_error_rate: 1.0, ..Default::default() };
    let simulator = start(sick(faults)).await;
    assert_eq!(ask(simulator.addr(), &streamed(), "1").await.status, Some(500));
    assert_eq!(simulator.log()[0].outcome, Outcome::Fault(Fault::ServerError));
    faults.outage_rate = 1.0;
    let simulator = start(sick(faults)).await;
    assert_eq!(ask(simulator.addr(), &json!("not even a request"), "1").await.status, Some(503));
    assert_eq!(simulator.log()[0].outcome, Outcome::Fault(Fault::Outage));
}

#[tokio::test]
async fn a_dropped_connection_sends_no_byte_and_is_in_the_log() {
    let faults = FaultModel { drop_rate: 1.0, ..Default::default() };
    let simulator = start(sick(faults)).await;
    assert_eq!(ask(simulator.addr(), &streamed(), "1").await.status, None);
    let log = simulator.log();
    assert_eq!((log[0].status, log[0].outcome), (None, Outcome::Fault(Fault::Drop)));
}

#[tokio::test]
async fn a_cut_stream_has_its_pieces_but_no_terminator() {
    for resets in [false, true] {
        let faults = FaultModel {
            cut_rate: 1.0,
            after_chunks: 4,
            cut_resets_connection: resets,
            ..Default::default()
        };
        let simulator = start(sick(faults)).await;
        let answer = ask(simulator.addr(), &streamed(), "1").await;
        assert_eq!((answer.status, answer.complete), (Some(200), !resets));
        let data = answer.data();
        let with_text = data
            .iter()
            .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
            .filter(|text| !text.is_empty());
        assert_eq!((with_text.count(), simulator.log()[0].chunks), (4, 4));
        assert!(!answer.body.contains("[DONE]"));
    }
}

#[tokio::test]
async fn a_cut_document_is_shorter_than_it_promised() {
    let faults = FaultModel { cut_rate: 1.0, ..Default::default() };
    let simulator = start(sick(faults)).await;
    let answer = ask(simulator.addr(), &openai("hi", &json!({})), "1").await;
    assert_eq!((answer.status, answer.complete), (Some(200), false));
    assert!(!answer.body.is_empty());
}

#[tokio::test]
async fn an_error_inside_a_stream_comes_after_a_200() {
    let faults = FaultModel { stream_error_rate: 1.0, ..Default::default() };
    let simulator = start(sick(faults)).await;
    let answer = ask(simulator.addr(), &streamed(), "1").await;
    assert_eq!(answer.status, Some(200));
    assert!(answer.data().last().expect("is not empty")["error"].is_object());
    let request = anthropic("hi", &json!({ "stream": true }));
    let answer = ask_anthropic(simulator.addr(), &request).await;
    let events = answer.events();
    assert_eq!(events.last().map(|(name, _)| name.as_str()), Some("error"));
    assert_eq!(answer.data().last().expect("is not empty")["error"]["type"], "overloaded_error");
}

#[tokio::test]
async fn a_retry_is_healed_when_the_header_says_that_it_is_one() {
    let faults = FaultModel { server_error_rate: 1.0, retry_heals: true, ..Default::default() };
    let simulator = start(sick(faults)).await;
    assert_eq!(ask(simulator.addr(), &streamed(), "1").await.status, Some(500));
    assert_eq!(ask(simulator.addr(), &streamed(), "2").await.status, Some(200));
}

#[tokio::test]
async fn one_model_fails_while_its_neighbour_answers() {
    let faults = FaultModel { outage_rate: 1.0, ..Default::default() };
    let mut config = sick(FaultModel::default());
    let profile = ModelProfile { faults: Some(faults), ..ModelProfile::default() };
    config.model_overrides.insert("ill".into(), profile);
    let simulator = start(config).await;
    let ill = openai("hi", &json!({ "model": "ill" }));
    assert_eq!(ask(simulator.addr(), &ill, "1").await.status, Some(503));
    assert_eq!(ask(simulator.addr(), &openai("hi", &json!({})), "1").await.status, Some(200));
}

#[tokio::test]
async fn a_real_limit_refuses_what_is_over_it_and_says_so_in_headers() {
    // One request a minute: no test takes that long.
    let limits = RateLimits { requests_per_minute: Some(1.0), ..RateLimits::default() };
    let latency = LatencyModel::instant();
    let config = SimulatorConfig { latency, limits, ..SimulatorConfig::default() };
    let simulator = start(config).await;
    let first = ask(simulator.addr(), &streamed(), "1").await;
    assert_eq!((first.status, first.header("x-ratelimit-limit-requests")), (Some(200), Some("1")));
    let second = ask(simulator.addr(), &streamed(), "1").await;
    assert_eq!(second.status, Some(429));
    assert_eq!(second.header("x-ratelimit-remaining-requests"), Some("0"));
    let wait_s: u64 = second.header("retry-after").expect("must be there").parse().expect("number");
    assert!((1..=60).contains(&wait_s), "{wait_s}");
    assert_eq!(simulator.log()[1].outcome, Outcome::RequestLimit);
}
