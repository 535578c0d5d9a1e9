//! Generated answers: seeded text of a drawn length, JSON and tool calls where they are asked for.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answers::{Answer, AnswerOrigin};
use super::config::{ConfigError, TokenModel, check_non_negative, check_rates};
use super::draw::Draws;
use super::latency::lognormal;
use super::sample_json::{sample, sample_object};
use super::words::any_language;
use crate::chat::{ChatRequest, Part, ResponseFormat, Role, Tool, ToolCall, ToolChoice};

/// How generated answers look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratedAnswers {
    /// The length of text answers, before the request's output cap.
    pub output_tokens: TokenLength,
    /// Share of requests with tools that call one, where the request leaves it to the model. After
    /// a tool's result the model always answers in text, so that tool loops end.
    pub tool_call_rate: f64,
}

impl Default for GeneratedAnswers {
    fn default() -> Self {
        GeneratedAnswers {
            output_tokens: TokenLength::Lognormal { median_tokens: 120.0, sigma: 0.7 },
            tool_call_rate: 0.7,
        }
    }
}

/// A distribution of lengths in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TokenLength {
    /// Always the same length.
    Constant {
        /// The length in tokens.
        tokens: f64,
    },
    /// `median_tokens * exp(sigma * Z)` with Z standard normal.
    Lognormal {
        /// The median in tokens.
        median_tokens: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
}

/// No draw is longer, so that an extreme `sigma` cannot exhaust memory.
const LONGEST_TOKENS: f64 = 131_072.0;

impl TokenLength {
    /// One draw, from 1 token up.
    fn draw(self, rng: &mut ChaCha8Rng) -> u64 {
        let tokens = match self {
            TokenLength::Constant { tokens } => tokens,
            TokenLength::Lognormal { median_tokens, sigma } => lognormal(median_tokens, sigma, rng),
        };
        tokens.round().clamp(1.0, LONGEST_TOKENS) as u64
    }
}

impl GeneratedAnswers {
    pub(super) fn check(&self, prefix: &str) -> Result<(), ConfigError> {
        check_rates(&format!("{prefix}.tool_call_rate"), &[self.tool_call_rate])?;
        let name = format!("{prefix}.output_tokens");
        match self.output_tokens {
            TokenLength::Constant { tokens } => check_non_negative(&name, tokens),
            TokenLength::Lognormal { median_tokens, sigma } => {
                check_non_negative(&name, median_tokens)?;
                check_non_negative(&name, sigma)
            }
        }
    }

    pub(super) fn answer(
        &self,
        request: &ChatRequest,
        draws: &Draws,
        tokens: TokenModel,
    ) -> Answer {
        let mut rng = draws.rng("content");
        let (text, calls) = match self.called_tool(request, draws) {
            Some(tool) => (String::new(), vec![call_of(tool, &mut rng)]),
            None => (self.text(request, tokens, draws, &mut rng), Vec::new()),
        };
        Answer::new(text, calls, AnswerOrigin::Generated, tokens)
    }

    fn called_tool<'a>(&self, request: &'a ChatRequest, draws: &Draws) -> Option<&'a Tool> {
        let count = request.tools.len();
        if count == 0 {
            return None;
        }
        let any = request.tools.get(draws.rng("tool").random_range(0..count));
        match &request.tool_choice {
            Some(ToolChoice::None) => None,
            Some(ToolChoice::Required) => any,
            Some(ToolChoice::Named(name)) => request.tools.iter().find(|tool| tool.name == *name),
            Some(ToolChoice::Auto | ToolChoice::Other(_)) | None => {
                let calls = draws.uniform("calls a tool") < self.tool_call_rate;
                if calls && !ends_in_tool_result(request) { any } else { None }
            }
        }
    }

    fn text(
        &self,
        request: &ChatRequest,
        tokens: TokenModel,
        draws: &Draws,
        rng: &mut ChaCha8Rng,
    ) -> String {
        let language = any_language(rng);
        match &request.response_format {
            Some(ResponseFormat::JsonSchema { schema, .. }) => {
                sample(schema, language, rng).to_string()
            }
            Some(ResponseFormat::JsonObject) => {
                let answer = language.phrase(12, rng);
                let items: Value =
                    (0..rng.random_range(1..4)).map(|_| language.phrase(2, rng)).collect();
                let confidence = f64::from(rng.random_range(0..100_u8)) / 100.0;
                json!({ "answer": answer, "items": items, "confidence": confidence }).to_string()
            }
            Some(ResponseFormat::Text) | None => {
                let count = self.output_tokens.draw(&mut draws.rng("output_tokens"));
                let bytes = count as usize * tokens.bytes_per_token as usize;
                let mut text = language.text(bytes, rng);
                text.truncate(text.floor_char_boundary(bytes));
                text
            }
        }
    }
}

