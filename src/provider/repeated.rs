//! A shortcut past JSON for the events that a stream repeats.

use std::ops::Range;

/// What stands before and after the text in the last event that was a piece of text and nothing
/// else.
///
/// In most streams those events are equal but for the piece. An event that begins and ends like
/// the last one, with an unescaped text between, is the same JSON with another string in one place;
/// the protocol's reader has said of it that any string there means one more piece of text.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Repeated {
    /// Remembers an event whose text stands at `place`, between its quotation marks.
    pub(super) fn learn(&mut self, data: &[u8], place: Range<usize>) {
        self.before.clear();
        self.after.clear();
        if let Some((before, rest)) = data.split_at_checked(place.start)
            && let Some(after) = rest.get(place.len()..)
            && before.ends_with(b"\"")
            && after.starts_with(b"\"")
        {
            self.before.extend_from_slice(before);
            self.after.extend_from_slice(after);
        }
    }

    /// The text of an event that differs from the last one in nothing else.
    pub(super) fn text_of<'d>(&self, data: &'d [u8]) -> Option<&'d str> {
        if self.before.is_empty() {
            return None;
        }
        let text = data.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        // What ends the string, is escaped or is not allowed in it is left to the reader of JSON,
        // and so is the empty text, which is no output.
        let is_plain = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
        if text.is_empty() || !text.iter().all(is_plain) {
            return None;
        }
        std::str::from_utf8(text).ok()
    }
}

/// Where `part` lies in `whole`, if it is a part of it and not a copy.
pub(super) fn place_of(part: &str, whole: &[u8]) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    (end <= whole.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_text_in_the_same_place_is_taken() {
        let mut repeated = Repeated::default();
        assert_eq!(repeated.text_of(b"{\"t\":\"a\"}"), None);
        repeated.learn(b"{\"t\":\"a\"}", 6..7);
        assert_eq!(repeated.text_of(b"{\"t\":\"\xc3\xa9 b\"}"), Some("\u{e9} b"));
        for other in [
            &b"{\"t\":\"\"}"[..],
            b"{\"t\":\"a\\n\"}",
            b"{\"t\":\"a\",\"u\":\"b\"}",
            b"{\"t\":\"a\nb\"}",
            b"{\"t\":\"\xff\"}",
            b"{\"u\":\"a\"}",
            b"{\"t\":\"a\"} ",
            b"{\"t\":",
            b"",
        ] {
            assert_eq!(repeated.text_of(other), None, "{}", other.escape_ascii());
        }
    }

    #[test]
    fn a_place_that_is_not_between_quotation_marks_teaches_nothing() {
        let mut repeated = Repeated::default();
        for place in [0..1, 5..6, 6..8, 6..99, 99..99] {
            repeated.learn(b"{\"t\":\"a\"}", place);
            assert_eq!(repeated.text_of(b"{\"t\":\"a\"}"), None);
        }
    }

    #[test]
    fn a_copy_has_no_place() {
        let whole = b"abcdef".to_vec();
        let part = std::str::from_utf8(&whole[2..4]).unwrap();
        assert_eq!(place_of(part, &whole), Some(2..4));
        assert_eq!(place_of(&String::from(part), &whole), None);
    }
}
