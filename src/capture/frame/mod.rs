//! Bytes to records: how a file falls into units, and what each unit holds.
//!
//! A framing is told by the first bytes of a file, never by its name. Units are found one after
//! the other while the bytes pass, and decoded on all cores; see [`Framing`].

mod chunk;
mod delimited;
mod documents;
mod duplicates;
mod envelope;
mod goreplay;
mod lenient;
mod lines;
mod scan;
pub(in crate::capture) mod tnetstring;
mod units;
mod utf16;

use serde_json::Value;

use super::reason::RejectReason;

use delimited::Header;
use documents::DocumentScanner;
use goreplay::GoReplayScanner;
use lines::{LineScanner, RowScanner};
use scan::Scanner;
use tnetstring::NetstringScanner;

pub(super) use chunk::{Chunk, Line};
pub(super) use lenient::{Decoded, Fault};
pub(super) use units::Units;
pub(super) use utf16::{Order, Utf16Reader};

/// How many of the first bytes of a file a framing is told by.
pub(super) const HEAD_BYTES: usize = 1 << 20;

/// How a file falls into records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Framing {
    /// One JSON value a line, or several glued together.
    JsonLines,
    /// JSON over several lines, or a list too long for a line.
    JsonDocuments,
    /// Rows of delimited text under a header.
    Delimited(Header),
    /// Messages of GoReplay.
    GoReplay,
    /// Flows of mitmproxy.
    Netstrings,
    /// Lines of any other text.
    Lines,
}

impl Framing {
    /// The framings that the first bytes of a file allow, the likeliest first.
    ///
    /// `is_whole` says whether they are all bytes of the file.
    pub(super) fn candidates(head: &[u8], is_whole: bool) -> Vec<Framing> {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        match text.first() {
            Some(b'{' | b'[') if is_lines(text, is_whole) => vec![Framing::JsonLines],
            Some(b'{' | b'[') => vec![Framing::JsonDocuments],
            Some(b'0'..=b'9') if is_netstring(text) => vec![Framing::Netstrings],
            Some(b'1'..=b'3') if goreplay::decode(text).is_ok() => vec![Framing::GoReplay],
            _ => {
                let mut framings: Vec<Framing> =
                    Header::of(text).map(Framing::Delimited).into_iter().collect();
                // A broken first line must not hide that the others are JSON.
                let mut others = text.split(|byte| *byte == b'\n').skip(1).take(20);
                if others.any(|line| line.trim_ascii_start().starts_with(b"{")) {
                    framings.push(Framing::JsonLines);
                }
                framings.push(Framing::Lines);
                framings
            }
        }
    }

    /// What finds the units.
    pub(super) fn scanner(&self) -> Box<dyn Scanner> {
        match self {
            Framing::JsonLines | Framing::Lines => Box::new(LineScanner::default()),
            Framing::JsonDocuments => Box::new(DocumentScanner::default()),
            Framing::Delimited(header) => Box::new(RowScanner::new(header.delimiter())),
            Framing::GoReplay => Box::new(GoReplayScanner::default()),
            Framing::Netstrings => Box::new(NetstringScanner::default()),
        }
    }

    /// Whether a unit is a JSON text that a format may read by itself.
    pub(super) fn is_json(&self) -> bool {
        matches!(self, Framing::JsonLines | Framing::JsonDocuments)
    }

    /// Whether the first unit is a header and no record.
    pub(super) fn has_header(&self) -> bool {
        matches!(self, Framing::Delimited(_))
    }

    /// The records of a unit.
    pub(super) fn decode(&self, unit: &[u8]) -> Decoded {
        match self {
            Framing::JsonLines | Framing::JsonDocuments => lenient::records(unit),
            Framing::Delimited(header) => header.decode(unit),
            Framing::GoReplay if goreplay::is_empty(unit) => Decoded::default(),
            Framing::GoReplay => binary(goreplay::decode(unit)),
            Framing::Netstrings => binary(tnetstring::decode_flow(unit)),
            Framing::Lines => {
                let text = String::from_utf8_lossy(unit);
                let flaw = matches!(text, std::borrow::Cow::Owned(_)).then_some("invalid_utf8");
                let records = vec![Ok(Value::String(text.into_owned()))];
                Decoded { records, flaws: flaw.into_iter().collect() }
            }
        }
    }
}

