//! Personal data replaced by typed, keyed stand-ins before anything is written.
//!
//! A stand-in such as `[email:3f9a2c714be0]` is an HMAC of the value under the user's key: the
//! same value has the same stand-in everywhere, so conversations still make sense and rows still
//! join, and without the key nobody can try out values. Kinds with a form of their own are told by
//! form, check digits and the words beside them ([`Kind`]); names, places and patterns are listed
//! by the user ([`RedactionPolicy`]). What has no form and is not listed is not found: this is
//! pseudonymisation, not anonymisation.
//!
//! Most texts have nothing to replace. A scan that counts digits and signs clears them
//! (`prefilter`); only the others are cut into groups of digits (`groups`) and looked at closely.

mod card;
mod check_digits;
mod context;
mod detect;
mod email;
mod groups;
mod iban;
mod ip;
mod json;
mod names;
mod national;
mod path;
mod phone;
mod policy;
mod prefilter;
mod pseudonym;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::dataset::{CapturedExchange, ContentState};

pub use self::path::{JsonPath, JsonPathError};
pub use self::policy::{Kind, RedactionPolicy, RedactionPolicyError};

use self::context::Text;
use self::detect::{Detectors, is_encoded};
use self::json::{Selection, Texts};
use self::path::Step;
use self::pseudonym::{Label, Pseudonyms};

use super::redact::{Redactor, free_texts};

/// How often JSON may stand in a text in JSON before it is treated as text.
const DEEPEST_NESTING: u32 = 4;

/// Members that name a model or provider, which a listed name may be part of: Claude is both.
const MODEL_MEMBERS: &[&str] =
    &["model", "model_id", "modelId", "model_name", "request_model", "response_model", "provider"];

/// Members of request bodies with the identifier of a user or session: OpenAI `user` and
/// `safety_identifier`, Anthropic `metadata.user_id`.
const IDENTIFIERS: &[(&[&str], Label)] = &[
    (&["user"], Label::USER),
    (&["user_id"], Label::USER),
    (&["safety_identifier"], Label::USER),
    (&["metadata", "user_id"], Label::USER),
    (&["session_id"], Label::SESSION),
    (&["metadata", "session_id"], Label::SESSION),
];

/// Replaces the personal data that a [`RedactionPolicy`] names.
///
/// It is applied after secrets are gone. Redacting twice changes nothing.
pub struct PersonalData {
    description: Vec<String>,
    detectors: Detectors,
    pseudonyms: Pseudonyms,
    /// Places in request bodies.
    in_body: Vec<Selection>,
    /// The same places, and those below `tags`, in the column of tags.
    in_tags: Vec<Selection>,
    ids: bool,
}

impl PersonalData {
    /// Fails if a pattern or the list of names cannot be used.
    ///
    /// `key` makes the stand-ins: with another key all of them differ. It is kept in memory only.
    pub fn new(policy: &RedactionPolicy, key: &[u8; 32]) -> Result<Self, RedactionPolicyError> {
        let listed = || policy.paths.iter().map(|path| path.steps().to_vec());
        let select = |steps| Selection { steps, label: Label::FIELD };
        let mut in_body: Vec<Selection> = listed().map(select).collect();
        if policy.ids {
            in_body.extend(IDENTIFIERS.iter().map(|(names, label)| Selection {
                steps: names.iter().map(|name| Step::Member((*name).to_owned())).collect(),
                label: *label,
            }));
        }
        let below_tags = listed().filter_map(|steps| match steps.split_first() {
            Some((Step::Member(first), rest)) if first == "tags" => Some(rest.to_vec()),
            _ => None,
        });
        Ok(Self {
            description: policy.describe(),
            detectors: Detectors::new(policy)?,
            pseudonyms: Pseudonyms::new(key, policy.patterns.iter().map(|(name, _)| name.clone())),
            in_body,
            in_tags: listed().chain(below_tags).map(select).collect(),
            ids: policy.ids,
        })
    }

