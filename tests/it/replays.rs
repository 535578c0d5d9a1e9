//! Pace, money, arms and keys of a replay, seen from the command line.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use crate::kills::{Provider, write_project};
use crate::support::{number, program, rows, run, said};

pub(crate) fn project(exchanges: usize) -> (tempfile::TempDir, Provider) {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path());
    write_project(folder.path(), &provider.base_url, exchanges);
    let log = folder.path().join("log.jsonl");
    assert_eq!(run(folder.path(), &["import", log.to_str().unwrap()]).code, 0);
    (folder, provider)
}

pub(crate) fn edit_plan(folder: &Path, from: &str, to: &str) {
    let path = folder.join("rehearsal.toml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn an_open_loop_leaves_at_the_recorded_times_faster_by_its_speed() {
    let (folder, _provider) = project(60);
    let path = folder.path();
    // One exchange a second was recorded; a hundred times faster that is one every 10 ms.
    edit_plan(path, "[replay]", "[replay]\npace = { open = { speed = 100.0 } }");
    assert_eq!(run(path, &["replay"]).code, 0);
    let sent = rows(
        path,
        "SELECT ordinal, CAST(scheduled_at AS BIGINT) AS at, queue_ms FROM results \
         WHERE attempt = 1 ORDER BY ordinal",
    );
    assert_eq!(sent.len(), 60);
    for pair in sent.windows(2) {
        let gap = pair[1]["at"].as_i64().unwrap() - pair[0]["at"].as_i64().unwrap();
        assert!((9_999..=10_001).contains(&gap), "{gap} microseconds");
    }
    assert!(sent.iter().all(|row| row["queue_ms"].as_f64().unwrap() >= 0.0));
}

#[test]
fn the_budget_holds_and_a_larger_one_resumes_the_same_run() {
    let (folder, _provider) = project(300);
    let path = folder.path();
    edit_plan(path, "50 USD", "0.01 USD");
    let stopped = run(path, &["replay"]);
    assert_eq!(stopped.code, 75, "{}", stopped.stderr);
    assert!(stopped.stderr.contains("raise `budget`"), "{}", stopped.stderr);
    let spent = number(path, "SELECT SUM(cost_nanousd) FROM results");
    assert!(spent > 0 && spent <= 10_000_000, "{spent}");
    let done = number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'");
    assert!(done > 0 && done < 300, "{done}");
    // What is there can be judged, and is no GO.
    assert_eq!(run(path, &["judge"]).code, 11);
    edit_plan(path, "0.01 USD", "5 USD");
    assert_eq!(run(path, &["replay"]).code, 0);
    assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 300);
    assert_eq!(number(path, "SELECT COUNT(DISTINCT run_id) FROM results"), 1);
}

#[test]
fn a_run_with_a_seed_of_its_own_is_judged_with_it() {
    let (folder, _provider) = project(20);
    let path = folder.path();
    assert_eq!(run(path, &["replay", "--seed", "77"]).code, 0);
    let judged = run(path, &["judge", "--json"]);
    let verdict: serde_json::Value = serde_json::from_str(&judged.stdout).unwrap();
    assert_eq!(verdict["inputs"]["seed"], 77, "{}", judged.stderr);
    assert_eq!(run(path, &["report", "--as", "json"]).code, 0);
}

