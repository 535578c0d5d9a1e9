//! The request body put together again from LiteLLM's messages and parameters.

use serde_json::{Map, Value, json};

use crate::chat::ChatRequest;
use crate::dataset::{CapturedExchange, ContentState};
use crate::provider::Protocol;

use super::super::body::{fill_request, set_replayable, set_state, without_request};
use super::super::marks::is_python_repr;
use super::super::reason::NotReplayable;
use super::super::value::{decoded, is_blank, text};
use super::call::Call;

/// Prefixes of `model` that name the provider, where the record does not name it apart.
const PROVIDERS: &[&str] = &[
    "anthropic",
    "azure",
    "azure_ai",
    "bedrock",
    "cohere",
    "deepseek",
    "fireworks_ai",
    "gemini",
    "groq",
    "hosted_vllm",
    "mistral",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "together_ai",
    "vertex_ai",
    "xai",
];

/// The model that the client asked for: the public alias, else the deployment's model without the
/// provider's name before it.
pub(super) fn model(record: &Value) -> String {
    if let Some(alias) = text(record, &["model_group"]) {
        return alias;
    }
    let model = text(record, &["model"]).unwrap_or_default();
    let provider = text(record, &["custom_llm_provider"]);
    match model.split_once('/') {
        Some((prefix, rest))
            if provider.as_deref() == Some(prefix)
                || (provider.is_none() && PROVIDERS.contains(&prefix)) =>
        {
            rest.to_owned()
        }
        _ => model,
    }
}

/// Fills the request columns; returns the request if it could be read.
pub(super) fn fill(row: &mut CapturedExchange, record: &Value, call: Call) -> Option<ChatRequest> {
    let prompt = decoded(record.get("messages").unwrap_or(&Value::Null));
    if is_blank(&prompt) {
        without_request(row);
        return None;
    }
    let body = body(row, record, call, &prompt);
    let request = fill_request(row, call.dialect(), &body);
    if is_python_repr(&prompt) {
        set_state(row, ContentState::Truncated);
        set_replayable(row, Some(NotReplayable::Truncated));
    }
    request
}

fn body(row: &CapturedExchange, record: &Value, call: Call, prompt: &Value) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), Value::String(row.request_model.clone()));
    if call.dialect() == Some(Protocol::AnthropicMessages) {
        let (system, messages) = split_system(prompt);
        if let Some(system) = system {
            body.insert("system".to_owned(), system);
        }
        body.insert("messages".to_owned(), messages);
    } else {
        body.insert(call.prompt_member().to_owned(), prompt.clone());
    }
    let parameters = record.get("model_parameters").and_then(Value::as_object);
    for (name, value) in parameters.into_iter().flatten() {
        body.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    if row.stream == Some(true) && !body.contains_key("stream") {
        body.insert("stream".to_owned(), Value::Bool(true));
    }
    Value::Object(body)
}

/// Takes the leading system messages out of the list, where LiteLLM puts Anthropic's `system`.
fn split_system(prompt: &Value) -> (Option<Value>, Value) {
    let Some(messages) = prompt.as_array() else { return (None, prompt.clone()) };
    let is_system = |message: &&Value| message.get("role").is_some_and(|role| role == "system");
    let leading = messages.iter().take_while(is_system).count();
    let (system, rest) = messages.split_at(leading);
    let contents: Vec<&Value> =
        system.iter().filter_map(|message| message.get("content")).collect();
    let system = match contents.as_slice() {
        [] => None,
        [one] => Some((*one).clone()),
        many => Some(Value::Array(many.iter().flat_map(|content| blocks(content)).collect())),
    };
    (system, Value::Array(rest.to_vec()))
}

fn blocks(content: &Value) -> Vec<Value> {
    match content {
        Value::Array(blocks) => blocks.clone(),
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        _ => Vec::new(),
    }
}
