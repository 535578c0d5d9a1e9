//! Reading completions, streamed and whole.

use serde_json::Value;

use crate::chat::{ChatResponse, ErrorClass, Usage};
use crate::provider::adapter::ParseError;
use crate::provider::answer::{self, text};
use crate::provider::decode::{Events, Step};
use crate::provider::error::ProviderError;
use crate::provider::fields::Fields;
use crate::provider::json::count;
use crate::provider::openai;

/// Reads a whole completion.
pub(in crate::provider) fn parse(body: &Value) -> Result<ChatResponse, ParseError> {
    answer::refuse_error(body)?;
    let fields = Fields::of_body(body)?;
    let mut response = ChatResponse::default();
    if let Some(generation) = fields.text("generation")?.or(fields.text("completion")?) {
        generation.clone_into(&mut response.text);
        on_bedrock(body, &mut response);
        return Ok(response);
    }
    let name = ["choices", "outputs"].into_iter().find(|name| fields.get(name).is_some());
    let name = name.ok_or_else(|| ParseError::Missing("choices".into()))?;
    fields.list(name)?;
    fold(body, &mut response);
    Ok(response)
}

/// Reads a whole body of an answer with a successful status.
pub(super) fn read_body(bytes: &[u8]) -> Result<ChatResponse, ProviderError> {
    answer::read_body(bytes, parse)
}

/// The stream of chunks, ended by `[DONE]`; Bedrock's ends with a stop reason.
#[derive(Debug, Default)]
pub(in crate::provider) struct CompletionsEvents {
    on_bedrock: bool,
    stopped: bool,
}

impl Events for CompletionsEvents {
    fn event(
        &mut self,
        data: &[u8],
        response: &mut ChatResponse,
    ) -> Result<Step, serde_json::Error> {
        let data = data.trim_ascii();
        if data.starts_with(b"[DONE]") {
            return Ok(Step::Finished);
        }
        if data.is_empty() {
            return Ok(Step::Nothing);
        }
        let chunk: Value = serde_json::from_slice(data)?;
        if let Some(stated) = answer::stated_error(&chunk) {
            return Ok(Step::Failed(stated.classed(ErrorClass::StreamError)));
        }
        let before = response.text.len();
        if chunk.get("generation").is_some() || chunk.get("outputs").is_some() {
            self.on_bedrock = true;
            response.text.push_str(text(&chunk, "generation").unwrap_or_default());
            on_bedrock(&chunk, response);
        }
        fold(&chunk, response);
        self.stopped |= response.finish_reason.is_some();
        Ok(if response.text.len() > before { Step::Answer } else { Step::Nothing })
    }

    fn may_end(&self) -> bool {
        self.on_bedrock && self.stopped
    }

    fn end(self, _: &mut ChatResponse) {}
}

/// Chunks and whole completions have one shape; `outputs` is Mistral's word on Bedrock.
fn fold(chunk: &Value, response: &mut ChatResponse) {
    response.id = response.id.take().or(text(chunk, "id").map(str::to_owned));
    response.model = response.model.take().or(text(chunk, "model").map(str::to_owned));
    if let Some(counts) = chunk.get("usage").filter(|counts| counts.is_object()) {
        response.usage = openai::usage(counts).or(response.usage);
    }
    for choice in answer::list(chunk, "choices").chain(answer::list(chunk, "outputs")) {
        if choice.get("index").and_then(count).unwrap_or(0) != 0 {
            continue;
        }
        response.text.push_str(text(choice, "text").unwrap_or_default());
        stop(text(choice, "finish_reason").or(text(choice, "stop_reason")), response);
    }
}

/// Counts and stop reason as Llama states them on Bedrock.
fn on_bedrock(body: &Value, response: &mut ChatResponse) {
    let own = |name: &str| body.get(name).and_then(count);
    let before = response.usage.unwrap_or_default();
    let counts = Usage {
        input_tokens: own("prompt_token_count").or(before.input_tokens),
        output_tokens: own("generation_token_count").or(before.output_tokens),
        ..before
    };
    response.usage = (counts != Usage::default()).then_some(counts);
    stop(text(body, "stop_reason"), response);
}

fn stop(raw: Option<&str>, response: &mut ChatResponse) {
    if let Some(raw) = raw {
        // `max_tokens` is the word of Claude before Messages.
        let word = if raw == "max_tokens" { "length" } else { raw };
        let word = if raw == "stop_sequence" { "stop" } else { word };
        response.finish_reason = Some(openai::finish_reason(word));
        response.raw_finish_reason = Some(raw.to_owned());
    }
}
