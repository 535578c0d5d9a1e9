//! The request body put together again from an input, parameters and tools.

use serde_json::{Map, Value, json};

use crate::capture::marks::is_python_repr;
use crate::capture::value::{decoded, is_blank};
use crate::provider::{Dialect, sniff_dialect};

use super::messages::{Conversation, Message};
use super::parameters::{add, parameters};
use super::tools::{definitions, openai_tool};

/// What a trace says of a request, in its parts.
#[derive(Debug, Default)]
pub(in crate::capture) struct Asked {
    /// The model that was asked for.
    pub(in crate::capture) model: String,
    /// Parameters under their names of OpenAI Chat Completions.
    pub(in crate::capture) parameters: Map<String, Value>,
    /// Tools that were logged apart from input and parameters.
    pub(in crate::capture) tools: Vec<Value>,
    /// Whether the answer was streamed.
    pub(in crate::capture) stream: bool,
}

impl Asked {
    /// Puts the body together; `None` if there is no content.
    ///
    /// A text alone is what one user says. An input that is no conversation of a known shape is
    /// kept as it is, without a dialect.
    pub(in crate::capture) fn body(self, input: &Value) -> Option<(Value, Option<Dialect>)> {
        let opened = decoded(input);
        // Exports that put JSON into a text column may do so twice.
        let opened = decoded(&opened);
        if is_blank(&opened) {
            return None;
        }
        if is_python_repr(&opened) {
            return Some((json!({"model": self.model, "input": &*opened}), None));
        }
        Some(match &*opened {
            Value::Array(list) => self.of_list(list, &Map::new()),
            Value::Object(members) => self.of_object(members),
            text => {
                let message = json!({"role": "user", "content": text});
                self.of_list(&[message], &Map::new())
            }
        })
    }

    /// A list of messages, of Gemini's contents, of items of the Responses API, or of one prompt.
    fn of_list(self, list: &[Value], beside: &Map<String, Value>) -> (Value, Option<Dialect>) {
        if let [Value::Array(inner)] = list {
            return self.of_list(inner, beside);
        }
        if let [Value::String(text)] = list {
            let message = json!({"role": "user", "content": text});
            return self.of_list(&[message], beside);
        }
        if list.iter().all(|content| content.get("parts").is_some_and(Value::is_array)) {
            return self.of_member("contents", &json!(list), beside, Some(Dialect::Gemini));
        }
        if list.iter().any(is_response_item) {
            return self.of_member("input", &json!(list), beside, Some(Dialect::OpenAiResponses));
        }
        match Conversation::of(list) {
            Some(conversation) => self.of_conversation(conversation, beside),
            None => self.of_member("input", &json!(list), beside, None),
        }
    }

    fn of_object(self, members: &Map<String, Value>) -> (Value, Option<Dialect>) {
        let list = |name: &str| members.get(name).and_then(Value::as_array);
        let value = Value::Object(members.clone());
        if let Some(messages) = list("messages").or_else(|| list("prompts")) {
            return self.of_list(messages, members);
        }
        if Message::of(&value).is_some() {
            return self.of_list(&[value], &Map::new());
        }
        for (name, dialect) in [
            ("contents", Dialect::Gemini),
            ("input", Dialect::OpenAiResponses),
            ("prompt", Dialect::OpenAiCompletions),
        ] {
            let content = members.get(name).map(decoded);
            match content.as_deref() {
                // Some clients keep messages under these names too.
                Some(Value::Array(list))
                    if name != "contents"
                        && Conversation::of(list)
                            .is_some_and(|own| own.rewritten || name == "prompt") =>
                {
                    return self.of_list(list, members);
                }
                Some(content) if content.is_array() || content.is_string() => {
                    return self.of_member(name, content, members, Some(dialect));
                }
                _ => {}
            }
        }
        (value, None)
    }

    fn of_conversation(
        mut self,
        conversation: Conversation,
        beside: &Map<String, Value>,
    ) -> (Value, Option<Dialect>) {
        let mut body = Map::new();
        let mut tools = self.take_tools(beside, conversation.tools);
        body.insert("messages".to_owned(), Value::Array(conversation.messages));
        if let Some(system) = beside.get("system").filter(|system| !is_blank(system)) {
            body.insert("system".to_owned(), system.clone());
        }
        if !tools.is_empty() {
            body.insert("tools".to_owned(), Value::Array(tools.clone()));
        }
        let sniffed = sniff_dialect(&Value::Object(body.clone())).unwrap_or(Dialect::OpenAiChat);
        let dialect = if conversation.rewritten { Dialect::OpenAiChat } else { sniffed };
        if dialect == Dialect::AnthropicMessages {
            lift_system(&mut body);
        } else if dialect == Dialect::OpenAiChat {
            tools = tools.iter().map(openai_tool).collect();
            if !tools.is_empty() {
                body.insert("tools".to_owned(), Value::Array(tools));
            }
            lower_system(&mut body);
        }
        (self.finish(body, beside, Some(dialect)), Some(dialect))
    }

