//! Token counts and cost of a run.

use serde_json::Value;

use crate::capture::langfuse::shapes::{cell, member};
use crate::capture::value::{count, nanousd, path};
use crate::dataset::{CapturedExchange, UsageSource};

/// Fills tokens and cost: the run's own counts, else those in its outputs.
///
/// All of them are inclusive. Counts that the answer's own usage object gave stand where the run
/// says nothing.
pub(super) fn fill(row: &mut CapturedExchange, run: &Value, outputs: &Value, own: Option<&Value>) {
    let from_body = row.input_tokens.is_some() || row.output_tokens.is_some();
    let listed = outputs.get("usage_metadata").or(own);
    let known = of_run(run)
        .or_else(|| listed.and_then(of_usage_metadata))
        .or_else(|| path(outputs, &["llm_output", "token_usage"]).and_then(of_openai));
    if let Some(counts) = known {
        row.input_tokens = counts.input;
        row.output_tokens = counts.output;
        row.cache_read_input_tokens = counts.cache_read;
        row.cache_creation_input_tokens = counts.cache_creation;
        row.reasoning_output_tokens = counts.reasoning;
        row.usage_source = Some(UsageSource::Client.as_str().to_owned());
    } else if from_body {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    }
    let parts = || {
        let cost = |name: &str| member(run, &[name]).and_then(nanousd);
        Some(cost("prompt_cost")?.saturating_add(cost("completion_cost")?))
    };
    row.cost_nanousd = member(run, &["total_cost"]).and_then(nanousd).or_else(parts);
}

struct Counts {
    input: Option<i64>,
    output: Option<i64>,
    cache_read: Option<i64>,
    cache_creation: Option<i64>,
    reasoning: Option<i64>,
}

impl Counts {
    /// Zero of both means unknown, as in runs that failed.
    fn known(self) -> Option<Self> {
        (self.input.unwrap_or(0) + self.output.unwrap_or(0) > 0).then_some(self)
    }
}

/// The columns of the run; the details are there if the export asked for them.
fn of_run(run: &Value) -> Option<Counts> {
    let column = |name: &str| member(run, &[name]).and_then(count);
    let input = cell(run, &["prompt_token_details"]);
    let output = cell(run, &["completion_token_details"]);
    details(column("prompt_tokens"), column("completion_tokens"), &input, &output)
}

/// LangChain's `UsageMetadata`.
fn of_usage_metadata(usage: &Value) -> Option<Counts> {
    let column = |name: &str| member(usage, &[name]).and_then(count);
    let input = cell(usage, &["input_token_details"]);
    let output = cell(usage, &["output_token_details"]);
    details(column("input_tokens"), column("output_tokens"), &input, &output)
}

fn details(
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    input: &Value,
    output: &Value,
) -> Option<Counts> {
    let of = |details: &Value, names: &[&str]| member(details, names).and_then(count);
    let written = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"];
    let by_age: Vec<i64> = written.iter().filter_map(|name| of(input, &[name])).collect();
    let by_age = (!by_age.is_empty()).then(|| by_age.iter().sum());
    Counts {
        input: input_tokens,
        output: output_tokens,
        cache_read: of(input, &["cache_read", "cached_tokens"]),
        // Where the cache's ages are told apart, the sum of all is zero or left out.
        cache_creation: of(input, &["cache_creation"]).filter(|sum| *sum > 0).or(by_age),
        reasoning: of(output, &["reasoning", "reasoning_tokens"]),
    }
    .known()
}

/// OpenAI's usage object, which LangChain keeps beside the generations.
fn of_openai(usage: &Value) -> Option<Counts> {
    let column = |name: &str| member(usage, &[name]).and_then(count);
    let inner = |names: &[&str]| path(usage, names).and_then(count);
    Counts {
        input: column("prompt_tokens"),
        output: column("completion_tokens"),
        cache_read: inner(&["prompt_tokens_details", "cached_tokens"]),
        cache_creation: None,
        reasoning: inner(&["completion_tokens_details", "reasoning_tokens"]),
    }
    .known()
}
