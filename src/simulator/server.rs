//! The HTTP side: connections, routes, and responses that leave at their planned times.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming as Received;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::body::{Step, TimedBody};
use super::config::SimulatorConfig;
use super::dialect::{ApiError, Dialect};
use super::draw::hex;
use super::limiter::Limiter;
use super::log::{LogEntry, RequestLog};
use super::outage::{OutageKind, Outages};
use super::plan::{Incoming, Plan, Planner, Reaction};
use super::socket::{Connection, Socket};

/// Larger bodies are answered 413.
const MAX_BODY_BYTES: usize = 64 << 20;

const JSON: &str = "application/json";

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) planner: Planner,
    pub(super) limiter: Mutex<Limiter>,
    pub(super) log: Mutex<RequestLog>,
    pub(super) started: Instant,
    /// Requests so far, for their identifiers.
    pub(super) requests: AtomicU64,
    pub(super) outages: Mutex<Outages>,
    /// Told when the beginning of an outage may have become known.
    pub(super) outage_nears: Notify,
    pub(super) manners: Manners,
    pub(super) tls: Option<Arc<rustls::ServerConfig>>,
}

/// How connections are treated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manners {
    /// How long an idle connection is kept.
    keep_alive: Option<Duration>,
    /// Requests that an HTTP/2 connection carries.
    goaway_after: Option<u64>,
}

impl Manners {
    pub(super) fn new(config: &SimulatorConfig) -> Self {
        let keep_alive =
            config.keep_alive_ms.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
        Manners { keep_alive, goaway_after: config.goaway_after }
    }
}

/// Counts a request as under way for as long as it lives.
pub(super) struct InFlight(Arc<Shared>);

impl InFlight {
    fn new(shared: &Arc<Shared>) -> Self {
        lock(&shared.log).enter();
        InFlight(Arc::clone(shared))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        lock(&self.0.log).leave();
    }
}

type TimedResponse = Response<TimedBody<Option<InFlight>>>;

/// Why a connection ends without an answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Hangup {
    #[error("the plan is to close this connection")]
    Planned,
    #[error("the client went away")]
    Client,
    #[error("the request log cannot be written")]
    Log(#[from] std::io::Error),
}

/// Locks even where another connection panicked: the data are counts and lists, valid at any time.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Accepts connections until it is dropped; then every connection ends.
pub(super) async fn serve(mut listener: TcpListener, shared: Arc<Shared>) {
    let Ok(addr) = listener.local_addr() else { return };
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            until = refusal(&shared) => {
                // Nobody listens and nobody speaks until the outage is over.
                drop(listener);
                connections.shutdown().await;
                tokio::time::sleep_until(until).await;
                listener = listen_again(addr).await;
                continue;
            }
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: a pause lets some be closed.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Without this the kernel holds small pieces back; a failure only costs accuracy.
        let _ = stream.set_nodelay(true);
        connections.spawn(serve_connection(stream, Arc::clone(&shared)));
    }
}

/// Waits for an outage in which nobody listens, and says when it ends.
async fn refusal(shared: &Shared) -> Instant {
    if !lock(&shared.outages).refuses() {
        return std::future::pending().await;
    }
    loop {
        let now = Instant::now();
        if let Some((OutageKind::Refused, until)) = lock(&shared.outages).active(now) {
            return until;
        }
        let next = lock(&shared.outages).next_refusal(now);
        let begins = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = begins => {}
            () = shared.outage_nears.notified() => {}
        }
    }
}

/// Takes the port back; it is free again once the last connection's end has been seen.
async fn listen_again(addr: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(addr).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Serves one connection to its end; how it breaks is the client's affair, or was planned.
async fn serve_connection(stream: TcpStream, shared: Arc<Shared>) {
    let connection = Arc::new(Connection::default());
    let socket = Socket::new(stream, Arc::clone(&connection));
    match &shared.tls {
        None => serve_http1(socket, &connection, &shared).await,
        Some(config) => {
            let acceptor = TlsAcceptor::from(Arc::clone(config));
            let Ok(stream) = acceptor.accept(socket).await else { return };
            if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                serve_http2(stream, &connection, &shared).await;
            } else {
                serve_http1(stream, &connection, &shared).await;
            }
        }
    }
}

