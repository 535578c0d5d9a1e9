//! The key by which recorded answers are found, whatever dialect a request was written in.

use sha2::{Digest, Sha256};

use super::{Message, Part};

/// The first 32 hex digits of SHA-256 over `role 0x1f text` of the messages, joined by `0x1e`.
///
/// Only text counts (the text of tool results included), so that the key is the same in every
/// dialect and does not depend on call identifiers or on how a picture travels. Several text parts
/// of one message are joined without a separator.
pub fn prompt_key(messages: &[Message]) -> String {
    let mut hash = Sha256::new();
    for (index, message) in messages.iter().enumerate() {
        if index > 0 {
            hash.update([0x1e]);
        }
        hash.update(message.role.as_str());
        hash.update([0x1f]);
        update_with_text(&mut hash, &message.parts);
    }
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let bytes = hash.finalize();
    let halves = bytes.iter().take(16).flat_map(|byte| [byte >> 4, byte & 0xf]);
    halves.map(digit).collect()
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
        assert_eq!(prompt_key(&messages), "16a05700b97d23e5a15d781fcb17a095");
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
