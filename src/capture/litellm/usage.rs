//! Token counts as LiteLLM logs them: inclusive, zero where unknown.

use serde_json::Value;

use crate::dataset::{CapturedExchange, UsageSource};

use super::super::value::{count, is_blank, path};

/// Fills the token columns.
///
/// The totals are those at the top of the record. The parts come from the answer's own usage
/// object, which makes the provider the source, else from the gateway's.
pub(super) fn fill(row: &mut CapturedExchange, record: &Value) {
    let total = |name: &str| record.get(name).and_then(count);
    let (input, output) = (total("prompt_tokens"), total("completion_tokens"));
    let own = path(record, &["response", "usage"]).filter(|usage| !is_blank(usage));
    if input.or(output).is_none() && own.is_some() {
        // Without totals at the top, those that were read from the answer stand.
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
        return;
    }
    clear(row);
    if input.unwrap_or(0) == 0 && output.unwrap_or(0) == 0 {
        return;
    }
    (row.input_tokens, row.output_tokens) = (input, output);
    let source = if own.is_some() { UsageSource::Provider } else { UsageSource::Gateway };
    row.usage_source = Some(source.as_str().to_owned());
    let usages = [
        own,
        path(record, &["metadata", "usage_object"]),
        path(record, &["hidden_params", "usage_object"]),
    ];
    let part = |places: &[&[&str]]| {
        let mut usages = usages.iter().flatten();
        usages.find_map(|usage| places.iter().find_map(|names| path(usage, names).and_then(count)))
    };
    row.cache_read_input_tokens =
        part(&[&["prompt_tokens_details", "cached_tokens"], &["cache_read_input_tokens"]]);
    row.cache_creation_input_tokens = part(&[
        &["cache_creation_input_tokens"],
        &["prompt_tokens_details", "cache_creation_tokens"],
        &["prompt_tokens_details", "cache_write_tokens"],
    ]);
    row.reasoning_output_tokens = part(&[&["completion_tokens_details", "reasoning_tokens"]]);
}

fn clear(row: &mut CapturedExchange) {
    row.input_tokens = None;
    row.output_tokens = None;
    row.cache_read_input_tokens = None;
    row.cache_creation_input_tokens = None;
    row.reasoning_output_tokens = None;
}
