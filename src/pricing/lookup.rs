//! Which key of the catalogue a provider's model goes by.

/// LiteLLM's names for a provider: the prefixes of its keys and its `litellm_provider` values.
///
/// The first column holds our protocol names, the values of OpenTelemetry's
/// `gen_ai.provider.name`, and common short forms.
const PROVIDERS: &[(&[&str], &[&str])] = &[
    (&["openai", "openai_chat", "openai_responses"], &["openai"]),
    (&["anthropic", "anthropic_messages"], &["anthropic"]),
    (&["gemini", "gcp.gemini", "google"], &["gemini"]),
    (
        &["vertex_ai", "gcp.vertex_ai", "vertex"],
        &["vertex_ai", "vertex_ai-anthropic_models", "vertex_ai-language-models"],
    ),
    (&["bedrock", "bedrock_converse", "aws.bedrock"], &["bedrock", "bedrock_converse"]),
    (&["azure", "azure_openai", "azure.ai.openai", "az.ai.openai"], &["azure"]),
    (&["azure.ai.inference", "az.ai.inference"], &["azure_ai"]),
    (&["cohere", "cohere_chat"], &["cohere_chat", "cohere"]),
    (&["mistral", "mistral_ai"], &["mistral"]),
    (&["xai", "x_ai"], &["xai"]),
];

/// LiteLLM's names for `provider`; a provider that is not listed goes by its own name.
pub(super) fn catalogue_names(provider: &str) -> Vec<&str> {
    PROVIDERS
        .iter()
        .find(|(ours, _)| ours.contains(&provider))
        .map_or_else(|| vec![provider], |(_, theirs)| theirs.to_vec())
}

/// The spellings of a model under which a price may stand, the most specific first: as given,
/// without the provider's prefix, and both without a date suffix.
pub(super) fn spellings<'a>(names: &[&str], model: &'a str) -> Vec<&'a str> {
    let bare = names
        .iter()
        .find_map(|name| model.strip_prefix(name).and_then(|rest| rest.strip_prefix('/')))
        .unwrap_or(model);
    let mut spellings = vec![model];
    for spelling in [bare, without_date(model), without_date(bare)] {
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

/// The model without `-2024-05-13`, `-20240513` or `@20240513` at its end.
fn without_date(model: &str) -> &str {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if let Some((name, date)) = model.rsplit_once(['-', '@'])
        && date.len() == 8
        && is_digits(date)
    {
        return name;
    }
    let mut parts = model.rsplitn(4, '-');
    if let (Some(day), Some(month), Some(year), Some(name)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
        && [(day, 2), (month, 2), (year, 4)].iter().all(|(p, n)| p.len() == *n && is_digits(p))
    {
        return name;
    }
    model
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_stripped_and_versions_are_not() {
        assert_eq!(without_date("gpt-4o-2024-05-13"), "gpt-4o");
        assert_eq!(without_date("claude-3-5-sonnet-20240620"), "claude-3-5-sonnet");
        assert_eq!(without_date("claude-3-5-sonnet@20240620"), "claude-3-5-sonnet");
        for model in ["gpt-4o", "mistral-small-2409", "claude-3-5", "", "a-24-05-13", "é-2024-0"] {
            assert_eq!(without_date(model), model);
        }
    }

    #[test]
    fn a_prefix_of_the_provider_may_stand_before_the_model() {
        let names = catalogue_names("openai_chat");
        assert_eq!(
            spellings(&names, "openai/gpt-4o-2024-05-13"),
            vec!["openai/gpt-4o-2024-05-13", "gpt-4o-2024-05-13", "openai/gpt-4o", "gpt-4o"]
        );
        assert_eq!(spellings(&names, "gpt-4o"), vec!["gpt-4o"]);
    }
}
