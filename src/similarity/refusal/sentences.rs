//! The opening of an answer as sentences of plain words.

/// So many characters are the opening of an answer.
const OPENING_CHARS: usize = 600;

/// The opening in lower case with straight apostrophes, and where its sentences end.
#[derive(Debug)]
pub(super) struct Opening {
    plain: String,
    /// Byte in `plain` and byte in the text behind each sentence.
    ends: Vec<(usize, usize)>,
}

/// One sentence with something in it.
#[derive(Debug)]
pub(super) struct Sentence<'a> {
    /// In lower case.
    pub(super) text: &'a str,
    /// Its words with contractions spelled out and without punctuation.
    pub(super) words: Vec<&'a str>,
    /// Where it ends in the original text, in bytes.
    pub(super) end: usize,
}

impl Opening {
    pub(super) fn new(text: &str) -> Self {
        let mut plain = String::with_capacity(OPENING_CHARS + 8);
        let mut ends = Vec::new();
        let mut end = 0;
        for (at, c) in text.char_indices().take(OPENING_CHARS) {
            end = at + c.len_utf8();
            match c {
                '\u{2018}' | '\u{2019}' | '\u{02bc}' => plain.push('\''),
                'A'..='Z' => plain.push(c.to_ascii_lowercase()),
                c if c.is_ascii() => plain.push(c),
                c => plain.extend(c.to_lowercase()),
            }
            if matches!(c, '.' | '!' | '?' | '\n' | '。' | '！' | '？' | '।') {
                ends.push((plain.len(), end));
            }
        }
        ends.push((plain.len(), end));
        Opening { plain, ends }
    }

    /// Whether it begins as somebody else's words.
    pub(super) fn is_quoted(&self) -> bool {
        self.plain.trim_start().starts_with(['"', '“', '„', '«', '「', '>'])
    }

    /// The sentences that have words in them, each taken apart when it is asked for.
    pub(super) fn sentences(&self) -> impl Iterator<Item = Sentence<'_>> + Clone {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        begins.zip(&self.ends).filter_map(|(begin, (plain_end, end))| {
            let text = self.plain.get(begin..*plain_end).unwrap_or_default();
            let words = words(text);
            (!words.is_empty()).then_some(Sentence { text, words, end: *end })
        })
    }
}

fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let is_edge = |c: char| !(c.is_alphanumeric() || c == '\'' || is_mark(c));
    for word in text.split(is_edge) {
        let word = word.trim_matches('\'');
        if !word.is_empty() {
            spell_out(word, &mut words);
        }
    }
    words
}

/// Vowel signs of Indic scripts are part of a word but no letters.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0900}'..='\u{0dff}' | '\u{0e00}'..='\u{0e7f}')
}

/// English contractions as the words that they stand for; other apostrophes part two words.
fn spell_out<'a>(word: &'a str, words: &mut Vec<&'a str>) {
    match word {
        "can't" | "cant" => words.push("cannot"),
        "won't" => words.extend(["will", "not"]),
        "im" => words.extend(["i", "am"]),
        "dont" => words.extend(["do", "not"]),
        _ => match word.split_once('\'') {
            None => words.push(word),
            Some((before, after)) => {
                let (before, after) = match after {
                    "t" if before.ends_with('n') => (before.trim_end_matches('n'), "not"),
                    "m" => (before, "am"),
                    "re" => (before, "are"),
                    "ve" => (before, "have"),
                    "ll" => (before, "will"),
                    "d" => (before, "would"),
                    "s" if matches!(before, "it" | "that" | "there" | "here" | "he" | "she") => {
                        (before, "is")
                    }
                    other => (before, other),
                };
                words.extend([before, after].into_iter().filter(|part| !part.is_empty()));
            }
        },
    }
}

/// Whether there is a fenced block, or a list of at least two items.
pub(super) fn holds_list_or_code(text: &str) -> bool {
    let is_item = |line: &str| {
        let line = line.trim_start();
        let digits = line.bytes().take_while(u8::is_ascii_digit).count();
        let numbered = digits > 0 && line.get(digits..).is_some_and(|rest| rest.starts_with(". "));
        numbered || ["- ", "* ", "• "].iter().any(|bullet| line.starts_with(bullet))
    };
    text.contains("```") || text.lines().filter(|line| is_item(line)).take(2).count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contractions_are_spelled_out() {
        let opening = Opening::new("I\u{2019}m sorry, I can\u{2019}t. It isn't n'est.");
        let words: Vec<Vec<&str>> = opening.sentences().map(|s| s.words).collect();
        assert_eq!(words[0], ["i", "am", "sorry", "i", "cannot"]);
        assert_eq!(words[1], ["it", "is", "not", "n", "est"]);
    }

    #[test]
    fn lists_and_code_are_seen() {
        assert!(holds_list_or_code("Try:\n1. this\n2. that"));
        assert!(!holds_list_or_code("In 1984. - no\n- one"));
    }
}
