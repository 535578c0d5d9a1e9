//! The part of a run that one shard replays: its exchanges, its budget, its limits.

use super::ReplayError;
use crate::dataset::{CaptureStore, PlannedRow, Shard};
use crate::plan::{Limits, Plan};
use crate::pricing::NanoUsd;

/// What this process replays of a run: all of it, or a shard.
///
/// Everything is planned and scheduled for the whole run and then narrowed, so that the shards
/// together send exactly what one process would have sent, at the same offsets of an open loop.
#[derive(Debug)]
pub(super) struct Part {
    shard: Option<Shard>,
    held: Vec<bool>,
}

impl Part {
    /// The exchanges of a shard, or of the whole run.
    ///
    /// # Errors
    /// A capture that cannot be read.
    pub(super) fn new(shard: Option<Shard>, capture: &CaptureStore) -> Result<Self, ReplayError> {
        let held = shard.map(|shard| capture.held_by(shard)).transpose()?.unwrap_or_default();
        Ok(Part { shard, held })
    }

    /// Whether an exchange belongs to it.
    pub(super) fn holds(&self, ordinal: i32) -> bool {
        let index = usize::try_from(ordinal).ok();
        self.shard.is_none()
            || index.and_then(|index| self.held.get(index)).copied().unwrap_or(false)
    }

    /// The rows of the table `planned` that belong to it.
    pub(super) fn planned(&self, rows: Vec<PlannedRow>) -> Vec<PlannedRow> {
        rows.into_iter().filter(|row| self.holds(row.ordinal)).collect()
    }
}

/// The plan of a shard: budget and limits are its part of the whole's.
///
/// # Errors
/// [`ReplayError::TooManyShards`] where a limit cannot be divided that often.
pub(super) fn plan_of(plan: &Plan, shard: Option<Shard>) -> Result<Plan, ReplayError> {
    let mut plan = plan.clone();
    let Some(shard) = shard else { return Ok(plan) };
    if let Some(budget) = &mut plan.replay.budget {
        let part = shard.part_of(u64::try_from(budget.0).unwrap_or(0));
        *budget = NanoUsd(i64::try_from(part).unwrap_or(i64::MAX));
    }
    for arm in plan.candidates.iter_mut().chain(&mut plan.control) {
        let part = |what: &'static str, whole: u64| {
            if whole < u64::from(shard.count()) {
                return Err(ReplayError::TooManyShards {
                    arm: arm.name.clone(),
                    what,
                    limit: whole,
                    shards: shard.count(),
                });
            }
            Ok(shard.part_of(whole))
        };
        arm.limits = Limits {
            concurrency: part("concurrency", arm.limits.concurrency)?,
            rpm: arm.limits.rpm.map(|rpm| part("rpm", rpm)).transpose()?,
            tpm: arm.limits.tpm.map(|tpm| part("tpm", tpm)).transpose()?,
        };
    }
    Ok(plan)
}
