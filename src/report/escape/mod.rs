//! Escaping of untrusted text, one file for each place that shows it.
//!
//! Prompts, answers, model names and file names come from outside and may be made to attack the
//! reader: by script in a page, by links and mentions in a comment, by control sequences in a
//! terminal, by invisible characters anywhere.

mod markdown;
mod script;
mod terminal;
mod xml;

pub use markdown::{escape_markdown, markdown_code};
pub(crate) use script::escape_script_json;
pub use terminal::{escape_terminal, escape_terminal_line};
pub(crate) use xml::escape_xml;
