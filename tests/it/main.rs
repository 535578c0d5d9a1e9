//! One binary for every test of behaviour: each further one would link the engine again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

mod architecture;
mod audit;
mod bad_input;
mod damaged_logs;
mod demo;
mod docs;
mod golden;
mod hostile;
mod import_formats;
mod kills;
mod queries;
mod real_logs;
mod replays;
mod report_views;
mod stat_vectors;
mod support;
mod wire;
