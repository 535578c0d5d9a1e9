//! The Levenshtein distance by bit-parallel columns (Myers 1999 in the form of Hyyrö 2003).
//!
//! A column of the table of distances is kept as differences of neighbours, one bit per row. Four
//! words of rows make a strip. Within it each word works one column behind the word above, so that
//! none waits for another's carry and two go into one vector register. A strip hands its lower
//! edge, the horizontal differences of its last row, to the strip below.
//!
//! Where the texts are alike the best path keeps near the diagonal: a band around it is tried
//! first (Ukkonen 1985) and believed when the distance found is one that no path outside the band
//! can have.

use std::cell::RefCell;

use wide::u64x2;

const WORDS: usize = 4;
const ROWS: usize = 64 * WORDS;
/// Symbols of one strip, and one that stands for all others; a power of two above [`ROWS`].
const SLOTS: usize = 2 * ROWS;
/// A word's carry arrives after so many columns at the last word of the strip.
const DELAY: usize = WORDS - 1;
/// The first distance for which a band is tried; each further one is four times as large.
const FIRST_BAND: usize = 256;

/// Four words: the first and third in one register, the second and fourth in the other. Moving
/// carries one word down is then a matter of one shuffle.
type Words = [u64x2; 2];

/// What crosses the lower end of a word in one column: 1 and 0 for a distance that grows, 0 and 1
/// for one that falls.
type Edge = u64x2;

const GROWS: Edge = u64x2::new([1, 0]);

/// A symbol of a text: a byte of ASCII or a Unicode scalar value.
pub(super) trait Symbol: Copy + Eq {
    /// Its number.
    fn index(self) -> usize;

    /// A number above those of all symbols in a list.
    fn bound(list: &[Self]) -> usize {
        list.iter().map(|symbol| symbol.index() + 1).max().unwrap_or(0)
    }
}

impl Symbol for u8 {
    fn index(self) -> usize {
        usize::from(self)
    }

    fn bound(_list: &[Self]) -> usize {
        256
    }
}

impl Symbol for char {
    fn index(self) -> usize {
        self as usize
    }
}

/// Memory that is used again for every pair of a thread.
struct Scratch {
    /// In which rows of the strip a symbol stands.
    matches: Box<[[u64; WORDS]; SLOTS]>,
    /// Slot of each symbol of the strip in `matches`; zero for all others.
    slots: Vec<u16>,
    /// The edge above the strip and room for the one below it; a column's lies [`DELAY`] further
    /// right than the column, since that much later it is known.
    above: Vec<Edge>,
    below: Vec<Edge>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch {
        matches: Box::new([[0; WORDS]; SLOTS]),
        slots: Vec::new(),
        above: Vec::new(),
        below: Vec::new(),
    });
}

/// The least number of insertions, deletions and substitutions between two lists of symbols.
pub(super) fn distance<S: Symbol>(a: &[S], b: &[S]) -> usize {
    let (rows, columns) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if rows.is_empty() {
        return columns.len();
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let needed = S::bound(rows).max(scratch.slots.len());
        scratch.slots.resize(needed, 0);
        let longer_by = columns.len() - rows.len();
        let mut limit = FIRST_BAND;
        while limit + ROWS < columns.len() * 2 / 3 {
            // A path that costs `limit` leaves the diagonals between start and end by no more.
            let stray = limit.checked_sub(longer_by).map(|rest| rest / 2);
            let found = stray.and_then(|stray| scratch.banded(rows, columns, stray, limit));
            if let Some(distance) = found {
                return distance;
            }
            limit *= 4;
        }
        scratch.banded(rows, columns, columns.len(), columns.len()).unwrap_or(columns.len())
    })
}

impl Scratch {
    /// The distance if it is at most `limit`, by paths that stray no further than `stray` from the
    /// diagonals of start and end. Cells outside the band count as reached by insertions or
    /// deletions alone, so that no distance is ever too small.
    fn banded<S: Symbol>(
        &mut self,
        rows: &[S],
        columns: &[S],
        stray: usize,
        limit: usize,
    ) -> Option<usize> {
        let (height, width) = (rows.len(), columns.len());
        for edges in [&mut self.above, &mut self.below] {
            edges.clear();
            edges.resize(width + DELAY, GROWS);
        }
        let mut begin = 0;
        // The distance at the upper left corner of the strip.
        let mut corner = 0_i64;
        for (strip, rows) in rows.chunks(ROWS).enumerate() {
            let top = strip * ROWS;
            let next = top.saturating_sub(stray).min(width);
            corner += change(edges(&self.above, begin, next));
            begin = next;
            let end = (top + rows.len() + (width - height) + stray).min(width);
            let state = self.strip(rows, columns, begin, end);
            if top + rows.len() == height {
                let last_column = corner + change(edges(&self.above, begin, end));
                let distance = last_column + state.change(rows.len());
                return usize::try_from(distance).ok().filter(|distance| *distance <= limit);
            }
            corner += ROWS as i64;
            std::mem::swap(&mut self.above, &mut self.below);
            if least(corner, edges(&self.above, begin, end)) > limit as i64 {
                return None;
            }
        }
        None
    }

