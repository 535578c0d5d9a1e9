//! Redaction, which must find everything at once and keep JSON what it is.

use std::borrow::Cow;
use std::sync::LazyLock;

use serde_json::Value;

use crate::capture::redact::{Redactor, SecretScrubber};
use crate::capture::{PersonalData, RedactionPolicy};

/// A policy that replaces all that can be replaced.
static ALL: LazyLock<PersonalData> = LazyLock::new(|| {
    let paths = ["metadata.customer", "messages[*].name", "tags.team"];
    let policy = RedactionPolicy {
        names: ["Ada Lovelace", "Bob", "Zoë"].map(str::to_owned).to_vec(),
        paths: paths.iter().map(|path| path.parse().expect("the path is sound")).collect(),
        patterns: vec![("ticket".to_owned(), "TCK-[0-9]{3,8}".to_owned())],
        ids: true,
        ..RedactionPolicy::all()
    };
    PersonalData::new(&policy, &[7; 32]).expect("the policy is sound")
});

/// The redactor of a policy with every kind, names, places, a pattern and identifiers.
pub(in crate::capture) fn all_personal_data() -> &'static PersonalData {
    &ALL
}

/// Scrubs secrets from the bytes as text and as JSON.
pub fn secrets(data: &[u8]) {
    check(&SecretScrubber, data);
}

/// Redacts personal data in the bytes as text and as JSON.
pub fn personal(data: &[u8]) {
    check(all_personal_data(), data);
}

fn check(redactor: &dyn Redactor, data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    check_text(redactor, &text);
    check_json(redactor, &text);
    // A text inside JSON has escapes, where it may look otherwise.
    check_json(redactor, &Value::from(&*text).to_string());
    check_json(redactor, &serde_json::json!({ "content": text }).to_string());
}

fn check_text(redactor: &dyn Redactor, text: &str) {
    let once = redactor.redact_text(text);
    assert_eq!(redactor.redact_text(&once), once, "redacting again changes the text");
    if let Cow::Owned(redacted) = &once {
        assert_ne!(redacted, text, "nothing was replaced");
    }
}

fn check_json(redactor: &dyn Redactor, json: &str) {
    let once = redactor.redact_json(json);
    assert_eq!(redactor.redact_json(&once), once, "redacting again changes the JSON");
    if serde_json::from_str::<Value>(json).is_ok() {
        let redacted: Result<Value, _> = serde_json::from_str(&once);
        assert!(redacted.is_ok(), "no JSON any more: {once}");
    }
}
