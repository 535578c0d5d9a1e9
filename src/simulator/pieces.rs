//! An answer cut into the pieces that travel one by one.

use super::answers::Answer;

/// What a dialect needs to word one answer.
#[derive(Debug)]
pub(super) struct Reply {
    /// Hexadecimal digits of which every identifier is made.
    pub(super) id: String,
    /// The model's name as the request gave it.
    pub(super) model: String,
    /// Seconds since 1970.
    pub(super) created_s: i64,
    /// The choices, usually one.
    pub(super) choices: Vec<Answer>,
    pub(super) prompt_tokens: u64,
    /// Over all choices.
    pub(super) completion_tokens: u64,
    /// Whether the request asked for usage in the stream (OpenAI only).
    pub(super) include_usage: bool,
    /// Whether the request asked for JSON by schema, where OpenAI puts refusals in a field.
    pub(super) structured: bool,
    /// Bytes of output in one piece.
    pub(super) piece_bytes: usize,
}

/// An answer's events before they have times.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Events before any output; they leave at once.
    pub(super) lead: Vec<String>,
    /// For each piece of output the events that leave with it.
    pub(super) pieces: Vec<Vec<String>>,
    /// Events after the last piece, terminator included.
    pub(super) tail: Vec<String>,
}

/// A piece of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Some text.
    Text(&'a str),
    /// A tool call begins: its index among the calls.
    CallStart(usize),
    /// Some of the call's arguments.
    CallArguments(usize, &'a str),
}

/// The pieces of one choice, in the order in which they travel.
pub(super) fn pieces(answer: &Answer, piece_bytes: usize) -> Vec<Piece<'_>> {
    let mut pieces: Vec<_> =
        split(&answer.text, piece_bytes).into_iter().map(Piece::Text).collect();
    for (index, call) in answer.tool_calls.iter().enumerate() {
        pieces.push(Piece::CallStart(index));
        let arguments = split(&call.arguments, piece_bytes);
        pieces.extend(arguments.into_iter().map(|part| Piece::CallArguments(index, part)));
    }
    pieces
}

/// How many pieces all choices have together.
pub(super) fn count(reply: &Reply) -> usize {
    reply.choices.iter().map(|answer| pieces(answer, reply.piece_bytes).len()).sum()
}

/// The text as a JSON string.
pub(super) fn json_text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// The text in parts of about `bytes` bytes, never cut inside a character.
fn split(text: &str, bytes: usize) -> Vec<&str> {
    let mut parts = Vec::with_capacity(text.len() / bytes.max(1) + 1);
    let mut rest = text;
    while !rest.is_empty() {
        let (part, tail) = rest.split_at(rest.ceil_char_boundary(bytes.max(1)));
        parts.push(part);
        rest = tail;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ToolCall;
    use crate::simulator::{AnswerOrigin, TokenModel};

    #[test]
    fn parts_join_to_the_text_and_no_character_is_cut() {
        for text in ["", "abcdefgh", "届きます、明日", "é😀x"] {
            let parts = split(text, 4);
            assert_eq!(parts.concat(), text);
            assert!(parts.iter().all(|part| !part.is_empty() && part.len() < 4 + 4));
        }
        assert_eq!(split("abcdefghi", 4), ["abcd", "efgh", "i"]);
    }

    #[test]
    fn calls_follow_the_text_each_with_its_arguments() {
        let call = ToolCall { id: String::new(), name: "f".into(), arguments: "{\"a\":1}".into() };
        let answer =
            Answer::new("hi".into(), vec![call], AnswerOrigin::Generated, TokenModel::default());
        let expected = [
            Piece::Text("hi"),
            Piece::CallStart(0),
            Piece::CallArguments(0, "{\"a\""),
            Piece::CallArguments(0, ":1}"),
        ];
        assert_eq!(pieces(&answer, 4), expected);
    }
}
