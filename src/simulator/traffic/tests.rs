//! What the generated traffic promises to those who import and replay it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::chat::{ChatRequest, ChatResponse, FinishReason, ResponseFormat, Role};
use crate::provider::{Protocol, parse_request, parse_response};
use crate::simulator::dialect::Dialect;
use crate::simulator::limiter::Limiter;
use crate::simulator::plan::{Facts, Incoming, Planner};
use crate::simulator::validate::{self, CheckContext};
use crate::simulator::{AnswerOrigin, Answers, Fault, Outcome};
use sessions::MODELS;

/// A line of the log, read back.
struct Logged {
    line: Value,
    request: ChatRequest,
    /// Absent where the incumbent failed.
    response: Option<ChatResponse>,
}

impl Logged {
    fn text(&self, name: &str) -> &str {
        self.line.get(name).and_then(Value::as_str).expect("is text")
    }

    fn number(&self, name: &str) -> f64 {
        self.line.get(name).and_then(Value::as_f64).expect("is a number")
    }
}

fn read(traffic: &Traffic) -> Vec<Logged> {
    let mut seen = BTreeSet::new();
    let parsed = traffic.log_lines.iter().filter(|text| seen.insert(text.as_str()));
    let parsed = parsed.filter_map(|text| serde_json::from_str::<Value>(text).ok());
    parsed
        .map(|line| {
            let body = line.get("request").expect("has a request");
            let request = parse_request(Protocol::OpenAiChat, body).expect("must be a request");
            let response = line.get("response").expect("has a response");
            let response = match line.get("status").and_then(Value::as_u64) {
                Some(200) => Some(parse_response(Protocol::OpenAiChat, response).expect("answer")),
                _ => None,
            };
            Logged { line, request, response }
        })
        .collect()
}

fn share(logged: &[Logged], holds: impl Fn(&Logged) -> bool) -> f64 {
    logged.iter().filter(|it| holds(it)).count() as f64 / logged.len() as f64
}

fn quantile(values: &mut [f64], p: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * p).ceil() as usize).clamp(1, values.len()) - 1]
}

#[test]
fn the_same_settings_give_the_same_bytes_and_another_seed_gives_others() {
    let config = Scenario::Inconclusive.traffic(5);
    let first = generate(&config);
    assert_eq!(first, generate(&config));
    let other = generate(&TrafficConfig { seed: 6, ..config });
    assert_ne!(first.log_lines, other.log_lines);
}

#[test]
fn the_log_holds_what_its_counts_say() {
    for config in [TrafficConfig::default(), Scenario::Inconclusive.traffic(3)] {
        let traffic = generate(&config);
        let lines = &traffic.log_lines;
        let logged = read(&traffic);
        let whole = lines.iter().filter(|text| serde_json::from_str::<Value>(text).is_ok()).count();
        let hit = |it: &&Logged| it.line.get("cache_hit") == Some(&Value::Bool(true));
        let sessions: BTreeSet<&str> = logged.iter().map(|it| it.text("session_id")).collect();
        let found = TrafficCounts {
            lines: lines.len(),
            exchanges: logged.len(),
            sessions: sessions.len(),
            failures: logged.iter().filter(|it| it.response.is_none()).count(),
            cache_hits: logged.iter().filter(hit).count(),
            duplicates: whole - logged.len(),
            broken: lines.len() - whole,
        };
        assert_eq!(found, traffic.counts);
        assert_eq!((found.exchanges, found.sessions), (config.exchanges, config.sessions));
        assert_eq!((found.duplicates, found.broken), (1, 1));
        let ids: BTreeSet<&str> = logged.iter().map(|it| it.text("request_id")).collect();
        assert_eq!(ids.len(), logged.len());
    }
    let counts = generate(&TrafficConfig::default()).counts;
    assert_eq!((counts.lines, counts.failures, counts.cache_hits), (3602, 4, 2));
}

