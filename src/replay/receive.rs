//! Reads the answer of one attempt and takes the time of everything that arrives.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep_until};

use super::client::classify_transport;
use super::exchange::Exchange;
use super::leaving::Leaving;
use crate::chat::ErrorClass;
use crate::plan::Timeouts;
use crate::provider::{self, Decoder, Progress, Protocol};

/// Most bytes of an answer that are read.
const MAX_BODY_BYTES: usize = 32 << 20;

/// Most events with output that an answer may have.
const MAX_EVENTS: usize = 200_000;

/// Most bytes of an error body that are looked at.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// How long the end of a body is waited for after the end of the answer.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// What an attempt's answer is read by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// The protocol of the arm.
    pub(super) protocol: Protocol,
    /// Whether a stream was asked for.
    pub(super) stream: bool,
    /// How long what may take.
    pub(super) timeouts: Timeouts,
    /// Wall time, milliseconds since 1970, for waits that the provider states as dates.
    pub(super) now_ms: i64,
}

/// One answer on its way.
pub(super) struct Receiving<'a> {
    expected: Expected,
    leaving: &'a Arc<Leaving>,
    began: Instant,
    last_output: Option<Instant>,
    alarm: Alarm,
    exchange: &'a mut Exchange,
}

type Failure = (ErrorClass, String);

impl<'a> Receiving<'a> {
    /// An answer to a request that is about to be handed to the HTTP client.
    pub(super) fn new(
        expected: Expected,
        leaving: &'a Arc<Leaving>,
        began: Instant,
        exchange: &'a mut Exchange,
    ) -> Self {
        let alarm = Alarm::at(began + expected.timeouts.total);
        Receiving { expected, leaving, began, last_output: None, alarm, exchange }
    }

    /// Sends the request and reads its answer to the end.
    pub(super) async fn run(mut self, http: &reqwest::Client, request: reqwest::Request) {
        let sending = self.leaving.clone().watch(http.execute(request));
        let due = due(self.expected, self.leaving, self.began, None);
        let mut response = match self.alarm.before(&due, sending).await {
            Some(Ok(response)) => response,
            Some(Err(failure)) => {
                self.exchange.error = Some(classify_transport(&failure));
                return;
            }
            None => {
                self.exchange.error = Some(self.timed_out());
                return;
            }
        };
        self.exchange.headers = Some(self.since_sent(Instant::now()));
        self.read_head(&response);
        if !response.status().is_success() {
            self.read_error(response).await;
            return;
        }
        // What is an answer, an error or a page shows in the body: content types are often wrong.
        let mut decoder = provider::decoder(self.expected.protocol, self.expected.stream);
        let failure = self.read_body(&mut response, decoder.as_mut()).await;
        let began = Instant::now();
        let answer = decoder.finish();
        self.exchange.overhead += began.elapsed();
        self.exchange.response = answer.response;
        // The terminator was seen: what the connection did afterwards does not matter.
        self.exchange.error = match (failure, answer.error) {
            (_, None) if answer.complete => None,
            (Some(failure), _) => Some(failure),
            (None, Some(error)) => Some((error.class, error.message)),
            (None, None) => None,
        };
    }

