//! What an address asks for: operation, dialect, and what host and path say of provider and model.

mod google;
mod routes;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::dialect::Dialect;
use super::host;

/// What is known of a call from its address alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Who is asked, as the price catalogue names providers, where host or path show it.
    pub provider: Option<&'static str>,
    /// What is asked for: `chat`, `text_completion`, `embeddings`, `image`, `audio`, `moderation`,
    /// `rerank`, `realtime`, `batch`, `count_tokens` or `models`.
    pub operation: &'static str,
    /// The dialect of the request body.
    pub dialect: Option<Dialect>,
    /// The model or deployment that the path names.
    pub model: Option<String>,
    /// Whether the answer is streamed, where the path says so.
    pub stream: Option<bool>,
}

/// An address in its pieces.
struct Address<'a> {
    /// In lower case, without port.
    host: Option<String>,
    port: Option<&'a str>,
    /// Percent-decoded, empty ones left out.
    segments: Vec<String>,
}

/// Recognises an address, whole or the path alone; `None` if it is no call of a model's API.
///
/// A path may stand below any prefix of a gateway. Ends that other services have as well
/// (`/messages`, `/models`…) count only below a version, a provider's name or a known host.
pub fn endpoint(address: &str) -> Option<Endpoint> {
    let address = Address::of(address.trim());
    let by_host = address.host.as_deref().and_then(host::of_host);
    let named = || host::of_path(address.host.as_deref(), &address.segments);
    let provider = by_host.or_else(named);
    let mut found = if address.segments.last().is_some_and(|last| google::has_verb(last)) {
        google::endpoint(&address.segments)?
    } else {
        routes::endpoint(&address.segments, provider)?
    };
    let by_path = found.provider;
    found.provider = by_host.or_else(named).or(by_path);
    if found.provider.is_none() && address.port == Some("11434") {
        found.provider = Some("ollama");
    }
    Some(found)
}

impl<'a> Address<'a> {
    fn of(address: &'a str) -> Self {
        let bare = address.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = match bare.split_once("://") {
            Some((_, rest)) => match rest.find('/') {
                Some(slash) => rest.split_at(slash),
                None => (rest, ""),
            },
            None if bare.starts_with('/') => ("", bare),
            // A host without its scheme has a dot or a port in its first segment.
            None => match bare.split_once('/') {
                Some((first, _)) if is_authority(first) => bare.split_at(first.len()),
                _ => ("", bare),
            },
        };
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (name, Some(port))
            }
            _ => (authority, None),
        };
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        Address {
            host: (!name.is_empty()).then(|| name.to_ascii_lowercase()),
            port,
            segments: segments.map(|segment| percent_decoded(segment).into_owned()).collect(),
        }
    }
}

fn is_authority(segment: &str) -> bool {
    let name = segment.split(':').next().unwrap_or_default();
    let is_domain = name.contains('.') && name.chars().any(|char| char.is_ascii_alphabetic());
    is_domain || name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The text behind a percent-encoding (RFC 3986); one that is none stays as it is.
fn percent_decoded(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = segment.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = (digit(bytes.get(at + 1)), digit(bytes.get(at + 2)));
        if let (b'%', (Some(high), Some(low))) = (byte, pair) {
            decoded.push((high * 16 + low) as u8);
            at += 3;
        } else {
            decoded.push(*byte);
            at += 1;
        }
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(segment), Cow::Owned)
}
