//! What became of every captured exchange, with the sums that must hold, and the money.

use crate::report::format::{count, nanousd};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::shown;
use crate::verdict::{ArmCoverage, Money, Verdict};

/// Coverage and money of the run.
#[derive(Debug, Clone)]
pub(crate) struct Coverage {
    /// One row per arm and repeat.
    pub table: Table,
    /// The sums behind the table.
    pub sums: Vec<Sum>,
    /// Cost per arm, every digit.
    pub money: Table,
}

/// A sum that must hold, written out.
#[derive(Debug, Clone)]
pub(crate) struct Sum {
    /// Such as `next, repeat 1: 100 captured = 90 planned + 10 cache_hit`.
    pub text: String,
    /// Whether both sides are equal.
    pub holds: bool,
}

/// Coverage and money of this verdict.
pub(crate) fn coverage(verdict: &Verdict) -> Coverage {
    let mut table = Table::new(
        "coverage-table",
        "Exchanges per arm and repeat",
        &[
            Column::text("Arm"),
            Column::figure("Repeat"),
            Column::figure("Captured"),
            Column::figure("Replayable"),
            Column::figure("Excluded"),
            Column::figure("Planned"),
            Column::figure("Done").under("of the planned"),
            Column::figure("Failed (ours)").under("of the planned"),
            Column::figure("Uncertain").under("of the planned"),
            Column::figure("Not sent").under("of the planned"),
        ],
    );
    table.rows = verdict.coverage.iter().map(row).collect();
    let mut sums: Vec<Sum> = verdict.coverage.iter().flat_map(sums_of).collect();
    sums.extend(money_sum(&verdict.money));
    Coverage { table, sums, money: money(&verdict.money) }
}

fn excluded(arm: &ArmCoverage) -> u128 {
    arm.excluded.values().map(|count| u128::from(*count)).sum()
}

fn row(arm: &ArmCoverage) -> Vec<Cell> {
    let excluded = excluded(arm);
    vec![
        Cell::name(&arm.arm),
        Cell::count(arm.repeat.into()),
        Cell::count(arm.captured),
        Cell::count(arm.replayable),
        Cell::figure(count(excluded), excluded as f64),
        Cell::count(arm.planned),
        Cell::count(arm.done),
        Cell::count(arm.failed).alert_if(arm.failed > 0),
        Cell::count(arm.uncertain).alert_if(arm.uncertain > 0),
        Cell::count(arm.not_sent).alert_if(arm.not_sent > 0),
    ]
}

fn sums_of(arm: &ArmCoverage) -> [Sum; 2] {
    let who = format!("{}, repeat {}", shown(&arm.arm), count(arm.repeat));
    let planned = u128::from(arm.planned);
    let mut parts = vec![format!("{} planned", count(arm.planned))];
    parts.extend(arm.excluded.iter().map(|(reason, n)| format!("{} {}", count(*n), shown(reason))));
    let captured = Sum {
        text: format!("{who}: {} captured = {}", count(arm.captured), parts.join(" + ")),
        holds: u128::from(arm.captured) == planned + excluded(arm),
    };
    let ends = [arm.done, arm.failed, arm.uncertain, arm.not_sent];
    let total: u128 = ends.into_iter().map(u128::from).sum();
    let [done, failed, uncertain, not_sent] = ends.map(count);
    let planned = Sum {
        text: format!(
            "{who}: {} planned = {done} done + {failed} failed + {uncertain} uncertain + \
             {not_sent} not sent",
            count(arm.planned)
        ),
        holds: planned == total,
    };
    [captured, planned]
}

fn money_sum(money: &Money) -> Option<Sum> {
    if money.arms.is_empty() {
        return None;
    }
    let parts: Vec<String> =
        money.arms.iter().map(|(arm, cost)| format!("{} {}", nanousd(*cost), shown(arm))).collect();
    Some(Sum {
        text: format!("{} spent = {}", nanousd(money.spent_nanousd), parts.join(" + ")),
        holds: i128::from(money.spent_nanousd)
            == money.arms.values().map(|cost| i128::from(*cost)).sum::<i128>(),
    })
}

fn money(money: &Money) -> Table {
    let mut table = Table::new(
        "money-table",
        "Cost of the replay, to the nano-dollar",
        &[Column::text("Item"), Column::figure("Amount")],
    );
    let amount = |cost: i64| Cell::figure(nanousd(cost), cost as f64);
    table.rows = vec![
        vec![Cell::words("Budget"), amount(money.budget_nanousd)],
        vec![Cell::words("Spent, all attempts with a known outcome"), amount(money.spent_nanousd)],
        vec![
            Cell::words("At most this much more, for attempts of unknown outcome"),
            amount(money.uncertain_nanousd),
        ],
    ];
    table.rows.extend(
        money.arms.iter().map(|(arm, cost)| {
            vec![Cell::words(format!("Spent for {}", shown(arm))), amount(*cost)]
        }),
    );
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::report;

    #[test]
    fn the_sums_are_written_out_and_hold() {
        let coverage = coverage(&report().verdict);
        let texts: Vec<&str> = coverage.sums.iter().map(|sum| sum.text.as_str()).collect();
        assert_eq!(
            texts[..2],
            [
                "control, repeat 1: 11,999 captured = 11,797 planned + 121 gateway_cache_hit + 81 \
                 health_check",
                "control, repeat 1: 11,797 planned = 11,731 done + 4 failed + 3 uncertain + 59 not \
                 sent",
            ]
        );
        assert_eq!(
            texts[4],
            "7.443468225 USD spent = 4.021734112 USD control + 3.421734113 USD next"
        );
        assert!(coverage.sums.iter().all(|sum| sum.holds), "{:?}", coverage.sums);
    }

    #[test]
    fn a_sum_that_does_not_hold_is_shown_as_broken() {
        let mut verdict = report().verdict;
        verdict.coverage[0].captured += 1;
        verdict.coverage[1].done = u64::MAX;
        verdict.money.arms.insert("extra".to_owned(), i64::MAX);
        let holds: Vec<bool> = coverage(&verdict).sums.iter().map(|sum| sum.holds).collect();
        assert_eq!(holds, [false, true, true, false, false]);
    }
}
