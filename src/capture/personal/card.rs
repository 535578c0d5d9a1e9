//! Payment card numbers: 13 to 19 digits of a known scheme with the Luhn check.

use super::check_digits::luhn;
use super::groups::{Group, Separator, ends, is_uniform, joined};

/// How many of the groups are a card number, and its digits.
///
/// The year and code that often follow, `12/28 123`, are no part of it.
pub(super) fn find(text: &str, groups: &[Group<'_>]) -> Option<(usize, String)> {
    (1..=groups.len().min(5)).rev().find_map(|count| {
        let taken = groups.get(..count)?;
        let digits = joined(taken);
        let is_card = is_grouped(taken)
            && ends(text, taken.last()?.end)
            && is_scheme(&digits)
            && luhn(&digits);
        is_card.then_some((count, digits))
    })
}

/// Whether the digits stand together, in fours, or as they are embossed on cards of 14, 15 and 19
/// digits.
fn is_grouped(groups: &[Group<'_>]) -> bool {
    if !is_uniform(groups, Separator::Space) && !is_uniform(groups, Separator::Dash) {
        return false;
    }
    let lengths: Vec<usize> = groups.iter().map(|group| group.digits.len()).collect();
    match lengths.as_slice() {
        [_] | [4, 6, 4 | 5] | [6, 13] | [8, 8] => true,
        [fours @ .., last] => fours.len() >= 3 && fours.iter().all(|four| *four == 4) && *last <= 4,
        [] => false,
    }
}

/// Whether a scheme gives out numbers with this beginning and length (ISO/IEC 7812 ranges as the
/// schemes publish them).
fn is_scheme(digits: &str) -> bool {
    let Some(first) = digits.get(..4).and_then(|first| first.parse::<u32>().ok()) else {
        return false;
    };
    match (first, digits.len()) {
        // Visa
        (4000..=4999, 13 | 16 | 19)
        // Mastercard, Mir
        | (5100..=5599 | 2221..=2720 | 2200..=2204, 16)
        // American Express
        | (3400..=3499 | 3700..=3799, 15)
        // Diners Club
        | (3000..=3059 | 3600..=3699 | 3800..=3999, 14 | 16)
        // Discover, JCB, UnionPay
        | (6011 | 6440..=6599 | 3528..=3589 | 6200..=6299, 16..=19)
        // Maestro
        | (5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763, 13..=19) => true,
        _ => false,
    }
}
