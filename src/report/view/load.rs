//! Load: steps of a ramp, the knee, demand at the peak, incidents, punctuality.

use super::{Chart, Folded, Section};
use crate::report::format::{
    UNKNOWN, Unit, count, duration_ms, elapsed_s, limit, per_second, percentile_name, share,
    significant,
};
use crate::report::svg::{ArmStyles, LoadMeasure, load_chart};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::shown;
use crate::report::{
    AtPeak, CriterionKnee, Incident, LimitRejections, LoadReport, LoadStep, PeakDemand, Percentile,
    ScheduleSlip, Settling,
};
use crate::verdict::MOST_LATE;

const MEASURES: [LoadMeasure; 2] = [
    LoadMeasure {
        name: "Total latency",
        key: "latency_ms",
        percentiles: |step| step.latency.as_slice(),
    },
    LoadMeasure {
        name: "Time to first token",
        key: "ttft_ms",
        percentiles: |step| step.ttft.as_slice(),
    },
];

const FAILED: &str = "Failed";
const LATENCY: &str = "Latency";
const FIRST_TOKEN: &str = "Time to first token";
const SLIP: &str = "Sent after its time";
const BY_CLIENT: &str = "of it by the client";
const BY_LIMITS: &str = "of it held back by the plan’s limits";
const HOLDS: &str = "Holds up to";
const FAILS: &str = "Fails from";

/// Everything on load.
pub(super) fn section(load: &LoadReport, styles: &ArmStyles) -> Section {
    let mut section = Section::new(
        "load",
        "Load",
        "Requests left on a schedule, so that a slow provider was not asked less. A step of a \
         ramp is sustained when its answers came back at 95% of the offered rate or more. The \
         knee is the highest offered rate that was sustained with the upper bound of every \
         absolute limit of the plan within it, and below which no step failed; a step fails when \
         it was not sustained or a lower bound is beyond its limit. What lies between is \
         undecided.",
    );
    section.notes = load.knees.iter().map(knee_note).collect();
    if !load.steps.is_empty() {
        section.charts = vec![chart(load, styles)];
        section.tables.push(knees(&load.criterion_knees));
        section.tables.push(steps(&load.steps));
    }
    section.tables.push(slip(&load.slip));
    section.tables.push(demand(&load.demand));
    if !load.rejections.is_empty() {
        section.tables.push(rejections(&load.rejections));
    }
    section.tables.push(at_peak(&load.at_peak));
    section.tables.push(incidents(&load.incidents));
    if !load.settling.is_empty() {
        section.folded.push(Folded {
            summary: "Settling after each step",
            tables: vec![settling(&load.settling)],
        });
    }
    section
}

fn knee_note(knee: &crate::report::ArmKnee) -> String {
    let arm = shown(&knee.arm);
    match (knee.holds_per_second, knee.fails_per_second) {
        (Some(holds), Some(fails)) => {
            format!(
                "{arm}: the knee is at {}; from {} on a limit fails.",
                per_second(holds),
                per_second(fails)
            )
        }
        (Some(holds), None) => {
            format!("{arm}: every limit holds up to {}; no step fails.", per_second(holds))
        }
        (None, Some(fails)) => format!(
            "{arm}: no step was shown to hold every limit; from {} on a limit fails.",
            per_second(fails)
        ),
        (None, None) => format!(
            "{arm}: no step up to {} was shown to hold every limit, and none to fail one.",
            per_second(knee.highest_per_second)
        ),
    }
}

