//! Answers of OpenAI Chat Completions: whole bodies and stream chunks have one shape.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::chat::{ChatResponse, FinishReason, ToolCall, Usage};
use crate::provider::json::{Count, Text, filled};

/// A stream chunk or a whole completion; members that nobody needs are skipped.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
pub(super) struct Chunk<'a> {
    id: Option<Text<'a>>,
    model: Option<Text<'a>>,
    pub(super) choices: Option<Vec<Choice<'a>>>,
    usage: Option<Box<UsageWire>>,
    /// Groq puts the usage of a stream in here.
    x_groq: Option<Box<XGroq>>,
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
pub(super) struct Choice<'a> {
    index: Count,
    delta: Option<MessageWire<'a>>,
    /// Boxed, as all that a text delta lacks, so that the common chunk stays small.
    message: Option<Box<MessageWire<'a>>>,
    finish_reason: Option<Text<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct MessageWire<'a> {
    content: Option<Text<'a>>,
    refusal: Option<Text<'a>>,
    /// DeepSeek and llama.cpp; some gateways send it beside `reasoning`.
    reasoning_content: Option<Text<'a>>,
    /// vLLM, Groq, Ollama and OpenRouter.
    reasoning: Option<Text<'a>>,
    tool_calls: Option<Vec<CallWire<'a>>>,
    function_call: Option<Box<FunctionWire<'a>>>,
    audio: Option<Box<AudioWire<'a>>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct CallWire<'a> {
    index: Option<Count>,
    id: Option<Text<'a>>,
    function: Option<FunctionWire<'a>>,
    custom: Option<FunctionWire<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct FunctionWire<'a> {
    name: Option<Text<'a>>,
    #[serde(alias = "input")]
    arguments: Option<Arguments<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(bound(deserialize = "'de: 'a"), default)]
struct AudioWire<'a> {
    data: Option<Text<'a>>,
    transcript: Option<Text<'a>>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct XGroq {
    usage: Option<Box<UsageWire>>,
}

/// Token counts, with the places in which other servers put them.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct UsageWire {
    prompt_tokens: Count,
    completion_tokens: Count,
    prompt_tokens_details: Option<Details>,
    completion_tokens_details: Option<Details>,
    /// DeepSeek.
    prompt_cache_hit_tokens: Count,
    /// LiteLLM, for providers that count cache reads and writes apart.
    cache_read_input_tokens: Count,
    cache_creation_input_tokens: Count,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "the names are the protocol's")]
struct Details {
    cached_tokens: Count,
    cache_write_tokens: Count,
    /// vLLM's name for tokens written into the cache.
    created_cache_tokens: Count,
    reasoning_tokens: Count,
}

impl From<UsageWire> for Usage {
    /// All counts are inclusive already.
    fn from(wire: UsageWire) -> Self {
        let prompt = wire.prompt_tokens_details.unwrap_or_default();
        let completion = wire.completion_tokens_details.unwrap_or_default();
        Usage {
            input_tokens: wire.prompt_tokens.0,
            output_tokens: wire.completion_tokens.0,
            cache_read_input_tokens: prompt
                .cached_tokens
                .0
                .or(wire.prompt_cache_hit_tokens.0)
                .or(wire.cache_read_input_tokens.0),
            cache_creation_input_tokens: prompt
                .cache_write_tokens
                .0
                .or(prompt.created_cache_tokens.0)
                .or(wire.cache_creation_input_tokens.0),
            reasoning_output_tokens: completion.reasoning_tokens.0,
        }
    }
}

/// What a chunk carried, for the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Carried {
    pub(super) answer: bool,
    pub(super) reasoning: bool,
}

/// Which call of the response each of the stream's tool indices stands for.
#[derive(Debug, Default)]
pub(super) struct Calls {
    by_index: BTreeMap<u64, usize>,
}

/// The index under which the fragments of a legacy `function_call` are gathered.
const LEGACY_INDEX: u64 = u64::MAX;

impl Chunk<'_> {
    /// Where in `data` the chunk's text stands, if the chunk is a piece of the first choice's text
    /// and nothing else.
    pub(super) fn text_alone(&self, data: &[u8]) -> Option<Range<usize>> {
        let [choice] = self.choices.as_deref()? else { return None };
        let is_first = choice.index.0.unwrap_or(0) == 0;
        let ends = choice.finish_reason.is_some() || choice.message.is_some();
        let counts = self.usage.is_some() || self.x_groq.is_some();
        if !is_first || ends || counts || self.error.is_some() {
            return None;
        }
        match choice.delta.as_ref()? {
            MessageWire {
                content: Some(text),
                refusal: None,
                reasoning_content: None,
                reasoning: None,
                tool_calls: None,
                function_call: None,
                audio: None,
            } => text.place_in(data),
            _ => None,
        }
    }

    /// Adds the chunk to a response. Output of every choice counts, but only the first choice is
    /// kept; usage is that of all choices, as the provider states it.
    pub(super) fn fold(self, calls: &mut Calls, response: &mut ChatResponse) -> Carried {
        set_once(&mut response.id, self.id.as_ref());
        set_once(&mut response.model, self.model.as_ref());
        if let Some(usage) = self.usage.or(self.x_groq.and_then(|groq| groq.usage)) {
            response.usage = Some((*usage).into());
        }
        let mut carried = Carried::default();
        for choice in self.choices.into_iter().flatten() {
            let keep = choice.index.0.unwrap_or(0) == 0;
            // Perplexity repeats the whole message so far beside every delta.
            if let Some(message) = choice.delta.as_ref().or(choice.message.as_deref()) {
                message.note(&mut carried);
                if keep {
                    message.fold(calls, response);
                }
            }
            if keep && let Some(reason) = filled(choice.finish_reason.as_ref()) {
                response.finish_reason = Some(finish_reason(reason));
                response.raw_finish_reason = Some(reason.to_owned());
            }
        }
        carried
    }
}

