//! Logs that real software wrote of the same calls, where `REHEARSAL_REAL_LOGS` names a folder of
//! them; without it this test says that it skips.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rehearsal::capture::{ImportOptions, SecretsOnly, import};
use rehearsal::dataset::{CapturedExchange, Project, Table, read_rows};

/// Files in the folder, the format that each is in, the fewest exchanges that must come out, and
/// whether prompts are in it.
const LOGS: &[(&str, &str, usize, bool)] = &[
    ("goreplay/capture.gor", "goreplay", 178, true),
    ("haproxy/access_json.log", "haproxy", 178, true),
    ("langfuse/otlp_traces.jsonl", "otlp", 178, true),
    ("litellm/standard_logging_payload.jsonl", "litellm", 181, true),
    ("litellm/generic_api_bodies.txt", "litellm", 180, true),
    ("litellm/otlp_traces.jsonl", "otlp", 178, true),
    ("mitmproxy/capture.flow", "mitmproxy", 178, true),
    ("mitmproxy/capture.har", "har", 178, true),
    ("nginx/access_json.log", "nginx", 178, true),
    ("nginx/access_combined.log", "nginx", 178, false),
    ("otel_openai_v2", "otlp", 174, true),
    ("otel_openai_v2_latest", "otlp", 174, false),
    ("otel_openinference/traces.jsonl", "otlp", 178, true),
    ("otel_traceloop/traces.jsonl", "otlp", 178, true),
];

fn folder() -> Option<PathBuf> {
    std::env::var_os("REHEARSAL_REAL_LOGS").map(PathBuf::from)
}

fn imported(input: &Path) -> (String, u64, Vec<CapturedExchange>) {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::new(folder.path());
    let options = ImportOptions {
        inputs: vec![input.to_string_lossy().into_owned()],
        ..ImportOptions::default()
    };
    let outcome = import(&project, &options, &SecretsOnly, &mut |_| {}).unwrap();
    let mut rows = Vec::new();
    for segment in &outcome.manifest.segments {
        let path = project.capture_folder().join(&segment.file);
        rows.extend(read_rows::<CapturedExchange>(&path, Table::Capture, None, None).unwrap());
    }
    (outcome.manifest.sources[0].format.clone(), outcome.rejects, rows)
}

fn prompts(rows: &[CapturedExchange]) -> BTreeSet<String> {
    rows.iter().filter_map(|row| row.prompt_fingerprint.clone()).collect()
}

#[test]
fn every_software_s_log_of_the_same_calls_gives_the_same_prompts() {
    let Some(folder) = folder() else {
        eprintln!("skipped: REHEARSAL_REAL_LOGS names no folder of real logs");
        return;
    };
    let (_, _, wire) = imported(&folder.join("mitmproxy/capture.har"));
    let sent = prompts(&wire);
    for (file, format, fewest, has_prompts) in LOGS {
        let (found, rejects, rows) = imported(&folder.join(file));
        assert_eq!(found, *format, "{file}");
        assert!(rejects <= 1, "{file}: {rejects} rejects");
        assert!(rows.len() >= *fewest, "{file}: {} exchanges", rows.len());
        let own = prompts(&rows);
        let common = own.intersection(&sent).count();
        if *has_prompts {
            // What a tool does not log (pictures, some dialects) differs; most of it must not.
            assert!(common * 100 >= sent.len() * 80, "{file}: {common} of {} prompts", sent.len());
        }
    }
}
