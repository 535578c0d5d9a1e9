//! The members of a payload that become columns, as they are written.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::super::super::format::ReadContext;
use super::super::super::time::Moment;
use super::super::super::value::{count, nanousd};
use super::super::facts::{Facts, Metadata, moment};
use super::super::usage::{Counts, Parts};
use super::answer::Answer;
use super::strict::{Members, Slot, Sound, Text, strict_object};

strict_object! {
    /// A payload.
    Payload<'a> {
        "id" => id: Text<'a>,
        "litellm_call_id" => call_id: Text<'a>,
        "session_id" => session_id: Text<'a>,
        "trace_id" => trace_id: Text<'a>,
        "end_user" => end_user: Text<'a>,
        "custom_llm_provider" => provider: Text<'a>,
        "model" => model: Text<'a>,
        "model_group" => model_group: Text<'a>,
        "call_type" => call_type: Text<'a>,
        "status" => status: Text<'a>,
        "error_str" => error_str: Text<'a>,
        "startTime" => start: Number,
        "endTime" => end: Number,
        "completionStartTime" => first_token: Number,
        "response_cost" => cost: Number,
        "prompt_tokens" => prompt_tokens: Number,
        "completion_tokens" => completion_tokens: Number,
        "stream" => stream: bool,
        "cache_hit" => cache_hit: bool,
        "request_tags" => tags: Vec<Text<'a>>,
        "metadata" => metadata: MetadataWire<'a>,
        "hidden_params" => hidden: Hidden,
        "status_fields" => status_fields: StatusFields<'a>,
        "messages" => messages: Vec<Members<'a>>,
        "model_parameters" => parameters: Members<'a>,
        "response" => response: Answer<'a>,
        "error_information" => error: Members<'a>,
        "table_name" => table_name: Sound,
    }
}

strict_object! {
    /// `metadata`.
    MetadataWire<'a> {
        "user_api_key_request_route" => endpoint: Text<'a>,
        "user_api_key_alias" => key_alias: Text<'a>,
        "user_api_key_team_alias" => team_alias: Text<'a>,
        "user_api_key_team_id" => team_id: Text<'a>,
        "is_silent_experiment" => silent_experiment: bool,
        "requester_metadata" => requester: Requester<'a>,
        "usage_object" => usage: UsageWire,
    }
}

strict_object! {
    /// What the client itself said of its request.
    Requester<'a> {
        "route" => route: Text<'a>,
        "tenant" => tenant: Text<'a>,
    }
}

strict_object! {
    /// `hidden_params`.
    Hidden {
        "additional_headers" => headers: Headers,
        "usage_object" => usage: UsageWire,
    }
}

strict_object! {
    /// Headers of the answer, among them those of the router.
    Headers {
        "x-litellm-attempted-retries" => retries: Number,
        "x-litellm-attempted-fallbacks" => fallbacks: Number,
    }
}

strict_object! {
    /// `status_fields`.
    StatusFields<'a> {
        "guardrail_status" => guardrail_status: Text<'a>,
    }
}

strict_object! {
    /// A usage object in LiteLLM's form.
    UsageWire {
        "prompt_tokens" => prompt_tokens: Number,
        "completion_tokens" => completion_tokens: Number,
        "prompt_tokens_details" => prompt: PromptDetails,
        "completion_tokens_details" => completion: CompletionDetails,
        "cache_read_input_tokens" => cache_read: Number,
        "cache_creation_input_tokens" => cache_creation: Number,
        "input_tokens_details" => input: Sound,
        "output_tokens_details" => output: Sound,
    }
}

strict_object! {
    /// Parts of the input.
    PromptDetails {
        "cached_tokens" => cached: Number,
        "cache_creation_tokens" => created: Number,
        "cache_write_tokens" => written: Number,
    }
}

strict_object! {
    /// Parts of the output.
    CompletionDetails {
        "reasoning_tokens" => reasoning: Number,
    }
}

