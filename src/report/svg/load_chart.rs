//! Percentiles and failures by the offered rate of a ramp, for one arm and duration.

use std::fmt::Write as _;

use super::arm_style::{ArmStyle, ArmStyles};
use super::axis::{AxisUnit, horizontal, vertical};
use super::element::{Element, coordinate, label, line, rectangle};
use super::scale::Scale;
use super::{WIDTH, chart};
use crate::report::format::{duration_ms, optional, per_second, percentile_name, share};
use crate::report::text::{shortened, shown};
use crate::report::{ArmKnee, LoadStep, Percentile};

const LEFT: f64 = 40.0;
/// Right of the plot stand the names of the lines.
const RIGHT: f64 = WIDTH - 34.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 212.0;
const ERROR_TOP: f64 = 244.0;
const ERROR_BOTTOM: f64 = 284.0;
const HEIGHT: f64 = ERROR_BOTTOM + 42.0;
const HEADING_CHARACTERS: usize = 54;
/// Least distance of two names of lines.
const NAME_HEIGHT: f64 = 12.0;

/// Which duration of a step is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadMeasure {
    /// Its name on the axis.
    pub name: &'static str,
    /// The column, as the report's data calls it.
    pub key: &'static str,
    /// Its percentiles in a step.
    pub percentiles: fn(&LoadStep) -> &[Percentile],
}

/// Lines of percentiles over the offered rate, the share of failures beneath, the knee marked.
///
/// `all` are the steps of every arm, so that the panels share their scales. An infinite percentile
/// lies on the upper edge.
pub(crate) fn load_chart(
    id: &str,
    arm: &str,
    measure: LoadMeasure,
    all: &[LoadStep],
    knee: Option<&ArmKnee>,
    styles: &ArmStyles,
) -> Element {
    let values = all.iter().flat_map(measure.percentiles).filter_map(|one| one.value);
    let fastest = all.iter().map(|step| step.offered_per_second).fold(0.0, f64::max);
    let worst = all.iter().filter_map(|step| step.error_rate).fold(0.0, f64::max);
    let scales = Scales {
        x: Scale::from_zero(fastest, (LEFT, RIGHT)),
        y: Scale::for_durations(values, (BOTTOM, TOP)),
        errors: Scale::from_zero(if worst > 0.0 { worst } else { 0.01 }, (ERROR_BOTTOM, ERROR_TOP)),
    };
    let mut own: Vec<&LoadStep> = all.iter().filter(|step| step.arm == arm).collect();
    own.sort_by(|a, b| a.offered_per_second.total_cmp(&b.offered_per_second));
    let style = styles.of(arm);
    let heading = shortened(&format!("{}, {}", shown(arm), measure.name), HEADING_CHARACTERS);
    let title = format!("{heading}: by offered rate");
    let description = format!(
        "{} steps. Lines: percentiles of first attempts, failures included. Bars: share of \
         failures. {}",
        own.len(),
        knee_sentence(knee),
    );
    chart(id, "load-chart", HEIGHT, &title, &description)
        .child(label("panel-title", (0.0, 14.0), "start", &heading))
        .children(knee.map(|knee| failing_area(knee, &scales.x)))
        .child(vertical(&scales.y, AxisUnit::for_durations(&scales.y), measure.name, (LEFT, RIGHT)))
        .child(line("base", (LEFT, BOTTOM), (RIGHT, BOTTOM)))
        .child(vertical(&scales.errors, AxisUnit::PERCENT, "Failures", (LEFT, RIGHT)))
        .child(horizontal(
            &scales.x,
            AxisUnit::PER_SECOND,
            "Offered rate",
            (ERROR_TOP, ERROR_BOTTOM),
        ))
        .child(
            Element::new("g")
                .class(style.class())
                .children(own.iter().map(|step| error_bar(step, &own, &scales)))
                .children(lines(&own, measure, &scales, &style)),
        )
        .children(knee.and_then(|knee| knee_line(knee, &scales.x)))
}

struct Scales {
    x: Scale,
    y: Scale,
    errors: Scale,
}

