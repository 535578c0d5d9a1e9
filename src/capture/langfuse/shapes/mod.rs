//! Traced content in its many shapes, brought into the wire shape of one dialect.
//!
//! Tools that trace applications keep what the instrumentation handed over: messages of OpenAI,
//! of Anthropic, of Gemini, of LangChain (three serialisations), a bare text, a whole body. The
//! request has to be put together again from that, from separate parameters and separate tools.
//! Both readers of traces use this module, so that one conversation gets one body whichever tool
//! kept it. What is not recognised is kept as it is and not replayable; nothing is guessed.

mod answer;
mod content;
mod failure;
mod fields;
mod join;
mod messages;
mod parameters;
mod provider;
mod request;
mod tools;

#[cfg(test)]
mod tests;

pub(in crate::capture) use answer::Answer;
pub(in crate::capture) use content::mark_elided;
pub(in crate::capture) use failure::failure;
pub(in crate::capture) use fields::{cell, member, route, words};
pub(in crate::capture) use join::{Call, Context, Piece, join};
pub(in crate::capture) use parameters::parameters;
pub(in crate::capture) use provider::{provider, provider_of_model};
pub(in crate::capture) use request::Asked;
pub(in crate::capture) use tools::{definitions, openai_tool};
