//! What a user gets wrong, and what the program says to it.

use std::fs;
use std::path::Path;

use crate::support::{Said, repository, run};

const PLAN: &str = r#"version = 1
[incumbent]
provider = "openai"
[[candidate]]
name = "next"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
models = { "*" = "gpt-4o-2024-05-13" }
max_output_tokens = 64
[replay]
budget = "1 USD"
[[criterion]]
metric = "error_rate"
max = "1%"
"#;

fn project(plan: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rehearsal.toml"), plan).unwrap();
    folder
}

fn imported(plan: &str) -> tempfile::TempDir {
    let folder = project(plan);
    let sample = repository("sample-data/captures/plain.jsonl");
    let outcome =
        run(folder.path(), &["import", sample.to_str().unwrap(), "--max-reject-rate", "100%"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    folder
}

#[track_caller]
fn assert_says(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, code, "{}{}", said.stdout, said.stderr);
    for word in words {
        assert!(said.stderr.contains(word), "`{word}` is missing in: {}", said.stderr);
    }
}

fn import(content: &[u8]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.jsonl");
    fs::write(&file, content).unwrap();
    run(&folder.path().join("project"), &["import", file.to_str().unwrap()])
}

#[test]
fn an_empty_file_and_a_folder_without_logs_are_named() {
    assert_says(&import(b""), 3, &["log.jsonl", "no lines"]);
    let folder = tempfile::tempdir().unwrap();
    let said = run(folder.path(), &["import", folder.path().to_str().unwrap()]);
    assert_says(&said, 3, &[folder.path().to_str().unwrap()]);
    let said = run(folder.path(), &["import", "/nowhere/log.jsonl"]);
    assert_says(&said, 3, &["/nowhere/log.jsonl"]);
}

#[test]
fn truncated_lines_are_set_aside_and_too_many_stop_the_import() {
    let good = fs::read_to_string(repository("sample-data/captures/plain.jsonl")).unwrap();
    let line = good.lines().next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.jsonl");
    fs::write(&file, format!("{line}\n{}\n", &line[..line.len() / 2])).unwrap();
    let project = folder.path().join("project");
    let said = run(&project, &["import", file.to_str().unwrap()]);
    assert_says(&said, 4, &["--max-reject-rate"]);
    assert!(said.stdout.contains("2 lines = 1 accepted + 1 rejected"), "{}", said.stdout);
    let said = run(
        &project,
        &["sql", "SELECT source_line, byte_offset, reason FROM rejects", "--format", "json"],
    );
    let rows: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(rows[0]["source_line"], 2);
    assert_eq!(rows[0]["byte_offset"], line.len() + 1);
    let said = run(&project, &["import", file.to_str().unwrap(), "--max-reject-rate", "60%"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
}

#[test]
fn every_mistake_of_a_plan_is_shown_with_its_line_and_the_way_out() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("budget = ", "budgit = ", &["budgit", "did you mean `budget`?"]),
        ("error_rate", "eror_rate", &["eror_rate", "did you mean `error_rate`?", ":13:"]),
        ("max = \"1%\"", "max = \"1s\"", &["another unit"]),
        ("max = \"1%\"", "", &["exactly one bound"]),
        ("openai_chat", "openai_caht", &["did you mean `openai_chat`?"]),
        ("http://127.0.0.1:9/v1", "127.0.0.1:9", &["http://"]),
        ("\"1 USD\"", "\"1 EUR\"", &["budget"]),
        ("version = 1", "version = 7", &["version 7"]),
        ("\"*\" =", "\"gpt-*-x\" =", &["only at the end"]),
    ];
    for (right, wrong, words) in cases {
        let folder = project(&PLAN.replacen(right, wrong, 1));
        let said = run(folder.path(), &["replay", "--yes"]);
        assert_says(&said, 3, words);
        assert!(said.stderr.contains("rehearsal.toml"), "{}", said.stderr);
    }
}

#[test]
fn a_plan_without_file_or_capture_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    assert_says(&run(folder.path(), &["replay"]), 3, &["rehearsal.toml", "--config"]);
    let folder = project(PLAN);
    assert_says(&run(folder.path(), &["replay"]), 3, &["rehearsal import"]);
    assert_says(&run(folder.path(), &["judge"]), 3, &["rehearsal replay"]);
}

