//! Each criterion as a row of formatted figures.

use crate::report::format::{Unit, beside_limit, confidence, count, limit, p_value, usd};
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
    /// Whether the lower bound decided the outcome.
    pub low_decides: bool,
    /// Whether the upper bound decided the outcome.
    pub high_decides: bool,
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

/// Formats every criterion, in the given order.
pub(crate) fn criteria(criteria: &[CriterionResult]) -> Vec<CriterionView> {
    criteria.iter().map(criterion_view).collect()
}

fn criterion_view(criterion: &CriterionResult) -> CriterionView {
    let unit = Unit::parse(&criterion.unit);
    let (outcome, symbol, class) = match criterion.outcome {
        Outcome::Met => ("met", "✓", "go"),
        Outcome::NotMet => ("not met", "✕", "no-go"),
        Outcome::Inconclusive => ("inconclusive", "?", "inconclusive"),
    };
    let (low_decides, high_decides) = deciding_bound(criterion);
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
        low_decides,
        high_decides,
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
fn deciding_bound(criterion: &CriterionResult) -> (bool, bool) {
    match (criterion.outcome, criterion.direction) {
        (Outcome::Inconclusive, _) => (false, false),
        (Outcome::Met, Direction::AtMost) | (Outcome::NotMet, Direction::AtLeast) => (false, true),
        (Outcome::Met, Direction::AtLeast) | (Outcome::NotMet, Direction::AtMost) => (true, false),
    }
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