impl UsageWire {
    /// The parts; none for a form that only the general reader knows.
    pub(super) fn parts(&self) -> Option<Parts> {
        if self.input.or(self.output).is_some() {
            return None;
        }
        let prompt = |of: fn(&PromptDetails) -> Option<&Number>| self.prompt.as_ref().and_then(of);
        let counted = |number: Option<&Number>| number.and_then(whole);
        let completion = self.completion.as_ref();
        Some(Parts {
            cache_read: counted(prompt(|prompt| prompt.cached.as_ref()))
                .or_else(|| counted(self.cache_read.as_ref())),
            cache_creation: counted(self.cache_creation.as_ref())
                .or_else(|| counted(prompt(|prompt| prompt.created.as_ref())))
                .or_else(|| counted(prompt(|prompt| prompt.written.as_ref()))),
            reasoning: counted(completion.and_then(|details| details.reasoning.as_ref())),
        })
    }

    /// Whether it says for certain that something is in it.
    pub(super) fn has_totals(&self) -> bool {
        self.prompt_tokens.is_some() || self.completion_tokens.is_some()
    }
}

impl<'a> Payload<'a> {
    /// The facts, with the members taken that they are made of; none if one is missing that the
    /// general reader asks for.
    pub(super) fn facts(&mut self, context: &ReadContext) -> Option<Facts<'a>> {
        let at =
            |number: Option<Number>| -> Option<Moment> { moment(&Value::Number(number?), context) };
        let mut parameters = self.parameters.iter().flat_map(|parameters| &parameters.0);
        // Of a name that comes twice the last counts.
        let asked = parameters.rfind(|(name, _)| name == "stream");
        let asked = matches!(asked, Some((_, Slot::Other(Value::Bool(true)))));
        let metadata = self.metadata.take().unwrap_or_default();
        let hidden = self.hidden.take().unwrap_or_default();
        let headers = hidden.headers.unwrap_or_default();
        let number = |number: Option<Number>| number.and_then(|number| number.as_f64());
        let kept = |usage: Option<UsageWire>| match usage {
            Some(usage) => usage.parts().map(Some),
            None => Some(None),
        };
        let own = match self.response.as_ref().and_then(|answer| answer.usage.as_ref()) {
            Some(usage) if usage.has_totals() => Some(usage.parts()?),
            Some(_) => return None,
            None => None,
        };
        let counts = Counts {
            input: self.prompt_tokens.as_ref().and_then(whole),
            output: self.completion_tokens.as_ref().and_then(whole),
            own,
            kept: [kept(metadata.usage)?, kept(hidden.usage)?],
        };
        let requester = metadata.requester.unwrap_or_default();
        Some(Facts {
            id: filled(self.call_id.take()).or_else(|| filled(self.id.take()))?,
            session_id: filled(self.session_id.take()).or_else(|| filled(self.trace_id.take())),
            user_id: filled(self.end_user.take()),
            provider: filled(self.provider.take()),
            model_group: filled(self.model_group.take()),
            model: filled(self.model.take()),
            metadata: Metadata {
                route: not_empty(requester.route),
                tenant: not_empty(requester.tenant),
                endpoint: not_empty(metadata.endpoint),
                key_alias: not_empty(metadata.key_alias),
                team_alias: not_empty(metadata.team_alias),
                team_id: not_empty(metadata.team_id),
                silent_experiment: metadata.silent_experiment == Some(true),
            },
            tags: self.tags.take().into_iter().flatten().map(|Text(tag)| tag).collect(),
            started: at(self.start.take())?,
            ended_us: at(self.end.take()).map(|moment| moment.us),
            first_token_us: at(self.first_token.take()).map(|moment| moment.us),
            stream: self.stream == Some(true) || asked,
            cost_nanousd: self.cost.take().and_then(|cost| nanousd(&Value::Number(cost))),
            cache_hit: self.cache_hit,
            retries: number(headers.retries).unwrap_or(0.0),
            fallbacks: number(headers.fallbacks).unwrap_or(0.0),
            counts,
        })
    }
}

fn whole(number: &Number) -> Option<i64> {
    count(&Value::Number(number.clone()))
}

fn filled(text: Option<Text<'_>>) -> Option<Cow<'_, str>> {
    text.map(|Text(text)| text).filter(|text| !text.trim().is_empty())
}

fn not_empty(text: Option<Text<'_>>) -> Option<Cow<'_, str>> {
    text.map(|Text(text)| text).filter(|text| !text.is_empty())
}