fn binary(record: Result<Value, String>) -> Decoded {
    let bad = |detail| Fault { reason: RejectReason::BadFrame, detail };
    Decoded { records: vec![record.map_err(bad)], flaws: Vec::new() }
}

/// Whether a text begins with the length of a tagged netstring.
fn is_netstring(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits <= 12
        && text.get(digits) == Some(&b':')
        && text.get(digits + 1).is_some_and(u8::is_ascii_digit)
}

/// Whether JSON is in lines: the first line with something in it holds whole values, or is one so
/// long that it can only be a record.
fn is_lines(head: &[u8], is_whole: bool) -> bool {
    let end = head.iter().position(|byte| *byte == b'\n');
    let line = end.and_then(|end| head.get(..end)).unwrap_or(head);
    let is_cut = end.is_none() && !is_whole;
    let shape = documents::shape(line);
    if is_cut {
        // The beginning of a list, or of an envelope, is no record of its own.
        return shape.records == 0 && !shape.in_list;
    }
    // A broken line among good ones is a line all the same.
    let is_broken = !shape.in_list && line.starts_with(b"{\"");
    shape.depth == 0
        || is_broken && head.get(end.unwrap_or(head.len())..).is_some_and(second_line_begins_anew)
}

fn second_line_begins_anew(rest: &[u8]) -> bool {
    let next = rest.trim_ascii_start();
    let line = next.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.starts_with(b"{\"") && documents::shape(line).depth == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(text: &str) -> Framing {
        Framing::candidates(text.as_bytes(), true).remove(0)
    }

    #[test]
    fn the_first_bytes_tell_how_a_file_falls_into_records() {
        for lines in [
            "{\"a\":1}\n{\"a\":2}\n",
            "\u{feff}\n {\"a\":1}",
            "{\"a\":1}{\"a\":2}",
            "[{\"a\":1},{\"a\":2}]\n",
            "{\"a\":\n{\"a\":2}\n{\"a\":3}\n",
        ] {
            assert_eq!(framing(lines), Framing::JsonLines, "{lines}");
        }
        for documents in
            ["{\n \"a\": 1\n}\n", "[\n{\"a\":1}\n]", "{ \"a\": [\n1]}", "[{\"a\":1},\n{\"a\":2}]"]
        {
            assert_eq!(framing(documents), Framing::JsonDocuments, "{documents}");
        }
        for text in
            ["203.0.113.9 - - [x] \"GET / HTTP/1.1\" 200 5\n", "hello\n", "2026-11-02 INFO a, b"]
        {
            assert_eq!(framing(text), Framing::Lines, "{text}");
        }
        assert!(matches!(framing("id,model,startTime\n1,m,2\n"), Framing::Delimited(_)));
        assert_eq!(framing("oops\n{\"a\":1}\n"), Framing::JsonLines);
    }

    #[test]
    fn a_line_longer_than_the_head_is_a_record_but_a_list_of_that_length_is_not() {
        let long = "x".repeat(100);
        let first = |text: String| Framing::candidates(text.as_bytes(), false).remove(0);
        assert_eq!(first(format!("{{\"messages\":[{{\"content\":\"{long}")), Framing::JsonLines);
        assert_eq!(first(format!("[{{\"a\":\"{long}")), Framing::JsonDocuments);
        assert_eq!(
            first(format!("{{\"log\":{{\"entries\":[{{\"a\":\"{long}")),
            Framing::JsonDocuments
        );
        assert_eq!(
            first(format!("{{\"data\":[{{\"a\":1}},{{\"a\":\"{long}")),
            Framing::JsonDocuments
        );
    }
}
