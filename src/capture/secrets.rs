//! Shapes of keys, tokens and passwords, and how they are replaced in texts and in JSON.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex, RegexSet};
use serde_json::{Map, Value};

/// A shape of secret: its name in the stand-in, its pattern, and what else must hold.
///
/// The pattern's group `secret` is replaced, or all of it if there is no such group.
struct Shape(&'static str, &'static str, Check);

#[derive(Clone, Copy)]
enum Check {
    /// The pattern says it all.
    Pattern,
    /// It begins a word, and has a digit and a long run without punctuation, as random keys have
    /// and hyphenated words do not.
    RandomWord,
    /// It looks like a password or key, not like a name in a program.
    Password,
}

/// Words before the value of a password or key.
macro_rules! secret_names {
    () => {
        r"(?:passw(?:or)?d|passwd|pwd|secret|api[_-]?key|(?:access|auth|refresh)[_-]?token|private[_-]?key)"
    };
}

const SHAPES: &[Shape] = &[
    Shape(
        "private_key",
        r#"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----(?:[^"]*?-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|(?:[A-Za-z0-9+/=\s]|\\+[nrt])*)"#,
        Check::Pattern,
    ),
    Shape("anthropic_key", r"sk-ant-[A-Za-z0-9_-]{10,}", Check::RandomWord),
    Shape("openrouter_key", r"sk-or-[A-Za-z0-9_-]{16,}", Check::RandomWord),
    Shape("openai_key", r"sk-[A-Za-z0-9_-]{16,}", Check::RandomWord),
    Shape("aws_access_key", r"A[KS]IA[A-Z0-9]{16}", Check::RandomWord),
    Shape("github_token", r"(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,}", Check::RandomWord),
    Shape("gitlab_token", r"glpat-[A-Za-z0-9_-]{16,}", Check::RandomWord),
    Shape("slack_token", r"xox[abeoprs]-[A-Za-z0-9-]{10,}", Check::RandomWord),
    Shape("google_key", r"AIza[A-Za-z0-9_-]{30,}", Check::RandomWord),
    Shape("groq_key", r"gsk_[A-Za-z0-9]{20,}", Check::RandomWord),
    Shape("huggingface_token", r"hf_[A-Za-z0-9]{20,}", Check::RandomWord),
    Shape("stripe_key", r"[spr]k_(?:live|test)_[A-Za-z0-9]{16,}", Check::RandomWord),
    Shape("xai_key", r"xai-[A-Za-z0-9]{20,}", Check::RandomWord),
    Shape("jwt", r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*", Check::Pattern),
    Shape(
        "authorization",
        r"(?i:bearer|basic|authorization: ?token)[ \t]+(?P<secret>[A-Za-z0-9._~+/-]{16,}=*)",
        Check::Password,
    ),
    Shape(
        "url_password",
        r#"://[^/\s:@"'\\]{1,64}:(?P<secret>[^/\s:@"'\\\[]{3,64})@"#,
        Check::Pattern,
    ),
    Shape(
        "password",
        concat!(
            "(?i:",
            secret_names!(),
            r#")\\*["']?\s{0,3}[:=]\s{0,3}\\*["'](?P<secret>[^\s"'\\<>(){}\[\]$]{6,})"#
        ),
        Check::Password,
    ),
    Shape(
        "password",
        concat!("(?i:", secret_names!(), r#") ?= ?(?P<secret>[^\s"'\\<>(){}\[\]$&;,`]{6,})"#),
        Check::Password,
    ),
];

/// A member of a JSON object whose value is a secret if it looks like one.
const SECRET_MEMBER: &str = concat!("(?i:^(?:.*[_-])?", secret_names!(), "$)");

struct Rules {
    /// Finds in one pass which shapes a text may have; most texts have none.
    any: RegexSet,
    shapes: Vec<Regex>,
    member: Regex,
}

static RULES: LazyLock<Option<Rules>> = LazyLock::new(|| {
    let patterns: Vec<&str> = SHAPES.iter().map(|shape| shape.1).collect();
    let shapes: Result<Vec<Regex>, _> =
        patterns.iter().map(|pattern| Regex::new(pattern)).collect();
    Some(Rules {
        any: RegexSet::new(&patterns).ok()?,
        shapes: shapes.ok()?,
        member: Regex::new(SECRET_MEMBER).ok()?,
    })
});

/// The names of all kinds of secrets, sorted.
pub(super) fn kinds() -> Vec<&'static str> {
    let mut kinds: Vec<&str> = SHAPES.iter().map(|shape| shape.0).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Replaces the secrets in a text.
pub(super) fn scrub_text(text: &str) -> Cow<'_, str> {
    let Some(rules) = RULES.as_ref() else { return Cow::Borrowed(text) };
    let mut scrubbed = Cow::Borrowed(text);
    for index in rules.any.matches(text) {
        if let (Some(Shape(kind, _, check)), Some(regex)) =
            (SHAPES.get(index), rules.shapes.get(index))
            && let Some(changed) = replace_all(&scrubbed, regex, kind, *check)
        {
            scrubbed = Cow::Owned(changed);
        }
    }
    scrubbed
}

/// Replaces the secrets in a JSON text, which stays JSON.
///
/// The texts are scrubbed as they read without escapes, object keys too; the value of a member
/// whose name says so is a secret if it looks like one.
pub(super) fn scrub_json(json: &str) -> Cow<'_, str> {
    let Some(rules) = RULES.as_ref() else { return Cow::Borrowed(json) };
    if !rules.any.is_match(json) {
        return Cow::Borrowed(json);
    }
    let Ok(mut value) = serde_json::from_str::<Value>(json) else { return scrub_text(json) };
    if scrub_value(&mut value, false, rules) {
        Cow::Owned(value.to_string())
    } else {
        Cow::Borrowed(json)
    }
}

