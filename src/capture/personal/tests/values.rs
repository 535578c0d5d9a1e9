//! Made-up values of each kind with right check digits, computed apart from the detectors.

use crate::capture::personal::Kind;

/// SplitMix64: the same values in every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(super) fn of<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len() as u64) as usize]
    }

    pub(super) fn digits(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b'0' + self.below(10) as u8)).collect()
    }

    /// Fills a form: `#` is any digit, `N` one from 2 to 9, `A` a capital; the rest stays.
    pub(super) fn fill(&mut self, form: &str) -> String {
        form.chars()
            .map(|char| match char {
                '#' => char::from(b'0' + self.below(10) as u8),
                'N' => char::from(b'2' + self.below(8) as u8),
                'A' => char::from(b'A' + self.below(26) as u8),
                _ => char,
            })
            .collect()
    }
}

/// A value of the kind as people write it, and whether its form is one that other numbers have
/// too, so that the text must say what it is.
pub(super) fn value(kind: Kind, dice: &mut Dice) -> (String, Option<&'static str>) {
    match kind {
        Kind::Email => (email(dice), None),
        Kind::Phone => phone(dice),
        Kind::Iban => (iban(dice), None),
        Kind::Card => (card(dice), None),
        Kind::Ip => (ip(dice), None),
        Kind::NationalId => national_id(dice),
    }
}

fn email(dice: &mut Dice) -> String {
    let first = dice
        .of(&["alice", "j.smith", "María", "o.k+news", "müller", "x_1", "A.B-C", "иван", "d%x"]);
    let number = if dice.below(2) == 0 { String::new() } else { dice.below(99).to_string() };
    let domain = dice.of(&[
        "example.com",
        "mail.example.co.uk",
        "Example.ORG",
        "bücher.example",
        "a-b.example.net",
    ]);
    format!("{first}{number}@{domain}")
}

fn phone(dice: &mut Dice) -> (String, Option<&'static str>) {
    let clear = [
        "+1 (N42) 2NN-01##",
        "+1-N05-2N3-01##",
        "(N13) 2N4-01##",
        "N64-2N5-01##",
        "N75.2N6.01##",
        "+44 20 7946 0###",
        "+44 (0)20 7946 0###",
        "020 7946 0###",
        "07700 900###",
        "(0131) 496 0###",
        "+49 30 1#3#5#7#",
        "030/23#5#7#8",
        "0171 2#4#6#8",
        "+49 (0)171/2#4#6#8",
        "+33 6 12 3# 5# 7#",
        "06 12 3# 5# 7#",
        "01.42.6#.8#.1#",
        "+34 612 34 5# 7#",
        "91 123 4# 6#",
        "+39 06 12#4 5#78",
        "02 12#45#78",
        "+39 347 12# 45#7",
        "+31 6 12#4 5#78",
        "06-12#45#78",
        "020 6#4 5#78",
        "+81 3-12#4-5#78",
        "03-12#4-5#78",
        "090-12#4-5#78",
        "+91 98#65 4#21#",
        "022 23#5 67#9",
        "+358 40 12#4 5#7",
        "0049 171 2#4#6#8",
        "+861 3912#4567#",
        "+5511 9#765 43#1",
    ];
    let announced = [
        "612 34# 6#8",
        "347 12# 45#7",
        "333 12#45#7",
        "98#65 4#21#",
        "0612#45#78",
        "N262N701##",
        "N37 2N8 01##",
    ];
    if dice.below(4) == 0 {
        let form = dice.of(&announced);
        return (
            dice.fill(form),
            Some(dice.of(&["Phone:", "Tel.", "mobile", "call me at", "móvil:", "tel"])),
        );
    }
    let form = dice.of(&clear);
    (dice.fill(form), None)
}

/// The number modulo 97, piece by piece as the standard describes it.
fn modulo_97(digits: &str) -> u32 {
    let mut rest = String::new();
    for digit in digits.chars() {
        rest.push(digit);
        if rest.len() == 9 {
            rest = (rest.parse::<u32>().unwrap() % 97).to_string();
        }
    }
    rest.parse::<u32>().unwrap() % 97
}

