//! Numbers by which states know people, told by their form and check digits.

use super::check_digits::{mod_11_10, remainder, values, verhoeff, weighted};
use super::context::{Cue, Text};
use super::groups::{Group, Separator, begins, ends, has_lengths, is_uniform, joined};

/// A national number: where it is, and its normal form.
pub(super) struct NationalId {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) value: String,
}

/// The number that begins with the first of `groups`, which lies at `start`.
pub(super) fn find(text: Text<'_>, start: usize, groups: &[Group<'_>]) -> Option<NationalId> {
    if let Some(found) = with_letters(text.text, start, groups) {
        return Some(found);
    }
    if !begins(text.text, start) {
        return None;
    }
    (1..=groups.len()).rev().find_map(|count| {
        let taken = groups.get(..count)?;
        let end = taken.last()?.end;
        let joins = groups.get(count).and_then(|next| next.before);
        if !ends(text.text, end) || matches!(joins, Some(Separator::Dash | Separator::Dot)) {
            return None;
        }
        let place = Place { text, start, end };
        let digits = joined(taken);
        if !matches!(digits.len(), 8..=15) {
            return None;
        }
        let goes_on = joins == Some(Separator::Space);
        is_known(&place, taken, &digits, goes_on).then_some(NationalId {
            start,
            end,
            value: digits,
        })
    })
}

/// Where a number stands.
struct Place<'t> {
    text: Text<'t>,
    start: usize,
    end: usize,
}

impl Place<'_> {
    fn is_near(&self, names: &[&str]) -> bool {
        self.text.is_near(self.start, self.end, names)
    }

    /// Whether the text says that it is the number of a thing.
    fn is_thing(&self) -> bool {
        self.text.cue(self.start) == Some(Cue::Thing)
    }
}

fn is_known(place: &Place<'_>, groups: &[Group<'_>], digits: &str, goes_on: bool) -> bool {
    let spaced = is_uniform(groups, Separator::Space);
    let dashed = is_uniform(groups, Separator::Dash);
    match digits.len() {
        8 | 9 if is_dutch_form(groups) && is_dutch(digits) && place.is_near(DUTCH) => true,
        9 => {
            let form = has_lengths(groups, &[3, 2, 4]) && dashed;
            let named = || place.is_near(&["ssn", "social security", "social_security"]);
            is_american(digits) && ((form && !place.is_thing()) || named())
        }
        11 if is_brazilian(digits) => {
            let form = has_lengths(groups, &[3, 3, 3, 2])
                && groups.iter().map(|group| group.before).eq([
                    None,
                    Some(Separator::Dot),
                    Some(Separator::Dot),
                    Some(Separator::Dash),
                ]);
            form || place.is_near(&["cpf"]) || is_german_form(groups, digits, place)
        }
        11 => is_german_form(groups, digits, place),
        12 => {
            let form = has_lengths(groups, &[4, 4, 4]) && (spaced || dashed);
            let named = || place.is_near(&["aadhaar", "aadhar", "uidai", "आधार"]);
            is_indian(digits) && ((form && !goes_on && !place.is_thing()) || named())
        }
        15 => {
            let form = groups.len() == 1
                || has_lengths(groups, &[13, 2])
                || has_lengths(groups, &[1, 2, 2, 2, 3, 3, 2]);
            form && (groups.len() == 1 || spaced) && is_french(digits)
        }
        _ => false,
    }
}

const DUTCH: &[&str] = &["bsn", "burgerservice", "sofi-nummer", "sofinummer", "citizen service"];

