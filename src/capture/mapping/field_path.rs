//! Where in a record a field stands: `a.b.0.c`, with quotes around names that hold a dot.

use std::borrow::Cow;

use serde_json::Value;

use super::super::value::decoded;

/// A path into a record.
///
/// A step is a member's name, or a position in a list. A text of JSON on the way is opened, as
/// many logs keep whole objects in texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldPath {
    steps: Vec<String>,
}

impl FieldPath {
    /// Reads a path; the error says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut steps = Vec::new();
        let mut rest = text.trim();
        loop {
            let (step, after) = step(rest)?;
            steps.push(step);
            match after.strip_prefix('.') {
                Some(after) => rest = after,
                None if after.is_empty() => return Ok(FieldPath { steps }),
                None => return Err("has something between a closing quote and the next dot"),
            }
        }
    }

    /// The value at the path, unless it is missing or null.
    pub(super) fn find<'r>(&self, record: &'r Value) -> Option<Cow<'r, Value>> {
        find(record, &self.steps)
    }
}

/// The first step and what follows it.
fn step(text: &str) -> Result<(String, &str), &'static str> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (step, after) = quoted.split_once('"').ok_or("has an open quote")?;
        return Ok((step.to_owned(), after));
    }
    let end = text.find('.').unwrap_or(text.len());
    let (step, after) = text.split_at(end);
    if step.is_empty() { Err("has an empty step") } else { Ok((step.to_owned(), after)) }
}

fn find<'r>(value: &'r Value, steps: &[String]) -> Option<Cow<'r, Value>> {
    let Some((step, rest)) = steps.split_first() else {
        return (!value.is_null()).then_some(Cow::Borrowed(value));
    };
    match value {
        Value::Object(members) => find(members.get(step)?, rest),
        Value::Array(items) => find(items.get(step.parse::<usize>().ok()?)?, rest),
        Value::String(_) => match decoded(value) {
            Cow::Owned(inner) => find(&inner, steps).map(|found| Cow::Owned(found.into_owned())),
            Cow::Borrowed(_) => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(path: &str, record: &Value) -> Option<Value> {
        FieldPath::parse(path).unwrap().find(record).map(Cow::into_owned)
    }

    #[test]
    fn a_path_goes_through_members_lists_quoted_names_and_texts_of_json() {
        let record = json!({"a": {"b": [{"c": 1}]}, "x.y": {"z": 2}, "Request tokens": "3",
            "payload": "{\"model\":\"m\"}", "null": null});
        assert_eq!(at("a.b.0.c", &record), Some(json!(1)));
        assert_eq!(at("\"x.y\".z", &record), Some(json!(2)));
        assert_eq!(at("Request tokens", &record), Some(json!("3")));
        assert_eq!(at("payload.model", &record), Some(json!("m")));
        for missing in ["a.b.1.c", "a.b.c", "null", "payload.other", "a.b.0.c.d", "nothing"] {
            assert_eq!(at(missing, &record), None, "{missing}");
        }
    }

    #[test]
    fn a_path_that_is_none_says_why() {
        for (path, fault) in [
            ("", "has an empty step"),
            ("a..b", "has an empty step"),
            ("a.", "has an empty step"),
            ("\"a", "has an open quote"),
            ("\"a\"b", "has something between a closing quote and the next dot"),
        ] {
            assert_eq!(FieldPath::parse(path), Err(fault), "{path}");
        }
    }
}
