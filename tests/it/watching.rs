//! A replay seen from outside: events, lines and `rehearsal top`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rehearsal::dataset::sha256_hex;
use serde_json::Value;

use crate::kills::{Provider, write_project};
use crate::support::{number, program, repository, run};

fn project(exchanges: usize) -> (tempfile::TempDir, Provider) {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path());
    write_project(folder.path(), &provider.base_url, exchanges);
    let log = folder.path().join("log.jsonl");
    assert_eq!(run(folder.path(), &["import", log.to_str().unwrap()]).code, 0);
    (folder, provider)
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// The fields that the document of events names, by event.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(repository("docs/events.md")).unwrap();
    let name = regex::Regex::new("`([a-z_0-9]+)`").unwrap();
    let names = |cell: &str| -> Vec<String> {
        name.captures_iter(cell).map(|found| found[1].to_owned()).collect()
    };
    let mut fields: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let listed = if cells.len() == 3 { names(cells[1]) } else { Vec::new() };
        for event in names(cells[0]) {
            fields.entry(event).or_default().extend(listed.clone());
        }
    }
    fields
}

#[test]
fn every_line_on_stderr_is_a_documented_event() {
    let (folder, _provider) = project(300);
    let path = folder.path();
    let mut seen = events(&run(path, &["replay", "--progress", "json"]).stderr);
    let begun = seen.iter().find(|event| event["event"] == "begin").expect("a beginning");
    let ended = seen.iter().find(|event| event["event"] == "end").expect("an end");
    assert_eq!((&begun["total"], &begun["done"]), (&300.into(), &0.into()));
    assert_eq!((&ended["done"], &ended["stopped"]), (&300.into(), &Value::Null));
    assert_eq!(begun["run"], ended["run"]);
    assert_eq!(ended["spent_nanousd"], number(path, "SELECT SUM(cost_nanousd) FROM results"));

    let again = run(path, &["replay", "--progress", "json", "--concurrency", "0x"]);
    assert_eq!(again.code, 2, "clap speaks before the program does");
    let failed = run(path, &["judge", "--progress", "json", "--run", "none"]);
    let failed = events(&failed.stderr);
    assert_eq!((&failed[0]["event"], &failed[0]["exit_code"]), (&"error".into(), &3.into()));
    seen.extend(failed);
    let fields = documented();
    for event in &seen {
        let name = event["event"].as_str().unwrap();
        let known = fields.get(name).unwrap_or_else(|| panic!("{name} is in no document"));
        let own: BTreeSet<String> =
            event.as_object().unwrap().keys().filter(|key| *key != "event").cloned().collect();
        assert_eq!(&own, known, "fields of `{name}`");
    }
    let names: BTreeSet<&str> = seen.iter().filter_map(|event| event["event"].as_str()).collect();
    assert!(names.is_superset(&BTreeSet::from(["begin", "progress", "message", "end", "error"])));
}