/// Numbers with letters around their digits: `AB 12 34 56 C`, `12345678-Z`, `X-1234567-L`.
fn with_letters(text: &str, start: usize, groups: &[Group<'_>]) -> Option<NationalId> {
    let first = groups.first()?;
    let count = if has_lengths(groups.get(..3).unwrap_or_default(), &[2, 2, 2])
        && is_uniform(groups.get(..3).unwrap_or_default(), Separator::Space)
        || has_lengths(groups.get(..3).unwrap_or_default(), &[2, 3, 3])
            && is_uniform(groups.get(..3).unwrap_or_default(), Separator::Dot)
    {
        3
    } else if matches!(first.digits.len(), 6..=8) {
        1
    } else {
        return None;
    };
    let taken = groups.get(..count)?;
    let digits = joined(taken);
    let last = taken.last()?.end;
    let after = text.get(last..)?;
    let letter =
        after.trim_start_matches([' ', '-']).chars().next().filter(char::is_ascii_uppercase)?;
    let end = last + after.find(letter)? + 1;
    // A word of one letter may follow eight digits by chance.
    let is_close = end - last <= 2 && (digits.len() < 8 || !after.starts_with(' '));
    let before = text.get(..start)?;
    let prefix_length = match digits.len() {
        6 => 2,
        7 => 1,
        _ => 0,
    };
    let joined_prefix = before.strip_suffix([' ', '-']).unwrap_or(before);
    let prefix = joined_prefix.get(joined_prefix.len().checked_sub(prefix_length)?..)?;
    let from = if prefix_length == 0 { start } else { joined_prefix.len() - prefix_length };
    let value = format!("{prefix}{digits}{letter}");
    let is_sound = is_close && begins(text, from) && ends(text, end);
    (is_sound && is_word(&value)).then_some(NationalId { start: from, end, value })
}

/// The number that the token from `start` to `end` is, in capitals, if it has letters.
pub(super) fn find_word(text: &str, start: usize, end: usize) -> Option<String> {
    let word = text.get(start..end)?;
    // A tax code is known in small letters too, for its check letter spans all of it.
    let value = if word.len() == 16 { word.to_ascii_uppercase() } else { word.to_owned() };
    (begins(text, start) && ends(text, end) && is_word(&value)).then_some(value)
}

fn is_word(word: &str) -> bool {
    match word.len() {
        9 => is_british(word) || is_spanish(word),
        15 => is_french(word),
        16 => is_italian(word),
        _ => false,
    }
}

/// United States, Social Security: areas, groups and serials that are given out (SSA).
fn is_american(digits: &str) -> bool {
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let (area, group, serial) = (part(0, 3), part(3, 5), part(5, 9));
    area != "000" && area != "666" && area < "900" && group != "00" && serial != "0000"
}

/// United Kingdom, National Insurance: prefixes that are given out (HMRC NIM39110).
fn is_british(word: &str) -> bool {
    let Some((prefix, rest)) = word.split_at_checked(2) else { return false };
    let Some((digits, suffix)) = rest.split_at_checked(6) else { return false };
    prefix.bytes().all(|letter| letter.is_ascii_uppercase() && !b"DFIQUV".contains(&letter))
        && !prefix.ends_with('O')
        && !["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"].contains(&prefix)
        && digits.bytes().all(|digit| digit.is_ascii_digit())
        && matches!(suffix, "A" | "B" | "C" | "D")
}

/// Spain, DNI and NIE: the letter is the number modulo 23; X, Y, Z stand for 0, 1, 2.
fn is_spanish(word: &str) -> bool {
    let Some((number, letter)) = word.split_at_checked(8) else { return false };
    let number = match number.split_at_checked(1) {
        Some(("X", rest)) => format!("0{rest}"),
        Some(("Y", rest)) => format!("1{rest}"),
        Some(("Z", rest)) => format!("2{rest}"),
        _ => number.to_owned(),
    };
    // `20261122T` and `20261122Z` are how times begin and dates end.
    let is_date = letter == "Z" && (number.starts_with("19") || number.starts_with("20"));
    let at = remainder(&number, 23) as usize;
    number.bytes().all(|digit| digit.is_ascii_digit())
        && !is_date
        && "TRWAGMYFPDXBNJZSQVHLCKE".get(at..=at) == Some(letter)
}

/// France, NIR: sex, year, month, department, and a key modulo 97; Corsica counts as 19 and 18.
fn is_french(word: &str) -> bool {
    let number = word.replacen("2A", "19", 1).replacen("2B", "18", 1);
    let corsica_in_place = number == word || matches!(word.get(5..7), Some("2A" | "2B"));
    let part =
        |from: usize, to: usize| number.get(from..to).and_then(|part| part.parse::<u64>().ok());
    let (Some(month), Some(key)) = (part(3, 5), part(13, 15)) else { return false };
    let body = number.get(..13).unwrap_or_default();
    corsica_in_place
        && number.bytes().all(|digit| digit.is_ascii_digit())
        && number.starts_with(['1', '2'])
        && matches!(month, 1..=12 | 20 | 30..=42 | 50..=99)
        && key == 97 - remainder(body, 97)
}

/// Italy, codice fiscale: letters and digits in their places and the check letter (DM 23/12/1976).
fn is_italian(word: &str) -> bool {
    /// Values of characters at odd places, digits as the letters A to J.
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let in_place = word.bytes().zip(1..).all(|(byte, place)| match place {
        1..=6 | 12 | 16 => byte.is_ascii_uppercase(),
        9 => b"ABCDEHLMPRST".contains(&byte),
        // A letter may stand for a digit where two people would have the same code.
        _ => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(&byte),
    });
    if word.len() != 16 || !in_place {
        return false;
    }
    let value = |byte: u8| u32::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' });
    let sum: u32 = word
        .bytes()
        .take(15)
        .map(value)
        .zip(1..)
        .map(|(value, place)| match place % 2 {
            1 => ODD.get(value as usize).copied().unwrap_or(0),
            _ => value,
        })
        .sum();
    word.bytes().last().is_some_and(|check| value(check) == sum % 26)
}

/// Germany, tax identification: one digit twice or three times in the first ten, check digit by
/// MOD 11,10.
fn is_german(digits: &str) -> bool {
    let first_ten = digits.get(..10).unwrap_or_default();
    let times = |digit: u64| values(first_ten).filter(|value| *value == digit).count();
    let repeated: Vec<usize> = (0..10).map(times).filter(|times| *times > 1).collect();
    !digits.starts_with('0') && matches!(repeated.as_slice(), [2 | 3]) && mod_11_10(digits)
}

fn is_german_form(groups: &[Group<'_>], digits: &str, place: &Place<'_>) -> bool {
    let form = groups.len() == 1
        || (has_lengths(groups, &[2, 3, 3, 3]) && is_uniform(groups, Separator::Space));
    form && is_german(digits) && !place.is_thing()
}

fn is_dutch_form(groups: &[Group<'_>]) -> bool {
    groups.len() == 1 || has_lengths(groups, &[3, 3, 3]) || has_lengths(groups, &[4, 2, 3])
}

/// The Netherlands, BSN: the sum by place is a multiple of 11, the last digit counts negative.
fn is_dutch(digits: &str) -> bool {
    let padded = format!("{digits:0>9}");
    let sum = weighted(&padded, [9, 8, 7, 6, 5, 4, 3, 2, 10].into_iter());
    sum.is_multiple_of(11) && values(&padded).any(|digit| digit != 0)
}

/// Brazil, CPF: two check digits modulo 11; a number of one digit only is none.
fn is_brazilian(digits: &str) -> bool {
    let check = |length: u64| {
        let rest = weighted(digits.get(..length as usize)?, (2..=length + 1).rev()) * 10 % 11;
        Some(rest % 10)
    };
    let all: Vec<u64> = values(digits).collect();
    let varied = all.iter().any(|digit| Some(digit) != all.first());
    varied && check(9) == all.get(9).copied() && check(10) == all.get(10).copied()
}

/// India, Aadhaar: twelve digits that do not begin with 0 or 1, with the Verhoeff check.
fn is_indian(digits: &str) -> bool {
    !digits.starts_with(['0', '1']) && verhoeff(digits)
}
