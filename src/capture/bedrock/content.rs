//! The bodies of a logged invocation.

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::ChatRequest;
use crate::dataset::CapturedExchange;
use crate::provider::{Dialect, sniff_dialect};

use super::super::body::{fill_request, fill_response, set_replayable, without_request};
use super::super::kong::proxied::complete;
use super::super::reason::NotReplayable;
use super::super::value::{decoded, is_blank, present, text};
use super::Call;
use super::model::ModelId;
use super::native;

/// What is needed to read the bodies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'r> {
    pub(super) call: Call,
    pub(super) model: &'r ModelId,
    /// The log's `input`.
    pub(super) input: &'r Value,
    /// The log's `outputBodyJson`.
    pub(super) answer: &'r Value,
}

impl Content<'_> {
    /// Fills request and answer; returns the request if a protocol adapter could read it.
    pub(super) fn fill(&self, row: &mut CapturedExchange) -> Option<ChatRequest> {
        let body = self.input.get("inputBodyJson").map(decoded).unwrap_or_default();
        let is_text = matches!(row.operation.as_str(), "chat" | "text_completion");
        let dialect = if is_text { self.dialect(&body) } else { None };
        if is_text && dialect.is_none() && is_prompt(&body) {
            "text_completion".clone_into(&mut row.operation);
        }
        let request = if is_blank(&body) {
            without_request(row);
            let kind = text(self.input, &["inputContentType"]);
            if kind.is_some_and(|kind| !kind.contains("json"))
                && present(self.input, "inputBodyS3Path").is_some()
            {
                set_replayable(row, Some(NotReplayable::MediaElided));
            }
            None
        } else {
            let body = complete(row, dialect, body);
            let request = fill_request(row, dialect, &body);
            if row.replayable && lacks_media(&body) {
                set_replayable(row, Some(NotReplayable::MediaElided));
            }
            request
        };
        if !is_text {
            set_replayable(row, Some(NotReplayable::NotChat));
        }
        self.fill_answer(row, dialect, is_text);
        request
    }

    /// The dialect of the request body: Converse, or one of those that vendors share.
    fn dialect(&self, body: &Value) -> Option<Dialect> {
        if matches!(self.call, Call::Converse { .. }) {
            return Some(Dialect::BedrockConverse);
        }
        let has_messages = present(body, "messages").is_some_and(Value::is_array);
        let is_anthropic = self.model.vendor() == Some("anthropic");
        if has_messages && (is_anthropic || present(body, "anthropic_version").is_some()) {
            return Some(Dialect::AnthropicMessages);
        }
        // Nova's own body has messages, too.
        let is_own = self.model.vendor() == Some("amazon")
            || ["inferenceConfig", "schemaVersion"].iter().any(|name| body.get(*name).is_some());
        sniff_dialect(body).filter(|dialect| *dialect == Dialect::OpenAiChat && !is_own)
    }

    fn fill_answer(&self, row: &mut CapturedExchange, dialect: Option<Dialect>, is_text: bool) {
        if !is_text {
            return;
        }
        let answer = match self.answer {
            Value::Array(events) => match native::event_stream(events) {
                Some(stream) => Cow::Owned(Value::String(stream)),
                None => Cow::Owned(Value::Null),
            },
            whole => Cow::Borrowed(whole),
        };
        fill_response(row, dialect, &answer);
        if row.response_text.is_none() && row.error_class.is_none() {
            row.response_text = native::text_of(self.answer);
            row.finish_reason = native::finish_reason(self.answer);
        }
    }
}

/// A body with a prompt instead of messages.
fn is_prompt(body: &Value) -> bool {
    ["prompt", "inputText"].iter().any(|name| present(body, name).is_some())
}

/// Whether a part of the body names a picture, a document or sound that is not in it.
fn lacks_media(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(lacks_media),
        Value::Object(members) => members.iter().any(|(name, member)| {
            let is_media = matches!(name.as_str(), "image" | "document" | "video" | "audio");
            let source = member.get("source").filter(|_| is_media);
            let own = (name == "source").then_some(member);
            source.or(own).is_some_and(is_empty_source) || lacks_media(member)
        }),
        _ => false,
    }
}

/// A source of Converse or of Anthropic without what it is a source of.
fn is_empty_source(source: &Value) -> bool {
    let Some(members) = source.as_object() else { return false };
    let is_there = |name: &str| members.get(name).is_some_and(|member| !is_blank(member));
    !["bytes", "text", "content", "data", "url", "file_id"].iter().any(|name| is_there(name))
}