fn knee_sentence(knee: Option<&ArmKnee>) -> String {
    let Some(knee) = knee else { return String::new() };
    match (knee.holds_per_second, knee.fails_per_second) {
        (Some(holds), Some(fails)) => format!(
            "The limits hold up to {} and fail from {} on.",
            per_second(holds),
            per_second(fails)
        ),
        (Some(holds), None) => format!("The limits hold up to {}.", per_second(holds)),
        (None, Some(fails)) => format!("The limits fail from {} on.", per_second(fails)),
        (None, None) => "No step decides whether the limits hold.".to_owned(),
    }
}

/// What lies at or beyond the lowest rate that fails.
fn failing_area(knee: &ArmKnee, x: &Scale) -> Element {
    let Some(fails) = knee.fails_per_second else { return Element::new("g") };
    let left = x.position(fails);
    let area =
        |top: f64, bottom: f64| rectangle("forbidden", (left, top), (RIGHT - left, bottom - top));
    Element::new("g").child(area(TOP, BOTTOM)).child(area(ERROR_TOP, ERROR_BOTTOM))
}

fn knee_line(knee: &ArmKnee, x: &Scale) -> Option<Element> {
    let holds = knee.holds_per_second?;
    let at = x.position(holds);
    let anchor = if at > f64::midpoint(LEFT, RIGHT) { "end" } else { "start" };
    let mark = Element::new("g")
        .class("mark knee")
        .attribute("data-arm", knee.arm.as_str())
        .titled(knee_sentence(Some(knee)))
        .child(line("knee-line", (at, TOP - 20.0), (at, ERROR_BOTTOM)))
        .child(label("value", (at, TOP - 25.0), anchor, &format!("knee {}", per_second(holds))));
    Some(mark)
}

/// Half of the least distance of two steps, and not too wide.
fn bar_width(own: &[&LoadStep], x: &Scale) -> f64 {
    let positions: Vec<f64> = own.iter().map(|step| x.position(step.offered_per_second)).collect();
    let least = positions.windows(2).map(|pair| pair[1] - pair[0]).fold(40.0, f64::min);
    (least / 2.0).clamp(1.0, 14.0)
}

fn error_bar(step: &LoadStep, own: &[&LoadStep], scales: &Scales) -> Element {
    let width = bar_width(own, &scales.x);
    let left = scales.x.position(step.offered_per_second) - width / 2.0;
    let failed = step.error_rate.unwrap_or(0.0);
    // A failure among many thousand attempts must still be seen.
    let height = if step.failures > 0 {
        (ERROR_BOTTOM - scales.errors.position(failed)).max(1.5)
    } else {
        0.0
    };
    rectangle("mark load-error error-bar", (left, ERROR_BOTTOM - height), (width, height))
        .attribute("data-arm", step.arm.as_str())
        .titled(format!(
            "{}: {} of {} failed ({}), {} met a 429",
            per_second(step.offered_per_second),
            step.failures,
            step.n,
            optional(step.error_rate, share),
            step.rate_limited,
        ))
}

/// A line with a marker per step and its name at the end, for every level.
fn lines(
    own: &[&LoadStep],
    measure: LoadMeasure,
    scales: &Scales,
    style: &ArmStyle,
) -> Vec<Element> {
    let mut levels: Vec<f64> =
        own.iter().flat_map(|step| (measure.percentiles)(step)).map(|one| one.p).collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let mut drawn = Vec::new();
    let mut lowest_name = BOTTOM + NAME_HEIGHT;
    for (rank, p) in levels.into_iter().enumerate() {
        let points: Vec<(&LoadStep, &Percentile)> = own
            .iter()
            .filter_map(|step| {
                let at = |one: &&Percentile| one.p.total_cmp(&p).is_eq() && one.value.is_some();
                Some((*step, (measure.percentiles)(step).iter().find(at)?))
            })
            .collect();
        let place = |step: &LoadStep, value: Option<f64>| {
            let x = scales.x.position(step.offered_per_second);
            (x, scales.y.position(value.unwrap_or(f64::INFINITY)))
        };
        let Some((last, end)) = points.last() else { continue };
        let mut path = String::new();
        for (step, percentile) in &points {
            let (x, y) = place(step, percentile.value);
            let command = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{} {}", coordinate(x), coordinate(y));
        }
        let (end_x, end_y) = place(last, end.value);
        // Names of lines that end near each other stand above each other.
        lowest_name = end_y.min(lowest_name - NAME_HEIGHT);
        drawn.push(
            Element::new("path").class(format!("load-line level-{rank}")).attribute("d", path),
        );
        drawn.extend(points.iter().map(|(step, percentile)| {
            let at = place(step, percentile.value);
            Element::new("g")
                .class("mark load-point")
                .attribute("data-arm", step.arm.as_str())
                .attribute("data-measure", measure.key)
                .titled(point_title(step, percentile))
                .children(interval(percentile, at.0, scales))
                .child(style.marker(at))
        }));
        let name = percentile_name(p);
        drawn.push(label("line-name", (end_x + 8.0, lowest_name + 4.0), "start", &name));
    }
    drawn
}

