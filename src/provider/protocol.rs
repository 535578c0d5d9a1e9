//! Which wire protocols are spoken, and what each is called.

use std::fmt;
use std::str::FromStr;

/// A wire protocol, which is also the dialect that a captured body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// OpenAI Chat Completions, also spoken by most gateways and self-hosted servers.
    OpenAiChat,
    /// Anthropic Messages.
    AnthropicMessages,
}

impl Protocol {
    /// Every protocol, in the order of declaration.
    pub const ALL: &'static [Protocol] = &[Protocol::OpenAiChat, Protocol::AnthropicMessages];

    /// The protocol's name in plans and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Protocol::OpenAiChat => "openai_chat",
            Protocol::AnthropicMessages => "anthropic_messages",
        }
    }

    /// The request path below a base URL such as `https://api.openai.com/v1`.
    pub fn path(self) -> &'static str {
        match self {
            Protocol::OpenAiChat => "/chat/completions",
            Protocol::AnthropicMessages => "/messages",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Protocol::ALL
            .iter()
            .copied()
            .find(|protocol| protocol.as_str() == text)
            .ok_or_else(|| UnknownProtocol(text.to_owned()))
    }
}

/// A text that names no [`Protocol`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a protocol")]
pub struct UnknownProtocol(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_is_read_back_from_its_name() {
        for protocol in Protocol::ALL {
            assert_eq!(protocol.as_str().parse(), Ok(*protocol));
        }
        assert_eq!("openai".parse::<Protocol>(), Err(UnknownProtocol("openai".into())));
    }
}
