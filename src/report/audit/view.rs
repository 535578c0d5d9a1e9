//! The content of an audit as formatted sections, facts and tables, the same for every view.

use serde_json::{Map, Value};

use super::plan::{RECORDS, SECTIONS};

use crate::audit::{Audit, AuditColumn, AuditTable, Severity};
use crate::report::format::{self, UNKNOWN};
use crate::report::svg::HeatCell;
use crate::report::table::{Cell, Column, Table};
use crate::report::text::shown;

/// A part of the audit.
#[derive(Debug, Clone)]
pub(crate) struct AuditSection {
    /// The anchor in the page.
    pub id: &'static str,
    /// The heading.
    pub title: &'static str,
    /// What a reader must know before reading the figures.
    pub lead: &'static str,
    /// The tables.
    pub tables: Vec<AuditView>,
}

/// One table with the query that made it.
#[derive(Debug, Clone)]
pub(crate) struct AuditView {
    /// The query's name.
    pub query: &'static str,
    /// How many rows the query has.
    pub rows: usize,
    /// The formatted rows.
    pub table: Table,
    /// What the columns mean; empty where the table says so itself.
    pub columns: Vec<AuditColumn>,
}

/// A figure of the first screen.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    /// What it is.
    pub label: &'static str,
    /// The figure.
    pub value: String,
    /// What it rests on.
    pub detail: String,
}

/// All parts in reading order.
pub(crate) fn sections(audit: &Audit) -> Vec<AuditSection> {
    SECTIONS
        .iter()
        .map(|(id, title, lead, queries)| AuditSection {
            id,
            title,
            lead,
            tables: queries
                .iter()
                .enumerate()
                .filter_map(|(index, (query, caption, columns))| {
                    let table = audit.tables.get(*query)?;
                    let id = format!("{}-{index}", query.replace(['/', '_'], "-"));
                    Some(AuditView {
                        query,
                        rows: table.rows.len(),
                        table: formatted(query, id, caption, columns, table),
                        columns: if RECORDS.contains(query) {
                            Vec::new()
                        } else {
                            table.columns.clone()
                        },
                    })
                })
                .collect(),
        })
        .collect()
}

/// A severity with its symbol, for readers without colours.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Blocker => "✕ blocker",
        Severity::Warning => "! warning",
        Severity::Info => "i info",
    }
}

/// The period and number of exchanges in one line.
pub(crate) fn period(audit: &Audit) -> String {
    let Some(row) = first(audit, "audit/overview") else {
        return "the capture is empty".to_owned();
    };
    let text = |name: &str| row.get(name).and_then(Value::as_str).map_or(UNKNOWN.to_owned(), shown);
    let exchanges = row.get("exchanges").and_then(Value::as_u64).unwrap_or(0);
    format!("{} exchanges, {} to {}", format::count(exchanges), text("first_at"), text("last_at"))
}

/// The figures of the first screen.
pub(crate) fn facts(audit: &Audit) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(row) = first(audit, "audit/sufficiency") {
        facts.push(Fact {
            label: "Covered",
            value: format!("{} days", number(row, "days_covered", |v| format!("{v:.1}"))),
            detail: format!(
                "{} with traffic, {} of 7 weekdays",
                count(row, "days_with_traffic"),
                count(row, "weekdays_present")
            ),
        });
    }
    let projected = |quantity: &str| {
        let rows = &audit.tables.get("audit/projection")?.rows;
        rows.iter().find(|row| row.get("quantity").and_then(Value::as_str) == Some(quantity))
    };
    if let Some(row) = projected("exchanges") {
        facts.push(month("Exchanges a month", row, |value| format::significant(value, 3)));
    }
    let costs = ["recorded_nanousd", "catalogue_nanousd"];
    let known = |quantity: &&str| {
        projected(quantity).filter(|row| row.get("month").is_some_and(Value::is_number))
    };
    if let Some((quantity, row)) = costs.iter().find_map(|q| Some((*q, known(q)?))) {
        let label = if quantity == "recorded_nanousd" {
            "Cost a month"
        } else {
            "Cost a month, list price"
        };
        facts.push(month(label, row, |value| format::usd(value / 1e9)));
    }
    for (measure, label) in [
        ("requests_per_minute", "Requests per minute to ask for"),
        ("tokens_per_minute", "Tokens per minute to ask for"),
    ] {
        let rows = audit.tables.get("audit/peaks").map(|t| t.rows.as_slice()).unwrap_or_default();
        let is_measure =
            |row: &&Map<String, Value>| row.get("measure").and_then(Value::as_str) == Some(measure);
        if let Some(row) = rows.iter().find(is_measure) {
            facts.push(Fact {
                label,
                value: count(row, "ask"),
                detail: format!("peak {}, times 1.2", count(row, "peak")),
            });
        }
    }
    if let Some(row) = first(audit, "audit/overview") {
        facts.push(Fact {
            label: "Can be replayed",
            value: number(row, "replayable_share", format::share),
            detail: format!(
                "{} of {} exchanges",
                count(row, "replayable"),
                count(row, "exchanges")
            ),
        });
    }
    facts
}

