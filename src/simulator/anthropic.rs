//! Answers in Anthropic's Messages form (`message`, `content_block_delta` and their kin).

use serde_json::{Value, json};

use super::answers::{Answer, AnswerOrigin};
use super::dialect::{ApiError, Dialect};
use super::pieces::{Events, Piece, Reply, json_text, pieces};

/// The answer as one document.
pub(super) fn document(reply: &Reply) -> Value {
    let mut content = Vec::new();
    for answer in reply.choices.iter().take(1) {
        if !answer.text.is_empty() {
            content.push(json!({ "type": "text", "text": answer.text }));
        }
        for (at, call) in answer.tool_calls.iter().enumerate() {
            // This protocol carries arguments as JSON; a recording that holds none is an empty call.
            let input: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
            let id = call_id(reply, at);
            content
                .push(json!({ "type": "tool_use", "id": id, "name": call.name, "input": input }));
        }
    }
    message(reply, &content, Some(&ending(reply.choices.first())), reply.completion_tokens)
}

/// The answer as a stream of events.
pub(super) fn events(reply: &Reply) -> Events {
    let mut events = Events::default();
    let start = message(reply, &[], None, 1);
    events.lead.push(event(&json!({ "type": "message_start", "message": start })));
    events.lead.push(event(&json!({ "type": "ping" })));
    let mut block = Block::default();
    for answer in reply.choices.iter().take(1) {
        for piece in pieces(answer, reply.piece_bytes) {
            events.pieces.push(block.events(reply, answer, piece));
        }
    }
    events.tail.extend(block.close());
    events.tail.push(event(&json!({
        "type": "message_delta",
        "delta": ending(reply.choices.first()),
        "usage": { "output_tokens": reply.completion_tokens },
    })));
    events.tail.push(event(&json!({ "type": "message_stop" })));
    events
}

/// An error inside a stream whose status was 200.
pub(super) fn error_event(error: &ApiError, request_id: &str) -> String {
    event(&Dialect::Anthropic.error_body(error, request_id))
}

/// The content block that is open in a stream.
#[derive(Debug, Default)]
struct Block {
    next: usize,
    open: Option<usize>,
}

impl Block {
    fn events(&mut self, reply: &Reply, answer: &Answer, piece: Piece<'_>) -> Vec<String> {
        let mut events = Vec::new();
        match piece {
            Piece::Text(text) => {
                if self.open.is_none() {
                    events.push(self.start(&json!({ "type": "text", "text": "" })));
                }
                events.push(self.delta("text_delta", "text", text));
            }
            Piece::CallStart(at) => {
                events.extend(self.close());
                let name = answer.tool_calls.get(at).map(|call| call.name.as_str());
                let id = call_id(reply, at);
                let block = json!({ "type": "tool_use", "id": id, "name": name, "input": {} });
                events.push(self.start(&block));
            }
            Piece::CallArguments(_, part) => {
                events.push(self.delta("input_json_delta", "partial_json", part));
            }
        }
        events
    }

    fn start(&mut self, block: &Value) -> String {
        let index = self.next;
        self.next += 1;
        self.open = Some(index);
        event(&json!({ "type": "content_block_start", "index": index, "content_block": block }))
    }

    /// Written by hand, because a stream has hundreds of them.
    fn delta(&self, kind: &str, field: &str, text: &str) -> String {
        let index = self.open.unwrap_or_default();
        let text = json_text(text);
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\"delta\":{{\"type\":\"{kind}\",\"{field}\":{text}}}}}\n\n"
        )
    }

    fn close(&mut self) -> Option<String> {
        let index = self.open.take()?;
        Some(event(&json!({ "type": "content_block_stop", "index": index })))
    }
}

fn message(reply: &Reply, content: &[Value], end: Option<&Value>, output_tokens: u64) -> Value {
    let mut message = json!({
        "id": format!("msg_{}", reply.id),
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": content,
        "stop_reason": null,
        "stop_sequence": null,
    });
    if let Some(fields) = message.as_object_mut() {
        if let Some(Value::Object(end)) = end {
            fields.extend(end.clone());
        }
        let usage = json!({
            "input_tokens": reply.prompt_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
            "service_tier": "standard",
        });
        fields.insert("usage".into(), usage);
    }
    message
}

fn ending(answer: Option<&Answer>) -> Value {
    let reason = match answer {
        Some(answer) if answer.capped => "max_tokens",
        Some(answer) if answer.origin == AnswerOrigin::Refused => "refusal",
        Some(answer) if !answer.tool_calls.is_empty() => "tool_use",
        _ => "end_turn",
    };
    let mut ending = json!({ "stop_reason": reason, "stop_sequence": null });
    if let ("refusal", Some(fields)) = (reason, ending.as_object_mut()) {
        let details =
            json!({ "type": "refusal", "category": "general_harms", "explanation": null });
        fields.insert("stop_details".into(), details);
    }
    ending
}

fn call_id(reply: &Reply, call: usize) -> String {
    format!("toolu_{}_{call}", reply.id)
}

/// The event's name is the `type` of its data.
fn event(value: &Value) -> String {
    let name = value.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {name}\ndata: {value}\n\n")
}
