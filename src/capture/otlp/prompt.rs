//! The request of a call put together from what its spans and events say.

use serde_json::{Map, Value, json};

use crate::dataset::ContentState;
use crate::provider::{Dialect, sniff_dialect};

use super::super::value::{as_text, decoded, is_blank, present, text};
use super::indexed;
use super::kind::Kind;
use super::messages::{lacks_media, messages, says_something};
use super::parameters;
use super::span::{Event, Span};
use super::tree::Call;

/// A request body.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prompt {
    pub(super) body: Value,
    pub(super) dialect: Option<Dialect>,
    /// Whether it is the body as it was sent, so that what it leaves out was not asked for.
    pub(super) is_whole: bool,
    /// Whether an attribute that it was made of was cut or dropped.
    pub(super) is_cut: bool,
    /// Whether a picture, sound or file is named without its data.
    pub(super) lacks_media: bool,
}

/// Messages as they were logged, in the shape of chat completions.
#[derive(Debug, Clone, Default)]
struct Logged {
    messages: Vec<Value>,
    tools: Option<Value>,
    is_cut: bool,
}

/// What OpenInference writes for what it was told to hide.
const HIDDEN: &str = "__REDACTED__";

/// The request of a call; without one, why there is none.
pub(super) fn of(call: &Call<'_>, kind: Kind, model: &str) -> Result<Prompt, ContentState> {
    if let Some(body) = call.spans.iter().find_map(|span| whole_body(span)) {
        let dialect = sniff_dialect(&body).filter(|_| kind.is_text_generation());
        return Ok(Prompt { body, dialect, is_whole: true, is_cut: false, lacks_media: false });
    }
    let found = call.spans.iter().find_map(|span| Some((*span, logged(span)?)));
    let Some((span, logged)) = found else { return Err(absence(call)) };
    if logged.messages.is_empty() {
        return Err(if logged.is_cut { ContentState::Truncated } else { absence(call) });
    }
    let (body, dialect) = match kind {
        Kind::TextCompletion => {
            let body = json!({"model": model, "prompt": said(&logged.messages)});
            (body, Some(Dialect::OpenAiCompletions))
        }
        kind if !kind.is_text_generation() => {
            let input: Vec<&Value> =
                logged.messages.iter().filter_map(|message| message.get("content")).collect();
            (json!({"model": model, "input": input}), None)
        }
        _ => (json!({"model": model, "messages": logged.messages}), Some(Dialect::OpenAiChat)),
    };
    let mut prompt = Prompt {
        lacks_media: logged.messages.iter().any(lacks_media),
        is_cut: logged.is_cut || span.dropped || meets_limit(span),
        is_whole: false,
        dialect,
        body,
    };
    if let (Some(body), true) = (prompt.body.as_object_mut(), kind.is_text_generation()) {
        let outcome = parameters::fill(body, call, logged.tools);
        prompt.is_cut |= outcome.is_cut;
        prompt.is_whole = outcome.is_whole;
    }
    Ok(prompt)
}

/// Why a call has no request content.
fn absence(call: &Call<'_>) -> ContentState {
    let is_hidden = |value: &Value| value.as_str() == Some(HIDDEN);
    let hides = |span: &&Span| span.attribute(&["input.value"]).is_some_and(is_hidden);
    let is_cut = |span: &&Span| limit(span).is_some() && has_content(span);
    if call.spans.iter().any(hides) {
        ContentState::Redacted
    } else if call.spans.iter().any(is_cut) {
        ContentState::Truncated
    } else {
        ContentState::Absent
    }
}

/// Whether a span has the content of its request.
pub(super) fn has_content(span: &Span) -> bool {
    let names = ["gen_ai.input.messages", "langfuse.observation.input", "input.value"];
    span.attribute(&names).is_some()
        || ["llm.input_messages.", "gen_ai.prompt.", "llm.prompts."]
            .iter()
            .any(|prefix| span.has_prefix(prefix))
        || of_events(span).is_some_and(|logged| !logged.messages.is_empty())
}

