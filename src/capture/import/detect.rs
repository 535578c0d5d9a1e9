//! Which framing and which format a file is in.

use serde_json::Value;

use super::super::error::ImportError;
use super::super::format::{Confidence, LogFormat, detect, format_named};
use super::super::frame::{Framing, Units};
use super::super::source::Source;

/// How many records a format is told by.
const SNIFFED_RECORDS: usize = 20;

/// How a file is read.
pub(super) struct Detected {
    pub(super) framing: Framing,
    pub(super) format: &'static dyn LogFormat,
    /// How sure the format is; absent if the user named it.
    pub(super) confidence: Option<Confidence>,
}

/// Formats that a mapping adds to; a file of which no format is certain is read by it alone.
const MAPPED_FORMATS: &[&str] = &["aws_api_gateway", "apigee", "google_cloud", "nginx", "haproxy"];

/// Tells framing and format by the first bytes of a source; `None` if it is empty.
pub(super) fn detect_format(
    file: &str,
    source: &Source,
    forced: Option<&'static dyn LogFormat>,
    has_mapping: bool,
) -> Result<Option<Detected>, ImportError> {
    let detected = by_content(file, source, forced);
    if !has_mapping || forced.is_some() {
        return detected;
    }
    match detected {
        Ok(Some(found))
            if MAPPED_FORMATS.contains(&found.format.name())
                || found.confidence >= Some(Confidence::CERTAIN) =>
        {
            Ok(Some(found))
        }
        Ok(None) => Ok(None),
        _ => by_content(file, source, format_named("mapped")),
    }
}

fn by_content(
    file: &str,
    source: &Source,
    forced: Option<&'static dyn LogFormat>,
) -> Result<Option<Detected>, ImportError> {
    let (head, is_whole) = source.head();
    if head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii().is_empty() {
        return Ok(None);
    }
    let framings = Framing::candidates(head, is_whole);
    if let Some(format) = forced {
        let fits = |framing: &&Framing| {
            format.sniff(&first_records(framing, head, is_whole).0) > Confidence::NONE
        };
        let framing = framings.iter().find(fits).or(framings.first()).cloned();
        let forced = |framing| Detected { framing, format, confidence: None };
        return Ok(framing.map(forced));
    }
    let mut best: Option<Detected> = None;
    let mut problem: Option<String> = None;
    for framing in framings {
        let (records, fault) = first_records(&framing, head, is_whole);
        match detect(&records) {
            Some((format, confidence)) => {
                let confidence = Some(confidence);
                if best.as_ref().is_none_or(|best| confidence > best.confidence) {
                    best = Some(Detected { framing, format, confidence });
                }
            }
            None => {
                problem.get_or_insert(match fault {
                    Some(fault) if records.is_empty() => fault,
                    _ => "its records have no fields by which a format is known".to_owned(),
                });
            }
        }
    }
    match best {
        Some(detected) => Ok(Some(detected)),
        None => Err(ImportError::UnknownFormat {
            file: file.to_owned(),
            problem: problem.unwrap_or_default(),
        }),
    }
}

/// The first records of a file in a framing, and the first fault among them.
fn first_records(framing: &Framing, head: &[u8], is_whole: bool) -> (Vec<Value>, Option<String>) {
    let mut units = Units::new(head, framing.scanner(), head.len().max(1));
    let mut records: Vec<Value> = Vec::new();
    let mut fault = None;
    let mut skips = usize::from(framing.has_header());
    while let Some(chunk) = units.next_chunk() {
        for line in &chunk.lines {
            if std::mem::take(&mut skips) > 0 {
                continue;
            }
            // The last unit may be cut by the end of the head.
            if line.unended && !is_whole && !records.is_empty() {
                continue;
            }
            for record in framing.decode(chunk.text(line)).records {
                match record {
                    Ok(record) => records.push(record),
                    Err(found) => {
                        fault = fault.or(Some(format!(
                            "no line is a record; line {}: {}",
                            line.number, found.detail
                        )));
                    }
                }
            }
            if records.len() >= SNIFFED_RECORDS {
                records.truncate(SNIFFED_RECORDS);
                return (records, fault);
            }
        }
    }
    (records, fault)
}
