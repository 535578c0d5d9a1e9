//! When each byte of an answer leaves, and what a fault does to it.

use bytes::Bytes;
use serde_json::Value;

use super::body::Step;
use super::dialect::{ApiError, Dialect};
use super::fault::{Fault, FaultModel};
use super::pieces::{Events, Reply};
use super::{anthropic, openai};

/// What leaves and when, in milliseconds after arrival, before scaling.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) steps: Vec<(f64, Step)>,
    /// The body's length, where it is one document.
    pub(super) length: Option<usize>,
    /// Pieces of output among the steps; 0 for a document.
    pub(super) chunks: u64,
}

/// The fault that cuts into an answer, and its settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interference<'a> {
    pub(super) fault: Option<Fault>,
    pub(super) faults: &'a FaultModel,
    pub(super) request_id: &'a str,
}

impl Interference<'_> {
    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn stall_ms(&self) -> f64 {
        if self.is(Fault::Stall) { self.faults.stall_ms } else { 0.0 }
    }
}

/// The events of a reply, in its dialect.
pub(super) fn events(dialect: Dialect, reply: &Reply) -> Events {
    match dialect {
        Dialect::OpenAi => openai::events(reply),
        Dialect::Anthropic => anthropic::events(reply),
    }
}

/// An answer as a stream: piece `i` leaves at `offsets_ms[i]`.
pub(super) fn streamed(
    dialect: Dialect,
    events: Events,
    offsets_ms: &[f64],
    interference: Interference<'_>,
) -> Layout {
    let total = events.pieces.len();
    let breaks = [Fault::Cut, Fault::StreamError, Fault::Ping, Fault::EndlessLine, Fault::Flood]
        .iter()
        .any(|fault| interference.is(*fault));
    let after = interference.faults.after_chunks as usize;
    let sent = if breaks { total.min(after) } else { total };
    let last_ms = offsets_ms.last().copied().unwrap_or(0.0);
    let at = |index: usize| {
        let stalled_ms = if index >= after.min(total) { interference.stall_ms() } else { 0.0 };
        offsets_ms.get(index).copied().unwrap_or(last_ms) + stalled_ms
    };
    let mut steps: Vec<(f64, Step)> =
        events.lead.into_iter().map(|event| (0.0, send(event))).collect();
    for (index, piece) in events.pieces.into_iter().take(sent).enumerate() {
        steps.extend(piece.into_iter().map(|event| (at(index), send(event))));
    }
    let end_ms = at(sent);
    if interference.is(Fault::StreamError) {
        steps.push((end_ms, send(error_event(dialect, interference.request_id))));
    } else if interference.is(Fault::Cut) {
        // A clean end needs a step as well, so that it comes at its time.
        let end = if interference.faults.cut_resets_connection {
            Step::Abort
        } else {
            Step::Send(Bytes::new())
        };
        steps.push((end_ms, end));
    } else if !breaks {
        steps.extend(events.tail.into_iter().map(|event| (end_ms, send(event))));
    }
    Layout { steps, length: None, chunks: sent as u64 }
}

/// An answer as one document, when its last piece would have left.
pub(super) fn document(
    dialect: Dialect,
    reply: &Reply,
    offsets_ms: &[f64],
    interference: Interference<'_>,
) -> Layout {
    let document = match dialect {
        Dialect::OpenAi => openai::document(reply),
        Dialect::Anthropic => anthropic::document(reply),
    };
    let at_ms = offsets_ms.last().copied().unwrap_or(0.0) + interference.stall_ms();
    let mut layout = whole(&document, at_ms);
    if interference.is(Fault::Cut) {
        let text = Bytes::from(document.to_string());
        let half = text.slice(..text.len() / 2);
        layout.steps = vec![(at_ms, Step::Send(half)), (at_ms, Step::Abort)];
    } else if [Fault::Ping, Fault::EndlessLine, Fault::Flood]
        .iter()
        .any(|fault| interference.is(*fault))
    {
        // Whatever takes the document's place comes at its time.
        layout = Layout { steps: vec![(at_ms, Step::Send(Bytes::new()))], ..Layout::default() };
    }
    layout
}

/// One document at one time.
fn whole(document: &Value, at_ms: f64) -> Layout {
    text(document.to_string(), at_ms)
}

/// One text at one time.
pub(super) fn text(text: String, at_ms: f64) -> Layout {
    let length = Some(text.len());
    Layout { steps: vec![(at_ms, send(text))], length, chunks: 0 }
}

fn error_event(dialect: Dialect, request_id: &str) -> String {
    match dialect {
        Dialect::OpenAi => {
            let error = ApiError::new(500, "the server had an error while answering");
            openai::error_event(&error, request_id)
        }
        Dialect::Anthropic => anthropic::error_event(&ApiError::new(529, "Overloaded"), request_id),
    }
}

fn send(text: String) -> Step {
    Step::Send(Bytes::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(fault: Option<Fault>, resets: bool) -> (Vec<(f64, String)>, u64) {
        let events = Events {
            lead: vec!["L".into()],
            pieces: vec![vec!["a".into()], vec!["b".into()], vec!["c".into()]],
            tail: vec!["T".into()],
        };
        let faults = FaultModel {
            after_chunks: 2,
            stall_ms: 500.0,
            cut_resets_connection: resets,
            ..FaultModel::default()
        };
        let interference = Interference { fault, faults: &faults, request_id: "r" };
        let layout = streamed(Dialect::OpenAi, events, &[10.0, 20.0, 30.0], interference);
        let show = |step: Step| match step {
            Step::Send(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Step::Abort | Step::Reset => "abort".to_owned(),
        };
        (layout.steps.into_iter().map(|(at_ms, step)| (at_ms, show(step))).collect(), layout.chunks)
    }

    fn steps(list: &[(f64, &str)]) -> Vec<(f64, String)> {
        list.iter().map(|(at_ms, text)| (*at_ms, (*text).to_owned())).collect()
    }

    #[test]
    fn a_sound_stream_ends_with_its_terminator_at_the_last_piece() {
        let expected = steps(&[(0.0, "L"), (10.0, "a"), (20.0, "b"), (30.0, "c"), (30.0, "T")]);
        assert_eq!(layout(None, false), (expected, 3));
    }

    #[test]
    fn a_stall_moves_everything_after_its_place() {
        let expected = steps(&[(0.0, "L"), (10.0, "a"), (20.0, "b"), (530.0, "c"), (530.0, "T")]);
        assert_eq!(layout(Some(Fault::Stall), false), (expected, 3));
    }

    #[test]
    fn a_cut_stream_ends_without_its_terminator() {
        let clean = steps(&[(0.0, "L"), (10.0, "a"), (20.0, "b"), (30.0, "")]);
        assert_eq!(layout(Some(Fault::Cut), false), (clean, 2));
        let reset = steps(&[(0.0, "L"), (10.0, "a"), (20.0, "b"), (30.0, "abort")]);
        assert_eq!(layout(Some(Fault::Cut), true), (reset, 2));
    }

    #[test]
    fn a_stream_error_takes_the_place_of_the_terminator() {
        let (steps, chunks) = layout(Some(Fault::StreamError), false);
        let (at_ms, last) = steps.last().cloned().expect("is not empty");
        assert_eq!((at_ms, chunks), (30.0, 2));
        assert!(last.contains("\"error\"") && !steps.iter().any(|(_, text)| text == "T"));
    }
}
