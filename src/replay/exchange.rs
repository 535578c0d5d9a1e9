//! What one attempt brought, and when.

use std::time::{Duration, Instant};

use super::clock::ms;
use crate::chat::{ChatResponse, ErrorClass};

/// What one attempt brought. Offsets count from the moment of sending.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// When the request went to its open connection; when the attempt began, if it never did.
    pub sent: Option<Instant>,
    /// From sending to the end.
    pub latency: Duration,
    /// To the status and headers.
    pub headers: Option<Duration>,
    /// To the first byte of the body.
    pub first_byte: Option<Duration>,
    /// To the first event of a stream, whatever it carries.
    pub first_event: Option<Duration>,
    /// To each event with output.
    pub events: Vec<Duration>,
    /// To the first event with output other than reasoning.
    pub first_answer: Option<Duration>,
    /// To the last event that stated token counts.
    pub usage: Option<Duration>,
    /// To the event that stated the reason of the end.
    pub finish: Option<Duration>,
    /// To the protocol's own end of the answer.
    pub terminator: Option<Duration>,
    /// To the end of the body, if it came.
    pub close: Option<Duration>,
    /// How long it took to open the connection, where the attempt opened one.
    pub connect: Option<Duration>,
    /// Time spent in this program on what had been received.
    pub overhead: Duration,
    /// The most by which the event loop was late while the attempt was under way.
    pub event_loop_lag: Option<Duration>,
    /// The same until the first event with output.
    pub first_token_lag: Option<Duration>,
    /// Whether no byte of the request can have left.
    pub never_left: bool,
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
    /// Whether the attempt found an open connection.
    pub connection_reused: Option<bool>,
}

/// Mean, 99th percentile and maximum of the gaps between events, in ms.
pub(super) fn gaps_ms(events: &[Duration]) -> Option<(f64, f64, f64)> {
    let mut gaps: Vec<f64> =
        events.windows(2).map(|pair| ms(pair[1].saturating_sub(pair[0]))).collect();
    if gaps.is_empty() {
        return None;
    }
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let rank = (gaps.len() as f64 * 0.99).ceil() as usize;
    let place = rank.clamp(1, gaps.len()) - 1;
    let (_, p99, above) = gaps.select_nth_unstable_by(place, f64::total_cmp);
    let max = above.iter().copied().fold(*p99, f64::max);
    Some((mean, *p99, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_between_events_and_their_percentile_is_one_of_them() {
        assert_eq!(gaps_ms(&[Duration::from_millis(5)]), None);
        let mut events = vec![Duration::ZERO];
        for gap in [3, 1, 2] {
            events.push(events[events.len() - 1] + Duration::from_millis(gap));
        }
        assert_eq!(gaps_ms(&events), Some((2.0, 3.0, 3.0)));
        let even: Vec<Duration> = (0..=200).map(Duration::from_millis).collect();
        assert_eq!(gaps_ms(&even), Some((1.0, 1.0, 1.0)));
        let mut late = even;
        late.push(Duration::from_millis(700));
        let (_, p99, max) = gaps_ms(&late).unwrap();
        assert_eq!((p99, max), (1.0, 500.0));
    }
}
