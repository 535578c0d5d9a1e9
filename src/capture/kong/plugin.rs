//! The AI block of an entry: what each AI plugin says of the call of a model that it made.
//!
//! | version of Kong | statistics | payloads |
//! |---|---|---|
//! | 3.9 on | `ai.proxy.{meta,usage,cache}` | `ai.proxy.payload.{request,response}` |
//! | 3.6 to 3.8 | `ai.<plugin>.{meta,usage,cache}` | `ai.payload.request`, `ai.<plugin>.payload.response` |

use serde_json::Value;

use super::super::value::{count, flag, number, path, present, text};

/// What one AI plugin logged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plugin<'r> {
    pub(super) name: &'r str,
    block: &'r Value,
    own: &'r Value,
}

/// The plugins of an entry that called a model.
pub(super) fn plugins(record: &Value) -> Vec<Plugin<'_>> {
    let Some(block) = record.get("ai") else { return Vec::new() };
    let members = block.as_object().into_iter().flatten();
    let called =
        |own: &Value| ["meta", "usage", "payload"].iter().any(|name| own[*name].is_object());
    members
        .filter(|(_, own)| own.is_object() && called(own))
        .map(|(name, own)| Plugin { name, block, own })
        .collect()
}

/// Whether a plugin rewrote the prompt, so that the logged one is not the client's or not the
/// model's.
pub(super) fn alters_prompt(record: &Value) -> bool {
    let members = record.get("ai").and_then(Value::as_object);
    let altering = ["rag-inject", "sanitizer", "compressor", "decorator", "template"];
    members.into_iter().flatten().any(|(name, _)| altering.iter().any(|part| name.contains(part)))
}

impl<'r> Plugin<'r> {
    /// Whether it passed the client's call on; transformers make calls of their own.
    pub(super) fn is_proxy(&self) -> bool {
        self.name == "proxy" || self.name.starts_with("ai-proxy")
    }

    /// A member of `meta` that is a text; `UNSPECIFIED` stands for unknown.
    pub(super) fn meta(&self, name: &str) -> Option<String> {
        text(self.own.get("meta")?, &[name]).filter(|value| value != "UNSPECIFIED")
    }

    /// The plugin's own measure of the call, in milliseconds.
    pub(super) fn llm_latency_ms(&self) -> Option<f64> {
        self.positive(&["meta", "llm_latency"])
    }

    /// To the first token, in milliseconds.
    pub(super) fn ttft_ms(&self) -> Option<f64> {
        self.positive(&["usage", "time_to_first_token"])
    }

    /// Zero is what an unknown measure is logged as.
    fn positive(&self, names: &[&str]) -> Option<f64> {
        path(self.own, names).and_then(number).filter(|value| *value > 0.0)
    }

    /// A count of tokens; older versions wrote the singular.
    pub(super) fn tokens(&self, names: &[&str]) -> Option<i64> {
        let usage = self.own.get("usage")?;
        names.iter().find_map(|name| present(usage, name).and_then(count))
    }

    /// A part of a count of tokens.
    pub(super) fn token_detail(&self, details: &str, name: &str) -> Option<i64> {
        path(self.own, &["usage", details, name]).and_then(count)
    }

    /// Whether the answer came from the gateway's semantic cache.
    pub(super) fn cache_hit(&self) -> Option<bool> {
        let cache = present(self.own, "cache").or_else(|| present(self.block, "cache"))?;
        let status = text(cache, &["cache_status"])?;
        // Bypass and Refresh ask the model.
        flag(&Value::String(status)).or(Some(false))
    }

    /// The logged request body.
    pub(super) fn request(&self) -> Option<&'r Value> {
        let shared = || path(self.block, &["payload", "request"]).filter(|_| self.is_proxy());
        path(self.own, &["payload", "request"]).or_else(shared)
    }

    /// The logged response body.
    pub(super) fn response(&self) -> Option<&'r Value> {
        let shared = || path(self.block, &["payload", "response"]).filter(|_| self.is_proxy());
        path(self.own, &["payload", "response"]).or_else(shared)
    }
}
