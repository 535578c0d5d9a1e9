//! Units to rows, on all cores, in order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dataset::{CapturedExchange, RejectRow};

use super::super::body::refingerprint;
use super::super::format::{LogFormat, Part, ReadContext, Reading};
use super::super::frame::{Chunk, Fault, Framing, Line};
use super::super::reason::{FilterReason, RejectReason};
use super::super::redact::{Redactor, SecretScrubber};
use super::super::reject::reject_row;
use super::super::row::Row;

/// Units longer than this are read one after the other, as each takes several times its length.
const LONG_UNIT_BYTES: usize = 4 << 20;

/// What became of a record.
#[derive(Debug)]
pub(super) enum Item {
    /// An exchange.
    Row(Row),
    /// A part of an exchange, and where it stood.
    Part(Part, Place),
    /// Set aside.
    Reject(RejectRow),
    /// No model traffic.
    Filtered(FilterReason),
    /// The unfinished last unit of a source that could not be read to its end: its bytes. It is
    /// no line of the log.
    Cut(usize),
}

/// Where a record stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) offset: u64,
}

/// Reads the units of one file.
#[derive(Clone, Copy)]
pub(super) struct Parser<'a> {
    pub(super) file: &'a str,
    pub(super) framing: &'a Framing,
    pub(super) format: &'static dyn LogFormat,
    pub(super) context: &'a ReadContext,
    pub(super) redactor: &'a dyn Redactor,
}

impl Parser<'_> {
    /// All records of a chunk in the order of the units; one unit may hold several. `cut` says that
    /// reading failed right after them.
    pub(super) fn parse(&self, chunk: &Chunk, cut: bool) -> Vec<Item> {
        let is_long = |line: &Line| line.range.len() > LONG_UNIT_BYTES;
        if chunk.lines.iter().any(is_long) {
            return chunk.lines.iter().flat_map(|line| self.unit(chunk, line, cut)).collect();
        }
        chunk.lines.par_iter().flat_map_iter(|line| self.unit(chunk, line, cut)).collect()
    }

    fn unit(&self, chunk: &Chunk, line: &Line, cut: bool) -> Vec<Item> {
        let text = chunk.text(line);
        if let Some(bytes) = line.oversize {
            let detail = format!("the line has {bytes} bytes, over the cap");
            return vec![self.reject(RejectReason::LineTooLong, detail, text, line)];
        }
        if let Some(item) = self.fast(text, line) {
            return vec![item];
        }
        let decoded = self.framing.decode(text);
        let alone = decoded.records.len() == 1 && self.framing.is_json();
        let mut items = Vec::with_capacity(decoded.records.len());
        for record in decoded.records {
            match record {
                Ok(record) => {
                    for reading in self.format.read(&record, self.context) {
                        items.push(self.item(reading, text, line, &decoded.flaws, alone));
                    }
                }
                Err(_) if cut && line.unended => items.push(Item::Cut(text.len())),
                Err(Fault { reason, detail }) => {
                    items.push(self.reject(reason, detail, text, line));
                }
            }
        }
        items
    }

    /// The items of a record that was no text.
    pub(super) fn record(&self, record: &Value, line: &Line) -> Vec<Item> {
        let readings = self.format.read(record, self.context);
        let text = record.to_string();
        let item = |reading| self.item(reading, text.as_bytes(), line, &[], false);
        readings.into_iter().map(item).collect()
    }

    /// Reads a unit without parsing it into a value first, where the format can.
    fn fast(&self, text: &[u8], line: &Line) -> Option<Item> {
        if !self.framing.is_json() {
            return None;
        }
        let reading = self.format.read_text(std::str::from_utf8(text).ok()?, self.context)?;
        Some(self.item(reading, text, line, &[], false))
    }

    fn item(
        &self,
        reading: Reading,
        text: &[u8],
        line: &Line,
        flaws: &[&'static str],
        alone: bool,
    ) -> Item {
        match reading {
            Reading::Exchange(mut row) => {
                if alone {
                    keep_body_as_written(&mut row, text, self.format.body_members());
                }
                row.flaws.extend(flaws.iter().map(|flaw| (*flaw).to_owned()));
                Item::Row(self.row(row, line.number))
            }
            Reading::Part(part) => {
                Item::Part(part, Place { line: line.number, offset: line.offset })
            }
            Reading::Filtered(reason) => Item::Filtered(reason),
            Reading::Reject(reason, detail) => self.reject(reason, detail, text, line),
        }
    }

    /// Completes a row with its place, and redacts it.
    pub(super) fn row(&self, mut row: Box<CapturedExchange>, line: u64) -> Row {
        self.file.clone_into(&mut row.source_file);
        row.source_line = i64::try_from(line).unwrap_or(i64::MAX);
        self.format.name().clone_into(&mut row.source_format);
        row.attempt = row.attempt.max(1);
        if row.request_id.is_empty() {
            // Access logs and traces number nothing, and equal lines are different requests.
            let name = self.file.rsplit(['/', '\\']).next().unwrap_or_default();
            row.request_id = format!("{name}:{line}");
        }
        row.flaws.sort_unstable();
        row.flaws.dedup();
        if SecretScrubber.redact(&mut row) | self.redactor.redact(&mut row) {
            refingerprint(&mut row);
        }
        Row::new(row)
    }

    fn reject(&self, reason: RejectReason, detail: String, text: &[u8], line: &Line) -> Item {
        Item::Reject(reject_row(self.file, line, (reason, detail), text, self.redactor))
    }
}

/// Puts the request body of the line, byte for byte, in the place of its re-written form.
///
/// Spacing, number spelling and escapes are part of what a replay must repeat. Only a member that
/// says the same as the row is taken; a line that needed mending keeps the mended form.
fn keep_body_as_written(row: &mut CapturedExchange, line: &[u8], members: &[&str]) {
    if members.is_empty() {
        return;
    }
    let Ok(written) = serde_json::from_slice::<BTreeMap<Cow<'_, str>, &RawValue>>(line) else {
        return;
    };
    let same = |raw: &&RawValue| {
        let value: Option<Value> = serde_json::from_str(raw.get()).ok();
        value.map(|value| value.to_string()) == row.request_body
    };
    if let Some(raw) = members.iter().filter_map(|name| written.get(*name).copied()).find(same) {
        row.request_body = Some(raw.get().to_owned());
    }
}
