//! Records of mitmproxy's flow files: tagged netstrings, one after the other.
//!
//! A value is `<length>:<payload><tag>`; the tags are `,` bytes, `;` text, `#` whole number,
//! `^` float, `!` boolean, `~` null, `]` list and `}` dictionary (mitmproxy
//! `mitmproxy/io/tnetstring.py`, which allows twelve digits of length). What is easily got wrong:
//!
//! - Only the length tells where a record ends. After a damaged one no other can be found, as the
//!   payloads hold any bytes, netstrings among them.
//! - A length is a claim. Nothing is allocated by it; slices of what is there are taken.
//! - Header names, paths and bodies are bytes, which need not be UTF-8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value, json};

use super::scan::{Mark, Scanner};

/// The most digits of a length, as mitmproxy has it.
const MAX_LENGTH_DIGITS: usize = 12;

/// How deep values may be nested; flows need six levels.
const MAX_DEPTH: usize = 64;

/// Finds records by their stated lengths; where no length stands, the rest of the file is one
/// damaged record.
#[derive(Debug)]
pub(super) struct NetstringScanner {
    line: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Before or in the length of a record.
    Length(Vec<u8>),
    /// In a record, with so many bytes to come, its tag included.
    Payload(u64),
    /// Behind a damaged record.
    Lost,
}

impl Default for NetstringScanner {
    fn default() -> Self {
        NetstringScanner { line: 1, state: State::Length(Vec::new()) }
    }
}

impl Scanner for NetstringScanner {
    fn scan(&mut self, bytes: &[u8], marks: &mut Vec<Mark>) {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            match &mut self.state {
                State::Lost => return,
                State::Length(digits) => {
                    if digits.is_empty() {
                        marks.push(Mark::Begin { at, line: self.line });
                    }
                    at += 1;
                    if byte != b':' {
                        digits.push(byte);
                        if length(digits).is_none() {
                            self.state = State::Lost;
                        }
                    } else if let Some(length) = length(digits) {
                        self.state = State::Payload(length as u64 + 1);
                    } else {
                        self.state = State::Lost;
                    }
                }
                State::Payload(left) => {
                    let here = (bytes.len() - at).min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let passed = bytes.get(at..at + here).unwrap_or_default();
                    self.line += memchr::memchr_iter(b'\n', passed).count() as u64;
                    *left -= here as u64;
                    at += here;
                    if *left > 0 {
                        continue;
                    }
                    // A flow is a dictionary: with another last byte the length was wrong.
                    if passed.last() == Some(&b'}') {
                        marks.push(Mark::End { at });
                        self.state = State::Length(Vec::new());
                    } else {
                        self.state = State::Lost;
                    }
                }
            }
        }
    }
}

fn length(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || digits.len() > MAX_LENGTH_DIGITS {
        return None;
    }
    digits.iter().try_fold(0_usize, |length, digit| {
        let digit = digit.is_ascii_digit().then(|| usize::from(digit - b'0'))?;
        length.checked_mul(10)?.checked_add(digit)
    })
}

/// Reads one record, which must be all of `unit`.
///
/// Bytes that are no UTF-8 become `{"base64": "…"}`; whole numbers beyond 64 bits and floats that
/// are not finite become texts. The error says what is wrong, without content.
fn decode(unit: &[u8]) -> Result<Value, String> {
    match value(unit, MAX_DEPTH)? {
        (value, []) => Ok(value),
        (_, rest) => Err(format!("{} bytes follow the record", rest.len())),
    }
}

/// Reads one record, which must be a dictionary as every flow is.
pub(super) fn decode_flow(unit: &[u8]) -> Result<Value, String> {
    let value = decode(unit)?;
    if value.is_object() { Ok(value) } else { Err("the record is no dictionary".to_owned()) }
}

/// Bytes as JSON has them: a text if they are UTF-8, else in base64.
pub(in crate::capture) fn bytes_value(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}

/// The value at the beginning, and the bytes behind it.
fn value(bytes: &[u8], depth: usize) -> Result<(Value, &[u8]), String> {
    let (tag, payload, rest) = split(bytes)?;
    let number = || std::str::from_utf8(payload).map_err(|_| "a number is no text".to_owned());
    let value = match tag {
        b',' | b';' => bytes_value(payload),
        b'#' => whole(number()?)?,
        b'^' => float(number()?)?,
        b'!' => match payload {
            b"true" => Value::Bool(true),
            b"false" => Value::Bool(false),
            _ => return Err("a boolean is neither true nor false".to_owned()),
        },
        b'~' if payload.is_empty() => Value::Null,
        b'~' => return Err("a null has a payload".to_owned()),
        b']' | b'}' if depth == 0 => {
            return Err(format!("it is nested more than {MAX_DEPTH} levels deep"));
        }
        b']' => list(payload, depth - 1)?,
        b'}' => dictionary(payload, depth - 1)?,
        _ => return Err("a value has an unknown tag".to_owned()),
    };
    Ok((value, rest))
}

/// Tag and payload of the value at the beginning, and the bytes behind it.
fn split(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), String> {
    let head = bytes.get(..bytes.len().min(MAX_LENGTH_DIGITS + 1)).unwrap_or_default();
    let colon = head.iter().position(|byte| *byte == b':');
    let (digits, rest) = colon
        .and_then(|colon| Some((head.get(..colon)?, bytes.get(colon + 1..)?)))
        .ok_or("a value has no length")?;
    let length = length(digits).ok_or("a value has no length")?;
    let (payload, rest) =
        rest.split_at_checked(length).ok_or("a value is longer than its record")?;
    let (tag, rest) = rest.split_first().ok_or("a value has no tag")?;
    Ok((*tag, payload, rest))
}

fn whole(digits: &str) -> Result<Value, String> {
    let unsigned = digits.strip_prefix('-').unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("a whole number is none".to_owned());
    }
    Ok(digits.parse::<i64>().map_or_else(|_| Value::from(digits), Value::from))
}

fn float(text: &str) -> Result<Value, String> {
    let number: f64 = text.parse().map_err(|_| "a float is none".to_owned())?;
    Ok(Number::from_f64(number).map_or_else(|| Value::from(text), Value::Number))
}

fn list(mut payload: &[u8], depth: usize) -> Result<Value, String> {
    let mut items = Vec::new();
    while !payload.is_empty() {
        let (item, rest) = value(payload, depth)?;
        items.push(item);
        payload = rest;
    }
    Ok(Value::Array(items))
}

fn dictionary(mut payload: &[u8], depth: usize) -> Result<Value, String> {
    let mut members = Map::new();
    while !payload.is_empty() {
        let (tag, name, rest) = split(payload)?;
        if !matches!(tag, b',' | b';') {
            return Err("a member's name is no text".to_owned());
        }
        let (member, rest) = value(rest, depth)?;
        members.insert(String::from_utf8_lossy(name).into_owned(), member);
        payload = rest;
    }
    Ok(Value::Object(members))
}

#[cfg(test)]
#[path = "tnetstring_tests.rs"]
mod tests;
