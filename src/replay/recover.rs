//! Makes the results of a run complete as far as they are known, without sending anything.

use std::collections::BTreeMap;

use super::attempt::Sending;
use super::journal::{Intent, Journal, Outcome};
use super::{ReplayError, journal, run, seal};
use crate::dataset::{PlannedRow, ReplayInput, RunFolder, Table, read_rows};
use crate::plan::UncertainPolicy;

/// Names of arms, identifiers and weights of exchanges, to write rows for attempts that never came
/// back.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) arms: Vec<String>,
    pub(super) request_ids: BTreeMap<i32, String>,
    pub(super) sample_weights: BTreeMap<i32, f64>,
}

impl Names {
    pub(super) fn new(arms: Vec<String>, planned: &[PlannedRow]) -> Self {
        let id = |row: &PlannedRow| (row.ordinal, row.request_id.clone());
        let weight = |row: &PlannedRow| row.sample_weight.map(|weight| (row.ordinal, weight));
        Names {
            arms,
            request_ids: planned.iter().map(id).collect(),
            sample_weights: planned.iter().filter_map(weight).collect(),
        }
    }
}

/// Books every attempt that was sent and never came back as uncertain.
pub(super) async fn book_uncertain(
    journal: &Journal,
    run_id: &str,
    names: &Names,
    open: &[Intent],
    policy: UncertainPolicy,
) -> Result<(), ReplayError> {
    for intent in open {
        let key = intent.key;
        let input = ReplayInput {
            ordinal: key.ordinal,
            request_id: names.request_ids.get(&key.ordinal).cloned().unwrap_or_default(),
            ..ReplayInput::default()
        };
        let sending = Sending {
            run_id,
            arm: names.arms.get(usize::from(key.arm)).map_or("", String::as_str),
            key,
            input: &input,
            reserved_nanousd: intent.reserved_nanousd,
            losses: None,
            sample_weight: names.sample_weights.get(&key.ordinal).copied().unwrap_or(1.0),
        };
        let mut row = sending.uncertain_row(intent.at_us);
        row.is_final = policy == UncertainPolicy::Keep;
        let outcome = Outcome {
            key,
            payload: serde_json::to_vec(&row).map_err(ReplayError::Encode)?,
            is_final: row.is_final,
            uncertain: true,
            cost_nanousd: None,
        };
        journal.outcome(outcome).await?;
    }
    Ok(())
}

/// Seals what a stopped run left in its journal, so that it can be judged, and checks that every
/// file of the run is as it was written.
///
/// A run that is being replayed by another process is only looked at.
///
/// # Errors
/// A journal that cannot be read, results that cannot be written, or a damaged file.
pub async fn recover(folder: &RunFolder) -> Result<(), ReplayError> {
    folder.check_documents()?;
    if !folder.journal_file().is_file() {
        return Ok(());
    }
    match run::lock(folder) {
        Ok(_lock) => recover_locked(folder).await,
        Err(ReplayError::Locked(_)) => check(folder),
        Err(error) => Err(error),
    }
}

/// The same for a run that is locked already.
///
/// # Errors
/// As [`recover`].
pub(super) async fn recover_locked(folder: &RunFolder) -> Result<(), ReplayError> {
    if !folder.journal_file().is_file() {
        return Ok(());
    }
    let (journal, writer, recovered) = Journal::open(&folder.journal_file())?;
    let arms: Vec<String> = folder.manifest()?.arms.into_iter().map(|arm| arm.name).collect();
    seal::check_results(folder, &arms, &recovered.segments)?;
    if !recovered.open.is_empty() {
        let columns: &[&str] = &["arm", "ordinal", "request_id", "sample_weight"];
        let planned: Vec<PlannedRow> =
            read_rows(&folder.planned_file(), Table::Planned, Some(columns), None)?;
        let names = Names::new(arms, &planned);
        // Whether they are sent again is decided when the run is resumed.
        let policy = UncertainPolicy::Resend;
        book_uncertain(&journal, folder.run_id(), &names, &recovered.open, policy).await?;
    }
    seal::seal(folder, &journal, 1).await?;
    drop(journal);
    writer.join()
}

/// Checks that the files of a run are as they were written, and changes nothing.
///
/// # Errors
/// A damaged file, with its name.
pub fn check(folder: &RunFolder) -> Result<(), ReplayError> {
    folder.check_documents()?;
    if !folder.journal_file().is_file() {
        return Ok(());
    }
    seal::check_segments(folder, &journal::segments(&folder.journal_file())?)
}
