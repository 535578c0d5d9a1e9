//! The queries against `sample-data/tiny`, whose answers were worked out by hand.

use std::fs;
use std::path::Path;

use rehearsal::dataset::{
    AttemptRow, CapturedExchange, PlannedRow, Project, RunManifest, Table, read_rows, write_json,
    write_segment,
};
use serde_json::{Value, json};

use crate::support::{repository, run};

/// Imports the tiny log and puts the recorded attempts beside it as a finished run.
fn tiny() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::copy(repository("sample-data/tiny/rehearsal.toml"), path.join("rehearsal.toml")).unwrap();
    let log = repository("sample-data/tiny/log.jsonl");
    let imported = run(path, &["import", log.to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    place_run(path);
    folder
}

fn place_run(path: &Path) {
    let project = Project::new(path);
    let capture = project.capture_folder().join("part-00000.parquet");
    let exchanges: Vec<CapturedExchange> = read_rows(&capture, Table::Capture, None, None).unwrap();
    let mut planned = Vec::new();
    for exchange in &exchanges {
        for arm in ["control", "next"] {
            let cached = exchange.cache_hit == Some(true);
            planned.push(PlannedRow {
                arm: arm.into(),
                ordinal: exchange.ordinal,
                request_id: exchange.request_id.clone(),
                excluded_reason: cached.then(|| "cache_hit".into()),
                ..PlannedRow::default()
            });
        }
    }
    let text = fs::read_to_string(repository("sample-data/tiny/attempts.jsonl")).unwrap();
    let attempts: Vec<AttemptRow> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let folder = project.run("tiny").unwrap();
    folder.create().unwrap();
    write_segment(&folder.planned_file(), Table::Planned, &planned, |_| 0).unwrap();
    let part = folder.results_folder().join("part-00001.parquet");
    write_segment(&part, Table::Results, &attempts, |_| 0).unwrap();
    let arm = |name: &str, is_control| rehearsal::dataset::ArmRecord {
        name: name.into(),
        is_control,
        protocol: "openai_chat".into(),
        base_url: "http://127.0.0.1:9/v1".into(),
    };
    let manifest = RunManifest {
        schema_version: 1,
        tool_version: "tiny".into(),
        run_id: "tiny".into(),
        started_at: "2026-11-02T00:00:00Z".into(),
        capture_sha256: String::new(),
        replay_identity: std::collections::BTreeMap::new(),
        arms: vec![arm("control", true), arm("next", false)],
        repeats: 1,
        shard: None,
        merged_shards: None,
        files: std::collections::BTreeMap::new(),
        prices: std::collections::BTreeMap::new(),
        checksum: String::new(),
    };
    write_json(&folder.manifest_file(), &manifest).unwrap();
}

fn ask(path: &Path, name: &str, parameters: &[&str]) -> Value {
    let mut arguments = vec!["sql", "--query", name, "--format", "json"];
    for parameter in parameters {
        arguments.extend(["--param", parameter]);
    }
    let answer = run(path, &arguments);
    assert_eq!(answer.code, 0, "{name}: {}", answer.stderr);
    serde_json::from_str(&answer.stdout).unwrap()
}

#[test]
fn the_queries_give_the_answers_that_were_worked_out_by_hand() {
    let folder = tiny();
    let path = folder.path();
    let text = fs::read_to_string(repository("sample-data/tiny/expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    for (name, key) in [
        ("report/coverage", "coverage"),
        ("report/error_classes", "error_classes"),
        ("report/money", "money"),
    ] {
        assert_eq!(ask(path, name, &[]), expected[key], "{name}");
    }
    let models = ask(path, "report/results_by_model", &[]);
    for (found, wanted) in
        models.as_array().unwrap().iter().zip(expected["models"].as_array().unwrap())
    {
        for (field, value) in wanted.as_object().unwrap() {
            assert_eq!(&found[field], value, "{field} of {found}");
        }
    }
    assert_eq!(models.as_array().unwrap().len(), expected["models"].as_array().unwrap().len());

    let common = ["segment=(all)", "min_n=0", "confidence=0.95", "limit=0.1"];
    let with = |arm: &'static str| [vec![arm], common.to_vec()].concat();
    let rate = ask(path, "criteria/error_rate", &with("arm=next"));
    assert_eq!(rate[0]["events"], expected["error_rate"]["next"]["events"]);
    assert_eq!(rate[0]["n"], expected["error_rate"]["next"]["n"]);
    for arm in ["next", "control"] {
        let parameters =
            [with(if arm == "next" { "arm=next" } else { "arm=control" }), vec!["measure=exact"]]
                .concat();
        let found = ask(path, "criteria/consistency", &parameters);
        let wanted = expected["exact_disagreement"][arm].as_f64().unwrap();
        let value = found[0]["value"].as_f64().unwrap();
        assert!((value - wanted).abs() < 1e-12, "{arm}: {value} against {wanted}");
    }
}

#[test]
fn every_audit_of_the_results_finds_nothing_here_and_something_when_a_row_is_doubled() {
    let folder = tiny();
    let path = folder.path();
    for name in [
        "duplicate_attempts",
        "impossible_attempts",
        "several_final_attempts",
        "unplanned_attempts",
    ] {
        assert_eq!(ask(path, &format!("checks/{name}"), &[]), json!([]), "{name}");
    }
    let results = path.join("runs/tiny/results");
    fs::copy(results.join("part-00001.parquet"), results.join("part-00002.parquet")).unwrap();
    assert_ne!(ask(path, "checks/duplicate_attempts", &[]), json!([]));
    assert_ne!(ask(path, "checks/several_final_attempts", &[]), json!([]));
}
