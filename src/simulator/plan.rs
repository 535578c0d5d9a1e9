//! From a request to what will be sent for it: validation, limits, faults, answer, in this order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::time::Instant;

use super::answers::{Answer, AnswerOrigin, Answers, prompt_bytes};
use super::body::Step;
use super::config::SimulatorConfig;
use super::dialect::{ApiError, Dialect};
use super::draw::Draws;
use super::fault::{Fault, FaultModel};
use super::latency::LatencyModel;
use super::layout::{self, Interference, Layout};
use super::limiter::{LimitState, Limiter, RateLimits, Refusal};
use super::log::Outcome;
use super::outage::OutageKind;
use super::pieces::{self, Reply};
use super::trouble;
use super::validate::{self, CheckContext};
use crate::chat::{ChatRequest, ResponseFormat, prompt_key};
use crate::provider;

/// How one model behaves.
#[derive(Debug, Clone)]
struct Behaviour {
    answers: Answers,
    latency: LatencyModel,
    faults: FaultModel,
    limits: RateLimits,
}

/// The configuration with every model's behaviour worked out.
#[derive(Debug)]
pub(super) struct Planner {
    config: SimulatorConfig,
    common: Behaviour,
    models: BTreeMap<String, Behaviour>,
}

/// A request as it came in.
#[derive(Debug)]
pub(super) struct Incoming<'a> {
    pub(super) dialect: Dialect,
    pub(super) body: &'a [u8],
    pub(super) draw: Option<&'a str>,
    pub(super) anthropic_version: Option<&'a str>,
    pub(super) auth_present: bool,
    /// The key that the request carries; it goes nowhere but into an answer that repeats it.
    pub(super) key: Option<&'a str>,
    /// Whether the connection has carried a request before.
    pub(super) used_connection: bool,
    /// The outage that holds now.
    pub(super) outage: Option<OutageKind>,
    /// When the request arrived, on both clocks.
    pub(super) received: Instant,
    pub(super) received_at: DateTime<Utc>,
    /// The provider's identifier of this request.
    pub(super) request_id: String,
}

/// What will be sent. Times are milliseconds after arrival, already scaled.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) reaction: Reaction,
    /// Absent: as the length says, a document or a stream of events.
    pub(super) content_type: Option<&'static str>,
    pub(super) headers: Vec<(String, String)>,
    /// The body's length, where it is one document.
    pub(super) length: Option<usize>,
    pub(super) steps: Vec<(f64, Step)>,
    pub(super) facts: Facts,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// An answer with this status.
    Answer(u16),
    /// The connection is closed without a byte.
    HangUp,
    /// The connection is reset without a byte.
    Reset,
    /// Nothing, for as long as the client waits.
    Silence,
}

impl Reaction {
    /// The status, where there is one.
    pub(super) fn status(self) -> Option<u16> {
        match self {
            Reaction::Answer(status) => Some(status),
            Reaction::HangUp | Reaction::Reset | Reaction::Silence => None,
        }
    }
}

/// What the log keeps of a plan.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) body_sha256: String,
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) prompt_key: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) answer: Option<AnswerOrigin>,
    pub(super) ttft_ms: Option<f64>,
    pub(super) chunks: u64,
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
}

/// Why a request is not answered.
#[derive(Debug)]
struct Refused {
    error: Box<ApiError>,
    outcome: Outcome,
    reaction: Reaction,
    after_ms: f64,
    headers: Vec<(String, String)>,
    /// A page in place of the error's own body.
    page: Option<&'static str>,
}

impl Refused {
    fn new(outcome: Outcome, error: ApiError) -> Self {
        let reaction = Reaction::Answer(error.status);
        let error = Box::new(error);
        Refused { error, outcome, reaction, after_ms: 0.0, headers: Vec::new(), page: None }
    }

    /// A request that gets no answer at all.
    fn without_answer(fault: Fault, reaction: Reaction) -> Self {
        Refused { reaction, ..Refused::fault(fault, 503, "unavailable") }
    }

    fn fault(fault: Fault, status: u16, message: &str) -> Self {
        Refused::new(Outcome::Fault(fault), ApiError::new(status, message))
    }
}

