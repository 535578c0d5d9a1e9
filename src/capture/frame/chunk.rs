//! A run of whole units that lies in memory.

use std::ops::Range;

/// Some units of a source and the bytes that they lie in.
#[derive(Debug, Default)]
pub(in crate::capture) struct Chunk {
    pub(in crate::capture) bytes: Vec<u8>,
    /// The units with something in them, in order.
    pub(in crate::capture) lines: Vec<Line>,
}

/// One unit of a chunk: a line, a row, a document or a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::capture) struct Line {
    /// Where its bytes lie in the chunk, without line end; only the first bytes if it is oversize.
    pub(in crate::capture) range: Range<usize>,
    /// Number of the line in its file at which it begins, from 1, blank lines counted.
    pub(in crate::capture) number: u64,
    /// Where it begins in the decompressed file.
    pub(in crate::capture) offset: u64,
    /// Its length in bytes if that is over the cap.
    pub(in crate::capture) oversize: Option<u64>,
    /// Whether the source ended before the unit's own end did.
    pub(in crate::capture) unended: bool,
}

impl Chunk {
    /// The bytes of one of its units.
    pub(in crate::capture) fn text(&self, line: &Line) -> &[u8] {
        self.bytes.get(line.range.clone()).unwrap_or_default()
    }
}
