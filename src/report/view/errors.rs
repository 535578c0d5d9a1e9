//! Failures: over time and by class.

use super::{Chart, Section};
use crate::report::Report;
use crate::report::format::{elapsed_s, share, usd};
use crate::report::svg::{ArmStyles, error_timeline};
use crate::report::table::{Cell, Column, Table};

/// Everything on failures.
pub(super) fn section(report: &Report, styles: &ArmStyles) -> Section {
    let mut section = Section::new(
        "errors",
        "Errors",
        "The error rate is judged on first attempts. Rate limits (429) and configuration faults \
         are shown here but have criteria of their own.",
    );
    section.charts = vec![over_time(report, styles)];
    section.tables = vec![classes(report), outages(report)];
    section
}

fn over_time(report: &Report, styles: &ArmStyles) -> Chart {
    let mut arms: Vec<&str> = Vec::new();
    for bucket in &report.errors_over_time {
        if !arms.contains(&bucket.arm.as_str()) {
            arms.push(&bucket.arm);
        }
    }
    let panels = arms
        .iter()
        .enumerate()
        .map(|(position, arm)| {
            let id = format!("errors-{position}");
            error_timeline(&id, arm, &report.errors_over_time, &report.outages, styles)
        })
        .collect();
    let mut data = Table::new(
        "errors-over-time-data",
        "Attempts and failures per slice of time",
        &[
            Column::text("Arm"),
            Column::figure("From"),
            Column::figure("To"),
            Column::figure("Attempts"),
            Column::figure("Failures"),
            Column::figure("Share"),
        ],
    );
    data.rows = report
        .errors_over_time
        .iter()
        .map(|bucket| {
            let seconds = |value: f64| Cell::figure(elapsed_s(value), value);
            let failed =
                (bucket.attempts > 0).then(|| bucket.errors as f64 / bucket.attempts as f64);
            vec![
                Cell::name(&bucket.arm),
                seconds(bucket.start_s),
                seconds(bucket.start_s + bucket.width_s),
                Cell::count(bucket.attempts),
                Cell::count(bucket.errors),
                Cell::optional(failed, share),
            ]
        })
        .collect();
    Chart {
        title: "Failures over time",
        explanation: "Above: share of attempts that failed in each slice of time, on one scale \
                      for all arms; shaded: outages. Below: attempts sent.",
        legend: Vec::new(),
        panels,
        data,
    }
}

fn outages(report: &Report) -> Table {
    let mut table = Table::new(
        "outages",
        "Outages",
        &[
            Column::text("Arm"),
            Column::figure("From"),
            Column::figure("Lasted"),
            Column::text("Ended"),
            Column::figure("Attempts that met it"),
            Column::figure("Booked"),
        ],
    )
    .when_empty("No outage was met.");
    table.rows = report
        .outages
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::figure(elapsed_s(row.start_s), row.start_s),
                Cell::figure(elapsed_s(row.length_s), row.length_s),
                Cell::words(if row.ended { "yes" } else { "not within the replay" }),
                Cell::count(row.attempts),
                Cell::figure(usd(row.cost_usd), row.cost_usd),
            ]
        })
        .collect();
    table
}

fn classes(report: &Report) -> Table {
    let mut table = Table::new(
        "error-classes",
        "Failures by class",
        &[
            Column::text("Arm"),
            Column::text("Class"),
            Column::figure("First attempts"),
            Column::figure("All attempts"),
        ],
    )
    .when_empty("No failure was recorded.");
    table.rows = report
        .error_classes
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::name(&row.error_class),
                Cell::count(row.first_attempts),
                Cell::count(row.attempts),
            ]
        })
        .collect();
    table
}
