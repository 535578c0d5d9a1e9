//! Reading OpenAI answers, streamed and whole.

use serde::Deserialize as _;
use serde_json::Value;

use crate::chat::{ChatResponse, ErrorClass};
use crate::provider::adapter::ParseError;
use crate::provider::decode::{Events, Step, not_json};
use crate::provider::error::{ProviderError, Stated};

use super::chunk::{Calls, Chunk};
use super::error;

/// Reads a whole completion.
pub(super) fn parse(body: &Value) -> Result<ChatResponse, ParseError> {
    let object = body.as_object().ok_or_else(|| ParseError::wrong("body", "an object"))?;
    if let Some(error) = object.get("error").filter(|error| is_error(error)) {
        let code = Stated::from_value(error).best_code().unwrap_or_else(|| "no code".into());
        return Err(ParseError::ErrorBody(code));
    }
    let chunk = Chunk::deserialize(body).map_err(|_| ParseError::wrong("body", "a completion"))?;
    if chunk.choices.is_none() {
        return Err(ParseError::Missing("choices".into()));
    }
    let mut response = ChatResponse::default();
    chunk.fold(&mut Calls::default(), &mut response);
    Ok(response)
}

/// Reads a whole body of an answer with a successful status.
pub(super) fn read_body(bytes: &[u8]) -> Result<ChatResponse, ProviderError> {
    let body: Value = serde_json::from_slice(bytes).map_err(|_| not_json(bytes))?;
    if let Some(error) = body.get("error").filter(|error| is_error(error)) {
        let stated = Stated::from_value(error);
        let class = error::class_in_success(&stated);
        return Err(stated.classed(class));
    }
    parse(&body).map_err(|error| ProviderError::protocol(&error.to_string()))
}

/// The stream of chunks, ended by `[DONE]`.
#[derive(Debug, Default)]
pub(super) struct OpenAiEvents {
    calls: Calls,
}

impl Events for OpenAiEvents {
    fn event(
        &mut self,
        data: &[u8],
        response: &mut ChatResponse,
    ) -> Result<Step, serde_json::Error> {
        let trimmed = data.trim_ascii();
        if trimmed.starts_with(b"[DONE]") {
            return Ok(Step::Finished);
        }
        if trimmed.is_empty() {
            return Ok(Step::Nothing);
        }
        let mut chunk: Chunk<'_> = serde_json::from_slice(trimmed)?;
        let text = chunk.text_alone(data);
        let error = chunk.error.take().filter(is_error);
        let carried = chunk.fold(&mut self.calls, response);
        Ok(match error {
            Some(error) => {
                Step::Failed(Stated::from_value(&error).classed(ErrorClass::StreamError))
            }
            None if carried.answer => text.map_or(Step::Answer, Step::Text),
            None if carried.reasoning => Step::Reasoning,
            None => Step::Nothing,
        })
    }

    fn end(self, _: &mut ChatResponse) {}
}

/// Some servers send an empty `error` with every good chunk.
fn is_error(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    }
}
