//! What a payload says beside prompt and answer, whichever way it was read.

use std::borrow::Cow;

use serde_json::Value;

use crate::chat::ChatRequest;
use crate::dataset::CapturedExchange;

use super::super::format::ReadContext;
use super::super::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use super::super::reason::RejectReason;
use super::super::time::{self, Moment, fill_time};
use super::super::value::{flag, nanousd, number, path, present};
use super::call::Call;
use super::usage::Counts;

/// The payload's times are floats of seconds with microseconds.
const RESOLUTION_MS: f64 = 0.001;

/// Prefixes of `model` that name the provider, where the record does not name it apart.
const PROVIDERS: &[&str] = &[
    "anthropic",
    "azure",
    "azure_ai",
    "bedrock",
    "cohere",
    "deepseek",
    "fireworks_ai",
    "gemini",
    "groq",
    "hosted_vllm",
    "mistral",
    "ollama",
    "openai",
    "openrouter",
    "perplexity",
    "together_ai",
    "vertex_ai",
    "xai",
];

/// The facts of one payload.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    /// `litellm_call_id`, else `id` with the suffix of a cache hit.
    pub(super) id: Cow<'a, str>,
    pub(super) session_id: Option<Cow<'a, str>>,
    pub(super) user_id: Option<Cow<'a, str>>,
    pub(super) provider: Option<Cow<'a, str>>,
    /// The public alias.
    pub(super) model_group: Option<Cow<'a, str>>,
    /// The deployment's model.
    pub(super) model: Option<Cow<'a, str>>,
    pub(super) metadata: Metadata<'a>,
    /// Those of the client's software are among them.
    pub(super) tags: Vec<Cow<'a, str>>,
    pub(super) started: Moment,
    pub(super) ended_us: Option<i64>,
    pub(super) first_token_us: Option<i64>,
    pub(super) stream: bool,
    pub(super) cost_nanousd: Option<i64>,
    pub(super) cache_hit: Option<bool>,
    /// Attempts before this one, if the router counts them.
    pub(super) retries: f64,
    /// Other deployments that were asked before this one.
    pub(super) fallbacks: f64,
    pub(super) counts: Counts,
}

/// Members of `metadata` that are texts with something in them.
#[derive(Debug, Default)]
pub(super) struct Metadata<'a> {
    /// The client's own `route` among its request metadata.
    pub(super) route: Option<Cow<'a, str>>,
    pub(super) tenant: Option<Cow<'a, str>>,
    /// The proxy's endpoint.
    pub(super) endpoint: Option<Cow<'a, str>>,
    pub(super) key_alias: Option<Cow<'a, str>>,
    pub(super) team_alias: Option<Cow<'a, str>>,
    pub(super) team_id: Option<Cow<'a, str>>,
    pub(super) silent_experiment: bool,
}

impl<'a> Metadata<'a> {
    fn of(record: &'a Value) -> Self {
        let text = |names: &[&str]| {
            let value = path(record.get("metadata")?, names)?;
            value.as_str().filter(|text| !text.is_empty()).map(Cow::Borrowed)
        };
        Metadata {
            route: text(&["requester_metadata", "route"]),
            tenant: text(&["requester_metadata", "tenant"]),
            endpoint: text(&["user_api_key_request_route"]),
            key_alias: text(&["user_api_key_alias"]),
            team_alias: text(&["user_api_key_team_alias"]),
            team_id: text(&["user_api_key_team_id"]),
            silent_experiment: path(record, &["metadata", "is_silent_experiment"])
                .and_then(flag)
                .unwrap_or(false),
        }
    }
}

impl<'a> Facts<'a> {
    /// Reads the facts of a record; what the format requires is asked for by name.
    pub(super) fn of(
        record: &'a Value,
        context: &ReadContext,
    ) -> Result<Self, (RejectReason, String)> {
        let started = present(record, "startTime")
            .ok_or_else(|| (RejectReason::MissingField, "`startTime` is not there".to_owned()))?;
        let started = moment(started, context).ok_or_else(|| {
            (RejectReason::BadField, "`startTime` is no point in time".to_owned())
        })?;
        let id = text(record, &["litellm_call_id", "id"]).ok_or_else(|| {
            let detail = "neither `litellm_call_id` nor `id` is there".to_owned();
            (RejectReason::MissingField, detail)
        })?;
        let at = |name: &str| Some(moment(present(record, name)?, context)?.us);
        let header = |name: &str| {
            path(record, &["hidden_params", "additional_headers", name]).and_then(number)
        };
        let tags = record.get("request_tags").and_then(Value::as_array).into_iter().flatten();
        Ok(Facts {
            id,
            session_id: text(record, &["session_id", "trace_id"]),
            user_id: text(record, &["end_user"]),
            provider: text(record, &["custom_llm_provider"]),
            model_group: text(record, &["model_group"]),
            model: text(record, &["model"]),
            metadata: Metadata::of(record),
            tags: tags.filter_map(Value::as_str).map(Cow::Borrowed).collect(),
            started,
            ended_us: at("endTime"),
            first_token_us: at("completionStartTime"),
            stream: is_stream(record),
            cost_nanousd: present(record, "response_cost").and_then(nanousd),
            cache_hit: present(record, "cache_hit").and_then(flag),
            retries: header("x-litellm-attempted-retries").unwrap_or(0.0),
            fallbacks: header("x-litellm-attempted-fallbacks").unwrap_or(0.0),
            counts: Counts::of(record),
        })
    }

