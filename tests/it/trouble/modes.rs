//! Every kind of trouble with an answer, and the class under which it stands in the results.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use rehearsal::simulator::{
    Answers, FaultModel, LatencyModel, ModelProfile, RecordedAnswer, RetryAfterHint,
    SimulatorConfig,
};
use serde_json::json;

use super::{
    Provider, assert_nothing_sent_twice, candidate, instant, project, project_of, replay_with,
};
use crate::support::{number, rows};

/// Time limits that make a provider's silence short.
const IMPATIENT: &str = "retries = 0\n[replay.timeouts]\nfirst_token = \"700ms\"\n\
                         idle = \"700ms\"\ntotal = \"2500ms\"";

fn sick(faults: FaultModel) -> SimulatorConfig {
    SimulatorConfig { faults, ..instant() }
}

/// Faults, as settings, with the class of a streamed answer and of one in one piece; `-` is success.
const MODES: &[(&str, &str, &str, &str)] = &[
    ("rate-limit", "rate_limit_rate = 1", "rate_limit_requests", "rate_limit_requests"),
    ("server-error", "server_error_rate = 1", "server_error", "server_error"),
    ("overloaded", "overloaded_rate = 1", "overloaded", "overloaded"),
    ("drop", "drop_rate = 1", "refused", "refused"),
    ("cut-in-order", "cut_rate = 1", "stream_truncated", "stream_truncated"),
    ("cut", "cut_rate = 1\ncut_resets_connection = true", "stream_truncated", "stream_truncated"),
    ("black-hole", "black_hole_rate = 1", "timeout_first_token", "timeout_total"),
    ("trickle", "trickle_rate = 1", "timeout_first_token", "timeout_total"),
    (
        "pings-first",
        "ping_rate = 1\nping_ms = 50\nafter_chunks = 0",
        "timeout_first_token",
        "timeout_total",
    ),
    (
        "pings-later",
        "ping_rate = 1\nping_ms = 50\nafter_chunks = 1",
        "timeout_idle",
        "timeout_total",
    ),
    ("stall", "stall_rate = 1\nafter_chunks = 1", "timeout_idle", "timeout_total"),
    ("stream-error", "stream_error_rate = 1", "stream_error", "server_error"),
    ("reset", "reset_rate = 1\nbreak_after_bytes = 40", "stream_truncated", "stream_truncated"),
    ("close", "close_rate = 1\nbreak_after_bytes = 40", "stream_truncated", "stream_truncated"),
    ("error-body", "error_body_rate = 1", "server_error", "server_error"),
    ("page", "html_rate = 1", "server_error", "server_error"),
    ("page-503", "html_rate = 1\nhtml_status = 503", "overloaded", "overloaded"),
    ("page-200", "html_rate = 1\nhtml_status = 200", "protocol", "protocol"),
    ("key-echo", "echo_key_rate = 1", "auth", "auth"),
    // The body is what the official clients look at too.
    ("wrong-type", "wrong_type_rate = 1", "-", "-"),
    ("sound", "", "-", "-"),
];

#[test]
fn every_trouble_is_classed_as_what_it_is_in_both_protocols() {
    for protocol in ["openai_chat", "anthropic_messages"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let (mut providers, mut candidates, mut expected) =
            (Vec::new(), Vec::new(), BTreeMap::new());
        for (name, settings, streamed, whole) in MODES {
            let provider = Provider::start(sick(toml::from_str(settings).unwrap()));
            let url = format!("http://{}/v1", provider.address());
            candidates.push(candidate(name, protocol, &url, ""));
            providers.push(provider);
            expected.insert(((*name).to_owned(), true), (*streamed).to_owned());
            expected.insert(((*name).to_owned(), false), (*whole).to_owned());
        }
        project(path, 2, &candidates, IMPATIENT);
        let outcome = replay_with(path, &[], &[]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let question = "SELECT arm, capture.stream AS stream, results.error_class AS class \
                        FROM results JOIN capture USING (ordinal)";
        let mut found = BTreeMap::new();
        for row in rows(path, question) {
            let key = (row["arm"].as_str().unwrap().to_owned(), row["stream"].as_bool().unwrap());
            found.insert(key, row["class"].as_str().unwrap_or("-").to_owned());
        }
        // Anthropic's errors do not say of which limit the quota ran out.
        if protocol == "anthropic_messages" {
            for stream in [true, false] {
                expected.insert(("rate-limit".to_owned(), stream), "rate_limit_other".to_owned());
            }
        }
        assert_eq!(found, expected, "{protocol}");
        // What is cut short is no success, and what failed after its head costs what was reserved.
        let free = "SELECT COUNT(*) FROM results WHERE status_code = 200 AND error_class IS NOT NULL \
                    AND arm NOT IN ('error-body', 'page-200') AND cost_nanousd = 0";
        assert_eq!(number(path, free), 0);
    }
}

/// The body of a streamed answer as it is when nothing goes wrong.
fn sound_body(address: &str, path: &str, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nanthropic-version: 2023-06-01\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (_, mut rest) = text.split_once("\r\n\r\n").unwrap();
    let mut body = Vec::new();
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.extend_from_slice(&tail.as_bytes()[..size]);
        rest = tail.get(size + 2..).unwrap_or("");
    }
    body
}

