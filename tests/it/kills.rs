//! What is paid for is never lost: SIGKILL at random moments, resumed each time.
//!
//! `REHEARSAL_KILLS` sets how many kills there are (50 here; 500 in the long run).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rehearsal::chat::{Message, Role, prompt_key};
use rehearsal::dataset::{AttemptRow, Project, Table, read_rows};
use serde_json::Value;

use crate::support::{number, program, run, setting};

/// A simulated provider of its own process, with a log of everything that it was asked.
pub(crate) struct Provider {
    child: Child,
    pub(crate) base_url: String,
}

impl Provider {
    pub(crate) fn start(folder: &Path) -> Self {
        Provider::start_with(folder, "time_scale = 0.02", &[])
    }

    /// One that answers each question in its own way, however often it is asked.
    pub(crate) fn with_answers(folder: &Path, settings: &str, exchanges: usize) -> Self {
        let mut answers = String::new();
        for index in 0..exchanges {
            let key = prompt_key(&[Message::text(Role::User, question(index))]);
            let answer = serde_json::json!({
                "prompt_key": key, "text": format!("Answer number {index}."),
                "prompt_tokens": 9, "completion_tokens": 4 + index % 7,
            });
            writeln!(answers, "{answer}").unwrap();
        }
        let file = folder.join("answers.jsonl");
        fs::write(&file, answers).unwrap();
        Provider::start_with(folder, settings, &["--answers", file.to_str().unwrap()])
    }

    fn start_with(folder: &Path, settings: &str, arguments: &[&str]) -> Self {
        let faults = "[faults]\nserver_error_rate = 0.02\nretry_heals = true\n";
        Provider::launch(folder, &format!("seed = 7\n{settings}\n{faults}"), arguments)
    }

    /// One with settings of its own.
    pub(crate) fn with_settings(folder: &Path, settings: &str) -> Self {
        Provider::launch(folder, settings, &[])
    }

