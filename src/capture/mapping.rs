//! Which field of an own log means what, as the user writes it in TOML.
//!
//! ```toml
//! all_requests = false         # keep calls whose path is no known model API
//!
//! [fields]                     # path in the record; quotes around names with a dot
//! captured_at = "ts"
//! latency_ms = { path = "timing.total", unit = "s" }    # ns, us, ms, s: never left to a guess
//! cost = { path = "price", unit = "cents" }             # usd, cents, nanousd
//! request_body = "req"         # an object, a text of JSON, or the list of messages alone
//! response_body = "resp"       # an object, a text of JSON, or a recorded stream of events
//! response_text = "answer"     # the bare text of the answer, even if that is JSON
//!
//! [time]
//! zone = "+02:00"              # of times that state none
//! at = "end"                   # what `captured_at` is: "start" (default) or "end" of the call
//!
//! [usage]
//! input_includes_cached = true # required where cached tokens are mapped
//!
//! [constants]                  # where a record does not say it
//! provider = "openai"
//!
//! [paths]                      # what own paths are; `*` at the end stands for anything
//! "/prod/chat" = "/v1/chat/completions"
//! "/prod/rank*" = "rerank"
//! ```
//!
//! The same mapping serves the format `mapped`, where it says everything, and the formats of access
//! logs, where it adds to what they know or overrules it.

#[path = "mapping/error.rs"]
mod error;
#[path = "mapping/field_path.rs"]
mod field_path;
#[path = "mapping/fields.rs"]
mod fields;
#[cfg(test)]
#[path = "mapping/tests.rs"]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::FixedOffset;
use serde::Deserialize;
use serde_json::Value;

use crate::provider::endpoint;

pub use error::MappingError;

use fields::Source;

/// What a call can be for, as the column `operation` has it.
pub(super) const OPERATIONS: &[&str] = &[
    "chat",
    "text_completion",
    "embeddings",
    "image",
    "audio",
    "moderation",
    "rerank",
    "realtime",
    "other",
];

/// Where a latency can have been measured, as the column `latency_scope` has it.
const SCOPES: &[&str] = &["client", "gateway", "upstream", "provider", "engine"];

/// A mapping of an own log's fields, read and checked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping {
    fields: BTreeMap<&'static str, Source>,
    paths: Vec<(String, PathMeaning)>,
    utc_offset_s: Option<i32>,
    pub(super) at_end: bool,
    pub(super) input_includes_cached: bool,
    pub(super) all_requests: bool,
    pub(super) constants: Constants,
}

/// What a path of the log stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PathMeaning {
    /// The path of a model's API that it stands for.
    Api(String),
    /// What is asked for there, in the service's own form.
    Operation(&'static str),
}

