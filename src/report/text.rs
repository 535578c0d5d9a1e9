//! Text from data as the report shows it: visible, named when empty, of bounded length.

use super::escape::escape_terminal_line;

/// No text from data takes more characters than this in a page.
const LONGEST_TEXT: usize = 2_000;

/// Text from data with every hidden character visible; still to be escaped for its place.
pub(crate) fn shown(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let visible = escape_terminal_line(text);
    let length = visible.chars().count();
    if length <= LONGEST_TEXT {
        return visible;
    }
    let kept: String = visible.chars().take(LONGEST_TEXT).collect();
    format!("{kept}… ({} more characters)", length - LONGEST_TEXT)
}

/// The model name of figures over all models together.
pub(crate) const ALL_MODELS: &str = "(all)";

/// A model's name from data; the name that stands for all models is spelled out.
pub(crate) fn model_name(model: &str) -> String {
    if model == ALL_MODELS { "all models".to_owned() } else { shown(model) }
}

/// At most `most` characters, the last one an ellipsis when some are left out.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_visible_bounded_and_never_blank() {
        assert_eq!(shown(""), "(empty)");
        assert_eq!(shown("a\u{202e}b\n"), "a\\u{202e}b\\n");
        let long = shown(&"x".repeat(LONGEST_TEXT + 5));
        assert!(long.ends_with("x… (5 more characters)"), "{long}");
    }

    #[test]
    fn a_shortened_text_ends_in_an_ellipsis() {
        assert_eq!(shortened("größe", 5), "größe");
        assert_eq!(shortened("größer", 5), "größ…");
        assert_eq!(shortened("ab", 0), "…");
    }
}
