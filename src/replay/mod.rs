//! Replays a capture: the only module with a client socket.
//!
//! Flow: `planner` decides what is sent and what it can cost, `schedule` when, `order` in which
//! order; `engine` starts a `job` for each, which sends it through `client`. `limiter` (with `gate`
//! and `adaptive`), `turns`, `breaker` and `budget` hold it back, `pacer` wakes it when it is due,
//! `journal` remembers it, and `seal` turns outcomes into Parquet. A provider's failure is a row;
//! only our own is an error. `shard` narrows a run to one part of it, and `merge` joins the parts.
//! Where a store is named, `lease` lets one process at a time replay a run, and `shared` keeps its
//! state there.

mod adaptive;
mod attempt;
mod backoff;
mod bodies;
mod breaker;
mod budget;
#[cfg(test)]
mod budget_schedules;
mod client;
mod clock;
mod consent;
mod descriptors;
mod engine;
mod error;
mod estimate;
mod event_loop;
mod exchange;
#[cfg(test)]
mod fault_tests;
mod forecast;
mod gate;
#[cfg(test)]
mod gate_simulation;
mod held;
mod job;
mod journal;
mod journal_view;
mod key;
mod lease;
mod leaving;
mod limiter;
mod loop_lag;
mod merge;
mod merge_error;
mod order;
mod pacer;
mod planner;
mod progress;
mod receive;
mod recover;
mod run;
mod run_view;
mod sampling;
mod schedule;
mod seal;
mod secret;
mod shard;
mod shared;
mod slip;
mod start;
mod stop;
mod transport;
mod turns;
mod walls;
mod watch;

pub use budget::{Ledger, Reservation};
pub use consent::{Consent, Intended, IntendedArm};
pub use error::ReplayError;
pub use forecast::schedule_end;
pub use journal::{Intent, ItemState, Journal, JournalWriter, Outcome, Recovered, SealedSegment};
pub use key::{AttemptId, AttemptKey, ItemKey};
pub use merge::{MergeOptions, Merged, merge, shard_folders};
pub use merge_error::MergeError;
pub use planner::{Item, Planned, plan_items};
pub use progress::{Progress, Snapshot};
pub use recover::{check, recover};
pub use run::{check_belongs, default_run_id, replay_identity};
pub use run_view::{ArmView, Percentiles, RunState, RunView};
pub use shared::{SharedStore, fetch_shards};
pub use slip::Slip;
pub use start::{ReplayOptions, ReplayOutcome, Stopper, replay};
pub use transport::{proxies, warnings};
pub use watch::Watch;

/// Why a replay ended before everything was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// The rest does not fit into the budget.
    Budget,
    /// The user asked for it.
    Interrupted,
    /// The system asked for it.
    Terminated,
    /// Another process took the claim on the run, or the store could not be reached in time.
    ClaimLost,
    /// An arm was out for longer than the plan allows.
    Outage {
        /// Its place among the plan's arms.
        arm: usize,
    },
    /// The plan's `stop_after` has passed.
    Time,
    /// The plan's `max_requests` were sent.
    Requests,
    /// This program failed.
    Failure,
}

impl StopReason {
    /// The word for it in events.
    pub fn as_str(self) -> &'static str {
        match self {
            StopReason::Budget => "budget",
            StopReason::Interrupted => "interrupted",
            StopReason::Terminated => "terminated",
            StopReason::ClaimLost => "claim_lost",
            StopReason::Outage { .. } => "outage",
            StopReason::Time => "time",
            StopReason::Requests => "requests",
            StopReason::Failure => "failure",
        }
    }
}
