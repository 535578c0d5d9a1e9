//! What is said in one session: each exchange carries everything said before it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::TrafficConfig;
use super::extraction::Task;
use super::phrases::{Topic, pick};
use super::scenario::{TOKENS_PER_CHUNK, incumbent_latency};
use super::sessions::{Kind, SessionFrame, pause_ms};
use super::tools;
use crate::chat::{ChatRequest, Message, Part, Role, ToolCall};
use crate::simulator::answers::{Answer, AnswerOrigin, prompt_bytes};
use crate::simulator::config::TokenModel;
use crate::simulator::draw::Draws;
use crate::simulator::latency::{RecordedTiming, lognormal};
use crate::simulator::openai;
use crate::simulator::pieces::{self, Reply};

const MANNERS: &[&str] = &[
    "Be brief and friendly.",
    "Answer in complete sentences and avoid jargon.",
    "Never promise a date that you do not know.",
    "If you are unsure, say so.",
    "Always answer in the customer's language.",
    "Do not discuss competitors.",
];

const STOPS: &[&str] = &["\n\n---", "###", "END OF ANSWER", "Customer:"];

/// Output caps of support sessions, in tokens; some cut the longer answers.
const CAPS: [u64; 4] = [96, 160, 256, 512];

/// The cap of requests whose answer is of no use when cut.
const WIDE_CAP: u64 = 1024;

/// Explanations in an answer: median and standard deviation of the logarithm.
const BODY_SENTENCES: (f64, f64) = (4.0, 0.7);

/// One request and its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Counts from 0.
    pub(super) turn: usize,
    /// Milliseconds since 1970.
    pub(super) sent_ms: i64,
    pub(super) request: ChatRequest,
    /// The answer before the request's output cap.
    pub(super) whole: Answer,
    pub(super) prompt_tokens: u64,
    /// The answer as the incumbent gave it: a `chat.completion`.
    pub(super) response: Value,
    /// Time to first token, before the log's time scale.
    pub(super) ttft_ms: f64,
    /// Time to the last token, before the log's time scale.
    pub(super) latency_ms: f64,
}

/// All exchanges of one session, in order.
pub(super) fn exchanges(config: &TrafficConfig, frame: &SessionFrame) -> Vec<Exchange> {
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    // Stream 0 deals the frames.
    rng.set_stream(frame.index as u64 + 1);
    let mut dialogue = Dialogue::new(config, frame, rng);
    (0..frame.turns).map(|turn| dialogue.exchange(turn)).collect()
}

struct Dialogue<'a> {
    config: &'a TrafficConfig,
    frame: &'a SessionFrame,
    topic: Topic,
    task: Task,
    /// The parameters of every request, and what has been said so far.
    request: ChatRequest,
    now_ms: i64,
    rng: ChaCha8Rng,
}

impl<'a> Dialogue<'a> {
    fn new(config: &'a TrafficConfig, frame: &'a SessionFrame, mut rng: ChaCha8Rng) -> Self {
        let topic = frame.language.topic(order_number(config.seed, frame.index), &mut rng);
        let task = Task::draw(&mut rng);
        let request = request(frame, task, &mut rng);
        let now_ms = config.start_epoch_s.saturating_mul(1000).saturating_add(frame.start_ms);
        Dialogue { config, frame, topic, task, request, now_ms, rng }
    }

    fn exchange(&mut self, turn: usize) -> Exchange {
        let after_tool = self.request.messages.last().is_some_and(|it| it.role == Role::Tool);
        if !after_tool {
            let (language, topic, rng) = (self.frame.language, &self.topic, &mut self.rng);
            let text = if turn == 0 {
                language.question(topic, rng)
            } else {
                language.followup(topic, rng)
            };
            self.request.messages.push(Message::text(Role::User, text));
        }
        let whole = self.answer(after_tool);
        let mut given = whole.clone();
        if let Some(cap) = self.request.max_output_tokens {
            given.cap(cap);
        }
        let exchange = self.completed(turn, whole, given.clone());
        self.remember(given, &exchange.response);
        self.now_ms = self.now_ms.saturating_add(exchange.latency_ms as i64);
        // A tool answers at once, a customer does not.
        let waits = self.request.messages.last().is_none_or(|it| it.role != Role::Tool);
        let pause = if waits { pause_ms(&mut self.rng) } else { self.rng.random_range(40..900) };
        self.now_ms = self.now_ms.saturating_add(pause);
        exchange
    }

