//! Addresses that end in the name of an operation.

use crate::provider::dialect::Dialect;

use super::Endpoint;

/// One kind of address.
struct Route {
    /// The last segments; `*` stands for the model.
    end: &'static [&'static str],
    operation: &'static str,
    dialect: Option<Dialect>,
    scope: Scope,
}

/// Where an end counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Below any prefix.
    Anywhere,
    /// Below a version or a provider's name, or with nothing before it.
    Api,
    /// The same, but with nothing before it only at a known host: other services have such ends.
    Versioned,
    /// At Cohere alone.
    Cohere,
}

const fn route(
    end: &'static [&'static str],
    operation: &'static str,
    dialect: Option<Dialect>,
    scope: Scope,
) -> Route {
    Route { end, operation, dialect, scope }
}

/// Every kind, the longer end before the shorter one that it holds; the first that fits counts.
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    route(&["chat", "completions"], "chat", Some(Dialect::OpenAiChat), Scope::Anywhere),
    route(&["fim", "completions"], "text_completion", Some(Dialect::OpenAiCompletions), Scope::Anywhere),
    route(&["completions"], "text_completion", Some(Dialect::OpenAiCompletions), Scope::Api),
    route(&["complete"], "text_completion", Some(Dialect::OpenAiCompletions), Scope::Versioned),
    route(&["responses"], "chat", Some(Dialect::OpenAiResponses), Scope::Api),
    route(&["responses", "input_tokens"], "count_tokens", Some(Dialect::OpenAiResponses), Scope::Anywhere),
    route(&["messages", "count_tokens"], "count_tokens", Some(Dialect::AnthropicMessages), Scope::Anywhere),
    route(&["messages", "batches"], "batch", None, Scope::Versioned),
    route(&["messages"], "chat", Some(Dialect::AnthropicMessages), Scope::Api),
    route(&["embeddings"], "embeddings", None, Scope::Api),
    route(&["embed"], "embeddings", None, Scope::Versioned),
    route(&["moderations"], "moderation", None, Scope::Api),
    route(&["images", "generations"], "image", None, Scope::Anywhere),
    route(&["images", "edits"], "image", None, Scope::Anywhere),
    route(&["images", "variations"], "image", None, Scope::Anywhere),
    route(&["audio", "transcriptions"], "audio", None, Scope::Anywhere),
    route(&["audio", "translations"], "audio", None, Scope::Anywhere),
    route(&["audio", "speech"], "audio", None, Scope::Anywhere),
    route(&["rerank"], "rerank", None, Scope::Api),
    route(&["realtime"], "realtime", None, Scope::Versioned),
    route(&["realtime", "sessions"], "realtime", None, Scope::Anywhere),
    route(&["realtime", "client_secrets"], "realtime", None, Scope::Anywhere),
    route(&["batches"], "batch", None, Scope::Versioned),
    route(&["models"], "models", None, Scope::Versioned),
    route(&["models", "*"], "models", None, Scope::Versioned),
    route(&["model", "*", "converse"], "chat", None, Scope::Anywhere),
    route(&["model", "*", "converse-stream"], "chat", None, Scope::Anywhere),
    route(&["model", "*", "invoke"], "chat", None, Scope::Anywhere),
    route(&["model", "*", "invoke-with-response-stream"], "chat", None, Scope::Anywhere),
    route(&["model", "*", "count-tokens"], "count_tokens", None, Scope::Anywhere),
    route(&["v2", "chat"], "chat", Some(Dialect::CohereChat), Scope::Anywhere),
    route(&["v1", "chat"], "chat", Some(Dialect::CohereChat), Scope::Cohere),
    // Ollama's own addresses; its bodies are of no dialect that is read.
    route(&["api", "chat"], "chat", None, Scope::Anywhere),
    route(&["api", "generate"], "text_completion", None, Scope::Anywhere),
    route(&["api", "embed"], "embeddings", None, Scope::Anywhere),
    route(&["api", "embeddings"], "embeddings", None, Scope::Anywhere),
    route(&["api", "tags"], "models", None, Scope::Anywhere),
];

/// Segments before an end that show a model's API, beside versions and providers' names.
const API_PREFIXES: &[&str] = &[
    "openai",
    "anthropic",
    "beta",
    "compat",
    "compatibility",
    "inference",
    "litellm",
    "llm",
    "proxy",
];

