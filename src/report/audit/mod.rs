//! The views of an audit: terminal, HTML and JSON here, Markdown beside the report's.
//!
//! All are filled from the same formatted tables (`view`), which follow the columns of the queries:
//! the ending of a column's name says its unit.

mod html;
mod plan;
mod text;
mod view;

pub use html::audit_html;
pub use text::audit_text;
pub(crate) use text::shades;
pub(crate) use view::{AuditSection, Fact, facts, hours_of_week, period, sections, severity_word};

use super::ReportError;
use crate::audit::Audit;

/// The audit as indented JSON with a newline at its end.
///
/// # Errors
/// When serialisation fails, which the types of an [`Audit`] give no occasion for.
pub fn audit_json(audit: &Audit) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(audit)?;
    text.push('\n');
    Ok(text)
}
