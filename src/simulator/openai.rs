//! Answers in OpenAI's chat-completions form (`chat.completion`, `chat.completion.chunk`).

use serde_json::{Value, json};

use super::answers::{Answer, AnswerOrigin};
use super::dialect::{ApiError, Dialect};
use super::pieces::{Events, Piece, Reply, json_text, pieces};

/// The answer as one document.
pub(super) fn document(reply: &Reply) -> Value {
    let choices: Vec<Value> = reply
        .choices
        .iter()
        .enumerate()
        .map(|(index, answer)| {
            json!({
                "index": index,
                "message": message(reply, index, answer),
                "logprobs": null,
                "finish_reason": finish_reason(answer),
            })
        })
        .collect();
    json!({
        "id": format!("chatcmpl-{}", reply.id),
        "object": "chat.completion",
        "created": reply.created_s,
        "model": reply.model,
        "choices": choices,
        "usage": usage(reply),
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    })
}

/// The answer as a stream of events; of several choices one piece each takes its turn.
pub(super) fn events(reply: &Reply) -> Events {
    let count = reply.choices.len();
    let frame = Frame::new(reply);
    let mut events = Events::default();
    for index in 0..count {
        let delta = r#"{"role":"assistant","content":"","refusal":null}"#;
        events.lead.push(frame.chunk(index, delta, None));
    }
    let per_choice: Vec<_> =
        reply.choices.iter().map(|answer| pieces(answer, reply.piece_bytes)).collect();
    let longest = per_choice.iter().map(Vec::len).max().unwrap_or(0);
    for turn in 0..longest {
        for (index, (pieces, answer)) in per_choice.iter().zip(&reply.choices).enumerate() {
            if let Some(piece) = pieces.get(turn) {
                let delta = delta(reply, index, answer, *piece);
                events.pieces.push(vec![frame.chunk(index, &delta, None)]);
            }
        }
    }
    for (index, answer) in reply.choices.iter().enumerate() {
        events.tail.push(frame.chunk(index, "{}", Some(finish_reason(answer))));
    }
    if reply.include_usage {
        let mut last = envelope(reply);
        if let Some(fields) = last.as_object_mut() {
            fields.insert("choices".into(), json!([]));
            fields.insert("usage".into(), usage(reply));
        }
        events.tail.push(data(&last));
    }
    events.tail.push("data: [DONE]\n\n".to_owned());
    events
}

/// An error inside a stream whose status was 200.
pub(super) fn error_event(error: &ApiError, request_id: &str) -> String {
    data(&Dialect::OpenAi.error_body(error, request_id))
}

fn message(reply: &Reply, index: usize, answer: &Answer) -> Value {
    let refused = in_refusal_field(reply, answer);
    let only_calls = answer.text.is_empty() && !answer.tool_calls.is_empty();
    let text = Value::from(answer.text.as_str());
    let content = if refused || only_calls { Value::Null } else { text.clone() };
    let refusal = if refused { text } else { Value::Null };
    let mut message = json!({ "role": "assistant", "content": content, "refusal": refusal });
    if let (false, Some(fields)) = (answer.tool_calls.is_empty(), message.as_object_mut()) {
        let calls = answer.tool_calls.iter().enumerate().map(|(at, call)| {
            json!({
                "id": call_id(reply, index, at),
                "type": "function",
                "function": { "name": call.name, "arguments": call.arguments },
            })
        });
        fields.insert("tool_calls".into(), calls.collect());
    }
    message
}

fn delta(reply: &Reply, index: usize, answer: &Answer, piece: Piece<'_>) -> String {
    let delta = match piece {
        Piece::Text(text) => {
            let refused = in_refusal_field(reply, answer);
            let field = if refused { "refusal" } else { "content" };
            return format!("{{\"{field}\":{}}}", json_text(text));
        }
        Piece::CallStart(at) => json!({ "tool_calls": [{
            "index": at,
            "id": call_id(reply, index, at),
            "type": "function",
            "function": {
                "name": answer.tool_calls.get(at).map(|call| call.name.as_str()),
                "arguments": "",
            },
        }] }),
        Piece::CallArguments(at, part) => {
            json!({ "tool_calls": [{ "index": at, "function": { "arguments": part } }] })
        }
    };
    delta.to_string()
}

/// What all chunks of a stream have in common, written once: a stream has hundreds of them.
struct Frame {
    before: String,
    after: &'static str,
}

impl Frame {
    fn new(reply: &Reply) -> Self {
        let mut before = envelope(reply).to_string();
        before.pop();
        // Every chunk before the last has a null usage, but only if usage was asked for.
        let after = if reply.include_usage { "}],\"usage\":null}\n\n" } else { "}]}\n\n" };
        Frame { before: format!("data: {before},\"choices\":[{{"), after }
    }

    fn chunk(&self, index: usize, delta: &str, finish: Option<&str>) -> String {
        let Frame { before, after } = self;
        let finish = finish.map_or_else(|| "null".to_owned(), json_text);
        format!(
            "{before}\"index\":{index},\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}{after}"
        )
    }
}

fn envelope(reply: &Reply) -> Value {
    json!({
        "id": format!("chatcmpl-{}", reply.id),
        "object": "chat.completion.chunk",
        "created": reply.created_s,
        "model": reply.model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    })
}

fn usage(reply: &Reply) -> Value {
    json!({
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.prompt_tokens + reply.completion_tokens,
        "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0 },
    })
}

fn finish_reason(answer: &Answer) -> &'static str {
    if answer.capped {
        "length"
    } else if answer.tool_calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    }
}

/// OpenAI has a field for refusals where a schema was asked for; elsewhere they are plain text.
fn in_refusal_field(reply: &Reply, answer: &Answer) -> bool {
    reply.structured && answer.origin == AnswerOrigin::Refused
}

fn call_id(reply: &Reply, choice: usize, call: usize) -> String {
    format!("call_{}_{choice}_{call}", reply.id)
}

fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}
