//! SIGTERM, SIGINT, and a second one.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rehearsal::simulator::{Delay, FaultModel, LatencyModel, SimulatorConfig};

use super::{Provider, assert_nothing_sent_twice, candidate, instant, project, replay_with};
use crate::support::{number, program};

fn running(folder: &Path) -> Child {
    let mut command = program();
    command.args(["replay", "--yes", "--progress", "none", "-C"]).arg(folder);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn send(signal: &str, child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

/// Waits until requests are under way.
fn wait_for_requests(provider: &Provider, count: u64) {
    while provider.simulator().stats().requests < count {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

fn slow() -> SimulatorConfig {
    let ttft = Delay::Constant { value_ms: 200.0 };
    SimulatorConfig { latency: LatencyModel { ttft, ..LatencyModel::instant() }, ..instant() }
}

#[test]
fn the_first_signal_drains_and_says_by_its_exit_code_what_it_was() {
    for (signal, code) in [("-TERM", 75), ("-INT", 130)] {
        let provider = Provider::start(slow());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let url = format!("http://{}/v1", provider.address());
        project(path, 300, &[candidate("next", "openai_chat", &url, "")], "drain = \"20s\"");
        let child = running(path);
        wait_for_requests(&provider, 20);
        send(signal, &child);
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{signal}: {said}");
        assert!(said.contains("run the same command again"), "{signal}: {said}");
        // What was under way came home: everything that was sent has an outcome.
        assert_eq!(number(path, "SELECT COUNT(*) FROM results WHERE error_class = 'uncertain'"), 0);
        let sent = provider.simulator().stats().requests;
        assert!(sent < 300, "the replay was over before the signal");
        assert_eq!(number(path, "SELECT COUNT(*) FROM results") as u64, sent);
        let resumed = replay_with(path, &[], &[]);
        assert_eq!(resumed.code, 0, "{}", resumed.stderr);
        assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 300);
        assert_nothing_sent_twice(path, &provider);
    }
}

#[test]
fn the_second_signal_ends_at_once_and_the_run_resumes() {
    for (signal, code) in [("-TERM", 75), ("-INT", 130)] {
        // Nothing that is under way ever comes back by itself.
        let faults = FaultModel { black_hole_rate: 1.0, ..FaultModel::default() };
        let provider = Provider::start(SimulatorConfig { faults, ..instant() });
        let address = provider.address();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let limits = "limits = { concurrency = 8 }";
        let candidates =
            [candidate("next", "openai_chat", &format!("http://{address}/v1"), limits)];
        project(path, 40, &candidates, "drain = \"10min\"");
        let mut child = running(path);
        wait_for_requests(&provider, 8);
        send(signal, &child);
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("stopping")));
        send(signal, &child);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        provider.stop();

        let back = Provider::start_at(instant(), &address);
        let resumed = replay_with(path, &[], &[]);
        assert_eq!(resumed.code, 0, "{}", resumed.stderr);
        let uncertain = "SELECT COUNT(*) FROM results WHERE error_class = 'uncertain'";
        assert_eq!(number(path, uncertain), 8, "what was under way is listed");
        assert_eq!(number(path, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 40);
        assert_nothing_sent_twice(path, &back);
    }
}