    /// How many values were replaced so far, by the name of their kind; kinds without any are left
    /// out. `name`, `field`, `user` and `session` are listed names, values at places, and
    /// identifiers.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.pseudonyms.counts().map(|(name, count)| (name.to_owned(), count)).collect()
    }

    /// Replaces what is found in a text until nothing more is found, so that a second redaction
    /// finds nothing either: a replacement may free what an overlapping find had hidden.
    fn plain<'t>(&self, text: &'t str, name: &str) -> Cow<'t, str> {
        let mut redacted = Cow::Borrowed(text);
        while let Some(changed) = self.once(Text { text: &redacted, name }) {
            redacted = Cow::Owned(changed);
        }
        redacted
    }

    fn once(&self, text: Text<'_>) -> Option<String> {
        let finds = self.detectors.find(text, &self.pseudonyms.protected(text.text));
        if finds.is_empty() {
            return None;
        }
        let mut replaced = String::with_capacity(text.text.len());
        let mut kept_from = 0;
        for find in finds {
            replaced.push_str(text.text.get(kept_from..find.start)?);
            replaced.push_str(&self.pseudonyms.stand_in(find.label, &find.value));
            kept_from = find.end;
        }
        replaced.push_str(text.text.get(kept_from..)?);
        Some(replaced)
    }

    /// A text that may be JSON itself, in which numbers are left alone and quotes stay in place.
    fn text_at<'t>(&self, text: &'t str, name: &str, nesting: u32) -> Cow<'t, str> {
        let begins_json = || text.trim_start().starts_with(['{', '[']);
        let names_model = || MODEL_MEMBERS.contains(&name) && !text.contains(['@', ' ']);
        if is_encoded(text) || names_model() {
            return Cow::Borrowed(text);
        }
        if nesting < DEEPEST_NESTING && begins_json() {
            let may_find = !self.detectors.clears_documents()
                || text.contains("\\u")
                || self.detectors.may_find(text);
            if !may_find {
                return Cow::Borrowed(text);
            }
            let inner = AtNesting { data: self, nesting: nesting + 1 };
            if let Some(redacted) = json::replace(text, &inner, &[]) {
                return redacted;
            }
        }
        if self.detectors.may_find(text) { self.plain(text, name) } else { Cow::Borrowed(text) }
    }

    /// Replaces the texts of a JSON column; one that is no JSON is treated as text.
    fn json<'j>(&self, json: &'j str, selections: &[Selection]) -> Cow<'j, str> {
        let is_clear = self.detectors.clears_documents()
            && selections.is_empty()
            && !json.contains("\\u")
            && !self.detectors.may_find(json);
        if is_clear {
            return Cow::Borrowed(json);
        }
        let texts = AtNesting { data: self, nesting: 0 };
        json::replace(json, &texts, selections).unwrap_or_else(|| self.text_at(json, "", 1))
    }

    /// Whether something of a row's content was replaced.
    fn has_stand_in(&self, row: &CapturedExchange) -> bool {
        let texts = [&row.request_body, &row.response_text, &row.refusal, &row.tool_calls];
        texts.into_iter().flatten().any(|text| self.pseudonyms.is_in(text))
    }

    /// Replaces a value as a whole. One that is a value of a known kind has the stand-in of that
    /// kind, so that it is recognised wherever else it stands.
    fn whole<'t>(&self, value: &'t str, label: Label) -> Cow<'t, str> {
        let trimmed = value.trim();
        if trimmed.is_empty() || self.pseudonyms.is_stand_in(trimmed) {
            return Cow::Borrowed(value);
        }
        let finds = self.detectors.find(Text { text: trimmed, name: "" }, &[]);
        let stand_in = match finds.as_slice() {
            [find] if find.start == 0 && find.end == trimmed.len() => {
                self.pseudonyms.stand_in(find.label, &find.value)
            }
            _ => self.pseudonyms.stand_in(label, trimmed),
        };
        Cow::Owned(stand_in)
    }
}

/// Redacts the texts of a document that may itself stand in a text.
struct AtNesting<'p> {
    data: &'p PersonalData,
    nesting: u32,
}

impl Texts for AtNesting<'_> {
    fn text<'t>(&self, text: &'t str, name: &str) -> Cow<'t, str> {
        self.data.text_at(text, name, self.nesting)
    }

    fn selected<'t>(&self, value: &'t str, label: Label) -> Cow<'t, str> {
        self.data.whole(value, label)
    }
}

/// Puts the replacement in the place of a text.
/// Says whether the text is another one now.
fn put(text: &mut String, redact: impl Fn(&str) -> Cow<'_, str>) -> bool {
    let Cow::Owned(redacted) = redact(text) else { return false };
    let is_changed = *text != redacted;
    *text = redacted;
    is_changed
}

impl Redactor for PersonalData {
    fn redact(&self, row: &mut CapturedExchange) -> bool {
        if self.ids {
            let user = row.user_id.iter_mut().map(|id| (id, Label::USER));
            let session = row.session_id.iter_mut().map(|id| (id, Label::SESSION));
            for (id, label) in user.chain(session) {
                put(id, |id| self.whole(id, label));
            }
        }
        for text in free_texts(row) {
            put(text, |text| self.text_at(text, "", 0));
        }
        let mut is_other_body = false;
        if let Some(body) = &mut row.request_body {
            is_other_body = put(body, |body| self.json(body, &self.in_body));
        }
        for (json, selections) in
            [(&mut row.tool_calls, [].as_slice()), (&mut row.tags, self.in_tags.as_slice())]
        {
            if let Some(json) = json {
                put(json, |json| self.json(json, selections));
            }
        }
        // Parts of a record may have been redacted before they were put together to this row.
        if row.content_state == ContentState::Complete.as_str() && self.has_stand_in(row) {
            ContentState::Pseudonymised.as_str().clone_into(&mut row.content_state);
        }
        is_other_body
    }

    fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.text_at(text, "", 0)
    }

    fn redact_json<'t>(&self, json: &'t str) -> Cow<'t, str> {
        self.json(json, &[])
    }

    fn needs_whole_records(&self) -> bool {
        self.ids || !self.in_body.is_empty()
    }

    fn describe(&self) -> Vec<String> {
        self.description.clone()
    }
}
