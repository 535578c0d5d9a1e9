//! Units out of bytes, in pieces that fit the memory, each unit with its place.

use std::io::{self, Read};

use super::chunk::{Chunk, Line};
use super::scan::{Mark, Scanner};

/// How many bytes one chunk of units has, unless a single unit is longer.
pub(in crate::capture) const CHUNK_BYTES: usize = 8 << 20;

/// How much of a unit over the cap is kept for the excerpt.
const OVERSIZE_HEAD_BYTES: usize = 4_096;

/// How many bytes are read at once.
const READ_BYTES: usize = 512 << 10;

/// The most that is asked of the system at once for a single unit.
const LARGEST_ROOM: usize = 512 << 20;

/// What some writers put before the first character of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a source chunk by chunk; every chunk holds whole units.
///
/// Line numbers count every line of the file from 1, blank ones too; offsets are bytes after
/// decompression. A unit over the cap is passed over without being held in memory.
pub(in crate::capture) struct Units<R> {
    reader: R,
    scanner: Box<dyn Scanner>,
    cap: usize,
    chunk_bytes: usize,
    read_bytes: usize,
    /// Bytes of which no chunk was made yet; they begin with the open unit, if there is one.
    bytes: Vec<u8>,
    /// Where `bytes` begins in the source, while no unit is being passed over.
    offset: u64,
    open: Option<Open>,
    marks: Vec<Mark>,
    at_begin: bool,
    /// Whether a carriage return before the end of a unit is no part of it.
    trims_lines: bool,
    ended: bool,
    failure: Option<io::Error>,
    /// A buffer that is no longer in use: memory that the system need not clear once more.
    spare: Vec<u8>,
}

/// A unit whose end was not seen yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    /// Where it begins in `bytes`.
    begin: usize,
    line: u64,
    offset: u64,
    /// How many of its bytes were passed over.
    dropped: u64,
}

impl<R: Read> Units<R> {
    pub(in crate::capture) fn new(reader: R, scanner: Box<dyn Scanner>, cap: usize) -> Self {
        Self::with_sizes(reader, scanner, cap, CHUNK_BYTES, READ_BYTES)
    }

    fn with_sizes(
        reader: R,
        scanner: Box<dyn Scanner>,
        cap: usize,
        chunk_bytes: usize,
        read_bytes: usize,
    ) -> Self {
        let trims_lines = scanner.finds_lines();
        Units {
            reader,
            scanner,
            cap,
            chunk_bytes,
            read_bytes,
            bytes: Vec::new(),
            offset: 0,
            open: None,
            marks: Vec::new(),
            at_begin: true,
            trims_lines,
            ended: false,
            failure: None,
            spare: Vec::new(),
        }
    }

    /// Takes back a chunk that is done with, for its memory.
    pub(in crate::capture) fn recycle(&mut self, chunk: Chunk) {
        if chunk.bytes.capacity() <= 2 * (self.chunk_bytes + 2 * self.read_bytes) {
            self.spare = chunk.bytes;
        }
    }

    /// Where the bytes come from.
    pub(in crate::capture) fn reader(&self) -> &R {
        &self.reader
    }

    /// Whether no more chunks come.
    pub(in crate::capture) fn has_ended(&self) -> bool {
        self.ended
    }

    /// What ended reading before the end of the source.
    pub(in crate::capture) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// The next units, possibly none; `None` at the end of the source.
    ///
    /// A failure to read ends the source; what was read before it is still given out.
    pub(in crate::capture) fn next_chunk(&mut self) -> Option<Chunk> {
        if self.ended {
            return None;
        }
        let mut lines = Vec::new();
        loop {
            let read = self.fill();
            self.take_marks(read, &mut lines);
            self.ended |= read == 0;
            if self.ended || (self.bytes.len() >= self.chunk_bytes && !lines.is_empty()) {
                break;
            }
            if self.open.is_none() && lines.is_empty() {
                // What lies between units is of no use.
                self.offset += self.bytes.len() as u64;
                self.bytes.clear();
            }
            self.pass_over();
        }
        if self.ended {
            self.close_last(&mut lines);
        }
        let cut = self.open.map_or(self.bytes.len(), |open| open.begin);
        let mut rest = std::mem::take(&mut self.spare);
        rest.clear();
        rest.extend_from_slice(self.bytes.get(cut..).unwrap_or_default());
        self.bytes.truncate(cut);
        self.offset += cut as u64;
        if let Some(open) = &mut self.open {
            open.begin = 0;
        }
        let bytes = std::mem::replace(&mut self.bytes, rest);
        Some(Chunk { bytes, lines })
    }

