//! What was asked and what was planned for it: the truth that a client's own account is held to.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::answers::AnswerOrigin;
use super::fault::Fault;

/// One request, written down when it has arrived and before any byte of its answer leaves, so that
/// a client that dies is still in the log. What is planned is therefore what was meant to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The place in the order of arrival, from 0.
    pub sequence: u64,
    /// When the request's head arrived.
    pub received_at: DateTime<Utc>,
    /// The same on the server's monotonic clock: nanoseconds since its start.
    pub received_mono_ns: u64,
    /// The caller's `x-request-id`.
    pub x_request_id: Option<String>,
    /// The caller's `x-rehearsal-draw`.
    pub draw: Option<String>,
    /// The identifier that the answer carries.
    pub provider_request_id: String,
    /// The protocol as plans name it: `openai_chat`, `anthropic_messages`.
    pub protocol: String,
    /// The model that was asked; empty if the body names none.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// Whether it came over HTTP/2.
    #[serde(default)]
    pub http2: bool,
    /// Whether the request carried a key. The key itself is never kept.
    pub auth_present: bool,
    /// SHA-256 of the body in hexadecimal.
    pub body_sha256: String,
    /// The prompt key, where the body could be read.
    pub prompt_key: Option<String>,
    /// The status sent; absent where the connection is closed without an answer.
    pub status: Option<u16>,
    /// How it was to end.
    pub outcome: Outcome,
    /// How the answer came about, where there is one.
    pub answer: Option<AnswerOrigin>,
    /// From arrival to the first piece of output, in milliseconds; for an answer that is not
    /// streamed, what a stream would have had.
    pub planned_ttft_ms: Option<f64>,
    /// From arrival to the end of the answer, in milliseconds.
    pub planned_latency_ms: f64,
    /// Pieces of output that were to be sent; 0 for an error.
    pub chunks: u64,
    /// Tokens of the prompt, where it was read.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the whole answer, also where a fault cuts it short.
    pub completion_tokens: Option<u64>,
}

/// How a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With an answer.
    Ok,
    /// 400 or 413: the request breaks the protocol.
    Invalid,
    /// 401: a key is required and was not there.
    Unauthorized,
    /// 404: nothing is recorded for the prompt.
    NoRecordedAnswer,
    /// 429: over the configured requests a minute.
    RequestLimit,
    /// 429: over the configured tokens a minute.
    TokenLimit,
    /// A fault of the fault model struck.
    #[serde(untagged)]
    Fault(Fault),
}

impl Outcome {
    /// The outcome as it stands in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Invalid => "invalid",
            Outcome::Unauthorized => "unauthorized",
            Outcome::NoRecordedAnswer => "no_recorded_answer",
            Outcome::RequestLimit => "request_limit",
            Outcome::TokenLimit => "token_limit",
            Outcome::Fault(fault) => fault.as_str(),
        }
    }
}

/// Counts since the start or the last reset.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stats {
    /// Requests to the model endpoints.
    pub requests: u64,
    /// Requests under way now.
    pub in_flight: u64,
    /// The most requests that were under way at once.
    pub peak_in_flight: u64,
    /// Requests by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Requests by status sent; `none` where the connection was closed.
    pub statuses: BTreeMap<String, u64>,
    /// Requests by model.
    pub models: BTreeMap<String, u64>,
    /// Tokens of all prompts that were read.
    pub prompt_tokens: u64,
    /// Tokens of all answers.
    pub completion_tokens: u64,
}

/// The log and its counts.
#[derive(Debug, Default)]
pub(super) struct RequestLog {
    keep: bool,
    entries: Vec<LogEntry>,
    file: Option<File>,
    stats: Stats,
    next_sequence: u64,
}

impl RequestLog {
    /// A log that keeps entries in memory if `keep`, and appends them to `path` if there is one.
    pub(super) fn open(keep: bool, path: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        let file = path.map(open).transpose()?;
        Ok(RequestLog { keep, file, ..RequestLog::default() })
    }

    /// Notes a request that has arrived and gives the entry its place.
    pub(super) fn note(&mut self, mut entry: LogEntry) -> io::Result<()> {
        entry.sequence = self.next_sequence;
        self.next_sequence += 1;
        let status = entry.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        let counts = &mut self.stats;
        counts.requests += 1;
        *counts.outcomes.entry(entry.outcome.as_str().to_owned()).or_default() += 1;
        *counts.statuses.entry(status).or_default() += 1;
        *counts.models.entry(entry.model.clone()).or_default() += 1;
        counts.prompt_tokens += entry.prompt_tokens.unwrap_or(0);
        counts.completion_tokens += entry.completion_tokens.unwrap_or(0);
        if let Some(file) = &mut self.file {
            let mut line = serde_json::to_vec(&entry)?;
            line.push(b'\n');
            // One write a line: a reader never sees half of one.
            file.write_all(&line)?;
        }
        if self.keep {
            self.entries.push(entry);
        }
        Ok(())
    }

    /// Notes that a request is under way.
    pub(super) fn enter(&mut self) {
        self.stats.in_flight += 1;
        self.stats.peak_in_flight = self.stats.peak_in_flight.max(self.stats.in_flight);
    }

    /// Notes that a request is over, whether answered or abandoned.
    pub(super) fn leave(&mut self) {
        self.stats.in_flight = self.stats.in_flight.saturating_sub(1);
    }

    pub(super) fn entries(&self) -> &[LogEntry] {
        &self.entries
    }

    pub(super) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Forgets entries and counts; the file keeps what it has.
    pub(super) fn reset(&mut self) {
        let in_flight = self.stats.in_flight;
        self.stats = Stats { in_flight, peak_in_flight: in_flight, ..Stats::default() };
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTCOMES: &[Outcome] = &[
        Outcome::Ok,
        Outcome::Invalid,
        Outcome::Unauthorized,
        Outcome::NoRecordedAnswer,
        Outcome::RequestLimit,
        Outcome::TokenLimit,
    ];

    #[test]
    fn outcomes_are_written_and_read_under_the_names_that_counts_use() {
        let faults = Fault::ALL.iter().map(|fault| Outcome::Fault(*fault));
        for outcome in OUTCOMES.iter().copied().chain(faults) {
            let text = serde_json::to_string(&outcome).expect("must be written");
            assert_eq!(text, format!("\"{}\"", outcome.as_str()));
            assert_eq!(serde_json::from_str::<Outcome>(&text).expect("must be read"), outcome);
        }
    }
}
