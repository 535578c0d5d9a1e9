//! Charts as inline SVG, drawn here and complete without script.
//!
//! Every chart carries `<title>` and `<desc>`; every mark carries the class `mark` and data
//! attributes that name what it shows, so that a test can count marks against the report. Colours
//! are CSS variables of the page, so that light, dark and print follow its style sheet.

mod arm_style;
mod axis;
mod box_plot;
mod cost_bars;
mod criterion_interval;
mod ecdf;
mod element;
mod error_timeline;
mod heat_map;
mod load_chart;
mod scale;

pub(crate) use arm_style::ArmStyles;
pub(crate) use box_plot::box_plot;
pub(crate) use cost_bars::cost_bars;
pub(crate) use criterion_interval::criterion_interval;
pub(crate) use ecdf::ecdf;
pub(crate) use element::Element;
pub(crate) use error_timeline::error_timeline;
pub(crate) use heat_map::{HeatCell, WEEKDAYS, heat_map};
pub(crate) use load_chart::{LoadMeasure, load_chart};

/// Width of every chart in user units; a chart fits a phone's column at about one pixel per unit.
const WIDTH: f64 = 400.0;

/// The root of a chart: size, accessible name and description.
fn chart(id: &str, class: &str, height: f64, title: &str, description: &str) -> Element {
    let (title_id, description_id) = (format!("{id}-title"), format!("{id}-desc"));
    Element::new("svg")
        .attribute("id", id)
        .class(format!("chart {class}"))
        .attribute("viewBox", format!("0 0 {WIDTH} {}", element::coordinate(height)))
        .attribute("role", "img")
        .attribute("aria-labelledby", format!("{title_id} {description_id}"))
        .child(Element::new("title").attribute("id", title_id).text(title))
        .child(Element::new("desc").attribute("id", description_id).text(description))
}