impl MessageWire<'_> {
    fn reasoning(&self) -> Option<&str> {
        filled(self.reasoning_content.as_ref()).or_else(|| filled(self.reasoning.as_ref()))
    }

    fn note(&self, carried: &mut Carried) {
        let calls = || {
            self.tool_calls
                .iter()
                .flatten()
                .flat_map(|call| [&call.function, &call.custom])
                .flatten()
                .chain(self.function_call.as_deref())
        };
        let audio = |audio: &AudioWire<'_>| {
            filled(audio.data.as_ref()).or(filled(audio.transcript.as_ref())).is_some()
        };
        carried.reasoning |= self.reasoning().is_some();
        carried.answer |= filled(self.content.as_ref()).is_some()
            || filled(self.refusal.as_ref()).is_some()
            || calls().any(FunctionWire::has_output)
            || self.audio.as_deref().is_some_and(audio);
    }

    fn fold(&self, calls: &mut Calls, response: &mut ChatResponse) {
        if let Some(text) = filled(self.content.as_ref()) {
            response.text.push_str(text);
        }
        if let Some(text) = self.reasoning() {
            response.reasoning_text.push_str(text);
        }
        if let Some(text) = filled(self.refusal.as_ref()) {
            response.refusal.get_or_insert_default().push_str(text);
        }
        for call in self.tool_calls.iter().flatten() {
            calls.add(call, &mut response.tool_calls);
        }
        if let Some(function) = &self.function_call {
            let place = calls.at(LEGACY_INDEX, "", "", &mut response.tool_calls);
            function.fold("", place);
        }
    }
}

impl FunctionWire<'_> {
    fn has_output(&self) -> bool {
        filled(self.name.as_ref()).is_some()
            || self.arguments.as_ref().is_some_and(|arguments| !arguments.0.is_empty())
    }

    fn fold(&self, id: &str, call: Option<&mut ToolCall>) {
        let Some(call) = call else { return };
        if call.id.is_empty() {
            id.clone_into(&mut call.id);
        }
        // The name comes once or, from some servers, whole in every fragment.
        if call.name.is_empty() {
            filled(self.name.as_ref()).unwrap_or_default().clone_into(&mut call.name);
        }
        if let Some(arguments) = &self.arguments {
            call.arguments.push_str(&arguments.0);
        }
    }
}

impl Calls {
    fn add(&mut self, wire: &CallWire<'_>, list: &mut Vec<ToolCall>) {
        let id = filled(wire.id.as_ref()).unwrap_or_default();
        let Some(function) = wire.function.as_ref().or(wire.custom.as_ref()) else { return };
        let name = filled(function.name.as_ref()).unwrap_or_default();
        let call = match wire.index.and_then(|index| index.0) {
            Some(index) => self.at(index, id, name, list),
            None => without_index(id, name, list),
        };
        function.fold(id, call);
    }

    fn at<'l>(
        &mut self,
        index: u64,
        id: &str,
        name: &str,
        list: &'l mut Vec<ToolCall>,
    ) -> Option<&'l mut ToolCall> {
        // Some servers number every parallel call 0 and tell them apart by identifier.
        let known = self.by_index.get(&index).copied().filter(|place| {
            let other = |call: &ToolCall| !call.id.is_empty() && call.id != id;
            id.is_empty() || name.is_empty() || !list.get(*place).is_some_and(other)
        });
        let place = known.unwrap_or_else(|| {
            list.push(ToolCall::default());
            self.by_index.insert(index, list.len() - 1);
            list.len() - 1
        });
        list.get_mut(place)
    }
}

/// Whole bodies number no calls, and some streams neither: what names itself anew is a new call.
fn without_index<'l>(
    id: &str,
    name: &str,
    list: &'l mut Vec<ToolCall>,
) -> Option<&'l mut ToolCall> {
    let is_new = match list.last() {
        None => true,
        Some(newest) if id.is_empty() => !name.is_empty() && !newest.name.is_empty(),
        Some(newest) => newest.id != id,
    };
    if is_new {
        list.push(ToolCall::default());
    }
    list.last_mut()
}

fn set_once(place: &mut Option<String>, text: Option<&Text<'_>>) {
    if place.is_none()
        && let Some(text) = filled(text)
    {
        *place = Some(text.to_owned());
    }
}

/// The token counts of an answer that has no other member in common with a chat's.
pub(in crate::provider) fn usage(counts: &Value) -> Option<Usage> {
    UsageWire::deserialize(counts).ok().map(Usage::from)
}

/// The neutral reason for a `finish_reason` of OpenAI or of a server that speaks its protocol.
pub(in crate::provider) fn finish_reason(raw: &str) -> FinishReason {
    match raw {
        // Together says `eos`.
        "stop" | "eos" => FinishReason::Stop,
        // Mistral says `model_length`.
        "length" | "model_length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        // OpenRouter and Mistral; DeepSeek when its servers are short of resources.
        "error" | "insufficient_system_resource" => FinishReason::Error,
        other => FinishReason::Other(other.to_owned()),
    }
}

/// Call arguments: a text, kept verbatim; from some servers an object, written compactly.
#[derive(Debug)]
struct Arguments<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ArgumentsVisitor).map(Arguments)
    }
}

struct ArgumentsVisitor;

impl<'de> Visitor<'de> for ArgumentsVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("call arguments")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        let value = Value::deserialize(MapAccessDeserializer::new(object))?;
        serde_json::to_string(&value).map(Cow::Owned).map_err(A::Error::custom)
    }
}
