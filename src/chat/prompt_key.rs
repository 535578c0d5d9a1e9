//! The key by which recorded answers are found, whatever dialect a request was written in.

use sha2::{Digest, Sha256};

use super::{Message, Part, Role};

/// The first 32 hex digits of SHA-256 over `role 0x1f text` of the messages, joined by `0x1e`.
///
/// Only text counts (the text of tool results included), so that the key is the same in every
/// dialect and does not depend on call identifiers or on how a picture travels. Several text parts
/// of one message are joined without a separator.
pub fn prompt_key(messages: &[Message]) -> String {
    let mut key = PromptKey::default();
    for message in messages {
        key.message(message);
    }
    key.finish()
}

/// The same key made message by message, for a reader that holds no messages.
#[derive(Debug, Default)]
pub struct PromptKey {
    hash: Sha256,
    has_messages: bool,
}

impl PromptKey {
    /// Takes the next message.
    pub fn message(&mut self, message: &Message) {
        self.begin(message.role);
        update_with_text(&mut self.hash, &message.parts);
    }

    /// Takes the next message, of one text.
    pub fn text(&mut self, role: Role, text: &str) {
        self.begin(role);
        self.hash.update(text);
    }

    fn begin(&mut self, role: Role) {
        if std::mem::replace(&mut self.has_messages, true) {
            self.hash.update([0x1e]);
        }
        self.hash.update(role.as_str());
        self.hash.update([0x1f]);
    }

    /// The key of the messages so far.
    pub fn finish(self) -> String {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        let bytes = self.hash.finalize();
        let halves = bytes.iter().take(16).flat_map(|byte| [byte >> 4, byte & 0xf]);
        halves.map(digit).collect()
    }
}

fn update_with_text(hash: &mut Sha256, parts: &[Part]) {
    for part in parts {
        match part {
            Part::Text(text) => hash.update(text),
            Part::ToolResult { content, .. } => update_with_text(hash, content),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Role;

    #[test]
    fn the_key_follows_the_published_recipe() {
        let messages = [
            Message::text(
                Role::System,
                "You are the assistant of an online shop. Be concise and friendly.",
            ),
            Message::text(Role::User, "what is the color of mars"),
        ];
        // Recomputed with Python's hashlib from the recipe in the doc comment.
        let expected = "16a05700b97d23e5a15d781fcb17a095";
        assert_eq!(prompt_key(&messages), expected);
        let mut key = PromptKey::default();
        for message in &messages {
            let [Part::Text(text)] = message.parts.as_slice() else { panic!("one text") };
            key.text(message.role, text);
        }
        assert_eq!(key.finish(), expected);
    }

    #[test]
    fn parts_do_not_change_the_key() {
        let whole = [Message::text(Role::User, "ab")];
        let split = [Message {
            role: Role::User,
            parts: vec![Part::Text("a".into()), Part::Text("b".into())],
            name: None,
        }];
        assert_eq!(prompt_key(&whole), prompt_key(&split));
    }
}
