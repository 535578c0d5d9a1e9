//! Whether this process may open as many connections as the plan needs.

use super::ReplayError;
use crate::plan::Plan;

/// Descriptors for everything but connections: journal, segments, log, standard streams, runtime.
const OTHERS: u64 = 64;

/// Makes room for a connection per request in flight: raises the process's soft limit towards the
/// hard one where it is too low.
///
/// # Errors
/// [`ReplayError::TooFewDescriptors`] when the hard limit does not allow it.
#[cfg(unix)]
pub(super) fn make_room(plan: &Plan) -> Result<(), ReplayError> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let needed = needed(plan);
    let mut limit = getrlimit(Resource::Nofile);
    let allows = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if allows(limit.current) {
        return Ok(());
    }
    let too_few = |allowed| ReplayError::TooFewDescriptors { needed, allowed };
    if !allows(limit.maximum) {
        return Err(too_few(limit.maximum.unwrap_or(u64::MAX)));
    }
    let before = limit.current.unwrap_or(u64::MAX);
    limit.current = Some(needed);
    setrlimit(Resource::Nofile, limit).map_err(|_| too_few(before))
}

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(super) fn make_room(_plan: &Plan) -> Result<(), ReplayError> {
    Ok(())
}

#[cfg(unix)]
fn needed(plan: &Plan) -> u64 {
    plan.arms().map(|arm| arm.limits.concurrency).fold(OTHERS, u64::saturating_add)
}