    /// Works through the columns of one strip and writes the edge below it.
    fn strip<S: Symbol>(&mut self, rows: &[S], columns: &[S], begin: usize, end: usize) -> State {
        self.enter(rows);
        let columns = columns.get(begin..end).unwrap_or_default();
        let above = edges(&self.above, begin, end);
        let below = self.below.get_mut(begin..end + DELAY).unwrap_or_default();
        let (inside, after) = below.split_at_mut(columns.len());
        let mut state = State::new();
        let mut turn = 0;
        let slots = &self.slots;
        let slot = |symbol: S| usize::from(slots.get(symbol.index()).copied().unwrap_or(0));
        let mut steps = columns.iter().zip(above).zip(inside);
        for ((symbol, above), below) in steps.by_ref().take(DELAY) {
            let active = active(turn, columns.len());
            *below = state.step_of(&self.matches, slot(*symbol), *above, active);
            turn += 1;
        }
        for ((symbol, above), below) in steps {
            *below = state.step(&self.matches, slot(*symbol), *above);
        }
        turn = columns.len();
        for below in after {
            let active = active(turn, columns.len());
            *below = state.step_of(&self.matches, 0, GROWS, active);
            turn += 1;
        }
        self.leave(rows);
        state
    }

    fn enter<S: Symbol>(&mut self, rows: &[S]) {
        let mut used = 0_u16;
        for (row, symbol) in rows.iter().enumerate() {
            let Some(slot) = self.slots.get_mut(symbol.index()) else { continue };
            if *slot == 0 {
                used += 1;
                *slot = used;
            }
            if let Some(word) = self.matches[usize::from(*slot) % SLOTS].get_mut(row / 64) {
                *word |= 1 << (row % 64);
            }
        }
    }

    fn leave<S: Symbol>(&mut self, rows: &[S]) {
        for symbol in rows {
            if let Some(slot) = self.slots.get_mut(symbol.index()) {
                self.matches[usize::from(*slot) % SLOTS] = [0; WORDS];
                *slot = 0;
            }
        }
    }
}

/// The part of an edge below some columns.
fn edges(edges: &[Edge], begin: usize, end: usize) -> &[Edge] {
    edges.get(begin + DELAY..end + DELAY).unwrap_or_default()
}

/// How much the distance changes along an edge.
fn change(edges: &[Edge]) -> i64 {
    edges.iter().map(|edge| difference(*edge)).sum()
}

/// The least distance along an edge that begins with `corner`.
fn least(corner: i64, edges: &[Edge]) -> i64 {
    let mut here = corner;
    edges.iter().fold(corner, |least, edge| {
        here += difference(*edge);
        least.min(here)
    })
}

fn difference(edge: Edge) -> i64 {
    let [grows, falls] = edge.to_array();
    grows as i64 - falls as i64
}

/// Which words have a column in this turn: all ones for those.
fn active(turn: usize, columns: usize) -> Words {
    let mask = |word: usize| {
        let has_column = turn.checked_sub(word).is_some_and(|column| column < columns);
        if has_column { u64::MAX } else { 0 }
    };
    [u64x2::new([mask(0), mask(2)]), u64x2::new([mask(1), mask(3)])]
}

/// The differences between rows of the current column of each word.
#[derive(Clone, Copy)]
struct State {
    grows: Words,
    falls: Words,
    carry_grows: Words,
    carry_falls: Words,
    recent: [usize; DELAY],
}

impl State {
    /// Left of the first column the distance grows with each row.
    fn new() -> Self {
        let none = [u64x2::new([0, 0]); 2];
        let all = [u64x2::new([u64::MAX; 2]); 2];
        State { grows: all, falls: none, carry_grows: none, carry_falls: none, recent: [0; DELAY] }
    }

    /// How much the distance changes from the first to the last of so many rows.
    fn change(&self, rows: usize) -> i64 {
        let words = |words: Words| {
            let ([first, third], [second, fourth]) = (words[0].to_array(), words[1].to_array());
            [first, second, third, fourth]
        };
        let mut change = 0;
        let pairs = words(self.grows).into_iter().zip(words(self.falls));
        for (word, (grows, falls)) in pairs.enumerate() {
            let here = rows.saturating_sub(64 * word).min(64);
            let mask = if here == 0 { 0 } else { u64::MAX >> (64 - here) };
            change += i64::from((grows & mask).count_ones());
            change -= i64::from((falls & mask).count_ones());
        }
        change
    }

    /// A [`State::step`] in which only some words take part.
    fn step_of(
        &mut self,
        matches: &[[u64; WORDS]; SLOTS],
        slot: usize,
        above: Edge,
        active: Words,
    ) -> Edge {
        let (grows, falls) = (self.grows, self.falls);
        let edge = self.step(matches, slot, above);
        let choose = |new, old| both(active, both(new, old, |n, o| n ^ o), |a, x| a & x);
        self.grows = both(grows, choose(self.grows, grows), |old, changed| old ^ changed);
        self.falls = both(falls, choose(self.falls, falls), |old, changed| old ^ changed);
        edge
    }

