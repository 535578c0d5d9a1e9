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
mod calibration;
mod consistency;
mod damaged_logs;
mod deploy;
mod dry_run;
mod failing_disk;
mod golden;
mod hostile;
mod import_formats;
mod kills;
mod load;
mod money;
mod pace;
mod queries;
mod real_logs;
mod replays;
mod report_views;
mod resume;
mod s3;
mod sampling;
mod shards;
mod similarity_sql;
mod sql_functions;
mod stores;
mod support;
mod trouble;
mod vectors;
mod watching;
mod wire;
