//! Rows of delimited text, such as CSV exports, under a header that names the fields.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::capture::reason::RejectReason;

use super::lenient::{Decoded, Fault, Record};

/// What may stand between fields.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// The longest header, in bytes.
const MAX_HEADER_BYTES: usize = 64 << 10;

/// How many rows show whether the first is their header.
const LOOKED_AT_ROWS: usize = 5;

/// The first row, which names the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::capture) struct Header {
    delimiter: u8,
    names: Vec<String>,
}

impl Header {
    /// The header of a text, if its first row is one: at least two different names, none of them a
    /// number, and as many fields in most of the next rows.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        DELIMITERS.iter().find_map(|delimiter| Header::with(text, *delimiter))
    }

    fn with(text: &[u8], delimiter: u8) -> Option<Self> {
        let mut rows = reader(text, delimiter);
        let mut first = csv::StringRecord::new();
        if !rows.read_record(&mut first).ok()? || rows.position().byte() > MAX_HEADER_BYTES as u64 {
            return None;
        }
        let names: Vec<String> = first.iter().map(|name| name.trim().to_owned()).collect();
        let different: BTreeSet<&String> = names.iter().collect();
        if names.len() < 2
            || different.len() < names.len()
            || !names.iter().all(|name| is_name(name))
        {
            return None;
        }
        let mut row = csv::ByteRecord::new();
        let (mut rows_seen, mut fitting) = (0, 0);
        while rows_seen < LOOKED_AT_ROWS && rows.read_byte_record(&mut row).unwrap_or(false) {
            rows_seen += 1;
            // The last row may be cut by the end of the head, and a quote that is never closed makes
            // one row of all that follow; then the fields say nothing.
            let says_nothing = rows.is_done() || row.as_slice().contains(&b'\n');
            fitting += usize::from(says_nothing || row.len() == names.len());
        }
        let fits = if rows_seen == 0 {
            // Nothing but the names themselves tells that they are a header.
            names.iter().all(|name| !name.contains(' '))
        } else {
            fitting * 2 > rows_seen
        };
        fits.then_some(Header { delimiter, names })
    }

    /// What stands between fields.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The record of a row: an object of texts.
    ///
    /// A quote that is never closed would make all rows behind it one field: a row over several
    /// lines that does not fit is read line by line.
    pub(super) fn decode(&self, row: &[u8]) -> Decoded {
        let text = String::from_utf8_lossy(row);
        let flaw = matches!(text, std::borrow::Cow::Owned(_)).then_some("invalid_utf8");
        let mut records = vec![self.record(&text)];
        let is_unclosed = memchr::memchr_iter(b'"', row).count() % 2 == 1;
        if (is_unclosed || matches!(records.as_slice(), [Err(_)])) && text.contains('\n') {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            records = lines.map(|line| self.record(line)).collect();
        }
        Decoded { records, flaws: flaw.into_iter().collect() }
    }

    fn record(&self, text: &str) -> Record {
        let bad = |detail: String| Fault { reason: RejectReason::BadRow, detail };
        let mut fields = csv::StringRecord::new();
        let read = reader(text.as_bytes(), self.delimiter).read_record(&mut fields);
        if !matches!(read, Ok(true)) {
            return Err(bad("the row cannot be read".to_owned()));
        }
        if fields.len() != self.names.len() {
            let (has, wants) = (fields.len(), self.names.len());
            return Err(bad(format!("the row has {has} fields, its header has {wants}")));
        }
        let members = self.names.iter().cloned().zip(fields.iter().map(Value::from));
        Ok(Value::Object(members.collect::<Map<String, Value>>()))
    }
}

fn reader(text: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text)
}

/// Whether a field of the first row can be the name of a column.
fn is_name(field: &str) -> bool {
    let begins =
        field.chars().next().is_some_and(|char| char.is_alphabetic() || "_@$".contains(char));
    let is_plain = |char: char| char.is_alphanumeric() || " _-./@$()[]#%:".contains(char);
    begins && field.len() <= 100 && field.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_row_becomes_an_object_of_texts_by_the_names_of_the_header() {
        let text = b"id;prompt text;n\r\n1;\"a;b\nc\";2\r\n";
        let header = Header::of(text).unwrap();
        let decoded = header.decode(b"1;\"a;\"\"b\"\"\nc\";2");
        assert_eq!(
            decoded.records[0].as_ref().unwrap(),
            &json!({"id": "1", "prompt text": "a;\"b\"\nc", "n": "2"})
        );
        let short = header.decode(b"1;2").records.remove(0).unwrap_err();
        assert_eq!(short.detail, "the row has 2 fields, its header has 3");
        assert_eq!(header.decode(b"1;\xff;2").flaws, ["invalid_utf8"]);
        let unclosed = header.decode(b"1;\"2;3\n4;5;6\n7;8;9\n").records;
        assert!(unclosed[0].is_err() && unclosed[1..].iter().all(Result::is_ok), "{unclosed:?}");
        assert_eq!(unclosed.len(), 3);
    }

    #[test]
    fn text_that_happens_to_hold_delimiters_has_no_header() {
        for text in [
            "Started, and listening\n",
            "a,b,a\n1,2,3\n",
            "1,2\n3,4\n",
            "id,model\n1,2,3\n4,5,6\n7,8\n",
            "id\n1\n",
            "203.0.113.9 - - [02/Nov/2026:05:33:21 +0000] \"GET /a,b HTTP/1.1\" 200 5\n",
            "",
        ] {
            assert_eq!(Header::of(text.as_bytes()), None, "{text}");
        }
        assert!(Header::of(b"TIMESTAMP,ContextTokens,GeneratedTokens\r\n").is_some());
        assert!(Header::of(b"a\tb\n1\t2\n").is_some());
    }
}
