//! Which dialects captured bodies are written in; more can be read than are spoken.

use std::fmt;
use std::str::FromStr;

use super::protocol::Protocol;

/// The dialect of a captured request or answer.
///
/// Every [`Protocol`] is a dialect. The others are read, so that they can be translated, but no
/// candidate is spoken to in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// OpenAI Chat Completions.
    OpenAiChat,
    /// Anthropic Messages, also in the form that Bedrock and Vertex take.
    AnthropicMessages,
    /// OpenAI Responses.
    OpenAiResponses,
    /// OpenAI's legacy completions: a prompt without messages, also as Llama takes it on Bedrock.
    OpenAiCompletions,
    /// Google Gemini `generateContent`.
    Gemini,
    /// Amazon Bedrock Converse.
    BedrockConverse,
    /// Cohere chat, version 2; conversations of version 1 are read too.
    CohereChat,
}

impl Dialect {
    /// Every dialect, in the order of declaration.
    pub const ALL: &'static [Dialect] = &[
        Dialect::OpenAiChat,
        Dialect::AnthropicMessages,
        Dialect::OpenAiResponses,
        Dialect::OpenAiCompletions,
        Dialect::Gemini,
        Dialect::BedrockConverse,
        Dialect::CohereChat,
    ];

    /// The dialect's name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::OpenAiChat => "openai_chat",
            Dialect::AnthropicMessages => "anthropic_messages",
            Dialect::OpenAiResponses => "openai_responses",
            Dialect::OpenAiCompletions => "openai_completions",
            Dialect::Gemini => "gemini",
            Dialect::BedrockConverse => "bedrock_converse",
            Dialect::CohereChat => "cohere_chat",
        }
    }

    /// The protocol that speaks this dialect, if one does.
    pub fn protocol(self) -> Option<Protocol> {
        match self {
            Dialect::OpenAiChat => Some(Protocol::OpenAiChat),
            Dialect::AnthropicMessages => Some(Protocol::AnthropicMessages),
            _ => None,
        }
    }
}

impl From<Protocol> for Dialect {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::OpenAiChat => Dialect::OpenAiChat,
            Protocol::AnthropicMessages => Dialect::AnthropicMessages,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut all = Dialect::ALL.iter().copied();
        all.find(|dialect| dialect.as_str() == text).ok_or_else(|| UnknownDialect(text.to_owned()))
    }
}

/// A text that names no [`Dialect`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a dialect")]
pub struct UnknownDialect(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_is_read_back_from_its_name_and_every_protocol_is_one() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.as_str().parse(), Ok(*dialect));
        }
        for protocol in Protocol::ALL {
            assert_eq!(Dialect::from(*protocol).protocol(), Some(*protocol));
            assert_eq!(Dialect::from(*protocol).as_str(), protocol.as_str());
        }
    }
}
