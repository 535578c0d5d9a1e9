//! Requests in OpenAI's chat-completions form, as the demo's gateway logs them.

use serde_json::{Map, Value, json};

use crate::chat::{ChatRequest, Message, Part, ResponseFormat, Role};

/// The body of a request. Streams ask for usage, as gateways do that account for tokens.
pub(super) fn request_body(request: &ChatRequest) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), json!(request.model));
    body.insert("messages".into(), request.messages.iter().map(message).collect());
    if let Some(temperature) = request.temperature {
        body.insert("temperature".into(), json!(temperature));
    }
    if let Some(cap) = request.max_output_tokens {
        body.insert("max_tokens".into(), json!(cap));
    }
    if !request.stop.is_empty() {
        body.insert("stop".into(), json!(request.stop));
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            json!({ "type": "function", "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            } })
        });
        body.insert("tools".into(), tools.collect());
    }
    if let Some(format) = request.response_format.as_ref().and_then(response_format) {
        body.insert("response_format".into(), format);
    }
    if request.stream {
        body.insert("stream".into(), json!(true));
        body.insert("stream_options".into(), json!({ "include_usage": true }));
    }
    Value::Object(body)
}

fn response_format(format: &ResponseFormat) -> Option<Value> {
    match format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(json!({ "type": "json_object" })),
        ResponseFormat::JsonSchema { name, schema, strict } => Some(json!({
            "type": "json_schema",
            "json_schema": { "name": name, "strict": strict, "schema": schema },
        })),
    }
}

fn message(message: &Message) -> Value {
    let mut text = String::new();
    let mut calls = Vec::new();
    let mut answered = None;
    for part in &message.parts {
        match part {
            Part::Text(more) => text.push_str(more),
            Part::ToolCall(call) => calls.push(json!({
                "id": call.id,
                "type": "function",
                "function": { "name": call.name, "arguments": call.arguments },
            })),
            Part::ToolResult { call_id, content, .. } => {
                answered = Some(call_id);
                for part in content {
                    if let Part::Text(more) = part {
                        text.push_str(more);
                    }
                }
            }
            Part::Image { .. } | Part::Refusal(_) | Part::Other { .. } => {}
        }
    }
    let mut fields = Map::new();
    fields.insert("role".into(), json!(message.role.as_str()));
    if let Some(call_id) = answered {
        fields.insert("tool_call_id".into(), json!(call_id));
    }
    let silent = message.role == Role::Assistant && text.is_empty() && !calls.is_empty();
    fields.insert("content".into(), if silent { Value::Null } else { Value::from(text) });
    if !calls.is_empty() {
        fields.insert("tool_calls".into(), Value::Array(calls));
    }
    Value::Object(fields)
}