impl Planner {
    /// Works out every model's behaviour; answers must be loaded.
    pub(super) fn new(config: SimulatorConfig) -> Self {
        let common = Behaviour {
            answers: config.answers.clone(),
            latency: config.latency,
            faults: config.faults,
            limits: config.limits,
        };
        let models = config.model_overrides.iter().map(|(model, profile)| {
            let behaviour = Behaviour {
                answers: profile.answers.clone().unwrap_or_else(|| common.answers.clone()),
                latency: profile.latency.unwrap_or(common.latency),
                faults: profile.faults.unwrap_or(common.faults),
                limits: profile.limits.unwrap_or(common.limits),
            };
            (model.clone(), behaviour)
        });
        Planner { models: models.collect(), common, config }
    }

    /// Decides what is sent for a request.
    pub(super) fn plan(&self, incoming: &Incoming<'_>, limiter: &mut Limiter) -> Plan {
        let body: Option<Value> = serde_json::from_slice(incoming.body).ok();
        let field = |name: &str| body.as_ref().and_then(|body| body.get(name));
        let draws = Draws::new(self.config.seed, incoming.body, incoming.draw);
        let facts = Facts {
            body_sha256: draws.body_sha256(),
            model: field("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
            stream: field("stream").and_then(Value::as_bool).unwrap_or(false),
            prompt_key: None,
            outcome: Outcome::Ok,
            answer: None,
            ttft_ms: None,
            chunks: 0,
            prompt_tokens: None,
            completion_tokens: None,
        };
        let behaviour = self.models.get(&facts.model).unwrap_or(&self.common);
        let mut case = Case { config: &self.config, behaviour, incoming, draws, facts };
        let mut plan = match case.decide(body.as_ref(), limiter) {
            Ok((layout, limits)) => {
                let headers = incoming.dialect.limit_headers(&limits, incoming.received_at);
                case.finish(Reaction::Answer(200), headers, layout)
            }
            Err(refused) => case.refuse(refused),
        };
        let id_header = incoming.dialect.request_id_header().to_owned();
        plan.headers.push((id_header, incoming.request_id.clone()));
        plan
    }
}

/// One request on its way through the decisions.
struct Case<'a> {
    config: &'a SimulatorConfig,
    behaviour: &'a Behaviour,
    incoming: &'a Incoming<'a>,
    draws: Draws,
    facts: Facts,
}

