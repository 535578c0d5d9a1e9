//! What the simulated provider answers, by configuration and by request.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::captured::CapturedAnswers;
use super::config::{ConfigError, TokenModel};
use super::draw::Draws;
use super::generate::GeneratedAnswers;
use super::latency::RecordedTiming;
use super::recorded::{AnswerMap, AnswersError, RecordedAnswers};
use crate::chat::{ChatRequest, Part, ToolCall};

/// Where answers come from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Answers {
    /// Seeded pseudo-text, JSON where JSON is asked for, tool calls where tools are offered.
    Generated(GeneratedAnswers),
    /// Recorded answers as they are; a prompt without one is answered 404.
    Recorded(RecordedAnswers),
    /// Recorded answers of which known shares are edited, refused or broken, so that a test knows
    /// the truth that a comparison must find.
    Captured(CapturedAnswers),
}

impl Default for Answers {
    fn default() -> Self {
        Answers::Generated(GeneratedAnswers::default())
    }
}

impl Answers {
    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        match self {
            Answers::Generated(generated) => generated.check(prefix),
            Answers::Recorded(_) => Ok(()),
            Answers::Captured(captured) => captured.check(prefix),
        }
    }

    /// Reads the answers file, if one is named; `loaded` keeps two users of one file from reading
    /// it twice.
    pub(super) fn load(
        &mut self,
        loaded: &mut BTreeMap<PathBuf, AnswerMap>,
    ) -> Result<(), AnswersError> {
        let (file, map) = match self {
            Answers::Generated(_) => return Ok(()),
            Answers::Recorded(recorded) => (&recorded.file, &mut recorded.map),
            Answers::Captured(captured) => (&captured.file, &mut captured.map),
        };
        let Some(path) = file else { return Ok(()) };
        if !loaded.contains_key(path) {
            loaded.insert(path.clone(), AnswerMap::load(path)?);
        }
        if let Some(answers) = loaded.get(path) {
            *map = answers.clone();
        }
        Ok(())
    }

    /// The answer to `request`, before its output cap; `None` if nothing is recorded for its key.
    pub(super) fn answer(
        &self,
        request: &ChatRequest,
        prompt_key: &str,
        draws: &Draws,
        tokens: TokenModel,
    ) -> Option<Answer> {
        match self {
            Answers::Generated(generated) => Some(generated.answer(request, draws, tokens)),
            Answers::Recorded(recorded) => {
                recorded.map.get(prompt_key).map(|it| Answer::recorded(it, tokens))
            }
            Answers::Captured(captured) => captured.answer(request, prompt_key, draws, tokens),
        }
    }
}

/// How an answer came about; the ground truth that the log keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerOrigin {
    /// Made up from the seed.
    Generated,
    /// A recorded answer, unchanged.
    Recorded,
    /// A recorded answer with some of its content changed.
    Edited,
    /// A refusal in place of the recorded answer.
    Refused,
    /// A recorded JSON answer that no longer parses.
    JsonBroken,
}

/// One choice of an answer, before a dialect gives it its form.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) text: String,
    /// Calls without identifiers; the dialect gives them.
    pub(super) tool_calls: Vec<ToolCall>,
    pub(super) origin: AnswerOrigin,
    /// Whether the output cap cut the answer short.
    pub(super) capped: bool,
    /// Prompt tokens as recorded.
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: u64,
    pub(super) timing: RecordedTiming,
}

impl Answer {
    /// An answer without recorded tokens or timing.
    pub(super) fn new(
        text: String,
        tool_calls: Vec<ToolCall>,
        origin: AnswerOrigin,
        tokens: TokenModel,
    ) -> Self {
        let completion_tokens = tokens.tokens(output_bytes(&text, &tool_calls));
        let timing = RecordedTiming::default();
        Answer {
            text,
            tool_calls,
            origin,
            capped: false,
            prompt_tokens: None,
            completion_tokens,
            timing,
        }
    }

