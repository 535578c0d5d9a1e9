//! A run in parts: shards, killed, repeated and copied, join to the run that one process makes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kills::{Provider, write_project};
use crate::support::{Said, number, program, rows, run, said};

/// What every replay of the same plan and capture has in common: all but times and names.
const CANONICAL: &str = "arm, ordinal, request_id, session_id, repeat, status_code, error_class, \
     response_model, response_text, tool_calls, finish_reason, input_tokens, output_tokens, \
     cost_nanousd, losses, sample_weight";

/// A project of conversations, captured, with the provider that it is replayed against.
fn project(exchanges: usize) -> (tempfile::TempDir, Provider) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let provider = Provider::start(path);
    write_project(path, &provider.base_url, exchanges);
    // Every third exchange stands alone; the others are turns of conversations of up to four.
    let log = fs::read_to_string(path.join("log.jsonl")).unwrap();
    let mut with_sessions = String::new();
    for (index, line) in log.lines().enumerate() {
        let mut exchange: Value = serde_json::from_str(line).unwrap();
        if index % 3 != 0 {
            exchange["session_id"] = format!("s-{}", index / 6).into();
        }
        writeln!(with_sessions, "{exchange}").unwrap();
    }
    fs::write(path.join("log.jsonl"), with_sessions).unwrap();
    let imported = run(path, &["import", path.join("log.jsonl").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    (folder, provider)
}

fn shard(folder: &Path, name: &str, shard: &str) -> Command {
    let mut command = program();
    command.args(["replay", "--yes", "--run", name, "--shard", shard, "-C"]).arg(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn shard_said(folder: &Path, name: &str, number: &str) -> Said {
    said(
        &shard(folder, name, number)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .unwrap(),
    )
}

fn of_run(folder: &Path, name: &str, question: &str) -> Vec<Value> {
    let answer = run(folder, &["sql", question, "--format", "json", "--run", name]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    serde_json::from_str(&answer.stdout).unwrap()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn wait_for(path: &Path) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn folder_of(folder: &Path, name: &str, number: u32, count: u32) -> PathBuf {
    folder.join(format!("runs/{name}.shard-{number}-of-{count}"))
}

#[test]
fn eight_shards_with_three_killed_and_one_twice_are_the_single_run() {
    const SHARDS: u32 = 8;
    let (folder, _provider) = project(480);
    let path = folder.path();
    assert_eq!(run(path, &["replay", "--run", "single"]).code, 0);

    let start = |number: u32| shard(path, "parts", &format!("{number}/{SHARDS}")).spawn().unwrap();
    let mut children: Vec<(u32, Child)> = (1..=SHARDS).map(|n| (n, start(n))).collect();
    // A second process on a shard that is under way sends nothing: it is refused.
    wait_for(&folder_of(path, "parts", 5, SHARDS).join("journal.sqlite"));
    let twice = shard_said(path, "parts", &format!("5/{SHARDS}"));
    assert!(twice.code == 75 || twice.code == 0, "{}", twice.stderr);
    for (number, child) in &mut children {
        if *number <= 3 {
            wait_for(&folder_of(path, "parts", *number, SHARDS).join("journal.sqlite"));
            child.kill().unwrap();
        }
        child.wait().unwrap();
    }
    for number in 1..=SHARDS {
        assert_eq!(start(number).wait().unwrap().code(), Some(0));
    }
    let merged = run(path, &["merge", "--run", "parts"]);
    assert_eq!(merged.code, 0, "{}", merged.stderr);
    assert!(merged.stdout.contains("480 planned = 480 done + 0 not done"), "{}", merged.stdout);

    // Nothing was sent twice, whatever was killed or started twice.
    let log = fs::read_to_string(path.join("provider.jsonl")).unwrap();
    let mut asked = BTreeSet::new();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let Some(id) = entry["x_request_id"].as_str() else { continue };
        assert!(asked.insert(id.to_owned()), "{id} was sent twice");
    }

    // The same rows but for their times; what a kill made uncertain was sent again and is listed.
    let planned = "SELECT * FROM planned ORDER BY arm, ordinal";
    assert_eq!(of_run(path, "parts", planned), of_run(path, "single", planned));
    let uncertain = "SELECT DISTINCT ordinal FROM results WHERE error_class = 'uncertain'";
    let uncertain: BTreeSet<i64> = of_run(path, "parts", uncertain)
        .iter()
        .map(|row| row["ordinal"].as_i64().unwrap())
        .collect();
    assert!(uncertain.len() <= 3 * 4, "{uncertain:?} for three kills of four in flight");
    let answers = format!("SELECT {CANONICAL} FROM results WHERE \"final\" ORDER BY ordinal");
    let certain = |name: &str| -> Vec<Value> {
        let rows = of_run(path, name, &answers);
        assert_eq!(rows.len(), 480);
        rows.into_iter()
            .filter(|row| !uncertain.contains(&row["ordinal"].as_i64().unwrap()))
            .collect()
    };
    assert_eq!(certain("parts"), certain("single"));
    let coverage = "SELECT outcome, COUNT(*) AS n FROM pairs GROUP BY outcome ORDER BY outcome";
    assert_eq!(of_run(path, "parts", coverage), of_run(path, "single", coverage));
    let names = of_run(path, "parts", "SELECT DISTINCT run_id FROM results");
    assert_eq!(names, [serde_json::json!({ "run_id": "parts" })]);
    assert_eq!(run(path, &["judge", "--run", "parts"]).code, 0);
}

/// The part of a verdict that does not depend on times.
fn verdict(folder: &Path, name: &str) -> Value {
    let judged = run(folder, &["judge", "--json", "--run", name]);
    assert_eq!(judged.code, 0, "{}", judged.stderr);
    let mut verdict: Value = serde_json::from_str(&judged.stdout).unwrap();
    verdict["run_id"] = Value::Null;
    verdict["inputs"]["results_sha256"] = Value::Null;
    // How late this program was differs from run to run, and with what else the machine does.
    let reasons = verdict["reasons"].as_array_mut().unwrap();
    reasons.retain(|reason| reason["code"] != "client_bottleneck");
    verdict
}

#[test]
fn shards_that_ran_through_are_the_single_run_attempt_by_attempt() {
    let (folder, _provider) = project(150);
    let path = folder.path();
    assert_eq!(run(path, &["replay", "--run", "single"]).code, 0);
    for number in 1..=3 {
        let outcome = shard_said(path, "parts", &format!("{number}/3"));
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        assert!(outcome.stdout.contains("of $16.67"), "a third of 50 USD: {}", outcome.stdout);
    }
    assert_eq!(run(path, &["merge", "--run", "parts"]).code, 0);
    let attempts = format!(
        "SELECT {CANONICAL}, attempt, \"first\", \"final\", reserved_nanousd FROM results \
         ORDER BY arm, ordinal, attempt"
    );
    let merged = of_run(path, "parts", &attempts);
    assert!(merged.len() > 150, "some attempts were repeated: {}", merged.len());
    assert_eq!(merged, of_run(path, "single", &attempts));
    assert_eq!(verdict(path, "parts"), verdict(path, "single"));
    // Every conversation was replayed by one process.
    let mut of_shards = Vec::new();
    for number in 1..=3 {
        let part = format!("parts.shard-{number}-of-3");
        let sessions = "SELECT DISTINCT session_id FROM results WHERE session_id IS NOT NULL";
        let own = of_run(path, &part, sessions);
        assert!(!own.is_empty(), "shard {number} has no conversation");
        of_shards.extend(own.iter().map(ToString::to_string));
    }
    assert_eq!(of_shards.len(), 25);
    assert_eq!(of_shards.iter().collect::<BTreeSet<_>>().len(), 25);
}

#[test]
fn shards_that_are_no_whole_are_refused_by_name() {
    let (folder, _provider) = project(60);
    let path = folder.path();
    for number in 1..=3 {
        assert_eq!(shard_said(path, "parts", &format!("{number}/3")).code, 0);
    }
    // A part alone is neither judged nor taken for the run.
    let alone = run(path, &["judge"]);
    assert_eq!(alone.code, 3);
    assert!(alone.stderr.contains("rehearsal merge"), "{}", alone.stderr);
    let named = run(path, &["judge", "--run", "parts.shard-1-of-3"]);
    assert_eq!(named.code, 3);
    assert!(named.stderr.contains("shard 1/3"), "{}", named.stderr);

    let refused = |said: Said, what: &str| {
        assert_eq!(said.code, 3, "{}", said.stderr);
        assert!(said.stderr.contains(what), "{what}: {}", said.stderr);
        assert!(!path.join("runs/parts/run.json").exists(), "nothing was merged");
    };
    let parts: Vec<PathBuf> = (1..=3).map(|n| folder_of(path, "parts", n, 3)).collect();
    let name = |index: usize| parts[index].to_str().unwrap();
    refused(run(path, &["merge", name(0), name(2)]), "missing: 2");

    let copy = path.join("copy-of-2");
    copy_folder(&parts[1], &copy);
    let copied = copy.to_str().unwrap();
    let twice = run(path, &["merge", name(0), name(1), copied, name(2)]);
    refused(twice, "copy-of-2");

    assert_eq!(shard_said(path, "others", "2/3").code, 0);
    let foreign = folder_of(path, "others", 2, 3);
    refused(run(path, &["merge", name(0), foreign.to_str().unwrap(), name(2)]), "the run");

    // A lost segment is no small shard.
    fs::remove_file(copy.join("results/part-00001.parquet")).unwrap();
    fs::remove_file(copy.join("journal.sqlite")).unwrap();
    refused(run(path, &["merge", name(0), copied, name(2)]), "copy-of-2 has");
    let forced = run(path, &["merge", "--allow-unfinished", name(0), copied, name(2)]);
    assert_eq!(forced.code, 0, "{}", forced.stderr);
    assert!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'not_sent'") > 0);

    // What was merged is replaced only on demand, and never replayed over.
    let again = run(path, &["merge", "--run", "parts"]);
    assert_eq!(again.code, 3);
    assert!(again.stderr.contains("--replace"), "{}", again.stderr);
    let replaced = run(path, &["merge", "--run", "parts", "--replace"]);
    assert_eq!(replaced.code, 0, "{}", replaced.stderr);
    assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 60);
    let over = run(path, &["replay", "--run", "parts"]);
    assert_eq!(over.code, 3);
    assert!(over.stderr.contains("merged from shards"), "{}", over.stderr);
    assert_eq!(number(path, "SELECT COUNT(*) FROM results WHERE \"final\""), 60);
}

#[test]
fn a_shard_is_named_by_itself_or_by_the_batch_system() {
    let (folder, _provider) = project(40);
    let path = folder.path();
    for wrong in ["0/2", "3/2", "2", "auto/2"] {
        let mut command = shard(path, "parts", wrong);
        let command = command.env_remove("JOB_COMPLETION_INDEX").stderr(Stdio::piped());
        assert_eq!(command.output().unwrap().status.code(), Some(2), "{wrong}");
    }
    let mut second = shard(path, "parts", "auto/2");
    assert!(second.env("JOB_COMPLETION_INDEX", "1").status().unwrap().success());
    assert!(folder_of(path, "parts", 2, 2).join("run.json").is_file());
    // The limits cannot be divided without end: 32 requests in flight are no 40 shards.
    let many = shard_said(path, "parts", "1/40");
    assert_eq!(many.code, 3);
    assert!(many.stderr.contains("`concurrency = 32`"), "{}", many.stderr);
}

#[test]
fn budgets_of_shards_add_up_to_the_whole_and_hold() {
    let (folder, _provider) = project(200);
    let path = folder.path();
    let plan = path.join("rehearsal.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("50 USD", "0.005 USD")).unwrap();
    for number in 1..=4 {
        let code = shard_said(path, "parts", &format!("{number}/4")).code;
        assert_eq!(code, 75, "a quarter of the budget does not reach");
    }
    let unfinished = run(path, &["merge", "--run", "parts"]);
    assert_eq!(unfinished.code, 3);
    assert!(unfinished.stderr.contains("shard-4-of-4 has"), "{}", unfinished.stderr);
    assert_eq!(run(path, &["merge", "--run", "parts", "--allow-unfinished"]).code, 0);
    let spent = rows(path, "SELECT SUM(cost_nanousd) AS spent FROM results")[0]["spent"].as_i64();
    assert!(spent.is_some_and(|spent| spent > 0 && spent <= 5_000_000), "{spent:?}");
}
