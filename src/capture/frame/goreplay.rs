//! Records of GoReplay's capture files: payloads between lines of three monkeys.
//!
//! A record is a line `TYPE ID TIMING LATENCY`, the bytes of one HTTP/1.x message, and the
//! separator `\n🐵🙈🙉\n` (GoReplay `protocol.go`, `output_file.go`, `input_file.go`). What is
//! easily got wrong:
//!
//! - Bodies hold newlines, even blank lines: only the separator ends a record.
//! - The separator begins with a newline of its own, which is no part of the message.
//! - TIMING is nanoseconds since 1970. LATENCY, also in nanoseconds, is how long the message itself
//!   was on its way; files of old versions lack it.
//! - A capture that was broken off ends without a separator.

use memchr::memmem;
use serde_json::{Value, json};

use super::scan::{Mark, Scanner};
use super::tnetstring::bytes_value;

/// What stands between two payloads.
const SEPARATOR: &[u8] = "\n🐵🙈🙉\n".as_bytes();

/// Finds records: what ends with a separator.
///
/// As separators part the records, a damaged record costs no other.
#[derive(Debug)]
pub(super) struct GoReplayScanner {
    line: u64,
    open: bool,
    /// The last bytes of what was scanned, which may begin a separator.
    tail: Vec<u8>,
}

impl Default for GoReplayScanner {
    fn default() -> Self {
        GoReplayScanner { line: 1, open: false, tail: Vec::new() }
    }
}

impl Scanner for GoReplayScanner {
    fn scan(&mut self, bytes: &[u8], marks: &mut Vec<Mark>) {
        let known = self.tail.len();
        let mut joined = std::mem::take(&mut self.tail);
        joined.extend_from_slice(bytes);
        let (mut begin, mut found_to) = (0, 0);
        for at in memmem::find_iter(&joined, SEPARATOR) {
            let end = (at + SEPARATOR.len()).saturating_sub(known);
            self.begin(bytes, begin, end, marks);
            if std::mem::take(&mut self.open) {
                marks.push(Mark::End { at: end });
            }
            self.count_lines(bytes, begin, end);
            begin = end;
            found_to = at + SEPARATOR.len();
        }
        self.begin(bytes, begin, bytes.len(), marks);
        self.count_lines(bytes, begin, bytes.len());
        // What was found already must not be found again.
        let kept = (joined.len() - found_to).min(SEPARATOR.len() - 1);
        self.tail = joined.split_off(joined.len() - kept);
    }
}

impl GoReplayScanner {
    /// A record begins with the first byte that is not blank.
    fn begin(&mut self, bytes: &[u8], begin: usize, end: usize, marks: &mut Vec<Mark>) {
        let bytes = bytes.get(begin..end).unwrap_or_default();
        if self.open {
            return;
        }
        if let Some(blank) = bytes.iter().position(|byte| !byte.is_ascii_whitespace()) {
            let before = bytes.get(..blank).unwrap_or_default();
            let lines = memchr::memchr_iter(b'\n', before).count() as u64;
            marks.push(Mark::Begin { at: begin + blank, line: self.line + lines });
            self.open = true;
        }
    }

    fn count_lines(&mut self, bytes: &[u8], begin: usize, end: usize) {
        let bytes = bytes.get(begin..end).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
    }
}

/// Whether a unit is a separator behind a separator, with nothing between them.
pub(super) fn is_empty(unit: &[u8]) -> bool {
    unit.trim_ascii() == SEPARATOR.trim_ascii()
}

