//! The queries of `queries/consistency/` over five exchanges whose answers were worked out by hand.

use std::fs;
use std::path::Path;

use rehearsal::dataset::{
    ArmRecord, AttemptRow, PlannedRow, Project, RunManifest, Table, write_json, write_segment,
};
use serde_json::{Value, json};

use crate::support::run;

/// One answer: text, tool calls as the column holds them, finish reason.
type Answer = (&'static str, Option<&'static str>, &'static str);

const CAPTURED: [Answer; 5] = [
    (r#"{"id": 1, "items": [{"price": 2.5}, {"price": 3}]}"#, None, "stop"),
    (
        "",
        Some(r#"[{"id":"a","name":"find","arguments":"{\"city\":\"Rome\",\"n\":3}"}]"#),
        "tool_calls",
    ),
    ("The invoice will be sent to you at the end of the month.", None, "stop"),
    ("I'm sorry, but I can't help with that.", None, "stop"),
    ("You can change this in the settings of your account.", None, "stop"),
];
const CANDIDATE: [Answer; 5] = [
    (r#"{"id": "1", "items": [{"price": 2}, {"price": 4}]}"#, None, "stop"),
    (
        "",
        Some(r#"[{"id":"b","name":"find","arguments":"{\"n\":3,\"city\":\"Paris\"}"}]"#),
        "tool_calls",
    ),
    ("Die Rechnung wird Ihnen am Ende des Monats geschickt.", None, "length"),
    ("Of course: turn the key to the left and pull.", None, "stop"),
    ("I cannot help you with your account.", None, "stop"),
];
const CONTROL: [Answer; 5] = [
    (r#"{"id": 1, "items": [{"price": 2}, {"price": 3}]}"#, None, "stop"),
    CAPTURED[1],
    CAPTURED[2],
    CAPTURED[3],
    CAPTURED[4],
];

fn log_line(ordinal: usize, (text, calls, reason): Answer) -> String {
    let calls: Option<Vec<Value>> = calls.map(|calls| {
        let list: Vec<Value> = serde_json::from_str(calls).unwrap();
        let wire = |call: &Value| {
            json!({"id": call["id"], "type": "function", "function":
                   {"name": call["name"], "arguments": call["arguments"]}})
        };
        list.iter().map(wire).collect()
    });
    let request = json!({"model": "small-1", "max_tokens": 100, "messages": [
        {"role": "user", "content": format!("Question {ordinal}")}]});
    json!({"timestamp": format!("2026-03-02T09:00:{ordinal:02}.000Z"), "provider": "openai",
           "request_id": format!("q-{ordinal}"), "request": request, "status": 200,
           "latency_ms": 500, "response": {"id": "r", "object": "chat.completion", "created": 1,
               "model": "small-1", "choices": [{"index": 0, "finish_reason": reason, "message":
                   {"role": "assistant", "content": text, "tool_calls": calls}}],
               "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}}})
    .to_string()
}

fn attempt(arm: &str, ordinal: usize, (text, calls, reason): Answer) -> AttemptRow {
    AttemptRow {
        run_id: "by-hand".into(),
        arm: arm.into(),
        ordinal: ordinal as i32,
        request_id: format!("q-{ordinal}"),
        repeat: 1,
        attempt: 1,
        first: true,
        is_final: true,
        latency_ms: 100.0,
        response_text: Some(text.into()),
        tool_calls: calls.map(str::to_owned),
        finish_reason: Some(reason.into()),
        ..AttemptRow::default()
    }
}

/// A capture with these answers, and a finished run with a control and a candidate.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let lines: Vec<String> =
        CAPTURED.iter().enumerate().map(|(ordinal, answer)| log_line(ordinal, *answer)).collect();
    fs::write(path.join("log.jsonl"), lines.join("\n")).unwrap();
    let imported = run(path, &["import", path.join("log.jsonl").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let (mut planned, mut attempts) = (Vec::new(), Vec::new());
    for (arm, answers) in [("control", CONTROL), ("next", CANDIDATE)] {
        for (ordinal, answer) in answers.into_iter().enumerate() {
            planned.push(PlannedRow {
                arm: arm.into(),
                ordinal: ordinal as i32,
                request_id: format!("q-{ordinal}"),
                ..PlannedRow::default()
            });
            attempts.push(attempt(arm, ordinal, answer));
        }
    }
    let folder_of_run = Project::new(path).run("by-hand").unwrap();
    folder_of_run.create().unwrap();
    write_segment(&folder_of_run.planned_file(), Table::Planned, &planned, |_| 0).unwrap();
    let part = folder_of_run.results_folder().join("part-00001.parquet");
    write_segment(&part, Table::Results, &attempts, |_| 0).unwrap();
    let arm = |name: &str, is_control| ArmRecord {
        name: name.into(),
        is_control,
        protocol: "openai_chat".into(),
        base_url: "http://127.0.0.1:9/v1".into(),
    };
    let manifest = RunManifest {
        schema_version: 1,
        tool_version: "by-hand".into(),
        run_id: "by-hand".into(),
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
    write_json(&folder_of_run.manifest_file(), &manifest).unwrap();
    folder
}

fn ask(path: &Path, name: &str, parameters: &[&str]) -> Vec<Value> {
    let name = format!("consistency/{name}");
    let mut arguments = vec!["sql", "--query", &name, "--format", "json"];
    for parameter in parameters {
        arguments.extend(["--param", parameter]);
    }
    let answer = run(path, &arguments);
    assert_eq!(answer.code, 0, "{name}: {}", answer.stderr);
    serde_json::from_str(&answer.stdout).unwrap()
}

fn fields(rows: &[Value], names: &[&str]) -> Vec<Vec<Value>> {
    rows.iter().map(|row| names.iter().map(|name| row[*name].clone()).collect()).collect()
}

#[test]
fn differences_are_named_by_path_argument_and_kind() {
    let folder = project();
    let strict = ["arm=next", "array_order=ordered", "tolerance=0"];
    let paths = ask(folder.path(), "json_paths", &strict);
    let names = ["path", "kind", "exchanges", "compared", "only_candidate", "only_control"];
    let expected =
        [json!(["$.id", "type", 1, 1, 1, 0]), json!(["$.items[*].price", "value", 1, 1, 0, 0])];
    assert_eq!(json!(fields(&paths, &names)), json!(expected));
    let lenient = ["arm=next", "array_order=free", "tolerance=0.5"];
    assert_eq!(ask(folder.path(), "json_paths", &lenient).len(), 1);

    let tools = ask(folder.path(), "tool_arguments", &["arm=next"]);
    let names = ["tool", "argument", "kind", "exchanges", "compared"];
    assert_eq!(json!(fields(&tools, &names)), json!([["find", "$.city", "value", 1, 1]]));
    assert_eq!(ask(folder.path(), "tool_arguments", &["arm=control"]), Vec::<Value>::new());
}

#[test]
fn refusals_languages_and_endings_are_counted() {
    let folder = project();
    let refusals = ask(folder.path(), "refusals", &[]);
    let names = ["arm", "compared", "both_refuse", "new_refusals", "lost_refusals"];
    let expected = json!([["control", 5, 1, 0, 0], ["next", 5, 0, 1, 1]]);
    assert_eq!(json!(fields(&refusals, &names)), expected);

    let languages = ask(folder.path(), "languages", &[]);
    let names = ["arm", "captured_language", "final_language", "exchanges", "compared"];
    assert_eq!(json!(fields(&languages, &names)), json!([["next", "en", "de", 1, 3]]));

    let endings = ask(folder.path(), "finish_reasons", &["arm=next"]);
    let cut: Vec<&Value> = endings.iter().filter(|row| row["change"] == "cut").collect();
    assert_eq!(cut.len(), 1);
    assert_eq!((&cut[0]["captured_reason"], &cut[0]["exchanges"]), (&json!("stop"), &json!(1)));
}

#[test]
fn measures_turns_and_worst_pairs_follow_from_the_answers() {
    let folder = project();
    let measures = ask(folder.path(), "measures", &["arm=next", "confidence=0.95"]);
    let of = |measure: &str| measures.iter().find(|row| row["measure"] == measure).unwrap();
    assert_eq!((&of("exact")["n"], &of("exact")["disagreement"]), (&json!(5), &json!(0.8)));
    // One pair is counted, and has no estimate.
    for measure in ["tool_calls", "json_paths"] {
        let row = of(measure);
        assert_eq!((&row["n"], &row["disagreement"]), (&json!(1), &Value::Null), "{measure}");
    }
    assert_eq!(measures.len(), 11);

    let turns = ask(folder.path(), "by_turn", &["arm=next", "confidence=0.95"]);
    let names = ["first_turn", "n", "with_tools", "tools_differ", "new_refusals"];
    assert_eq!(json!(fields(&turns, &names)), json!([[1, 5, 1, 1, 1]]));

    let worst = ask(folder.path(), "worst_pairs", &["arm=next", "most=4"]);
    assert_eq!(worst.iter().map(|row| row["place"].clone()).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let excess: Vec<f64> = worst.iter().map(|row| row["excess"].as_f64().unwrap()).collect();
    assert!(excess.is_sorted_by(|a, b| a >= b), "{excess:?}");
    let json_answer = worst.iter().find(|row| row["ordinal"] == 0).unwrap();
    assert!(json_answer["control_disagreement"].as_f64().unwrap() > 0.0);
    let none = ask(folder.path(), "worst_pairs", &["arm=control", "most=1"]);
    assert_eq!(none[0]["excess"], json!(0.0));
}
