//! Conversations of Cohere's version 1: one message, and what was said before it.

use serde_json::Value;

use crate::chat::{Part, Role};
use crate::provider::adapter::{ParseError, Parsed};
use crate::provider::fields::{Fields, push};
use crate::provider::loss::{LossFeature, LossSeverity};

/// Reads `preamble`, `chat_history` and `message`.
///
/// Its tools have a schema language of their own and are booked as what cannot be translated.
pub(super) fn conversation(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    said(fields, "preamble", Role::System, parsed)?;
    for (index, value) in fields.list("chat_history")?.iter().enumerate() {
        let turn = Fields::of(value, format!("chat_history[{index}]"))?;
        let role = match turn.required_text("role")?.to_ascii_uppercase().as_str() {
            "USER" => Role::User,
            "CHATBOT" => Role::Assistant,
            "SYSTEM" => Role::System,
            "TOOL" => {
                parsed.losses.book(LossFeature::ContentUnsupported, turn.path(), "tool results");
                continue;
            }
            _ => return Err(ParseError::wrong(turn.at("role"), "a role")),
        };
        said(&turn, "message", role, parsed)?;
    }
    said(fields, "message", Role::User, parsed)?;
    for name in ["tools", "tool_results", "connectors"] {
        let filled = |value: &Value| value.as_array().is_none_or(|list| !list.is_empty());
        if fields.get(name).is_some_and(filled) {
            let detail = "in the form of version 1";
            parsed.losses.book(LossFeature::ContentUnsupported, name, detail);
        }
    }
    if fields.get("conversation_id").is_some() {
        parsed.losses.book_as(
            LossSeverity::Untranslatable,
            LossFeature::ServerStateStripped,
            "conversation_id",
            "",
        );
    }
    Ok(())
}

fn said(
    fields: &Fields<'_>,
    name: &str,
    role: Role,
    parsed: &mut Parsed,
) -> Result<(), ParseError> {
    if let Some(text) = fields.text(name)? {
        let path = if fields.path().is_empty() { name } else { fields.path() };
        push(parsed, role, path, vec![(Part::Text(text.to_owned()), fields.at(name))]);
    }
    Ok(())
}
