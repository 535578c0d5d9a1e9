//! Reading a capture back in the pieces that a replay needs.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::file::reader::{FileReader, SerializedFileReader};
use rayon::prelude::*;
use serde::Deserialize;

use super::segment::Table;
use super::{CaptureManifest, DatasetError, Project, Shard, check_sha256, read_json, read_rows};

/// What a replay needs to know of a captured exchange.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ReplayInput {
    /// Row number of the capture.
    pub ordinal: i32,
    /// The log's identifier.
    pub request_id: String,
    /// The conversation.
    pub session_id: Option<String>,
    /// When it was captured, microseconds since 1970.
    pub captured_at: i64,
    /// The model that was asked for.
    pub request_model: String,
    /// The wire dialect of the body.
    pub dialect: Option<String>,
    /// The body.
    pub request_body: Option<String>,
    /// Whether it can be sent again.
    pub replayable: bool,
    /// Why not.
    pub not_replayable_reason: Option<String>,
    /// Why the row may not stand for the incumbent; some of these reasons keep it from replay.
    pub latency_baseline_reason: Option<String>,
    /// Route or endpoint.
    pub route: Option<String>,
    /// Tenant or team.
    pub tenant: Option<String>,
    /// Whether the answer was to be streamed.
    pub stream: Option<bool>,
    /// Number of tools offered.
    pub tool_count: i32,
    /// All input tokens of the recorded answer.
    pub input_tokens: Option<i64>,
    /// All output tokens of the recorded answer.
    pub output_tokens: Option<i64>,
    /// Input tokens that were read from the prompt cache.
    pub cache_read_input_tokens: Option<i64>,
    /// Input tokens that were written into the prompt cache.
    pub cache_creation_input_tokens: Option<i64>,
    /// Output tokens spent on reasoning.
    pub reasoning_output_tokens: Option<i64>,
}

const REPLAY_COLUMNS: &[&str] = &[
    "ordinal",
    "request_id",
    "session_id",
    "captured_at",
    "request_model",
    "dialect",
    "request_body",
    "replayable",
    "not_replayable_reason",
    "latency_baseline_reason",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "reasoning_output_tokens",
];

/// What a sample is drawn by: everything but bodies and usage.
const OUTLINE_COLUMNS: &[&str] = &[
    "ordinal",
    "request_id",
    "session_id",
    "request_model",
    "replayable",
    "not_replayable_reason",
    "latency_baseline_reason",
    "route",
    "tenant",
    "stream",
    "tool_count",
];

/// A block of consecutive ordinals: one row group of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockId(usize);

#[derive(Debug)]
struct Block {
    file: PathBuf,
    row_group: usize,
}

/// A capture, read block by block so that its size does not matter.
#[derive(Debug)]
pub struct CaptureStore {
    manifest: CaptureManifest,
    blocks: Vec<Block>,
    first_ordinals: BTreeMap<i32, BlockId>,
}

impl CaptureStore {
    /// Opens the capture of a project.
    ///
    /// # Errors
    /// No capture, or files that are none of ours.
    pub fn open(project: &Project) -> Result<Self, DatasetError> {
        let folder = project.capture_folder();
        let manifest = manifest(&folder)?;
        CaptureStore::of(&folder, manifest)
    }

    /// The same after a look at every byte: each file must be the one that the import wrote.
    ///
    /// # Errors
    /// As [`CaptureStore::open`], and [`DatasetError::Damaged`] with the file.
    pub fn open_checked(project: &Project) -> Result<Self, DatasetError> {
        let folder = project.capture_folder();
        let manifest = manifest(&folder)?;
        manifest
            .segments
            .par_iter()
            .filter(|segment| !segment.sha256.is_empty())
            .try_for_each(|segment| check_sha256(&folder.join(&segment.file), &segment.sha256))?;
        CaptureStore::of(&folder, manifest)
    }

    fn of(folder: &Path, manifest: CaptureManifest) -> Result<Self, DatasetError> {
        let mut blocks = Vec::new();
        let mut first_ordinals = BTreeMap::new();
        for segment in &manifest.segments {
            let file = folder.join(&segment.file);
            let mut ordinal = segment.first_ordinal;
            for (row_group, rows) in rows_of_groups(&file)?.into_iter().enumerate() {
                first_ordinals.insert(ordinal, BlockId(blocks.len()));
                blocks.push(Block { file: file.clone(), row_group });
                ordinal = ordinal.saturating_add(i32::try_from(rows).unwrap_or(i32::MAX));
            }
        }
        Ok(CaptureStore { manifest, blocks, first_ordinals })
    }

    /// The capture's manifest.
    pub fn manifest(&self) -> &CaptureManifest {
        &self.manifest
    }

    /// All blocks in order of ordinals.
    pub fn blocks(&self) -> impl Iterator<Item = BlockId> + use<> {
        (0..self.blocks.len()).map(BlockId)
    }

    /// For every ordinal whether a shard holds its exchange: by its session, else by itself.
    pub fn held_by(&self, shard: Shard) -> Result<Vec<bool>, DatasetError> {
        let columns: &[&str] = &["ordinal", "request_id", "session_id"];
        let mut held = Vec::new();
        for block in &self.blocks {
            let group = Some(block.row_group);
            let rows: Vec<ReplayInput> =
                read_rows(&block.file, Table::Capture, Some(columns), group)?;
            let unit = |row: &ReplayInput| {
                shard.holds(row.session_id.as_deref().unwrap_or(&row.request_id))
            };
            held.extend(rows.iter().map(unit));
        }
        Ok(held)
    }

    /// The block that holds an ordinal.
    pub fn block_of(&self, ordinal: i32) -> Option<BlockId> {
        self.first_ordinals.range(..=ordinal).next_back().map(|(_, block)| *block)
    }

    /// Reads a block with request bodies, in order of ordinals.
    pub fn read(&self, block: BlockId) -> Result<Vec<ReplayInput>, DatasetError> {
        let Some(block) = self.blocks.get(block.0) else { return Ok(Vec::new()) };
        read_rows(&block.file, Table::Capture, Some(REPLAY_COLUMNS), Some(block.row_group))
    }

    /// Reads a block without bodies and usage: only what a sample is drawn by.
    pub fn read_outline(&self, block: BlockId) -> Result<Vec<ReplayInput>, DatasetError> {
        let Some(block) = self.blocks.get(block.0) else { return Ok(Vec::new()) };
        read_rows(&block.file, Table::Capture, Some(OUTLINE_COLUMNS), Some(block.row_group))
    }
}

/// The manifest of the capture in a folder.
fn manifest(folder: &Path) -> Result<CaptureManifest, DatasetError> {
    let path = folder.join("manifest.json");
    if !path.is_file() {
        return Err(DatasetError::NoCapture(folder.to_owned()));
    }
    let manifest: CaptureManifest = read_json(&path, "capture manifest")?;
    if manifest.is_as_written() {
        return Ok(manifest);
    }
    Err(DatasetError::Damaged { path, what: "it does not match its own checksum" })
}

fn rows_of_groups(path: &Path) -> Result<Vec<i64>, DatasetError> {
    let file = File::open(path).map_err(|source| DatasetError::io("read", path, source))?;
    let reader = SerializedFileReader::new(file).map_err(|failure| DatasetError::Parquet {
        action: "read",
        path: path.to_owned(),
        message: failure.to_string(),
    })?;
    Ok(reader
        .metadata()
        .row_groups()
        .iter()
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect())
}
