//! Latency: box plots, distributions and percentiles.

use super::{Chart, Folded, LegendEntry, Section};
use crate::report::format::{duration_ms, percentile_name, share};
use crate::report::svg::{ArmStyles, box_plot, ecdf};
use crate::report::table::{Cell, Column, Table};
use crate::report::text::{ALL_MODELS, model_name, shown};
use crate::report::{LatencySeries, Percentile, Report};

/// Rows of a distribution that the table beneath the chart shows; the page's data has all.
const ECDF_ROWS: usize = 20;

const ALL_ATTEMPTS: &str = "All first attempts, a failure counts as ∞";
const SUCCESSES: &str = "Successes alone";
const WITH_RETRIES: &str = "With retries";

/// Everything on latency.
pub(super) fn section(report: &Report, styles: &ArmStyles) -> Section {
    let mut section = Section::new(
        "latency",
        "Latency",
        "First attempts are judged, and a failure counts as infinitely slow, so that failing fast \
         does not look fast. Successes alone and durations with retries stand beside for \
         comparison. Lower and upper bounds are one-sided bounds from order statistics; each \
         percentile is an observed value.",
    );
    let measures = in_order(report.latency.iter().map(|series| series.measure.as_str()));
    section.charts = vec![box_plots(report, styles, &measures), ecdfs(report, styles, &measures)];
    let mut by_model = Vec::new();
    for (position, measure) in measures.iter().enumerate() {
        let (overall, split): (Vec<_>, Vec<_>) =
            of_measure(report, measure).into_iter().partition(|one| one.model == ALL_MODELS);
        let caption = format!("{}: percentiles", measure_name(measure));
        let id = format!("percentiles-{position}");
        if overall.is_empty() {
            section.tables.push(percentiles(id, caption, &split));
            continue;
        }
        section.tables.push(percentiles(id.clone(), caption.clone(), &overall));
        if !split.is_empty() {
            let (id, caption) = (format!("{id}-by-model"), format!("{caption} by model"));
            by_model.push(percentiles(id, caption, &split));
        }
    }
    if !by_model.is_empty() {
        section.folded.push(Folded { summary: "Percentiles by model", tables: by_model });
    }
    section
}

/// The distinct values in order of first appearance.
fn in_order<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct: Vec<&str> = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// The series of one measure, those of one model next to each other.
fn of_measure<'a>(report: &'a Report, measure: &str) -> Vec<&'a LatencySeries> {
    let all: Vec<&LatencySeries> =
        report.latency.iter().filter(|series| series.measure == measure).collect();
    in_order(all.iter().map(|series| series.model.as_str()))
        .into_iter()
        .flat_map(|model| all.iter().filter(move |series| series.model == model).copied())
        .collect()
}

fn measure_name(measure: &str) -> String {
    match measure {
        "latency_ms" => "Total latency".to_owned(),
        "ttft_ms" => "Time to first token".to_owned(),
        "tpot_ms" => "Time per output token".to_owned(),
        other => shown(other),
    }
}

fn box_plots(report: &Report, styles: &ArmStyles, measures: &[&str]) -> Chart {
    let panels = measures
        .iter()
        .enumerate()
        .map(|(position, measure)| {
            let series = of_measure(report, measure);
            box_plot(&format!("box-{position}"), &measure_name(measure), &series, styles)
        })
        .collect();
    let mut data = Table::new(
        "box-plot-data",
        "Five figures of each box plot, successful first attempts",
        &[
            Column::text("Measure"),
            Column::text("Model"),
            Column::text("Arm"),
            Column::figure("p5"),
            Column::figure("p25"),
            Column::figure("p50"),
            Column::figure("p75"),
            Column::figure("p95"),
        ],
    );
    for series in &report.latency {
        let figures = series.box_plot.map(|b| [b.p05, b.p25, b.p50, b.p75, b.p95]);
        let mut row = vec![
            Cell::words(measure_name(&series.measure)),
            Cell::words(model_name(&series.model)),
            Cell::name(&series.arm),
        ];
        row.extend(
            (0..5).map(|i| {
                Cell::optional(figures.and_then(|five| five.get(i).copied()), duration_ms)
            }),
        );
        data.rows.push(row);
    }
    Chart {
        title: "Box plots per arm and model",
        explanation: "Successful first attempts. Box: middle half; line: median; whiskers: 5th \
                      and 95th percentile.",
        legend: Vec::new(),
        panels,
        data,
    }
}

fn ecdfs(report: &Report, styles: &ArmStyles, measures: &[&str]) -> Chart {
    let mut panels = Vec::new();
    for measure in measures {
        let series = of_measure(report, measure);
        for model in in_order(series.iter().map(|one| one.model.as_str())) {
            let id = format!("ecdf-{}", panels.len());
            panels.push(ecdf(&id, &measure_name(measure), model, &series, styles));
        }
    }
    let mut data = Table::new(
        "ecdf-data",
        format!("Points of each line, at most {ECDF_ROWS} of each; the page’s data has all"),
        &[
            Column::text("Measure"),
            Column::text("Model"),
            Column::text("Arm"),
            Column::figure("Duration"),
            Column::figure("Answered within"),
        ],
    );
    for series in &report.latency {
        data.rows.extend(thinned(&series.ecdf, ECDF_ROWS).map(|(value, reached)| {
            vec![
                Cell::words(measure_name(&series.measure)),
                Cell::words(model_name(&series.model)),
                Cell::name(&series.arm),
                Cell::figure(duration_ms(value), value),
                Cell::figure(share(reached), reached),
            ]
        }));
    }
    let arms = in_order(report.latency.iter().map(|series| series.arm.as_str()));
    Chart {
        title: "Distributions",
        explanation: "Share of all first attempts, failures included, that were answered within \
                      the duration. A line that ends below 100% shows the share that failed.",
        legend: arms
            .into_iter()
            .map(|arm| LegendEntry { sample: styles.of(arm).sample(), name: shown(arm) })
            .collect(),
        panels,
        data,
    }
}

