//! JSON inside a `<script>` element.

/// Makes JSON text safe inside a `<script>` element without changing its value.
///
/// The HTML parser reads no entities there but ends the element at `</script` and enters an
/// escaped state at `<!--`; U+2028 and U+2029 end a line in older JavaScript. All five characters
/// can occur in JSON only inside strings, where a `\u` escape means the same.
pub(crate) fn escape_script_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_or_change_the_script_element() {
        let cases = [
            ("\"</script>\"", "\"\\u003c/script\\u003e\""),
            ("\"<!--<script>\"", "\"\\u003c!--\\u003cscript\\u003e\""),
            ("\"]]>&amp;\"", "\"]]\\u003e\\u0026amp;\""),
            ("\"\u{2028}\u{2029}\"", "\"\\u2028\\u2029\""),
        ];
        for (given, wanted) in cases {
            assert_eq!(escape_script_json(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn the_value_stays_the_same() {
        let value = serde_json::json!({"<&>": ["\u{2028}</script>", 1.5]});
        let escaped = escape_script_json(&value.to_string());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
