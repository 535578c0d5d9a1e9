//! What an import came to, and how far it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use crate::dataset::CaptureManifest;

use super::error::ImportError;
use super::input::Input;

/// How far an import is; counts are over all inputs so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportProgress {
    /// The input that is being read.
    pub file: String,
    /// Inputs that were read to the end.
    pub files_done: usize,
    /// All inputs.
    pub files: usize,
    /// Bytes read, before decompression.
    pub bytes_read: u64,
    /// Bytes of all inputs; unknown if one is standard input.
    pub bytes_total: Option<u64>,
    /// Lines with something in them.
    pub lines: u64,
    /// Exchanges.
    pub accepted: u64,
    /// Lines set aside.
    pub rejected: u64,
}

/// What an import came to.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOutcome {
    /// The manifest; it was put in place unless `reject_rate_exceeded`.
    pub manifest: CaptureManifest,
    /// Lines set aside; they are in the table `rejects` in any case.
    pub rejects: u64,
    /// The share of lines that were set aside, 0 to 1.
    pub reject_rate: f64,
    /// Whether too many were, so that an earlier capture was left as it is.
    pub reject_rate_exceeded: bool,
    /// Failed attempts that another attempt followed.
    pub superseded: u64,
    /// Files in named folders that were not read.
    pub left_out: Vec<LeftOut>,
}

/// A file in a named folder that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub path: PathBuf,
    /// Why; absent if its name does not look like a log's.
    pub reason: Option<String>,
}

impl LeftOut {
    pub(super) fn by_name(path: PathBuf) -> Self {
        LeftOut { path, reason: None }
    }

    pub(super) fn because(input: &Input, error: &ImportError) -> Self {
        LeftOut { path: PathBuf::from(input.name()), reason: Some(error.to_string()) }
    }
}

impl ImportOutcome {
    /// Lines read over all sources.
    pub fn lines(&self) -> u64 {
        self.manifest.sources.iter().map(|source| source.lines).sum()
    }

    /// The equation by which every line is accounted for, such as `812 lines = 800 accepted +
    /// 8 rejected (6 invalid_json, 2 too_deep) + 0 filtered + 4 duplicates`.
    pub fn conservation_line(&self) -> String {
        let sources = &self.manifest.sources;
        let sum = |counts: fn(&crate::dataset::SourceRecord) -> &BTreeMap<String, u64>| {
            let mut total = BTreeMap::new();
            for (reason, count) in sources.iter().flat_map(counts) {
                *total.entry(reason.as_str()).or_insert(0) += count;
            }
            total
        };
        let accepted: u64 = sources.iter().map(|source| source.accepted).sum();
        let duplicates: u64 = sources.iter().map(|source| source.duplicates).sum();
        let joined: u64 = sources.iter().map(|source| source.joined).sum();
        let joined = if joined > 0 { format!(" + {joined} merged") } else { String::new() };
        format!(
            "{} lines = {accepted} accepted + {} + {} + {duplicates} duplicates{joined}",
            self.lines(),
            term("rejected", &sum(|source| &source.rejected)),
            term("filtered", &sum(|source| &source.filtered)),
        )
    }
}

fn term(name: &str, counts: &BTreeMap<&str, u64>) -> String {
    let total: u64 = counts.values().sum();
    let mut text = format!("{total} {name}");
    let mut separator = " (";
    for (reason, count) in counts {
        // Writing into a String cannot fail.
        let _ = write!(text, "{separator}{count} {reason}");
        separator = ", ";
    }
    if !counts.is_empty() {
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::SourceRecord;

    #[test]
    fn the_equation_names_every_reason_over_all_sources() {
        let counts = |pairs: &[(&str, u64)]| {
            pairs.iter().map(|(reason, count)| ((*reason).to_owned(), *count)).collect()
        };
        let source = |lines, accepted, rejected, duplicates| SourceRecord {
            lines,
            accepted,
            rejected: counts(rejected),
            duplicates,
            ..SourceRecord::default()
        };
        let sources = vec![
            source(410, 400, &[("invalid_json", 6)], 4),
            source(402, 400, &[("too_deep", 2)], 0),
        ];
        let outcome = ImportOutcome {
            manifest: CaptureManifest { sources, ..CaptureManifest::default() },
            rejects: 8,
            reject_rate: 8.0 / 812.0,
            reject_rate_exceeded: false,
            superseded: 0,
            left_out: Vec::new(),
        };
        assert_eq!(
            outcome.conservation_line(),
            "812 lines = 800 accepted + 8 rejected (6 invalid_json, 2 too_deep) + 0 filtered + \
             4 duplicates"
        );
    }
}
