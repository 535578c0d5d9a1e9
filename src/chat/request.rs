//! A chat request as every protocol can be read into, with nothing dropped in silence.

use serde_json::{Map, Value};

/// A request to a chat model, in neutral form.
///
/// What a protocol has and this type has no field for is kept in [`ChatRequest::extra`] under its
/// original name, so that an encoder can carry it or book it as a loss.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChatRequest {
    /// The model name as the caller wrote it.
    pub model: String,
    /// The conversation in order; system messages stay where they were.
    pub messages: Vec<Message>,
    /// Function tools that the model may call.
    pub tools: Vec<Tool>,
    /// Tools that the provider itself runs (web search, code, MCP…), as their raw JSON.
    pub hosted_tools: Vec<Value>,
    /// How the model must choose among the tools.
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tool calls may come in one answer.
    pub parallel_tool_calls: Option<bool>,
    /// The request's own cap on output tokens, reasoning included.
    pub max_output_tokens: Option<u64>,
    /// Sampling temperature as written (OpenAI 0 to 2, Anthropic 0 to 1).
    pub temperature: Option<f64>,
    /// Nucleus sampling mass, 0 to 1.
    pub top_p: Option<f64>,
    /// Top-k sampling, in tokens.
    pub top_k: Option<u64>,
    /// Stop sequences in order.
    pub stop: Vec<String>,
    /// How many choices were asked for.
    pub choices: Option<u64>,
    /// Sampling seed.
    pub seed: Option<i64>,
    /// Presence penalty, -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Frequency penalty, -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// The form that the answer must have.
    pub response_format: Option<ResponseFormat>,
    /// How hard a reasoning model shall think.
    pub reasoning_effort: Option<ReasoningEffort>,
    /// The end user's identifier as the caller sent it.
    pub user: Option<String>,
    /// Whether the answer shall be streamed.
    pub stream: bool,
    /// Fields without a neutral place, by their original name, in their original order.
    pub extra: Map<String, Value>,
}

impl ChatRequest {
    /// The number of images in the conversation.
    pub fn image_count(&self) -> usize {
        self.messages
            .iter()
            .flat_map(|message| &message.parts)
            .filter(|part| matches!(part, Part::Image { .. }))
            .count()
    }
}

/// Who speaks in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Operator instructions (OpenAI `system` and `developer`, Anthropic `system`).
    System,
    /// The end user.
    User,
    /// The model.
    Assistant,
    /// The result of a tool call (an own role at OpenAI, a block of a user turn at Anthropic).
    Tool,
}

impl Role {
    /// The role's name as OpenAI chat spells it; also the spelling in prompt keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
    /// The speaker's name, where the protocol has one.
    pub name: Option<String>,
}

impl Message {
    /// A message of one text part.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        let parts = vec![Part::Text(text.into())];
        Message { role, parts, name: None }
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Plain text.
    Text(String),
    /// A picture.
    Image {
        /// Where the picture is.
        source: ImageSource,
        /// OpenAI's `detail` (auto, low, high), if given.
        detail: Option<String>,
    },
    /// A tool call that the model made in an earlier turn.
    ToolCall(super::ToolCall),
    /// What a tool answered.
    ToolResult {
        /// The identifier of the call that this answers.
        call_id: String,
        /// The result, usually one text part.
        content: Vec<Part>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// A refusal that the model spoke in an earlier turn.
    Refusal(String),
    /// A part that has no neutral form (audio, documents, thinking, …): its type and raw JSON.
    Other {
        /// The protocol's name for the kind of part.
        kind: String,
        /// The part as it was.
        raw: Value,
    },
}

/// Where a picture comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// An address that the provider fetches.
    Url(String),
    /// The picture itself.
    Base64 {
        /// For instance `image/png`.
        media_type: String,
        /// Base64 text without a data-URL prefix.
        data: String,
    },
}

/// A function that the model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// The function's name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of its arguments, key order kept.
    pub parameters: Option<Value>,
    /// Whether arguments must follow the schema strictly.
    pub strict: Option<bool>,
}

/// How the model must choose among its tools.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No call.
    None,
    /// At least one call, of any tool.
    Required,
    /// A call of this function.
    Named(String),
    /// A form without a neutral place, as its raw JSON.
    Other(Value),
}

/// The form that an answer must have.
#[derive(Debug, Clone, PartialEq)]
pub enum ResponseFormat {
    /// Free text.
    Text,
    /// Some JSON object.
    JsonObject,
    /// JSON that follows a schema.
    JsonSchema {
        /// The schema's name.
        name: Option<String>,
        /// JSON Schema.
        schema: Value,
        /// Whether it must be followed strictly.
        strict: Option<bool>,
    },
}

/// How hard a reasoning model shall think; the protocol's own word is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasoningEffort(pub String);
