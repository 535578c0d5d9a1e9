//! What address, bodies and status say of a proxied call, for every gateway that logs HTTP calls.
//!
//! What is easily got wrong: a gateway may be asked in OpenAI's dialect at an address of another
//! provider, so that neither the address nor the body alone tells the dialect; and a body that was
//! cut is a text of JSON that does not end.

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::ChatRequest;
use crate::dataset::{CapturedExchange, ContentState, UsageSource};
use crate::provider::{Dialect, endpoint, parse_request, sniff_dialect};

use super::super::body::{
    fill_request, fill_response, set_failure, set_replayable, set_state, without_request,
};
use super::super::failure::Failure;
use super::super::reason::NotReplayable;
use super::super::value::{count, decoded, is_blank, path, present};

/// A call as a gateway logs it.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Call<'v> {
    /// The address that was asked for, whole or the path alone; may be empty.
    pub(in crate::capture) address: &'v str,
    /// The request body or a text of it; null if it was not logged.
    pub(in crate::capture) request: &'v Value,
    /// The response body or a text of it; null if it was not logged.
    pub(in crate::capture) response: &'v Value,
}

/// What was read of a call's bodies.
#[derive(Debug, Clone, Default)]
pub(in crate::capture) struct Content {
    /// The request, if a protocol adapter could read it.
    pub(in crate::capture) request: Option<ChatRequest>,
    /// The call generates no text.
    pub(in crate::capture) not_chat: bool,
}

impl Call<'_> {
    /// Whether this is a call of a model: its address says so, or its body.
    pub(in crate::capture) fn is_llm(&self) -> bool {
        match endpoint(self.address) {
            Some(endpoint) => is_call(endpoint.operation),
            None => sniff_dialect(&decoded(self.request)).is_some(),
        }
    }

    /// Fills the columns that come from the bodies, and the failure that the status states.
    ///
    /// `status_code` is to be filled before; `request_model`, `stream`, `operation` and `provider`
    /// too where the log states them apart from body and address.
    pub(in crate::capture) fn fill(&self, row: &mut CapturedExchange) -> Content {
        let endpoint = endpoint(self.address);
        if let Some(endpoint) = &endpoint {
            row.stream = row.stream.or(endpoint.stream);
            row.provider = row.provider.take().or(endpoint.provider.map(str::to_owned));
        }
        if row.operation.is_empty() {
            let asked = endpoint.as_ref().map_or("chat", |known| known.operation);
            asked.clone_into(&mut row.operation);
        }
        let not_chat = !generates_text(&row.operation);
        let asked = endpoint.as_ref().and_then(|known| known.dialect);
        let request = self.fill_request(row, asked, not_chat);
        if row.request_model.is_empty() {
            row.request_model = endpoint.and_then(|known| known.model).unwrap_or_default();
        }
        self.fill_response(row, not_chat);
        Content { request, not_chat }
    }

    fn fill_request(
        &self,
        row: &mut CapturedExchange,
        asked: Option<Dialect>,
        not_chat: bool,
    ) -> Option<ChatRequest> {
        let body = decoded(self.request);
        let request = if is_blank(&body) {
            without_request(row);
            None
        } else if is_cut(&body) {
            set_state(row, ContentState::Truncated);
            set_replayable(row, Some(NotReplayable::Truncated));
            None
        } else {
            name_model(row, &body);
            let dialect = if not_chat { None } else { dialect(asked, &body) };
            fill_request(row, dialect, &complete(row, dialect, body))
        };
        if not_chat {
            set_replayable(row, Some(NotReplayable::NotChat));
        }
        request
    }

    fn fill_response(&self, row: &mut CapturedExchange, not_chat: bool) {
        let body = decoded(self.response);
        let dialect = row.dialect.as_deref().and_then(|dialect| dialect.parse().ok());
        if is_cut(&body) {
            if row.content_state == ContentState::Complete.as_str() {
                set_state(row, ContentState::Truncated);
            }
        } else if not_chat && !body.is_object() {
            // The answer is sound, a picture or a list of numbers.
        } else {
            fill_response(row, dialect, &body);
        }
        if not_chat {
            let tokens = path(&body, &["usage", "prompt_tokens"]).and_then(count);
            row.input_tokens = row.input_tokens.or(tokens);
        }
        if row.input_tokens.is_some() || row.output_tokens.is_some() {
            row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
        }
        fail_by_status(row);
    }
}

