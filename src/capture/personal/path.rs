//! Places in a JSON document, as a user writes them: `messages[*].metadata.customer`.

use std::fmt;
use std::str::FromStr;

/// A path that cannot be read, with the place of the fault.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("path `{path}`, character {at}: {problem}")]
pub struct JsonPathError {
    /// The path.
    pub path: String,
    /// The character, from 1.
    pub at: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// One step down into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The member of this name.
    Member(String),
    /// Any member.
    AnyMember,
    /// The element at this place, from 0.
    Element(usize),
    /// Any element.
    AnyElement,
}

/// A path into a JSON document, from its root.
///
/// Members are separated by dots; `*` is any member, `[*]` any element, `[0]` one element, and
/// `["a.b"]` a member whose name has dots or brackets. Everything below a selected place is
/// selected too. There is no search at any depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    written: String,
    steps: Vec<Step>,
}

impl JsonPath {
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl FromStr for JsonPath {
    type Err = JsonPathError;

    fn from_str(written: &str) -> Result<Self, Self::Err> {
        let mut steps = Vec::new();
        let mut rest = written;
        while !rest.is_empty() {
            let fault = |problem| {
                let at = written.chars().count() - rest.chars().count() + 1;
                JsonPathError { path: written.to_owned(), at, problem }
            };
            let (step, after) = if let Some(inside) = rest.strip_prefix('[') {
                bracket(inside).map_err(fault)?
            } else {
                let name = if steps.is_empty() { Some(rest) } else { rest.strip_prefix('.') };
                let name = name.ok_or_else(|| fault("a `.` or `[` must follow a `]`"))?;
                member(name).map_err(fault)?
            };
            steps.push(step);
            rest = after;
        }
        if steps.is_empty() {
            let problem = "the path is empty";
            return Err(JsonPathError { path: written.to_owned(), at: 1, problem });
        }
        Ok(JsonPath { written: written.to_owned(), steps })
    }
}

fn member(text: &str) -> Result<(Step, &str), &'static str> {
    let end = text.find(['.', '[', ']']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    match name {
        "" => Err("a member's name is missing"),
        _ if rest.starts_with(']') => Err("there is no `[` to this `]`"),
        "*" => Ok((Step::AnyMember, rest)),
        _ if name.contains('*') => Err("`*` stands alone; parts of names cannot be left open"),
        _ => Ok((Step::Member(name.to_owned()), rest)),
    }
}

fn bracket(text: &str) -> Result<(Step, &str), &'static str> {
    const UNCLOSED: &str = "the `[` is not closed";
    if let Some(quoted) = text.strip_prefix('"') {
        let (name, rest) = quoted.split_once("\"]").ok_or(UNCLOSED)?;
        return Ok((Step::Member(name.to_owned()), rest));
    }
    let (inside, rest) = text.split_once(']').ok_or(UNCLOSED)?;
    match inside {
        "*" => Ok((Step::AnyElement, rest)),
        _ => match inside.parse() {
            Ok(index) if !inside.starts_with('+') => Ok((Step::Element(index), rest)),
            _ => Err("in brackets stands `*`, a number or a name in double quotes"),
        },
    }
}
