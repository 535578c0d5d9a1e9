//! Server-sent events from bytes that arrive in any chunks.

use memchr::memchr2;

/// The most that one event may hold, in bytes; more is not an answer but an attack or a fault.
pub(super) const MAX_EVENT_BYTES: usize = 1 << 20;

/// An incremental parser of `text/event-stream` (WHATWG HTML, section "Server-sent events").
///
/// Lines end in LF, CR or CRLF; comments are skipped; several `data:` lines are joined by LF; an
/// event is complete at the blank line after it. Event names and identifiers are not kept,
/// because every protocol repeats the name inside the data.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one bit of the parser's state")]
pub(super) struct SseParser {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
    past_first_line: bool,
    too_long: bool,
}

/// An event is longer than [`MAX_EVENT_BYTES`]; nothing after it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventTooLong;

impl SseParser {
    /// Reads the next bytes and hands the data of every event that they complete to `sink`.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        mut sink: impl FnMut(&[u8]),
    ) -> Result<(), EventTooLong> {
        while !bytes.is_empty() && !self.too_long {
            if std::mem::take(&mut self.after_cr)
                && let Some(rest) = bytes.strip_prefix(b"\n")
            {
                bytes = rest;
                continue;
            }
            if let Some((data, rest)) = self.event_in_one_piece(bytes) {
                self.past_first_line = true;
                sink(data);
                bytes = rest;
                continue;
            }
            let Some(end) = memchr2(b'\n', b'\r', bytes) else {
                self.too_long = self.data.len() + self.line.len() + bytes.len() > MAX_EVENT_BYTES;
                self.line.extend_from_slice(bytes);
                break;
            };
            let (line, rest) = bytes.split_at(end);
            self.after_cr = rest.first() == Some(&b'\r');
            bytes = rest.get(1..).unwrap_or_default();
            if self.line.is_empty() {
                self.end_line(line, &mut sink);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.end_line(&whole, &mut sink);
                whole.clear();
                self.line = whole;
            }
        }
        if self.too_long { Err(EventTooLong) } else { Ok(()) }
    }

    /// The data of an event that begins here, is one line, and ends within the bytes; and the rest.
    ///
    /// Nearly all events are like that. They are handed on where they lie, without a copy.
    fn event_in_one_piece<'b>(&self, bytes: &'b [u8]) -> Option<(&'b [u8], &'b [u8])> {
        if self.has_data || !self.line.is_empty() {
            return None;
        }
        let line = bytes.strip_prefix(b"data:")?;
        let (value, rest) = line.split_at_checked(memchr2(b'\n', b'\r', line)?)?;
        let rest = rest.strip_prefix(b"\n\n")?;
        let fits = bytes.len() - rest.len() <= MAX_EVENT_BYTES;
        fits.then(|| (value.strip_prefix(b" ").unwrap_or(value), rest))
    }

    /// The data of an event whose blank line never came.
    ///
    /// A live stream must not use it (the standard discards such an event); a log writer that
    /// trimmed the body's end makes it necessary.
    pub(super) fn take_unterminated(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        self.end_line(&line, &mut |_| {});
        std::mem::take(&mut self.has_data).then(|| std::mem::take(&mut self.data))
    }

    fn end_line(&mut self, line: &[u8], sink: &mut impl FnMut(&[u8])) {
        let line = if self.past_first_line {
            line
        } else {
            self.past_first_line = true;
            line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line)
        };
        if self.data.len() + line.len() > MAX_EVENT_BYTES {
            self.too_long = true;
        } else if line.is_empty() {
            if std::mem::take(&mut self.has_data) {
                sink(&self.data);
            }
            self.data.clear();
        } else if let Some(value) = line.strip_prefix(b"data:") {
            self.add_data(value.strip_prefix(b" ").unwrap_or(value));
        } else if line == b"data" {
            self.add_data(b"");
        }
    }

    fn add_data(&mut self, value: &[u8]) {
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(input: &[u8], chunk: usize) -> Vec<String> {
        let mut parser = SseParser::default();
        let mut events = Vec::new();
        for piece in input.chunks(chunk) {
            parser
                .push(piece, |data| events.push(String::from_utf8(data.to_vec()).unwrap()))
                .unwrap();
        }
        events
    }

    #[test]
    fn events_do_not_depend_on_the_cuts() {
        let input = "event: ping\r\ndata: {\"type\":\"ping\"}\r\n\r\n: OPENROUTER PROCESSING\n\n\
                     data: {\"t\":\"héllo 😀\"}\n\ndata: a\ndata: b\n\ndata: [DONE]\n\ndata: tail";
        let expected = ["{\"type\":\"ping\"}", "{\"t\":\"héllo 😀\"}", "a\nb", "[DONE]"];
        for chunk in 1..=input.len() {
            assert_eq!(events(input.as_bytes(), chunk), expected, "chunks of {chunk}");
        }
    }

    #[test]
    fn all_three_line_ends_and_a_byte_order_mark_are_read() {
        let input = b"\xef\xbb\xbfdata:a\r\rdata:  b\n\ndata\r\n\r\n\r\ndata:c\r\n\n";
        for chunk in 1..=input.len() {
            assert_eq!(events(input, chunk), ["a", " b", "", "c"], "chunks of {chunk}");
        }
    }

    #[test]
    fn an_event_over_the_cap_stops_the_stream() {
        let mut long = b"data: x\n\ndata: ".to_vec();
        long.resize(long.len() + MAX_EVENT_BYTES, b'y');
        long.extend_from_slice(b"\n\ndata: z\n\n");
        for chunk in [997, long.len()] {
            let mut parser = SseParser::default();
            let mut events = Vec::new();
            let mut failed = false;
            for piece in long.chunks(chunk) {
                failed |= parser.push(piece, |data| events.push(data.to_vec())).is_err();
            }
            assert!(failed);
            assert_eq!(events, [b"x".to_vec()]);
        }
    }

    #[test]
    fn the_tail_of_a_trimmed_capture_can_be_had() {
        let mut parser = SseParser::default();
        parser.push(b"data: a\n\ndata: [DONE]", |_| {}).unwrap();
        assert_eq!(parser.take_unterminated(), Some(b"[DONE]".to_vec()));
        assert_eq!(parser.take_unterminated(), None);
    }
}
