//! The replay loop: one loop for every pace, stop rule and clock.
//!
//! Departures leave in order. In a closed loop a departure waits for a free slot of its arm; in
//! an open loop it is made ready a little before it is due and leaves when it is due. Every
//! attempt is reserved against the budget and journaled before it is sent, and journaled again
//! before it counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;

use super::attempt::{self, Sending};
use super::bodies::Bodies;
use super::breaker::{Breaker, GivenUp, Pass};
use super::budget::Ledger;
use super::client::{Client, Exchange};
use super::clock::{ReplayClock, ms};
use super::journal::{Intent, ItemState, Journal, Outcome};
use super::key::{AttemptId, AttemptKey, ItemKey};
use super::limiter::Limiter;
use super::order::Departure;
use super::planner::{Item, losses_json, wire_request};
use super::progress::Progress;
use super::{ReplayError, StopReason, seal};
use crate::chat::ErrorClass;
use crate::dataset::{AttemptRow, ReplayInput, RunFolder};
use crate::plan::{Arm, Plan, PriceBook};
use crate::provider::Dialect;

/// How long before its time an open-loop request is made ready: reserved, journaled, translated.
const LEAD: Duration = Duration::from_millis(200);

/// First wait before a retry; it doubles up to [`MAX_BACKOFF`], as the official clients do.
const MIN_BACKOFF: Duration = Duration::from_millis(500);
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// A provider that asks to wait longer than this is not asked again.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(2);

/// Departures between two looks at whether a segment is full.
const SEAL_EVERY: usize = 2_048;

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
}

/// Set once, by whoever finds a reason to stop; nothing leaves after that.
#[derive(Debug)]
pub(super) struct Halt {
    sender: watch::Sender<Option<StopReason>>,
}

impl Halt {
    pub(super) fn new() -> Self {
        Halt { sender: watch::Sender::new(None) }
    }

