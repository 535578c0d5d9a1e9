//! The price of one model and the cost of a request.

use crate::chat::Usage;

use super::error::PriceError;
use super::money::NanoUsd;
use super::rate::UsdPerToken;

/// Units of 10^-24 dollars in a nano-dollar.
const UNITS_PER_NANO: i128 = 1_000_000_000_000_000;

/// Rates that hold for the whole request once its input exceeds a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The tier holds for requests with more input tokens than this (cached ones included).
    pub above_input_tokens: u64,
    /// Rate of input tokens; absent: as below the threshold.
    pub input: Option<UsdPerToken>,
    /// Rate of output tokens; absent: as below the threshold.
    pub output: Option<UsdPerToken>,
    /// Rate of input tokens read from the cache; absent: as below the threshold.
    pub cache_read: Option<UsdPerToken>,
    /// Rate of input tokens written to the cache; absent: as below the threshold.
    pub cache_write: Option<UsdPerToken>,
    /// Dearest rate of cache writes that live long; absent: as below the threshold.
    pub cache_write_long: Option<UsdPerToken>,
}

/// The list price of one model, with where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// Rate of input tokens.
    pub input: UsdPerToken,
    /// Rate of output tokens.
    pub output: UsdPerToken,
    /// Rate of input tokens read from the prompt cache; absent: billed as other input.
    pub cache_read: Option<UsdPerToken>,
    /// Rate of input tokens written to the prompt cache; absent: billed as other input.
    pub cache_write: Option<UsdPerToken>,
    /// Dearest rate of cache writes that live for an hour or more; the usage does not tell them
    /// apart, so it only raises the worst case.
    pub cache_write_long: Option<UsdPerToken>,
    /// Rate of reasoning tokens; absent: billed as other output.
    pub reasoning: Option<UsdPerToken>,
    /// Higher rates for long inputs, ascending by threshold.
    pub tiers: Vec<Tier>,
    /// The most output tokens that the model writes.
    pub max_output_tokens: Option<u64>,
    /// Whether the model takes temperature and top-p; true where the source does not say.
    pub supports_sampling_params: bool,
    /// The day on which the provider retires the model, as `YYYY-MM-DD`.
    pub deprecation_date: Option<String>,
    /// Where the price was read: a catalogue and its version, or the plan.
    pub source: String,
    /// The key of the catalogue that matched.
    pub key: String,
    /// The day of the catalogue, as `YYYY-MM-DD`; empty for prices of the plan.
    pub as_of: String,
}

/// The rates that one request is billed at.
#[derive(Clone, Copy)]
struct Rates {
    input: UsdPerToken,
    output: UsdPerToken,
    cache_read: UsdPerToken,
    cache_write: UsdPerToken,
    cache_write_long: UsdPerToken,
    reasoning: UsdPerToken,
}

impl Price {
    /// A price that the plan states, such as `"0.50 USD/1M"` for input and output. Cached and
    /// reasoning tokens cost as much as others; set the fields to say otherwise.
    pub fn from_plan(input: &str, output: &str) -> Result<Self, PriceError> {
        Ok(Self {
            input: input.parse()?,
            output: output.parse()?,
            cache_read: None,
            cache_write: None,
            cache_write_long: None,
            reasoning: None,
            tiers: Vec::new(),
            max_output_tokens: None,
            supports_sampling_params: true,
            deprecation_date: None,
            source: "plan".to_owned(),
            key: String::new(),
            as_of: String::new(),
        })
    }

    /// Everything that a cost follows from, as one line: two prices with the same line cost the same.
    pub fn rates_line(&self) -> String {
        let mut parts = vec![format!("input {}", self.input), format!("output {}", self.output)];
        let mut put = |name: &str, rate: Option<UsdPerToken>| {
            parts.extend(rate.map(|rate| format!("{name} {rate}")));
        };
        put("cache read", self.cache_read);
        put("cache write", self.cache_write);
        put("long cache write", self.cache_write_long);
        put("reasoning", self.reasoning);
        for tier in &self.tiers {
            let above = format!("above {} input tokens", tier.above_input_tokens);
            put(&format!("{above}: input"), tier.input);
            put(&format!("{above}: output"), tier.output);
            put(&format!("{above}: cache read"), tier.cache_read);
            put(&format!("{above}: cache write"), tier.cache_write);
            put(&format!("{above}: long cache write"), tier.cache_write_long);
        }
        parts.join(", ")
    }

