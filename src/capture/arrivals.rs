//! The arrival times of a log or a trace of load, for a replay that follows them.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

use crate::dataset::{CapturedExchange, DatasetError, Project, Table, read_rows};

use super::error::ImportError;
use super::import::{ImportOptions, import};
use super::redact::Redactor;

/// Takes all content out of a row, as only its time is wanted.
struct TimesOnly;

impl Redactor for TimesOnly {
    fn redact(&self, row: &mut CapturedExchange) -> bool {
        let id = std::mem::take(&mut row.request_id);
        let at = row.captured_at;
        *row = CapturedExchange { request_id: id, captured_at: at, ..CapturedExchange::default() };
        false
    }

    fn redact_text<'t>(&self, _: &'t str) -> Cow<'t, str> {
        Cow::Borrowed("")
    }

    fn redact_json<'t>(&self, json: &'t str) -> Cow<'t, str> {
        Cow::Borrowed(json)
    }

    fn describe(&self) -> Vec<String> {
        Vec::new()
    }
}

/// When the requests of a log arrived, counted from the first and ascending.
///
/// Any log format will do; nothing but the times is used. `scratch` is a folder for what is
/// needed on the way.
///
/// # Errors
/// Those of an import.
pub fn arrivals(
    path: &Path,
    scratch: &Path,
    options: &ImportOptions,
) -> Result<Vec<Duration>, ImportError> {
    let failed = |source| DatasetError::io("make a folder in", scratch, source);
    let folder =
        tempfile::Builder::new().prefix(".arrivals-").tempdir_in(scratch).map_err(failed)?;
    let project = Project::new(folder.path());
    let inputs = vec![path.to_string_lossy().into_owned()];
    let options = ImportOptions { inputs, ..options.clone() };
    let outcome = import(&project, &options, &TimesOnly, &mut |_| {})?;
    let mut times = Vec::new();
    for segment in &outcome.manifest.segments {
        let file = project.capture_folder().join(&segment.file);
        let rows: Vec<CapturedExchange> =
            read_rows(&file, Table::Capture, Some(&["captured_at"]), None)?;
        times.extend(rows.iter().map(|row| row.captured_at));
    }
    times.sort_unstable();
    let first = times.first().copied().unwrap_or(0);
    Ok(times.iter().map(|at| Duration::from_micros(at.abs_diff(first))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_the_first_arrival_and_ascend() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let line =
            |at: &str| format!("{{\"timestamp\": {at}, \"request\": {{\"messages\": []}}}}\n");
        let text = [line("1793597603.5"), line("1793597601.25"), line("1793597601.5")].concat();
        std::fs::write(&path, text).unwrap();
        let times = arrivals(&path, folder.path(), &ImportOptions::default()).unwrap();
        assert_eq!(times, [0, 250, 2_250].map(Duration::from_millis));
    }
}