fn request(model: &str) -> serde_json::Value {
    json!({
        "model": model, "messages": [{ "role": "user", "content": "hi" }],
        "max_tokens": 64, "stream": true, "stream_options": { "include_usage": true },
    })
}

/// One model a byte: the model's name says after how many bytes the connection breaks.
const MODELS: usize = 1_700;

fn breaking(resets: bool) -> SimulatorConfig {
    let answer = RecordedAnswer { text: "Yes, it is.".into(), ..RecordedAnswer::default() };
    let asked = [rehearsal::chat::Message::text(rehearsal::chat::Role::User, "hi")];
    let answers: rehearsal::simulator::AnswerMap =
        [(rehearsal::chat::prompt_key(&asked), answer)].into_iter().collect();
    let mut config = SimulatorConfig {
        answers: Answers::Recorded(answers.into()),
        latency: LatencyModel { tokens_per_chunk: 2, ..LatencyModel::instant() },
        ..instant()
    };
    for bytes in 0..MODELS {
        let faults = FaultModel {
            reset_rate: f64::from(u8::from(resets)),
            close_rate: f64::from(u8::from(!resets)),
            break_after_bytes: Some(bytes as u64),
            ..FaultModel::default()
        };
        let profile = ModelProfile { faults: Some(faults), ..ModelProfile::default() };
        config.model_overrides.insert(format!("m-{bytes:04}"), profile);
    }
    config
}

