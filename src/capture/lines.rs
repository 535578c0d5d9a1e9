//! Lines out of bytes, in pieces that fit the memory, each line with its place.

use std::io::{self, Read};

use super::chunk::{Chunk, Line};

/// How many bytes one chunk of lines has, unless a single line is longer.
pub(super) const CHUNK_BYTES: usize = 8 << 20;

/// How much of a line over the cap is kept for the excerpt.
pub(super) const OVERSIZE_HEAD_BYTES: usize = 4_096;

/// What some writers put before the first line of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const READ_BYTES: usize = 256 << 10;

/// Reads a source chunk by chunk; every chunk ends at the end of a line.
///
/// Line numbers count every line of the file from 1, blank ones too; offsets are bytes after
/// decompression. A line over the cap is passed over without being held in memory.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    cap: usize,
    chunk_bytes: usize,
    /// Bytes read of which no chunk was made yet; they begin a line.
    carry: Vec<u8>,
    /// Where `carry` begins in the source.
    offset: u64,
    /// Lines that end before `carry`.
    line: u64,
    /// A line over the cap whose end was not read yet.
    endless: Option<Endless>,
    ended: bool,
    failure: Option<io::Error>,
}

#[derive(Debug)]
struct Endless {
    head: Vec<u8>,
    length: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R, cap: usize) -> Self {
        Self::with_chunk_bytes(reader, cap, CHUNK_BYTES)
    }

    fn with_chunk_bytes(reader: R, cap: usize, chunk_bytes: usize) -> Self {
        Lines {
            reader,
            cap,
            chunk_bytes,
            carry: Vec::new(),
            offset: 0,
            line: 0,
            endless: None,
            ended: false,
            failure: None,
        }
    }

    /// Where the bytes come from.
    pub(super) fn reader(&self) -> &R {
        &self.reader
    }

    /// What ended reading before the end of the source.
    pub(super) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// The next lines, possibly none; `None` at the end of the source.
    ///
    /// A failure to read ends the source; what was read before it is still given out.
    pub(super) fn next_chunk(&mut self) -> Option<Chunk> {
        if let Some(endless) = self.endless.take() {
            return Some(self.pass_over(endless));
        }
        let mut chunk = Chunk { bytes: std::mem::take(&mut self.carry), lines: Vec::new() };
        let (mut begin, mut scanned) = (0, 0);
        loop {
            while let Some(found) = newline(chunk.bytes.get(scanned..).unwrap_or_default()) {
                self.book(&mut chunk, begin, scanned + found);
                begin = scanned + found + 1;
                scanned = begin;
            }
            scanned = chunk.bytes.len();
            let is_full = begin > 0 && scanned >= self.chunk_bytes;
            if self.ended || is_full || scanned - begin > self.cap {
                break;
            }
            self.fill(&mut chunk.bytes);
        }
        if self.ended && begin < chunk.bytes.len() {
            let (end, before) = (chunk.bytes.len(), chunk.lines.len());
            self.book(&mut chunk, begin, end);
            chunk.lines.iter_mut().skip(before).for_each(|line| line.unended = true);
            begin = end;
        }
        let mut rest = chunk.bytes.split_off(begin);
        self.offset += begin as u64;
        if rest.len() > self.cap {
            let length = rest.len() as u64;
            rest.truncate(OVERSIZE_HEAD_BYTES);
            self.endless = Some(Endless { head: rest, length });
        } else {
            self.carry = rest;
        }
        let at_end = self.ended && chunk.lines.is_empty();
        (!at_end).then_some(chunk)
    }

    /// Reads to the end of a line over the cap; its first bytes stand for it.
    fn pass_over(&mut self, mut endless: Endless) -> Chunk {
        let mut block = Vec::with_capacity(READ_BYTES);
        while !self.ended {
            block.clear();
            self.fill(&mut block);
            if let Some(end) = newline(&block) {
                endless.length += end as u64;
                self.carry = block.split_off(end + 1);
                break;
            }
            endless.length += block.len() as u64;
        }
        self.line += 1;
        let line = Line {
            range: 0..endless.head.len(),
            number: self.line,
            offset: self.offset,
            oversize: Some(endless.length),
            unended: self.ended,
        };
        self.offset += endless.length + 1;
        Chunk { bytes: endless.head, lines: vec![line] }
    }

    fn fill(&mut self, bytes: &mut Vec<u8>) {
        let begin = bytes.len();
        bytes.resize(begin + READ_BYTES, 0);
        let read = loop {
            match self.reader.read(bytes.get_mut(begin..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error);
                    break 0;
                }
                Ok(read) => break read,
            }
        };
        bytes.truncate(begin + read);
        self.ended |= read == 0;
    }

    fn book(&mut self, chunk: &mut Chunk, begin: usize, end: usize) {
        self.line += 1;
        let offset = self.offset + begin as u64;
        let has_mark = offset == 0 && chunk.bytes.starts_with(BYTE_ORDER_MARK);
        let begin = if has_mark { begin + BYTE_ORDER_MARK.len() } else { begin };
        let text = chunk.bytes.get(begin..end).unwrap_or_default();
        if text.trim_ascii().is_empty() {
            return;
        }
        let without_cr = text.strip_suffix(b"\r").map_or(text.len(), <[u8]>::len);
        chunk.lines.push(Line {
            range: begin..begin + without_cr,
            number: self.line,
            offset,
            oversize: (without_cr > self.cap).then_some(without_cr as u64),
            unended: false,
        });
    }
}

