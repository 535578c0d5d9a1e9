//! The importer's way from units to rows, and the target that goes it.

#[path = "../../../src/capture/import/parse.rs"]
mod parse;
mod row;
mod target;

pub use target::reader;
