//! Which dialect a captured request body is written in.

use serde_json::{Map, Value};

use crate::provider::dialect::Dialect;
use crate::provider::json::{filled_text, present};

/// Members of a Converse body that no other dialect has.
const CONVERSE: &[&str] = &[
    "inferenceConfig",
    "toolConfig",
    "additionalModelRequestFields",
    "guardrailConfig",
    "performanceConfig",
    "promptVariables",
];

/// The one member of a Converse block that is not text.
const CONVERSE_BLOCKS: &[&str] = &[
    "text",
    "image",
    "document",
    "video",
    "audio",
    "toolUse",
    "toolResult",
    "reasoningContent",
    "cachePoint",
    "guardContent",
    "citationsContent",
];

/// Members of a Cohere body that neither OpenAI's nor Anthropic's chat has.
const COHERE: &[&str] =
    &["p", "k", "documents", "safety_mode", "citation_options", "strict_tools", "raw_prompting"];

/// Members beside a text as `input` that only Responses has.
const RESPONSES: &[&str] = &[
    "instructions",
    "max_output_tokens",
    "previous_response_id",
    "conversation",
    "reasoning",
    "text",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "truncation",
    "include",
    "store",
    "stream",
    "background",
    "temperature",
    "top_p",
];

/// Members of calls that take an `input` and are no chat: embeddings and speech.
const OTHER_INPUTS: &[&str] = &["encoding_format", "dimensions", "input_type", "voice"];

/// Members of calls that take a `prompt` and make a picture or read a recording.
const OTHER_PROMPTS: &[&str] =
    &["size", "quality", "style", "aspect_ratio", "width", "height", "file", "mask", "image"];

/// Parts of the names of models that are not asked for a text.
const NO_TEXT_MODELS: &[&str] = &[
    "embed",
    "moderation",
    "rerank",
    "tts",
    "whisper",
    "transcribe",
    "dall-e",
    "gpt-image",
    "imagen",
    "stable-diffusion",
    "flux",
    "sora",
    "bge-",
    "gte-",
    "e5-",
    "minilm",
    "voyage-",
];

/// Guesses the dialect of a request body; `None` if it is no chat request of a known dialect.
///
/// What the top-level members are decides first. Among bodies with `messages`, Converse shows by
/// blocks without a type, Cohere by its own parameters, and Anthropic by a top-level `system`, by
/// `max_tokens` with `anthropic_version`, or by stop sequences, tool schemas and tool blocks under
/// Anthropic's names; every other one is OpenAI's. An `input` is a Responses body unless another
/// member or the model's name says that it is to be embedded, judged or spoken.
pub fn sniff_dialect(request_body: &Value) -> Option<Dialect> {
    let object = request_body.as_object()?;
    if let Some(messages) = present(object, "messages") {
        return Some(by_messages(object, messages.as_array()?));
    }
    let is_list = |name: &str| object.get(name).and_then(Value::as_array);
    if is_list("contents").is_some_and(|contents| !contents.is_empty()) {
        return Some(Dialect::Gemini);
    }
    if is_responses(object) {
        return Some(Dialect::OpenAiResponses);
    }
    if is_completion(object) {
        return Some(Dialect::OpenAiCompletions);
    }
    let is_cohere = filled_text(object, "message").is_some()
        && (has_any(object, &["chat_history", "preamble", "connectors", "prompt_truncation"])
            || has_any(object, COHERE)
            || filled_text(object, "model").is_some_and(|model| model.starts_with("command")));
    is_cohere.then_some(Dialect::CohereChat)
}

fn has_any(object: &Map<String, Value>, names: &[&str]) -> bool {
    names.iter().any(|name| present(object, name).is_some())
}

fn by_messages(object: &Map<String, Value>, messages: &[Value]) -> Dialect {
    let has = |name: &str| present(object, name).is_some();
    let has_blocks = |value: &Value| members(value, "content").any(is_converse_block);
    let texts = object.get("system").and_then(Value::as_array).into_iter().flatten();
    if has_any(object, CONVERSE)
        || messages.iter().any(has_blocks)
        || texts.into_iter().any(is_converse_block)
    {
        return Dialect::BedrockConverse;
    }
    let chosen = object.get("tool_choice").and_then(Value::as_str);
    let plans = |message: &Value| message.get("tool_plan").is_some();
    if has_any(object, COHERE)
        || matches!(chosen, Some("REQUIRED" | "NONE"))
        || messages.iter().any(plans)
    {
        return Dialect::CohereChat;
    }
    let is_anthropic = has("system")
        || (has("max_tokens") && has("anthropic_version"))
        || has("stop_sequences")
        || has_input_schema(object)
        || messages.iter().any(has_tool_block);
    if is_anthropic { Dialect::AnthropicMessages } else { Dialect::OpenAiChat }
}

fn members<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn is_converse_block(block: &Value) -> bool {
    let Some(block) = block.as_object() else { return false };
    !block.contains_key("type") && CONVERSE_BLOCKS.iter().any(|name| block.contains_key(*name))
}

fn has_input_schema(object: &Map<String, Value>) -> bool {
    let tools = object.get("tools").and_then(Value::as_array);
    tools.into_iter().flatten().any(|tool| tool.get("input_schema").is_some())
}

fn has_tool_block(message: &Value) -> bool {
    let mut kinds = members(message, "content").filter_map(|block| block.get("type")?.as_str());
    kinds.any(|kind| matches!(kind, "tool_use" | "tool_result"))
}

fn model_makes_text(object: &Map<String, Value>) -> bool {
    let model = filled_text(object, "model").unwrap_or_default().to_ascii_lowercase();
    !NO_TEXT_MODELS.iter().any(|part| model.contains(part))
}

fn is_responses(object: &Map<String, Value>) -> bool {
    let is_template = present(object, "prompt").is_some_and(|prompt| prompt.get("id").is_some());
    match present(object, "input") {
        None => is_template,
        Some(Value::Array(items)) => items.iter().any(is_item),
        Some(Value::String(_)) => {
            let names_a_model = filled_text(object, "model").is_some();
            model_makes_text(object)
                && !has_any(object, OTHER_INPUTS)
                && (names_a_model || has_any(object, RESPONSES))
        }
        Some(_) => false,
    }
}

/// Moderation takes a list of typed parts, too, but those have no role.
fn is_item(item: &Value) -> bool {
    let kind = item.get("type").and_then(Value::as_str);
    item.get("role").is_some()
        || kind.is_some_and(|kind| kind != "text" && !kind.starts_with("image"))
}

fn is_completion(object: &Map<String, Value>) -> bool {
    let is_prompt = match present(object, "prompt") {
        Some(Value::String(_)) => true,
        Some(Value::Array(list)) => !list.is_empty(),
        _ => false,
    };
    is_prompt && model_makes_text(object) && !has_any(object, OTHER_PROMPTS)
}
