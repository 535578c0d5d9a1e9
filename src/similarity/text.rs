//! Equality of texts, byte for byte or after normalisation.

use unicode_normalization::UnicodeNormalization;

/// Whether upper and lower case differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// "Yes" and "yes" differ.
    Sensitive,
    /// "Yes" and "yes" are the same (Unicode lower case).
    Fold,
}

/// Whether two texts are the same bytes.
pub fn exact_equal(a: &str, b: &str) -> bool {
    a == b
}

/// Whether two texts are the same after [`normalise`].
pub fn normalised_equal(a: &str, b: &str, case: Case) -> bool {
    a == b || normalise(a, case) == normalise(b, case)
}

/// The text in Unicode form NFC (UAX #15), without white space at its ends and with each run of
/// white space, line ends included, as one space.
pub fn normalise(text: &str, case: Case) -> String {
    let composed: String = match case {
        Case::Sensitive => text.nfc().collect(),
        Case::Fold => text.to_lowercase().nfc().collect(),
    };
    let mut normalised = String::with_capacity(composed.len());
    for word in composed.split_whitespace() {
        if !normalised.is_empty() {
            normalised.push(' ');
        }
        normalised.push_str(word);
    }
    normalised
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_margins_and_composition_do_not_matter() {
        assert!(normalised_equal(" caf\u{e9}\r\n\tnoir ", "cafe\u{301} noir", Case::Sensitive));
        assert!(!exact_equal("caf\u{e9}", "cafe\u{301}"));
    }

    #[test]
    fn case_matters_unless_folded() {
        assert!(!normalised_equal("Yes.", "yes.", Case::Sensitive));
        assert!(normalised_equal("Yes. ÄÖ", "yes. äö", Case::Fold));
    }

    #[test]
    fn words_are_not_glued_together() {
        assert!(!normalised_equal("a b", "ab", Case::Fold));
        assert!(normalised_equal("", " \n ", Case::Sensitive));
    }
}
