//! What was compared: losses of translation, arms, the capture.

use std::collections::BTreeMap;

use super::Section;
use crate::report::format::{UNKNOWN, count, share};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::shown;
use crate::report::{CaptureSummary, Report};

/// What translating to each arm changed or dropped.
pub(super) fn losses(report: &Report) -> Section {
    let mut section = Section::new(
        "losses",
        "Losses in translation",
        "What a request of the capture could not carry to an arm, or carries in another form. \
         Nothing is converted silently.",
    );
    let mut table = Table::new(
        "losses-table",
        "Losses per arm and feature",
        &[
            Column::text("Arm"),
            Column::text("Feature"),
            Column::text("Action"),
            Column::text("Severity"),
            Column::figure("Requests"),
            Column::figure("Share of requests"),
        ],
    )
    .when_empty("No loss was recorded.");
    table.rows = report
        .losses
        .iter()
        .map(|row| {
            vec![
                Cell::name(&row.arm),
                Cell::name(&row.feature),
                Cell::sentence(&row.action),
                Cell::sentence(&row.severity).alert_if(row.severity == "untranslatable"),
                Cell::count(row.requests),
                Cell::figure(share(row.share), row.share),
            ]
        })
        .collect();
    section.tables = vec![table];
    section
}

/// The arms and the capture.
pub(super) fn compared(report: &Report) -> Section {
    let mut section = Section::new("capture", "Arms and capture", "");
    section.tables = vec![
        arms(report),
        facts(&report.capture),
        counts(
            "models-table",
            "Captured exchanges per requested model",
            "Model",
            &report.capture.models,
        ),
        counts("rejected-table", "Lines of the log set aside", "Reason", &report.capture.rejected)
            .when_empty("No line was set aside."),
    ];
    section
}

fn arms(report: &Report) -> Table {
    let mut table = Table::new(
        "arms-table",
        "Arms",
        &[
            Column::text("Arm"),
            Column::text("Role"),
            Column::text("Protocol"),
            Column::text("Address"),
            Column::text("Models"),
        ],
    );
    table.rows = report
        .arms
        .iter()
        .map(|arm| {
            let models: Vec<String> = arm
                .models
                .iter()
                .map(|(asked, answers)| format!("{} → {}", shown(asked), shown(answers)))
                .collect();
            let or_unknown = |text: &Option<String>| match text {
                Some(text) => Cell::name(text),
                None => Cell::words(UNKNOWN),
            };
            vec![
                Cell::name(&arm.name),
                Cell::sentence(&arm.role),
                or_unknown(&arm.protocol),
                or_unknown(&arm.base_url),
                Cell::words(if models.is_empty() { UNKNOWN.to_owned() } else { models.join("; ") }),
            ]
        })
        .collect();
    table
}

fn facts(capture: &CaptureSummary) -> Table {
    let mut table =
        Table::new("capture-table", "Capture", &[Column::text("Item"), Column::figure("Value")]);
    let time = |text: &Option<String>| {
        Cell::words(text.as_deref().map_or_else(|| UNKNOWN.to_owned(), shown))
    };
    let rejected: u128 = capture.rejected.values().map(|n| u128::from(*n)).sum();
    table.rows = vec![
        vec![Cell::words("Exchanges"), Cell::count(capture.exchanges)],
        vec![Cell::words("First exchange"), time(&capture.from)],
        vec![Cell::words("Last exchange"), time(&capture.to)],
        vec![
            Cell::words("Lines set aside"),
            Cell::figure(count(rejected), rejected as f64).alert_if(rejected > 0),
        ],
        vec![Cell::words("Lines that repeat an earlier one"), Cell::count(capture.duplicates)],
    ];
    table
}

fn counts(
    id: &'static str,
    caption: &'static str,
    what: &'static str,
    counts: &BTreeMap<String, u64>,
) -> Table {
    let mut table = Table::new(id, caption, &[Column::text(what), Column::figure("Count")]);
    table.rows = counts.iter().map(|(name, n)| vec![Cell::name(name), Cell::count(*n)]).collect();
    table
}