impl Case<'_> {
    fn decide(
        &mut self,
        body: Option<&Value>,
        limiter: &mut Limiter,
    ) -> Result<(Layout, LimitState), Refused> {
        let body = self.check(body)?;
        let request = self.read(body)?;
        let key = prompt_key(&request.messages);
        self.facts.prompt_key = Some(key.clone());
        let reply = self.reply(&request, body, &key)?;
        self.facts.prompt_tokens = Some(reply.prompt_tokens);
        let limits = self.admit(&reply, limiter)?;
        let fault = self.strike(reply.prompt_tokens)?;
        self.facts.outcome = fault.map_or(Outcome::Ok, Outcome::Fault);
        Ok((self.lay_out(&reply, fault), limits))
    }

    fn check<'b>(&self, body: Option<&'b Value>) -> Result<&'b Value, Refused> {
        if let Some(kind) = self.incoming.outage {
            return Err(outage(kind));
        }
        if self.behaviour.faults.is_out(self.config.seed, &self.draws) {
            return Err(Refused::fault(Fault::Outage, 503, "the service is unavailable"));
        }
        if self.config.require_auth && !self.incoming.auth_present {
            let error = ApiError::new(401, "no API key was given").code("invalid_api_key");
            return Err(Refused::new(Outcome::Unauthorized, error));
        }
        let invalid = |error| Refused::new(Outcome::Invalid, error);
        let Some(body) = body else {
            return Err(invalid(ApiError::new(400, "the body is not valid JSON")));
        };
        let context = CheckContext {
            anthropic_version: self.incoming.anthropic_version,
            allow_unknown_fields: self.config.allow_unknown_fields,
        };
        validate::check(self.incoming.dialect, body, context).map_err(invalid)?;
        Ok(body)
    }

    fn read(&self, body: &Value) -> Result<ChatRequest, Refused> {
        provider::parse_request(self.incoming.dialect.protocol(), body).map_err(|_| {
            // The parser's message may quote the request.
            let error = ApiError::new(400, "the request does not follow the protocol");
            Refused::new(Outcome::Invalid, error)
        })
    }

    fn reply(&self, request: &ChatRequest, body: &Value, key: &str) -> Result<Reply, Refused> {
        let tokens = self.config.token_model;
        let mut choices: Vec<Answer> = Vec::new();
        for index in 0..request.choices.unwrap_or(1).max(1) {
            let draws = self.draws.of_choice(index);
            let answer = self.behaviour.answers.answer(request, key, &draws, tokens);
            let Some(mut answer) = answer else {
                let message = "no_recorded_answer: nothing is recorded for this prompt";
                let error = ApiError::new(404, message).code("no_recorded_answer");
                return Err(Refused::new(Outcome::NoRecordedAnswer, error));
            };
            if let (Some(cap), false) = (request.max_output_tokens, self.config.ignore_output_cap) {
                answer.cap(cap);
            }
            choices.push(answer);
        }
        let recorded = choices.first().and_then(|answer| answer.prompt_tokens);
        let usage_asked = body.pointer("/stream_options/include_usage").and_then(Value::as_bool);
        let per_piece = self.behaviour.latency.tokens_per_chunk as usize;
        Ok(Reply {
            id: self.draws.hex("response id", 24),
            model: request.model.clone(),
            created_s: self.incoming.received_at.timestamp(),
            prompt_tokens: recorded.unwrap_or_else(|| tokens.tokens(prompt_bytes(request))),
            completion_tokens: choices.iter().map(|answer| answer.completion_tokens).sum(),
            include_usage: usage_asked.unwrap_or(false),
            structured: matches!(request.response_format, Some(ResponseFormat::JsonSchema { .. })),
            piece_bytes: per_piece * tokens.bytes_per_token as usize,
            choices,
        })
    }

    fn admit(&self, reply: &Reply, limiter: &mut Limiter) -> Result<LimitState, Refused> {
        let limits = limiter.admit(
            &self.facts.model,
            &self.behaviour.limits,
            reply.prompt_tokens + reply.completion_tokens,
            self.config.time_scale,
            self.incoming.received,
        );
        let Some((refusal, wait)) = limits.refused else { return Ok(limits) };
        let (outcome, what) = match refusal {
            Refusal::Requests => (Outcome::RequestLimit, "requests"),
            Refusal::Tokens => (Outcome::TokenLimit, "tokens"),
        };
        let wait_ms = wait.as_secs_f64() * 1000.0;
        let mut refused = self.limit(outcome, what, wait_ms);
        let dialect = self.incoming.dialect;
        refused.headers.extend(dialect.limit_headers(&limits, self.incoming.received_at));
        Err(refused)
    }

    /// A 429 that names its wait, in milliseconds as the caller must wait them.
    fn limit(&self, outcome: Outcome, what: &'static str, wait_ms: f64) -> Refused {
        let hint = self.behaviour.faults.retry_after_hint;
        let (dialect, now) = (self.incoming.dialect, self.incoming.received_at);
        let headers = hint.headers(wait_ms, dialect, now, &self.draws);
        Refused { headers, ..Refused::new(outcome, ApiError::limit(what)) }
    }

    /// The fault that cuts into the answer; one that takes its place is the error.
    fn strike(&self, prompt_tokens: u64) -> Result<Option<Fault>, Refused> {
        let faults = &self.behaviour.faults;
        let Some(fault) = faults.strike(&self.draws) else { return Ok(None) };
        let outcome = Outcome::Fault(fault);
        match fault {
            Fault::RateLimit => {
                let wait_ms = faults.retry_after_ms * self.config.time_scale;
                Err(self.limit(outcome, "requests", wait_ms))
            }
            Fault::Overloaded => {
                let status = self.incoming.dialect.overloaded_status();
                let error = ApiError::new(status, "Overloaded").code("server_is_overloaded");
                Err(Refused::new(outcome, error))
            }
            Fault::StreamError if self.facts.stream => Ok(Some(fault)),
            Fault::ServerError | Fault::StreamError => {
                let mut refused = Refused::fault(fault, 500, "the server had an error");
                refused.after_ms = self.behaviour.latency.ttft_ms(&self.draws, prompt_tokens);
                Err(refused)
            }
            Fault::BlackHole => Err(Refused::without_answer(fault, Reaction::Silence)),
            Fault::StaleConnection if !self.incoming.used_connection => Ok(None),
            Fault::Drop | Fault::StaleConnection | Fault::Outage => {
                Err(Refused::without_answer(fault, Reaction::HangUp))
            }
            Fault::ErrorBody => {
                let reaction = Reaction::Answer(200);
                Err(Refused { reaction, ..Refused::fault(fault, 500, "the server had an error") })
            }
            Fault::Html => {
                let refused = Refused::fault(fault, faults.html_status, "a page");
                Err(Refused { page: Some(PAGE), ..refused })
            }
            Fault::EchoKey => {
                let message = repeated(self.incoming.key.unwrap_or_default());
                let error = ApiError::new(401, message).code("invalid_api_key");
                Err(Refused::new(outcome, error))
            }
            _ => Ok(Some(fault)),
        }
    }

    fn lay_out(&mut self, reply: &Reply, fault: Option<Fault>) -> Layout {
        let first = reply.choices.first();
        let timing = first.map(|answer| answer.timing).unwrap_or_default();
        // An answer without any output takes the time to its first token all the same.
        let count = pieces::count(reply).max(1);
        let latency = &self.behaviour.latency;
        let offsets_ms = latency.offsets_ms(&self.draws, count, reply.prompt_tokens, timing);
        self.facts.answer = first.map(|answer| answer.origin);
        self.facts.ttft_ms = offsets_ms.first().map(|ttft_ms| ttft_ms * self.config.time_scale);
        self.facts.completion_tokens = Some(reply.completion_tokens);
        let interference = Interference {
            fault,
            faults: &self.behaviour.faults,
            request_id: &self.incoming.request_id,
        };
        let stream = self.facts.stream;
        let dialect = self.incoming.dialect;
        let layout = if stream {
            let events = layout::events(dialect, reply);
            layout::streamed(dialect, events, &offsets_ms, interference)
        } else {
            layout::document(dialect, reply, &offsets_ms, interference)
        };
        let faults = &self.behaviour.faults;
        let draw = self.draws.uniform("break");
        match fault {
            Some(Fault::Trickle) => trouble::trickle(layout, faults.trickle_ms),
            Some(Fault::Ping) => trouble::pings(layout, dialect, stream, faults.ping_ms),
            Some(Fault::Flood) if stream => {
                trouble::flood(layout, dialect, faults.flood_text_bytes)
            }
            Some(Fault::EndlessLine | Fault::Flood) => trouble::endless_line(layout, stream),
            Some(Fault::Reset) => trouble::broken(layout, faults, draw, Step::Reset),
            Some(Fault::Close) => trouble::broken(layout, faults, draw, Step::Abort),
            _ => layout,
        }
    }

    fn refuse(mut self, refused: Refused) -> Plan {
        let Refused { error, outcome, reaction, after_ms, headers, page } = refused;
        self.facts.outcome = outcome;
        if reaction.status().is_none() {
            return self.finish(reaction, headers, Layout::default());
        }
        // A refused request is not answered as a stream, whatever it asked for.
        let body = self.incoming.dialect.error_body(&error, &self.incoming.request_id);
        let text = page.map_or_else(|| body.to_string(), str::to_owned);
        let plan = self.finish(reaction, headers, layout::text(text, after_ms));
        Plan { content_type: page.map(|_| "text/html; charset=utf-8"), ..plan }
    }

    fn finish(
        mut self,
        reaction: Reaction,
        headers: Vec<(String, String)>,
        layout: Layout,
    ) -> Plan {
        let Layout { mut steps, length, chunks } = layout;
        for (offset_ms, _) in &mut steps {
            *offset_ms *= self.config.time_scale;
        }
        self.facts.chunks = chunks;
        let content_type = match self.facts.outcome {
            Outcome::Fault(Fault::WrongType) => Some("text/plain; charset=utf-8"),
            // Without a length, a document would be taken for a stream.
            _ if length.is_none() && !self.facts.stream => Some("application/json"),
            _ => None,
        };
        Plan { reaction, content_type, headers, length, steps, facts: self.facts }
    }
}

/// A page as a proxy in front of a provider shows it.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n\
    <body><h1>502 Bad Gateway</h1></body></html>\n";

fn outage(kind: OutageKind) -> Refused {
    let fault = Fault::Outage;
    match kind {
        OutageKind::ServerError => Refused::fault(fault, 500, "the server had an error"),
        OutageKind::Unavailable => Refused::fault(fault, 503, "the service is unavailable"),
        OutageKind::BlackHole => Refused::without_answer(fault, Reaction::Silence),
        // A request that came in before the port was closed.
        OutageKind::Refused | OutageKind::Reset => Refused::without_answer(fault, Reaction::Reset),
    }
}

/// A message that repeats a key in every form in which one may leak.
fn repeated(key: &str) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(key);
    let percent: String = key.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    });
    format!("Incorrect API key provided: {key} ({encoded}, ?key={percent})")
}
