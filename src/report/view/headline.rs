//! The first lines of the report: decision, reasons, key figures.

use crate::report::format::{UNKNOWN, count, usd};
use crate::report::text::shown;
use crate::report::{ArmSummary, Report};
use crate::verdict::{CriterionResult, Decision, Outcome};

/// What a reader sees first.
#[derive(Debug, Clone)]
pub(crate) struct Headline {
    /// The decision over all candidates.
    pub decision: DecisionView,
    /// What the decision means, in a sentence.
    pub meaning: &'static str,
    /// Why, the weightiest first.
    pub reasons: Vec<ReasonView>,
    /// The candidates' own decisions.
    pub candidates: Vec<(String, DecisionView)>,
    /// The key figures.
    pub facts: Vec<Fact>,
    /// Who is replaced by whom, such as `incumbent → next`.
    pub arms: String,
}

/// A decision as word, symbol and style: never by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecisionView {
    /// `GO`, `NO-GO` or `INCONCLUSIVE`.
    pub word: &'static str,
    /// The symbol beside it.
    pub symbol: &'static str,
    /// The class that sets the colour.
    pub class: &'static str,
}

/// One reason.
#[derive(Debug, Clone)]
pub(crate) struct ReasonView {
    /// The stable word for programs.
    pub code: String,
    /// The candidate concerned.
    pub arm: Option<String>,
    /// The sentence.
    pub text: String,
}

/// A key figure.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    /// What it is.
    pub label: &'static str,
    /// The figure with its unit.
    pub value: String,
    /// What stands beneath.
    pub detail: String,
}

impl From<Decision> for DecisionView {
    fn from(decision: Decision) -> Self {
        let (symbol, class) = match decision {
            Decision::Go => ("✓", "go"),
            Decision::NoGo => ("✕", "no-go"),
            Decision::Inconclusive => ("?", "inconclusive"),
        };
        DecisionView { word: decision.as_str(), symbol, class }
    }
}

/// The first lines of this report.
pub(crate) fn headline(report: &Report) -> Headline {
    let verdict = &report.verdict;
    Headline {
        decision: verdict.decision.into(),
        meaning: match verdict.decision {
            Decision::Go => "Every gate is met at its confidence. The migration may go ahead.",
            Decision::NoGo => {
                "At least one gate is not met, and the failure survives Holm’s correction over \
                 all gates."
            }
            Decision::Inconclusive => {
                "The evidence does not decide. This is neither a pass nor a failure."
            }
        },
        reasons: verdict
            .reasons
            .iter()
            .map(|reason| ReasonView {
                code: shown(&reason.code),
                arm: reason.arm.as_deref().map(shown),
                text: shown(&reason.text),
            })
            .collect(),
        candidates: verdict
            .candidates
            .iter()
            .map(|candidate| (shown(&candidate.arm), candidate.decision.into()))
            .collect(),
        facts: vec![gates(&verdict.criteria), replayed(report), spent(report)],
        arms: arms(&report.arms),
    }
}

fn gates(criteria: &[CriterionResult]) -> Fact {
    let with = |outcome: Outcome| {
        criteria.iter().filter(|one| one.gate && one.outcome == outcome).count() as u64
    };
    let [met, not_met, open] = [Outcome::Met, Outcome::NotMet, Outcome::Inconclusive].map(with);
    let advisory = criteria.iter().filter(|one| !one.gate).count() as u64;
    Fact {
        label: "Gates met",
        value: format!("{} of {}", count(met), count(met + not_met + open)),
        detail: format!(
            "{} not met, {} inconclusive; {} advisory",
            count(not_met),
            count(open),
            count(advisory)
        ),
    }
}

fn replayed(report: &Report) -> Fact {
    let coverage = &report.verdict.coverage;
    let done: u128 = coverage.iter().map(|arm| u128::from(arm.done)).sum();
    let planned: u128 = coverage.iter().map(|arm| u128::from(arm.planned)).sum();
    Fact {
        label: "Replays with an outcome",
        value: format!("{} of {}", count(done), count(planned)),
        detail: format!("{} exchanges captured", count(report.capture.exchanges)),
    }
}

fn spent(report: &Report) -> Fact {
    let money = &report.verdict.money;
    let dollars = |nanousd: i64| usd(nanousd as f64 / 1e9);
    Fact {
        label: "Spent on the replay",
        value: dollars(money.spent_nanousd),
        detail: format!(
            "of a budget of {}; at most {} more for attempts of unknown outcome",
            dollars(money.budget_nanousd),
            dollars(money.uncertain_nanousd)
        ),
    }
}

fn arms(arms: &[ArmSummary]) -> String {
    let named = |wanted: &str| -> String {
        let names: Vec<String> =
            arms.iter().filter(|arm| arm.role == wanted).map(|arm| shown(&arm.name)).collect();
        if names.is_empty() { UNKNOWN.to_owned() } else { names.join(", ") }
    };
    let has_control = arms.iter().any(|arm| arm.role == "control");
    let control = if has_control { "with control" } else { "without control" };
    format!("{} → {} ({control})", named("incumbent"), named("candidate"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::report;

    #[test]
    fn the_key_figures_count_gates_replays_and_money() {
        let headline = headline(&report());
        let facts: Vec<(&str, &str)> =
            headline.facts.iter().map(|fact| (fact.value.as_str(), fact.detail.as_str())).collect();
        assert_eq!(
            facts,
            [
                ("3 of 5", "1 not met, 1 inconclusive; 1 advisory"),
                ("23,462 of 23,594", "11,999 exchanges captured"),
                (
                    "7.44 USD",
                    "of a budget of 25.00 USD; at most 0.0124 USD more for attempts of unknown outcome"
                ),
            ]
        );
        assert_eq!(headline.arms, "incumbent → next (with control)");
    }

    #[test]
    fn each_decision_has_its_own_word_symbol_and_class() {
        let views = [Decision::Go, Decision::NoGo, Decision::Inconclusive].map(DecisionView::from);
        assert_eq!(views.map(|view| view.word), ["GO", "NO-GO", "INCONCLUSIVE"]);
        assert_eq!(views.map(|view| view.symbol), ["✓", "✕", "?"]);
        assert_eq!(views.map(|view| view.class), ["go", "no-go", "inconclusive"]);
    }
}
