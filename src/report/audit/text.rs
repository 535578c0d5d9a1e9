//! The audit for a terminal: findings first, then every table, wide ones in several strips.

use std::fmt::Write as _;

use super::view::AuditView;
use super::{facts, hours_of_week, period, sections, severity_word};
use crate::audit::Audit;
use crate::report::format::count;
use crate::report::svg::{HeatCell, WEEKDAYS};
use crate::report::table::Table;
use crate::report::text::{shortened, shown};

/// Characters of a line.
const WIDTH: usize = 110;
/// Characters of one cell.
const CELL: usize = 56;
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
                table(&mut out, view);
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

fn wrapped_from(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let characters = word.chars().count();
        if length > 0 && length + 1 + characters > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += characters;
    }
    out
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

fn table(out: &mut String, view: &AuditView) {
    let table = &view.table;
    if table.rows.is_empty() {
        let _ = writeln!(out, "  {}", table.when_empty);
        return;
    }
    let shown_rows = table.rows.len().min(ROWS);
    let texts: Vec<Vec<String>> = table
        .rows
        .iter()
        .take(shown_rows)
        .map(|row| row.iter().map(|cell| shortened(&cell.text, CELL)).collect())
        .collect();
    let widths: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells = texts.iter().filter_map(|row| row.get(index)).map(|t| t.chars().count());
            cells.chain([column.label.chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let strips = strips(&widths);
    let is_split = strips.len() > 1 && shown_rows > 1;
    for (number, strip) in strips.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let heads: Vec<String> = table.columns.iter().map(|c| c.label.to_string()).collect();
        let mark = |place: usize| if is_split { format!("{place:>3}") } else { String::new() };
        let blank = if is_split { "   " } else { "" };
        line(out, table, blank, &heads, &widths, strip);
        for (index, row) in texts.iter().enumerate() {
            line(out, table, &mark(index + 1), row, &widths, strip);
        }
    }
    if table.rows.len() > shown_rows {
        let more = (table.rows.len() - shown_rows) as u64;
        let _ = writeln!(out, "  … and {} more", count(more));
    }
}

/// Which columns stand side by side; rows of a table in several strips are numbered.
fn strips(widths: &[usize]) -> Vec<Vec<usize>> {
    let mut strips: Vec<Vec<usize>> = Vec::new();
    let mut used = 0;
    for (index, width) in widths.iter().enumerate() {
        match strips.last_mut() {
            Some(strip) if used + width + 2 <= WIDTH - 5 => strip.push(index),
            _ => {
                strips.push(vec![index]);
                used = 0;
            }
        }
        used += width + 2;
    }
    strips
}

fn line(
    out: &mut String,
    table: &Table,
    mark: &str,
    cells: &[String],
    widths: &[usize],
    strip: &[usize],
) {
    let mut text = if mark.is_empty() { "  ".to_owned() } else { format!("{mark}  ") };
    for index in strip {
        let (Some(cell), Some(width), Some(column)) =
            (cells.get(*index), widths.get(*index), table.columns.get(*index))
        else {
            continue;
        };
        let room = " ".repeat(width.saturating_sub(cell.chars().count()));
        if column.numeric {
            text.push_str(&room);
            text.push_str(cell);
        } else {
            text.push_str(cell);
            text.push_str(&room);
        }
        text.push_str("  ");
    }
    let _ = writeln!(out, "{}", text.trim_end());
}
