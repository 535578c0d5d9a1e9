//! The last rows of a log held back, so that attempts of one request can find each other.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::dataset::CapturedExchange;

use super::body::content_bytes;
use super::dedupe::RowKey;
use super::reason::BaselineReason;
use super::row::Row;

/// How many rows are held back.
const WINDOW_ROWS: usize = 4_096;

/// How many bytes of content are held back at most.
const WINDOW_BYTES: usize = 32 << 20;

/// How far apart two attempts of one request may begin, by the times in the log.
const MAX_GAP_US: i64 = 10 * 60 * 1_000_000;

/// How many attempts of one request are looked at; more are no retries but a habit.
const MAX_GROUP: usize = 64;

/// Rows in the order of the log, each given out again once the rows around it are known.
///
/// Attempts of one request share session and prompt, or the identifier where a row lacks one of
/// the two. A failed attempt is superseded if another attempt follows it within ten minutes of
/// the log's time. A success that shares the failure's identifier follows it even if it began
/// earlier: gateways log a fallback with the time at which the client asked. The order of lines
/// does not matter within the window.
#[derive(Debug, Default)]
pub(super) struct Window {
    held: VecDeque<(Row, Option<u64>)>,
    bytes: usize,
    next: u64,
    groups: HashMap<u64, VecDeque<Attempt>>,
    /// Attempts whose rows have left; their group forgets them one window later.
    left: VecDeque<(u64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Attempt {
    /// Order in the log.
    number: u64,
    at_us: i64,
    failed: bool,
    /// Hash of the log's identifier.
    id: u64,
}

impl Window {
    /// Takes the next row; `leave` gets the rows that leave.
    pub(super) fn push(&mut self, row: Row, mut leave: impl FnMut(Row)) {
        let group = group_of(&row.exchange);
        if let Some(group) = group {
            let attempts = self.groups.entry(group).or_default();
            attempts.push_back(Attempt {
                number: self.next,
                at_us: row.exchange.captured_at,
                failed: row.exchange.error_class.is_some(),
                id: hash(&row.exchange.request_id),
            });
            if attempts.len() > MAX_GROUP {
                attempts.pop_front();
            }
        }
        self.next += 1;
        self.bytes += content_bytes(&row.exchange);
        self.held.push_back((row, group));
        while self.held.len() > WINDOW_ROWS || self.bytes > WINDOW_BYTES {
            let Some(row) = self.pop() else { break };
            leave(row);
        }
    }

    /// Gives out all rows.
    pub(super) fn drain(&mut self, mut leave: impl FnMut(Row)) {
        while let Some(row) = self.pop() {
            leave(row);
        }
    }

    fn pop(&mut self) -> Option<Row> {
        let number = self.next - self.held.len() as u64;
        let (mut row, group) = self.held.pop_front()?;
        self.bytes -= content_bytes(&row.exchange);
        if let Some(group) = group {
            if let Some(attempts) = self.groups.get(&group)
                && settle(&mut row.exchange, attempts, number)
            {
                row.key = RowKey::of(&row.exchange);
            }
            self.left.push_back((number, group));
        }
        self.forget();
        Some(row)
    }

    fn forget(&mut self) {
        let horizon = self.next.saturating_sub(2 * WINDOW_ROWS as u64);
        while let Some((number, group)) = self.left.front().copied() {
            if number >= horizon {
                break;
            }
            self.left.pop_front();
            if let Some(attempts) = self.groups.get_mut(&group) {
                attempts.retain(|attempt| attempt.number != number);
                if attempts.is_empty() {
                    self.groups.remove(&group);
                }
            }
        }
    }
}

/// What the attempts of one request share; none for traffic that nobody waits for.
fn group_of(row: &CapturedExchange) -> Option<u64> {
    let probes = [BaselineReason::SilentExperiment, BaselineReason::HealthCheck];
    let reason = row.latency_baseline_reason.as_deref();
    if probes.iter().any(|probe| reason == Some(probe.as_str())) {
        return None;
    }
    Some(match (&row.session_id, &row.prompt_fingerprint) {
        (Some(session), Some(prompt)) => hash(&(session, prompt)),
        (None, Some(prompt)) => hash(&(&row.request_id, prompt)),
        (_, None) => hash(&row.request_id),
    })
}

/// A hash that is the same in every run, which the standard library's default keys give.
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Fills in what the other attempts say of a row; whether that changed it.
fn settle(row: &mut CapturedExchange, attempts: &VecDeque<Attempt>, number: u64) -> bool {
    if attempts.len() < 2 || attempts.iter().all(|attempt| !attempt.failed) {
        return false;
    }
    let Some((order, superseded)) = place(attempts, number) else { return false };
    let changes = superseded || order > row.attempt;
    row.attempt = row.attempt.max(order);
    if superseded {
        row.latency_baseline_ok = false;
        row.latency_baseline_reason = Some(BaselineReason::Superseded.as_str().to_owned());
    }
    changes
}

/// Which attempt of its request this is, from 1, and whether another follows it.
fn place(attempts: &VecDeque<Attempt>, number: u64) -> Option<(i32, bool)> {
    let near = |a: &Attempt, b: &Attempt| a.at_us.abs_diff(b.at_us) <= MAX_GAP_US.unsigned_abs();
    // A success stands behind the failures of its own identifier.
    let stands_at = |attempt: &Attempt| {
        let own = attempts.iter().filter(|other| {
            !attempt.failed && other.failed && other.id == attempt.id && near(other, attempt)
        });
        own.map(|other| other.at_us).fold(attempt.at_us, i64::max)
    };
    let mut ordered: Vec<(i64, bool, Attempt)> =
        attempts.iter().map(|a| (stands_at(a), !a.failed, *a)).collect();
    ordered.sort_by_key(|(at_us, succeeded, attempt)| (*at_us, *succeeded, attempt.number));
    let mut order = 0;
    let mut before: Option<i64> = None;
    for (index, (at_us, _, attempt)) in ordered.iter().enumerate() {
        if before.is_some_and(|before| at_us - before > MAX_GAP_US) {
            order = 0;
        }
        order += 1;
        if attempt.number == number {
            let next = ordered.get(index + 1);
            let followed = next.is_some_and(|(next_us, _, _)| next_us - at_us <= MAX_GAP_US);
            return Some((order, attempt.failed && followed));
        }
        if !attempt.failed {
            order = 0;
        }
        before = Some(*at_us);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn row(id: &str, at_s: i64, failed: bool) -> CapturedExchange {
        CapturedExchange {
            request_id: id.to_owned(),
            session_id: Some("s".to_owned()),
            prompt_fingerprint: Some("p".to_owned()),
            captured_at: at_s * SECOND,
            error_class: failed.then(|| "server_error".to_owned()),
            attempt: 1,
            latency_baseline_ok: true,
            ..CapturedExchange::default()
        }
    }

    fn settled(rows: Vec<CapturedExchange>) -> Vec<(String, i32, bool)> {
        let mut window = Window::default();
        let mut out = Vec::new();
        let mut leave = |row: Row| {
            let row = row.exchange;
            let superseded = row.latency_baseline_reason.as_deref() == Some("superseded");
            assert_eq!(superseded, !row.latency_baseline_ok);
            out.push((row.request_id.clone(), row.attempt, superseded));
        };
        for row in rows {
            window.push(Row::new(row.into()), &mut leave);
        }
        window.drain(&mut leave);
        out
    }

    fn expect(expected: &[(&str, i32, bool)]) -> Vec<(String, i32, bool)> {
        expected
            .iter()
            .map(|(id, order, superseded)| ((*id).to_owned(), *order, *superseded))
            .collect()
    }

    #[test]
    fn a_failed_attempt_is_superseded_by_the_one_that_follows() {
        let rows = vec![row("a", 0, true), row("b", 1, true), row("c", 2, false)];
        assert_eq!(settled(rows), expect(&[("a", 1, true), ("b", 2, true), ("c", 3, false)]));
    }

    #[test]
    fn the_order_of_lines_does_not_matter() {
        let rows = vec![row("b", 2, false), row("a", 0, true)];
        assert_eq!(settled(rows), expect(&[("b", 2, false), ("a", 1, true)]));
    }

    #[test]
    fn a_fallback_of_the_same_identifier_follows_even_if_it_began_earlier() {
        let rows = vec![row("a", 5, true), row("a", 4, false)];
        assert_eq!(settled(rows), expect(&[("a", 1, true), ("a", 2, false)]));
        let others = vec![row("a", 5, true), row("b", 4, false)];
        assert_eq!(settled(others), expect(&[("a", 1, false), ("b", 1, false)]));
    }

    #[test]
    fn a_later_request_of_the_same_prompt_is_none_of_its_attempts() {
        let rows = vec![row("a", 0, true), row("b", 601, false)];
        assert_eq!(settled(rows), expect(&[("a", 1, false), ("b", 1, false)]));
        let rows = vec![row("a", 0, false), row("b", 1, false)];
        assert_eq!(settled(rows), expect(&[("a", 1, false), ("b", 1, false)]));
        let last_fails = vec![row("a", 0, true), row("b", 1, true)];
        assert_eq!(settled(last_fails), expect(&[("a", 1, true), ("b", 2, false)]));
    }

    #[test]
    fn rows_without_session_or_prompt_find_each_other_by_identifier_alone() {
        let stripped = |id, at_s, failed| CapturedExchange {
            session_id: None,
            prompt_fingerprint: None,
            ..row(id, at_s, failed)
        };
        let rows = vec![stripped("a", 0, true), stripped("a", 1, false), stripped("b", 2, false)];
        assert_eq!(settled(rows), expect(&[("a", 1, true), ("a", 2, false), ("b", 1, false)]));
    }

    #[test]
    fn the_window_is_bounded_and_forgets() {
        let mut window = Window::default();
        let mut out = 0;
        for index in 0..(3 * WINDOW_ROWS as i64) {
            let mut next = row(&index.to_string(), index, index % 2 == 0);
            next.session_id = Some(format!("s{index}"));
            window.push(Row::new(next.into()), |_| out += 1);
            assert!(window.held.len() <= WINDOW_ROWS);
        }
        assert_eq!(out, 2 * WINDOW_ROWS);
        assert!(window.groups.len() <= 2 * WINDOW_ROWS + 1, "{}", window.groups.len());
        let large = CapturedExchange {
            request_body: Some("x".repeat(WINDOW_BYTES)),
            ..row("large", 0, false)
        };
        window.push(Row::new(large.into()), |_| {});
        assert!(window.held.is_empty());
    }
}
