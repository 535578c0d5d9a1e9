//! Framings, which must lose no byte, however the bytes arrive.

use std::io::{self, Read};

use serde_json::Value;

use crate::capture::format::detect;
use crate::capture::frame::{Framing, Units};
use crate::pieces::pieces;

/// The longest unit that is kept.
const CAP: usize = 1 << 20;

/// At how many places the bytes are cut at most; every piece costs a block of the reader, which is
/// long.
const CUTS: u64 = 3;

/// Reads the bytes in every framing that they allow, and in those that need no header in any case.
pub fn frames(data: &[u8]) {
    let mut framings = Framing::candidates(data, true);
    framings.extend(Framing::candidates(data, false));
    framings.extend([
        Framing::JsonLines,
        Framing::JsonDocuments,
        Framing::GoReplay,
        Framing::Netstrings,
    ]);
    for (at, framing) in framings.iter().enumerate() {
        if framings.iter().skip(at + 1).any(|later| later == framing) {
            continue;
        }
        let units = read(framing, vec![data]);
        assert_eq!(units, read(framing, pieces(data, CUTS)), "{framing:?}, cut otherwise");
        check_places(framing, data, &units);
        let records = units.iter().flat_map(|unit| framing.decode(&unit.text).records);
        let first: Vec<Value> = records.flatten().take(20).collect();
        let _ = detect(&first);
    }
}

#[derive(Debug, PartialEq)]
struct Unit {
    text: Vec<u8>,
    number: u64,
    offset: u64,
}

fn read(framing: &Framing, pieces: Vec<&[u8]>) -> Vec<Unit> {
    let mut units = Units::new(Pieces(pieces), framing.scanner(), CAP);
    let mut all = Vec::new();
    while let Some(chunk) = units.next_chunk() {
        all.extend(chunk.lines.iter().map(|line| Unit {
            text: chunk.text(line).to_vec(),
            number: line.number,
            offset: line.offset,
        }));
    }
    all
}

/// A reader that gives one piece at once.
struct Pieces<'a>(Vec<&'a [u8]>);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.0.first().is_some_and(|piece| piece.is_empty()) {
            self.0.remove(0);
        }
        let Some(piece) = self.0.first_mut() else { return Ok(0) };
        piece.read(buffer)
    }
}

/// Units stand where they say, one after the other, and in lines and rows no byte is left out.
///
/// Documents leave out what is around records.
fn check_places(framing: &Framing, data: &[u8], units: &[Unit]) {
    let leaves_out = matches!(framing, Framing::JsonDocuments);
    let mut end = 0;
    for unit in units {
        let offset = usize::try_from(unit.offset).expect("an offset fits");
        let mark = usize::from(offset == 0 && data.starts_with(b"\xef\xbb\xbf")) * 3;
        let begin = if data[offset..].starts_with(&unit.text) { offset } else { offset + mark };
        assert!(data[begin..].starts_with(&unit.text), "{framing:?}: {unit:?} stands elsewhere");
        assert!(offset >= end, "{framing:?}: {unit:?} begins in the unit before it");
        let between = data[end..offset].trim_ascii();
        assert!(
            leaves_out || between.is_empty() || between == b"\xef\xbb\xbf",
            "{framing:?}: lost"
        );
        end = begin + unit.text.len();
        let line = 1 + data[..offset].iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(unit.number, line, "{framing:?}: {unit:?} is in another line");
    }
    let rest = data[end..].trim_ascii();
    let is_mark = rest.is_empty() || rest == b"\xef\xbb\xbf";
    assert!(leaves_out || is_mark, "{framing:?}: the end is lost");
}
