//! What a capture and a run say of themselves: counts, hashes, ranges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Shard;
use super::sha256_hex;

/// `capture/manifest.json`: where the capture comes from and what is in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureManifest {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// Version of the program that imported.
    pub tool_version: String,
    /// The files that were read, in order.
    pub sources: Vec<SourceRecord>,
    /// Accepted exchanges.
    pub exchanges: u64,
    /// First `captured_at`, microseconds since 1970.
    pub from_us: Option<i64>,
    /// Last `captured_at`, microseconds since 1970.
    pub to_us: Option<i64>,
    /// The Parquet files, in order of ordinals.
    pub segments: Vec<SegmentRecord>,
    /// SHA-256 over the rows in order of ordinals, each as JSON.
    pub rows_sha256: String,
    /// What was done to the content before it was written.
    pub redaction: Vec<String>,
    /// SHA-256 over the rest of this document; empty when nobody computed it.
    #[serde(default)]
    pub checksum: String,
}

impl CaptureManifest {
    /// The same with its checksum.
    #[must_use]
    pub fn with_checksum(mut self) -> Self {
        self.checksum = self.computed_checksum();
        self
    }

    /// Whether the document says what it said when its checksum was computed.
    pub fn is_as_written(&self) -> bool {
        self.checksum.is_empty() || self.computed_checksum() == self.checksum
    }

    fn computed_checksum(&self) -> String {
        checksum(&CaptureManifest { checksum: String::new(), ..self.clone() })
    }
}

/// One source file of a capture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceRecord {
    /// The file, or `-` for standard input.
    pub file: String,
    /// SHA-256 of its decompressed bytes.
    pub sha256: String,
    /// Decompressed bytes.
    pub bytes: u64,
    /// The log format that was found.
    pub format: String,
    /// Non-empty lines.
    pub lines: u64,
    /// Lines that became exchanges.
    pub accepted: u64,
    /// Lines that were set aside, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Lines that are no chat traffic, by reason.
    pub filtered: BTreeMap<String, u64>,
    /// Lines that repeat an earlier one.
    pub duplicates: u64,
    /// Lines that were merged into the exchange of another.
    #[serde(default)]
    pub joined: u64,
    /// How sure the format is of this file, in percent; absent if the user named it.
    #[serde(default)]
    pub confidence: Option<u8>,
    /// What ended reading early, such as a cut compressed file.
    pub incomplete: Option<String>,
}

/// The lines of a source do not add up, which is a defect of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {lines} lines, but {accounted} accounted for")]
pub struct ConservationError {
    /// The source.
    pub file: String,
    /// Lines read.
    pub lines: u64,
    /// Lines accepted, rejected, filtered, merged or found to be duplicates.
    pub accounted: u64,
}

impl SourceRecord {
    /// Lines that were set aside, over all reasons.
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Checks that no line is unaccounted for.
    pub fn check_conservation(&self) -> Result<(), ConservationError> {
        let filtered: u64 = self.filtered.values().sum();
        let accounted =
            self.accepted + self.rejected_total() + filtered + self.duplicates + self.joined;
        if accounted == self.lines {
            return Ok(());
        }
        Err(ConservationError { file: self.file.clone(), lines: self.lines, accounted })
    }
}

/// One Parquet file of a capture.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentRecord {
    /// File name within the capture folder.
    pub file: String,
    /// Ordinal of its first row.
    pub first_ordinal: i32,
    /// Rows.
    pub rows: u64,
    /// First `captured_at`, microseconds since 1970.
    pub from_us: i64,
    /// Last `captured_at`, microseconds since 1970.
    pub to_us: i64,
    /// SHA-256 of the file; empty when nobody computed it.
    #[serde(default)]
    pub sha256: String,
}

/// SHA-256 over a document without its checksum.
fn checksum<T: Serialize>(document: &T) -> String {
    // Names, counts and texts: JSON can hold them all.
    sha256_hex(serde_json::to_vec(document).unwrap_or_default())
}

/// `runs/<run-id>/run.json`: what a run replays, and what it may be resumed with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunManifest {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// Version of the program that began the run.
    pub tool_version: String,
    /// The run's name.
    pub run_id: String,
    /// When it began, RFC 3339.
    pub started_at: String,
    /// SHA-256 over the rows of the capture that is replayed.
    pub capture_sha256: String,
    /// Every part of the plan that changes what is sent, by name, each as canonical JSON.
    pub replay_identity: BTreeMap<String, String>,
    /// The arms.
    pub arms: Vec<ArmRecord>,
    /// Repeats of every exchange.
    pub repeats: u32,
    /// Which part of the run this folder holds; absent: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// How many shards this folder was merged from; absent: it was replayed as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_shards: Option<u32>,
    /// SHA-256 of each other file that the run is begun with, by name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The price of each model that is asked, by arm and model: costs are booked with it.
    #[serde(default)]
    pub prices: BTreeMap<String, String>,
    /// SHA-256 over the rest of this document; empty when nobody computed it.
    #[serde(default)]
    pub checksum: String,
}

impl RunManifest {
    /// The same with its checksum.
    #[must_use]
    pub fn with_checksum(mut self) -> Self {
        self.checksum = self.computed_checksum();
        self
    }

    /// Whether the document says what it said when its checksum was computed.
    pub fn is_as_written(&self) -> bool {
        self.checksum.is_empty() || self.computed_checksum() == self.checksum
    }

    fn computed_checksum(&self) -> String {
        checksum(&RunManifest { checksum: String::new(), ..self.clone() })
    }
}

/// One arm of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmRecord {
    /// The candidate's name, or `control`.
    pub name: String,
    /// Whether it is the incumbent replayed again.
    pub is_control: bool,
    /// The wire protocol.
    pub protocol: String,
    /// The address, without credentials.
    pub base_url: String,
}
