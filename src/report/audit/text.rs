//! The audit for a terminal: findings first, then every table, wide ones in several strips.

use std::fmt::Write as _;

use super::{facts, hours_of_week, period, sections, severity_word};
use crate::audit::Audit;
use crate::report::plain::{WIDTH, table, wrapped_from};
use crate::report::svg::{HeatCell, WEEKDAYS};
use crate::report::text::shown;

/// Rows of one table; the query shows all.
const ROWS: usize = 20;

/// The audit as text for a terminal; every hidden character of the data is visible.
pub fn audit_text(audit: &Audit) -> String {
    let mut out = format!("Audit of {}\n\n", period(audit));
    for fact in facts(audit) {
        let _ = writeln!(out, "  {:<32} {} ({})", fact.label, fact.value, fact.detail);
    }
    out.push_str("\nFindings\n");
    if audit.findings.is_empty() {
        out.push_str("  none\n");
    }
    for finding in &audit.findings {
        let text = wrapped(&shown(&finding.text), WIDTH - 15);
        let _ = writeln!(out, "  {:<11}  {}", severity_word(finding.severity), text);
        let _ = writeln!(out, "               {}", finding.query);
    }
    for section in sections(audit) {
        let _ = writeln!(out, "\n{}\n{}", section.title, "─".repeat(section.title.chars().count()));
        if !section.lead.is_empty() {
            let _ = writeln!(out, "{}", wrapped_from(section.lead, WIDTH, 0));
        }
        for view in &section.tables {
            let _ = writeln!(out, "\n{} ({})", view.table.caption, view.query);
            if view.query == "audit/hours" {
                heat(&mut out, &hours_of_week(audit));
            } else {
                table(&mut out, &view.table, ROWS);
            }
        }
    }
    let _ =
        writeln!(out, "\nAll rows of a table: rehearsal sql --query NAME, such as audit/models");
    out
}

/// A text broken at spaces; further lines are set in below the first.
fn wrapped(text: &str, width: usize) -> String {
    wrapped_from(text, width, 15)
}

/// A week of shades, one letter an hour.
pub(crate) fn shades(cells: &[HeatCell]) -> Vec<String> {
    const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];
    let most = cells.iter().filter_map(|cell| cell.value).fold(0.0, f64::max);
    let shade = |cell: &HeatCell| match cell.value {
        None => ' ',
        Some(value) if value > 0.0 && most > 0.0 => {
            SHADES[((value / most * 4.0).ceil() as usize).clamp(1, 4)]
        }
        Some(_) => SHADES[0],
    };
    let days = cells.chunks(24).zip(WEEKDAYS);
    days.map(|(hours, day)| format!("{day}  {}", hours.iter().map(shade).collect::<String>()))
        .collect()
}

fn heat(out: &mut String, cells: &[HeatCell]) {
    if cells.is_empty() {
        out.push_str("  No rows.\n");
        return;
    }
    out.push_str("  hour 0     6     12    18\n");
    for line in shades(cells) {
        let _ = writeln!(out, "  {line}");
    }
    let most = cells.iter().filter_map(|cell| cell.value).fold(0.0, f64::max);
    let _ = writeln!(
        out,
        "  █ is up to {} exchanges per hour, · none; a blank hour is not in the capture",
        crate::report::format::significant(most, 3)
    );
}
