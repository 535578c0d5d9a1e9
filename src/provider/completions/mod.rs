//! OpenAI's legacy completions, and the bodies of Bedrock's Llama and Mistral models, which are a
//! prompt without messages too.
//!
//! - A prompt is a text to be continued, and a chat model is asked it as a user: a loss that every
//!   translation books.
//! - Several prompts in one request are several answers, and token identifiers belong to one
//!   tokenizer; neither can be sent elsewhere.

mod request;
mod response;

pub(super) use request::parse;
pub(super) use response::parse as parse_response;

use super::decode::StreamDecoder;

/// A decoder of recorded streams.
pub(super) fn stream_decoder() -> StreamDecoder<response::CompletionsEvents> {
    StreamDecoder::new(response::CompletionsEvents::default(), response::read_body)
}
