//! The only socket of this program: sends one attempt and times it.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper_util::client::legacy::connect::HttpInfo;
use tokio::time::timeout_at;

use super::ReplayError;
use super::clock::ms;
use super::secret::Secret;
use super::transport::http_client;
use super::walls::Guard;
use crate::chat::{ChatResponse, ErrorClass};
use crate::plan::{Arm, Timeouts};
use crate::provider::{self, Decoder, Protocol, WireRequest};

/// Most bytes of an answer that are read.
const MAX_BODY_BYTES: usize = 32 << 20;

/// Most events with output that an answer may have.
const MAX_EVENTS: usize = 200_000;

/// Most bytes of an error body that are looked at.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// The HTTP client of one arm. The key lives in its default headers and nowhere else.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    key: Option<Secret>,
    guard: Guard,
    protocol: Protocol,
    base_url: String,
    timeouts: Timeouts,
    keep_event_offsets: bool,
    /// Local addresses of connections that have been used.
    seen_connections: Arc<Mutex<HashSet<SocketAddr>>>,
}

/// Why an arm's address does not answer.
#[derive(Debug)]
pub(super) enum Unreachable {
    /// Its name leads to where nothing is ever sent.
    Forbidden(String),
    /// Its certificate is not to be trusted.
    Untrusted(String),
    /// No connection came about.
    NobodyThere(String),
}

/// What one attempt brought, with its times.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// The moment of sending; absent when the request never left.
    pub sent: Option<Instant>,
    /// From sending to the end.
    pub latency: Duration,
    /// The moment at which the protocol's own end of the answer arrived.
    pub finished: Option<Instant>,
    /// To the first byte of the body.
    pub first_byte: Option<Duration>,
    /// To each event with output.
    pub events: Vec<Duration>,
    /// To the first event with output other than reasoning.
    pub first_answer: Option<Duration>,
    /// Time spent in this program between sending and the end.
    pub overhead: Duration,
    /// Whether no connection came about, so that nothing can have been sent.
    pub never_connected: bool,
    /// HTTP status.
    pub status: Option<u16>,
    /// What went wrong.
    pub error: Option<(ErrorClass, String)>,
    /// How long the provider asks to wait.
    pub retry_after_ms: Option<u64>,
    /// The answer, as far as it came.
    pub response: ChatResponse,
    /// The provider's identifier of the request.
    pub provider_request_id: Option<String>,
    /// Whether an open connection was used again.
    pub connection_reused: Option<bool>,
}

impl Client {
    /// Builds the client of an arm; `key` is its secret, if it needs one, and `folder` that to
    /// which files of the plan are relative.
    ///
    /// # Errors
    /// As [`http_client`].
    pub(super) fn new(
        arm: &Arm,
        key: Option<Secret>,
        timeouts: Timeouts,
        keep_event_offsets: bool,
        folder: &Path,
    ) -> Result<Self, ReplayError> {
        let guard = Guard::new();
        let http = http_client(arm, key.as_ref(), timeouts, folder, &guard)?;
        Ok(Client {
            http,
            key,
            guard,
            protocol: arm.protocol,
            base_url: arm.base_url.clone(),
            timeouts,
            keep_event_offsets,
            seen_connections: Arc::default(),
        })
    }

    /// Whether the address answers at all; asks for nothing that costs money.
    ///
    /// # Errors
    /// The reason why no connection came about.
    pub(super) async fn reachable(&self) -> Result<(), Unreachable> {
        let request = self.http.head(&self.base_url).timeout(self.timeouts.connect * 2);
        match request.send().await {
            Ok(_) => Ok(()),
            // An answer that breaks off shows that somebody is there.
            Err(failure) if !failure.is_connect() && !failure.is_timeout() => Ok(()),
            Err(failure) => Err(match (self.guard.refused(), classify_transport(&failure)) {
                (Some(refused), _) => Unreachable::Forbidden(refused),
                (None, (ErrorClass::Tls, message)) => Unreachable::Untrusted(message),
                (None, (_, message)) => Unreachable::NobodyThere(message),
            }),
        }
    }

