//! The price catalogue and its lookup by provider and model.

use std::collections::{BTreeMap, BTreeSet};

use super::error::PriceError;
use super::litellm::{self, Entry};
use super::lookup::{catalogue_names, spellings};
use super::price::Price;
use crate::similarity::edit_similarity;

const EMBEDDED: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/prices/catalogue.json"));
const EMBEDDED_SOURCE: &str = "LiteLLM 1.109.1";
const EMBEDDED_DATE: &str = "2026-11-22";

/// How many similar names an unknown model is answered with.
const SUGGESTIONS: usize = 3;

/// Names less similar than this are no suggestion.
const LEAST_SIMILARITY: f64 = 0.6;

/// Prices by model, with their common source and date.
#[derive(Debug, Clone)]
pub struct Catalogue {
    entries: BTreeMap<String, Entry>,
    providers: BTreeSet<String>,
    source: String,
    as_of: String,
}

impl Catalogue {
    /// The catalogue in the program: a part of LiteLLM's price file, see `prices/README.md`.
    pub fn embedded() -> Result<Self, PriceError> {
        Self::from_litellm_json(EMBEDDED, EMBEDDED_SOURCE, EMBEDDED_DATE)
    }

    /// A catalogue from LiteLLM's `model_prices_and_context_window.json`, as it is.
    ///
    /// `source` names the file and its version, `as_of` is its day as `YYYY-MM-DD`. An entry
    /// whose price cannot be read fails when it is looked up, not before.
    pub fn from_litellm_json(bytes: &[u8], source: &str, as_of: &str) -> Result<Self, PriceError> {
        let entries = litellm::parse(bytes, source, as_of)?;
        let providers = entries.values().map(|entry| entry.provider.clone()).collect();
        Ok(Self { entries, providers, source: source.to_owned(), as_of: as_of.to_owned() })
    }

