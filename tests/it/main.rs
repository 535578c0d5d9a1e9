//! One binary for every test of behaviour: each further one would link the engine again.

mod import_formats;
mod report_views;
mod stat_vectors;
mod wire;
