//! Turns of a session leave one after the other.

use std::collections::HashMap;

use tokio::sync::oneshot::{self, error::TryRecvError};

/// A session in one arm and repeat.
pub(super) type Chain = (u32, u16, u32);

/// Chains that are remembered before those that have ended are forgotten.
const LEAST_KEPT: usize = 4_096;

/// The last turn of every session that is under way.
#[derive(Debug, Default)]
pub(super) struct Turns {
    last: HashMap<Chain, oneshot::Receiver<()>>,
    forget_at: usize,
}

/// What a turn waits for: the end of the one before it.
#[derive(Debug)]
pub(super) struct Before(oneshot::Receiver<()>);

/// Held by a turn until it has its final outcome, or will never have one.
#[derive(Debug)]
pub(super) struct Turn {
    _ends_when_dropped: oneshot::Sender<()>,
}

impl Before {
    /// Waits until the turn before has ended.
    pub(super) async fn ended(self) {
        // Nothing is sent: the channel closes when the turn is dropped.
        let _ = self.0.await;
    }
}

impl Turns {
    /// Begins the next turn of a session: with what it waits for, unless that has ended.
    pub(super) fn next(&mut self, chain: Chain) -> (Option<Before>, Turn) {
        if self.last.len() >= self.forget_at.max(LEAST_KEPT) {
            self.last.retain(|_, before| !has_ended(before));
            self.forget_at = self.last.len() * 2;
        }
        let (sender, receiver) = oneshot::channel();
        let before = self.last.insert(chain, receiver);
        let before = before.and_then(|mut before| (!has_ended(&mut before)).then_some(before));
        (before.map(Before), Turn { _ends_when_dropped: sender })
    }
}

fn has_ended(turn: &mut oneshot::Receiver<()>) -> bool {
    !matches!(turn.try_recv(), Err(TryRecvError::Empty))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_turn_waits_for_the_one_before_it_and_for_no_other() {
        let mut turns = Turns::default();
        let (before, first) = turns.next((7, 0, 1));
        assert!(before.is_none());
        let (other_arm, _kept) = turns.next((7, 1, 1));
        assert!(other_arm.is_none());
        let (before, second) = turns.next((7, 0, 1));
        let waiting = tokio::spawn(before.unwrap().ended());
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
        drop(second);
        assert!(turns.next((7, 0, 1)).0.is_none());
    }

    #[test]
    fn sessions_that_have_ended_are_forgotten() {
        let mut turns = Turns::default();
        let (_, kept) = turns.next((0, 0, 1));
        for session in 1..20_000 {
            drop(turns.next((session, 0, 1)));
        }
        assert!(turns.last.len() <= LEAST_KEPT + 1);
        assert!(turns.next((0, 0, 1)).0.is_some());
        drop(kept);
    }
}
