//! Token counts and costs, inclusive whatever the instrumentation counts.

use serde_json::Value;

use crate::dataset::{CapturedExchange, UsageSource};

use super::super::value::{count, nanousd, path};
use super::prompt::opened;
use super::span::Span;
use super::tree::Call;

const INPUT: &[&str] =
    &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"];
const OUTPUT: &[&str] =
    &["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"];
const TOTAL: &[&str] =
    &["gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total"];
const CACHE_READ: &[&str] = &[
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cached_tokens",
    "llm.token_count.prompt_details.cache_read",
];
/// `cache_write` is the name in Anthropic's own SDK.
const CACHE_CREATION: &[&str] = &[
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.cache_write.input_tokens",
    "llm.token_count.prompt_details.cache_write",
];
const REASONING: &[&str] = &[
    "gen_ai.usage.reasoning.output_tokens",
    "gen_ai.usage.reasoning_tokens",
    "llm.usage.reasoning_tokens",
    "llm.token_count.completion_details.reasoning",
];
const LANGFUSE: &str = "langfuse.observation.usage_details";

/// Tokens as one span counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tokens {
    input: Option<i64>,
    output: Option<i64>,
    total: Option<i64>,
    cache_read: Option<i64>,
    cache_creation: Option<i64>,
    reasoning: Option<i64>,
}

/// Whether a span counts tokens.
pub(super) fn has_usage(span: &Span) -> bool {
    span.attribute(INPUT).or(span.attribute(OUTPUT)).is_some()
        || span.attribute(&[LANGFUSE]).is_some()
}

/// Fills the token columns; those of a provider's own response body stand if no span counts.
///
/// A failure with zero tokens means that they are unknown.
pub(super) fn fill(row: &mut CapturedExchange, call: &Call<'_>, source: UsageSource) {
    let counted = call.spans.iter().find_map(|span| Tokens::of(span));
    if let Some(tokens) = counted {
        (row.input_tokens, row.output_tokens) = (tokens.input, tokens.output);
        row.cache_read_input_tokens = tokens.cache_read;
        row.cache_creation_input_tokens = tokens.cache_creation;
        row.reasoning_output_tokens = tokens.reasoning;
        row.usage_source = Some(source.as_str().to_owned());
    } else if row.input_tokens.or(row.output_tokens).is_some() {
        row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
    }
    let cost = cost(call);
    row.cost_nanousd = cost.filter(|cost| *cost > 0 || row.input_tokens.is_some());
}

impl Tokens {
    fn of(span: &Span) -> Option<Self> {
        let stated = |names: &[&str]| span.attribute(names).and_then(count);
        let (input, output) = (stated(INPUT), stated(OUTPUT));
        let tokens = if input.or(output).is_some() {
            Tokens {
                input,
                output,
                total: stated(TOTAL),
                cache_read: stated(CACHE_READ),
                cache_creation: stated(CACHE_CREATION),
                reasoning: stated(REASONING),
            }
        } else {
            langfuse(&opened(span.attribute(&[LANGFUSE])?)?)
        };
        let is_unknown = tokens.input.unwrap_or(0) == 0 && tokens.output.unwrap_or(0) == 0;
        (!is_unknown).then(|| tokens.inclusive())
    }

    /// Adds what is counted apart. A part that is larger than its whole proves it, as does a total
    /// that only the sum reaches; OpenLLMetry's spans of Anthropic are such.
    fn inclusive(mut self) -> Self {
        let cached = self.cache_read.unwrap_or(0) + self.cache_creation.unwrap_or(0);
        if let (Some(input), Some(output)) = (self.input, self.output.or(Some(0))) {
            let is_sum = cached > 0 && self.total == Some(input + output + cached);
            if cached > input || is_sum {
                self.input = Some(input + cached);
            }
        }
        if let (Some(output), Some(reasoning)) = (self.output, self.reasoning)
            && reasoning > output
        {
            self.output = Some(output + reasoning);
        }
        self
    }
}

