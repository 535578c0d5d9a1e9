//! The demo, which is the main job: every scenario ends in the decision of its name.

use std::fs;

use serde_json::Value;

use crate::machine;
use crate::support::{only_run, program, repository, rows, run, said};

fn scenario(name: &str) -> (tempfile::TempDir, Value) {
    let folder = tempfile::tempdir().unwrap();
    let outcome = said(
        &program().args(["demo", "--scenario", name, "-C"]).arg(folder.path()).output().unwrap(),
    );
    assert_eq!(outcome.code, 0, "{name}: {}{}", outcome.stdout, outcome.stderr);
    let text = fs::read_to_string(only_run(folder.path()).join("verdict.json")).unwrap();
    (folder, serde_json::from_str(&text).unwrap())
}

fn assert_adds_up(verdict: &Value) {
    for row in verdict["coverage"].as_array().unwrap() {
        let count = |name: &str| row[name].as_u64().unwrap();
        let excluded: u64 =
            row["excluded"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(count("captured"), count("planned") + excluded);
        let accounted = count("done") + count("failed") + count("uncertain") + count("not_sent");
        assert_eq!(count("planned"), accounted);
    }
}

#[test]
fn go_ends_in_go_with_a_report_that_anybody_can_check() {
    let _machine = machine();
    let (folder, verdict) = scenario("go");
    assert_eq!(verdict["decision"], "GO");
    assert_adds_up(&verdict);
    let path = folder.path();
    let run_folder = only_run(path);

    // The verdict follows its checked-in schema.
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(repository("src/verdict/verdict.schema.json")).unwrap(),
    )
    .unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&verdict)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");

    // The same inputs give the same bytes, on any number of threads.
    let first = fs::read(run_folder.join("verdict.json")).unwrap();
    for threads in ["1", "3"] {
        assert_eq!(run(path, &["judge", "--threads", threads]).code, 0);
        assert_eq!(first, fs::read(run_folder.join("verdict.json")).unwrap(), "{threads} threads");
    }

    // The report says what the verdict says, in every form.
    let report: Value =
        serde_json::from_str(&fs::read_to_string(run_folder.join("report.json")).unwrap()).unwrap();
    assert_eq!(report["verdict"]["decision"], "GO");
    let html = fs::read_to_string(run_folder.join("report.html")).unwrap();
    assert!(html.contains("GO") && html.contains("<svg"));
    assert!(run(path, &["report", "--as", "markdown"]).stdout.contains("GO"));

    // An analyst gets the figure of the report from the query that the report names.
    let criterion = verdict["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["metric"] == "error_rate")
        .unwrap();
    let mut arguments = vec!["sql".to_owned(), "--query".to_owned()];
    arguments.push(criterion["query"].as_str().unwrap().to_owned());
    arguments.extend(["--format".to_owned(), "json".to_owned()]);
    for (name, value) in criterion["parameters"].as_object().unwrap() {
        arguments.extend(["--param".to_owned(), format!("{name}={}", value.as_str().unwrap())]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = run(path, &arguments);
    let found: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(found[0]["high"], criterion["high"], "{}", answer.stderr);

    // A second replay of a finished run sends nothing.
    let before = rows(path, "SELECT COUNT(*) AS n FROM results");
    let again = run(path, &["replay", "--yes"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_eq!(before, rows(path, "SELECT COUNT(*) AS n FROM results"));

    // An edited criterion changes the verdict, not the run.
    let plan = path.join("rehearsal.toml");
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("max = \"5s\"", "max = \"1ms\"")).unwrap();
    assert_eq!(run(path, &["judge"]).code, 10);
    // A changed model is another run's.
    let text = fs::read_to_string(&plan).unwrap();
    fs::write(&plan, text.replace("next-large", "next-huge")).unwrap();
    let refused = run(path, &["judge"]);
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("next.models"), "{}", refused.stderr);
}

#[test]
fn no_go_ends_in_no_go() {
    let _machine = machine();
    let (_folder, verdict) = scenario("no-go");
    assert_eq!(verdict["decision"], "NO-GO");
    assert_adds_up(&verdict);
    let reasons = verdict["reasons"].to_string();
    assert!(reasons.contains("criterion_not_met"), "{reasons}");
}

#[test]
fn inconclusive_says_how_many_exchanges_would_decide() {
    let _machine = machine();
    let (_folder, verdict) = scenario("inconclusive");
    assert_eq!(verdict["decision"], "INCONCLUSIVE");
    assert_adds_up(&verdict);
    let error_rate = verdict["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["metric"] == "error_rate")
        .unwrap();
    assert_eq!(error_rate["outcome"], "inconclusive");
    // 2,995 clean requests are needed to show less than 0.1 % at 95 %.
    assert_eq!(error_rate["needed"]["n"], 2_995);
}

#[test]
fn an_outage_ends_in_no_go() {
    let _machine = machine();
    let (_folder, verdict) = scenario("outage");
    assert_eq!(verdict["decision"], "NO-GO");
    assert_adds_up(&verdict);
}

#[test]
fn the_checked_in_schema_is_the_one_that_the_program_prints() {
    let _machine = machine();
    let printed = said(&program().args(["schema", "verdict"]).output().unwrap());
    let checked_in = fs::read_to_string(repository("src/verdict/verdict.schema.json")).unwrap();
    assert_eq!(printed.stdout, checked_in, "run `rehearsal schema verdict` into the file");
}
