//! Whether the budget will do.

use schemars::JsonSchema;
use serde::Serialize;

use super::ArmTraffic;

/// What a replay will cost in all arms together, against the budget; retries are not in it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MoneyForecast {
    /// The plan's budget; nothing: the plan sets none, and a replay is refused.
    pub budget_nanousd: Option<i64>,
    /// Input read from the prompt cache and answers half as long as recorded.
    pub low_nanousd: Option<i64>,
    /// Recorded usage at the prices of the arms.
    pub expected_nanousd: Option<i64>,
    /// The sum of all reservations; like the others unknown as long as a price is.
    pub high_nanousd: Option<i64>,
    /// The highest reservation of one request.
    pub largest_nanousd: i64,
    /// What the budget covers.
    pub covers: Covers,
    /// Share of the expected cost that the budget covers, where it does not cover it whole.
    pub covered_share: Option<f64>,
}

/// What a budget covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// Every request at its worst.
    WorstCase,
    /// The expected cost, with room for the reservation of one more request.
    Expected,
    /// A part of the expected cost: the replay will stop, and can be resumed with a larger one.
    Part,
    /// Nothing is known: the plan sets no budget.
    NoBudget,
    /// Nothing is known: a price is missing.
    UnknownPrice,
}

/// Compares all arms together with a budget.
pub(super) fn forecast(arms: &[&ArmTraffic], budget_nanousd: Option<i64>) -> MoneyForecast {
    let sum = |cost: fn(&ArmTraffic) -> Option<i64>| {
        arms.iter().try_fold(0_i64, |sum, arm| cost(arm).map(|cost| sum.saturating_add(cost)))
    };
    let low_nanousd = sum(|arm| arm.cost_low_nanousd);
    let expected_nanousd = sum(|arm| arm.cost_nanousd);
    let high_nanousd = sum(|arm| arm.cost_high_nanousd);
    let largest_nanousd = arms.iter().filter_map(|arm| arm.largest_nanousd).max().unwrap_or(0);
    let (covers, covered_share) = match (budget_nanousd, expected_nanousd, high_nanousd) {
        (None, ..) => (Covers::NoBudget, None),
        (Some(budget), Some(expected), Some(high)) => {
            if high <= budget {
                (Covers::WorstCase, None)
            } else if expected.saturating_add(largest_nanousd) <= budget {
                (Covers::Expected, None)
            } else {
                let share = (budget as f64 / expected.max(1) as f64).min(1.0);
                (Covers::Part, Some(share))
            }
        }
        _ => (Covers::UnknownPrice, None),
    };
    MoneyForecast {
        budget_nanousd,
        low_nanousd,
        expected_nanousd,
        high_nanousd,
        largest_nanousd,
        covers,
        covered_share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arm(expected: i64, high: i64) -> ArmTraffic {
        ArmTraffic {
            cost_low_nanousd: Some(expected / 2),
            cost_nanousd: Some(expected),
            cost_high_nanousd: Some(high),
            largest_nanousd: Some(high / 10),
            ..ArmTraffic::default()
        }
    }

    #[test]
    fn a_budget_covers_the_worst_case_the_expectation_or_a_part() {
        let (one, other) = (arm(100, 1_000), arm(50, 500));
        let covers = |budget| {
            let found = forecast(&[&one, &other], budget);
            (found.covers, found.covered_share)
        };
        assert_eq!(covers(Some(1_500)), (Covers::WorstCase, None));
        assert_eq!(covers(Some(1_499)), (Covers::Expected, None));
        assert_eq!(covers(Some(250)), (Covers::Expected, None));
        // 150 expected and 100 for the largest request's reservation.
        assert_eq!(covers(Some(249)), (Covers::Part, Some(1.0)));
        assert_eq!(covers(Some(75)), (Covers::Part, Some(0.5)));
        assert_eq!(covers(None), (Covers::NoBudget, None));
    }

    #[test]
    fn an_unknown_price_leaves_every_total_unknown() {
        let unpriced = ArmTraffic { cost_nanousd: None, ..ArmTraffic::default() };
        let found = forecast(&[&arm(100, 1_000), &unpriced], Some(1_000_000));
        assert_eq!(found.covers, Covers::UnknownPrice);
        assert_eq!((found.expected_nanousd, found.high_nanousd), (None, None));
    }
}
