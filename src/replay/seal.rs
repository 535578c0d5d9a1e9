//! Turns outcomes of the journal into immutable Parquet segments.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rayon::prelude::*;

use super::ReplayError;
use super::journal::{self, Journal, Keys, SealedSegment};
use super::key::AttemptKey;
use crate::dataset::{
    AttemptRow, DatasetError, RunFolder, Table, check_sha256, file_sha256, read_rows, write_segment,
};

/// Outcomes of one segment.
pub(super) const SEGMENT_ROWS: usize = 8_192;

/// Columns that say which attempt a row is.
const KEY_COLUMNS: &[&str] = &["arm", "ordinal", "repeat", "attempt"];

/// Seals outcomes while at least `least` of them wait.
///
/// A segment is on disk, synced and renamed, before the journal drops a row that it holds. A
/// crash in between leaves a file that the journal does not know, which [`check_results`] takes
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
        let Some((segment, ids)) = written else { return Ok(()) };
        journal.sealed(segment, ids).await?;
    }
}

fn write_next(
    run: &RunFolder,
    least: usize,
) -> Result<Option<(SealedSegment, Vec<i64>)>, ReplayError> {
    let journal = run.journal_file();
    let waiting = journal::unsealed(&journal, SEGMENT_ROWS)?;
    if waiting.is_empty() || waiting.len() < least {
        return Ok(None);
    }
    let number = journal::segments(&journal)?.len() + 1;
    let file = format!("part-{number:05}.parquet");
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
    let path = run.results_folder().join(&file);
    write_segment(&path, Table::Results, &rows, weight)?;
    let sha256 = file_sha256(&path)?;
    Ok(Some((SealedSegment { file, rows: rows.len() as u64, sha256 }, ids)))
}

/// Checks that the folder of results holds what was sealed, byte for byte, and nothing else.
///
/// A segment that a crash kept the journal from noting is removed: its attempts wait in the
/// journal and are sealed again.
///
/// # Errors
/// A segment that is missing or changed, results that the journal knows nothing of, or a folder
/// that cannot be listed or changed.
pub(super) fn check_results(
    run: &RunFolder,
    arms: &[String],
    segments: &[SealedSegment],
) -> Result<(), ReplayError> {
    check_segments(run, segments)?;
    let known: BTreeSet<&str> = segments.iter().map(|segment| segment.file.as_str()).collect();
    let folder = run.results_folder();
    let entries = fs::read_dir(&folder).map_err(|e| DatasetError::io("list", &folder, e))?;
    let mut waiting = None;
    for entry in entries {
        let entry = entry.map_err(|e| DatasetError::io("list", &folder, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if known.contains(name.as_str()) {
            continue;
        }
        let path = entry.path();
        if name.ends_with(".parquet") {
            let waiting = match &mut waiting {
                Some(waiting) => waiting,
                none => none.insert(journal::unsealed_keys(&run.journal_file())?),
            };
            check_unnoted(&path, arms, waiting)?;
        } else if !name.starts_with(HALF_WRITTEN) {
            continue;
        }
        fs::remove_file(&path).map_err(|e| DatasetError::io("remove", &path, e))?;
    }
    Ok(())
}

/// How the names of files begin that were being written.
const HALF_WRITTEN: &str = ".writing-";

/// Checks that every sealed segment is there, byte for byte.
///
/// # Errors
/// A segment that is missing or changed.
pub(super) fn check_segments(
    run: &RunFolder,
    segments: &[SealedSegment],
) -> Result<(), ReplayError> {
    let folder = run.results_folder();
    segments
        .par_iter()
        .try_for_each(|segment| check_sha256(&folder.join(&segment.file), &segment.sha256))?;
    Ok(())
}

/// Checks that the journal still has every attempt of a segment that it did not note.
fn check_unnoted(path: &Path, arms: &[String], waiting: &Keys) -> Result<(), ReplayError> {
    let unknown = |what: String| ReplayError::UnknownResults { path: path.to_owned(), what };
    let rows: Vec<AttemptRow> = read_rows(path, Table::Results, Some(KEY_COLUMNS), None)
        .map_err(|failure| unknown(failure.to_string()))?;
    for row in rows {
        let known = key(&row, arms).is_some_and(|key| waiting.contains(&key));
        if !known {
            let AttemptRow { arm, ordinal, repeat, attempt, .. } = row;
            return Err(unknown(format!(
                "attempt {attempt} of exchange {ordinal} (arm `{arm}`, repeat {repeat})"
            )));
        }
    }
    Ok(())
}

fn key(row: &AttemptRow, arms: &[String]) -> Option<AttemptKey> {
    let arm = arms.iter().position(|arm| *arm == row.arm)?;
    Some(AttemptKey {
        arm: u16::try_from(arm).ok()?,
        ordinal: row.ordinal,
        repeat: u32::try_from(row.repeat).ok()?,
        attempt: u32::try_from(row.attempt).ok()?,
    })
}