fn iban(dice: &mut Dice) -> String {
    let forms = [
        "DE##################",
        "GBAAAA##############",
        "FR#######################",
        "NLAAAA##########",
        "ES####################",
        "ITA######################",
        "CH#################",
        "PL########################",
    ];
    let form = dice.of(&forms);
    let (country, account) = form.split_at(2);
    let account = dice.fill(account);
    let numbers: String = format!("{account}{country}00")
        .chars()
        .map(|char| char.to_digit(36).unwrap().to_string())
        .collect();
    let iban = format!("{country}{:02}{account}", 98 - modulo_97(&numbers));
    if dice.below(2) == 0 { iban } else { spaced(&iban, &[4; 9], " ") }
}

/// A text cut into pieces of these lengths.
fn spaced(text: &str, lengths: &[usize], separator: &str) -> String {
    let mut pieces = Vec::new();
    let mut rest = text;
    for length in lengths {
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        pieces.extend((!piece.is_empty()).then_some(piece));
        rest = after;
    }
    pieces.join(separator)
}

/// The number with a digit at the end such that every second digit doubled, digit sums added,
/// gives a multiple of ten.
fn with_luhn(body: &str) -> String {
    let total = |number: &str| -> u32 {
        let mut sum = 0;
        for (place, digit) in number.chars().rev().enumerate() {
            let digit = digit.to_digit(10).unwrap() * if place % 2 == 1 { 2 } else { 1 };
            sum += digit / 10 + digit % 10;
        }
        sum
    };
    (0..10).map(|check| format!("{body}{check}")).find(|number| total(number) % 10 == 0).unwrap()
}

fn card(dice: &mut Dice) -> String {
    let (form, lengths): (&str, &[usize]) = match dice.below(7) {
        0 => ("4##############", &[4, 4, 4, 4]),
        1 => ("53#############", &[4, 4, 4, 4]),
        2 => ("37############", &[4, 6, 5]),
        3 => ("6011###########", &[4, 4, 4, 4]),
        4 => ("3530###########", &[4, 4, 4, 4]),
        5 => ("36###########", &[4, 6, 4]),
        _ => ("62################", &[4, 4, 4, 4, 3]),
    };
    let body = dice.fill(form);
    let number = with_luhn(&body);
    match dice.below(3) {
        0 => number,
        1 => spaced(&number, lengths, " "),
        _ => spaced(&number, lengths, "-"),
    }
}

fn ip(dice: &mut Dice) -> String {
    match dice.below(4) {
        0 => format!("2001:db8:{:x}::{:x}", 1 + dice.below(65_000), 1 + dice.below(65_000)),
        1 => format!("fe80::{:x}:{:x}", 4_096 + dice.below(60_000), 1 + dice.below(65_000)),
        2 => {
            let group = |dice: &mut Dice| format!("{:x}", 256 + dice.below(65_000));
            let groups: Vec<String> = (0..7).map(|_| group(dice)).collect();
            format!("2001:{}", groups.join(":"))
        }
        _ => {
            let first = dice.of(&["203", "10", "192", "8"]);
            format!("{first}.{}.{}.{}", dice.below(256), dice.below(256), 1 + dice.below(254))
        }
    }
}

fn national_id(dice: &mut Dice) -> (String, Option<&'static str>) {
    match dice.below(9) {
        0 => {
            let area = 100 + dice.below(500);
            (format!("{area}-{:02}-{:04}", 1 + dice.below(99), 1 + dice.below(9_999)), None)
        }
        1 => {
            let prefix = dice.of(&["AB", "CE", "JM", "SR", "WK"]);
            let form = dice.of(&["######", " ## ## ## "]);
            let suffix = dice.of(&["A", "B", "C", "D"]);
            (format!("{prefix}{}{suffix}", dice.fill(form)), None)
        }
        2 => {
            let body = dice.fill("1N0####0##0##");
            let key = format!("{:02}", 97 - modulo_97(&body));
            let number = format!("{body}{key}");
            let spaced = spaced(&number, &[1, 2, 2, 2, 3, 3, 2], " ");
            // A month from 01 to 12, or one of those that stand for an unknown month.
            let month: u32 = number[3..5].parse().unwrap();
            if !(1..=12).contains(&month) {
                return national_id(dice);
            }
            (if dice.below(2) == 0 { number } else { spaced }, None)
        }
        3 => {
            let letters: Vec<char> = "TRWAGMYFPDXBNJZSQVHLCKE".chars().collect();
            let number = 30_000_000 + dice.below(60_000_000);
            let letter = letters[(number % 23) as usize];
            let dash = dice.of(&["", "-"]);
            (format!("{number}{dash}{letter}"), None)
        }
        4 => (fiscal_code(dice), None),
        5 => (tax_number(dice), None),
        6 => {
            let number = loop {
                let number = dice.fill("1########");
                let digits: Vec<i64> =
                    number.chars().map(|char| i64::from(char.to_digit(10).unwrap())).collect();
                let mut sum = -digits[8];
                for (place, digit) in digits.iter().take(8).enumerate() {
                    sum += (9 - place as i64) * digit;
                }
                if sum % 11 == 0 {
                    break number;
                }
            };
            (number, Some(dice.of(&["BSN", "burgerservicenummer:"])))
        }
        7 => (taxpayer(dice), None),
        _ => (aadhaar(dice), None),
    }
}

