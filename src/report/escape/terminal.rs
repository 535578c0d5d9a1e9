//! Makes control, direction and invisible characters visible.

/// Whether a character changes what a reader sees without being seen itself.
///
/// Covers C0, DEL and C1 controls (ESC and the 8-bit CSI and OSC among them), the bidirectional
/// controls of Unicode UAX #9, zero-width and filler characters, line and paragraph separators,
/// interlinear annotation marks, and the tag characters of plane 14.
fn is_hidden(character: char) -> bool {
    matches!(
        character,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

fn escape_hidden(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hidden(character) && !keep(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Untrusted text for a terminal, line breaks and tabs kept.
///
/// Every other hidden character is written in Rust's form, such as `\u{1b}` for ESC, so that no
/// escape sequence (colours, OSC 8 links, OSC 52 clipboard writes, DCS) and no reordering by
/// direction marks reaches the reader. The form is for eyes: it is not meant to be read back.
pub fn escape_terminal(text: &str) -> String {
    escape_hidden(text, |character| matches!(character, '\n' | '\t'))
}

/// Untrusted text for one line or one table cell: line breaks and tabs are made visible as well.
pub fn escape_terminal_line(text: &str) -> String {
    escape_hidden(text, |_| false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_lose_their_effect_and_stay_readable() {
        let cases = [
            ("plain gpt-4o, Größe 模型 🦀", "plain gpt-4o, Größe 模型 🦀"),
            ("\x1b[2J\x1b[31mred", "\\u{1b}[2J\\u{1b}[31mred"),
            ("\x1b]52;c;cm0gLXJm\x07", "\\u{1b}]52;c;cm0gLXJm\\u{7}"),
            ("\x1b]8;;http://x\x1b\\link", "\\u{1b}]8;;http://x\\u{1b}\\link"),
            ("\u{9b}31m\u{9d}0;t\u{9c}", "\\u{9b}31m\\u{9d}0;t\\u{9c}"),
            ("\u{90}q\u{9c}", "\\u{90}q\\u{9c}"),
            ("over\rwritten\x08\x7f", "over\\rwritten\\u{8}\\u{7f}"),
            ("\u{202e}OG-ON\u{202c}", "\\u{202e}OG-ON\\u{202c}"),
            ("a\u{2066}b\u{2069}c\u{61c}", "a\\u{2066}b\\u{2069}c\\u{61c}"),
            ("ne\u{200b}xt\u{200d}\u{feff}", "ne\\u{200b}xt\\u{200d}\\u{feff}"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("nul\0", "nul\\u{0}"),
        ];
        for (given, wanted) in cases {
            assert_eq!(escape_terminal(given), wanted, "{given:?}");
            assert_eq!(escape_terminal_line(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn line_breaks_survive_in_blocks_and_show_in_lines() {
        assert_eq!(escape_terminal("a\n\tb"), "a\n\tb");
        assert_eq!(escape_terminal_line("a\n\tb"), "a\\n\\tb");
    }

    #[test]
    fn no_control_character_survives_whatever_the_text() {
        let every_control: String = (0..0xa0).filter_map(char::from_u32).collect();
        assert!(!escape_terminal_line(&every_control).chars().any(char::is_control));
    }
}
