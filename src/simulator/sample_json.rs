//! Simple JSON that follows a schema, for structured answers and tool arguments.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value};

use super::words::Language;

/// Deeper levels are left empty, because schemas may refer to themselves.
const MAX_DEPTH: usize = 6;

/// A schema that branches into itself would otherwise grow by a power at each level.
const MAX_VALUES: usize = 2000;

/// A value that follows `schema`: `type`, `properties`, `items`, `enum`, `const`, `minimum`,
/// `maximum`, `minItems`, local `$ref`, and the first branch of `anyOf`, `oneOf` and `allOf`.
/// Other keywords are not looked at.
pub(super) fn sample(schema: &Value, language: &Language, rng: &mut ChaCha8Rng) -> Value {
    Sampler { root: schema, language, rng, left: MAX_VALUES }.value(schema, 0)
}

/// Like [`sample`], but always an object, as tool arguments must be.
pub(super) fn sample_object(schema: &Value, language: &Language, rng: &mut ChaCha8Rng) -> Value {
    match sample(schema, language, rng) {
        object @ Value::Object(_) => object,
        _ => Value::Object(Map::new()),
    }
}

struct Sampler<'a> {
    root: &'a Value,
    language: &'a Language,
    rng: &'a mut ChaCha8Rng,
    left: usize,
}

impl Sampler<'_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        self.left = self.left.saturating_sub(1);
        if depth > MAX_DEPTH || self.left == 0 {
            return Value::Null;
        }
        if let Some(fixed) = schema.get("const") {
            return fixed.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array)
            && !choices.is_empty()
        {
            let index = self.rng.random_range(0..choices.len());
            return choices.get(index).cloned().unwrap_or_default();
        }
        if let Some(other) = redirect(self.root, schema) {
            return self.value(other, depth + 1);
        }
        match type_of(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" => Value::from(self.number(schema).round() as i64),
            "number" => Value::from((self.number(schema) * 100.0).round() / 100.0),
            "boolean" => Value::from(self.rng.random::<bool>()),
            "null" => Value::Null,
            _ => Value::from(self.language.phrase(2, self.rng)),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut fields = Map::new();
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                if self.left == 0 {
                    break;
                }
                fields.insert(name.clone(), self.value(property, depth + 1));
            }
        }
        Value::Object(fields)
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).min(16);
        let Some(items) = schema.get("items") else { return Value::Array(Vec::new()) };
        (0..least.max(1)).map(|_| self.value(items, depth + 1)).collect()
    }

    fn number(&mut self, schema: &Value) -> f64 {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let low =
            bound("minimum").unwrap_or_else(|| bound("maximum").map_or(1.0, |high| high - 9.0));
        let high = bound("maximum").unwrap_or(low + 99.0).max(low);
        low + (high - low) * self.rng.random::<f64>()
    }
}

/// The schema that this one stands for, if it is only a pointer to one.
fn redirect<'a>(root: &'a Value, schema: &'a Value) -> Option<&'a Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return root.pointer(reference.strip_prefix('#')?);
    }
    // Beside a type of its own, the branches only narrow it.
    if schema.get("type").is_some() || schema.get("properties").is_some() {
        return None;
    }
    ["anyOf", "oneOf", "allOf"].iter().find_map(|name| schema.get(*name)?.as_array()?.first())
}

fn type_of(schema: &Value) -> &str {
    let named = match schema.get("type") {
        Some(Value::Array(types)) => types.first().and_then(Value::as_str),
        Some(single) => single.as_str(),
        None => None,
    };
    named.unwrap_or(if schema.get("properties").is_some() { "object" } else { "string" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::words::any_language;
    use rand::SeedableRng;
    use serde_json::json;

    fn one(schema: &Value, seed: u64) -> Value {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        sample(schema, any_language(&mut ChaCha8Rng::seed_from_u64(seed)), &mut rng)
    }

    #[test]
    fn every_property_has_its_type_and_range() {
        let schema = json!({
            "type": "object",
            "properties": {
                "level": { "enum": ["low", "high"] },
                "count": { "type": "integer", "minimum": 3, "maximum": 5 },
                "tags": { "type": "array", "items": { "type": "string" }, "minItems": 2 },
                "place": { "$ref": "#/$defs/place" },
                "maybe": { "type": ["null", "string"] },
                "either": { "anyOf": [{ "type": "boolean" }, { "type": "null" }] },
            },
            "$defs": { "place": { "properties": { "lat": { "type": "number" } } } },
        });
        for seed in 0..100 {
            let value = one(&schema, seed);
            assert!(value["level"] == "low" || value["level"] == "high");
            assert!((3..=5).contains(&value["count"].as_i64().expect("integer")));
            assert_eq!(value["tags"].as_array().map(Vec::len), Some(2));
            assert!(value["place"]["lat"].is_number());
            assert!(value["maybe"].is_null() && value["either"].is_boolean());
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_comes_to_an_end() {
        let schema = json!({ "type": "object", "properties": { "next": { "$ref": "#" } } });
        assert!(one(&schema, 1).is_object());
        let properties: Map<_, _> =
            (0..30).map(|index| (format!("p{index}"), json!({ "$ref": "#" }))).collect();
        let branching = json!({ "type": "object", "properties": properties });
        assert!(one(&branching, 1).to_string().len() < 100 * MAX_VALUES);
    }

    #[test]
    fn arguments_are_an_object_whatever_the_schema_says() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let language = any_language(&mut ChaCha8Rng::seed_from_u64(1));
        assert!(sample_object(&json!({ "type": "string" }), language, &mut rng).is_object());
    }
}
