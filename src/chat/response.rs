//! A chat answer in neutral form, and how it ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A model's answer, the first choice of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatResponse {
    /// The provider's identifier of the answer.
    pub id: Option<String>,
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// The answer's text parts, joined without separator.
    pub text: String,
    /// Visible reasoning text, kept apart from the answer.
    pub reasoning_text: String,
    /// A refusal that the protocol carries in a field of its own.
    pub refusal: Option<String>,
    /// Tool calls in the order in which the model made them.
    pub tool_calls: Vec<ToolCall>,
    /// Why the answer ended.
    pub finish_reason: Option<FinishReason>,
    /// Why the answer ended, in the provider's own word.
    pub raw_finish_reason: Option<String>,
    /// What was consumed, if the provider said so.
    pub usage: Option<Usage>,
}

/// A call of a tool by the model.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ToolCall {
    /// The call's identifier; it differs between two runs of the same request.
    pub id: String,
    /// The function's name.
    pub name: String,
    /// The arguments as JSON text, exactly as the model wrote them.
    pub arguments: String,
}

/// Tokens consumed by one attempt, **inclusive**: cached tokens are inside `input_tokens`,
/// reasoning tokens inside `output_tokens` (OpenTelemetry GenAI semantic conventions).
///
/// `None` means unknown, which is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// All input tokens, cached ones included.
    pub input_tokens: Option<u64>,
    /// All output tokens, reasoning ones included.
    pub output_tokens: Option<u64>,
    /// Input tokens that were read from the provider's prompt cache.
    pub cache_read_input_tokens: Option<u64>,
    /// Input tokens that were written into the provider's prompt cache.
    pub cache_creation_input_tokens: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning_output_tokens: Option<u64>,
}

/// Why an answer ended, in the closed set that all providers are mapped to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FinishReason {
    /// The model was done, or met a stop sequence.
    Stop,
    /// The output cap was reached.
    Length,
    /// The model calls tools.
    ToolCalls,
    /// The model refused.
    Refusal,
    /// A filter of the provider stopped the answer.
    ContentFilter,
    /// The context window was full.
    ContextOverflow,
    /// The provider paused a long turn.
    Paused,
    /// The output was malformed (for instance a broken tool call).
    Malformed,
    /// The provider failed while answering.
    Error,
    /// A reason that is not in this set, in the provider's own word.
    Other(String),
}

impl FinishReason {
    /// The reason as it stands in tables.
    pub fn as_str(&self) -> &str {
        match self {
            FinishReason::Stop => "stop",
            FinishReason::Length => "length",
            FinishReason::ToolCalls => "tool_calls",
            FinishReason::Refusal => "refusal",
            FinishReason::ContentFilter => "content_filter",
            FinishReason::ContextOverflow => "context_overflow",
            FinishReason::Paused => "paused",
            FinishReason::Malformed => "malformed",
            FinishReason::Error => "error",
            FinishReason::Other(_) => "other",
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
