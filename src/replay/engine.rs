//! The replay loop: one loop for every pace, stop rule and clock.
//!
//! Departures leave in order. In a closed loop a departure waits for a free slot of its arm; in
//! an open loop it is made ready a little before it is due and leaves when it is due.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::backoff::RetryBudget;
use super::bodies::Bodies;
use super::breaker::{Breaker, GivenUp};
use super::budget::Ledger;
use super::client::Client;
use super::clock::ReplayClock;
use super::job::{Job, LEAD, Permit};
use super::journal::{ItemState, Journal};
use super::key::ItemKey;
use super::limiter::Limiter;
use super::order::Departure;
use super::pacer::Pacer;
use super::planner::Item;
use super::progress::Progress;
use super::slip::SlipRecorder;
use super::stop::{Halt, StopRule};
use super::turns::Turns;
use super::{ReplayError, StopReason, seal};
use crate::dataset::{ReplayInput, RunFolder};
use crate::plan::{Arm, Plan, PriceBook, WarmUp};

/// Departures between two looks at whether a segment is full.
const SEAL_EVERY: usize = 2_048;

/// Turns of a closed loop that may wait for the turn before them while others leave.
const LOOK_AHEAD: usize = 1_024;

/// Everything that the tasks of a replay share.
pub(super) struct Context {
    pub(super) plan: Plan,
    pub(super) prices: PriceBook,
    pub(super) folder: RunFolder,
    pub(super) arms: Vec<ArmContext>,
    pub(super) items: Vec<Item>,
    pub(super) recovered: BTreeMap<ItemKey, ItemState>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) journal: Journal,
    pub(super) clock: ReplayClock,
    pub(super) pacer: Pacer,
    pub(super) stop_rule: StopRule,
    /// Requests sent by this part of the run, over all arms.
    pub(super) sent: AtomicU64,
    pub(super) progress: Arc<Progress>,
    pub(super) halt: Arc<Halt>,
}

impl Context {
    /// Waits while an arm is out: all arms must see the same minutes. `false` when the replay
    /// stops first.
    async fn all_arms_are_there(&self) -> bool {
        for (index, at_work) in self.arms.iter().enumerate() {
            let ready = tokio::select! {
                ready = at_work.breaker.ready() => ready,
                () = self.halt.stopped() => return false,
            };
            if ready == Err(GivenUp) {
                self.halt.stop(StopReason::Outage { arm: index });
                return false;
            }
        }
        true
    }

    /// How long departures have been held back by outages so far.
    fn paused(&self, now: Instant) -> Duration {
        self.arms.iter().map(|at_work| at_work.breaker.paused(now)).max().unwrap_or_default()
    }
}

/// One arm at work.
pub(super) struct ArmContext {
    pub(super) arm: Arm,
    pub(super) client: Client,
    pub(super) limiter: Limiter,
    pub(super) breaker: Breaker,
    pub(super) retries: RetryBudget,
    pub(super) slips: SlipRecorder,
}

type Tasks = JoinSet<Result<(), ReplayError>>;

/// What the loop itself remembers between departures.
struct Loop {
    bodies: Bodies,
    tasks: Tasks,
    turns: Turns,
    /// Room for turns that wait for the turn before them.
    look_ahead: Arc<Semaphore>,
    /// Exchanges that have left, by arm.
    departed: Vec<u64>,
}