    /// Stops the replay; the first reason stays.
    pub(super) fn stop(&self, reason: StopReason) {
        self.sender.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason);
            }
            first
        });
    }

    pub(super) fn reason(&self) -> Option<StopReason> {
        *self.sender.borrow()
    }

    /// Waits until somebody stops the replay.
    async fn stopped(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`, so that waiting ends only with a reason.
        let _ = receiver.wait_for(Option::is_some).await;
    }
}

/// Sends every departure, until all are done or something stops the replay.
///
/// # Errors
/// Our own failures: a journal or capture that cannot be read or written.
pub(super) async fn run(
    context: &Arc<Context>,
    departures: Vec<Departure>,
    mut bodies: Bodies,
) -> Result<(), ReplayError> {
    let mut tasks: JoinSet<Result<(), ReplayError>> = JoinSet::new();
    let mut failure = None;
    for (index, departure) in departures.into_iter().enumerate() {
        if context.halt.reason().is_some() {
            break;
        }
        while let Some(ended) = tasks.try_join_next() {
            note(context, ended, &mut failure);
        }
        if index % SEAL_EVERY == SEAL_EVERY - 1 {
            let sealed = seal::seal(&context.folder, &context.journal, seal::SEGMENT_ROWS).await;
            // What is under way is waited for all the same: it is paid for.
            note(context, Ok(sealed), &mut failure);
        }
        if let Err(stopped) = depart(context, departure, &mut bodies, &mut tasks).await {
            note(context, Ok(Err(stopped)), &mut failure);
        }
    }
    drain(context, &mut tasks, &mut failure).await;
    match failure {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

async fn depart(
    context: &Arc<Context>,
    departure: Departure,
    bodies: &mut Bodies,
    tasks: &mut JoinSet<Result<(), ReplayError>>,
) -> Result<(), ReplayError> {
    if !context.all_arms_are_there().await {
        return Ok(());
    }
    // An outage moves everything after it, so that its end is no burst.
    let paused = context.paused(Instant::now());
    let due = departure.due.map(|offset| context.clock.started() + offset + paused);
    if let Some(ready) = due.and_then(|due| due.checked_sub(LEAD)) {
        tokio::select! {
            () = tokio::time::sleep_until(ready.into()) => {}
            () = context.halt.stopped() => return Ok(()),
        }
    }
    let Some(input) = bodies.get(departure.ordinal).await? else { return Ok(()) };
    let input = Arc::new(input);
    for (item, repeat) in departure.sends {
        let Some(item) = context.items.get(item as usize).copied() else { continue };
        let key = ItemKey { arm: item.arm, ordinal: item.ordinal, repeat };
        let state = context.recovered.get(&key).copied().unwrap_or_default();
        if state.is_final {
            continue;
        }
        let Some(arm) = context.arms.get(usize::from(item.arm)) else { continue };
        // An open loop leaves on time: its requests wait for a slot by themselves, and are late.
        let permit = if due.is_some() {
            None
        } else {
            tokio::select! {
                slot = arm.limiter.slot() => slot,
                () = context.halt.stopped() => return Ok(()),
            }
        };
        let job = Job { context: context.clone(), input: input.clone(), item, key, state, due };
        tasks.spawn(job.run(permit));
    }
    Ok(())
}

/// Waits for what is under way; after a stop no longer than the plan's drain time.
async fn drain(
    context: &Context,
    tasks: &mut JoinSet<Result<(), ReplayError>>,
    failure: &mut Option<ReplayError>,
) {
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

/// One exchange in one arm and repeat, with its retries.
struct Job {
    context: Arc<Context>,
    input: Arc<ReplayInput>,
    item: Item,
    key: ItemKey,
    state: ItemState,
    due: Option<Instant>,
}

/// What follows an attempt.
enum Next {
    Done,
    Retry(Instant),
    NotSent,
}

impl Job {
    async fn run(self, permit: Option<OwnedSemaphorePermit>) -> Result<(), ReplayError> {
        let Some(arm) = self.context.arms.get(usize::from(self.key.arm)) else { return Ok(()) };
        let mut permit = permit;
        let mut state = self.state;
        let mut not_before = self.due;
        loop {
            let slot = if let Some(slot) = permit.take() {
                Some(slot)
            } else {
                tokio::select! {
                    slot = arm.limiter.slot() => slot,
                    () = self.context.halt.stopped() => return Ok(()),
                }
            };
            match self.attempt(arm, &mut state, not_before, slot).await? {
                Next::Done => {
                    self.context.progress.done();
                    return Ok(());
                }
                Next::NotSent => return Ok(()),
                Next::Retry(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = self.context.halt.stopped() => return Ok(()),
                    }
                    not_before = None;
                }
            }
        }
    }

    async fn attempt(
        &self,
        arm: &ArmContext,
        state: &mut ItemState,
        not_before: Option<Instant>,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Result<Next, ReplayError> {
        let context = &self.context;
        let Some((wire, price, losses)) = self.prepared(arm) else { return Ok(Next::NotSent) };
        let reserved = self.item.worst_case_nanousd;
        let Some((pass, leaves_at)) = self.admitted(arm, not_before).await else {
            return Ok(Next::NotSent);
        };
        let not_before = not_before.filter(|_| !pass.waited);
        let key = self.key.attempt(state.attempts + 1);
        let intent = Intent {
            key,
            reserved_nanousd: reserved,
            at_us: context.clock.wall_us(Instant::now()),
        };
        context.journal.intent(intent).await?;
        tokio::time::sleep_until(leaves_at.into()).await;
        let scheduled = not_before.unwrap_or_else(Instant::now);
        let exchange = self.send(arm, wire, key).await;
        let class = exchange.error.as_ref().map(|(class, _)| *class);
        arm.breaker.record(pass, class, Instant::now());

        let sending = self.sending(arm, key, losses);
        let mut row = sending.row();
        row.scheduled_at = context.clock.wall_us(scheduled);
        row.queue_ms = exchange.sent.map_or(0.0, |at| ms(at.saturating_duration_since(scheduled)));
        row.first = state.known == 0;
        state.attempts += 1;
        state.known += 1;
        let next = self.next(&exchange, state, key);
        row.is_final = matches!(next, Next::Done);
        let (cost, estimated) = attempt::cost(&exchange, &price, reserved);
        row.cost_nanousd = Some(cost);
        row.cost_estimated = estimated;
        attempt::fill(&mut row, exchange, &context.clock, arm.client.keeps_event_offsets());
        self.settle(arm, key, &row, cost).await?;
        // Not before: what a crash may leave uncertain is never more than may be in flight.
        drop(slot);
        Ok(next)
    }

    /// Waits until the arm is there, its worst case reserved and its turn near, and says when it
    /// leaves; nothing when the replay stops first, with nothing reserved.
    async fn admitted(
        &self,
        arm: &ArmContext,
        not_before: Option<Instant>,
    ) -> Option<(Pass, Instant)> {
        let context = &self.context;
        let reserved = self.item.worst_case_nanousd;
        let mut waited = false;
        loop {
            let pass = tokio::select! {
                pass = arm.breaker.pass() => pass,
                () = context.halt.stopped() => return None,
            };
            let Ok(pass) = pass else {
                context.halt.stop(StopReason::Outage { arm: usize::from(self.key.arm) });
                return None;
            };
            waited |= pass.waited;
            let granted = tokio::select! {
                granted = context.ledger.reserve(reserved) => granted,
                () = context.halt.stopped() => return None,
            };
            if !granted {
                context.halt.stop(StopReason::Budget);
                return None;
            }
            let rate_allows = arm.limiter.book(self.item.token_bound, Instant::now());
            let due = not_before.filter(|_| !waited);
            let leaves_at = due.map_or(rate_allows, |due| due.max(rate_allows));
            if !self.wait_until(leaves_at).await {
                context.ledger.release(reserved);
                return None;
            }
            if arm.breaker.allows(pass) {
                return Some((Pass { waited, ..pass }, leaves_at));
            }
            context.ledger.release(reserved);
            waited = true;
        }
    }

    /// Waits until shortly before the moment of leaving; `false` when the replay stops first.
    async fn wait_until(&self, leaves_at: Instant) -> bool {
        let ready = leaves_at.checked_sub(LEAD).unwrap_or(leaves_at);
        tokio::select! {
            () = tokio::time::sleep_until(ready.into()) => self.context.halt.reason().is_none(),
            () = self.context.halt.stopped() => false,
        }
    }

    async fn send(
        &self,
        arm: &ArmContext,
        wire: crate::provider::WireRequest,
        key: AttemptKey,
    ) -> Exchange {
        let context = &self.context;
        let id = AttemptId { run_id: context.folder.run_id(), arm: &arm.arm.name, key }.to_string();
        let now_ms = context.clock.wall_us(Instant::now()) / 1_000;
        context.progress.sent();
        let exchange = arm.client.send(wire, &id, now_ms).await;
        let class = exchange.error.as_ref().map(|(class, _)| *class);
        context.progress.returned(
            &arm.arm.name,
            exchange.events.first().copied().map(ms),
            class.is_some(),
            class.is_some_and(ErrorClass::is_rate_limit),
        );
        exchange
    }

    async fn settle(
        &self,
        arm: &ArmContext,
        key: AttemptKey,
        row: &AttemptRow,
        cost: i64,
    ) -> Result<(), ReplayError> {
        let outcome = Outcome {
            key,
            payload: serde_json::to_vec(row).map_err(ReplayError::Encode)?,
            is_final: row.is_final,
            uncertain: false,
            cost_nanousd: Some(cost),
        };
        self.context.journal.outcome(outcome).await?;
        self.context.ledger.settle(self.item.worst_case_nanousd, cost);
        let used = row.input_tokens.unwrap_or(0) + row.output_tokens.unwrap_or(0);
        let unused = self.item.token_bound.saturating_sub(used.unsigned_abs());
        arm.limiter.refund_tokens(unused);
        Ok(())
    }

    fn next(&self, exchange: &Exchange, state: &ItemState, key: AttemptKey) -> Next {
        let Some((class, _)) = &exchange.error else { return Next::Done };
        let asked = exchange.retry_after_ms.map(Duration::from_millis);
        let tries_left = state.known <= self.context.plan.replay.retries;
        if !class.is_retryable() || !tries_left || asked.is_some_and(|wait| wait > MAX_RETRY_AFTER)
        {
            return Next::Done;
        }
        let wait =
            asked.unwrap_or_else(|| backoff(self.context.plan.replay.seed, key, state.known));
        Next::Retry(Instant::now() + wait)
    }

    fn prepared(
        &self,
        arm: &ArmContext,
    ) -> Option<(crate::provider::WireRequest, crate::pricing::Price, Option<String>)> {
        let dialect: Dialect = self.input.dialect.as_deref()?.parse().ok()?;
        let model = arm.arm.models.target(&self.input.request_model)?;
        let body = self.input.request_body.as_deref()?;
        let wire = wire_request(&arm.arm, &self.context.prices, model, dialect, body).ok()?;
        let price = self.context.prices.arm(&arm.arm.name, model).ok()?.clone();
        let losses = losses_json(&wire.losses);
        Some((wire, price, losses))
    }

    fn sending<'a>(
        &'a self,
        arm: &'a ArmContext,
        key: AttemptKey,
        losses: Option<String>,
    ) -> Sending<'a> {
        Sending {
            run_id: self.context.folder.run_id(),
            arm: &arm.arm.name,
            key,
            input: &self.input,
            reserved_nanousd: self.item.worst_case_nanousd,
            losses,
            sample_weight: self.item.sample_weight,
        }
    }
}

/// Exponential back-off with jitter; the jitter follows from the seed and the attempt.
fn backoff(seed: u64, key: AttemptKey, tries: u32) -> Duration {
    let doubled = MIN_BACKOFF.saturating_mul(1 << tries.saturating_sub(1).min(10)).min(MAX_BACKOFF);
    let stream = u64::from(key.arm) << 48
        ^ u64::from(key.ordinal.unsigned_abs()) << 16
        ^ u64::from(key.repeat) << 8
        ^ u64::from(key.attempt);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ stream);
    doubled.mul_f64(1.0 - 0.25 * rng.random::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_cap_and_follows_from_the_seed() {
        let key = AttemptKey { arm: 0, ordinal: 7, repeat: 1, attempt: 1 };
        for tries in 1..20 {
            let wait = backoff(1, key, tries);
            assert!(wait <= MAX_BACKOFF && wait >= MIN_BACKOFF.mul_f64(0.75));
            assert_eq!(wait, backoff(1, key, tries));
        }
        assert!(backoff(1, key, 1) < backoff(1, key, 3));
    }
}
