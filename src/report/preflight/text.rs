//! The dry run for a terminal.

use std::fmt::Write as _;

use super::{facts, sections, title};
use crate::preflight::Preflight;
use crate::report::plain::{WIDTH, table, wrapped_from};

/// Characters of the labels at the top.
const LABEL: usize = 14;
/// Rows of one table; the query shows all.
const ROWS: usize = 40;

/// The dry run as text for a terminal.
pub fn preflight_text(preflight: &Preflight) -> String {
    let mut out = format!("{}\n\n", title(preflight));
    for (label, text) in facts(preflight) {
        let text = wrapped_from(&text, WIDTH - LABEL - 3, LABEL + 3);
        let _ = writeln!(out, "  {label:<LABEL$} {text}");
    }
    for section in sections(preflight) {
        let _ = writeln!(out, "\n{}\n{}", section.title, "─".repeat(section.title.chars().count()));
        if !section.lead.is_empty() {
            let _ = writeln!(out, "{}", wrapped_from(section.lead, WIDTH, 0));
        }
        table(&mut out, &section.table, ROWS);
    }
    let _ = writeln!(out, "\nMore: rehearsal sql --query plan/models, and the others of `plan/`");
    out
}