fn chart(load: &LoadReport, styles: &ArmStyles) -> Chart {
    let mut arms: Vec<&str> = Vec::new();
    for step in &load.steps {
        if !arms.contains(&step.arm.as_str()) {
            arms.push(&step.arm);
        }
    }
    let mut panels = Vec::new();
    for measure in MEASURES {
        for arm in &arms {
            let has_values = load
                .steps
                .iter()
                .any(|step| step.arm == *arm && !(measure.percentiles)(step).is_empty());
            if has_values {
                let id = format!("load-{}", panels.len());
                let knee = load.knees.iter().find(|knee| knee.arm == *arm);
                panels.push(load_chart(&id, arm, measure, &load.steps, knee, styles));
            }
        }
    }
    let mut data = Table::new(
        "load-data",
        "Percentiles by step with their bounds",
        &[
            Column::text("Arm"),
            Column::text("Measure"),
            Column::figure("Offered"),
            Column::figure("Percentile"),
            Column::figure("Value"),
            Column::figure("Lower bound"),
            Column::figure("Upper bound"),
        ],
    );
    for measure in MEASURES {
        for step in &load.steps {
            data.rows.extend((measure.percentiles)(step).iter().map(|one| {
                vec![
                    Cell::name(&step.arm),
                    Cell::words(measure.name),
                    rate(step.offered_per_second),
                    Cell::figure(percentile_name(one.p), one.p),
                    duration(one.value),
                    duration(one.low),
                    duration(one.high),
                ]
            }));
        }
    }
    Chart {
        title: "Latency and failures by offered rate",
        explanation: "Lines: percentiles of first attempts, a failure counts as ∞ and lies on the \
                      upper edge; thin upright lines reach from the lower to the upper one-sided \
                      bound. Bars: share of failures. Dashed: the knee. Shaded: rates that fail.",
        legend: Vec::new(),
        panels,
        data,
    }
}

fn duration(value: Option<f64>) -> Cell {
    Cell::optional(value, duration_ms)
}

fn rate(value: f64) -> Cell {
    Cell::figure(per_second(value), value)
}

fn shared(value: Option<f64>) -> Cell {
    Cell::optional(value, share)
}

fn at(percentiles: &[Percentile], p: f64) -> Option<&Percentile> {
    percentiles.iter().find(|one| (one.p - p).abs() < 1e-9)
}

fn value_at(percentiles: &[Percentile], p: f64) -> Cell {
    duration(at(percentiles, p).and_then(|one| one.value))
}

fn upper_at(percentiles: &[Percentile], p: f64) -> Cell {
    duration(at(percentiles, p).and_then(|one| one.high))
}

fn knees(rows: &[CriterionKnee]) -> Table {
    let mut table = Table::new(
        "knees-table",
        "The knee under each limit",
        &[
            Column::text("Arm"),
            Column::text("Metric"),
            Column::figure("Limit"),
            Column::figure("rate").under(HOLDS),
            Column::figure("value").under(HOLDS),
            Column::figure("upper bound").under(HOLDS),
            Column::figure("rate").under(FAILS),
            Column::text("by").under(FAILS),
            Column::figure("value").under(FAILS),
            Column::figure("lower bound").under(FAILS),
            Column::figure("answered of offered").under(FAILS),
            Column::figure("Undecided steps"),
        ],
    );
    table.rows = rows
        .iter()
        .map(|row| {
            let unit = Unit::parse(&row.unit);
            let measured = |value: Option<f64>| match unit {
                Unit::Milliseconds => duration(value),
                _ => shared(value),
            };
            vec![
                Cell::name(&row.arm),
                Cell::name(&row.metric),
                Cell::optional(row.limit, |value| limit(value, &unit)),
                Cell::optional(row.holds_per_second, per_second),
                measured(row.holds_value),
                measured(row.holds_high),
                Cell::optional(row.fails_per_second, per_second),
                row.fails_by.as_deref().map_or_else(|| Cell::words(UNKNOWN), Cell::sentence),
                measured(row.fails_value),
                measured(row.fails_low),
                shared(row.fails_achieved_share),
                Cell::count(row.undecided),
            ]
        })
        .collect();
    table
}

fn steps(rows: &[LoadStep]) -> Table {
    let mut table = Table::new(
        "steps-table",
        "Steps of the ramp",
        &[
            Column::text("Arm"),
            Column::figure("Step"),
            Column::figure("offered").under("Rate"),
            Column::figure("answered").under("Rate"),
            Column::figure("of it").under("Rate"),
            Column::figure("n"),
            Column::figure("Failed"),
            Column::figure("429"),
            Column::figure("p50").under(LATENCY),
            Column::figure("p95").under(LATENCY),
            Column::figure("p99").under(LATENCY),
            Column::figure("p99 upper bound").under(LATENCY),
            Column::figure("p50").under(FIRST_TOKEN),
            Column::figure("p99").under(FIRST_TOKEN),
            Column::figure("p99 upper bound").under(FIRST_TOKEN),
        ],
    );
    table.rows = rows
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::count(u64::from(row.step)),
                rate(row.offered_per_second),
                Cell::optional(row.achieved_per_second, per_second),
                shared(row.achieved_share),
                Cell::count(row.n),
                shared(row.error_rate),
                Cell::count(row.rate_limited),
                value_at(&row.latency, 0.5),
                value_at(&row.latency, 0.95),
                value_at(&row.latency, 0.99),
                upper_at(&row.latency, 0.99),
                value_at(&row.ttft, 0.5),
                value_at(&row.ttft, 0.99),
                upper_at(&row.ttft, 0.99),
            ]
        })
        .collect();
    table
}

