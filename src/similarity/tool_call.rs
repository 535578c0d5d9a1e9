//! Equality of the tool calls of two answers.

use serde::Deserialize;
use serde_json::Value;

use super::json::values_equal;

/// A tool call as the tables hold it: `{"id", "name", "arguments"}`, where `arguments` is JSON
/// text. The identifier differs between any two runs and is never compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ToolCallView {
    /// The function's name.
    pub name: String,
    /// The arguments as JSON text; empty means no arguments.
    #[serde(default)]
    pub arguments: String,
}

/// Whether two answers make the same calls, in any order: providers may issue parallel calls in
/// any order, and a client runs them all.
///
/// Names compare exactly, arguments as JSON values (see [`crate::similarity::json_equal`]), or
/// as bytes where one of them is not JSON. A call made twice must occur twice.
pub fn tool_calls_equal(a: &[ToolCallView], b: &[ToolCallView]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let a: Vec<ParsedCall> = a.iter().map(ParsedCall::new).collect();
    let mut unmatched: Vec<ParsedCall> = b.iter().map(ParsedCall::new).collect();
    // Equality of calls is transitive, so any matching partner is as good as another.
    a.iter().all(|call| match unmatched.iter().position(|other| call.equals(other)) {
        Some(found) => {
            unmatched.swap_remove(found);
            true
        }
        None => false,
    })
}

/// Whether two answers make the same calls in the same order.
pub fn same_tool_sequence(a: &[ToolCallView], b: &[ToolCallView]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| ParsedCall::new(a).equals(&ParsedCall::new(b)))
}

/// [`tool_calls_equal`] of two JSON arrays of calls as the `tool_calls` column holds them.
///
/// An empty text is an empty list. `None` when a text is not such an array.
pub fn tool_calls_json_equal(a: &str, b: &str) -> Option<bool> {
    Some(tool_calls_equal(&parse_calls(a)?, &parse_calls(b)?))
}

/// [`same_tool_sequence`] of two JSON arrays of calls as the `tool_calls` column holds them.
///
/// An empty text is an empty list. `None` when a text is not such an array.
pub fn tool_sequence_json_equal(a: &str, b: &str) -> Option<bool> {
    Some(same_tool_sequence(&parse_calls(a)?, &parse_calls(b)?))
}

pub(super) fn parse_calls(text: &str) -> Option<Vec<ToolCallView>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    serde_json::from_str(text).ok()
}

/// The arguments as a value; `None` when they are not JSON.
pub(super) fn arguments_of(call: &ToolCallView) -> Option<Value> {
    let text = call.arguments.trim();
    // OpenAI writes "" and Anthropic {} for a call without arguments.
    serde_json::from_str(if text.is_empty() { "{}" } else { text }).ok()
}

struct ParsedCall<'a> {
    call: &'a ToolCallView,
    arguments: Option<Value>,
}

impl<'a> ParsedCall<'a> {
    fn new(call: &'a ToolCallView) -> Self {
        Self { call, arguments: arguments_of(call) }
    }

    fn equals(&self, other: &Self) -> bool {
        self.call.name == other.call.name
            && match (&self.arguments, &other.arguments) {
                (Some(a), Some(b)) => values_equal(a, b),
                (None, None) => self.call.arguments == other.call.arguments,
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, arguments: &str) -> ToolCallView {
        ToolCallView { name: name.to_owned(), arguments: arguments.to_owned() }
    }

    #[test]
    fn key_order_call_order_and_identifiers_do_not_matter() {
        let a = r#"[{"id":"call_1","name":"f","arguments":"{\"x\":1,\"y\":2}"},
                    {"id":"call_2","name":"g","arguments":"{}"}]"#;
        let b = r#"[{"id":"toolu_9","name":"g","arguments":""},
                    {"id":"toolu_8","name":"f","arguments":"{\"y\":2.0, \"x\":1}"}]"#;
        assert_eq!(tool_calls_json_equal(a, b), Some(true));
    }

    #[test]
    fn the_sequence_can_be_asked_for() {
        let (f, g) = (call("f", "{}"), call("g", "{}"));
        assert!(!same_tool_sequence(&[f.clone(), g.clone()], &[g.clone(), f.clone()]));
        assert!(same_tool_sequence(&[f.clone(), g.clone()], &[f, g]));
    }

    #[test]
    fn a_repeated_call_must_be_repeated() {
        let (f, g) = (call("f", "{}"), call("g", "{}"));
        assert!(!tool_calls_equal(&[f.clone(), f.clone(), g.clone()], &[f.clone(), g.clone(), g]));
        assert!(!tool_calls_equal(&[f.clone(), f.clone()], &[f]));
    }

    #[test]
    fn names_and_arguments_matter() {
        assert!(!tool_calls_equal(&[call("f", "{}")], &[call("F", "{}")]));
        assert!(!tool_calls_equal(&[call("f", r#"{"x":1}"#)], &[call("f", r#"{"x":2}"#)]));
    }

    #[test]
    fn broken_arguments_equal_only_themselves() {
        assert!(tool_calls_equal(&[call("f", "{\"x\":")], &[call("f", "{\"x\":")]));
        assert!(!tool_calls_equal(&[call("f", "{\"x\":")], &[call("f", "{}")]));
        assert_eq!(tool_calls_json_equal("not json", "[]"), None);
        assert_eq!(tool_calls_json_equal("", "[]"), Some(true));
    }
}