fn ends_in_tool_result(request: &ChatRequest) -> bool {
    request.messages.last().is_some_and(|message| {
        message.role == Role::Tool
            || message.parts.iter().any(|part| matches!(part, Part::ToolResult { .. }))
    })
}

fn call_of(tool: &Tool, rng: &mut ChaCha8Rng) -> ToolCall {
    let language = any_language(rng);
    let arguments = match &tool.parameters {
        Some(schema) => sample_object(schema, language, rng),
        None => json!({}),
    };
    ToolCall { id: String::new(), name: tool.name.clone(), arguments: arguments.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Message;

    fn tool(name: &str) -> Tool {
        let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
        Tool { name: name.into(), description: None, parameters: Some(schema), strict: None }
    }

    fn answer(request: &ChatRequest, rate: f64, body: u32) -> Answer {
        let output_tokens = TokenLength::Constant { tokens: 50.0 };
        let draws = Draws::new(2, &body.to_le_bytes(), None);
        GeneratedAnswers { output_tokens, tool_call_rate: rate }.answer(
            request,
            &draws,
            TokenModel::default(),
        )
    }

    #[test]
    fn text_has_the_drawn_number_of_tokens() {
        for body in 0..50 {
            assert_eq!(answer(&ChatRequest::default(), 0.0, body).completion_tokens, 50);
        }
    }

    #[test]
    fn json_is_answered_where_json_is_asked_for() {
        let mut request = ChatRequest::default();
        let schema = json!({
            "type": "object",
            "properties": { "n": { "type": "integer" }, "ok": { "type": "boolean" } },
            "required": ["n", "ok"],
        });
        let named = ResponseFormat::JsonSchema { name: None, schema, strict: None };
        for (format, keys) in [
            (ResponseFormat::JsonObject, vec!["answer", "items", "confidence"]),
            (named, vec!["n", "ok"]),
        ] {
            request.response_format = Some(format);
            let text = answer(&request, 0.0, 1).text;
            let json: Value = serde_json::from_str(&text).expect("must be JSON");
            let found: Vec<_> = json.as_object().expect("must be an object").keys().collect();
            assert_eq!(found, keys);
        }
    }

    #[test]
    fn tool_choice_decides_over_the_rate() {
        let mut request =
            ChatRequest { tools: vec![tool("f"), tool("g")], ..ChatRequest::default() };
        let calls = |request: &ChatRequest, rate| -> Vec<String> {
            (0..40).flat_map(|b| answer(request, rate, b).tool_calls).map(|c| c.name).collect()
        };
        assert!(calls(&request, 0.0).is_empty());
        assert_eq!(calls(&request, 1.0).len(), 40);
        request.tool_choice = Some(ToolChoice::None);
        assert!(calls(&request, 1.0).is_empty());
        request.tool_choice = Some(ToolChoice::Named("g".into()));
        assert_eq!(calls(&request, 0.0), vec!["g"; 40]);
    }

    #[test]
    fn after_a_tool_result_the_model_answers_in_text() {
        let mut request = ChatRequest { tools: vec![tool("f")], ..ChatRequest::default() };
        request.messages = vec![Message::text(Role::Tool, "sunny")];
        assert!(answer(&request, 1.0, 1).tool_calls.is_empty());
    }
}
