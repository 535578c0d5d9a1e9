//! The import as a whole: what it accepts, what it leaves behind, and that nothing is lost.

mod bytes;
mod faults;
mod mutation;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::capture::SecretsOnly;
use crate::dataset::{CapturedExchange, RejectRow, Table, read_rows};

/// A project in a folder of its own, with log files beside it.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    fn project(&self) -> Project {
        Project::new(self.folder.path().join("project"))
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn options(inputs: &[&str]) -> ImportOptions {
        let inputs = inputs.iter().map(|input| (*input).to_owned()).collect();
        ImportOptions { inputs, max_reject_rate: 1.0, ..ImportOptions::default() }
    }

    fn import(&self, inputs: &[&str]) -> Result<ImportOutcome, ImportError> {
        self.import_with(&Bench::options(inputs))
    }

    fn import_with(&self, options: &ImportOptions) -> Result<ImportOutcome, ImportError> {
        import(&self.project(), options, &SecretsOnly, &mut |_| {})
    }

    fn rows(&self) -> Vec<CapturedExchange> {
        let folder = self.project().capture_folder();
        let manifest: CaptureManifest =
            crate::dataset::read_json(&folder.join("manifest.json"), "manifest").unwrap();
        let mut rows = Vec::new();
        for segment in &manifest.segments {
            let path = folder.join(&segment.file);
            rows.extend(read_rows::<CapturedExchange>(&path, Table::Capture, None, None).unwrap());
        }
        rows
    }

    fn rejects(&self) -> Vec<RejectRow> {
        let path = self.project().rejects_folder().join("part-00000.parquet");
        read_rows(&path, Table::Rejects, None, None).unwrap()
    }
}

