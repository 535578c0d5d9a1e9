//! One criterion at a glance: interval, estimate and limit on a line.

use super::element::{Element, label, line, rectangle};
use super::scale::Scale;
use crate::verdict::{CriterionResult, Direction};

const WIDTH: f64 = 148.0;
const HEIGHT: f64 = 30.0;
const MIDDLE: f64 = 15.0;
const LEFT: f64 = 6.0;
const RIGHT: f64 = WIDTH - 6.0;
/// Room on each side of the outermost finite value, as a share of the span.
const PADDING: f64 = 0.18;

/// The interval between the two one-sided bounds, a dot at the estimate, a line at the limit, and
/// the forbidden side of the limit shaded. An infinite bound ends in an arrow head.
pub(crate) fn criterion_interval(criterion: &CriterionResult, title: &str) -> Element {
    let scale = Scale::over(domain(criterion), (LEFT, RIGHT));
    let limit = scale.position(criterion.bound);
    let (from, to) = match criterion.direction {
        Direction::AtMost => (limit, WIDTH),
        Direction::AtLeast => (0.0, limit),
    };
    let strip = Element::new("svg")
        .class("strip")
        .attribute("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .attribute("width", WIDTH.to_string())
        .attribute("height", HEIGHT.to_string())
        .attribute("role", "img")
        .titled(title)
        .child(rectangle("forbidden", (from, 3.0), (to - from, HEIGHT - 6.0)))
        .child(line("track", (0.0, MIDDLE), (WIDTH, MIDDLE)));
    let mark = Element::new("g")
        .class("mark interval")
        .attribute("data-arm", criterion.arm.as_str())
        .attribute("data-metric", criterion.metric.as_str());
    let mark = if [criterion.low, criterion.high, criterion.estimate].iter().all(Option::is_none) {
        mark.child(label("no-data", (WIDTH / 2.0, MIDDLE + 4.0), "middle", "not measured"))
    } else {
        mark.children(interval(criterion, &scale)).children(estimate(criterion, &scale))
    };
    strip.child(mark).child(line("limit", (limit, 1.0), (limit, HEIGHT - 1.0)))
}

/// The span of all finite values with some room around it.
fn domain(criterion: &CriterionResult) -> (f64, f64) {
    let values = [Some(criterion.bound), criterion.low, criterion.high, criterion.estimate];
    let finite = values.into_iter().flatten().filter(|value| value.is_finite());
    let (low, high) = finite
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let room = if high > low { (high - low) * PADDING } else { low.abs().max(1.0) * PADDING };
    (low - room, high + room)
}

fn interval(criterion: &CriterionResult, scale: &Scale) -> Vec<Element> {
    let low = criterion.low.unwrap_or(f64::NEG_INFINITY);
    let high = criterion.high.unwrap_or(f64::INFINITY);
    let (from, to) = (scale.position(low), scale.position(high));
    let end = |bound: f64, x: f64, outward: f64| {
        if bound.is_finite() {
            line("bar", (x, MIDDLE - 5.0), (x, MIDDLE + 5.0))
        } else {
            let (tip, base) = (x + outward * 5.0, x - outward);
            Element::new("path").class("arrow").attribute(
                "d",
                format!("M{base} {}L{tip} {MIDDLE}L{base} {}Z", MIDDLE - 5.0, MIDDLE + 5.0),
            )
        }
    };
    vec![line("bar", (from, MIDDLE), (to, MIDDLE)), end(low, from, -1.0), end(high, to, 1.0)]
}

fn estimate(criterion: &CriterionResult, scale: &Scale) -> Option<Element> {
    let value = criterion.estimate.filter(|value| value.is_finite())?;
    let x = scale.position(value);
    Some(Element::new("circle").class("estimate").at("cx", x).at("cy", MIDDLE).at("r", 4.0))
}
