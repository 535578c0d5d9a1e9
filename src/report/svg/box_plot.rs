//! Box plots of one duration: a row per model and arm.

use super::arm_style::{ArmStyle, ArmStyles};
use super::axis::{AxisUnit, horizontal};
use super::element::{Element, label, line, rectangle};
use super::scale::Scale;
use super::{WIDTH, chart};
use crate::report::format::duration_ms;
use crate::report::text::{model_name, shortened, shown};
use crate::report::{BoxPlot, LatencySeries};

const LEFT: f64 = 112.0;
const RIGHT: f64 = WIDTH - 12.0;
const TOP: f64 = 28.0;
const HEADING_HEIGHT: f64 = 24.0;
const ROW_HEIGHT: f64 = 26.0;
const BOX_HEIGHT: f64 = 14.0;
const AXIS_HEIGHT: f64 = 42.0;
/// Characters of a name that fit left of the plot.
const LABEL_CHARACTERS: usize = 16;
const HEADING_CHARACTERS: usize = 54;

/// Box plots of the successes: whiskers at the 5th and 95th percentile, box from the 25th to the
/// 75th, line at the median. A series without successes has a row without a box.
pub(crate) fn box_plot(
    id: &str,
    measure: &str,
    series: &[&LatencySeries],
    styles: &ArmStyles,
) -> Element {
    let values = series.iter().filter_map(|one| one.box_plot).flat_map(|b| [b.p05, b.p95]);
    let scale = Scale::for_durations(values, (LEFT, RIGHT));
    let mut rows = Element::new("g");
    let (mut y, mut model) = (TOP, "");
    for one in series {
        if one.model != model || y <= TOP {
            let heading = shortened(&model_name(&one.model), HEADING_CHARACTERS);
            rows = rows.child(label("row-heading", (0.0, y + 17.0), "start", &heading));
            y += HEADING_HEIGHT;
            model = &one.model;
        }
        rows = rows.child(row(one, &scale, &styles.of(&one.arm), y + ROW_HEIGHT / 2.0));
        y += ROW_HEIGHT;
    }
    let description = format!(
        "{} rows. Each box spans the 25th to the 75th percentile of successful first attempts, \
         the line in it is the median, the whiskers reach the 5th and the 95th percentile.",
        series.len()
    );
    chart(id, "box-plot", y + AXIS_HEIGHT, &format!("{measure}: box plots"), &description)
        .child(label("panel-title", (0.0, 14.0), "start", &shortened(measure, HEADING_CHARACTERS)))
        .child(horizontal(&scale, AxisUnit::for_durations(&scale), measure, (TOP, y + 4.0)))
        .child(rows)
}

fn row(series: &LatencySeries, scale: &Scale, style: &ArmStyle, middle: f64) -> Element {
    let arm = shortened(&shown(&series.arm), LABEL_CHARACTERS);
    let row = Element::new("g").child(label("row-label", (LEFT - 8.0, middle + 4.0), "end", &arm));
    match &series.box_plot {
        Some(figures) => row.child(mark(series, figures, scale, style, middle)),
        None => row.child(label("no-data", (LEFT + 6.0, middle + 4.0), "start", "no successes")),
    }
}

fn mark(
    series: &LatencySeries,
    figures: &BoxPlot,
    scale: &Scale,
    style: &ArmStyle,
    middle: f64,
) -> Element {
    let [low, left, median, right, high] =
        [figures.p05, figures.p25, figures.p50, figures.p75, figures.p95]
            .map(|value| scale.position(value));
    let (top, bottom) = (middle - BOX_HEIGHT / 2.0, middle + BOX_HEIGHT / 2.0);
    Element::new("g")
        .class(format!("mark box {}", style.class()))
        .attribute("data-arm", series.arm.as_str())
        .attribute("data-model", series.model.as_str())
        .attribute("data-measure", series.measure.as_str())
        .titled(format!(
            "{}, {}: median {}, middle half {} to {}, 5% to 95% {} to {}",
            shown(&series.arm),
            model_name(&series.model),
            duration_ms(figures.p50),
            duration_ms(figures.p25),
            duration_ms(figures.p75),
            duration_ms(figures.p05),
            duration_ms(figures.p95),
        ))
        .child(line("whisker", (low, middle), (high, middle)))
        .children([low, high].map(|x| line("whisker", (x, middle - 4.0), (x, middle + 4.0))))
        .child(rectangle("body", (left, top), ((right - left).max(1.0), BOX_HEIGHT)))
        .child(line("median", (median, top), (median, bottom)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(arm: &str, model: &str, box_plot: Option<BoxPlot>) -> LatencySeries {
        LatencySeries {
            arm: arm.to_owned(),
            model: model.to_owned(),
            measure: "latency_ms".to_owned(),
            n: 10,
            failures: 0,
            percentiles: Vec::new(),
            success_percentiles: Vec::new(),
            with_retries_percentiles: Vec::new(),
            box_plot,
            ecdf: Vec::new(),
        }
    }

    const FIGURES: BoxPlot = BoxPlot { p05: 10.0, p25: 20.0, p50: 30.0, p75: 40.0, p95: 100.0 };

    #[test]
    fn every_series_has_a_row_and_those_with_successes_a_box() {
        let all = [
            series("a", "m", Some(FIGURES)),
            series("b", "m", None),
            series("<b>", "other", Some(FIGURES)),
        ];
        let drawn = box_plot("x", "Latency", &all.iter().collect::<Vec<_>>(), &ArmStyles::new(&[]))
            .to_string();
        assert_eq!(drawn.matches("mark box").count(), 2);
        assert_eq!(drawn.matches("row-label").count(), 3);
        assert_eq!(drawn.matches("row-heading").count(), 2);
        assert_eq!(drawn.matches("no successes").count(), 1);
        assert!(drawn.contains("data-arm=\"&lt;b&gt;\"") && !drawn.contains("<b>"), "{drawn}");
        assert!(drawn.contains("Latency (ms)"), "{drawn}");
    }

    #[test]
    fn a_chart_without_series_is_still_a_chart() {
        let drawn = box_plot("x", "Latency", &[], &ArmStyles::new(&[])).to_string();
        assert!(drawn.contains("<title") && drawn.contains("<desc"), "{drawn}");
    }
}
