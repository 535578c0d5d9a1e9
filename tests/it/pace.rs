//! When requests leave, in which order, and what ends a replay, seen from the command line.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::kills::Provider;
use crate::replays::{edit_plan, project};
use crate::support::{number, rows, run};

fn replay(folder: &Path) {
    let replayed = run(folder, &["replay"]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
}

/// Gives the exchanges of the log to sessions in turn, and imports it anew.
fn with_sessions(folder: &Path, sessions: usize) {
    let path = folder.join("log.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let mut exchange: Value = serde_json::from_str(line).unwrap();
            exchange["session_id"] = format!("s-{}", index % sessions).into();
            exchange.to_string()
        })
        .collect();
    fs::write(&path, lines.join("\n")).unwrap();
    let imported = run(folder, &["import", path.to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
}

/// Turns that left before the turn before them had come back.
const OVERTAKING: &str = "
    SELECT COUNT(*) FROM (
        SELECT arm, repeat, session_id, sent_mono_ns,
               LAG(sent_mono_ns + CAST(latency_ms * 1000000.0 AS BIGINT)) OVER (
                   PARTITION BY arm, repeat, session_id ORDER BY ordinal, attempt) AS before_ended
        FROM results)
    WHERE sent_mono_ns < before_ended - 1000";

#[test]
fn a_ramp_marks_every_attempt_with_its_step_and_what_was_offered() {
    let (folder, _provider) = project(60);
    let path = folder.path();
    let ramp = "pace = { ramp = { from = \"20/s\", to = \"60/s\", steps = 3, step = \"500ms\" } }";
    edit_plan(path, "[replay]", &format!("[replay]\n{ramp}"));
    replay(path);
    let steps = rows(
        path,
        "SELECT load_step, offered_per_second AS rate, COUNT(*) AS n, \
         MAX(CAST(scheduled_at AS BIGINT)) - MIN(CAST(scheduled_at AS BIGINT)) AS span_us \
         FROM results WHERE attempt = 1 GROUP BY 1, 2 ORDER BY 1",
    );
    let seen: Vec<(i64, f64, i64)> = steps
        .iter()
        .map(|row| {
            let integer = |name: &str| row[name].as_i64().unwrap();
            (integer("load_step"), row["rate"].as_f64().unwrap(), integer("n"))
        })
        .collect();
    assert_eq!(seen, [(1, 20.0, 10), (2, 40.0, 20), (3, 60.0, 30)]);
    for (step, gaps) in steps.iter().zip([9.0 / 20.0, 19.0 / 40.0, 29.0 / 60.0]) {
        let span_s = step["span_us"].as_f64().unwrap() / 1e6;
        assert!((span_s - gaps).abs() < 1e-4, "{step}");
    }
}

#[test]
fn the_peak_is_the_busiest_hour_and_the_rest_is_excluded_by_name() {
    let (folder, _provider) = project(40);
    let path = folder.path();
    // Ten exchanges at noon, thirty within two minutes some hours later.
    let log = fs::read_to_string(path.join("log.jsonl")).unwrap();
    let spread: Vec<String> = log
        .lines()
        .enumerate()
        .map(
            |(index, line)| if index < 10 { line.replace("T08:", "T02:") } else { line.to_owned() },
        )
        .collect();
    fs::write(path.join("log.jsonl"), spread.join("\n")).unwrap();
    let imported = run(path, &["import", path.join("log.jsonl").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    edit_plan(path, "[replay]", "[replay]\npace = { peak = { factor = 100.0 } }");
    replay(path);
    let outcomes = rows(
        path,
        "SELECT outcome, excluded_reason, COUNT(*) AS n FROM pairs GROUP BY 1, 2 ORDER BY 1",
    );
    let seen: Vec<(&str, Option<&str>, i64)> = outcomes
        .iter()
        .map(|row| {
            let outcome = row["outcome"].as_str().unwrap();
            (outcome, row["excluded_reason"].as_str(), row["n"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(seen, [("done", None, 30), ("excluded", Some("outside_busiest_hour"), 10)]);
}

#[test]
fn the_warm_up_is_sent_and_counted_and_its_latency_is_not_judged() {
    let (folder, _provider) = project(50);
    let path = folder.path();
    edit_plan(path, "[replay]", "[replay]\nwarm_up = 20");
    replay(path);
    let count = |filter: &str| number(path, &format!("SELECT COUNT(*) FROM pairs WHERE {filter}"));
    assert_eq!(count("outcome = 'done'"), 50);
    assert_eq!(count("warm_up"), 20);
    assert_eq!(count("warm_up AND (first_latency_ms IS NOT NULL OR first_ttft_ms IS NOT NULL)"), 0);
    assert_eq!(count("NOT warm_up AND first_judged AND first_latency_ms IS NULL"), 0);
    // Those that leave first are the warm-up.
    let earlier = "SELECT COUNT(*) FROM results AS a JOIN results AS b ON a.warm_up \
                   AND NOT b.warm_up AND a.attempt = 1 AND b.attempt = 1 \
                   WHERE a.sent_mono_ns > b.sent_mono_ns + 1000000000";
    assert_eq!(number(path, earlier), 0);
}

#[test]
fn turns_of_a_session_leave_in_order_in_a_closed_loop() {
    let (folder, provider) = project(120);
    let path = folder.path();
    with_sessions(path, 10);
    let control = format!(
        "[control]\nprotocol = \"openai_chat\"\nbase_url = \"{}\"\n\
         limits = {{ concurrency = 32 }}\n[replay]\nrepeats = 2",
        provider.base_url
    );
    edit_plan(path, "[replay]", &control);
    replay(path);
    assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 480);
    assert_eq!(number(path, OVERTAKING), 0);
    // Arms take turns: neither is first for nearly all exchanges.
    let first = number(
        path,
        "SELECT COUNT(*) FROM results AS a JOIN results AS b USING (ordinal, repeat) \
         WHERE a.arm = 'control' AND b.arm = 'next' AND a.attempt = 1 AND b.attempt = 1 \
         AND a.sent_mono_ns < b.sent_mono_ns",
    );
    assert!((60..=180).contains(&first), "the control was first for {first} of 240");
}

#[test]
fn a_turn_that_waits_for_the_one_before_it_is_late_and_says_so() {
    let (folder, _provider) = project(30);
    let path = folder.path();
    with_sessions(path, 1);
    // Every turn is due long before the one before it has come back.
    edit_plan(path, "[replay]", "[replay]\npace = { open = { speed = 100000.0 } }");
    replay(path);
    assert_eq!(number(path, OVERTAKING), 0);
    let held = "SELECT COUNT(*) FROM results WHERE held_back_by = 'session' \
                AND held_back_ms > 0 AND queue_ms >= held_back_ms";
    assert!(number(path, held) >= 25, "{}", number(path, held));
}

#[test]
fn what_the_plan_itself_holds_back_is_told_apart_from_the_client() {
    let (folder, _provider) = project(40);
    let path = folder.path();
    edit_plan(path, "concurrency = 32", "concurrency = 1");
    edit_plan(path, "[replay]", "[replay]\npace = { rate = \"10000/s\" }");
    let replayed = run(path, &["replay"]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    let held = "SELECT COUNT(*) FROM results WHERE held_back_by = 'concurrency'";
    assert!(number(path, held) >= 30, "{}", number(path, held));
    assert_eq!(number(path, "SELECT COUNT(*) FROM results WHERE held_back_ms > queue_ms"), 0);
    assert!(replayed.stderr.contains("held back by limits of the plan"), "{}", replayed.stderr);
}

#[test]
fn a_maximum_of_requests_ends_a_part_and_the_same_command_goes_on() {
    let (folder, _provider) = project(50);
    let path = folder.path();
    edit_plan(path, "[replay]", "[replay]\nmax_requests = 30");
    let stopped = run(path, &["replay"]);
    assert_eq!(stopped.code, 75, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("`max_requests`"), "{}", stopped.stderr);
    assert_eq!(number(path, "SELECT COUNT(*) FROM results"), 30);
    assert_eq!(number(path, "SELECT COUNT(*) FROM results WHERE error_class = 'uncertain'"), 0);
    replay(path);
    assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 50);
}

#[test]
fn a_replay_ends_after_its_time() {
    let (folder, _provider) = project(100);
    let path = folder.path();
    edit_plan(path, "[replay]", "[replay]\npace = { rate = \"5/s\" }\nstop_after = \"2s\"");
    let stopped = run(path, &["replay"]);
    assert_eq!(stopped.code, 75, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("`stop_after`"), "{}", stopped.stderr);
    let done = number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'");
    // The eleventh is due at the very moment that ends it.
    assert!((1..=11).contains(&done), "{done}");
}

#[test]
fn a_limit_that_the_plan_does_not_know_costs_few_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let (provider, base_url) = limited_provider(path);
    crate::kills::write_project(path, &base_url, 300);
    let log = path.join("log.jsonl");
    assert_eq!(run(path, &["import", log.to_str().unwrap()]).code, 0);
    replay(path);
    assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 300);
    let refused = "SELECT COUNT(*) FROM results WHERE status_code = 429";
    // As many as were in flight before the first refusal was known, and few more.
    assert!(number(path, refused) <= 32 + 15, "{} refusals", number(path, refused));
    let given_up = "SELECT COUNT(*) FROM results WHERE \"final\" AND status_code = 429";
    assert_eq!(number(path, given_up), 0);
    drop(provider);
}

/// A provider that grants 50 requests a second.
fn limited_provider(folder: &Path) -> (Provider, String) {
    let settings = "seed = 7\ntime_scale = 0.1\n[limits]\nrequests_per_minute = 300\n\
                    request_burst = 20\n";
    let provider = Provider::with_settings(folder, settings);
    let base_url = provider.base_url.clone();
    (provider, base_url)
}
