//! One criterion at a glance: interval, estimate and limit on a line.

use super::element::{Element, label, line, rectangle};
use super::scale::Scale;
use crate::verdict::{CriterionResult, Direction};

const WIDTH: f64 = 124.0;
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
    let unmeasured =
        [criterion.low, criterion.high, criterion.estimate].iter().all(Option::is_none);
    let strip = Element::new("svg")
        .class("strip")
        .attribute("viewBox", format!("0 0 {WIDTH} {HEIGHT}"))
        .attribute("width", WIDTH.to_string())
        .attribute("height", HEIGHT.to_string())
        .attribute("role", "img")
        .titled(title);
    let mark = Element::new("g")
        .class("mark interval")
        .attribute("data-arm", criterion.arm.as_str())
        .attribute("data-metric", criterion.metric.as_str());
    if unmeasured {
        let middle = (WIDTH / 2.0, MIDDLE + 4.0);
        return strip.child(mark.child(label("no-data", middle, "middle", "not measured")));
    }
    let mark = mark.children(interval(criterion, &scale)).children(estimate(criterion, &scale));
    strip
        .child(rectangle("forbidden", (from, 3.0), (to - from, HEIGHT - 6.0)))
        .child(line("track", (0.0, MIDDLE), (WIDTH, MIDDLE)))
        .child(mark)
        .child(line("limit", (limit, 1.0), (limit, HEIGHT - 1.0)))
}

/// The span of all finite values with some room around it.
fn domain(criterion: &CriterionResult) -> (f64, f64) {
    let values = [Some(criterion.bound), criterion.low, criterion.high, criterion.estimate];
    let finite = values.into_iter().flatten().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
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
    Some(Element::new("circle").class("estimate").at("cx", x).at("cy", MIDDLE).at("r", 3.4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::criterion;

    /// The x coordinate of the first element of this class.
    fn x_of(drawn: &str, class: &str, attribute: &str) -> f64 {
        let element = drawn.split(&format!("class=\"{class}\"")).nth(1).unwrap();
        let value = element.split(&format!(" {attribute}=\"")).nth(1).unwrap();
        value.split('"').next().unwrap().parse().unwrap()
    }

    #[test]
    fn limit_and_interval_keep_their_order() {
        let drawn = criterion_interval(&criterion(), "t").to_string();
        let (low, estimate) = (x_of(&drawn, "bar", "x1"), x_of(&drawn, "estimate", "cx"));
        let (high, limit) = (x_of(&drawn, "bar", "x2"), x_of(&drawn, "limit", "x1"));
        assert!(low < estimate && estimate < high && high < limit, "{drawn}");
    }

    #[test]
    fn the_forbidden_side_follows_the_direction() {
        let mut result = criterion();
        let above = criterion_interval(&result, "t").to_string();
        assert!((x_of(&above, "forbidden", "x") - x_of(&above, "limit", "x1")).abs() < 0.01);
        result.direction = Direction::AtLeast;
        let below = criterion_interval(&result, "t").to_string();
        assert!(x_of(&below, "forbidden", "x").abs() < 0.01);
    }

    #[test]
    fn an_infinite_bound_ends_in_an_arrow_and_no_figure_in_words() {
        let mut result = criterion();
        result.high = Some(f64::INFINITY);
        assert_eq!(criterion_interval(&result, "t").to_string().matches("arrow").count(), 1);
        (result.low, result.estimate, result.high) = (None, None, None);
        let drawn = criterion_interval(&result, "t").to_string();
        assert!(drawn.contains("not measured") && drawn.contains("mark interval"), "{drawn}");
    }
}
