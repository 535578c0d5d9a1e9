//! Addresses as they stand in logs.

use super::*;

fn of(address: &str) -> Option<(Option<&'static str>, &'static str, Option<&'static str>)> {
    let found = endpoint(address)?;
    Some((found.provider, found.operation, found.dialect.map(Dialect::as_str)))
}

#[test]
fn whole_addresses_show_provider_operation_and_dialect() {
    for (address, provider, operation, dialect) in [
        ("https://api.openai.com/v1/chat/completions", "openai", "chat", "openai_chat"),
        ("https://api.openai.com/v1/responses", "openai", "chat", "openai_responses"),
        ("api.openai.com:443/v1/completions", "openai", "text_completion", "openai_completions"),
        (
            "https://api.anthropic.com/v1/messages?beta=true",
            "anthropic",
            "chat",
            "anthropic_messages",
        ),
        (
            "https://api.anthropic.com/v1/messages/count_tokens",
            "anthropic",
            "count_tokens",
            "anthropic_messages",
        ),
        ("https://api.groq.com/openai/v1/chat/completions", "groq", "chat", "openai_chat"),
        ("https://openrouter.ai/api/v1/chat/completions", "openrouter", "chat", "openai_chat"),
        ("https://api.deepseek.com/chat/completions", "deepseek", "chat", "openai_chat"),
        (
            "https://api.mistral.ai/v1/fim/completions",
            "mistral",
            "text_completion",
            "openai_completions",
        ),
        ("https://api.cohere.com/v2/chat", "cohere", "chat", "cohere_chat"),
        ("https://api.cohere.com/v1/chat", "cohere", "chat", "cohere_chat"),
        ("https://oai.helicone.ai/v1/chat/completions", "openai", "chat", "openai_chat"),
        (
            "https://gateway.ai.cloudflare.com/v1/0a1b/shop/openai/responses",
            "openai",
            "chat",
            "openai_responses",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/0a1b/shop/anthropic/v1/messages",
            "anthropic",
            "chat",
            "anthropic_messages",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/0a1b/shop/cohere/v1/chat",
            "cohere",
            "chat",
            "cohere_chat",
        ),
        ("https://llm.example.com/bedrock/model/m/converse", "bedrock", "chat", "bedrock_converse"),
    ] {
        let expected = Some((Some(provider), operation, Some(dialect)));
        assert_eq!(of(address), expected, "{address}");
    }
}

#[test]
fn calls_that_generate_no_text_are_known_without_a_dialect() {
    for (address, operation) in [
        ("/v1/embeddings", "embeddings"),
        ("/v2/embed", "embeddings"),
        ("/v1/moderations", "moderation"),
        ("/v1/images/generations", "image"),
        ("/v1/audio/transcriptions", "audio"),
        ("/v2/rerank", "rerank"),
        ("/v1/realtime?model=m", "realtime"),
        ("/v1/batches", "batch"),
        ("/v1/messages/batches", "batch"),
        ("/v1/models", "models"),
        ("/api/embed", "embeddings"),
        ("/api/generate", "text_completion"),
    ] {
        assert_eq!(of(address), Some((None, operation, None)), "{address}");
    }
    let ollama = endpoint("http://localhost:11434/api/chat").unwrap();
    assert_eq!((ollama.provider, ollama.operation), (Some("ollama"), "chat"));
}

#[test]
fn a_path_below_any_prefix_is_recognised() {
    for (path, dialect) in [
        ("/prod/v1/messages", Dialect::AnthropicMessages),
        ("/prod/chat/completions", Dialect::OpenAiChat),
        ("v1/chat/completions", Dialect::OpenAiChat),
        ("/chat/completions/", Dialect::OpenAiChat),
        ("//openai//v1/responses", Dialect::OpenAiResponses),
        ("/openai/responses?api-version=2026-01-01", Dialect::OpenAiResponses),
        ("/anthropic/messages#x", Dialect::AnthropicMessages),
        ("/messages", Dialect::AnthropicMessages),
    ] {
        assert_eq!(endpoint(path).unwrap().dialect, Some(dialect), "{path}");
    }
}

