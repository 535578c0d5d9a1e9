//! Tests whose verdict rests on measured durations: each has the machine to itself.
//!
//! A verdict on latency is inconclusive where the client was the bottleneck, and tests that run
//! beside others make it one. So these are a binary of their own, and take turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers too"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

mod demo;
mod docs;
#[path = "../it/support.rs"]
#[allow(dead_code, reason = "the other tests need more of it")]
mod support;

/// Held by a test for as long as it runs.
pub(crate) fn machine() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}
