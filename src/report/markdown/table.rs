//! Headings, lists and tables, cut to a number of rows with a line that counts the rest.

use std::fmt::Write as _;

use super::Cut;
use crate::report::format::count;
use crate::report::table::{Cell, Column, Table};

/// A heading of our own words.
pub(super) fn heading(out: &mut String, title: &str) {
    let _ = writeln!(out, "\n### {title}");
}

/// A list of items that are escaped already.
pub(super) fn list(out: &mut String, items: &[String], most: usize) {
    if items.is_empty() {
        return;
    }
    out.push('\n');
    for item in items.iter().take(most) {
        let _ = writeln!(out, "- {item}");
    }
    remainder(out, items.len(), most);
}

/// A table with its caption.
pub(super) fn table(out: &mut String, table: &Table, most: usize, cut: Cut) {
    let _ = writeln!(out, "\n**{}**\n", cut.text(&table.caption));
    if table.rows.is_empty() {
        let _ = writeln!(out, "_{}_", table.when_empty);
        return;
    }
    let heads: Vec<String> = table.columns.iter().map(Column::full_label).collect();
    let rules = table.columns.iter().map(|column| if column.numeric { "---:" } else { "---" });
    let _ = writeln!(out, "| {} |", heads.join(" | "));
    let _ = writeln!(out, "| {} |", rules.collect::<Vec<_>>().join(" | "));
    for row in table.rows.iter().take(most) {
        let cells: Vec<String> = row.iter().map(|one| cell(one, cut)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    remainder(out, table.rows.len(), most);
}

fn cell(cell: &Cell, cut: Cut) -> String {
    let text = if cell.name { cut.name(&cell.text) } else { cut.text(&cell.text) };
    if cell.alert { format!("**{text}**") } else { text }
}

fn remainder(out: &mut String, all: usize, most: usize) {
    if all > most {
        let _ = writeln!(out, "\n_{} more rows are left out._", count((all - most) as u64));
    }
}