fn month(label: &'static str, row: &Map<String, Value>, print: fn(f64) -> String) -> Fact {
    let (low, high) = (float(row, "month_low"), float(row, "month_high"));
    let band = match (low, high) {
        (Some(low), Some(high)) => format!("{} to {}", print(low), print(high)),
        _ => "no band: too few whole days".to_owned(),
    };
    let known = number(row, "known_share", format::share);
    let value = number(row, "month", print);
    Fact { label, value, detail: format!("{band}; known for {known} of exchanges") }
}

/// The 168 hours of the week with their exchanges per hour; none without traffic.
pub(crate) fn hours_of_week(audit: &Audit) -> Vec<HeatCell> {
    let rows = audit.tables.get("audit/hours").map(|t| t.rows.as_slice()).unwrap_or_default();
    rows.iter()
        .map(|row| {
            let value = float(row, "per_hour");
            let day = row.get("weekday").and_then(Value::as_u64).unwrap_or(1);
            let day = crate::report::svg::WEEKDAYS
                .get((day.saturating_sub(1)) as usize)
                .copied()
                .unwrap_or_default();
            let title = format!(
                "{day} {} h: {} exchanges, {} per hour, at most {} in a minute",
                count(row, "hour"),
                count(row, "exchanges"),
                format::optional(value, |value| format::significant(value, 3)),
                count(row, "peak_per_minute"),
            );
            HeatCell { value, title }
        })
        .collect()
}

fn first<'a>(audit: &'a Audit, query: &str) -> Option<&'a Map<String, Value>> {
    audit.tables.get(query)?.rows.first()
}

fn float(row: &Map<String, Value>, name: &str) -> Option<f64> {
    row.get(name).and_then(Value::as_f64)
}

fn number(row: &Map<String, Value>, name: &str, print: impl Fn(f64) -> String) -> String {
    format::optional(float(row, name), print)
}

fn count(row: &Map<String, Value>, name: &str) -> String {
    row.get(name).and_then(Value::as_i64).map_or(UNKNOWN.to_owned(), format::tokens)
}

/// How the figures of a column are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Text,
    Count,
    NanoUsd,
    Share,
    Milliseconds,
    Number,
    YesNo,
}

/// The unit of a column, by its type and the ending of its name.
fn unit(column: &AuditColumn) -> Unit {
    let name = column.name.as_str();
    let base = name.trim_end_matches("_low").trim_end_matches("_high");
    match column.data_type.as_str() {
        "Boolean" => Unit::YesNo,
        "Int64" if base.ends_with("_nanousd") => Unit::NanoUsd,
        "Int64" => Unit::Count,
        "Float64" if base.ends_with("_ms") => Unit::Milliseconds,
        "Float64" if base.ends_with("share") || base.ends_with("rate") => Unit::Share,
        "Float64" => Unit::Number,
        _ => Unit::Text,
    }
}

/// The head of a column: its name in words, without the unit that every cell states.
fn head(column: &AuditColumn) -> String {
    let name = column.name.as_str();
    let bare = name.strip_suffix("_nanousd").or_else(|| name.strip_suffix("_ms")).unwrap_or(name);
    let words = match unit(column) {
        Unit::NanoUsd => format!("cost {bare}"),
        _ => bare.replace('_', " "),
    };
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |c| c.to_uppercase().chain(letters).collect())
}

