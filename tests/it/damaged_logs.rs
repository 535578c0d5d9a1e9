//! Samples of every format, damaged at random: nothing panics, nothing is lost, and what was not
//! touched comes out as ever.
//!
//! `REHEARSAL_MUTATIONS` sets how many damages each sample gets (10,000 in the long run; a few
//! here).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rehearsal::capture::{ImportError, ImportOptions, ImportOutcome, Mapping, SecretsOnly, import};
use rehearsal::dataset::{CapturedExchange, Project, Table, read_rows};

use crate::support::repository;

/// How many damages a sample gets unless the environment says otherwise.
const DEFAULT_MUTATIONS: usize = 12;

/// Formats in which one record says something of others, so that damage shows elsewhere too.
const JOINED: &[&str] =
    &["azure_apim", "goreplay", "langfuse", "langsmith", "helicone", "openai_batch", "otlp"];

#[expect(clippy::disallowed_methods, reason = "the long run is asked for by the environment")]
fn mutations() -> usize {
    std::env::var("REHEARSAL_MUTATIONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(DEFAULT_MUTATIONS)
}

fn samples() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(repository("sample-data/captures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !matches!(path.extension().and_then(|e| e.to_str()), Some("md" | "toml")))
        .collect();
    files.sort();
    files
}

fn options(file: &Path, format: Option<&str>) -> ImportOptions {
    let mapping = fs::read_to_string(repository("sample-data/captures/mapped.toml")).unwrap();
    let is_mapped = file.to_string_lossy().contains("mapped");
    ImportOptions {
        inputs: vec![file.to_string_lossy().into_owned()],
        format: format.map(str::to_owned),
        mapping: is_mapped.then(|| Arc::new(Mapping::parse(&mapping).unwrap())),
        max_reject_rate: 1.0,
        ..ImportOptions::default()
    }
}

/// What an import came to, and its rows without ordinals.
fn imported(
    folder: &Path,
    file: &Path,
    format: Option<&str>,
) -> Result<(ImportOutcome, Vec<CapturedExchange>), ImportError> {
    let project = Project::new(folder.join("project"));
    let outcome = import(&project, &options(file, format), &SecretsOnly, &mut |_| {})?;
    let mut rows = Vec::new();
    for segment in &outcome.manifest.segments {
        let path = project.capture_folder().join(&segment.file);
        rows.extend(read_rows::<CapturedExchange>(&path, Table::Capture, None, None).unwrap());
    }
    for row in &mut rows {
        row.ordinal = 0;
    }
    Ok((outcome, rows))
}

fn damage(bytes: &mut [u8], from: usize, to: usize, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(from..to.min(bytes.len()).max(from + 1));
        let byte = match random.random_range(0..4) {
            0 => *b"\"{}[]:,\\".get(random.random_range(0..8)).unwrap(),
            1 => b'0' + random.random_range(0..10),
            _ => random.random(),
        };
        // A line feed would make two lines of one, which is another test's matter.
        let byte = if byte == b'\n' { b' ' } else { byte };
        if let Some(there) = bytes.get_mut(at).filter(|there| **there != b'\n') {
            *there = byte;
        }
    }
}

fn check_conservation(outcome: &ImportOutcome, rows: usize, what: &str) {
    for source in &outcome.manifest.sources {
        assert!(source.check_conservation().is_ok(), "{what}: {source:?}");
    }
    assert_eq!(outcome.manifest.exchanges, rows as u64, "{what}");
}

#[test]
fn a_damaged_line_of_any_format_harms_no_other_line_and_is_accounted_for() {
    for file in samples() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().unwrap();
        let (whole, rows) = imported(folder.path(), &file, None).unwrap();
        let format = whole.manifest.sources[0].format.clone();
        let bytes = fs::read(&file).unwrap();
        let starts: Vec<usize> = std::iter::once(0)
            .chain(bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1))
            .filter(|at| *at < bytes.len())
            .collect();
        let is_lines = starts.len() > 3
            && !matches!(file.extension().and_then(|e| e.to_str()), Some("gor" | "flow" | "json"));
        let mut random = ChaCha8Rng::seed_from_u64(20_261_122);
        for round in 0..mutations() {
            let what = format!("{name}, damage {round}");
            // The first line may be a header.
            let line = random.random_range(1..starts.len().max(2)).min(starts.len() - 1);
            let (from, to) = if is_lines {
                let end = starts.get(line + 1).map_or(bytes.len(), |next| next - 1);
                (starts[line], end)
            } else {
                (0, bytes.len())
            };
            let mut damaged = bytes.clone();
            damage(&mut damaged, from, to, &mut random);
            let path = folder.path().join(&name);
            fs::write(&path, &damaged).unwrap();
            let (outcome, left) = match imported(folder.path(), &path, Some(&format)) {
                Ok(imported) => imported,
                Err(_) if !is_lines => continue,
                Err(error) => panic!("{what}: the other lines are gone: {error}"),
            };
            check_conservation(&outcome, left.len(), &what);
            if is_lines
                && file.extension().is_none_or(|ending| ending != "csv")
                && !JOINED.contains(&format.as_str())
            {
                let number = i64::try_from(line + 1).unwrap();
                let others = |rows: &[CapturedExchange]| -> BTreeSet<String> {
                    rows.iter().filter(|row| row.source_line != number).map(content).collect()
                };
                let missing: Vec<_> = others(&rows).difference(&others(&left)).cloned().collect();
                // A retry that lost its other attempt is no longer marked as one.
                assert!(missing.len() <= 1, "{what}: {missing:?}");
            }
        }
    }
}

/// A row's content without what is derived from its neighbours.
fn content(row: &CapturedExchange) -> String {
    let mut row = row.clone();
    row.attempt = 1;
    row.latency_baseline_ok = false;
    row.latency_baseline_reason = None;
    row.source_file.clear();
    row.request_id = row.request_id.rsplit(':').next().unwrap().to_owned();
    serde_json::to_string(&row).unwrap()
}

#[test]
fn a_sample_cut_anywhere_is_read_as_far_as_it_goes() {
    for file in samples() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().unwrap();
        let format =
            imported(folder.path(), &file, None).unwrap().0.manifest.sources[0].format.clone();
        let bytes = fs::read(&file).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for _ in 0..mutations().div_ceil(4) {
            let cut = random.random_range(1..bytes.len());
            let path = folder.path().join(&name);
            fs::write(&path, &bytes[..cut]).unwrap();
            if let Ok((outcome, rows)) = imported(folder.path(), &path, Some(&format)) {
                check_conservation(&outcome, rows.len(), &format!("{name} cut at {cut}"));
            }
        }
    }
}
