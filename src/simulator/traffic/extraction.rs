//! Tasks whose answer is JSON: fields to be read from a customer's message.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::chat::ResponseFormat;

use super::phrases::{Language, Topic, amount, date, pick};

const CATEGORIES: &[&str] = &["delivery", "return", "payment", "defect", "other"];
const PRIORITIES: &[&str] = &["low", "normal", "high"];

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// Category and urgency of a message.
    Triage,
    /// Amounts and dates.
    Claim,
}

impl Task {
    /// A task, drawn.
    pub(super) fn draw(rng: &mut ChaCha8Rng) -> Self {
        if rng.random_bool(0.5) { Task::Triage } else { Task::Claim }
    }

    /// The operator's instructions.
    pub(super) fn instructions(self) -> &'static str {
        match self {
            Task::Triage => {
                "Read the customer's message and answer with one JSON object with the fields \
                 order_number, language, category, priority and needs_human. No other text."
            }
            Task::Claim => {
                "Read the customer's message and answer with one JSON object with the fields \
                 order_number, product, city, amount, currency, date and items. No other text."
            }
        }
    }

    /// The form that the answer must have.
    pub(super) fn format(self, by_schema: bool) -> ResponseFormat {
        if !by_schema {
            return ResponseFormat::JsonObject;
        }
        let text = json!({ "type": "string" });
        let (name, properties) = match self {
            Task::Triage => (
                "triage",
                json!({
                    "order_number": text,
                    "language": text,
                    "category": { "type": "string", "enum": CATEGORIES },
                    "priority": { "type": "string", "enum": PRIORITIES },
                    "needs_human": { "type": "boolean" },
                }),
            ),
            Task::Claim => (
                "claim",
                json!({
                    "order_number": text,
                    "product": text,
                    "city": text,
                    "amount": { "type": "number" },
                    "currency": text,
                    "date": text,
                    "items": { "type": "integer" },
                }),
            ),
        };
        let required: Vec<&String> =
            properties.as_object().into_iter().flat_map(|it| it.keys()).collect();
        let schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        ResponseFormat::JsonSchema { name: Some(name.to_owned()), schema, strict: Some(true) }
    }

    /// A correct answer.
    pub(super) fn answer(self, topic: &Topic, language: &Language, rng: &mut ChaCha8Rng) -> Value {
        match self {
            Task::Triage => json!({
                "order_number": topic.order,
                "language": language.code,
                "category": pick(CATEGORIES, rng),
                "priority": pick(PRIORITIES, rng),
                "needs_human": rng.random_bool(0.3),
            }),
            Task::Claim => json!({
                "order_number": topic.order,
                "product": topic.product,
                "city": topic.city,
                "amount": amount(rng).parse::<f64>().unwrap_or(0.0),
                "currency": "USD",
                "date": date(rng),
                "items": rng.random_range(1..5_u32),
            }),
        }
    }
}
