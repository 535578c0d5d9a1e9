//! The embedded simulated provider: both chat protocols over HTTP, with seeded latency, faults and
//! answers, and real rate limits.
//!
//! It stands in for a provider wherever none may be called: in tests, in demonstrations, and as a
//! server of its own. Its validators are as strict as the real ones, so that a faulty translation
//! is refused here and not in production; its log says what was planned for every request, so that
//! a client's measurements can be held to the truth.
//!
//! One port serves `POST …/chat/completions` (OpenAI) and `POST …/messages` (Anthropic) under any
//! prefix, and its own pages `GET /__sim/stats` (counts), `GET /__sim/log` (JSONL) and
//! `POST /__sim/reset`. Of an answer with several choices (`n`) each is drawn apart.
//!
//! What is drawn depends on the seed, the body and the header `x-rehearsal-draw` alone: the header
//! ends in the attempt's number, so that a retry draws anew, and the order of arrival changes
//! nothing. Rate limits are the exception: they are real and count what arrives.

mod answers;
mod anthropic;
mod body;
mod captured;
mod config;
mod dialect;
mod draw;
mod fault;
mod generate;
mod hint;
mod latency;
mod layout;
mod limiter;
mod log;
mod openai;
mod outage;
mod pieces;
mod plan;
mod recorded;
mod sample_json;
mod server;
mod socket;
mod tls;
pub mod traffic;
mod trouble;
mod validate;
mod validate_anthropic;
mod validate_openai;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub use answers::{AnswerOrigin, Answers};
pub use captured::CapturedAnswers;
pub use config::{ConfigError, ModelProfile, SimulatorConfig, TlsFiles, TokenModel};
pub use fault::{Fault, FaultModel};
pub use generate::{GeneratedAnswers, TokenLength};
pub use hint::RetryAfterHint;
pub use latency::{Delay, LatencyModel};
pub use limiter::RateLimits;
pub use log::{LogEntry, Outcome, Stats};
pub use outage::{OutageKind, OutageWindow};
pub use recorded::{AnswerMap, AnswersError, RecordedAnswer, RecordedAnswers};

use limiter::Limiter;
use log::RequestLog;
use outage::Outages;
use plan::Planner;
use server::{Manners, Shared, lock};

/// A running simulated provider. It ends when it is stopped or dropped.
#[derive(Debug)]
pub struct Simulator {
    addr: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

/// Why a simulated provider does not start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// A setting makes no sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Recorded answers cannot be used.
    #[error(transparent)]
    Answers(#[from] AnswersError),
    /// The request log cannot be opened.
    #[error("cannot open the simulator's request log {}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("cannot serve TLS with {}: {reason}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl Simulator {
    /// Starts serving on `addr`; port 0 takes a free one. Must be called inside a tokio runtime
    /// with time and I/O enabled.
    ///
    /// # Errors
    /// When a setting is out of range, a file cannot be read or opened, or the address is taken.
    pub async fn start(
        mut config: SimulatorConfig,
        addr: SocketAddr,
    ) -> Result<Self, SimulatorError> {
        config.check()?;
        let mut loaded = BTreeMap::new();
        config.answers.load(&mut loaded)?;
        for answers in config.model_overrides.values_mut().filter_map(|it| it.answers.as_mut()) {
            answers.load(&mut loaded)?;
        }
        let log = RequestLog::open(config.log, config.log_path.as_deref()).map_err(|source| {
            SimulatorError::Log { path: config.log_path.clone().unwrap_or_default(), source }
        })?;
        let listening = |source| SimulatorError::Listen { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(listening)?;
        let addr = listener.local_addr().map_err(listening)?;
        let tls = config.tls.as_ref().map(tls::server_config).transpose()?;
        let started = Instant::now();
        let outages = Outages::new(&config.outages, config.time_scale, started);
        let shared = Arc::new(Shared {
            manners: Manners::new(&config),
            planner: Planner::new(config),
            limiter: Mutex::new(Limiter::default()),
            outages: Mutex::new(outages),
            outage_nears: Notify::new(),
            log: Mutex::new(log),
            started,
            requests: AtomicU64::new(0),
            tls,
        });
        let server = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Simulator { addr, shared, server })
    }

    /// The address that is served.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Whether TLS is spoken.
    pub fn is_tls(&self) -> bool {
        self.shared.tls.is_some()
    }

    /// Every request so far, in the order of arrival; empty if the log is not kept in memory.
    pub fn log(&self) -> Vec<LogEntry> {
        lock(&self.shared.log).entries().to_vec()
    }

    /// Counts so far.
    pub fn stats(&self) -> Stats {
        lock(&self.shared.log).stats().clone()
    }

    /// Closes the port and every connection at once.
    pub async fn stop(mut self) {
        self.server.abort();
        // The only failure is the abort that was just asked for.
        let _ = (&mut self.server).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.server.abort();
    }
}
