//! Whether the write-ahead log was damaged after it was synced.
//!
//! SQLite ends reading a log at the first frame that does not fit its checksum, and takes what
//! comes before for all there is. That is right for a transaction that was being written when the
//! power went. It is wrong for a bit that flipped later: every transaction behind it would be gone
//! without a word. The two can be told apart, because each transaction is synced before the next is
//! begun: behind an unfinished one there is no other.
//!
//! The form is that of <https://www.sqlite.org/fileformat2.html#walformat>.

use std::path::{Path, PathBuf};

use super::read::damaged;
use crate::dataset::DatasetError;
use crate::replay::ReplayError;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// First word of a log whose checksums are over little-endian words; one more for big-endian.
const MAGIC: u32 = 0x377f_0682;

/// Running checksum of a log.
type Checksum = (u32, u32);

/// Looks for transactions that stand behind a damaged place.
///
/// # Errors
/// [`ReplayError::JournalDamaged`] with the place, or a log that cannot be read.
pub(super) fn check(journal: &Path) -> Result<(), ReplayError> {
    let path = log_of(journal);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(DatasetError::io("read", &path, source).into()),
    };
    match damaged_at(&bytes, page_bytes(journal)) {
        None => Ok(()),
        Some(offset) => {
            let what = format!(
                "its write-ahead log is broken at byte {offset}, and transactions stand behind that"
            );
            Err(damaged(journal, what))
        }
    }
}

/// The write-ahead log of a journal.
pub(super) fn log_of(journal: &Path) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

/// The page size that the store itself states, for a log whose own statement is damaged.
fn page_bytes(journal: &Path) -> usize {
    use std::io::Read;
    let mut head = [0; 18];
    let read = std::fs::File::open(journal).and_then(|mut file| file.read_exact(&mut head));
    let stated = match read {
        Ok(()) => usize::from(u16::from_be_bytes([head[16], head[17]])),
        Err(_) => 0,
    };
    match stated {
        1 => 65_536,
        512.. if stated.is_power_of_two() => stated,
        _ => 4_096,
    }
}

/// The offset of a place that is damaged although something whole was written behind it.
fn damaged_at(log: &[u8], fallback_page_bytes: usize) -> Option<usize> {
    let log = Log::new(log, fallback_page_bytes)?;
    if !log.header_is_whole {
        return log.is_followed_by_a_transaction().then_some(0);
    }
    let mut before = log.header_checksum();
    let mut good = 0;
    while let Some(frame) = log.frame(good)
        && frame.salt == log.salt
        && log.follows(&frame, before)
    {
        before = frame.checksum;
        good += 1;
    }
    let first_bad = log.frame(good)?;
    // The salt is not covered by the checksum. Neither it nor one bit of the head is ever torn.
    let only_its_head_is_bad = log.follows_but_for_its_head(&first_bad, before);
    let ended_a_transaction = first_bad.ends_transaction && first_bad.salt == log.salt;
    let ends_behind = log.ends_behind(good, log.salt);
    // The end of one transaction may be that of the unfinished one.
    let transactions = ends_behind + usize::from(ended_a_transaction && ends_behind > 0);
    (only_its_head_is_bad || transactions > 1).then(|| log.offset(good))
}

struct Frame<'a> {
    header: &'a [u8],
    page: &'a [u8],
    salt: u64,
    checksum: Checksum,
    ends_transaction: bool,
}

struct Log<'a> {
    bytes: &'a [u8],
    page_bytes: usize,
    big_endian: bool,
    header_is_whole: bool,
    salt: u64,
}

impl<'a> Log<'a> {
    /// A log with at least its header.
    fn new(bytes: &'a [u8], fallback_page_bytes: usize) -> Option<Self> {
        let header = bytes.get(..HEADER_BYTES)?;
        let magic = word(header, 0);
        let stated_page_bytes = word(header, 8) as usize;
        let mut log = Log {
            bytes,
            page_bytes: stated_page_bytes,
            big_endian: magic == MAGIC + 1,
            header_is_whole: false,
            salt: long(header, 16),
        };
        let sum = log.sum((0, 0), &header[..24]);
        let is_magic = magic == MAGIC || magic == MAGIC + 1;
        log.header_is_whole = is_magic && sum == log.header_checksum();
        if !log.header_is_whole {
            log.page_bytes = fallback_page_bytes;
            log.big_endian = cfg!(target_endian = "big");
        }
        Some(log)
    }

    fn header_checksum(&self) -> Checksum {
        (word(self.bytes, 24), word(self.bytes, 28))
    }

    fn offset(&self, index: usize) -> usize {
        HEADER_BYTES.saturating_add(index.saturating_mul(FRAME_HEADER_BYTES + self.page_bytes))
    }

    fn frame(&self, index: usize) -> Option<Frame<'a>> {
        let bytes = self.bytes.get(self.offset(index)..self.offset(index + 1))?;
        let (header, page) = bytes.split_at_checked(FRAME_HEADER_BYTES)?;
        Some(Frame {
            header,
            page,
            salt: long(header, 8),
            checksum: (word(header, 16), word(header, 20)),
            ends_transaction: word(header, 4) != 0,
        })
    }

    /// How many frames behind one are whole, carry a mark and end a transaction.
    ///
    /// A frame that fits the checksum in front of it is whole, wherever the log broke.
    fn ends_behind(&self, index: usize, salt: u64) -> usize {
        let frames = (index..).map_while(|index| self.frame(index));
        let pairs = frames.zip((index + 1..).map_while(|index| self.frame(index)));
        pairs
            .filter(|(before, frame)| {
                frame.salt == salt && frame.ends_transaction && self.follows(frame, before.checksum)
            })
            .count()
    }

    /// Whether there is anything to lose with a damaged header.
    fn is_followed_by_a_transaction(&self) -> bool {
        let Some(first) = self.frame(0) else { return false };
        self.follows(&first, self.header_checksum()) || self.ends_behind(0, first.salt) > 0
    }

    /// Whether a frame's checksum is the one that follows from the checksum in front of it.
    fn follows(&self, frame: &Frame<'_>, before: Checksum) -> bool {
        let sum = self.sum(before, frame.header.get(..8).unwrap_or_default());
        self.sum(sum, frame.page) == frame.checksum
    }

    /// Whether a frame would follow if one bit of its head were another.
    fn follows_but_for_its_head(&self, frame: &Frame<'_>, before: Checksum) -> bool {
        let Some(head) = frame.header.first_chunk::<8>() else { return false };
        let whole = u64::from_be_bytes(*head);
        let heads = std::iter::once(whole).chain((0..u64::BITS).map(|bit| whole ^ 1 << bit));
        heads.into_iter().any(|head| {
            let sum = self.sum(before, &head.to_be_bytes());
            self.sum(sum, frame.page) == frame.checksum
        })
    }

    fn sum(&self, (mut first, mut second): Checksum, bytes: &[u8]) -> Checksum {
        for pair in bytes.chunks_exact(8) {
            let (one, two) = if self.big_endian {
                (word(pair, 0), word(pair, 4))
            } else {
                (word(pair, 0).swap_bytes(), word(pair, 4).swap_bytes())
            };
            first = first.wrapping_add(one).wrapping_add(second);
            second = second.wrapping_add(two).wrapping_add(first);
        }
        (first, second)
    }
}

/// A big-endian word; zero beyond the end.
fn word(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..at + 4).and_then(|slice| slice.try_into().ok());
    found.map_or(0, u32::from_be_bytes)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) << 32 | u64::from(word(bytes, at + 4))
}