fn fiscal_code(dice: &mut Dice) -> String {
    let month = dice.of(&["A", "B", "C", "D", "E", "H", "L", "M", "P", "R", "S", "T"]);
    let code = format!("{}{month}{}", dice.fill("AAAAAA##"), dice.fill("##A###"));
    // The values of odd places, as the order of letters that gives them.
    let odd = "BAKPLCQDREVOSFTGUHMINJWZYX";
    let sum: usize = code
        .chars()
        .enumerate()
        .map(|(place, char)| {
            let value = if char.is_ascii_digit() {
                char as usize - '0' as usize
            } else {
                char as usize - 'A' as usize
            };
            let letter = char::from(b'A' + value as u8);
            if place % 2 == 0 { odd.find(letter).unwrap() } else { value }
        })
        .sum();
    format!("{code}{}", char::from(b'A' + (sum % 26) as u8))
}

fn tax_number(dice: &mut Dice) -> String {
    let mut digits: Vec<u32> = (0..10).collect();
    for place in (1..10).rev() {
        digits.swap(place, dice.below(place as u64 + 1) as usize);
    }
    // One digit twice, another one not at all.
    digits[9] = digits[3];
    if digits[0] == 0 {
        return tax_number(dice);
    }
    let mut carry = 10;
    for digit in &digits {
        let mut sum = (carry + digit) % 10;
        if sum == 0 {
            sum = 10;
        }
        carry = (2 * sum) % 11;
    }
    let check = match 11 - carry {
        10 => 0,
        check => check,
    };
    let number: String = digits.iter().map(u32::to_string).collect::<String>() + &check.to_string();
    if dice.below(2) == 0 { number } else { spaced(&number, &[2, 3, 3, 3], " ") }
}

fn taxpayer(dice: &mut Dice) -> String {
    let mut digits: Vec<u32> =
        dice.digits(9).chars().map(|char| char.to_digit(10).unwrap()).collect();
    for _ in 0..2 {
        let weights = (2..).take(digits.len());
        let sum: u32 = digits.iter().rev().zip(weights).map(|(digit, weight)| digit * weight).sum();
        digits.push(if sum % 11 < 2 { 0 } else { 11 - sum % 11 });
    }
    let number: String = digits.iter().map(u32::to_string).collect();
    format!("{}.{}.{}-{}", &number[..3], &number[3..6], &number[6..9], &number[9..])
}

fn aadhaar(dice: &mut Dice) -> String {
    const D: [&str; 10] = [
        "0123456789",
        "1234067895",
        "2340178956",
        "3401289567",
        "4012395678",
        "5987604321",
        "6598710432",
        "7659821043",
        "8765932104",
        "9876543210",
    ];
    const P: [&str; 8] = [
        "0123456789",
        "1576283094",
        "5803796142",
        "8916043527",
        "9453126870",
        "4286573901",
        "2793806415",
        "7046913258",
    ];
    let at = |row: &str, place: usize| row.as_bytes()[place] as usize - '0' as usize;
    let body = dice.fill("N##########");
    let number = (0..10)
        .map(|check| format!("{body}{check}"))
        .find(|number| {
            let digits = number.bytes().rev().map(|byte| (byte - b'0') as usize);
            digits.enumerate().fold(0, |c, (place, digit)| at(D[c], at(P[place % 8], digit))) == 0
        })
        .unwrap();
    spaced(&number, &[4, 4, 4], " ")
}
