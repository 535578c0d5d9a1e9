//! Answers from bytes, however these are cut, with the counts that the caller's clock needs.

use std::ops::Range;

use serde_json::value::RawValue;

use crate::chat::{ChatResponse, ErrorClass};

use super::error::{ProviderError, excerpt};
use super::repeated::Repeated;
use super::sse::SseParser;

/// The most that an answer in one piece may hold, in bytes.
const MAX_BODY_BYTES: usize = 64 << 20;

/// What a run of bytes meant to the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Events that carried output of the model: text, reasoning, refusal, tool name or arguments.
    pub output_events: u32,
    /// The same without reasoning.
    pub answer_events: u32,
    /// Events of any kind, the terminator too; comments, which keep a connection open, are none.
    pub events: u32,
    /// Whether an event stated token counts that were not known before.
    pub usage: bool,
    /// Whether an event stated the reason of the end, for the first time.
    pub finish: bool,
    /// Whether the protocol's terminator has been seen, now or before.
    pub finished: bool,
}

/// An answer as far as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// What was received, complete or not.
    pub response: ChatResponse,
    /// What went wrong, if anything did.
    pub error: Option<ProviderError>,
    /// Whether the answer reached its end: the terminator of a stream, valid JSON otherwise.
    pub complete: bool,
}

/// Turns the bytes of one successful HTTP answer into a response.
pub trait Decoder {
    /// Takes the next bytes, cut anywhere.
    fn push(&mut self, bytes: &[u8]) -> Progress;

    /// Says what all the bytes amounted to.
    fn finish(self: Box<Self>) -> Decoded;
}

/// What one event meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing that a clock cares about.
    Nothing,
    /// Output that is reasoning alone.
    Reasoning,
    /// Output that belongs to the answer.
    Answer,
    /// Output that is one more piece of the answer's text and nothing else. The piece stands
    /// unescaped in this place of the data, and any other piece there would be read alike.
    Text(Range<usize>),
    /// The terminator.
    Finished,
    /// The provider reports a failure.
    Failed(ProviderError),
}

/// The protocol's part of a stream decoder.
pub(super) trait Events {
    /// Folds one event's data into the response, token counts as soon as they are stated; `Err` if
    /// it is not what the protocol allows.
    fn event(
        &mut self,
        data: &[u8],
        response: &mut ChatResponse,
    ) -> Result<Step, serde_json::Error>;

    /// Whether the stream may end here, in a protocol that ends without a terminator.
    fn may_end(&self) -> bool {
        false
    }

    /// Completes what only the end of the stream settles.
    fn end(self, response: &mut ChatResponse);
}

/// Reads a whole body: the response, or the error that it reports.
pub(super) type ReadBody = fn(&[u8]) -> Result<ChatResponse, ProviderError>;

/// A decoder of a stream of server-sent events.
pub(super) struct StreamDecoder<E> {
    events: E,
    read_body: ReadBody,
    sse: SseParser,
    state: State,
    /// Bytes of an answer that turned out to be no stream.
    body: Option<BodyDecoder>,
    begun: bool,
}

#[derive(Default)]
struct State {
    response: ChatResponse,
    repeated: Repeated,
    failure: Option<ProviderError>,
    finished: bool,
}

impl<E: Events> StreamDecoder<E> {
    pub(super) fn new(events: E, read_body: ReadBody) -> Self {
        let (sse, state) = (SseParser::default(), State::default());
        StreamDecoder { events, read_body, sse, state, body: None, begun: false }
    }

    fn push_events(&mut self, bytes: &[u8]) -> Progress {
        let mut progress = Progress::default();
        let (events, state) = (&mut self.events, &mut self.state);
        let read = self.sse.push(bytes, |data| state.take(events, data, &mut progress));
        if read.is_err() && !state.finished {
            state.fail(ProviderError::protocol("an event of the stream is over 1 MiB"));
        }
        progress.finished = state.finished;
        progress
    }

    fn conclude(self) -> Decoded {
        let State { mut response, failure, finished, .. } = self.state;
        let finished = finished || (failure.is_none() && self.events.may_end());
        self.events.end(&mut response);
        let error = failure.or_else(|| {
            let message = "the stream ended before its terminator".to_owned();
            let class = ErrorClass::StreamTruncated;
            (!finished).then_some(ProviderError { class, message, code: None })
        });
        Decoded { response, error, complete: finished }
    }

