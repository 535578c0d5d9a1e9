//! `rehearsal simulator`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::failure::Failure;
use super::print;
use crate::dataset::DatasetError;
use crate::simulator::{AnswerMap, Answers, OutageWindow, Simulator, SimulatorConfig, TlsFiles};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Serves OpenAI Chat Completions and Anthropic Messages on 127.0.0.1, with seeded latencies, faults \
and answers. Prints the address and serves until it is stopped.

Examples:
  rehearsal simulator --port 8080
  rehearsal simulator --port 0 --answers recorded.jsonl --time-scale 0.1
  rehearsal simulator --fault rate_limit=0.1 --fault reset=0.02
  rehearsal simulator --outage refused:30:60
  rehearsal simulator --tls-cert server.pem --tls-key server.key")]
pub(super) struct SimulatorArguments {
    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Settings of the simulation (TOML)
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Recorded answers (JSONL), instead of invented ones
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Serve recorded answers whole, even beyond a request's output cap
    #[arg(long)]
    ignore_output_cap: bool,
    /// Factor on every delay
    #[arg(long, value_name = "X")]
    time_scale: Option<f64>,
    /// Seed of every draw
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A share of requests that meet a fault, such as `black_hole=0.01`
    #[arg(long = "fault", value_name = "NAME=SHARE")]
    faults: Vec<String>,
    /// An outage (refused, server_error, unavailable, black_hole, reset), from when and how long
    #[arg(long = "outage", value_name = "KIND:FROM_S:FOR_S")]
    outages: Vec<String>,
    /// Certificate of a TLS server (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Append one JSON object per request to FILE
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

pub(super) async fn simulator(own: &SimulatorArguments) -> Result<u8, Failure> {
    let mut config = match &own.settings {
        None => SimulatorConfig::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|source| DatasetError::io("read", path, source))?;
            toml::from_str(&text)
                .map_err(|error| Failure::input(format!("{}: {error}", path.display())))?
        }
    };
    if let Some(path) = &own.answers {
        let answers = AnswerMap::load(path).map_err(|error| Failure::input(error.to_string()))?;
        config.answers = Answers::Recorded(answers.into());
    }
    config.ignore_output_cap |= own.ignore_output_cap;
    config.time_scale = own.time_scale.unwrap_or(config.time_scale);
    config.seed = own.seed.unwrap_or(config.seed);
    config.log_path = own.log.clone().or(config.log_path);
    for fault in &own.faults {
        config.faults = config.faults.with_share(fault).map_err(Failure::usage)?;
    }
    for outage in &own.outages {
        config.outages.push(outage_window(outage)?);
    }
    if let (Some(certificate), Some(key)) = (own.tls_cert.clone(), own.tls_key.clone()) {
        config.tls = Some(TlsFiles { certificate, key });
    }
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), own.port);
    let simulator = Simulator::start(config, address)
        .await
        .map_err(|error| Failure::input(error.to_string()))?;
    let scheme = if simulator.is_tls() { "https" } else { "http" };
    print(&format!("{scheme}://{}/v1\n", simulator.addr()))?;
    // Served until the process is ended by a signal.
    let _ = tokio::signal::ctrl_c().await;
    simulator.stop().await;
    Ok(0)
}

/// `KIND:FROM_S:FOR_S`, seconds from the start.
fn outage_window(text: &str) -> Result<OutageWindow, Failure> {
    let wrong = || {
        Failure::usage(format!("`{text}` is no outage"))
            .hint("write KIND:FROM_S:FOR_S, for instance `--outage refused:30:60`")
    };
    let mut parts = text.split(':');
    let (Some(kind), Some(from), Some(length), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let kind = serde_json::from_value(kind.into()).map_err(|_| wrong())?;
    let milliseconds = |text: &str| text.parse::<f64>().map(|seconds| seconds * 1000.0);
    Ok(OutageWindow {
        kind,
        after_requests: 0,
        from_ms: milliseconds(from).map_err(|_| wrong())?,
        for_ms: milliseconds(length).map_err(|_| wrong())?,
    })
}
