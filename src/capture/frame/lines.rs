//! Lines: what ends with a line feed.

use memchr::memchr_iter;

use super::scan::{Mark, Scanner};

/// Finds lines; blank ones are units too, which the reader of units leaves out.
#[derive(Debug)]
pub(super) struct LineScanner {
    line: u64,
    open: bool,
}

impl Default for LineScanner {
    fn default() -> Self {
        LineScanner { line: 1, open: false }
    }
}

impl Scanner for LineScanner {
    fn finds_lines(&self) -> bool {
        true
    }

    fn scan(&mut self, bytes: &[u8], marks: &mut Vec<Mark>) {
        let mut begin = 0;
        for end in memchr_iter(b'\n', bytes) {
            if !self.open {
                marks.push(Mark::Begin { at: begin, line: self.line });
            }
            marks.push(Mark::End { at: end });
            self.open = false;
            self.line += 1;
            begin = end + 1;
        }
        if begin < bytes.len() && !self.open {
            marks.push(Mark::Begin { at: begin, line: self.line });
            self.open = true;
        }
    }
}

/// Finds rows of delimited text, in which a line feed between quotes ends nothing.
///
/// A quote opens a field only where the field begins; anywhere else it is a character of its text.
#[derive(Debug)]
pub(super) struct RowScanner {
    delimiter: u8,
    line: u64,
    open: bool,
    quoted: bool,
    /// The byte before the next one, which a line feed stands for at the beginning.
    before: u8,
    /// Whether the byte before closed a quoted field; another quote then is an escaped one.
    closed: bool,
}

impl RowScanner {
    pub(super) fn new(delimiter: u8) -> Self {
        RowScanner { delimiter, line: 1, open: false, quoted: false, before: b'\n', closed: false }
    }

    fn quote(&mut self, before: u8, follows: bool) {
        if self.quoted {
            self.quoted = false;
            self.closed = true;
        } else {
            let begins = before == self.delimiter || before == b'\n';
            self.quoted = begins || (self.closed && follows);
        }
    }
}

impl Scanner for RowScanner {
    fn finds_lines(&self) -> bool {
        true
    }

    fn scan(&mut self, bytes: &[u8], marks: &mut Vec<Mark>) {
        let mut begin = 0;
        let mut last_quote = None;
        for at in memchr::memchr2_iter(b'\n', b'"', bytes) {
            if !self.open {
                marks.push(Mark::Begin { at: begin, line: self.line });
                self.open = true;
            }
            let before = at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
            if bytes.get(at) == Some(&b'"') {
                let before = before.unwrap_or(self.before);
                let follows = last_quote.map_or(at == 0, |last| last + 1 == at);
                self.quote(before, follows);
                last_quote = Some(at);
                continue;
            }
            self.line += 1;
            if !self.quoted {
                marks.push(Mark::End { at });
                self.open = false;
                begin = at + 1;
            }
        }
        if begin < bytes.len() && !self.open {
            marks.push(Mark::Begin { at: begin, line: self.line });
            self.open = true;
        }
        if let Some(last) = bytes.last() {
            self.before = *last;
            self.closed &= *last == b'"';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::units::testing::{read_all, unit};
    use super::*;

    #[test]
    fn lines_keep_their_numbers_and_offsets_however_the_bytes_arrive() {
        let input = b"a\r\n\n  \nbc\n\ndef";
        for block in [1, 2, 4, 100] {
            let all = read_all(Box::new(LineScanner::default()), input, 100, block);
            let expected = [unit("a", 1, 0), unit("bc", 4, 7), unit("def", 6, 11)];
            assert_eq!(all, expected, "{block}");
        }
    }

    #[test]
    fn a_line_feed_between_quotes_ends_no_row() {
        let input = b"a,\"x\ny\"\"z\n\"\nb\"c,5\"\r\n\"open\n";
        for block in [1, 3, 100] {
            let all = read_all(Box::new(RowScanner::new(b',')), input, 100, block);
            let expected =
                [unit("a,\"x\ny\"\"z\n\"", 1, 0), unit("b\"c,5\"", 4, 12), unit("\"open\n", 5, 20)];
            assert_eq!(all, expected, "{block}");
        }
    }
}
