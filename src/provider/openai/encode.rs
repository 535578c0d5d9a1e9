//! Neutral requests as OpenAI Chat Completions bodies.

use serde_json::{Map, Value, json};

use crate::chat::{ReasoningEffort, ResponseFormat, Tool, ToolChoice};
use crate::provider::adapter::{Encoded, Parsed, Target};
use crate::provider::extra;
use crate::provider::loss::{LossFeature, LossSeverity, Losses};
use crate::provider::patch::sampling_severity;

use super::encode_message;
use super::patch::{cap_member, is_reasoning_model};

/// The most stop sequences that the API takes.
const MAX_STOPS: usize = 4;

/// The longest name that the API takes for a function or a schema, in characters.
const MAX_NAME_CHARS: usize = 64;

struct Encoder<'a> {
    parsed: &'a Parsed,
    target: &'a Target<'a>,
    losses: &'a mut Losses,
    body: Map<String, Value>,
}

/// Writes a request and books what the protocol cannot carry.
pub(super) fn encode(parsed: &Parsed, target: &Target<'_>, losses: &mut Losses) -> Encoded {
    let mut encoder = Encoder { parsed, target, losses, body: Map::new() };
    encoder.put("model", target.model);
    let messages = encode_message::messages(parsed, encoder.losses);
    encoder.put("messages", messages);
    encoder.tools();
    let output_cap = encoder.output_cap();
    encoder.sampling();
    encoder.stop();
    encoder.plain_parameters();
    encoder.response_format();
    encoder.reasoning();
    encoder.extra();
    if parsed.request.stream {
        encoder.put("stream", true);
        encoder.put("stream_options", json!({"include_usage": true}));
    }
    Encoded { body: encoder.body, output_cap }
}

