//! Addresses of the Internet Protocol, versions 4 and 6.

use std::net::{Ipv4Addr, Ipv6Addr};

use memchr::memchr_iter;

use super::context::Text;
use super::groups::{Group, Separator, ends};

/// Longest written form of an address, in bytes.
const LONGEST: usize = 45;

/// The end of the version 4 address that the groups begin with, and the address.
///
/// Versions of software are no addresses, nor are addresses that stand for no host of anybody:
/// loopback, unspecified and masks.
pub(super) fn find_v4(
    text: Text<'_>,
    start: usize,
    groups: &[Group<'_>],
) -> Option<(usize, String)> {
    let four = groups.get(..4)?;
    if four.iter().skip(1).any(|group| group.before != Some(Separator::Dot))
        || four.iter().any(|group| group.digits.len() > 3)
    {
        return None;
    }
    let end = four.last()?.end;
    let address: Ipv4Addr = text.text.get(start..end)?.parse().ok()?;
    let before = text.text.get(..start)?.chars().next_back();
    let after = text.text.get(end..)?;
    // A port or a prefix length may follow.
    let ends = ends(text.text, end) || after.starts_with([':', '/']);
    let begins = before.is_none_or(|char| {
        !(char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-' | '#'))
    });
    let is_nobodys =
        address.is_loopback() || address.is_unspecified() || address.octets()[0] == 255;
    let is_address = begins && ends && !is_nobodys && !text.is_version(start);
    is_address.then(|| (end, address.to_string()))
}

/// Calls `found` with the start, the end and the normal form of each version 6 address.
pub(super) fn find_v6(text: &str, mut found: impl FnMut(usize, usize, String)) {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let mut done = 0;
    for colon in memchr_iter(b':', bytes) {
        if colon < done {
            continue;
        }
        let before = bytes.get(done..colon).unwrap_or_default();
        let start =
            colon - before.iter().rev().take(LONGEST).take_while(|byte| is_part(byte)).count();
        let rest = bytes.get(colon..).unwrap_or_default();
        let mut end = colon + rest.iter().take(LONGEST).take_while(|byte| is_part(byte)).count();
        done = end;
        while end > start + 2
            && matches!(bytes.get(end - 1), Some(b':' | b'.'))
            && bytes.get(end - 2..end) != Some(b"::".as_slice())
        {
            end -= 1;
        }
        let in_word =
            |at: Option<&u8>| at.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if in_word(start.checked_sub(1).and_then(|at| bytes.get(at))) || in_word(bytes.get(end)) {
            continue;
        }
        if let Some(address) = text.get(start..end).and_then(v6) {
            found(start, end, address.to_string());
        }
    }
}

/// The address, unless it could be a time, a hardware address or a path in a program (`a1::b2`).
fn v6(written: &str) -> Option<Ipv6Addr> {
    if written.len() < 6 || !written.contains("::") && written.matches(':').count() < 6 {
        return None;
    }
    let address: Ipv6Addr = written.parse().ok()?;
    let groups = || written.split(':').filter(|group| !group.is_empty());
    let all_pairs = groups().count() == 8 && groups().all(|group| group.len() == 2);
    let first = groups().next().unwrap_or_default();
    let has_digit = |group: &str| group.bytes().any(|byte| byte.is_ascii_digit());
    let is_plain = groups().count() >= 3 || (first.len() >= 3 && has_digit(first));
    let is_address = !all_pairs
        && is_plain
        && has_digit(written)
        && !address.is_loopback()
        && !address.is_unspecified();
    is_address.then_some(address)
}
