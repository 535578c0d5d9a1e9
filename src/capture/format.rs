//! What a log format is to the importer, and the table of all formats.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use crate::dataset::CapturedExchange;

use super::litellm::LiteLlm;
use super::plain::Plain;
use super::reason::{FilterReason, RejectReason};

/// A log format: one JSON record at a time to captured exchanges.
pub trait LogFormat: Sync {
    /// The format's name on the command line and in the column `source_format`.
    fn name(&self) -> &'static str;

    /// How sure it is that these records, the first of a file, are its own.
    fn sniff(&self, first_records: &[Value]) -> Confidence;

    /// Reads one record, which is always an object.
    ///
    /// Place and format of the row are the importer's to fill in.
    fn read(&self, record: &Value, context: &ReadContext) -> Reading;

    /// Members of a record that may hold the request body as it was sent; none where the format
    /// does not keep it whole.
    fn body_members(&self) -> &'static [&'static str] {
        &[]
    }
}

/// What a record turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A captured exchange.
    Exchange(Box<CapturedExchange>),
    /// Readable, but no chat traffic.
    Filtered(FilterReason),
    /// Unusable; the text says what is wrong and where, without content.
    Reject(RejectReason, String),
}

/// What the user states about a log that the log itself does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadContext {
    /// The unit of durations whose name states none.
    pub latency_unit: Option<LatencyUnit>,
}

/// The unit of a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatencyUnit {
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl LatencyUnit {
    /// How many milliseconds one unit is.
    pub fn milliseconds(self) -> f64 {
        match self {
            LatencyUnit::Milliseconds => 1.0,
            LatencyUnit::Seconds => 1_000.0,
        }
    }
}

impl fmt::Display for LatencyUnit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            LatencyUnit::Milliseconds => "ms",
            LatencyUnit::Seconds => "s",
        })
    }
}

impl FromStr for LatencyUnit {
    type Err = UnknownLatencyUnit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ms" => Ok(LatencyUnit::Milliseconds),
            "s" => Ok(LatencyUnit::Seconds),
            _ => Err(UnknownLatencyUnit(text.to_owned())),
        }
    }
}

/// A text that names no [`LatencyUnit`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a unit of latency: use `ms` or `s`")]
pub struct UnknownLatencyUnit(pub String);

/// How sure a format is of a file, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(pub u8);

impl Confidence {
    /// Not this format.
    pub const NONE: Confidence = Confidence(0);
    /// Fields that many formats have; not enough to go by.
    pub const POSSIBLE: Confidence = Confidence(30);
    /// The shape of a general convention, which a more particular format may outbid.
    pub const LIKELY: Confidence = Confidence(70);
    /// Fields that only this format has.
    pub const CERTAIN: Confidence = Confidence(100);

    /// `level` if at least half of the records (and one) have the mark, else none.
    pub fn if_most(records: &[Value], level: Confidence, mark: impl Fn(&Value) -> bool) -> Self {
        let marked = records.iter().filter(|record| mark(record)).count();
        if marked > 0 && marked * 2 >= records.len() { level } else { Confidence::NONE }
    }
}

/// Every format; where two are equally sure, the earlier one reads the file.
pub static FORMATS: &[&dyn LogFormat] = &[&LiteLlm, &Plain];

/// The format of a name.
pub fn format_named(name: &str) -> Option<&'static dyn LogFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// All names, for messages.
pub fn format_names() -> String {
    FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ")
}

/// The format that is surest of these records, if any is sure enough.
pub fn detect(first_records: &[Value]) -> Option<&'static dyn LogFormat> {
    let mut best: Option<(Confidence, &'static dyn LogFormat)> = None;
    for format in FORMATS {
        let confidence = format.sniff(first_records);
        if confidence > Confidence::POSSIBLE && best.is_none_or(|(most, _)| confidence > most) {
            best = Some((confidence, *format));
        }
    }
    best.map(|(_, format)| format)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name(records: &[Value]) -> Option<&'static str> {
        detect(records).map(LogFormat::name)
    }

    #[test]
    fn each_format_knows_its_own_records_and_strangers_belong_to_none() {
        let litellm = json!({"call_type": "acompletion", "startTime": 1.0, "endTime": 2.0,
            "messages": [], "response": {}});
        let plain = json!({"timestamp": 1, "request": {"messages": []}, "response": {}});
        assert_eq!(name(std::slice::from_ref(&litellm)), Some("litellm"));
        assert_eq!(name(std::slice::from_ref(&plain)), Some("plain"));
        assert_eq!(name(&[json!({"level": "info", "msg": "started"})]), None);
        assert_eq!(name(&[]), None);
        assert_eq!(name(&[plain.clone(), json!({"a": 1}), json!({"a": 2})]), None, "a third");
        assert_eq!(name(&[litellm.clone(), litellm, plain]), Some("litellm"));
    }

    #[test]
    fn names_are_unique_and_lead_back_to_their_format() {
        for format in FORMATS {
            assert_eq!(format_named(format.name()).map(LogFormat::name), Some(format.name()));
        }
        assert!(format_named("nothing").is_none());
    }
}
