//! The sample captures of every log format, imported as a user would.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rehearsal::capture::{
    FORMATS, ImportOptions, ImportOutcome, Mapping, NotReplayable, SecretsOnly, import,
};
use rehearsal::chat::ErrorClass;
use rehearsal::dataset::{CaptureStore, CapturedExchange, Project, Table, read_rows};
use rehearsal::provider::Dialect;
use serde_json::json;

use crate::support::run;

fn samples() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/captures");
    folder.to_str().unwrap().to_owned()
}

fn import_into(folder: &Path, input: String) -> (ImportOutcome, Vec<CapturedExchange>) {
    let project = Project::new(folder);
    let mapping = std::fs::read_to_string(format!("{}/mapped.toml", samples())).unwrap();
    let mapping = input.ends_with("mapped.jsonl").then(|| Mapping::parse(&mapping).unwrap().into());
    let options = ImportOptions { inputs: vec![input], mapping, ..ImportOptions::default() };
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

/// File, format, and what becomes of its records: accepted, filtered, duplicates, merged.
const SAMPLES: &[(&str, &str, [u64; 4])] = &[
    ("apigee.csv", "apigee", [5, 1, 0, 0]),
    ("aws_api_gateway.jsonl", "aws_api_gateway", [7, 1, 0, 0]),
    ("azure_apim.jsonl", "azure_apim", [4, 1, 0, 6]),
    ("azure_llm_trace.csv", "azure_llm_trace", [6, 0, 0, 0]),
    ("azure_openai.jsonl", "azure_openai", [5, 1, 0, 0]),
    ("bedrock.jsonl", "bedrock", [9, 0, 0, 0]),
    ("burstgpt.csv", "burstgpt", [5, 0, 0, 0]),
    ("cloudflare.jsonl", "cloudflare", [10, 0, 0, 0]),
    ("google_cloud.jsonl", "google_cloud", [6, 2, 0, 0]),
    ("goreplay.gor", "goreplay", [11, 2, 0, 11]),
    ("haproxy.log", "haproxy", [10, 1, 0, 0]),
    ("har.json", "har", [12, 1, 0, 0]),
    ("helicone.jsonl", "helicone", [10, 1, 0, 0]),
    ("kong.jsonl", "kong", [10, 1, 0, 0]),
    ("langfuse.jsonl", "langfuse", [8, 4, 0, 0]),
    ("langfuse_export.csv", "langfuse", [4, 1, 0, 0]),
    ("langsmith.jsonl", "langsmith", [8, 2, 0, 0]),
    ("litellm.jsonl", "litellm", [16, 0, 1, 0]),
    ("litellm_batch.jsonl", "litellm_batch", [6, 0, 0, 0]),
    ("litellm_spend_logs.csv", "litellm_spend_logs", [10, 0, 0, 0]),
    ("mapped.jsonl", "mapped", [8, 0, 0, 0]),
    ("mitmproxy.flow", "mitmproxy", [11, 1, 0, 0]),
    ("mooncake.jsonl", "mooncake", [5, 0, 0, 0]),
    ("nginx.log", "nginx", [9, 1, 0, 0]),
    ("nginx_json.log", "nginx", [10, 1, 0, 0]),
    ("openai_batch.jsonl", "openai_batch", [8, 0, 0, 7]),
    ("openai_stored.json", "openai_stored", [5, 0, 0, 0]),
    ("openrouter.jsonl", "openrouter", [8, 0, 0, 0]),
    ("otlp_gen_b.jsonl", "otlp", [5, 0, 0, 8]),
    ("otlp_gen_c.jsonl", "otlp", [8, 4, 0, 1]),
    ("otlp_openinference.jsonl", "otlp", [7, 1, 0, 0]),
    ("otlp_openllmetry.jsonl", "otlp", [6, 2, 0, 0]),
    ("plain.jsonl", "plain", [15, 0, 1, 0]),
    ("portkey.jsonl", "portkey", [8, 0, 0, 0]),
];

#[test]
fn every_sample_is_recognised_without_flags_and_no_line_of_it_is_rejected() {
    for (file, format, [accepted, filtered, duplicates, joined]) in SAMPLES {
        let folder = tempfile::tempdir().unwrap();
        let (outcome, _) = import_into(folder.path(), format!("{}/{file}", samples()));
        let source = &outcome.manifest.sources[0];
        assert_eq!(source.format, *format, "{file}");
        assert_eq!(outcome.rejects, 0, "{file}");
        let counts =
            [source.accepted, source.filtered.values().sum(), source.duplicates, source.joined];
        assert_eq!(counts, [*accepted, *filtered, *duplicates, *joined], "{file}");
    }
    let formats: BTreeSet<&str> = SAMPLES.iter().map(|(_, format, _)| *format).collect();
    assert_eq!(formats.len(), FORMATS.len(), "every format has a sample");
}

#[test]
fn the_samples_of_gateways_and_tracers_show_what_such_logs_hold() {
    for (file, wanted) in [
        ("litellm.jsonl", "stream tool_call error cache_hit superseded health_check"),
        ("plain.jsonl", "stream tool_call error cache_hit superseded health_check"),
        ("langfuse.jsonl", "stream tool_call error"),
        ("helicone.jsonl", "stream error cache_hit"),
        ("otlp_gen_c.jsonl", "stream tool_call error"),
        ("bedrock.jsonl", "stream tool_call error"),
        ("kong.jsonl", "stream error cache_hit"),
        ("portkey.jsonl", "error cache_hit superseded"),
        ("har.json", "error"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (_, rows) = import_into(folder.path(), format!("{}/{file}", samples()));
        let has = |trait_name: &str, found: bool| {
            assert!(!wanted.contains(trait_name) || found, "{file}: {trait_name}");
        };
        has("stream", rows.iter().any(|row| row.ttft_ms.is_some()));
        has("tool_call", rows.iter().any(|row| row.tool_calls.is_some()));
        has("error", rows.iter().any(|row| row.error_class.is_some()));
        let reasons = counts(rows.iter().map(|row| row.latency_baseline_reason.clone()));
        for reason in ["cache_hit", "health_check", "superseded"] {
            has(reason, reasons.contains_key(reason));
        }
    }
}

#[test]
fn words_of_closed_sets_in_the_rows_are_in_their_sets() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, rows) = import_into(folder.path(), samples());
    let left_out: BTreeSet<String> = outcome
        .left_out
        .iter()
        .map(|left_out| left_out.path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let expected = ["README.md", "mapped.jsonl", "mapped.toml"];
    assert_eq!(left_out, expected.map(str::to_owned).into());
    for row in &rows {
        if let Some(class) = &row.error_class {
            assert!(class.parse::<ErrorClass>().is_ok(), "{class}");
        }
        if let Some(reason) = &row.not_replayable_reason {
            assert!(NotReplayable::ALL.iter().any(|known| known.as_str() == reason), "{reason}");
        }
        assert_eq!(row.replayable, row.not_replayable_reason.is_none());
        assert_eq!(row.latency_baseline_ok, row.latency_baseline_reason.is_none());
        let operations = [
            "chat",
            "text_completion",
            "generate",
            "embeddings",
            "image",
            "audio",
            "moderation",
            "rerank",
            "realtime",
            "other",
        ];
        assert!(operations.contains(&row.operation.as_str()), "{}", row.operation);
        for (value, known) in [
            (&row.latency_scope, &["client", "gateway", "upstream", "provider", "engine"][..]),
            (&row.usage_source, &["provider", "gateway", "client", "trace"]),
            (&row.time_basis, &["epoch", "rfc3339", "assumed_utc", "stated_offset", "relative"]),
        ] {
            let value = value.as_deref();
            assert!(value.is_none_or(|value| known.contains(&value)), "{value:?}");
        }
        assert!(row.dialect.as_deref().is_none_or(|dialect| dialect.parse::<Dialect>().is_ok()));
        let (input, cached) = (row.input_tokens, row.cache_read_input_tokens);
        assert!(cached.is_none() || cached <= input, "cached tokens are inside the input");
    }
}

#[test]
fn the_manifest_vouches_for_the_rows_and_a_replay_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let (outcome, rows) = import_into(folder.path(), samples());
    assert_eq!(rows.len() as u64, outcome.manifest.exchanges);
    let store = CaptureStore::open(&Project::new(folder.path())).unwrap();
    assert_eq!(*store.manifest(), outcome.manifest);
    let read: usize = store.blocks().map(|block| store.read(block).unwrap().len()).sum();
    assert_eq!(read as u64, outcome.manifest.exchanges);
    let again = tempfile::tempdir().unwrap();
    assert_eq!(import_into(again.path(), samples()).0.manifest, outcome.manifest);
}

