//! The table `[fields]`: which names there are, and the unit that each needs.

use std::collections::BTreeMap;

use toml::Value as Toml;

use super::error::MappingError;
use super::field_path::FieldPath;

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Duration,
    Money,
}

impl Kind {
    /// What one unit is in milliseconds, or in nano-dollars.
    fn factor(self, unit: &str) -> Option<f64> {
        match (self, unit) {
            (Kind::Duration, "ns") => Some(1e-6),
            (Kind::Duration, "us") => Some(1e-3),
            (Kind::Duration, "ms") | (Kind::Money, "nanousd") => Some(1.0),
            (Kind::Duration, "s") => Some(1e3),
            (Kind::Money, "usd") => Some(1e9),
            (Kind::Money, "cents") => Some(1e7),
            _ => None,
        }
    }

    fn units(self) -> &'static str {
        match self {
            Kind::Plain => "none",
            Kind::Duration => "`ns`, `us`, `ms`, `s`",
            Kind::Money => "`usd`, `cents`, `nanousd`",
        }
    }
}

/// Every field that a mapping may name, in alphabetical order.
const FIELDS: &[(&str, Kind)] = &[
    ("cache_creation_input_tokens", Kind::Plain),
    ("cache_hit", Kind::Plain),
    ("cache_read_input_tokens", Kind::Plain),
    ("captured_at", Kind::Plain),
    ("cost", Kind::Money),
    ("endpoint", Kind::Plain),
    ("error_message", Kind::Plain),
    ("input_tokens", Kind::Plain),
    ("latency_ms", Kind::Duration),
    ("method", Kind::Plain),
    ("operation", Kind::Plain),
    ("output_tokens", Kind::Plain),
    ("provider", Kind::Plain),
    ("reasoning_output_tokens", Kind::Plain),
    ("request_body", Kind::Plain),
    ("request_id", Kind::Plain),
    ("request_model", Kind::Plain),
    ("response_body", Kind::Plain),
    ("response_model", Kind::Plain),
    ("response_text", Kind::Plain),
    ("retries", Kind::Plain),
    ("route", Kind::Plain),
    ("session_id", Kind::Plain),
    ("status_code", Kind::Plain),
    ("stream", Kind::Plain),
    ("tags", Kind::Plain),
    ("tenant", Kind::Plain),
    ("ttfb_ms", Kind::Duration),
    ("ttft_ms", Kind::Duration),
    ("user_id", Kind::Plain),
];

/// Where a field stands, and what one of its units is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    pub(super) path: FieldPath,
    pub(super) factor: f64,
}

/// Reads the table `[fields]`.
pub(super) fn sources(
    table: &BTreeMap<String, Toml>,
) -> Result<BTreeMap<&'static str, Source>, MappingError> {
    let mut sources = BTreeMap::new();
    for (field, value) in table {
        let Some((name, kind)) = FIELDS.iter().find(|(name, _)| name == field) else {
            let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
            return Err(MappingError::UnknownField {
                field: field.clone(),
                known: known.join(", "),
            });
        };
        sources.insert(*name, source(field, *kind, value)?);
    }
    Ok(sources)
}

fn source(field: &str, kind: Kind, value: &Toml) -> Result<Source, MappingError> {
    let not_a_path = || MappingError::NotAPath { field: field.to_owned() };
    let (path, unit) = match value {
        Toml::String(path) => (path.as_str(), None),
        Toml::Table(table) => {
            if table.keys().any(|key| key != "path" && key != "unit") {
                return Err(not_a_path());
            }
            let path = table.get("path").and_then(Toml::as_str).ok_or_else(not_a_path)?;
            let unit = table.get("unit").map(|unit| unit.as_str().ok_or_else(not_a_path));
            (path, unit.transpose()?)
        }
        _ => return Err(not_a_path()),
    };
    let factor = match (kind, unit) {
        (Kind::Plain, None) => 1.0,
        (_, None) => {
            return Err(MappingError::NoUnit { field: field.to_owned(), units: kind.units() });
        }
        (_, Some(unit)) => kind.factor(unit).ok_or_else(|| MappingError::UnknownUnit {
            field: field.to_owned(),
            unit: unit.to_owned(),
            units: kind.units(),
        })?,
    };
    let path = FieldPath::parse(path).map_err(|fault| MappingError::BadPath {
        field: field.to_owned(),
        path: path.to_owned(),
        fault,
    })?;
    Ok(Source { path, factor })
}
