//! The views of a dry run: terminal and JSON here, Markdown beside the report's.

mod text;
mod view;

pub use text::preflight_text;
pub use view::cost_line;
pub(crate) use view::{facts, sections, title};

use super::ReportError;
use crate::preflight::Preflight;

/// The dry run as indented JSON with a newline at its end.
///
/// # Errors
/// When serialisation fails, which the types of a [`Preflight`] give no occasion for.
pub fn preflight_json(preflight: &Preflight) -> Result<String, ReportError> {
    let mut text = serde_json::to_string_pretty(preflight)?;
    text.push('\n');
    Ok(text)
}
