//! Neutral messages as Anthropic system blocks and turns.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::chat::{ImageSource, Message, Part, Role, ToolCall};
use crate::provider::adapter::{Origin, Parsed, Target};
use crate::provider::loss::{LossFeature, LossSeverity, Losses};

use super::turns::{Turn, settle};

/// Picture formats that the API reads.
const IMAGE_TYPES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

/// The conversation as the API takes it.
pub(super) struct Conversation {
    pub(super) system: Vec<Value>,
    pub(super) messages: Vec<Value>,
    /// Whether the model goes on after tool results.
    pub(super) ends_in_tool_results: bool,
    /// Names of the tools that earlier turns called.
    pub(super) called: BTreeSet<String>,
}

/// Writes all messages and books what they cannot carry.
pub(super) fn conversation(
    parsed: &Parsed,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Conversation {
    let ids = CallIds::default();
    let called = BTreeSet::new();
    let mut writer = Writer { target, losses, system: Vec::new(), turns: Vec::new(), ids, called };
    let messages = &parsed.request.messages;
    for (index, (message, origin)) in messages.iter().zip(&parsed.origins).enumerate() {
        writer.note_name(message, origin);
        let next = messages.get(index + 1).map(|message| message.role);
        match message.role {
            Role::System => writer.system(message, origin, next),
            Role::User => writer.user(message, origin),
            Role::Assistant => writer.assistant(message, origin),
            Role::Tool => writer.tool(message, origin),
        }
    }
    let ends_in_tool_results = writer.turns.last().is_some_and(|turn| !turn.results.is_empty());
    Conversation {
        system: writer.system,
        messages: settle(writer.turns, target, writer.losses),
        ends_in_tool_results,
        called: writer.called,
    }
}

struct Writer<'a> {
    target: &'a Target<'a>,
    losses: &'a mut Losses,
    system: Vec<Value>,
    turns: Vec<Turn>,
    ids: CallIds,
    called: BTreeSet<String>,
}

