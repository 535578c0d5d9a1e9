//! `pace` and `warm_up`: when requests leave, as written and as meant.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::error::Problem;
use super::units;

/// Most steps of a ramp.
const MAX_STEPS: u32 = 1_000;

/// `pace = "closed"`, `{ open = … }`, `{ rate = … }`, `{ ramp = … }` or `{ peak = … }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a pace: \"closed\", { open = { speed = 1.0 } }, { rate = \"10/s\" }, \
                 { ramp = { from = \"2/s\", to = \"50/s\", steps = 10, step = \"30s\" } } or \
                 { peak = { factor = 1.5 } }"
)]
pub enum PaceFile {
    /// A word.
    Word(String),
    /// At the recorded times.
    Open {
        /// How much faster than recorded.
        open: OpenFile,
    },
    /// At a fixed rate.
    Rate {
        /// Such as `200/s` or `60/min`.
        rate: String,
    },
    /// At a rate that changes step by step.
    Ramp {
        /// From where to where.
        ramp: RampFile,
    },
    /// At the recorded times of the busiest hour, for the exchanges of that hour.
    Peak {
        /// How much faster than recorded.
        peak: PeakFile,
    },
}

/// `open = { … }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenFile {
    /// How much faster than recorded.
    pub speed: f64,
}

/// `ramp = { … }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RampFile {
    /// Rate of the first step, such as `2/s`.
    pub from: String,
    /// Rate of the last step, such as `50/s`.
    pub to: String,
    /// Number of steps.
    pub steps: u32,
    /// How long each step lasts, such as `30s`.
    pub step: String,
}

/// `peak = { … }`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeakFile {
    /// How much faster than recorded.
    pub factor: f64,
}

/// `warm_up = "30s"` or `warm_up = 100`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a duration such as \"30s\", or a number of requests per arm")]
pub enum WarmUpFile {
    /// Requests per arm.
    Requests(u64),
    /// A duration.
    Time(String),
}

/// When requests leave.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Closed loop: a request leaves when an earlier one has come back.
    Closed,
    /// Open loop: requests leave at the recorded times, this much faster.
    Open {
        /// How much faster than recorded.
        speed: f64,
    },
    /// Open loop at a fixed rate.
    Rate {
        /// Requests a second.
        per_second: f64,
    },
    /// Open loop at a rate that changes step by step.
    Ramp(Ramp),
    /// Open loop: the exchanges of the busiest hour of the capture, this much faster.
    Peak {
        /// How much faster than recorded.
        factor: f64,
    },
}

impl Pace {
    /// Whether requests leave when a schedule says so, whatever has come back.
    pub fn is_open(&self) -> bool {
        !matches!(self, Pace::Closed)
    }
}

/// A rate that changes step by step, evenly; the last step lasts until everything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ramp {
    /// Requests a second of the first step.
    pub from_per_second: f64,
    /// Requests a second of the last step.
    pub to_per_second: f64,
    /// Number of steps.
    pub steps: u32,
    /// How long each step lasts.
    pub step: Duration,
}

impl Ramp {
    /// Requests a second of a step, counted from 0; those after the last are as the last.
    pub fn rate(&self, step: u32) -> f64 {
        let last = self.steps.saturating_sub(1);
        if last == 0 {
            return self.to_per_second;
        }
        let share = f64::from(step.min(last)) / f64::from(last);
        self.from_per_second + (self.to_per_second - self.from_per_second) * share
    }
}

/// How much of a replay's beginning is not judged for latency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmUp {
    /// Exchanges that leave within this time of the beginning.
    Time(Duration),
    /// The first exchanges of each arm.
    Requests(u64),
}

pub(super) fn validate_pace(
    pace: Option<&Spanned<PaceFile>>,
    problems: &mut Vec<Problem>,
) -> Option<Pace> {
    let Some(spanned) = pace else { return Some(Pace::Closed) };
    match meant(spanned.get_ref()) {
        Ok(pace) => Some(pace),
        Err(refused) => {
            problems.push(Problem::at(spanned.span(), refused).with_help(
                "write `pace = \"closed\"`, `pace = { open = { speed = 1.0 } }`, \
                 `pace = { rate = \"10/s\" }`, `pace = { ramp = { from = \"2/s\", to = \"50/s\", \
                 steps = 10, step = \"30s\" } }` or `pace = { peak = { factor = 1.5 } }`",
            ));
            None
        }
    }
}

