//! One binary for every test of behaviour: each further one would link the engine again.

mod architecture;
mod bad_input;
mod demo;
mod docs;
mod golden;
mod import_formats;
mod kills;
mod queries;
mod report_views;
mod stat_vectors;
mod support;
mod wire;
