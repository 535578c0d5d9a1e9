//! The audit as GitHub-flavoured Markdown.

use std::fmt::Write as _;

use super::Cut;
use super::table::{heading, table};
use crate::audit::Audit;
use crate::report::audit::{facts, hours_of_week, period, sections, severity_word, shades};
use crate::report::escape::{escape_markdown, markdown_code};
use crate::report::text::shown;

/// A document is read, not posted: only lists without end are cut.
const CUT: Cut = Cut { main_rows: 50, detail_rows: 50, characters: 300 };

/// The audit as a document, with the same figures as the HTML page.
pub fn audit_markdown(audit: &Audit) -> String {
    let mut out = format!("# What is in use today\n\n{}\n\n", escape_markdown(&period(audit)));
    for fact in facts(audit) {
        let _ = writeln!(
            out,
            "- {}: **{}** ({})",
            fact.label,
            escape_markdown(&fact.value),
            escape_markdown(&fact.detail)
        );
    }
    heading(&mut out, "Findings");
    out.push('\n');
    if audit.findings.is_empty() {
        out.push_str("None.\n");
    }
    for finding in &audit.findings {
        let _ = writeln!(
            out,
            "- **{}**: {} ({})",
            escape_markdown(severity_word(finding.severity)),
            escape_markdown(&shown(&finding.text)),
            markdown_code(&finding.query)
        );
    }
    for section in sections(audit) {
        heading(&mut out, section.title);
        if !section.lead.is_empty() {
            let _ = writeln!(out, "\n{}", escape_markdown(section.lead));
        }
        for view in &section.tables {
            if view.query == "audit/hours" {
                week(&mut out, audit);
            } else {
                table(&mut out, &view.table, CUT.main_rows, CUT);
            }
            let _ = writeln!(out, "\nQuery `{}`, rows: {}", view.query, view.rows);
        }
    }
    let _ = writeln!(
        out,
        "\nCapture {} · rehearsal {}",
        CUT.name(&shown(&audit.capture_sha256)),
        CUT.text(&shown(&audit.tool_version))
    );
    out
}

/// 168 rows are no table to read: a letter an hour, as in a terminal.
fn week(out: &mut String, audit: &Audit) {
    let cells = hours_of_week(audit);
    if cells.is_empty() {
        return;
    }
    out.push_str("\n**Traffic by weekday and hour, darker is busier**\n\n```text\nhour 0     6     12    18\n");
    for line in shades(&cells) {
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str("```\n");
}
