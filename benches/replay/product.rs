//! This product, as a user runs it: capture on disk, journal synced, results in Parquet.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rehearsal::capture::{ImportOptions, SecretsOnly, import};
use rehearsal::dataset::{AttemptRow, Project, Table, read_rows};
use rehearsal::plan::{self, PriceBook};
use rehearsal::replay::{Progress, ReplayOptions, replay};

use crate::{Pace, Report, Timed, Work, cpu_s};

/// How often whoever watches a replay looks at its progress.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The name of the run, which the server is told as part of each identifier.
const RUN: &str = "bench";

pub(crate) fn run(work: &Work, watched: bool) -> Report {
    // On a real disk: the journal is synced to it.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let project = Project::new(folder.path());
    make_capture(&project, folder.path(), work);
    let plan = plan::parse(&project.plan_file(), &plan_text(work)).expect("the plan is valid");
    let prices = PriceBook::new(&plan, folder.path()).expect("the prices are valid");
    let options = ReplayOptions {
        run_id: Some(RUN.to_owned()),
        started_at: "2026-11-02T00:00:00Z".into(),
        ..ReplayOptions::default()
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (cpu, began) = (cpu_s(), Instant::now());
    let progress = Arc::new(Progress::new(began));
    let over = Arc::new(AtomicBool::new(false));
    let looking = watched.then(|| watch(progress.clone(), over.clone()));
    let no_key = |_: &str| None;
    let ended = replay(&project, &plan, prices, &no_key, &options, progress, |_| ());
    let outcome = runtime.block_on(ended).expect("the replay ends");
    let (cpu, wall_s) = (cpu_s() - cpu, began.elapsed().as_secs_f64());
    over.store(true, Ordering::Relaxed);
    if let Some(looking) = looking {
        looking.join().expect("the watcher ends");
    }
    assert_eq!(outcome.done, work.requests as u64, "every exchange is replayed");
    let rows = results(&project);
    let failed = rows.iter().filter(|row| row.error_class.is_some()).count();
    Report { cpu_s: cpu, wall_s, failed, timed: rows.iter().map(timed).collect() }
}

fn watch(progress: Arc<Progress>, over: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        while !over.load(Ordering::Relaxed) {
            std::hint::black_box(progress.snapshot(Instant::now()));
            std::thread::sleep(LOOK_EVERY);
        }
    })
}

fn timed(row: &AttemptRow) -> Timed {
    let AttemptRow { arm, ordinal, repeat, attempt, .. } = row;
    let id = format!("{RUN}.{arm}.{ordinal}.{repeat}.{attempt}");
    Timed { id, first_ms: row.ttft_ms, end_ms: row.latency_ms }
}

fn results(project: &Project) -> Vec<AttemptRow> {
    let folder = project.run(RUN).expect("the run").results_folder();
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(folder).expect("results") {
        let path = entry.expect("a segment").path();
        let segment = read_rows::<AttemptRow>(&path, Table::Results, None, None);
        rows.extend(segment.expect("rows"));
    }
    rows
}

fn make_capture(project: &Project, folder: &Path, work: &Work) {
    let log = folder.join("log.jsonl");
    let mut lines = String::new();
    for number in 0..work.requests {
        let second = number / 1_000;
        let _ = writeln!(
            lines,
            r#"{{"timestamp":"2026-11-02T{:02}:{:02}:{:02}.{:03}Z","id":"r-{number}","latency_ms":100,"status":200,"request":{{"model":"m","stream":{},"messages":[{{"role":"user","content":"{number} {}"}}]}},"response":{{"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"ok"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":1}}}}}}"#,
            second / 3_600,
            second / 60 % 60,
            second % 60,
            number % 1_000,
            work.stream,
            "x".repeat(900)
        );
    }
    std::fs::write(&log, lines).expect("the log is written");
    let inputs = vec![log.to_string_lossy().into_owned()];
    let options = ImportOptions { inputs, ..ImportOptions::default() };
    import(project, &options, &SecretsOnly, &mut |_| ()).expect("the log is imported");
}

fn plan_text(work: &Work) -> String {
    let (pace, concurrency) = match work.pace {
        Pace::Closed(at_once) => ("\"closed\"".to_owned(), at_once),
        Pace::Open(rate) => (format!("{{ rate = \"{rate}/s\" }}"), 8_192),
    };
    format!(
        r#"version = 1

[incumbent]
provider = "openai"

[[candidate]]
name = "peer"
protocol = "openai_chat"
base_url = "http://127.0.0.1:{}/v1"
models = {{ "*" = "m" }}
max_output_tokens = 1024
prices = {{ input = "0 USD/1M", output = "0 USD/1M" }}

[replay]
pace = {pace}
concurrency = {concurrency}
budget = "1 USD"
retries = 0
seed = 1

[[criterion]]
metric = "error_rate"
max = "1%"
"#,
        work.port
    )
}