/// The request body as it was sent, which OpenInference logs as `input.value`.
///
/// Frameworks log values of their own there; only an object with a model and with messages that
/// have roles, or with another member that holds a prompt, is a body.
fn whole_body(span: &Span) -> Option<Value> {
    let body = span.attribute(&["input.value"]).map(|value| decoded(value).into_owned())?;
    text(&body, &["model", "modelId"])?;
    let is_message = |message: &Value| {
        let says = ["content", "tool_calls", "function_call"];
        message.get("role").is_some() && says.iter().any(|name| message.get(*name).is_some())
    };
    let is_body = match present(&body, "messages") {
        Some(Value::Array(messages)) => !messages.is_empty() && messages.iter().all(is_message),
        Some(_) => false,
        None => ["input", "prompt", "contents"].iter().any(|name| present(&body, name).is_some()),
    };
    is_body.then_some(body)
}

/// What a span logs of its request, in whichever generation of the conventions.
fn logged(span: &Span) -> Option<Logged> {
    of_messages(span)
        .or_else(|| of_indexed(span, "llm.input_messages."))
        .or_else(|| of_indexed(span, "gen_ai.prompt."))
        .or_else(|| of_prompts(span))
        .or_else(|| of_events(span))
        .or_else(|| of_langfuse(span))
}

/// Generation C: `gen_ai.input.messages`, with the system prompt apart.
fn of_messages(span: &Span) -> Option<Logged> {
    let value = span.attribute(&["gen_ai.input.messages", "gen_ai.prompt"])?;
    let mut logged = Logged::default();
    if let Some(instructions) = span.attribute(&["gen_ai.system_instructions"]) {
        match opened(instructions) {
            Some(parts) => {
                logged.messages = messages(&json!({"role": "system", "parts": parts}));
            }
            None => logged.is_cut = true,
        }
    }
    match opened(value) {
        Some(Value::Array(list)) => logged.messages.extend(list.iter().flat_map(messages)),
        Some(Value::String(said)) => {
            logged.messages.push(json!({"role": "user", "content": said}));
        }
        Some(message) => logged.messages.extend(messages(&message)),
        None => logged.is_cut = true,
    }
    Some(logged)
}

/// Generation A and OpenInference: a message is spread over attributes.
fn of_indexed(span: &Span, prefix: &str) -> Option<Logged> {
    let list = indexed::list(&span.attributes, prefix);
    let messages: Vec<Value> = list.items.iter().flat_map(messages).collect();
    (!messages.is_empty()).then(|| Logged { messages, is_cut: list.has_gap, tools: None })
}

/// Prompts without messages, by OpenInference.
fn of_prompts(span: &Span) -> Option<Logged> {
    let list = indexed::list(&span.attributes, "llm.prompts.");
    let said = |item: &Value| {
        let prompt = item.get("prompt").unwrap_or(item);
        let said = as_text(prompt).or_else(|| text(prompt, &["text"]))?;
        Some(json!({"role": "user", "content": said}))
    };
    let messages: Vec<Value> = list.items.iter().filter_map(said).collect();
    (!messages.is_empty()).then(|| Logged { messages, is_cut: list.has_gap, tools: None })
}

/// Generation B: an event a message. Without captured content the events are there but empty.
fn of_events(span: &Span) -> Option<Logged> {
    let mut logged = Logged { is_cut: span.dropped_events, ..Logged::default() };
    for event in &span.events {
        let role = match event.name.as_str() {
            "gen_ai.system.message" => "system",
            "gen_ai.user.message" => "user",
            "gen_ai.assistant.message" => "assistant",
            "gen_ai.tool.message" => "tool",
            "gen_ai.content.prompt" => {
                let value = event.attributes.get("gen_ai.prompt")?;
                match opened(value) {
                    Some(Value::Array(list)) => {
                        logged.messages.extend(list.iter().flat_map(messages));
                    }
                    Some(_) | None => logged.is_cut = true,
                }
                continue;
            }
            _ => continue,
        };
        let mut body = event_body(event);
        if let Some(body) = body.as_object_mut() {
            body.entry("role").or_insert_with(|| role.into());
        }
        let found = messages(&body);
        if role != "assistant" && !found.iter().all(says_something) {
            return None;
        }
        logged.messages.extend(found);
    }
    (!logged.messages.is_empty()).then_some(logged)
}

