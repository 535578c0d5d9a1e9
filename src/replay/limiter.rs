//! How much one arm may be asked at once: concurrency, and the rates of its gate.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::gate::{Gate, Hold};
use super::held::HeldBy;
use super::pacer::Pacer;
use crate::plan::Limits;

/// The limits of one arm, shared by all its requests.
#[derive(Debug)]
pub(super) struct Limiter {
    slots: Arc<Semaphore>,
    gate: Mutex<Gate>,
    /// Requests that the gate holds, in order: only the first one asks it.
    door: tokio::sync::Mutex<()>,
    changed: Notify,
}

impl Limiter {
    /// A limiter that has not been used yet.
    pub(super) fn new(limits: Limits, now: Instant) -> Self {
        let slots = usize::try_from(limits.concurrency).unwrap_or(usize::MAX);
        Limiter {
            slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            gate: Mutex::new(Gate::new(limits, now)),
            door: tokio::sync::Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Waits for a free slot; none is given out once the limiter is closed.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().acquire_owned().await.ok()
    }

    /// A slot that is free now.
    pub(super) fn free_slot(&self) -> Option<OwnedSemaphorePermit> {
        self.slots.clone().try_acquire_owned().ok()
    }

    /// Whether a slot is free now.
    pub(super) fn has_free_slot(&self) -> bool {
        self.slots.available_permits() > 0
    }

    /// Books a request of at most `tokens` tokens for a moment, if it may leave then and no
    /// other one is waiting.
    pub(super) fn book(&self, tokens: u64, at: Instant) -> bool {
        self.door.try_lock().is_ok() && self.gate().pass(tokens, at).is_ok()
    }

    /// Waits, behind those that came before, until a request may leave; says what held it.
    pub(super) async fn pass(&self, tokens: u64, pacer: &Pacer) -> Option<HeldBy> {
        self.wait(pacer, |gate, now| gate.pass(tokens, now)).await
    }

    /// Waits out a pause that began after the request had passed; says what held it.
    pub(super) async fn wait_out_pause(&self, pacer: &Pacer) -> Option<HeldBy> {
        if !self.gate().is_paused(Instant::now()) {
            return None;
        }
        self.wait(pacer, Gate::pass_again).await
    }

    async fn wait(
        &self,
        pacer: &Pacer,
        mut ask: impl FnMut(&mut Gate, Instant) -> Result<(), Hold>,
    ) -> Option<HeldBy> {
        let _first = self.door.lock().await;
        let mut held_by = None;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before asking, so that no change between asking and waiting is missed.
            changed.as_mut().enable();
            let asked = ask(&mut self.gate(), Instant::now());
            let Err(hold) = asked else { return held_by };
            held_by = Some(hold.by);
            tokio::select! {
                () = pacer.until(hold.until) => {}
                () = changed => {}
            }
        }
    }

    /// Settles a reservation of tokens with what was really used.
    pub(super) fn settle_tokens(&self, reserved: u64, used: u64) {
        self.gate().settle_tokens(reserved, used);
        self.changed.notify_waiters();
    }

    /// The provider refused a request that left at `sent_at`; `wait` is what it asks for.
    pub(super) fn refused(&self, sent_at: Instant, wait: Option<Duration>, now: Instant) {
        self.gate().refused(sent_at, wait, now);
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
