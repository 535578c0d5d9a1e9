//! A week as 7 by 24 cells, the darker the busier.

use super::element::{Element, coordinate, label, rectangle};

const CELL: f64 = 28.0;
const LEFT: f64 = 40.0;
const TOP: f64 = 22.0;
const HOURS: usize = 24;

/// The names of the days, the first is Monday.
pub(crate) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// One hour of the week.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeatCell {
    /// The value; `None` where nothing was observed.
    pub value: Option<f64>,
    /// What the cell says in words.
    pub title: String,
}

/// The map; `cells` are the hours of the week from Monday 0 h on.
///
/// Shade is proportional to the value, and zero keeps a trace of it, so that a cell without
/// observation, which is hatched by a dash, is told from one without traffic.
pub(crate) fn heat_map(id: &str, title: &str, description: &str, cells: &[HeatCell]) -> Element {
    let most = cells.iter().filter_map(|cell| cell.value).fold(0.0, f64::max);
    let (title_id, description_id) = (format!("{id}-title"), format!("{id}-desc"));
    let width = LEFT + CELL * HOURS as f64;
    let height = TOP + CELL * WEEKDAYS.len() as f64;
    let mut map = Element::new("svg")
        .attribute("id", id)
        .class("heat-map")
        .attribute("viewBox", format!("0 0 {} {}", coordinate(width), coordinate(height)))
        .attribute("role", "img")
        .attribute("aria-labelledby", format!("{title_id} {description_id}"))
        .child(Element::new("title").attribute("id", title_id).text(title))
        .child(Element::new("desc").attribute("id", description_id).text(description));
    for (day, name) in WEEKDAYS.iter().enumerate() {
        let y = TOP + CELL * (day as f64 + 0.62);
        map = map.child(label("tick", (LEFT - 8.0, y), "end", name));
    }
    for hour in (0..HOURS).step_by(3) {
        let x = LEFT + CELL * (hour as f64 + 0.5);
        map = map.child(label("tick", (x, TOP - 8.0), "middle", &format!("{hour} h")));
    }
    map.children(cells.iter().enumerate().map(|(index, cell)| {
        let corner =
            (LEFT + CELL * (index % HOURS) as f64 + 1.0, TOP + CELL * (index / HOURS) as f64 + 1.0);
        let opacity = match cell.value {
            Some(value) if most > 0.0 => 0.06 + 0.94 * (value / most).clamp(0.0, 1.0),
            Some(_) => 0.06,
            None => 0.0,
        };
        rectangle("mark heat", corner, (CELL - 2.0, CELL - 2.0))
            .attribute("fill-opacity", format!("{opacity:.2}"))
            .titled(cell.title.clone())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hour_has_a_cell_and_the_busiest_is_darkest() {
        let mut cells = vec![HeatCell { value: Some(0.0), title: String::new() }; 168];
        cells[30] = HeatCell { value: Some(8.0), title: "Tue <6 h>".to_owned() };
        cells[31] = HeatCell { value: None, title: "unseen".to_owned() };
        let drawn = heat_map("h", "t", "d", &cells).to_string();
        assert_eq!(drawn.matches("mark heat").count(), 168);
        assert_eq!(drawn.matches("fill-opacity=\"1.00\"").count(), 1);
        assert_eq!(drawn.matches("fill-opacity=\"0.00\"").count(), 1);
        assert!(drawn.contains("Tue &lt;6 h&gt;"), "{drawn}");
    }
}
