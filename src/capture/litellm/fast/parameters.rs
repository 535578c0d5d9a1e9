//! The parameters that most requests have, read and written without a parsed body.

use serde_json::{Map, Value};

use crate::chat::ChatRequest;
use crate::dataset::CapturedExchange;

use super::conversation::push_text;
use super::strict::{Members, Slot};

/// Parameters that are single values.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    /// Their JSON as it follows the messages in a body.
    pub(super) json: String,
    /// A request of these parameters alone.
    pub(super) request: ChatRequest,
    /// Whether `stream` is among them.
    pub(super) has_stream: bool,
}

impl Parameters {
    /// Reads `model_parameters`; none if there is more than single values of the common names.
    pub(super) fn of(members: &Members<'_>) -> Option<Self> {
        let mut all = Parameters { json: String::with_capacity(128), ..Parameters::default() };
        for (index, (name, value)) in members.0.iter().enumerate() {
            let mut before = members.0.iter().take(index);
            if before.any(|(other, _)| other == name) {
                return None;
            }
            if matches!(&**name, "model" | "messages") {
                // The body has its own.
                continue;
            }
            all.add(name, value)?;
            all.json.push(',');
            push_text(&mut all.json, name);
            all.json.push(':');
            match value {
                Slot::Text(text) => push_text(&mut all.json, text),
                Slot::Other(value) => all.json.push_str(&value.to_string()),
            }
        }
        Some(all)
    }

    fn add(&mut self, name: &str, value: &Slot<'_>) -> Option<()> {
        let request = &mut self.request;
        match (name, value) {
            ("stream", Slot::Other(Value::Bool(_) | Value::Null)) => self.has_stream = true,
            (
                "temperature"
                | "top_p"
                | "presence_penalty"
                | "frequency_penalty"
                | "seed"
                | "n"
                | "max_tokens"
                | "max_completion_tokens"
                | "stop"
                | "user",
                Slot::Other(Value::Null),
            ) => {}
            ("temperature", Slot::Other(Value::Number(number))) => {
                request.temperature = Some(number.as_f64()?);
            }
            ("top_p", Slot::Other(Value::Number(number))) => request.top_p = Some(number.as_f64()?),
            ("presence_penalty", Slot::Other(Value::Number(number))) => {
                request.presence_penalty = Some(number.as_f64()?);
            }
            ("frequency_penalty", Slot::Other(Value::Number(number))) => {
                request.frequency_penalty = Some(number.as_f64()?);
            }
            ("max_tokens" | "max_completion_tokens", Slot::Other(Value::Number(number))) => {
                request.max_output_tokens = request.max_output_tokens.max(Some(number.as_u64()?));
            }
            ("n", Slot::Other(Value::Number(number))) => request.choices = Some(number.as_u64()?),
            ("seed", Slot::Other(Value::Number(number))) => request.seed = Some(number.as_i64()?),
            ("stop", Slot::Text(text)) => request.stop.push(text.clone().into_owned()),
            ("user", Slot::Text(text)) => request.user = Some(text.clone().into_owned()),
            ("stream_options", Slot::Other(Value::Object(options))) if is_usage(options) => {}
            _ => return None,
        }
        Some(())
    }

    /// Fills the columns of the parameters, and ends their JSON.
    pub(super) fn fill(&mut self, row: &mut CapturedExchange) {
        if row.stream == Some(true) && !self.has_stream {
            self.json.push_str(",\"stream\":true");
        }
        let request = &self.request;
        row.temperature = request.temperature;
        row.top_p = request.top_p;
        row.max_output_tokens = request.max_output_tokens.and_then(|cap| i64::try_from(cap).ok());
        row.n = request.choices.and_then(|n| i64::try_from(n).ok());
        row.seed = request.seed;
        row.stop_count = i32::try_from(request.stop.len()).unwrap_or(i32::MAX);
        if row.user_id.is_none() {
            row.user_id.clone_from(&request.user);
        }
    }
}

fn is_usage(options: &Map<String, Value>) -> bool {
    options.len() == 1 && options.get("include_usage").is_some_and(Value::is_boolean)
}
