//! Telephone numbers, international (ITU-T E.164) and as they are written in nine countries.
//!
//! A form that numbers of things have too (`612 345 678`, `0612345678`, `333 1234567`) is taken
//! only where the nearest telling word, or the name of the JSON member, speaks of telephones.

use super::context::{Cue, Text};
use super::groups::{Group, Separator, begins, ends, has_lengths, is_uniform, joined};

/// A telephone number: where it is, and its digits.
pub(super) struct Phone {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) digits: String,
}

/// Fewest digits of a number without its country's code.
const FEWEST_DIGITS: usize = 9;

/// The number that begins with the first of `groups`, which lies at `start`.
pub(super) fn find(text: Text<'_>, start: usize, groups: &[Group<'_>]) -> Option<Phone> {
    let before = text.text.get(..start)?;
    if before.ends_with('+') {
        return international(text, start - 1, groups);
    }
    if groups.iter().map(|group| group.digits.len()).sum::<usize>() < FEWEST_DIGITS {
        return None;
    }
    let opens = before.ends_with('(')
        && groups.get(1).is_some_and(|second| second.before == Some(Separator::Close));
    let from = if opens { start - 1 } else { start };
    if !begins(text.text, from) || (!opens && before.ends_with('#')) {
        return None;
    }
    let cue = text.cue(from);
    if cue == Some(Cue::Thing) {
        return None;
    }
    let is_announced = cue == Some(Cue::Phone);
    let follows_digits = before
        .strip_suffix(' ')
        .is_some_and(|before| before.ends_with(|last: char| last.is_ascii_digit()));
    if follows_digits && !is_announced {
        return None;
    }
    (1..=groups.len()).rev().find_map(|count| {
        let taken = groups.get(..count)?;
        let end = taken.last()?.end;
        if !ends(text.text, end) || goes_on(groups.get(count)) {
            return None;
        }
        let digits = national(taken, opens, is_announced)?;
        Some(Phone { start: from, end, digits })
    })
}

/// Whether the group after a number belongs to the same number, which then has another form.
fn goes_on(next: Option<&Group<'_>>) -> bool {
    matches!(
        next.and_then(|next| next.before),
        Some(Separator::Dash | Separator::Dot | Separator::Slash)
    )
}

fn international(text: Text<'_>, plus: usize, groups: &[Group<'_>]) -> Option<Phone> {
    if !begins(text.text, plus) || text.text.get(..plus)?.ends_with(['+', '-', '#', '.']) {
        return None;
    }
    (1..=groups.len()).rev().find_map(|count| {
        let taken = groups.get(..count)?;
        let end = taken.last()?.end;
        let digits = without_trunk_zero(taken);
        let is_number = ends(text.text, end) && !goes_on(groups.get(count)) && is_e164(&digits);
        is_number.then_some(Phone { start: plus, end, digits })
    })
}

