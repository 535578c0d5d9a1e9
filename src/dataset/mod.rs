//! The tables on disk: their schemas, their rows, their Parquet segments, and where they lie.
//!
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

pub use attempt_row::AttemptRow;
pub use capture_store::{BlockId, CaptureStore, ReplayInput};
pub use captured_exchange::{CapturedExchange, ContentState, UsageSource};
pub use error::DatasetError;
pub use files::{
    create_private_dir, read_json, sha256_hex, sync_dir, sync_file, write_atomically, write_json,
};
pub use foreign_table::{ForeignTable, TABLE_THREAD, TableRows};
pub use manifest::{
    ArmRecord, CaptureManifest, ConservationError, RunManifest, SegmentRecord, SourceRecord,
};
pub use planned_row::PlannedRow;
pub use project::{Location, Project, RunFolder};
pub use reject_row::RejectRow;
pub use schema::{capture_schema, planned_schema, rejects_schema, results_schema};
pub use segment::{SegmentSummary, Table, read_rows, write_capture_segment, write_segment};
