//! Axes: grid lines, tick labels and the title with the unit.

use super::element::{Element, label, line};
use super::scale::Scale;
use crate::report::format;

/// From this many milliseconds on an axis counts seconds.
const SECONDS_FROM_MS: f64 = 10_000.0;
/// From this many seconds on an axis counts minutes.
const MINUTES_FROM_S: f64 = 600.0;

/// The unit that an axis is labelled in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct AxisUnit {
    /// Stands in the axis title.
    pub name: &'static str,
    /// What a value is divided by before it is printed.
    pub divisor: f64,
}

impl AxisUnit {
    /// Milliseconds, or seconds when the axis is long; values are in milliseconds.
    pub(crate) fn for_durations(scale: &Scale) -> Self {
        if scale.largest() >= SECONDS_FROM_MS {
            AxisUnit { name: "s", divisor: 1000.0 }
        } else {
            AxisUnit { name: "ms", divisor: 1.0 }
        }
    }

    /// Seconds, or minutes when the axis is long, and how many seconds that is; values are in
    /// this unit, because round numbers of seconds are not round numbers of minutes.
    pub(crate) fn for_elapsed(end_s: f64) -> (Self, f64) {
        if end_s >= MINUTES_FROM_S {
            (AxisUnit { name: "min", divisor: 1.0 }, 60.0)
        } else {
            (AxisUnit { name: "s", divisor: 1.0 }, 1.0)
        }
    }

    /// Percent; values are shares.
    pub(crate) const PERCENT: AxisUnit = AxisUnit { name: "%", divisor: 0.01 };
    /// US dollars.
    pub(crate) const USD: AxisUnit = AxisUnit { name: "USD", divisor: 1.0 };
    /// A rate of requests.
    pub(crate) const PER_SECOND: AxisUnit = AxisUnit { name: "requests/s", divisor: 1.0 };
    /// A plain count.
    pub(crate) const COUNT: AxisUnit = AxisUnit { name: "count", divisor: 1.0 };

    /// A tick's label.
    pub(crate) fn print(self, tick: f64) -> String {
        let value = tick / self.divisor;
        let text = format::significant((value * 1e9).round() / 1e9, 4);
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    }
}

/// A horizontal axis at the bottom of a plot, with grid lines up to its top.
pub(crate) fn horizontal(
    scale: &Scale,
    unit: AxisUnit,
    title: &str,
    (top, bottom): (f64, f64),
) -> Element {
    let mut axis = Element::new("g").class("axis");
    for tick in scale.ticks() {
        let x = scale.position(tick);
        axis = axis.child(line("grid", (x, top), (x, bottom))).child(label(
            "tick",
            (x, bottom + 15.0),
            "middle",
            &unit.print(tick),
        ));
    }
    let (from, to) = (scale.position(f64::NEG_INFINITY), scale.position(f64::INFINITY));
    let spacing = if scale.is_logarithmic() { ", log scale" } else { "" };
    axis.child(line("base", (from, bottom), (to, bottom))).child(label(
        "axis-title",
        (f64::midpoint(from, to), bottom + 33.0),
        "middle",
        &format!("{title} ({}{spacing})", unit.name),
    ))
}

/// A vertical axis at the left of a plot, with grid lines to its right end and the title above.
pub(crate) fn vertical(
    scale: &Scale,
    unit: AxisUnit,
    title: &str,
    (left, right): (f64, f64),
) -> Element {
    let mut axis = Element::new("g").class("axis");
    for tick in scale.ticks() {
        let y = scale.position(tick);
        axis = axis.child(line("grid", (left, y), (right, y))).child(label(
            "tick",
            (left - 6.0, y + 4.0),
            "end",
            &unit.print(tick),
        ));
    }
    let top = scale.position(f64::INFINITY);
    axis.child(label("axis-title", (0.0, top - 12.0), "start", &format!("{title} ({})", unit.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_axes_count_in_larger_units() {
        let long = Scale::from_zero(40_000.0, (0.0, 1.0));
        let unit = AxisUnit::for_durations(&long);
        assert_eq!((unit.name, unit.print(20_000.0).as_str()), ("s", "20"));
        let short = Scale::from_zero(900.0, (0.0, 1.0));
        assert_eq!(AxisUnit::for_durations(&short).print(0.5), "0.5");
        let (unit, seconds) = AxisUnit::for_elapsed(3600.0);
        assert_eq!((unit.name, unit.print(1800.0 / seconds).as_str()), ("min", "30"));
        assert_eq!(AxisUnit::PERCENT.print(0.005), "0.5");
    }

    #[test]
    fn every_tick_has_a_label_and_the_title_has_the_unit() {
        let scale = Scale::from_zero(100.0, (0.0, 300.0));
        let axis = horizontal(&scale, AxisUnit::USD, "Bill", (0.0, 50.0)).to_string();
        assert_eq!(axis.matches("class=\"tick\"").count(), scale.ticks().len());
        assert!(axis.contains("Bill (USD)"), "{axis}");
    }
}
