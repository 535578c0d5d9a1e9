//! Equality of JSON values, whatever their spelling.

use serde_json::{Number, Value};

/// Whether a text is one complete JSON value.
pub fn parses(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Whether two texts are the same JSON value; `None` when neither is JSON, false when one is.
///
/// The order of keys and the spelling of strings and numbers do not matter: 1, 1.0 and 1e0 are
/// equal. The order of array elements and the type of a value (1 and "1") do. Of a key that
/// occurs twice the last value counts, as in most parsers (RFC 8259, section 4).
pub fn json_equal(a: &str, b: &str) -> Option<bool> {
    let parsed = (serde_json::from_str::<Value>(a), serde_json::from_str::<Value>(b));
    match parsed {
        (Ok(a), Ok(b)) => Some(values_equal(&a, &b)),
        (Err(_), Err(_)) => None,
        _ => Some(false),
    }
}

/// Structural equality of two parsed values, with numbers compared by value.
pub(super) fn values_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers_equal(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| values_equal(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| values_equal(a, b)))
        }
        (a, b) => a == b,
    }
}

/// A number as the nearest float.
pub(super) fn number_of(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// One spelling of a number, the same for all that are equal.
pub(super) fn canonical_number(number: &Number) -> String {
    integer(number).map_or_else(|| number.to_string(), |integer| integer.to_string())
}

/// Integers compare exactly; through f64, 2^53 and 2^53 + 1 would be the same.
pub(super) fn numbers_equal(a: &Number, b: &Number) -> bool {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b).is_eq(),
            _ => false,
        },
        _ => false,
    }
}

/// The number as an integer if it is one, also when it is spelled 1.0.
fn integer(number: &Number) -> Option<i128> {
    if let Some(value) = number.as_i64() {
        return Some(i128::from(value));
    }
    if let Some(value) = number.as_u64() {
        return Some(i128::from(value));
    }
    // Beyond 2^100 a float is an integer only by its lack of digits.
    let value = number.as_f64()?;
    (value.fract().abs() <= 0.0 && value.abs() < 2.0_f64.powi(100)).then_some(value as i128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_spacing_and_spelling_of_numbers_do_not_matter() {
        let a = r#"{"a": 1, "b": [true, null, "x\u0041"]}"#;
        let b = r#"{"b":[true,null,"xA"],"a":1.0}"#;
        assert_eq!(json_equal(a, b), Some(true));
        assert_eq!(json_equal("1e2", "100"), Some(true));
        assert_eq!(json_equal("-0.0", "0"), Some(true));
    }

    #[test]
    fn array_order_types_and_extra_keys_matter() {
        assert_eq!(json_equal("[1,2]", "[2,1]"), Some(false));
        assert_eq!(json_equal("1", "\"1\""), Some(false));
        assert_eq!(json_equal(r#"{"a":1}"#, r#"{"a":1,"b":null}"#), Some(false));
        assert_eq!(json_equal(r#"{"a":1}"#, r#"{"b":1}"#), Some(false));
        assert_eq!(json_equal("0.1", "0.2"), Some(false));
    }

    #[test]
    fn large_identifiers_are_compared_to_the_last_digit() {
        assert_eq!(json_equal("9007199254740992", "9007199254740993"), Some(false));
        assert_eq!(json_equal("18446744073709551615", "18446744073709551615"), Some(true));
    }

    #[test]
    fn prose_has_no_json_to_compare() {
        assert_eq!(json_equal("Sure!", "Of course!"), None);
        assert_eq!(json_equal("Sure!", "{}"), Some(false));
        assert!(parses("{\"a\":[1]}") && !parses("{\"a\":[1]} and more") && !parses(""));
    }
}
