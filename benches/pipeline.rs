//! Benchmarks of the pipeline: import, replay against the in-process simulator, and the journal.
//!
//! Everything lies under the target folder's `tmp`, because the journal's figure is the disk's:
//! a temporary folder in memory would flatter it. Figures of an unoptimised build mean nothing.

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has nobody to tell")]

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput};
use rehearsal::capture::{ImportOptions, ImportOutcome, SecretsOnly, import};
use rehearsal::dataset::Project;
use rehearsal::plan::{self, Plan, PriceBook};
use rehearsal::replay::{
    AttemptKey, Intent, Journal, JournalWriter, Outcome, Progress, ReplayOptions, ReplayOutcome,
    replay,
};
use rehearsal::simulator::traffic::{
    CANDIDATE_LARGE, CANDIDATE_SMALL, Scenario, Traffic, TrafficConfig, demo_simulator, generate,
};
use rehearsal::simulator::{Simulator, SimulatorConfig};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// The least size of the log that is imported.
const LOG_BYTES: u64 = 40_000_000;

/// Exchanges that one replay sends.
const EXCHANGES: usize = 600;

/// So little of the demo's traffic holds one answer from the gateway's cache, which is not sent.
const CACHE_HITS: usize = 1;

/// How many writers of the journal wait at once.
const WRITERS: i32 = 64;

/// Attempts of each writer, one after the other.
const ATTEMPTS_PER_WRITER: i32 = 8;

const PAYLOAD_BYTES: usize = 1024;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    let runtime = Runtime::new().expect("a runtime");
    bench_import(&mut criterion);
    bench_replay(&mut criterion, &runtime);
    bench_journal(&mut criterion, &runtime);
    criterion.final_summary();
}

fn bench_import(criterion: &mut Criterion) {
    let inputs = folder();
    let log = inputs.path().join("log.jsonl");
    let (bytes, exchanges) = write_distinct_copies(&log, &generate(&TrafficConfig::default()));
    let mut group = criterion.benchmark_group("import");
    group.throughput(Throughput::Bytes(bytes));
    group.bench_function("plain_40_mb", |bencher| {
        let import_once = |project: TempDir| {
            let outcome = import_into(&Project::new(project.path()), &log);
            assert_eq!(outcome.manifest.exchanges, exchanges, "no line is a duplicate");
            project
        };
        bencher.iter_batched(folder, import_once, BatchSize::PerIteration);
    });
    group.finish();
}

fn bench_replay(criterion: &mut Criterion, runtime: &Runtime) {
    let inputs = folder();
    let log = inputs.path().join("log.jsonl");
    let config = TrafficConfig {
        exchanges: EXCHANGES + CACHE_HITS,
        sessions: EXCHANGES / 4,
        time_scale: 0.0,
        ..TrafficConfig::default()
    };
    let traffic = generate(&config);
    std::fs::write(&log, traffic.log_lines.join("\n")).expect("the log is written");
    let simulator = start_simulator(runtime, &config, &traffic);
    let plan_text = plan_text(simulator.addr());
    let mut group = criterion.benchmark_group("replay");
    group.throughput(Throughput::Elements(EXCHANGES as u64));
    group.bench_function("simulator_600_exchanges", |bencher| {
        let prepare = || Replay::prepare(&log, &plan_text);
        let replay_once = |replay: Replay| replay.run(runtime);
        bencher.iter_batched(prepare, replay_once, BatchSize::PerIteration);
    });
    group.finish();
    runtime.block_on(simulator.stop());
}

fn bench_journal(criterion: &mut Criterion, runtime: &Runtime) {
    let mut group = criterion.benchmark_group("journal");
    group.throughput(Throughput::Elements((WRITERS * ATTEMPTS_PER_WRITER).unsigned_abs().into()));
    group.bench_function("durable_attempts_64_writers", |bencher| {
        let write_all = |open: OpenJournal| {
            runtime.block_on(write_attempts(&open.journal));
            open
        };
        bencher.iter_batched(OpenJournal::new, write_all, BatchSize::PerIteration);
    });
    group.finish();
}

fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder")
}

fn import_into(project: &Project, log: &Path) -> ImportOutcome {
    let inputs = vec![log.to_string_lossy().into_owned()];
    let options = ImportOptions { inputs, ..ImportOptions::default() };
    import(project, &options, &SecretsOnly, &mut |_| ()).expect("the log is imported")
}