    /// Cuts the answer to `cap` tokens. Calls are dropped from the end before any text is, because
    /// half a call is not a call; text loses the share of its bytes that its tokens are over.
    pub(super) fn cap(&mut self, cap: u64) {
        if self.completion_tokens <= cap {
            return;
        }
        let whole = output_bytes(&self.text, &self.tool_calls);
        let keep = (whole as f64 * cap as f64 / self.completion_tokens as f64).floor() as usize;
        while !self.tool_calls.is_empty() && output_bytes(&self.text, &self.tool_calls) > keep {
            self.tool_calls.pop();
        }
        self.text.truncate(self.text.floor_char_boundary(keep));
        let scale = cap as f64 / self.completion_tokens as f64;
        if let (Some(ttft_ms), Some(latency_ms)) =
            (self.timing.ttft_ms, self.timing.latency_ms.as_mut())
        {
            *latency_ms = ttft_ms + (*latency_ms - ttft_ms).max(0.0) * scale;
        }
        self.completion_tokens = cap;
        self.capped = true;
    }
}

/// The bytes that count as output: text, and names and arguments of calls.
pub(super) fn output_bytes(text: &str, tool_calls: &[ToolCall]) -> usize {
    let calls: usize = tool_calls.iter().map(|call| call.name.len() + call.arguments.len()).sum();
    text.len() + calls
}

/// The bytes that count as prompt: message text, tool calls, tool results, tool definitions.
pub(super) fn prompt_bytes(request: &ChatRequest) -> usize {
    let messages: usize =
        request.messages.iter().flat_map(|message| &message.parts).map(part_bytes).sum();
    let tools: usize = request
        .tools
        .iter()
        .map(|tool| {
            let description = tool.description.as_ref().map_or(0, String::len);
            let parameters = tool.parameters.as_ref().map_or(0, |schema| schema.to_string().len());
            tool.name.len() + description + parameters
        })
        .sum();
    messages + tools
}

fn part_bytes(part: &Part) -> usize {
    match part {
        Part::Text(text) | Part::Refusal(text) => text.len(),
        Part::ToolCall(call) => call.name.len() + call.arguments.len(),
        Part::ToolResult { content, .. } => content.iter().map(part_bytes).sum(),
        Part::Image { .. } | Part::Other { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, arguments: &str) -> ToolCall {
        ToolCall { id: String::new(), name: name.into(), arguments: arguments.into() }
    }

    #[test]
    fn a_cap_cuts_text_to_its_share_and_never_inside_a_character() {
        let text = "é".repeat(10);
        let mut answer =
            Answer::new(text, vec![], AnswerOrigin::Generated, TokenModel { bytes_per_token: 4 });
        assert_eq!(answer.completion_tokens, 5);
        answer.cap(2);
        // Two fifths of 20 bytes are 8 bytes, four characters.
        assert_eq!((answer.text.as_str(), answer.completion_tokens), ("éééé", 2));
        assert!(answer.capped);
    }

    #[test]
    fn a_cap_that_is_not_reached_changes_nothing() {
        let mut answer =
            Answer::new("12345678".into(), vec![], AnswerOrigin::Generated, TokenModel::default());
        let before = answer.clone();
        answer.cap(2);
        assert_eq!(answer, before);
    }

    #[test]
    fn a_call_that_does_not_fit_is_dropped_whole() {
        let calls = vec![call("f", r#"{"a":1}"#), call("g", r#"{"a":2}"#)];
        let mut answer =
            Answer::new(String::new(), calls, AnswerOrigin::Generated, TokenModel::default());
        answer.cap(3);
        assert_eq!(answer.tool_calls, [call("f", r#"{"a":1}"#)]);
        assert!(answer.capped);
    }

    #[test]
    fn a_capped_recording_takes_the_share_of_its_time() {
        let mut answer =
            Answer::new("x".repeat(40), vec![], AnswerOrigin::Recorded, TokenModel::default());
        answer.timing = RecordedTiming { ttft_ms: Some(100.0), latency_ms: Some(200.0) };
        answer.cap(5);
        assert_eq!(answer.timing.latency_ms, Some(150.0));
    }
}