/// The digits without the zero that is dialled inside the country only: `+44 (0)20 …`.
fn without_trunk_zero(groups: &[Group<'_>]) -> String {
    let in_parentheses =
        |group: &&Group<'_>| group.digits == "0" && group.before == Some(Separator::Open);
    groups.iter().filter(|group| !in_parentheses(group)).map(|group| group.digits).collect()
}

/// Whether digits are a country code and a number of a length that the country has.
fn is_e164(digits: &str) -> bool {
    let (length, rest) = match digits.as_bytes() {
        [b'1', ..] => return digits.get(1..).is_some_and(is_north_american),
        [b'7', ..] => (10..=10, digits.get(1..)),
        [b'3', b'3' | b'4' | b'1', ..] => (9..=9, digits.get(2..)),
        [b'4', b'4', ..] | [b'8', b'1', ..] => (9..=10, digits.get(2..)),
        [b'4', b'9', ..] => (7..=11, digits.get(2..)),
        [b'3', b'9', ..] => (6..=11, digits.get(2..)),
        [b'9', b'1', ..] => (10..=10, digits.get(2..)),
        [first, second, ..] if is_country(*first, *second) => (7..=12, digits.get(2..)),
        _ => return false,
    };
    let is_italy = digits.starts_with("39");
    rest.is_some_and(|rest| {
        length.contains(&rest.len()) && (is_italy || !rest.starts_with('0')) && is_varied(rest)
    })
}

/// Whether country codes of two or three digits begin so (ITU-T E.164, annex of assigned codes).
fn is_country(first: u8, second: u8) -> bool {
    match first {
        b'2' => !matches!(second, b'8'),
        b'3' | b'4' | b'5' | b'9' => true,
        b'6' => second <= b'9',
        b'8' => !matches!(second, b'3' | b'9'),
        _ => false,
    }
}

/// Whether ten digits are a number of the North American plan.
fn is_north_american(digits: &str) -> bool {
    let [area, area_rest @ .., _, _, _, _] = digits.as_bytes() else { return false };
    let [area_second, area_third, exchange, second, third] = area_rest else { return false };
    *area >= b'2'
        && *exchange >= b'2'
        && *area_second != b'9'
        && (*area_second, *area_third) != (b'1', b'1')
        && (*second, *third) != (b'1', b'1')
        && is_varied(digits)
}

/// Whether there are at least three different digits, as in real numbers and not in fillers.
fn is_varied(digits: &str) -> bool {
    (b'0'..=b'9').filter(|digit| digits.as_bytes().contains(digit)).count() >= 3
}

/// The digits of a number in the form of one of the countries.
fn national(groups: &[Group<'_>], opens: bool, is_announced: bool) -> Option<String> {
    let digits = joined(groups);
    if !is_varied(&digits) {
        return None;
    }
    if let Some(abroad) = digits.strip_prefix("00") {
        let is_known = ["1", "31", "33", "34", "39", "44", "49", "81", "91"]
            .iter()
            .any(|code| abroad.starts_with(code));
        let is_number = is_known && (groups.len() > 1 || is_announced) && is_e164(abroad);
        return is_number.then(|| abroad.to_owned());
    }
    if let Some(number) = north_american(groups, &digits, opens, is_announced) {
        return Some(number);
    }
    let is_number = if digits.starts_with('0') {
        with_trunk_zero(groups, &digits, opens, is_announced)
    } else {
        is_spanish(groups) || (is_announced && is_announced_form(groups, &digits))
    };
    is_number.then_some(digits)
}

/// The United States and Canada: `(415) 555-0123`, `415-555-0123`, `1.415.555.0123`.
fn north_american(
    groups: &[Group<'_>],
    digits: &str,
    opens: bool,
    is_announced: bool,
) -> Option<String> {
    let number = match digits.len() {
        10 => digits,
        11 => digits.strip_prefix('1')?,
        _ => return None,
    };
    let is_grouped = has_lengths(groups, &[3, 3, 4]) || has_lengths(groups, &[1, 3, 3, 4]);
    let by_blanks = is_uniform(groups, Separator::Space) && !opens;
    let is_clear = is_grouped && !by_blanks;
    let is_told = is_announced && (is_grouped || groups.len() == 1);
    let is_number = is_north_american(number) && (is_clear || is_told);
    is_number.then(|| format!("1{number}"))
}

/// Numbers that begin with the zero of long distance: Germany, France, the United Kingdom, Italy,
/// the Netherlands, Japan, India.
fn with_trunk_zero(groups: &[Group<'_>], digits: &str, opens: bool, is_announced: bool) -> bool {
    let lengths: Vec<usize> = groups.iter().map(|group| group.digits.len()).collect();
    let pairs = lengths.len() == 5 && lengths.iter().all(|length| *length == 2);
    if pairs {
        return groups.get(1).and_then(|second| second.before).is_some_and(|separator| {
            matches!(separator, Separator::Space | Separator::Dash | Separator::Dot)
                && is_uniform(groups, separator)
        });
    }
    let has_dot = groups.iter().any(|group| group.before == Some(Separator::Dot));
    let has_odd = groups.iter().skip(1).any(|group| {
        group.before == Some(Separator::Open) || (group.before == Some(Separator::Close) && !opens)
    });
    if (has_dot && !is_announced) || has_odd || !(9..=12).contains(&digits.len()) {
        return false;
    }
    match lengths.as_slice() {
        [_] => is_announced && (10..=11).contains(&digits.len()),
        // A date, or a date with more digits after it.
        [2, 2, 4, ..] => false,
        // The area code is short and the rest is not cut into many pieces.
        [2..=5, rest @ ..] => {
            let no_scrap = rest.iter().all(|length| (2..=8).contains(length));
            let by_fours = lengths.iter().all(|length| *length == 4);
            no_scrap && rest.len() <= 3 && !by_fours
        }
        _ => false,
    }
}

/// Spain: `91 123 45 67` and `612 34 56 78`, which no other number is grouped like.
fn is_spanish(groups: &[Group<'_>]) -> bool {
    let begins_well =
        groups.first().is_some_and(|group| group.digits.starts_with(['6', '7', '8', '9']));
    let form = has_lengths(groups, &[2, 3, 2, 2]) || has_lengths(groups, &[3, 2, 2, 2]);
    let uniform = [Separator::Space, Separator::Dash, Separator::Dot]
        .into_iter()
        .any(|separator| is_uniform(groups, separator));
    begins_well && form && uniform
}

/// Forms that are numbers of a telephone only because the text says so: Spain and mobile numbers of
/// Italy with nine digits, India and mobile numbers of Italy with ten, China with eleven.
fn is_announced_form(groups: &[Group<'_>], digits: &str) -> bool {
    let lengths: Vec<usize> = groups.iter().map(|group| group.digits.len()).collect();
    match digits.as_bytes().first() {
        Some(b'3' | b'6'..=b'9') => matches!(
            lengths.as_slice(),
            [9 | 10] | [3, 3, 3 | 4] | [3, 6 | 7] | [5, 5] | [4, 6] | [4, 3, 3]
        ),
        Some(b'1') => matches!(lengths.as_slice(), [11] | [3, 4, 4]),
        _ => false,
    }
}
