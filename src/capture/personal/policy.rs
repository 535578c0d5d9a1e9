//! What is to be replaced: the policy, its canonical form and what can be wrong with it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use regex::Regex;
use serde_json::json;

use crate::dataset::sha256_hex;

use super::path::{JsonPath, JsonPathError};
use super::pseudonym::BUILT_IN_LABELS;

/// A kind of personal data that is recognised by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// E-mail addresses.
    Email,
    /// Telephone numbers.
    Phone,
    /// International bank account numbers.
    Iban,
    /// Payment card numbers.
    Card,
    /// IP addresses of both versions.
    Ip,
    /// Numbers by which a state knows a person.
    NationalId,
}

impl Kind {
    /// All kinds in the order in which they are listed.
    pub const ALL: [Kind; 6] =
        [Kind::Email, Kind::Phone, Kind::Iban, Kind::Card, Kind::Ip, Kind::NationalId];

    /// The kind's name in plans, stand-ins and counts.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Email => "email",
            Kind::Phone => "phone",
            Kind::Iban => "iban",
            Kind::Card => "card",
            Kind::Ip => "ip",
            Kind::NationalId => "national_id",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = RedactionPolicyError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| RedactionPolicyError::UnknownKind(name.to_owned()))
    }
}

/// A redaction policy that cannot be applied.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum RedactionPolicyError {
    /// A kind that does not exist.
    #[error(
        "`{0}` is not a kind of personal data (known: email, phone, iban, card, ip, national_id)"
    )]
    UnknownKind(String),
    /// An entry of the list of names that names nobody.
    #[error("name {index} of the list has no letter or digit")]
    EmptyName {
        /// Its place in the list, from 1.
        index: usize,
    },
    /// A path that cannot be read.
    #[error(transparent)]
    Path(#[from] JsonPathError),
    /// A pattern's name that would not make a recognisable stand-in.
    #[error(
        "pattern {index}: `{name}` cannot name a kind: use a lower-case letter and then up to 30 \
         lower-case letters, digits and `_`, and none of {reserved}"
    )]
    PatternName {
        /// The pattern's place, from 1.
        index: usize,
        /// The name.
        name: String,
        /// Names that are taken.
        reserved: String,
    },
    /// A regular expression that cannot be used.
    #[error("pattern {index} (`{name}`): {problem}")]
    Pattern {
        /// The pattern's place, from 1.
        index: usize,
        /// The name of its kind.
        name: String,
        /// What the expression's parser says.
        problem: String,
    },
}

/// What personal data an import replaces by stand-ins.
///
/// Structured kinds are recognised by their form and check digits; names, paths and patterns are
/// the user's own. Names apply whenever there are any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RedactionPolicy {
    /// The kinds to look for.
    pub kinds: BTreeSet<Kind>,
    /// Names of people, products or places; each may be several words.
    pub names: Vec<String>,
    /// Places in request bodies and tags whose value is replaced whatever it is.
    pub paths: Vec<JsonPath>,
    /// Regular expressions with the name of the kind that they find.
    pub patterns: Vec<(String, String)>,
    /// Whether the identifiers of users and sessions are replaced as a whole.
    pub ids: bool,
}

impl RedactionPolicy {
    /// Nothing is replaced.
    pub fn none() -> Self {
        Self::default()
    }

    /// Every kind that is recognised by its form; identifiers are kept.
    pub fn all() -> Self {
        Self { kinds: Kind::ALL.into_iter().collect(), ..Self::default() }
    }

    /// Whether there is nothing to look for.
    pub fn is_none(&self) -> bool {
        *self == Self::none()
    }

    /// The SHA-256 of the policy's canonical form, hex digits.
    ///
    /// Two policies that replace the same have the same hash: the order of names, paths and kinds
    /// is no part of it, that of patterns is. The key is no part of it either.
    pub fn sha256(&self) -> String {
        let names: BTreeSet<String> = self.names.iter().map(|name| name.to_lowercase()).collect();
        let paths: BTreeSet<String> = self.paths.iter().map(ToString::to_string).collect();
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
        let canonical = json!([1, kinds, names, paths, self.patterns, self.ids]);
        sha256_hex(canonical.to_string())
    }

    /// What the policy replaces, one entry a rule set; no listed name is in it.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.kinds.is_empty() {
            let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.as_str()).collect();
            lines.push(format!("personal data ({})", kinds.join(", ")));
        }
        if !self.names.is_empty() {
            lines.push(format!("listed names ({})", self.names.len()));
        }
        if !self.paths.is_empty() {
            let paths: Vec<String> = self.paths.iter().map(ToString::to_string).collect();
            lines.push(format!("paths ({})", paths.join(", ")));
        }
        if !self.patterns.is_empty() {
            let names: Vec<&str> = self.patterns.iter().map(|pattern| pattern.0.as_str()).collect();
            lines.push(format!("patterns ({})", names.join(", ")));
        }
        if self.ids {
            lines.push("identifiers (user, session)".to_owned());
        }
        if !lines.is_empty() {
            lines.push(format!("redaction policy sha256:{}", self.sha256()));
        }
        lines
    }

    /// The patterns, compiled.
    pub(super) fn compile(&self) -> Result<Vec<Regex>, RedactionPolicyError> {
        let compiled = self.patterns.iter().zip(1..).map(|((name, pattern), index)| {
            check_name(name, index)?;
            let problem = |problem: String| RedactionPolicyError::Pattern {
                index,
                name: name.clone(),
                problem,
            };
            let regex = Regex::new(pattern).map_err(|error| problem(error.to_string()))?;
            if regex.is_match("") {
                return Err(problem("it matches the empty text".to_owned()));
            }
            Ok(regex)
        });
        compiled.collect()
    }
}

fn check_name(name: &str, index: usize) -> Result<(), RedactionPolicyError> {
    let is_word = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 31
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    if is_word && name != "secret" && !BUILT_IN_LABELS.contains(&name) {
        return Ok(());
    }
    let reserved = format!("secret, {}", BUILT_IN_LABELS.join(", "));
    Err(RedactionPolicyError::PatternName { index, name: name.to_owned(), reserved })
}