impl Writer<'_> {
    fn note_name(&mut self, message: &Message, origin: &Origin) {
        if message.name.is_some() {
            // The name of a tool message only repeats that of the call.
            let is_tool = message.role == Role::Tool;
            let severity = if is_tool { LossSeverity::Benign } else { LossSeverity::Lossy };
            let path = format!("{}.name", origin.path);
            self.losses.book_as(severity, LossFeature::NameDropped, path, "");
        }
    }

    fn system(&mut self, message: &Message, origin: &Origin, next: Option<Role>) {
        let mut text = String::new();
        for (index, part) in message.parts.iter().enumerate() {
            match part {
                Part::Text(piece) => text.push_str(piece),
                other => self.refuse(other, origin.part(index)),
            }
        }
        if text.trim().is_empty() {
            self.losses.book(LossFeature::EmptyContentDropped, origin.path.clone(), "");
        } else if self.turns.is_empty() {
            self.system.push(text_block(&text));
        } else if self.takes_system_here(next) {
            let mut turn = Turn::new("system", &origin.path);
            turn.blocks.push(text_block(&text));
            self.turns.push(turn);
        } else {
            let noted = format!("<system>\n{text}\n</system>");
            self.losses.book(LossFeature::SystemToUser, origin.path.clone(), "");
            self.turn("user", &origin.path).blocks.push(text_block(&noted));
        }
    }

    /// A system turn must follow a user turn and come last or before the assistant.
    fn takes_system_here(&self, next: Option<Role>) -> bool {
        self.target.model_traits.mid_conversation_system
            && self.turns.last().is_some_and(|turn| turn.role == "user")
            && next.is_none_or(|role| role == Role::Assistant)
    }

    fn user(&mut self, message: &Message, origin: &Origin) {
        let mut blocks = Vec::with_capacity(message.parts.len());
        for (index, part) in message.parts.iter().enumerate() {
            let path = origin.part(index);
            match part {
                Part::Text(text) => blocks.extend(self.text(text, path, message)),
                Part::Image { source, detail } => {
                    blocks.extend(self.image(source, detail.as_deref(), path));
                }
                Part::Other { kind, raw } => blocks.extend(self.other(kind, raw, path)),
                other => self.refuse(other, path),
            }
        }
        self.extend("user", &origin.path, blocks);
    }

    fn assistant(&mut self, message: &Message, origin: &Origin) {
        let (mut blocks, mut calls) = (Vec::new(), Vec::new());
        for (index, part) in message.parts.iter().enumerate() {
            let path = origin.part(index);
            match part {
                Part::Text(text) => blocks.extend(self.text(text, path, message)),
                Part::Refusal(text) => {
                    self.losses.book(LossFeature::RefusalToText, path, "");
                    blocks.push(text_block(text));
                }
                Part::ToolCall(call) => {
                    let id = self.ids.sanitised(&call.id);
                    if id != call.id {
                        self.losses.book(LossFeature::ToolIdChanged, format!("{path}.id"), "");
                    }
                    blocks.push(self.tool_use(call, &id, path));
                    calls.push((id, path.to_owned()));
                    self.called.insert(call.name.clone());
                }
                other => self.refuse(other, path),
            }
        }
        if !blocks.is_empty() {
            self.extend("assistant", &origin.path, blocks);
            self.turn("assistant", &origin.path).calls.extend(calls);
        }
    }

    fn tool(&mut self, message: &Message, origin: &Origin) {
        for (index, part) in message.parts.iter().enumerate() {
            let path = origin.part(index);
            let Part::ToolResult { call_id, content, is_error } = part else {
                self.refuse(part, path);
                continue;
            };
            let mut blocks = Vec::with_capacity(content.len());
            for piece in content {
                match piece {
                    // An empty result is allowed; an empty block in it is not.
                    Part::Text(text) if text.trim().is_empty() => {}
                    Part::Text(text) => blocks.push(text_block(text)),
                    Part::Image { source, detail } => {
                        blocks.extend(self.image(source, detail.as_deref(), path));
                    }
                    other => self.refuse(other, path),
                }
            }
            let id = self.ids.sanitised(call_id);
            let mut result = json!({"type": "tool_result", "tool_use_id": id, "content": blocks});
            if *is_error && let Some(object) = result.as_object_mut() {
                object.insert("is_error".into(), true.into());
            }
            self.result(result, (id, path.to_owned()), &origin.path);
        }
    }

    /// Puts a result into the turn that answers the calls, before any text of it.
    fn result(&mut self, result: Value, id_and_path: (String, String), path: &str) {
        let turn = self.turn("user", path);
        let place = turn.result_count;
        let moved = place < turn.blocks.len();
        turn.blocks.insert(place, result);
        turn.result_count += 1;
        turn.results.push(id_and_path);
        if moved {
            self.losses.book(LossFeature::MessagesReordered, path, "");
        }
    }

    /// Adds blocks to a turn; joining two messages of one role is booked, joining a user message
    /// to tool results is how the protocol writes the two.
    fn extend(&mut self, role: &'static str, path: &str, blocks: Vec<Value>) {
        if blocks.is_empty() {
            return;
        }
        let turn = self.turn(role, path);
        let merged = turn.blocks.len() > turn.result_count;
        turn.blocks.extend(blocks);
        if merged {
            self.losses.book(LossFeature::MessagesMerged, path, "");
        }
    }

    /// The turn that speaks now, begun if another role spoke last.
    fn turn(&mut self, role: &'static str, path: &str) -> &mut Turn {
        let same = self.turns.pop_if(|turn| turn.role == role);
        self.turns.push_mut(same.unwrap_or_else(|| Turn::new(role, path)))
    }

    fn text(&mut self, text: &str, path: &str, message: &Message) -> Option<Value> {
        if !text.trim().is_empty() {
            return Some(text_block(text));
        }
        let alone = message.parts.len() == 1;
        let severity = if alone { LossSeverity::Lossy } else { LossSeverity::Benign };
        self.losses.book_as(severity, LossFeature::EmptyContentDropped, path, "");
        None
    }

    fn image(&mut self, source: &ImageSource, detail: Option<&str>, path: &str) -> Option<Value> {
        if let Some(detail) = detail {
            let is_default = detail == "auto";
            let severity = if is_default { LossSeverity::Benign } else { LossSeverity::Lossy };
            let feature = LossFeature::ImageDetailDropped;
            self.losses.book_as(severity, feature, format!("{path}.image_url.detail"), "");
        }
        let source = match source {
            ImageSource::Base64 { media_type, data } => {
                if !IMAGE_TYPES.contains(&media_type.as_str()) {
                    self.losses.book(LossFeature::ImageTypeUnsupported, path, "");
                    return None;
                }
                json!({"type": "base64", "media_type": media_type, "data": data})
            }
            ImageSource::Url(url) => {
                let is_address = url.starts_with("https://") || url.starts_with("http://");
                if !is_address || !self.target.supports_image_urls {
                    self.losses.book(LossFeature::ImageUrlUnsupported, path, "");
                    return None;
                }
                json!({"type": "url", "url": url})
            }
        };
        Some(json!({"type": "image", "source": source}))
    }

    /// A user's part without neutral form: a PDF, or nothing that the API takes.
    fn other(&mut self, kind: &str, raw: &Value, path: &str) -> Option<Value> {
        let file = raw.get("file");
        let member = |name: &str| file.and_then(|file| file.get(name)?.as_str());
        match (kind, member("file_data"), member("file_id")) {
            ("file", Some(data), _) => {
                if let Some(data) = data.strip_prefix("data:application/pdf;base64,") {
                    let source =
                        json!({"type": "base64", "media_type": "application/pdf", "data": data});
                    let mut block = json!({"type": "document", "source": source});
                    if let (Some(name), Some(object)) = (member("filename"), block.as_object_mut())
                    {
                        object.insert("title".into(), name.into());
                    }
                    return Some(block);
                }
                self.losses.book(LossFeature::ContentUnsupported, path, "file that is no PDF");
            }
            ("file", None, Some(_)) => self.losses.book(LossFeature::FileIdUnsupported, path, ""),
            ("document", ..) if raw.get("source").is_some() => return Some(raw.clone()),
            ("input_audio", ..) => self.losses.book(LossFeature::AudioUnsupported, path, ""),
            _ => self.losses.book(LossFeature::ContentUnsupported, path, kind),
        }
        None
    }

    fn refuse(&mut self, part: &Part, path: &str) {
        let kind = match part {
            Part::Other { kind, .. } => kind.as_str(),
            _ => "part of another role",
        };
        self.losses.book(LossFeature::ContentUnsupported, path, kind);
    }

    fn tool_use(&mut self, call: &ToolCall, id: &str, path: &str) -> Value {
        let input = match call.arguments.trim() {
            "" => Some(json!({})),
            arguments => serde_json::from_str(arguments).ok().filter(Value::is_object),
        };
        let input = input.unwrap_or_else(|| {
            let path = format!("{path}.function.arguments");
            self.losses.book(LossFeature::ToolArgumentsChanged, path, "not a JSON object");
            json!({"arguments": call.arguments})
        });
        json!({"type": "tool_use", "id": id, "name": call.name, "input": input})
    }
}

fn text_block(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// Call identifiers in the characters that the API allows, one for one.
#[derive(Debug, Default)]
struct CallIds {
    sanitised: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl CallIds {
    fn sanitised(&mut self, id: &str) -> String {
        if let Some(known) = self.sanitised.get(id) {
            return known.clone();
        }
        let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
        let mut clean: String =
            id.chars().map(|char| if allowed(char) { char } else { '_' }).collect();
        while clean.is_empty() || self.taken.contains(&clean) {
            clean.push('_');
        }
        self.taken.insert(clean.clone());
        self.sanitised.insert(id.to_owned(), clean.clone());
        clean
    }
}
