//! A response body whose pieces leave at planned times.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep, sleep_until};

use super::socket::Connection;

/// What happens at a planned time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// These bytes leave, as a write of their own.
    Send(Bytes),
    /// The connection is closed although the body is not complete.
    Abort,
    /// The connection is reset.
    Reset,
}

/// The planned body. `guard` is dropped with it, when the answer is over or abandoned.
pub(super) struct TimedBody<G> {
    steps: VecDeque<(Instant, Step)>,
    sleep: Pin<Box<Sleep>>,
    connection: Arc<Connection>,
    /// Set after each piece: pending once makes the server flush before the next one.
    flush: bool,
    _guard: G,
}

impl<G> TimedBody<G> {
    pub(super) fn new(
        steps: VecDeque<(Instant, Step)>,
        connection: Arc<Connection>,
        guard: G,
    ) -> Self {
        let first = steps.front().map_or_else(Instant::now, |(at, _)| *at);
        let sleep = Box::pin(sleep_until(first));
        TimedBody { steps, sleep, connection, flush: false, _guard: guard }
    }
}

impl<G: Unpin> Body for TimedBody<G> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.flush {
            self.flush = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some((at, _)) = self.steps.front() else { return Poll::Ready(None) };
        let at = *at;
        if self.sleep.deadline() != at {
            self.sleep.as_mut().reset(at);
        }
        ready!(self.sleep.as_mut().poll(context));
        self.flush = true;
        Poll::Ready(match self.steps.pop_front() {
            Some((_, Step::Send(bytes))) => Some(Ok(Frame::data(bytes))),
            Some((_, Step::Abort)) => Some(Err(io::ErrorKind::ConnectionAborted.into())),
            Some((_, Step::Reset)) => {
                self.connection.reset_on_close();
                Some(Err(io::ErrorKind::ConnectionReset.into()))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }
}