fn newline(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(input: &[u8], cap: usize, chunk_bytes: usize) -> Vec<(String, u64, u64, bool)> {
        let mut lines = Lines::with_chunk_bytes(input, cap, chunk_bytes);
        let mut all = Vec::new();
        while let Some(chunk) = lines.next_chunk() {
            for line in &chunk.lines {
                let text = String::from_utf8_lossy(chunk.text(line)).into_owned();
                all.push((text, line.number, line.offset, line.oversize.is_some()));
            }
        }
        all
    }

    fn row(text: &str, number: u64, offset: u64) -> (String, u64, u64, bool) {
        (text.to_owned(), number, offset, false)
    }

    #[test]
    fn lines_keep_their_numbers_and_offsets_whatever_the_chunks() {
        let input = b"a\r\n\n  \nbc\n\ndef";
        for chunk_bytes in [1, 4, 100] {
            assert_eq!(
                read_all(input, 100, chunk_bytes),
                [row("a", 1, 0), row("bc", 4, 7), row("def", 6, 11)],
            );
        }
        assert!(read_all(b"", 100, 4).is_empty());
        assert!(read_all(b"\n\n", 100, 4).is_empty());
    }

    #[test]
    fn a_byte_order_mark_belongs_to_no_line_but_counts_in_offsets() {
        let all = read_all(b"\xef\xbb\xbfab\ncd", 100, 100);
        assert_eq!(all, [row("ab", 1, 0), row("cd", 2, 6)]);
        assert!(read_all(b"\xef\xbb\xbf\n", 100, 100).is_empty());
    }

    #[test]
    fn a_line_over_the_cap_is_passed_over_and_the_next_one_is_fine() {
        let long = "x".repeat(READ_BYTES * 3 + 17);
        let input = format!("ok\n{long}\nnext\n{long}");
        let mut lines = Lines::with_chunk_bytes(input.as_bytes(), 1_000, 1);
        let mut all = Vec::new();
        while let Some(chunk) = lines.next_chunk() {
            assert!(chunk.bytes.len() <= 2 * READ_BYTES, "{}", chunk.bytes.len());
            all.extend(
                chunk.lines.into_iter().map(|line| (line.number, line.offset, line.oversize)),
            );
        }
        let length = long.len() as u64;
        assert_eq!(
            all,
            [
                (1, 0, None),
                (2, 3, Some(length)),
                (3, 4 + length, None),
                (4, 9 + length, Some(length))
            ]
        );
    }

    #[test]
    fn a_short_line_over_the_cap_is_found_too() {
        let all = read_all(b"abcdef\nab\n", 5, 100);
        assert_eq!(all, [("abcdef".to_owned(), 1, 0, true), row("ab", 2, 7)]);
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
        let mut lines = Lines::new(Failing(b"a\nb"), 100);
        let chunk = lines.next_chunk().unwrap();
        assert_eq!(chunk.lines.len(), 2);
        assert!(chunk.lines[1].unended);
        assert!(lines.next_chunk().is_none());
        assert!(lines.failure().is_some());
    }
}
