//! `rehearsal demo`: the main job on invented traffic and the simulated provider.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::failure::Failure;
use super::redaction::Personal;
use super::run::{Ended, replay_to_report};
use super::{Common, import, load, print, say};
use crate::capture::ImportOptions;
use crate::dataset::{DatasetError, Project, create_private_dir, write_atomically};
use crate::simulator::Simulator;
use crate::simulator::traffic::{self, Scenario};
use crate::verdict::Decision;

/// Where the demo writes, unless `-C` names a folder.
const DEMO_FOLDER: &str = "rehearsal-demo";

const EXIT_UNEXPECTED: u8 = 1;

#[derive(Debug, Args)]
#[command(after_long_help = "\
Invents a day of traffic, serves it from a simulated provider on 127.0.0.1, and runs import, \
replay, judge and report on it. Exits 0 when the scenario ended in the decision of its name \
(an outage ends in NO-GO).

Examples:
  rehearsal demo
  rehearsal demo --scenario no-go -C my-demo")]
pub(super) struct DemoArguments {
    /// How the story ends: go, no-go, inconclusive or outage
    #[arg(long, default_value = "go", value_parser = Scenario::from_str)]
    scenario: Scenario,
    /// Seed of the story
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) async fn demo(common: &Common, own: &DemoArguments) -> Result<u8, Failure> {
    let folder = if common.folder == Path::new(".") {
        PathBuf::from(DEMO_FOLDER)
    } else {
        common.folder.clone()
    };
    let common = Common { folder: folder.clone(), config: None, run: None, ..common.clone() };
    create_private_dir(&folder)?;
    let config = own.scenario.traffic(own.seed);
    let invented = traffic::generate(&config);
    let answers = invented.answer_map();
    let log_file = folder.join("log.jsonl");
    write_text(&log_file, &(invented.log_lines.join("\n") + "\n"))?;
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let simulated = traffic::demo_simulator(own.scenario, &config, &answers);
    let simulator = Simulator::start(simulated, address)
        .await
        .map_err(|error| Failure::internal(error.to_string()))?;
    let project = Project::new(&folder);
    write_text(&project.plan_file(), &plan_text(own, simulator.addr()))?;

    step(&common, "import log.jsonl");
    let options = ImportOptions {
        inputs: vec![log_file.to_string_lossy().into_owned()],
        max_reject_rate: 0.01,
        ..ImportOptions::default()
    };
    let code = import::import_into(&common, &project, &options, &Personal::none())?;
    if code != 0 {
        return Ok(code);
    }
    step(&common, "replay");
    let plan = load::plan(&common)?;
    let ended = replay_to_report(&common, &plan, true).await;
    simulator.stop().await;
    match ended? {
        Ended::Stopped(code) => Ok(code),
        Ended::Judged(verdict) => conclude(&common, own.scenario, verdict.decision),
    }
}

fn conclude(common: &Common, scenario: Scenario, decision: Decision) -> Result<u8, Failure> {
    let expected = match scenario {
        Scenario::Go => Decision::Go,
        Scenario::NoGo | Scenario::Outage => Decision::NoGo,
        Scenario::Inconclusive => Decision::Inconclusive,
    };
    let folder = common.folder.display();
    let mut next = String::new();
    let _ = writeln!(next, "\nlook further:");
    for command in ["judge", "report", "sql --query report/results_by_model"] {
        let _ = writeln!(next, "  rehearsal {command} -C {folder}");
    }
    print(&next)?;
    if decision == expected {
        return Ok(0);
    }
    let message = format!(
        "error: the scenario `{scenario}` should end in {}, and ended in {}",
        expected.as_str(),
        decision.as_str()
    );
    say(common, &message);
    Ok(EXIT_UNEXPECTED)
}

fn step(common: &Common, command: &str) {
    say(common, &format!("$ rehearsal {command} -C {}", common.folder.display()));
}

fn plan_text(own: &DemoArguments, address: SocketAddr) -> String {
    let seed = own.seed;
    let large = traffic::CANDIDATE_LARGE;
    let small = traffic::CANDIDATE_SMALL;
    let breaker = match own.scenario {
        Scenario::Outage => "circuit_breaker = false     # this outage is judged, not waited out\n",
        _ => "",
    };
    format!(
        r#"# The plan of the demo. The address is that of the simulated provider of this very run.
version = 1
title = "Demo: may gpt-4 traffic move to the next provider?"

[incumbent]
provider = "openai"

[[candidate]]
name = "next"
protocol = "openai_chat"
base_url = "http://{address}/v1"
models = {{ "gpt-4o*" = "{large}", "*" = "{small}" }}
max_output_tokens = 1024
prices = {{ input = "2.00 USD/1M", output = "6.00 USD/1M" }}

# The incumbent, replayed again: what its own noise and this hour's latency are.
[control]
protocol = "openai_chat"
base_url = "http://{address}/v1"
max_output_tokens = 1024

[replay]
pace = "closed"
concurrency = 128
budget = "500 USD"
seed = {seed}
{breaker}
[[criterion]]
metric = "error_rate"
max = "0.1%"

[[criterion]]
metric = "latency_ms.p99"
max = "5s"
segment = "request_model"

[[criterion]]
metric = "latency_ms.p99"
max_increase = "20%"

[[criterion]]
metric = "ttft_ms.p95"
max_increase = "20%"

[[criterion]]
metric = "cost_per_token.ratio"
max_increase = "15%"

[[criterion]]
metric = "cost_usd.ratio"
max = 1.0

[[criterion]]
metric = "consistency.edit"
max_excess = "2%"

[[criterion]]
metric = "consistency.json"
max_excess = "10%"

[[criterion]]
metric = "consistency.tool_calls"
max_excess = "15%"

[[criterion]]
metric = "refusal.new"
max = "0.5%"

[[criterion]]
metric = "losses.untranslatable"
max = "0.5%"

[[criterion]]
metric = "coverage"
min = "99%"

[[criterion]]
metric = "rate_limit_rate"
max = "1%"
gate = false
"#
    )
}

fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    write_atomically(path, |file| {
        file.write_all(text.as_bytes()).map_err(|source| DatasetError::io("write", path, source))
    })?;
    Ok(())
}
