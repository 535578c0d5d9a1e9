//! A run at one moment as text for a terminal.

use std::fmt::Write as _;
use std::time::Duration;

use crate::replay::{ArmView, Percentiles, RunState, RunView};
use crate::report::escape_terminal_line;

/// Width of the bar, in characters.
const BAR: u64 = 30;

/// The view as a page that takes the place of the one before.
pub(super) fn page(view: &RunView) -> String {
    let mut page = String::from("\x1b[H");
    for line in text(view).lines() {
        page.push_str(line);
        // Clears what an earlier, longer line left.
        page.push_str("\x1b[K\n");
    }
    page.push_str("\x1b[J");
    page
}

/// The view as lines.
pub(super) fn text(view: &RunView) -> String {
    let mut lines = vec![
        format!("{}  {}  began {}", view.run, view.state.as_str(), view.started_at),
        progress(view),
        money(view),
        String::new(),
    ];
    lines.extend(table(view));
    lines.extend(errors(view));
    let safe: Vec<String> = lines.iter().map(|line| escape_terminal_line(line)).collect();
    format!("{}\n", safe.join("\n"))
}

fn progress(view: &RunView) -> String {
    let share = view.done as f64 / (view.planned.max(1)) as f64;
    let filled = (view.done * BAR / view.planned.max(1)).min(BAR);
    let bar: String = (0..BAR).map(|at| if at < filled { '█' } else { '░' }).collect();
    let mut text = format!(
        "{bar}  {} of {} done ({:.1} %)",
        count(view.done),
        count(view.planned),
        share * 100.0
    );
    let under_way = match view.state {
        RunState::Running => "in flight",
        _ => "without an outcome",
    };
    if view.state == RunState::Running || view.in_flight > 0 {
        // Writing into a String cannot fail.
        let _ = write!(text, ", {} {under_way}", count(view.in_flight));
    }
    if view.uncertain > 0 {
        let _ = write!(text, ", {} uncertain", count(view.uncertain));
    }
    if let Some(pace) = view.done_per_second {
        let _ = write!(text, ", {pace:.1} done/s");
    }
    if let Some(left) = view.remaining_s.filter(|_| view.state == RunState::Running) {
        let _ = write!(text, ", {} left", humantime::format_duration(Duration::from_secs(left)));
    }
    text
}

fn money(view: &RunView) -> String {
    let mut text =
        format!("{} spent + {} reserved", usd(view.spent_nanousd), usd(view.reserved_nanousd));
    if let Some(budget) = view.budget_nanousd {
        let committed = view.spent_nanousd.saturating_add(view.reserved_nanousd);
        let share = committed as f64 / (budget.max(1)) as f64;
        let _ = write!(text, " of {} ({:.1} %)", usd(budget), share * 100.0);
    }
    text
}

const HEAD: [&str; 15] = [
    "arm",
    "done",
    "of",
    "in flight",
    "tries",
    "retries",
    "errors",
    "429",
    "ttft p50",
    "p95",
    "p99 ms",
    "latency p50",
    "p95",
    "p99 ms",
    "spent",
];

fn table(view: &RunView) -> Vec<String> {
    let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
    for arm in &view.arms {
        rows.push(row(arm));
        if arm.recent_latency_ms.is_some() {
            rows.push(recent_row(arm));
        }
    }
    let mut lines = aligned(&rows);
    let limits: Vec<String> = view.arms.iter().filter_map(limits).collect();
    if !limits.is_empty() {
        lines.push(String::new());
        lines.extend(limits);
    }
    lines
}

fn row(arm: &ArmView) -> Vec<String> {
    let failed: u64 = arm.errors.values().sum();
    let mut cells = vec![
        arm.arm.clone(),
        count(arm.done),
        count(arm.planned),
        count(arm.in_flight),
        count(arm.attempts),
        count(arm.retries),
        count(failed.saturating_sub(arm.rate_limited)),
        count(arm.rate_limited),
    ];
    cells.extend(three(arm.ttft_ms));
    cells.extend(three(arm.latency_ms));
    cells.push(usd(arm.spent_nanousd));
    cells
}

fn recent_row(arm: &ArmView) -> Vec<String> {
    let mut cells = vec!["  last minute".to_owned()];
    cells.extend(std::iter::repeat_n(String::new(), 7));
    cells.extend(three(arm.recent_ttft_ms));
    cells.extend(three(arm.recent_latency_ms));
    cells.push(String::new());
    cells
}

