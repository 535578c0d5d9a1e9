//! Which dialect a captured request body is written in.

use serde_json::{Map, Value};

use super::json::present;
use super::protocol::Protocol;

/// Guesses the dialect of a request body; `None` if it is no chat request of a known protocol.
///
/// `messages` with a top-level `system`, or with `max_tokens` and `anthropic_version`, is
/// Anthropic's; so are stop sequences, tool schemas and tool blocks under Anthropic's names. Every
/// other body with `messages` is OpenAI's.
pub fn sniff_dialect(request_body: &Value) -> Option<Protocol> {
    let object = request_body.as_object()?;
    let messages = present(object, "messages")?.as_array()?;
    let has = |name: &str| present(object, name).is_some();
    let is_anthropic = has("system")
        || (has("max_tokens") && has("anthropic_version"))
        || has("stop_sequences")
        || has_input_schema(object)
        || messages.iter().any(has_tool_block);
    Some(if is_anthropic { Protocol::AnthropicMessages } else { Protocol::OpenAiChat })
}

fn has_input_schema(object: &Map<String, Value>) -> bool {
    let tools = object.get("tools").and_then(Value::as_array);
    tools.into_iter().flatten().any(|tool| tool.get("input_schema").is_some())
}

fn has_tool_block(message: &Value) -> bool {
    let blocks = message.get("content").and_then(Value::as_array);
    let kinds = blocks.into_iter().flatten().filter_map(|block| block.get("type")?.as_str());
    kinds.into_iter().any(|kind| matches!(kind, "tool_use" | "tool_result"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn marks_of_one_dialect_alone_decide() {
        let user = json!([{"role": "user", "content": "hi"}]);
        let block = json!([{"role": "user", "content": [{"type": "tool_result"}]}]);
        let openai = [
            json!({"messages": user, "max_tokens": 5}),
            json!({"messages": user, "anthropic_version": "x", "system": null}),
            json!({"messages": user, "tools": [{"type": "function"}], "stop": ["a"]}),
        ];
        let anthropic = [
            json!({"messages": user, "system": "be brief"}),
            json!({"messages": user, "max_tokens": 5, "anthropic_version": "vertex-2023-10-16"}),
            json!({"messages": user, "max_tokens": 5, "stop_sequences": ["a"]}),
            json!({"messages": user, "tools": [{"name": "f", "input_schema": {}}]}),
            json!({"messages": block}),
        ];
        for body in &openai {
            assert_eq!(sniff_dialect(body), Some(Protocol::OpenAiChat), "{body}");
        }
        for body in &anthropic {
            assert_eq!(sniff_dialect(body), Some(Protocol::AnthropicMessages), "{body}");
        }
        for body in
            [json!({"input": "x"}), json!({"contents": []}), json!({"messages": "x"}), json!([])]
        {
            assert_eq!(sniff_dialect(&body), None, "{body}");
        }
    }
}
