//! Streams of server-sent events.

use crate::pieces::pieces;
use crate::provider::{
    Decoded, Dialect, Progress, Protocol, assemble_stream, decoder, sniff_stream,
};

/// At how many places a stream is cut at most.
const CUTS: u64 = 12;

/// Reads the bytes as a recorded stream of every dialect, and as a live one of every protocol that
/// is spoken: however these are cut, the answer and the counts of the clock are the same.
pub fn sse(data: &[u8]) {
    for dialect in Dialect::ALL {
        let decoded = assemble_stream(*dialect, data);
        check(&decoded);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = sniff_stream(text);
    }
    for protocol in Protocol::ALL {
        for is_stream in [true, false] {
            let whole = decode(*protocol, is_stream, &[data]);
            check(&whole.0);
            let cut = decode(*protocol, is_stream, &pieces(data, CUTS));
            assert_eq!(whole, cut, "{protocol}, stream {is_stream}, cut {:?}", lengths(data));
        }
    }
}

fn lengths(data: &[u8]) -> Vec<usize> {
    pieces(data, CUTS).iter().map(|piece| piece.len()).collect()
}

fn check(decoded: &Decoded) {
    assert!(decoded.complete || decoded.error.is_some(), "an answer without end has no error");
}

fn decode(protocol: Protocol, is_stream: bool, pieces: &[&[u8]]) -> (Decoded, Progress) {
    let mut decoder = decoder(protocol, is_stream);
    let mut total = Progress::default();
    for piece in pieces {
        let progress = decoder.push(piece);
        total.output_events += progress.output_events;
        total.answer_events += progress.answer_events;
        assert!(progress.finished || !total.finished, "what had ended goes on");
        total.finished = progress.finished;
    }
    (decoder.finish(), total)
}
