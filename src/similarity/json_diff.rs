//! Where two JSON values differ, by path.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::{canonical_number, number_of, numbers_equal};

/// How strictly [`json_diff`] compares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JsonDiffOptions {
    /// Whether `[1, 2]` and `[2, 1]` differ. If not, equal elements of two arrays are matched
    /// first, and what is left is compared in its order.
    pub array_order_matters: bool,
    /// Two numbers are equal when they differ by at most this share of the larger magnitude.
    pub tolerance: f64,
    /// Most differences that are listed; all are counted.
    pub most_listed: usize,
}

impl Default for JsonDiffOptions {
    fn default() -> Self {
        JsonDiffOptions { array_order_matters: true, tolerance: 0.0, most_listed: 100 }
    }
}

/// In what way two values differ at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Only the left value has the path.
    Removed,
    /// Only the right value has it.
    Added,
    /// Both have it, with values of different types.
    Type,
    /// Both have it, with different values of one type.
    Value,
}

impl DifferenceKind {
    /// `removed`, `added`, `type` or `value`.
    pub fn as_str(self) -> &'static str {
        match self {
            DifferenceKind::Removed => "removed",
            DifferenceKind::Added => "added",
            DifferenceKind::Type => "type",
            DifferenceKind::Value => "value",
        }
    }
}

/// One difference. Values are left out: they are what users wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonDifference {
    /// A normalized path in the manner of RFC 9535, with `.name` for plain names: `$.items[2].id`.
    pub path: String,
    /// What differs.
    pub kind: DifferenceKind,
    /// `null`, `boolean`, `number`, `string`, `array` or `object`; `None` where the path is absent.
    pub left_type: Option<&'static str>,
    /// The same of the right value.
    pub right_type: Option<&'static str>,
}

/// All differences of two values.
#[derive(Debug, Clone, PartialEq)]
pub struct JsonDiff {
    /// The first of them, in the order of the left value's paths, then what only the right one has.
    pub differences: Vec<JsonDifference>,
    /// How many there are.
    pub count: usize,
    /// Paths of leaves that occur in either value; an empty array or object is a leaf.
    pub leaves: usize,
    /// How many of them are equal in both.
    pub equal_leaves: usize,
}

impl JsonDiff {
    /// Share of leaf paths that are equal, from 0 to 1.
    pub fn similarity(&self) -> f64 {
        if self.leaves == 0 { 1.0 } else { self.equal_leaves as f64 / self.leaves as f64 }
    }
}

/// Compares two JSON texts; `None` when one of them is not JSON.
///
/// The order of keys is free, numbers are compared by value (1 and 1.0 are equal), of a key that
/// occurs twice the last counts.
pub fn json_diff(left: &str, right: &str, options: JsonDiffOptions) -> Option<JsonDiff> {
    let (left, right) = (serde_json::from_str(left).ok()?, serde_json::from_str(right).ok()?);
    Some(values_diff(&left, &right, options))
}

/// [`json_diff`] of parsed values.
pub(super) fn values_diff(left: &Value, right: &Value, options: JsonDiffOptions) -> JsonDiff {
    let found = JsonDiff { differences: Vec::new(), count: 0, leaves: 0, equal_leaves: 0 };
    let mut walk = Walk { path: "$".to_owned(), options, found };
    walk.compare(left, right);
    walk.found
}

struct Walk {
    path: String,
    options: JsonDiffOptions,
    found: JsonDiff,
}

impl Walk {
    fn compare(&mut self, left: &Value, right: &Value) {
        match (left, right) {
            (Value::Object(a), Value::Object(b)) if !(a.is_empty() && b.is_empty()) => {
                self.objects(a, b);
            }
            (Value::Array(a), Value::Array(b)) if !(a.is_empty() && b.is_empty()) => {
                self.arrays(a, b);
            }
            _ if type_of(left) != type_of(right) => {
                self.found.leaves += leaves(left).max(leaves(right));
                self.differ(DifferenceKind::Type, Some(left), Some(right));
            }
            _ => {
                self.found.leaves += 1;
                if self.leaves_equal(left, right) {
                    self.found.equal_leaves += 1;
                } else {
                    self.differ(DifferenceKind::Value, Some(left), Some(right));
                }
            }
        }
    }