#[test]
fn every_exchange_has_a_prompt_of_its_own_with_an_answer_to_it() {
    let traffic = generate(&TrafficConfig::default());
    let logged = read(&traffic);
    let answers = traffic.answer_map();
    let mut keys = BTreeSet::new();
    for it in &logged {
        let key = prompt_key(&it.request.messages);
        let answer = answers.get(&key).expect("must have an answer");
        keys.insert(key);
        let Some(response) = &it.response else { continue };
        assert!(answer.text.starts_with(&response.text));
        let cut = answer.text != response.text;
        let finish = response.finish_reason.as_ref().map(FinishReason::as_str);
        assert_eq!(cut, finish == Some("length"));
        let calls = |calls: &[ToolCall]| -> Vec<(String, String)> {
            calls.iter().map(|it| (it.name.clone(), it.arguments.clone())).collect()
        };
        assert_eq!(calls(&answer.tool_calls), calls(&response.tool_calls));
        let usage = response.usage.expect("has usage");
        assert_eq!(usage.input_tokens, answer.prompt_tokens);
    }
    assert_eq!((keys.len(), answers.len()), (3600, 3600));
}

#[test]
fn an_answers_file_of_the_lines_holds_the_same_answers() {
    let traffic = generate(&Scenario::Inconclusive.traffic(2));
    let lines: Vec<String> = traffic
        .answers
        .iter()
        .map(|line| serde_json::to_string(line).expect("must be written"))
        .collect();
    let file = AnswerMap::read(lines.join("\n").as_bytes()).expect("must be read");
    let built = traffic.answer_map();
    for line in &traffic.answers {
        let (read, built) = (file.get(&line.prompt_key), built.get(&line.prompt_key));
        assert!(read.is_some() && read == built);
    }
}

#[test]
fn shares_are_as_described() {
    let logged = read(&generate(&TrafficConfig::default()));
    let json = |it: &Logged| it.request.response_format.is_some();
    let by_schema =
        |it: &Logged| matches!(it.request.response_format, Some(ResponseFormat::JsonSchema { .. }));
    let has = |it: &Logged, role| it.request.messages.iter().any(|message| message.role == role);
    let calls = |it: &Logged| it.response.as_ref().is_some_and(|it| !it.tool_calls.is_empty());
    let foreign = |it: &Logged| {
        let user = it.request.messages.iter().find(|message| message.role == Role::User);
        let text = format!("{user:?}");
        !["order", "Order", "parcels"].iter().any(|word| text.contains(word))
    };
    for (name, found, low, high) in [
        ("first model", share(&logged, |it| it.request.model.starts_with("gpt-4o")), 0.55, 0.65),
        ("streams", share(&logged, |it| it.request.stream), 0.40, 0.50),
        ("tools", share(&logged, |it| !it.request.tools.is_empty()), 0.12, 0.19),
        ("calls", share(&logged, calls), 0.05, 0.12),
        ("tool results", share(&logged, |it| has(it, Role::Tool)), 0.05, 0.15),
        ("json", share(&logged, json), 0.12, 0.18),
        ("json by schema", share(&logged, by_schema), 0.05, 0.11),
        ("other languages", share(&logged, foreign), 0.15, 0.25),
        ("system prompts", share(&logged, |it| has(it, Role::System)), 0.80, 0.95),
        ("caps", share(&logged, |it| it.request.max_output_tokens.is_some()), 0.2, 0.6),
        ("stops", share(&logged, |it| !it.request.stop.is_empty()), 0.04, 0.12),
    ] {
        assert!((low..=high).contains(&found), "{name}: {found}");
    }
    for (name, count) in [("route", 3), ("tenant", 4)] {
        let values: BTreeSet<&str> = logged.iter().map(|it| it.text(name)).collect();
        assert_eq!(values.len(), count, "{name}");
    }
    let temperatures = logged.iter().filter_map(|it| it.request.temperature);
    assert!(temperatures.clone().count() > 0);
    assert!(temperatures.into_iter().all(|it| (0.0..=1.0).contains(&it)));
}