/// A record of the plain convention.
fn record(id: &str, second: u32, prompt: &str) -> Value {
    json!({"request_id": id, "timestamp": 1_793_597_600 + second, "status": 200,
        "latency_ms": 100 + second, "session_id": format!("s-{id}"),
        "request": {"model": "m", "messages": [{"role": "user", "content": prompt}]},
        "response": {"choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "fine"}}]}})
}

fn lines(records: &[Value]) -> String {
    records.iter().flat_map(|record| [record.to_string(), "\n".to_owned()]).collect()
}

fn ids(rows: &[CapturedExchange]) -> Vec<&str> {
    rows.iter().map(|row| row.request_id.as_str()).collect()
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry: std::io::Result<fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    names
}

fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    names_in(folder)
        .iter()
        .map(|name| (PathBuf::from(name), fs::read(folder.join(name)).unwrap()))
        .collect()
}

#[test]
fn rows_are_sorted_numbered_and_described_by_the_manifest() {
    let bench = Bench::new();
    let first = bench.file("a.jsonl", lines(&[record("c", 3, "x"), record("a", 1, "y")]));
    let second = bench.file("b.jsonl", lines(&[record("b", 2, "z")]));
    let outcome = bench.import(&[&first, &second]).unwrap();
    let rows = bench.rows();
    assert_eq!(ids(&rows), ["a", "b", "c"]);
    assert_eq!(rows.iter().map(|row| row.ordinal).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((rows[0].source_file.as_str(), rows[0].source_line), (first.as_str(), 2));
    assert_eq!(rows[0].source_format, "plain");
    let manifest = &outcome.manifest;
    assert_eq!((manifest.exchanges, manifest.schema_version), (3, 1));
    let from_us = 1_793_597_601_000_000;
    assert_eq!((manifest.from_us, manifest.to_us), (Some(from_us), Some(from_us + 2_000_000)));
    let hash = crate::dataset::sha256_hex(fs::read(&first).unwrap());
    assert_eq!(manifest.sources[0].sha256, hash);
    assert_eq!(manifest.sources[1].lines, 1);
    assert!(manifest.redaction[0].contains("openai_key"));
    assert!(bench.rejects().is_empty());
    assert_eq!(names_in(bench.project().folder()), ["capture", "rejects"]);
}

#[test]
fn a_repeated_row_is_a_duplicate_and_another_content_is_another_attempt() {
    let bench = Bench::new();
    let mut failed = record("a", 0, "x");
    failed["status"] = json!(500);
    failed["response"] = Value::Null;
    let records = [record("a", 1, "x"), record("a", 1, "x"), failed, record("b", 1, "x")];
    let first = bench.file("a.jsonl", lines(&records));
    let again = bench.file("b.jsonl", lines(&records[..1]));
    let outcome = bench.import(&[&first, &again]).unwrap();
    let line = "5 lines = 3 accepted + 0 rejected + 0 filtered + 2 duplicates";
    assert_eq!(outcome.conservation_line(), line);
    assert_eq!(outcome.superseded, 1);
    let rows = bench.rows();
    let failed = &rows[0];
    assert_eq!(failed.latency_baseline_reason.as_deref(), Some("superseded"));
    assert!(failed.replayable);
    assert_eq!((failed.attempt, rows[1].attempt, rows[2].attempt), (1, 2, 1));
}

#[test]
fn rows_without_identifier_are_told_apart_by_content_alone() {
    let bench = Bench::new();
    let nameless = |prompt: &str| {
        let mut record = record("", 1, prompt);
        record["request_id"] = Value::Null;
        record
    };
    let file = bench.file("a.jsonl", lines(&[nameless("x"), nameless("y"), nameless("x")]));
    let outcome = bench.import(&[&file]).unwrap();
    assert_eq!((outcome.manifest.exchanges, outcome.manifest.sources[0].duplicates), (2, 1));
}

#[test]
fn secrets_reach_no_file_and_the_fingerprint_is_that_of_the_redacted_body() {
    let bench = Bench::new();
    let key = ["gs", "k_", &"a1B2c3D4".repeat(4)].concat();
    let mut leaky = record("a", 1, &format!("use {key}"));
    leaky["response"]["choices"][0]["message"]["content"] = json!(format!("no {key}"));
    let clean = record("b", 2, "use [secret:groq_key]");
    let broken = format!("{{\"request\": \"{key}\n");
    let file = bench.file("a.jsonl", lines(&[leaky, clean]) + &broken);
    bench.import(&[&file]).unwrap();
    let rows = bench.rows();
    assert_eq!(rows[0].prompt_fingerprint, rows[1].prompt_fingerprint);
    let everything = format!("{}{:?}", serde_json::to_string(&rows).unwrap(), bench.rejects());
    assert!(!everything.contains("a1B2c3D4"), "{everything}");
    assert_eq!(everything.matches("[secret:groq_key]").count(), 4);
}

#[test]
fn formats_may_differ_from_file_to_file() {
    let bench = Bench::new();
    let litellm = json!({"id": "l", "call_type": "acompletion", "startTime": 1_793_597_600.5,
        "endTime": 1_793_597_601.5, "status": "success", "model": "m", "response": {},
        "messages": [{"role": "user", "content": "x"}]});
    let mut embedding = litellm.clone();
    embedding["call_type"] = json!("aembedding");
    let first = bench.file("a.jsonl", lines(&[litellm, embedding]));
    let second = bench.file("b.jsonl", lines(&[record("p", 1, "x")]));
    let outcome = bench.import(&[&first, &second]).unwrap();
    let formats: Vec<&str> =
        outcome.manifest.sources.iter().map(|source| source.format.as_str()).collect();
    assert_eq!(formats, ["litellm", "plain"]);
    let line = "3 lines = 3 accepted + 0 rejected + 0 filtered + 0 duplicates";
    assert_eq!(outcome.conservation_line(), line);
}

#[test]
fn progress_ends_with_everything_read() {
    let bench = Bench::new();
    let text = lines(&[record("a", 1, "x")]) + "broken\n";
    let file = bench.file("a.jsonl", &text);
    let mut seen = Vec::new();
    let mut observe = |progress: &ImportProgress| seen.push(progress.clone());
    import(&bench.project(), &Bench::options(&[&file]), &SecretsOnly, &mut observe).unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.files_done, last.files), (1, 1));
    assert_eq!((last.bytes_read, last.bytes_total), (text.len() as u64, Some(text.len() as u64)));
    assert_eq!((last.lines, last.accepted, last.rejected), (2, 1, 1));
}
