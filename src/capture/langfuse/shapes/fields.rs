//! Fields of exports, which CSV makes texts and which APIs spell in two ways.

use std::borrow::Cow;

use serde_json::Value;

use crate::capture::value::{as_text, decoded, is_blank};

/// The first of several names whose member says something; CSV has an empty text for null.
pub(in crate::capture) fn member<'r>(record: &'r Value, names: &[&str]) -> Option<&'r Value> {
    let says_something = |value: &&Value| match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        _ => true,
    };
    names.iter().find_map(|name| record.get(*name).filter(says_something))
}

/// The same, as a text; numbers count as their digits.
pub(in crate::capture) fn words(record: &Value, names: &[&str]) -> Option<String> {
    member(record, names).and_then(as_text)
}

/// The same, opened where it is a text of JSON; null where there is nothing.
pub(in crate::capture) fn cell<'r>(record: &'r Value, names: &[&str]) -> Cow<'r, Value> {
    match member(record, names).map(decoded) {
        Some(value) if !is_blank(&value) => value,
        _ => Cow::Owned(Value::Null),
    }
}

/// A name that the application gave, for the column `route`; clients and LangChain name what has
/// no name by their classes, which tells nothing of a route.
pub(in crate::capture) fn route(record: &Value, names: &[&str]) -> Option<String> {
    words(record, names).filter(|name| !is_class(name))
}

fn is_class(name: &str) -> bool {
    const CLASSES: &[&str] = &["OpenAI-generation", "OpenAI-embedding", "OpenAI", "LangGraph"];
    let bare = name.strip_prefix("Azure").unwrap_or(name);
    let after = ["Chat", "Runnable"].iter().find_map(|prefix| bare.strip_prefix(prefix));
    CLASSES.contains(&bare) || after.is_some_and(|rest| rest.starts_with(char::is_uppercase))
}
