//! What is spent, seen from the command line: caps, reservations, consent.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::dry_run::{exchange, plan, project};
use crate::kills::Provider;
use crate::support::{number, rows, run};

const PRICES: &str = "prices = { input = \"1 USD/1M\", output = \"2 USD/1M\" }";

/// Reads one request, body and all.
fn read_request(connection: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return whole;
            }
        }
        match connection.read(&mut piece) {
            Ok(0) | Err(_) => return String::from_utf8_lossy(&text).into_owned(),
            Ok(count) => text.extend_from_slice(&piece[..count]),
        }
    }
}

/// A provider that answers every request with the same body.
fn provider_that_says(body: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            read_request(&mut connection);
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/v1")
}

#[test]
fn an_answer_without_usage_keeps_its_reservation_and_says_so() {
    let base_url = provider_that_says(
        r#"{"id":"a","object":"chat.completion","model":"next","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Yes."}}]}"#,
    );
    let log: Vec<Value> = (0..5).map(|index| exchange(index, &json!({}))).collect();
    let folder = project(&plan(&base_url, PRICES, "budget = \"1 USD\""), &log);
    let path = folder.path();
    let replayed = run(path, &["replay"]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    let found = rows(
        path,
        "SELECT error_class, cost_estimated, cost_nanousd, reserved_nanousd, usage_source \
         FROM results",
    );
    assert_eq!(found.len(), 5);
    for row in &found {
        assert_eq!(row["error_class"], Value::Null);
        assert_eq!(row["cost_estimated"], true);
        assert_eq!(row["cost_nanousd"], row["reserved_nanousd"]);
        assert_eq!(row["usage_source"], Value::Null);
    }
    // What the journal says was spent is what the rows add up to.
    let sum = number(path, "SELECT SUM(cost_nanousd) FROM results");
    let spent = format!("${:.6} of", sum as f64 / 1e9);
    assert!(replayed.stdout.contains(&spent), "{} lacks {spent}", replayed.stdout);
}

#[test]
fn a_request_without_a_cap_gets_the_plans_or_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path());
    let log = [exchange(0, &json!({ "max_tokens": null })), exchange(1, &json!({}))];
    let without = plan(&provider.base_url, PRICES, "budget = \"1 USD\"");
    let refused = project(&without, &log);
    assert_eq!(run(refused.path(), &["replay"]).code, 0);
    let reasons = rows(refused.path(), "SELECT ordinal, excluded_reason FROM planned ORDER BY 1");
    assert_eq!(reasons[0]["excluded_reason"], "no_output_cap");
    assert_eq!(reasons[1]["excluded_reason"], Value::Null);
    assert_eq!(number(refused.path(), "SELECT COUNT(*) FROM results WHERE ordinal = 0"), 0);

    let with = plan(
        &provider.base_url,
        &format!("{PRICES}\nmax_output_tokens = 64"),
        "budget = \"1 USD\"",
    );
    let capped = project(&with, &log);
    assert_eq!(run(capped.path(), &["replay"]).code, 0);
    let booked =
        rows(capped.path(), "SELECT ordinal FROM losses WHERE feature = 'output_cap_added'");
    assert_eq!(booked.len(), 1, "{booked:?}");
    assert_eq!(booked[0]["ordinal"], 0);
    let caps = rows(capped.path(), "SELECT output_cap FROM planned ORDER BY ordinal");
    assert_eq!((&caps[0]["output_cap"], &caps[1]["output_cap"]), (&json!(64), &json!(40)));
}

