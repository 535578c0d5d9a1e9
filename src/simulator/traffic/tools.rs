//! The tools that the demo's agents are offered, their calls and their results.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::chat::{Tool, ToolCall};

use super::phrases::{Topic, amount, date, pick};

const REASONS: &[&str] = &["faulty", "wrong_item", "too_late", "changed_mind"];
const STATES: &[&str] = &["packed", "in_transit", "at_depot", "delivered", "returned"];

fn tool(name: &str, description: &str, properties: &Value, required: &[&str]) -> Tool {
    let parameters = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    Tool {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        parameters: Some(parameters),
        strict: None,
    }
}

/// The tools that every agent session offers.
pub(super) fn offered() -> Vec<Tool> {
    let text = json!({ "type": "string" });
    let reason = json!({ "type": "string", "enum": REASONS });
    vec![
        tool(
            "get_order_status",
            "Says where an order is and when it is due.",
            &json!({ "order_number": text }),
            &["order_number"],
        ),
        tool(
            "create_return",
            "Opens a return and sends the customer a label.",
            &json!({ "order_number": text, "reason": reason }),
            &["order_number", "reason"],
        ),
        tool(
            "quote_shipping",
            "Says what a parcel to a city costs.",
            &json!({ "city": text, "weight_kg": { "type": "number" } }),
            &["city", "weight_kg"],
        ),
        tool(
            "schedule_callback",
            "Books a call by a colleague.",
            &json!({ "order_number": text, "date": text, "hour": { "type": "integer" } }),
            &["order_number", "date"],
        ),
    ]
}

/// One or, seldom, two calls of different tools about `topic`; the wire form names them.
pub(super) fn calls(topic: &Topic, rng: &mut ChaCha8Rng) -> Vec<ToolCall> {
    let first = rng.random_range(0..4_u32);
    let mut calls = vec![call(first, topic, rng)];
    if rng.random_bool(0.12) {
        calls.push(call(first + 1, topic, rng));
    }
    calls
}

fn call(which: u32, topic: &Topic, rng: &mut ChaCha8Rng) -> ToolCall {
    let order = topic.order.as_str();
    let (name, arguments) = match which % 4 {
        0 => ("get_order_status", json!({ "order_number": order })),
        1 => {
            let reason = pick(REASONS, rng);
            ("create_return", json!({ "order_number": order, "reason": reason }))
        }
        2 => {
            let weight_kg = f64::from(rng.random_range(2..60_u32)) / 4.0;
            ("quote_shipping", json!({ "city": topic.city, "weight_kg": weight_kg }))
        }
        _ => {
            let (date, hour) = (date(rng), rng.random_range(8..19_u32));
            ("schedule_callback", json!({ "order_number": order, "date": date, "hour": hour }))
        }
    };
    ToolCall { id: String::new(), name: name.to_owned(), arguments: arguments.to_string() }
}

/// What the tool answers to a call about `topic`.
pub(super) fn result(call: &ToolCall, topic: &Topic, rng: &mut ChaCha8Rng) -> String {
    let order = topic.order.as_str();
    let result = match call.name.as_str() {
        "get_order_status" => json!({
            "order_number": order,
            "state": pick(STATES, rng),
            "city": topic.city,
            "due": date(rng),
        }),
        "create_return" => json!({
            "order_number": order,
            "return_id": format!("RT{}", rng.random_range(100_000..1_000_000_u32)),
            "label_valid_until": date(rng),
        }),
        "quote_shipping" => json!({ "city": topic.city, "price": amount(rng), "currency": "USD" }),
        _ => json!({ "order_number": order, "booked": true, "date": date(rng) }),
    };
    result.to_string()
}
