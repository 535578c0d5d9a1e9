//! The audit as one HTML file: no network, no script, light, dark and print.

use askama::Template;

use super::{AuditSection, Fact, facts, hours_of_week, period, sections, severity_word};
use crate::audit::{Audit, Finding, Severity};
use crate::report::ReportError;
use crate::report::html::{STYLE, Verbatim};
use crate::report::svg::{Element, heat_map};
use crate::report::text::shown;

const OWN_STYLE: &str = include_str!("../templates/audit.css");

#[derive(Template)]
#[template(path = "audit.html", config = "src/report/askama.toml")]
struct Page {
    period: String,
    generated_at: String,
    tool_version: String,
    capture_sha256: String,
    candidates: String,
    facts: Vec<Fact>,
    findings: Vec<FindingView>,
    sections: Vec<AuditSection>,
    heat: Option<Element>,
    style: Verbatim<&'static str>,
    own_style: Verbatim<&'static str>,
}

struct FindingView {
    class: &'static str,
    word: &'static str,
    text: String,
    query: String,
}

impl FindingView {
    fn new(finding: &Finding) -> Self {
        let class = match finding.severity {
            Severity::Blocker => "no-go",
            Severity::Warning => "inconclusive",
            Severity::Info => "plain",
        };
        FindingView {
            class,
            word: severity_word(finding.severity),
            text: shown(&finding.text),
            query: shown(&finding.query),
        }
    }
}

/// The audit as a self-contained HTML page without script.
///
/// Every text from data is escaped, and a content security policy allows neither script nor
/// request. `generated_at` is a label.
///
/// # Errors
/// When the template cannot be filled.
pub fn audit_html(audit: &Audit, generated_at: &str) -> Result<String, ReportError> {
    let cells = hours_of_week(audit);
    let heat = (!cells.is_empty()).then(|| {
        heat_map(
            "heat",
            "Exchanges per hour by weekday and hour, UTC",
            "Seven rows of 24 cells, the darker the busier; the table beneath has the figures.",
            &cells,
        )
    });
    let candidates = match &audit.candidates {
        None => "without a plan".to_owned(),
        Some(names) => format!("candidates of the plan: {}", shown(&names.join(", "))),
    };
    let page = Page {
        period: period(audit),
        generated_at: shown(generated_at),
        tool_version: shown(&audit.tool_version),
        capture_sha256: shown(&audit.capture_sha256),
        candidates,
        facts: facts(audit),
        findings: audit.findings.iter().map(FindingView::new).collect(),
        sections: sections(audit),
        heat,
        style: Verbatim(STYLE),
        own_style: Verbatim(OWN_STYLE),
    };
    Ok(page.render()?)
}
