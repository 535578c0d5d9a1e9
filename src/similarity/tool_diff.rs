//! How the tool calls of two answers differ: names, order, and arguments by path.

use serde_json::Value;

use super::json::values_equal;
use super::json_diff::{DifferenceKind, JsonDiffOptions, JsonDifference, values_diff};
use super::tool_call::{ToolCallView, arguments_of, parse_calls};

/// One way in which the calls of two answers differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolDifference {
    /// The function's name.
    pub tool: String,
    /// What differs.
    pub kind: ToolDifferenceKind,
    /// The path within the arguments; `None` for a whole call.
    pub argument: Option<String>,
    /// Type of the argument on the left, where it has one.
    pub left_type: Option<&'static str>,
    /// The same on the right.
    pub right_type: Option<&'static str>,
}

/// In what way calls differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolDifferenceKind {
    /// Only the left answer makes the call.
    MissingCall,
    /// Only the right answer makes it.
    ExtraCall,
    /// Both make the same calls, in another order.
    Order,
    /// The arguments of one of them are not JSON.
    NotJson,
    /// An argument differs.
    Argument(DifferenceKind),
}

impl ToolDifferenceKind {
    /// `missing_call`, `extra_call`, `order`, `not_json`, `removed`, `added`, `type` or `value`.
    pub fn as_str(self) -> &'static str {
        match self {
            ToolDifferenceKind::MissingCall => "missing_call",
            ToolDifferenceKind::ExtraCall => "extra_call",
            ToolDifferenceKind::Order => "order",
            ToolDifferenceKind::NotJson => "not_json",
            ToolDifferenceKind::Argument(kind) => kind.as_str(),
        }
    }
}

/// What differs between two lists of calls as the `tool_calls` column holds them; `None` when a
/// text is not such a list.
///
/// Calls of one function are paired: equal ones first, the rest in their order. Identifiers are
/// never compared, arguments as JSON values. `options` bounds the list and sets how arguments are
/// compared. No difference but `order` means
/// [`tool_calls_json_equal`](super::tool_calls_json_equal) under the default options.
pub fn tool_calls_diff(
    left: &str,
    right: &str,
    options: JsonDiffOptions,
) -> Option<Vec<ToolDifference>> {
    let (left, right) = (parse_calls(left)?, parse_calls(right)?);
    let mut found = Vec::new();
    let mut unmatched: Vec<&ToolCallView> = right.iter().collect();
    let mut rest: Vec<&ToolCallView> = Vec::new();
    for call in &left {
        match unmatched.iter().position(|other| same(call, other, options)) {
            Some(at) => {
                unmatched.remove(at);
            }
            None => rest.push(call),
        }
    }
    if rest.is_empty() && unmatched.is_empty() {
        let moved = left.iter().zip(&right).find(|(a, b)| !same(a, b, options));
        found.extend(moved.map(|(call, _)| whole(call, ToolDifferenceKind::Order)));
    }
    for call in rest {
        match unmatched.iter().position(|other| other.name == call.name) {
            Some(at) => arguments(call, unmatched.remove(at), options, &mut found),
            None => found.push(whole(call, ToolDifferenceKind::MissingCall)),
        }
    }
    found.extend(unmatched.into_iter().map(|call| whole(call, ToolDifferenceKind::ExtraCall)));
    found.truncate(options.most_listed);
    Some(found)
}

fn same(a: &ToolCallView, b: &ToolCallView, options: JsonDiffOptions) -> bool {
    a.name == b.name
        && match (arguments_of(a), arguments_of(b)) {
            (Some(a), Some(b)) => values_equal(&a, &b) || values_diff(&a, &b, options).count == 0,
            (None, None) => a.arguments == b.arguments,
            _ => false,
        }
}

fn whole(call: &ToolCallView, kind: ToolDifferenceKind) -> ToolDifference {
    ToolDifference {
        tool: call.name.clone(),
        kind,
        argument: None,
        left_type: None,
        right_type: None,
    }
}

fn arguments(
    left: &ToolCallView,
    right: &ToolCallView,
    options: JsonDiffOptions,
    found: &mut Vec<ToolDifference>,
) {
    let parsed: (Option<Value>, Option<Value>) = (arguments_of(left), arguments_of(right));
    let (Some(a), Some(b)) = parsed else {
        found.push(whole(left, ToolDifferenceKind::NotJson));
        return;
    };
    let named = |difference: JsonDifference| ToolDifference {
        tool: left.name.clone(),
        kind: ToolDifferenceKind::Argument(difference.kind),
        argument: Some(difference.path),
        left_type: difference.left_type,
        right_type: difference.right_type,
    };
    found.extend(values_diff(&a, &b, options).differences.into_iter().map(named));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(list: &[(&str, &str)]) -> String {
        let call = |(name, arguments): &(&str, &str)| serde_json::json!({"id": "x", "name": name, "arguments": arguments});
        Value::from(list.iter().map(call).collect::<Vec<Value>>()).to_string()
    }

    fn listed(left: &[(&str, &str)], right: &[(&str, &str)]) -> Vec<String> {
        let options = JsonDiffOptions::default();
        let found = tool_calls_diff(&calls(left), &calls(right), options).unwrap();
        let line = |d: &ToolDifference| {
            format!("{} {} {}", d.tool, d.kind.as_str(), d.argument.as_deref().unwrap_or("-"))
        };
        found.iter().map(line).collect()
    }

    #[test]
    fn calls_are_paired_by_name_equal_ones_first() {
        let left = [("f", r#"{"x":1}"#), ("f", r#"{"x":2}"#), ("g", "{}")];
        let right = [("f", r#"{"x":2.0}"#), ("f", r#"{"x":"1","y":0}"#), ("h", "")];
        let expected = ["f type $.x", "f added $.y", "g missing_call -", "h extra_call -"];
        assert_eq!(listed(&left, &right), expected);
    }

    #[test]
    fn another_order_is_a_difference_of_its_own() {
        let (f, g) = (("f", "{}"), ("g", ""));
        assert_eq!(listed(&[f, g], &[g, f]), ["f order -"]);
        assert!(listed(&[f, g], &[f, g]).is_empty());
    }

    #[test]
    fn broken_arguments_are_named() {
        assert_eq!(listed(&[("f", "{\"x\":")], &[("f", "{}")]), ["f not_json -"]);
        assert!(listed(&[("f", "{\"x\":")], &[("f", "{\"x\":")]).is_empty());
        assert_eq!(tool_calls_diff("no list", "[]", JsonDiffOptions::default()), None);
    }
}
