//! Recorded answers: one JSON object a line, found by prompt key.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answers::{Answer, AnswerOrigin};
use super::config::TokenModel;
use super::latency::RecordedTiming;
use crate::chat::ToolCall;

/// Recorded answers, given back as they are.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordedAnswers {
    /// A JSONL file of answers, read when the simulator starts. It takes the place of `map`.
    pub file: Option<PathBuf>,
    /// The answers by prompt key. They are not part of a written configuration.
    #[serde(skip)]
    pub map: AnswerMap,
}

impl From<AnswerMap> for RecordedAnswers {
    fn from(map: AnswerMap) -> Self {
        RecordedAnswers { file: None, map }
    }
}

/// One recorded answer.
#[derive(Clone, PartialEq, Default)]
pub struct RecordedAnswer {
    /// The answer's text; empty where the model only called tools.
    pub text: String,
    /// The calls that it made; their identifiers are not used.
    pub tool_calls: Vec<ToolCall>,
    /// Tokens of the prompt; absent means estimated.
    pub prompt_tokens: Option<u64>,
    /// Tokens of the answer; absent means estimated.
    pub completion_tokens: Option<u64>,
    /// Seconds to the first token; absent means drawn.
    pub ttft_s: Option<f64>,
    /// Seconds to the last token; absent means drawn.
    pub latency_s: Option<f64>,
}

impl fmt::Debug for RecordedAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The content is private.
        let calls = self.tool_calls.len();
        write!(formatter, "RecordedAnswer({} bytes, {calls} calls)", self.text.len())
    }
}

/// Recorded answers by [`crate::chat::prompt_key`]; cheap to clone.
#[derive(Clone, Default)]
pub struct AnswerMap(Arc<BTreeMap<String, RecordedAnswer>>);

impl fmt::Debug for AnswerMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "AnswerMap({} answers)", self.0.len())
    }
}

impl FromIterator<(String, RecordedAnswer)> for AnswerMap {
    fn from_iter<I: IntoIterator<Item = (String, RecordedAnswer)>>(answers: I) -> Self {
        AnswerMap(Arc::new(answers.into_iter().collect()))
    }
}

/// Why recorded answers cannot be used. No message holds content.
#[derive(Debug, thiserror::Error)]
pub enum AnswersError {
    /// The file cannot be read.
    #[error("cannot read recorded answers from {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A line is not a recorded answer.
    #[error("line {line} of the recorded answers: {problem}")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl AnswerMap {
    /// Reads answers from a JSONL file; see [`AnswerMap::read`].
    pub fn load(path: &Path) -> Result<Self, AnswersError> {
        let in_path = |source| AnswersError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(in_path)?;
        AnswerMap::read(BufReader::new(file)).map_err(|error| match error {
            AnswersError::Read { source, .. } => in_path(source),
            line @ AnswersError::Line { .. } => line,
        })
    }

    /// Reads answers from lines of JSON: `prompt_key`, `text`, `tool_calls`, `prompt_tokens`,
    /// `completion_tokens`, `ttft_s`, `latency_s`; all but the key may be null or absent, and
    /// other fields are not looked at. Tool calls are `{name, arguments}` or OpenAI's
    /// `{function: {name, arguments}}`, arguments text or JSON.
    ///
    /// Empty lines are skipped; of two lines with one key the later wins.
    pub fn read(input: impl BufRead) -> Result<Self, AnswersError> {
        let mut answers = BTreeMap::new();
        for (index, line) in input.lines().enumerate() {
            let line =
                line.map_err(|source| AnswersError::Read { path: PathBuf::new(), source })?;
            if line.trim().is_empty() {
                continue;
            }
            let (key, answer) = read_line(&line)
                .map_err(|problem| AnswersError::Line { line: index + 1, problem })?;
            answers.insert(key, answer);
        }
        Ok(AnswerMap(Arc::new(answers)))
    }

    /// The answer recorded for a key.
    pub fn get(&self, prompt_key: &str) -> Option<&RecordedAnswer> {
        self.0.get(prompt_key)
    }

