//! Outages by schedule: from when to when nobody is served, and how that shows.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::config::{ConfigError, check_non_negative};

/// How an outage shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageKind {
    /// Nobody listens: connections are refused, and open ones end.
    Refused,
    /// 500.
    ServerError,
    /// 503.
    Unavailable,
    /// Accepted, never answered.
    BlackHole,
    /// The connection is reset as the request arrives.
    Reset,
}

/// A stretch of time in which every request meets an outage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutageWindow {
    /// How it shows.
    pub kind: OutageKind,
    /// It begins once so many requests have arrived; absent: with the server.
    #[serde(default)]
    pub after_requests: u64,
    /// Milliseconds, before `time_scale`, from there to its beginning.
    #[serde(default)]
    pub from_ms: f64,
    /// How long it lasts, in milliseconds before `time_scale`.
    pub for_ms: f64,
}

impl OutageWindow {
    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        check_non_negative(&format!("{prefix}.from_ms"), self.from_ms)?;
        check_non_negative(&format!("{prefix}.for_ms"), self.for_ms)
    }
}

/// The windows of a running server.
#[derive(Debug)]
pub(super) struct Outages {
    windows: Vec<Window>,
    time_scale: f64,
}

#[derive(Debug)]
struct Window {
    settings: OutageWindow,
    /// From when to when, once enough requests have arrived.
    span: Option<(Instant, Instant)>,
}

impl Outages {
    pub(super) fn new(windows: &[OutageWindow], time_scale: f64, started: Instant) -> Self {
        let windows = windows.iter().map(|settings| Window { settings: *settings, span: None });
        let mut outages = Outages { windows: windows.collect(), time_scale };
        outages.arrived(0, started);
        outages
    }

    /// Notes that `requests` requests have arrived so far.
    pub(super) fn arrived(&mut self, requests: u64, now: Instant) {
        for window in &mut self.windows {
            if window.span.is_none() && requests >= window.settings.after_requests {
                let scaled = |ms: f64| {
                    Duration::try_from_secs_f64(ms * self.time_scale / 1000.0)
                        .unwrap_or(Duration::from_hours(8760))
                };
                let from = now + scaled(window.settings.from_ms);
                window.span = Some((from, from + scaled(window.settings.for_ms)));
            }
        }
    }

    /// The outage that holds now, and its end.
    pub(super) fn active(&self, now: Instant) -> Option<(OutageKind, Instant)> {
        self.windows.iter().find_map(|window| {
            let (from, to) = window.span?;
            (from <= now && now < to).then_some((window.settings.kind, to))
        })
    }

    /// When the next outage begins in which nobody listens, as far as that is known.
    pub(super) fn next_refusal(&self, now: Instant) -> Option<Instant> {
        self.windows
            .iter()
            .filter(|window| window.settings.kind == OutageKind::Refused)
            .filter_map(|window| window.span)
            .filter(|(_, to)| now < *to)
            .map(|(from, _)| from)
            .min()
    }

    /// Whether any outage refuses connections.
    pub(super) fn refuses(&self) -> bool {
        self.windows.iter().any(|window| window.settings.kind == OutageKind::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_opens_after_its_requests_and_closes_after_its_time() {
        let start = Instant::now();
        let window = OutageWindow {
            kind: OutageKind::Unavailable,
            after_requests: 10,
            from_ms: 100.0,
            for_ms: 1000.0,
        };
        let mut outages = Outages::new(&[window], 0.1, start);
        assert_eq!(outages.active(start), None);
        outages.arrived(10, start);
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(outages.active(at(9)), None);
        assert_eq!(outages.active(at(10)), Some((OutageKind::Unavailable, at(110))));
        // More arrivals do not move it.
        outages.arrived(11, at(50));
        assert_eq!(outages.active(at(110)), None);
        assert_eq!(outages.next_refusal(start), None);
    }
}