#[test]
fn candidates_of_two_protocols_and_the_control_are_replayed_side_by_side() {
    let (folder, provider) = project(40);
    let path = folder.path();
    let arms = format!(
        "[[candidate]]\nname = \"claude\"\nprotocol = \"anthropic_messages\"\nbase_url = \"{url}\"\n\
         models = {{ \"*\" = \"claude-next\" }}\nprices = {{ input = \"3 USD/1M\", output = \"15 USD/1M\" }}\n\
         limits = {{ concurrency = 4, rpm = 60000 }}\n\
         [control]\nprotocol = \"openai_chat\"\nbase_url = \"{url}\"\n[replay]\nrepeats = 2",
        url = provider.base_url
    );
    edit_plan(path, "[replay]", &arms);
    let replayed = run(path, &["replay"]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    let done = rows(
        path,
        "SELECT arm, repeat, COUNT(*) AS n FROM pairs WHERE outcome = 'done' \
         GROUP BY arm, repeat ORDER BY arm, repeat",
    );
    let counts: Vec<(String, i64)> = done
        .iter()
        .map(|row| (row["arm"].as_str().unwrap().to_owned(), row["n"].as_i64().unwrap()))
        .collect();
    let expected: Vec<(String, i64)> = ["claude", "claude", "control", "control", "next", "next"]
        .iter()
        .map(|arm| ((*arm).to_owned(), 40))
        .collect();
    assert_eq!(counts, expected);
    // Every streamed answer of every arm has its times and its tokens.
    let incomplete = "SELECT COUNT(*) FROM results JOIN capture USING (ordinal) \
                      WHERE results.error_class IS NULL AND capture.stream \
                      AND (results.ttft_ms IS NULL OR results.output_tokens IS NULL)";
    assert_eq!(number(path, incomplete), 0);
    // The changes of a request are booked.
    let booked = rows(path, "SELECT DISTINCT arm, feature FROM losses ORDER BY arm, feature");
    assert!(booked.iter().any(|row| row["feature"] == "include_usage_added"), "{booked:?}");
}

#[test]
fn the_moments_of_an_answer_come_in_their_order() {
    let (folder, _provider) = project(40);
    let path = folder.path();
    edit_plan(path, "[replay]", "[replay]\nkeep_event_offsets = true");
    assert_eq!(run(path, &["replay"]).code, 0);
    let streamed = "FROM results JOIN capture USING (ordinal) \
                    WHERE results.error_class IS NULL AND capture.stream";
    assert!(number(path, &format!("SELECT COUNT(*) {streamed}")) > 0);
    let out_of_order = format!(
        "SELECT COUNT(*) {streamed} AND NOT (0 <= headers_ms AND headers_ms <= first_byte_ms \
         AND first_byte_ms <= first_event_ms AND first_event_ms <= results.ttft_ms \
         AND results.ttft_ms <= first_answer_token_ms AND first_answer_token_ms <= finish_ms \
         AND finish_ms <= terminator_ms AND usage_ms <= terminator_ms \
         AND terminator_ms = results.latency_ms AND terminator_ms <= close_ms \
         AND array_length(event_offsets_us) = chunks) IS NOT FALSE"
    );
    assert_eq!(number(path, &out_of_order), 0);
    // An answer in one piece has no events, and ends with its body.
    let whole = "SELECT COUNT(*) FROM results JOIN capture USING (ordinal) \
                 WHERE results.error_class IS NULL AND NOT capture.stream \
                 AND (first_event_ms IS NOT NULL OR results.ttft_ms IS NOT NULL \
                      OR close_ms IS DISTINCT FROM results.latency_ms)";
    assert_eq!(number(path, whole), 0);
}

#[test]
fn connections_are_opened_before_the_clock_of_an_attempt_starts() {
    let (folder, _provider) = project(40);
    let path = folder.path();
    assert_eq!(run(path, &["replay"]).code, 0);
    // Whoever found no open connection says how long its own took, and nobody else does.
    let inconsistent = "SELECT COUNT(*) FROM results \
                        WHERE connection_reused IS NULL OR connection_reused = (connect_ms IS NOT NULL)";
    assert_eq!(number(path, inconsistent), 0);
    assert!(number(path, "SELECT COUNT(*) FROM results WHERE connection_reused") > 0);
    // The client's own lateness is measured on every attempt.
    let measured = "SELECT COUNT(*) FROM results \
                    WHERE event_loop_lag_ms >= 0 AND client_overhead_ms >= 0";
    assert_eq!(number(path, measured), number(path, "SELECT COUNT(*) FROM results"));
}

#[test]
fn a_redirect_is_not_followed_and_the_key_stays() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let target = elsewhere.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let mut request = [0; 4_096];
            let _ = connection.read(&mut request);
            let answer = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{target}/v1\r\n\
                 content-length: 0\r\nconnection: close\r\n\r\n"
            );
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_project(path, &format!("http://{address}/v1"), 1);
    edit_plan(path, "models =", "api_key_env = \"REDIRECT_TEST_KEY\"\nmodels =");
    assert_eq!(run(path, &["import", path.join("log.jsonl").to_str().unwrap()]).code, 0);
    let key = "canary-key-that-must-not-travel";
    let mut command = program();
    command.env("REDIRECT_TEST_KEY", key).args(["replay", "-C"]).arg(path);
    let outcome = said(&command.output().unwrap());
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(
        rows(path, "SELECT DISTINCT error_class FROM results")[0]["error_class"],
        "protocol"
    );
    assert!(elsewhere.accept().is_err(), "the redirect was followed");
    assert!(!outcome.stderr.contains(key) && !outcome.stdout.contains(key));
    let mut files = vec![path.to_owned()];
    while let Some(file) = files.pop() {
        if file.is_dir() {
            files.extend(fs::read_dir(file).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = fs::read(&file).unwrap();
            let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
            assert!(!found, "the key is in {}", file.display());
        }
    }
}
