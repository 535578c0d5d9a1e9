//! The questions of load against attempts whose answers were worked out by hand, and against a
//! replay.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rehearsal::dataset::{
    ArmRecord, AttemptRow, CapturedExchange, PlannedRow, Project, RunManifest, Table, read_rows,
    write_json, write_segment,
};
use serde_json::{Value, json};

use crate::kills::{Provider, write_project};
use crate::support::{only_run, run};

/// When the first attempt of every synthetic run is due.
const START_US: i64 = 1_793_606_400_000_000;

/// One captured request: seconds after nine o'clock, tokens, and whether it is streamed.
type Captured = (f64, Option<i64>, bool);

fn log_line(index: usize, (at_s, tokens, stream): Captured) -> Value {
    let millis = (at_s * 1_000.0).round() as u64;
    let (hours, rest) = (9 + millis / 3_600_000, millis % 3_600_000);
    let time = format!(
        "2026-11-02T{hours:02}:{:02}:{:02}.{:03}Z",
        rest / 60_000,
        rest / 1_000 % 60,
        rest % 1_000
    );
    let mut response = json!({
        "model": "gpt-4o-2024-05-13",
        "choices": [{ "index": 0, "finish_reason": "stop",
                      "message": { "role": "assistant", "content": "Yes." } }],
    });
    if let Some(tokens) = tokens {
        response["usage"] =
            json!({ "prompt_tokens": tokens - 1, "completion_tokens": 1, "total_tokens": tokens });
    }
    json!({
        "timestamp": time,
        "request_id": format!("r-{index}"),
        "request": {
            "model": "gpt-4o-2024-05-13",
            "messages": [{ "role": "user", "content": format!("Question number {index}?") }],
            "max_tokens": 40,
            "stream": stream,
        },
        "response": response,
        "status": 200,
        "latency_ms": 100.0,
    })
}

