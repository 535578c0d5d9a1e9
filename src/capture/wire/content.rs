//! Bodies of HTTP messages out of their codings: base64, compression, JSON.

use std::borrow::Cow;
use std::io::Read;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use super::headers::Headers;

/// The most bytes that one body may have after decompression; the rest is cut.
const MAX_DECOMPRESSED_BYTES: u64 = 64 << 20;

/// Accepts base64 with and without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a body turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    /// The log does not have it.
    Absent,
    /// It is there and empty.
    Empty,
    /// JSON.
    Json(Value),
    /// JSON that ends in the middle of a value.
    Cut,
    /// Any other text, such as server-sent events.
    Text(String),
    /// No text: sound, pictures, forms with files.
    Binary,
}

impl Content {
    /// Reads a body; `None` is one that the log does not have.
    pub(super) fn of(body: Option<&[u8]>, headers: &Headers) -> Self {
        let Some(body) = body else { return Content::Absent };
        let (plain, whole) = decompressed(body, &headers.codings());
        let text = match (std::str::from_utf8(&plain), whole) {
            (Ok(text), _) => text,
            // A character may be cut where the bytes are.
            (Err(error), false) => {
                let valid = plain.get(..error.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(valid).unwrap_or_default()
            }
            (Err(_), true) => return Content::Binary,
        };
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return if whole { Content::Empty } else { Content::Cut };
        }
        if !text.trim_start().starts_with(['{', '[']) {
            return Content::Text(text.to_owned());
        }
        match serde_json::from_str(text) {
            Ok(json) => Content::Json(json),
            Err(error) if error.is_eof() => Content::Cut,
            Err(_) => Content::Text(text.to_owned()),
        }
    }

    /// The JSON, if it is some.
    pub(super) fn json(&self) -> Option<&Value> {
        match self {
            Content::Json(json) => Some(json),
            _ => None,
        }
    }
}

/// The bytes of a body as framings have it: a text, or `{"base64": "…"}`.
pub(in crate::capture) fn bytes_of(value: &Value) -> Option<Cow<'_, [u8]>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text.as_bytes())),
        Value::Object(members) => from_base64(members.get("base64")?.as_str()?).map(Cow::Owned),
        _ => None,
    }
}

/// Decodes base64, also with line breaks in it.
pub(in crate::capture) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64.decode(packed).ok()
}

/// Undoes the codings; says whether all of the body could be decompressed.
///
/// Many writers decompress a body and leave the header as it was. No compressed body is UTF-8, so
/// that what is text already is left alone.
fn decompressed<'b>(body: &'b [u8], codings: &[String]) -> (Cow<'b, [u8]>, bool) {
    let mut plain = Cow::Borrowed(body);
    let mut whole = true;
    for coding in codings.iter().rev() {
        if std::str::from_utf8(&plain).is_ok() {
            break;
        }
        let decoded = match coding.as_str() {
            "gzip" | "x-gzip" => read_all(flate2::read::MultiGzDecoder::new(&*plain)),
            "deflate" => inflated(&plain),
            "br" => read_all(brotli::Decompressor::new(&*plain, 4_096)),
            "zstd" => match zstd::stream::read::Decoder::new(&*plain) {
                Ok(decoder) => read_all(decoder),
                Err(_) => (Vec::new(), false),
            },
            _ => continue,
        };
        whole &= decoded.1;
        plain = Cow::Owned(decoded.0);
    }
    (plain, whole)
}

/// `deflate` is a zlib stream by the standard and a bare one from some servers.
fn inflated(bytes: &[u8]) -> (Vec<u8>, bool) {
    let zlib = read_all(flate2::read::ZlibDecoder::new(bytes));
    if !zlib.0.is_empty() {
        return zlib;
    }
    let bare = read_all(flate2::read::DeflateDecoder::new(bytes));
    if bare.0.is_empty() { zlib } else { bare }
}

