//! The list price of a captured model, and what kind of model its name says it is.

use crate::pricing::{Catalogue, Price};

/// The list price of what was asked for, else of what answered.
///
/// The lookup is that of every other price: dated names, prefixes of the provider. A log that names
/// no provider, or a gateway that the catalogue does not know, may carry the provider in the model
/// (`openai/gpt-4o`); the price of another provider than the one named is never taken.
pub(super) fn list_price<'a>(
    catalogue: &'a Catalogue,
    provider: Option<&str>,
    request_model: &str,
    response_model: Option<&str>,
) -> Option<&'a Price> {
    price_of(catalogue, provider, request_model)
        .or_else(|| price_of(catalogue, provider, response_model?))
}

fn price_of<'a>(
    catalogue: &'a Catalogue,
    provider: Option<&str>,
    model: &str,
) -> Option<&'a Price> {
    let provider = provider.unwrap_or_default();
    catalogue.find(provider, model).or_else(|| {
        let (prefix, rest) = model.split_once('/')?;
        if catalogue.knows_provider(provider) { None } else { catalogue.find(prefix, rest) }
    })
}

/// What kind of model a name stands for, which decides what a migration must do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ModelKind {
    /// Trained by its owner: no other provider has it.
    FineTuned,
    /// Imported, tuned or provisioned by its owner, by the form of its name.
    Custom,
    /// The catalogue has it.
    Listed,
    /// A name of the owner's for a model that the catalogue has, as deployments are.
    Deployment,
    /// Neither the name nor what answered is in the catalogue.
    Unlisted,
    /// It generates no text, and the catalogue lists only models that do.
    OtherOperation,
    /// The log does not say.
    Unnamed,
}

impl ModelKind {
    /// The kind of a captured model.
    ///
    /// Forms of names: OpenAI `ft:<base>:<org>::<id>` and the older `<base>:ft-<org>`, Azure
    /// `<base>.ft-<id>`; Bedrock resource names of `custom-model`, `imported-model` and
    /// `provisioned-model`; Vertex `projects/…/endpoints/…`, Gemini `tunedModels/…`.
    pub(super) fn of(
        catalogue: &Catalogue,
        operation: &str,
        provider: Option<&str>,
        request_model: &str,
        response_model: Option<&str>,
    ) -> Self {
        const CUSTOM: [&str; 5] =
            ["custom-model", "imported-model", "provisioned-model", "/endpoints/", "tunedModels/"];
        let is_fine_tuned = |name: &str| {
            name.starts_with("ft:")
                || name.contains("/ft:")
                || name.contains(":ft-")
                || name.contains(".ft-")
        };
        let names = [Some(request_model), response_model];
        if request_model.is_empty() {
            ModelKind::Unnamed
        } else if names.into_iter().flatten().any(is_fine_tuned) {
            ModelKind::FineTuned
        } else if CUSTOM.iter().any(|part| request_model.contains(part)) {
            ModelKind::Custom
        } else if !matches!(operation, "chat" | "text_completion") {
            ModelKind::OtherOperation
        } else if price_of(catalogue, provider, request_model).is_some() {
            ModelKind::Listed
        } else if response_model.is_some_and(|m| price_of(catalogue, provider, m).is_some()) {
            ModelKind::Deployment
        } else {
            ModelKind::Unlisted
        }
    }

    /// The kind as it stands in tables.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            ModelKind::FineTuned => "fine_tuned",
            ModelKind::Custom => "custom",
            ModelKind::Listed => "listed",
            ModelKind::Deployment => "deployment",
            ModelKind::Unlisted => "unlisted",
            ModelKind::OtherOperation => "other_operation",
            ModelKind::Unnamed => "unnamed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(provider: Option<&str>, request: &str, response: Option<&str>) -> &'static str {
        let catalogue = Catalogue::embedded().unwrap();
        ModelKind::of(&catalogue, "chat", provider, request, response).as_str()
    }

    #[test]
    fn a_name_says_whether_the_model_is_its_owner_s() {
        let openai = Some("openai");
        for (provider, request, response, wanted) in [
            (openai, "gpt-4o-2024-08-06", None, "listed"),
            (None, "gpt-4o", None, "listed"),
            (Some("our-gateway"), "openai/gpt-4o", None, "listed"),
            (openai, "ft:gpt-4o-mini-2024-07-18:acme::x", None, "fine_tuned"),
            (openai, "curie:ft-acme-2023", None, "fine_tuned"),
            (Some("azure"), "gpt-35-turbo.ft-0f3a", None, "fine_tuned"),
            (Some("bedrock"), "arn:aws:bedrock:eu-west-1:1:custom-model/a/b", None, "custom"),
            (Some("vertex_ai"), "projects/1/locations/x/endpoints/2", None, "custom"),
            (Some("azure"), "prod-chat", Some("gpt-4o"), "deployment"),
            (Some("azure"), "prod-chat", None, "unlisted"),
            (openai, "", Some("gpt-4o"), "unnamed"),
        ] {
            assert_eq!(kind(provider, request, response), wanted, "{request}");
        }
        let catalogue = Catalogue::embedded().unwrap();
        let embedding =
            ModelKind::of(&catalogue, "embeddings", openai, "text-embedding-3-small", None);
        assert_eq!(embedding.as_str(), "other_operation");
    }

    #[test]
    fn no_price_of_another_known_provider_is_taken() {
        let catalogue = Catalogue::embedded().unwrap();
        let price = |provider, model| list_price(&catalogue, provider, model, None).is_some();
        assert!(price(None, "openai/gpt-4o"));
        assert!(!price(Some("groq"), "openai/gpt-4o"));
    }
}