/// A replay that is under way once this returns, slow enough to be looked at.
fn under_way(folder: &Path) -> Child {
    let mut command = program();
    command.args(["replay", "--yes", "--progress", "none", "-C"]).arg(folder);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    while fs::metadata(folder.join("provider.jsonl")).map_or(0, |file| file.len()) < 10_000 {
        assert!(Instant::now() < deadline, "nothing was sent");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn top(folder: &Path) -> Value {
    let looked = run(folder, &["top", "--format", "json"]);
    assert_eq!(looked.code, 0, "{}", looked.stderr);
    serde_json::from_str(&looked.stdout).unwrap()
}

#[test]
fn top_sees_a_run_while_it_runs_when_it_was_killed_and_once_it_is_done() {
    let (folder, _provider) = project(1_500);
    let path = folder.path();
    let plan = fs::read_to_string(path.join("rehearsal.toml")).unwrap();
    let limited = plan.replace("concurrency = 32", "concurrency = 16, rpm = 9000");
    fs::write(path.join("rehearsal.toml"), limited).unwrap();
    let mut child = under_way(path);
    let mut looks = Vec::new();
    while looks.len() < 3 {
        looks.push(top(path));
    }
    assert_eq!(child.try_wait().unwrap(), None, "the replay was over before it was looked at");
    for pair in looks.windows(2) {
        assert!(pair[0]["done"].as_u64() <= pair[1]["done"].as_u64(), "{pair:?}");
    }
    let running = &looks[2];
    assert_eq!(running["state"], "running");
    assert_eq!(
        (&running["planned"], &running["budget_nanousd"]),
        (&1_500.into(), &50_000_000_000_i64.into())
    );
    let arm = &running["arms"][0];
    assert_eq!((&arm["arm"], &arm["rpm_limit"]), (&"next".into(), &9_000.into()));
    assert!(arm["in_flight"].as_u64().unwrap() <= 16, "{arm}");
    assert!(arm["requests_per_minute"].as_u64() >= arm["attempts"].as_u64(), "{arm}");
    assert!(arm["recent_latency_ms"]["p50"].as_f64().unwrap() > 0.0, "{arm}");
    let money = |view: &Value, what: &str| view[what].as_i64().unwrap();
    assert!(money(running, "spent_nanousd") + money(running, "reserved_nanousd") <= 50_000_000_000);
    let text = run(path, &["top"]);
    assert!(
        text.stdout.contains("running") && text.stdout.contains("last minute"),
        "{}",
        text.stdout
    );
    assert!(!text.stdout.contains('\u{1b}'), "no control characters where no terminal is");

    child.kill().unwrap();
    child.wait().unwrap();
    let stopped = top(path);
    assert_eq!(stopped["state"], "stopped");
    assert!(stopped["in_flight"].as_u64().unwrap() <= 16, "{stopped}");
    assert_eq!(stopped["done_per_second"], Value::Null);

    // Having been looked at does not keep the run from being resumed to its end.
    assert_eq!(run(path, &["replay"]).code, 0);
    let finished = top(path);
    assert_eq!(finished["state"], "finished");
    assert_eq!((&finished["done"], &finished["in_flight"]), (&1_500.into(), &0.into()));
    let spent = "SELECT SUM(COALESCE(cost_nanousd, reserved_nanousd)) FROM results";
    assert_eq!(finished["spent_nanousd"], number(path, spent));
    let arm = &finished["arms"][0];
    assert_eq!(arm["attempts"], number(path, "SELECT COUNT(*) FROM results"));
    let median = "SELECT CAST(quantile_ci(latency_ms, 0.5)['value'] * 1000 AS BIGINT) FROM results \
                  WHERE error_class IS NULL";
    let shown = (arm["latency_ms"]["p50"].as_f64().unwrap() * 1_000.0) as i64;
    assert_eq!(shown, number(path, median));
    let failed: i64 = arm["errors"].as_object().unwrap().values().filter_map(Value::as_i64).sum();
    let failures = "SELECT COUNT(*) FROM results WHERE error_class IS NOT NULL";
    assert_eq!(failed, number(path, failures));

    // The document has the shape that its schema says.
    let schema = run(path, &["schema", "top"]);
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    assert!(jsonschema::is_valid(&schema, &finished));
    let named = run(path, &["top", "nothing"]);
    assert_eq!(named.code, 3, "{}", named.stderr);
}

#[test]
fn looking_neither_writes_nor_takes_the_lock() {
    let (folder, _provider) = project(30);
    let path = folder.path();
    assert_eq!(run(path, &["replay"]).code, 0);
    let before = listing(path);
    top(path);
    assert_eq!(listing(path), before);
}

/// Every file of the runs with the hash of its bytes.
fn listing(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.join("runs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.display().to_string();
                found.insert(name, sha256_hex(fs::read(path).unwrap()));
            }
        }
    }
    found
}
