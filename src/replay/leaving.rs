//! When a request really leaves: connection set-up is told apart from the request.
//!
//! The HTTP client takes a request before it has a connection for it. Two marks separate what it
//! does from what the provider does. The connector reports how long a connection took that was
//! opened for the attempt: name lookup, TCP, TLS and, through a proxy, the tunnel. The body
//! reports when it is first asked for, which the client does when it writes the request to an open
//! connection. That moment is the moment of sending; every offset of an attempt counts from it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tower_layer::Layer;
use tower_service::Service;

tokio::task_local! {
    /// The attempt for which a connection may be opened.
    static OPENING: Arc<Leaving>;
}

/// What is known of the way of one request to the provider.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    sent: OnceLock<Instant>,
    connect: OnceLock<Duration>,
    opened: OnceLock<Duration>,
}

impl Leaving {
    /// When the request was written to its connection; absent while it was not.
    pub(super) fn sent(&self) -> Option<Instant> {
        self.sent.get().copied()
    }

    /// How long it took to open the request's own connection; absent if it found an open one.
    pub(super) fn opened(&self) -> Option<Duration> {
        self.opened.get().copied()
    }

    /// Runs the sending of the request; connections that it opens report here.
    pub(super) async fn watch<F: Future>(self: Arc<Self>, sending: F) -> F::Output {
        OPENING.scope(self, sending).await
    }

    /// The client opens a connection even if it then finds one that has become free. Only one that
    /// is ready when the request leaves can be the request's own.
    fn leaves(&self, now: Instant) {
        if self.sent.set(now).is_ok()
            && let Some(took) = self.connect.get()
        {
            let _ = self.opened.set(*took);
        }
    }
}

/// The body of a request, which notes when it is asked for.
pub(super) struct LeavingBody {
    bytes: Option<Bytes>,
    leaving: Arc<Leaving>,
}

impl LeavingBody {
    /// A body that reports to `leaving`.
    pub(super) fn new(bytes: Vec<u8>, leaving: Arc<Leaving>) -> Self {
        LeavingBody { bytes: Some(bytes.into()), leaving }
    }
}

impl Body for LeavingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.bytes.take();
        if bytes.is_some() {
            self.leaving.leaves(Instant::now());
        }
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// Wraps the client's connector, so that it tells how long it took.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeConnections;

impl<S> Layer<S> for TimeConnections {
    type Service = TimedConnector<S>;

    fn layer(&self, connector: S) -> TimedConnector<S> {
        TimedConnector { connector }
    }
}

/// A connector that tells how long it took.
#[derive(Debug, Clone)]
pub(super) struct TimedConnector<S> {
    connector: S,
}

impl<S, Target> Service<Target> for TimedConnector<S>
where
    S: Service<Target>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, target: Target) -> Self::Future {
        let attempt = OPENING.try_with(Arc::clone).ok();
        let began = Instant::now();
        let connecting = self.connector.call(target);
        Box::pin(async move {
            let connection = connecting.await?;
            if let Some(attempt) = attempt {
                let _ = attempt.connect.set(began.elapsed());
            }
            Ok(connection)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connection_that_is_there_when_the_request_leaves_is_its_own() {
        let leaving = Leaving::default();
        assert_eq!((leaving.sent(), leaving.opened()), (None, None));
        let now = Instant::now();
        leaving.leaves(now);
        leaving.connect.set(Duration::from_millis(3)).unwrap();
        assert_eq!((leaving.sent(), leaving.opened()), (Some(now), None));

        let leaving = Leaving::default();
        leaving.connect.set(Duration::from_millis(3)).unwrap();
        leaving.leaves(now);
        assert_eq!(leaving.opened(), Some(Duration::from_millis(3)));
    }

    #[tokio::test]
    async fn the_request_leaves_when_its_body_is_asked_for() {
        let leaving = Arc::new(Leaving::default());
        let mut body = std::pin::pin!(LeavingBody::new(b"abc".to_vec(), leaving.clone()));
        assert_eq!(body.size_hint().exact(), Some(3));
        assert!(leaving.sent().is_none() && !body.is_end_stream());
        let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await;
        assert_eq!(frame.unwrap().unwrap().into_data().unwrap(), "abc");
        assert!(leaving.sent().is_some() && body.is_end_stream());
    }

    #[tokio::test]
    async fn a_connection_is_timed_for_the_attempt_that_opens_it() {
        struct Slow;
        impl Service<u8> for Slow {
            type Response = u8;
            type Error = Infallible;
            type Future = Pin<Box<dyn Future<Output = Result<u8, Infallible>> + Send>>;
            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }
            fn call(&mut self, target: u8) -> Self::Future {
                Box::pin(async move {
                    tokio::task::yield_now().await;
                    Ok(target)
                })
            }
        }
        let mut connector = TimeConnections.layer(Slow);
        assert_eq!(connector.call(7).await, Ok(7));
        let attempt = Arc::new(Leaving::default());
        let other = Arc::new(Leaving::default());
        assert_eq!(attempt.clone().watch(async { connector.call(8).await }).await, Ok(8));
        assert!(attempt.connect.get().is_some());
        assert!(other.connect.get().is_none());
    }
}
