//! When the pieces of an answer leave: time to first token, gaps between tokens.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::config::{ConfigError, check_non_negative};
use super::draw::{Draws, standard_normal};

/// A distribution of a duration in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delay {
    /// Always the same duration.
    Constant {
        /// The duration in milliseconds.
        value_ms: f64,
    },
    /// `median_ms * exp(sigma * Z)` with Z standard normal.
    Lognormal {
        /// The median in milliseconds.
        median_ms: f64,
        /// The standard deviation of the logarithm; 0 is the constant `median_ms`.
        sigma: f64,
    },
}

impl Delay {
    /// One draw in milliseconds.
    fn draw_ms(self, rng: &mut ChaCha8Rng) -> f64 {
        match self {
            Delay::Constant { value_ms } => value_ms,
            Delay::Lognormal { median_ms, sigma } => lognormal(median_ms, sigma, rng),
        }
    }

    fn check(self, name: &str) -> Result<(), ConfigError> {
        match self {
            Delay::Constant { value_ms } => check_non_negative(name, value_ms),
            Delay::Lognormal { median_ms, sigma } => {
                check_non_negative(name, median_ms)?;
                check_non_negative(name, sigma)
            }
        }
    }
}

/// `median * exp(sigma * Z)`: the lognormal distribution by its median.
pub(super) fn lognormal(median: f64, sigma: f64, rng: &mut ChaCha8Rng) -> f64 {
    median * (sigma * standard_normal(rng)).exp()
}

/// How long answers take, before the configuration's `time_scale`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LatencyModel {
    /// Time to first token.
    pub ttft: Delay,
    /// What each prompt token adds to the time to first token, in milliseconds.
    pub ttft_per_prompt_token_ms: f64,
    /// Time between two tokens.
    pub inter_token: Delay,
    /// How many tokens travel in one event.
    pub tokens_per_chunk: u32,
}

impl Default for LatencyModel {
    fn default() -> Self {
        LatencyModel {
            ttft: Delay::Lognormal { median_ms: 400.0, sigma: 0.35 },
            ttft_per_prompt_token_ms: 0.0,
            inter_token: Delay::Lognormal { median_ms: 12.0, sigma: 0.3 },
            tokens_per_chunk: 1,
        }
    }
}

impl LatencyModel {
    /// A model in which nothing takes any time.
    pub fn instant() -> Self {
        let none = Delay::Constant { value_ms: 0.0 };
        LatencyModel { ttft: none, inter_token: none, ..LatencyModel::default() }
    }

    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        self.ttft.check(&format!("{prefix}.ttft"))?;
        self.inter_token.check(&format!("{prefix}.inter_token"))?;
        let name = format!("{prefix}.ttft_per_prompt_token_ms");
        check_non_negative(&name, self.ttft_per_prompt_token_ms)?;
        if self.tokens_per_chunk == 0 {
            let name = format!("{prefix}.tokens_per_chunk");
            return Err(ConfigError { name, problem: "must be at least 1" });
        }
        Ok(())
    }

    /// The drawn time to first token in milliseconds.
    pub(super) fn ttft_ms(&self, draws: &Draws, prompt_tokens: u64) -> f64 {
        let base_ms = self.ttft.draw_ms(&mut draws.rng("ttft"));
        base_ms + self.ttft_per_prompt_token_ms * prompt_tokens as f64
    }

    /// The offsets in milliseconds at which `chunks` pieces leave. A recorded `ttft_ms` or
    /// `latency_ms` takes the place of what would be drawn; between the two, pieces are spread
    /// evenly.
    pub(super) fn offsets_ms(
        &self,
        draws: &Draws,
        chunks: usize,
        prompt_tokens: u64,
        recorded: RecordedTiming,
    ) -> Vec<f64> {
        let drawn_ms = || self.ttft_ms(draws, prompt_tokens);
        let mut ttft_ms = recorded.ttft_ms.unwrap_or_else(drawn_ms).max(0.0);
        if let Some(latency_ms) = recorded.latency_ms {
            let latency_ms = latency_ms.max(0.0);
            ttft_ms = ttft_ms.min(latency_ms);
            let gaps = chunks.saturating_sub(1).max(1) as f64;
            let step_ms = (latency_ms - ttft_ms) / gaps;
            return (0..chunks).map(|index| ttft_ms + step_ms * index as f64).collect();
        }
        let mut rng = draws.rng("inter_token");
        let tokens = f64::from(self.tokens_per_chunk);
        let mut at_ms = ttft_ms;
        (0..chunks)
            .map(|index| {
                if index > 0 {
                    at_ms += tokens * self.inter_token.draw_ms(&mut rng);
                }
                at_ms
            })
            .collect()
    }
}

/// What a recorded answer says about its own timing, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct RecordedTiming {
    /// Time to first token.
    pub(super) ttft_ms: Option<f64>,
    /// Time to the last token.
    pub(super) latency_ms: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> LatencyModel {
        LatencyModel {
            ttft: Delay::Constant { value_ms: 100.0 },
            ttft_per_prompt_token_ms: 0.5,
            inter_token: Delay::Constant { value_ms: 10.0 },
            tokens_per_chunk: 2,
        }
    }

    #[test]
    fn constants_give_the_offsets_that_arithmetic_gives() {
        let draws = Draws::new(1, b"x", None);
        let offsets = model().offsets_ms(&draws, 3, 8, RecordedTiming::default());
        // 100 + 0.5 * 8, then 2 tokens of 10 ms each.
        assert_eq!(offsets, [104.0, 124.0, 144.0]);
    }

    #[test]
    fn recorded_times_replace_the_model_and_spread_the_pieces_evenly() {
        let draws = Draws::new(1, b"x", None);
        let recorded = RecordedTiming { ttft_ms: Some(50.0), latency_ms: Some(90.0) };
        assert_eq!(model().offsets_ms(&draws, 3, 8, recorded), [50.0, 70.0, 90.0]);
        let latency_only = RecordedTiming { ttft_ms: None, latency_ms: Some(60.0) };
        assert_eq!(model().offsets_ms(&draws, 2, 8, latency_only), [60.0, 60.0]);
    }

    #[test]
    fn half_of_lognormal_draws_lie_below_the_median() {
        let delay = Delay::Lognormal { median_ms: 200.0, sigma: 0.5 };
        let below = (0..4000_u32)
            .filter(|index| {
                let draws = Draws::new(3, &index.to_le_bytes(), None);
                delay.draw_ms(&mut draws.rng("ttft")) < 200.0
            })
            .count();
        // Binomial(4000, 1/2) has standard deviation 31.6; five of them either way.
        assert!((1842..=2158).contains(&below), "{below}");
    }

    #[test]
    fn a_negative_delay_is_refused_by_name() {
        let mut wrong = model();
        wrong.ttft = Delay::Constant { value_ms: -1.0 };
        let error = wrong.check("latency").expect_err("must be refused");
        assert!(error.to_string().contains("latency.ttft"), "{error}");
    }
}
