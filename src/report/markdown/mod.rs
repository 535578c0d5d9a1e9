//! The report as GitHub-flavoured Markdown that fits one pull request comment.

mod audit;
mod criteria;
mod preflight;
mod table;

use std::fmt::Write as _;

pub use self::audit::audit_markdown;
pub use self::preflight::preflight_markdown;
use self::table::{heading, list, table};
use super::Report;
use super::escape::{escape_markdown, markdown_code};
use super::text::{shortened, shown};
use super::view::{Headline, Section, coverage, headline, sections};

/// First line of the document: invisible, so that a pipeline finds its comment and replaces it.
pub const MARKDOWN_MARKER: &str = "<!-- rehearsal-report -->";

/// Longest document, in bytes. GitHub takes comments of at most 65,536 characters; bytes are never
/// fewer.
pub const MARKDOWN_LIMIT_BYTES: usize = 65_536;

/// How much of the report is written.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// Rows of the criteria, reasons and coverage.
    main_rows: usize,
    /// Rows of every other table; with none, the parts after the first are left out.
    detail_rows: usize,
    /// Characters of one text.
    characters: usize,
}

/// From the whole report to what always fits; the first that fits is taken.
const CUTS: [Cut; 8] = [
    Cut { main_rows: usize::MAX, detail_rows: usize::MAX, characters: 2_000 },
    Cut { main_rows: usize::MAX, detail_rows: 100, characters: 500 },
    Cut { main_rows: usize::MAX, detail_rows: 30, characters: 300 },
    Cut { main_rows: 200, detail_rows: 10, characters: 200 },
    Cut { main_rows: 60, detail_rows: 3, characters: 150 },
    Cut { main_rows: 60, detail_rows: 0, characters: 120 },
    Cut { main_rows: 20, detail_rows: 0, characters: 80 },
    Cut { main_rows: 5, detail_rows: 0, characters: 40 },
];

impl Cut {
    /// Text of our own making with data in it, shortened and escaped.
    fn text(self, text: &str) -> String {
        escape_markdown(&shortened(text, self.characters))
    }

    /// A name, shortened and escaped.
    fn name(self, name: &str) -> String {
        markdown_code(&shortened(name, self.characters))
    }
}

/// The report for a pull request comment, with the same figures as the HTML page; charts are left
/// to that page.
///
/// The first line is [`MARKDOWN_MARKER`]; the document has at most [`MARKDOWN_LIMIT_BYTES`].
/// What does not fit is left out from the least important on, and each cut says how much is
/// missing.
pub fn markdown(report: &Report) -> String {
    let mut document = String::new();
    for cut in CUTS {
        document = written(report, cut);
        if document.len() <= MARKDOWN_LIMIT_BYTES {
            break;
        }
    }
    document
}

fn written(report: &Report, cut: Cut) -> String {
    let mut out = format!("{MARKDOWN_MARKER}\n");
    let headline = headline(report);
    head(&mut out, report, &headline, cut);
    criteria::write(&mut out, &report.verdict.criteria, cut);
    let coverage = coverage(&report.verdict);
    heading(&mut out, "Coverage and money");
    table(&mut out, &coverage.table, cut.main_rows, cut);
    let sums: Vec<String> = coverage
        .sums
        .iter()
        .map(|sum| {
            let (symbol, remark) =
                if sum.holds { ("✓", "") } else { ("✕", " **does not add up**") };
            format!("{symbol} {}{remark}", cut.text(&sum.text))
        })
        .collect();
    list(&mut out, &sums, cut.main_rows);
    table(&mut out, &coverage.money, cut.main_rows, cut);
    let sections = sections(report);
    if cut.detail_rows == 0 {
        let _ = writeln!(
            out,
            "\n_{} more parts are left out; the HTML report has them._",
            sections.len()
        );
    } else {
        for section in &sections {
            details(&mut out, section, cut);
        }
    }
    let _ = writeln!(
        out,
        "\nPlan {} · results {} · rehearsal {}",
        cut.name(&shown(&report.verdict.inputs.plan_sha256)),
        cut.name(&shown(&report.verdict.inputs.results_sha256)),
        cut.text(&shown(&report.verdict.tool_version)),
    );
    out
}

fn head(out: &mut String, report: &Report, headline: &Headline, cut: Cut) {
    let decision = headline.decision;
    let _ = writeln!(
        out,
        "## {} {}: {}\n",
        decision.symbol,
        decision.word,
        cut.text(&shown(&report.title))
    );
    let _ = writeln!(
        out,
        "{} · run {} · generated {}\n",
        cut.text(&headline.arms),
        cut.name(&shown(&report.verdict.run_id)),
        cut.text(&shown(&report.generated_at)),
    );
    let _ = writeln!(out, "**{}**", headline.meaning);
    let reasons: Vec<String> = headline
        .reasons
        .iter()
        .map(|reason| {
            let arm = reason.arm.as_deref().map(|arm| format!("{}, ", cut.name(arm)));
            let (text, code) = (cut.text(&reason.text), cut.name(&reason.code));
            format!("{text} ({}{code})", arm.unwrap_or_default())
        })
        .collect();
    list(out, &reasons, cut.main_rows);
    let mut facts: Vec<String> = Vec::new();
    if headline.candidates.len() > 1 {
        facts.extend(headline.candidates.iter().map(|(arm, decision)| {
            format!("{}: {} **{}**", cut.name(arm), decision.symbol, decision.word)
        }));
    }
    facts.extend(
        headline
            .facts
            .iter()
            .map(|fact| format!("{}: **{}** ({})", fact.label, fact.value, fact.detail)),
    );
    list(out, &facts, cut.main_rows);
}

/// A part of the report behind a summary line.
fn details(out: &mut String, section: &Section, cut: Cut) {
    let _ = writeln!(out, "\n<details><summary>{}</summary>", section.title);
    if !section.lead.is_empty() {
        let _ = writeln!(out, "\n{}", section.lead);
    }
    let notes: Vec<String> = section.notes.iter().map(|note| cut.text(note)).collect();
    list(out, &notes, cut.detail_rows);
    let folded = section.folded.iter().flat_map(|folded| &folded.tables);
    for one in section.tables.iter().chain(folded) {
        table(out, one, cut.detail_rows, cut);
    }
    out.push_str("\n</details>\n");
}
