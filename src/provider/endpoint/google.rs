//! Addresses of Google, in which the last segment is a model and what is asked of it.

use crate::provider::dialect::Dialect;

use super::Endpoint;

/// The word after the model, with operation, dialect and whether the answer is streamed.
const VERBS: &[(&str, &str, Option<Dialect>, Option<bool>)] = &[
    ("generateContent", "chat", Some(Dialect::Gemini), Some(false)),
    ("streamGenerateContent", "chat", Some(Dialect::Gemini), Some(true)),
    ("rawPredict", "chat", None, Some(false)),
    ("streamRawPredict", "chat", None, Some(true)),
    ("embedContent", "embeddings", None, None),
    ("batchEmbedContents", "embeddings", None, None),
    ("countTokens", "count_tokens", Some(Dialect::Gemini), None),
    ("batchGenerateContent", "batch", None, None),
    ("predict", "other", None, None),
];

/// Whether a segment asks something of a model in Google's manner.
pub(super) fn has_verb(segment: &str) -> bool {
    segment.rsplit_once(':').is_some_and(|(_, verb)| VERBS.iter().any(|(name, ..)| *name == verb))
}

/// Recognises `…/models/{model}:{verb}`, of AI Studio and of Vertex AI.
pub(super) fn endpoint(segments: &[String]) -> Option<Endpoint> {
    let (last, before) = segments.split_last()?;
    let (model, verb) = last.rsplit_once(':')?;
    let (_, operation, dialect, stream) = VERBS.iter().find(|(name, ..)| *name == verb)?;
    let parent = before.last().map(String::as_str);
    if !matches!(parent, Some("models" | "tunedModels" | "endpoints")) || model.is_empty() {
        return None;
    }
    let follows = |name: &str| {
        let place = before.iter().position(|segment| segment == name)?;
        before.get(place + 1).map(String::as_str)
    };
    let is_vertex = follows("projects").is_some() || follows("publishers").is_some();
    let publisher = follows("publishers");
    let dialect = match (verb, publisher) {
        ("rawPredict" | "streamRawPredict", Some("anthropic")) => Some(Dialect::AnthropicMessages),
        ("rawPredict" | "streamRawPredict", _) => Some(Dialect::OpenAiChat),
        _ => *dialect,
    };
    let operation = match *operation {
        // Models that do not generate text are asked for a prediction.
        "other" if model.contains("embed") => "embeddings",
        "other" if model.contains("image") || model.contains("imagen") => "image",
        "other" => return None,
        operation => operation,
    };
    Some(Endpoint {
        provider: Some(if is_vertex { "vertex_ai" } else { "gemini" }),
        operation,
        dialect,
        model: Some(model.to_owned()),
        stream: *stream,
    })
}