fn slip(rows: &[ScheduleSlip]) -> Table {
    let mut table = Table::new(
        "slip-table",
        "Send slip against the schedule (coordinated omission), first attempts",
        &[
            Column::text("Arm"),
            Column::figure("n"),
            Column::figure("p50").under(SLIP),
            Column::figure("p99").under(SLIP),
            Column::figure("most").under(SLIP),
            Column::figure("late").under(SLIP),
            Column::figure("p99").under(BY_CLIENT),
            Column::figure("most").under(BY_CLIENT),
            Column::figure("late").under(BY_CLIENT),
            Column::figure("attempts").under(BY_LIMITS),
            Column::figure("p99").under(BY_LIMITS),
            Column::figure("Late is beyond, of the median latency"),
            Column::figure("from sending").under("Latency p99"),
            Column::figure("from its time").under("Latency p99"),
        ],
    );
    let late = |value: f64| Cell::figure(share(value), value).alert_if(value > MOST_LATE);
    table.rows = rows
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::count(row.attempts),
                duration(row.slip_p50_ms),
                duration(row.slip_p99_ms),
                duration(row.slip_max_ms),
                late(row.late_share),
                duration(row.client_slip_p99_ms),
                duration(row.client_slip_max_ms),
                late(row.client_late_share),
                Cell::count(row.held_back),
                duration(row.held_back_p99_ms),
                Cell::figure(share(row.late_beyond_share), row.late_beyond_share),
                duration(row.from_sent_p99_ms),
                duration(row.from_schedule_p99_ms),
            ]
        })
        .collect();
    table
}

fn demand(rows: &[PeakDemand]) -> Table {
    let mut table = Table::new(
        "demand-table",
        "Throughput against the demand of the capture at its peak",
        &[
            Column::text("Arm"),
            Column::text("Busiest"),
            Column::text("of"),
            Column::text("Begins at"),
            Column::figure("Demand"),
            Column::figure("demanded").under("Per minute"),
            Column::figure("answered at most").under("Per minute"),
            Column::figure("Answered of demanded"),
        ],
    )
    .when_empty("The capture has no time of its own.");
    let number = |value: f64| Cell::figure(significant(value, 3), value);
    table.rows = rows
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::sentence(&row.span),
                Cell::sentence(&row.measure),
                Cell::sentence(&row.begins_at),
                Cell::count(row.demand),
                number(row.demand_per_minute),
                number(row.answered_per_minute),
                Cell::figure(share(row.answered_share), row.answered_share)
                    .alert_if(row.answered_share < 1.0),
            ]
        })
        .collect();
    table
}

fn rejections(rows: &[LimitRejections]) -> Table {
    let mut table = Table::new(
        "rejections-table",
        "What the candidates’ limits would reject of the captured arrivals",
        &[
            Column::text("Arm"),
            Column::figure("requests").under("Limit per minute"),
            Column::figure("tokens").under("Limit per minute"),
            Column::figure("Usable at once"),
            Column::text("Part of the capture"),
            Column::text("Begins at"),
            Column::figure("Requests"),
            Column::figure("with tokens"),
            Column::figure("Rejected"),
            Column::figure("Share rejected"),
        ],
    );
    table.rows = rows
        .iter()
        .map(|row| {
            let limit =
                |value: Option<u64>| value.map_or_else(|| Cell::words(UNKNOWN), Cell::count);
            vec![
                Cell::name(&row.arm),
                limit(row.rpm),
                limit(row.tpm),
                Cell::figure(elapsed_s(row.burst_s), row.burst_s),
                Cell::sentence(&row.part),
                row.begins_at.as_deref().map_or_else(|| Cell::words(UNKNOWN), Cell::sentence),
                Cell::count(row.requests),
                Cell::count(row.with_tokens),
                Cell::count(row.rejected).alert_if(row.rejected > 0),
                shared(row.rejected_share),
            ]
        })
        .collect();
    table
}

