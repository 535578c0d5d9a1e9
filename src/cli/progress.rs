//! Live progress on stderr: a bar in a terminal, lines elsewhere.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle as BarStyle};

use super::{Common, ProgressStyle};
use crate::replay::{Progress, ReplayOutcome, Slip, Snapshot, StopReason, Stopper};

const BAR_EVERY: Duration = Duration::from_millis(200);
const JSON_EVERY: Duration = Duration::from_secs(1);
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Prints a note on stderr.
#[expect(clippy::print_stderr, reason = "the command line is what prints")]
pub(super) fn note(message: &str) {
    eprintln!("{message}");
}

/// Prints an event on stderr: one JSON object on a line of its own, its name first.
pub(super) fn event(name: &str, fields: &serde_json::Value) {
    let mut object = serde_json::Map::new();
    object.insert("event".to_owned(), name.into());
    object.extend(fields.as_object().cloned().unwrap_or_default());
    note(&serde_json::Value::Object(object).to_string());
}

/// Prints a question on stderr, the answer to follow in the same line.
#[expect(clippy::print_stderr, reason = "the command line is what prints")]
pub(super) fn prompt(question: &str) {
    eprint!("{question}");
}

/// Shows a replay's progress until the task is aborted.
pub(super) fn show(
    common: &Common,
    progress: Arc<Progress>,
    stopper: Stopper,
) -> tokio::task::JoinHandle<()> {
    let style = match common.progress {
        _ if common.quiet => ProgressStyle::None,
        ProgressStyle::Auto if std::io::stderr().is_terminal() => ProgressStyle::Auto,
        ProgressStyle::Auto => ProgressStyle::Plain,
        chosen => chosen,
    };
    if style == ProgressStyle::Json {
        begin(&progress, &stopper);
    }
    tokio::spawn(async move {
        match style {
            ProgressStyle::None => {}
            ProgressStyle::Auto => bar(&progress, &stopper).await,
            ProgressStyle::Plain => lines(&progress, &stopper).await,
            ProgressStyle::Json => events(&progress, &stopper).await,
        }
    })
}

async fn bar(progress: &Progress, stopper: &Stopper) {
    // The bar goes when the replay ends; the last line says what it said.
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr())
        .with_finish(ProgressFinish::AndClear);
    // The part that may be long is cut at the terminal's width, so that a redraw never scrolls.
    if let Ok(style) = BarStyle::with_template("{bar:30} {pos}/{len} {prefix}\n{wide_msg}") {
        bar.set_style(style);
    }
    loop {
        let now = progress.snapshot(Instant::now());
        bar.set_length(now.total);
        bar.set_position(now.done);
        bar.set_prefix(speed(&now));
        bar.set_message(money_and_ttft(&now, stopper.money()));
        tokio::time::sleep(BAR_EVERY).await;
    }
}

async fn lines(progress: &Progress, stopper: &Stopper) {
    loop {
        tokio::time::sleep(LINE_EVERY).await;
        note(&line(&progress.snapshot(Instant::now()), stopper.money()));
    }
}

fn begin(progress: &Progress, stopper: &Stopper) {
    let now = progress.snapshot(Instant::now());
    let (spent, _, budget) = stopper.money();
    let fields = serde_json::json!({
        "run": stopper.run_name(),
        "total": now.total,
        "done": now.done,
        "spent_nanousd": spent,
        "budget_nanousd": budget,
    });
    event("begin", &fields);
}

async fn events(progress: &Progress, stopper: &Stopper) {
    let mut told = false;
    loop {
        tokio::time::sleep(JSON_EVERY).await;
        if let Some(reason) = stopper.reason().filter(|_| !told) {
            told = true;
            event("stopping", &serde_json::json!({ "reason": reason.as_str() }));
        }
        event("progress", &json(&progress.snapshot(Instant::now()), stopper.money()));
    }
}