#[test]
fn a_log_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("many.jsonl");
    let line = |index: u32| {
        let record = json!({"request_id": format!("r{index}"), "status": 200, "latency_ms": 5,
            "timestamp": 1_793_597_600 + index * 7 % 5_000,
            "request": {"model": "m", "messages": [
                {"role": "user", "content": format!("{index} {}", "ab ".repeat(600))}]},
            "response": {"choices": [{"message": {"role": "assistant", "content": "fine"}}]}});
        format!("{record}\n")
    };
    // More than two chunks and one segment.
    std::fs::write(&log, (0..9_000).map(line).collect::<String>()).unwrap();
    let mut captures = Vec::new();
    for threads in ["1", "4"] {
        let project = folder.path().join(threads);
        let arguments = ["import", log.to_str().unwrap(), "--threads", threads];
        std::fs::create_dir(&project).unwrap();
        let said = run(&project, &arguments);
        assert_eq!(said.code, 0, "{}", said.stderr);
        let mut files: Vec<_> =
            std::fs::read_dir(project.join("capture")).unwrap().map(|file| file.unwrap()).collect();
        files.sort_by_key(std::fs::DirEntry::file_name);
        assert_eq!(files.len(), 3, "two segments and the manifest");
        let content = |file: std::fs::DirEntry| std::fs::read(file.path()).unwrap();
        captures.push(files.into_iter().map(content).collect::<Vec<_>>());
    }
    assert!(captures[0] == captures[1], "captures differ");
}
