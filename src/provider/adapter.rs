//! What a protocol adapter must be able to do, and the words in which it is asked.

use serde_json::{Map, Value};

use crate::chat::{ChatRequest, ChatResponse};

use super::decode::{Decoded, Decoder};
use super::error::{HeaderLookup, ProviderError};
use super::loss::{Loss, Losses};
use super::protocol::Protocol;
use super::raw::Edit;

/// Where a request goes and what is known of the model there.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The protocol that the candidate speaks.
    pub protocol: Protocol,
    /// The model name to send.
    pub model: &'a str,
    /// The plan's cap in tokens, inserted when the request has none of its own.
    pub max_output_tokens: Option<u64>,
    /// The catalogue's maximum in tokens, for protocols that require a cap.
    pub model_max_output_tokens: Option<u64>,
    /// The `anthropic-version` to speak, for instance `2023-06-01`.
    pub anthropic_version: &'a str,
    /// Whether the model takes temperature, top-p and top-k.
    pub supports_sampling: bool,
    /// Whether the endpoint fetches pictures by address.
    pub supports_image_urls: bool,
    /// What else is known of the model.
    pub model_traits: ModelTraits,
    /// Hosted tools (by `type` or `name`) and state members (by name, for instance `container`)
    /// that a replay may send.
    pub allow_hosted_tools: &'a [String],
    /// Whether a replay may ask the provider to store the answer.
    pub allow_store: bool,
}

impl<'a> Target<'a> {
    /// A target of which nothing but protocol and model is known, with nothing allowed.
    pub fn new(protocol: Protocol, model: &'a str) -> Self {
        Target {
            protocol,
            model,
            max_output_tokens: None,
            model_max_output_tokens: None,
            anthropic_version: super::anthropic::FIRST_VERSION,
            supports_sampling: true,
            supports_image_urls: true,
            model_traits: ModelTraits::default(),
            allow_hosted_tools: &[],
            allow_store: false,
        }
    }

    /// Whether the plan allows a hosted tool or state member by this name.
    pub(super) fn allows(&self, name: &str) -> bool {
        self.allow_hosted_tools.iter().any(|allowed| allowed == name)
    }
}

/// Abilities of a model that a translation depends on, as price catalogues list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelTraits {
    /// Whether the model continues an answer that the request has begun.
    pub assistant_prefill: bool,
    /// Whether system messages may stand between other turns.
    pub mid_conversation_system: bool,
    /// Whether the request may force the model to call a tool.
    pub forced_tool_use: bool,
    /// How the model is told to think.
    pub thinking: Thinking,
}

impl Default for ModelTraits {
    /// What holds for a model that no catalogue describes.
    fn default() -> Self {
        ModelTraits {
            assistant_prefill: true,
            mid_conversation_system: false,
            forced_tool_use: true,
            thinking: Thinking::None,
        }
    }
}

/// How an Anthropic model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// It cannot think, or nobody knows.
    None,
    /// By a budget of tokens.
    Budget,
    /// By an effort; it decides itself how long.
    Adaptive,
}

/// A request ready to be sent, but for address and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// Path below the base URL.
    pub path: &'static str,
    /// Headers without any key.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Vec<u8>,
    /// What was changed on the way, in the order of the request.
    pub losses: Vec<Loss>,
    /// Whether the answer will be a stream of events.
    pub stream: bool,
    /// The cap on output tokens that the body carries, per choice.
    pub output_cap: Option<u64>,
    /// How many choices the body asks for, at least 1.
    pub choices: u64,
    /// Pictures in the body, those inside tool results included.
    pub image_count: usize,
}

/// A captured request in neutral form, with what the neutral form does not show.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// The request.
    pub request: ChatRequest,
    /// Where each of the request's messages stood in the captured body.
    pub origins: Vec<Origin>,
    /// Where each of the request's tools stood in the captured body.
    pub tool_paths: Vec<String>,
    /// What has no neutral form and so cannot reach another protocol.
    pub losses: Losses,
    /// What the captured dialect calls the parameters whose names differ between dialects.
    pub names: ParameterNames,
}

/// Paths of neutral parameters in the captured body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParameterNames {
    /// Cap on output tokens.
    pub output_cap: &'static str,
    /// Stop sequences.
    pub stop: &'static str,
    /// The end user's identifier.
    pub user: &'static str,
    /// How hard to think.
    pub reasoning_effort: &'static str,
    /// Form of the answer.
    pub response_format: &'static str,
    /// Whether several tool calls may come in one answer.
    pub parallel_tool_calls: &'static str,
    /// How the model must choose among the tools.
    pub tool_choice: &'static str,
    /// Sampling temperature.
    pub temperature: &'static str,
    /// Nucleus sampling mass.
    pub top_p: &'static str,
    /// Top-k sampling.
    pub top_k: &'static str,
    /// How many choices are asked for.
    pub choices: &'static str,
    /// Sampling seed.
    pub seed: &'static str,
    /// Presence penalty.
    pub presence_penalty: &'static str,
    /// Frequency penalty.
    pub frequency_penalty: &'static str,
}