/// Sends every departure, until all are done or something stops the replay.
///
/// # Errors
/// Our own failures: a journal or capture that cannot be read or written.
pub(super) async fn run(
    context: &Arc<Context>,
    departures: Vec<Departure>,
    bodies: Bodies,
) -> Result<(), ReplayError> {
    let mut at_work = Loop {
        bodies,
        tasks: JoinSet::new(),
        turns: Turns::default(),
        look_ahead: Arc::new(Semaphore::new(LOOK_AHEAD)),
        departed: vec![0; context.arms.len()],
    };
    let timer = stop_in_time(context);
    let mut failure = None;
    for (index, departure) in departures.into_iter().enumerate() {
        if context.halt.reason().is_some() {
            break;
        }
        while let Some(ended) = at_work.tasks.try_join_next() {
            note(context, ended, &mut failure);
        }
        if index % SEAL_EVERY == SEAL_EVERY - 1 {
            let sealed = seal::seal(&context.folder, &context.journal, seal::SEGMENT_ROWS).await;
            // What is under way is waited for all the same: it is paid for.
            note(context, Ok(sealed), &mut failure);
        }
        if let Err(stopped) = at_work.depart(context, departure).await {
            note(context, Ok(Err(stopped)), &mut failure);
        }
    }
    drain(context, &mut at_work.tasks, &mut failure).await;
    if let Some(timer) = timer {
        timer.abort();
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// Stops the replay when the plan's time is over.
fn stop_in_time(context: &Context) -> Option<tokio::task::JoinHandle<()>> {
    let end = context.clock.started().checked_add(context.stop_rule.after()?)?;
    let halt = context.halt.clone();
    Some(tokio::spawn(async move {
        tokio::time::sleep_until(end.into()).await;
        halt.stop(StopReason::Time);
    }))
}

impl Loop {
    /// Starts a job for every arm of one departure.
    async fn depart(
        &mut self,
        context: &Arc<Context>,
        departure: Departure,
    ) -> Result<(), ReplayError> {
        if !context.all_arms_are_there().await {
            return Ok(());
        }
        // An outage moves everything after it, so that its end is no burst.
        let paused = context.paused(Instant::now());
        let offset = departure.slot.due.map(|offset| offset.saturating_add(paused));
        let due = offset.and_then(|offset| context.clock.started().checked_add(offset));
        if offset.is_some() && due.is_none() {
            // Later than any clock can tell.
            return Ok(());
        }
        if let Some(ready) = due.and_then(|due| due.checked_sub(LEAD)) {
            tokio::select! {
                () = tokio::time::sleep_until(ready.into()) => {}
                () = context.halt.stopped() => return Ok(()),
            }
        }
        let mut input: Option<Arc<ReplayInput>> = None;
        for index in &departure.sends {
            let Some(item) = context.items.get(*index as usize).copied() else { continue };
            let key = ItemKey { arm: item.arm, ordinal: item.ordinal, repeat: departure.repeat };
            let state = context.recovered.get(&key).copied().unwrap_or_default();
            if state.is_final {
                continue;
            }
            let input = if let Some(read) = &input {
                read.clone()
            } else {
                let read = self.bodies.get(departure.ordinal).await?;
                let Some(read) = read.map(Arc::new) else { return Ok(()) };
                input.insert(read).clone()
            };
            let (before, turn) = departure
                .session
                .map(|session| self.turns.next((session, item.arm, departure.repeat)))
                .map_or((None, None), |(before, turn)| (before, Some(turn)));
            let waits = before.is_some();
            let Some(permit) = self.permit(context, item.arm, due.is_some(), waits).await else {
                return Ok(());
            };
            let job = Job {
                context: context.clone(),
                input,
                item,
                key,
                state,
                due,
                slot: departure.slot,
                warm_up: self.is_warm_up(context, item.arm, due),
                before,
                _turn: turn,
            };
            self.tasks.spawn(job.run(permit));
        }
        Ok(())
    }

    /// What a departure needs before it may become a job; `None` when the replay stops first.
    async fn permit(
        &self,
        context: &Context,
        arm: u16,
        is_open: bool,
        waits_for_turn: bool,
    ) -> Option<Permit> {
        // An open loop leaves on time: its requests wait for a slot by themselves, and are late.
        if is_open {
            return Some(Permit::None);
        }
        let at_work = context.arms.get(usize::from(arm))?;
        tokio::select! {
            permit = async {
                if waits_for_turn {
                    // It takes no slot from those that could leave now.
                    self.look_ahead.clone().acquire_owned().await.ok().map(Permit::LookAhead)
                } else {
                    at_work.limiter.slot().await.map(Permit::Slot)
                }
            } => permit,
            () = context.halt.stopped() => None,
        }
    }

    /// Whether a departure belongs to the warm-up of its arm in this part of the run.
    fn is_warm_up(&mut self, context: &Context, arm: u16, due: Option<Instant>) -> bool {
        let Some(departed) = self.departed.get_mut(usize::from(arm)) else { return false };
        *departed += 1;
        match context.plan.replay.warm_up {
            None => false,
            Some(WarmUp::Requests(count)) => *departed <= count,
            Some(WarmUp::Time(time)) => {
                let leaves = due.unwrap_or_else(Instant::now);
                leaves.saturating_duration_since(context.clock.started()) < time
            }
        }
    }
}

/// Waits for what is under way; after a stop no longer than the plan's drain time.
async fn drain(context: &Context, tasks: &mut Tasks, failure: &mut Option<ReplayError>) {
    loop {
        let next = tokio::select! {
            next = tasks.join_next() => next,
            () = context.halt.stopped() => break,
        };
        match next {
            Some(ended) => note(context, ended, failure),
            None => return,
        }
    }
    // Without a journal nothing that comes back can be kept.
    let is_kept = !matches!(failure, Some(ReplayError::JournalClosed));
    let wait = if is_kept { context.plan.replay.drain } else { Duration::ZERO };
    let deadline = Instant::now() + wait;
    while let Ok(Some(ended)) = tokio::time::timeout_at(deadline.into(), tasks.join_next()).await {
        note(context, ended, failure);
    }
    tasks.shutdown().await;
}

fn note(
    context: &Context,
    ended: Result<Result<(), ReplayError>, tokio::task::JoinError>,
    failure: &mut Option<ReplayError>,
) {
    let error = match ended {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(error) => ReplayError::Task(error.to_string()),
    };
    context.halt.stop(StopReason::Failure);
    failure.get_or_insert(error);
}