    /// A body of one of the dialects whose content stands under a name of its own.
    fn of_member(
        mut self,
        name: &str,
        content: &Value,
        beside: &Map<String, Value>,
        dialect: Option<Dialect>,
    ) -> (Value, Option<Dialect>) {
        let mut body = Map::new();
        body.insert(name.to_owned(), content.clone());
        for own in [
            "instructions",
            "systemInstruction",
            "system_instruction",
            "generationConfig",
            "generation_config",
            "safetySettings",
            "toolConfig",
            "suffix",
            "previous_response_id",
        ] {
            if let Some(value) = beside.get(own).filter(|value| !is_blank(value)) {
                body.insert(own.to_owned(), value.clone());
            }
        }
        let tools = self.take_tools(beside, Vec::new());
        if !tools.is_empty() {
            body.insert("tools".to_owned(), Value::Array(tools));
        }
        (self.finish(body, beside, dialect), dialect)
    }

    /// The tools of the first place that has some.
    fn take_tools(&mut self, beside: &Map<String, Value>, found: Vec<Value>) -> Vec<Value> {
        let parameter = self.parameters.remove("tools");
        let places = [
            beside.get("tools").map(definitions),
            Some(found),
            parameter.as_ref().map(definitions),
            Some(std::mem::take(&mut self.tools)),
        ];
        places.into_iter().flatten().find(|tools| !tools.is_empty()).unwrap_or_default()
    }

    /// Puts model, parameters and the wish for a stream around the content.
    fn finish(
        self,
        content: Map<String, Value>,
        beside: &Map<String, Value>,
        dialect: Option<Dialect>,
    ) -> Value {
        let mut body = Map::new();
        body.insert("model".to_owned(), Value::String(self.model));
        body.extend(content);
        let Some(dialect) = dialect else { return Value::Object(body) };
        let mut inner = parameters(&Value::Object(beside.clone()));
        inner.remove("tools");
        add(&mut body, inner, dialect);
        add(&mut body, self.parameters, dialect);
        // Some ask for a stream by the address.
        let by_address = [Dialect::Gemini, Dialect::BedrockConverse];
        if self.stream && !by_address.contains(&dialect) {
            body.insert("stream".to_owned(), Value::Bool(true));
        }
        Value::Object(body)
    }
}

/// Items of the Responses API that no other list of messages has.
fn is_response_item(item: &Value) -> bool {
    const KINDS: &[&str] =
        &["function_call", "function_call_output", "reasoning", "item_reference"];
    let kind = item.get("type").and_then(Value::as_str);
    let parts = item.get("content").and_then(Value::as_array);
    let mut parts = parts.into_iter().flatten().filter_map(|part| part.get("type")?.as_str());
    kind.is_some_and(|kind| KINDS.contains(&kind))
        || parts.any(|kind| matches!(kind, "input_text" | "output_text" | "input_image"))
}

/// Takes leading system messages to where Anthropic has them.
fn lift_system(body: &mut Map<String, Value>) {
    let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) else { return };
    let is_system = |message: &Value| message.get("role").is_some_and(|role| role == "system");
    let leading = messages.iter().take_while(|message| is_system(message)).count();
    let system: Vec<Value> = messages.drain(..leading).collect();
    let blocks: Vec<Value> = system
        .iter()
        .filter_map(|message| message.get("content"))
        .flat_map(|content| match content {
            Value::Array(blocks) => blocks.clone(),
            text => vec![json!({"type": "text", "text": text})],
        })
        .collect();
    if !blocks.is_empty() {
        body.entry("system").or_insert(Value::Array(blocks));
    }
}

/// The same the other way round, for conversations that were rewritten.
fn lower_system(body: &mut Map<String, Value>) {
    let Some(system) = body.remove("system") else { return };
    if let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) {
        messages.insert(0, json!({"role": "system", "content": system}));
    }
}
