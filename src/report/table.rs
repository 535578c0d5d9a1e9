//! A table of formatted cells: what HTML and Markdown have in common.

use std::borrow::Cow;

use super::format::{self, UNKNOWN};
use super::text::shown;

/// A table of the report, formatted but not escaped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// The anchor of the table in the page.
    pub id: String,
    /// What the table holds, in a few words.
    pub caption: String,
    /// One entry per column.
    pub columns: Vec<Column>,
    /// One entry per row, with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// A sentence to show when there are no rows.
    pub when_empty: &'static str,
}

/// A column's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// What stands above the column.
    pub label: Cow<'static, str>,
    /// What stands above several columns together; empty when nothing does.
    pub group: &'static str,
    /// Whether the column holds figures, which are set flush right.
    pub numeric: bool,
}

/// Neighbouring columns under one head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnGroup {
    /// The common head.
    pub label: &'static str,
    /// How many columns it spans.
    pub span: usize,
}

/// One cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cell {
    /// The text as a reader sees it.
    pub text: String,
    /// Whether the text is a name, to be set in a fixed-width face.
    pub name: bool,
    /// The value to sort by, for figures.
    pub sort: Option<f64>,
    /// Whether the cell calls for attention.
    pub alert: bool,
    /// Whether the cell repeats the one above it, and may step back.
    pub repeated: bool,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(
        id: impl Into<String>,
        caption: impl Into<String>,
        columns: &[Column],
    ) -> Self {
        Table {
            id: id.into(),
            caption: caption.into(),
            columns: columns.to_vec(),
            rows: Vec::new(),
            when_empty: "Nothing was recorded.",
        }
    }

    /// The same table with another sentence for the case that there are no rows.
    pub(crate) fn when_empty(mut self, sentence: &'static str) -> Self {
        self.when_empty = sentence;
        self
    }

    /// Whether the table has so few columns that a wide page would tear them apart.
    pub(crate) fn is_narrow(&self) -> bool {
        self.columns.len() <= 4
    }

    /// Whether some columns share a head.
    pub(crate) fn is_grouped(&self) -> bool {
        self.columns.iter().any(|column| !column.group.is_empty())
    }

    /// The upper row of heads, left to right.
    pub(crate) fn groups(&self) -> Vec<ColumnGroup> {
        let mut groups: Vec<ColumnGroup> = Vec::new();
        for column in &self.columns {
            match groups.last_mut() {
                Some(last) if last.label == column.group => last.span += 1,
                _ => groups.push(ColumnGroup { label: column.group, span: 1 }),
            }
        }
        groups
    }
}

impl Column {
    /// A column of words.
    pub(crate) const fn text(label: &'static str) -> Self {
        Column { label: Cow::Borrowed(label), group: "", numeric: false }
    }

    /// A column of figures.
    pub(crate) const fn figure(label: &'static str) -> Self {
        Column { label: Cow::Borrowed(label), group: "", numeric: true }
    }

    /// The same column under a head that it shares with its neighbours.
    pub(crate) const fn under(mut self, group: &'static str) -> Self {
        self.group = group;
        self
    }

    /// The whole head in one line.
    pub(crate) fn full_label(&self) -> String {
        if self.group.is_empty() {
            self.label.to_string()
        } else {
            format!("{}: {}", self.group, self.label)
        }
    }
}

impl Cell {
    /// Our own words.
    pub(crate) fn words(text: impl Into<String>) -> Self {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// A sentence that holds data.
    pub(crate) fn sentence(text: &str) -> Self {
        Cell::words(shown(text))
    }

    /// A name from data.
    pub(crate) fn name(text: &str) -> Self {
        Cell { text: shown(text), name: true, ..Cell::default() }
    }

    /// A figure that is formatted already, with the value to sort by.
    pub(crate) fn figure(text: String, value: f64) -> Self {
        Cell { text, sort: (!value.is_nan()).then_some(value), ..Cell::default() }
    }

    /// A figure that may be unknown.
    pub(crate) fn optional(value: Option<f64>, print: impl Fn(f64) -> String) -> Self {
        match value {
            Some(value) => Cell::figure(print(value), value),
            None => Cell::words(UNKNOWN),
        }
    }

    /// A count.
    pub(crate) fn count(value: u64) -> Self {
        Cell::figure(format::count(value), value as f64)
    }

    /// The same cell, marked for attention when `alert` holds.
    pub(crate) fn alert_if(mut self, alert: bool) -> Self {
        self.alert = alert;
        self
    }

    /// The same cell, marked as repeating the one above it when `repeated` holds.
    pub(crate) fn repeated_if(mut self, repeated: bool) -> Self {
        self.repeated = repeated;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_with_the_same_head_share_it() {
        let columns = [
            Column::text("Arm"),
            Column::figure("value").under("All"),
            Column::figure("lower").under("All"),
            Column::figure("value").under("Successes"),
        ];
        let table = Table::new("t", "c", &columns);
        let spans: Vec<(&str, usize)> =
            table.groups().into_iter().map(|group| (group.label, group.span)).collect();
        assert_eq!(spans, [("", 1), ("All", 2), ("Successes", 1)]);
        assert_eq!(columns[2].full_label(), "All: lower");
    }

    #[test]
    fn an_unknown_figure_prints_a_dash_and_sorts_by_nothing() {
        let cell = Cell::optional(None, format::usd);
        assert_eq!((cell.text.as_str(), cell.sort), ("–", None));
    }
}
