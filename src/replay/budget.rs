//! The hard cap on money: nothing is sent before its worst case is reserved.

use std::sync::Mutex;

use tokio::sync::Notify;

/// Spent and reserved nano-dollars against a budget.
///
/// At every instant `spent + reserved <= budget`, as long as a reservation really is the worst
/// case; a provider that charges more than that is booked as it is.
#[derive(Debug)]
pub struct Ledger {
    budget: i64,
    state: Mutex<State>,
    released: Notify,
    starved: Notify,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    spent: i64,
    reserved: i64,
    ceiling: i64,
}

/// The outcome of asking for money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// The amount is set aside.
    Granted,
    /// It does not fit now, but may when other reservations are settled.
    Wait,
    /// It does not fit, and nothing that is under way can change that.
    Exhausted,
}

impl Ledger {
    /// A ledger that starts with what earlier parts of the run have spent.
    pub fn new(budget: i64, spent: i64) -> Self {
        let state = Mutex::new(State { spent, reserved: 0, ceiling: budget });
        Ledger { budget, state, released: Notify::new(), starved: Notify::new() }
    }

    /// Lets nothing be set aside beyond an amount below the budget until it is raised.
    pub fn with_ceiling(self, ceiling: i64) -> Self {
        self.lock().ceiling = ceiling;
        self
    }

    /// Sets the amount up to which may be spent and reserved for now.
    pub fn raise_ceiling(&self, ceiling: i64) {
        self.lock().ceiling = ceiling;
        self.released.notify_waiters();
    }

    /// Waits until a reservation is held back by the ceiling alone.
    pub async fn starved(&self) {
        self.starved.notified().await;
    }

    /// Tries to set an amount aside.
    pub fn try_reserve(&self, amount: i64) -> Reservation {
        let mut state = self.lock();
        let committed = state.spent.saturating_add(state.reserved);
        let wanted = committed.saturating_add(amount);
        if wanted <= self.budget.min(state.ceiling) {
            state.reserved += amount;
            return Reservation::Granted;
        }
        let held_back = wanted <= self.budget;
        if held_back {
            self.starved.notify_one();
        }
        let most_after_release = state.spent.saturating_add(amount);
        if (state.reserved > 0 || held_back) && most_after_release <= self.budget {
            Reservation::Wait
        } else {
            Reservation::Exhausted
        }
    }

    /// Sets an amount aside, waiting for others to settle; `false` when it can never fit.
    pub async fn reserve(&self, amount: i64) -> bool {
        loop {
            let released = self.released.notified();
            tokio::pin!(released);
            // Registered before looking, so that no release between looking and waiting is missed.
            released.as_mut().enable();
            match self.try_reserve(amount) {
                Reservation::Granted => return true,
                Reservation::Exhausted => return false,
                Reservation::Wait => released.await,
            }
        }
    }

    /// Turns a reservation into what was really spent.
    pub fn settle(&self, reserved: i64, spent: i64) {
        let mut state = self.lock();
        state.reserved -= reserved;
        state.spent = state.spent.saturating_add(spent);
        drop(state);
        self.released.notify_waiters();
    }

    /// Gives a reservation back: nothing was sent.
    pub fn release(&self, reserved: i64) {
        self.settle(reserved, 0);
    }

    /// Spent and reserved nano-dollars.
    pub fn totals(&self) -> (i64, i64) {
        let state = self.lock();
        (state.spent, state.reserved)
    }

    /// The budget in nano-dollars.
    pub fn budget(&self) -> i64 {
        self.budget
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is two integers, changed together: a panic elsewhere cannot leave it half done.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_fit_waits_for_others_or_is_refused() {
        let ledger = Ledger::new(100, 10);
        assert_eq!(ledger.try_reserve(60), Reservation::Granted);
        assert_eq!(ledger.try_reserve(40), Reservation::Wait);
        assert_eq!(ledger.try_reserve(95), Reservation::Exhausted);
        ledger.settle(60, 5);
        assert_eq!(ledger.try_reserve(40), Reservation::Granted);
        assert_eq!(ledger.totals(), (15, 40));
    }

    #[tokio::test]
    async fn a_waiting_reservation_is_granted_when_another_settles() {
        let ledger = std::sync::Arc::new(Ledger::new(100, 0));
        assert!(ledger.reserve(80).await);
        let waiting = tokio::spawn({
            let ledger = ledger.clone();
            async move { ledger.reserve(50).await }
        });
        tokio::task::yield_now().await;
        ledger.settle(80, 20);
        assert!(waiting.await.unwrap());
        assert_eq!(ledger.totals(), (20, 50));
    }

    #[tokio::test]
    async fn a_ceiling_holds_back_until_it_is_raised_and_says_so() {
        let ledger = std::sync::Arc::new(Ledger::new(100, 0).with_ceiling(50));
        assert_eq!(ledger.try_reserve(40), Reservation::Granted);
        ledger.settle(40, 40);
        let waiting = tokio::spawn({
            let ledger = ledger.clone();
            async move { ledger.reserve(20).await }
        });
        ledger.starved().await;
        assert_eq!(ledger.totals(), (40, 0));
        ledger.raise_ceiling(90);
        assert!(waiting.await.unwrap());
        assert_eq!(ledger.totals(), (40, 20));
        assert_eq!(ledger.try_reserve(70), Reservation::Exhausted, "the budget is the budget");
    }

    proptest! {
        #[test]
        fn the_budget_holds_at_every_instant(
            budget in 0_i64..1_000,
            steps in prop::collection::vec((any::<bool>(), 0_i64..200, 0_i64..=100), 0..200),
        ) {
            let ledger = Ledger::new(budget, 0);
            let mut open = Vec::new();
            let mut spent_by_hand = 0;
            for (open_one, amount, percent) in steps {
                if open_one {
                    if ledger.try_reserve(amount) == Reservation::Granted {
                        open.push(amount);
                    }
                } else if let Some(reserved) = open.pop() {
                    let spent = reserved * percent / 100;
                    spent_by_hand += spent;
                    ledger.settle(reserved, spent);
                }
                let (spent, reserved) = ledger.totals();
                prop_assert!(spent + reserved <= budget);
                prop_assert_eq!(spent, spent_by_hand);
                prop_assert_eq!(reserved, open.iter().sum::<i64>());
            }
        }
    }
}
