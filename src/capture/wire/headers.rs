//! The few HTTP headers that a row may be made of.

/// Names of the headers that are kept; all others, keys and cookies among them, are dropped as
/// they are read.
const KEPT: &[&str] = &[
    "content-encoding",
    "content-type",
    "host",
    "transfer-encoding",
    "content-length",
    "upgrade",
    "x-stainless-retry-count",
    "x-session-id",
    "session-id",
    "session_id",
    "x-conversation-id",
    "conversation_id",
    "helicone-session-id",
    "x-litellm-session-id",
    "x-claude-code-session-id",
    "x-request-id",
    "request-id",
    "x-amzn-requestid",
    "apim-request-id",
    "cf-aig-cache-status",
    "helicone-cache",
    "x-portkey-cache-status",
    "x-cache-status",
];

/// Headers in which clients and gateways name the conversation.
const SESSION: &[&str] = &[
    "x-session-id",
    "session-id",
    "session_id",
    "x-conversation-id",
    "conversation_id",
    "helicone-session-id",
    "x-litellm-session-id",
    "x-claude-code-session-id",
];

/// Headers in which providers name the request, the most particular first.
const REQUEST_ID: &[&str] = &["x-request-id", "request-id", "x-amzn-requestid", "apim-request-id"];

/// Headers by which gateways say whether they answered from their own cache: Cloudflare AI
/// Gateway, Helicone, Portkey, Kong.
const CACHE: &[&str] =
    &["cf-aig-cache-status", "helicone-cache", "x-portkey-cache-status", "x-cache-status"];

/// Headers of a message, as far as they are kept; names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::capture) struct Headers(Vec<(String, String)>);

impl Headers {
    /// Keeps those of the headers that a row may be made of.
    pub(in crate::capture) fn of<'h>(all: impl IntoIterator<Item = (&'h str, &'h str)>) -> Self {
        let lowered =
            all.into_iter().map(|(name, value)| (name.trim().to_ascii_lowercase(), value));
        let kept = lowered.filter(|(name, _)| KEPT.contains(&name.as_str()));
        Headers(kept.map(|(name, value)| (name, value.trim().to_owned())).collect())
    }

    /// Adds the media type that the log states beside the headers, which sanitised logs lack.
    pub(in crate::capture) fn or_media_type(mut self, media_type: Option<&str>) -> Self {
        if let (None, Some(media_type)) = (self.get("content-type"), media_type) {
            self.0.push(("content-type".to_owned(), media_type.to_owned()));
        }
        self
    }

    /// Names and values.
    pub(in crate::capture) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The first header of a name with something in it.
    pub(in crate::capture) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(own, value)| (own == name && !value.is_empty()).then_some(value))
    }

    /// The codings of the body, in the order in which they were applied.
    pub(super) fn codings(&self) -> Vec<String> {
        let lists = self.iter().filter(|(name, _)| *name == "content-encoding");
        let codings = lists.flat_map(|(_, list)| list.split(','));
        codings.map(|coding| coding.trim().to_ascii_lowercase()).collect()
    }

    /// Whether the media type has this word in it, such as `event-stream`.
    pub(super) fn has_media_type(&self, word: &str) -> bool {
        self.get("content-type").is_some_and(|media| media.to_ascii_lowercase().contains(word))
    }

    /// Whether the body comes in chunks.
    pub(in crate::capture) fn is_chunked(&self) -> bool {
        self.get("transfer-encoding").is_some_and(|coding| {
            coding.to_ascii_lowercase().split(',').any(|coding| coding.trim() == "chunked")
        })
    }

    pub(super) fn session_id(&self) -> Option<String> {
        SESSION.iter().find_map(|name| self.get(name)).map(str::to_owned)
    }

    pub(super) fn request_id(&self) -> Option<String> {
        REQUEST_ID.iter().find_map(|name| self.get(name)).map(str::to_owned)
    }

    /// Whether a gateway answered from its own cache; `None` if none says so.
    pub(super) fn cache_hit(&self) -> Option<bool> {
        let status = CACHE.iter().find_map(|name| self.get(name))?.to_ascii_lowercase();
        if status.contains("hit") {
            Some(true)
        } else if ["miss", "bypass", "refresh"].iter().any(|word| status.contains(word)) {
            Some(false)
        } else {
            None
        }
    }

    /// Which attempt this is by the client library's own count of retries, from 1.
    pub(super) fn attempt(&self) -> i32 {
        let retries = self.get("x-stainless-retry-count").and_then(|count| count.parse().ok());
        retries.filter(|retries: &i32| (0..1_000).contains(retries)).unwrap_or(0) + 1
    }
}
