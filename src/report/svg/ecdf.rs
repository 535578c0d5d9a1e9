//! Empirical distribution functions of one duration: a step line per arm.

use std::fmt::Write as _;

use super::arm_style::ArmStyles;
use super::axis::{AxisUnit, horizontal, vertical};
use super::element::{Element, coordinate, label};
use super::scale::Scale;
use super::{WIDTH, chart};
use crate::report::LatencySeries;
use crate::report::format::{count, share};
use crate::report::text::{model_name, shortened, shown};

const LEFT: f64 = 40.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 242.0;
const HEIGHT: f64 = BOTTOM + 42.0;
const HEADING_CHARACTERS: usize = 54;
/// Shares at which a line carries its arm's marker.
const MARKED_SHARES: [f64; 3] = [0.25, 0.5, 0.95];

/// Step lines of all first attempts of one model; a line that ends below 100 % shows the share
/// that failed.
///
/// `all` are the series of the measure over every model, so that its panels share their scale.
pub(crate) fn ecdf(
    id: &str,
    measure: &str,
    model: &str,
    all: &[&LatencySeries],
    styles: &ArmStyles,
) -> Element {
    let series: Vec<&LatencySeries> =
        all.iter().filter(|one| one.model == model).copied().collect();
    let values = all.iter().flat_map(|one| one.ecdf.iter().map(|(value, _)| *value));
    let x = Scale::for_durations(values, (LEFT, RIGHT));
    let y = Scale::over((0.0, 1.0), (BOTTOM, TOP));
    let lines = series.iter().filter(|one| !one.ecdf.is_empty()).map(|one| {
        let style = styles.of(&one.arm);
        let end = one.ecdf.last().map_or(0.0, |(_, reached)| *reached);
        Element::new("g")
            .class(style.class())
            .child(
                Element::new("path")
                    .class("mark ecdf step")
                    .attribute("data-arm", one.arm.as_str())
                    .attribute("data-model", one.model.as_str())
                    .attribute("data-measure", one.measure.as_str())
                    .attribute("d", step_path(&one.ecdf, &x, &y))
                    .titled(format!(
                        "{}: n = {}, {} answered in the range shown",
                        shown(&one.arm),
                        count(one.n),
                        share(end)
                    )),
            )
            .children(
                markers(&one.ecdf)
                    .map(|(value, reached)| style.marker((x.position(value), y.position(reached)))),
            )
    });
    let description = format!(
        "{} lines. Height is the share of all first attempts, failures included, that were \
         answered within the duration; a line that ends below 100% shows the share that failed.",
        series.iter().filter(|one| !one.ecdf.is_empty()).count()
    );
    let heading = shortened(&format!("{measure}, {}", model_name(model)), HEADING_CHARACTERS);
    let drawn = chart(id, "ecdf-chart", HEIGHT, &format!("{heading}: distribution"), &description)
        .child(label("panel-title", (0.0, 14.0), "start", &heading))
        .child(vertical(&y, AxisUnit::PERCENT, "First attempts answered", (LEFT, RIGHT)))
        .child(horizontal(&x, AxisUnit::for_durations(&x), measure, (TOP, BOTTOM)));
    if series.iter().all(|one| one.ecdf.is_empty()) {
        let middle = (f64::midpoint(LEFT, RIGHT), f64::midpoint(TOP, BOTTOM));
        return drawn.child(label("no-data", middle, "middle", "no answers"));
    }
    drawn.children(lines)
}

/// Steps from the bottom up, flat to the right edge; points closer than a tenth of a unit merge.
fn step_path(points: &[(f64, f64)], x: &Scale, y: &Scale) -> String {
    let mut path = format!("M{} {}", coordinate(LEFT), coordinate(BOTTOM));
    let (mut last_x, mut last_y) = (coordinate(LEFT), coordinate(BOTTOM));
    for (value, reached) in points.iter().filter(|(value, _)| value.is_finite()) {
        let (next_x, next_y) = (coordinate(x.position(*value)), coordinate(y.position(*reached)));
        if next_y == last_y {
            continue;
        }
        if next_x != last_x {
            let _ = write!(path, "H{next_x}");
        }
        let _ = write!(path, "V{next_y}");
        (last_x, last_y) = (next_x, next_y);
    }
    let _ = write!(path, "H{}", coordinate(RIGHT));
    path
}

/// The first point at or above each marked share.
fn markers(points: &[(f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    MARKED_SHARES.into_iter().filter_map(|wanted| {
        points.iter().find(|(value, reached)| *reached >= wanted && value.is_finite()).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_steps_up_at_each_value_and_stays_below_the_top_when_some_failed() {
        let x = Scale::over((0.0, 348.0), (LEFT, RIGHT));
        let y = Scale::over((0.0, 1.0), (BOTTOM, TOP));
        let path = step_path(&[(100.0, 0.5), (200.0, 0.75), (f64::INFINITY, 1.0)], &x, &y);
        assert_eq!(path, "M40 242H140V149H240V102.5H388");
    }

    #[test]
    fn points_that_no_eye_can_tell_apart_are_drawn_once() {
        let points: Vec<(f64, f64)> =
            (1..=100_000_u32).map(|i| (f64::from(i), f64::from(i) / 100_000.0)).collect();
        let x = Scale::over((0.0, 100_000.0), (LEFT, RIGHT));
        let y = Scale::over((0.0, 1.0), (BOTTOM, TOP));
        assert!(step_path(&points, &x, &y).len() < 40_000);
    }
}
