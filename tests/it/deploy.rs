//! The manifest of the batch job: its exit codes are ours, and its own command does the work.

use std::collections::BTreeMap;
use std::fs;

use crate::kills::{Provider, write_project};
use crate::s3::S3;
use crate::support::{program, repository, said};

fn manifest() -> String {
    fs::read_to_string(repository("deploy/replay-job.yaml")).unwrap()
}

/// What the job does after each exit code that its policy names.
fn policy() -> BTreeMap<i64, String> {
    let mut found = BTreeMap::new();
    let mut action = String::new();
    for line in manifest().lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("- action: ") {
            name.clone_into(&mut action);
        }
        if let Some(values) = line.strip_prefix("values: ") {
            for code in serde_json::from_str::<Vec<i64>>(values).unwrap() {
                assert_eq!(found.insert(code, action.clone()), None, "{code} is named twice");
            }
        }
    }
    found
}

#[test]
fn the_policy_of_the_job_names_our_exit_codes() {
    let policy = policy();
    let codes = |action: &str| -> Vec<i64> {
        policy.iter().filter(|(_, found)| *found == action).map(|(code, _)| *code).collect()
    };
    assert_eq!(codes("FailIndex"), [2, 3, 4]);
    assert_eq!(codes("Count"), [1, 75, 130]);
    assert_eq!(policy.len(), 6, "verdicts, 10 and 11, are no failures of a pod");
    // Every one of them is an exit code that the program says it has.
    let help = said(&program().arg("--help").output().unwrap()).stdout;
    let known = help[help.find("Exit codes:").unwrap()..].split('\n').take(4).collect::<String>();
    for code in policy.keys() {
        let named = regex::Regex::new(&format!(r"\b{code}\b")).unwrap();
        assert!(named.is_match(&known), "{code} is not in: {known}");
    }
    // A pod is given longer than a replay waits for what is in flight.
    let grace = regex::Regex::new(r"terminationGracePeriodSeconds: (\d+)").unwrap();
    let text = manifest();
    assert!(grace.captures(&text).unwrap()[1].parse::<u64>().unwrap() > 25 + 10);
}

#[test]
fn the_command_of_the_job_replays_a_part() {
    let text = manifest();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("args: ")).unwrap();
    let arguments: Vec<String> = serde_json::from_str(line).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let provider = Provider::start(path);
    write_project(path, &provider.base_url, 80);
    let s3 = S3::start();
    let log = path.join("log.jsonl");
    let store = "s3://example-bucket/rehearsal";
    let run = |arguments: &[String]| {
        let mut command = program();
        command.envs(s3.variables()).env("REHEARSAL_STORE", store).args(arguments);
        said(&command.env("JOB_COMPLETION_INDEX", "7").output().unwrap())
    };
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<String>>();
    let home = path.to_str().unwrap();
    let imported = run(&words(&format!("import {} -C {home}", log.display())));
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let here = |argument: &String| match argument.as_str() {
        "/work" => path.join("pod").to_string_lossy().into_owned(),
        "/plan/rehearsal.toml" => path.join("rehearsal.toml").to_string_lossy().into_owned(),
        other => other.to_owned(),
    };
    fs::create_dir(path.join("pod")).unwrap();
    let arguments: Vec<String> = arguments.iter().map(here).collect();
    let outcome = run(&arguments);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert!(
        outcome.stderr.lines().all(|line| line.starts_with("{\"event\":")),
        "{}",
        outcome.stderr
    );
    let claims = |key: &String| key.ends_with(".shard-8-of-8/claim.json");
    assert_eq!(s3.keys().iter().filter(|key| claims(key)).count(), 1, "{:?}", s3.keys());
}