/// Values for every record that does not state them.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Constants {
    pub(super) provider: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) request_model: Option<String>,
    pub(super) route: Option<String>,
    pub(super) tenant: Option<String>,
    pub(super) latency_scope: Option<String>,
    pub(super) stream: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    all_requests: bool,
    #[serde(default)]
    fields: BTreeMap<String, toml::Value>,
    #[serde(default)]
    time: TimeTable,
    #[serde(default)]
    usage: UsageTable,
    #[serde(default)]
    constants: Constants,
    #[serde(default)]
    paths: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeTable {
    zone: Option<String>,
    #[serde(default)]
    at: At,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum At {
    #[default]
    Start,
    End,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct UsageTable {
    input_includes_cached: Option<bool>,
}

impl Mapping {
    /// Reads and checks a mapping.
    pub fn parse(text: &str) -> Result<Mapping, MappingError> {
        let document: Document =
            toml::from_str(text).map_err(|error| MappingError::Syntax(error.to_string()))?;
        let fields = fields::sources(&document.fields)?;
        let at_end = document.time.at == At::End;
        if at_end && fields.contains_key("captured_at") && !fields.contains_key("latency_ms") {
            return Err(MappingError::EndWithoutLatency);
        }
        let cached = ["cache_read_input_tokens", "cache_creation_input_tokens"];
        let cached = cached.into_iter().find(|name| fields.contains_key(name));
        let includes = document.usage.input_includes_cached;
        if let (Some(name), None, true) = (cached, includes, fields.contains_key("input_tokens")) {
            return Err(MappingError::CachedTokensUndecided(name));
        }
        let one_of = |key: &str, value: &Option<String>, known: &[&str]| match value {
            Some(value) if !known.contains(&value.as_str()) => Err(MappingError::UnknownWord {
                key: format!("constants.{key}"),
                value: value.clone(),
                known: known.join(", "),
            }),
            _ => Ok(()),
        };
        one_of("operation", &document.constants.operation, OPERATIONS)?;
        one_of("latency_scope", &document.constants.latency_scope, SCOPES)?;
        Ok(Mapping {
            fields,
            paths: document.paths.into_iter().map(path_meaning).collect::<Result<_, _>>()?,
            utc_offset_s: document.time.zone.as_deref().map(utc_offset_s).transpose()?,
            at_end,
            input_includes_cached: includes.unwrap_or(true),
            all_requests: document.all_requests,
            constants: document.constants,
        })
    }

    /// Whether it says enough to read a log by it alone.
    pub fn check_complete(&self) -> Result<(), MappingError> {
        if self.fields.contains_key("captured_at") {
            Ok(())
        } else {
            Err(MappingError::MissingField("captured_at"))
        }
    }

    /// Whether a field is mapped at all.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The value of a field in a record, unless it is missing or null.
    pub(super) fn value<'r>(&self, field: &str, record: &'r Value) -> Option<Cow<'r, Value>> {
        self.fields.get(field)?.path.find(record)
    }

    /// What one unit of a field is: in milliseconds for durations, in nano-dollars for money.
    pub(super) fn factor(&self, field: &str) -> f64 {
        self.fields.get(field).map_or(1.0, |source| source.factor)
    }

    /// What a path of the log stands for; the longest pattern that fits counts.
    pub(super) fn meaning(&self, path: &str) -> Option<&PathMeaning> {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == pattern,
        };
        let fitting = self.paths.iter().filter(|(pattern, _)| fits(pattern));
        fitting.max_by_key(|(pattern, _)| pattern.len()).map(|(_, meaning)| meaning)
    }

    /// Where the latency is measured, if the mapping says so.
    pub(super) fn scope(&self) -> Option<&'static str> {
        let scope = self.constants.latency_scope.as_deref()?;
        SCOPES.iter().find(|known| **known == scope).copied()
    }

    /// The zone of times that state none, seconds east of UTC; one on the command line counts
    /// before that of the mapping.
    pub(super) fn zone_or(&self, stated: Option<i32>) -> Option<i32> {
        stated.or(self.utc_offset_s)
    }
}

fn path_meaning((path, meaning): (String, String)) -> Result<(String, PathMeaning), MappingError> {
    if meaning.starts_with('/') {
        if endpoint(&meaning).is_none() {
            return Err(MappingError::UnknownApi { path, meaning });
        }
        return Ok((path, PathMeaning::Api(meaning)));
    }
    match OPERATIONS.iter().find(|operation| **operation == meaning) {
        Some(operation) => Ok((path, PathMeaning::Operation(operation))),
        None => Err(MappingError::UnknownWord {
            key: format!("paths.\"{path}\""),
            value: meaning,
            known: OPERATIONS.join(", "),
        }),
    }
}

fn utc_offset_s(zone: &str) -> Result<i32, MappingError> {
    if matches!(zone, "Z" | "z" | "UTC" | "GMT") {
        return Ok(0);
    }
    let offset: Result<FixedOffset, _> = zone.parse();
    offset
        .map(|offset| offset.local_minus_utc())
        .map_err(|_| MappingError::BadZone(zone.to_owned()))
}
