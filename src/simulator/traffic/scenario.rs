//! The demo's four scenarios: how the control and the candidate behave in each.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::TrafficConfig;
use super::sessions::MODELS;
use crate::simulator::{
    AnswerMap, Answers, CapturedAnswers, Delay, FaultModel, LatencyModel, ModelProfile,
    SimulatorConfig,
};

/// The candidate's model that takes the place of `gpt-4o-2024-05-13`.
pub const CANDIDATE_LARGE: &str = "next-large";
/// The candidate's model that takes the place of `gpt-4-turbo-2024-04-09`.
pub const CANDIDATE_SMALL: &str = "next-small";

/// How many tokens travel in one event, in the log's latency model as in the arms'.
pub(super) const TOKENS_PER_CHUNK: u32 = 8;

const TTFT_MEDIAN_MS: f64 = 350.0;
const TTFT_SIGMA: f64 = 0.35;
const TURBO_TTFT_FACTOR: f64 = 1.6;
const INTER_TOKEN_MS: f64 = 12.0;

/// What the candidate's times are of the incumbent's.
const CANDIDATE_FACTOR: f64 = 0.9;

/// Share of answers that differ from the recorded ones, in both arms: the noise of a model that
/// is asked twice.
const EDIT_RATE: f64 = 0.08;

/// The slow mode of the NO-GO candidate: its share and what it adds in milliseconds, so that the
/// 99th percentile of the answered requests (the upper quarter of the slow ones) is about 2.2
/// times the control's.
const SLOW_RATE: f64 = 0.04;
const SLOW_MS: f64 = 7_700.0;
const SERVER_ERROR_RATE: f64 = 0.02;

const OUTAGE_RATE: f64 = 0.3;

/// What the demo shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scenario {
    /// The candidate is a little faster, makes no errors, and differs from the recorded answers no
    /// more than the incumbent itself.
    Go,
    /// The candidate has a slow mode and errors.
    NoGo,
    /// The same candidate as in [`Scenario::Go`], seen in too few exchanges.
    Inconclusive,
    /// The candidate refuses a part of the requests, however often they are retried.
    Outage,
}

/// The name of no scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a scenario; known are go, no-go, inconclusive and outage")]
pub struct UnknownScenario;

impl Scenario {
    /// Every scenario.
    pub const ALL: [Scenario; 4] =
        [Scenario::Go, Scenario::NoGo, Scenario::Inconclusive, Scenario::Outage];

    /// The scenario's name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Scenario::Go => "go",
            Scenario::NoGo => "no-go",
            Scenario::Inconclusive => "inconclusive",
            Scenario::Outage => "outage",
        }
    }

    /// The traffic that the scenario needs.
    pub fn traffic(self, seed: u64) -> TrafficConfig {
        let whole = TrafficConfig { seed, ..TrafficConfig::default() };
        match self {
            Scenario::Inconclusive => TrafficConfig { exchanges: 240, sessions: 60, ..whole },
            Scenario::Go | Scenario::NoGo | Scenario::Outage => whole,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Scenario::ALL.into_iter().find(|it| it.as_str() == text).ok_or(UnknownScenario)
    }
}

/// The behaviour of each served model: the log's own names are the control,
/// [`CANDIDATE_LARGE`] and [`CANDIDATE_SMALL`] the candidate.
pub fn demo_profiles(scenario: Scenario, answers: &AnswerMap) -> BTreeMap<String, ModelProfile> {
    let profile = |latency, faults| ModelProfile {
        answers: Some(noisy(answers)),
        latency: Some(latency),
        faults: Some(faults),
        limits: None,
    };
    let candidates = [CANDIDATE_LARGE, CANDIDATE_SMALL];
    MODELS
        .into_iter()
        .zip(candidates)
        .flat_map(|((incumbent, _), candidate)| {
            let control = incumbent_latency(incumbent);
            let faster = scaled(control, CANDIDATE_FACTOR);
            [
                (incumbent.to_owned(), profile(control, FaultModel::default())),
                (candidate.to_owned(), profile(faster, candidate_faults(scenario))),
            ]
        })
        .collect()
}

/// The simulated provider that serves both arms of a scenario, with the log's seed and time scale.
pub fn demo_simulator(
    scenario: Scenario,
    config: &TrafficConfig,
    answers: &AnswerMap,
) -> SimulatorConfig {
    SimulatorConfig {
        seed: config.seed,
        time_scale: config.time_scale,
        answers: noisy(answers),
        model_overrides: demo_profiles(scenario, answers),
        ..SimulatorConfig::default()
    }
}

fn noisy(answers: &AnswerMap) -> Answers {
    let map = answers.clone();
    Answers::Captured(CapturedAnswers { map, edit_rate: EDIT_RATE, ..CapturedAnswers::default() })
}

fn candidate_faults(scenario: Scenario) -> FaultModel {
    match scenario {
        Scenario::Go | Scenario::Inconclusive => FaultModel::default(),
        Scenario::NoGo => FaultModel {
            stall_rate: SLOW_RATE,
            stall_ms: SLOW_MS,
            // Before the first piece, so that the time to first token shows the slow mode too.
            after_chunks: 0,
            server_error_rate: SERVER_ERROR_RATE,
            ..FaultModel::default()
        },
        Scenario::Outage => FaultModel { outage_rate: OUTAGE_RATE, ..FaultModel::default() },
    }
}

/// The latency of one of the incumbent's models, in the log as in the control arm.
pub(super) fn incumbent_latency(model: &str) -> LatencyModel {
    let factor = if model.starts_with("gpt-4-turbo") { TURBO_TTFT_FACTOR } else { 1.0 };
    LatencyModel {
        ttft: Delay::Lognormal { median_ms: TTFT_MEDIAN_MS * factor, sigma: TTFT_SIGMA },
        ttft_per_prompt_token_ms: 0.0,
        inter_token: Delay::Constant { value_ms: INTER_TOKEN_MS },
        tokens_per_chunk: TOKENS_PER_CHUNK,
    }
}

fn scaled(latency: LatencyModel, factor: f64) -> LatencyModel {
    let delay = |delay| match delay {
        Delay::Constant { value_ms } => Delay::Constant { value_ms: value_ms * factor },
        Delay::Lognormal { median_ms, sigma } => {
            Delay::Lognormal { median_ms: median_ms * factor, sigma }
        }
    };
    LatencyModel { ttft: delay(latency.ttft), inter_token: delay(latency.inter_token), ..latency }
}
