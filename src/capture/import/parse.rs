//! Lines to rows, on all cores, in order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::dataset::{CapturedExchange, RejectRow};

use super::super::body::refingerprint;
use super::super::chunk::{Chunk, Line};
use super::super::dedupe::RowKey;
use super::super::format::{LogFormat, ReadContext, Reading};
use super::super::lenient::records;
use super::super::reason::{FilterReason, RejectReason};
use super::super::redact::{Redactor, SecretScrubber};
use super::super::reject::reject_row;

/// What became of a record.
pub(super) enum Item {
    /// An exchange, redacted, with what it is recognised by.
    Row(Box<CapturedExchange>, RowKey),
    /// Set aside.
    Reject(RejectRow),
    /// No chat traffic.
    Filtered(FilterReason),
    /// The unfinished last line of a source that could not be read to its end: its bytes. It is
    /// no line of the log.
    Cut(usize),
}

/// Reads the lines of one file.
pub(super) struct Parser<'a> {
    pub(super) file: &'a str,
    pub(super) format: &'static dyn LogFormat,
    pub(super) context: ReadContext,
    pub(super) redactor: &'a dyn Redactor,
    /// Whether reading failed right after these lines.
    pub(super) cut: bool,
}

impl Parser<'_> {
    /// All records of a chunk in the order of the lines; one line may hold several.
    pub(super) fn parse(&self, chunk: &Chunk) -> Vec<Item> {
        chunk
            .lines
            .par_iter()
            .flat_map_iter(|line| self.parse_line(chunk.text(line), line))
            .collect()
    }

    fn parse_line(&self, text: &[u8], line: &Line) -> Vec<Item> {
        if let Some(bytes) = line.oversize {
            let detail = format!("the line has {bytes} bytes, over the cap");
            return vec![self.reject((RejectReason::LineTooLong, detail), text, line)];
        }
        let records = records(text);
        let alone = records.len() == 1;
        let mut items = Vec::with_capacity(records.len());
        for record in records {
            items.push(match record {
                Ok(record) => match self.format.read(&record, &self.context) {
                    Reading::Exchange(mut row) => {
                        if alone {
                            keep_body_as_written(&mut row, text, self.format.body_members());
                        }
                        self.row(row, line)
                    }
                    Reading::Filtered(reason) => Item::Filtered(reason),
                    Reading::Reject(reason, detail) => self.reject((reason, detail), text, line),
                },
                Err(_) if self.cut && line.unended => Item::Cut(text.len()),
                Err(fault) => self.reject((fault.reason, fault.detail), text, line),
            });
        }
        items
    }

    fn row(&self, mut row: Box<CapturedExchange>, line: &Line) -> Item {
        self.file.clone_into(&mut row.source_file);
        row.source_line = i64::try_from(line.number).unwrap_or(i64::MAX);
        self.format.name().clone_into(&mut row.source_format);
        row.attempt = row.attempt.max(1);
        let body = row.request_body.clone();
        SecretScrubber.redact(&mut row);
        self.redactor.redact(&mut row);
        if row.request_body != body {
            refingerprint(&mut row);
        }
        let key = RowKey::of(&mut row);
        Item::Row(row, key)
    }

    fn reject(&self, reason: (RejectReason, String), text: &[u8], line: &Line) -> Item {
        Item::Reject(reject_row(self.file, line, reason, text, self.redactor))
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
