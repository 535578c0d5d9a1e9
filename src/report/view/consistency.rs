//! Agreement of answers, each beside the noise floor.

use super::Section;
use crate::report::format::share;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::shown;
use crate::report::{ConsistencyRow, Report};

const DISAGREEMENT: &str = "Disagreement with the captured answer";
const NOISE: &str = "Noise floor: the control’s own disagreement";

/// The table of consistency.
pub(super) fn section(report: &Report) -> Section {
    let controls: Vec<&str> = report
        .arms
        .iter()
        .filter(|arm| arm.role == "control")
        .map(|arm| arm.name.as_str())
        .collect();
    let lead = if controls.is_empty() {
        "There was no control arm, so the noise floor is unknown: how far the incumbent would \
         disagree with itself. These figures only advise."
    } else {
        "The control is the incumbent, replayed again. Its disagreement with its own captured \
         answers is the noise floor that a candidate has to be read against."
    };
    let mut section = Section::new("consistency", "Consistency of answers", lead);
    section.tables = vec![table(report, &controls)];
    section
}

fn table(report: &Report, controls: &[&str]) -> Table {
    let mut table = Table::new(
        "consistency-table",
        "Mean disagreement, with lower and upper one-sided bounds",
        &[
            Column::text("Measure"),
            Column::text("Arm"),
            Column::figure("Compared"),
            Column::figure("Not applicable"),
            Column::figure("mean").under(DISAGREEMENT),
            Column::figure("lower bound").under(DISAGREEMENT),
            Column::figure("upper bound").under(DISAGREEMENT),
            Column::figure("mean").under(NOISE),
            Column::figure("lower bound").under(NOISE),
            Column::figure("upper bound").under(NOISE),
        ],
    )
    .when_empty("No answers were compared.");
    let is_control = |row: &ConsistencyRow| controls.contains(&row.arm.as_str());
    for row in by_measure(&report.consistency) {
        let floor = report
            .consistency
            .iter()
            .find(|other| other.measure == row.measure && is_control(other));
        let percent = |value: Option<f64>| Cell::optional(value, share);
        let floor_percent = |value: Option<f64>| percent(value).repeated_if(is_control(row));
        table.rows.push(vec![
            Cell::words(measure_name(&row.measure)),
            Cell::name(&row.arm),
            Cell::count(row.n),
            Cell::count(row.not_applicable),
            percent(row.disagreement),
            percent(row.low),
            percent(row.high),
            floor_percent(floor.and_then(|floor| floor.disagreement)),
            floor_percent(floor.and_then(|floor| floor.low)),
            floor_percent(floor.and_then(|floor| floor.high)),
        ]);
    }
    table
}

/// The rows of one measure next to each other, measures in order of first appearance.
fn by_measure(rows: &[ConsistencyRow]) -> Vec<&ConsistencyRow> {
    let first = |row: &ConsistencyRow| rows.iter().position(|other| other.measure == row.measure);
    let mut ordered: Vec<&ConsistencyRow> = rows.iter().collect();
    ordered.sort_by_key(|row| first(row));
    ordered
}

fn measure_name(measure: &str) -> String {
    match measure {
        "exact" => "Exact text".to_owned(),
        "normalised" => "Normalised text".to_owned(),
        "edit" => "Edit distance".to_owned(),
        "json" => "JSON content".to_owned(),
        "tool_calls" => "Tool calls".to_owned(),
        other => shown(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::report;

    #[test]
    fn every_arm_stands_beside_the_noise_floor_of_its_measure() {
        let section = section(&report());
        let rows = &section.tables[0].rows;
        let texts: Vec<Vec<&str>> =
            rows.iter().map(|row| row.iter().map(|cell| cell.text.as_str()).collect()).collect();
        assert_eq!(
            texts.iter().map(|row| row[..2].to_vec()).collect::<Vec<_>>(),
            [
                ["Exact text", "control"],
                ["Exact text", "next"],
                ["JSON content", "control"],
                ["JSON content", "next"],
            ]
        );
        assert_eq!(texts[1][7..], texts[0][4..7]);
        assert_eq!(texts[3][4..7], ["–", "–", "–"]);
        assert_eq!(texts[3][7..], texts[2][4..7]);
    }

    #[test]
    fn without_a_control_the_floor_is_unknown_and_the_lead_says_so() {
        let mut report = report();
        report.arms.retain(|arm| arm.role != "control");
        let section = section(&report);
        assert!(section.lead.contains("noise floor is unknown"));
        assert!(section.tables[0].rows.iter().all(|row| row[7].text == "–"));
    }
}