    /// The moment from which offsets count.
    fn since_sent(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.leaving.sent().unwrap_or(self.began))
    }

    fn read_head(&mut self, response: &reqwest::Response) {
        let headers = response.headers();
        let lookup =
            |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        self.exchange.status = Some(response.status().as_u16());
        // Moments that the answer names are held against its own, not that of sending.
        let waited_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let now_ms = self.expected.now_ms.saturating_add(waited_ms);
        self.exchange.retry_after_ms = provider::retry_after_ms(&lookup, now_ms).or_else(|| {
            let is_limited = response.status() == reqwest::StatusCode::TOO_MANY_REQUESTS;
            is_limited.then(|| provider::rate_limit_reset_ms(&lookup, now_ms)).flatten()
        });
        self.exchange.provider_request_id =
            provider::provider_request_id_headers(self.expected.protocol)
                .iter()
                .find_map(|name| lookup(name));
    }

    async fn read_error(&mut self, mut response: reqwest::Response) {
        let mut body = Vec::new();
        let Timeouts { total, idle, .. } = self.expected.timeouts;
        // The status has said that it failed; its reason is not worth the whole of the time.
        let deadline =
            (self.leaving.sent().unwrap_or(self.began) + total).min(Instant::now() + idle);
        while let Some(Ok(Some(bytes))) = self.alarm.before(&|| deadline, response.chunk()).await {
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
        let error = provider::classify(self.expected.protocol, status, &lookup, &body);
        self.exchange.error = Some((error.class, error.message));
    }

    async fn read_body(
        &mut self,
        response: &mut reqwest::Response,
        decoder: &mut (dyn Decoder + Send),
    ) -> Option<Failure> {
        let mut bytes_read = 0;
        loop {
            let due = due(self.expected, self.leaving, self.began, self.last_output);
            let bytes = match self.alarm.before(&due, response.chunk()).await {
                Some(Ok(Some(bytes))) => bytes,
                Some(Ok(None)) => {
                    self.exchange.close = Some(self.since_sent(Instant::now()));
                    return None;
                }
                Some(Err(failure)) => return Some(classify_transport(&failure)),
                None => return Some(self.timed_out()),
            };
            // Before anything is done with it: what follows is ours, not the provider's.
            let arrived = Instant::now();
            let progress = decoder.push(&bytes);
            self.note(arrived, progress);
            self.exchange.overhead += arrived.elapsed();
            bytes_read += bytes.len();
            if self.exchange.events.len() > MAX_EVENTS {
                let message = format!("the answer has more than {MAX_EVENTS} events");
                return Some((ErrorClass::Protocol, message));
            }
            if bytes_read > MAX_BODY_BYTES {
                let message = format!("the answer exceeds {MAX_BODY_BYTES} bytes");
                return Some((ErrorClass::Protocol, message));
            }
            if progress.finished {
                self.exchange.terminator = Some(self.since_sent(arrived));
                self.await_close(response).await;
                return None;
            }
        }
    }

    fn note(&mut self, arrived: Instant, progress: Progress) {
        let offset = self.since_sent(arrived);
        let exchange = &mut *self.exchange;
        exchange.first_byte.get_or_insert(offset);
        if progress.events > 0 {
            exchange.first_event.get_or_insert(offset);
        }
        for _ in 0..progress.output_events {
            exchange.events.push(offset);
        }
        if progress.output_events > 0 {
            self.last_output = Some(arrived);
        }
        if progress.answer_events > 0 {
            exchange.first_answer.get_or_insert(offset);
        }
        if progress.usage {
            exchange.usage = Some(offset);
        }
        if progress.finish {
            exchange.finish = Some(offset);
        }
    }

    /// Reads the end of a finished answer, without which its connection could not be used again.
    async fn await_close(&mut self, response: &mut reqwest::Response) {
        let deadline = Instant::now() + CLOSE_WITHIN;
        loop {
            match self.alarm.before(&|| deadline, response.chunk()).await {
                Some(Ok(Some(_))) => {}
                Some(Ok(None)) => {
                    self.exchange.close = Some(self.since_sent(Instant::now()));
                    return;
                }
                Some(Err(_)) | None => return,
            }
        }
    }

    fn timed_out(&self) -> Failure {
        let total = self.leaving.sent().unwrap_or(self.began) + self.expected.timeouts.total;
        let wanted = due(self.expected, self.leaving, self.began, self.last_output)();
        match (wanted < total, self.last_output.is_some()) {
            (false, _) => (ErrorClass::TimeoutTotal, "the attempt took too long".to_owned()),
            (true, false) => (ErrorClass::TimeoutFirstToken, "no output in time".to_owned()),
            (true, true) => (ErrorClass::TimeoutIdle, "the stream stood still".to_owned()),
        }
    }
}

