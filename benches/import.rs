//! How fast an import is: `cargo bench --bench import`.
//!
//! Generates LiteLLM payloads as a gateway writes them (`REHEARSAL_BENCH_MB`, 256 by default),
//! imports them as `rehearsal import` does, and prints the rate beside that of a peer in the same
//! run: `serde_json` parsing the same lines on all cores and writing nothing. The ratio is what
//! counts. `REHEARSAL_BENCH_KEEP=FILE` keeps the payloads, for `benches/peers/import_peers.py`,
//! which times DuckDB and Polars on them.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use rehearsal::capture::{ImportOptions, SecretsOnly, import};
use rehearsal::dataset::Project;
use serde_json::{Value, json};

const WORDS: &[&str] = &[
    "the", "order", "refund", "please", "customer", "answer", "table", "value", "between", "when",
    "delivery", "printer", "invoice", "and", "of", "with", "summary", "because", "number", "day",
];

fn text(random: &mut ChaCha8Rng, length: usize) -> String {
    let mut text = String::with_capacity(length + 16);
    while text.len() < length {
        let word = WORDS.choose(random).expect("there are words");
        let _ = write!(text, "{word} ");
        if random.random_bool(0.02) {
            text.push_str("\n\n```json\n{\"k\": \"vé中\"}\n```\n");
        }
    }
    text
}

fn payload(index: u32, random: &mut ChaCha8Rng) -> Value {
    let start = 1_760_000_000.0 + f64::from(index) * 0.11;
    let latency = random.random_range(0.4..9.0);
    let (input, output) = (random.random_range(100..900), random.random_range(20..400));
    let model = *["gpt-4o", "gpt-4o-mini", "gpt-4.1"].choose(random).expect("there are models");
    let stream = index.is_multiple_of(2);
    let asked = random.random_range(400..2_200);
    let answered = random.random_range(200..1_600);
    json!({
        "id": format!("chatcmpl-{index:012x}"), "trace_id": format!("{:032x}", random.random::<u128>()),
        "call_type": "acompletion", "stream": stream, "status": "success", "cache_hit": null,
        "response_cost": f64::from(input) * 2.5e-6 + f64::from(output) * 1e-5,
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "startTime": start, "endTime": start + latency, "completionStartTime": start + latency * 0.2,
        "model": model, "model_group": model, "custom_llm_provider": "openai",
        "api_base": "https://api.openai.com", "request_tags": ["prod", format!("svc-{}", index % 9)],
        "model_map_information": {"model_map_key": model, "model_map_value": {"max_tokens": 16384,
            "input_cost_per_token": 2.5e-6, "output_cost_per_token": 1e-5, "mode": "chat"}},
        "metadata": {"user_api_key_alias": format!("team-{}", index % 17),
            "requester_metadata": {"route": format!("/v1/route{:02}", index % 24)}},
        "end_user": format!("u{}", index % 10_000), "error_str": null, "error_information": null,
        "messages": [{"role": "system", "content": text(random, 200)},
            {"role": "user", "content": text(random, asked)}],
        "response": {"id": format!("chatcmpl-{index:012x}"), "object": "chat.completion",
            "model": model, "choices": [{"index": 0, "finish_reason": "stop", "message":
                {"role": "assistant", "content": text(random, answered), "tool_calls": null}}],
            "usage": {"prompt_tokens": input, "completion_tokens": output,
                "total_tokens": input + output}},
        "model_parameters": {"temperature": 0.2, "max_tokens": 1024, "stream": stream},
        "hidden_params": {"litellm_overhead_time_ms": 2.3, "additional_headers": {}},
    })
}

/// Writes so many bytes of payloads; how many rows they are.
fn generate(path: &Path, bytes: u64) -> u64 {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut file = BufWriter::new(File::create(path).expect("the file can be made"));
    let (mut written, mut rows) = (0_u64, 0_u32);
    while written < bytes {
        rows += 1;
        let line = payload(rows, &mut random).to_string();
        written += line.len() as u64 + 1;
        writeln!(file, "{line}").expect("the file can be written");
    }
    file.flush().expect("the file can be written");
    u64::from(rows)
}

/// Seconds that the peer takes.
fn parse_only(path: &Path, rows: u64) -> f64 {
    let began = Instant::now();
    let text = std::fs::read(path).expect("the file can be read");
    let parsed: u64 = text
        .par_split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| u64::from(serde_json::from_slice::<Value>(line).is_ok()))
        .sum();
    assert_eq!(parsed, rows);
    began.elapsed().as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "the size of a benchmark is the user's matter")]
fn size_mb() -> u64 {
    std::env::var("REHEARSAL_BENCH_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(256)
}

#[expect(clippy::disallowed_methods, reason = "where a benchmark keeps its data too")]
fn kept_log() -> Option<PathBuf> {
    std::env::var("REHEARSAL_BENCH_KEEP").ok().map(PathBuf::from)
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let log = kept_log().unwrap_or_else(|| folder.path().join("payloads.jsonl"));
    let bytes = size_mb() << 20;
    let rows = generate(&log, bytes);
    let gigabytes = bytes as f64 / 1e9;
    for round in 1..=3 {
        let project = Project::new(folder.path().join(format!("project-{round}")));
        let options = ImportOptions {
            inputs: vec![log.to_string_lossy().into_owned()],
            ..ImportOptions::default()
        };
        let began = Instant::now();
        let outcome =
            import(&project, &options, &SecretsOnly, &mut |_| {}).expect("it can be imported");
        let import_s = began.elapsed().as_secs_f64();
        assert_eq!(outcome.manifest.exchanges, rows);
        let parse_s = parse_only(&log, rows);
        println!(
            "round {round}: import {:.3} GB/s ({rows} rows), serde_json values alone {:.3} GB/s, \
             ratio of times {:.2}",
            gigabytes / import_s,
            gigabytes / parse_s,
            import_s / parse_s
        );
    }
}
