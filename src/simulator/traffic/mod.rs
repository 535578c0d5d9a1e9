//! The demo's traffic: a seeded log of an invented shop's conversations, and what was answered.
//!
//! Everything is a pure function of [`TrafficConfig`]: the same settings give the same bytes. All
//! text is assembled from the module's own phrases; no person, shop or order in it is real.
//!
//! The log's latencies follow the model that the simulated control arm follows, so that the two
//! differ by chance alone. Answers are given without times for the same reason: each arm draws its
//! own.

mod dialogue;
mod extraction;
mod log_lines;
mod phrases;
mod scenario;
mod sessions;
#[cfg(test)]
mod tests;
mod tools;
mod wire;

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::recorded::{AnswerMap, RecordedAnswer};
use crate::chat::{ToolCall, prompt_key};
use dialogue::Exchange;
use log_lines::LogLines;
use sessions::MOST_TURNS;

pub use scenario::{
    CANDIDATE_LARGE, CANDIDATE_SMALL, Scenario, UnknownScenario, demo_profiles, demo_simulator,
};

/// What traffic is generated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrafficConfig {
    /// The seed of every draw.
    pub seed: u64,
    /// Requests with their answers; the duplicate and the broken line come on top.
    pub exchanges: usize,
    /// Conversations of 1 to 8 exchanges. Taken as the nearest number that `exchanges` allows.
    pub sessions: usize,
    /// Midnight at which the captured day begins, in seconds since 1970.
    pub start_epoch_s: i64,
    /// What latencies are multiplied by; the simulator's `time_scale` must be the same if the log
    /// and the replayed arms are to be alike. Timestamps are not scaled.
    pub time_scale: f64,
}

impl Default for TrafficConfig {
    /// 3,600 exchanges in 900 sessions on 2026-11-02 (UTC), twice as fast as life.
    fn default() -> Self {
        TrafficConfig {
            seed: 1,
            exchanges: 3600,
            sessions: 900,
            start_epoch_s: 1_793_577_600,
            time_scale: 0.5,
        }
    }
}

/// A captured log and the answers to everything that is asked in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// The log in the plain convention, one JSON object a line, ordered by time.
    pub log_lines: Vec<String>,
    /// One answer for each distinct prompt, in the order of the keys.
    pub answers: Vec<RecordedAnswerLine>,
    /// What the log holds.
    pub counts: TrafficCounts,
}

/// How many lines of each kind a log holds: what an import of it must count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrafficCounts {
    /// All lines: exchanges, duplicates and broken lines.
    pub lines: usize,
    /// Distinct exchanges, failures and cache hits among them.
    pub exchanges: usize,
    /// Sessions.
    pub sessions: usize,
    /// Exchanges that the incumbent answered 503.
    pub failures: usize,
    /// Exchanges that the gateway answered from its cache.
    pub cache_hits: usize,
    /// Lines that repeat another one byte for byte.
    pub duplicates: usize,
    /// Lines that are not JSON.
    pub broken: usize,
}

/// One line of an answers file, as [`AnswerMap::read`] takes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordedAnswerLine {
    /// The key of the prompt, see [`prompt_key`].
    pub prompt_key: String,
    /// The answer's text before any output cap; empty where only tools are called.
    pub text: String,
    /// The calls that it makes; their identifiers are empty.
    pub tool_calls: Vec<ToolCall>,
    /// Tokens of the prompt.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer before any output cap.
    pub completion_tokens: Option<u64>,
    /// Seconds to the first token; absent, so that each arm draws its own.
    pub ttft_s: Option<f64>,
    /// Seconds to the last token; absent likewise.
    pub latency_s: Option<f64>,
}

impl Traffic {
    /// The answers as a simulator takes them.
    pub fn answer_map(&self) -> AnswerMap {
        self.answers
            .iter()
            .map(|line| {
                let answer = RecordedAnswer {
                    text: line.text.clone(),
                    tool_calls: line.tool_calls.clone(),
                    prompt_tokens: line.prompt_tokens,
                    completion_tokens: line.completion_tokens,
                    ttft_s: line.ttft_s,
                    latency_s: line.latency_s,
                };
                (line.prompt_key.clone(), answer)
            })
            .collect()
    }
}

/// Generates a log and its answers.
pub fn generate(config: &TrafficConfig) -> Traffic {
    let exchanges = config.exchanges;
    let sessions = config.sessions.clamp(exchanges.div_ceil(MOST_TURNS), exchanges);
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let frames = sessions::frames(exchanges, sessions, &mut rng);
    let mut log = LogLines::new(config, &frames, &mut rng);
    let mut answers = BTreeMap::new();
    for frame in &frames {
        for exchange in dialogue::exchanges(config, frame) {
            log.push(frame, &exchange);
            let line = answer_line(exchange);
            answers.insert(line.prompt_key.clone(), line);
        }
    }
    let (log_lines, counts) = log.finish(&mut rng);
    let counts = TrafficCounts { exchanges, sessions, ..counts };
    Traffic { log_lines, answers: answers.into_values().collect(), counts }
}

fn answer_line(exchange: Exchange) -> RecordedAnswerLine {
    let Exchange { request, whole, prompt_tokens, .. } = exchange;
    RecordedAnswerLine {
        prompt_key: prompt_key(&request.messages),
        completion_tokens: Some(whole.completion_tokens),
        text: whole.text,
        tool_calls: whole.tool_calls,
        prompt_tokens: Some(prompt_tokens),
        ttft_s: None,
        latency_s: None,
    }
}
