//! Parameters of a request, which traces keep as texts, under several spellings, with defaults.

use serde_json::{Map, Value, json};

use crate::capture::value::{decoded, flag, is_blank, number};
use crate::provider::Dialect;

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Flag,
    Text,
    /// An object, a list, or a text that may be one.
    Json,
}

/// Parameters that belong into a request body, with their spellings elsewhere.
///
/// All else that instrumentation logs (deployment, timeouts, class names) is no part of the wire
/// body, and a provider may refuse members that it does not know.
const PARAMETERS: &[(&str, Kind, &[&str])] = &[
    ("temperature", Kind::Number, &[]),
    ("top_p", Kind::Number, &["topP"]),
    ("top_k", Kind::Number, &["topK"]),
    ("max_tokens", Kind::Number, &["maxTokens"]),
    ("max_completion_tokens", Kind::Number, &["maxCompletionTokens"]),
    ("max_output_tokens", Kind::Number, &["maxOutputTokens"]),
    ("frequency_penalty", Kind::Number, &["frequencyPenalty"]),
    ("presence_penalty", Kind::Number, &["presencePenalty"]),
    ("seed", Kind::Number, &[]),
    ("n", Kind::Number, &[]),
    ("top_logprobs", Kind::Number, &["topLogprobs"]),
    ("logprobs", Kind::Flag, &[]),
    ("stream", Kind::Flag, &["streaming"]),
    ("parallel_tool_calls", Kind::Flag, &["parallelToolCalls"]),
    ("store", Kind::Flag, &[]),
    ("stop", Kind::Json, &["stop_sequences", "stopSequences"]),
    ("tools", Kind::Json, &[]),
    ("tool_choice", Kind::Json, &["toolChoice"]),
    ("functions", Kind::Json, &[]),
    ("function_call", Kind::Json, &[]),
    ("response_format", Kind::Json, &["responseFormat"]),
    ("logit_bias", Kind::Json, &["logitBias"]),
    ("prediction", Kind::Json, &[]),
    ("modalities", Kind::Json, &[]),
    ("thinking", Kind::Json, &[]),
    ("reasoning", Kind::Json, &[]),
    ("text", Kind::Json, &[]),
    ("reasoning_effort", Kind::Text, &["reasoningEffort"]),
    ("verbosity", Kind::Text, &[]),
    ("service_tier", Kind::Text, &["serviceTier"]),
    ("user", Kind::Text, &[]),
];

/// The parameters of a request under their names of OpenAI Chat Completions, from an object or
/// from its text of JSON.
///
/// Values that mean "not set" are left out: null, empty, `None`, an infinite cap (Langfuse's
/// OpenAI client writes `"Infinity"` where no cap was given), and the service tier that is had
/// without asking.
pub(in crate::capture) fn parameters(value: &Value) -> Map<String, Value> {
    let value = decoded(value);
    let mut found = Map::new();
    for (name, kind, others) in PARAMETERS {
        let spellings = std::iter::once(name).chain(*others);
        let logged = spellings.filter_map(|name| value.get(name)).find_map(|v| typed(v, *kind));
        let is_default = |v: &Value| *name == "service_tier" && (v == "default" || v == "auto");
        if let Some(parameter) = logged.filter(|parameter| !is_default(parameter)) {
            found.insert((*name).to_owned(), parameter);
        }
    }
    found
}

fn typed(value: &Value, kind: Kind) -> Option<Value> {
    let is_unset = value.as_str().is_some_and(|text| matches!(text, "None" | "null" | "undefined"));
    if is_blank(value) || is_unset {
        return None;
    }
    match kind {
        Kind::Number => {
            number(value)?;
            let text = value.as_str().map(str::trim);
            text.map_or_else(|| Some(value.clone()), |text| serde_json::from_str(text).ok())
        }
        // Legacy completions ask for a number of log probabilities.
        Kind::Flag if value.is_number() => Some(value.clone()),
        Kind::Flag => flag(value).map(Value::Bool),
        Kind::Text => value.as_str().map(|text| json!(text)),
        Kind::Json => Some(decoded(value).into_owned()),
    }
}

/// The names of the cap on output.
const CAPS: [&str; 3] = ["max_tokens", "max_completion_tokens", "max_output_tokens"];

/// Puts parameters into a body under the names of its dialect; members that are there stay.
pub(super) fn add(body: &mut Map<String, Value>, parameters: Map<String, Value>, dialect: Dialect) {
    match dialect {
        Dialect::Gemini => return nest(body, parameters, "generationConfig", GEMINI),
        Dialect::BedrockConverse => return nest(body, parameters, "inferenceConfig", CONVERSE),
        _ => {}
    }
    let capped = CAPS.iter().any(|name| body.contains_key(*name));
    for (name, value) in parameters {
        let name = match (dialect, name.as_str()) {
            (_, cap) if capped && CAPS.contains(&cap) => continue,
            // `text` is the Responses API's, elsewhere it is something else's.
            (Dialect::AnthropicMessages, "user" | "service_tier" | "text")
            | (Dialect::OpenAiChat | Dialect::OpenAiCompletions, "text") => continue,
            (Dialect::AnthropicMessages, "max_completion_tokens" | "max_output_tokens")
            | (Dialect::OpenAiChat | Dialect::OpenAiCompletions, "max_output_tokens") => {
                "max_tokens"
            }
            (Dialect::AnthropicMessages | Dialect::CohereChat, "stop") => "stop_sequences",
            (Dialect::CohereChat, "top_p") => "p",
            (Dialect::CohereChat, "top_k") => "k",
            (Dialect::OpenAiResponses, "max_tokens" | "max_completion_tokens") => {
                "max_output_tokens"
            }
            (_, own) => own,
        };
        let value = match (name, value) {
            ("stop_sequences", Value::String(text)) => json!([text]),
            (_, value) => value,
        };
        body.entry(name).or_insert(value);
    }
}

/// Gemini's names of parameters.
const GEMINI: &[(&str, &str)] = &[
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("max_tokens", "maxOutputTokens"),
    ("max_output_tokens", "maxOutputTokens"),
    ("stop", "stopSequences"),
    ("seed", "seed"),
    ("n", "candidateCount"),
];

/// Bedrock Converse's names of parameters.
const CONVERSE: &[(&str, &str)] = &[
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("max_tokens", "maxTokens"),
    ("max_output_tokens", "maxTokens"),
    ("stop", "stopSequences"),
];

/// Puts parameters into an object of their own, where a dialect keeps them so.
fn nest(
    body: &mut Map<String, Value>,
    parameters: Map<String, Value>,
    member: &str,
    names: &[(&str, &str)],
) {
    let mut settings = Map::new();
    for (name, value) in parameters {
        if let Some((_, own)) = names.iter().find(|(other, _)| *other == name) {
            let value = match (*own, value) {
                ("stopSequences", Value::String(text)) => json!([text]),
                (_, value) => value,
            };
            settings.insert((*own).to_owned(), value);
        }
    }
    if !settings.is_empty() {
        body.entry(member).or_insert(Value::Object(settings));
    }
}
