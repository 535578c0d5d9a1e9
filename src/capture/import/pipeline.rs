//! The way of a source through the import: one thread reads, all cores parse, the caller books.
//!
//! Each step works on one chunk while the step before it works on the next, so that no core waits
//! for another at the end of a chunk. Chunks stay in order, whatever runs at what time.

use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use super::super::frame::{Chunk, Units};
use super::super::source::Source;
use super::parse::{Item, Parser};

/// Parsed chunks that may wait to be booked.
const PARSED_AHEAD: usize = 1;

/// A chunk, and whether reading failed right after it.
struct Piece {
    chunk: Chunk,
    cut: bool,
}

/// Reads and parses a source; `take` gets what became of its units, chunk by chunk and in order.
///
/// The units come back read to their end. The first error of `take` ends all steps.
pub(super) fn pass<E>(
    mut units: Units<Source>,
    parser: Parser<'_>,
    mut take: impl FnMut(Vec<Item>) -> Result<(), E>,
) -> Result<Units<Source>, E> {
    let Some(mut first) = next_piece(&mut units) else { return Ok(units) };
    if parser.framing.has_header() {
        first.chunk.lines.remove(0);
    }
    if units.has_ended() {
        // Threads would cost more than a source of one chunk.
        take(parser.parse(&first.chunk, first.cut))?;
        return Ok(units);
    }
    thread::scope(|scope| {
        // A chunk is handed over, not queued: one is parsed and one is ready at any time.
        let (to_parse, pieces) = sync_channel(0);
        let (to_book, parsed) = sync_channel(PARSED_AHEAD);
        let (give_back, used) = channel();
        let reader = scope.spawn(move || read(units, first, &to_parse, &used));
        scope.spawn(move || {
            for Piece { chunk, cut } in pieces {
                let items = parser.parse(&chunk, cut);
                // The reader may be done, and then needs no memory back.
                let _ = give_back.send(chunk);
                if to_book.send(items).is_err() {
                    break;
                }
            }
        });
        // An error drops the receiver, by which the other steps notice that they are done.
        parsed.into_iter().try_for_each(&mut take)?;
        Ok(reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Hands over chunk by chunk until the source ends or nobody takes more.
fn read(
    mut units: Units<Source>,
    first: Piece,
    to_parse: &SyncSender<Piece>,
    used: &Receiver<Chunk>,
) -> Units<Source> {
    let mut next = Some(first);
    while let Some(piece) = next {
        if to_parse.send(piece).is_err() {
            break;
        }
        for chunk in used.try_iter() {
            units.recycle(chunk);
        }
        next = next_piece(&mut units);
    }
    units
}

/// The next chunk with something in it.
fn next_piece(units: &mut Units<Source>) -> Option<Piece> {
    loop {
        let chunk = units.next_chunk()?;
        if !chunk.lines.is_empty() {
            return Some(Piece { chunk, cut: units.failure().is_some() });
        }
    }
}
