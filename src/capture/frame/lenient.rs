//! JSON records out of a line, with a second try for the faults that log writers make.

use std::borrow::Cow;

use serde_json::Value;

use crate::capture::reason::RejectReason;

use super::duplicates::has_duplicate_names;
use super::envelope::open;

/// What is wrong with a piece of a line; the text states places, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::capture) struct Fault {
    pub(in crate::capture) reason: RejectReason,
    pub(in crate::capture) detail: String,
}

/// How many digits no 64-bit number has.
const LONG_DIGITS: usize = 20;

/// One record of a line, or what is wrong with it.
pub(in crate::capture) type Record = Result<Value, Fault>;

/// The records of a unit, and what was wrong with it without making it useless.
#[derive(Debug, Default)]
pub(in crate::capture) struct Decoded {
    /// The records in order.
    pub(in crate::capture) records: Vec<Record>,
    /// Flaws that were mended or tolerated, for the column `flaws`.
    pub(in crate::capture) flaws: Vec<&'static str>,
}

/// Reads all records of a text.
///
/// Usually that is one object. Objects that were glued together (`}{`, as when shards without a
/// final newline are joined) are one record each, and so are the records in a list or another
/// envelope. What follows the last readable record is one more, faulty record. Invalid UTF-8
/// becomes U+FFFD. Whole numbers of 20 digits and more become texts, as no number type holds them.
/// If the text is no JSON, lone surrogate escapes become U+FFFD, and bare `NaN`, `Infinity` and
/// numbers beyond the range of a float become null, before it is given up.
pub(in crate::capture) fn records(line: &[u8]) -> Decoded {
    let mut flaws = Vec::new();
    let text = String::from_utf8_lossy(line);
    if matches!(text, Cow::Owned(_)) {
        flaws.push("invalid_utf8");
    }
    let text = match quote_long_numbers(&text) {
        Cow::Owned(quoted) => Cow::Owned(quoted),
        Cow::Borrowed(_) => text,
    };
    let mut records = strict(&text);
    let is_mendable = |record: &Record| {
        record.as_ref().is_err_and(|fault| fault.reason == RejectReason::InvalidJson)
    };
    if records.iter().any(is_mendable)
        && let Cow::Owned(mended) = mend(&text)
    {
        let again = strict(&mended);
        if !again.iter().any(is_mendable) {
            flaws.push("mended_json");
        }
        records = again;
    }
    if records.iter().any(Result::is_ok) && has_duplicate_names(&text) {
        flaws.push("duplicate_keys");
    }
    Decoded { records, flaws }
}

fn strict(text: &str) -> Vec<Record> {
    let mut records = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    loop {
        match stream.next() {
            None => return records,
            Some(Ok(value)) => records.extend(open(value).into_iter().map(object)),
            Some(Err(error)) => {
                records.push(Err(fault(&error)));
                return records;
            }
        }
    }
}

/// Puts quotes around whole numbers that are too long for 64 bits, such as numeric identifiers.
fn quote_long_numbers(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    // A run of so many digits covers one of every so many bytes.
    let probe = |at: &usize| bytes.get(*at).is_some_and(u8::is_ascii_digit);
    let is_long = |at: usize| {
        let (begin, end) = digit_run(bytes, at);
        end - begin >= LONG_DIGITS
    };
    if !(0..bytes.len()).step_by(LONG_DIGITS).filter(probe).any(is_long) {
        return Cow::Borrowed(text);
    }
    let mut quoted = String::new();
    let (mut kept_from, mut at, mut in_text) = (0, 0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if in_text => at += 1,
            b'"' => in_text = !in_text,
            b'0'..=b'9' if !in_text => {
                let (_, end) = digit_run(bytes, at);
                let is_whole = !matches!(bytes.get(end), Some(b'.' | b'e' | b'E'));
                let begins = at == 0 || !matches!(bytes.get(at - 1), Some(b'.' | b'-' | b'+'));
                let number = text.get(at..end).unwrap_or_default();
                let is_too_long = end - at >= LONG_DIGITS && number.parse::<u64>().is_err();
                if is_too_long && is_whole && begins {
                    quoted.push_str(text.get(kept_from..at).unwrap_or_default());
                    quoted.push('"');
                    quoted.push_str(text.get(at..end).unwrap_or_default());
                    quoted.push('"');
                    kept_from = end;
                }
                at = end - 1;
            }
            _ => {}
        }
        at += 1;
    }
    if kept_from == 0 {
        return Cow::Borrowed(text);
    }
    quoted.push_str(text.get(kept_from..).unwrap_or_default());
    Cow::Owned(quoted)
}

