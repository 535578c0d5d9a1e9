//! The simulated provider's configuration, as a program builds it or a file holds it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::answers::Answers;
use super::fault::FaultModel;
use super::latency::LatencyModel;
use super::limiter::RateLimits;
use super::outage::OutageWindow;

/// Everything that decides how the simulated provider behaves.
///
/// The default answers every valid request with generated text, at plausible speed, without
/// faults or limits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a settings file")]
pub struct SimulatorConfig {
    /// The seed of every draw.
    pub seed: u64,
    /// What is answered.
    pub answers: Answers,
    /// How long it takes.
    pub latency: LatencyModel,
    /// What goes wrong.
    pub faults: FaultModel,
    /// When nobody is served, from when to when.
    pub outages: Vec<OutageWindow>,
    /// How many requests and tokens a minute each model takes.
    pub limits: RateLimits,
    /// Every delay is multiplied by this, waits named in 429 answers and the limiter's minute
    /// included; 0 answers at once and never limits.
    pub time_scale: f64,
    /// Behaviour of single models, by the exact name in the request.
    pub model_overrides: BTreeMap<String, ModelProfile>,
    /// How tokens are counted.
    pub token_model: TokenModel,
    /// Whether requests without `Authorization`, `x-api-key` or `api-key` are answered 401.
    pub require_auth: bool,
    /// Whether top-level fields that the protocol does not have are let through instead of being
    /// answered 400.
    pub allow_unknown_fields: bool,
    /// Whether answers longer than the request's output cap are sent whole instead of being cut
    /// with finish reason `length`.
    pub ignore_output_cap: bool,
    /// How long an idle connection is kept, in milliseconds whatever `time_scale` says; absent:
    /// for ever.
    pub keep_alive_ms: Option<f64>,
    /// Certificate and key, both PEM files; absent: no TLS. With TLS, HTTP/2 is spoken with
    /// clients that offer it.
    pub tls: Option<TlsFiles>,
    /// How many requests an HTTP/2 connection carries before it says GOAWAY; absent: any number.
    pub goaway_after: Option<u64>,
    /// Whether the request log is kept in memory.
    pub log: bool,
    /// A file to which each entry is appended as one line of JSON when its request arrives.
    pub log_path: Option<PathBuf>,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        SimulatorConfig {
            seed: 1,
            answers: Answers::default(),
            latency: LatencyModel::default(),
            faults: FaultModel::default(),
            outages: Vec::new(),
            limits: RateLimits::default(),
            time_scale: 1.0,
            model_overrides: BTreeMap::new(),
            token_model: TokenModel::default(),
            require_auth: false,
            allow_unknown_fields: false,
            ignore_output_cap: false,
            keep_alive_ms: None,
            tls: None,
            goaway_after: None,
            log: true,
            log_path: None,
        }
    }
}

/// The files of a TLS server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate, with those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What differs for one model; what is absent is as for every other.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelProfile {
    /// What is answered.
    pub answers: Option<Answers>,
    /// How long it takes.
    pub latency: Option<LatencyModel>,
    /// What goes wrong.
    pub faults: Option<FaultModel>,
    /// How much a minute it takes.
    pub limits: Option<RateLimits>,
}

/// How tokens are counted where no recording says: `ceil(UTF-8 bytes / bytes_per_token)`.
///
/// Four bytes a token is the usual rule of thumb for English; it is an estimate, never a
/// tokenizer. The prompt's bytes are those of all message text, tool calls, tool results and tool
/// definitions; pictures count nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenModel {
    /// Bytes that make one token.
    pub bytes_per_token: u32,
}

impl Default for TokenModel {
    fn default() -> Self {
        TokenModel { bytes_per_token: 4 }
    }
}

impl TokenModel {
    /// The tokens that `bytes` bytes of text count for.
    pub fn tokens(self, bytes: usize) -> u64 {
        (bytes as u64).div_ceil(u64::from(self.bytes_per_token.max(1)))
    }
}

