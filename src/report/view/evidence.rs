//! Method and how to reproduce the figures.

use super::Section;
use crate::report::Report;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::shown;

/// How to read the verdict, and the report's own notes.
pub(super) fn method(report: &Report) -> Section {
    let mut section = Section::new(
        "method",
        "Method and limits",
        "A criterion is met only if its one-sided confidence bound lies within the limit, and not \
         met only if the opposite bound lies beyond it; everything between is inconclusive. A \
         point estimate never decides. GO needs every gate met. NO-GO needs a failure that \
         survives Holm’s correction over all gates. Advisory criteria never decide.",
    );
    section.notes = report.notes.iter().map(|note| shown(note)).collect();
    section
}

/// Hashes of all inputs, and every query.
pub(super) fn reproduce(report: &Report) -> Section {
    let mut section = Section::new(
        "reproduce",
        "Reproduce",
        "`rehearsal verify` recomputes the verdict from the files and their hashes. Each query \
         below runs verbatim with `rehearsal sql --query NAME` and gives the figures shown here.",
    );
    let verdict = &report.verdict;
    let mut inputs = Table::new(
        "inputs-table",
        "What the verdict rests on",
        &[Column::text("Input"), Column::text("SHA-256 or value")],
    );
    inputs.rows = [
        ("Plan", verdict.inputs.plan_sha256.as_str()),
        ("Prices", verdict.inputs.prices_sha256.as_str()),
        ("Rows of the capture", verdict.inputs.capture_sha256.as_str()),
        ("Rows of the results", verdict.inputs.results_sha256.as_str()),
        ("Seed", verdict.inputs.seed.to_string().as_str()),
        ("Run", verdict.run_id.as_str()),
        ("Program version", verdict.tool_version.as_str()),
    ]
    .map(|(input, value)| vec![Cell::words(input), Cell::name(value)])
    .to_vec();
    let mut queries = Table::new(
        "queries-table",
        "Queries",
        &[Column::text("Query"), Column::text("What it answers"), Column::text("SHA-256")],
    );
    queries.rows = report
        .queries
        .iter()
        .map(|query| {
            vec![Cell::name(&query.name), Cell::sentence(&query.purpose), Cell::name(&query.sha256)]
        })
        .collect();
    section.tables = vec![inputs, queries];
    section
}
