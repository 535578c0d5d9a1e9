//! Token counts and cost as Langfuse keeps them: buckets by name.

use serde_json::{Map, Value};

use crate::capture::value::{count, nanousd, number};
use crate::dataset::{CapturedExchange, UsageSource};

use super::shapes::{cell, member};

/// Input tokens that were read from the provider's prompt cache.
const CACHE_READ: &[&str] = &[
    "cache_read_input_tokens",
    "input_cached_tokens",
    "input_cache_read",
    "input_cached",
    "cached_tokens",
    "cache_read",
];
/// Input tokens that were written into it.
const CACHE_CREATION: &[&str] = &[
    "cache_creation_input_tokens",
    "input_cache_creation",
    "input_cache_write",
    "input_cache_creation_5m",
    "input_cache_creation_1h",
    "cache_creation",
];
/// Output tokens spent on reasoning.
const REASONING: &[&str] =
    &["output_reasoning_tokens", "output_reasoning", "reasoning_tokens", "reasoning"];

/// Fills tokens and cost.
pub(super) fn fill(row: &mut CapturedExchange, record: &Value) {
    let details = cell(record, &["usageDetails", "usage_details"]);
    if let Some(tokens) = details.as_object().and_then(tokens).or_else(|| deprecated(record)) {
        row.input_tokens = tokens.input;
        row.output_tokens = tokens.output;
        row.cache_read_input_tokens = tokens.cache_read;
        row.cache_creation_input_tokens = tokens.cache_creation;
        row.reasoning_output_tokens = tokens.reasoning;
    }
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        row.usage_source = Some(UsageSource::Client.as_str().to_owned());
    }
    let costs = cell(record, &["costDetails", "cost_details"]);
    let total = member(record, &["totalCost", "total_cost", "calculatedTotalCost"]);
    let has_costs = costs.as_object().is_some_and(|costs| !costs.is_empty());
    // Without a price Langfuse writes a total of zero, which is no cost that anybody knows.
    let total = total.and_then(number).filter(|total| *total > 0.0 || has_costs);
    let cost = total.map(Value::from).or_else(|| costs.get("total").cloned());
    row.cost_nanousd = cost.as_ref().and_then(nanousd);
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tokens {
    input: Option<i64>,
    output: Option<i64>,
    cache_read: Option<i64>,
    cache_creation: Option<i64>,
    reasoning: Option<i64>,
}

/// Inclusive counts from buckets.
///
/// Langfuse subtracts cached and reasoning tokens from `input` and `output` when it takes a
/// provider's usage object over (`packages/shared/src/server/ingestion/types.ts`), but a client
/// may send buckets of its own, with the details inside. `total` tells which it is; without a
/// total that fits either, the buckets count as disjoint.
fn tokens(details: &Map<String, Value>) -> Option<Tokens> {
    let of = |names: &[&str]| sum(names.iter().filter_map(|name| details.get(*name)));
    let side = |is_side: fn(&str) -> bool| {
        sum(details.iter().filter(|(name, _)| is_side(name)).map(|(_, value)| value))
    };
    let (has_input, has_output) = (side(is_input), side(is_output));
    if has_input.is_none() && has_output.is_none() {
        return openai(details);
    }
    let plain = |name: &str| details.get(name).and_then(count).unwrap_or(0);
    let (input, output) = (plain("input"), plain("output"));
    let (mut all_input, mut all_output) = (has_input.unwrap_or(0), has_output.unwrap_or(0));
    if let Some(total) = details.get("total").and_then(count) {
        let readings =
            [(all_input, all_output), (input, output), (all_input, output), (input, all_output)];
        let fits = readings.iter().find(|(input, output)| input + output == total);
        (all_input, all_output) = fits.copied().unwrap_or((all_input, all_output));
    }
    // A failure is logged with zeros, which means unknown.
    (all_input + all_output > 0).then(|| Tokens {
        input: has_input.map(|_| all_input),
        output: has_output.map(|_| all_output),
        cache_read: of(CACHE_READ),
        cache_creation: of(CACHE_CREATION),
        reasoning: of(REASONING),
    })
}

fn is_input(name: &str) -> bool {
    name.starts_with("input") || name.starts_with("cache") || name == "cached_tokens"
}

fn is_output(name: &str) -> bool {
    name.starts_with("output") || name.starts_with("reasoning")
}

fn sum<'v>(values: impl Iterator<Item = &'v Value>) -> Option<i64> {
    let mut counts = values.filter_map(count).peekable();
    counts.peek()?;
    Some(counts.fold(0_i64, i64::saturating_add))
}

/// A usage object of OpenAI that was handed over as it is, which is inclusive.
fn openai(details: &Map<String, Value>) -> Option<Tokens> {
    let plain = |name: &str| details.get(name).and_then(count);
    let inner = |outer: &str, name: &str| details.get(outer)?.get(name).and_then(count);
    let (input, output) = (plain("prompt_tokens"), plain("completion_tokens"));
    (input.unwrap_or(0) + output.unwrap_or(0) > 0).then(|| Tokens {
        input,
        output,
        cache_read: inner("prompt_tokens_details", "cached_tokens"),
        cache_creation: None,
        reasoning: inner("completion_tokens_details", "reasoning_tokens"),
    })
}

/// The deprecated `usage` of the public API; its sums are over all buckets of a side.
fn deprecated(record: &Value) -> Option<Tokens> {
    let usage = cell(record, &["usage"]);
    let unit = usage.get("unit").and_then(Value::as_str).unwrap_or("TOKENS");
    if !unit.eq_ignore_ascii_case("TOKENS") {
        return None;
    }
    let either = |own: &[&str], top: &[&str]| {
        member(&usage, own).or_else(|| member(record, top)).and_then(count)
    };
    let input = either(&["input", "promptTokens"], &["promptTokens", "inputUsage", "input_usage"]);
    let output = either(
        &["output", "completionTokens"],
        &["completionTokens", "outputUsage", "output_usage"],
    );
    let known = input.unwrap_or(0) + output.unwrap_or(0) > 0;
    known.then(|| Tokens { input, output, ..Tokens::default() })
}