    /// The row as far as the facts go.
    pub(super) fn row(&self, call: Call) -> CapturedExchange {
        let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let metadata = &self.metadata;
        let mut row = CapturedExchange {
            request_id: without_cache_suffix(&self.id).to_owned(),
            session_id: owned(&self.session_id),
            user_id: owned(&self.user_id),
            provider: owned(&self.provider),
            operation: call.operation().to_owned(),
            route: owned(&metadata.route).or_else(|| owned(&metadata.endpoint)),
            tenant: owned(&metadata.team_alias)
                .or_else(|| owned(&metadata.team_id))
                .or_else(|| owned(&metadata.tenant)),
            tags: self.tags_json(),
            request_model: asked_model(
                self.model_group.as_deref(),
                self.model.as_deref(),
                self.provider.as_deref(),
            ),
            stream: Some(self.stream),
            cost_nanousd: self.cost_nanousd,
            cache_hit: self.cache_hit,
            attempt: (1.0 + self.retries.max(0.0) + self.fallbacks.max(0.0)) as i32,
            latency_scope: Some("gateway".to_owned()),
            time_resolution_ms: Some(RESOLUTION_MS),
            ..CapturedExchange::default()
        };
        fill_time(&mut row, self.started);
        row.latency_ms = self.ended_us.map(|ended_us| self.since_start_ms(ended_us));
        // For an answer in one piece LiteLLM logs the end as the first token's time.
        row.ttft_ms = self
            .first_token_us
            .map(|first_us| self.since_start_ms(first_us))
            .filter(|ttft_ms| self.stream && row.latency_ms != Some(*ttft_ms));
        row
    }

    fn since_start_ms(&self, at_us: i64) -> f64 {
        (at_us - self.started.us) as f64 / 1_000.0
    }

    /// LiteLLM adds the client's software as tags of its own.
    fn own_tags(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(|tag| &**tag).filter(|tag| !tag.starts_with("User-Agent:"))
    }

    fn tags_json(&self) -> Option<String> {
        let tags: Vec<&str> = self.own_tags().collect();
        if tags.is_empty() { None } else { serde_json::to_string(&tags).ok() }
    }

    /// Settles what the row may stand for; the last thing that is done to it.
    pub(super) fn settle(
        &self,
        row: &mut CapturedExchange,
        request: Option<&ChatRequest>,
        marks: BaselineMarks,
    ) {
        let named = [self.metadata.endpoint.as_deref(), self.metadata.key_alias.as_deref()];
        let marks = BaselineMarks {
            silent_experiment: self.metadata.silent_experiment,
            health_check: self.own_tags().chain(named.into_iter().flatten()).any(names_a_probe)
                || request.is_some_and(is_probe),
            retried: self.retries > 0.0,
            no_end: self.ended_us.is_none_or(|ended_us| ended_us < self.started.us),
            ..marks
        };
        settle_baseline(row, marks);
    }
}

/// The model that the client asked for: the public alias, else the deployment's model without the
/// provider's name before it.
pub(in crate::capture) fn asked_model(
    alias: Option<&str>,
    model: Option<&str>,
    provider: Option<&str>,
) -> String {
    if let Some(alias) = alias {
        return alias.to_owned();
    }
    let model = model.unwrap_or_default();
    match model.split_once('/') {
        Some((prefix, rest))
            if provider == Some(prefix) || (provider.is_none() && PROVIDERS.contains(&prefix)) =>
        {
            rest.to_owned()
        }
        _ => model.to_owned(),
    }
}

/// The first of several members that is a text with something in it; numbers count as their
/// digits.
fn text<'v>(record: &'v Value, names: &[&str]) -> Option<Cow<'v, str>> {
    names.iter().find_map(|name| match record.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(Cow::Borrowed(text.as_str())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    })
}

/// A point in time; the payload's own are numbers, which need no search for a form.
pub(super) fn moment(value: &Value, context: &ReadContext) -> Option<Moment> {
    if value.is_number() {
        return time::parse(value).map(|us| Moment { us, basis: "epoch" });
    }
    time::moment(value, context.utc_offset_s)
}

/// The identifier without what a cache hit adds to that of the first answer.
pub(in crate::capture) fn without_cache_suffix(id: &str) -> &str {
    let is_suffix = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match id.rsplit_once("_cache_hit") {
        Some((id, rest)) if !id.is_empty() && is_suffix(rest) => id,
        _ => id,
    }
}

/// A failed stream is logged as null at the top; its parameters still say that it was one.
fn is_stream(record: &Value) -> bool {
    let logged = record.get("stream").and_then(Value::as_bool);
    let asked = path(record, &["model_parameters", "stream"]).and_then(Value::as_bool);
    logged == Some(true) || asked == Some(true)
}