    fn launch(folder: &Path, settings: &str, arguments: &[&str]) -> Self {
        fs::write(folder.join("simulator.toml"), settings).unwrap();
        let mut child = program()
            .args(["simulator", "--port", "0", "--settings"])
            .arg(folder.join("simulator.toml"))
            .arg("--log")
            .arg(folder.join("provider.jsonl"))
            .args(arguments)
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

fn question(index: usize) -> String {
    format!("Question number {index}?")
}

pub(crate) fn write_project(folder: &Path, base_url: &str, exchanges: usize) {
    fs::create_dir_all(folder).unwrap();
    let mut log = String::new();
    for index in 0..exchanges {
        let exchange = serde_json::json!({
            "timestamp": format!("2026-11-02T08:{:02}:{:02}Z", index / 60 % 60, index % 60),
            "request_id": format!("r-{index}"),
            "request": {
                "model": "gpt-4o-2024-05-13",
                "messages": [{ "role": "user", "content": question(index) }],
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

/// A project whose provider answers each question in its own way.
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) log: PathBuf,
    _provider: Provider,
}

impl Site {
    /// Makes and imports a project of so many exchanges in `folder`; the provider keeps its own
    /// files elsewhere.
    pub(crate) fn new(folder: &Path, provider: &Path, settings: &str, exchanges: usize) -> Self {
        fs::create_dir_all(folder).unwrap();
        let server = Provider::with_answers(provider, settings, exchanges);
        write_project(folder, &server.base_url, exchanges);
        let plan = folder.join("rehearsal.toml");
        let text = fs::read_to_string(&plan).unwrap();
        let text = text.replace("concurrency = 32", &format!("concurrency = {IN_FLIGHT}"));
        fs::write(plan, text).unwrap();
        let log = folder.join("log.jsonl");
        let imported = run(folder, &["import", log.to_str().unwrap()]);
        assert_eq!(imported.code, 0, "{}", imported.stderr);
        let log = provider.join("provider.jsonl");
        Site { folder: folder.to_owned(), log, _provider: server }
    }

    /// The command that begins or resumes a run.
    pub(crate) fn replay(&self, name: &str) -> Command {
        let mut command = replay(&self.folder);
        command.args(["--run", name]);
        command
    }

    /// A run that nobody disturbs.
    pub(crate) fn undisturbed(&self, name: &str) -> Vec<Answer> {
        let said = run(&self.folder, &["replay", "--yes", "--progress", "none", "--run", name]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        answers(&self.results(name))
    }

    pub(crate) fn run_folder(&self, name: &str) -> PathBuf {
        self.folder.join("runs").join(name)
    }

    pub(crate) fn results(&self, name: &str) -> Vec<AttemptRow> {
        let results = Project::new(&self.folder).run(name).unwrap().results_folder();
        let parts = fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path());
        parts.flat_map(|part| read_rows(&part, Table::Results, None, None).unwrap()).collect()
    }

    /// What the provider was asked of a run, by the identifiers that the requests carried.
    pub(crate) fn asked(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let own = format!("{name}.");
        text.lines()
            .filter(|line| line.contains(&own))
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|entry| entry["x_request_id"].as_str().map(str::to_owned))
            .filter(|id| id.starts_with(&own))
            .collect()
    }

    /// What the journal of a run holds, read from a copy.
    pub(crate) fn journaled(&self, name: &str) -> Journaled {
        journaled(&self.run_folder(name), name)
    }

    /// Checks a finished run against what the provider saw and an undisturbed run.
    #[track_caller]
    pub(crate) fn check_finished(&self, name: &str, expected: &[Answer]) {
        let results = self.results(name);
        let known: BTreeMap<String, bool> =
            results.iter().map(|row| (id(name, row), is_uncertain(row))).collect();
        assert_eq!(known.len(), results.len(), "an attempt has two rows");
        let mut asked = BTreeSet::new();
        for id in self.asked(name) {
            assert!(known.contains_key(&id), "{id} was sent and is not in the results");
            assert!(asked.insert(id.clone()), "{id} was sent twice");
        }
        for (id, uncertain) in &known {
            assert!(*uncertain || asked.contains(id), "{id} has a result and was not sent");
        }
        // Whatever was sent again, the attempt before it is listed as uncertain or as failed.
        let mut attempts: BTreeMap<i32, Vec<&AttemptRow>> = BTreeMap::new();
        for row in &results {
            attempts.entry(row.ordinal).or_default().push(row);
        }
        for rows in attempts.values_mut() {
            rows.sort_by_key(|row| row.attempt);
            let (last, before) = rows.split_last().unwrap();
            assert!(last.is_final, "{last:?}");
            for row in before {
                assert!(!row.is_final && row.error_class.is_some(), "sent again: {row:?}");
            }
        }
        assert!(answers(&results) == expected, "{name} came to other answers");
    }
}

/// What must not depend on whether a run was disturbed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    ordinal: i32,
    request_id: String,
    status: Option<i32>,
    error_class: Option<String>,
    text: Option<String>,
    finish_reason: Option<String>,
    tokens: (Option<i64>, Option<i64>),
    cost_nanousd: Option<i64>,
    losses: Option<String>,
}

/// The final answers of a run, by exchange.
pub(crate) fn answers(results: &[AttemptRow]) -> Vec<Answer> {
    let mut answers: Vec<Answer> = results
        .iter()
        .filter(|row| row.is_final)
        .map(|row| Answer {
            ordinal: row.ordinal,
            request_id: row.request_id.clone(),
            status: row.status_code,
            error_class: row.error_class.clone(),
            text: row.response_text.clone(),
            finish_reason: row.finish_reason.clone(),
            tokens: (row.input_tokens, row.output_tokens),
            cost_nanousd: row.cost_nanousd,
            losses: row.losses.clone(),
        })
        .collect();
    answers.sort_by_key(|answer| answer.ordinal);
    answers
}

fn id(run: &str, row: &AttemptRow) -> String {
    format!("{run}.{}.{}.{}.{}", row.arm, row.ordinal, row.repeat, row.attempt)
}

fn is_uncertain(row: &AttemptRow) -> bool {
    row.error_class.as_deref() == Some("uncertain")
}

/// What a journal says of the attempts of its only arm.
#[derive(Debug, Default)]
pub(crate) struct Journaled {
    /// Attempts that were about to be sent and have no outcome.
    pub(crate) open: BTreeSet<String>,
    /// Attempts that came back, with cost and checksum of the row.
    pub(crate) done: BTreeMap<String, (Option<i64>, i64)>,
    /// Attempts that were booked as uncertain.
    pub(crate) uncertain: BTreeSet<String>,
}

impl Journaled {
    pub(crate) fn knows(&self, id: &str) -> bool {
        self.open.contains(id) || self.done.contains_key(id) || self.uncertain.contains(id)
    }
}

fn journaled(run_folder: &Path, name: &str) -> Journaled {
    let copy = tempfile::tempdir().unwrap();
    for file in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-journal"] {
        let from = run_folder.join(file);
        if from.exists() {
            fs::copy(from, copy.path().join(file)).unwrap();
        }
    }
    let mut journaled = Journaled::default();
    let Ok(journal) = rusqlite::Connection::open(copy.path().join("journal.sqlite")) else {
        return journaled;
    };
    // A run that was killed while its journal was being made has none of the tables.
    let Ok(mut statement) = journal.prepare(
        "SELECT ordinal, repeat, attempt, state, uncertain, cost_nanousd, payload_crc FROM attempts",
    ) else {
        return journaled;
    };
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let number = |index| row.get::<_, i64>(index).unwrap();
        let id = format!("{name}.next.{}.{}.{}", number(0), number(1), number(2));
        if number(3) == 0 {
            journaled.open.insert(id);
        } else if number(4) == 1 {
            journaled.uncertain.insert(id);
        } else {
            journaled.done.insert(id, (row.get(5).unwrap(), number(6)));
        }
    }
    journaled
}

/// Requests under way at once.
const IN_FLIGHT: usize = 64;

/// What a request takes in the provider's log, about.
const LOGGED_BYTES: u64 = 700;

/// Bytes of the provider's log so far.
fn logged(log: &Path) -> u64 {
    fs::metadata(log).map_or(0, |file| file.len())
}

/// Kills a process at a random moment of its life; `false` when it had ended by itself.
///
/// Most often that is when the provider has seen some more requests and a little later, sometimes
/// while the process starts.
fn kill_somewhere(child: &mut Child, log: &Path, random: &mut ChaCha8Rng) -> bool {
    let starting = random.random_bool(0.15);
    let target = logged(log) + random.random_range(1..300 * LOGGED_BYTES);
    let pause = random.random_range(0..if starting { 250 } else { 12 });
    while !starting && logged(log) < target && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(pause));
    let is_running = child.try_wait().unwrap().is_none();
    if is_running {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    assert!(is_running || status.success(), "{status}");
    is_running
}

/// Replays until the end, killed again and again; the number of kills.
fn killed_run(site: &Site, name: &str, random: &mut ChaCha8Rng) -> usize {
    let mut before = Journaled::default();
    for kills in 0.. {
        let mut child = site.replay(name).spawn().unwrap();
        let was_killed = kill_somewhere(&mut child, &site.log, random);
        let after = site.journaled(name);
        for (id, row) in &before.done {
            assert_eq!(after.done.get(id), Some(row), "{id} was finished and is not any more");
        }
        // What was open is settled before anything is sent: nothing is open from an earlier part.
        for id in before.open.iter().filter(|_| !after.open.is_subset(&before.open)) {
            assert!(after.uncertain.contains(id), "{id} was under way and is not listed");
        }
        assert!(after.open.len() <= IN_FLIGHT, "{} were under way at a kill", after.open.len());
        for id in site.asked(name) {
            assert!(after.knows(&id), "{id} was sent and is not in the journal");
        }
        if !was_killed {
            return kills;
        }
        before = after;
    }
    unreachable!("every run ends");
}

#[test]
fn kills_at_random_points_lose_nothing_and_pay_nothing_twice_unlisted() {
    const EXCHANGES: usize = 2_000;
    let wanted: usize = setting("REHEARSAL_KILLS", 50);
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path(), elsewhere.path(), "time_scale = 0.02", EXCHANGES);
    let expected = site.undisturbed("undisturbed");
    assert_eq!(expected.len(), EXCHANGES);
    assert!(expected.iter().all(|answer| answer.error_class.is_none() && answer.text.is_some()));

    let mut random = ChaCha8Rng::seed_from_u64(20);
    let (mut kills, mut resent, mut rounds) = (0, 0, 0);
    while kills < wanted {
        rounds += 1;
        let name = format!("killed-{rounds}");
        kills += killed_run(&site, &name, &mut random);
        site.check_finished(&name, &expected);
        let planned = |name: &str| fs::read(site.run_folder(name).join("planned.parquet")).unwrap();
        assert!(planned(&name) == planned("undisturbed"), "{name} planned something else");
        resent += site.results(&name).iter().filter(|row| is_uncertain(row)).count();
    }
    assert!(resent > 0 && resent <= IN_FLIGHT * kills, "{resent} attempts were uncertain");
    println!("{kills} kills of {rounds} runs, {resent} attempts listed as uncertain");
    let done = "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'";
    assert_eq!(number(folder.path(), done), EXCHANGES as i64);
    assert_eq!(run(folder.path(), &["judge"]).code, 0);
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