    /// How many prompts have an answer.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no answer at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[derive(Deserialize)]
struct Line {
    prompt_key: String,
    text: Option<String>,
    tool_calls: Option<Vec<Value>>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    ttft_s: Option<f64>,
    latency_s: Option<f64>,
}

fn read_line(line: &str) -> Result<(String, RecordedAnswer), &'static str> {
    // The parser's own message may quote the line.
    let line: Line = serde_json::from_str(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => "a field is missing or has the wrong type",
        _ => "is not valid JSON",
    })?;
    let seconds_ok =
        |value: Option<f64>| value.is_none_or(|seconds| seconds.is_finite() && seconds >= 0.0);
    if !seconds_ok(line.ttft_s) || !seconds_ok(line.latency_s) {
        return Err("a time is negative");
    }
    let calls = line.tool_calls.unwrap_or_default();
    let tool_calls = calls.iter().map(read_call).collect::<Option<Vec<_>>>();
    let answer = RecordedAnswer {
        text: line.text.unwrap_or_default(),
        tool_calls: tool_calls.ok_or("a tool call has no name or no arguments")?,
        prompt_tokens: line.prompt_tokens,
        completion_tokens: line.completion_tokens,
        ttft_s: line.ttft_s,
        latency_s: line.latency_s,
    };
    Ok((line.prompt_key, answer))
}

fn read_call(call: &Value) -> Option<ToolCall> {
    let call = call.get("function").unwrap_or(call);
    let name = call.get("name")?.as_str()?.to_owned();
    let arguments = match call.get("arguments")? {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    Some(ToolCall { id: String::new(), name, arguments })
}

impl Answer {
    /// The recorded answer as it is.
    pub(super) fn recorded(recorded: &RecordedAnswer, tokens: TokenModel) -> Self {
        let (text, calls) = (recorded.text.clone(), recorded.tool_calls.clone());
        let mut answer = Answer::new(text, calls, AnswerOrigin::Recorded, tokens);
        answer.prompt_tokens = recorded.prompt_tokens;
        answer.completion_tokens = recorded.completion_tokens.unwrap_or(answer.completion_tokens);
        answer.timing = RecordedTiming {
            ttft_ms: recorded.ttft_s.map(|seconds| seconds * 1000.0),
            latency_ms: recorded.latency_s.map(|seconds| seconds * 1000.0),
        };
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AnswerMap, AnswersError> {
        AnswerMap::read(text.as_bytes())
    }

    #[test]
    fn both_shapes_of_tool_calls_are_read_with_arguments_as_text_or_json() {
        let map = read(concat!(
            r#"{"prompt_key":"k","text":null,"tool_calls":["#,
            r#"{"name":"f","arguments":"{\"a\": 1}"},"#,
            r#"{"id":"x","type":"function","function":{"name":"g","arguments":{"b":2}}}]}"#,
        ))
        .expect("must be read");
        let calls = &map.get("k").expect("must be there").tool_calls;
        let calls: Vec<_> = calls.iter().map(|c| (c.name.as_str(), c.arguments.as_str())).collect();
        assert_eq!(calls, [("f", r#"{"a": 1}"#), ("g", r#"{"b":2}"#)]);
    }

    #[test]
    fn of_two_answers_for_one_key_the_later_wins() {
        let map =
            read("{\"prompt_key\":\"k\",\"text\":\"a\"}\n\n{\"prompt_key\":\"k\",\"text\":\"b\"}")
                .expect("must be read");
        assert_eq!((map.len(), map.get("k").map(|it| it.text.as_str())), (1, Some("b")));
    }

    #[test]
    fn a_bad_line_is_named_by_number_and_never_quoted() {
        for line in [
            r#"{"prompt_key":"k","text":{"secret":1}}"#,
            r#"{"text":"secret"}"#,
            r#"{"prompt_key":"k","tool_calls":[{"secret":1}]}"#,
            r#"{"prompt_key":"k","latency_s":-1,"text":"secret"}"#,
            "secret",
        ] {
            let error = read(&format!("\n{line}")).expect_err("must be refused");
            let text = format!("{error} {error:?}");
            assert!(text.contains("line 2") && !text.contains("secret"), "{text}");
        }
    }

    #[test]
    fn recorded_tokens_win_over_the_estimate_and_absent_ones_are_estimated() {
        let mut recorded = RecordedAnswer { text: "12345".into(), ..RecordedAnswer::default() };
        assert_eq!(Answer::recorded(&recorded, TokenModel::default()).completion_tokens, 2);
        recorded.completion_tokens = Some(9);
        assert_eq!(Answer::recorded(&recorded, TokenModel::default()).completion_tokens, 9);
    }
}