/// Reads what there is up to the cap; an error ends it, as the end of a cut body does.
fn read_all(reader: impl Read) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut reader = reader.take(MAX_DECOMPRESSED_BYTES + 1);
    let mut whole = reader.read_to_end(&mut bytes).is_ok();
    if bytes.len() as u64 > MAX_DECOMPRESSED_BYTES {
        bytes.truncate(MAX_DECOMPRESSED_BYTES as usize);
        whole = false;
    }
    (bytes, whole)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use serde_json::json;

    use super::*;

    const TEXT: &str = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hello"}]}"#;

    fn headers(coding: &str) -> Headers {
        Headers::of([("Content-Encoding", coding)])
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn bare(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn brotli(text: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        brotli::CompressorWriter::new(&mut bytes, 4_096, 5, 20).write_all(text).unwrap();
        bytes
    }

    #[test]
    fn every_coding_is_undone_and_text_is_left_alone_whatever_the_header_says() {
        let expected = Content::Json(serde_json::from_str(TEXT).unwrap());
        let plain = TEXT.as_bytes();
        let zstd = zstd::stream::encode_all(plain, 3).unwrap();
        for (coding, body) in [
            ("", plain.to_vec()),
            ("gzip", plain.to_vec()),
            ("br", plain.to_vec()),
            ("GZIP", gzip(plain)),
            ("gzip", [gzip(&plain[..20]), gzip(&plain[20..])].concat()),
            ("deflate", zlib(plain)),
            ("deflate", bare(plain)),
            ("br", brotli(plain)),
            ("zstd", zstd),
            ("br, gzip", gzip(&brotli(plain))),
            ("identity", plain.to_vec()),
        ] {
            assert_eq!(Content::of(Some(&body), &headers(coding)), expected, "{coding}");
        }
    }

    #[test]
    fn a_bomb_is_cut_at_the_cap() {
        let bomb = gzip(&vec![b' '; MAX_DECOMPRESSED_BYTES as usize + 10]);
        assert!(bomb.len() < 1 << 20);
        let (plain, whole) = decompressed(&bomb, &["gzip".to_owned()]);
        assert_eq!((plain.len() as u64, whole), (MAX_DECOMPRESSED_BYTES, false));
    }

    #[test]
    fn what_is_cut_is_said_to_be_and_what_is_no_text_is_binary() {
        let none = Headers::default();
        assert_eq!(Content::of(None, &none), Content::Absent);
        assert_eq!(Content::of(Some(b" \n"), &none), Content::Empty);
        assert_eq!(Content::of(Some(&TEXT.as_bytes()[..30]), &none), Content::Cut);
        assert_eq!(Content::of(Some(b"\xff\xd8\xff\xe0"), &none), Content::Binary);
        assert_eq!(Content::of(Some(b"{\"a\" 1}"), &none), Content::Text("{\"a\" 1}".to_owned()));
        assert_eq!(Content::of(Some(b"\xef\xbb\xbf{}"), &none), Content::Json(json!({})));
        let events = "data: {\"text\": \"é\"}\n\n".repeat(200);
        let packed = gzip(events.as_bytes());
        let cut = Content::of(Some(&packed[..packed.len() - 12]), &headers("gzip"));
        assert!(
            matches!(&cut, Content::Text(text) if events.starts_with(text.as_str())),
            "{cut:?}"
        );
        for coding in ["gzip", "deflate", "br", "zstd"] {
            let damaged = Content::of(Some(b"\xff\xff\xff\xff"), &headers(coding));
            assert_eq!(damaged, Content::Cut, "{coding}");
        }
    }

    #[test]
    fn base64_is_read_with_breaks_and_without_padding() {
        assert_eq!(bytes_of(&json!({"base64": "aGk="})).as_deref(), Some(b"hi".as_slice()));
        assert_eq!(from_base64("aG\r\nk").as_deref(), Some(b"hi".as_slice()));
        assert_eq!(from_base64("a*"), None);
        assert_eq!(bytes_of(&json!(null)), None);
    }
}
