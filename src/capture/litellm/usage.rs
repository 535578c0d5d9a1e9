//! Token counts as LiteLLM logs them: inclusive, zero where unknown.

use serde_json::Value;

use crate::dataset::{CapturedExchange, UsageSource};

use super::super::value::{count, is_blank, path, text};

/// The counts of one payload.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::capture) struct Counts {
    /// `prompt_tokens` at the top.
    pub(in crate::capture) input: Option<i64>,
    /// `completion_tokens` at the top.
    pub(in crate::capture) output: Option<i64>,
    /// The answer's own usage object, if there is something in it.
    pub(in crate::capture) own: Option<Parts>,
    /// The usage objects that the gateway keeps in `metadata` and in `hidden_params`.
    pub(in crate::capture) kept: [Option<Parts>; 2],
}

/// Counts that are parts of others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::capture) struct Parts {
    pub(in crate::capture) cache_read: Option<i64>,
    pub(in crate::capture) cache_creation: Option<i64>,
    pub(in crate::capture) reasoning: Option<i64>,
}

impl Counts {
    /// Reads the counts of a record.
    pub(in crate::capture) fn of(record: &Value) -> Self {
        let own = path(record, &["response", "usage"]).filter(|usage| !is_blank(usage));
        let kept = |member: &str| path(record, &[member, "usage_object"]).map(Parts::of);
        Counts {
            input: record.get("prompt_tokens").and_then(count),
            output: record.get("completion_tokens").and_then(count),
            own: own.map(Parts::of),
            kept: [kept("metadata"), kept("hidden_params")],
        }
    }

    /// Whether a count at the top says that something was consumed.
    pub(in crate::capture) fn is_some(&self) -> bool {
        self.input.unwrap_or(0) > 0 || self.output.unwrap_or(0) > 0
    }

    /// Fills the token columns, after those of the answer were filled.
    ///
    /// The totals are those at the top of the record. The parts come from the answer's own usage
    /// object, which makes the provider the source, else from the gateway's.
    pub(in crate::capture) fn fill(&self, row: &mut CapturedExchange) {
        if self.input.or(self.output).is_none() && self.own.is_some() {
            // Without totals at the top, those that were read from the answer stand.
            row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
            return;
        }
        clear(row);
        if !self.is_some() {
            return;
        }
        (row.input_tokens, row.output_tokens) = (self.input, self.output);
        let source = if self.own.is_some() { UsageSource::Provider } else { UsageSource::Gateway };
        row.usage_source = Some(source.as_str().to_owned());
        let part = |of: fn(&Parts) -> Option<i64>| {
            let [first, second] = &self.kept;
            [&self.own, first, second].into_iter().flatten().find_map(of)
        };
        row.cache_read_input_tokens = part(|parts| parts.cache_read);
        row.cache_creation_input_tokens = part(|parts| parts.cache_creation);
        row.reasoning_output_tokens = part(|parts| parts.reasoning);
    }
}

impl Parts {
    /// Reads a usage object: LiteLLM's own form, or that of `/responses` as the provider sent it.
    pub(in crate::capture) fn of(usage: &Value) -> Self {
        let first =
            |places: &[&[&str]]| places.iter().find_map(|names| path(usage, names).and_then(count));
        Parts {
            cache_read: first(&[
                &["prompt_tokens_details", "cached_tokens"],
                &["input_tokens_details", "cached_tokens"],
                &["cache_read_input_tokens"],
            ]),
            cache_creation: first(&[
                &["cache_creation_input_tokens"],
                &["prompt_tokens_details", "cache_creation_tokens"],
                &["prompt_tokens_details", "cache_write_tokens"],
            ]),
            reasoning: first(&[
                &["completion_tokens_details", "reasoning_tokens"],
                &["output_tokens_details", "reasoning_tokens"],
            ]),
        }
    }
}

fn clear(row: &mut CapturedExchange) {
    row.input_tokens = None;
    row.output_tokens = None;
    row.cache_read_input_tokens = None;
    row.cache_creation_input_tokens = None;
    row.reasoning_output_tokens = None;
}

/// Fills model and tokens of an answer that is no text.
pub(in crate::capture) fn fill_consumption(row: &mut CapturedExchange, answer: &Value) {
    row.response_model = text(answer, &["model"]);
    let counted = |names: &[&str]| {
        names.iter().find_map(|name| path(answer, &["usage", name]).and_then(count))
    };
    row.input_tokens = counted(&["prompt_tokens", "input_tokens"]);
    row.output_tokens = counted(&["completion_tokens", "output_tokens"]);
}
