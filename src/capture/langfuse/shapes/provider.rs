//! Names of providers, as tracing tools and gateways write them, to those of price catalogues.

/// The catalogue's name of a provider; `None` for a name that says nothing.
///
/// Sources: LangChain's `ls_provider`, the values of `gen_ai.system` and `gen_ai.provider.name`,
/// Helicone's provider column. A name that is not known is kept in lower case.
pub(in crate::capture) fn provider(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let known = match name.as_str() {
        "" | "custom" | "unknown" | "none" | "null" | "helicone" => return None,
        "azure_openai" | "az.ai.openai" | "azure.ai.openai" | "azure_ai_openai" => "azure",
        "az.ai.inference" | "azure.ai.inference" => "azure_ai",
        "google_genai" | "google" | "gcp.gemini" | "google_ai_studio" | "googleai" => "gemini",
        "google_vertexai" | "google_vertex" | "vertex" | "vertexai" | "gcp.vertex_ai"
        | "gcp.vertex.agent" => "vertex_ai",
        "amazon_bedrock" | "aws" | "aws.bedrock" | "aws_bedrock" | "bedrock_converse" => "bedrock",
        "mistralai" | "mistral_ai" => "mistral",
        "fireworks" => "fireworks_ai",
        "together" | "togetherai" => "together_ai",
        "x" | "x_ai" => "xai",
        "perplexityai" => "perplexity",
        "hugging_face" => "huggingface",
        _ => return Some(name),
    };
    Some(known.to_owned())
}

/// Beginnings of names that only one maker uses.
const MAKERS: &[(&str, &str)] = &[
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4-", "openai"),
    ("text-embedding-", "openai"),
    ("claude-", "anthropic"),
    ("gemini-", "gemini"),
    ("command-", "cohere"),
];

/// The maker of a model, by which tracing tools price calls whose provider nobody stated.
///
/// Only names that one maker uses count; open models are served by many.
pub(in crate::capture) fn provider_of_model(model: &str) -> Option<String> {
    if let Some((prefix, _)) = model.split_once('/') {
        let is_name = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-');
        let known = ["openai", "anthropic", "azure", "bedrock", "gemini", "google", "groq"];
        let known = known.contains(&prefix) || ["vertex_ai", "mistral"].contains(&prefix);
        return (known && prefix.chars().all(is_name)).then(|| provider(prefix)).flatten();
    }
    let own = MAKERS.iter().find(|(prefix, _)| {
        // An open model of a maker is not that maker's service.
        model.starts_with(prefix) && !model.starts_with("gpt-oss")
    });
    own.map(|(_, maker)| (*maker).to_owned())
}
