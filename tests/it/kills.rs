//! What is paid for is never lost: SIGKILL at random moments, resumed each time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use serde_json::Value;

use crate::support::{number, only_run, program, rows, run};

/// A simulated provider of its own process, with a log of everything that it was asked.
pub(crate) struct Provider {
    child: Child,
    pub(crate) base_url: String,
}

impl Provider {
    pub(crate) fn start(folder: &Path) -> Self {
        fs::write(
            folder.join("simulator.toml"),
            "seed = 7\ntime_scale = 0.02\n[faults]\nserver_error_rate = 0.02\nretry_heals = true\n",
        )
        .unwrap();
        let mut child = program()
            .args(["simulator", "--port", "0", "--settings"])
            .arg(folder.join("simulator.toml"))
            .arg("--log")
            .arg(folder.join("provider.jsonl"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Provider { child, base_url: line.trim().to_owned() }
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn write_project(folder: &Path, base_url: &str, exchanges: usize) {
    let mut log = String::new();
    for index in 0..exchanges {
        let exchange = serde_json::json!({
            "timestamp": format!("2026-11-02T08:{:02}:{:02}Z", index / 60 % 60, index % 60),
            "request_id": format!("r-{index}"),
            "request": {
                "model": "gpt-4o-2024-05-13",
                "messages": [{ "role": "user", "content": format!("Question number {index}?") }],
                "max_tokens": 40,
                "stream": index % 2 == 0,
            },
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
        "version = 1\n[incumbent]\nprovider = \"openai\"\n[[candidate]]\nname = \"next\"\n\
         protocol = \"openai_chat\"\nbase_url = \"{base_url}\"\nmodels = {{ \"*\" = \"next\" }}\n\
         prices = {{ input = \"1 USD/1M\", output = \"2 USD/1M\" }}\n\
         limits = {{ concurrency = 32 }}\n[replay]\nbudget = \"50 USD\"\n\
         [[criterion]]\nmetric = \"error_rate\"\nmax = \"50%\"\n"
    );
    fs::write(folder.join("rehearsal.toml"), plan).unwrap();
}

fn replay(folder: &Path) -> Command {
    let mut command = program();
    command.args(["replay", "--yes", "--progress", "none", "-C"]).arg(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

#[test]
fn twenty_kills_lose_nothing_and_pay_nothing_twice_unknowingly() {
    const KILLS: u32 = 20;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let provider = Provider::start(folder);
    write_project(folder, &provider.base_url, 3_000);
    let imported = run(folder, &["import", folder.join("log.jsonl").to_str().unwrap()]);
    assert_eq!(imported.code, 0, "{}", imported.stderr);

    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(20);
    let mut killed = 0;
    for _ in 0..KILLS {
        let mut child = replay(folder).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(rng.random_range(60..420)));
        let still_running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        killed += u32::from(still_running);
    }
    assert!(killed >= KILLS / 2, "only {killed} kills met a running replay");
    let status = replay(folder).status().unwrap();
    assert_eq!(status.code(), Some(0));

    // Everything has a final outcome.
    let planned = number(folder, "SELECT COUNT(*) FROM planned WHERE excluded_reason IS NULL");
    assert_eq!(planned, 3_000);
    assert_eq!(number(folder, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), planned);

    // The provider's own log and the results name the same attempts.
    let run_id = only_run(folder).file_name().unwrap().to_string_lossy().into_owned();
    let known: BTreeMap<String, Option<String>> =
        rows(folder, "SELECT arm, ordinal, repeat, attempt, error_class FROM results")
            .iter()
            .map(|row| {
                let id = format!(
                    "{run_id}.{}.{}.{}.{}",
                    row["arm"].as_str().unwrap(),
                    row["ordinal"],
                    row["repeat"],
                    row["attempt"]
                );
                (id, row["error_class"].as_str().map(str::to_owned))
            })
            .collect();
    let log = fs::read_to_string(folder.join("provider.jsonl")).unwrap();
    let mut asked = BTreeSet::new();
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let Some(id) = entry["x_request_id"].as_str() else { continue };
        assert!(asked.insert(id.to_owned()), "{id} was sent twice");
        assert!(known.contains_key(id), "{id} was sent and is not in the results");
    }
    let uncertain = |class: &Option<String>| class.as_deref() == Some("uncertain");
    for (id, class) in &known {
        assert!(asked.contains(id) || uncertain(class), "{id} is in the results and was not sent");
    }
    let uncertain_count = known.values().filter(|class| uncertain(class)).count();
    assert!(uncertain_count <= 32 * KILLS as usize, "{uncertain_count} uncertain attempts");

    // What was sent and not answered is sent again, and listed; nothing else is.
    let again = number(
        folder,
        "SELECT COUNT(*) FROM (SELECT ordinal FROM results WHERE error_class = 'uncertain' \
         GROUP BY ordinal)",
    );
    let repeated = number(
        folder,
        "SELECT COUNT(*) FROM (SELECT ordinal FROM results \
         WHERE error_class IS NULL OR error_class = 'uncertain' \
         GROUP BY ordinal HAVING COUNT(*) > 1)",
    );
    assert!(repeated <= again, "{repeated} exchanges were paid again, {again} are listed");
    assert_eq!(run(folder, &["judge"]).code, 0);
}

#[cfg(unix)]
#[test]
fn an_interrupted_replay_drains_and_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let provider = Provider::start(folder);
    write_project(folder, &provider.base_url, 3_000);
    assert_eq!(run(folder, &["import", folder.join("log.jsonl").to_str().unwrap()]).code, 0);
    let mut child = replay(folder).spawn().unwrap();
    // Long enough for the first requests to be under way on any machine that tests run on.
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while fs::metadata(folder.join("provider.jsonl")).map_or(0, |file| file.len()) < 10_000 {
        assert!(std::time::Instant::now() < deadline, "nothing was sent");
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupted =
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(
        number(folder, "SELECT COUNT(*) FROM results WHERE error_class = 'uncertain'"),
        0,
        "requests under way were waited for"
    );
    assert_eq!(replay(folder).status().unwrap().code(), Some(0));
    assert_eq!(number(folder, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 3_000);
}