/// Classes a failure that only the status tells.
pub(in crate::capture) fn fail_by_status(row: &mut CapturedExchange) {
    if row.error_class.is_none() && row.status_code.is_some_and(|status| status >= 400) {
        set_failure(row, Failure::default());
    }
}

/// Fills token counts that the gateway states, where the answer itself has none.
///
/// Gateways write zero where they do not know: no prompt has no tokens.
pub(in crate::capture) fn fill_gateway_usage(
    row: &mut CapturedExchange,
    input: Option<i64>,
    output: Option<i64>,
) {
    if row.usage_source.is_some() {
        return;
    }
    let known = |tokens: Option<i64>| tokens.filter(|tokens| *tokens > 0);
    (row.input_tokens, row.output_tokens) = (known(input), known(output));
    if row.input_tokens.or(row.output_tokens).is_some() {
        row.usage_source = Some(UsageSource::Gateway.as_str().to_owned());
    }
}

/// An HTTP status as a number or a text of one.
pub(in crate::capture) fn http_status(value: &Value) -> Option<i32> {
    let status = count(value)?;
    i32::try_from(status).ok().filter(|status| (100..600).contains(status))
}

/// The path of an address: queries hold keys.
pub(in crate::capture) fn path_of(address: &str) -> &str {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let Some((_, rest)) = address.split_once("://") else { return address };
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/")
}

/// A provider's name as price catalogues have it, from the name that a gateway gives it.
pub(in crate::capture) fn provider_name(name: &str) -> Option<String> {
    let plain = name.trim().to_ascii_lowercase().replace([' ', '_'], "-");
    let known = match plain.as_str() {
        "" | "unspecified" | "unknown" => return None,
        "azure-openai" => "azure",
        "aws-bedrock" | "amazon-bedrock" => "bedrock",
        "google" | "google-ai-studio" => "gemini",
        "vertex-ai" | "google-vertex" | "google-vertex-ai" => "vertex_ai",
        "mistral-ai" => "mistral",
        "together" | "together-ai" => "together_ai",
        "fireworks" | "fireworks-ai" => "fireworks_ai",
        "perplexity-ai" => "perplexity",
        "grok" | "x-ai" => "xai",
        other => return Some(other.replace('-', "_")),
    };
    Some(known.to_owned())
}

/// Operations that an API of models has, but that call none.
fn is_call(operation: &str) -> bool {
    !matches!(operation, "models" | "batch" | "count_tokens")
}

fn generates_text(operation: &str) -> bool {
    matches!(operation, "chat" | "text_completion")
}

/// A text that begins as JSON and could not be read as such.
fn is_cut(body: &Value) -> bool {
    body.as_str().is_some_and(|text| text.trim_start().starts_with(['{', '[']))
}

/// The model that the body names counts where the log names none apart from it.
fn name_model(row: &mut CapturedExchange, body: &Value) {
    if row.request_model.is_empty() {
        let model = present(body, "model").and_then(Value::as_str).unwrap_or_default();
        model.clone_into(&mut row.request_model);
    }
}

/// The dialect of a body: its own marks first, then what the address asks for.
fn dialect(asked: Option<Dialect>, body: &Value) -> Option<Dialect> {
    let sniffed = sniff_dialect(body);
    if sniffed != Some(Dialect::OpenAiChat) || has_openai_marks(body) {
        return sniffed.or(asked);
    }
    let mut candidates = asked.into_iter().chain(sniffed);
    candidates.find(|dialect| parse_request(*dialect, body).is_ok()).or(sniffed)
}