/// Reads one record, with or without its separator.
///
/// The result is `{"type", "id", "timing_ns", "latency_ns", "message"}`: type and identifier as
/// texts, the latency null where it is not stated, the message a text if it is UTF-8 and else
/// `{"base64": "…"}`. The error says what is wrong, without content.
pub(super) fn decode(unit: &[u8]) -> Result<Value, String> {
    let unit = unit.strip_suffix(SEPARATOR).unwrap_or(unit).trim_ascii_start();
    let end = memchr::memchr(b'\n', unit).unwrap_or(unit.len());
    let (head, message) = unit.split_at_checked(end).unwrap_or((unit, &[]));
    let head = std::str::from_utf8(head).map_err(|_| "the first line is no text".to_owned())?;
    let mut fields = head.split_ascii_whitespace();
    let kind = fields.next().filter(|kind| matches!(*kind, "1" | "2" | "3"));
    let kind = kind.ok_or("the first line does not begin with a type of 1, 2 or 3")?;
    let is_id = |id: &&str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let id = fields.next().filter(is_id).ok_or("the first line has no identifier")?;
    let timing_ns: i64 = fields
        .next()
        .and_then(|timing| timing.parse().ok())
        .ok_or("the first line has no time in nanoseconds")?;
    let latency_ns: Option<i64> = match fields.next() {
        None => None,
        Some(latency) => Some(latency.parse().map_err(|_| "the latency is no number".to_owned())?),
    };
    let message = message.strip_prefix(b"\n").unwrap_or(message);
    Ok(json!({"type": kind, "id": id, "timing_ns": timing_ns, "latency_ns": latency_ns,
        "message": bytes_value(message)}))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::units::testing::read_bytes;
    use super::*;

    fn record(number: i64, message: &[u8]) -> Vec<u8> {
        let head = format!("1 {number:024x} {} 1200\n", 1_793_597_601_250_000_000 + number);
        [head.as_bytes(), message, SEPARATOR].concat()
    }

    fn read(bytes: &[u8]) -> Vec<Result<Value, String>> {
        let mut all: Option<Vec<Vec<u8>>> = None;
        for block in [1, 7, 1_000] {
            let scanner = Box::new(GoReplayScanner::default());
            let found = read_bytes(scanner, bytes, block);
            assert!(all.as_ref().is_none_or(|all| *all == found), "in blocks of {block}");
            all = Some(found);
        }
        let units = all.unwrap_or_default();
        units.iter().filter(|unit| !is_empty(unit)).map(|unit| decode(unit)).collect()
    }

    #[test]
    fn a_record_ends_at_the_monkeys_and_nowhere_else() {
        let message = b"POST /v1/chat/completions HTTP/1.1\r\nHost: llm.example.com\r\n\r\n{\n\n}";
        let bytes = [record(1, message), record(2, b"\x1f\x8b")].concat();
        let records = read(&bytes);
        assert_eq!(
            records[0],
            Ok(json!({"type": "1", "id": "000000000000000000000001",
                "timing_ns": 1_793_597_601_250_000_001_i64, "latency_ns": 1_200,
                "message": std::str::from_utf8(message).unwrap()}))
        );
        assert_eq!(records[1].as_ref().unwrap()["message"], json!({"base64": "H4s="}));
    }

    #[test]
    fn the_last_record_may_lack_its_separator_and_old_ones_their_latency() {
        let records = read(b"\n2 ab12 1793597601250000000\nHTTP/1.1 200 OK\r\n\r\nhi\n");
        assert_eq!(
            records,
            [Ok(json!({"type": "2", "id": "ab12", "timing_ns": 1_793_597_601_250_000_000_i64,
                "latency_ns": null, "message": "HTTP/1.1 200 OK\r\n\r\nhi\n"}))]
        );
        assert_eq!(read(b"\n \n"), []);
        assert_eq!(read([SEPARATOR, SEPARATOR].concat().as_slice()), []);
    }

    #[test]
    fn a_damaged_head_is_said_and_costs_one_record() {
        for (head, flaw) in [
            ("4 ab 1 1", "the first line does not begin with a type of 1, 2 or 3"),
            ("GET / HTTP/1.1", "the first line does not begin with a type of 1, 2 or 3"),
            ("1", "the first line has no identifier"),
            ("1 a/b 1", "the first line has no identifier"),
            ("1 ab soon 1", "the first line has no time in nanoseconds"),
            ("1 ab 99999999999999999999", "the first line has no time in nanoseconds"),
            ("1 ab 1 x", "the latency is no number"),
        ] {
            let bytes = [head.as_bytes(), b"\nx", SEPARATOR, &record(1, b"y")].concat();
            let records = read(&bytes);
            assert_eq!(records[0], Err(flaw.to_owned()), "{head}");
            assert_eq!(records[1].as_ref().unwrap()["message"], "y");
        }
    }

    #[test]
    fn a_file_cut_anywhere_keeps_every_record_before_the_cut() {
        let units: Vec<Vec<u8>> = (0..3).map(|n| record(n, "é\r\n\r\n🐵".as_bytes())).collect();
        let file = units.concat();
        let all = read(&file);
        for cut in 0..=file.len() {
            let whole = (0..=3).rev().find(|n| units[..*n].concat().len() <= cut).unwrap();
            assert_eq!(read(&file[..cut])[..whole], all[..whole], "cut at {cut}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn damage_never_panics_and_never_harms_what_stands_before_it(
            at in 0_usize..400, byte in any::<u8>(), insert in any::<bool>(),
        ) {
            let units: Vec<Vec<u8>> = (0..3).map(|n| record(n, b"HTTP/1.1 200 OK\r\n\r\n")).collect();
            let mut file = units.concat();
            let all = read(&file);
            let at = at % file.len();
            if insert { file.insert(at, byte) } else { file[at] = byte }
            let untouched = (0..=3).rev().find(|n| units[..*n].concat().len() <= at).unwrap();
            prop_assert_eq!(&read(&file)[..untouched], &all[..untouched]);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            read(&bytes);
        }
    }
}
