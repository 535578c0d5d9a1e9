//! Provider-neutral words: request, response, tool call, usage, finish reason, error class.
//!
//! Every protocol adapter translates to and from these types, so that two providers can be
//! compared at all. The sets are closed, each with an explicit `Other(raw)` where the world is
//! open. This module does no I/O and knows no protocol.

mod error_class;
mod prompt_key;
mod request;
mod response;

pub use error_class::ErrorClass;
pub use prompt_key::{PromptKey, prompt_key};
pub use request::{
    ChatRequest, ImageSource, Message, Part, ReasoningEffort, ResponseFormat, Role, Tool,
    ToolChoice,
};
pub use response::{ChatResponse, FinishReason, ToolCall, Usage};