fn three(percentiles: Option<Percentiles>) -> [String; 3] {
    let Some(at) = percentiles else { return [(); 3].map(|()| "-".to_owned()) };
    [at.p50, at.p95, at.p99]
        .map(|ms| if ms < 10.0 { format!("{ms:.2}") } else { format!("{ms:.1}") })
}

/// What an arm was asked in the last minute, against its limits.
fn limits(arm: &ArmView) -> Option<String> {
    let used = |what: &str, used: Option<u64>, limit: Option<u64>| {
        let used = used?;
        Some(match limit {
            Some(limit) => format!("{} of {} {what}", count(used), count(limit)),
            None => format!("{} {what}", count(used)),
        })
    };
    let parts: Vec<String> = [
        used("requests", arm.requests_per_minute, arm.rpm_limit),
        used("tokens", arm.tokens_per_minute, arm.tpm_limit),
        used("in flight", arm.requests_per_minute.map(|_| arm.in_flight), arm.concurrency_limit),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| format!("{}, last minute: {}", arm.arm, parts.join(", ")))
}

fn errors(view: &RunView) -> Vec<String> {
    let mut lines = Vec::new();
    for arm in view.arms.iter().filter(|arm| !arm.errors.is_empty()) {
        let classes: Vec<String> =
            arm.errors.iter().map(|(class, n)| format!("{class} {}", count(*n))).collect();
        if lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("{}, failed attempts: {}", arm.arm, classes.join(", ")));
    }
    lines
}

/// Columns flush right under their heads, the first one flush left.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
                if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// A count with its thousands set apart.
fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn usd(nanos: i64) -> String {
    format!("${:.4}", nanos as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn view() -> RunView {
        let at = |p50: f64| Some(Percentiles { n: 9, p50, p95: p50 * 2.0, p99: p50 * 4.0 });
        let arm = ArmView {
            arm: "next".into(),
            planned: 3_000,
            done: 1_034,
            in_flight: 12,
            attempts: 1_040,
            retries: 6,
            errors: BTreeMap::from([("server_error".into(), 4), ("rate_limit_tokens".into(), 2)]),
            rate_limited: 2,
            ttft_ms: at(5.0),
            latency_ms: at(50.0),
            recent_latency_ms: at(60.0),
            requests_per_minute: Some(590),
            rpm_limit: Some(600),
            tokens_per_minute: Some(12_345),
            concurrency_limit: Some(64),
            spent_nanousd: 61_700_000,
            ..ArmView::default()
        };
        RunView {
            schema_version: 1,
            run: "run-1.shard-2-of-8".into(),
            state: RunState::Running,
            started_at: "2026-11-22T10:00:00.000Z".into(),
            planned: 3_000,
            done: 1_034,
            in_flight: 12,
            uncertain: 3,
            done_per_second: Some(9.83),
            remaining_s: Some(200),
            spent_nanousd: 61_700_000,
            reserved_nanousd: 1_200_000,
            budget_nanousd: Some(25_000_000_000),
            arms: vec![arm],
        }
    }

    #[test]
    fn a_run_is_shown_with_everything_that_one_watches() {
        insta::assert_snapshot!(text(&view()), @r"
        run-1.shard-2-of-8  running  began 2026-11-22T10:00:00.000Z
        ██████████░░░░░░░░░░░░░░░░░░░░  1,034 of 3,000 done (34.5 %), 12 in flight, 3 uncertain, 9.8 done/s, 3m 20s left
        $0.0617 spent + $0.0012 reserved of $25.0000 (0.3 %)

        arm             done     of  in flight  tries  retries  errors  429  ttft p50   p95  p99 ms  latency p50    p95  p99 ms    spent
        next           1,034  3,000         12  1,040        6       4    2      5.00  10.0    20.0         50.0  100.0   200.0  $0.0617
          last minute                                                               -     -       -         60.0  120.0   240.0

        next, last minute: 590 of 600 requests, 12,345 tokens, 12 of 64 in flight

        next, failed attempts: rate_limit_tokens 2, server_error 4
        ");
    }

    #[test]
    fn a_page_takes_the_place_of_the_one_before() {
        let page = page(&view());
        assert!(page.starts_with("\x1b[H") && page.ends_with("\x1b[J"));
        assert_eq!(page.matches("\x1b[K").count(), text(&view()).lines().count());
    }

    #[test]
    fn names_of_a_plan_cannot_steer_the_terminal() {
        let mut hostile = view();
        hostile.arms[0].arm = "a\x1b[2Jb\nc".into();
        let shown = text(&hostile);
        assert!(!shown.contains('\x1b'));
        assert_eq!(shown.lines().count(), text(&view()).lines().count());
    }
}
