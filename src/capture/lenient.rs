//! JSON records out of a line, with a second try for the faults that log writers make.

use std::borrow::Cow;

use serde_json::Value;

use super::reason::RejectReason;

/// What is wrong with a piece of a line; the text states places, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: RejectReason,
    pub(super) detail: String,
}

/// One record of a line, or what is wrong with it.
pub(super) type Record = Result<Value, Fault>;

/// Reads all records of a line.
///
/// Usually that is one object. Objects that were glued together (`}{`, as when shards without a
/// final newline are joined) are one record each, and so are the elements of a list. What follows
/// the last readable record is one more, faulty record. Invalid UTF-8 becomes U+FFFD. If the line
/// is no JSON, lone surrogate escapes become U+FFFD, and bare `NaN`, `Infinity` and numbers beyond
/// the range of a float become null, before it is given up.
pub(super) fn records(line: &[u8]) -> Vec<Record> {
    let text = String::from_utf8_lossy(line);
    let mut records = strict(&text);
    let is_mendable = |record: &Record| {
        record.as_ref().is_err_and(|fault| fault.reason == RejectReason::InvalidJson)
    };
    if records.iter().any(is_mendable)
        && let Cow::Owned(mended) = mend(&text)
    {
        records = strict(&mended);
    }
    records
}

fn strict(text: &str) -> Vec<Record> {
    let mut records = Vec::new();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    loop {
        match stream.next() {
            None => return records,
            Some(Ok(Value::Array(items))) => records.extend(items.into_iter().map(object)),
            Some(Ok(value)) => records.push(object(value)),
            Some(Err(error)) => {
                records.push(Err(fault(&error)));
                return records;
            }
        }
    }
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
        let mut records = records(line.as_bytes());
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
            records(line.as_bytes()).into_iter().map(Result::unwrap).collect::<Vec<_>>()
        };
        assert_eq!(values(r#"{"a":1}{"a":2}"#), [json!({"a":1}), json!({"a":2})]);
        assert_eq!(values(r#"[{"a":1},{"a":2}]"#), [json!({"a":1}), json!({"a":2})]);
        let half = records(br#"{"a":1}{"a":"#);
        assert!(half[0].is_ok());
        assert!(half[1].as_ref().is_err_and(|fault| fault.detail.contains("ends in the middle")));
        assert_eq!(half.len(), 2);
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(reason("{\"a\": }"), RejectReason::InvalidJson);
        assert_eq!(reason("3"), RejectReason::NotAnObject);
        assert_eq!(reason("[[]]"), RejectReason::NotAnObject);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(reason(&deep), RejectReason::TooDeep);
    }

    #[test]
    fn invalid_utf8_is_kept_as_replacement_characters() {
        let records = records(b"{\"a\": \"x\xff\"}");
        assert_eq!(*records[0].as_ref().unwrap(), json!({"a": "x\u{fffd}"}));
    }
}