    /// Where the prices come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The day of the prices, as `YYYY-MM-DD`.
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// The keys, ascending, with LiteLLM's provider name, mode and price.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str, &str, Result<&Price, &PriceError>)> {
        self.entries.iter().map(|(key, entry)| {
            (key.as_str(), entry.provider.as_str(), entry.mode.as_str(), entry.price.as_ref())
        })
    }

    /// The price of a provider's model; [`Price::key`] says which key matched.
    ///
    /// Tried are, for the model as given and then without its date: `provider/model`, then the
    /// bare key if it belongs to the provider. For a provider that the catalogue does not know
    /// at all, a gateway say, a bare key of any provider counts. Prices of another known
    /// provider are never taken.
    pub fn lookup(&self, provider: &str, model: &str) -> Result<&Price, PriceError> {
        if let Some(entry) = self.entry(provider, model) {
            return entry.price.as_ref().map_err(Clone::clone);
        }
        let names = catalogue_names(provider);
        let known = self.knows(&names);
        Err(PriceError::UnknownModel {
            provider: provider.to_owned(),
            model: model.to_owned(),
            closest: self.closest(&names, known, model),
        })
    }

    /// The price of a provider's model as [`Catalogue::lookup`] finds it, without a search for
    /// similar names.
    pub fn find(&self, provider: &str, model: &str) -> Option<&Price> {
        self.entry(provider, model)?.price.as_ref().ok()
    }

    /// Whether any entry is of this provider.
    pub fn knows_provider(&self, provider: &str) -> bool {
        self.knows(&catalogue_names(provider))
    }

    fn knows(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.providers.contains(*name))
    }

    fn entry(&self, provider: &str, model: &str) -> Option<&Entry> {
        let names = catalogue_names(provider);
        let known = self.knows(&names);
        spellings(&names, model).into_iter().find_map(|spelling| {
            let prefixed =
                names.iter().find_map(|name| self.entries.get(&format!("{name}/{spelling}")));
            let bare = self
                .entries
                .get(spelling)
                .filter(|entry| !known || names.contains(&entry.provider.as_str()));
            prefixed.or(bare)
        })
    }

    /// The most similar keys, of the same provider where the catalogue knows it.
    fn closest(&self, names: &[&str], known: bool, model: &str) -> Vec<String> {
        let mut scored: Vec<(f64, &str)> = self
            .entries
            .iter()
            .filter(|(_, entry)| !known || names.contains(&entry.provider.as_str()))
            .map(|(key, _)| {
                let name = key.rsplit('/').next().unwrap_or(key);
                let similarity = edit_similarity(key, model).max(edit_similarity(name, model));
                (similarity, key.as_str())
            })
            .filter(|(score, _)| *score >= LEAST_SIMILARITY)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        scored.into_iter().take(SUGGESTIONS).map(|(_, key)| key.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Usage;
    use crate::pricing::NanoUsd;

    fn catalogue(json: &str) -> Catalogue {
        Catalogue::from_litellm_json(json.as_bytes(), "test", "2026-01-01").unwrap()
    }

    fn usage(input: u64, output: u64) -> Usage {
        Usage { input_tokens: Some(input), output_tokens: Some(output), ..Usage::default() }
    }

    #[test]
    fn the_embedded_catalogue_prices_the_models_of_the_guide() {
        let catalogue = Catalogue::embedded().unwrap();
        // 10 and 30 dollars per million: 1,000 * 10 + 500 * 30 micro-dollars.
        let turbo = catalogue.lookup("openai", "gpt-4-turbo-2024-04-09").unwrap();
        assert_eq!(turbo.cost(&usage(1000, 500)), Ok(NanoUsd(25_000_000)));
        assert_eq!((turbo.max_output_tokens, turbo.as_of.as_str()), (Some(4096), "2026-11-22"));
        assert!(catalogue.lookup("openai_chat", "gpt-4o-2024-05-13").is_ok());
        assert_eq!(catalogue.lookup("azure_openai", "gpt-4o").unwrap().key, "azure/gpt-4o");
        let sonnet = "anthropic.claude-3-5-sonnet-20240620-v1:0";
        assert_eq!(catalogue.lookup("bedrock_converse", sonnet).unwrap().key, sonnet);
    }

    #[test]
    fn every_embedded_entry_has_a_price() {
        let catalogue = Catalogue::embedded().unwrap();
        let mut entries = 0;
        for (key, provider, mode, price) in catalogue.entries() {
            assert!(price.is_ok() && !provider.is_empty(), "{key}");
            assert!(matches!(mode, "chat" | "responses"), "{key}");
            entries += 1;
        }
        assert!(entries > 250, "{entries}");
    }

    #[test]
    fn an_unknown_model_is_refused_with_similar_names() {
        let catalogue = Catalogue::embedded().unwrap();
        let error = catalogue.lookup("openai", "gpt-4o-minni").unwrap_err();
        let PriceError::UnknownModel { closest, .. } = &error else { panic!("{error}") };
        assert_eq!(closest.first().map(String::as_str), Some("gpt-4o-mini"));
        assert!(error.to_string().contains("gpt-4o-mini"), "{error}");
    }

    #[test]
    fn a_known_provider_never_gets_another_provider_s_price() {
        let catalogue = catalogue(
            r#"{"gpt-x": {"litellm_provider": "openai", "input_cost_per_token": 1e-06,
                          "output_cost_per_token": 2e-06},
                "groq/other": {"litellm_provider": "groq", "input_cost_per_token": 1e-06,
                          "output_cost_per_token": 2e-06}}"#,
        );
        assert!(catalogue.lookup("groq", "gpt-x").is_err());
        assert!(catalogue.lookup("groq", "other-2026-01-01").is_ok());
        assert_eq!(catalogue.lookup("our-gateway", "gpt-x").unwrap().key, "gpt-x");
        assert_eq!(catalogue.lookup("openai", "gpt-x-20260101").unwrap().key, "gpt-x");
    }

    #[test]
    fn free_and_unpriced_are_different() {
        let catalogue = catalogue(
            r#"{"sample_spec": {"max_output_tokens": "words"},
                "free": {"litellm_provider": "p", "input_cost_per_token": 0.0,
                         "output_cost_per_token": 0},
                "unpriced": {"litellm_provider": "p", "output_cost_per_token": 1e-06},
                "words": {"litellm_provider": "p", "input_cost_per_token": "1e-06",
                          "output_cost_per_token": 1e-06},
                "tiered": {"litellm_provider": "p", "input_cost_per_token": 1e-06,
                           "output_cost_per_token": 1e-06, "tiered_pricing": []}}"#,
        );
        assert_eq!(catalogue.lookup("p", "free").unwrap().cost(&usage(9, 9)), Ok(NanoUsd::ZERO));
        for model in ["unpriced", "words", "tiered"] {
            let refused = catalogue.lookup("p", model);
            assert!(matches!(refused, Err(PriceError::UnusableEntry { .. })), "{model}");
        }
        assert!(catalogue.lookup("p", "sample_spec").is_err());
    }

    #[test]
    fn tiers_and_flags_are_read_and_other_services_are_not() {
        let catalogue = catalogue(
            r#"{"m": {"litellm_provider": "p", "max_output_tokens": 8192.0,
                "input_cost_per_token": 1.25e-06, "output_cost_per_token": 1e-05,
                "input_cost_per_token_above_200k_tokens": 2.5e-06,
                "output_cost_per_token_above_200k_tokens": 1.5e-05,
                "input_cost_per_token_above_200k_tokens_priority": 9e-06,
                "cache_creation_input_token_cost": 2e-06,
                "cache_creation_input_token_cost_above_1hr": 4e-06,
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 8e-06,
                "input_cost_per_token_cache_hit": 1e-07,
                "supports_sampling_params": false, "deprecation_date": "2026-11-30"}}"#,
        );
        let price = catalogue.lookup("p", "m").unwrap();
        assert_eq!(price.tiers.len(), 1);
        // 300,000 * 2.5 + 10 * 15 micro-dollars.
        assert_eq!(price.cost(&usage(300_000, 10)), Ok(NanoUsd(750_150_000)));
        assert_eq!(price.cache_read.unwrap().to_string(), "0.10 USD/1M");
        assert_eq!(price.cache_write_long.unwrap().to_string(), "4.00 USD/1M");
        // Beyond 200,000 tokens each could be a long-lived cache write at 8 dollars per million.
        assert_eq!(price.worst_case(300_000, 0), Ok(NanoUsd(2_400_000_000)));
        assert_eq!(price.max_output_tokens, Some(8192));
        assert_eq!(price.deprecation_date.as_deref(), Some("2026-11-30"));
        assert!(!price.supports_sampling_params);
    }

    #[test]
    fn a_file_of_another_form_is_refused() {
        for json in ["", "[]", "{\"a\": 1}", "{\"a\": "] {
            assert!(Catalogue::from_litellm_json(json.as_bytes(), "test", "").is_err(), "{json}");
        }
    }
}
