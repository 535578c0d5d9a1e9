//! What a replay can be expected to cost, before anything is sent.
//!
//! Expected: the usage of the recorded answer at the arm's price. Where the log has no usage, the
//! input follows from the length of the body and the output is the mean of the same model. Low:
//! the same with the whole input read from the prompt cache and an answer half as long. High is
//! the worst case that is reserved, which `planner` sets.

use std::collections::BTreeMap;

use crate::chat::Usage;
use crate::dataset::ReplayInput;
use crate::pricing::Price;

/// Bytes of body per input token where the log counts no tokens at all.
const BYTES_PER_TOKEN: u64 = 4;

/// Upper bounds that no expectation may exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Input tokens.
    pub(super) input: u64,
    /// Output tokens.
    pub(super) output: u64,
    /// Cost of one attempt in nano-dollars.
    pub(super) cost_nanousd: i64,
}

/// What one attempt can be expected to use and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Estimate {
    /// Input tokens.
    pub(super) input_tokens: u64,
    /// Output tokens.
    pub(super) output_tokens: u64,
    /// Expected cost in nano-dollars.
    pub(super) cost_nanousd: i64,
    /// Low cost in nano-dollars.
    pub(super) low_nanousd: i64,
}

/// What the log knows of the tokens of one exchange.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    request_model: String,
    body_bytes: u64,
    usage: Usage,
}

impl Recorded {
    /// What the log knows of an exchange.
    pub(super) fn of(input: &ReplayInput) -> Self {
        Recorded {
            request_model: input.request_model.clone(),
            body_bytes: input.request_body.as_ref().map_or(0, |body| body.len() as u64),
            usage: Usage {
                input_tokens: count(input.input_tokens),
                output_tokens: count(input.output_tokens),
                cache_read_input_tokens: count(input.cache_read_input_tokens),
                cache_creation_input_tokens: count(input.cache_creation_input_tokens),
                reasoning_output_tokens: count(input.reasoning_output_tokens),
            },
        }
    }

    /// Whether input and output are known.
    pub(super) fn is_complete(&self) -> bool {
        self.usage.input_tokens.is_some() && self.usage.output_tokens.is_some()
    }
}

/// Means over the recorded usage of a capture.
#[derive(Debug, Default)]
pub(super) struct Typical {
    output_of: BTreeMap<String, Mean>,
    output: Mean,
    input: Mean,
}

/// A total over a count, or over bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Mean {
    total: u64,
    over: u64,
}

impl Mean {
    fn add(&mut self, total: u64, over: u64) {
        self.total = self.total.saturating_add(total);
        self.over = self.over.saturating_add(over);
    }

    /// `times` the mean, rounded up.
    fn times(self, times: u64) -> Option<u64> {
        let product = u128::from(self.total) * u128::from(times);
        let over = u128::from(self.over);
        (over > 0).then(|| u64::try_from(product.div_ceil(over)).unwrap_or(u64::MAX))
    }
}

impl Typical {
    /// Notes the usage of a recorded answer, as far as the log has it.
    pub(super) fn note(&mut self, recorded: &Recorded) {
        if let Some(tokens) = recorded.usage.output_tokens {
            self.output.add(tokens, 1);
            let of_model = self.output_of.entry(recorded.request_model.clone());
            of_model.or_default().add(tokens, 1);
        }
        if let Some(tokens) = recorded.usage.input_tokens
            && recorded.body_bytes > 0
        {
            self.input.add(tokens, recorded.body_bytes);
        }
    }

    fn input_tokens(&self, body_bytes: u64) -> u64 {
        self.input.times(body_bytes).unwrap_or(body_bytes.div_ceil(BYTES_PER_TOKEN))
    }

    fn output_tokens(&self, model: &str) -> Option<u64> {
        let of_model = self.output_of.get(model).and_then(|mean| mean.times(1));
        of_model.or_else(|| self.output.times(1))
    }
}

