//! Recorded answers of which known shares are changed: the truth that a comparison must recover.

use std::path::PathBuf;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answers::{Answer, AnswerOrigin};
use super::config::{ConfigError, TokenModel, check_rates};
use super::draw::Draws;
use super::recorded::AnswerMap;
use super::words::{REFUSALS, any_word};
use crate::chat::{ChatRequest, ResponseFormat};

/// Recorded answers, changed at known rates.
///
/// One uniform draw a request is cut into the shares refused, broken, edited and unchanged, so
/// that each rate is a share of all requests. A request drawn to be broken whose answer is not
/// JSON is answered unchanged.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CapturedAnswers {
    /// A JSONL file of answers, read when the simulator starts. It takes the place of `map`.
    pub file: Option<PathBuf>,
    /// The answers by prompt key. They are not part of a written configuration.
    #[serde(skip)]
    pub map: AnswerMap,
    /// Share of requests answered with changed content.
    pub edit_rate: f64,
    /// Share of the words of an edited text that are replaced; at least one is.
    pub edited_words: f64,
    /// Share of requests refused.
    pub refuse_rate: f64,
    /// Share of requests whose JSON answer is cut so that it no longer parses.
    pub json_break_rate: f64,
}

impl Default for CapturedAnswers {
    fn default() -> Self {
        CapturedAnswers {
            file: None,
            map: AnswerMap::default(),
            edit_rate: 0.0,
            edited_words: 0.3,
            refuse_rate: 0.0,
            json_break_rate: 0.0,
        }
    }
}

impl CapturedAnswers {
    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        check_rates(prefix, &[self.refuse_rate, self.json_break_rate, self.edit_rate])?;
        check_rates(&format!("{prefix}.edited_words"), &[self.edited_words])
    }

    pub(super) fn answer(
        &self,
        request: &ChatRequest,
        prompt_key: &str,
        draws: &Draws,
        tokens: TokenModel,
    ) -> Option<Answer> {
        let mut answer = Answer::recorded(self.map.get(prompt_key)?, tokens);
        let draw = draws.uniform("behaviour");
        let breaks_from = self.refuse_rate;
        let edits_from = breaks_from + self.json_break_rate;
        if draw < breaks_from {
            return Some(refuse(&answer, draws, tokens));
        } else if draw < edits_from {
            break_json(&mut answer, request);
        } else if draw < edits_from + self.edit_rate {
            self.edit(&mut answer, &mut draws.rng("edit"));
        }
        Some(answer)
    }

    fn edit(&self, answer: &mut Answer, rng: &mut ChaCha8Rng) {
        answer.origin = AnswerOrigin::Edited;
        let count = answer.tool_calls.len();
        if count > 0 {
            let index = rng.random_range(0..count);
            if let Some(call) = answer.tool_calls.get_mut(index) {
                let arguments = serde_json::from_str(&call.arguments).unwrap_or(Value::Null);
                call.arguments = edited_json(arguments, rng).to_string();
            }
            return;
        }
        answer.text = match json_document(&answer.text) {
            Some(document) => edited_json(document, rng).to_string(),
            None => edited_text(&answer.text, self.edited_words, rng),
        };
    }
}

fn refuse(answer: &Answer, draws: &Draws, tokens: TokenModel) -> Answer {
    let index = draws.rng("refusal").random_range(0..REFUSALS.len());
    let text = REFUSALS.get(index).copied().unwrap_or_default().to_owned();
    let mut refusal = Answer::new(text, Vec::new(), AnswerOrigin::Refused, tokens);
    refusal.prompt_tokens = answer.prompt_tokens;
    // A refusal is short: only the wait for its first token is that of the recorded answer.
    refusal.timing.ttft_ms = answer.timing.ttft_ms;
    refusal
}

fn break_json(answer: &mut Answer, request: &ChatRequest) {
    let asked = matches!(
        request.response_format,
        Some(ResponseFormat::JsonObject | ResponseFormat::JsonSchema { .. })
    );
    if !asked && json_document(&answer.text).is_none() {
        return;
    }
    let mut text = answer.text.trim_end().to_owned();
    // One character is enough for an object, an array or a string; a number may take more.
    while !text.is_empty() && serde_json::from_str::<Value>(&text).is_ok() {
        text.pop();
    }
    answer.text = text;
    answer.origin = AnswerOrigin::JsonBroken;
}

/// The text's JSON, if it is an object or an array.
fn json_document(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    (value.is_object() || value.is_array()).then_some(value)
}

fn edited_text(text: &str, share: f64, rng: &mut ChaCha8Rng) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    let count = words.len();
    let forced = rng.random_range(0..count);
    for (index, word) in words.iter_mut().enumerate() {
        if index == forced || rng.random::<f64>() < share {
            *word = another_word(word, rng);
        }
    }
    words.join(" ")
}

fn another_word(word: &str, rng: &mut ChaCha8Rng) -> String {
    let other = any_word(rng);
    if other == word { format!("{other}s") } else { other.to_owned() }
}

