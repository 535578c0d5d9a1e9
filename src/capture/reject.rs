//! Rows of the table `rejects`, with an excerpt that shows no secret and harms no terminal.

use std::borrow::Cow;

use crate::dataset::RejectRow;

use super::frame::Line;
use super::redact::{Redactor, SecretScrubber};

/// How many characters of a line are shown.
const EXCERPT_CHARS: usize = 200;

/// How many bytes of a line are looked at, so that a secret across the end of the excerpt is
/// recognised whole.
const LOOKED_AT_BYTES: usize = 4_096;

/// The row for a line, or for one of the records on it.
pub(super) fn reject_row(
    file: &str,
    line: &Line,
    (reason, detail): (super::RejectReason, String),
    text: &[u8],
    redactor: &dyn Redactor,
) -> RejectRow {
    RejectRow {
        source_file: file.to_owned(),
        source_line: i64::try_from(line.number).unwrap_or(i64::MAX),
        byte_offset: i64::try_from(line.offset).unwrap_or(i64::MAX),
        reason: reason.as_str().to_owned(),
        detail,
        excerpt: excerpt(text, redactor),
    }
}

/// The first characters of a line, redacted, control characters escaped.
fn excerpt(text: &[u8], redactor: &dyn Redactor) -> String {
    if redactor.needs_whole_records() {
        return "(not shown: the redaction of the plan needs whole records)".to_owned();
    }
    let head = text.get(..LOOKED_AT_BYTES).unwrap_or(text);
    let head = String::from_utf8_lossy(head);
    let mut head = head.as_ref();
    if text.len() > LOOKED_AT_BYTES {
        // The last word may be a part of something longer.
        head = head.trim_end_matches(|char: char| !char.is_whitespace() && char != '"');
    }
    let scrubbed: Cow<'_, str> = SecretScrubber.redact_text(head);
    let redacted = redactor.redact_text(&scrubbed);
    let mut shown = String::new();
    for char in redacted.chars().take(EXCERPT_CHARS) {
        if is_harmful(char) { shown.extend(char.escape_unicode()) } else { shown.push(char) }
    }
    shown
}

/// Control characters, and marks that turn the direction of writing.
fn is_harmful(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::SecretsOnly;

    #[test]
    fn an_excerpt_is_short_escaped_and_without_secrets() {
        let key = ["gs", "k_", &"a1B2".repeat(8)].concat();
        let line = format!("{{\"a\": \"\u{1b}]52;c;\u{7}{key} {}", "x".repeat(10_000));
        let shown = excerpt(line.as_bytes(), &SecretsOnly);
        assert!(shown.starts_with("{\"a\": \"\\u{1b}]52;c;\\u{7}[secret:groq_key] "), "{shown}");
        assert!(shown.chars().all(|char| !char.is_control()));
        let long = format!("{}{key}", "y ".repeat(90));
        assert!(!excerpt(long.as_bytes(), &SecretsOnly).contains("a1B2"));
        let cut = format!("\"{key}\"{}", key.repeat(500));
        assert!(!excerpt(cut.as_bytes(), &SecretsOnly).contains("a1B2"));
    }
}