async fn serve_http1<S>(io: S, connection: &Arc<Connection>, shared: &Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = hyper::service::service_fn(|request| answer(shared, connection, request));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(shared.manners.keep_alive);
    let _ = builder.serve_connection(TokioIo::new(io), service).await;
}

async fn serve_http2<S>(io: S, connection: &Arc<Connection>, shared: &Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let enough = Notify::new();
    let enough = &enough;
    let goaway_after = shared.manners.goaway_after.unwrap_or(u64::MAX);
    let service = hyper::service::service_fn(|request| {
        let (shared, connection) = (Arc::clone(shared), Arc::clone(connection));
        if connection.requests() + 1 >= goaway_after {
            enough.notify_one();
        }
        async move { answer(&shared, &connection, request).await }
    });
    let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(io), service));
    tokio::select! {
        _ = serving.as_mut() => return,
        () = enough.notified() => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = serving.await;
}

async fn answer(
    shared: &Arc<Shared>,
    connection: &Arc<Connection>,
    request: Request<Received>,
) -> Result<TimedResponse, Hangup> {
    let received = Instant::now();
    let received_at = utc_now();
    let path = request.uri().path().to_owned();
    if let Some(page) = path.strip_prefix("/__sim/") {
        return Ok(own_page(shared, request.method(), page));
    }
    let Some(dialect) = Dialect::of_path(&path) else {
        let error = ApiError::new(404, "no such endpoint");
        return Ok(plain(404, JSON, Dialect::OpenAi.error_body(&error, "").to_string()));
    };
    if request.method() != Method::POST {
        let error = ApiError::new(405, "only POST is answered here");
        return Ok(plain(405, JSON, dialect.error_body(&error, "").to_string()));
    }
    let guard = InFlight::new(shared);
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let error = ApiError::new(413, "the body is too large");
            return Ok(plain(413, JSON, dialect.error_body(&error, "").to_string()));
        }
        Err(_) => return Err(Hangup::Client),
    };
    let key = ["authorization", "x-api-key", "api-key"]
        .iter()
        .find_map(|name| header(&head.headers, name));
    let incoming = Incoming {
        dialect,
        body: &body,
        draw: header(&head.headers, "x-rehearsal-draw")
            .or_else(|| draw_of_attempt(header(&head.headers, "x-request-id")?)),
        anthropic_version: header(&head.headers, "anthropic-version"),
        auth_present: key.is_some(),
        key: key.map(|key| key.strip_prefix("Bearer ").unwrap_or(key)),
        used_connection: connection.count_request() > 0,
        outage: outage_now(shared, received),
        received,
        received_at,
        request_id: request_id(shared, received_at),
    };
    let plan = shared.planner.plan(&incoming, &mut lock(&shared.limiter));
    let http2 = head.version == hyper::Version::HTTP_2;
    let entry = entry(shared, &incoming, &plan, header(&head.headers, "x-request-id"), http2);
    lock(&shared.log).note(entry)?;
    respond(plan, received, connection, guard).await
}

/// The outage that a request meets; the request itself may be the one after which it begins.
fn outage_now(shared: &Shared, now: Instant) -> Option<OutageKind> {
    let mut outages = lock(&shared.outages);
    let active = outages.active(now).map(|(kind, _)| kind);
    outages.arrived(shared.requests.load(Ordering::Relaxed) + 1, now);
    drop(outages);
    shared.outage_nears.notify_one();
    active
}

