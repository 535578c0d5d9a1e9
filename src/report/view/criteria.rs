//! Each criterion as a row of formatted figures.

use crate::report::format::{UNKNOWN, Unit, beside_limit, confidence, count, limit, p_value, usd};
use crate::report::svg::{Element, criterion_interval};
use crate::report::text::shown;
use crate::verdict::{CriterionResult, Direction, Needed, Outcome};

/// One criterion, formatted.
#[derive(Debug, Clone)]
pub(crate) struct CriterionView {
    /// Whether it decides.
    pub gate: bool,
    /// Why it only advises; empty for a gate.
    pub advisory: String,
    /// `met`, `not met` or `inconclusive`.
    pub outcome: &'static str,
    /// The symbol beside the outcome.
    pub symbol: &'static str,
    /// The class that sets the colour.
    pub class: &'static str,
    /// The metric's name.
    pub metric: String,
    /// How the figure relates to its bound.
    pub comparison: String,
    /// The segment, or `overall`.
    pub segment: String,
    /// The candidate.
    pub arm: String,
    /// The limit with its sign and unit.
    pub limit: String,
    /// The point estimate.
    pub estimate: String,
    /// The lower one-sided bound.
    pub low: String,
    /// The upper one-sided bound.
    pub high: String,
    /// The bound that decided the outcome; none decides an inconclusive one.
    pub deciding: Option<Bound>,
    /// Whether any figure was measured.
    pub is_measured: bool,
    /// Confidence of each bound.
    pub confidence: String,
    /// Exchanges in the estimate.
    pub n: String,
    /// Independent clusters among them.
    pub clusters: String,
    /// Exchanges with the counted event; empty when nothing is counted.
    pub events: String,
    /// p-value after Holm's correction.
    pub p_holm: String,
    /// p-value before it.
    pub p: String,
    /// What would decide it; empty when that is unknown or not called for.
    pub needed: String,
    /// Why the outcome is what it is.
    pub reason: String,
    /// Method, query, hash and parameters, each with its label.
    pub sources: Vec<(&'static str, String)>,
    /// The interval as a drawing.
    pub interval: Element,
}

/// One of the two one-sided bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// The lower one.
    Low,
    /// The upper one.
    High,
}

impl CriterionView {
    /// Whether the lower bound decided the outcome.
    pub(crate) fn low_decides(&self) -> bool {
        self.deciding == Some(Bound::Low)
    }

    /// Whether a p-value is known.
    pub(crate) fn is_tested(&self) -> bool {
        self.p != UNKNOWN
    }

    /// Whether the upper bound decided the outcome.
    pub(crate) fn high_decides(&self) -> bool {
        self.deciding == Some(Bound::High)
    }
}

/// Formats every criterion, in the given order.
pub(crate) fn criteria(criteria: &[CriterionResult]) -> Vec<CriterionView> {
    criteria.iter().map(criterion_view).collect()
}

fn criterion_view(criterion: &CriterionResult) -> CriterionView {
    let unit = Unit::compared(&criterion.unit, &criterion.comparison);
    let (outcome, symbol, class) = match criterion.outcome {
        Outcome::Met => ("met", "✓", "go"),
        Outcome::NotMet => ("not met", "✕", "no-go"),
        Outcome::Inconclusive => ("inconclusive", "?", "inconclusive"),
    };
    let figure = |value: Option<f64>| beside_limit(value, criterion.bound, &unit);
    let sign = match criterion.direction {
        Direction::AtMost => "≤",
        Direction::AtLeast => "≥",
    };
    let limit = format!("{sign} {}", limit(criterion.bound, &unit));
    let [estimate, low, high] = [criterion.estimate, criterion.low, criterion.high].map(figure);
    let level = confidence(criterion.confidence);
    let title = format!(
        "{}: {outcome}; estimate {estimate}, one-sided {level} bounds {low} and {high}, limit {limit}",
        shown(&criterion.metric)
    );
    CriterionView {
        gate: criterion.gate,
        advisory: advisory(criterion),
        outcome,
        symbol,
        class,
        metric: shown(&criterion.metric),
        comparison: comparison(&criterion.comparison),
        segment: segment(criterion),
        arm: shown(&criterion.arm),
        limit,
        estimate,
        low,
        high,
        deciding: deciding_bound(criterion),
        is_measured: is_measured(criterion),
        confidence: level,
        n: count(criterion.n),
        clusters: count(criterion.clusters),
        events: criterion.events.map(count).unwrap_or_default(),
        p_holm: p_value(criterion.p_holm),
        p: p_value(criterion.p),
        needed: needed(criterion.needed.as_ref()),
        reason: shown(&criterion.reason),
        sources: sources(criterion),
        interval: criterion_interval(criterion, &title),
    }
}

/// Which bound the outcome rests on: that between the estimate and the limit.
fn deciding_bound(criterion: &CriterionResult) -> Option<Bound> {
    match (criterion.outcome, criterion.direction) {
        (Outcome::Inconclusive, _) => None,
        (Outcome::Met, Direction::AtMost) | (Outcome::NotMet, Direction::AtLeast) => {
            Some(Bound::High)
        }
        (Outcome::Met, Direction::AtLeast) | (Outcome::NotMet, Direction::AtMost) => {
            Some(Bound::Low)
        }
    }
}

