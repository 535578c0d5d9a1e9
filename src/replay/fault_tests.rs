//! Every file operation of beginning a run and of sealing its results, failing in turn.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::journal::{Intent, Journal, Outcome};
use super::key::AttemptKey;
use super::{ReplayError, run, seal};
use crate::dataset::{
    AttemptRow, CaptureManifest, PlannedRow, Project, RunFolder, Table, faults, read_rows,
};
use crate::plan::{self, Plan};

/// `ENOSPC` and `EIO`.
const ERRNOS: [i32; 2] = [28, 5];

fn plan() -> Plan {
    let text = "version = 1\n[incumbent]\nprovider = \"openai\"\n[[candidate]]\nname = \"next\"\n\
                protocol = \"openai_chat\"\nbase_url = \"http://127.0.0.1:9/v1\"\n\
                models = { \"*\" = \"next\" }\n[replay]\nbudget = \"1 USD\"\n\
                [[criterion]]\nmetric = \"error_rate\"\nmax = \"1%\"\n";
    plan::parse(Path::new("rehearsal.toml"), text).unwrap()
}

fn open(project: &Project) -> Result<run::OpenRun, ReplayError> {
    let planned = [PlannedRow { arm: "next".into(), ..PlannedRow::default() }];
    let capture = CaptureManifest::default();
    let plan = plan();
    let started_at = "2026-11-02T00:00:00Z";
    let begun = run::Begun { run_id: "r", shard: None, plan: &plan, started_at };
    run::open(project, &begun, &capture, &planned, BTreeMap::new())
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[track_caller]
fn assert_names(error: &ReplayError, folder: &Path) {
    let text = error.to_string();
    assert!(text.contains(folder.to_str().unwrap()), "{text}");
}

#[test]
fn a_run_that_could_not_be_begun_is_begun_by_the_next_try() {
    let whole = tempfile::tempdir().unwrap();
    let expected = open(&Project::new(whole.path())).unwrap().folder;
    for errno in ERRNOS {
        for operation in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let project = Project::new(folder.path());
            let fault = faults::fail_after(folder.path(), operation, errno);
            let begun = open(&project);
            let ran_through = fault.is_waiting();
            drop(fault);
            match begun {
                Ok(run) => {
                    drop(run);
                    assert!(ran_through, "operation {operation} failed unnoticed");
                }
                Err(error) => assert_names(&error, folder.path()),
            }
            let run = open(&project).unwrap().folder;
            assert_eq!(names(run.folder()), names(expected.folder()));
            assert_eq!(run.manifest().unwrap(), expected.manifest().unwrap());
            run.check_documents().unwrap();
            if ran_through {
                assert!(operation >= 12, "only {operation} operations were seen");
                break;
            }
        }
    }
}

const ATTEMPTS: i32 = 5;

async fn answered(journal: &Journal) {
    for ordinal in 0..ATTEMPTS {
        let key = AttemptKey { arm: 0, ordinal, repeat: 1, attempt: 1 };
        journal.intent(Intent { key, reserved_nanousd: 9, at_us: 1 }).await.unwrap();
        let row = AttemptRow {
            arm: "next".into(),
            ordinal,
            repeat: 1,
            attempt: 1,
            is_final: true,
            response_text: Some(format!("answer {ordinal}")),
            ..AttemptRow::default()
        };
        let payload = serde_json::to_vec(&row).unwrap();
        let cost_nanousd = Some(1);
        let outcome = Outcome { key, payload, is_final: true, uncertain: false, cost_nanousd };
        journal.outcome(outcome).await.unwrap();
    }
}

fn results(run: &RunFolder) -> Vec<AttemptRow> {
    let folder = run.results_folder();
    let rows = |name: String| read_rows(&folder.join(name), Table::Results, None, None).unwrap();
    names(&folder).into_iter().flat_map(rows).collect()
}

#[tokio::test]
async fn results_that_could_not_be_sealed_are_sealed_by_the_next_try() {
    let arms = ["next".to_owned()];
    for errno in ERRNOS {
        for operation in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let run = open(&Project::new(folder.path())).unwrap().folder;
            let (journal, writer, _) = Journal::open(&run.journal_file()).unwrap();
            answered(&journal).await;
            let fault = faults::fail_after(folder.path(), operation, errno);
            let sealed = seal::seal(&run, &journal, 1).await;
            let ran_through = fault.is_waiting();
            drop(fault);
            match sealed {
                Ok(()) => assert!(ran_through, "operation {operation} failed unnoticed"),
                Err(error) => assert_names(&error, folder.path()),
            }
            drop(journal);
            writer.join().unwrap();

            let (journal, writer, recovered) = Journal::open(&run.journal_file()).unwrap();
            assert_eq!(recovered.items.len(), ATTEMPTS as usize);
            seal::check_results(&run, &arms, &recovered.segments).unwrap();
            seal::seal(&run, &journal, 1).await.unwrap();
            drop(journal);
            writer.join().unwrap();
            let rows = results(&run);
            assert_eq!(rows.len(), ATTEMPTS as usize);
            assert!(rows.iter().all(|row| row.response_text.is_some()));
            if ran_through {
                assert!(operation >= 6, "only {operation} operations were seen");
                break;
            }
        }
    }
}

#[tokio::test]
async fn results_that_the_journal_does_not_know_are_kept_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let arms = ["next".to_owned()];
    let run = open(&Project::new(folder.path())).unwrap().folder;
    let (journal, writer, _) = Journal::open(&run.journal_file()).unwrap();
    answered(&journal).await;
    seal::seal(&run, &journal, 1).await.unwrap();
    drop(journal);
    writer.join().unwrap();
    let part = run.results_folder().join("part-00001.parquet");

    let (_, _, recovered) = Journal::open(&run.journal_file()).unwrap();
    let mut bytes = fs::read(&part).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let whole = fs::read(&part).unwrap();
    fs::write(&part, &bytes).unwrap();
    assert_names(&seal::check_results(&run, &arms, &recovered.segments).unwrap_err(), &part);
    fs::write(&part, &whole).unwrap();
    seal::check_results(&run, &arms, &recovered.segments).unwrap();

    // A journal that is lost must not take what was paid for with it.
    fs::remove_file(run.journal_file()).unwrap();
    let missing = open(&Project::new(folder.path())).unwrap_err();
    assert!(matches!(missing, ReplayError::JournalDamaged { .. }), "{missing}");
    let (_, _, empty) = Journal::open(&run.journal_file()).unwrap();
    let error = seal::check_results(&run, &arms, &empty.segments).unwrap_err();
    assert!(matches!(error, ReplayError::UnknownResults { .. }), "{error}");
    assert_names(&error, &part);
    assert_eq!(fs::read(&part).unwrap(), whole);
}

#[test]
fn a_run_is_one_process_s_alone_until_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::new(folder.path());
    let first = open(&project).unwrap();
    assert!(matches!(open(&project), Err(ReplayError::Locked(run)) if run == "r"));
    let owner = fs::read_to_string(first.folder.lock_file()).unwrap();
    assert_eq!(owner.trim(), std::process::id().to_string());
    drop(first);
    open(&project).unwrap();
}
