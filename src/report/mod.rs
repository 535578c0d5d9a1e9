//! The sign-off report: one [`Report`] value and its views as HTML, Markdown and JSON.
//!
//! The views add no figure of their own: HTML and Markdown are filled from the same formatted
//! tables (`view`), charts are drawn from the same rows that stand in the table beneath each of
//! them (`svg`), and every text that comes from data passes through `escape`.

mod audit;
mod build;
mod build_latency;
mod build_load;
mod escape;
mod format;
mod html;
mod json;
mod load_model;
mod markdown;
mod model;
mod plain;
mod preflight;
mod svg;
mod table;
#[cfg(test)]
mod testing;
mod text;
mod view;

pub use audit::{audit_html, audit_json, audit_text};
pub use build::build;
pub use escape::{escape_markdown, escape_terminal, escape_terminal_line, markdown_code};
pub use html::html;
pub use json::{json, json_schema, schema_of};
pub use load_model::*;
pub use markdown::{
    MARKDOWN_LIMIT_BYTES, MARKDOWN_MARKER, audit_markdown, markdown, preflight_markdown,
};
pub use model::*;
pub use preflight::{cost_line, preflight_json, preflight_text};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The report could not be turned into JSON.
    #[error("the report cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The page template could not be filled.
    #[error("the report page cannot be filled")]
    Template(#[from] askama::Error),
}