/// Recognises an address by its last segments; `provider` is what is known of whom is asked.
pub(super) fn endpoint(segments: &[String], provider: Option<&str>) -> Option<Endpoint> {
    let route = ROUTES.iter().find(|route| route.fits(segments, provider))?;
    let star = route.end.iter().position(|name| *name == "*");
    let start = segments.len().checked_sub(route.end.len())?;
    let named = star.and_then(|star| segments.get(start + star));
    let found = Endpoint {
        provider: None,
        operation: route.operation,
        dialect: route.dialect,
        model: named.cloned(),
        stream: None,
    };
    let verb = segments.last().map(String::as_str).unwrap_or_default();
    Some(if route.end.first() == Some(&"model") {
        on_bedrock(found, verb)
    } else {
        with_deployment(found, segments)
    })
}

impl Route {
    fn fits(&self, segments: &[String], provider: Option<&str>) -> bool {
        let Some(start) = segments.len().checked_sub(self.end.len()) else { return false };
        let tail = segments.iter().skip(start);
        if !tail.zip(self.end).all(|(segment, name)| *name == "*" || segment == name) {
            return false;
        }
        let before = segments.iter().take(start).map(String::as_str).collect::<Vec<_>>();
        match self.scope {
            Scope::Anywhere => true,
            Scope::Cohere => provider == Some("cohere"),
            Scope::Api | Scope::Versioned => match before.as_slice() {
                [] => provider.is_some() || self.scope == Scope::Api,
                [.., "deployments" | "engines", _] => true,
                [.., last] => is_version(last) || API_PREFIXES.contains(last) || is_name(last),
            },
        }
    }
}

/// `v1`, `v1beta`, `v2alpha1`…
fn is_version(segment: &str) -> bool {
    let rest = segment.strip_prefix('v').unwrap_or_default();
    rest.starts_with(|char: char| char.is_ascii_digit())
        && rest.chars().all(|char| char.is_ascii_alphanumeric())
}

fn is_name(segment: &str) -> bool {
    crate::provider::host::of_path(None, &[segment.to_owned()]).is_some()
}

/// Azure's deployments and the engines of older OpenAI addresses are models in the path.
fn with_deployment(found: Endpoint, segments: &[String]) -> Endpoint {
    let names = ["deployments", "engines"];
    let place = segments.iter().position(|segment| names.contains(&segment.as_str()));
    let Some(place) = place else { return found };
    let is_azure = place > 0 && segments.get(place - 1).is_some_and(|before| before == "openai");
    Endpoint {
        provider: is_azure.then_some("azure"),
        model: segments.get(place + 1).cloned(),
        ..found
    }
}

/// Parts of Bedrock's model names, with operation and dialect of what `invoke` takes.
const INVOKED: &[(&str, &str, Option<Dialect>)] = &[
    ("embed", "embeddings", None),
    ("rerank", "rerank", None),
    ("stability.", "image", None),
    ("image", "image", None),
    ("canvas", "image", None),
    ("anthropic.", "chat", Some(Dialect::AnthropicMessages)),
    ("amazon.nova", "chat", Some(Dialect::BedrockConverse)),
    ("openai.", "chat", Some(Dialect::OpenAiChat)),
    ("meta.llama", "text_completion", Some(Dialect::OpenAiCompletions)),
    ("mistral.", "text_completion", Some(Dialect::OpenAiCompletions)),
];

fn on_bedrock(found: Endpoint, verb: &str) -> Endpoint {
    let found = Endpoint { provider: Some("bedrock"), ..found };
    let converse = Some(Dialect::BedrockConverse);
    match verb {
        "converse" => Endpoint { dialect: converse, stream: Some(false), ..found },
        "converse-stream" => Endpoint { dialect: converse, stream: Some(true), ..found },
        "count-tokens" => found,
        verb => {
            let model = found.model.as_deref().unwrap_or_default();
            let known = INVOKED.iter().find(|(part, ..)| model.contains(part));
            let (operation, dialect) =
                known.map_or(("chat", None), |(_, operation, dialect)| (*operation, *dialect));
            let stream = Some(verb == "invoke-with-response-stream");
            Endpoint { operation, dialect, stream, ..found }
        }
    }
}
