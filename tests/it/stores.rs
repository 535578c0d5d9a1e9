//! Capture and results in an S3-compatible store: machines without a common disk, one claim each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kills::{Provider, write_project};
use crate::s3::{S3, SECRET};
use crate::support::{Said, number, program, rows, said};

const STORE: &str = "s3://bucket/team/a";

/// A store with a capture in it, the plan for it, and a provider.
struct Setting {
    folder: tempfile::TempDir,
    provider: Provider,
    s3: S3,
    term: &'static str,
}

impl Setting {
    /// With requests left to the machines as fast as they can.
    fn new(exchanges: usize) -> Self {
        Setting::with_plan(exchanges, |plan| plan)
    }

    /// With so few requests a minute that a replay can be met while it is under way.
    fn slow(exchanges: usize, rpm: u64) -> Self {
        Setting::with_plan(exchanges, |plan| {
            plan.replace("concurrency = 32", &format!("concurrency = 32, rpm = {rpm}"))
                .replace("50 USD", "0.5 USD")
        })
    }

    fn with_plan(exchanges: usize, change: impl FnOnce(String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let provider = Provider::start(folder.path());
        let setting = Setting { provider, s3: S3::start(), folder, term: "60s" };
        let home = setting.machine("home");
        write_project(&home, &setting.provider.base_url, exchanges);
        let plan = home.join("rehearsal.toml");
        fs::write(&plan, change(fs::read_to_string(&plan).unwrap())).unwrap();
        let log = home.join("log.jsonl");
        let imported = setting.said(&home, &["import", log.to_str().unwrap()]);
        assert_eq!(imported.code, 0, "{}", imported.stderr);
        setting
    }

    /// A machine with a disk of its own, and nothing on it but the plan.
    fn machine(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path).unwrap();
        let plan = self.folder.path().join("home/rehearsal.toml");
        if plan.is_file() && name != "home" {
            fs::copy(plan, path.join("rehearsal.toml")).unwrap();
        }
        path
    }

    fn command(&self, machine: &Path, arguments: &[&str]) -> Command {
        let mut command = program();
        command.envs(self.s3.variables()).env("REHEARSAL_STORE", STORE);
        // Commits are frequent, so that a short replay has some; terms are long enough for any
        // machine unless a test waits for one to run out.
        command.env("REHEARSAL_CLAIM_TERM", self.term).env("REHEARSAL_COMMIT_EVERY", "200ms");
        command.args(arguments).arg("-C").arg(machine);
        command
    }

    fn said(&self, machine: &Path, arguments: &[&str]) -> Said {
        said(&self.command(machine, arguments).output().unwrap())
    }

    fn spawn(&self, machine: &Path, arguments: &[&str]) -> Child {
        let mut command = self.command(machine, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn claim(&self, run: &str) -> Option<Value> {
        let bytes = self.s3.object(&format!("bucket/team/a/runs/{run}/claim.json"))?;
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    /// The identifiers of all attempts that the provider was sent.
    fn asked(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("provider.jsonl")).unwrap();
        log.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|entry| entry["x_request_id"].as_str().map(str::to_owned))
            .collect()
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(5);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

const REPLAY: [&str; 5] = ["replay", "--yes", "--run", "parts", "--shard"];

#[test]
fn pods_without_a_common_disk_make_the_single_run() {
    let setting = Setting::new(120);
    let alone = setting.machine("alone");
    let single = setting.said(&alone, &["replay", "--yes", "--run", "single"]);
    assert_eq!(single.code, 0, "{}", single.stderr);
    for number in 1..=3 {
        let pod = setting.machine(&format!("pod-{number}"));
        let outcome =
            setting.said(&pod, &[&REPLAY[..], &[format!("{number}/3").as_str()][..]].concat());
        assert_eq!(outcome.code, 0, "{}", outcome.stderr);
        let claim = setting.claim(&format!("parts.shard-{number}-of-3")).unwrap();
        assert_eq!((&claim["released"], &claim["finished"]), (&true.into(), &true.into()));
    }
    // The machine that judges has the capture and nothing of the runs.
    let home = setting.machine("home");
    let merged = setting.said(&home, &["merge"]);
    assert_eq!(merged.code, 0, "{}", merged.stderr);
    assert!(merged.stdout.contains("120 planned = 120 done"), "{}", merged.stdout);
    let answers = "SELECT ordinal, attempt, response_text, error_class, cost_nanousd FROM results \
                   ORDER BY ordinal, attempt";
    assert_eq!(rows(&home, answers), rows(&alone, answers));
    assert_eq!(setting.said(&home, &["judge"]).code, 0);

    // Everything was signed; the key is in no object, and no journal of an earlier commit is left.
    assert!(setting.s3.requests().len() > 20);
    let journals = |key: &&String| key.ends_with("/journal.sqlite");
    assert_eq!(setting.s3.keys().iter().filter(journals).count(), 4);
    for key in setting.s3.keys() {
        let bytes = setting.s3.object(&key).unwrap();
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "the key is in {key}");
    }
}

#[test]
fn a_shard_is_replayed_by_one_process_at_a_time() {
    let setting = Setting::slow(1_200, 6_000);
    let (first, second) = (setting.machine("first"), setting.machine("second"));
    let shard = [&REPLAY[..], &["1/2"][..]].concat();
    let mut running = setting.spawn(&first, &shard);
    until("a claim", || {
        setting.claim("parts.shard-1-of-2").is_some_and(|claim| claim["beat"].as_u64() > Some(1))
    });
    let refused = setting.said(&second, &shard);
    assert_eq!(refused.code, 75, "{}", refused.stderr);
    assert!(refused.stderr.contains("is being replayed by process"), "{}", refused.stderr);
    assert!(!second.join("runs/parts.shard-1-of-2").exists(), "nothing was begun");
    assert_eq!(running.wait().unwrap().code(), Some(0));
    let mut asked = setting.asked();
    let sent = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), sent, "nothing was sent twice");
}