fn digit_run(bytes: &[u8], at: usize) -> (usize, usize) {
    let is_digit = |byte: &&u8| byte.is_ascii_digit();
    let before = bytes.get(..at).unwrap_or_default().iter().rev().take_while(is_digit).count();
    let after = bytes.get(at..).unwrap_or_default().iter().take_while(is_digit).count();
    (at - before, at + after)
}

fn object(value: Value) -> Record {
    let kind = match value {
        Value::Object(_) => return Ok(value),
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
    };
    let detail = format!("a record must be an object, this is {kind}");
    Err(Fault { reason: RejectReason::NotAnObject, detail })
}

fn fault(error: &serde_json::Error) -> Fault {
    // Only the message tells this error from other syntax errors.
    let too_deep = error.to_string().starts_with("recursion limit");
    let (reason, what) = match (too_deep, error.is_eof()) {
        (true, _) => (RejectReason::TooDeep, "is nested more than 128 levels deep"),
        (false, true) => (RejectReason::InvalidJson, "ends in the middle of a value"),
        (false, false) => (RejectReason::InvalidJson, "is not JSON"),
    };
    let detail = format!("the line {what} (column {})", error.column());
    Fault { reason, detail }
}

/// Replaces what serde_json refuses but log writers produce; borrowed if there is nothing to do.
fn mend(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut kept_from = 0;
    let mut at = 0;
    let mut in_text = false;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (length, replacement) = if in_text { in_string(rest) } else { outside(rest) };
        if rest.starts_with('"') {
            in_text = !in_text;
        }
        if let Some(replacement) = replacement {
            mended.push_str(text.get(kept_from..at).unwrap_or_default());
            mended.push_str(replacement);
            kept_from = at + length;
        }
        at += length;
    }
    if kept_from == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(kept_from..).unwrap_or_default());
    Cow::Owned(mended)
}

/// Length of the next piece inside a text, and what to put in its place.
fn in_string(rest: &str) -> (usize, Option<&'static str>) {
    match rest.as_bytes() {
        [b'\\', b'u', ..] => match (code_unit(rest), rest.get(6..).and_then(code_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, None),
            (Some(0xd800..=0xdfff), _) => (6, Some("\\ufffd")),
            _ => (2, None),
        },
        // NGINX escapes bytes as `\xHH` unless it is told to write JSON.
        [b'\\', b'x', ..] => (1, Some("\\\\")),
        [b'\\', second, ..] if second.is_ascii() => (2, None),
        [b'\\' | b'"', ..] => (1, None),
        _ => (rest.find(['\\', '"']).unwrap_or(rest.len()), None),
    }
}