    fn answer(&mut self, after_tool: bool) -> Answer {
        let rng = &mut self.rng;
        let (text, calls) = match self.frame.kind {
            Kind::Extract { .. } => {
                let fields = self.task.answer(&self.topic, self.frame.language, rng);
                (fields.to_string(), Vec::new())
            }
            Kind::Agent if rng.random_bool(if after_tool { 0.1 } else { 0.8 }) => {
                (String::new(), tools::calls(&self.topic, rng))
            }
            Kind::Support | Kind::Agent => {
                let (median, sigma) = BODY_SENTENCES;
                let body = lognormal(median, sigma, rng).round() as usize;
                (self.frame.language.answer(&self.topic, body, rng), Vec::new())
            }
        };
        Answer::new(text, calls, AnswerOrigin::Recorded, TokenModel::default())
    }

    /// The exchange with the answer in its wire form and its times.
    fn completed(&self, turn: usize, whole: Answer, given: Answer) -> Exchange {
        let place = format!("{}/{turn}", self.frame.index);
        let draws = Draws::new(self.config.seed, place.as_bytes(), None);
        let tokens = TokenModel::default();
        let prompt_tokens = tokens.tokens(prompt_bytes(&self.request));
        let reply = Reply {
            id: draws.hex("response id", 24),
            model: self.request.model.clone(),
            created_s: self.now_ms.div_euclid(1000),
            prompt_tokens,
            completion_tokens: given.completion_tokens,
            include_usage: self.request.stream,
            structured: false,
            piece_bytes: (TOKENS_PER_CHUNK * tokens.bytes_per_token) as usize,
            choices: vec![given],
        };
        let offsets_ms = incumbent_latency(&self.request.model).offsets_ms(
            &draws,
            pieces::count(&reply).max(1),
            prompt_tokens,
            RecordedTiming::default(),
        );
        Exchange {
            turn,
            sent_ms: self.now_ms,
            request: self.request.clone(),
            whole,
            prompt_tokens,
            response: openai::document(&reply),
            ttft_ms: offsets_ms.first().copied().unwrap_or(0.0),
            latency_ms: offsets_ms.last().copied().unwrap_or(0.0),
        }
    }

    /// Adds the answer, and the results of its calls, to what the next request carries.
    fn remember(&mut self, given: Answer, response: &Value) {
        let mut parts = Vec::new();
        if !given.text.is_empty() || given.tool_calls.is_empty() {
            parts.push(Part::Text(given.text));
        }
        let mut results = Vec::new();
        for (at, call) in given.tool_calls.into_iter().enumerate() {
            // The wire form gives every call the identifier that its result must name.
            let id = response
                .pointer(&format!("/choices/0/message/tool_calls/{at}/id"))
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            let content = vec![Part::Text(tools::result(&call, &self.topic, &mut self.rng))];
            let result = Part::ToolResult { call_id: id.clone(), content, is_error: false };
            results.push(Message { role: Role::Tool, parts: vec![result], name: None });
            parts.push(Part::ToolCall(ToolCall { id, ..call }));
        }
        self.request.messages.push(Message { role: Role::Assistant, parts, name: None });
        self.request.messages.extend(results);
    }
}

/// The parameters and the instructions that all requests of a session have in common.
fn request(frame: &SessionFrame, task: Task, rng: &mut ChaCha8Rng) -> ChatRequest {
    let mut request = ChatRequest {
        model: frame.model.to_owned(),
        stream: frame.stream,
        temperature: [None, Some(0.0), Some(0.2), Some(0.5), Some(0.7), Some(1.0)]
            .get(rng.random_range(0..6_usize))
            .copied()
            .flatten(),
        ..ChatRequest::default()
    };
    if rng.random_bool(0.08) {
        request.stop = vec![pick(STOPS, rng).to_owned()];
    }
    let instructions = match frame.kind {
        Kind::Support => {
            if rng.random_bool(0.35) {
                request.max_output_tokens = CAPS.get(rng.random_range(0..CAPS.len())).copied();
            }
            let shop = frame.tenant;
            let manner = pick(MANNERS, rng);
            rng.random_bool(0.85)
                .then(|| format!("You answer customers of the online shop {shop}. {manner}"))
        }
        Kind::Extract { by_schema } => {
            request.max_output_tokens = rng.random_bool(0.5).then_some(WIDE_CAP);
            request.response_format = Some(task.format(by_schema));
            Some(task.instructions().to_owned())
        }
        Kind::Agent => {
            request.max_output_tokens = rng.random_bool(0.5).then_some(WIDE_CAP);
            request.tools = tools::offered();
            let shop = frame.tenant;
            let manner = pick(MANNERS, rng);
            Some(format!(
                "You are the service agent of {shop}. Use the tools for everything about an \
                 order; never guess. {manner}"
            ))
        }
    };
    request.messages.extend(instructions.map(|text| Message::text(Role::System, text)));
    request
}

/// An order number of its own for each of the first nine million sessions: 7919 has no factor in
/// common with their number.
fn order_number(seed: u64, session: usize) -> String {
    const COUNT: u64 = 9_000_000;
    let place = (seed % COUNT + (session as u64 % COUNT) * 7919) % COUNT;
    format!("R-{}", place + 1_000_000)
}
