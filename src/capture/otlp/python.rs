//! What Python prints for plain data, as JSON.
//!
//! LiteLLM writes the request that it sent (`raw_gen_ai_request`) and the client's metadata as
//! `str(value)`. Only a text that is one complete literal is read; a text that was cut, or that
//! holds an object of a class, is none.

use serde_json::{Map, Number, Value};

/// How deeply lists and dictionaries may be nested.
const MAX_DEPTH: usize = 64;

/// The value of a literal of texts, numbers, `True`, `False`, `None`, lists, tuples and
/// dictionaries with texts as keys.
pub(super) fn literal(text: &str) -> Option<Value> {
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value(0)?;
    reader.rest.is_empty().then_some(value)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        match self.rest.chars().next()? {
            '\'' | '"' => self.text().map(Value::String),
            '[' => self.list(']', depth),
            '(' => self.list(')', depth),
            '{' => self.dictionary(depth),
            _ => self.word(),
        }
    }

    fn skip(&mut self, symbol: char) -> bool {
        let rest = self.rest.strip_prefix(symbol);
        if let Some(rest) = rest {
            self.rest = rest.trim_start();
        }
        rest.is_some()
    }

    fn list(&mut self, end: char, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        self.next();
        while !self.skip(end) {
            items.push(self.value(depth + 1)?);
            if !self.skip(',') && !self.rest.starts_with(end) {
                return None;
            }
        }
        Some(Value::Array(items))
    }

    fn dictionary(&mut self, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        self.next();
        while !self.skip('}') {
            let key = self.text()?;
            if !self.skip(':') {
                return None;
            }
            members.insert(key, self.value(depth + 1)?);
            if !self.skip(',') && !self.rest.starts_with('}') {
                return None;
            }
        }
        Some(Value::Object(members))
    }

    /// Takes one character and the space behind it.
    fn next(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str().trim_start();
    }

    fn word(&mut self) -> Option<Value> {
        let end = self.rest.find([',', ']', ')', '}', ':', ' ']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.trim_start();
        match word {
            "None" => Some(Value::Null),
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            _ => match word.parse::<i64>() {
                Ok(whole) => Some(whole.into()),
                Err(_) => Number::from_f64(word.parse().ok()?).map(Value::Number),
            },
        }
    }

    fn text(&mut self) -> Option<String> {
        let mut chars = self.rest.chars();
        let quote = chars.next().filter(|char| matches!(char, '\'' | '"'))?;
        let mut text = String::new();
        loop {
            match chars.next()? {
                char if char == quote => break,
                '\\' => match chars.next()? {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'x' => text.push(code(&mut chars, 2)?),
                    'u' => text.push(code(&mut chars, 4)?),
                    'U' => text.push(code(&mut chars, 8)?),
                    char @ ('\\' | '\'' | '"') => text.push(char),
                    _ => return None,
                },
                char => text.push(char),
            }
        }
        self.rest = chars.as_str().trim_start();
        Some(text)
    }
}

fn code(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text: String = chars.take(digits).collect();
    let is_whole = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_whole { char::from_u32(u32::from_str_radix(&text, 16).ok()?) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_printed_request_is_read_with_quotes_escapes_and_constants() {
        let printed = r#"{'a': "it's", 'b': [1, -2.5, True, False, None, ()], 'c\n\xa0\\': {}}"#;
        let expected =
            json!({"a": "it's", "b": [1, -2.5, true, false, null, []], "c\n\u{a0}\\": {}});
        assert_eq!(literal(printed), Some(expected));
        assert_eq!(literal("['\\n\\n']"), Some(json!(["\n\n"])));
        assert_eq!(literal(r"'\U0001f600'"), Some(json!("😀")));
    }

    #[test]
    fn what_is_cut_or_no_plain_data_is_nothing() {
        for text in
            ["{'a': 'b", "{'a': <X object>}", "[1, 2", "{1: 2}", "'a' 'b'", "", "inf", "['\\q']"]
        {
            assert_eq!(literal(text), None, "{text}");
        }
        assert_eq!(literal(&"[".repeat(100_000)), None);
    }
}
