//! Which provider a host or a gateway's path segment stands for.

/// Ends of host names, the longer before what they end in, with the provider's name in price
/// catalogues.
const HOSTS: &[(&str, &str)] = &[
    ("api.openai.com", "openai"),
    ("oai.helicone.ai", "openai"),
    ("oai.hconeai.com", "openai"),
    ("api.anthropic.com", "anthropic"),
    ("anthropic.helicone.ai", "anthropic"),
    ("anthropic.hconeai.com", "anthropic"),
    (".openai.azure.com", "azure"),
    (".cognitiveservices.azure.com", "azure"),
    (".services.ai.azure.com", "azure_ai"),
    (".models.ai.azure.com", "azure_ai"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("aiplatform.googleapis.com", "vertex_ai"),
    (".rep.googleapis.com", "vertex_ai"),
    ("api.mistral.ai", "mistral"),
    ("codestral.mistral.ai", "mistral"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
    ("api.groq.com", "groq"),
    ("openrouter.ai", "openrouter"),
    ("api.deepseek.com", "deepseek"),
    ("api.together.xyz", "together_ai"),
    ("api.together.ai", "together_ai"),
    ("api.fireworks.ai", "fireworks_ai"),
    ("api.x.ai", "xai"),
    ("api.perplexity.ai", "perplexity"),
    ("api.cerebras.ai", "cerebras"),
    ("api.sambanova.ai", "sambanova"),
    ("api.deepinfra.com", "deepinfra"),
    ("api.hyperbolic.xyz", "hyperbolic"),
    ("api.novita.ai", "novita"),
    ("api.studio.nebius.ai", "nebius"),
    ("integrate.api.nvidia.com", "nvidia_nim"),
    ("api.moonshot.ai", "moonshot"),
    ("api.minimax.chat", "minimax"),
    ("api.z.ai", "zai"),
    ("dashscope.aliyuncs.com", "dashscope"),
    ("dashscope-intl.aliyuncs.com", "dashscope"),
    ("api.ai21.com", "ai21"),
    ("api.voyageai.com", "voyage"),
    ("api.jina.ai", "jina_ai"),
    ("models.github.ai", "github"),
    ("models.inference.ai.azure.com", "github"),
    ("api.githubcopilot.com", "github_copilot"),
    (".cloud.databricks.com", "databricks"),
    (".azuredatabricks.net", "databricks"),
    (".snowflakecomputing.com", "snowflake"),
    (".ml.cloud.ibm.com", "watsonx"),
    ("ollama.com", "ollama"),
    ("api.replicate.com", "replicate"),
];

/// Gateways that put the provider's name into the path.
const GATEWAYS: &[&str] = &["gateway.ai.cloudflare.com", "gateway.helicone.ai"];

/// What gateways call providers in a path.
const SEGMENTS: &[(&str, &str)] = &[
    ("openai", "openai"),
    ("anthropic", "anthropic"),
    ("azure-openai", "azure"),
    ("azure", "azure"),
    ("aws-bedrock", "bedrock"),
    ("bedrock", "bedrock"),
    ("google-ai-studio", "gemini"),
    ("gemini", "gemini"),
    ("google-vertex-ai", "vertex_ai"),
    ("vertex_ai", "vertex_ai"),
    ("vertex-ai", "vertex_ai"),
    ("mistral", "mistral"),
    ("cohere", "cohere"),
    ("groq", "groq"),
    ("openrouter", "openrouter"),
    ("deepseek", "deepseek"),
    ("grok", "xai"),
    ("xai", "xai"),
    ("perplexity-ai", "perplexity"),
    ("perplexity", "perplexity"),
    ("cerebras", "cerebras"),
    ("together_ai", "together_ai"),
    ("fireworks_ai", "fireworks_ai"),
    ("replicate", "replicate"),
    ("workers-ai", "cloudflare"),
];

/// The provider that a host name, without port and in lower case, belongs to.
pub(super) fn of_host(host: &str) -> Option<&'static str> {
    if host.starts_with("bedrock") && host.contains(".amazonaws.com") {
        return Some("bedrock");
    }
    // A suffix without its dot must be the whole name or follow a dot or a region's dash.
    let is_whole = |end: &str| {
        end.starts_with('.')
            || host.len() == end.len()
            || host.strip_suffix(end).is_some_and(|rest| rest.ends_with(['.', '-']))
    };
    let known = HOSTS.iter().find(|(end, _)| host.ends_with(end) && is_whole(end));
    known.map(|(_, provider)| *provider)
}

/// The provider that a path names where the host is a gateway or not known.
///
/// `openai` alone counts only at a gateway that is known to mean it: other providers have
/// `/openai/v1` in their own addresses.
pub(super) fn of_path(host: Option<&str>, segments: &[String]) -> Option<&'static str> {
    let at_gateway = host.is_some_and(|host| GATEWAYS.contains(&host));
    let names = segments.iter().filter(|segment| at_gateway || *segment != "openai");
    let mut known = names.filter_map(|segment| {
        let found = SEGMENTS.iter().find(|(name, _)| name == segment);
        found.map(|(_, provider)| *provider)
    });
    known.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_known_by_its_end_but_not_by_a_likeness() {
        for (host, provider) in [
            ("api.openai.com", Some("openai")),
            ("eu.api.openai.com", Some("openai")),
            ("notapi.openai.com.example.com", None),
            ("myapi.openai.com", None),
            ("shop.openai.azure.com", Some("azure")),
            ("bedrock-runtime.eu-west-1.amazonaws.com", Some("bedrock")),
            ("bedrock-runtime-fips.us-east-1.amazonaws.com", Some("bedrock")),
            ("us-central1-aiplatform.googleapis.com", Some("vertex_ai")),
            ("aiplatform.eu.rep.googleapis.com", Some("vertex_ai")),
            ("example.com", None),
        ] {
            assert_eq!(of_host(host), provider, "{host}");
        }
    }
}