#[test]
fn every_arm_and_every_retry_is_paid_from_one_budget() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path());
    let log: Vec<Value> = (0..150).map(|index| exchange(index, &json!({}))).collect();
    let url = &provider.base_url;
    let more = format!(
        "{PRICES}\n[[candidate]]\nname = \"other\"\nprotocol = \"anthropic_messages\"\n\
         base_url = \"{url}\"\nmodels = {{ \"*\" = \"claude-next\" }}\n\
         prices = {{ input = \"3 USD/1M\", output = \"15 USD/1M\" }}\n\
         [control]\nprotocol = \"openai_chat\"\nbase_url = \"{url}\"\n"
    );
    let text = plan(url, &more, "budget = \"0.05 USD\"");
    let folder = project(&text, &log);
    let path = folder.path();
    let stopped = run(path, &["replay"]);
    assert_eq!(stopped.code, 75, "{}", stopped.stderr);
    let booked = "SELECT SUM(COALESCE(cost_nanousd, reserved_nanousd)) FROM results";
    let spent = number(path, booked);
    assert!(spent > 0 && spent <= 50_000_000, "{spent}");
    assert_eq!(number(path, "SELECT COUNT(DISTINCT arm) FROM results"), 3);
    assert_eq!(
        number(path, "SELECT COUNT(*) FROM results WHERE cost_nanousd > reserved_nanousd"),
        0
    );

    // A larger budget goes on where the smaller one ended, and counts what was spent before.
    fs::write(path.join("rehearsal.toml"), text.replace("0.05 USD", "0.06 USD")).unwrap();
    assert_eq!(run(path, &["replay"]).code, 75);
    let more_spent = number(path, booked);
    assert!(more_spent > spent && more_spent <= 60_000_000, "{spent} then {more_spent}");
    fs::write(path.join("rehearsal.toml"), text.replace("0.05 USD", "9 USD")).unwrap();
    let done = run(path, &["replay"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 450);
    let total = format!("${:.6} of $9.00", number(path, booked) as f64 / 1e9);
    assert!(done.stdout.contains(&total), "{} lacks {total}", done.stdout);
}

/// Runs a command line on a terminal of its own, where somebody types `typed`.
#[cfg(target_os = "linux")]
fn on_a_terminal(arguments: &str, typed: &str) -> (i32, String) {
    let binary = env!("CARGO_BIN_EXE_rehearsal");
    let mut child = Command::new("script")
        .args(["-qec", &format!("'{binary}' {arguments}"), "/dev/null"])
        .env("NO_PROXY", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_asked_with_the_cost_and_nothing_leaves_without_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path());
    let log: Vec<Value> = (0..20).map(|index| exchange(index, &json!({}))).collect();
    let dear = "prices = { input = \"1000 USD/1M\", output = \"2000 USD/1M\" }";
    let project = project(&plan(&provider.base_url, dear, "budget = \"50 USD\""), &log);
    let path = project.path();
    let replay = format!("replay -C '{}'", path.display());

    let (code, said) = on_a_terminal(&replay, "n\n");
    assert_eq!(code, 2, "{said}");
    // 20 * (50 * 0.001 + 20 * 0.002) dollars.
    for words in ["next: 20 requests, $1.80 expected", "budget $50.00", "[y/N]", "nothing was sent"]
    {
        assert!(said.contains(words), "`{words}` is missing in: {said}");
    }
    assert!(!path.join("runs").exists(), "a run was begun without consent");
    assert_eq!(fs::read_to_string(folder.path().join("provider.jsonl")).unwrap_or_default(), "");

    let (code, said) = on_a_terminal(&format!("{replay} --progress none"), "y\n");
    assert_eq!(code, 0, "{said}");
    assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 20);
    // Nothing is left to be sent, so nothing is asked.
    let (code, said) = on_a_terminal(&replay, "");
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("[y/N]"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn yes_answers_the_question_and_small_change_raises_none() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path());
    let log: Vec<Value> = (0..20).map(|index| exchange(index, &json!({}))).collect();
    let dear = "prices = { input = \"1000 USD/1M\", output = \"2000 USD/1M\" }";
    for (prices, flag) in [(dear, "--yes"), (PRICES, "")] {
        let project = project(&plan(&provider.base_url, prices, "budget = \"50 USD\""), &log);
        let replay = format!("replay {flag} -C '{}'", project.path().display());
        let (code, said) = on_a_terminal(&replay, "");
        assert_eq!(code, 0, "{said}");
        assert!(!said.contains("[y/N]"), "{said}");
    }
}
