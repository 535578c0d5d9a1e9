//! Makes the results of a run complete as far as they are known, without sending anything.

use std::collections::BTreeMap;

use super::attempt::Sending;
use super::journal::{Intent, Journal, Outcome};
use super::{ReplayError, run, seal};
use crate::dataset::{PlannedRow, ReplayInput, RunFolder, Table, read_rows};
use crate::plan::UncertainPolicy;

/// Names of arms and identifiers of exchanges, to write rows for attempts that never came back.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) arms: Vec<String>,
    pub(super) request_ids: BTreeMap<i32, String>,
}

impl Names {
    pub(super) fn new(arms: Vec<String>, planned: &[PlannedRow]) -> Self {
        let id = |row: &PlannedRow| (row.ordinal, row.request_id.clone());
        Names { arms, request_ids: planned.iter().map(id).collect() }
    }
}

/// Books every attempt that was sent and never came back as uncertain.
pub(super) async fn book_uncertain(
    journal: &Journal,
    run_id: &str,
    names: &Names,
    open: &[Intent],
    policy: UncertainPolicy,
    sample: f64,
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
            sample,
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

/// Seals what a stopped run left in its journal, so that it can be judged.
///
/// A run that is being replayed by another process is left alone.
///
/// # Errors
/// A journal that cannot be read, or results that cannot be written.
pub async fn recover(folder: &RunFolder) -> Result<(), ReplayError> {
    if !folder.journal_file().is_file() {
        return Ok(());
    }
    let _lock = match run::lock(folder) {
        Ok(lock) => lock,
        Err(ReplayError::Locked(_)) => return Ok(()),
        Err(error) => return Err(error),
    };
    let (journal, writer, recovered) = Journal::open(&folder.journal_file())?;
    if !recovered.open.is_empty() {
        let arms = folder.manifest()?.arms.into_iter().map(|arm| arm.name).collect();
        let columns: &[&str] = &["arm", "ordinal", "request_id"];
        let planned: Vec<PlannedRow> =
            read_rows(&folder.planned_file(), Table::Planned, Some(columns), None)?;
        let names = Names::new(arms, &planned);
        // Whether they are sent again is decided when the run is resumed.
        let policy = UncertainPolicy::Resend;
        book_uncertain(&journal, folder.run_id(), &names, &recovered.open, policy, 1.0).await?;
    }
    seal::remove_orphans(folder, &recovered.segments)?;
    seal::seal(folder, &journal, 1).await?;
    drop(journal);
    writer.join()
}