    fn leaves_equal(&self, left: &Value, right: &Value) -> bool {
        if let (Value::Number(a), Value::Number(b)) = (left, right) {
            let near = || {
                let (a, b) = (number_of(a), number_of(b));
                (a - b).abs() <= self.options.tolerance * a.abs().max(b.abs())
            };
            return numbers_equal(a, b) || (self.options.tolerance > 0.0 && near());
        }
        left == right
    }

    fn objects(&mut self, left: &Map<String, Value>, right: &Map<String, Value>) {
        for (key, value) in left {
            self.at_key(key, |walk| match right.get(key) {
                Some(other) => walk.compare(value, other),
                None => walk.only(DifferenceKind::Removed, value),
            });
        }
        for (key, value) in right.iter().filter(|(key, _)| !left.contains_key(*key)) {
            self.at_key(key, |walk| walk.only(DifferenceKind::Added, value));
        }
    }

    fn arrays(&mut self, left: &[Value], right: &[Value]) {
        let mut a: Vec<(usize, &Value)> = left.iter().enumerate().collect();
        let mut b: Vec<(usize, &Value)> = right.iter().enumerate().collect();
        if !self.options.array_order_matters {
            self.take_out_equal(&mut a, &mut b);
        }
        let both = a.len().min(b.len());
        for ((index, value), (_, other)) in a.iter().zip(&b) {
            self.at_index(*index, |walk| walk.compare(value, other));
        }
        for (index, value) in a.iter().skip(both) {
            self.at_index(*index, |walk| walk.only(DifferenceKind::Removed, value));
        }
        for (index, value) in b.iter().skip(both) {
            self.at_index(*index, |walk| walk.only(DifferenceKind::Added, value));
        }
    }

    /// Removes elements that both arrays have, wherever they stand.
    fn take_out_equal(&mut self, a: &mut Vec<(usize, &Value)>, b: &mut Vec<(usize, &Value)>) {
        let mut available: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, value) in b.iter().rev() {
            available.entry(canonical(value)).or_default().push(*index);
        }
        let mut taken = Vec::new();
        a.retain(|(_, value)| {
            let Some(index) = available.get_mut(&canonical(value)).and_then(Vec::pop) else {
                return true;
            };
            taken.push(index);
            self.found.leaves += leaves(value);
            self.found.equal_leaves += leaves(value);
            false
        });
        taken.sort_unstable();
        b.retain(|(index, _)| taken.binary_search(index).is_err());
    }

    fn only(&mut self, kind: DifferenceKind, value: &Value) {
        self.found.leaves += leaves(value);
        let (left, right) = match kind {
            DifferenceKind::Removed => (Some(value), None),
            _ => (None, Some(value)),
        };
        self.differ(kind, left, right);
    }

    fn differ(&mut self, kind: DifferenceKind, left: Option<&Value>, right: Option<&Value>) {
        self.found.count += 1;
        if self.found.differences.len() < self.options.most_listed {
            self.found.differences.push(JsonDifference {
                path: self.path.clone(),
                kind,
                left_type: left.map(type_of),
                right_type: right.map(type_of),
            });
        }
    }

    fn at_key(&mut self, key: &str, then: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        if !key.is_empty() && key.chars().all(is_name) && !key.starts_with(|c: char| c.is_numeric())
        {
            self.path.push('.');
            self.path.push_str(key);
        } else {
            self.path.push_str("['");
            self.path.push_str(&key.replace('\\', "\\\\").replace('\'', "\\'"));
            self.path.push_str("']");
        }
        then(self);
        self.path.truncate(before);
    }

    fn at_index(&mut self, index: usize, then: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        self.path.extend(["[", &index.to_string(), "]"]);
        then(self);
        self.path.truncate(before);
    }
}

/// Leaves of a value: everything that is no array or object with something in it.
fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(list) if !list.is_empty() => list.iter().map(leaves).sum(),
        Value::Object(map) if !map.is_empty() => map.values().map(leaves).sum(),
        _ => 1,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// One spelling of a value, the same for all values that are equal by