/// A project with these captured requests and a run with these attempts.
fn project(captured: &[Captured], attempts: &[AttemptRow]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write_project(path, "http://127.0.0.1:9/v1", 0);
    let mut log = String::new();
    for (index, row) in captured.iter().enumerate() {
        writeln!(log, "{}", log_line(index, *row)).unwrap();
    }
    fs::write(path.join("log.jsonl"), log).unwrap();
    let imported = run(path, &["import", path.join("log.jsonl").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let project = Project::new(path);
    let segment = project.capture_folder().join("part-00000.parquet");
    let exchanges: Vec<CapturedExchange> = read_rows(&segment, Table::Capture, None, None).unwrap();
    let planned: Vec<PlannedRow> = exchanges
        .iter()
        .map(|exchange| PlannedRow {
            arm: "next".into(),
            ordinal: exchange.ordinal,
            request_id: exchange.request_id.clone(),
            ..PlannedRow::default()
        })
        .collect();
    let folder_of_run = project.run("hand").unwrap();
    folder_of_run.create().unwrap();
    write_segment(&folder_of_run.planned_file(), Table::Planned, &planned, |_| 0).unwrap();
    let part = folder_of_run.results_folder().join("part-00001.parquet");
    write_segment(&part, Table::Results, attempts, |_| 0).unwrap();
    let manifest = RunManifest {
        schema_version: 1,
        tool_version: "hand".into(),
        run_id: "hand".into(),
        started_at: "2026-11-02T00:00:00Z".into(),
        capture_sha256: String::new(),
        replay_identity: BTreeMap::new(),
        arms: vec![ArmRecord {
            name: "next".into(),
            is_control: false,
            protocol: "openai_chat".into(),
            base_url: "http://127.0.0.1:9/v1".into(),
        }],
        repeats: 1,
        shard: None,
        merged_shards: None,
        files: BTreeMap::new(),
        prices: BTreeMap::new(),
        checksum: String::new(),
    };
    write_json(&folder_of_run.manifest_file(), &manifest).unwrap();
    folder
}

/// As many captured requests as are needed, one a second.
fn evenly(count: usize) -> Vec<Captured> {
    (0..count).map(|index| (index as f64, Some(10), false)).collect()
}

/// A first attempt that is due at a time and answered after a latency.
fn attempt(ordinal: i32, due_ms: f64, latency_ms: f64) -> AttemptRow {
    let scheduled_at = START_US + (due_ms * 1_000.0) as i64;
    AttemptRow {
        run_id: "hand".into(),
        arm: "next".into(),
        ordinal,
        request_id: format!("r-{ordinal}"),
        repeat: 1,
        attempt: 1,
        first: true,
        is_final: true,
        scheduled_at,
        sent_at: scheduled_at,
        sent_mono_ns: (due_ms * 1e6) as i64,
        latency_ms,
        status_code: Some(200),
        input_tokens: Some(9),
        output_tokens: Some(1),
        cost_nanousd: Some(0),
        sample_weight: 1.0,
        ..AttemptRow::default()
    }
}

fn failed(mut row: AttemptRow, class: &str) -> AttemptRow {
    row.error_class = Some(class.into());
    row
}

fn ask(path: &Path, name: &str, parameters: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["sql", "--query", name, "--format", "json"];
    for parameter in parameters {
        arguments.extend(["--param", parameter]);
    }
    let answer = run(path, &arguments);
    assert_eq!(answer.code, 0, "{name}: {}", answer.stderr);
    serde_json::from_str(&answer.stdout).unwrap()
}

/// Checks the fields of a row; numbers to a billionth.
fn assert_row(row: &Value, wanted: &Value) {
    for (name, value) in wanted.as_object().unwrap() {
        let found = &row[name];
        let same = match (found.as_f64(), value.as_f64()) {
            (Some(found), Some(value)) => (found - value).abs() <= 1e-9 * value.abs().max(1.0),
            _ => found == value,
        };
        assert!(same, "{name}: {found} instead of {value} in {row}");
    }
}

#[test]
fn slip_counts_what_left_late_and_shows_the_latency_that_it_hides() {
    let mut attempts: Vec<AttemptRow> =
        (0..20).map(|index| attempt(index, f64::from(index) * 100.0, 100.0)).collect();
    // 5 % of the median latency of 100 ms: 5 ms is not late, 6 ms is.
    for (index, queue_ms) in [(3, 5.0), (9, 6.0), (15, 50.0), (17, 80.0)] {
        attempts[index].queue_ms = queue_ms;
        attempts[index].sent_at += (queue_ms * 1_000.0) as i64;
    }
    // Of the 50 ms the plan's concurrency accounts for 47; the last waited for its conversation.
    (attempts[15].held_back_ms, attempts[15].held_back_by) = (47.0, Some("concurrency".into()));
    (attempts[17].held_back_ms, attempts[17].held_back_by) = (80.0, Some("session".into()));
    // A warm-up is no part of it.
    attempts.push(AttemptRow { warm_up: true, queue_ms: 77.0, ..attempt(20, 2_000.0, 9_000.0) });
    // A retry leaves by no schedule.
    attempts.push(AttemptRow { attempt: 2, first: false, queue_ms: 99.0, ..attempts[0].clone() });
    let folder = project(&evenly(21), &attempts);
    let rows = ask(folder.path(), "load/schedule_slip", &["late_share=0.05"]);
    assert_eq!(rows.len(), 1);
    assert_row(
        &rows[0],
        &json!({
            "arm": "next", "attempts": 20, "late": 2, "late_share": 0.1, "slip_p50_ms": 0.0,
            "slip_p99_ms": 50.0, "slip_max_ms": 50.0, "client_late": 1, "client_late_share": 0.05,
            "client_slip_p50_ms": 0.0, "client_slip_p99_ms": 6.0, "client_slip_max_ms": 6.0,
            "held_back": 1, "held_back_p99_ms": 47.0, "latency_p50_ms": 100.0,
            "from_sent_p99_ms": 100.0, "from_schedule_p99_ms": 150.0,
        }),
    );
}

#[test]
fn an_incident_lasts_until_the_successes_that_were_asked_for_and_recovery_is_from_its_first_failure()
 {
    // . success, x failure, l 429; one attempt every 100 ms, each answered after 10 ms.
    let attempts: Vec<AttemptRow> = "..xl.l...x......l."
        .chars()
        .enumerate()
        .map(|(index, mark)| {
            let row = attempt(index as i32, index as f64 * 100.0, 10.0);
            match mark {
                'x' => failed(row, "server_error"),
                'l' => {
                    let row = failed(row, "rate_limit_requests");
                    AttemptRow { retry_after_ms: Some(index as i64), ..row }
                }
                _ => row,
            }
        })
        .collect();
    let folder = project(&evenly(18), &attempts);
    let asked = ["successes=3", "min_failures=1", "most=10"];
    let rows = ask(folder.path(), "load/recovery", &asked);
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_row(
        &rows[0],
        &json!({
            "incident": 1, "kind": "mixed", "begins_s": 0.2, "failures": 3, "attempts": 4,
            "failing_ms": 300.0, "retry_after_ms": 5, "recovery_ms": 410.0, "incidents": 3,
            "unrecovered": 1,
        }),
    );
    assert_row(
        &rows[1],
        &json!({
            "kind": "failure", "begins_s": 0.9, "failures": 1, "attempts": 1, "failing_ms": 0.0,
            "retry_after_ms": null, "recovery_ms": 110.0,
        }),
    );
    assert_row(&rows[2], &json!({ "kind": "rate_limit", "begins_s": 1.6, "recovery_ms": null }));
    let asked = ["successes=3", "min_failures=2", "most=10"];
    let rows = ask(folder.path(), "load/recovery", &asked);
    assert_eq!(rows.len(), 1);
    assert_row(&rows[0], &json!({ "failures": 3, "incidents": 1, "unrecovered": 0 }));
    // Four successes are asked for: the first two bursts are one.
    let asked = ["successes=4", "min_failures=1", "most=1"];
    let rows = ask(folder.path(), "load/recovery", &asked);
    assert_eq!(rows.len(), 1);
    assert_row(
        &rows[0],
        &json!({ "failures": 4, "attempts": 8, "recovery_ms": 810.0, "incidents": 2 }),
    );
}

#[test]
fn limits_reject_what_their_buckets_do_not_hold_and_the_peak_is_counted_apart() {
    // Five at once at nine o'clock, one a minute later, two an hour and a half later.
    let captured: Vec<Captured> = vec![
        (0.0, Some(10), false),
        (0.0, Some(10), false),
        (0.0, Some(10), false),
        (0.0, None, false),
        (0.0, Some(10), false),
        (60.0, Some(10), false),
        (5_400.0, Some(400), false),
        (5_400.5, Some(400), false),
    ];
    let folder = project(&captured, &[]);
    let ask = |asked: &[&str]| -> BTreeMap<String, (i64, i64, i64)> {
        let rows = ask(folder.path(), "load/limit_rejections", asked);
        let count = |row: &Value, name: &str| row[name].as_i64().unwrap();
        rows.iter()
            .map(|row| {
                let counts =
                    (count(row, "requests"), count(row, "with_tokens"), count(row, "rejected"));
                (row["part"].as_str().unwrap().to_owned(), counts)
            })
            .collect()
    };
    // Two a minute: three of the first five are rejected, the later ones find a full bucket.
    let by_requests = ask(&["rpm=2", "tpm=inf", "burst_s=60"]);
    assert_eq!(by_requests["(all)"], (8, 7, 3));
    assert_eq!(by_requests["hour of most requests"], (6, 5, 3));
    assert_eq!(by_requests["minute of most requests"], (5, 4, 3));
    assert_eq!(by_requests["hour of most tokens"], (2, 2, 0));
    assert_eq!(by_requests["minute of most tokens"], (2, 2, 0));
    // Enforced by the second the bucket holds one: the last comes half a second too early.
    assert_eq!(ask(&["rpm=2", "tpm=inf", "burst_s=1"])["(all)"], (8, 7, 5));
    // 600 tokens a minute: only the second of the large ones is too much.
    let by_tokens = ask(&["rpm=inf", "tpm=600", "burst_s=60"]);
    assert_eq!((by_tokens["(all)"].2, by_tokens["minute of most tokens"].2), (1, 1));
    assert_eq!(ask(&["rpm=inf", "tpm=inf", "burst_s=60"])["(all)"].2, 0);
}

#[test]
fn the_busiest_hour_and_minute_are_set_against_the_best_window() {
    // The hour from nine: 3 requests of 10 tokens; the hour from ten: 2 of 100, one minute apart.
    let captured: Vec<Captured> = vec![
        (0.0, Some(10), false),
        (90.0, Some(10), false),
        (95.0, Some(10), false),
        (3_600.0, Some(100), false),
        (3_660.0, Some(100), false),
    ];
    // Answers end in windows of 10 s: one in the first, three in the second, a failure apart.
    let mut attempts = vec![
        attempt(0, 0.0, 9_000.0),
        attempt(1, 1_000.0, 9_500.0),
        attempt(2, 12_000.0, 1_000.0),
        attempt(3, 15_000.0, 4_999.0),
        failed(attempt(4, 16_000.0, 100.0), "server_error"),
    ];
    attempts[3].output_tokens = Some(21);
    let folder = project(&captured, &attempts);
    let rows = ask(folder.path(), "load/peak_demand", &["window_s=10"]);
    let row = |span: &str, measure: &str| {
        rows.iter().find(|row| row["span"] == span && row["measure"] == measure).unwrap()
    };
    assert_eq!(rows.len(), 4);
    // Three answers in 10 s are 18 a minute; their tokens are 10, 10 and 30: 300 a minute.
    assert_row(
        row("hour", "requests"),
        &json!({
            "begins_at": "2026-11-02T09:00:00Z", "demand": 3, "demand_per_minute": 0.05,
            "answered_per_minute": 18.0, "answered_share": 360.0,
        }),
    );
    assert_row(
        row("hour", "tokens"),
        &json!({ "begins_at": "2026-11-02T10:00:00Z", "demand": 200, "answered_per_minute": 300.0 }),
    );
    assert_row(
        row("minute", "requests"),
        &json!({ "begins_at": "2026-11-02T09:01:00Z", "demand": 2, "answered_share": 9.0 }),
    );
    assert_row(
        row("minute", "tokens"),
        &json!({ "begins_at": "2026-11-02T10:00:00Z", "demand": 100, "answered_share": 3.0 }),
    );
}

#[test]
fn the_busiest_window_of_the_replay_is_judged_apart_from_the_rest() {
    // Four a second for a second, then one a second for five; one fails at the peak.
    let mut attempts: Vec<AttemptRow> =
        (0..4).map(|index| attempt(index, f64::from(index) * 250.0, 200.0)).collect();
    attempts[1] = failed(attempts[1].clone(), "timeout_total");
    attempts[2] = failed(attempts[2].clone(), "rate_limit_requests");
    attempts.extend((4..9).map(|i| attempt(i, f64::from(i - 3) * 1_000.0, 50.0 + f64::from(i))));
    for row in &mut attempts {
        row.ttft_ms = Some(row.latency_ms / 2.0);
    }
    let captured: Vec<Captured> =
        (0..9).map(|index| (f64::from(index), Some(10), index % 2 == 0)).collect();
    let folder = project(&captured, &attempts);
    let rows = ask(folder.path(), "load/at_peak", &["window_s=1", "confidence=0.95"]);
    assert_eq!(rows.len(), 2);
    assert_row(
        &rows[0],
        &json!({
            "part": "peak", "begins_s": 0.0, "sent": 4, "n": 3, "failures": 1,
            "error_rate": 1.0 / 3.0, "latency_p50_ms": 200.0, "ttft_p50_ms": 100.0,
        }),
    );
    // JSON has no infinity; CSV has.
    assert_eq!(rows[0]["latency_p99_ms"], Value::Null, "{}", rows[0]);
    assert_row(
        &rows[1],
        &json!({
            "part": "rest", "begins_s": null, "sent": 5, "n": 5, "failures": 0, "error_rate": 0.0,
            "latency_p50_ms": 56.0, "latency_p99_ms": 58.0, "ttft_p50_ms": 28.0,
        }),
    );
    let whole = ask(folder.path(), "load/at_peak", &["window_s=1000", "confidence=0.95"]);
    assert_eq!(whole.len(), 1);
    assert_row(&whole[0], &json!({ "part": "peak", "sent": 9, "failures": 1 }));
}

/// A ramp of three steps of 40 requests each, at 10, 20 and 40 a second.
///
/// The provider answers 20 a second at most: in the last step the answers of every second come
/// twice as far apart as their requests, and what waits longer than a second fails.
fn ramp() -> Vec<AttemptRow> {
    let mut attempts = Vec::new();
    let (mut due_ms, mut ordinal) = (0.0, 0);
    for (step, rate) in [(1, 10.0), (2, 20.0), (3, 40.0)] {
        for index in 0..40 {
            let latency = if step < 3 { 100.0 } else { 100.0 + f64::from(index) * 25.0 };
            let row = attempt(ordinal, due_ms, latency);
            let row = if latency > 1_000.0 { failed(row, "timeout_total") } else { row };
            attempts.push(AttemptRow {
                load_step: Some(step),
                offered_per_second: Some(rate),
                ttft_ms: Some(latency / 2.0),
                ..row
            });
            due_ms += 1_000.0 / rate;
            ordinal += 1;
        }
    }
    attempts
}

#[test]
fn the_steps_of_a_ramp_have_their_percentiles_failures_and_throughput() {
    let captured: Vec<Captured> = (0..120).map(|i| (f64::from(i), Some(10), i % 2 == 0)).collect();
    let folder = project(&captured, &ramp());
    let rows = ask(folder.path(), "load/steps", &["confidence=0.95"]);
    assert_eq!(rows.len(), 3);
    // 40 answers 100 ms apart; between the third and the 38th lie 35 gaps.
    assert_row(
        &rows[0],
        &json!({
            "load_step": 1, "offered_per_second": 10.0, "achieved_per_second": 10.0,
            "achieved_share": 1.0, "attempts": 40, "n": 40, "failures": 0, "error_rate": 0.0,
            "error_rate_low": 0.0, "error_rate_high": 1.0 - 0.05_f64.powf(1.0 / 40.0),
            "latency_p50_ms": 100.0, "latency_p99_ms": 100.0, "latency_p50_high_ms": 100.0,
            "ttft_p50_ms": 50.0, "slip_p99_ms": 0.0,
        }),
    );
    assert_eq!(rows[0]["latency_p99_high_ms"], Value::Null, "infinite, which JSON has not");
    assert_row(&rows[1], &json!({ "achieved_per_second": 20.0, "achieved_share": 1.0 }));
    // Latencies of 100, 125, ... ms: the first 37 are answered, one every 50 ms.
    assert_row(
        &rows[2],
        &json!({
            "achieved_per_second": 20.0, "achieved_share": 0.5, "n": 40, "failures": 3,
            "error_rate": 0.075, "latency_p50_ms": 575.0, "latency_p99_ms": null,
            "ttft_p50_ms": 275.0,
        }),
    );
    let asked = ["sql", "--query", "load/steps", "--param", "confidence=0.95", "--format", "csv"];
    let csv = run(folder.path(), &asked).stdout;
    assert!(csv.lines().nth(3).unwrap().contains(",inf,"), "{csv}");
}

#[test]
fn the_knee_is_the_last_rate_that_was_sustained_within_the_limit() {
    let folder = project(&evenly(120), &ramp());
    let knee = |measure: &str, p: &str, limit: &str, min_throughput: &str| -> Value {
        let [measure, p, limit, least] = [
            format!("measure={measure}"),
            format!("p={p}"),
            format!("limit={limit}"),
            format!("min_throughput={min_throughput}"),
        ];
        let asked = [measure.as_str(), &p, &limit, &least, "confidence=0.95"];
        let mut rows = ask(folder.path(), "load/knee", &asked);
        assert_eq!(rows.len(), 1);
        rows.remove(0)
    };
    // The planted knee: the third step answers half of what it is offered.
    assert_row(
        &knee("throughput", "0.5", "0", "0.95"),
        &json!({
            "steps": 3, "highest_per_second": 40.0, "holds_step": 2, "holds_per_second": 20.0,
            "holds_value": null, "fails_step": 3, "fails_per_second": 40.0,
            "fails_achieved_share": 0.5, "fails_by": "throughput", "undecided": 0,
        }),
    );
    assert_row(
        &knee("throughput", "0.5", "0", "0.5"),
        &json!({ "holds_step": 3, "fails_step": null, "fails_by": null }),
    );
    // Half of the offered rate is enough: the limit on the median fails the third step.
    assert_row(
        &knee("latency_ms", "0.5", "150", "0.5"),
        &json!({
            "holds_step": 2, "holds_value": 100.0, "holds_high": 100.0, "fails_step": 3,
            "fails_value": 575.0, "fails_by": "limit", "undecided": 0,
        }),
    );
    // Below every latency even the first step fails, and nothing holds.
    assert_row(
        &knee("latency_ms", "0.5", "99", "0.95"),
        &json!({ "holds_step": null, "holds_per_second": null, "fails_step": 1 }),
    );
    // 40 requests cannot bound a p99: no step is shown to hold.
    assert_row(
        &knee("latency_ms", "0.99", "150", "0.5"),
        &json!({ "holds_step": null, "undecided": 2, "fails_step": 3 }),
    );
    // With no failure in 40 the upper bound is 7.2 %.
    assert_row(&knee("error_rate", "0.5", "0.08", "0.95"), &json!({ "holds_step": 2 }));
    assert_row(
        &knee("error_rate", "0.5", "0.07", "0.95"),
        &json!({ "holds_step": null, "undecided": 2, "fails_by": "throughput" }),
    );
    assert_row(&knee("rate_limit_rate", "0.5", "0.08", "0.5"), &json!({ "holds_step": 3 }));
}

#[test]
fn a_step_has_settled_once_every_later_slice_is_near_its_end() {
    // Three steps of 4 s with a request every 100 ms; the second is slow for its first 1.2 s, the
    // third for its last half second.
    let mut attempts = Vec::new();
    for index in 0..120_i32 {
        let (step, place) = (index / 40, index % 40);
        let latency = match step {
            1 if place < 12 => 300.0,
            2 if place >= 35 => 300.0,
            _ => 100.0,
        };
        attempts.push(AttemptRow {
            load_step: Some(step + 1),
            offered_per_second: Some(10.0),
            ..attempt(index, f64::from(index) * 100.0, latency)
        });
    }
    let folder = project(&evenly(120), &attempts);
    let rows = ask(folder.path(), "load/settling", &["slices=8", "band=0.2"]);
    assert_eq!(rows.len(), 3);
    let of = |end: f64, highest: f64, settling: Value| {
        json!({ "answered": 40, "step_s": 4.0, "end_level_ms": end, "highest_ms": highest,
                "settling_s": settling })
    };
    assert_row(&rows[0], &of(100.0, 100.0, json!(0.0)));
    // Slices of half a second: the third holds two slow ones of five, so that its median is fast.
    assert_row(&rows[1], &of(100.0, 300.0, json!(1.0)));
    assert_row(&rows[2], &of(100.0, 300.0, Value::Null));
}

/// Replays on a schedule, then lets every first attempt have left by so much too late.
fn replayed_late(queue_ms: f64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let provider = Provider::start(path);
    write_project(path, &provider.base_url, 120);
    let plan = path.join("rehearsal.toml");
    let text = fs::read_to_string(&plan).unwrap();
    let criteria = "[[criterion]]\nmetric = \"latency_ms.p50\"\nmax = \"60s\"\n\
                    [[criterion]]\nmetric = \"coverage\"\nmin = \"50%\"\n";
    let text = text.replace("[replay]", "[replay]\npace = { rate = \"400/s\" }") + criteria;
    fs::write(&plan, text).unwrap();
    assert_eq!(run(path, &["import", path.join("log.jsonl").to_str().unwrap()]).code, 0);
    let replayed = run(path, &["replay"]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    let results = only_run(path).join("results");
    for file in fs::read_dir(results).unwrap() {
        let file = file.unwrap().path();
        let mut rows: Vec<AttemptRow> = read_rows(&file, Table::Results, None, None).unwrap();
        for row in &mut rows {
            row.queue_ms = queue_ms;
            row.held_back_ms = 0.0;
            row.client_overhead_ms = 0.0;
            row.event_loop_lag_ms = None;
            row.first_token_lag_ms = None;
        }
        write_segment(&file, Table::Results, &rows, |_| 0).unwrap();
    }
    // It knows the segments as they were.
    fs::remove_file(only_run(path).join("journal.sqlite")).unwrap();
    folder
}

fn judged(path: &Path) -> (i32, Value) {
    let outcome = run(path, &["judge", "--json"]);
    (outcome.code, serde_json::from_str(&outcome.stdout).unwrap())
}

fn outcome_of<'a>(verdict: &'a Value, metric: &str) -> &'a Value {
    let criteria = verdict["criteria"].as_array().unwrap();
    criteria.iter().find(|criterion| criterion["metric"] == metric).unwrap()
}

#[test]
fn late_sending_leaves_durations_undecided_and_the_rest_judged_and_says_so_everywhere() {
    let folder = replayed_late(1e6);
    let path = folder.path();
    let (code, verdict) = judged(path);
    assert_eq!(code, 11, "{verdict}");
    let latency = outcome_of(&verdict, "latency_ms.p50");
    assert_eq!(latency["outcome"], "inconclusive");
    assert_eq!((&latency["p_holm"], &latency["needed"]), (&Value::Null, &Value::Null));
    assert!(latency["estimate"].is_number() && latency["high"].is_number(), "{latency}");
    assert!(latency["reason"].as_str().unwrap().contains("the client was the bottleneck"));
    for metric in ["error_rate", "coverage"] {
        assert_eq!(outcome_of(&verdict, metric)["outcome"], "met", "{metric}");
    }
    let reasons = verdict["reasons"].as_array().unwrap();
    let stated = reasons.iter().find(|reason| reason["code"] == "coordinated_omission").unwrap();
    assert!(stated["text"].as_str().unwrap().contains("slip p50 1000000.000 ms"), "{stated}");
    assert!(run(path, &["judge"]).stdout.contains("coordinated omission"));

    let report = run(path, &["report", "--as", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_row(&report["load"]["slip"][0], &json!({ "late_share": 1.0, "slip_max_ms": 1e6 }));
    let queries = report["queries"].to_string();
    assert!(queries.contains("load/schedule_slip") && queries.contains("load/knee"), "{queries}");
    let markdown = run(path, &["report", "--as", "markdown"]).stdout;
    assert!(markdown.contains("<summary>Load</summary>"), "{markdown}");
    let html = run(path, &["report", "--as", "html"]).stdout;
    assert!(html.contains("<section id=\"load\">") && html.contains("Send slip"), "no section");
}

#[test]
fn a_schedule_that_was_kept_is_stated_and_keeps_no_go_away() {
    let folder = replayed_late(0.0);
    let (code, verdict) = judged(folder.path());
    assert_eq!(code, 0, "{verdict}");
    let codes: Vec<&str> = verdict["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["all_gates_met", "on_schedule"]);
}

#[test]
fn a_ramp_beyond_what_the_provider_takes_finds_where_it_breaks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // A minute of this provider lasts 1.2 s: 24 requests in it are 20 a second.
    let settings = "seed = 7\ntime_scale = 0.02\n[limits]\nrequests_per_minute = 24.0\n\
                    request_burst = 2.0\n";
    let provider = Provider::with_settings(path, settings);
    write_project(path, &provider.base_url, 210);
    let plan = path.join("rehearsal.toml");
    let text = fs::read_to_string(&plan).unwrap();
    let ramp = "[replay]\nretries = 0\n\
                pace = { ramp = { from = \"10/s\", to = \"80/s\", steps = 2, step = \"1s\" } }";
    fs::write(&plan, text.replace("[replay]", ramp)).unwrap();
    assert_eq!(run(path, &["import", path.join("log.jsonl").to_str().unwrap()]).code, 0);
    let replayed = run(path, &["replay"]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    let steps = ask(path, "load/steps", &["confidence=0.95"]);
    let count = |name: &str| -> i64 { steps.iter().map(|row| row[name].as_i64().unwrap()).sum() };
    assert_eq!((steps.len(), count("attempts")), (2, 210), "{steps:?}");
    assert_eq!(count("n") + count("rate_limited"), 210, "{steps:?}");
    // 80 a second are four times what the provider takes, whatever this machine is busy with.
    let asked =
        ["measure=throughput", "p=0.5", "limit=0", "confidence=0.95", "min_throughput=0.95"];
    let knee = ask(path, "load/knee", &asked);
    assert_row(&knee[0], &json!({ "steps": 2, "highest_per_second": 80.0 }));
    assert!(knee[0]["fails_step"].is_i64() && knee[0]["fails_by"] == "throughput", "{knee:?}");
    assert_ne!(knee[0]["holds_per_second"].as_f64(), Some(80.0));
    let report = run(path, &["report", "--as", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert!(report["load"]["knees"][0]["fails_per_second"].is_number(), "{}", report["load"]);
    let html = run(path, &["report", "--as", "html"]).stdout;
    assert_eq!(html.matches("class=\"mark load-error").count(), 4, "two steps, two durations");
}
