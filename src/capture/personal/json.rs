//! Texts of a JSON document replaced in place: all bytes but theirs stay as they were written.
//!
//! A document that is parsed and written again has other blanks and other spellings of numbers; a
//! replay must not differ from the original call in more than what had to be replaced.

use std::borrow::Cow;

use memchr::memchr2;

use super::path::Step;
use super::pseudonym::Label;

/// How deep documents may be nested; deeper ones are treated as text.
const DEEPEST: usize = 160;

/// What is to be done with the texts and numbers of a document.
pub(super) trait Texts {
    /// The replacement of a text, the value of the member `name` or part of it.
    fn text<'t>(&self, text: &'t str, name: &str) -> Cow<'t, str>;

    /// The replacement of a text or number at a selected place.
    fn selected<'t>(&self, value: &'t str, label: Label) -> Cow<'t, str>;
}

/// A place whose value is replaced whatever it is.
#[derive(Debug)]
pub(super) struct Selection {
    pub(super) steps: Vec<Step>,
    pub(super) label: Label,
}

/// Replaces the texts of a document; `None` if it is not JSON.
pub(super) fn replace<'j>(
    json: &'j str,
    texts: &dyn Texts,
    selections: &[Selection],
) -> Option<Cow<'j, str>> {
    let mut walk = Walk { json, at: 0, out: String::new(), copied: 0, texts, depth: 0 };
    let active: Vec<Active<'_>> =
        selections.iter().map(|selection| (selection.steps.as_slice(), selection.label)).collect();
    walk.value("", &active)?;
    walk.blanks();
    if walk.at != json.len() {
        return None;
    }
    if walk.copied == 0 {
        return Some(Cow::Borrowed(json));
    }
    walk.out.push_str(json.get(walk.copied..)?);
    Some(Cow::Owned(walk.out))
}

/// The steps that are left of a selection, and its label.
type Active<'s> = (&'s [Step], Label);

struct Walk<'j> {
    json: &'j str,
    at: usize,
    out: String,
    /// How much of the document is in `out`.
    copied: usize,
    texts: &'j dyn Texts,
    depth: usize,
}

impl Walk<'_> {
    fn next(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.next().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.blanks();
        (self.next()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, name: &str, active: &[Active<'_>]) -> Option<()> {
        self.blanks();
        let selected = active.iter().find(|(steps, _)| steps.is_empty()).map(|(_, label)| *label);
        match self.next()? {
            b'{' => self.nested(|walk| walk.object(active)),
            b'[' => self.nested(|walk| walk.array(name, active)),
            b'"' => {
                let texts = self.texts;
                self.literal(|text| match selected {
                    Some(label) => texts.selected(text, label),
                    None => texts.text(text, name),
                })
            }
            _ => self.scalar(selected),
        }
    }

    fn nested(&mut self, inside: impl FnOnce(&mut Self) -> Option<()>) -> Option<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        self.at += 1;
        inside(self)?;
        self.depth -= 1;
        Some(())
    }

    fn object(&mut self, active: &[Active<'_>]) -> Option<()> {
        self.blanks();
        if self.next()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.blanks();
            let texts = self.texts;
            let mut name = String::new();
            self.literal(|text| {
                text.clone_into(&mut name);
                texts.text(text, "")
            })?;
            self.expect(b':')?;
            let below = below(active, |step| match step {
                Step::Member(member) => *member == name,
                Step::AnyMember => true,
                Step::Element(_) | Step::AnyElement => false,
            });
            self.value(&name, &below)?;
            self.blanks();
            match self.next()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    fn array(&mut self, name: &str, active: &[Active<'_>]) -> Option<()> {
        self.blanks();
        if self.next()? == b']' {
            self.at += 1;
            return Some(());
        }
        for index in 0.. {
            let below = below(active, |step| match step {
                Step::Element(place) => *place == index,
                Step::AnyElement => true,
                Step::Member(_) | Step::AnyMember => false,
            });
            self.value(name, &below)?;
            self.blanks();
            match self.next()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// A text, escapes resolved only if it has any.
    fn literal<F>(&mut self, replaced: F) -> Option<()>
    where
        F: for<'t> FnOnce(&'t str) -> Cow<'t, str>,
    {
        let start = self.at;
        self.expect(b'"')?;
        let mut has_escapes = false;
        loop {
            let rest = self.json.as_bytes().get(self.at..)?;
            self.at += memchr2(b'"', b'\\', rest)? + 1;
            if self.json.as_bytes().get(self.at - 1) == Some(&b'"') {
                break;
            }
            has_escapes = true;
            self.at += 1;
        }
        let literal = self.json.get(start..self.at)?;
        let text = if has_escapes {
            Cow::Owned(serde_json::from_str::<String>(literal).ok()?)
        } else {
            Cow::Borrowed(literal.get(1..literal.len() - 1)?)
        };
        let changed = match replaced(&text) {
            Cow::Owned(changed) => Some(serde_json::to_string(&changed).ok()?),
            Cow::Borrowed(_) => None,
        };
        if let Some(changed) = changed {
            self.put(start, &changed)?;
        }
        Some(())
    }

    /// A number, `true`, `false` or `null`; only selected numbers are replaced.
    fn scalar(&mut self, selected: Option<Label>) -> Option<()> {
        let start = self.at;
        while self.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            self.at += 1;
        }
        let scalar = self.json.get(start..self.at)?;
        let is_number = scalar.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        if !is_number && !matches!(scalar, "true" | "false" | "null") {
            return None;
        }
        if let (true, Some(label)) = (is_number, selected)
            && let Cow::Owned(changed) = self.texts.selected(scalar, label)
        {
            let changed = serde_json::to_string(&changed).ok()?;
            self.put(start, &changed)?;
        }
        Some(())
    }

    /// Puts `text` in the place of what was read since `start`.
    fn put(&mut self, start: usize, text: &str) -> Option<()> {
        self.out.push_str(self.json.get(self.copied..start)?);
        self.out.push_str(text);
        self.copied = self.at;
        Some(())
    }
}

/// What is left of the selections one step further down; what is selected stays so.
fn below<'s>(active: &[Active<'s>], fits: impl Fn(&Step) -> bool) -> Vec<Active<'s>> {
    let steps = active.iter().filter_map(|(steps, label)| match steps.split_first() {
        None => Some((*steps, *label)),
        Some((first, rest)) => fits(first).then_some((rest, *label)),
    });
    steps.collect()
}