/// What an attempt can be expected to use and cost; without any usage in the whole log the output
/// is taken at its bound.
pub(super) fn estimate(
    recorded: &Recorded,
    typical: &Typical,
    price: &Price,
    bounds: Bounds,
) -> Estimate {
    let usage = recorded.usage;
    let input_tokens =
        usage.input_tokens.unwrap_or_else(|| typical.input_tokens(recorded.body_bytes));
    let output_tokens = usage
        .output_tokens
        .or_else(|| typical.output_tokens(&recorded.request_model))
        .unwrap_or(bounds.output);
    let input_tokens = input_tokens.min(bounds.input);
    let output_tokens = output_tokens.min(bounds.output);
    let as_recorded =
        Usage { input_tokens: Some(input_tokens), output_tokens: Some(output_tokens), ..usage };
    let plain = Usage {
        cache_read_input_tokens: None,
        cache_creation_input_tokens: None,
        reasoning_output_tokens: None,
        ..as_recorded
    };
    let cached = Usage {
        cache_read_input_tokens: Some(input_tokens),
        output_tokens: Some(output_tokens.div_ceil(2)),
        ..plain
    };
    // Parts that exceed what the bounds left of their whole say nothing any more.
    let cost = price.cost(&as_recorded).or_else(|_| price.cost(&plain));
    let cost_nanousd = cost.map_or(bounds.cost_nanousd, |amount| amount.0).min(bounds.cost_nanousd);
    let low_nanousd = price.cost(&cached).map_or(cost_nanousd, |amount| amount.0).min(cost_nanousd);
    Estimate { input_tokens, output_tokens, cost_nanousd, low_nanousd }
}

fn count(tokens: Option<i64>) -> Option<u64> {
    tokens.and_then(|tokens| u64::try_from(tokens).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { input: 10_000, output: 500, cost_nanousd: 1_000_000_000 };

    fn price() -> Price {
        let mut price = Price::from_plan("2 USD/1M", "10 USD/1M").unwrap();
        price.cache_read = "0.20 USD/1M".parse().ok();
        price
    }

    fn recorded(input: Option<i64>, output: Option<i64>) -> Recorded {
        Recorded::of(&ReplayInput {
            request_model: "m".to_owned(),
            request_body: Some("x".repeat(400)),
            input_tokens: input,
            output_tokens: output,
            ..ReplayInput::default()
        })
    }

    #[test]
    fn recorded_usage_is_priced_anew() {
        let found =
            estimate(&recorded(Some(1_000), Some(100)), &Typical::default(), &price(), BOUNDS);
        // 1,000 * 2 + 100 * 10 micro-dollars; low: 1,000 * 0.2 + 50 * 10.
        assert_eq!(found.cost_nanousd, 3_000_000);
        assert_eq!(found.low_nanousd, 700_000);
        let mut with_cache = recorded(Some(1_000), Some(100));
        with_cache.usage.cache_read_input_tokens = Some(500);
        let found = estimate(&with_cache, &Typical::default(), &price(), BOUNDS);
        assert_eq!(found.cost_nanousd, 2_100_000);
    }

    #[test]
    fn unknown_usage_follows_from_what_the_rest_of_the_log_knows() {
        let mut typical = Typical::default();
        typical.note(&recorded(Some(100), Some(30)));
        typical.note(&recorded(Some(300), Some(31)));
        let mut other = recorded(None, Some(300));
        other.request_model = "other".to_owned();
        typical.note(&other);
        // 400 tokens in 800 bytes; 61 output tokens in two answers of the model.
        let found = estimate(&recorded(None, None), &typical, &price(), BOUNDS);
        assert_eq!((found.input_tokens, found.output_tokens), (200, 31));
        let mut stranger = recorded(None, None);
        stranger.request_model = "stranger".to_owned();
        assert_eq!(estimate(&stranger, &typical, &price(), BOUNDS).output_tokens, 121);
        let nothing = estimate(&recorded(None, None), &Typical::default(), &price(), BOUNDS);
        assert_eq!((nothing.input_tokens, nothing.output_tokens), (100, 500));
    }

    #[test]
    fn no_expectation_exceeds_its_bound() {
        let tight = Bounds { input: 50, output: 10, cost_nanousd: 150_000 };
        let mut long = recorded(Some(1_000), Some(100));
        long.usage.reasoning_output_tokens = Some(90);
        let found = estimate(&long, &Typical::default(), &price(), tight);
        assert_eq!((found.input_tokens, found.output_tokens), (50, 10));
        assert_eq!(found.cost_nanousd, 150_000);
        assert!(found.low_nanousd <= found.cost_nanousd);
    }
}