/// At most `most` points, evenly spread by position, first and last among them.
fn thinned(points: &[(f64, f64)], most: usize) -> impl Iterator<Item = (f64, f64)> {
    let kept = points.len().min(most);
    (0..kept).filter_map(move |i| {
        points.get(if kept > 1 { i * (points.len() - 1) / (kept - 1) } else { 0 }).copied()
    })
}

fn percentiles(id: String, caption: String, series: &[&LatencySeries]) -> Table {
    let mut table = Table::new(
        id,
        caption,
        &[
            Column::text("Model"),
            Column::text("Arm"),
            Column::figure("n"),
            Column::figure("Answered"),
            Column::figure("Percentile"),
            Column::figure("value").under(ALL_ATTEMPTS),
            Column::figure("lower bound").under(ALL_ATTEMPTS),
            Column::figure("upper bound").under(ALL_ATTEMPTS),
            Column::figure("value").under(SUCCESSES),
            Column::figure("value").under(WITH_RETRIES),
        ],
    );
    for one in series {
        for (position, p) in levels(one).into_iter().enumerate() {
            table.rows.push(percentile_row(one, p, position > 0));
        }
    }
    table
}

/// Every level that one of the three lists has, smallest first.
fn levels(series: &LatencySeries) -> Vec<f64> {
    let lists =
        [&series.percentiles, &series.success_percentiles, &series.with_retries_percentiles];
    let mut levels: Vec<f64> = lists.into_iter().flatten().map(|one| one.p).collect();
    levels.sort_by(f64::total_cmp);
    levels.dedup_by(|a, b| a.total_cmp(b).is_eq());
    levels
}

fn percentile_row(series: &LatencySeries, p: f64, repeats: bool) -> Vec<Cell> {
    let at = |list: &[Percentile]| list.iter().find(|one| one.p.total_cmp(&p).is_eq()).cloned();
    let all = at(&series.percentiles);
    let duration = |value: Option<f64>| Cell::optional(value, duration_ms);
    let answered =
        (series.n > 0).then(|| series.n.saturating_sub(series.failures) as f64 / series.n as f64);
    vec![
        Cell::words(model_name(&series.model)).repeated_if(repeats),
        Cell::name(&series.arm).repeated_if(repeats),
        Cell::count(series.n).repeated_if(repeats),
        Cell::optional(answered, share).repeated_if(repeats),
        Cell::figure(percentile_name(p), p),
        duration(all.as_ref().and_then(|one| one.value)),
        duration(all.as_ref().and_then(|one| one.low)),
        duration(all.as_ref().and_then(|one| one.high)),
        duration(at(&series.success_percentiles).and_then(|one| one.value)),
        duration(at(&series.with_retries_percentiles).and_then(|one| one.value)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::report;

    #[test]
    fn the_three_kinds_of_percentiles_stand_side_by_side_with_the_share_answered() {
        let mut report = report();
        let series = &mut report.latency[0];
        (series.n, series.failures) = (1000, 25);
        series.percentiles.truncate(2);
        series.success_percentiles.truncate(1);
        series.with_retries_percentiles.remove(1);
        let table = percentiles("t".to_owned(), "c".to_owned(), &[series]);
        let of_row = |row: usize| -> Vec<&str> {
            table.rows[row].iter().map(|cell| cell.text.as_str()).collect()
        };
        assert_eq!(table.rows.len(), 4);
        assert_eq!(of_row(0)[..5], ["all models", "incumbent", "1,000", "97.5%", "p50"]);
        assert!(of_row(0)[5..].iter().all(|text| text.ends_with(" ms")), "{:?}", of_row(0));
        assert_eq!(of_row(1)[8..], ["–", "–"]);
        assert_eq!(of_row(3)[5..9], ["–", "–", "–", "–"]);
    }

    #[test]
    fn models_are_folded_away_when_there_are_figures_over_all() {
        let report = report();
        let section = section(&report, &ArmStyles::new(&report.arms));
        assert_eq!(section.tables.len(), 2);
        assert_eq!(section.folded[0].tables.len(), 2);
        let models = |table: &Table| -> Vec<String> {
            table.rows.iter().map(|row| row[0].text.clone()).collect()
        };
        assert!(models(&section.tables[0]).iter().all(|model| model == "all models"));
        assert!(models(&section.folded[0].tables[0]).iter().all(|model| model == "gpt-4o"));
    }

    #[test]
    fn thinning_keeps_both_ends_and_no_more_than_asked() {
        let points: Vec<(f64, f64)> = (0..1000).map(|i| (f64::from(i), 0.5)).collect();
        let kept: Vec<(f64, f64)> = thinned(&points, 20).collect();
        assert_eq!(kept.len(), 20);
        assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        assert_eq!(thinned(&points[..3], 20).count(), 3);
        assert_eq!(thinned(&points[..1], 20).count(), 1);
        assert_eq!(thinned(&[], 20).count(), 0);
    }
}