    /// Reads the next block behind what is held; how many bytes.
    fn fill(&mut self) -> usize {
        let begin = self.bytes.len();
        self.make_room(begin + self.read_bytes);
        self.bytes.resize(begin + self.read_bytes, 0);
        let read = loop {
            match self.reader.read(self.bytes.get_mut(begin..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    break 0;
                }
                Ok(read) => break read,
            }
        };
        self.bytes.truncate(begin + read);
        read
    }

    /// Grows the buffer: for a long unit at once to what the longest one needs, as every step in
    /// between would be a copy that an allocator may hold on to. Room that is not used costs nothing.
    fn make_room(&mut self, needed: usize) {
        let capacity = self.bytes.capacity();
        if capacity >= needed {
            return;
        }
        let usual = self.chunk_bytes + 2 * self.read_bytes;
        let most = self.cap.saturating_add(usual);
        let grown = if needed > 2 * usual && most <= LARGEST_ROOM { most } else { 2 * capacity };
        let target = grown.clamp(usual, most).max(needed);
        self.bytes.reserve_exact(target - self.bytes.len());
    }

    fn take_marks(&mut self, read: usize, lines: &mut Vec<Line>) {
        let base = self.bytes.len() - read;
        let mut marks = std::mem::take(&mut self.marks);
        marks.clear();
        self.scanner.scan(self.bytes.get(base..).unwrap_or_default(), &mut marks);
        for mark in &marks {
            match *mark {
                Mark::Begin { at, line } => {
                    let begin = base + at;
                    let offset = self.offset + begin as u64;
                    self.open = Some(Open { begin, line, offset, dropped: 0 });
                }
                Mark::Cancel => self.open = None,
                Mark::End { at } => {
                    if let Some(open) = self.open.take() {
                        self.book(open, base + at, false, lines);
                    }
                }
            }
        }
        self.marks = marks;
    }

    /// Lets go of what is held of an open unit over the cap, but for its first bytes.
    fn pass_over(&mut self) {
        let Some(open) = &mut self.open else { return };
        let held = self.bytes.len() - open.begin;
        if held > self.cap.max(OVERSIZE_HEAD_BYTES) || (open.dropped > 0 && held > 0) {
            let keep = open.begin + OVERSIZE_HEAD_BYTES.min(held);
            let dropped = (self.bytes.len() - keep) as u64;
            open.dropped += dropped;
            self.offset += dropped;
            self.bytes.truncate(keep);
            self.bytes.shrink_to(self.chunk_bytes);
        }
    }

    /// The unit that the end of the source leaves open.
    fn close_last(&mut self, lines: &mut Vec<Line>) {
        if let Some(open) = self.open.take() {
            self.book(open, self.bytes.len(), true, lines);
        }
    }

    fn book(&mut self, open: Open, end: usize, unended: bool, lines: &mut Vec<Line>) {
        let mut begin = open.begin;
        let held = self.bytes.get(begin..end).unwrap_or_default();
        let is_first = std::mem::take(&mut self.at_begin) && open.offset == 0;
        if is_first && held.starts_with(BYTE_ORDER_MARK) {
            begin += BYTE_ORDER_MARK.len();
        }
        let text = self.bytes.get(begin..end).unwrap_or_default();
        if open.dropped == 0 && text.trim_ascii().is_empty() {
            return;
        }
        let length = match text.strip_suffix(b"\r") {
            Some(line) if self.trims_lines => line.len(),
            _ => text.len(),
        };
        let whole = length as u64 + open.dropped;
        let oversize = (whole > self.cap as u64).then_some(whole);
        let shown = if oversize.is_some() { length.min(OVERSIZE_HEAD_BYTES) } else { length };
        lines.push(Line {
            range: begin..begin + shown,
            number: open.line,
            offset: open.offset,
            oversize,
            unended,
        });
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A unit: its text, number and offset.
    pub(in crate::capture::frame) fn unit(
        text: &str,
        number: u64,
        offset: u64,
    ) -> (String, u64, u64) {
        (text.to_owned(), number, offset)
    }

    /// A reader that gives at most so many bytes at once.
    pub(in crate::capture::frame) struct Blocks<'a>(
        pub(in crate::capture::frame) &'a [u8],
        pub(in crate::capture::frame) usize,
    );

