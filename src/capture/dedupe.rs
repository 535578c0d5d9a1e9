//! Rows that repeat an earlier one, as when a log was shipped twice.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use crate::dataset::CapturedExchange;

/// What a row is recognised by: the first 16 bytes of SHA-256 over all its columns but its place.
///
/// The log's identifier is one of the columns: the same identifier with other content is another
/// attempt, not a duplicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct RowKey(u128);

impl RowKey {
    /// The key of a row, before anything is derived from its neighbours.
    pub(super) fn of(row: &mut CapturedExchange) -> Self {
        let file = std::mem::take(&mut row.source_file);
        let line = std::mem::take(&mut row.source_line);
        // A row of plain fields always serialises.
        let json = serde_json::to_vec(row).unwrap_or_default();
        row.source_file = file;
        row.source_line = line;
        let mut key = [0; 16];
        key.iter_mut().zip(Sha256::digest(json)).for_each(|(to, from)| *to = from);
        RowKey(u128::from_be_bytes(key))
    }
}

/// The keys of all rows so far: 16 bytes each, 19 to 37 with the free places of the hash table.
///
/// This is the only part of an import that grows with the log.
#[derive(Debug, Default)]
pub(super) struct Seen {
    keys: HashSet<RowKey>,
}

impl Seen {
    /// Whether the row is new; from now on it is not.
    pub(super) fn is_new(&mut self, key: RowKey) -> bool {
        self.keys.insert(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_row_does_not_make_it_another_but_its_content_does() {
        let mut seen = Seen::default();
        let mut row = CapturedExchange { request_id: "a".into(), ..CapturedExchange::default() };
        assert!(seen.is_new(RowKey::of(&mut row)));
        row.source_file = "other".into();
        row.source_line = 9;
        assert!(!seen.is_new(RowKey::of(&mut row)));
        assert_eq!((row.source_file.as_str(), row.source_line), ("other", 9));
        row.response_text = Some("x".into());
        assert!(seen.is_new(RowKey::of(&mut row)));
    }
}
