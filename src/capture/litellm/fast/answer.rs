//! A chat completion as LiteLLM logs it, to the columns of the answer.

use serde_json::{Number, Value, json};

use crate::chat::FinishReason;
use crate::dataset::{CapturedExchange, ContentState};
use crate::provider::Dialect;

use super::super::super::body::{fill_response, set_state};
use super::super::super::marks::text_state;
use super::payload::UsageWire;
use super::strict::{Sound, Text, strict_object};

strict_object! {
    /// `response`; the members of other answers than chat completions show that it is none.
    Answer<'a> {
        "object" => object: Text<'a>,
        "model" => model: Text<'a>,
        "choices" => choices: Vec<Choice<'a>>,
        "usage" => usage: UsageWire,
        "error" => error: Sound,
        "detail" => detail: Sound,
        "message" => message: Sound,
        "type" => kind: Sound,
        "output" => output: Sound,
        "candidates" => candidates: Sound,
        "content" => content: Sound,
        "x_groq" => x_groq: Sound,
        "response" => inner: Sound,
        "text" => text: Sound,
    }
}

strict_object! {
    /// One of `choices`.
    Choice<'a> {
        "index" => index: Number,
        "finish_reason" => finish_reason: Text<'a>,
        "message" => message: Message<'a>,
        "delta" => delta: Sound,
    }
}

strict_object! {
    /// The message of a choice.
    Message<'a> {
        "content" => content: Text<'a>,
        "refusal" => refusal: Text<'a>,
        "tool_calls" => tool_calls: Value,
        "function_call" => function_call: Value,
        "audio" => audio: Value,
        "provider_specific_fields" => provider_fields: ProviderFields<'a>,
    }
}

strict_object! {
    /// Where LiteLLM puts what its own form has no place for.
    ProviderFields<'a> {
        "refusal" => refusal: Text<'a>,
    }
}

impl Answer<'_> {
    /// Fills the columns of the answer; none if it is not the common form.
    pub(super) fn fill(self, row: &mut CapturedExchange) -> Option<()> {
        let others = [
            self.error,
            self.detail,
            self.message,
            self.kind,
            self.output,
            self.candidates,
            self.content,
            self.x_groq,
            self.inner,
            self.text,
        ];
        let is_completion = self.object.is_some_and(|object| object.0 == "chat.completion");
        if !is_completion || others.iter().any(Option::is_some) {
            return None;
        }
        let [choice] = <[Choice<'_>; 1]>::try_from(self.choices?).ok()?;
        let is_first = choice.index.is_none_or(|index| index.as_u64() == Some(0));
        if !is_first || choice.delta.is_some() {
            return None;
        }
        let model = self.model.map(|model| model.0.into_owned());
        let reason = choice.finish_reason.map(|reason| reason.0);
        let message = choice.message?;
        if message.is_plain()
            && let Ok(reason) = plain_reason(reason.as_deref())
        {
            message.fill_plain(row, model, reason);
        } else {
            let response = json!({
                "object": "chat.completion",
                "model": model,
                "choices": [{
                    "index": 0, "finish_reason": reason, "message": message.into_value(),
                }],
            });
            fill_response(row, Some(Dialect::OpenAiChat), &response);
        }
        Some(())
    }
}

/// A word that OpenAI does not use for the end of an answer.
struct UnknownReason;

/// The neutral reason, where the words are those of OpenAI.
fn plain_reason(raw: Option<&str>) -> Result<Option<FinishReason>, UnknownReason> {
    match raw {
        None | Some("") => Ok(None),
        Some("stop") => Ok(Some(FinishReason::Stop)),
        Some("length") => Ok(Some(FinishReason::Length)),
        Some("tool_calls") => Ok(Some(FinishReason::ToolCalls)),
        Some("content_filter") => Ok(Some(FinishReason::ContentFilter)),
        Some(_) => Err(UnknownReason),
    }
}

impl Message<'_> {
    /// Whether it is a text and nothing else.
    fn is_plain(&self) -> bool {
        let calls = self.tool_calls.as_ref();
        calls.is_none_or(|calls| calls.as_array().is_some_and(Vec::is_empty))
            && self.function_call.is_none()
            && self.audio.is_none()
    }

    fn fill_plain(
        self,
        row: &mut CapturedExchange,
        model: Option<String>,
        reason: Option<FinishReason>,
    ) {
        let filled = |text: Option<Text<'_>>| {
            text.map(|text| text.0.into_owned()).filter(|text| !text.is_empty())
        };
        row.response_model = model.filter(|model| !model.is_empty());
        row.response_text = Some(filled(self.content).unwrap_or_default());
        row.finish_reason = reason.map(|reason| reason.as_str().to_owned());
        row.refusal = filled(self.refusal)
            .or_else(|| filled(self.provider_fields.and_then(|fields| fields.refusal)));
        if row.content_state != ContentState::Complete.as_str() {
            return;
        }
        let texts = [&row.response_text, &row.refusal].into_iter().flatten();
        let state =
            texts.map(|text| text_state(text)).find(|state| *state != ContentState::Complete);
        if let Some(state) = state {
            set_state(row, state);
        }
    }

    fn into_value(self) -> Value {
        let text = |text: Option<Text<'_>>| text.map(|text| text.0.into_owned());
        json!({
            "content": text(self.content),
            "refusal": text(self.refusal),
            "tool_calls": self.tool_calls,
            "function_call": self.function_call,
            "audio": self.audio,
            "provider_specific_fields":
                {"refusal": text(self.provider_fields.and_then(|fields| fields.refusal))},
        })
    }
}
