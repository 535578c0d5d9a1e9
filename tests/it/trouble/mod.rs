//! What a provider and the way to it can do to a replay, and what comes of it.

mod keys;
mod modes;
mod outages;
mod signals;
mod walls;
mod way;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rehearsal::simulator::{LatencyModel, LogEntry, Simulator, SimulatorConfig};

use crate::support::{only_run, program, rows, run, said};

/// A simulated provider in this process.
struct Provider {
    runtime: tokio::runtime::Runtime,
    simulator: Option<Simulator>,
}

impl Provider {
    fn start(config: SimulatorConfig) -> Self {
        Provider::start_at(config, "127.0.0.1:0")
    }

    fn start_at(config: SimulatorConfig, address: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let address = address.parse().unwrap();
        let simulator = runtime.block_on(Simulator::start(config, address)).unwrap();
        Provider { runtime, simulator: Some(simulator) }
    }

    fn simulator(&self) -> &Simulator {
        self.simulator.as_ref().unwrap()
    }

    fn address(&self) -> String {
        self.simulator().addr().to_string()
    }

    fn log(&self) -> Vec<LogEntry> {
        self.simulator().log()
    }

    /// The identifiers of attempts in the order in which they arrived.
    fn attempts(&self) -> Vec<String> {
        self.log().into_iter().filter_map(|entry| entry.x_request_id).collect()
    }

    /// Ends it, so that its port is free.
    fn stop(mut self) {
        if let Some(simulator) = self.simulator.take() {
            self.runtime.block_on(simulator.stop());
        }
    }
}

/// A provider without delays.
fn instant() -> SimulatorConfig {
    SimulatorConfig { latency: LatencyModel::instant(), ..SimulatorConfig::default() }
}

/// A candidate of a plan, with more keys.
fn candidate(name: &str, protocol: &str, base_url: &str, more: &str) -> String {
    format!(
        "[[candidate]]\nname = \"{name}\"\nprotocol = \"{protocol}\"\nbase_url = \"{base_url}\"\n\
         models = {{ \"*\" = \"next\" }}\nmax_output_tokens = 64\n\
         prices = {{ input = \"1 USD/1M\", output = \"2 USD/1M\" }}\n{more}\n"
    )
}

/// Writes a plan and imports a log of `exchanges`, every other one streamed.
fn project(folder: &Path, exchanges: usize, candidates: &[String], replay: &str) {
    let bodies = (0..exchanges).map(|index| {
        serde_json::json!({
            "model": "gpt-4o-2024-05-13",
            "messages": [{ "role": "user", "content": format!("Question number {index}?") }],
            "max_tokens": 40,
            "stream": index % 2 == 0,
        })
    });
    project_of(folder, bodies, candidates, replay);
}

/// The same for a log of these bodies.
fn project_of(
    folder: &Path,
    bodies: impl Iterator<Item = serde_json::Value>,
    candidates: &[String],
    replay: &str,
) {
    let mut log = String::new();
    for (index, body) in bodies.enumerate() {
        let exchange = serde_json::json!({
            "timestamp": format!(
                "2026-11-02T{:02}:{:02}:{:02}Z", index / 3600, index / 60 % 60, index % 60
            ),
            "request_id": format!("r-{index}"),
            "request": body,
            "response": {
                "model": "gpt-4o-2024-05-13",
                "choices": [{ "index": 0, "finish_reason": "stop",
                              "message": { "role": "assistant", "content": "Yes." } }],
                "usage": { "prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11 },
            },
            "status": 200,
            "latency_ms": 100.0,
        });
        writeln!(log, "{exchange}").unwrap();
    }
    fs::write(folder.join("log.jsonl"), log).unwrap();
    let plan = format!(
        "version = 1\n[incumbent]\nprovider = \"openai\"\n{}[replay]\nbudget = \"50 USD\"\n{replay}\n\
         [[criterion]]\nmetric = \"error_rate\"\nmax = \"50%\"\n",
        candidates.concat()
    );
    fs::write(folder.join("rehearsal.toml"), plan).unwrap();
    let imported = run(folder, &["import", folder.join("log.jsonl").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);
}

/// The identifiers of every attempt in the results of the only run.
fn listed(folder: &Path) -> BTreeSet<String> {
    let run_id = only_run(folder).file_name().unwrap().to_string_lossy().into_owned();
    rows(folder, "SELECT arm, ordinal, repeat, attempt FROM results")
        .iter()
        .map(|row| {
            format!(
                "{run_id}.{}.{}.{}.{}",
                row["arm"].as_str().unwrap(),
                row["ordinal"],
                row["repeat"],
                row["attempt"]
            )
        })
        .collect()
}

/// Checks that every request that arrived is listed, and none arrived twice.
fn assert_nothing_sent_twice(folder: &Path, provider: &Provider) {
    let arrived = provider.attempts();
    let distinct: BTreeSet<String> = arrived.iter().cloned().collect();
    assert_eq!(arrived.len(), distinct.len(), "an attempt arrived twice");
    let unlisted: Vec<_> = distinct.difference(&listed(folder)).cloned().collect();
    assert!(unlisted.is_empty(), "sent and not listed: {unlisted:?}");
}

/// Replays with more arguments and variables.
fn replay_with(
    folder: &Path,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> crate::support::Said {
    let mut command = program();
    command.args(["replay", "--yes", "--progress", "none", "-C"]).arg(folder).args(arguments);
    command.envs(variables.iter().copied());
    said(&command.output().unwrap())
}
