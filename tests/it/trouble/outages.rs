//! Outages in the middle of a run: little is wasted, and the run goes on by itself or resumes.

use std::path::Path;

use rehearsal::simulator::{OutageKind, OutageWindow, SimulatorConfig};

use super::{Provider, assert_nothing_sent_twice, candidate, instant, project, replay_with};
use crate::support::{number, rows};

const EXCHANGES: usize = 1_500;

/// A run of which a third is done when the provider goes out for a while.
fn goes_out(kind: OutageKind, timeouts: &str) {
    let window = OutageWindow { kind, after_requests: 500, from_ms: 0.0, for_ms: 3_500.0 };
    let provider = Provider::start(SimulatorConfig { outages: vec![window], ..instant() });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let url = format!("http://{}/v1", provider.address());
    let limits = "limits = { concurrency = 8 }";
    let candidates = [candidate("next", "openai_chat", &url, limits)];
    project(path, EXCHANGES, &candidates, timeouts);
    let plan = std::fs::read_to_string(path.join("rehearsal.toml")).unwrap();
    std::fs::write(path.join("rehearsal.toml"), plan.replace("50 USD", "0.5 USD")).unwrap();
    let outcome = replay_with(path, &[], &[]);
    assert_eq!(outcome.code, 0, "{kind:?}: {}", outcome.stderr);

    let done = "SELECT COUNT(*) FROM results WHERE final AND error_class IS NULL";
    assert_eq!(number(path, done), EXCHANGES as i64, "{kind:?}");
    // What an outage may waste: what was under way, and the outcomes that it takes to notice.
    let hit = number(path, "SELECT COUNT(*) FROM results WHERE error_class IS NOT NULL");
    assert!((20..=60).contains(&hit), "{kind:?}: {hit} attempts met the outage");
    let wasted = number(
        path,
        "SELECT COALESCE(SUM(cost_nanousd), 0) FROM results WHERE error_class IS NOT NULL",
    );
    assert!(wasted * 50 < 500_000_000, "{kind:?}: {wasted} nano-dollars wasted");
    assert_nothing_sent_twice(path, &provider);

    let args =
        ["sql", "--query", "report/outages", "--param", "min_attempts=15", "--format", "json"];
    let answer = crate::support::run(path, &args);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let windows: Vec<serde_json::Value> = serde_json::from_str(&answer.stdout).unwrap();
    let lengths: Vec<f64> =
        windows.iter().map(|window| window["outage_ms"].as_f64().unwrap()).collect();
    assert!(lengths.iter().any(|length| *length >= 1_000.0), "{kind:?}: {windows:?}");
    assert_eq!(windows[0]["arm"], "next");
    assert_eq!(outages_of_the_report(path), windows.len(), "{kind:?}");
}

/// How many outages the report's chart of failures shades.
fn outages_of_the_report(path: &Path) -> usize {
    for command in ["judge", "report"] {
        let said = crate::support::run(path, &[command]);
        assert!(said.code <= 3, "{}", said.stderr);
    }
    let page = std::fs::read_to_string(crate::support::only_run(path).join("report.html")).unwrap();
    page.matches("class=\"mark outage").count()
}

#[test]
fn a_port_that_is_closed_for_a_while_is_waited_for() {
    goes_out(OutageKind::Refused, "");
}

#[test]
fn errors_of_the_server_for_a_while_are_waited_for() {
    goes_out(OutageKind::ServerError, "");
}

#[test]
fn silence_for_a_while_is_waited_for() {
    let timeouts = "[replay.timeouts]\nfirst_token = \"800ms\"\ntotal = \"800ms\"";
    goes_out(OutageKind::BlackHole, timeouts);
}

#[test]
fn an_outage_that_does_not_end_stops_the_run_and_the_same_command_resumes_it() {
    let kind = OutageKind::Unavailable;
    let window = OutageWindow { kind, after_requests: 50, from_ms: 0.0, for_ms: 3.6e6 };
    let provider = Provider::start(SimulatorConfig { outages: vec![window], ..instant() });
    let address = provider.address();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let candidates = [candidate("next", "openai_chat", &format!("http://{address}/v1"), "")];
    project(path, 200, &candidates, "give_up_after = \"1500ms\"");
    let stopped = replay_with(path, &[], &[]);
    assert_eq!(stopped.code, 75, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("`next` was out"), "{}", stopped.stderr);
    let command = format!("rehearsal replay -C {}", path.display());
    assert!(stopped.stderr.contains(&command), "{}", stopped.stderr);
    let hit = provider.log().iter().filter(|entry| entry.status == Some(503)).count();
    assert!((20..=60).contains(&hit), "{hit} requests were sent into the outage");
    provider.stop();

    let back = Provider::start_at(instant(), &address);
    let resumed = replay_with(path, &[], &[]);
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 200);
    assert_eq!(number(path, "SELECT COUNT(DISTINCT run_id) FROM results"), 1);
    assert_eq!(rows(path, "SELECT 1 AS one FROM results WHERE error_class = 'uncertain'").len(), 0);
    drop(back);
}
