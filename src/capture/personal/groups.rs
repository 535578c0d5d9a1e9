//! Groups of digits and what separates them, the common ground of all numbers.

/// A run of ASCII letters and digits with at least one digit in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether it has no letters.
    pub(super) is_number: bool,
}

/// What stands between two groups of one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    Space,
    Dash,
    Dot,
    Slash,
    /// An opening parenthesis.
    Open,
    /// A closing parenthesis.
    Close,
}

impl Separator {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            " " | "\u{a0}" | "\u{202f}" | "\u{2009}" => Separator::Space,
            "-" | "\u{2010}" | "\u{2011}" | "\u{2012}" | "\u{2013}" | " - " => Separator::Dash,
            "." => Separator::Dot,
            "/" | " / " | " /" | "/ " => Separator::Slash,
            "(" | " (" => Separator::Open,
            ")" | ") " | ")-" | ")/" => Separator::Close,
            _ => return None,
        })
    }
}

/// A group of digits, and what stands between it and the group before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'t> {
    pub(super) digits: &'t str,
    pub(super) end: usize,
    pub(super) before: Option<Separator>,
}

/// More groups than any number has.
const MOST_GROUPS: usize = 9;

/// All tokens of a text that have a digit.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut rest = bytes.iter().enumerate();
    while let Some((start, first)) = rest.find(|(_, byte)| byte.is_ascii_alphanumeric()) {
        let mut has_digit = first.is_ascii_digit();
        let mut is_number = has_digit;
        let end = loop {
            match rest.next() {
                Some((_, byte)) if byte.is_ascii_digit() => has_digit = true,
                Some((_, byte)) if byte.is_ascii_alphabetic() => is_number = false,
                Some((at, _)) => break at,
                None => break bytes.len(),
            }
        };
        if has_digit {
            tokens.push(Token { start, end, is_number });
        }
    }
    tokens
}

/// The groups of digits that could be one number with the first of `tokens`.
pub(super) fn groups<'t>(text: &'t str, tokens: &[Token]) -> Vec<Group<'t>> {
    let mut groups: Vec<Group<'t>> = Vec::with_capacity(4);
    for token in tokens.iter().take(MOST_GROUPS).take_while(|token| token.is_number) {
        let before = match groups.last() {
            None => None,
            Some(last) => {
                let between = text.get(last.end..token.start).filter(|between| between.len() <= 3);
                let Some(separator) = between.and_then(Separator::parse) else { break };
                Some(separator)
            }
        };
        let Some(digits) = text.get(token.start..token.end) else { break };
        groups.push(Group { digits, end: token.end, before });
    }
    groups
}

/// The digits of groups, without what separates them.
pub(super) fn joined(groups: &[Group<'_>]) -> String {
    groups.iter().map(|group| group.digits).collect()
}

/// Whether the groups have these lengths.
pub(super) fn has_lengths(groups: &[Group<'_>], lengths: &[usize]) -> bool {
    groups.len() == lengths.len()
        && groups.iter().zip(lengths).all(|(group, length)| group.digits.len() == *length)
}

/// Whether all groups are separated by `separator`.
pub(super) fn is_uniform(groups: &[Group<'_>], separator: Separator) -> bool {
    groups.iter().skip(1).all(|group| group.before == Some(separator))
}

/// Whether a number may begin at `start`: not in a word, a longer number or an identifier.
pub(super) fn begins(text: &str, start: usize) -> bool {
    let mut before = text.get(..start).unwrap_or_default().chars().rev();
    match before.next() {
        Some(last) if last.is_ascii_alphanumeric() || last == '_' => false,
        Some('-' | '.' | ',' | ':' | '/' | '+' | '#' | '\u{2013}') => {
            before.next().is_none_or(|char| !char.is_ascii_alphanumeric())
        }
        _ => true,
    }
}

/// Whether a number may end at `end`.
pub(super) fn ends(text: &str, end: usize) -> bool {
    let mut after = text.get(end..).unwrap_or_default().chars();
    match after.next() {
        Some(first) if first.is_ascii_alphanumeric() || first == '_' => false,
        Some('-') => after.next().is_none_or(|char| !char.is_ascii_alphanumeric()),
        Some('.' | ',' | ':' | '/') => after.next().is_none_or(|char| !char.is_ascii_digit()),
        _ => true,
    }
}