    /// Sends one attempt and reads the answer to its end.
    pub(super) async fn send(
        &self,
        request: WireRequest,
        attempt_id: &str,
        now_ms: i64,
    ) -> Exchange {
        let mut exchange = Exchange::default();
        let url = format!("{}{}", self.base_url, request.path);
        let stream = request.stream;
        let mut builder = self.http.post(url).header("x-request-id", attempt_id);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let built = match builder.body(request.body).build() {
            Ok(built) => built,
            Err(failure) => {
                exchange.error = Some((ErrorClass::Protocol, describe(&failure)));
                return exchange;
            }
        };
        let sent = Instant::now();
        exchange.sent = Some(sent);
        self.receive(built, stream, sent, now_ms, &mut exchange).await;
        let end = exchange.finished.unwrap_or_else(Instant::now);
        exchange.latency = end.saturating_duration_since(sent);
        if let Some(key) = &self.key {
            key.scrub_exchange(&mut exchange);
        }
        exchange
    }

    async fn receive(
        &self,
        request: reqwest::Request,
        stream: bool,
        sent: Instant,
        now_ms: i64,
        exchange: &mut Exchange,
    ) {
        let total = sent + self.timeouts.total;
        let first = if stream { total.min(sent + self.timeouts.first_token) } else { total };
        let mut response = match timeout_at(first.into(), self.http.execute(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(failure)) => {
                exchange.never_connected = failure.is_connect();
                exchange.error = Some(classify_transport(&failure));
                return;
            }
            Err(_) => {
                exchange.error = Some(timed_out(stream && first < total, false));
                return;
            }
        };
        // Moments that the answer names are held against its own, not that of sending.
        let waited_ms = i64::try_from(sent.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.read_head(&response, now_ms.saturating_add(waited_ms), exchange);
        if !response.status().is_success() {
            self.read_error(response, total, exchange).await;
            return;
        }
        // What is an answer, an error or a page shows in the body: content types are often wrong.
        let mut decoder = provider::decoder(self.protocol, stream);
        let failure = self.read_body(&mut response, decoder.as_mut(), stream, sent, exchange).await;
        let began = Instant::now();
        let answer = decoder.finish();
        exchange.overhead += began.elapsed();
        exchange.response = answer.response;
        // The terminator was seen: what the connection did afterwards does not matter.
        exchange.error = match (failure, answer.error) {
            (_, None) if answer.complete => None,
            (Some(failure), _) => Some(failure),
            (None, Some(error)) => Some((error.class, error.message)),
            (None, None) => None,
        };
    }

    fn read_head(&self, response: &reqwest::Response, now_ms: i64, exchange: &mut Exchange) {
        let headers = response.headers();
        let lookup =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        exchange.status = Some(response.status().as_u16());
        exchange.retry_after_ms = provider::retry_after_ms(&lookup, now_ms).or_else(|| {
            let is_limited = response.status() == reqwest::StatusCode::TOO_MANY_REQUESTS;
            is_limited.then(|| provider::rate_limit_reset_ms(&lookup, now_ms)).flatten()
        });
        exchange.provider_request_id = provider::provider_request_id_headers(self.protocol)
            .iter()
            .find_map(|name| lookup(name));
        exchange.connection_reused =
            response.extensions().get::<HttpInfo>().map(HttpInfo::local_addr).and_then(|address| {
                self.seen_connections.lock().ok().map(|mut s| !s.insert(address))
            });
    }

    async fn read_error(
        &self,
        mut response: reqwest::Response,
        total: Instant,
        exchange: &mut Exchange,
    ) {
        let mut body = Vec::new();
        // The status has said that it failed; its reason is not worth the whole of the time.
        let deadline = total.min(Instant::now() + self.timeouts.idle);
        while let Ok(Ok(Some(bytes))) = timeout_at(deadline.into(), response.chunk()).await {
            body.extend_from_slice(&bytes);
            if body.len() > MAX_ERROR_BYTES {
                body.truncate(MAX_ERROR_BYTES);
                break;
            }
        }
        let headers = response.headers();
        let lookup =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = response.status().as_u16();
        let error = provider::classify(self.protocol, status, &lookup, &body);
        exchange.error = Some((error.class, error.message));
    }

    async fn read_body(
        &self,
        response: &mut reqwest::Response,
        decoder: &mut (dyn Decoder + Send),
        stream: bool,
        sent: Instant,
        exchange: &mut Exchange,
    ) -> Option<(ErrorClass, String)> {
        let total = sent + self.timeouts.total;
        let mut last_output = None;
        let mut bytes_read = 0;
        loop {
            let wanted = match (stream, last_output) {
                (false, _) => total,
                (true, None) => sent + self.timeouts.first_token,
                (true, Some(last)) => last + self.timeouts.idle,
            };
            let bytes = match timeout_at(total.min(wanted).into(), response.chunk()).await {
                Ok(Ok(Some(bytes))) => bytes,
                Ok(Ok(None)) => return None,
                Ok(Err(failure)) => return Some(classify_transport(&failure)),
                Err(_) => return Some(timed_out(wanted < total, last_output.is_some())),
            };
            let arrived = Instant::now();
            let offset = arrived.saturating_duration_since(sent);
            exchange.first_byte.get_or_insert(offset);
            let progress = decoder.push(&bytes);
            for _ in 0..progress.output_events {
                exchange.events.push(offset);
            }
            if progress.output_events > 0 {
                last_output = Some(arrived);
            }
            if progress.answer_events > 0 {
                exchange.first_answer.get_or_insert(offset);
            }
            exchange.overhead += arrived.elapsed();
            bytes_read += bytes.len();
            if exchange.events.len() > MAX_EVENTS {
                let message = format!("the answer has more than {MAX_EVENTS} events");
                return Some((ErrorClass::Protocol, message));
            }
            if bytes_read > MAX_BODY_BYTES {
                let message = format!("the answer exceeds {MAX_BODY_BYTES} bytes");
                return Some((ErrorClass::Protocol, message));
            }
            if progress.finished {
                exchange.finished = Some(arrived);
                release(response).await;
                return None;
            }
        }
    }

    /// Whether the offset of every event is kept in the results.
    pub(super) fn keeps_event_offsets(&self) -> bool {
        self.keep_event_offsets
    }
}

/// Reads the end of a finished answer, without which the connection could not be used again.
async fn release(response: &mut reqwest::Response) {
    let deadline = Instant::now() + Duration::from_secs(1);
    while let Ok(Ok(Some(_))) = timeout_at(deadline.into(), response.chunk()).await {}
}

fn timed_out(by_silence: bool, after_output: bool) -> (ErrorClass, String) {
    match (by_silence, after_output) {
        (false, _) => (ErrorClass::TimeoutTotal, "the attempt took too long".to_owned()),
        (true, false) => (ErrorClass::TimeoutFirstToken, "no output in time".to_owned()),
        (true, true) => (ErrorClass::TimeoutIdle, "the stream stood still".to_owned()),
    }
}

/// The class of a failure below HTTP; the message names no address.
fn classify_transport(failure: &reqwest::Error) -> (ErrorClass, String) {
    let message = describe(failure);
    let lower = message.to_lowercase();
    let class = if failure.is_connect() && failure.is_timeout() {
        ErrorClass::TimeoutConnect
    } else if lower.contains("dns error") || lower.contains("lookup address") {
        ErrorClass::Dns
    } else if lower.contains("certificate") || lower.contains("tls") || lower.contains("handshake")
    {
        ErrorClass::Tls
    } else if failure.is_timeout() {
        ErrorClass::TimeoutTotal
    } else if failure.is_body() || failure.is_decode() {
        ErrorClass::StreamTruncated
    } else {
        ErrorClass::Refused
    };
    (class, message)
}

/// The chain of reasons of a failure, without the address that it was sent to.
pub(super) fn describe(failure: &reqwest::Error) -> String {
    let mut reasons = Vec::new();
    let mut source = std::error::Error::source(failure);
    while let Some(reason) = source {
        reasons.push(reason.to_string());
        source = reason.source();
    }
    // The innermost reasons say what happened; the outer ones only repeat that it did.
    match reasons.len() {
        0 if failure.is_timeout() => "timed out".to_owned(),
        0 => "the request failed".to_owned(),
        count => reasons.split_off(count.saturating_sub(2)).join(": "),
    }
}

/// Mean, 99th percentile and maximum of the gaps between events, in ms.
pub(super) fn gaps_ms(events: &[Duration]) -> Option<(f64, f64, f64)> {
    let mut gaps: Vec<f64> =
        events.windows(2).map(|pair| ms(pair[1].saturating_sub(pair[0]))).collect();
    if gaps.is_empty() {
        return None;
    }
    gaps.sort_unstable_by(f64::total_cmp);
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let rank = (gaps.len() as f64 * 0.99).ceil() as usize;
    let p99 = gaps[rank.clamp(1, gaps.len()) - 1];
    Some((mean, p99, gaps[gaps.len() - 1]))
}
