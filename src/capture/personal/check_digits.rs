//! Arithmetic of check digits.

/// The remainder of a long decimal number.
pub(super) fn remainder(digits: &str, modulus: u64) -> u64 {
    values(digits).fold(0, |rest, digit| (rest * 10 + digit) % modulus)
}

/// The values of the digits of a text; anything else is left out.
pub(super) fn values(digits: &str) -> impl DoubleEndedIterator<Item = u64> + Clone {
    digits.bytes().filter(u8::is_ascii_digit).map(|digit| u64::from(digit - b'0'))
}

/// Whether a number passes the Luhn check (ISO/IEC 7812-1).
pub(super) fn luhn(digits: &str) -> bool {
    let doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: u64 = values(digits)
        .rev()
        .enumerate()
        .map(|(at, digit)| match doubled.get(digit as usize) {
            Some(doubled) if at % 2 == 1 => *doubled,
            _ => digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether a number passes the Verhoeff check.
///
/// The group of symmetries of a pentagon stands for digits: 0 to 4 turn, 5 to 9 turn and flip.
pub(super) fn verhoeff(digits: &str) -> bool {
    const PERMUTED: [u64; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let permute = |digit: u64| PERMUTED.get(digit as usize).copied().unwrap_or(digit);
    let product = values(digits).rev().enumerate().fold(0, |product, (at, digit)| {
        dihedral(product, (0..at % 8).fold(digit, |digit, _| permute(digit)))
    });
    product == 0
}

/// The product in the symmetries of a pentagon.
fn dihedral(left: u64, right: u64) -> u64 {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => 5 + (left + right) % 5,
        (false, true) => 5 + (left - right) % 5,
        (false, false) => (left + 5 - right) % 5,
    }
}

/// Whether a number passes ISO/IEC 7064 MOD 11,10.
pub(super) fn mod_11_10(digits: &str) -> bool {
    let mut all = values(digits);
    let Some(check) = all.next_back() else { return false };
    let product = all.fold(10, |product, digit| {
        let sum = (product + digit) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == check
}

/// The sum of the digits times their weights.
pub(super) fn weighted(digits: &str, weights: impl Iterator<Item = u64>) -> u64 {
    values(digits).zip(weights).map(|(digit, weight)| digit * weight).sum()
}
