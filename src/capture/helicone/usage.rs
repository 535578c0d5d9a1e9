//! Token counts and cost of a request.

use serde_json::Value;

use crate::capture::value::{count, nanousd, number};
use crate::dataset::{CapturedExchange, UsageSource};

use super::tokens;
use crate::capture::langfuse::shapes::member;

/// Fills tokens and cost; the answer's own usage object goes before Helicone's columns.
///
/// The columns are what is priced apart: `prompt_tokens` is without cached and audio tokens
/// (`openaiBodyProcessor.ts` subtracts them, Anthropic's usage object has them apart already).
pub(super) fn fill(row: &mut CapturedExchange, record: &Value) {
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    } else {
        from_columns(row, record);
    }
    row.cost_nanousd = cost(record);
}

fn from_columns(row: &mut CapturedExchange, record: &Value) {
    let column = |name: &str| tokens(record, &[name]);
    let read = column("prompt_cache_read_tokens");
    let written = column("prompt_cache_write_tokens");
    let sum =
        |parts: &[Option<i64>]| parts.iter().flatten().fold(0_i64, |a, b| a.saturating_add(*b));
    let input = sum(&[column("prompt_tokens"), read, written, column("prompt_audio_tokens")]);
    let output = sum(&[column("completion_tokens"), column("completion_audio_tokens")]);
    // Zeros stand for what was not counted, and for hits of Helicone's cache.
    if input == 0 && output == 0 {
        return;
    }
    row.input_tokens = Some(input).filter(|input| *input > 0);
    row.output_tokens = column("completion_tokens").map(|_| output);
    row.cache_read_input_tokens = read.filter(|read| *read > 0);
    row.cache_creation_input_tokens = written.filter(|written| *written > 0);
    row.usage_source = Some(UsageSource::Gateway.as_str().to_owned());
}

/// The cost: dollars in the API, whole nano-dollars in the table, which has no `delay_ms`.
fn cost(record: &Value) -> Option<i64> {
    let is_table = record.get("delay_ms").is_none() && record.get("response_status").is_none();
    let known = |cost: &&Value| number(cost).is_some_and(|cost| cost > 0.0);
    if let Some(dollars) = member(record, &["costUSD", "cost_usd"]).filter(known) {
        return nanousd(dollars);
    }
    let cost = member(record, &["cost"]).filter(known)?;
    if is_table { count(cost) } else { nanousd(cost) }
}
