//! UTF-16 to UTF-8, as the bytes pass.

use std::io::{self, Read};

/// Which half of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Order {
    /// The low half.
    Little,
    /// The high half.
    Big,
}

impl Order {
    /// The order of a text by its byte order mark, or by the zero half of an ASCII character at
    /// its beginning; `None` if it is no UTF-16.
    pub(in crate::capture) fn of(first: &[u8]) -> Option<Self> {
        match first {
            [0xff, 0xfe, third, fourth, ..] if (*third, *fourth) != (0, 0) => Some(Order::Little),
            [0xfe, 0xff, ..] | [0, b' '..=b'~', 0, b' '..=b'~' | b'\r' | b'\n', ..] => {
                Some(Order::Big)
            }
            [b' '..=b'~', 0, b' '..=b'~' | b'\r' | b'\n', 0, ..] => Some(Order::Little),
            _ => None,
        }
    }
}

/// Reads UTF-16 as UTF-8; a lone surrogate or an odd last byte becomes U+FFFD.
pub(in crate::capture) struct Utf16Reader<R> {
    reader: R,
    order: Order,
    /// Bytes that are no whole character yet.
    rest: Vec<u8>,
    text: io::Cursor<String>,
    ended: bool,
}

impl<R: Read> Utf16Reader<R> {
    pub(in crate::capture) fn new(reader: R, order: Order) -> Self {
        let text = io::Cursor::new(String::new());
        Utf16Reader { reader, order, rest: Vec::new(), text, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        let begin = self.rest.len();
        self.rest.resize(begin + (64 << 10), 0);
        let read = match self.reader.read(self.rest.get_mut(begin..).unwrap_or_default()) {
            Ok(read) => read,
            Err(error) => {
                self.rest.truncate(begin);
                return Err(error);
            }
        };
        self.rest.truncate(begin + read);
        self.ended = read == 0;
        let mut units: Vec<u16> = self.rest.chunks_exact(2).map(|pair| self.unit(pair)).collect();
        let is_half = matches!(units.last(), Some(0xd800..=0xdbff)) && !self.ended;
        if is_half {
            units.pop();
        }
        let is_odd = self.ended && self.rest.len() % 2 == 1;
        self.rest.drain(..if self.ended { self.rest.len() } else { units.len() * 2 });
        let mut text: String = char::decode_utf16(units)
            .map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        if is_odd {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        self.text = io::Cursor::new(text);
        Ok(())
    }

    fn unit(&self, pair: &[u8]) -> u16 {
        let pair = [pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)];
        match self.order {
            Order::Little => u16::from_le_bytes(pair),
            Order::Big => u16::from_be_bytes(pair),
        }
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.text.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.ended {
                return Ok(read);
            }
            self.refill()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytewise<'a>(&'a [u8]);

    impl Read for Bytewise<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer.get_mut(..1).unwrap_or_default())
        }
    }

    #[test]
    fn both_orders_are_read_however_the_bytes_arrive() {
        let text = "\u{feff}{\"a\": \"é😀\"}\n";
        let bytes = |to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
        for bytes in [bytes(u16::to_le_bytes), bytes(u16::to_be_bytes)] {
            let order = Order::of(&bytes).unwrap();
            let mut read = String::new();
            Utf16Reader::new(Bytewise(&bytes), order).read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
        }
        assert_eq!(Order::of(b"{\0\"\0"), Some(Order::Little));
        assert_eq!(Order::of(b"\0{\0\""), Some(Order::Big));
        assert_eq!(Order::of(b"{\"a\""), None);
        assert_eq!(Order::of(b"\x1f\x8b"), None);
    }

    #[test]
    fn halves_and_odd_bytes_become_replacement_characters() {
        let read = |bytes: &[u8]| {
            let mut read = String::new();
            Utf16Reader::new(bytes, Order::Little).read_to_string(&mut read).unwrap();
            read
        };
        assert_eq!(read(b"a\0\x3d\xd8b\0"), "a\u{fffd}b");
        assert_eq!(read(b"a\0\x3d\xd8"), "a\u{fffd}");
        assert_eq!(read(b"a\0b"), "a\u{fffd}");
        assert_eq!(read(b""), "");
    }
}