/// Whether there is anything to draw or to be confident of.
fn is_measured(criterion: &CriterionResult) -> bool {
    [criterion.low, criterion.high, criterion.estimate].iter().any(Option::is_some)
}

fn advisory(criterion: &CriterionResult) -> String {
    match (&criterion.advisory_reason, criterion.gate) {
        (_, true) => String::new(),
        (Some(reason), false) => shown(reason),
        (None, false) => "advisory in the plan".to_owned(),
    }
}

fn comparison(comparison: &str) -> String {
    match comparison {
        "absolute" => "value".to_owned(),
        "ratio" => "ratio to the incumbent".to_owned(),
        "increase" => "increase over the incumbent".to_owned(),
        "excess" => "excess over the control’s noise".to_owned(),
        other => shown(other),
    }
}

fn segment(criterion: &CriterionResult) -> String {
    match (&criterion.segment, &criterion.segment_value) {
        (None, None) => "overall".to_owned(),
        (Some(column), None) => format!("{}: overall", shown(column)),
        (None, Some(value)) => shown(value),
        (Some(column), Some(value)) => format!("{} = {}", shown(column), shown(value)),
    }
}

fn needed(needed: Option<&Needed>) -> String {
    match needed.map(|needed| (needed.n, needed.usd)) {
        None | Some((None, None)) => String::new(),
        Some((Some(n), None)) => format!("{} exchanges in all", count(n)),
        Some((None, Some(dollars))) => format!("{} more", usd(dollars)),
        Some((Some(n), Some(dollars))) => {
            format!("{} exchanges in all, {} more", count(n), usd(dollars))
        }
    }
}

fn sources(criterion: &CriterionResult) -> Vec<(&'static str, String)> {
    let parameters: Vec<String> = criterion
        .parameters
        .iter()
        .map(|(name, value)| format!("{} = {}", shown(name), shown(value)))
        .collect();
    let mut sources = vec![
        ("Method", shown(&criterion.method)),
        ("Query", shown(&criterion.query)),
        ("SHA-256 of the query", shown(&criterion.query_hash)),
    ];
    if !parameters.is_empty() {
        sources.push(("Parameters", parameters.join(", ")));
    }
    sources
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{criterion, report};

    #[test]
    fn the_bound_that_decided_is_marked_and_no_other() {
        let mut result = criterion();
        let cases = [
            (Outcome::Met, Direction::AtMost, Some(Bound::High)),
            (Outcome::NotMet, Direction::AtMost, Some(Bound::Low)),
            (Outcome::Met, Direction::AtLeast, Some(Bound::Low)),
            (Outcome::NotMet, Direction::AtLeast, Some(Bound::High)),
            (Outcome::Inconclusive, Direction::AtMost, None),
        ];
        for (outcome, direction, wanted) in cases {
            (result.outcome, result.direction) = (outcome, direction);
            assert_eq!(criterion_view(&result).deciding, wanted, "{outcome:?} {direction:?}");
        }
    }

    #[test]
    fn figures_carry_their_unit_and_infinite_ones_their_sign() {
        let views = criteria(&report().verdict.criteria);
        let figures: Vec<[&str; 4]> = views
            .iter()
            .map(|view| [&view.limit, &view.estimate, &view.low, &view.high].map(String::as_str))
            .collect();
        assert_eq!(figures[0], ["≤ 1,500 ms", "1,312 ms", "1,288 ms", "1,392 ms"]);
        assert_eq!(figures[1], ["≤ 0.1%", "0.2470%", "0.1830%", "0.3290%"]);
        assert_eq!(figures[2], ["≤ 10,000 ms", "9,124 ms", "7,211 ms", "∞"]);
        assert_eq!(figures[3], ["≤ 1×", "0.6127×", "0.6043×", "0.6213×"]);
        assert_eq!(figures[4], ["≥ 99%", "99.31%", "99.17%", "99.49%"]);
        assert_eq!(figures[5], ["≤ 0.5 pp", "–", "–", "–"]);
    }

    #[test]
    fn an_advisory_criterion_says_why_it_only_advises() {
        let mut result = criterion();
        assert_eq!(criterion_view(&result).advisory, "");
        result.gate = false;
        assert_eq!(criterion_view(&result).advisory, "advisory in the plan");
        result.advisory_reason = Some("different vantage".to_owned());
        assert_eq!(criterion_view(&result).advisory, "different vantage");
    }

    #[test]
    fn what_would_decide_is_said_as_far_as_it_is_known() {
        let cases = [
            (None, None, ""),
            (Some(38_219), None, "38,219 exchanges in all"),
            (None, Some(0.5), "0.500 USD more"),
            (Some(38_219), Some(8.937), "38,219 exchanges in all, 8.94 USD more"),
        ];
        for (n, usd, wanted) in cases {
            assert_eq!(needed(Some(&Needed { n, usd })), wanted);
        }
        assert_eq!(needed(None), "");
    }
}
