//! Tests of the redaction of personal data.

mod corpus;
mod finding;
mod policies;
mod rows;
mod scenes;
mod values;

use super::{JsonPath, Kind, PersonalData, RedactionPolicy, RedactionPolicyError};
use crate::capture::redact::Redactor;

/// A redactor of the given policy under a key of the tests.
fn redactor(policy: &RedactionPolicy) -> PersonalData {
    PersonalData::new(policy, &[7; 32]).unwrap()
}

/// A text redacted for all kinds, stand-ins without their digits: `[email]`.
fn shown(text: &str) -> String {
    without_digits(&redactor(&RedactionPolicy::all()).redact_text(text))
}

fn without_digits(redacted: &str) -> String {
    let stand_in = regex::Regex::new(r"\[([a-z_]+):[0-9a-f]{12}\]").unwrap();
    stand_in.replace_all(redacted, "[$1]").into_owned()
}
