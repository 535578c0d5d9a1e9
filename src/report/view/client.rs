//! How this program held up while it measured.

use super::Section;
use crate::report::Report;
use crate::report::format::duration_ms;
use crate::report::table::{Cell, Column, Table};

const MEDIAN: &str = "Median of what was measured";
const SPENT: &str = "Time spent in the client";
const LAG: &str = "Worst lag of its event loop";
const CONNECTIONS: &str = "Connections, apart from durations";

/// The client's own share of the durations that it measured.
pub(super) fn section(report: &Report) -> Section {
    let mut section = Section::new(
        "client",
        "The client itself",
        "Durations are measured by this program. Where it was busy or late itself, the verdict \
         says so and does not judge durations. `report/client_health` gives these figures.",
    );
    let mut table = Table::new(
        "client-table",
        "The client’s own share, answered attempts",
        &[
            Column::text("Arm"),
            Column::figure("Answered"),
            Column::figure("latency").under(MEDIAN),
            Column::figure("first token").under(MEDIAN),
            Column::figure("p50").under(SPENT),
            Column::figure("p99").under(SPENT),
            Column::figure("most").under(SPENT),
            Column::figure("p50").under(LAG),
            Column::figure("p99").under(LAG),
            Column::figure("most").under(LAG),
            Column::figure("p50 to first token").under(LAG),
            Column::figure("opened").under(CONNECTIONS),
            Column::figure("p50").under(CONNECTIONS),
            Column::figure("p99").under(CONNECTIONS),
        ],
    );
    table.rows = report
        .client
        .iter()
        .map(|row| {
            let duration = |value: Option<f64>| Cell::optional(value, duration_ms);
            vec![
                Cell::name(&row.arm),
                Cell::count(row.attempts),
                duration(row.latency_p50_ms),
                duration(row.ttft_p50_ms),
                duration(row.overhead_p50_ms),
                duration(row.overhead_p99_ms),
                duration(row.overhead_max_ms),
                duration(row.lag_p50_ms),
                duration(row.lag_p99_ms),
                duration(row.lag_max_ms),
                duration(row.first_token_lag_p50_ms),
                Cell::count(row.connections),
                duration(row.connect_p50_ms),
                duration(row.connect_p99_ms),
            ]
        })
        .collect();
    section.tables = vec![table];
    section
}