impl ParameterNames {
    /// The names of OpenAI Chat Completions, most of which other dialects have too.
    pub const COMMON: ParameterNames = ParameterNames {
        output_cap: "max_tokens",
        stop: "stop",
        user: "user",
        reasoning_effort: "reasoning_effort",
        response_format: "response_format",
        parallel_tool_calls: "parallel_tool_calls",
        tool_choice: "tool_choice",
        temperature: "temperature",
        top_p: "top_p",
        top_k: "top_k",
        choices: "n",
        seed: "seed",
        presence_penalty: "presence_penalty",
        frequency_penalty: "frequency_penalty",
    };
}

impl Parsed {
    /// The path of a tool in the captured body.
    pub fn tool_path(&self, index: usize) -> &str {
        self.tool_paths.get(index).map_or("tools", String::as_str)
    }
}

/// Where a neutral message came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// Path of the message, for instance `messages[2]`.
    pub path: String,
    /// Path of each of the message's parts.
    pub parts: Vec<String>,
}

impl Origin {
    /// The path of a part, or of the message where the part has none.
    pub fn part(&self, index: usize) -> &str {
        self.parts.get(index).unwrap_or(&self.path)
    }
}

/// A body in the target's protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The body's members in the order of sending.
    pub body: Map<String, Value>,
    /// The cap on output tokens that the body carries.
    pub output_cap: Option<u64>,
}

/// What the sender must know of a body that was captured in the target's own protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patched {
    /// Whether the answer will be a stream of events.
    pub stream: bool,
    /// The cap on output tokens that the body carries.
    pub output_cap: Option<u64>,
    /// How many choices the body asks for, at least 1.
    pub choices: u64,
    /// Pictures in the body.
    pub image_count: usize,
}

/// Why a body cannot be read as a request or response of its dialect.
///
/// The texts name places, never content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// A member that the dialect requires is not there.
    #[error("`{0}` is missing")]
    Missing(String),
    /// A member has another type than the dialect gives it.
    #[error("`{path}` is not {expected}")]
    WrongType {
        /// Where.
        path: String,
        /// What it should be, with its article.
        expected: &'static str,
    },
    /// The body reports an error instead of an answer.
    #[error("the body is an error report ({0})")]
    ErrorBody(String),
}

impl ParseError {
    pub(super) fn wrong(path: impl Into<String>, expected: &'static str) -> Self {
        ParseError::WrongType { path: path.into(), expected }
    }
}

/// One wire protocol, without socket, clock or key.
pub trait Adapter: Sync {
    /// Which protocol it speaks.
    fn protocol(&self) -> Protocol;

    /// Headers that the protocol requires, without any key.
    fn headers(&self, target: &Target<'_>) -> Vec<(&'static str, String)>;

    /// Name and value prefix of the header that carries the key; `version` is the API version.
    fn auth_header(&self, version: &str) -> (&'static str, &'static str);

    /// Headers in which the provider states its own request identifier, the best first.
    fn request_id_headers(&self) -> &'static [&'static str];

    /// Reads a request body.
    fn parse_request(&self, body: &Value) -> Result<Parsed, ParseError>;

    /// Reads a whole response body.
    fn parse_response(&self, body: &Value) -> Result<ChatResponse, ParseError>;

    /// Changes what a replay must change in a body that is in this protocol already.
    fn patch(&self, edit: &mut Edit<'_>, target: &Target<'_>, losses: &mut Losses) -> Patched;

    /// Writes a neutral request in this protocol and books what it cannot carry.
    fn encode(&self, parsed: &Parsed, target: &Target<'_>, losses: &mut Losses) -> Encoded;

    /// A decoder for one answer.
    fn decoder(&self, stream: bool) -> Box<dyn Decoder + Send>;

    /// Reads a recorded stream as a whole.
    fn assemble(&self, sse: &[u8]) -> Decoded;

    /// Classes a failed answer by status, headers and body.
    fn classify(&self, status: u16, headers: HeaderLookup<'_>, body: &[u8]) -> ProviderError;
}

/// Every adapter, one a protocol.
pub static ADAPTERS: &[&dyn Adapter] = &[&super::openai::OpenAiChat, &super::anthropic::Anthropic];

/// The adapter of a protocol.
pub fn adapter(protocol: Protocol) -> &'static dyn Adapter {
    match protocol {
        Protocol::OpenAiChat => &super::openai::OpenAiChat,
        Protocol::AnthropicMessages => &super::anthropic::Anthropic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_every_protocol_once() {
        let listed: Vec<Protocol> = ADAPTERS.iter().map(|adapter| adapter.protocol()).collect();
        assert_eq!(listed, Protocol::ALL);
        for protocol in Protocol::ALL {
            assert_eq!(adapter(*protocol).protocol(), *protocol);
        }
    }
}
