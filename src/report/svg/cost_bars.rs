//! The monthly bill per arm, with its interval.

use super::arm_style::ArmStyles;
use super::axis::{AxisUnit, horizontal};
use super::element::{Element, label, line, rectangle};
use super::scale::Scale;
use super::{WIDTH, chart};
use crate::report::CostRow;
use crate::report::format::{UNKNOWN, optional, usd};
use crate::report::text::{shortened, shown};

const LEFT: f64 = 112.0;
const RIGHT: f64 = WIDTH - 16.0;
const TOP: f64 = 8.0;
const ROW_HEIGHT: f64 = 44.0;
const BAR_HEIGHT: f64 = 18.0;
const AXIS_HEIGHT: f64 = 42.0;
const LABEL_CHARACTERS: usize = 16;

/// A bar per arm; the thin line over it reaches from the lower to the upper one-sided bound.
pub(crate) fn cost_bars(id: &str, rows: &[CostRow], styles: &ArmStyles) -> Element {
    let largest = rows
        .iter()
        .flat_map(|row| [row.monthly_usd, row.monthly_high_usd])
        .flatten()
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let scale = Scale::from_zero(largest, (LEFT, RIGHT));
    let bottom = TOP + ROW_HEIGHT * rows.len() as f64;
    let description = format!(
        "{} arms. Each bar is the projected monthly bill, the line over it reaches from the lower \
         to the upper one-sided bound.",
        rows.len()
    );
    let bars = rows.iter().enumerate().map(|(position, row)| {
        let top = TOP + ROW_HEIGHT * position as f64;
        bar(row, &scale, top).class(styles.of(&row.arm).class())
    });
    chart(id, "cost-chart", bottom + AXIS_HEIGHT, "Monthly bill per arm", &description)
        .child(horizontal(&scale, AxisUnit::USD, "Monthly bill", (TOP, bottom)))
        .children(bars)
}

fn bar(row: &CostRow, scale: &Scale, top: f64) -> Element {
    let arm = shortened(&shown(&row.arm), LABEL_CHARACTERS);
    let middle = top + 12.0 + BAR_HEIGHT / 2.0;
    let group =
        Element::new("g").child(label("row-label", (LEFT - 8.0, middle + 4.0), "end", &arm));
    let Some(monthly) = row.monthly_usd else {
        return group.child(label("no-data", (LEFT + 6.0, middle + 4.0), "start", UNKNOWN));
    };
    let end = scale.position(monthly);
    let size = (end - LEFT, BAR_HEIGHT);
    let mark = rectangle("mark cost-bar", (LEFT, middle - BAR_HEIGHT / 2.0), size)
        .attribute("data-arm", row.arm.as_str())
        .titled(format!(
            "{}: {} a month, bounds {} and {}",
            shown(&row.arm),
            usd(monthly),
            optional(row.monthly_low_usd, usd),
            optional(row.monthly_high_usd, usd)
        ));
    let group = group.child(mark).children(interval(row, scale, middle));
    group.child(label("value", (LEFT + 4.0, top + 8.0), "start", &usd(monthly)))
}

/// The line between the bounds; a missing or infinite bound has no end stroke.
fn interval(row: &CostRow, scale: &Scale, middle: f64) -> Vec<Element> {
    let bounds = [row.monthly_low_usd, row.monthly_high_usd];
    if bounds.iter().all(Option::is_none) {
        return Vec::new();
    }
    let low = row.monthly_low_usd.unwrap_or(0.0);
    let high = row.monthly_high_usd.unwrap_or(f64::INFINITY);
    let (from, to) = (scale.position(low), scale.position(high));
    let ends = bounds.into_iter().flatten().filter(|bound| bound.is_finite()).map(|bound| {
        let x = scale.position(bound);
        line("whisker", (x, middle - 6.0), (x, middle + 6.0))
    });
    std::iter::once(line("whisker", (from, middle), (to, middle))).chain(ends).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(arm: &str, monthly_usd: Option<f64>) -> CostRow {
        CostRow {
            arm: arm.to_owned(),
            exchanges: 10,
            cost_usd: 1.0,
            estimated_usd: 0.0,
            mean_usd: Some(0.1),
            monthly_usd,
            monthly_low_usd: monthly_usd.map(|value| value * 0.9),
            monthly_high_usd: monthly_usd.map(|value| value * 1.1),
        }
    }

    #[test]
    fn known_bills_have_bars_with_intervals_and_unknown_ones_a_dash() {
        let rows = [row("a", Some(100.0)), row("b", None), row("c", Some(200.0))];
        let drawn = cost_bars("x", &rows, &ArmStyles::new(&[])).to_string();
        assert_eq!(drawn.matches("mark cost-bar").count(), 2);
        assert_eq!(drawn.matches("class=\"whisker\"").count(), 6);
        assert_eq!(drawn.matches("class=\"no-data\"").count(), 1);
        assert!(drawn.contains("200.00 USD a month, bounds 180.00 USD and 220.00 USD"), "{drawn}");
    }

    #[test]
    fn an_infinite_bound_reaches_the_edge_without_an_end_stroke() {
        let mut open = row("a", Some(100.0));
        open.monthly_high_usd = Some(f64::INFINITY);
        let drawn = cost_bars("x", &[open], &ArmStyles::new(&[])).to_string();
        assert_eq!(drawn.matches("class=\"whisker\"").count(), 2);
    }
}
