//! Which of LiteLLM's call types are calls of a model, and in which dialect they are logged.

use serde_json::Value;

use crate::provider::Dialect;

/// A kind of call of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Call {
    /// `/chat/completions`.
    Chat,
    /// `/messages`, Anthropic's own.
    Messages,
    /// `/responses`.
    Responses,
    /// `/completions`, a prompt without messages.
    TextCompletion,
    /// Google's own `generateContent`.
    GenerateContent,
    /// A body that was forwarded unread.
    PassThrough,
    /// Text generation through an interface that no dialect is known of: agents, interactions.
    Unknown,
    /// No generation of text; the column `operation` names it.
    NoChat(&'static str),
}

/// What a record's call type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Kind {
    /// A call of a model.
    Model(Call),
    /// The status of a batch job, with the sums of all its calls.
    BatchStatus,
    /// Management of files, jobs, assistants and the like.
    Management,
}

impl Kind {
    /// The kind of a record.
    ///
    /// Records without a call type (of 2024 and before) are chat if they hold messages. The names
    /// are those of `CallTypes` in `litellm/types/utils.py`, where a leading `a` means asynchronous.
    pub(in crate::capture) fn of(record: &Value) -> Self {
        match record.get("call_type").and_then(Value::as_str) {
            Some(name) => Kind::named(name),
            None if record.get("messages").is_some() => Kind::Model(Call::Chat),
            None => Kind::Management,
        }
    }

    /// The kind that a call type names.
    pub(in crate::capture) fn named(name: &str) -> Self {
        Kind::Model(match name {
            "completion" | "acompletion" | "" => Call::Chat,
            "anthropic_messages" | "aanthropic_messages" => Call::Messages,
            "responses" | "aresponses" => Call::Responses,
            "text_completion" | "atext_completion" => Call::TextCompletion,
            "generate_content"
            | "agenerate_content"
            | "generate_content_stream"
            | "agenerate_content_stream" => Call::GenerateContent,
            "pass_through_endpoint" | "llm_passthrough_route" | "allm_passthrough_route" => {
                Call::PassThrough
            }
            "create_interaction"
            | "acreate_interaction"
            | "send_message"
            | "asend_message"
            | "run_thread"
            | "arun_thread"
            | "run_thread_stream"
            | "arun_thread_stream" => Call::Unknown,
            "embedding" | "aembedding" => Call::NoChat("embeddings"),
            "image_generation" | "aimage_generation" | "image_edit" | "aimage_edit"
            | "image_variation" | "aimage_variation" => Call::NoChat("image"),
            "transcription" | "atranscription" | "speech" | "aspeech" => Call::NoChat("audio"),
            "moderation" | "amoderation" => Call::NoChat("moderation"),
            "rerank" | "arerank" => Call::NoChat("rerank"),
            "_arealtime" | "arealtime" | "_aresponses_websocket" => Call::NoChat("realtime"),
            "create_video" | "acreate_video" | "video_generation" | "avideo_generation"
            | "video_edit" | "avideo_edit" | "video_remix" | "avideo_remix" | "search"
            | "asearch" | "ocr" | "aocr" => Call::NoChat("other"),
            "retrieve_batch" | "aretrieve_batch" => return Kind::BatchStatus,
            _ => return Kind::Management,
        })
    }
}

impl Call {
    /// The dialect of the request body that is put together from the record, where the call type
    /// alone decides it.
    pub(in crate::capture) fn dialect(self) -> Option<Dialect> {
        match self {
            Call::Chat => Some(Dialect::OpenAiChat),
            Call::Messages => Some(Dialect::AnthropicMessages),
            Call::Responses => Some(Dialect::OpenAiResponses),
            Call::TextCompletion => Some(Dialect::OpenAiCompletions),
            Call::GenerateContent => Some(Dialect::Gemini),
            Call::PassThrough | Call::Unknown | Call::NoChat(_) => None,
        }
    }

    /// The name of the body's member that holds the prompt.
    pub(in crate::capture) fn prompt_member(self) -> &'static str {
        match self {
            Call::Chat | Call::Messages | Call::PassThrough => "messages",
            Call::GenerateContent => "contents",
            Call::TextCompletion | Call::NoChat("image") => "prompt",
            Call::NoChat("rerank") => "query",
            Call::Responses | Call::Unknown | Call::NoChat(_) => "input",
        }
    }

    /// The column `operation`.
    pub(in crate::capture) fn operation(self) -> &'static str {
        match self {
            Call::TextCompletion => "text_completion",
            Call::Unknown => "other",
            Call::NoChat(operation) => operation,
            _ => "chat",
        }
    }

    /// Whether it generates no text.
    pub(in crate::capture) fn is_no_chat(self) -> bool {
        matches!(self, Call::NoChat(_))
    }
}