/// A setting that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("simulator setting `{name}` {problem}")]
pub struct ConfigError {
    /// The setting, with its section.
    pub name: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl SimulatorConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// Names the first setting that is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_non_negative("time_scale", self.time_scale)?;
        if self.token_model.bytes_per_token == 0 {
            let name = "token_model.bytes_per_token".to_owned();
            return Err(ConfigError { name, problem: "must be at least 1" });
        }
        self.answers.check("answers")?;
        self.latency.check("latency")?;
        self.faults.check("faults")?;
        self.limits.check("limits")?;
        check_non_negative("keep_alive_ms", self.keep_alive_ms.unwrap_or(0.0))?;
        for (index, window) in self.outages.iter().enumerate() {
            window.check(&format!("outages[{index}]"))?;
        }
        for (model, profile) in &self.model_overrides {
            let prefix = format!("model_overrides.{model}");
            profile.answers.as_ref().map_or(Ok(()), |it| it.check(&format!("{prefix}.answers")))?;
            profile.latency.map_or(Ok(()), |it| it.check(&format!("{prefix}.latency")))?;
            profile.faults.map_or(Ok(()), |it| it.check(&format!("{prefix}.faults")))?;
            profile.limits.map_or(Ok(()), |it| it.check(&format!("{prefix}.limits")))?;
        }
        Ok(())
    }
}

pub(super) fn check_non_negative(name: &str, value: f64) -> Result<(), ConfigError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(ConfigError { name: name.to_owned(), problem: "must be a number that is not negative" })
}

pub(super) fn check_rates(name: &str, rates: &[f64]) -> Result<(), ConfigError> {
    let in_range = rates.iter().all(|rate| (0.0..=1.0).contains(rate));
    // The allowance is for shares such as 0.7 + 0.2 + 0.1, which add up to a little over 1.
    if in_range && rates.iter().sum::<f64>() <= 1.0 + 1e-9 {
        return Ok(());
    }
    let problem = "must hold shares from 0 to 1 that add up to 1 at most";
    Err(ConfigError { name: name.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::Delay;

    const FILE: &str = r#"
        seed = 7
        time_scale = 0.1
        [answers]
        kind = "captured"
        file = "answers.jsonl"
        edit_rate = 0.05
        [latency]
        ttft = { kind = "lognormal", median_ms = 300, sigma = 0.4 }
        inter_token = { kind = "constant", value_ms = 8.5 }
        [faults]
        server_error_rate = 0.01
        [model_overrides.next-large.faults]
        outage_rate = 1.0
    "#;

    #[test]
    fn a_file_names_only_what_differs_from_the_default() {
        let config: SimulatorConfig = toml::from_str(FILE).expect("must parse");
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.latency.inter_token, Delay::Constant { value_ms: 8.5 });
        assert_eq!(config.latency.tokens_per_chunk, 1);
        let profile = config.model_overrides.get("next-large").expect("must be there");
        assert_eq!(profile.faults.map(|faults| faults.outage_rate), Some(1.0));
    }

    #[test]
    fn a_configuration_survives_being_written_and_read() {
        let config: SimulatorConfig = toml::from_str(FILE).expect("must parse");
        let text = serde_json::to_string(&config).expect("must be written");
        let again: SimulatorConfig = serde_json::from_str(&text).expect("must be read");
        assert_eq!(serde_json::to_string(&again).expect("must be written"), text);
    }

    #[test]
    fn an_unknown_setting_is_refused_at_every_level() {
        for text in [
            "sede = 1",
            "[latency]\nttft_ms = 3",
            "[faults]\nfoo = 1",
            "[latency]\nttft = { kind = \"constant\", value_ms = 1, sigma = 2 }",
            "[answers]\nkind = \"generated\"\nedit_rate = 0.1",
        ] {
            assert!(toml::from_str::<SimulatorConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_override_is_checked_under_its_model_name() {
        let text = "[model_overrides.m.faults]\ncut_rate = 2.0";
        let config: SimulatorConfig = toml::from_str(text).expect("must parse");
        let error = config.check().expect_err("must be refused");
        assert_eq!(error.name, "model_overrides.m.faults");
    }
}
