//! What the schedule of a replay says before anything is sent.

use std::time::Duration;

use super::order::{departures, ordering};
use super::planner::Planned;
use crate::dataset::CaptureStore;
use crate::plan::Plan;

/// When the last request is due, since the start; nothing in a closed loop.
pub fn schedule_end(
    plan: &Plan,
    planned: &Planned,
    capture: &CaptureStore,
    arrivals: Option<&[Duration]>,
) -> Option<Duration> {
    let order = departures(&planned.items, capture, ordering(&plan.replay, arrivals));
    order.iter().filter_map(|departure| departure.slot.due).max()
}