fn scrub_value(value: &mut Value, is_secret: bool, rules: &Rules) -> bool {
    match value {
        Value::String(text) if is_secret && looks_like_password(text) => {
            *text = stand_in("password");
            true
        }
        Value::String(text) => match scrub_text(text) {
            Cow::Owned(scrubbed) => {
                *text = scrubbed;
                true
            }
            Cow::Borrowed(_) => false,
        },
        Value::Array(items) => {
            items.iter_mut().fold(false, |changed, item| scrub_value(item, false, rules) | changed)
        }
        Value::Object(members) => scrub_members(members, rules),
        _ => false,
    }
}

fn scrub_members(members: &mut Map<String, Value>, rules: &Rules) -> bool {
    let mut changed = false;
    let mut has_secret_name = false;
    for (name, value) in members.iter_mut() {
        changed |= scrub_value(value, rules.member.is_match(name), rules);
        has_secret_name |= matches!(scrub_text(name), Cow::Owned(_));
    }
    if has_secret_name {
        let scrubbed = std::mem::take(members).into_iter();
        *members = scrubbed.map(|(name, value)| (scrub_text(&name).into_owned(), value)).collect();
    }
    changed | has_secret_name
}

fn stand_in(kind: &str) -> String {
    format!("[secret:{kind}]")
}

fn replace_all(text: &str, regex: &Regex, kind: &str, check: Check) -> Option<String> {
    let mut replaced = String::new();
    let mut kept_from = 0;
    for found in regex.captures_iter(text) {
        let Some(secret) = secret_of(&found) else { continue };
        let (before, after) = (text.get(..secret.start())?, text.get(secret.end()..)?);
        let is_secret = match check {
            Check::Pattern => true,
            Check::RandomWord => begins_word(before) && is_random(secret.as_str()),
            Check::Password => {
                looks_like_password(secret.as_str()) && !after.starts_with(['(', '['])
            }
        };
        if is_secret {
            replaced.push_str(text.get(kept_from..secret.start())?);
            replaced.push_str(&stand_in(kind));
            kept_from = secret.end();
        }
    }
    if kept_from == 0 {
        return None;
    }
    replaced.push_str(text.get(kept_from..)?);
    Some(replaced)
}

fn secret_of<'t>(found: &Captures<'t>) -> Option<regex::Match<'t>> {
    found.name("secret").or_else(|| found.get(0))
}

/// Whether a word begins after `before`; the letter of an escape (`\n`, `\u0022`, `%3D`) does not
/// belong to the word.
fn begins_word(before: &str) -> bool {
    let mut back = before.bytes().rev();
    let Some(last) = back.next().filter(u8::is_ascii_alphanumeric) else { return true };
    let escaped = |length: usize, mark: &[u8]| {
        let at = before.len().checked_sub(length);
        at.and_then(|at| before.as_bytes().get(at..)).is_some_and(|tail| tail.starts_with(mark))
    };
    (matches!(last, b'n' | b'r' | b't' | b'b' | b'f') && back.next() == Some(b'\\'))
        || escaped(6, b"\\u")
        || escaped(3, b"%")
}

fn is_random(key: &str) -> bool {
    let longest = key.split(['-', '_']).map(str::len).max().unwrap_or(0);
    key.bytes().any(|byte| byte.is_ascii_digit()) && longest >= 10
}

