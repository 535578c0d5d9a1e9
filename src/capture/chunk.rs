//! A run of whole lines that lies in memory.

use std::ops::Range;

/// Some lines of a source and the bytes that they lie in.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    /// The lines with something in them, in order.
    pub(super) lines: Vec<Line>,
}

/// One line of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where its bytes lie in the chunk, without line end; only the first bytes if it is oversize.
    pub(super) range: Range<usize>,
    /// Number of the line in its file, from 1, blank lines counted.
    pub(super) number: u64,
    /// Where it begins in the decompressed file.
    pub(super) offset: u64,
    /// Its length in bytes if that is over the cap.
    pub(super) oversize: Option<u64>,
    /// Whether the source ended without a newline after it.
    pub(super) unended: bool,
}

impl Chunk {
    /// The bytes of one of its lines.
    pub(super) fn text(&self, line: &Line) -> &[u8] {
        self.bytes.get(line.range.clone()).unwrap_or_default()
    }
}
