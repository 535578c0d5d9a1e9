//! One exchange in one arm and repeat: its attempts, from the wait for a slot to the last outcome.
//!
//! Every attempt is reserved against the budget and journaled before it is sent, and journaled
//! again before it counts.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::attempt::{self, Sending};
use super::backoff::{MAX_RETRY_AFTER, backoff};
use super::breaker::Pass;
use super::clock::ms;
use super::engine::{ArmContext, Context};
use super::exchange::Exchange;
use super::held::{Held, HeldBy};
use super::journal::{Intent, ItemState, Outcome};
use super::key::{AttemptId, AttemptKey, ItemKey};
use super::planner::{Item, losses_json, wire_request};
use super::schedule::Slot;
use super::turns::{Before, Turn};
use super::{ReplayError, StopReason};
use crate::chat::ErrorClass;
use crate::dataset::{AttemptRow, ReplayInput};
use crate::pricing::Price;
use crate::provider::{Dialect, WireRequest};

/// How long before its time an open-loop request is made ready: reserved, journaled, translated.
pub(super) const LEAD: Duration = Duration::from_millis(200);

/// One exchange in one arm and repeat, with its retries.
pub(super) struct Job {
    pub(super) context: Arc<Context>,
    pub(super) input: Arc<ReplayInput>,
    pub(super) item: Item,
    pub(super) key: ItemKey,
    pub(super) state: ItemState,
    /// When the schedule wants it sent.
    pub(super) due: Option<Instant>,
    pub(super) slot: Slot,
    pub(super) warm_up: bool,
    /// The turn before it in its session, if that is under way.
    pub(super) before: Option<Before>,
    /// What the turn after it waits for: it ends when it is dropped with the job.
    pub(super) _turn: Option<Turn>,
}

/// What a job holds when it starts.
#[derive(Debug)]
pub(super) enum Permit {
    /// Nothing: it is to leave when it is due.
    None,
    /// A slot of its arm.
    Slot(OwnedSemaphorePermit),
    /// Room to wait for the turn before it.
    LookAhead(OwnedSemaphorePermit),
}

/// An attempt that the arm, the budget and the limits let pass.
struct Admitted {
    pass: Pass,
    slot: Option<OwnedSemaphorePermit>,
    /// When the schedule wants it sent.
    due: Option<Instant>,
    leaves_at: Instant,
    held: Option<Held>,
}

/// An attempt that may leave.
struct Ready {
    pass: Pass,
    slot: Option<OwnedSemaphorePermit>,
    wire: WireRequest,
    price: Price,
    losses: Option<String>,
    /// The moment that it is to leave at, and what held it beyond that.
    scheduled: Instant,
    held: Option<Held>,
}

/// What follows an attempt.
enum Next {
    Done,
    Retry(Instant),
    NotSent,
}

