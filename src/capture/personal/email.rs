//! E-mail addresses, found from their at sign.

use memchr::memchr2_iter;

/// Last labels that are endings of files, not domains: `logo@2x.png`.
const FILE_ENDINGS: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "svg", "webp", "avif", "ico", "css", "scss", "js", "mjs", "ts",
    "tsx", "jsx", "json", "html", "htm", "xml", "yaml", "yml", "toml", "txt", "md", "py", "rb",
    "rs", "go", "java", "kt", "pdf", "tgz", "gz", "zip", "lock", "service",
];

/// Longest local part and longest domain that are allowed (RFC 5321), in bytes.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;

/// Calls `found` with the start, the end and the address in small letters of each address.
pub(super) fn find(text: &str, mut found: impl FnMut(usize, usize, String)) {
    let bytes = text.as_bytes();
    for at in memchr2_iter(b'@', b'%', bytes) {
        let sign = if bytes.get(at) == Some(&b'@') {
            1
        } else if bytes.get(at + 1..at + 3) == Some(b"40".as_slice()) {
            3
        } else {
            continue;
        };
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + sign..)) else { continue };
        let (Some(local), Some(domain)) = (local(before, sign > 1), domain(after)) else {
            continue;
        };
        // The user name of Git over SSH is the same for everybody.
        if local == "git" && after.get(domain.len()..).is_some_and(|rest| rest.starts_with(':')) {
            continue;
        }
        let address = format!("{local}@{domain}").to_lowercase();
        found(at - local.len(), at + sign + domain.len(), address);
    }
}

/// The local part that a text ends with; `in_url` if its marks are written as `%2B`.
fn local(before: &str, in_url: bool) -> Option<&str> {
    let is_local = |char: char| is_letter_or_digit(char) || "._%+-'&~".contains(char);
    let start = before.trim_end_matches(is_local).len();
    let mut local = before.get(start..)?;
    if in_url && let Some(escape) = local.rfind('%') {
        let is_part = local.get(escape..)?.to_ascii_uppercase().starts_with("%2B");
        local = if is_part { local } else { local.get(escape + 3..)? };
    }
    // The letter of an escape, in text that is JSON or code once more.
    if before.get(..before.len() - local.len())?.ends_with('\\') {
        local = local.strip_prefix(['n', 'r', 't'])?;
    }
    let local = local.trim_start_matches(|char| !is_letter_or_digit(char) && char != '_');
    let is_sound = !local.is_empty()
        && local.len() <= LONGEST_LOCAL
        && !local.ends_with('.')
        && !local.contains("..")
        && local.contains(is_letter_or_digit);
    is_sound.then_some(local)
}

/// The domain that a text begins with: at least two labels, the last of letters.
fn domain(after: &str) -> Option<&str> {
    let is_domain = |char: char| is_letter_or_digit(char) || matches!(char, '.' | '-');
    let end = after.find(|char| !is_domain(char)).unwrap_or(after.len());
    let mut domain = after.get(..end.min(LONGEST_DOMAIN))?.trim_end_matches(['.', '-']);
    // A sentence may go on without a blank: `a@example.com.Then`.
    loop {
        let (labels, last) = domain.rsplit_once('.')?;
        let is_top = last.chars().count() >= 2 && last.chars().all(char::is_alphabetic)
            || last.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("xn--"));
        let sound = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if is_top && labels.split('.').all(sound) {
            let is_file = FILE_ENDINGS.contains(&last.to_ascii_lowercase().as_str());
            return (!is_file).then_some(domain);
        }
        domain = labels;
    }
}

/// Letters of scripts that are written with blanks between words, and digits.
fn is_letter_or_digit(char: char) -> bool {
    char.is_ascii_alphanumeric()
        || (matches!(char, '\u{c0}'..='\u{52f}' | '\u{1e00}'..='\u{1fff}') && char.is_alphabetic())
}
