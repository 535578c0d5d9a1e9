//! Untrusted text in GitHub-flavoured Markdown.

use super::escape_terminal_line;

/// Put between the parts of a link, mention or reference, so that no renderer joins them.
///
/// Backslashes and entities do not do: GitHub looks for mentions, references and mail addresses
/// in the rendered text, where both are resolved already.
const BREAK: char = '\u{200b}';

/// Untrusted text for a sentence, list item or table cell of a Markdown document.
///
/// The result is one line that renders as the text itself: no HTML, emphasis, code, link, image,
/// table cell, heading, list, maths, mention (`@name`), reference (`#1`, `GH-1`, `!1`) or bare
/// address survives. The rules are those of CommonMark 0.31 (backslash escapes, entities) and of
/// the GFM autolink extension.
pub fn escape_markdown(text: &str) -> String {
    let one_line: String =
        text.chars().map(|c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c }).collect();
    let visible = escape_terminal_line(one_line.trim());
    let mut escaped = String::with_capacity(visible.len() + 16);
    let leading_digits =
        visible.len() - visible.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    for (position, character) in visible.char_indices() {
        let rest = &visible[position + character.len_utf8()..];
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' => escaped.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '-' | '+' | '=' if position == 0 => {
                escaped.push('\\');
                escaped.push(character);
            }
            '.' | ')' if position > 0 && position == leading_digits && ends_word(rest) => {
                escaped.push('\\');
                escaped.push(character);
            }
            '#' | '!' => {
                escaped.push('\\');
                escaped.push(character);
                escaped.push(BREAK);
            }
            _ => {
                escaped.push(character);
                if breaks_after(character, rest, &visible[..position]) {
                    escaped.push(BREAK);
                }
            }
        }
    }
    escaped
}

/// Whether a list marker would end here: with a space or with the text.
fn ends_word(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(' ')
}

/// Whether a mention, bare address or reference would begin with this character.
fn breaks_after(character: char, rest: &str, before: &str) -> bool {
    let ends_with = |word: &str| {
        let tail = before.len().checked_sub(word.len()).and_then(|start| before.get(start..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(word))
    };
    match character {
        '@' => true,
        ':' => rest.starts_with('/') || ends_with("mailto") || ends_with("xmpp"),
        // After the dot it would be too late: any character may follow there.
        'w' | 'W' => rest.starts_with('.') && ends_with("ww"),
        '-' => ends_with("gh"),
        _ => false,
    }
}

/// An untrusted name as inline code where that is safe, else escaped like any other text.
///
/// Inside a code span nothing is read as markup; only a backtick, a pipe (which splits table
/// cells even there), a backslash (which may protect one) and hidden characters could break out.
/// Angle brackets and ampersands are left to escaping too, for renderers that pass HTML through.
pub fn markdown_code(name: &str) -> String {
    let breaks_out = |character: char| matches!(character, '`' | '|' | '\\' | '<' | '>' | '&');
    let is_plain = !name.is_empty()
        && !name.contains(breaks_out)
        && name.trim() == name
        && escape_terminal_line(name) == name;
    if is_plain { format!("`{name}`") } else { escape_markdown(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_data_renders_as_text() {
        let cases = [
            ("p99 is 1.5 s, not 1 s", "p99 is 1.5 s, not 1 s"),
            ("<img src=x onerror=alert(1)>", "&lt;img src=x onerror=alert(1)&gt;"),
            ("</details><script>", "&lt;/details&gt;&lt;script&gt;"),
            ("--><!-- x", "\\--&gt;&lt;\\!\u{200b}-- x"),
            ("![i](http://x/?q=1)", "\\!\u{200b}\\[i\\](http:\u{200b}//x/?q=1)"),
            ("[l](javascript:a)", "\\[l\\](javascript:a)"),
            ("a|b", "a&#124;b"),
            ("a\\|b", "a\\\\&#124;b"),
            ("`rm`", "\\`rm\\`"),
            ("**b** _i_ ~~s~~", "\\*\\*b\\*\\* \\_i\\_ \\~\\~s\\~\\~"),
            ("$x$", "\\$x\\$"),
            ("@everyone a@b.c", "@\u{200b}everyone a@\u{200b}b.c"),
            ("fixes #12, GH-3 !4", "fixes \\#\u{200b}12, GH-\u{200b}3 \\!\u{200b}4"),
            ("www.x.com WWW.X", "www\u{200b}.x.com WWW\u{200b}.X"),
            ("# h", "\\#\u{200b} h"),
            ("- item", "\\- item"),
            ("1. item", "1\\. item"),
            ("12)", "12\\)"),
            ("0.5 s", "0.5 s"),
            ("=== x", "\\=== x"),
            ("two\nlines\r\n\n# three", "two lines   \\#\u{200b} three"),
            ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
            ("\u{202e}x\x1b", "\\\\u{202e}x\\\\u{1b}"),
            ("{{7*7}} ${x} {%x%}", "{{7\\*7}} \\${x} {%x%}"),
            ("MAILTO:x", "MAILTO:\u{200b}x"),
        ];
        for (given, wanted) in cases {
            assert_eq!(escape_markdown(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn a_name_is_code_unless_it_could_break_out() {
        let cases = [
            ("gpt-4o", "`gpt-4o`"),
            ("@team/model", "`@team/model`"),
            ("<b>&", "&lt;b&gt;&amp;"),
            ("a`b", "a\\`b"),
            ("a|b", "a&#124;b"),
            ("a\\", "a\\\\"),
            ("a\nb", "a b"),
            (" a", "a"),
            ("", ""),
        ];
        for (given, wanted) in cases {
            assert_eq!(markdown_code(given), wanted, "{given:?}");
        }
    }
}
