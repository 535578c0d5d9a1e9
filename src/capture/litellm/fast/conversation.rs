//! Messages of a payload as they are put into the request body, and as they are understood.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::chat::{ChatRequest, Message, PromptKey, Role};
use crate::provider::{Dialect, parse_request};

use super::super::super::features::features;
use super::strict::{Members, Slot};

/// A conversation.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// A request body up to the end of its messages, without the bracket of their list.
    pub(super) json: String,
    /// The messages as far as anything is told from them; see [`stand_in`] for their texts.
    pub(super) messages: Vec<Message>,
    /// The key of the whole messages.
    key: PromptKey,
    /// The messages with more than a role and a text.
    extras: Vec<Value>,
}

impl Conversation {
    /// Reads the messages behind the begin of a body; none if one of them is no message.
    pub(super) fn of(begin: &[&str], list: Vec<Members<'_>>) -> Option<Self> {
        let texts: usize = list.iter().map(length).sum();
        // Escapes may take more; then it grows.
        let mut json = String::with_capacity(texts + texts / 32 + 256);
        json.extend(begin.iter().copied());
        let mut conversation =
            Conversation { json, messages: Vec::with_capacity(list.len()), ..Self::default() };
        for members in list {
            if !conversation.messages.is_empty() {
                conversation.json.push(',');
            }
            conversation.add(members)?;
        }
        Some(conversation)
    }

    /// The key of the prompt.
    pub(super) fn take_key(&mut self) -> String {
        std::mem::take(&mut self.key).finish()
    }

    fn add(&mut self, members: Members<'_>) -> Option<()> {
        if let [(first, Slot::Text(left)), (second, Slot::Text(right))] = members.0.as_slice() {
            let (role, content) = match (&**first, &**second) {
                ("role", "content") => (left, right),
                ("content", "role") => (right, left),
                _ => return self.add_value(&members.into_value()),
            };
            let role = match &**role {
                "system" | "developer" => Role::System,
                "user" => Role::User,
                "assistant" => Role::Assistant,
                _ => return self.add_value(&members.into_value()),
            };
            for (lead, name, text) in [('{', first, left), (',', second, right)] {
                self.json.push(lead);
                push_text(&mut self.json, name);
                self.json.push(':');
                push_text(&mut self.json, text);
            }
            self.json.push('}');
            self.key.text(role, content);
            self.messages.push(Message::text(role, stand_in(content)));
            return Some(());
        }
        self.add_value(&members.into_value())
    }

    fn add_value(&mut self, message: &Value) -> Option<()> {
        self.json.push_str(&message.to_string());
        let alone = json!({ "messages": [message] });
        for message in parse_request(Dialect::OpenAiChat, &alone).ok()?.messages {
            self.key.message(&message);
            self.messages.push(message);
        }
        self.extras.push(alone);
        Some(())
    }

    /// What the messages make use of that only their values show.
    pub(super) fn extra_features(&self) -> impl Iterator<Item = String> {
        self.extras.iter().flat_map(|extra| features(&ChatRequest::default(), extra))
    }
}

/// Bytes of an object's names and texts, with an allowance for what stands between them.
fn length(members: &Members<'_>) -> usize {
    let member = |(name, value): &(Cow<'_, str>, Slot<'_>)| match value {
        Slot::Text(text) => name.len() + text.len() + 8,
        Slot::Other(_) => name.len() + 64,
    };
    members.0.iter().map(member).sum()
}

/// A text with as many words as the other, as far as it matters: none, one, or more.
fn stand_in(text: &str) -> &'static str {
    match text.split_whitespace().take(2).count() {
        0 => "",
        1 => "word",
        _ => "several words",
    }
}

/// Writes a text as JSON, as `serde_json` does.
#[expect(clippy::ptr_arg, reason = "whether a text was borrowed tells whether it has escapes")]
pub(super) fn push_text(json: &mut String, text: &Cow<'_, str>) {
    json.push('"');
    match text {
        // A text that could be borrowed has nothing in it that is escaped in JSON.
        Cow::Borrowed(text) => json.push_str(text),
        Cow::Owned(text) => push_escaped(json, text),
    }
    json.push('"');
}

/// How many bytes are looked at together; the compiler makes vector instructions of the look.
const STRIDE: usize = 32;

fn push_escaped(json: &mut String, text: &str) {
    let bytes = text.as_bytes();
    let mut written = 0;
    for (stride, chunk) in bytes.chunks(STRIDE).enumerate() {
        if !chunk.iter().fold(false, |found, byte| found | is_escaped(*byte)) {
            continue;
        }
        for (offset, byte) in chunk.iter().enumerate() {
            if !is_escaped(*byte) {
                continue;
            }
            let at = stride * STRIDE + offset;
            // An escaped byte is ASCII, so that the text can be cut on both sides of it.
            json.push_str(text.get(written..at).unwrap_or_default());
            push_escape(json, *byte);
            written = at + 1;
        }
    }
    json.push_str(text.get(written..).unwrap_or_default());
}

#[expect(clippy::needless_bitwise_bool, reason = "branches would keep it from vector code")]
fn is_escaped(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn push_escape(json: &mut String, byte: u8) {
    let short = match byte {
        b'"' => "\\\"",
        b'\\' => "\\\\",
        b'\n' => "\\n",
        b'\r' => "\\r",
        b'\t' => "\\t",
        0x08 => "\\b",
        0x0c => "\\f",
        _ => {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            json.push_str("\\u00");
            json.push(digit(byte >> 4));
            json.push(digit(byte & 0x0f));
            return;
        }
    };
    json.push_str(short);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_serde_json_escapes_them() {
        let mut text: String = (0..=0x2_fff_u32).filter_map(char::from_u32).collect();
        for _ in 0..STRIDE {
            let mut json = String::new();
            push_text(&mut json, &Cow::Owned(text.clone()));
            assert_eq!(json, serde_json::to_string(&text).unwrap());
            text.insert(0, 'x');
        }
    }
}
