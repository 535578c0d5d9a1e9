//! Neutral messages as OpenAI Chat Completions messages.

use serde_json::{Map, Value, json};

use crate::chat::{ImageSource, Message, Part, Role, ToolCall};
use crate::provider::adapter::{Origin, Parsed};
use crate::provider::loss::{LossFeature, LossSeverity, Losses};

/// Writes all messages and books what they cannot carry.
pub(super) fn messages(parsed: &Parsed, losses: &mut Losses) -> Vec<Value> {
    let mut writer = Writer { losses, output: Vec::new(), tool_images: Vec::new() };
    for (message, origin) in parsed.request.messages.iter().zip(&parsed.origins) {
        // Tool messages must follow each other and their calls without a gap.
        if message.role != Role::Tool {
            writer.flush_tool_images();
        }
        match message.role {
            Role::System | Role::User => writer.said(message, origin),
            Role::Assistant => writer.assistant(message, origin),
            Role::Tool => writer.tool(message, origin),
        }
    }
    writer.flush_tool_images();
    if let (Some(message), Some(origin)) = (parsed.request.messages.last(), parsed.origins.last())
        && message.role == Role::Assistant
    {
        let (severity, feature) = (LossSeverity::Lossy, LossFeature::PrefillUnsupported);
        let detail = "answered anew instead of continued";
        writer.losses.book_as(severity, feature, origin.path.clone(), detail);
    }
    writer.output
}

struct Writer<'a> {
    losses: &'a mut Losses,
    output: Vec<Value>,
    /// Pictures of tool results that wait for the next place where a user may speak.
    tool_images: Vec<Value>,
}

