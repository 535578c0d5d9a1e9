//! The tables on disk: their schemas, their rows, their Parquet segments, and where they lie.
//!
//! Captures and results can be kept in an object store as well, which this module alone knows.
//! Only this module and `query` (and `capture`, for building batches) know Arrow and Parquet.
//! Files are written aside, synced and renamed, so that a reader never meets half a file.

mod attempt_row;
mod capture_columns;
mod capture_store;
mod captured_exchange;
mod error;
mod files;
mod foreign_table;
mod manifest;
mod planned_row;
mod project;
mod reject_row;
mod schema;
mod segment;
mod shard;
mod snapshot;
mod store;
mod store_folder;

pub use attempt_row::AttemptRow;
pub use capture_store::{BlockId, CaptureStore, ReplayInput};
pub use captured_exchange::{CapturedExchange, ContentState, UsageSource};
pub use error::DatasetError;
#[cfg(test)]
pub(crate) use files::faults;
pub use files::{
    NewFile, check_sha256, create_private_dir, file_sha256, read_json, rename, sha256_hex,
    sync_dir, sync_file, write_atomically, write_json,
};
pub use foreign_table::{ForeignTable, TABLE_THREAD, TableRows};
pub use manifest::{
    ArmRecord, CaptureManifest, ConservationError, RunManifest, SegmentRecord, SourceRecord,
};
pub use planned_row::PlannedRow;
pub use project::{Location, Project, RunFolder};
pub use reject_row::RejectRow;
pub use schema::{capture_schema, planned_schema, rejects_schema, results_schema};
pub use segment::{
    SegmentSummary, Table, planned_batch, read_rows, write_capture_segment, write_segment,
};
pub use shard::{Shard, ShardError};
pub use snapshot::{FileRecord, download, push_capture, share_capture, upload};
pub use store::{Store, Version, inside};
