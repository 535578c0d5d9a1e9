//! The hook by which content is made harmless before anything of it is written.

use std::borrow::Cow;

use crate::dataset::CapturedExchange;

use super::secrets;

/// Something that takes what must not be kept out of captured content.
pub trait Redactor: Send + Sync {
    /// Redacts every text column of an exchange; JSON columns stay valid JSON. Says whether the
    /// request body is another one now.
    fn redact(&self, exchange: &mut CapturedExchange) -> bool;

    /// Redacts a text of any kind, such as the excerpt of a line that could not be read.
    fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str>;

    /// Redacts a JSON text, which stays JSON.
    fn redact_json<'t>(&self, json: &'t str) -> Cow<'t, str>;

    /// Whether it takes out what can only be told by its place in a record, so that a piece of a
    /// line that could not be read must not be shown at all.
    fn needs_whole_records(&self) -> bool {
        false
    }

    /// What it does, one entry a rule set, for the manifest of the capture.
    fn describe(&self) -> Vec<String>;
}

/// Replaces keys, tokens and passwords by typed stand-ins such as `[secret:openai_key]`.
///
/// An import always applies it, before any other redactor. The same secret always gives the same
/// stand-in.
#[derive(Debug, Clone, Copy, Default)]
pub struct SecretScrubber;

impl Redactor for SecretScrubber {
    fn redact(&self, exchange: &mut CapturedExchange) -> bool {
        let (short, long): (Vec<_>, Vec<_>) =
            texts(exchange).partition(|(text, _)| text.len() <= secrets::SHORT_BYTES);
        let may_hold = secrets::may_hold(short.iter().map(|(text, _)| text.as_str()));
        for (text, scrub) in short.into_iter().filter(|_| may_hold).chain(long) {
            replace(text, scrub);
        }
        exchange.request_body.as_mut().is_some_and(|body| replace(body, secrets::scrub_json))
    }

    fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        secrets::scrub_text(text)
    }

    fn redact_json<'t>(&self, json: &'t str) -> Cow<'t, str> {
        secrets::scrub_json(json)
    }

    fn describe(&self) -> Vec<String> {
        vec![format!("secrets ({})", secrets::kinds().join(", "))]
    }
}

/// Adds nothing to the [`SecretScrubber`] that every import applies.
#[derive(Debug, Clone, Copy, Default)]
pub struct SecretsOnly;

impl Redactor for SecretsOnly {
    fn redact(&self, _: &mut CapturedExchange) -> bool {
        false
    }

    fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        Cow::Borrowed(text)
    }

    fn redact_json<'t>(&self, json: &'t str) -> Cow<'t, str> {
        Cow::Borrowed(json)
    }

    fn describe(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Says whether the text is another one now.
fn replace(text: &mut String, redact: impl Fn(&str) -> Cow<'_, str>) -> bool {
    let Cow::Owned(redacted) = redact(text) else { return false };
    let is_changed = *text != redacted;
    *text = redacted;
    is_changed
}

type Scrub = fn(&str) -> Cow<'_, str>;

/// The columns of text from the log but the request body, each with how it is scrubbed.
fn texts(row: &mut CapturedExchange) -> impl Iterator<Item = (&mut String, Scrub)> {
    let required = [&mut row.request_id, &mut row.request_model];
    let optional = [
        &mut row.session_id,
        &mut row.user_id,
        &mut row.provider,
        &mut row.route,
        &mut row.tenant,
        &mut row.response_model,
        &mut row.response_text,
        &mut row.finish_reason,
        &mut row.refusal,
        &mut row.error_message,
    ];
    let plain = required.into_iter().chain(optional.into_iter().flatten());
    let json = [&mut row.tool_calls, &mut row.tags].into_iter().flatten();
    plain
        .map(|text| (text, secrets::scrub_text as Scrub))
        .chain(json.map(|text| (text, secrets::scrub_json as Scrub)))
}

/// The columns of plain text that may name a person; models, providers and finish reasons are
/// names of things whatever they look like.
pub(super) fn free_texts(row: &mut CapturedExchange) -> impl Iterator<Item = &mut String> {
    let optional = [
        &mut row.session_id,
        &mut row.user_id,
        &mut row.route,
        &mut row.tenant,
        &mut row.response_text,
        &mut row.refusal,
        &mut row.error_message,
    ];
    std::iter::once(&mut row.request_id).chain(optional.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_secret_is_found_in_every_text_column_and_json_stays_json() {
        let key = format!("sk-{}", "a1B2c3D4e5F6g7H8");
        let text = || Some(format!("see {key}."));
        let body = json!({"messages": [{"role": "user", "content": format!("line\n{key}\"x")}]});
        let calls = json!([{"id": "c", "name": "f", "arguments": format!("{{\"k\":\"{key}\"}}")}]);
        let mut row = CapturedExchange {
            request_id: key.clone(),
            session_id: text(),
            user_id: text(),
            provider: text(),
            route: text(),
            tenant: text(),
            tags: Some(json!([key]).to_string()),
            request_model: key.clone(),
            response_model: text(),
            request_body: Some(body.to_string()),
            response_text: text(),
            tool_calls: Some(calls.to_string()),
            finish_reason: text(),
            refusal: text(),
            error_message: text(),
            ..CapturedExchange::default()
        };
        SecretScrubber.redact(&mut row);
        let all = serde_json::to_string(&row).unwrap();
        assert!(!all.contains(&key[3..]), "{all}");
        assert_eq!(all.matches("[secret:openai_key]").count(), 15, "{all}");
        let body: Value = serde_json::from_str(row.request_body.as_deref().unwrap()).unwrap();
        assert_eq!(body["messages"][0]["content"], "line\n[secret:openai_key]\"x");
        let calls: Value = serde_json::from_str(row.tool_calls.as_deref().unwrap()).unwrap();
        assert_eq!(calls[0]["arguments"], "{\"k\":\"[secret:openai_key]\"}");
    }
}