/// [`json_equal`](super::json_equal): sorted keys, integers without a fraction.
fn canonical(value: &Value) -> String {
    match value {
        Value::Number(number) => canonical_number(number),
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            let members: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::json::values_equal;
    use super::*;

    fn listed(left: &str, right: &str, options: JsonDiffOptions) -> Vec<String> {
        let found = json_diff(left, right, options).unwrap();
        let line = |d: &JsonDifference| {
            let name = |of: Option<&str>| of.unwrap_or("-").to_owned();
            format!("{} {} {} {}", d.path, d.kind.as_str(), name(d.left_type), name(d.right_type))
        };
        found.differences.iter().map(line).collect()
    }

    #[test]
    fn each_way_to_differ_is_told_apart() {
        let left = r#"{"a": 1, "b": [1, {"c": "x"}], "gone": null, "d": "1", "same": [true]}"#;
        let right = r#"{"same": [true], "d": 1, "b": [1, {"c": "y"}, 3], "a": 1.0, "new key": {}}"#;
        let expected = [
            "$.b[1].c value string string",
            "$.b[2] added - number",
            "$.gone removed null -",
            "$.d type string number",
            "$['new key'] added - object",
        ];
        assert_eq!(listed(left, right, JsonDiffOptions::default()), expected);
        let found = json_diff(left, right, JsonDiffOptions::default()).unwrap();
        // a, b[0] and same[0] of a, b[0], b[1].c, b[2], gone, d, same[0] and the new key.
        assert_eq!((found.equal_leaves, found.leaves), (3, 8));
    }

    #[test]
    fn order_of_arrays_and_small_differences_can_be_forgiven() {
        let free = JsonDiffOptions { array_order_matters: false, ..JsonDiffOptions::default() };
        assert!(listed("[1,2,2,3]", "[2.0,3,1,2]", free).is_empty());
        assert_eq!(listed("[1,{\"a\":1}]", "[{\"a\":2},1]", free), ["$[1].a value number number"]);
        assert_eq!(listed("[1,1]", "[1]", free), ["$[1] removed number -"]);
        let near = JsonDiffOptions { tolerance: 0.01, ..JsonDiffOptions::default() };
        assert!(listed("[100, 0]", "[100.9, 0]", near).is_empty());
        assert_eq!(listed("100", "102", near), ["$ value number number"]);
        let large = "{\"id\": 9007199254740993}";
        assert_eq!(listed(large, "{\"id\": 9007199254740992}", free).len(), 1);
    }

    #[test]
    fn the_list_is_bounded_and_the_count_is_not() {
        let options = JsonDiffOptions { most_listed: 2, ..JsonDiffOptions::default() };
        let found = json_diff("[1,2,3,4]", "[]", options).unwrap();
        assert_eq!((found.differences.len(), found.count, found.leaves), (2, 4, 4));
        assert!(found.similarity().abs() < 1e-15);
    }

    #[test]
    fn names_that_are_no_names_are_quoted() {
        let found =
            listed(r#"{"it's": 1, "": 2, "7": 3, "é": 4}"#, "{}", JsonDiffOptions::default());
        let paths: Vec<&str> = found.iter().map(|d| d.split(' ').next().unwrap()).collect();
        assert_eq!(paths, [r"$['it\'s']", "$['']", "$['7']", "$.é"]);
    }

    #[test]
    fn prose_has_no_paths() {
        assert_eq!(json_diff("Sure!", "{}", JsonDiffOptions::default()), None);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3..3_i64).prop_map(Value::from),
            (-3..3_i64).prop_map(|n| Value::from(n as f64)),
            "[ab]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("[abc]", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_difference_means_equal_and_the_reverse(a in values(), b in values()) {
            let found = values_diff(&a, &b, JsonDiffOptions::default());
            prop_assert_eq!(found.count == 0, values_equal(&a, &b));
            prop_assert_eq!(canonical(&a) == canonical(&b), values_equal(&a, &b));
            let back = values_diff(&b, &a, JsonDiffOptions::default());
            prop_assert_eq!((found.count, found.equal_leaves), (back.count, back.equal_leaves));
            prop_assert!(found.equal_leaves <= found.leaves);
            prop_assert!(values_diff(&a, &a, JsonDiffOptions::default()).similarity() >= 1.0);
        }

        #[test]
        fn a_free_order_forgives_every_shuffle(
            list in proptest::collection::vec(values(), 0..6).prop_flat_map(|list| {
                (Just(list.clone()), Just(list).prop_shuffle())
            }),
        ) {
            let free = JsonDiffOptions { array_order_matters: false, ..JsonDiffOptions::default() };
            let (a, b) = (Value::from(list.0), Value::from(list.1));
            prop_assert_eq!(values_diff(&a, &b, free).count, 0);
        }
    }
}