/// The body of an event: as such, or as the attributes of an event of a span.
pub(super) fn event_body(event: &Event) -> Value {
    let text = event.attributes.get("gen_ai.event.content");
    let body = [Some(&event.body), text].into_iter().flatten().map(|body| decoded(body));
    if let Some(body) = body.into_iter().find(|body| body.is_object()) {
        return body.into_owned();
    }
    let names = ["role", "content", "id", "tool_calls", "index", "finish_reason", "message"];
    let member = |name: &&str| {
        let value = event.attributes.get(*name)?;
        let is_nested = matches!(*name, "tool_calls" | "message");
        let value = if is_nested { decoded(value).into_owned() } else { value.clone() };
        Some(((*name).to_owned(), value))
    };
    names.iter().filter_map(member).collect::<Map<_, _>>().into()
}

/// Langfuse's own attribute: what the SDK was given, or its messages and tools.
fn of_langfuse(span: &Span) -> Option<Logged> {
    let value = span.attribute(&["langfuse.observation.input"])?;
    let input = decoded(value);
    let list = match &*input {
        Value::Object(object) => object.get("messages").or_else(|| object.get("input")),
        list => Some(list),
    };
    let is_message =
        |message: &Value| message.get("role").is_some() || message.get("type").is_some();
    let list = list.and_then(Value::as_array);
    if let Some(list) = list.filter(|list| list.iter().all(is_message) && !list.is_empty()) {
        let tools = ["tools", "functions"].iter().find_map(|name| present(&input, name)).cloned();
        let messages = list.iter().flat_map(messages).collect();
        return Some(Logged { messages, tools, is_cut: false });
    }
    if let Some(texts) = list.filter(|list| !list.is_empty() && list.iter().all(Value::is_string)) {
        let messages = texts.iter().map(|said| json!({"role": "user", "content": said})).collect();
        return Some(Logged { messages, ..Logged::default() });
    }
    let said = as_text(value).unwrap_or_else(|| input.to_string());
    let is_cut = input.is_string()
        && ["[{\"", "{\"messages\"", "{\"tools\""].iter().any(|begin| said.starts_with(begin));
    let messages = if is_cut { Vec::new() } else { vec![json!({"role": "user", "content": said})] };
    Some(Logged { messages, is_cut, tools: None })
}

/// The value in a text of JSON; any other text as it is; nothing if the JSON was cut.
pub(super) fn opened(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            serde_json::from_str(text).ok()
        }
        other => Some(other.clone()),
    }
}

/// The length at which attributes are cut, if one of JSON was.
fn limit(span: &Span) -> Option<usize> {
    let names =
        ["input.value", "output.value", "llm.invocation_parameters", "gen_ai.tool.definitions"];
    names.iter().find_map(|name| {
        let text = span.attributes.get(*name)?.as_str()?;
        opened(&Value::from(text)).is_none().then(|| text.chars().count())
    })
}

/// Whether a text of the request is exactly as long as one that was cut.
fn meets_limit(span: &Span) -> bool {
    let Some(limit) = limit(span) else { return false };
    let is_content =
        |name: &str| name.starts_with("llm.input_messages.") || name.starts_with("gen_ai.prompt.");
    span.attributes.iter().any(|(name, value)| {
        is_content(name) && value.as_str().is_some_and(|text| text.chars().count() == limit)
    })
}

/// All text of messages, for a prompt without them.
fn said(messages: &[Value]) -> String {
    let texts = messages.iter().filter_map(|message| message.get("content")?.as_str());
    texts.filter(|text| !is_blank(&Value::from(*text))).collect::<Vec<_>>().join("\n")
}