#[test]
fn the_model_of_the_path_is_percent_decoded() {
    let azure = endpoint("https://shop.openai.azure.com/openai/deployments/gpt-4o%2Deu/chat/completions?api-version=2024-10-21").unwrap();
    assert_eq!((azure.provider, azure.model.as_deref()), (Some("azure"), Some("gpt-4o-eu")));
    assert_eq!(azure.dialect, Some(Dialect::OpenAiChat));
    let id = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let encoded = id.replace(':', "%3A");
    let host = "https://bedrock-runtime.us-east-1.amazonaws.com";
    for (verb, dialect, stream) in [
        ("converse", Dialect::BedrockConverse, false),
        ("converse-stream", Dialect::BedrockConverse, true),
        ("invoke", Dialect::AnthropicMessages, false),
        ("invoke-with-response-stream", Dialect::AnthropicMessages, true),
    ] {
        let found = endpoint(&format!("{host}/model/{encoded}/{verb}")).unwrap();
        assert_eq!((found.provider, found.operation), (Some("bedrock"), "chat"), "{verb}");
        assert_eq!(found.model.as_deref(), Some(id), "{verb}");
        assert_eq!((found.dialect, found.stream), (Some(dialect), Some(stream)), "{verb}");
    }
    let arn = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A111122223333%3Ainference-profile%2Feu.amazon.titan-embed-text-v2";
    let embed = endpoint(&format!("/model/{arn}/invoke")).unwrap();
    assert_eq!((embed.operation, embed.dialect), ("embeddings", None));
    assert!(embed.model.unwrap().contains("inference-profile/eu.amazon"));
}

#[test]
fn google_names_the_model_and_the_verb_in_one_segment() {
    let vertex = "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/publishers";
    for (address, provider, operation, dialect, stream) in [
        (
            format!("{vertex}/google/models/m-1:streamGenerateContent?alt=sse"),
            "vertex_ai",
            "chat",
            Some(Dialect::Gemini),
            Some(true),
        ),
        (
            format!("{vertex}/anthropic/models/m-1:rawPredict"),
            "vertex_ai",
            "chat",
            Some(Dialect::AnthropicMessages),
            Some(false),
        ),
        (
            "https://generativelanguage.googleapis.com/v1beta/models/m-1:generateContent".into(),
            "gemini",
            "chat",
            Some(Dialect::Gemini),
            Some(false),
        ),
        (
            "/v1beta/models/m-1%3AcountTokens".into(),
            "gemini",
            "count_tokens",
            Some(Dialect::Gemini),
            None,
        ),
        ("/v1beta/models/m-1:batchEmbedContents".into(), "gemini", "embeddings", None, None),
    ] {
        let found = endpoint(&address).unwrap();
        assert_eq!((found.provider, found.operation), (Some(provider), operation), "{address}");
        assert_eq!((found.dialect, found.stream), (dialect, stream), "{address}");
        assert_eq!(found.model.as_deref(), Some("m-1"), "{address}");
    }
    assert_eq!(endpoint("/v1/models/tabular:predict"), None);
}

#[test]
fn what_is_no_call_of_a_model_is_nothing() {
    for address in [
        "",
        "/",
        "/health",
        "/v1/files",
        "/v1/traces",
        "/api/public/ingestion",
        "/v1/threads/t1/messages",
        "/forms/7/responses",
        "/shop/models/shoe",
        "/models/shoe",
        "/models",
        "/complete",
        "/realtime",
        "/v1/chat",
        "/v1/chat/completions/chatcmpl-1",
        "https://api.openai.com/v1/assistants",
        "https://example.com/messages.html",
    ] {
        assert_eq!(endpoint(address), None, "{address}");
    }
}
