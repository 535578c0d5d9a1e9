//! stub
/// l
pub const MARKDOWN_LIMIT_BYTES: usize = 65_536;
/// m
pub const MARKDOWN_MARKER: &str = "<!-- rehearsal-report -->";
/// s
pub fn markdown(report: &super::Report) -> String { let _ = report; String::new() }
