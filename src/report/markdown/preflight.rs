//! The dry run as GitHub-flavoured Markdown.

use std::fmt::Write as _;

use super::Cut;
use super::table::{heading, table};
use crate::preflight::Preflight;
use crate::report::escape::escape_markdown;
use crate::report::preflight::{facts, sections, title};

/// A document is read, not posted: only lists without end are cut.
const CUT: Cut = Cut { main_rows: 100, detail_rows: 100, characters: 300 };

/// The dry run as a document, with the same figures as on the terminal.
pub fn preflight_markdown(preflight: &Preflight) -> String {
    let mut out = format!("# {}\n\n", escape_markdown(&title(preflight)));
    for (label, text) in facts(preflight) {
        let _ = writeln!(out, "- {label}: {}", escape_markdown(&text));
    }
    for section in sections(preflight) {
        heading(&mut out, section.title);
        if !section.lead.is_empty() {
            let _ = writeln!(out, "\n{}", escape_markdown(section.lead));
        }
        table(&mut out, &section.table, CUT.main_rows, CUT);
    }
    let _ = writeln!(
        out,
        "\nCapture {} · rehearsal {}",
        CUT.name(&preflight.capture_sha256),
        CUT.text(&preflight.tool_version)
    );
    out
}
