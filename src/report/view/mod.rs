//! The report's content as formatted headlines, tables and charts, the same for every view.
//!
//! One file per part of the report. Texts are visible and bounded here ([`super::text::shown`])
//! but not escaped: each view escapes for its own language.

mod client;
mod consistency;
mod coverage;
mod criteria;
mod errors;
mod evidence;
mod headline;
mod latency;
mod load;
mod money;
mod traffic;

pub(crate) use coverage::{Coverage, coverage};
pub(crate) use criteria::{CriterionView, criteria};
pub(crate) use headline::{Headline, headline};

use super::Report;
use super::svg::{ArmStyles, Element};
use super::table::Table;

/// A part of the report after the first screen.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// The anchor in the page.
    pub id: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What a reader must know before reading the figures.
    pub lead: &'static str,
    /// Charts, each with its data.
    pub charts: Vec<Chart>,
    /// Tables that are always open.
    pub tables: Vec<Table>,
    /// Tables that a reader unfolds.
    pub folded: Vec<Folded>,
    /// Sentences from the report's data.
    pub notes: Vec<String>,
}

/// One or more panels that show the same thing, and the table behind them.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    /// The heading above the panels.
    pub title: &'static str,
    /// How to read the marks.
    pub explanation: &'static str,
    /// How the arms are drawn, when panels share them.
    pub legend: Vec<LegendEntry>,
    /// The drawings.
    pub panels: Vec<Element>,
    /// The figures that are drawn.
    pub data: Table,
}

/// One arm in a legend.
#[derive(Debug, Clone)]
pub(crate) struct LegendEntry {
    /// A sample of its line and marker.
    pub sample: Element,
    /// Its name.
    pub name: String,
}

/// Tables behind a summary line.
#[derive(Debug, Clone)]
pub(crate) struct Folded {
    /// The line that is always seen.
    pub summary: &'static str,
    /// What it unfolds.
    pub tables: Vec<Table>,
}

impl Section {
    fn new(id: &'static str, title: &'static str, lead: &'static str) -> Self {
        Section {
            id,
            title,
            lead,
            charts: Vec::new(),
            tables: Vec::new(),
            folded: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// All parts after the first screen, in reading order.
pub(crate) fn sections(report: &Report) -> Vec<Section> {
    let styles = ArmStyles::new(&report.arms);
    let mut sections = vec![latency::section(report, &styles)];
    sections.extend(report.load.as_ref().map(|load| load::section(load, &styles)));
    sections.extend([
        errors::section(report, &styles),
        consistency::section(report),
        money::tokens(report),
        money::cost(report, &styles),
        traffic::losses(report),
        traffic::compared(report),
        client::section(report),
        evidence::method(report),
        evidence::reproduce(report),
    ]);
    sections
}