#[test]
fn a_missing_key_is_asked_for_by_name_before_anything_is_sent() {
    let plan = PLAN.replace("[replay]", "api_key_env = \"NO_SUCH_KEY_HERE\"\n[replay]");
    let folder = imported(&plan);
    assert_says(&run(folder.path(), &["replay"]), 3, &["NO_SUCH_KEY_HERE", "export"]);
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn an_unreachable_candidate_is_no_result() {
    let folder = imported(PLAN);
    let said = run(folder.path(), &["replay"]);
    assert_says(&said, 75, &["next", "http://127.0.0.1:9/v1", "run the same command again"]);
    let said = run(folder.path(), &["sql", "SELECT COUNT(*) AS n FROM results", "--format", "csv"]);
    assert_eq!(said.stdout.trim(), "n\n0", "{}", said.stderr);
}

#[test]
fn an_unknown_price_is_never_zero() {
    let plan = PLAN.replace("gpt-4o-2024-05-13", "house-made-7b");
    let folder = imported(&plan);
    assert_says(&run(folder.path(), &["replay"]), 3, &["house-made-7b", "prices ="]);
}

#[test]
fn no_budget_is_no_replay() {
    let folder = imported(&PLAN.replace("budget = \"1 USD\"", ""));
    assert_says(&run(folder.path(), &["replay"]), 3, &["budget"]);
}

#[test]
fn a_run_of_another_plan_is_refused_with_what_changed() {
    let folder = imported(PLAN);
    // The run is begun and stopped by the unreachable candidate.
    assert_eq!(run(folder.path(), &["replay", "--run", "mine"]).code, 75);
    let changed = PLAN.replace("max_output_tokens = 64", "max_output_tokens = 65");
    fs::write(folder.path().join("rehearsal.toml"), changed).unwrap();
    let said = run(folder.path(), &["replay", "--run", "mine"]);
    assert_says(&said, 3, &["mine", "next.max_output_tokens"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = imported(PLAN);
    let blocked = folder.path().join("runs");
    fs::write(&blocked, "not a folder").unwrap();
    let said = run(folder.path(), &["replay"]);
    assert_says(&said, 3, &[blocked.to_str().unwrap()]);
}

#[test]
fn bad_questions_are_answered_with_the_engine_s_advice() {
    let folder = imported(PLAN);
    let path: &Path = folder.path();
    assert_says(&run(path, &["sql", "SELECT nothing FROM capture"]), 3, &["nothing"]);
    assert_says(&run(path, &["sql", "--query", "report/coverag"]), 3, &["report/coverage"]);
    assert_says(&run(path, &["sql"]), 2, &["--list"]);
    assert_says(&run(path, &["sql", "DROP TABLE capture"]), 3, &["refused"]);
}

#[test]
fn secrets_of_the_log_reach_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = format!("sk-{}", "a1B2c3D4".repeat(6));
    let line = serde_json::json!({
        "timestamp": "2026-11-02T08:00:00Z", "request_id": "r-1", "status": 200, "latency_ms": 5.0,
        "headers": { "authorization": format!("Bearer {secret}") },
        "request": { "model": "gpt-4o-2024-05-13",
                     "messages": [{ "role": "user", "content": format!("my key is {secret}") }] },
        "response": { "choices": [{ "index": 0, "finish_reason": "stop",
                      "message": { "role": "assistant", "content": format!("it is {secret}") } }] },
    });
    let file = folder.path().join("log.jsonl");
    fs::write(&file, format!("{line}\nbroken {secret}\n")).unwrap();
    let project = folder.path().join("project");
    let said = run(&project, &["import", file.to_str().unwrap(), "--max-reject-rate", "60%"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    for question in ["SELECT * FROM capture", "SELECT * FROM rejects"] {
        let answer = run(&project, &["sql", question, "--format", "json"]);
        assert!(!answer.stdout.contains(&secret), "{question}");
        assert!(answer.stdout.contains("[secret:"), "{question}: {}", answer.stdout);
    }
}

#[test]
fn the_body_of_a_plain_log_is_kept_byte_for_byte() {
    let body =
        r#"{"model": "gpt-4o-2024-05-13",  "temperature": 0.70, "seed": 12345678901234567890,
        "messages": [{"role": "user", "content": "caf\u00e9"}]}"#
            .replace('\n', " ");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.jsonl");
    let line = format!(
        "{{\"timestamp\": \"2026-11-02T08:00:00Z\", \"request_id\": \"r-1\", \"status\": 200, \
         \"latency_ms\": 5.0, \"request\": {body}, \"response\": null}}\n"
    );
    fs::write(&file, line).unwrap();
    let project = folder.path().join("project");
    assert_eq!(run(&project, &["import", file.to_str().unwrap()]).code, 0);
    let answer = run(&project, &["sql", "SELECT request_body FROM capture", "--format", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(rows[0]["request_body"].as_str().unwrap(), body);
}
