//! Access to JSON values as log writers really write them.

use std::borrow::Cow;

use serde_json::Value;

/// A member that is there and not null.
pub(super) fn present<'v>(record: &'v Value, name: &str) -> Option<&'v Value> {
    record.get(name).filter(|value| !value.is_null())
}

/// The first of several names whose member is there and not null.
pub(super) fn first<'v>(
    record: &'v Value,
    names: &'static [&'static str],
) -> Option<(&'static str, &'v Value)> {
    names.iter().find_map(|name| Some((*name, present(record, name)?)))
}

/// A text with something in it; numbers count as their digits.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first of several names whose member is a text with something in it.
pub(super) fn text(record: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| as_text(record.get(name)?))
}

/// A member of a member, and so on.
pub(super) fn path<'v>(record: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().try_fold(record, |value, name| present(value, name))
}

/// A finite number, or a text that is one.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number: &f64| number.is_finite())
}

/// A whole number from zero on, such as a count of tokens.
pub(super) fn count(value: &Value) -> Option<i64> {
    let number = number(value)?;
    (number >= 0.0 && number.fract() == 0.0 && number <= 9_007_199_254_740_992.0)
        .then_some(number as i64)
}

/// US dollars as whole nano-dollars.
pub(super) fn nanousd(value: &Value) -> Option<i64> {
    let nanousd = (number(value)? * 1e9).round();
    // Nine thousand million dollars is where 64 bits end; no single request costs that.
    (0.0..9e18).contains(&nanousd).then_some(nanousd as i64)
}

/// True or false, also as text or as 0 and 1.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_f64().map(|number| number != 0.0),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "hit" | "1" => Some(true),
            "false" | "miss" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The value inside a text that is itself JSON; anything else as it is.
pub(super) fn decoded(value: &Value) -> Cow<'_, Value> {
    if let Value::String(text) = value
        && text.trim_start().starts_with(['{', '['])
        && let Ok(inner) = serde_json::from_str::<Value>(text)
    {
        return Cow::Owned(inner);
    }
    Cow::Borrowed(value)
}

/// Whether there is nothing in it: null, or an empty text, list or object.
pub(super) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn money_is_rounded_to_nano_dollars_and_nonsense_is_unknown() {
        assert_eq!(nanousd(&json!(0.00217)), Some(2_170_000));
        assert_eq!(nanousd(&json!("0.0000000015")), Some(2));
        assert_eq!(nanousd(&json!(0)), Some(0));
        assert_eq!(nanousd(&json!(-1)), None);
        assert_eq!(nanousd(&json!(1e30)), None);
        assert_eq!(nanousd(&json!("free")), None);
    }

    #[test]
    fn counts_are_whole_and_json_inside_texts_is_opened() {
        assert_eq!(count(&json!(7.0)), Some(7));
        assert_eq!(count(&json!(7.5)), None);
        assert_eq!(count(&json!(-7)), None);
        assert_eq!(*decoded(&json!(" {\"a\": 1}")), json!({"a": 1}));
        assert_eq!(*decoded(&json!("{not json")), json!("{not json"));
        assert_eq!(first(&json!({"a": null, "b": 2}), &["a", "b"]), Some(("b", &json!(2))));
    }
}
