//! Tests of the simulator over real sockets.

mod client;
mod faults;
mod order;
mod pages;
mod shapes;

use super::*;
use serde_json::{Value, json};

/// A simulator in which nothing takes any time.
async fn start(config: SimulatorConfig) -> Simulator {
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    Simulator::start(config, addr).await.expect("must start")
}

/// The default provider without delays.
fn instant() -> SimulatorConfig {
    SimulatorConfig { time_scale: 0.0, ..SimulatorConfig::default() }
}

/// One recorded answer for the user's message `prompt`.
fn recorded(prompt: &str, answer: RecordedAnswer) -> Answers {
    let messages = [crate::chat::Message::text(crate::chat::Role::User, prompt)];
    let map: AnswerMap = [(crate::chat::prompt_key(&messages), answer)].into_iter().collect();
    Answers::Recorded(map.into())
}

fn text_answer(text: &str) -> RecordedAnswer {
    RecordedAnswer { text: text.into(), ..RecordedAnswer::default() }
}

fn openai(prompt: &str, more: &Value) -> Value {
    body(json!({ "model": "m", "messages": [{ "role": "user", "content": prompt }] }), more)
}

fn anthropic(prompt: &str, more: &Value) -> Value {
    let messages = json!([{ "role": "user", "content": prompt }]);
    body(json!({ "model": "m", "max_tokens": 4096, "messages": messages }), more)
}

fn body(mut base: Value, more: &Value) -> Value {
    let fields = base.as_object_mut().expect("is an object");
    fields.extend(more.as_object().expect("is an object").clone());
    base
}