#[test]
fn a_lost_pod_is_replaced_and_the_budget_holds_whatever_it_sent() {
    let setting = Setting { term: "10s", ..Setting::slow(1_200, 12_000) };
    let (lost, next) = (setting.machine("lost"), setting.machine("next"));
    let shard = [&REPLAY[..], &["1/1"][..]].concat();
    let mut child = setting.spawn(&lost, &shard);
    let name = "parts.shard-1-of-1";
    until("a commit", || {
        let claim = setting.claim(name).unwrap_or_default();
        claim["files"].as_array().is_some_and(|files| !files.is_empty())
    });
    until("further requests", || setting.asked().len() > 400);
    // The pod and its disk are gone.
    child.kill().unwrap();
    child.wait().unwrap();
    let before = setting.claim(name).unwrap();
    assert_eq!(before["released"], false);
    let sent_by_lost = setting.asked().len();
    fs::rename(lost.join("runs"), lost.join("gone")).unwrap();

    let outcome = setting.said(&next, &shard);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(outcome.stderr.contains("an earlier process was lost"), "{}", outcome.stderr);
    let after = setting.claim(name).unwrap();
    assert_eq!(after["fence"].as_u64(), before["fence"].as_u64().map(|fence| fence + 1));
    // What was committed was not sent again.
    let asked = setting.asked();
    assert!(asked.len() < 1_200 + sent_by_lost, "{} requests", asked.len());
    // All that was ever spent is within what is booked: known costs and what is unaccounted for.
    let merged = setting.said(&next, &["merge"]);
    assert_eq!(merged.code, 0, "{}", merged.stderr);
    assert!(merged.stdout.contains("1200 planned = 1200 done"), "{}", merged.stdout);
    let booked = "SELECT SUM(COALESCE(cost_nanousd, reserved_nanousd)) FROM results";
    let booked = number(&next, booked);
    let real = real_cost(&setting, &lost.join("gone").join(name), &next);
    let unaccounted = after["unaccounted_nanousd"].as_i64().unwrap();
    assert!(unaccounted > 0);
    assert!(real <= booked + unaccounted, "{real} > {booked} + {unaccounted}");
}

/// What both machines together spent, by what the lost disk and the new one know.
fn real_cost(setting: &Setting, lost: &Path, next: &Path) -> i64 {
    let evidence = setting.machine("evidence");
    fs::create_dir_all(evidence.join("runs")).unwrap();
    fs::rename(lost, evidence.join("runs/parts.shard-1-of-1")).unwrap();
    copy_capture(next, &evidence);
    let spent = |machine: &Path| -> BTreeMap<String, (i64, Value)> {
        let question =
            "SELECT ordinal, attempt, sent_at, cost_nanousd, reserved_nanousd FROM results";
        let run = ["sql", question, "--format", "json", "--run", "parts.shard-1-of-1"];
        let answer = setting.said(machine, &run);
        let rows: Vec<Value> = serde_json::from_str(&answer.stdout).expect(&answer.stderr);
        rows.into_iter()
            .map(|row| {
                let cost = row["cost_nanousd"].as_i64().or(row["reserved_nanousd"].as_i64());
                let key = format!("{}.{}", row["ordinal"], row["attempt"]);
                (key, (cost.unwrap(), row["sent_at"].clone()))
            })
            .collect()
    };
    let (ours, theirs) = (spent(next), spent(&evidence));
    // A row that both disks hold was committed and sent once; any other was paid by itself.
    let of_lost =
        theirs.iter().filter(|(key, row)| ours.get(*key).map(|(_, at)| at) != Some(&row.1));
    ours.values().map(|(cost, _)| cost).sum::<i64>()
        + of_lost.map(|(_, (cost, _))| cost).sum::<i64>()
}

