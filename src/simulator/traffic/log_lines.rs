//! The log itself: a line for every exchange, in order of time, and what goes wrong in real logs.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::dialogue::Exchange;
use super::sessions::{SessionFrame, deal};
use super::wire::request_body;
use super::{TrafficConfig, TrafficCounts};

/// One failure, and half as many cache hits, come on so many exchanges.
const EXCHANGES_PER_FAILURE: usize = 900;

/// What the gateway takes to answer from its cache.
const CACHE_MS: f64 = 40.0;

/// What became of an exchange that was not simply answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Incident {
    /// The incumbent answered 503.
    Failure,
    /// The gateway answered from its cache.
    CacheHit,
}

/// A log that is being written.
#[derive(Debug)]
pub(super) struct LogLines<'a> {
    config: &'a TrafficConfig,
    /// By session and turn.
    incidents: BTreeMap<(usize, usize), Incident>,
    counts: TrafficCounts,
    /// Time, session and turn of each line give the order.
    lines: BTreeMap<(i64, usize, usize), String>,
}

impl<'a> LogLines<'a> {
    /// A log for these sessions, in which it is settled which exchanges go wrong.
    pub(super) fn new(
        config: &'a TrafficConfig,
        frames: &[SessionFrame],
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let failures = sessions_struck(frames.len(), config.exchanges / EXCHANGES_PER_FAILURE);
        let cache_hits = sessions_struck(frames.len(), failures / 2);
        let rest = frames.len().saturating_sub(failures + cache_hits) as u32;
        let shares = [
            (Some(Incident::Failure), failures as u32),
            (Some(Incident::CacheHit), cache_hits as u32),
            (None, rest),
        ];
        // Both strike the last exchange of a session: nobody goes on after a failure, and what a
        // later turn carries needs no second thought.
        let incidents = deal(&shares, frames.len(), rng)
            .into_iter()
            .zip(frames)
            .filter_map(|(incident, frame)| {
                Some(((frame.index, frame.turns.saturating_sub(1)), incident?))
            })
            .collect();
        LogLines { config, incidents, counts: TrafficCounts::default(), lines: BTreeMap::new() }
    }

    /// Writes one exchange.
    pub(super) fn push(&mut self, frame: &SessionFrame, exchange: &Exchange) {
        let incident = self.incidents.get(&(frame.index, exchange.turn)).copied();
        match incident {
            Some(Incident::Failure) => self.counts.failures += 1,
            Some(Incident::CacheHit) => self.counts.cache_hits += 1,
            None => {}
        }
        let line = self.line(frame, exchange, incident).to_string();
        self.lines.insert((exchange.sent_ms, frame.index, exchange.turn), line);
    }

    fn line(&self, frame: &SessionFrame, exchange: &Exchange, incident: Option<Incident>) -> Value {
        let failed = incident == Some(Incident::Failure);
        let (latency_ms, ttft_ms) = match incident {
            // A refusal takes as long as a first token would have taken.
            Some(Incident::Failure) => (exchange.ttft_ms, exchange.ttft_ms),
            Some(Incident::CacheHit) => (CACHE_MS, CACHE_MS),
            None => (exchange.latency_ms, exchange.ttft_ms),
        };
        let overloaded = || {
            json!({ "error": {
            "message": "The model has no capacity left; try again later.",
            "type": "server_error",
            "param": null,
            "code": "overloaded",
        } })
        };
        json!({
            "timestamp": timestamp(exchange.sent_ms),
            "request_id": format!("req-{:05}-{}", frame.index + 1, exchange.turn + 1),
            "session_id": format!("session-{:05}", frame.index + 1),
            "tenant": frame.tenant,
            "route": frame.kind.route(),
            "provider": "openai",
            "request": request_body(&exchange.request),
            "response": if failed { overloaded() } else { exchange.response.clone() },
            "status": if failed { 503 } else { 200 },
            "latency_ms": self.scaled(latency_ms),
            "ttft_ms": (frame.stream && !failed).then(|| self.scaled(ttft_ms)),
            "stream": frame.stream,
            "cache_hit": incident == Some(Incident::CacheHit),
        })
    }

    /// The duration as it is logged: on the log's scale, to the microsecond.
    fn scaled(&self, ms: f64) -> f64 {
        (ms * self.config.time_scale * 1000.0).round() / 1000.0
    }

    /// The lines in order of time, with one of them written twice and a broken one among them.
    pub(super) fn finish(self, rng: &mut ChaCha8Rng) -> (Vec<String>, TrafficCounts) {
        let LogLines { mut counts, lines, .. } = self;
        let mut lines: Vec<String> = lines.into_values().collect();
        if !lines.is_empty() {
            let twice = rng.random_range(0..lines.len());
            lines.extend_from_within(twice..=twice);
            if let Some(tail) = lines.get_mut(twice..) {
                tail.rotate_right(1);
            }
            counts.duplicates = 1;
            let broken = rng.random_range(0..lines.len());
            let cut = lines.get(broken).map(|line| half(line).to_owned()).unwrap_or_default();
            lines.insert(broken, cut);
            counts.broken = 1;
        }
        counts.lines = lines.len();
        (lines, counts)
    }
}

/// At least one, as far as there are sessions for it to strike.
fn sessions_struck(sessions: usize, wanted: usize) -> usize {
    wanted.max(1).min(sessions / 4)
}

/// What a writer leaves that dies in the middle of a line.
fn half(line: &str) -> &str {
    line.split_at(line.floor_char_boundary(line.len() / 2)).0
}

fn timestamp(epoch_ms: i64) -> String {
    let time = DateTime::from_timestamp_millis(epoch_ms).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