/// Writes the traffic again and again under other names and with other prompts; says how many
/// bytes and how many exchanges that made.
fn write_distinct_copies(path: &Path, traffic: &Traffic) -> (u64, u64) {
    let mut lines: Vec<&str> = traffic.log_lines.iter().map(String::as_str).collect();
    lines.retain(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
    // The demo's log holds a line twice, as real ones do.
    let mut seen = HashSet::new();
    lines.retain(|line| seen.insert(*line));
    let mut file = BufWriter::new(File::create(path).expect("the log is created"));
    let (mut bytes, mut copies) = (0, 0);
    while bytes < LOG_BYTES {
        for line in &lines {
            let line = distinct_copy(line, copies);
            writeln!(file, "{line}").expect("the log is written");
            bytes += line.len() as u64 + 1;
        }
        copies += 1;
    }
    file.flush().expect("the log is written");
    (bytes, copies * lines.len() as u64)
}

fn distinct_copy(line: &str, copy: u64) -> String {
    line.replace(r#""request_id":""#, &format!(r#""request_id":"c{copy}-"#))
        .replace(r#""session_id":""#, &format!(r#""session_id":"c{copy}-"#))
        .replace(r#""content":""#, &format!(r#""content":"Copy {copy}. "#))
}

fn start_simulator(runtime: &Runtime, config: &TrafficConfig, traffic: &Traffic) -> Simulator {
    let simulated = SimulatorConfig {
        log: false,
        ..demo_simulator(Scenario::Go, config, &traffic.answer_map())
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    runtime.block_on(Simulator::start(simulated, address)).expect("the simulator starts")
}

/// One replay that is ready to start, in a project of its own.
struct Replay {
    folder: TempDir,
    plan: Plan,
    prices: PriceBook,
}

impl Replay {
    fn prepare(log: &Path, plan_text: &str) -> Self {
        let folder = folder();
        let project = Project::new(folder.path());
        import_into(&project, log);
        let plan = plan::parse(&project.plan_file(), plan_text).expect("the plan is valid");
        let prices = PriceBook::new(&plan, folder.path()).expect("the prices are valid");
        Replay { folder, plan, prices }
    }

    /// Gives the folder back, so that its removal is not timed.
    fn run(self, runtime: &Runtime) -> TempDir {
        let project = Project::new(self.folder.path());
        let options =
            ReplayOptions { started_at: "2026-11-02T00:00:00Z".into(), ..ReplayOptions::default() };
        let progress = Arc::new(Progress::new(Instant::now()));
        let no_key = |_: &str| None;
        let ended = replay(&project, &self.plan, self.prices, &no_key, &options, progress, |_| ());
        let ReplayOutcome { done, .. } = runtime.block_on(ended).expect("the replay ends");
        assert_eq!(done, EXCHANGES as u64, "every exchange is replayed");
        self.folder
    }
}

fn plan_text(address: SocketAddr) -> String {
    format!(
        r#"version = 1
title = "Benchmark"

[incumbent]
provider = "openai"

[[candidate]]
name = "next"
protocol = "openai_chat"
base_url = "http://{address}/v1"
models = {{ "gpt-4o*" = "{CANDIDATE_LARGE}", "*" = "{CANDIDATE_SMALL}" }}
max_output_tokens = 1024
prices = {{ input = "2.00 USD/1M", output = "6.00 USD/1M" }}

[replay]
pace = "closed"
concurrency = 64
budget = "500 USD"
seed = 1

[[criterion]]
metric = "error_rate"
max = "0.1%"
"#
    )
}

/// A fresh journal, kept until the clock has stopped.
struct OpenJournal {
    journal: Journal,
    _writer: JournalWriter,
    _folder: TempDir,
}

impl OpenJournal {
    fn new() -> Self {
        let folder = folder();
        let path = folder.path().join("journal.sqlite");
        let (journal, writer, _) = Journal::open(&path).expect("the journal opens");
        OpenJournal { journal, _writer: writer, _folder: folder }
    }
}

async fn write_attempts(journal: &Journal) {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let journal = journal.clone();
        writers.spawn(async move {
            for attempt in 0..ATTEMPTS_PER_WRITER {
                write_attempt(&journal, writer * ATTEMPTS_PER_WRITER + attempt).await;
            }
        });
    }
    writers.join_all().await;
}

async fn write_attempt(journal: &Journal, ordinal: i32) {
    let key = AttemptKey { arm: 0, ordinal, repeat: 1, attempt: 1 };
    let intent = Intent { key, reserved_nanousd: 1_000, at_us: 0 };
    journal.intent(intent).await.expect("the intent is durable");
    let outcome = Outcome {
        key,
        payload: vec![b'x'; PAYLOAD_BYTES],
        is_final: true,
        uncertain: false,
        cost_nanousd: Some(500),
    };
    journal.outcome(outcome).await.expect("the outcome is durable");
}