    impl Read for Blocks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(self.1);
            self.0.read(buffer.get_mut(..length).unwrap_or_default())
        }
    }

    /// The bytes of all units that a scanner finds, the source given in blocks.
    pub(in crate::capture::frame) fn read_bytes(
        scanner: Box<dyn Scanner>,
        input: &[u8],
        block: usize,
    ) -> Vec<Vec<u8>> {
        let mut units = Units::with_sizes(Blocks(input, block), scanner, 1 << 20, 1, 4_096);
        let mut all = Vec::new();
        while let Some(chunk) = units.next_chunk() {
            all.extend(chunk.lines.iter().map(|line| chunk.text(line).to_vec()));
        }
        all
    }

    /// All units that a scanner finds, the source given in blocks.
    pub(in crate::capture::frame) fn read_all(
        scanner: Box<dyn Scanner>,
        input: &[u8],
        cap: usize,
        block: usize,
    ) -> Vec<(String, u64, u64)> {
        let mut units = Units::with_sizes(Blocks(input, block), scanner, cap, 1, 64);
        let mut all = Vec::new();
        while let Some(chunk) = units.next_chunk() {
            for line in &chunk.lines {
                let text = String::from_utf8_lossy(chunk.text(line)).into_owned();
                all.push((text, line.number, line.offset));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::lines::LineScanner;
    use super::testing::{Blocks, read_all, unit};
    use super::*;

    fn lines() -> Box<dyn Scanner> {
        Box::new(LineScanner::default())
    }

    #[test]
    fn a_byte_order_mark_belongs_to_no_unit_but_counts_in_offsets() {
        let all = read_all(lines(), b"\xef\xbb\xbfab\ncd", 100, 100);
        assert_eq!(all, [unit("ab", 1, 0), unit("cd", 2, 6)]);
        assert!(read_all(lines(), b"\xef\xbb\xbf\n", 100, 100).is_empty());
        assert!(read_all(lines(), b"", 100, 4).is_empty());
        assert!(read_all(lines(), b"\n\n", 100, 4).is_empty());
    }

    #[test]
    fn a_unit_over_the_cap_is_passed_over_and_the_next_one_is_fine() {
        let long = "x".repeat(3 * OVERSIZE_HEAD_BYTES + 17);
        let input = format!("ok\n{long}\nnext\n{long}");
        for block in [100, 1_000, 100_000] {
            let reader = Blocks(input.as_bytes(), block);
            let mut units = Units::with_sizes(reader, lines(), 1_000, 1, 2_000);
            let mut all = Vec::new();
            while let Some(chunk) = units.next_chunk() {
                assert!(chunk.bytes.len() <= 3 * OVERSIZE_HEAD_BYTES, "{}", chunk.bytes.len());
                let of_line = |line: Line| (line.number, line.offset, line.oversize);
                all.extend(chunk.lines.into_iter().map(of_line));
            }
            let length = long.len() as u64;
            let expected = [
                (1, 0, None),
                (2, 3, Some(length)),
                (3, 4 + length, None),
                (4, 9 + length, Some(length)),
            ];
            assert_eq!(all, expected, "{block}");
        }
    }

    #[test]
    fn a_short_unit_over_the_cap_is_found_too() {
        let mut units = Units::new(&b"abcdef\nab\n"[..], lines(), 5);
        let chunk = units.next_chunk().unwrap();
        let sizes: Vec<Option<u64>> = chunk.lines.iter().map(|line| line.oversize).collect();
        assert_eq!(sizes, [Some(6), None]);
    }

    #[test]
    fn what_was_read_before_a_failure_is_given_out() {
        struct Failing<'a>(&'a [u8]);
        impl Read for Failing<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                match self.0.read(buffer)? {
                    0 => Err(io::ErrorKind::UnexpectedEof.into()),
                    read => Ok(read),
                }
            }
        }
        let mut units = Units::new(Failing(b"a\nb"), lines(), 100);
        let chunk = units.next_chunk().unwrap();
        assert_eq!(chunk.lines.len(), 2);
        assert!(!chunk.lines[0].unended && chunk.lines[1].unended);
        assert!(units.next_chunk().is_none());
        assert!(units.failure().is_some());
    }
}
