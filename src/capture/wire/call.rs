//! Which exchanges of HTTP are calls of a model.

use serde_json::Value;

use crate::provider::{Dialect, Endpoint, endpoint, sniff_dialect};

use super::super::value::present;
use super::content::Content;
use super::outcome::answer_dialect;

/// Operations of model APIs that call no model.
const NO_CALLS: &[&str] = &["models", "count_tokens", "batch"];

/// Members of which a request for text has at least one.
const PROMPTS: &[&str] = &[
    "messages",
    "input",
    "prompt",
    "contents",
    "message",
    "inputText",
    "chat_history",
    "conversation",
    "previous_response_id",
];

/// What a POST asks for; `None` if it is no call of a model.
///
/// The address decides. Where it says nothing, as behind a gateway with paths of its own, a body
/// that is a chat request does; where the host is no known provider's, a body without any prompt
/// is that of an application which happens to have such a path.
///
/// Some addresses do not say in which dialect the body is. At a known host the body does. Elsewhere
/// (`/api/chat` is Ollama's, whose bodies only look like OpenAI's, and many an application's) it
/// does only if the answer is of a known dialect too.
pub(super) fn call(url: &str, request: &Content, answer: &Content) -> Option<Endpoint> {
    let body = request.json();
    let sniffed = body.filter(|body| names_its_model(body)).and_then(sniff_dialect);
    let Some(mut call) = endpoint(url) else {
        let dialect = sniffed?;
        let operation =
            if dialect == Dialect::OpenAiCompletions { "text_completion" } else { "chat" };
        let dialect = Some(dialect);
        return Some(Endpoint { provider: None, operation, dialect, model: None, stream: None });
    };
    if NO_CALLS.contains(&call.operation) {
        return None;
    }
    if is_text(&call) {
        let is_stranger = call.provider.is_none() && body.is_some_and(|body| !has_prompt(body));
        if is_stranger {
            return None;
        }
        let is_known_host = call.provider.is_some_and(|provider| provider != "ollama");
        if call.dialect.is_none() && (is_known_host || answer_dialect(answer).is_some()) {
            call.dialect = body.and_then(sniff_dialect);
        }
    }
    Some(call)
}

/// Whether a call generates text.
pub(super) fn is_text(call: &Endpoint) -> bool {
    matches!(call.operation, "chat" | "text_completion")
}

fn has_prompt(body: &Value) -> bool {
    PROMPTS.iter().any(|name| present(body, name).is_some())
}

/// A list of messages, or a model beside anything else: telemetry has an `input` too.
fn names_its_model(body: &Value) -> bool {
    let is_list = |name: &str| present(body, name).is_some_and(Value::is_array);
    is_list("messages")
        || is_list("contents")
        || present(body, "model").is_some_and(Value::is_string)
}

/// The path of an address: without scheme, host, query and fragment, which may hold keys.
pub(super) fn path_of(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => url,
    }
}
