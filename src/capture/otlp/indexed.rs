//! Lists that are spread over attributes, such as `gen_ai.prompt.0.content`.

use serde_json::{Map, Value};

use super::super::value::is_blank;

/// The most segments of a name that are told apart; real ones have ten.
const MAX_DEPTH: usize = 24;

/// A list put together again.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Indexed {
    /// The items in the order of their numbers.
    pub(super) items: Vec<Value>,
    /// Whether a number is missing between two others or at the beginning.
    pub(super) has_gap: bool,
}

/// The list under a prefix that ends with a dot; no items if there is none.
pub(super) fn list(attributes: &Map<String, Value>, prefix: &str) -> Indexed {
    let mut tree = Map::new();
    for (name, value) in attributes {
        if let Some(rest) = name.strip_prefix(prefix) {
            let segments: Vec<&str> = rest.splitn(MAX_DEPTH, '.').collect();
            plant(&mut tree, &segments, value);
        }
    }
    let mut has_gap = false;
    let items = match grown(Value::Object(tree), &mut has_gap) {
        Value::Array(items) => items,
        _ => Vec::new(),
    };
    Indexed { items, has_gap }
}

fn plant(tree: &mut Map<String, Value>, segments: &[&str], value: &Value) {
    match segments {
        [] => {}
        [last] => {
            let leaf = tree.entry(*last).or_insert(Value::Null);
            if is_blank(leaf) {
                *leaf = value.clone();
            }
        }
        [first, rest @ ..] => {
            let branch = tree.entry(*first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(branch) = branch {
                plant(branch, rest, value);
            }
        }
    }
}

/// Makes a list of each object whose names are all numbers.
fn grown(value: Value, has_gap: &mut bool) -> Value {
    let Value::Object(object) = value else { return value };
    let number = |name: &String| name.parse::<u64>().ok();
    let is_list = !object.is_empty() && object.keys().all(|name| number(name).is_some());
    let grow = |value, has_gap: &mut bool| grown(value, has_gap);
    if !is_list {
        let members = object.into_iter();
        return members.map(|(name, value)| (name, grow(value, has_gap))).collect();
    }
    let mut items: Vec<(u64, Value)> = object
        .into_iter()
        .filter_map(|(name, value)| Some((number(&name)?, grow(value, has_gap))))
        .collect();
    items.sort_by_key(|(number, _)| *number);
    *has_gap |= items.iter().zip(0_u64..).any(|((number, _), place)| *number != place);
    items.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn list_of(attributes: &Value, prefix: &str) -> Indexed {
        list(attributes.as_object().unwrap(), prefix)
    }

    #[test]
    fn items_come_in_the_order_of_their_numbers_and_inner_lists_too() {
        let attributes = json!({
            "m.10.role": "j", "m.2.role": "c", "m.1.role": "b", "m.0.role": "a",
            "m.0.calls.0.function.name": "f", "m.0.calls.1.function.name": "g", "other": 1,
        });
        let found = list_of(&attributes, "m.");
        let roles: Vec<&Value> = found.items.iter().map(|item| &item["role"]).collect();
        assert_eq!(roles, ["a", "b", "c", "j"]);
        let calls = json!([{"function": {"name": "f"}}, {"function": {"name": "g"}}]);
        assert_eq!(found.items[0]["calls"], calls);
        assert!(found.has_gap, "between 2 and 10");
    }

    #[test]
    fn a_missing_number_is_a_gap_and_a_hostile_name_is_no_list() {
        assert!(!list_of(&json!({"m.0.role": "a", "m.1.role": "b"}), "m.").has_gap);
        assert!(list_of(&json!({"m.1.role": "b"}), "m.").has_gap);
        assert_eq!(list_of(&json!({"m.x.role": "b"}), "m."), Indexed::default());
        let clash = list_of(&json!({"m.0": "leaf", "m.0.role": "a"}), "m.");
        assert_eq!(clash.items, [json!("leaf")]);
        let deep = format!("m.{}", "0.".repeat(10_000));
        assert_eq!(list_of(&json!({ deep: 1 }), "m.").items.len(), 1);
    }
}
