//! What the fuzz targets do with their bytes.
//!
//! This is a crate of its own, outside the project's package, which mounts the project's source
//! files by their paths. The project depends on DataFusion, Arrow and a TLS stack: under a
//! sanitizer these take an hour to build and gigabytes to link into some thirty targets, and none
//! of their code is what is fuzzed. So the tables are left out but for the rows (`dataset.rs`), and
//! of the importer only what turns units into rows is here, with its redaction; spilling, duplicates
//! and segments are not (`capture.rs`). What is mounted is the code that ships, not a copy.
//!
//! A target fails by panic: of the code itself, or of an `assert!` that states what every input
//! must keep. Panics, indexing and printing are therefore as welcome here as in tests.
//!
//! Every format of the table `FORMATS` has a target `reader_<name>`, as every target must be a
//! binary of its own for cargo-fuzz; all of them call [`reader`].

#![allow(dead_code, unused_imports, reason = "the mounted files hold more than the targets reach")]

#[path = "../../src/chat/mod.rs"]
mod chat;
#[path = "../../src/provider/mod.rs"]
mod provider;

mod capture;
mod dataset;
mod pieces;
mod sse;

pub use capture::{frames, mapping, personal, reader, secrets};
pub use sse::sse;
