//! The longest common subsequence by bit-parallel rows.

/// Length of the longest common subsequence of two lists of identifiers below `identifiers`.
///
/// 64 elements of the first list at a time (Hyyrö 2004, "Bit-parallel LCS-length computation
/// revisited"); a block hands the carries of its additions to the next, one for each element of
/// the second list.
pub(super) fn common_length(a: &[u32], b: &[u32], identifiers: usize) -> usize {
    let mut matches = vec![0_u64; identifiers];
    let mut carries = vec![false; b.len()];
    let mut length = 0;
    for block in a.chunks(64) {
        for (row, identifier) in block.iter().enumerate() {
            if let Some(rows) = matches.get_mut(*identifier as usize) {
                *rows |= 1 << row;
            }
        }
        let mut unmatched = u64::MAX;
        for (identifier, carry) in b.iter().zip(&mut carries) {
            let found = matches.get(*identifier as usize).copied().unwrap_or(0);
            let (sum, first) = unmatched.overflowing_add(unmatched & found);
            let (sum, second) = sum.overflowing_add(u64::from(*carry));
            *carry = first || second;
            unmatched = sum | (unmatched & !found);
        }
        let rows = u64::MAX >> (64 - block.len());
        length += (!unmatched & rows).count_ones() as usize;
        for identifier in block {
            if let Some(rows) = matches.get_mut(*identifier as usize) {
                *rows = 0;
            }
        }
    }
    length
}