/// Whether a column is a bound of another, which is printed beside it.
fn is_bound(column: &AuditColumn, columns: &[AuditColumn]) -> bool {
    let name = column.name.as_str();
    let base = name.strip_suffix("_low").or_else(|| name.strip_suffix("_high"));
    base.is_some_and(|base| columns.iter().any(|other| other.name == base))
}

fn formatted(query: &str, id: String, caption: &str, chosen: &[&str], table: &AuditTable) -> Table {
    let mut shown_columns: Vec<&AuditColumn> = table
        .columns
        .iter()
        .filter(|column| !is_bound(column, &table.columns) && column.name != "level")
        .filter(|column| chosen.is_empty() || chosen.contains(&column.name.as_str()))
        .collect();
    let place = |column: &AuditColumn| chosen.iter().position(|name| *name == column.name);
    shown_columns.sort_by_key(|column| place(column));
    if RECORDS.contains(&query) {
        let heads = [Column::text("What"), Column::figure("Value"), Column::text("Meaning")];
        let mut view = Table::new(id, caption, &heads).when_empty("No rows.");
        view.rows = table
            .rows
            .iter()
            .flat_map(|row| {
                shown_columns.iter().map(|column| {
                    let what = Cell::words(head(column));
                    vec![what, cell(column, row), Cell::words(column.meaning.clone())]
                })
            })
            .collect();
        return view;
    }
    let heads: Vec<Column> = shown_columns
        .iter()
        .map(|column| Column {
            label: head(column).into(),
            group: "",
            numeric: !matches!(unit(column), Unit::Text | Unit::YesNo),
        })
        .collect();
    let mut view = Table::new(id, caption, &heads).when_empty(when_empty(query));
    view.rows = table
        .rows
        .iter()
        .map(|row| shown_columns.iter().map(|column| cell(column, row)).collect())
        .collect();
    view
}

fn when_empty(query: &str) -> &'static str {
    match query {
        "audit/model_maps" => "There is no plan, so nothing is mapped yet.",
        "audit/errors" => "Nothing failed.",
        "audit/flaws" => "No record has a flaw.",
        "audit/source_reasons" => "Every line became an exchange, or repeats one.",
        "audit/gaps" => "There are fewer than two exchanges with a time.",
        _ => "The log says nothing of it.",
    }
}

fn cell(column: &AuditColumn, row: &Map<String, Value>) -> Cell {
    let value = row.get(&column.name).unwrap_or(&Value::Null);
    if column.name == "request_model" && row.get("level").and_then(Value::as_str) == Some("all") {
        return Cell::words("all models");
    }
    let unit = unit(column);
    // The projection holds counts and money in the same columns.
    let unit = match row.get("quantity").and_then(Value::as_str) {
        Some(quantity) if quantity.ends_with("_nanousd") && column.name != "n" => match unit {
            Unit::Count if !matches!(column.name.as_str(), "full_days" | "weekdays") => {
                Unit::NanoUsd
            }
            unit => unit,
        },
        _ => unit,
    };
    let print = |value: &Value| printed(unit, value);
    match (unit, value) {
        (_, Value::Null) => Cell::words(UNKNOWN),
        (Unit::Text, Value::String(text)) => Cell::name(text),
        (Unit::YesNo, _) => Cell::words(if value == &Value::Bool(true) { "yes" } else { "no" }),
        _ => {
            let bound = |ending: &str| row.get(&format!("{}_{ending}", column.name));
            let text = match (bound("low"), bound("high")) {
                (Some(low), Some(high)) if !(low.is_null() && high.is_null()) => {
                    format!("{} [{}, {}]", print(value), print(low), print(high))
                }
                _ => print(value),
            };
            Cell::figure(text, value.as_f64().unwrap_or(f64::NAN))
        }
    }
}

fn printed(unit: Unit, value: &Value) -> String {
    let float = value.as_f64();
    match unit {
        _ if value.is_null() => UNKNOWN.to_owned(),
        Unit::Count => value.as_i64().map_or(UNKNOWN.to_owned(), format::tokens),
        Unit::NanoUsd => format::optional(float, |value| format::usd(value / 1e9)),
        Unit::Share => format::optional(float, format::share),
        Unit::Milliseconds => format::optional(float, format::duration_ms),
        Unit::Number => format::optional(float, |value| format::significant(value, 3)),
        Unit::Text | Unit::YesNo => value.as_str().map_or(UNKNOWN.to_owned(), shown),
    }
}