/// The document with its first scalar changed; one without any scalar gets one.
fn edited_json(mut document: Value, rng: &mut ChaCha8Rng) -> Value {
    if change_first_scalar(&mut document, rng) {
        return document;
    }
    let note = Value::from(any_word(rng));
    match &mut document {
        Value::Object(fields) => {
            fields.insert("note".into(), note);
        }
        Value::Array(items) => items.push(note),
        _ => document = Value::Object(Map::from_iter([("note".to_owned(), note)])),
    }
    document
}

fn change_first_scalar(value: &mut Value, rng: &mut ChaCha8Rng) -> bool {
    match value {
        Value::Object(fields) => {
            fields.iter_mut().any(|(_, field)| change_first_scalar(field, rng))
        }
        Value::Array(items) => items.iter_mut().any(|item| change_first_scalar(item, rng)),
        Value::String(text) => {
            *text = another_word(text, rng);
            true
        }
        Value::Bool(flag) => {
            *flag = !*flag;
            true
        }
        Value::Number(number) => {
            *value = match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Value::from(whole.checked_add(1).unwrap_or(0)),
                (None, float) => Value::from(float.unwrap_or(0.0) / 2.0 + 1.5),
            };
            true
        }
        Value::Null => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ToolCall;
    use crate::simulator::RecordedAnswer;

    fn answers(text: &str, rates: (f64, f64, f64)) -> CapturedAnswers {
        let recorded = RecordedAnswer { text: text.into(), ..RecordedAnswer::default() };
        let (refuse_rate, json_break_rate, edit_rate) = rates;
        let map = [("k".to_owned(), recorded)].into_iter().collect();
        CapturedAnswers {
            map,
            edit_rate,
            refuse_rate,
            json_break_rate,
            ..CapturedAnswers::default()
        }
    }

    fn ask(answers: &CapturedAnswers, body: u32) -> Answer {
        let draws = Draws::new(9, &body.to_le_bytes(), None);
        let request = ChatRequest::default();
        answers.answer(&request, "k", &draws, TokenModel::default()).expect("is recorded")
    }

    #[test]
    fn each_behaviour_has_the_share_that_was_asked_for() {
        let answers = answers(r#"{"a":1}"#, (0.1, 0.2, 0.3));
        let mut seen = std::collections::BTreeMap::new();
        for body in 0..4000 {
            *seen.entry(ask(&answers, body).origin).or_insert(0_i32) += 1;
        }
        // Five binomial standard deviations around 400, 800, 1200, 1600.
        for (origin, expected, allowed) in [
            (AnswerOrigin::Refused, 400, 95),
            (AnswerOrigin::JsonBroken, 800, 127),
            (AnswerOrigin::Edited, 1200, 145),
            (AnswerOrigin::Recorded, 1600, 155),
        ] {
            let count = seen.get(&origin).copied().unwrap_or(0);
            assert!((count - expected).abs() <= allowed, "{origin:?}: {count}");
        }
    }

    #[test]
    fn an_edited_text_differs_and_edited_json_still_parses() {
        for body in 0..200 {
            let text = ask(&answers("one two three four", (0.0, 0.0, 1.0)), body).text;
            assert_ne!(text, "one two three four");
            let json = ask(&answers(r#"{"a":{"b":[1.5]}}"#, (0.0, 0.0, 1.0)), body).text;
            assert_ne!(json, r#"{"a":{"b":[1.5]}}"#);
            assert!(serde_json::from_str::<Value>(&json).is_ok(), "{json}");
        }
    }

    #[test]
    fn an_edited_call_keeps_its_name_and_has_other_arguments() {
        let call = ToolCall { id: String::new(), name: "f".into(), arguments: "{\"a\":1}".into() };
        let recorded = RecordedAnswer { tool_calls: vec![call], ..RecordedAnswer::default() };
        let map = [("k".to_owned(), recorded)].into_iter().collect();
        let answers = CapturedAnswers { map, edit_rate: 1.0, ..CapturedAnswers::default() };
        let answer = ask(&answers, 1);
        let calls: Vec<_> =
            answer.tool_calls.iter().map(|c| (c.name.as_str(), c.arguments.as_str())).collect();
        assert_eq!(calls, [("f", "{\"a\":2}")]);
    }

    #[test]
    fn broken_json_does_not_parse_and_other_text_is_left_alone() {
        let broken = ask(&answers(r#"[{"a":1}]"#, (0.0, 1.0, 0.0)), 1);
        assert!(serde_json::from_str::<Value>(&broken.text).is_err());
        let prose = ask(&answers("prose", (0.0, 1.0, 0.0)), 1);
        assert_eq!((prose.text.as_str(), prose.origin), ("prose", AnswerOrigin::Recorded));
    }

    #[test]
    fn a_prompt_without_recording_has_no_answer() {
        let answers = answers("x", (1.0, 0.0, 0.0));
        let draws = Draws::new(9, b"b", None);
        let request = ChatRequest::default();
        assert!(answers.answer(&request, "other", &draws, TokenModel::default()).is_none());
    }
}