    /// Reads a recorded stream, whose end a log writer may have trimmed.
    ///
    /// Some log writers keep the events alone: as a list, or one after the other. An answer in one
    /// piece may stand in the place of a stream, too.
    pub(super) fn assemble(mut self, recorded: &[u8]) -> Decoded {
        let text = recorded.trim_ascii_start();
        match text.first() {
            Some(b'[') => return self.assemble_values(text.get(1..).unwrap_or_default()),
            Some(b'{') => {
                return match (self.read_body)(text) {
                    Ok(response) => Decoded { response, error: None, complete: true },
                    Err(_) => self.assemble_values(text),
                };
            }
            _ => {}
        }
        self.push_events(recorded);
        if let Some(tail) = self.sse.take_unterminated()
            && !self.state.finished
            && let Ok(step) = self.events.event(&tail, &mut self.state.response)
        {
            self.state.step(step, &mut Progress::default());
        }
        self.conclude()
    }

    /// Reads events without their frame, up to the place where the record was cut.
    fn assemble_values(mut self, mut text: &[u8]) -> Decoded {
        let between = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        loop {
            let start = text.iter().position(|byte| !between(byte)).unwrap_or(text.len());
            text = text.get(start..).unwrap_or_default();
            let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
            let Some(Ok(event)) = values.next() else { break };
            text = text.get(values.byte_offset()..).unwrap_or_default();
            let (events, state) = (&mut self.events, &mut self.state);
            state.take(events, event.get().as_bytes(), &mut Progress::default());
        }
        self.conclude()
    }
}

impl State {
    fn take(&mut self, events: &mut impl Events, data: &[u8], progress: &mut Progress) {
        if self.finished {
            return;
        }
        progress.events += 1;
        if let Some(text) = self.repeated.text_of(data) {
            self.response.text.push_str(text);
            self.step(Step::Answer, progress);
            return;
        }
        let usage = self.response.usage;
        let has_ended = self.response.finish_reason.is_some();
        let read = events.event(data, &mut self.response);
        progress.usage |= self.response.usage != usage;
        progress.finish |= !has_ended && self.response.finish_reason.is_some();
        match read {
            Ok(Step::Text(place)) => {
                self.repeated.learn(data, place);
                self.step(Step::Answer, progress);
            }
            Ok(step) => self.step(step, progress),
            Err(error) => {
                let place = error.column();
                self.fail(ProviderError::protocol(&format!(
                    "an event of the stream is not what the protocol allows (byte {place})"
                )));
            }
        }
    }

    fn step(&mut self, step: Step, progress: &mut Progress) {
        match step {
            Step::Nothing => {}
            Step::Reasoning => progress.output_events += 1,
            Step::Answer | Step::Text(_) => {
                progress.output_events += 1;
                progress.answer_events += 1;
            }
            Step::Finished => self.finished = true,
            Step::Failed(error) => self.fail(error),
        }
    }

    /// Keeps the first failure, which is the cause of those after it.
    fn fail(&mut self, error: ProviderError) {
        self.failure.get_or_insert(error);
    }
}

impl<E: Events> Decoder for StreamDecoder<E> {
    fn push(&mut self, bytes: &[u8]) -> Progress {
        // Some servers answer a streaming request in one piece, errors above all, and proxies
        // with a page.
        if !self.begun
            && let Some(first) = bytes.iter().find(|byte| !byte.is_ascii_whitespace())
        {
            self.begun = true;
            self.body = matches!(first, b'{' | b'<').then(|| BodyDecoder::new(self.read_body));
        }
        match &mut self.body {
            Some(body) => body.push(bytes),
            None => self.push_events(bytes),
        }
    }

    fn finish(self: Box<Self>) -> Decoded {
        match self.body {
            Some(body) => Box::new(body).finish(),
            None => self.conclude(),
        }
    }
}

/// A decoder of an answer in one piece.
pub(super) struct BodyDecoder {
    read: ReadBody,
    bytes: Vec<u8>,
    too_long: bool,
}

impl BodyDecoder {
    pub(super) fn new(read: ReadBody) -> Self {
        BodyDecoder { read, bytes: Vec::new(), too_long: false }
    }
}

impl Decoder for BodyDecoder {
    fn push(&mut self, bytes: &[u8]) -> Progress {
        self.too_long |= self.bytes.len() + bytes.len() > MAX_BODY_BYTES;
        if !self.too_long {
            self.bytes.extend_from_slice(bytes);
        }
        Progress::default()
    }

    fn finish(self: Box<Self>) -> Decoded {
        let read = if self.too_long {
            Err(ProviderError::protocol("the answer is over 64 MiB"))
        } else {
            (self.read)(&self.bytes)
        };
        match read {
            Ok(response) => Decoded { response, error: None, complete: true },
            Err(error) => {
                let response = ChatResponse::default();
                Decoded { response, error: Some(error), complete: false }
            }
        }
    }
}

/// Says that a body in one piece is not JSON, without repeating it.
pub(super) fn not_json(bytes: &[u8]) -> ProviderError {
    let message = format!("the answer is not JSON ({} bytes)", bytes.len());
    ProviderError { class: ErrorClass::Protocol, message: excerpt(&message), code: None }
}