fn looks_like_password(value: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
    let length = value.len();
    let is_one_word = !value.contains(char::is_whitespace) && !value.starts_with("[secret:");
    is_one_word
        && ((length >= 6 && has(u8::is_ascii_digit))
            || (length >= 16 && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shapes put together when the test runs, so that no text of this file looks like a key.
    fn canaries() -> Vec<(&'static str, String)> {
        let run = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
        let upper = "ABCD1234EFGH5678";
        let join = |parts: &[&str]| parts.concat();
        let pem = ["-----BEGIN RSA ", "PRIVATE KEY-----\nMIIB", run, "\n", run, "\n"].concat();
        let pem = join(&[&pem, "-----END RSA ", "PRIVATE KEY-----"]);
        vec![
            ("openai_key", join(&["sk", "-", run])),
            ("openai_key", join(&["sk", "-proj-", run, "_x-", run])),
            ("anthropic_key", join(&["sk", "-ant-", "api03-", run])),
            ("openrouter_key", join(&["sk", "-or-v1-", run])),
            ("aws_access_key", join(&["AK", "IA", upper])),
            ("aws_access_key", join(&["AS", "IA", upper])),
            ("github_token", join(&["gh", "p_", run])),
            ("github_token", join(&["github", "_pat_", run])),
            ("gitlab_token", join(&["gl", "pat-", run])),
            ("slack_token", join(&["xo", "xb-123456789012-", run])),
            ("slack_token", join(&["xo", "xp-123456789012-", run])),
            ("google_key", join(&["AI", "za", run])),
            ("groq_key", join(&["gs", "k_", run])),
            ("huggingface_token", join(&["h", "f_", run])),
            ("stripe_key", join(&["sk", "_live_", run])),
            ("jwt", join(&["ey", "J", run, ".", "eyJ", run, ".", run])),
            ("private_key", pem),
        ]
    }

    #[test]
    fn every_shape_is_replaced_alone_in_a_sentence_and_behind_an_escape() {
        assert!(RULES.is_some());
        for (kind, secret) in canaries() {
            let stand_in = stand_in(kind);
            assert_eq!(scrub_text(&secret), stand_in, "{kind}");
            let sentence = format!("Use \"{secret}\", please: {secret}.");
            assert_eq!(
                scrub_text(&sentence),
                format!("Use \"{stand_in}\", please: {stand_in}."),
                "{kind}"
            );
            let json = serde_json::to_string(&format!("a\n{secret}\nb")).unwrap();
            let scrubbed = scrub_json(&json);
            assert_eq!(*scrubbed, format!("\"a\\n{stand_in}\\nb\""), "{kind}");
            let twice = serde_json::to_string(&json).unwrap();
            let scrubbed = scrub_json(&twice);
            let inner: String = serde_json::from_str(&scrubbed).unwrap();
            assert_eq!(inner, format!("\"a\\n{stand_in}\\nb\""), "{kind}, JSON in JSON");
        }
    }

    #[test]
    fn values_behind_names_of_secrets_are_replaced() {
        let value = ["hunter", "2-X9"].concat();
        for (text, expected) in [
            (format!("password={value}&x=1"), "password=[secret:password]&x=1"),
            (format!("DB_PASSWORD = {value}\n"), "DB_PASSWORD = [secret:password]\n"),
            (format!("{{\"api_key\":\"{value}\"}}"), "{\"api_key\":\"[secret:password]\"}"),
            (
                format!("{{\\\"api_key\\\": \\\"{value}\\\"}}"),
                "{\\\"api_key\\\": \\\"[secret:password]\\\"}",
            ),
            (format!("postgres://app:{value}@db/x"), "postgres://app:[secret:url_password]@db/x"),
            (
                format!("Authorization: Bearer {value}{value}"),
                "Authorization: Bearer [secret:authorization]",
            ),
        ] {
            assert_eq!(scrub_text(&text), expected, "{expected}");
        }
        let json = format!("{{\"a\":{{\"client_secret\":\"{value}\",\"secret\":\"the word\"}}}}");
        let expected = r#"{"a":{"client_secret":"[secret:password]","secret":"the word"}}"#;
        assert_eq!(scrub_json(&json), expected);
    }

    #[test]
    fn ordinary_words_are_left_alone() {
        for text in [
            "a task-management-software-for-2026-and-beyond",
            "sk-learn-1-2-compat-notes-and-more",
            "password = input(\"Password: \")",
            "password=get_password2(user)",
            "Password: required, 8 characters",
            "the bearer of this letter",
            "Bearer tokens are described in the specification",
            "{\"properties\":{\"password\":{\"type\":\"string\"}}}",
            "https://example.org:8080/a@b",
            "eyJ is how they begin",
        ] {
            assert!(matches!(scrub_text(text), Cow::Borrowed(_)), "{text}");
            assert!(matches!(scrub_json(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn a_cut_private_key_and_a_key_as_member_name_are_replaced() {
        let cut = ["-----BEGIN ", "PRIVATE KEY-----\\nMIIB1234\\nabcd"].concat();
        assert_eq!(scrub_text(&cut), "[secret:private_key]");
        let key = ["gs", "k_", "a1B2c3D4e5F6g7H8i9J0k1"].concat();
        assert_eq!(scrub_json(&format!("{{\"{key}\":1}}")), "{\"[secret:groq_key]\":1}");
    }
}
