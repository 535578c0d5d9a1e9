//! The only socket of this program: sends one attempt and times it.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::ReplayError;
use super::exchange::Exchange;
use super::leaving::{Leaving, LeavingBody};
use super::loop_lag::LoopLag;
use super::receive::{Expected, Receiving};
use super::secret::Secret;
use super::transport::http_client;
use super::walls::Guard;
use crate::chat::ErrorClass;
use crate::plan::{Arm, Timeouts};
use crate::provider::{Protocol, WireRequest};

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
    lags: Arc<LoopLag>,
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

impl Client {
    /// Builds the client of an arm; `key` is its secret, if it needs one, `folder` that to which
    /// files of the plan are relative, and `lags` those of the loop that it will be used on.
    ///
    /// # Errors
    /// As [`http_client`].
    pub(super) fn new(
        arm: &Arm,
        key: Option<Secret>,
        timeouts: Timeouts,
        keep_event_offsets: bool,
        folder: &Path,
        lags: Arc<LoopLag>,
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
            lags,
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
        let leaving = Arc::new(Leaving::default());
        let mut builder = self.http.post(url).header("x-request-id", attempt_id);
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let body = reqwest::Body::wrap(LeavingBody::new(request.body, leaving.clone()));
        let built = match builder.body(body).build() {
            Ok(built) => built,
            Err(failure) => {
                exchange.error = Some((ErrorClass::Protocol, describe(&failure)));
                return exchange;
            }
        };
        let Client { protocol, timeouts, .. } = *self;
        let expected = Expected { protocol, stream, timeouts, now_ms };
        let began = Instant::now();
        let receiving = Receiving::new(expected, &leaving, began, &mut exchange);
        receiving.run(&self.http, built).await;
        let end = Instant::now();
        let sent = leaving.sent().unwrap_or(began);
        exchange.sent = Some(sent);
        exchange.never_left = leaving.sent().is_none();
        exchange.connect = leaving.opened();
        exchange.connection_reused = leaving.sent().map(|_| leaving.opened().is_none());
        let whole = exchange.error.is_none().then_some(exchange.close).flatten();
        exchange.latency =
            exchange.terminator.or(whole).unwrap_or_else(|| end.saturating_duration_since(sent));
        exchange.event_loop_lag = self.lags.worst(began, end);
        let first = exchange.events.first().copied();
        exchange.first_token_lag = first.and_then(|first| self.lags.worst(began, sent + first));
        if let Some(key) = &self.key {
            key.scrub_exchange(&mut exchange);
        }
        exchange
    }

    /// Whether the offset of every event is kept in the results.
    pub(super) fn keeps_event_offsets(&self) -> bool {
        self.keep_event_offsets
    }
}

/// The class of a failure below HTTP; the message names no address.
pub(super) fn classify_transport(failure: &reqwest::Error) -> (ErrorClass, String) {
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
