//! Answers that go wrong in ways of their own: trickles, pings, floods, and broken connections.

use bytes::Bytes;

use super::body::Step;
use super::dialect::Dialect;
use super::fault::FaultModel;
use super::layout::Layout;

/// Pings of an answer that has nothing else.
const PINGS: u32 = 3_600;

/// Pieces of a line that never ends, and the bytes of each: 40 MiB together.
const LINE_PIECES: usize = 640;
const LINE_PIECE_BYTES: usize = 64 << 10;

/// Events of a flood, and how many leave together.
const FLOOD_EVENTS: usize = 300_000;
const FLOOD_BATCH: usize = 500;

/// Every byte of an answer by itself, `every_ms` apart.
#[expect(clippy::needless_pass_by_value, reason = "one layout becomes another")]
pub(super) fn trickle(layout: Layout, every_ms: f64) -> Layout {
    let first_ms = layout.steps.first().map_or(0.0, |(at_ms, _)| *at_ms);
    let bytes: Vec<u8> = layout.steps.iter().flat_map(|(_, step)| sent(step).to_vec()).collect();
    let steps = bytes.chunks(1).enumerate().map(|(index, byte)| {
        (first_ms + every_ms * (index + 1) as f64, Step::Send(Bytes::copy_from_slice(byte)))
    });
    Layout { steps: steps.collect(), ..layout }
}

/// What was sent so far, and then nothing but signs of life.
pub(super) fn pings(begun: Layout, dialect: Dialect, stream: bool, every_ms: f64) -> Layout {
    let ping = match (stream, dialect) {
        (false, _) => Bytes::from_static(b"\n"),
        (true, Dialect::OpenAi) => Bytes::from_static(b": keep-alive\n\n"),
        (true, Dialect::Anthropic) => {
            Bytes::from_static(b"event: ping\ndata: {\"type\":\"ping\"}\n\n")
        }
    };
    let last_ms = begun.steps.last().map_or(0.0, |(at_ms, _)| *at_ms);
    let pings = (1..=PINGS).map(|n| (last_ms + every_ms * f64::from(n), Step::Send(ping.clone())));
    Layout { steps: begun.steps.into_iter().chain(pings).collect(), length: None, ..begun }
}

/// What was sent so far, and then a line without end.
pub(super) fn endless_line(begun: Layout, stream: bool) -> Layout {
    let at_ms = begun.steps.last().map_or(0.0, |(at_ms, _)| *at_ms);
    let opening: &'static [u8] = if stream { b"data: \"" } else { b"\"" };
    let piece = Bytes::from(vec![b'x'; LINE_PIECE_BYTES]);
    let mut steps = begun.steps;
    steps.push((at_ms, Step::Send(Bytes::from_static(opening))));
    steps.extend((0..LINE_PIECES).map(|_| (at_ms, Step::Send(piece.clone()))));
    Layout { steps, length: None, chunks: begun.chunks }
}

/// What was sent so far, and then far more events than any answer has.
pub(super) fn flood(begun: Layout, dialect: Dialect, text_bytes: u32) -> Layout {
    let at_ms = begun.steps.last().map_or(0.0, |(at_ms, _)| *at_ms);
    let text = "x".repeat(text_bytes as usize);
    let event = match dialect {
        Dialect::OpenAi => {
            format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
            )
        }
        Dialect::Anthropic => format!(
            "data: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
        ),
    };
    let batch = Bytes::from(event.repeat(FLOOD_BATCH));
    let mut steps = begun.steps;
    steps.extend((0..FLOOD_EVENTS / FLOOD_BATCH).map(|_| (at_ms, Step::Send(batch.clone()))));
    Layout { steps, length: None, chunks: begun.chunks + FLOOD_EVENTS as u64 }
}

/// An answer of which `faults.break_after_bytes`, or else a drawn share `draw` (0 to 1), leave
/// before `end` happens to the connection.
pub(super) fn broken(layout: Layout, faults: &FaultModel, draw: f64, end: Step) -> Layout {
    let total: u64 = layout.steps.iter().map(|(_, step)| sent(step).len() as u64).sum();
    let mut left = faults.break_after_bytes.unwrap_or((total as f64 * draw) as u64);
    let mut steps = Vec::new();
    let mut end_ms = 0.0;
    for (at_ms, step) in layout.steps {
        let bytes = sent(&step);
        let passed = bytes.slice(..bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
        left -= passed.len() as u64;
        end_ms = at_ms;
        let all = passed.len() == bytes.len();
        if !passed.is_empty() {
            steps.push((at_ms, Step::Send(passed)));
        }
        if left == 0 && (!all || !bytes.is_empty()) {
            break;
        }
    }
    steps.push((end_ms, end));
    Layout { steps, ..layout }
}

fn sent(step: &Step) -> Bytes {
    match step {
        Step::Send(bytes) => bytes.clone(),
        Step::Abort | Step::Reset => Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> Layout {
        let steps = [(1.0, "abc"), (2.0, "de"), (3.0, "f")]
            .map(|(at_ms, text)| (at_ms, Step::Send(Bytes::from_static(text.as_bytes()))));
        Layout { steps: steps.to_vec(), length: None, chunks: 3 }
    }

    fn text(layout: &Layout) -> String {
        let bytes = layout.steps.iter().flat_map(|(_, step)| sent(step).to_vec());
        String::from_utf8(bytes.collect()).expect("is text")
    }

    #[test]
    fn a_broken_answer_is_exactly_as_long_as_was_asked() {
        for bytes in 0..=6 {
            let faults = FaultModel { break_after_bytes: Some(bytes), ..FaultModel::default() };
            let broken = broken(layout(), &faults, 0.5, Step::Reset);
            assert_eq!(text(&broken), "abcdef"[..bytes as usize]);
            assert_eq!(broken.steps.last().map(|(_, step)| step), Some(&Step::Reset));
        }
        let drawn = broken(layout(), &FaultModel::default(), 0.5, Step::Abort);
        assert_eq!(text(&drawn), "abc");
    }

    #[test]
    fn a_trickle_holds_the_whole_answer_byte_by_byte() {
        let trickle = trickle(layout(), 5.0);
        assert_eq!((trickle.steps.len(), text(&trickle).as_str()), (6, "abcdef"));
        assert_eq!(trickle.steps.last().map(|(at_ms, _)| *at_ms), Some(31.0));
    }
}