    /// The cost of one attempt, rounded half up to whole nano-dollars, once.
    ///
    /// Input and output tokens must be known. A share that is not reported (cache reads, cache
    /// writes, reasoning) is billed with its whole: providers report shares that they bill
    /// apart.
    pub fn cost(&self, usage: &Usage) -> Result<NanoUsd, PriceError> {
        let input = usage.input_tokens.ok_or(PriceError::UnknownUsage("input_tokens"))?;
        let output = usage.output_tokens.ok_or(PriceError::UnknownUsage("output_tokens"))?;
        let read = usage.cache_read_input_tokens.unwrap_or(0);
        let written = usage.cache_creation_input_tokens.unwrap_or(0);
        let reasoning = usage.reasoning_output_tokens.unwrap_or(0);
        let cached = read.checked_add(written).ok_or(PriceError::Overflow)?;
        let fresh = input.checked_sub(cached).ok_or(PriceError::InconsistentUsage {
            part: "cached input tokens",
            whole: "input_tokens",
        })?;
        let visible = output.checked_sub(reasoning).ok_or(PriceError::InconsistentUsage {
            part: "reasoning_output_tokens",
            whole: "output_tokens",
        })?;
        let rates = self.rates_at(input);
        let units = total(&[
            (rates.input, fresh),
            (rates.cache_read, read),
            (rates.cache_write, written),
            (rates.output, visible),
            (rates.reasoning, reasoning),
        ])?;
        to_nano_usd(units.checked_add(UNITS_PER_NANO / 2).ok_or(PriceError::Overflow)?)
    }

    /// The most that a request can cost whose input and output are bounded, rounded up: every
    /// token at the dearest rate that could apply to it.
    pub fn worst_case(
        &self,
        input_tokens_at_most: u64,
        output_tokens_at_most: u64,
    ) -> Result<NanoUsd, PriceError> {
        let reachable = self
            .tiers
            .iter()
            .map(|tier| tier.above_input_tokens)
            .filter(|threshold| *threshold < input_tokens_at_most)
            .map(|threshold| threshold.saturating_add(1));
        let mut dearest_input = UsdPerToken::FREE;
        let mut dearest_output = UsdPerToken::FREE;
        for input in std::iter::once(0).chain(reachable) {
            let rates = self.rates_at(input);
            dearest_input = dearest_input
                .max(rates.input)
                .max(rates.cache_read)
                .max(rates.cache_write)
                .max(rates.cache_write_long);
            dearest_output = dearest_output.max(rates.output).max(rates.reasoning);
        }
        let units = total(&[
            (dearest_input, input_tokens_at_most),
            (dearest_output, output_tokens_at_most),
        ])?;
        to_nano_usd(units.checked_add(UNITS_PER_NANO - 1).ok_or(PriceError::Overflow)?)
    }

    /// The rates for a request with this many input tokens: the highest tier that it exceeds.
    fn rates_at(&self, input_tokens: u64) -> Rates {
        let tier = self
            .tiers
            .iter()
            .filter(|tier| input_tokens > tier.above_input_tokens)
            .max_by_key(|tier| tier.above_input_tokens);
        let input = tier.and_then(|t| t.input).unwrap_or(self.input);
        let output = tier.and_then(|t| t.output).unwrap_or(self.output);
        Rates {
            input,
            output,
            cache_read: tier.and_then(|t| t.cache_read).or(self.cache_read).unwrap_or(input),
            cache_write: tier.and_then(|t| t.cache_write).or(self.cache_write).unwrap_or(input),
            cache_write_long: tier
                .and_then(|t| t.cache_write_long)
                .or(self.cache_write_long)
                .unwrap_or(input),
            reasoning: self.reasoning.map_or(output, |rate| rate.max(raised(tier, rate))),
        }
    }
}

/// Reasoning is billed as output: where a tier raises the output rate, it raises this one too.
fn raised(tier: Option<&Tier>, base: UsdPerToken) -> UsdPerToken {
    tier.and_then(|t| t.output).unwrap_or(base)
}

fn total(parts: &[(UsdPerToken, u64)]) -> Result<i128, PriceError> {
    parts.iter().try_fold(0_i128, |sum, (rate, tokens)| {
        sum.checked_add(rate.times(*tokens)?).ok_or(PriceError::Overflow)
    })
}

