//! Pictures, sound and files of captured requests, in the forms that the encoders know.
//!
//! A picture is a neutral part. Sound and files have none; they travel as the parts of OpenAI
//! Chat Completions (`input_audio`, `file`) or as Anthropic's `document`, whatever dialect they
//! were captured in, and each encoder books what it cannot carry.

use serde_json::{Value, json};

use crate::chat::{ImageSource, Part};

/// A picture's place: inline for a base64 data URL (RFC 2397), else the address as it is.
pub(super) fn image_source(url: &str) -> ImageSource {
    match inline_url(url) {
        Some((media_type, data)) => {
            ImageSource::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
        }
        None => ImageSource::Url(url.to_owned()),
    }
}

fn inline_url(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"))
}

/// A picture by address or data URL.
pub(super) fn image_at(url: &str, detail: Option<&str>) -> Part {
    Part::Image { source: image_source(url), detail: detail.map(str::to_owned) }
}

/// Base64 data of a stated media type; `None` if no encoder could carry it.
pub(super) fn inline(media_type: &str, data: &str, name: Option<&str>) -> Option<Part> {
    let media_type = media_type.split(';').next().unwrap_or(media_type).trim();
    if media_type.starts_with("image/") {
        let (media_type, data) = (media_type.to_owned(), data.to_owned());
        return Some(Part::Image {
            source: ImageSource::Base64 { media_type, data },
            detail: None,
        });
    }
    let sound = match media_type {
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some("wav"),
        "audio/mp3" | "audio/mpeg" => Some("mp3"),
        _ => None,
    };
    if let Some(format) = sound {
        return Some(audio(format, data));
    }
    let is_pdf = media_type == "application/pdf";
    is_pdf.then(|| file(&format!("data:application/pdf;base64,{data}"), name))
}

/// Sound inline.
pub(super) fn audio(format: &str, data: &str) -> Part {
    let audio = json!({"data": data, "format": format});
    other("input_audio", json!({"type": "input_audio", "input_audio": audio}))
}

/// A file as a data URL.
pub(super) fn file(data_url: &str, name: Option<&str>) -> Part {
    let file = json!({"filename": name.unwrap_or("document.pdf"), "file_data": data_url});
    other("file", json!({"type": "file", "file": file}))
}

/// A file that only the captured provider holds.
pub(super) fn stored_file(id: &str) -> Part {
    other("file", json!({"type": "file", "file": {"file_id": id}}))
}

/// A document that is text.
pub(super) fn text_document(text: &str, title: Option<&str>) -> Part {
    let source = json!({"type": "text", "media_type": "text/plain", "data": text});
    let mut raw = json!({"type": "document", "source": source});
    if let (Some(title), Some(object)) = (title, raw.as_object_mut()) {
        object.insert("title".into(), title.into());
    }
    other("document", raw)
}

/// A part without any neutral form.
pub(super) fn other(kind: &str, raw: Value) -> Part {
    Part::Other { kind: kind.to_owned(), raw }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(part: Option<Part>) -> String {
        match part {
            None => "none".into(),
            Some(Part::Image { .. }) => "image".into(),
            Some(Part::Other { kind, .. }) => kind,
            Some(part) => panic!("{part:?}"),
        }
    }

    #[test]
    fn the_media_type_decides_what_a_part_is() {
        assert_eq!(kind(inline("image/png", "QQ==", None)), "image");
        assert_eq!(kind(inline("audio/mpeg;rate=1", "QQ==", None)), "input_audio");
        assert_eq!(kind(inline("application/pdf", "QQ==", None)), "file");
        assert_eq!(kind(inline("video/mp4", "QQ==", None)), "none");
    }
}