/// Langfuse's map: a provider's usage object as the SDK got it, or Langfuse's own keys, whose
/// counts do not overlap.
fn langfuse(usage: &Value) -> Tokens {
    let of = |names: &[&[&str]]| names.iter().find_map(|names| path(usage, names).and_then(count));
    let input = of(&[&["prompt_tokens"], &["input_tokens"]]);
    let output = of(&[&["completion_tokens"], &["output_tokens"]]);
    if input.or(output).is_some() {
        return Tokens {
            input,
            output,
            total: of(&[&["total_tokens"]]),
            cache_read: of(&[
                &["prompt_tokens_details", "cached_tokens"],
                &["input_tokens_details", "cached_tokens"],
                &["cache_read_input_tokens"],
            ]),
            cache_creation: of(&[&["cache_creation_input_tokens"]]),
            reasoning: of(&[
                &["completion_tokens_details", "reasoning_tokens"],
                &["output_tokens_details", "reasoning_tokens"],
            ]),
        };
    }
    let sum = |is_own: fn(&str) -> bool| {
        let members = usage.as_object().into_iter().flatten();
        let counts = members.filter(|(name, _)| is_own(name)).filter_map(|(_, value)| count(value));
        counts.reduce(i64::saturating_add)
    };
    Tokens {
        input: sum(|name| name.starts_with("input") || name.starts_with("cache_")),
        output: sum(|name| name.starts_with("output")),
        total: None,
        cache_read: of(&[&["input_cached_tokens"], &["cache_read_input_tokens"]]),
        cache_creation: of(&[&["input_cache_creation"], &["cache_creation_input_tokens"]]),
        reasoning: of(&[&["output_reasoning_tokens"], &["output_reasoning"]]),
    }
}

fn cost(call: &Call<'_>) -> Option<i64> {
    let names = ["gen_ai.cost.total_cost", "llm.cost.total", "gen_ai.usage.cost"];
    call.spans.iter().find_map(|span| {
        let details = span.attribute(&["langfuse.observation.cost_details"]).and_then(opened);
        let total = details.as_ref().and_then(|details| path(details, &["total"]));
        span.attribute(&names).or(total).and_then(nanousd)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tokens(attributes: &Value) -> Option<(Option<i64>, Option<i64>)> {
        let attributes = attributes.as_object().unwrap().clone();
        let tokens = Tokens::of(&Span { attributes, ..Span::default() });
        tokens.map(|tokens| (tokens.input, tokens.output))
    }

    #[test]
    fn parts_that_exceed_their_whole_are_added_and_others_are_not() {
        let anthropic = |input: i64, total: Value| {
            tokens(&json!({"gen_ai.usage.input_tokens": input, "gen_ai.usage.output_tokens": 10,
                "gen_ai.usage.cache_read_input_tokens": 400,
                "gen_ai.usage.cache_creation_input_tokens": 100, "llm.usage.total_tokens": total}))
        };
        assert_eq!(anthropic(12, Value::Null), Some((Some(512), Some(10))));
        assert_eq!(anthropic(812, Value::Null), Some((Some(812), Some(10))));
        assert_eq!(anthropic(812, json!(1322)), Some((Some(1312), Some(10))), "the total says so");
        assert_eq!(anthropic(812, json!(822)), Some((Some(812), Some(10))));
        let thinking = json!({"gen_ai.usage.output_tokens": 5, "gen_ai.usage.reasoning_tokens": 9});
        assert_eq!(tokens(&thinking), Some((None, Some(14))));
    }

    #[test]
    fn langfuse_keys_are_disjoint_unless_they_are_the_providers_own() {
        let of = |usage: Value| {
            tokens(&json!({"langfuse.observation.usage_details": usage.to_string()}))
        };
        let own = json!({"input": 300, "input_cached_tokens": 512, "output": 64, "total": 876});
        assert_eq!(of(own), Some((Some(812), Some(64))));
        let openai = json!({"prompt_tokens": 812, "completion_tokens": 64,
            "prompt_tokens_details": {"cached_tokens": 512}});
        assert_eq!(of(openai), Some((Some(812), Some(64))));
        assert_eq!(of(json!({"input": 0, "output": 0})), None);
        assert_eq!(of(json!("none")), None);
    }
}
