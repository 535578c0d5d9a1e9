//! The price file of LiteLLM, `model_prices_and_context_window.json`, read as it is.
//!
//! USD per token throughout. Read are the base fields and their `_above_<N>k_tokens` variants;
//! other suffixes (`_batches`, `_flex`, `_priority`, off-peak and regional multipliers, audio and
//! image tokens) are prices of services that a replay does not order.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::error::PriceError;
use super::price::{Price, Tier};
use super::rate::UsdPerToken;

/// One entry, with its price or the reason why it has none.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The provider in LiteLLM's own word (`litellm_provider`).
    pub(super) provider: String,
    /// What the model is for (`chat`, `responses`, `embedding`, ...).
    pub(super) mode: String,
    /// The price, whose `source` and `as_of` are the catalogue's.
    pub(super) price: Result<Price, PriceError>,
}

/// Cache writes whose suffix is a time to live, not a number of tokens.
const LONG_CACHE_WRITES: [&str; 2] =
    ["cache_creation_input_token_cost_above_1hr", "cache_creation_input_token_cost_above_12hr"];

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// The entries of a file by key. `sample_spec`, which describes the fields, is left out.
pub(super) fn parse(
    bytes: &[u8],
    source: &str,
    as_of: &str,
) -> Result<BTreeMap<String, Entry>, PriceError> {
    let unreadable = |error: &serde_json::Error| PriceError::UnreadableCatalogue {
        line: error.line(),
        column: error.column(),
    };
    let file: BTreeMap<String, &RawValue> =
        serde_json::from_slice(bytes).map_err(|error| unreadable(&error))?;
    let mut entries = BTreeMap::new();
    for (key, raw) in file {
        if key == "sample_spec" {
            continue;
        }
        let fields: Fields = serde_json::from_str(raw.get()).map_err(|_| {
            PriceError::UnusableEntry { key: key.clone(), field: "object of fields" }
        })?;
        let entry = Entry {
            provider: text(&fields, "litellm_provider").unwrap_or_default(),
            mode: text(&fields, "mode").unwrap_or_default(),
            price: price(&key, &fields, source, as_of),
        };
        entries.insert(key, entry);
    }
    Ok(entries)
}

fn price(key: &str, fields: &Fields, source: &str, as_of: &str) -> Result<Price, PriceError> {
    let required = |field: &'static str| {
        rate(key, fields, field)?
            .ok_or_else(|| PriceError::UnusableEntry { key: key.to_owned(), field })
    };
    if fields.contains_key("tiered_pricing") {
        // Marginal or whole-request, the field does not say: a guess could be far off.
        let field = "flat token price (it has tiered_pricing)";
        return Err(PriceError::UnusableEntry { key: key.to_owned(), field });
    }
    let cache_read = match rate(key, fields, "cache_read_input_token_cost")? {
        Some(rate) => Some(rate),
        None => rate(key, fields, "input_cost_per_token_cache_hit")?,
    };
    Ok(Price {
        input: required("input_cost_per_token")?,
        output: required("output_cost_per_token")?,
        cache_read,
        cache_write: rate(key, fields, "cache_creation_input_token_cost")?,
        cache_write_long: LONG_CACHE_WRITES
            .iter()
            .try_fold(None, |dearest, field| Ok(dearest.max(rate(key, fields, field)?)))?,
        reasoning: rate(key, fields, "output_cost_per_reasoning_token")?,
        tiers: tiers(key, fields)?,
        max_output_tokens: count(fields, "max_output_tokens"),
        supports_sampling_params: !matches!(
            fields.get("supports_sampling_params").map(|raw| raw.get()),
            Some("false")
        ),
        deprecation_date: text(fields, "deprecation_date"),
        source: source.to_owned(),
        key: key.to_owned(),
        as_of: as_of.to_owned(),
    })
}

/// The `_above_<N>k_tokens` variants, one tier per N, ascending.
fn tiers(key: &str, fields: &Fields) -> Result<Vec<Tier>, PriceError> {
    let mut tiers: BTreeMap<u64, Tier> = BTreeMap::new();
    for field in fields.keys() {
        let Some((base, thousands)) = field
            .strip_suffix("k_tokens")
            .and_then(|rest| rest.rsplit_once("_above_"))
            .and_then(|(base, number)| Some((base, number.parse::<u64>().ok()?)))
        else {
            continue;
        };
        let above_input_tokens = thousands.saturating_mul(1000);
        let mut tier = tiers.get(&above_input_tokens).copied().unwrap_or(Tier {
            above_input_tokens,
            input: None,
            output: None,
            cache_read: None,
            cache_write: None,
            cache_write_long: None,
        });
        let slot = match base {
            "input_cost_per_token" => &mut tier.input,
            "output_cost_per_token" => &mut tier.output,
            "cache_read_input_token_cost" => &mut tier.cache_read,
            "cache_creation_input_token_cost" => &mut tier.cache_write,
            long if LONG_CACHE_WRITES.contains(&long) => &mut tier.cache_write_long,
            _ => continue,
        };
        *slot = (*slot).max(rate(key, fields, field)?);
        tiers.insert(above_input_tokens, tier);
    }
    Ok(tiers.into_values().collect())
}

/// A rate from the decimal text of the file; absent and `null` are the same, zero is a rate.
fn rate(key: &str, fields: &Fields, field: &str) -> Result<Option<UsdPerToken>, PriceError> {
    match fields.get(field).map(|raw| raw.get()) {
        None | Some("null") => Ok(None),
        Some(text) => UsdPerToken::from_usd_text(text)
            .map(Some)
            .ok_or_else(|| PriceError::UnusableEntry { key: key.to_owned(), field: "token price" }),
    }
}

/// A whole number; some entries have it as 4096.0, or as words, which count as not stated.
fn count(fields: &Fields, field: &str) -> Option<u64> {
    let raw = fields.get(field)?.get();
    raw.strip_suffix(".0").unwrap_or(raw).parse().ok()
}

fn text(fields: &Fields, field: &str) -> Option<String> {
    serde_json::from_str(fields.get(field)?.get()).ok()
}