impl Writer<'_> {
    fn push(&mut self, message: &Message, members: Vec<(&str, Value)>) {
        let mut object = Map::new();
        object.insert("role".into(), message.role.as_str().into());
        if let Some(name) = &message.name {
            object.insert("name".into(), name.clone().into());
        }
        object.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self.output.push(Value::Object(object));
    }

    fn flush_tool_images(&mut self) {
        if !self.tool_images.is_empty() {
            let images = std::mem::take(&mut self.tool_images);
            self.output.push(json!({"role": "user", "content": images}));
        }
    }

    fn said(&mut self, message: &Message, origin: &Origin) {
        let mut parts = Vec::with_capacity(message.parts.len());
        for (index, part) in message.parts.iter().enumerate() {
            match part {
                Part::Text(text) => parts.push(text_part(text)),
                Part::Image { source, detail } => parts.push(image_part(source, detail.as_ref())),
                Part::Other { kind, raw } if kind == "document" => {
                    parts.extend(self.document(raw, origin.part(index)));
                }
                // Only other dialects come here, in which these were given the API's own form.
                Part::Other { kind, raw } if kind == "input_audio" => parts.push(raw.clone()),
                Part::Other { kind, raw } if kind == "file" => {
                    parts.extend(self.file(raw, origin.part(index)));
                }
                other => self.refuse(other, origin.part(index)),
            }
        }
        self.push(message, vec![("content", content(parts))]);
    }

    fn refuse(&mut self, part: &Part, path: &str) {
        let kind = match part {
            Part::Other { kind, .. } => kind.as_str(),
            _ => "part of another role",
        };
        self.losses.book(LossFeature::ContentUnsupported, path, kind);
    }

    fn assistant(&mut self, message: &Message, origin: &Origin) {
        let (mut parts, mut calls, mut refusal) = (Vec::new(), Vec::new(), None);
        for (index, part) in message.parts.iter().enumerate() {
            let path = origin.part(index);
            match part {
                Part::Text(text) => {
                    if !calls.is_empty() {
                        self.losses.book(LossFeature::BlockOrderChanged, path, "");
                    }
                    parts.push(text_part(text));
                }
                Part::ToolCall(call) => calls.push(tool_call(call)),
                Part::Refusal(text) => refusal = Some(text.clone()),
                Part::Other { kind, .. } if kind == "thinking" || kind == "redacted_thinking" => {
                    self.losses.book(LossFeature::ReasoningDropped, path, "");
                }
                other => self.refuse(other, path),
            }
        }
        let silent = parts.is_empty() && (!calls.is_empty() || refusal.is_some());
        let mut members = vec![("content", if silent { Value::Null } else { content(parts) })];
        members.extend(refusal.map(|refusal| ("refusal", refusal.into())));
        if !calls.is_empty() {
            members.push(("tool_calls", calls.into()));
        }
        self.push(message, members);
    }

    fn tool(&mut self, message: &Message, origin: &Origin) {
        for (index, part) in message.parts.iter().enumerate() {
            let path = origin.part(index);
            let Part::ToolResult { call_id, content: result, is_error } = part else {
                self.refuse(part, path);
                continue;
            };
            let mut parts = Vec::with_capacity(result.len());
            if *is_error {
                self.losses.book(LossFeature::ToolErrorToText, format!("{path}.is_error"), "");
                parts.push(text_part("Error: "));
            }
            for piece in result {
                match piece {
                    Part::Text(text) => parts.push(text_part(text)),
                    Part::Image { source, detail } => {
                        self.losses.book(LossFeature::ToolImageMoved, path, "");
                        self.tool_images.push(image_part(source, detail.as_ref()));
                    }
                    other => self.refuse(other, path),
                }
            }
            let id = Value::from(call_id.clone());
            self.push(message, vec![("tool_call_id", id), ("content", content(parts))]);
        }
    }

    /// A file that the request holds; one that the captured provider holds cannot be had.
    fn file(&mut self, raw: &Value, path: &str) -> Option<Value> {
        if raw.get("file").is_some_and(|file| file.get("file_data").is_some()) {
            return Some(raw.clone());
        }
        self.losses.book(LossFeature::FileIdUnsupported, path, "");
        None
    }

    /// A document as the part that comes nearest to it.
    fn document(&mut self, raw: &Value, path: &str) -> Option<Value> {
        let source = raw.get("source")?;
        let member = |name: &str| source.get(name).and_then(Value::as_str);
        let title = raw.get("title").and_then(Value::as_str);
        match (member("type"), member("data")) {
            (Some("base64"), Some(data)) => {
                let media_type = member("media_type").unwrap_or("application/pdf");
                let url = format!("data:{media_type};base64,{data}");
                self.losses.book(LossFeature::DocumentChanged, path, "sent as a file part");
                let name = title.unwrap_or("document.pdf");
                Some(json!({"type": "file", "file": {"filename": name, "file_data": url}}))
            }
            (Some("text"), Some(data)) => {
                self.losses.book(LossFeature::DocumentChanged, path, "sent as a text part");
                Some(text_part(data))
            }
            (Some("file"), _) => {
                self.losses.book(LossFeature::FileIdUnsupported, path, "");
                None
            }
            (kind, _) => {
                let detail = format!("document by {}", kind.unwrap_or("nothing"));
                self.losses.book(LossFeature::ContentUnsupported, path, detail);
                None
            }
        }
    }
}

/// One text part is written as a plain text, as most callers do.
fn content(mut parts: Vec<Value>) -> Value {
    match parts.as_mut_slice() {
        [] => Value::from(""),
        [one] if one.get("type") == Some(&"text".into()) => {
            one.get_mut("text").map_or(Value::Null, Value::take)
        }
        _ => Value::Array(parts),
    }
}

fn text_part(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn image_part(source: &ImageSource, detail: Option<&String>) -> Value {
    let url = match source {
        ImageSource::Url(url) => url.clone(),
        ImageSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
    };
    match detail {
        Some(detail) => json!({"type": "image_url", "image_url": {"url": url, "detail": detail}}),
        None => json!({"type": "image_url", "image_url": {"url": url}}),
    }
}

fn tool_call(call: &ToolCall) -> Value {
    let function = json!({"name": call.name, "arguments": call.arguments});
    json!({"id": call.id, "type": "function", "function": function})
}
