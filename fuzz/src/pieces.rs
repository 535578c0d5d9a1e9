//! The same bytes in pieces, cut at places that the bytes themselves choose.

/// Cuts bytes at `most` places or fewer, and behind the byte after one of these; equal bytes are
/// cut alike, so that a crash can be repeated.
pub fn pieces(bytes: &[u8], most: u64) -> Vec<&[u8]> {
    // FNV-1a, then a linear congruential generator: no more is asked of them than to differ.
    let seed = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut random = seed;
    let mut next = |below: usize| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % below
    };
    let count = 1 + seed % most;
    let mut cuts: Vec<usize> = (0..count).map(|_| next(bytes.len() + 1)).collect();
    // Neighbouring bytes, as between a carriage return and its line feed.
    cuts.extend(cuts.first().map(|cut| (cut + 1).min(bytes.len())));
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}