#[test]
fn later_turns_carry_the_whole_earlier_conversation() {
    let logged = read(&generate(&Scenario::Inconclusive.traffic(7)));
    let mut sessions: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
    for it in &logged {
        sessions.entry(it.text("session_id")).or_default().push(it);
    }
    for turns in sessions.values() {
        for pair in turns.windows(2) {
            let [earlier, later] = pair else { continue };
            assert!(later.request.messages.starts_with(&earlier.request.messages));
            let answer = later.request.messages.get(earlier.request.messages.len());
            assert_eq!(answer.map(|it| it.role), Some(Role::Assistant));
            assert!(earlier.text("timestamp") < later.text("timestamp"));
        }
    }
}

#[test]
fn json_answers_are_json_and_every_request_passes_the_strict_validator() {
    let logged = read(&generate(&TrafficConfig::default()));
    for it in &logged {
        let body = it.line.get("request").expect("has a request");
        let checked = validate::check(Dialect::OpenAi, body, CheckContext::default());
        assert!(checked.is_ok(), "{}", it.text("request_id"));
        if it.request.response_format.is_some()
            && let Some(response) = &it.response
        {
            let answer: Value = serde_json::from_str(&response.text).expect("must be JSON");
            assert!(answer.get("order_number").is_some());
        }
    }
}

#[test]
fn times_lie_in_the_day_and_follow_the_model() {
    let config = TrafficConfig { time_scale: 1.0, ..TrafficConfig::default() };
    let traffic = generate(&config);
    let logged = read(&traffic);
    let times: Vec<&str> = logged.iter().map(|it| it.text("timestamp")).collect();
    assert!(times.is_sorted());
    assert!(times.iter().all(|it| it.starts_with("2026-11-02T")));
    // Medians of the lognormal distributions, within five standard errors of a sample median:
    // 1.2533 * 0.35 / sqrt(n) of the logarithm, of about 970 and 650 streams.
    for (model, median_ms) in [("gpt-4o", 350.0_f64), ("gpt-4-turbo", 560.0)] {
        let streams = logged.iter().filter(|it| {
            it.request.model.starts_with(model)
                && it.line.get("ttft_ms").is_some_and(Value::is_number)
                && it.line.get("cache_hit") == Some(&Value::Bool(false))
        });
        let mut ttft_ms: Vec<f64> = streams.map(|it| it.number("ttft_ms")).collect();
        let found_ms = quantile(&mut ttft_ms, 0.5);
        assert!((found_ms / median_ms).ln().abs() < 0.09, "{model}: {found_ms}");
    }
    let half = generate(&TrafficConfig { time_scale: 0.5, ..config });
    for (whole, half) in logged.iter().zip(read(&half)).take(200) {
        let ratio = half.number("latency_ms") / whole.number("latency_ms");
        assert!((ratio - 0.5).abs() < 1e-3, "{ratio}");
    }
}

#[test]
fn the_slow_mode_makes_the_99th_percentile_about_2_2_times_the_controls() {
    let config = TrafficConfig { time_scale: 1.0, ..TrafficConfig::default() };
    let logged = read(&generate(&config));
    let mut control_ms: Vec<f64> = logged.iter().map(|it| it.number("latency_ms")).collect();
    let profiles = demo_profiles(Scenario::NoGo, &AnswerMap::default());
    let faults = profiles.get(CANDIDATE_LARGE).and_then(|it| it.faults).expect("has faults");
    let slow = faults.stall_rate / (1.0 - faults.server_error_rate);
    let every = (1.0 / slow).round() as usize;
    let mut candidate_ms: Vec<f64> = control_ms
        .iter()
        .enumerate()
        .map(|(index, ms)| ms * 0.9 + if index % every == 0 { faults.stall_ms } else { 0.0 })
        .collect();
    let ratio = quantile(&mut candidate_ms, 0.99) / quantile(&mut control_ms, 0.99);
    assert!((2.0..=2.4).contains(&ratio), "{ratio}");
}