/// The last word of a replay, for whoever reads the log of a job.
pub(super) fn ended(common: &Common, progress: &Progress, outcome: &ReplayOutcome) {
    let now = progress.snapshot(Instant::now());
    let money = (outcome.spent_nanousd, 0, outcome.budget_nanousd);
    match common.progress {
        _ if common.quiet => {}
        ProgressStyle::None => {}
        ProgressStyle::Auto | ProgressStyle::Plain => note(&line(&now, money)),
        ProgressStyle::Json => {
            event("progress", &json(&now, money));
            let fields = serde_json::json!({
                "run": outcome.run_name,
                "stopped": outcome.stopped.map(StopReason::as_str),
                "total": outcome.planned,
                "done": outcome.done,
                "uncertain": outcome.uncertain,
                "spent_nanousd": outcome.spent_nanousd,
                "budget_nanousd": outcome.budget_nanousd,
            });
            event("end", &fields);
        }
    }
}

/// How late the requests of an arm left against their schedule.
pub(super) fn slip_line(slip: &Slip) -> String {
    let (p50, p99, max) = slip.client_ms;
    let mut text = format!(
        "schedule of {}: {} requests, sent late by p50 {p50:.2} p99 {p99:.2} max {max:.2} ms, \
         {:.2} % by more than 1 ms",
        slip.arm,
        slip.scheduled,
        slip.client_late_share * 100.0,
    );
    if slip.held_back_share > 0.0 {
        let (p99, max) = slip.held_back_ms;
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            "; {:.2} % held back by limits of the plan, p99 {p99:.0} max {max:.0} ms",
            slip.held_back_share * 100.0,
        );
    }
    text
}

fn line(now: &Snapshot, money: (i64, i64, i64)) -> String {
    format!("replay {}/{} {}", now.done, now.total, figures(now, money))
}

fn figures(now: &Snapshot, money: (i64, i64, i64)) -> String {
    format!("{}, {}", speed(now), money_and_ttft(now, money))
}

fn speed(now: &Snapshot) -> String {
    let mut text = format!(
        "{:.0} req/s, {} in flight, {} errors, {} 429",
        now.per_second, now.in_flight, now.errors, now.rate_limited,
    );
    if let Some(remaining) = now.remaining.filter(|_| now.done < now.total) {
        let whole = Duration::from_secs(remaining.as_secs());
        // Writing into a String cannot fail.
        let _ = write!(text, ", {} left", humantime::format_duration(whole));
    }
    text
}

fn money_and_ttft(now: &Snapshot, (spent, reserved, budget): (i64, i64, i64)) -> String {
    let usd = |nanos: i64| nanos as f64 / 1e9;
    let mut text = format!(
        "${:.4} spent + ${:.4} reserved of ${:.2}",
        usd(spent),
        usd(reserved),
        usd(budget),
    );
    for (arm, p50, p99) in &now.ttft_ms {
        // Writing into a String cannot fail.
        let _ = write!(text, ", {arm} TTFT p50 {p50:.0} p99 {p99:.0} ms");
    }
    text
}

fn json(now: &Snapshot, (spent, reserved, budget): (i64, i64, i64)) -> serde_json::Value {
    let ttft: serde_json::Map<String, serde_json::Value> = now
        .ttft_ms
        .iter()
        .map(|(arm, p50, p99)| (arm.clone(), serde_json::json!({ "p50_ms": p50, "p99_ms": p99 })))
        .collect();
    serde_json::json!({
        "done": now.done,
        "total": now.total,
        "requests_per_second": now.per_second,
        "in_flight": now.in_flight,
        "errors": now.errors,
        "rate_limited": now.rate_limited,
        "spent_nanousd": spent,
        "reserved_nanousd": reserved,
        "budget_nanousd": budget,
        "ttft": ttft,
        "elapsed_s": now.elapsed.as_secs_f64(),
        "remaining_s": now.remaining.map(|remaining| remaining.as_secs()),
    })
}
