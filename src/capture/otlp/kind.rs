//! Which spans are calls of a model, and of what kind.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The kind of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// No call of a model: a tool, an agent, a chain, a request of HTTP, a query.
    #[default]
    Other,
    /// Generation of text from messages.
    Chat,
    /// Generation of text from a prompt without messages.
    TextCompletion,
    /// The call as LiteLLM sent it, below its own span of the same call.
    Raw,
    /// Embeddings.
    Embeddings,
    /// Pictures.
    Image,
    /// Speech, either way.
    Audio,
    /// Judgement of a text.
    Moderation,
    /// Documents put in order.
    Rerank,
}

impl Kind {
    /// The kind by the attributes of the conventions; what an instrumentation says of its own
    /// span counts more than the general `gen_ai.operation.name`.
    pub(super) fn of(name: &str, scope: &str, attributes: &Map<String, Value>) -> Self {
        let text = |key: &str| attributes.get(key).and_then(Value::as_str);
        if name == "raw_gen_ai_request" {
            return Kind::Raw;
        }
        if let Some(kind) = text("openinference.span.kind") {
            return match kind.to_ascii_uppercase().as_str() {
                "LLM" if attributes.keys().any(|key| key.starts_with("llm.prompts.")) => {
                    Kind::TextCompletion
                }
                "LLM" => Kind::Chat,
                "EMBEDDING" => Kind::Embeddings,
                "RERANKER" => Kind::Rerank,
                _ => Kind::Other,
            };
        }
        if let Some(kind) = text("langfuse.observation.type") {
            return match kind.to_ascii_lowercase().as_str() {
                "generation" => Kind::Chat,
                "embedding" => Kind::Embeddings,
                _ => Kind::Other,
            };
        }
        let is_litellm = scope == "litellm" || attributes.contains_key("litellm.call_id");
        let stated = ["gen_ai.operation.name", "llm.request.type"].into_iter().find_map(text);
        if let Some(kind) = stated.and_then(|operation| operation_kind(operation, is_litellm)) {
            return kind;
        }
        if text("traceloop.span.kind").is_some() || text("gen_ai.tool.name").is_some() {
            return Kind::Other;
        }
        let has = |key: &str| attributes.contains_key(key);
        let is_engine = attributes.keys().any(|key| key.starts_with("gen_ai.latency."));
        let has_model = has("gen_ai.request.model") || has("gen_ai.response.model");
        let has_traffic = attributes.keys().any(|key| {
            ["gen_ai.usage.", "gen_ai.prompt.", "gen_ai.input.messages", "gen_ai.response.id"]
                .iter()
                .any(|prefix| key.starts_with(prefix))
        });
        if is_engine || (has_model && has_traffic) { Kind::Chat } else { Kind::Other }
    }

    /// The column `operation`.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Kind::Chat | Kind::Raw => "chat",
            Kind::TextCompletion => "text_completion",
            Kind::Embeddings => "embeddings",
            Kind::Image => "image",
            Kind::Audio => "audio",
            Kind::Moderation => "moderation",
            Kind::Rerank => "rerank",
            Kind::Other => "other",
        }
    }

    /// Whether it is generation of text.
    pub(super) fn is_text_generation(self) -> bool {
        matches!(self, Kind::Chat | Kind::TextCompletion | Kind::Raw)
    }

    /// Whether two spans may be the same call, one inside the other.
    pub(super) fn matches(self, other: Kind) -> bool {
        self == other || (self.is_text_generation() && other.is_text_generation())
    }
}

/// The kind of a stated operation; `None` if the word is unknown.
///
/// LiteLLM states its own call types, most of them with an `a` before them.
fn operation_kind(operation: &str, is_litellm: bool) -> Option<Kind> {
    Some(match operation {
        "completion" | "acompletion" if is_litellm => Kind::Chat,
        "chat"
        | "generate_content"
        | "responses"
        | "aresponses"
        | "anthropic_messages"
        | "aanthropic_messages"
        | "agenerate_content"
        | "generate_content_stream"
        | "agenerate_content_stream" => Kind::Chat,
        "text_completion" | "atext_completion" | "completion" => Kind::TextCompletion,
        "embeddings" | "embedding" | "aembedding" => Kind::Embeddings,
        "image_generation" | "aimage_generation" | "image_edit" | "aimage_edit" => Kind::Image,
        "speech" | "aspeech" | "transcription" | "atranscription" => Kind::Audio,
        "moderation" | "amoderation" => Kind::Moderation,
        "rerank" | "arerank" => Kind::Rerank,
        "create_agent" | "invoke_agent" | "execute_tool" | "invoke_workflow" | "retrieval" => {
            Kind::Other
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(scope: &str, attributes: &Value) -> Kind {
        Kind::of("a name", scope, attributes.as_object().unwrap())
    }

    #[test]
    fn the_kind_follows_the_instrumentation_before_the_general_convention() {
        let cases = [
            ("", json!({"gen_ai.operation.name": "chat"}), Kind::Chat),
            ("", json!({"gen_ai.operation.name": "generate_content"}), Kind::Chat),
            ("", json!({"gen_ai.operation.name": "invoke_agent"}), Kind::Other),
            ("", json!({"gen_ai.operation.name": "execute_tool"}), Kind::Other),
            ("", json!({"llm.request.type": "completion"}), Kind::TextCompletion),
            ("litellm", json!({"llm.request.type": "completion"}), Kind::Chat),
            ("", json!({"llm.request.type": "embedding"}), Kind::Embeddings),
            ("", json!({"openinference.span.kind": "LLM"}), Kind::Chat),
            (
                "",
                json!({"openinference.span.kind": "AGENT", "gen_ai.operation.name": "chat"}),
                Kind::Other,
            ),
            ("", json!({"langfuse.observation.type": "generation"}), Kind::Chat),
            ("", json!({"langfuse.observation.type": "retriever"}), Kind::Other),
            ("vllm", json!({"gen_ai.latency.e2e": 0.5}), Kind::Chat),
            (
                "",
                json!({"gen_ai.operation.name": "novel", "gen_ai.request.model": "m"}),
                Kind::Other,
            ),
            (
                "",
                json!({"gen_ai.operation.name": "novel", "gen_ai.request.model": "m",
                    "gen_ai.usage.input_tokens": 1}),
                Kind::Chat,
            ),
            ("", json!({"http.request.method": "POST"}), Kind::Other),
            ("", json!({"gen_ai.operation.name": 7}), Kind::Other),
        ];
        for (scope, attributes, expected) in cases {
            assert_eq!(kind(scope, &attributes), expected, "{attributes}");
        }
    }
}
