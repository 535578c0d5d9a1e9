//! OTLP's typed values, identifiers and times as plain JSON.
//!
//! OTLP JSON writes whole numbers as texts, identifiers in hexadecimal and times as texts of
//! nanoseconds; exporters in the field also write numbers for the first, base64 for the second
//! (the general protobuf mapping) and both snake_case and camelCase names.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::super::time;

/// The first of several names whose member is there and not null.
pub(super) fn member<'v>(object: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().find_map(|name| object.get(*name).filter(|value| !value.is_null()))
}

/// The plain value of an AnyValue; anything that is none is left as it is.
pub(super) fn plain(value: &Value) -> Value {
    let Some(object) = value.as_object() else { return value.clone() };
    let mut members = object.iter();
    let Some((kind, inner)) = members.next() else { return Value::Null };
    if members.next().is_some() {
        return value.clone();
    }
    match kind.as_str() {
        "stringValue" | "string_value" | "boolValue" | "bool_value" | "bytesValue"
        | "bytes_value" => inner.clone(),
        "intValue" | "int_value" => whole(inner),
        "doubleValue" | "double_value" => finite(inner),
        "arrayValue" | "array_value" => {
            let values = inner.get("values").and_then(Value::as_array);
            Value::Array(values.into_iter().flatten().map(plain).collect())
        }
        "kvlistValue" | "kvlist_value" => {
            Value::Object(inner.get("values").map(attributes).unwrap_or_default())
        }
        _ => value.clone(),
    }
}

/// Attributes by name, from OTLP's list of pairs or from an object.
pub(super) fn attributes(list: &Value) -> Map<String, Value> {
    match list {
        Value::Array(pairs) => {
            let pair = |pair: &Value| {
                let key = pair.get("key")?.as_str()?.to_owned();
                Some((key, pair.get("value").map_or(Value::Null, plain)))
            };
            pairs.iter().filter_map(pair).collect()
        }
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
        }
        _ => Map::new(),
    }
}

fn whole(value: &Value) -> Value {
    let text = value.as_str().map(str::trim);
    let number = text.and_then(|text| text.parse::<i64>().ok()).map(Number::from);
    number.map_or_else(|| value.clone(), Value::Number)
}

/// A number that is none (`"NaN"`, `"Infinity"`) is unknown.
fn finite(value: &Value) -> Value {
    match value {
        Value::Number(_) => value.clone(),
        Value::String(text) => text
            .trim()
            .parse::<f64>()
            .ok()
            .and_then(Number::from_f64)
            .map_or(Value::Null, Value::Number),
        _ => Value::Null,
    }
}

/// An identifier of so many bytes as lower-case hexadecimal digits; empty if there is none.
pub(super) fn identifier(value: Option<&Value>, bytes: usize) -> String {
    let Some(text) = value.and_then(Value::as_str).map(str::trim) else { return String::new() };
    let digits = text.strip_prefix("0x").unwrap_or(text);
    if digits.len() == bytes * 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let is_none = digits.bytes().all(|byte| byte == b'0');
        return if is_none { String::new() } else { digits.to_ascii_lowercase() };
    }
    match STANDARD.decode(text) {
        Ok(decoded) if decoded.len() == bytes => hexadecimal(&decoded),
        _ => text.to_owned(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    if bytes.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A point in time as nanoseconds since 1970; forms other than whole nanoseconds lose digits
/// below the microsecond.
pub(super) fn nanoseconds(value: &Value) -> Option<i64> {
    let whole = match value {
        // Seconds and nanoseconds apart, as the SDK for JavaScript has them.
        Value::Array(pair) => {
            let [seconds, rest] = pair.as_slice() else { return None };
            let seconds = seconds.as_i64()?.checked_mul(1_000_000_000)?;
            seconds.checked_add(rest.as_i64()?)
        }
        Value::String(text) => text.trim().parse::<i64>().ok(),
        _ => value.as_i64(),
    };
    match whole {
        Some(nanoseconds @ 100_000_000_000_000_000..) => Some(nanoseconds),
        // Zero is protobuf's way to say that there is none.
        Some(0) => None,
        _ => time::parse(value)?.checked_mul(1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn typed_values_become_plain_whichever_way_the_exporter_writes_numbers() {
        for (typed, expected) in [
            (json!({"stringValue": "a"}), json!("a")),
            (json!({"intValue": "59"}), json!(59)),
            (json!({"intValue": 59}), json!(59)),
            (json!({"doubleValue": 0.5}), json!(0.5)),
            (json!({"doubleValue": "NaN"}), json!(null)),
            (json!({"boolValue": true}), json!(true)),
            (json!({}), json!(null)),
            (json!("bare"), json!("bare")),
            (json!({"arrayValue": {}}), json!([])),
            (
                json!({"arrayValue": {"values": [{"kvlistValue": {"values": [
                    {"key": "role", "value": {"stringValue": "user"}}]}}]}}),
                json!([{"role": "user"}]),
            ),
        ] {
            assert_eq!(plain(&typed), expected, "{typed}");
        }
        let list = json!([{"key": "a", "value": {"int_value": "1"}}, {"value": {}}, 7]);
        assert_eq!(Value::Object(attributes(&list)), json!({"a": 1}));
    }

    #[test]
    fn identifiers_are_the_same_in_hexadecimal_and_in_base64() {
        let hex = "5b8efff798038103d269b633813fc60c";
        for text in [hex, "5B8EFFF798038103D269B633813FC60C", "W47/95gDgQPSabYzgT/GDA=="] {
            assert_eq!(identifier(Some(&json!(text)), 16), hex, "{text}");
        }
        assert_eq!(identifier(Some(&json!("0xEEE19B7EC3C1B174")), 8), "eee19b7ec3c1b174");
        assert_eq!(identifier(Some(&json!("0000000000000000")), 8), "");
        assert_eq!(identifier(Some(&json!("call-7")), 8), "call-7");
        assert_eq!(identifier(Some(&json!(7)), 8), "");
    }

    #[test]
    fn times_keep_every_nanosecond() {
        let ns = 1_793_597_601_250_000_001_i64;
        assert_eq!(nanoseconds(&json!(ns.to_string())), Some(ns));
        assert_eq!(nanoseconds(&json!(ns)), Some(ns));
        let written = json!("2026-11-02T05:33:21.250000Z");
        assert_eq!(nanoseconds(&written), Some(1_793_597_601_250_000_000));
        assert_eq!(nanoseconds(&json!([1_793_597_601_i64, 250_000_001_i64])), Some(ns));
        assert_eq!(nanoseconds(&json!("0")), None);
        assert_eq!(nanoseconds(&json!("soon")), None);
    }
}