fn copy_capture(from: &Path, to: &Path) {
    fs::create_dir_all(to.join("capture")).unwrap();
    for entry in fs::read_dir(from.join("capture")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join("capture").join(entry.file_name())).unwrap();
    }
}

#[test]
fn whoever_cannot_renew_its_claim_stops_sending() {
    let setting = Setting::slow(3_000, 12_000);
    let machine = setting.machine("pod");
    let shard = [&REPLAY[..], &["1/1"][..]].concat();
    let mut child = setting.spawn(&machine, &shard);
    until("a claim", || {
        setting.claim("parts.shard-1-of-1").is_some_and(|claim| claim["beat"].as_u64() > Some(1))
    });
    // Another process takes the claim, as it may after a pause of this one.
    let mut claim = setting.claim("parts.shard-1-of-1").unwrap();
    claim["owner"] = "somebody else".into();
    claim["fence"] = 9.into();
    let key = "bucket/team/a/runs/parts.shard-1-of-1/claim.json";
    setting.s3.put(key, serde_json::to_vec(&claim).unwrap().into());
    assert_eq!(child.wait().unwrap().code(), Some(75));
    assert!(setting.asked().len() < 3_000, "it stopped before its work was done");
    assert_eq!(setting.claim("parts.shard-1-of-1").unwrap()["owner"], "somebody else");

    // A store that does not answer ends a replay as well, before anybody else could take it.
    let setting = Setting { term: "6s", ..setting };
    let other = setting.machine("other");
    let mut child = setting.spawn(&other, &[&REPLAY[..], &["1/2"][..]].concat());
    until("a claim", || {
        setting.claim("parts.shard-1-of-2").is_some_and(|claim| claim["beat"].as_u64() > Some(1))
    });
    setting.s3.set_unavailable(true);
    assert_eq!(child.wait().unwrap().code(), Some(75));
}

#[test]
fn a_store_may_be_a_folder_and_what_it_holds_is_verified() {
    let setting = Setting::new(40);
    let home = setting.machine("home");
    let shared = setting.folder.path().join("shared");
    let store = shared.to_str().unwrap();
    let log = home.join("log.jsonl");
    let said = setting.said(&home, &["import", log.to_str().unwrap(), "--store", store]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let pod = setting.machine("pod");
    let replayed = setting.said(&pod, &["replay", "--run", "x", "--store", store]);
    assert_eq!(replayed.code, 0, "{}", replayed.stderr);
    // The same command on another machine finds everything done.
    let again = setting.machine("again");
    let resumed = setting.said(&again, &["replay", "--run", "x", "--store", store]);
    assert_eq!(resumed.code, 0, "{}", resumed.stderr);
    assert_eq!(setting.asked().len(), setting.asked().iter().collect::<BTreeSet<_>>().len());
    assert_eq!(number(&again, "SELECT COUNT(*) FROM pairs WHERE outcome = 'done'"), 40);

    // A changed object is noticed by its hash.
    let mut folders = vec![shared.join("capture/files")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "parquet") {
                fs::write(path, "no parquet").unwrap();
            }
        }
    }
    let late = setting.machine("late");
    let refused = setting.said(&late, &["replay", "--run", "x", "--store", store]);
    assert_eq!(refused.code, 75, "{}", refused.stderr);
    assert!(refused.stderr.contains("not what its hash says"), "{}", refused.stderr);
    assert!(!late.join("capture").exists());
}

#[test]
fn an_address_that_cannot_be_used_says_why() {
    let setting = Setting::new(1);
    let home = setting.machine("home");
    let mut command = program();
    let without = command.args(["replay", "--store", STORE, "-C"]).arg(&home);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
        without.env_remove(name);
    }
    let without = said(&without.output().unwrap());
    assert_eq!(without.code, 75);
    assert!(without.stderr.contains("no credentials"), "{}", without.stderr);
    let other = setting.said(&home, &["replay", "--store", "gs://bucket/x"]);
    assert!(other.stderr.contains("gs://bucket/x"), "{}", other.stderr);
    let empty = setting.said(&setting.machine("pod"), &["replay", "--store", "s3://bucket/empty"]);
    assert!(empty.stderr.contains("rehearsal import"), "{}", empty.stderr);
}