fn code_unit(rest: &str) -> Option<u16> {
    u16::from_str_radix(rest.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

/// Length of the next piece outside of texts, and what to put in its place.
fn outside(rest: &str) -> (usize, Option<&'static str>) {
    for name in ["NaN", "-Infinity", "Infinity", "-inf", "inf", "nan"] {
        if rest.starts_with(name) {
            return (name.len(), Some("null"));
        }
    }
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let length = rest.find(|c| !is_number(c)).unwrap_or(rest.len());
    if length == 0 {
        return (rest.chars().next().map_or(1, char::len_utf8), None);
    }
    let number = rest.get(..length).and_then(|number| number.parse::<f64>().ok());
    (length, number.is_some_and(f64::is_infinite).then_some("null"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(line: &str) -> Record {
        let mut records = records(line.as_bytes()).records;
        assert_eq!(records.len(), 1, "{line}");
        records.remove(0)
    }

    fn reason(line: &str) -> RejectReason {
        one(line).unwrap_err().reason
    }

    #[test]
    fn lone_surrogates_become_replacement_characters_and_pairs_stay() {
        let line = r#"{"a": "x\ud83d y \ud83d\ude00 \udc00\\ud83d \n\"\ud83d"}"#;
        let expected = "x\u{fffd} y \u{1f600} \u{fffd}\\ud83d \n\"\u{fffd}";
        assert_eq!(one(line).unwrap(), json!({"a": expected}));
    }

    #[test]
    fn bare_words_for_no_number_become_null_but_not_inside_texts() {
        let line = r#"{"a": NaN, "b": [-Infinity, Infinity, 1e999], "c": "NaN 1e999", "d": -1.5}"#;
        let expected = json!({"a": null, "b": [null, null, null], "c": "NaN 1e999", "d": -1.5});
        assert_eq!(one(line).unwrap(), expected);
    }

    #[test]
    fn glued_objects_and_lists_are_one_record_each() {
        let values = |line: &str| {
            records(line.as_bytes()).records.into_iter().map(Result::unwrap).collect::<Vec<_>>()
        };
        assert_eq!(values(r#"{"a":1}{"a":2}"#), [json!({"a":1}), json!({"a":2})]);
        assert_eq!(values(r#"[{"a":1},{"a":2}]"#), [json!({"a":1}), json!({"a":2})]);
        let half = records(br#"{"a":1}{"a":"#).records;
        assert!(half[0].is_ok());
        assert!(half[1].as_ref().is_err_and(|fault| fault.detail.contains("ends in the middle")));
        assert_eq!(half.len(), 2);
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(reason("{\"a\": }"), RejectReason::InvalidJson);
        assert_eq!(reason("3"), RejectReason::NotAnObject);
        assert_eq!(reason("[[3]]"), RejectReason::NotAnObject);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(reason(&deep), RejectReason::TooDeep);
    }

    #[test]
    fn invalid_utf8_is_kept_as_replacement_characters() {
        let decoded = records(b"{\"a\": \"x\xff\"}");
        assert_eq!(decoded.flaws, ["invalid_utf8"]);
        assert_eq!(*decoded.records[0].as_ref().unwrap(), json!({"a": "x\u{fffd}"}));
    }

    #[test]
    fn numbers_too_long_for_64_bits_keep_every_digit_as_text() {
        let line = r#"{"id": 12345678901234567890123, "b": [1, "\" 12345678901234567890123"], "c": 0.12345678901234567890123, "d": 18446744073709551615, "e": 18446744073709551616}"#;
        let record = one(line).unwrap();
        assert_eq!(record["id"], json!("12345678901234567890123"));
        assert_eq!(record["b"][1], json!("\" 12345678901234567890123"));
        assert_eq!(record["c"], json!(0.123_456_789_012_345_68));
        assert_eq!(record["d"], json!(18_446_744_073_709_551_615_u64));
        assert_eq!(record["e"], json!("18446744073709551616"));
    }

    #[test]
    fn what_was_mended_or_tolerated_is_said() {
        let flaws = |line: &str| records(line.as_bytes()).flaws;
        assert_eq!(flaws(r#"{"a": NaN}"#), ["mended_json"]);
        assert_eq!(flaws(r#"{"a": 1, "b": {"c": 1, "c": 2}}"#), ["duplicate_keys"]);
        assert!(flaws(r#"{"a": [{"b": 1}, {"b": 2}], "b": 3}"#).is_empty());
        assert!(flaws("{oops").is_empty());
    }
}
