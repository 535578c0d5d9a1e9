//! One line of a log that could not be used: a row of the table `rejects`.

use serde::{Deserialize, Serialize};

/// A line that was set aside, with its place and reason, so that nothing is lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectRow {
    /// The file.
    pub source_file: String,
    /// The line, from 1.
    pub source_line: i64,
    /// Where the line begins in the decompressed file.
    pub byte_offset: i64,
    /// Why it was set aside; a closed set of words.
    pub reason: String,
    /// What was wrong in detail, without content.
    pub detail: String,
    /// The first bytes of the line, escaped and without secrets.
    pub excerpt: String,
}