/// Until when something must arrive; asked again when that time has come, since the moment of
/// sending may have become known meanwhile.
fn due(
    expected: Expected,
    leaving: &Leaving,
    began: Instant,
    last_output: Option<Instant>,
) -> impl Fn() -> Instant {
    let Expected { stream, timeouts, .. } = expected;
    move || {
        let sent = leaving.sent().unwrap_or(began);
        let wanted = match (stream, last_output) {
            (false, _) => timeouts.total,
            (true, None) => timeouts.first_token,
            (true, Some(last)) => last.saturating_duration_since(sent) + timeouts.idle,
        };
        sent + wanted.min(timeouts.total)
    }
}

/// A timer for a deadline that moves with every piece of an answer.
///
/// It is set anew only when the deadline comes nearer or has passed it, because a timer a piece
/// costs more than decoding the piece.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    fn at(moment: Instant) -> Self {
        Alarm { sleep: Box::pin(sleep_until(moment.into())) }
    }

    /// Waits for something until `due`; `None` if it does not come in time.
    async fn before<F: Future>(
        &mut self,
        due: &impl Fn() -> Instant,
        awaited: F,
    ) -> Option<F::Output> {
        let mut awaited = std::pin::pin!(awaited);
        let first = tokio::time::Instant::from_std(due());
        if first < self.sleep.deadline() {
            self.sleep.as_mut().reset(first);
        }
        loop {
            tokio::select! {
                biased;
                output = &mut awaited => return Some(output),
                () = self.sleep.as_mut() => {
                    let due = tokio::time::Instant::from_std(due());
                    if due <= tokio::time::Instant::now() {
                        return None;
                    }
                    self.sleep.as_mut().reset(due);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected = Expected {
        protocol: Protocol::OpenAiChat,
        stream: true,
        timeouts: Timeouts {
            connect: Duration::from_secs(1),
            first_token: Duration::from_secs(100),
            idle: Duration::from_secs(10),
            total: Duration::from_secs(105),
        },
        now_ms: 0,
    };

    #[test]
    fn silence_is_allowed_for_less_time_once_output_has_come() {
        let (leaving, began) = (Leaving::default(), Instant::now());
        let after = |expected: Expected, last: Option<u64>| {
            let last = last.map(|seconds| began + Duration::from_secs(seconds));
            due(expected, &leaving, began, last)().duration_since(began).as_secs()
        };
        assert_eq!(after(EXPECTED, None), 100);
        assert_eq!(after(EXPECTED, Some(3)), 13);
        assert_eq!(after(EXPECTED, Some(99)), 105);
        assert_eq!(after(Expected { stream: false, ..EXPECTED }, None), 105);
    }

    #[tokio::test]
    async fn an_alarm_asks_for_the_deadline_again_when_it_rings() {
        let (now, hour) = (Instant::now(), Duration::from_hours(1));
        // Set for later, it rings at once if the deadline has come nearer.
        let mut alarm = Alarm::at(now + hour);
        assert_eq!(alarm.before(&|| now, std::future::pending::<()>()).await, None);
        // Something that is there is taken, however late it is.
        let mut alarm = Alarm::at(now + hour);
        assert_eq!(alarm.before(&|| now, std::future::ready(7)).await, Some(7));
        // It rings, but the deadline has moved on, so it is set anew.
        let mut alarm = Alarm::at(now);
        let asked = std::cell::Cell::new(0);
        let due = || {
            asked.set(asked.get() + 1);
            if asked.get() == 1 { now } else { now + hour }
        };
        let rung = async {
            while asked.get() < 2 {
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(alarm.before(&due, rung).await, Some(()));
        assert_eq!(alarm.sleep.deadline().into_std(), now + hour);
    }
}
