//! Turns outcomes of the journal into immutable Parquet segments.

use std::collections::BTreeSet;
use std::fs;

use super::ReplayError;
use super::journal::{self, Journal};
use crate::dataset::{AttemptRow, DatasetError, RunFolder, Table, write_segment};

/// Outcomes of one segment.
pub(super) const SEGMENT_ROWS: usize = 8_192;

/// Seals outcomes while at least `least` of them wait.
///
/// A segment is on disk, synced and renamed, before the journal drops a row that it holds. A
/// crash in between leaves a file that the journal does not know, which [`remove_orphans`] takes
/// away before the rows are sealed again.
///
/// # Errors
/// A journal that cannot be read, or a segment that cannot be written.
pub(super) async fn seal(
    run: &RunFolder,
    journal: &Journal,
    least: usize,
) -> Result<(), ReplayError> {
    loop {
        let task_run = run.clone();
        let written = tokio::task::spawn_blocking(move || write_next(&task_run, least)).await;
        let written = written.map_err(|failure| ReplayError::Task(failure.to_string()))??;
        let Some((file, ids)) = written else { return Ok(()) };
        journal.sealed(file, ids).await?;
    }
}

fn write_next(run: &RunFolder, least: usize) -> Result<Option<(String, Vec<i64>)>, ReplayError> {
    let path = run.journal_file();
    let waiting = journal::unsealed(&path, SEGMENT_ROWS)?;
    if waiting.is_empty() || waiting.len() < least {
        return Ok(None);
    }
    let (number, _) = journal::seal_state(&path)?;
    let file = format!("part-{:05}.parquet", number + 1);
    let mut rows = Vec::with_capacity(waiting.len());
    let mut ids = Vec::with_capacity(waiting.len());
    for outcome in waiting {
        let row: AttemptRow =
            serde_json::from_slice(&outcome.payload).map_err(ReplayError::Encode)?;
        rows.push(row);
        ids.push(outcome.id);
    }
    let weight = |row: &AttemptRow| {
        let text = row.response_text.as_ref().map_or(0, String::len);
        text + row.tool_calls.as_ref().map_or(0, String::len)
    };
    write_segment(&run.results_folder().join(&file), Table::Results, &rows, weight)?;
    Ok(Some((file, ids)))
}

/// Removes files in the folder of results that the journal does not know.
///
/// # Errors
/// A folder that cannot be listed or changed.
pub(super) fn remove_orphans(run: &RunFolder, known: &[String]) -> Result<(), ReplayError> {
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let folder = run.results_folder();
    let entries = fs::read_dir(&folder).map_err(|e| DatasetError::io("list", &folder, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| DatasetError::io("list", &folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !known.contains(name.as_str()) {
            let path = entry.path();
            fs::remove_file(&path).map_err(|e| DatasetError::io("remove", &path, e))?;
        }
    }
    Ok(())
}