#[test]
fn every_scenario_has_a_name_a_valid_simulator_and_equal_noise_in_both_arms() {
    let traffic = generate(&Scenario::Inconclusive.traffic(1));
    let answers = traffic.answer_map();
    for scenario in Scenario::ALL {
        assert_eq!(scenario.to_string().parse(), Ok(scenario));
        let config = demo_simulator(scenario, &scenario.traffic(1), &answers);
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.model_overrides.len(), 4);
        let rates: BTreeSet<String> = config
            .model_overrides
            .values()
            .map(|it| match &it.answers {
                Some(Answers::Captured(captured)) => {
                    assert_eq!(captured.map.len(), answers.len());
                    captured.edit_rate.to_string()
                }
                _ => String::new(),
            })
            .collect();
        assert_eq!(rates.len(), 1, "{rates:?}");
    }
    assert_eq!("nogo".parse::<Scenario>(), Err(UnknownScenario));
}

/// What the simulator plans for every request of the log, sent to the model that `model` names.
fn planned(
    scenario: Scenario,
    traffic: &Traffic,
    model: impl Fn(&str) -> &'static str,
) -> Vec<Facts> {
    let config = TrafficConfig::default();
    let planner = Planner::new(demo_simulator(scenario, &config, &traffic.answer_map()));
    let plan = |it: &Logged| {
        let mut body = it.line.get("request").expect("has a request").clone();
        body["model"] = model(&it.request.model).into();
        let text = body.to_string();
        let incoming = Incoming {
            dialect: Dialect::OpenAi,
            body: text.as_bytes(),
            draw: Some("1"),
            anthropic_version: None,
            auth_present: false,
            key: None,
            used_connection: false,
            outage: None,
            received: tokio::time::Instant::now(),
            received_at: chrono::DateTime::default(),
            request_id: String::new(),
        };
        planner.plan(&incoming, &mut Limiter::default()).facts
    };
    read(traffic).iter().map(plan).collect()
}

#[test]
fn the_simulated_arms_behave_as_their_scenario_says() {
    let traffic = generate(&TrafficConfig::default());
    let control = |model: &str| MODELS.map(|it| it.0).into_iter().find(|it| *it == model);
    let control = |model: &str| control(model).expect("is one of the log's models");
    let candidate = |model: &str| {
        if model.starts_with("gpt-4o") { CANDIDATE_LARGE } else { CANDIDATE_SMALL }
    };
    let count = |facts: &[Facts], outcome| facts.iter().filter(|it| it.outcome == outcome).count();
    // Five binomial standard deviations around 0.08, 0.02, 0.04 and 0.3 of 3600.
    let (edited, errors, slow, out) = (206..=370, 30..=114, 85..=203, 942..=1218);
    for facts in
        [planned(Scenario::Go, &traffic, control), planned(Scenario::Go, &traffic, candidate)]
    {
        assert_eq!(count(&facts, Outcome::Ok), 3600);
        let found = facts.iter().filter(|it| it.answer == Some(AnswerOrigin::Edited)).count();
        assert!(edited.contains(&found), "{found}");
    }
    let facts = planned(Scenario::NoGo, &traffic, candidate);
    assert!(errors.contains(&count(&facts, Outcome::Fault(Fault::ServerError))));
    assert!(slow.contains(&count(&facts, Outcome::Fault(Fault::Stall))));
    let facts = planned(Scenario::Outage, &traffic, candidate);
    assert!(out.contains(&count(&facts, Outcome::Fault(Fault::Outage))));
    assert_eq!(count(&planned(Scenario::Outage, &traffic, control), Outcome::Ok), 3600);
}

#[test]
fn odd_sizes_give_what_can_be_given() {
    let make = |exchanges, sessions| {
        generate(&TrafficConfig { exchanges, sessions, ..TrafficConfig::default() })
    };
    assert_eq!(make(0, 5).counts, TrafficCounts::default());
    assert_eq!(make(3, 9).counts.sessions, 3);
    assert_eq!(make(80, 1).counts.sessions, 10);
}
