//! The criteria as tables: gates first, advisory ones visibly apart.

use super::Cut;
use super::table::{heading, table};
use crate::report::table::{Cell, Column, Table};
use crate::report::view::{CriterionView, criteria};
use crate::verdict::CriterionResult;

/// Writes both tables.
pub(super) fn write(out: &mut String, results: &[CriterionResult], cut: Cut) {
    let (gates, advisory): (Vec<_>, Vec<_>) =
        criteria(results).into_iter().partition(|criterion| criterion.gate);
    heading(out, "Criteria");
    let gates = tabulated("Gates: these decide", &gates)
        .when_empty("The plan sets no gate, so nothing can decide.");
    table(out, &gates, cut.main_rows, cut);
    if !advisory.is_empty() {
        table(out, &tabulated("Advisory: these do not decide", &advisory), cut.main_rows, cut);
    }
}

fn tabulated(caption: &str, rows: &[CriterionView]) -> Table {
    let mut table = Table::new(
        "criteria",
        caption,
        &[
            Column::text("Outcome"),
            Column::text("Criterion"),
            Column::text("Scope"),
            Column::figure("Limit"),
            Column::figure("Estimate"),
            Column::figure("Lower bound, one-sided"),
            Column::figure("Upper bound, one-sided"),
            Column::figure("Confidence of each"),
            Column::figure("n"),
            Column::figure("Clusters"),
            Column::figure("Events"),
            Column::figure("p"),
            Column::figure("p after Holm"),
            Column::text("Why"),
        ],
    );
    table.rows = rows.iter().map(row).collect();
    table
}

fn row(criterion: &CriterionView) -> Vec<Cell> {
    let mut why = vec![criterion.reason.clone()];
    if !criterion.needed.is_empty() {
        why.push(format!("To decide: {}.", criterion.needed));
    }
    if !criterion.advisory.is_empty() {
        why.push(format!("Only advises: {}", criterion.advisory));
    }
    let scope = [&criterion.comparison, &criterion.segment, &criterion.arm].map(String::as_str);
    let name = Cell { text: criterion.metric.clone(), name: true, ..Cell::default() };
    vec![
        Cell::words(format!("{} {}", criterion.symbol, criterion.outcome)),
        name,
        Cell::words(scope.join(" · ")),
        Cell::words(&criterion.limit),
        Cell::words(&criterion.estimate),
        Cell::words(&criterion.low).alert_if(criterion.low_decides()),
        Cell::words(&criterion.high).alert_if(criterion.high_decides()),
        Cell::words(&criterion.confidence),
        Cell::words(&criterion.n),
        Cell::words(&criterion.clusters),
        Cell::words(&criterion.events),
        Cell::words(&criterion.p),
        Cell::words(&criterion.p_holm),
        Cell::words(why.join(" ")),
    ]
}
