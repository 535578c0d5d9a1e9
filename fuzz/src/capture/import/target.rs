//! One target for all readers of logs.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Once};

use serde_json::Value;

use crate::capture::format::{
    Confidence, LatencyUnit, LogFormat, ReadContext, Reading, format_named,
};
use crate::capture::frame::{Chunk, Framing, Units};
use crate::capture::redact::{Redactor, SecretsOnly};
use crate::capture::targets::all_personal_data;
use crate::capture::{Mapping, RejectReason};

use super::parse::{Item, Parser};
use super::row::check_row;

/// The longest unit that is read.
const CAP: usize = 1 << 20;

/// The mapping of the sample of an own log.
static MAPPING: LazyLock<Arc<Mapping>> = LazyLock::new(|| {
    let text = include_str!("../../../../sample-data/captures/mapped.toml");
    Arc::new(Mapping::parse(text).expect("the sample's mapping is sound"))
});

/// Imports the bytes as a file of a format: framing, units, records, rows, parts put together,
/// redaction.
pub fn reader(format: &str, data: &[u8]) {
    stay_on_this_thread();
    let format = format_named(format).expect("a target is named after a format");
    let Some(framing) = framing(format, data) else { return };
    let context = context(format, data.len());
    let chunks = chunks(&framing, data);
    for unit in units(&chunks) {
        check_reading(format, &framing, &context, unit);
    }
    for redactor in [&SecretsOnly as &dyn Redactor, all_personal_data()] {
        let (file, context, framing) = ("logs/fuzz", &context, &framing);
        import(&Parser { file, framing, format, context, redactor, cut: false }, &chunks);
    }
}

/// Has the parser's parallel loops run on the thread of the fuzzer, which is quicker for short
/// inputs and the same every time.
fn stay_on_this_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread();
        pool.build_global().expect("no pool was built before");
    });
}

/// What the user states besides, chosen by the length of the input.
fn context(format: &dyn LogFormat, length: usize) -> ReadContext {
    let takes_mapping = ["aws_api_gateway", "apigee", "google_cloud", "nginx", "haproxy"];
    let is_mapped = format.name() == "mapped"
        || (takes_mapping.contains(&format.name()) && length.is_multiple_of(2));
    ReadContext {
        latency_unit: match length % 3 {
            0 => None,
            1 => Some(LatencyUnit::Milliseconds),
            _ => Some(LatencyUnit::Seconds),
        },
        utc_offset_s: (length % 5 == 4).then_some(-5 * 3_600),
        mapping: is_mapped.then(|| Arc::clone(&MAPPING)),
    }
}

/// The framing that the importer takes if the user names the format.
fn framing(format: &dyn LogFormat, data: &[u8]) -> Option<Framing> {
    if data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data).trim_ascii().is_empty() {
        return None;
    }
    let framings = Framing::candidates(data, true);
    let fits = |framing: &&Framing| {
        let chunks = chunks(framing, data);
        let records = units(&chunks).flat_map(|unit| framing.decode(unit).records);
        let first: Vec<Value> = records.flatten().take(20).collect();
        format.sniff(&first) > Confidence::NONE
    };
    framings.iter().find(fits).or(framings.first()).cloned()
}

/// All units but the header.
fn chunks(framing: &Framing, data: &[u8]) -> Vec<Chunk> {
    let mut units = Units::new(data, framing.scanner(), CAP);
    let mut chunks: Vec<Chunk> = std::iter::from_fn(|| units.next_chunk()).collect();
    if framing.has_header()
        && let Some(first) = chunks.iter_mut().find(|chunk| !chunk.lines.is_empty())
    {
        first.lines.remove(0);
    }
    chunks
}

fn units(chunks: &[Chunk]) -> impl Iterator<Item = &[u8]> {
    chunks.iter().flat_map(|chunk| chunk.lines.iter().map(|line| chunk.text(line)))
}

/// Every record comes to something, and a format that reads a record from its text reads what it
/// reads from the parsed record, or leaves it alone.
fn check_reading(format: &dyn LogFormat, framing: &Framing, context: &ReadContext, unit: &[u8]) {
    let decoded = framing.decode(unit);
    // Only empty lists hold no record.
    let is_list = unit.iter().all(|byte| b"[], \t\r\n".contains(byte));
    assert!(!decoded.records.is_empty() || is_list, "a unit holds nothing, not even a fault");
    let readings = decoded.records.iter().flatten().map(|record| format.read(record, context));
    let readings: Vec<Vec<Reading>> = readings.collect();
    assert!(readings.iter().all(|readings| !readings.is_empty()), "a record vanishes");
    let text = std::str::from_utf8(unit).ok().filter(|_| framing.is_json());
    let Some(read) = text.and_then(|text| format.read_text(text, context)) else { return };
    assert_eq!(vec![vec![read]], readings, "the shortcut reads otherwise");
    assert!(decoded.flaws.is_empty(), "the shortcut hides {:?}", decoded.flaws);
}

fn import(parser: &Parser<'_>, chunks: &[Chunk]) {
    let mut groups: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for item in chunks.iter().flat_map(|chunk| parser.parse(chunk)) {
        match item {
            Item::Row(row) => check_row(&row.exchange, parser.redactor),
            Item::Part(part, _) => {
                // Parts wait as text, which may spell a number otherwise.
                let record = part.record.to_string();
                let record = serde_json::from_str(&record).expect("a part is JSON");
                groups.entry(part.key).or_default().push(record);
            }
            Item::Reject(row) => {
                let word = RejectReason::ALL.iter().any(|reason| reason.as_str() == row.reason);
                assert!(word && !row.detail.is_empty(), "{row:?}");
                assert!(!row.excerpt.chars().any(char::is_control), "{row:?}");
            }
            Item::Filtered(_) => {}
            Item::Cut(_) => panic!("nothing was cut"),
        }
    }
    for mut parts in groups.into_values() {
        join(parser, &parts);
        parts.reverse();
        join(parser, &parts);
    }
}

/// Parts lead to a reading each, or are merged into one that another part leads to.
fn join(parser: &Parser<'_>, parts: &[Value]) {
    let readings = parser.format.join(parts, parser.context);
    assert!(!readings.is_empty(), "{} parts come to nothing", parts.len());
    for (at, reading) in readings {
        assert!(at < parts.len(), "part {at} of {} leads", parts.len());
        match reading {
            Reading::Exchange(row) => {
                check_row(&parser.row(row, at as u64 + 1).exchange, parser.redactor);
            }
            Reading::Part(part) => panic!("parts were put together to a part: {}", part.key),
            Reading::Filtered(_) | Reading::Reject(..) => {}
        }
    }
}