fn entry(
    shared: &Shared,
    incoming: &Incoming<'_>,
    plan: &Plan,
    x_request_id: Option<&str>,
    http2: bool,
) -> LogEntry {
    let facts = &plan.facts;
    let since_start = incoming.received.saturating_duration_since(shared.started);
    LogEntry {
        sequence: 0,
        received_at: incoming.received_at,
        received_mono_ns: since_start.as_nanos() as u64,
        x_request_id: x_request_id.map(str::to_owned),
        draw: incoming.draw.map(str::to_owned),
        provider_request_id: incoming.request_id.clone(),
        protocol: incoming.dialect.protocol().as_str().to_owned(),
        model: facts.model.clone(),
        stream: facts.stream,
        http2,
        auth_present: incoming.auth_present,
        body_sha256: facts.body_sha256.clone(),
        prompt_key: facts.prompt_key.clone(),
        status: plan.reaction.status(),
        outcome: facts.outcome,
        answer: facts.answer,
        planned_ttft_ms: facts.ttft_ms,
        planned_latency_ms: plan.steps.last().map_or(0.0, |(offset_ms, _)| *offset_ms),
        chunks: facts.chunks,
        prompt_tokens: facts.prompt_tokens,
        completion_tokens: facts.completion_tokens,
    }
}

async fn respond(
    plan: Plan,
    received: Instant,
    connection: &Arc<Connection>,
    guard: InFlight,
) -> Result<TimedResponse, Hangup> {
    let status = match plan.reaction {
        Reaction::Answer(status) => status,
        Reaction::HangUp => return Err(Hangup::Planned),
        Reaction::Reset => {
            connection.reset_on_close();
            return Err(Hangup::Planned);
        }
        // Ends when the client gives up, which drops this future.
        Reaction::Silence => return std::future::pending().await,
    };
    let at = |offset_ms: f64| {
        let offset = Duration::try_from_secs_f64(offset_ms / 1000.0).unwrap_or(Duration::MAX);
        // What lies beyond the clock's range never happens within a run.
        received.checked_add(offset).unwrap_or_else(|| received + Duration::from_hours(8760))
    };
    let steps = plan.steps.into_iter().map(|(offset_ms, step)| (at(offset_ms), step)).collect();
    let mut response = Response::new(TimedBody::new(steps, Arc::clone(connection), Some(guard)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let headers = response.headers_mut();
    let by_length = if plan.length.is_some() { JSON } else { "text/event-stream; charset=utf-8" };
    let kind = plan.content_type.unwrap_or(by_length);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(length) = plan.length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in plan.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    Ok(response)
}

/// The simulator's own pages: `stats`, `log` and `reset`.
fn own_page(shared: &Shared, method: &Method, page: &str) -> TimedResponse {
    match (method.as_str(), page) {
        ("GET", "stats") => {
            let stats = json!(lock(&shared.log).stats());
            plain(200, JSON, stats.to_string())
        }
        ("GET", "log") => {
            let log = lock(&shared.log);
            let lines = log.entries().iter().fold(String::new(), |mut lines, entry| {
                lines.push_str(&json!(entry).to_string());
                lines.push('\n');
                lines
            });
            plain(200, "application/x-ndjson", lines)
        }
        ("POST", "reset") => {
            lock(&shared.log).reset();
            lock(&shared.limiter).reset();
            plain(200, JSON, "{}".to_owned())
        }
        _ => plain(404, JSON, json!({ "error": "no such page" }).to_string()),
    }
}

fn plain(status: u16, kind: &'static str, text: String) -> TimedResponse {
    let length = text.len();
    let steps = VecDeque::from([(Instant::now(), Step::Send(Bytes::from(text)))]);
    let mut response = Response::new(TimedBody::new(steps, Arc::default(), None));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Unique to this request, unlike everything that is drawn.
fn request_id(shared: &Shared, received_at: DateTime<Utc>) -> String {
    let count = shared.requests.fetch_add(1, Ordering::Relaxed);
    let mut hash = Sha256::new();
    hash.update(received_at.timestamp_micros().to_le_bytes());
    hash.update(count.to_le_bytes());
    let mut digits = hex(&hash.finalize());
    digits.truncate(24);
    format!("req_{digits}")
}

#[expect(clippy::disallowed_methods, reason = "the log and rate-limit headers name the time")]
fn utc_now() -> DateTime<Utc> {
    Utc::now()
}

/// What of a replay's attempt identifier (`run.arm.ordinal.repeat.attempt`) is the same in every
/// run; identifiers of other shapes say nothing.
fn draw_of_attempt(id: &str) -> Option<&str> {
    let (_run, attempt) = id.split_once('.')?;
    (attempt.split('.').count() == 4).then_some(attempt)
}