impl Job {
    /// Sends it until there is a final outcome, or nothing may leave any more.
    ///
    /// # Errors
    /// Our own failures.
    pub(super) async fn run(mut self, permit: Permit) -> Result<(), ReplayError> {
        let context = self.context.clone();
        let Some(arm) = context.arms.get(usize::from(self.key.arm)) else { return Ok(()) };
        let mut held = self.due.map(Held::new);
        if let Some(before) = self.before.take() {
            let from = Instant::now();
            tokio::select! {
                () = before.ended() => {}
                () = context.halt.stopped() => return Ok(()),
            }
            waited(&mut held, Some(HeldBy::Session), from);
        }
        let mut slot = match permit {
            Permit::Slot(slot) => Some(slot),
            Permit::None => None,
            Permit::LookAhead(room) => {
                let Some(slot) = self.wait_for_slot(arm).await else { return Ok(()) };
                drop(room);
                Some(slot)
            }
        };
        let mut state = self.state;
        loop {
            match self.attempt(arm, &mut state, held, slot.take()).await? {
                Next::Done => {
                    context.progress.done();
                    return Ok(());
                }
                Next::NotSent => return Ok(()),
                Next::Retry(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = context.halt.stopped() => return Ok(()),
                    }
                    held = None;
                    let Some(free) = self.wait_for_slot(arm).await else { return Ok(()) };
                    slot = Some(free);
                }
            }
        }
    }

    async fn wait_for_slot(&self, arm: &ArmContext) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            slot = arm.limiter.slot() => slot,
            () = self.context.halt.stopped() => None,
        }
    }

    async fn attempt(
        &self,
        arm: &ArmContext,
        state: &mut ItemState,
        held: Option<Held>,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Result<Next, ReplayError> {
        let context = &self.context;
        let key = self.key.attempt(state.attempts + 1);
        let Some(ready) = self.ready(arm, key, held, slot).await? else {
            return Ok(Next::NotSent);
        };
        let Ready { pass, slot, wire, price, losses, scheduled, held } = ready;
        let exchange = self.send(arm, wire, key).await;
        let class = exchange.error.as_ref().map(|(class, _)| *class);
        arm.breaker.record(pass, class, Instant::now());

        let mut row = self.sending(arm, key, losses).row();
        self.note_schedule(arm, &mut row, &exchange, scheduled, held);
        row.first = state.known == 0;
        state.attempts += 1;
        state.known += 1;
        let next = self.next(arm, &exchange, state, key);
        row.is_final = matches!(next, Next::Done);
        let (cost, estimated) = attempt::cost(&exchange, &price, self.item.worst_case_nanousd);
        row.cost_nanousd = Some(cost);
        row.cost_estimated = estimated;
        attempt::fill(&mut row, exchange, &context.clock, arm.client.keeps_event_offsets());
        self.settle(arm, key, &row, cost).await?;
        // Not before: what a crash may leave uncertain is never more than may be in flight.
        drop(slot);
        Ok(next)
    }

    /// Makes an attempt ready and waits until it may leave; `None` when the replay stops first.
    ///
    /// In an open loop everything that takes time is done ahead, as far as the plan's limits let
    /// it: what they hold back is journaled once they let go.
    async fn ready(
        &self,
        arm: &ArmContext,
        key: AttemptKey,
        held: Option<Held>,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Result<Option<Ready>, ReplayError> {
        let context = &self.context;
        let Some((wire, price, losses)) = self.prepared(arm) else { return Ok(None) };
        let Some(admitted) = self.admitted(arm, held, slot).await else { return Ok(None) };
        let Admitted { pass, mut slot, due, leaves_at, mut held } = admitted;
        let mut from = Instant::now();
        let reserved_nanousd = self.item.worst_case_nanousd;
        let at_us = context.clock.wall_us(from);
        context.journal.intent(Intent { key, reserved_nanousd, at_us }).await?;
        if let Some(held) = &mut held {
            held.journal(from, Instant::now());
        }
        context.pacer.until(leaves_at).await;
        if slot.is_none() {
            slot = arm.limiter.free_slot();
        }
        from = Instant::now();
        if slot.is_none() {
            slot = arm.limiter.slot().await;
            waited(&mut held, Some(HeldBy::Concurrency), from);
            from = Instant::now();
        }
        let paused = arm.limiter.wait_out_pause(&context.pacer).await;
        waited(&mut held, paused, from);
        let scheduled = due.unwrap_or_else(Instant::now);
        Ok(Some(Ready { pass, slot, wire, price, losses, scheduled, held }))
    }

    /// Waits until the arm is there, its worst case reserved and its turn near; nothing when the
    /// replay stops first, with nothing reserved.
    async fn admitted(
        &self,
        arm: &ArmContext,
        mut held: Option<Held>,
        mut slot: Option<OwnedSemaphorePermit>,
    ) -> Option<Admitted> {
        let context = &self.context;
        let reserved = self.item.worst_case_nanousd;
        loop {
            let pass = tokio::select! {
                pass = arm.breaker.pass() => pass,
                () = context.halt.stopped() => return None,
            };
            let Ok(pass) = pass else {
                context.halt.stop(StopReason::Outage { arm: usize::from(self.key.arm) });
                return None;
            };
            if pass.waited {
                // The schedule has moved by the length of the outage.
                held = None;
            }
            let due = held.and(self.due);
            let mut from = Instant::now();
            if slot.is_none() && !arm.limiter.has_free_slot() {
                slot = Some(self.wait_for_slot(arm).await?);
                waited(&mut held, Some(HeldBy::Concurrency), from);
                from = Instant::now();
            }
            if !self.reserve(reserved).await {
                return None;
            }
            waited(&mut held, Some(HeldBy::Budget), from);
            let leaves_at = due.unwrap_or_else(Instant::now);
            if !self.rate_allows(arm, leaves_at, &mut held).await || context.halt.reason().is_some()
            {
                context.ledger.release(reserved);
                return None;
            }
            if arm.breaker.allows(pass) {
                if self.within_stop_rule() {
                    return Some(Admitted { pass, slot, due, leaves_at, held });
                }
                context.ledger.release(reserved);
                return None;
            }
            context.ledger.release(reserved);
            held = None;
        }
    }

    /// Waits until the limits of the arm let it leave; `false` when the replay stops first.
    async fn rate_allows(
        &self,
        arm: &ArmContext,
        leaves_at: Instant,
        held: &mut Option<Held>,
    ) -> bool {
        let context = &self.context;
        let tokens = self.item.token_bound;
        if arm.limiter.book(tokens, leaves_at) {
            return true;
        }
        let from = Instant::now();
        let passed = tokio::select! {
            by = async {
                context.pacer.until(leaves_at).await;
                arm.limiter.pass(tokens, &context.pacer).await
            } => by,
            () = context.halt.stopped() => return false,
        };
        waited(held, passed, from);
        true
    }

    async fn reserve(&self, amount: i64) -> bool {
        let context = &self.context;
        let granted = tokio::select! {
            granted = context.ledger.reserve(amount) => granted,
            () = context.halt.stopped() => return false,
        };
        if !granted {
            context.halt.stop(StopReason::Budget);
        }
        granted
    }

    /// Counts a request that is about to leave; `false` when the plan ends the replay before it.
    fn within_stop_rule(&self) -> bool {
        let context = &self.context;
        let sent = context.sent.fetch_add(1, Ordering::Relaxed);
        let elapsed = context.clock.started().elapsed();
        let reached = context.stop_rule.reached(elapsed, sent);
        if let Some(reason) = reached {
            context.halt.stop(reason);
        }
        reached.is_none()
    }

    /// Notes when the request was to leave, when it left, and what kept it.
    fn note_schedule(
        &self,
        arm: &ArmContext,
        row: &mut AttemptRow,
        exchange: &Exchange,
        scheduled: Instant,
        held: Option<Held>,
    ) {
        let opening = exchange.connect.unwrap_or_default();
        let late = exchange.sent.map_or(Duration::ZERO, |at| {
            at.saturating_duration_since(scheduled).saturating_sub(opening)
        });
        row.scheduled_at = self.context.clock.wall_us(scheduled);
        row.queue_ms = ms(late);
        if let Some(held) = held {
            let time = held.time().min(late);
            row.held_back_ms = ms(time);
            row.held_back_by = held.by().map(|by| by.as_str().to_owned());
            arm.slips.note(late, time);
        }
        row.load_step = self.slot.load_step;
        row.offered_per_second = self.slot.offered_per_second;
        row.warm_up = self.warm_up;
    }

    async fn send(&self, arm: &ArmContext, wire: WireRequest, key: AttemptKey) -> Exchange {
        let context = &self.context;
        let id = AttemptId { run_id: context.folder.run_id(), arm: &arm.arm.name, key }.to_string();
        let now_ms = context.clock.wall_us(Instant::now()) / 1_000;
        context.progress.sent();
        arm.retries.sent();
        let exchange = arm.client.send(wire, &id, now_ms).await;
        let class = exchange.error.as_ref().map(|(class, _)| *class);
        let wait = exchange.retry_after_ms.map(Duration::from_millis);
        if let (Some(class), Some(sent)) = (class, exchange.sent)
            && slows(class, wait)
        {
            arm.limiter.refused(sent, wait, Instant::now());
        }
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
        let used = row.input_tokens.unwrap_or(0) + row.output_tokens.unwrap_or(0);
        arm.limiter.settle_tokens(self.item.token_bound, used.unsigned_abs());
        let outcome = Outcome {
            key,
            payload: serde_json::to_vec(row).map_err(ReplayError::Encode)?,
            is_final: row.is_final,
            uncertain: false,
            cost_nanousd: Some(cost),
        };
        self.context.journal.outcome(outcome).await?;
        self.context.ledger.settle(self.item.worst_case_nanousd, cost);
        Ok(())
    }

    fn next(
        &self,
        arm: &ArmContext,
        exchange: &Exchange,
        state: &ItemState,
        key: AttemptKey,
    ) -> Next {
        let Some((class, _)) = &exchange.error else { return Next::Done };
        let asked = exchange.retry_after_ms.map(Duration::from_millis);
        let replay = &self.context.plan.replay;
        let tries_left = state.known <= replay.retries;
        if !class.is_retryable()
            || !tries_left
            || asked.is_some_and(|wait| wait > MAX_RETRY_AFTER)
            || !arm.retries.take()
        {
            return Next::Done;
        }
        Next::Retry(Instant::now() + backoff(replay.seed, key, state.known, asked))
    }

    fn prepared(&self, arm: &ArmContext) -> Option<(WireRequest, Price, Option<String>)> {
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

/// Whether a failure means that requests come too fast: a 429, and an overload that names a wait.
/// Any other one may strike at any rate, and sending less would not end it.
fn slows(class: ErrorClass, wait: Option<Duration>) -> bool {
    class.is_rate_limit() || (class == ErrorClass::Overloaded && wait.is_some())
}

/// Notes that something held a request from a moment until now.
fn waited(held: &mut Option<Held>, by: Option<HeldBy>, from: Instant) {
    if let (Some(held), Some(by)) = (held, by) {
        held.wait(by, from, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_that_depend_on_the_rate_slow_an_arm() {
        let wait = Some(Duration::from_secs(1));
        for (class, named, expected) in [
            (ErrorClass::RateLimitRequests, None, true),
            (ErrorClass::RateLimitTokens, wait, true),
            (ErrorClass::Overloaded, wait, true),
            (ErrorClass::Overloaded, None, false),
            (ErrorClass::ServerError, wait, false),
            (ErrorClass::TimeoutTotal, None, false),
        ] {
            assert_eq!(slows(class, named), expected, "{class}");
        }
    }
}