#[test]
fn an_answer_that_breaks_off_at_any_byte_is_no_success() {
    let (resetting, closing) = (Provider::start(breaking(true)), Provider::start(breaking(false)));
    let mut anthropic = request("m-9999");
    anthropic.as_object_mut().unwrap().remove("stream_options");
    let lengths = BTreeMap::from([
        (
            "reset",
            sound_body(&resetting.address(), "/v1/chat/completions", &request("m-9999")).len(),
        ),
        ("close", sound_body(&closing.address(), "/v1/chat/completions", &request("m-9999")).len()),
        ("claude", sound_body(&resetting.address(), "/v1/messages", &anthropic).len()),
    ]);
    assert!(lengths.values().all(|length| (600..MODELS).contains(length)), "{lengths:?}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let models: Vec<String> = (0..MODELS).map(|n| format!("\"m-{n:04}\" = \"m-{n:04}\"")).collect();
    let candidates = [
        ("reset", "openai_chat", &resetting),
        ("close", "openai_chat", &closing),
        ("claude", "anthropic_messages", &resetting),
    ]
    .map(|(name, protocol, provider)| {
        let url = format!("http://{}/v1", provider.address());
        candidate(name, protocol, &url, "").replace(
            "models = { \"*\" = \"next\" }",
            &format!("models = {{ {} }}", models.join(", ")),
        )
    });
    let bodies = (0..MODELS).map(|n| request(&format!("m-{n:04}")));
    project_of(path, bodies, &candidates, "retries = 0\nconcurrency = 24");
    let outcome = replay_with(path, &[], &[]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);

    let question = "SELECT arm, CAST(SUBSTR(capture.request_model, 3) AS INT) AS bytes, \
                    results.error_class AS class, results.response_text AS text, results.chunks \
                    FROM results JOIN capture USING (ordinal)";
    let attempts = rows(path, question);
    assert_eq!(attempts.len(), 3 * MODELS);
    for row in attempts {
        let arm = row["arm"].as_str().unwrap();
        let bytes = row["bytes"].as_u64().unwrap() as usize;
        let class = row["class"].as_str();
        // The terminator's blank line must have come, to its last byte.
        if bytes >= lengths[arm] {
            assert_eq!((class, row["text"].as_str()), (None, Some("Yes, it is.")), "{arm} {bytes}");
        } else if bytes == 0 {
            assert!(
                matches!(class, Some("refused" | "stream_truncated")),
                "{arm} {bytes} {class:?}"
            );
        } else {
            assert_eq!(class, Some("stream_truncated"), "{arm} {bytes}");
        }
    }
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let none = FaultModel::default();
    let faults = [
        ("endless-line", FaultModel { endless_line_rate: 1.0, ..none }, "exceeds 33554432 bytes"),
        ("events", FaultModel { flood_rate: 1.0, ..none }, "more than 200000 events"),
        (
            "bytes",
            FaultModel { flood_rate: 1.0, flood_text_bytes: 8192, ..none },
            "exceeds 33554432 bytes",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (mut providers, mut candidates) = (Vec::new(), Vec::new());
    for (name, faults, _) in &faults {
        let provider = Provider::start(sick(*faults));
        let url = format!("http://{}/v1", provider.address());
        candidates.push(candidate(name, "openai_chat", &url, ""));
        providers.push(provider);
    }
    project(folder.path(), 1, &candidates, "retries = 0");
    let outcome = replay_with(folder.path(), &[], &[]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let results = rows(folder.path(), "SELECT arm, error_class, error_message FROM results");
    assert_eq!(results.len(), faults.len());
    for row in results {
        let (_, _, said) = faults.iter().find(|(name, ..)| *name == row["arm"]).unwrap();
        assert_eq!(row["error_class"], "protocol", "{row}");
        assert!(row["error_message"].as_str().unwrap().contains(said), "{row}");
    }
}

#[test]
fn every_flavour_of_a_429_is_waited_out_as_it_asks() {
    let hints = [
        ("seconds", RetryAfterHint::Seconds, 1_000),
        ("date", RetryAfterHint::Date, 1_000),
        ("milliseconds", RetryAfterHint::Milliseconds, 120),
        ("reset", RetryAfterHint::Reset, 120),
        ("none", RetryAfterHint::None, -1),
    ];
    for protocol in ["openai_chat", "anthropic_messages"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let (mut providers, mut candidates) = (Vec::new(), Vec::new());
        for (name, hint, _) in hints {
            let faults = FaultModel {
                rate_limit_rate: 1.0,
                retry_after_ms: 120.0,
                retry_after_hint: hint,
                retry_heals: true,
                ..FaultModel::default()
            };
            let provider = Provider::start(sick(faults));
            let url = format!("http://{}/v1", provider.address());
            candidates.push(candidate(name, protocol, &url, ""));
            providers.push(provider);
        }
        project(path, 2, &candidates, "");
        let outcome = replay_with(path, &[], &[]);
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let refused = rows(
            path,
            "SELECT arm, retry_after_ms, error_class FROM results WHERE first AND status_code = 429",
        );
        assert_eq!(refused.len(), 2 * hints.len());
        for row in refused {
            let (name, _, asked_ms) = hints.iter().find(|(name, ..)| *name == row["arm"]).unwrap();
            let read_ms = row["retry_after_ms"].as_i64().unwrap_or(-1);
            // A date has whole seconds, and one of them may pass between two clocks' ticks; a
            // moment of reset comes nearer while the answer travels, and both clocks tell whole ms.
            let as_asked = match *name {
                "date" => (0..=2_000).contains(&read_ms),
                "reset" => (0..=*asked_ms + 2).contains(&read_ms),
                _ => read_ms == *asked_ms,
            };
            assert!(as_asked, "{protocol} {name}: {read_ms} ms");
        }
        // No retry came before its time.
        let early = "SELECT COUNT(*) FROM results AS refused JOIN results AS retry \
                     USING (arm, ordinal, repeat) \
                     WHERE refused.attempt = 1 AND retry.attempt = 2 \
                     AND CAST(retry.sent_at AS BIGINT) - CAST(refused.sent_at AS BIGINT) \
                         < COALESCE(refused.retry_after_ms, 375) * 1000";
        assert_eq!(number(path, early), 0);
        assert_eq!(
            number(path, "SELECT COUNT(*) FROM results WHERE final AND error_class IS NULL"),
            10
        );
    }
}

#[test]
fn a_connection_that_the_server_gives_up_costs_a_listed_retry_and_no_silent_one() {
    let faults = FaultModel { stale_connection_rate: 0.3, ..FaultModel::default() };
    // Idle connections live for a moment, so that many a request meets its end.
    let config = SimulatorConfig { keep_alive_ms: Some(2.0), ..sick(faults) };
    let provider = Provider::start(config);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}/v1", provider.address());
    let candidates = [candidate("next", "openai_chat", &url, "limits = { concurrency = 3 }")];
    project(folder.path(), 400, &candidates, "retries = 5");
    let outcome = replay_with(folder.path(), &[], &[]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_nothing_sent_twice(folder.path(), &provider);
    let met = provider.simulator().stats().outcomes.get("stale_connection").copied().unwrap_or(0);
    assert!(met > 5, "only {met} requests met the end of their connection");
    let classes = rows(
        folder.path(),
        "SELECT DISTINCT error_class FROM results WHERE error_class IS NOT NULL",
    );
    assert_eq!(classes, [json!({ "error_class": "refused" })]);
    // A connection may also have been closed as idle just before, which only the client sees.
    let listed =
        number(folder.path(), "SELECT COUNT(*) FROM results WHERE error_class IS NOT NULL") as u64;
    assert!(listed >= met, "{listed} listed, {met} met: each is an attempt of its own");
}
