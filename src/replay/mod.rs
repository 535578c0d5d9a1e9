//! Replays a capture: the only module with a client socket.
//!
//! Flow: `planner` decides what is sent and what it can cost, `order` when, `engine` sends it
//! through `client`, `budget` and `limiter` hold it back, `journal` remembers it, and
//! `seal` turns outcomes into Parquet. A provider's failure is a row; only our own is an error.

mod attempt;
mod bodies;
mod budget;
mod client;
mod clock;
mod engine;
mod error;
mod journal;
mod key;
mod limiter;
mod order;
mod planner;
mod progress;
mod recover;
mod run;
mod seal;
mod start;

pub use budget::{Ledger, Reservation};
pub use error::ReplayError;
pub use journal::{Intent, ItemState, Journal, JournalWriter, Outcome, Recovered};
pub use key::{AttemptId, AttemptKey, ItemKey};
pub use limiter::Limiter;
pub use planner::{Item, Planned, plan_items};
pub use progress::{Progress, Snapshot};
pub use recover::recover;
pub use run::{check_belongs, default_run_id, replay_identity};
pub use start::{ReplayOptions, ReplayOutcome, Stopper, replay};

/// Why a replay ended before everything was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The rest does not fit into the budget.
    Budget,
    /// The user asked for it.
    Interrupted,
    /// The system asked for it.
    Terminated,
    /// This program failed.
    Failure,
}