fn to_nano_usd(units: i128) -> Result<NanoUsd, PriceError> {
    i64::try_from(units / UNITS_PER_NANO).map(NanoUsd).map_err(|_| PriceError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, output: u64) -> Usage {
        Usage { input_tokens: Some(input), output_tokens: Some(output), ..Usage::default() }
    }

    #[test]
    fn a_request_costs_its_tokens_times_their_rates() {
        // 1,234 * 0.50 + 567 * 1.50 per million = 617.0 + 850.5 micro-dollars = 1,467,500 nano.
        let price = Price::from_plan("0.50 USD/1M", "1.50 USD/1M").unwrap();
        assert_eq!(price.cost(&usage(1234, 567)), Ok(NanoUsd(1_467_500)));
    }

    #[test]
    fn cached_and_reasoning_tokens_are_parts_not_additions() {
        let mut price = Price::from_plan("3 USD/1M", "15 USD/1M").unwrap();
        price.cache_read = "0.30 USD/1M".parse().ok();
        price.cache_write = "3.75 USD/1M".parse().ok();
        price.reasoning = "20 USD/1M".parse().ok();
        let usage = Usage {
            input_tokens: Some(1000),
            output_tokens: Some(100),
            cache_read_input_tokens: Some(600),
            cache_creation_input_tokens: Some(300),
            reasoning_output_tokens: Some(40),
        };
        // 100*3 + 600*0.3 + 300*3.75 + 60*15 + 40*20 = 300+180+1125+900+800 micro-dollars.
        assert_eq!(price.cost(&usage), Ok(NanoUsd(3_305_000)));
    }

    #[test]
    fn half_a_nano_dollar_is_rounded_up_once_per_request() {
        // 0.0005 USD per million tokens: one token costs half a nano-dollar.
        let price = Price::from_plan("0.0005 USD/1M", "0 USD/1M").unwrap();
        assert_eq!(price.cost(&usage(1, 0)), Ok(NanoUsd(1)));
        assert_eq!(price.cost(&usage(3, 0)), Ok(NanoUsd(2)));
        assert_eq!(price.cost(&usage(4, 0)), Ok(NanoUsd(2)));
    }

    #[test]
    fn ten_thousand_requests_add_up_to_the_exact_bill() {
        // 10,000 * (137 * 0.15 + 89 * 0.60) per million = 10,000 * 73.95 micro-dollars.
        let price = Price::from_plan("0.15 USD/1M", "0.60 USD/1M").unwrap();
        let costs = (0..10_000).map(|_| price.cost(&usage(137, 89)).unwrap());
        assert_eq!(NanoUsd::checked_sum(costs), Ok(NanoUsd(739_500_000)));
    }

    #[test]
    fn a_long_input_takes_all_tokens_of_the_request_to_the_higher_rate() {
        let mut price = Price::from_plan("1.25 USD/1M", "10 USD/1M").unwrap();
        price.cache_read = "0.125 USD/1M".parse().ok();
        price.tiers = vec![Tier {
            above_input_tokens: 200_000,
            input: "2.50 USD/1M".parse().ok(),
            output: "15 USD/1M".parse().ok(),
            cache_read: None,
            cache_write: None,
            cache_write_long: None,
        }];
        // 200,000 * 1.25 + 1,000 * 10 = 260,000 micro-dollars; one token more doubles the input.
        assert_eq!(price.cost(&usage(200_000, 1000)), Ok(NanoUsd(260_000_000)));
        assert_eq!(price.cost(&usage(200_001, 1000)), Ok(NanoUsd(515_002_500)));
        let cached = Usage { cache_read_input_tokens: Some(200_001), ..usage(200_001, 0) };
        assert_eq!(price.cost(&cached), Ok(NanoUsd(25_000_125)));
        assert_eq!(price.worst_case(200_000, 1000), Ok(NanoUsd(260_000_000)));
        assert_eq!(price.worst_case(200_001, 1000), Ok(NanoUsd(515_002_500)));
    }

    #[test]
    fn the_worst_case_is_never_below_a_cost_within_its_bounds() {
        let mut price = Price::from_plan("3 USD/1M", "15 USD/1M").unwrap();
        price.cache_write = "3.75 USD/1M".parse().ok();
        price.cache_write_long = "6 USD/1M".parse().ok();
        let worst = price.worst_case(1000, 100).unwrap();
        assert_eq!(worst, NanoUsd(7_500_000));
        let written = Usage { cache_creation_input_tokens: Some(1000), ..usage(1000, 100) };
        assert!(price.cost(&written).unwrap() <= worst);
    }

    #[test]
    fn unknown_tokens_have_no_cost_and_contradictions_are_refused() {
        let price = Price::from_plan("1 USD/1M", "1 USD/1M").unwrap();
        assert_eq!(
            price.cost(&Usage { output_tokens: Some(1), ..Usage::default() }),
            Err(PriceError::UnknownUsage("input_tokens"))
        );
        assert_eq!(
            price.cost(&Usage { input_tokens: Some(1), ..Usage::default() }),
            Err(PriceError::UnknownUsage("output_tokens"))
        );
        let contradiction = Usage { cache_read_input_tokens: Some(11), ..usage(10, 0) };
        assert!(matches!(price.cost(&contradiction), Err(PriceError::InconsistentUsage { .. })));
        assert_eq!(price.cost(&usage(u64::MAX, 0)), Err(PriceError::Overflow));
    }
}
