//! What is still to be sent, for whoever must agree to it.

use std::sync::Arc;

use super::journal::Recovered;
use super::key::ItemKey;
use super::planner::Item;
use crate::plan::Plan;

/// What a replay is about to send; retries come on top, within the budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intended {
    /// Each arm with requests left.
    pub arms: Vec<IntendedArm>,
    /// The budget in nano-dollars.
    pub budget_nanousd: i64,
    /// Spent by earlier parts of the run, in nano-dollars.
    pub spent_nanousd: i64,
}

/// What is left to be sent to one arm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntendedArm {
    /// The arm.
    pub arm: String,
    /// Requests.
    pub requests: u64,
    /// Cost with a cached input and short answers.
    pub low_nanousd: i64,
    /// Expected cost.
    pub expected_nanousd: i64,
    /// Sum of the reservations.
    pub high_nanousd: i64,
}

impl Intended {
    /// All arms together.
    pub fn total(&self) -> IntendedArm {
        let none = IntendedArm::none("all arms");
        self.arms.iter().fold(none, |sum, arm| IntendedArm {
            arm: sum.arm,
            requests: sum.requests + arm.requests,
            low_nanousd: sum.low_nanousd.saturating_add(arm.low_nanousd),
            expected_nanousd: sum.expected_nanousd.saturating_add(arm.expected_nanousd),
            high_nanousd: sum.high_nanousd.saturating_add(arm.high_nanousd),
        })
    }

    /// The most that can be spent from here on: the worst case, or what the budget leaves where
    /// that is less, as it always is when every request may be retried.
    pub fn most_nanousd(&self, retries: u32) -> i64 {
        let left = self.budget_nanousd.saturating_sub(self.spent_nanousd).max(0);
        let attempts = i64::from(retries).saturating_add(1);
        left.min(self.total().high_nanousd.saturating_mul(attempts))
    }
}

impl IntendedArm {
    fn none(arm: &str) -> Self {
        IntendedArm {
            arm: arm.to_owned(),
            requests: 0,
            low_nanousd: 0,
            expected_nanousd: 0,
            high_nanousd: 0,
        }
    }
}

/// Somebody who is asked before anything is sent.
#[derive(Clone)]
pub struct Consent(Arc<dyn Fn(&Intended) -> bool + Send + Sync>);

impl Consent {
    /// Asks by a function, which may wait for a person.
    pub fn new(ask: impl Fn(&Intended) -> bool + Send + Sync + 'static) -> Self {
        Consent(Arc::new(ask))
    }

    pub(super) fn is_given(&self, intended: &Intended) -> bool {
        (self.0)(intended)
    }
}

impl std::fmt::Debug for Consent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Consent")
    }
}

/// What is left of a plan after what earlier parts of the run have done.
pub(super) fn intended(
    plan: &Plan,
    items: impl Iterator<Item = Item>,
    recovered: &Recovered,
    budget_nanousd: i64,
) -> Intended {
    let mut arms: Vec<IntendedArm> = plan.arms().map(|arm| IntendedArm::none(&arm.name)).collect();
    for item in items {
        let is_left = |repeat: &u32| {
            let key = ItemKey { arm: item.arm, ordinal: item.ordinal, repeat: *repeat };
            recovered.items.get(&key).is_none_or(|state| !state.is_final)
        };
        let left = (1..=plan.replay.repeats).filter(is_left).count() as u64;
        let Some(arm) = arms.get_mut(usize::from(item.arm)) else { continue };
        let times = |cost: i64| cost.saturating_mul(i64::try_from(left).unwrap_or(i64::MAX));
        arm.requests += left;
        arm.low_nanousd = arm.low_nanousd.saturating_add(times(item.low_nanousd));
        arm.expected_nanousd = arm.expected_nanousd.saturating_add(times(item.expected_nanousd));
        arm.high_nanousd = arm.high_nanousd.saturating_add(times(item.worst_case_nanousd));
    }
    arms.retain(|arm| arm.requests > 0);
    Intended { arms, budget_nanousd, spent_nanousd: recovered.spent_nanousd }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_can_be_spent_than_the_budget_leaves() {
        let arm = |high_nanousd| IntendedArm { high_nanousd, ..IntendedArm::none("next") };
        let intended =
            Intended { arms: vec![arm(60), arm(40)], budget_nanousd: 1_000, spent_nanousd: 850 };
        assert_eq!(intended.total().high_nanousd, 100);
        assert_eq!(intended.most_nanousd(0), 100);
        assert_eq!(intended.most_nanousd(2), 150);
    }
}