impl Encoder<'_> {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.body.insert(name.to_owned(), value.into());
    }

    fn tools(&mut self) {
        let request = &self.parsed.request;
        let mut tools = Vec::with_capacity(request.tools.len());
        for (index, tool) in request.tools.iter().enumerate() {
            if !is_name(&tool.name) {
                let path = format!("{}.name", self.parsed.tool_path(index));
                self.losses.book(LossFeature::ToolNameUnsupported, path, "");
            }
            tools.push(function(tool));
        }
        if tools.is_empty() {
            // A choice among no tools is refused.
            if request.tool_choice.is_some() {
                let severity = LossSeverity::Benign;
                let feature = LossFeature::ToolChoiceChanged;
                let path = self.parsed.names.tool_choice;
                self.losses.book_as(severity, feature, path, "no tools are left");
            }
            return;
        }
        self.put("tools", tools);
        match &request.tool_choice {
            None => {}
            Some(ToolChoice::Auto) => self.put("tool_choice", "auto"),
            Some(ToolChoice::None) => self.put("tool_choice", "none"),
            Some(ToolChoice::Required) => self.put("tool_choice", "required"),
            Some(ToolChoice::Named(name)) => self.named_choice(name),
            Some(ToolChoice::Other(choice)) if choice.get("allowed_tools").is_some() => {
                self.put("tool_choice", choice.clone());
            }
            Some(ToolChoice::Other(_)) => {
                let path = self.parsed.names.tool_choice;
                self.losses.book(LossFeature::ToolChoiceChanged, path, "unknown form");
            }
        }
        if let Some(parallel) = request.parallel_tool_calls {
            self.put("parallel_tool_calls", parallel);
        }
    }

    fn named_choice(&mut self, name: &str) {
        if self.parsed.request.tools.iter().any(|tool| tool.name == name) {
            self.put("tool_choice", json!({"type": "function", "function": {"name": name}}));
        } else {
            let path = self.parsed.names.tool_choice;
            self.losses.book(LossFeature::ToolChoiceChanged, path, "no such tool is left");
        }
    }

    fn output_cap(&mut self) -> Option<u64> {
        let own = self.parsed.request.max_output_tokens;
        let cap = own.or(self.target.max_output_tokens)?;
        if own.is_none() {
            let detail = format!("the plan's {cap} tokens");
            self.losses.book(LossFeature::OutputCapAdded, self.parsed.names.output_cap, detail);
        }
        self.put(cap_member(self.target.model), cap);
        Some(cap)
    }

    fn sampling(&mut self) {
        let (request, names) = (&self.parsed.request, &self.parsed.names);
        let sampling = [
            ("temperature", names.temperature, request.temperature),
            ("top_p", names.top_p, request.top_p),
        ];
        for (name, path, value) in sampling {
            match value {
                Some(value) if self.target.supports_sampling => self.put(name, value),
                Some(value) => {
                    let severity = sampling_severity(value);
                    self.losses.book_as(severity, LossFeature::SamplingDropped, path, "");
                }
                None => {}
            }
        }
        if request.top_k.is_some() {
            self.losses.book(LossFeature::SamplingDropped, names.top_k, "");
        }
    }

    fn stop(&mut self) {
        let stop = &self.parsed.request.stop;
        if stop.len() > MAX_STOPS {
            let path = format!("{}[{MAX_STOPS}]", self.parsed.names.stop);
            let detail = format!("{} of {} sequences left out", stop.len() - MAX_STOPS, stop.len());
            self.losses.book(LossFeature::StopDropped, path, detail);
        }
        if !stop.is_empty() {
            self.put("stop", stop.iter().take(MAX_STOPS).cloned().collect::<Vec<_>>());
        }
    }

    fn plain_parameters(&mut self) {
        let request = &self.parsed.request;
        let parameters: [(&str, Option<Value>); 5] = [
            ("n", request.choices.map(Value::from)),
            ("seed", request.seed.map(Value::from)),
            ("presence_penalty", request.presence_penalty.map(Value::from)),
            ("frequency_penalty", request.frequency_penalty.map(Value::from)),
            ("user", request.user.clone().map(Value::from)),
        ];
        for (name, value) in parameters {
            if let Some(value) = value {
                self.put(name, value);
            }
        }
    }

    fn response_format(&mut self) {
        match &self.parsed.request.response_format {
            None => {}
            Some(ResponseFormat::Text) => self.put("response_format", json!({"type": "text"})),
            Some(ResponseFormat::JsonObject) => {
                self.put("response_format", json!({"type": "json_object"}));
            }
            Some(ResponseFormat::JsonSchema { name, schema, strict }) => {
                let name = name.as_deref().unwrap_or("response");
                let mut inner = Map::new();
                inner.insert("name".into(), name.into());
                inner.insert("schema".into(), schema.clone());
                if let Some(strict) = strict {
                    inner.insert("strict".into(), (*strict).into());
                }
                let format = json!({"type": "json_schema", "json_schema": inner});
                self.put("response_format", format);
            }
        }
    }

    /// Effort or thinking budget; models that do not reason refuse both.
    fn reasoning(&mut self) {
        let request = &self.parsed.request;
        let thinking = request.extra.get("thinking");
        let budget = thinking.and_then(|thinking| thinking.get("budget_tokens"));
        let path = if request.reasoning_effort.is_some() {
            self.parsed.names.reasoning_effort
        } else {
            "thinking"
        };
        let effort = match (&request.reasoning_effort, budget.and_then(Value::as_u64)) {
            (Some(ReasoningEffort(effort)), _) => effort.as_str(),
            (None, Some(budget)) => effort_of_budget(budget),
            (None, None) => {
                self.thinking_without_budget(thinking);
                return;
            }
        };
        if is_reasoning_model(self.target.model) {
            self.put("reasoning_effort", effort);
            // Both of OpenAI's interfaces have the same scale.
            if path != super::RESPONSES_EFFORT {
                self.losses.book(LossFeature::ReasoningEffortChanged, path, effort);
            }
        } else {
            self.losses.book(LossFeature::ReasoningEffortDropped, path, effort);
        }
    }

    fn thinking_without_budget(&mut self, thinking: Option<&Value>) {
        let Some(kind) = thinking.and_then(|thinking| thinking.get("type")) else { return };
        let is_off = kind == "disabled";
        let severity = if is_off { LossSeverity::Benign } else { LossSeverity::Lossy };
        self.losses.book_as(severity, LossFeature::ReasoningEffortDropped, "thinking", "");
    }

    fn extra(&mut self) {
        for (name, value) in &self.parsed.request.extra {
            match (name.as_str(), value.as_str()) {
                ("thinking", _) => {}
                ("service_tier", Some("auto")) => self.service_tier("auto"),
                ("service_tier", Some("standard_only")) => self.service_tier("default"),
                ("service_tier", Some(tier @ ("default" | "flex" | "priority"))) => {
                    self.service_tier(tier);
                }
                ("verbosity", Some(_)) if is_reasoning_model(self.target.model) => {
                    self.put("verbosity", value.clone());
                }
                _ => extra::book(name, value, self.losses),
            }
        }
    }

    fn service_tier(&mut self, tier: &str) {
        self.put("service_tier", tier);
        let feature = LossFeature::ServiceTierChanged;
        self.losses.book_as(LossSeverity::Benign, feature, "service_tier", tier);
    }
}

fn function(tool: &Tool) -> Value {
    let mut function = Map::new();
    function.insert("name".into(), tool.name.clone().into());
    if let Some(description) = &tool.description {
        function.insert("description".into(), description.clone().into());
    }
    if let Some(parameters) = &tool.parameters {
        function.insert("parameters".into(), parameters.clone());
    }
    if let Some(strict) = tool.strict {
        function.insert("strict".into(), strict.into());
    }
    json!({"type": "function", "function": function})
}

fn is_name(name: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    (1..=MAX_NAME_CHARS).contains(&name.len()) && name.chars().all(allowed)
}

/// The effort nearest to a thinking budget: LiteLLM's table of budgets, read backwards.
fn effort_of_budget(budget_tokens: u64) -> &'static str {
    match budget_tokens {
        0..=1024 => "low",
        1025..=2048 => "medium",
        _ => "high",
    }
}
