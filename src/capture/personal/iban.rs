//! International bank account numbers (ISO 13616): length of the country and MOD 97-10.

use super::groups::{begins, ends};

/// Countries with the length of their numbers, from the SWIFT registry.
const LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 \
    DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 \
    HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 \
    MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 \
    SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

/// The end of the number that begins at `start`, and the number without blanks in capitals.
///
/// Blanks and dashes may stand between groups of four; it is all in capitals or all in small
/// letters.
pub(super) fn find(text: &str, start: usize) -> Option<(usize, String)> {
    let rest = text.get(start..)?;
    let head = rest.as_bytes().first_chunk::<4>()?;
    let [first, second, third, fourth] = head;
    if ![first, second].into_iter().all(u8::is_ascii_alphabetic)
        || ![third, fourth].into_iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let length = length(&rest.get(..2)?.to_ascii_uppercase())?;
    let mut iban = String::with_capacity(length);
    let mut end = start;
    let mut skipped = false;
    for (at, char) in rest.char_indices() {
        match char {
            _ if char.is_ascii_alphanumeric() => {
                iban.push(char);
                skipped = false;
            }
            ' ' | '-' | '\u{a0}' | '\u{202f}' if !skipped && iban.len().is_multiple_of(4) => {
                skipped = true;
            }
            _ => return None,
        }
        if iban.len() == length {
            end = start + at + 1;
            break;
        }
    }
    let has = |kind: fn(&u8) -> bool| iban.as_bytes().iter().any(kind);
    let mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    let whole = iban.len() == length && !mixed && begins(text, start) && ends(text, end);
    iban.make_ascii_uppercase();
    (whole && passes(&iban)).then_some((end, iban))
}

fn length(country: &str) -> Option<usize> {
    let entry = LENGTHS.split_ascii_whitespace().find(|entry| entry.starts_with(country))?;
    entry.get(2..)?.parse().ok()
}

/// ISO/IEC 7064 MOD 97-10 over the number with its first four characters moved to the end.
fn passes(iban: &str) -> bool {
    let Some((head, account)) = iban.split_at_checked(4) else { return false };
    let rest = account.bytes().chain(head.bytes()).fold(0_u64, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u64::from(byte - b'0')) % 97,
        _ => (rest * 100 + u64::from(byte.saturating_sub(b'A')) + 10) % 97,
    });
    rest == 1
}
