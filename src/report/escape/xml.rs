//! Text inside SVG elements and attributes.

/// Escapes text for XML and HTML, in element content and in quoted attributes.
///
/// Characters that XML 1.0 forbids are dropped: they would make a stand-alone SVG unreadable.
pub(crate) fn escape_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text_in_content_and_attributes() {
        let cases = [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\" onload=\"alert(1)", "&quot; onload=&quot;alert(1)"),
            ("' x='", "&#39; x=&#39;"),
            ("&lt;", "&amp;lt;"),
            ("<!--", "&lt;!--"),
            ("]]>", "]]&gt;"),
            ("a\u{0}\u{1b}b", "ab"),
            ("{{7*7}}", "{{7*7}}"),
        ];
        for (given, wanted) in cases {
            assert_eq!(escape_xml(given), wanted, "{given:?}");
        }
    }
}