fn at_peak(rows: &[AtPeak]) -> Table {
    let mut table = Table::new(
        "at-peak-table",
        "Percentiles at the peak of the replay, first attempts",
        &[
            Column::text("Arm"),
            Column::text("Part"),
            Column::figure("Window"),
            Column::figure("Begins"),
            Column::figure("n"),
            Column::figure("share").under(FAILED),
            Column::figure("upper bound").under(FAILED),
            Column::figure("p50").under(LATENCY),
            Column::figure("p95").under(LATENCY),
            Column::figure("p99").under(LATENCY),
            Column::figure("p99 upper bound").under(LATENCY),
            Column::figure("p50").under(FIRST_TOKEN),
            Column::figure("p99").under(FIRST_TOKEN),
        ],
    );
    table.rows = rows
        .iter()
        .map(|row| {
            let window = Cell::optional(row.window_s, elapsed_s);
            let whole = Cell::words("whole replay");
            let is_rest = row.part != "peak";
            vec![
                Cell::name(&row.arm),
                Cell::sentence(&row.part),
                match row.window_s {
                    _ if is_rest => Cell::words(UNKNOWN),
                    Some(_) => window,
                    None => whole,
                },
                Cell::optional(row.begins_s, elapsed_s),
                Cell::count(row.n),
                shared(row.error_rate),
                shared(row.error_rate_high),
                value_at(&row.latency, 0.5),
                value_at(&row.latency, 0.95),
                value_at(&row.latency, 0.99),
                upper_at(&row.latency, 0.99),
                value_at(&row.ttft, 0.5),
                value_at(&row.ttft, 0.99),
            ]
        })
        .collect();
    table
}

fn incidents(rows: &[Incident]) -> Table {
    let mut table = Table::new(
        "incidents-table",
        "Recovery after bursts of failures, those of most failures",
        &[
            Column::text("Arm"),
            Column::figure("Incident"),
            Column::figure("of"),
            Column::text("Kind"),
            Column::figure("Begins"),
            Column::figure("Failures"),
            Column::figure("Attempts meanwhile"),
            Column::figure("Failing for"),
            Column::figure("Wait asked for"),
            Column::figure("Recovered after"),
        ],
    )
    .when_empty("No burst of failures was recorded.");
    table.rows = rows
        .iter()
        .map(|row| {
            let wait = row.retry_after_ms.map(|wait| wait as f64);
            let recovered = match row.recovery_ms {
                Some(recovery) => Cell::figure(duration_ms(recovery), recovery),
                None => Cell::words("not within the replay").alert_if(true),
            };
            vec![
                Cell::name(&row.arm),
                Cell::count(row.incident),
                Cell::figure(count(row.incidents), row.incidents as f64),
                Cell::name(&row.kind),
                Cell::figure(elapsed_s(row.begins_s), row.begins_s),
                Cell::count(row.failures),
                Cell::count(row.attempts),
                Cell::figure(duration_ms(row.failing_ms), row.failing_ms),
                duration(wait),
                recovered,
            ]
        })
        .collect();
    table
}

fn settling(rows: &[Settling]) -> Table {
    let mut table = Table::new(
        "settling-table",
        "Time until the median latency stays near the level of the step’s end",
        &[
            Column::text("Arm"),
            Column::figure("Step"),
            Column::figure("Offered"),
            Column::figure("Answered"),
            Column::figure("Step lasts"),
            Column::figure("Level at its end"),
            Column::figure("Highest median"),
            Column::figure("Settled after"),
        ],
    );
    table.rows = rows
        .iter()
        .map(|row| {
            let settled = match row.settling_s {
                Some(settling) => Cell::figure(elapsed_s(settling), settling),
                None => Cell::words("not within the step").alert_if(true),
            };
            vec![
                Cell::name(&row.arm),
                Cell::count(u64::from(row.step)),
                rate(row.offered_per_second),
                Cell::count(row.answered),
                Cell::figure(elapsed_s(row.step_s), row.step_s),
                duration(row.end_level_ms),
                duration(row.highest_ms),
                settled,
            ]
        })
        .collect();
    table
}
