//! Which of LiteLLM's call types are text generation, and in which dialect they are logged.

use serde_json::Value;

use crate::provider::Protocol;

/// A kind of call that generates text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// `/chat/completions`.
    Chat,
    /// `/messages`, Anthropic's own.
    Messages,
    /// `/responses`.
    Responses,
    /// `/completions`, a prompt without messages.
    TextCompletion,
    /// Any other generation of text: Gemini's own, pass-through, realtime.
    Other,
}

impl Call {
    /// The kind of a record; `None` if it is no text generation.
    ///
    /// Records without a call type (of 2024 and before) are chat if they hold messages.
    pub(super) fn of(record: &Value) -> Option<Self> {
        let Some(name) = record.get("call_type").and_then(Value::as_str) else {
            return record.get("messages").is_some().then_some(Call::Chat);
        };
        Some(match name {
            "completion" | "acompletion" | "" => Call::Chat,
            "anthropic_messages" | "aanthropic_messages" => Call::Messages,
            "responses" | "aresponses" => Call::Responses,
            "text_completion" | "atext_completion" => Call::TextCompletion,
            "generate_content"
            | "agenerate_content"
            | "generate_content_stream"
            | "agenerate_content_stream"
            | "pass_through_endpoint"
            | "llm_passthrough_route"
            | "allm_passthrough_route"
            | "_arealtime"
            | "arealtime" => Call::Other,
            _ => return None,
        })
    }

    /// The dialect of the request body that is put together from the record.
    pub(super) fn dialect(self) -> Option<Protocol> {
        match self {
            Call::Chat => Some(Protocol::OpenAiChat),
            Call::Messages => Some(Protocol::AnthropicMessages),
            Call::Responses | Call::TextCompletion | Call::Other => None,
        }
    }

    /// The name of the body's member that holds the prompt.
    pub(super) fn prompt_member(self) -> &'static str {
        match self {
            Call::Chat | Call::Messages | Call::Other => "messages",
            Call::Responses => "input",
            Call::TextCompletion => "prompt",
        }
    }

    /// The column `operation`.
    pub(super) fn operation(self) -> &'static str {
        match self {
            Call::Chat | Call::Messages | Call::Responses => "chat",
            Call::TextCompletion => "text_completion",
            Call::Other => "generate",
        }
    }
}
