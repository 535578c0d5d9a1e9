//! The sample captures of every log format, imported as a user would.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::path::Path;

use rehearsal::capture::{
    FORMATS, ImportOptions, ImportOutcome, NotReplayable, SecretsOnly, import,
};
use rehearsal::chat::ErrorClass;
use rehearsal::dataset::{CaptureStore, CapturedExchange, Project, Table, read_rows, sha256_hex};

fn samples() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/captures");
    folder.to_str().unwrap().to_owned()
}

fn import_into(folder: &Path, input: String) -> (ImportOutcome, Vec<CapturedExchange>) {
    let project = Project::new(folder);
    let options = ImportOptions { inputs: vec![input], ..ImportOptions::default() };
    let outcome = import(&project, &options, &SecretsOnly, &mut |_| {}).unwrap();
    let mut rows = Vec::new();
    for segment in &outcome.manifest.segments {
        let path = project.capture_folder().join(&segment.file);
        rows.extend(read_rows::<CapturedExchange>(&path, Table::Capture, None, None).unwrap());
    }
    (outcome, rows)
}

fn counts(values: impl Iterator<Item = Option<String>>) -> BTreeMap<String, usize> {
    values.flatten().fold(BTreeMap::new(), |mut counts, value| {
        *counts.entry(value).or_insert(0) += 1;
        counts
    })
}

#[test]
fn every_format_has_a_sample_that_it_recognises_without_a_reject() {
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let name = format.name();
        let (outcome, rows) = import_into(folder.path(), format!("{}/{name}.jsonl", samples()));
        assert_eq!(outcome.manifest.sources[0].format, name);
        assert_eq!(outcome.rejects, 0, "{name}");
        assert_eq!(outcome.superseded, 1, "{name}");
        let source = &outcome.manifest.sources[0];
        assert_eq!((source.duplicates, source.filtered["not_chat"]), (1, 1), "{name}");
        assert!(rows.iter().any(|row| row.ttft_ms.is_some()), "{name}: a stream");
        assert!(rows.iter().any(|row| row.tool_calls.is_some()), "{name}: a tool call");
        let reasons = counts(rows.iter().map(|row| row.latency_baseline_reason.clone()));
        for reason in ["cache_hit", "health_check", "superseded"] {
            assert_eq!(reasons.get(reason), Some(&1), "{name}: {reason}");
        }
        let dialects = counts(rows.iter().map(|row| row.dialect.clone()));
        assert_eq!(dialects.get("anthropic_messages"), Some(&1), "{name}");
    }
}

#[test]
fn words_of_closed_sets_in_the_rows_are_in_their_sets() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, rows) = import_into(folder.path(), samples());
    assert_eq!(outcome.left_out.len(), 1, "the README is no log");
    for row in &rows {
        if let Some(class) = &row.error_class {
            assert!(class.parse::<ErrorClass>().is_ok(), "{class}");
        }
        if let Some(reason) = &row.not_replayable_reason {
            assert!(NotReplayable::ALL.iter().any(|known| known.as_str() == reason), "{reason}");
        }
        assert_eq!(row.replayable, row.not_replayable_reason.is_none());
        assert_eq!(row.latency_baseline_ok, row.latency_baseline_reason.is_none());
        let (input, cached) = (row.input_tokens, row.cache_read_input_tokens);
        assert!(cached.is_none() || cached <= input, "cached tokens are inside the input");
    }
}

#[test]
fn the_manifest_vouches_for_the_rows_and_a_replay_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, rows) = import_into(folder.path(), samples());
    let mut text = String::new();
    for row in &rows {
        text.push_str(&serde_json::to_string(row).unwrap());
        text.push('\n');
    }
    assert_eq!(outcome.manifest.rows_sha256, sha256_hex(text));
    let store = CaptureStore::open(&Project::new(folder.path())).unwrap();
    assert_eq!(*store.manifest(), outcome.manifest);
    let read: usize = store.blocks().map(|block| store.read(block).unwrap().len()).sum();
    assert_eq!(read as u64, outcome.manifest.exchanges);
    let again = tempfile::tempdir().unwrap();
    assert_eq!(import_into(again.path(), samples()).0.manifest, outcome.manifest);
}
