//! What is carried of a span's attributes: a trace waits for its last part, so less is better.

use serde_json::{Map, Value};

use super::kind::Kind;
use super::python;

/// Attributes by which a span that is no call of a model tells whose its calls are.
pub(super) const SESSION: &[&str] = &[
    "gen_ai.conversation.id",
    "session.id",
    "langfuse.session.id",
    "traceloop.association.properties.session_id",
    "traceloop.association.properties.conversation_id",
    "traceloop.association.properties.thread_id",
    "gen_ai.thread.id",
    "thread_id",
];

/// The same of the user.
pub(super) const USER: &[&str] = &[
    "user.id",
    "langfuse.user.id",
    "enduser.id",
    "gen_ai.user",
    "llm.user",
    "gen_ai.request.user",
    "traceloop.association.properties.user_id",
    "metadata.user_api_key_end_user_id",
];

/// The same of the tenant.
pub(super) const TENANT: &[&str] = &[
    "metadata.user_api_key_team_alias",
    "metadata.user_api_key_team_id",
    "traceloop.association.properties.tenant_id",
    "traceloop.association.properties.tenant",
    "tenant.id",
];

/// The same of tags.
pub(super) const TAGS: &[&str] = &["langfuse.trace.tags", "tag.tags"];

/// The metadata that a client sends to LiteLLM, headers among it.
pub(super) const REQUESTER: &str = "metadata.requester_metadata";

/// Members of a request body that LiteLLM's inner span states and its outer one does not.
pub(super) const RAW_PARAMETERS: &[&str] = &[
    "temperature",
    "top_p",
    "top_k",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "seed",
    "n",
    "frequency_penalty",
    "presence_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "parallel_tool_calls",
    "tool_choice",
    "tools",
    "response_format",
    "reasoning_effort",
];

/// What to carry of a span's attributes.
pub(super) fn attributes(kind: Kind, mut attributes: Map<String, Value>) -> Map<String, Value> {
    match kind {
        Kind::Other => attributes.retain(|name, _| is_identity(name)),
        // An answer of the Responses API repeats the parameters with defaults filled in.
        Kind::Raw if repeats_request(&attributes) => attributes.clear(),
        Kind::Raw => attributes.retain(|name, _| raw_parameter(name).is_some()),
        _ => attributes.retain(|name, _| !is_ballast(name)),
    }
    if let Some(printed) = attributes.get(REQUESTER) {
        let metadata = match printed {
            Value::String(text) => python::literal(text).unwrap_or_default(),
            other => other.clone(),
        };
        let wanted = ["session_id", "tenant", "tags"];
        let wanted = wanted.iter().filter_map(|name| Some((*name, metadata.get(name)?.clone())));
        let wanted: Value = wanted.collect();
        attributes.insert(REQUESTER.to_owned(), wanted);
    }
    attributes
}

/// The name in a request body of an attribute such as `llm.openai.stop`.
pub(super) fn raw_parameter(name: &str) -> Option<&str> {
    let (_, parameter) = name.strip_prefix("llm.")?.split_once('.')?;
    RAW_PARAMETERS.contains(&parameter).then_some(parameter)
}

fn repeats_request(attributes: &Map<String, Value>) -> bool {
    let mut objects = attributes.iter().filter(|(name, _)| name.ends_with(".object"));
    objects.any(|(_, object)| object == "response")
}

/// Whether an attribute tells whose a call is.
fn is_identity(name: &str) -> bool {
    [SESSION, USER, TENANT, TAGS].iter().any(|names| names.contains(&name)) || name == REQUESTER
}

/// Headers may hold keys; stack traces and vectors are long and of no use.
fn is_ballast(name: &str) -> bool {
    name.ends_with(".vector")
        || name.ends_with("stack_trace")
        || name.ends_with(".stacktrace")
        || name.ends_with("headers")
}

/// Whether an event says something of a call.
pub(super) fn is_wanted_event(name: &str) -> bool {
    name == "exception" || is_gen_ai_event(name)
}

/// Whether an event is one of the conventions' own.
pub(super) fn is_gen_ai_event(name: &str) -> bool {
    matches!(
        name,
        "gen_ai.system.message"
            | "gen_ai.user.message"
            | "gen_ai.assistant.message"
            | "gen_ai.tool.message"
            | "gen_ai.choice"
            | "gen_ai.content.prompt"
            | "gen_ai.content.completion"
            | "gen_ai.client.inference.operation.details"
            | "gen_ai.client.operation.exception"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn slim(kind: Kind, all: &Value) -> Value {
        Value::Object(attributes(kind, all.as_object().unwrap().clone()))
    }

    #[test]
    fn only_what_is_needed_is_carried_and_no_header_ever() {
        let all = json!({
            "session.id": "s", "http.route": "/x", "gen_ai.headers": "{'authorization': 'x'}",
            "error.stack_trace": "…", "llm.openai.stop": "['a']", "llm.openai.choices": "[]",
            "embedding.embeddings.0.embedding.vector": [1.0],
            "metadata.requester_metadata": "{'tenant': 'acme', 'headers': {'x-key': 'secret'}}",
        });
        let requester = json!({"tenant": "acme"});
        assert_eq!(
            slim(Kind::Other, &all),
            json!({"session.id": "s", "metadata.requester_metadata": requester})
        );
        assert_eq!(slim(Kind::Raw, &all), json!({"llm.openai.stop": "['a']"}));
        let chat = slim(Kind::Chat, &all).to_string();
        assert!(!chat.contains("secret") && !chat.contains("authorization"), "{chat}");
        assert!(chat.contains("/x") && !chat.contains("vector"), "{chat}");
        let cut =
            json!({"metadata.requester_metadata": "{'tenant': 'acme', 'headers': {'x-key': 'sec"});
        assert_eq!(slim(Kind::Chat, &cut), json!({"metadata.requester_metadata": {}}));
    }
}
