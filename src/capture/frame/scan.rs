//! What finds the units in the bytes of a source.

/// The end of something in the bytes that a scanner was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Mark {
    /// A unit begins at this byte, in the line of this number.
    Begin {
        /// Position in the bytes given.
        at: usize,
        /// Number of the line, from 1.
        line: u64,
    },
    /// What has begun is no unit after all.
    Cancel,
    /// The unit that has begun ends before this byte.
    End {
        /// Position in the bytes given.
        at: usize,
    },
}

/// Finds units in a stream of bytes; every byte is given to it once.
pub(in crate::capture) trait Scanner: Send {
    /// Marks the units that begin or end in the next bytes of the stream.
    fn scan(&mut self, bytes: &[u8], marks: &mut Vec<Mark>);

    /// Whether units are lines, of which a carriage return at the end is no part.
    fn finds_lines(&self) -> bool {
        false
    }
}
