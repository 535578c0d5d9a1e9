//! Members of a captured request, each with the path under which a loss or an error names it.

use serde_json::{Map, Value};

use crate::chat::{Message, Part, Role};

use super::adapter::{Origin, ParseError, Parsed};
use super::json::{count, present};

/// An object inside a request body, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Fields<'v> {
    object: &'v Map<String, Value>,
    path: String,
    /// Whether a member may also be spelled in snake case, as protobuf's JSON mapping allows.
    also_snake: bool,
}

impl<'v> Fields<'v> {
    /// The members of a whole body.
    pub(super) fn of_body(body: &'v Value) -> Result<Self, ParseError> {
        let object = body.as_object().ok_or_else(|| ParseError::wrong("body", "an object"))?;
        Ok(Fields { object, path: String::new(), also_snake: false })
    }

    /// The members of a value that stands at `path`.
    pub(super) fn of(value: &'v Value, path: impl Into<String>) -> Result<Self, ParseError> {
        let path = path.into();
        match value.as_object() {
            Some(object) => Ok(Fields { object, path, also_snake: false }),
            None => Err(ParseError::wrong(path, "an object")),
        }
    }

    /// The same object, whose members may be spelled in snake case too.
    pub(super) fn or_snake(self) -> Self {
        Fields { also_snake: true, ..self }
    }

    /// Where the object stands; empty for the body.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where a member stands.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// A member that is there and not null.
    pub(super) fn get(&self, name: &str) -> Option<&'v Value> {
        present(self.object, name)
            .or_else(|| self.also_snake.then(|| present(self.object, &snake(name))).flatten())
    }

    /// Every member that is there and not null, in order, under the name it is asked for by.
    pub(super) fn members(&self) -> impl Iterator<Item = (String, &'v Value)> {
        let also_snake = self.also_snake;
        self.object
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(move |(name, value)| (if also_snake { camel(name) } else { name.clone() }, value))
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &'static str,
        read: impl Fn(&'v Value) -> Option<T>,
    ) -> Result<Option<T>, ParseError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| ParseError::wrong(self.at(name), expected))
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'v str>, ParseError> {
        self.read(name, "a text", Value::as_str)
    }

    /// A member that must be there and be a text.
    pub(super) fn required_text(&self, name: &str) -> Result<&'v str, ParseError> {
        self.text(name)?.ok_or_else(|| ParseError::Missing(self.at(name)))
    }

    /// A member that is a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, ParseError> {
        self.read(name, "a number", Value::as_f64)
    }

    /// A member that is a whole number from zero on.
    pub(super) fn whole(&self, name: &str) -> Result<Option<u64>, ParseError> {
        self.read(name, "a whole number", count)
    }

    /// A member that is a list; an absent one is empty.
    pub(super) fn list(&self, name: &str) -> Result<&'v [Value], ParseError> {
        let list = self.read(name, "a list", Value::as_array)?;
        Ok(list.map(Vec::as_slice).unwrap_or_default())
    }

    /// A member that is a text or a list of texts, as a list.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, ParseError> {
        let read = |value: &Value| match value {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(list) => {
                list.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        Ok(self.read(name, "a text or a list of texts", read)?.unwrap_or_default())
    }

    /// A member that is an object.
    pub(super) fn object(&self, name: &str) -> Result<Option<Fields<'v>>, ParseError> {
        let object = self.read(name, "an object", Value::as_object)?;
        let also_snake = self.also_snake;
        Ok(object.map(|object| Fields { object, path: self.at(name), also_snake }))
    }

    /// A member that is true or false; any other value is as good as none.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }
}

/// `topP` as `top_p`.
fn snake(name: &str) -> String {
    let mut output = String::with_capacity(name.len() + 4);
    for char in name.chars() {
        if char.is_ascii_uppercase() {
            output.push('_');
        }
        output.push(char.to_ascii_lowercase());
    }
    output
}

/// `top_p` as `topP`.
fn camel(name: &str) -> String {
    let mut output = String::with_capacity(name.len());
    let mut raise = false;
    for char in name.chars() {
        if char == '_' {
            raise = true;
        } else {
            output.push(if raise { char.to_ascii_uppercase() } else { char });
            raise = false;
        }
    }
    output
}

/// A part with its path.
pub(super) type Placed = (Part, String);

/// Adds a message of a captured request.
pub(super) fn push(parsed: &mut Parsed, role: Role, path: &str, parts: Vec<Placed>) {
    let (parts, paths) = parts.into_iter().unzip();
    parsed.request.messages.push(Message { role, parts, name: None });
    parsed.origins.push(Origin { path: path.to_owned(), parts: paths });
}

/// Adds a turn that may hold tool results: one tool message a result, then a message of the rest,
/// so that a conversation looks the same as in dialects that give tools a role of their own.
pub(super) fn push_turn(parsed: &mut Parsed, role: Role, path: &str, parts: Vec<Placed>) {
    let (results, rest): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|(part, _)| matches!(part, Part::ToolResult { .. }));
    let only_results = !results.is_empty() && rest.is_empty();
    for result in results {
        push(parsed, Role::Tool, path, vec![result]);
    }
    if !only_results {
        push(parsed, role, path, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wrong_type_is_named_by_its_whole_path() {
        let body = json!({"outer": {"text": 1, "list": "x", "stop": ["a", 2], "n": -1, "o": []}});
        let outer = Fields::of_body(&body).unwrap().object("outer").unwrap().unwrap();
        let wrong = |path: &str, expected| ParseError::wrong(path, expected);
        assert_eq!(outer.text("text"), Err(wrong("outer.text", "a text")));
        assert_eq!(outer.list("list"), Err(wrong("outer.list", "a list")));
        let texts = "a text or a list of texts";
        assert_eq!(outer.texts("stop"), Err(wrong("outer.stop", texts)));
        assert_eq!(outer.whole("n"), Err(wrong("outer.n", "a whole number")));
        assert_eq!(outer.object("o").unwrap_err(), wrong("outer.o", "an object"));
        assert_eq!(outer.required_text("none"), Err(ParseError::Missing("outer.none".into())));
    }

    #[test]
    fn both_spellings_of_a_protobuf_member_are_found() {
        let body = json!({"max_output_tokens": 3, "topP": 0.5});
        let fields = Fields::of_body(&body).unwrap();
        assert_eq!(fields.whole("maxOutputTokens"), Ok(None));
        let fields = fields.or_snake();
        assert_eq!(fields.whole("maxOutputTokens"), Ok(Some(3)));
        assert_eq!(fields.number("topP"), Ok(Some(0.5)));
        let names: Vec<String> = fields.members().map(|(name, _)| name).collect();
        assert_eq!(names, ["maxOutputTokens", "topP"]);
    }
}
