//! Contents and system instruction of Gemini requests into neutral messages.

use serde_json::Value;

use crate::chat::{Part, Role, ToolCall};
use crate::provider::adapter::{ParseError, Parsed};
use crate::provider::fields::{Fields, Placed, push, push_turn};
use crate::provider::loss::{LossFeature, LossSeverity, Losses};
use crate::provider::media;

/// Reads `systemInstruction`: a content, or a bare text.
pub(super) fn system(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let path = "systemInstruction";
    match fields.get(path) {
        None => Ok(()),
        Some(Value::String(text)) => {
            push(parsed, Role::System, path, vec![(Part::Text(text.clone()), path.to_owned())]);
            Ok(())
        }
        Some(value) => {
            let content = Fields::of(value, path)?.or_snake();
            let parts = Reader::default().parts(&content, &mut parsed.losses)?;
            push(parsed, Role::System, path, parts);
            Ok(())
        }
    }
}

/// Reads `contents`: a list, a single content, or a bare text as the SDKs take it.
pub(super) fn contents(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let value = fields.get("contents").ok_or_else(|| ParseError::Missing("contents".into()))?;
    let one = std::slice::from_ref(value);
    let (list, is_list) = match value {
        Value::Array(list) => (list.as_slice(), true),
        Value::Object(_) | Value::String(_) => (one, false),
        _ => return Err(ParseError::wrong("contents", "a list")),
    };
    let mut reader = Reader::default();
    for (index, value) in list.iter().enumerate() {
        let path = if is_list { format!("contents[{index}]") } else { "contents".to_owned() };
        if let Value::String(text) = value {
            let part = (Part::Text(text.clone()), path.clone());
            push(parsed, Role::User, &path, vec![part]);
            continue;
        }
        let content = Fields::of(value, path.clone())?.or_snake();
        let role = match content.text("role")? {
            None | Some("user" | "function" | "tool") => Role::User,
            Some("model" | "assistant") => Role::Assistant,
            Some("system") => Role::System,
            Some(_) => return Err(ParseError::wrong(content.at("role"), "a role")),
        };
        let parts = reader.parts(&content, &mut parsed.losses)?;
        push_turn(parsed, role, &path, parts);
    }
    Ok(())
}

/// Gives calls and results the identifiers by which other dialects tie them together.
#[derive(Debug, Default)]
struct Reader {
    made: usize,
    /// Identifier and function name of every call without a result so far.
    open: Vec<(String, String)>,
}

impl Reader {
    fn parts(
        &mut self,
        content: &Fields<'_>,
        losses: &mut Losses,
    ) -> Result<Vec<Placed>, ParseError> {
        let mut parts = Vec::new();
        for (index, value) in content.list("parts")?.iter().enumerate() {
            let path = content.at(&format!("parts[{index}]"));
            if let Value::String(text) = value {
                parts.push((Part::Text(text.clone()), path));
                continue;
            }
            let part = Fields::of(value, path.clone())?.or_snake();
            parts.extend(self.part(&part, value, losses)?.map(|part| (part, path)));
        }
        Ok(parts)
    }

    fn part(
        &mut self,
        part: &Fields<'_>,
        raw: &Value,
        losses: &mut Losses,
    ) -> Result<Option<Part>, ParseError> {
        if part.flag("thought") == Some(true) {
            losses.book(LossFeature::ReasoningDropped, part.path(), "");
            return Ok(None);
        }
        if part.get("thoughtSignature").is_some() {
            let (severity, feature) = (LossSeverity::Benign, LossFeature::ReasoningDropped);
            losses.book_as(severity, feature, part.at("thoughtSignature"), "");
        }
        if let Some(text) = part.text("text")? {
            return Ok(Some(Part::Text(text.to_owned())));
        }
        if let Some(call) = part.object("functionCall")? {
            return self.call(&call).map(Some);
        }
        if let Some(answer) = part.object("functionResponse")? {
            return self.result(&answer).map(Some);
        }
        let medium = match (part.object("inlineData")?, part.object("fileData")?) {
            (Some(data), _) => inline(&data)?,
            (None, Some(file)) => stored(&file)?,
            (None, None) => None,
        };
        let ignored = |name: &String| name == "thoughtSignature" || name == "thought";
        let kind = part.members().map(|(name, _)| name).find(|name| !ignored(name));
        Ok(match (medium, kind) {
            (Some(medium), _) => Some(medium),
            (None, Some(kind)) => Some(media::other(&kind, raw.clone())),
            (None, None) => None,
        })
    }

    fn call(&mut self, call: &Fields<'_>) -> Result<Part, ParseError> {
        let name = call.required_text("name")?.to_owned();
        let id = self.id(call.text("id")?);
        let arguments = call.get("args").map_or_else(|| "{}".to_owned(), Value::to_string);
        self.open.push((id.clone(), name.clone()));
        Ok(Part::ToolCall(ToolCall { id, name, arguments }))
    }

    fn result(&mut self, answer: &Fields<'_>) -> Result<Part, ParseError> {
        let (own, name) = (answer.text("id")?, answer.text("name")?.unwrap_or_default());
        let answered = self.open.iter().position(|(id, function)| match own {
            Some(own) => own == id,
            None => function == name,
        });
        let call_id = match answered {
            Some(place) => self.open.remove(place).0,
            None => self.id(own),
        };
        let content = answer.get("response").map(|value| Part::Text(value.to_string()));
        let extra = answer.list("parts")?.iter().filter_map(|value| {
            let data = Fields::of(value, answer.at("parts")).ok()?.or_snake();
            let medium = data.object("inlineData").ok()?.and_then(|data| inline(&data).ok()?);
            Some(medium.unwrap_or_else(|| media::other("parts", value.clone())))
        });
        let content = content.into_iter().chain(extra).collect();
        Ok(Part::ToolResult { call_id, content, is_error: false })
    }

    fn id(&mut self, own: Option<&str>) -> String {
        self.made += 1;
        own.map_or_else(|| format!("call_{}", self.made), str::to_owned)
    }
}

fn inline(data: &Fields<'_>) -> Result<Option<Part>, ParseError> {
    let media_type = data.required_text("mimeType")?;
    let name = data.text("displayName")?;
    Ok(media::inline(media_type, data.required_text("data")?, name))
}

/// A file by address: a picture of the open web, or what only Google can read.
fn stored(file: &Fields<'_>) -> Result<Option<Part>, ParseError> {
    let address = file.required_text("fileUri")?;
    let is_open = (address.starts_with("https://") || address.starts_with("http://"))
        && !address.starts_with("https://generativelanguage.googleapis.com/");
    let is_image = file.text("mimeType")?.is_some_and(|kind| kind.starts_with("image/"));
    Ok(match (is_open, is_image) {
        (true, true) => Some(media::image_at(address, None)),
        (true, false) => None,
        (false, _) => Some(media::stored_file(address)),
    })
}
