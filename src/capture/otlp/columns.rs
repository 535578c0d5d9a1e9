//! Whose a call is, who answered it and where it was seen.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::dataset::UsageSource;
use crate::provider::endpoint;

use super::super::value::{as_text, flag, present, text};
use super::prompt::opened;
use super::slim::{REQUESTER, SESSION, TAGS, TENANT, USER};
use super::span::Span;
use super::tree::Call;

/// Where the latency of a call was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// In the application, around its SDK.
    Client,
    /// In a gateway: LiteLLM's proxy, Portkey.
    Gateway,
    /// In the engine that runs the model.
    Engine,
}

impl Scope {
    /// By what the span that stands for the call says of its writer.
    pub(super) fn of(span: &Span) -> Self {
        let is_proxy = span.text(&["metadata.user_api_key_request_route"]).is_some()
            || span.text(&["metadata.user_api_key_hash"]).is_some();
        let is_portkey = [&span.scope, &span.service].iter().any(|name| name.contains("portkey"));
        let is_engine = span.scope.starts_with("vllm") || span.has_prefix("gen_ai.latency.");
        if is_engine {
            Scope::Engine
        } else if is_proxy || is_portkey {
            Scope::Gateway
        } else {
            Scope::Client
        }
    }

    /// Who counted the tokens: an engine counts its own.
    pub(super) fn usage_source(self) -> UsageSource {
        match self {
            Scope::Client => UsageSource::Client,
            Scope::Gateway => UsageSource::Gateway,
            Scope::Engine => UsageSource::Provider,
        }
    }

    /// The column `latency_scope`.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Scope::Client => "client",
            Scope::Gateway => "gateway",
            Scope::Engine => "engine",
        }
    }
}

/// The first statement of the call's spans, then of the spans around it.
fn stated(call: &Call<'_>, names: &[&str]) -> Option<String> {
    call.spans.iter().chain(&call.around).find_map(|span| span.text(names))
}

/// A member of the metadata that a client sent to LiteLLM.
fn requester<'c>(call: &Call<'c>, name: &str) -> Option<&'c Value> {
    let mut spans = call.spans.iter().chain(&call.around);
    spans.find_map(|span| present(span.attributes.get(REQUESTER)?, name))
}

/// The column `session_id`. A trace is one run, not a conversation, so its identifier is none.
pub(super) fn session(call: &Call<'_>) -> Option<String> {
    stated(call, SESSION).or_else(|| as_text(requester(call, "session_id")?))
}

/// The column `user_id`.
pub(super) fn user(call: &Call<'_>) -> Option<String> {
    stated(call, USER)
}

/// The column `tenant`.
pub(super) fn tenant(call: &Call<'_>) -> Option<String> {
    stated(call, TENANT).or_else(|| as_text(requester(call, "tenant")?))
}

/// The column `tags`.
pub(super) fn tags(call: &Call<'_>) -> Option<String> {
    let mut spans = call.spans.iter().chain(&call.around);
    let list = spans.find_map(|span| opened(span.attribute(TAGS)?));
    let list = list.as_ref().or_else(|| requester(call, "tags"))?.as_array()?;
    let tags: BTreeSet<&str> = list.iter().filter_map(Value::as_str).collect();
    if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
}

/// The column `route`: the path that was called; where no span says so, the service that called.
pub(super) fn route(call: &Call<'_>) -> Option<String> {
    let names = ["metadata.user_api_key_request_route", "http.route", "url.path"];
    // `unknown_service` is what an SDK writes that was not told a name.
    let is_name = |name: &&str| !name.is_empty() && !name.starts_with("unknown_service");
    let service = || {
        let mut names = call.spans.iter().map(|span| span.service.as_str());
        names.find(is_name).map(str::to_owned)
    };
    call.spans.iter().find_map(|span| span.text(&names)).or_else(service)
}

/// The column `provider`.
pub(super) fn provider(call: &Call<'_>) -> Option<String> {
    let names = ["gen_ai.provider.name", "llm.provider", "gen_ai.system", "llm.system"];
    let own = call.spans.iter().find_map(|span| span.text(&names)).map(|name| catalogued(&name));
    let own = own.filter(|name| !FRAMEWORKS.contains(&name.as_str())).or_else(|| {
        let model = call.spans.iter().find_map(|span| span.text(&["litellm.provider.model"]))?;
        model.split_once('/').map(|(provider, _)| provider.to_owned())
    });
    own.or_else(|| {
        let addresses = ["url.full", "gen_ai.openai.api_base", "server.address"];
        let address = call.spans.iter().find_map(|span| span.text(&addresses))?;
        endpoint(&address)?.provider.map(str::to_owned)
    })
}

/// Frameworks that name themselves where the provider belongs.
const FRAMEWORKS: &[&str] = &["langchain", "llamaindex", "llama_index", "litellm", "langgraph"];

/// A provider of the conventions by its name in price catalogues.
fn catalogued(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.as_str() {
        "azure.ai.openai" | "az.ai.openai" | "azure_openai" => "azure",
        "azure.ai.inference" | "az.ai.inference" => "azure_ai",
        "aws.bedrock" | "aws_bedrock" | "aws" => "bedrock",
        "gcp.gemini" | "gcp.gen_ai" | "google" | "google_genai" | "google_generativeai" => "gemini",
        "gcp.vertex_ai" | "vertexai" => "vertex_ai",
        "mistral_ai" | "mistralai" => "mistral",
        "x_ai" => "xai",
        "ibm.watsonx.ai" => "watsonx",
        "together" => "together_ai",
        "fireworks" => "fireworks_ai",
        _ => return name,
    }
    .to_owned()
}

/// What LiteLLM keeps of the answer beside it.
fn hidden(span: &Span) -> Option<Value> {
    opened(span.attribute(&["hidden_params"])?)
}

/// Whether the gateway answered from its own cache. LiteLLM states the key of what it found, yet
/// not for streams, which nothing marks.
pub(super) fn cache_hit(call: &Call<'_>) -> Option<bool> {
    let found = call.spans.iter().find_map(|span| text(&hidden(span)?, &["cache_key"])).is_some();
    let names = ["litellm.cache_hit", "cache_hit"];
    let stated = || call.spans.iter().find_map(|span| flag(span.attribute(&names)?));
    if found { Some(true) } else { stated() }
}

/// Whether the gateway or the SDK sent the call again.
pub(super) fn is_retried(call: &Call<'_>) -> bool {
    let counts = |span: &&Span| {
        let hidden = hidden(span).unwrap_or_default();
        let headers = hidden.get("additional_headers").unwrap_or(&Value::Null);
        let attempted = headers.get("x-litellm-attempted-retries").cloned();
        let resent = span.attribute(&["http.request.resend_count"]).cloned();
        attempted.or(resent).as_ref().and_then(super::super::value::number)
    };
    call.retried || call.spans.iter().filter_map(counts).any(|count| count > 0.0)
}