    /// One column in each word; what crosses the lower end of the last word.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the state must stay in registers")]
    fn step(&mut self, matches: &[[u64; WORDS]; SLOTS], slot: usize, above: Edge) -> Edge {
        let [second, third, fourth] = self.recent;
        self.recent = [slot, second, third];
        let found = [
            u64x2::new([matches[slot % SLOTS][0], matches[third % SLOTS][2]]),
            u64x2::new([matches[second % SLOTS][1], matches[fourth % SLOTS][3]]),
        ];
        let [above_grows, above_falls] = above.to_array();
        let carry_grows = one_down(self.carry_grows, above_grows);
        let carry_falls = one_down(self.carry_falls, above_falls);
        let (grows, falls) = (self.grows, self.falls);
        let found = both(found, carry_falls, |f, c| f | c);
        let sums = both(both(found, grows, |f, g| f & g), grows, |f, g| (f + g) ^ g);
        let diagonal = both(both(sums, found, |s, f| s | f), falls, |d, f| d | f);
        let level_grows = both(falls, both(diagonal, grows, |d, g| !(d | g)), |f, n| f | n);
        let level_falls = both(diagonal, grows, |d, g| d & g);
        self.carry_grows = level_grows.map(|level| level >> 63);
        self.carry_falls = level_falls.map(|level| level >> 63);
        let level_grows = both(level_grows, carry_grows, |l, c| (l + l) | c);
        let level_falls = both(level_falls, carry_falls, |l, c| (l + l) | c);
        let neither = both(diagonal, level_grows, |d, l| !(d | l));
        self.grows = both(level_falls, neither, |l, n| l | n);
        self.falls = both(level_grows, diagonal, |l, d| l & d);
        u64x2::new([self.carry_grows[1].to_array()[1], self.carry_falls[1].to_array()[1]])
    }
}

#[inline(always)]
#[allow(clippy::inline_always, reason = "two instructions")]
fn both(a: Words, b: Words, combine: impl Fn(u64x2, u64x2) -> u64x2) -> Words {
    [combine(a[0], b[0]), combine(a[1], b[1])]
}

/// The carries of each word as they arrive at the word below.
#[inline(always)]
#[allow(clippy::inline_always, reason = "one instruction")]
fn one_down(carries: Words, above: u64) -> Words {
    [u64x2::new([above, carries[1].to_array()[0]]), carries[0]]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook's table.
    fn naive<S: Symbol>(a: &[S], b: &[S]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (index, x) in a.iter().enumerate() {
            let mut diagonal = index;
            row[0] = index + 1;
            for (place, y) in b.iter().enumerate() {
                let substituted = diagonal + usize::from(x != y);
                diagonal = row[place + 1];
                row[place + 1] = substituted.min(diagonal + 1).min(row[place] + 1);
            }
        }
        row[b.len()]
    }

    /// A text, and the text after some edits and moves of parts.
    fn edited() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let edit = (any::<prop::sample::Index>(), 0_u8..4, b'a'..b'f');
        (proptest::collection::vec(b'a'..b'f', 1..900), proptest::collection::vec(edit, 0..60))
            .prop_map(|(text, edits)| {
                let mut other = text.clone();
                for (place, kind, letter) in edits {
                    if other.is_empty() {
                        break;
                    }
                    let at = place.index(other.len());
                    match kind {
                        0 => other.insert(at, letter),
                        1 => other[at] = letter,
                        2 => drop(other.remove(at)),
                        _ if letter == b'a' => other.rotate_left(at),
                        _ => {}
                    }
                }
                (text, other)
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_distance_is_that_of_the_table((a, b) in edited()) {
            prop_assert_eq!(distance(&a, &b), naive(&a, &b));
        }

        #[test]
        fn unlike_texts_too(
            a in proptest::collection::vec(b'a'..b'd', 0..700),
            b in proptest::collection::vec(b'a'..b'e', 0..700),
        ) {
            prop_assert_eq!(distance(&a, &b), naive(&a, &b));
        }

        #[test]
        fn scalar_values_of_any_script(a in "\\PC{0,80}", b in "\\PC{0,80}") {
            let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(distance(&a, &b), naive(&a, &b));
        }
    }

    #[test]
    fn more_symbols_than_a_strip_has_rows_are_told_apart() {
        let a: Vec<char> = (0x4e00..0x4e00 + 1_000).filter_map(char::from_u32).collect();
        let b: Vec<char> = a.iter().rev().copied().collect();
        assert_eq!(distance(&a, &b), naive(&a, &b));
        assert_eq!(distance(&a, &a), 0);
    }

    #[test]
    fn lengths_around_the_ends_of_words_and_strips() {
        let text: Vec<u8> = (0..600_usize).map(|i| b'a' + (i * i % 7) as u8).collect();
        for length in [1, 2, 3, 4, 63, 64, 65, 127, 128, 255, 256, 257, 511, 512, 513, 600] {
            for other in [1, 2, 3, 64, 255, 256, 300, 513] {
                let (a, b) = (&text[..length], &text[7..(7 + other).min(600)]);
                assert_eq!(distance(a, b), naive(a, b), "{length} {other}");
            }
        }
    }
}