/// What only OpenAI's chat has: instructions and tool results as messages, functions as tools.
fn has_openai_marks(body: &Value) -> bool {
    let list = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten();
    let role = |message: &Value| {
        let role = message.get("role").and_then(Value::as_str);
        role.is_some_and(|role| matches!(role, "system" | "developer" | "tool"))
    };
    list("messages").any(role) || list("tools").any(|tool| tool.get("function").is_some())
}

/// Adds model and stream, which logs keep apart from the body, where the dialect has them in it.
pub(in crate::capture) fn complete<'v>(
    row: &CapturedExchange,
    dialect: Option<Dialect>,
    mut body: Cow<'v, Value>,
) -> Cow<'v, Value> {
    let in_body = [
        Dialect::OpenAiChat,
        Dialect::AnthropicMessages,
        Dialect::OpenAiResponses,
        Dialect::OpenAiCompletions,
        Dialect::CohereChat,
    ];
    if dialect.is_none_or(|dialect| !in_body.contains(&dialect)) {
        return body;
    }
    if present(&body, "model").is_none()
        && !row.request_model.is_empty()
        && let Some(members) = body.to_mut().as_object_mut()
    {
        members.insert("model".to_owned(), Value::String(row.request_model.clone()));
    }
    if row.stream == Some(true)
        && present(&body, "stream").is_none()
        && let Some(members) = body.to_mut().as_object_mut()
    {
        members.insert("stream".to_owned(), Value::Bool(true));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn providers_have_the_names_of_price_catalogues_whoever_names_them() {
        for (name, expected) in [
            ("openai", Some("openai")),
            ("azure-openai", Some("azure")),
            ("Amazon Bedrock", Some("bedrock")),
            ("Google AI Studio", Some("gemini")),
            ("google-vertex-ai", Some("vertex_ai")),
            ("workers-ai", Some("workers_ai")),
            ("UNSPECIFIED", None),
            ("", None),
        ] {
            assert_eq!(provider_name(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_path_has_neither_host_nor_query() {
        assert_eq!(path_of("https://example.com:8443/v1/chat?key=k#x"), "/v1/chat");
        assert_eq!(path_of("/v1/chat?key=k"), "/v1/chat");
        assert_eq!(path_of("https://example.com"), "/");
        assert_eq!(path_of(""), "");
    }

    #[test]
    fn a_body_in_openais_dialect_at_another_providers_address_is_openais() {
        let user = json!({"role": "user", "content": "hi"});
        let system = json!({"role": "system", "content": "be brief"});
        let asked = Some(Dialect::AnthropicMessages);
        let plain = json!({"model": "m", "max_tokens": 5, "messages": [user]});
        let marked = json!({"model": "m", "max_tokens": 5, "messages": [system, user]});
        assert_eq!(dialect(asked, &plain), asked);
        assert_eq!(dialect(asked, &marked), Some(Dialect::OpenAiChat));
        assert_eq!(dialect(None, &plain), Some(Dialect::OpenAiChat));
        assert_eq!(dialect(None, &json!({"x": 1})), None);
    }

    #[test]
    fn a_cut_body_is_said_to_be_cut_and_nothing_of_it_is_taken_for_an_answer() {
        let mut row = CapturedExchange::default();
        let request = json!(r#"{"model":"m","messages":[{"role":"user","content":"he"#);
        let response = json!(r#"{"choices":[{"message":{"content":"a"#);
        let call = Call { address: "/v1/chat/completions", request: &request, response: &response };
        call.fill(&mut row);
        assert_eq!(row.content_state, "truncated");
        assert_eq!(row.not_replayable_reason.as_deref(), Some("truncated"));
        assert_eq!((row.request_body, row.response_text), (None, None));
    }
}