/// A thin line from the lower to the upper bound; what is infinite ends at the upper edge.
fn interval(percentile: &Percentile, x: f64, scales: &Scales) -> Option<Element> {
    let (low, high) = (percentile.low?, percentile.high?);
    Some(line("interval-line", (x, scales.y.position(low)), (x, scales.y.position(high))))
}

fn point_title(step: &LoadStep, percentile: &Percentile) -> String {
    format!(
        "{} offered, {} achieved: {} {}, bounds {} and {}",
        per_second(step.offered_per_second),
        optional(step.achieved_per_second, per_second),
        percentile_name(percentile.p),
        optional(percentile.value, duration_ms),
        optional(percentile.low, duration_ms),
        optional(percentile.high, duration_ms),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(arm: &str, number: u32, value: f64, failures: u64) -> LoadStep {
        let percentile = |p: f64, factor: f64| Percentile {
            p,
            value: Some(value * factor),
            low: Some(value * factor * 0.9),
            high: Some(f64::INFINITY),
        };
        LoadStep {
            arm: arm.to_owned(),
            step: number,
            offered_per_second: f64::from(number) * 5.0,
            achieved_per_second: None,
            achieved_share: None,
            attempts: 100,
            n: 100,
            failures,
            error_rate: Some(failures as f64 / 100.0),
            error_rate_low: None,
            error_rate_high: None,
            rate_limited: 0,
            slip_p99_ms: None,
            latency: vec![percentile(0.5, 1.0), percentile(0.99, 3.0)],
            ttft: Vec::new(),
        }
    }

    const LATENCY: LoadMeasure = LoadMeasure {
        name: "Latency",
        key: "latency_ms",
        percentiles: |step| step.latency.as_slice(),
    };

    fn drawn(steps: &[LoadStep], knee: Option<&ArmKnee>) -> String {
        load_chart("x", "a", LATENCY, steps, knee, &ArmStyles::new(&[])).to_string()
    }

    #[test]
    fn every_percentile_of_every_step_of_the_arm_is_a_point_and_the_knee_is_marked() {
        let steps = [step("a", 1, 100.0, 0), step("a", 2, f64::INFINITY, 3), step("b", 1, 9.0, 9)];
        let knee = ArmKnee {
            arm: "a".to_owned(),
            holds_per_second: Some(5.0),
            fails_per_second: Some(10.0),
            highest_per_second: 10.0,
        };
        let with_knee = drawn(&steps, Some(&knee));
        assert_eq!(with_knee.matches("mark load-point").count(), 4);
        assert_eq!(with_knee.matches("mark load-error").count(), 2);
        assert_eq!(with_knee.matches("class=\"forbidden\"").count(), 2);
        assert!(with_knee.contains("hold up to 5/s and fail from 10/s on"), "{with_knee}");
        assert!(with_knee.contains(">knee 5/s<"), "{with_knee}");
        assert!(!drawn(&steps, None).contains("knee"));
    }

    #[test]
    fn an_arm_without_steps_has_an_empty_panel() {
        assert!(drawn(&[], None).contains("0 steps"));
    }
}
