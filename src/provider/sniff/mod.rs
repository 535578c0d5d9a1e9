//! Which dialect captured bodies are written in.

mod answer;
mod request;

#[cfg(test)]
mod tests;

pub use answer::{sniff_response, sniff_stream};
pub use request::sniff_dialect;