fn meant(pace: &PaceFile) -> Result<Pace, String> {
    let positive = |name: &str, value: f64| match value {
        value if value.is_finite() && value > 0.0 => Ok(value),
        _ => Err(format!("`{name}` must be more than 0")),
    };
    match pace {
        PaceFile::Word(word) if word == "closed" => Ok(Pace::Closed),
        PaceFile::Word(word) => Err(format!("`{word}` is not a pace")),
        PaceFile::Open { open } => Ok(Pace::Open { speed: positive("speed", open.speed)? }),
        PaceFile::Rate { rate } => Ok(Pace::Rate { per_second: units::rate_per_second(rate)? }),
        PaceFile::Peak { peak } => Ok(Pace::Peak { factor: positive("factor", peak.factor)? }),
        PaceFile::Ramp { ramp } => {
            let step = units::duration(&ramp.step)?;
            if step.is_zero() {
                return Err("`step` must be more than 0".to_owned());
            }
            if !(1..=MAX_STEPS).contains(&ramp.steps) {
                return Err(format!("`steps` must be between 1 and {MAX_STEPS}"));
            }
            Ok(Pace::Ramp(Ramp {
                from_per_second: units::rate_per_second(&ramp.from)?,
                to_per_second: units::rate_per_second(&ramp.to)?,
                steps: ramp.steps,
                step,
            }))
        }
    }
}

pub(super) fn validate_warm_up(
    warm_up: Option<&Spanned<WarmUpFile>>,
    problems: &mut Vec<Problem>,
) -> Option<WarmUp> {
    let spanned = warm_up?;
    match spanned.get_ref() {
        WarmUpFile::Requests(0) => None,
        WarmUpFile::Requests(count) => Some(WarmUp::Requests(*count)),
        WarmUpFile::Time(text) => match units::duration(text) {
            Ok(time) if time.is_zero() => None,
            Ok(time) => Some(WarmUp::Time(time)),
            Err(message) => {
                problems.push(Problem::at(spanned.span(), message).with_help(
                    "write a duration such as `\"30s\"`, or a number of requests per arm",
                ));
                None
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(text: &str) -> Result<Pace, String> {
        #[derive(Deserialize)]
        struct File {
            pace: PaceFile,
        }
        let file: File = toml::from_str(&format!("pace = {text}")).map_err(|e| e.to_string())?;
        meant(&file.pace)
    }

    #[test]
    fn a_ramp_rises_evenly_and_stays_at_its_last_rate() {
        let text = "{ ramp = { from = \"2/s\", to = \"50/s\", steps = 4, step = \"30s\" } }";
        let Ok(Pace::Ramp(ramp)) = pace(text) else { panic!("no ramp") };
        let rates: Vec<i64> = (0..6).map(|step| ramp.rate(step).round() as i64).collect();
        assert_eq!(rates, [2, 18, 34, 50, 50, 50]);
        assert_eq!(ramp.step, Duration::from_secs(30));
        let one = Ramp { steps: 1, ..ramp };
        assert_eq!(one.rate(0).round() as i64, 50);
    }

    #[test]
    fn a_pace_that_sends_nothing_or_never_is_refused() {
        for wrong in [
            "\"fast\"",
            "{ open = { speed = 0.0 } }",
            "{ rate = \"0/s\" }",
            "{ peak = { factor = -1.0 } }",
            "{ ramp = { from = \"1/s\", to = \"2/s\", steps = 0, step = \"1s\" } }",
            "{ ramp = { from = \"1/s\", to = \"2/s\", steps = 3, step = \"0s\" } }",
            "{ ramp = { from = \"1\", to = \"2/s\", steps = 3, step = \"1s\" } }",
        ] {
            assert!(pace(wrong).is_err(), "{wrong}");
        }
    }
}
