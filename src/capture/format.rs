//! What a log format is to the importer, and the table of all formats.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde_json::Value;

use crate::dataset::CapturedExchange;

use super::access::{Apigee, AwsApiGateway, GoogleCloud, HaProxy, Mapped, Nginx};
use super::azure::{AzureApim, AzureOpenAi};
use super::bedrock::Bedrock;
use super::cloudflare::Cloudflare;
use super::goreplay::GoReplay;
use super::har::Har;
use super::helicone::Helicone;
use super::kong::Kong;
use super::langfuse::Langfuse;
use super::langsmith::LangSmith;
use super::litellm::LiteLlm;
use super::litellm_batch::LiteLlmBatch;
use super::litellm_spend::LiteLlmSpendLogs;
use super::load_trace::{AzureLlmTrace, BurstGpt, Mooncake};
use super::mapping::Mapping;
use super::mitmproxy::Mitmproxy;
use super::openai_batch::OpenAiBatch;
use super::openai_stored::OpenAiStored;
use super::openrouter::OpenRouter;
use super::otlp::Otlp;
use super::plain::Plain;
use super::portkey::Portkey;
use super::reason::{FilterReason, RejectReason};

/// A log format: records to captured exchanges.
///
/// A record is what the framing of the file makes of it: an object for JSON, for a
/// row of CSV (every value a text), for a flow of mitmproxy, for a message of GoReplay and for a row
/// of Parquet; a text for a line of anything else.
pub trait LogFormat: Sync {
    /// The format's name on the command line and in the column `source_format`.
    fn name(&self) -> &'static str;

    /// What writes such logs, in a few words.
    fn title(&self) -> &'static str;

    /// How sure it is that these records, the first of a file, are its own.
    fn sniff(&self, first_records: &[Value]) -> Confidence;

    /// Reads one record, which may hold several exchanges or only a part of one.
    ///
    /// Place and format of the row are the importer's to fill in.
    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading>;

    /// Reads a record from its text, where that is faster than from a parsed value; `None` leaves
    /// it to [`LogFormat::read`].
    fn read_text(&self, _text: &str, _context: &ReadContext) -> Option<Reading> {
        None
    }

    /// Puts the parts of one key together, in the order in which they were read.
    ///
    /// Each reading names the part whose place in the log it takes.
    fn join(&self, _parts: &[Value], _context: &ReadContext) -> Vec<(usize, Reading)> {
        Vec::new()
    }

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
    /// A part of an exchange, which other records of the import complete.
    Part(Part),
    /// Readable, but no model traffic.
    Filtered(FilterReason),
    /// Unusable; the text says what is wrong and where, without content.
    Reject(RejectReason, String),
}

/// A part of an exchange.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// What the parts of one exchange have in common, such as a trace or a call identifier.
    pub key: String,
    /// What [`LogFormat::join`] needs of it.
    pub record: Value,
}

impl Reading {
    /// A row as the one reading of a record.
    pub fn row(row: CapturedExchange) -> Vec<Reading> {
        vec![Reading::Exchange(Box::new(row))]
    }

    /// A filter reason as the one reading of a record.
    pub fn filtered(reason: FilterReason) -> Vec<Reading> {
        vec![Reading::Filtered(reason)]
    }

    /// A rejection as the one reading of a record.
    pub fn reject(reason: RejectReason, detail: impl Into<String>) -> Vec<Reading> {
        vec![Reading::Reject(reason, detail.into())]
    }
}

/// What the user states about a log that the log itself does not say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadContext {
    /// The unit of durations whose name states none.
    pub latency_unit: Option<LatencyUnit>,
    /// The zone of times that state none, seconds east of UTC.
    pub utc_offset_s: Option<i32>,
    /// Which field of an own log means what.
    pub mapping: Option<Arc<Mapping>>,
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
pub static FORMATS: &[&dyn LogFormat] = &[
    &LiteLlm,
    &LiteLlmSpendLogs,
    &LiteLlmBatch,
    &OpenAiBatch,
    &OpenAiStored,
    &Plain,
    &Otlp,
    &Langfuse,
    &LangSmith,
    &Helicone,
    &Bedrock,
    &Kong,
    &Portkey,
    &Cloudflare,
    &OpenRouter,
    &AzureApim,
    &AzureOpenAi,
    &Har,
    &Mitmproxy,
    &GoReplay,
    &AwsApiGateway,
    &Apigee,
    &GoogleCloud,
    &Nginx,
    &HaProxy,
    &Mapped,
    &AzureLlmTrace,
    &BurstGpt,
    &Mooncake,
];

/// The format of a name.
pub fn format_named(name: &str) -> Option<&'static dyn LogFormat> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The format that is surest of these records, if any is sure enough, and how sure it is.
pub fn detect(first_records: &[Value]) -> Option<(&'static dyn LogFormat, Confidence)> {
    let mut best: Option<(Confidence, &'static dyn LogFormat)> = None;
    for format in FORMATS {
        let confidence = format.sniff(first_records);
        if confidence > Confidence::POSSIBLE && best.is_none_or(|(most, _)| confidence > most) {
            best = Some((confidence, *format));
        }
    }
    best.map(|(confidence, format)| (format, confidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name(records: &[Value]) -> Option<&'static str> {
        detect(records).map(|(format, _)| format.name())
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
