//! What is drawn does not depend on the order of arrival.

use std::collections::BTreeMap;

use super::client::ask;
use super::*;

/// Everything that a draw decides, by body and draw header.
fn drawn(simulator: &Simulator) -> BTreeMap<(String, Option<String>), String> {
    let facts = |entry: LogEntry| {
        let what = format!(
            "{:?} {:?} {:?} {:?} {} {} {:?} {:?}",
            entry.status,
            entry.outcome,
            entry.answer,
            entry.planned_ttft_ms,
            entry.planned_latency_ms,
            entry.chunks,
            entry.prompt_tokens,
            entry.completion_tokens
        );
        ((entry.body_sha256, entry.draw), what)
    };
    simulator.log().into_iter().map(facts).collect()
}

fn config(seed: u64) -> SimulatorConfig {
    let faults = FaultModel {
        rate_limit_rate: 0.1,
        server_error_rate: 0.1,
        cut_rate: 0.1,
        stall_rate: 0.1,
        stall_ms: 100.0,
        ..FaultModel::default()
    };
    // Small enough that nothing waits, large enough that every draw shows in the plan.
    SimulatorConfig { seed, faults, time_scale: 1e-6, ..SimulatorConfig::default() }
}

#[tokio::test]
async fn the_same_requests_in_another_order_meet_the_same_provider() {
    let requests: Vec<(Value, &str)> = (0..40)
        .flat_map(|index| {
            let stream = index % 2 == 0;
            let body = openai(&format!("question {index}"), &json!({ "stream": stream }));
            [(body.clone(), "1"), (body, "2")]
        })
        .collect();
    let forward = start(config(1)).await;
    let mut answers = BTreeMap::new();
    for (body, draw) in &requests {
        let answer = ask(forward.addr(), body, draw).await;
        answers.insert((body.to_string(), *draw), content(&answer));
    }
    let backward = start(config(1)).await;
    for (body, draw) in requests.iter().rev() {
        let answer = ask(backward.addr(), body, draw).await;
        assert_eq!(answers.get(&(body.to_string(), *draw)), Some(&content(&answer)));
    }
    assert_eq!(drawn(&forward).len(), 80);
    assert_eq!(drawn(&forward), drawn(&backward));
    let other = start(config(2)).await;
    for (body, draw) in &requests {
        ask(other.addr(), body, draw).await;
    }
    assert_ne!(drawn(&forward), drawn(&other));
}

/// The answer without what names the moment of its making.
fn content(answer: &super::client::Answer) -> Vec<Value> {
    let mut data = answer.data();
    data.extend(serde_json::from_str::<Value>(&answer.body));
    for value in &mut data {
        if let Some(fields) = value.as_object_mut() {
            fields.remove("created");
        }
    }
    data
}

#[tokio::test]
async fn recorded_times_are_planned_as_recorded_times_the_scale() {
    let answer =
        RecordedAnswer { ttft_s: Some(2.0), latency_s: Some(4.0), ..text_answer("some words") };
    let answers = recorded("hi", answer);
    let simulator =
        start(SimulatorConfig { answers, time_scale: 0.001, ..SimulatorConfig::default() }).await;
    ask(simulator.addr(), &openai("hi", &json!({ "stream": true })), "1").await;
    let entry = simulator.log().remove(0);
    let near = |value: f64, expected: f64| (value - expected).abs() < 1e-9;
    assert!(near(entry.planned_ttft_ms.expect("must be planned"), 2.0), "{entry:?}");
    assert!(near(entry.planned_latency_ms, 4.0), "{entry:?}");
}
