//! Neutral requests as Anthropic Messages bodies.

use serde_json::{Map, Value, json};

use crate::chat::{ReasoningEffort, ResponseFormat};
use crate::provider::adapter::{Encoded, Parsed, Target, Thinking};
use crate::provider::extra;
use crate::provider::loss::{LossFeature, LossSeverity, Losses};
use crate::provider::patch::sampling_severity;

use super::encode_message::{Conversation, conversation};
use super::encode_tools::{Tools, tools};
use super::schema::within_limits;
use super::takes_sampling;

/// The highest temperature that the API takes.
const MAX_TEMPERATURE: f64 = 1.0;

/// The smallest thinking budget that the API takes, in tokens.
const MIN_THINKING_BUDGET: u64 = 1024;

struct Encoder<'a> {
    parsed: &'a Parsed,
    target: &'a Target<'a>,
    losses: &'a mut Losses,
    body: Map<String, Value>,
    output_config: Map<String, Value>,
}

/// Writes a request and books what the protocol cannot carry.
pub(super) fn encode(parsed: &Parsed, target: &Target<'_>, losses: &mut Losses) -> Encoded {
    let Conversation { system, messages, ends_in_tool_results, called } =
        conversation(parsed, target, losses);
    let Tools { definitions: tools, choice, forced } = tools(parsed, &called, target, losses);
    let (body, output_config) = (Map::new(), Map::new());
    let mut encoder = Encoder { parsed, target, losses, body, output_config };
    encoder.put("model", target.model);
    let output_cap = encoder.output_cap();
    if !system.is_empty() {
        encoder.put("system", system);
    }
    encoder.put("messages", messages);
    if !tools.is_empty() {
        encoder.put("tools", tools);
    }
    if let Some(choice) = choice {
        encoder.put("tool_choice", choice);
    }
    let thinks = encoder.thinking(output_cap, ends_in_tool_results, forced);
    encoder.sampling(thinks);
    encoder.stop();
    encoder.response_format();
    encoder.unsupported();
    encoder.user();
    encoder.extra();
    let config = std::mem::take(&mut encoder.output_config);
    if !config.is_empty() {
        encoder.put("output_config", config);
    }
    if parsed.request.stream {
        encoder.put("stream", true);
    }
    Encoded { body: encoder.body, output_cap }
}

impl Encoder<'_> {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.body.insert(name.to_owned(), value.into());
    }

    /// The protocol requires a cap: the request's, else the plan's, else the model's.
    fn output_cap(&mut self) -> Option<u64> {
        let path = self.parsed.names.output_cap;
        let plan = self.target.max_output_tokens.map(|cap| (cap, "the plan's"));
        let model = self.target.model_max_output_tokens.map(|cap| (cap, "the model's"));
        let cap = match (self.parsed.request.max_output_tokens, plan.or(model)) {
            (Some(cap), _) => cap,
            (None, Some((cap, whose))) => {
                let detail = format!("{whose} {cap} tokens");
                self.losses.book(LossFeature::OutputCapAdded, path, detail);
                cap
            }
            (None, None) => {
                self.losses.book(LossFeature::OutputCapMissing, path, "");
                return None;
            }
        };
        self.put("max_tokens", cap);
        Some(cap)
    }

    /// Turns an effort or a thinking budget into what the model can be told; says whether the
    /// model will think.
    fn thinking(&mut self, cap: Option<u64>, ends_in_tool_results: bool, forced: bool) -> bool {
        let request = &self.parsed.request;
        let Some(ReasoningEffort(effort)) = &request.reasoning_effort else {
            return self.thinking_budget(cap, ends_in_tool_results, forced);
        };
        let path = self.parsed.names.reasoning_effort;
        if effort == "none" {
            let feature = LossFeature::ReasoningEffortChanged;
            self.losses.book_as(LossSeverity::Benign, feature, path, "thinking is off by default");
            return false;
        }
        let budget = budget_of_effort(effort).filter(|budget| cap.is_some_and(|cap| *budget < cap));
        match (self.target.model_traits.thinking, budget) {
            // Thinking and a forced call exclude each other.
            _ if forced => {}
            (Thinking::Adaptive, _) => {
                let effort = if effort == "minimal" { "low" } else { effort };
                self.put("thinking", json!({"type": "adaptive"}));
                self.output_config.insert("effort".into(), effort.into());
                self.losses.book(LossFeature::ReasoningEffortChanged, path, effort);
                return true;
            }
            // A turn that goes on after tool results needs the thinking that led to them.
            (Thinking::Budget, Some(budget)) if !ends_in_tool_results => {
                self.put("thinking", json!({"type": "enabled", "budget_tokens": budget}));
                let detail = format!("a budget of {budget} tokens");
                self.losses.book(LossFeature::ReasoningEffortChanged, path, detail);
                return true;
            }
            _ => {}
        }
        self.losses.book(LossFeature::ReasoningEffortDropped, path, effort.clone());
        false
    }

    /// A budget that another dialect states goes out as it is, to a model that takes budgets.
    fn thinking_budget(
        &mut self,
        cap: Option<u64>,
        ends_in_tool_results: bool,
        forced: bool,
    ) -> bool {
        let Some(thinking) = self.parsed.request.extra.get("thinking") else { return false };
        if thinking.get("type").is_some_and(|kind| kind == "disabled") {
            let feature = LossFeature::ReasoningEffortDropped;
            let detail = "thinking is off by default";
            self.losses.book_as(LossSeverity::Benign, feature, "thinking", detail);
            return false;
        }
        let takes = self.target.model_traits.thinking == Thinking::Budget
            && !forced
            && !ends_in_tool_results;
        let budget = thinking.get("budget_tokens").and_then(Value::as_u64);
        match budget.filter(|budget| cap.is_some_and(|cap| *budget < cap)) {
            Some(budget) if takes && budget >= MIN_THINKING_BUDGET => {
                self.put("thinking", json!({"type": "enabled", "budget_tokens": budget}));
                true
            }
            _ => {
                self.losses.book(LossFeature::ReasoningEffortDropped, "thinking", "");
                false
            }
        }
    }

    fn sampling(&mut self, thinks: bool) {
        let (request, names) = (&self.parsed.request, &self.parsed.names);
        let takes = takes_sampling(self.target) && !thinks;
        let sampling = [
            ("temperature", names.temperature, request.temperature),
            ("top_p", names.top_p, request.top_p),
        ];
        for (name, path, value) in sampling {
            match value {
                Some(value) if takes && name == "temperature" && value > MAX_TEMPERATURE => {
                    let detail = format!("{value} became {MAX_TEMPERATURE}");
                    self.losses.book(LossFeature::TemperatureClamped, path, detail);
                    self.put(name, MAX_TEMPERATURE);
                }
                Some(value) if takes => self.put(name, value),
                Some(value) => {
                    let severity = sampling_severity(value);
                    self.losses.book_as(severity, LossFeature::SamplingDropped, path, "");
                }
                None => {}
            }
        }
        match request.top_k {
            Some(top_k) if takes => self.put("top_k", top_k),
            Some(_) => self.losses.book(LossFeature::SamplingDropped, names.top_k, ""),
            None => {}
        }
    }

    fn stop(&mut self) {
        let mut kept = Vec::new();
        for (index, sequence) in self.parsed.request.stop.iter().enumerate() {
            if sequence.trim().is_empty() {
                let path = format!("{}[{index}]", self.parsed.names.stop);
                self.losses.book(LossFeature::StopDropped, path, "white space alone is refused");
            } else {
                kept.push(sequence.clone());
            }
        }
        if !kept.is_empty() {
            self.put("stop_sequences", kept);
        }
    }

    fn response_format(&mut self) {
        let path = self.parsed.names.response_format;
        match &self.parsed.request.response_format {
            None | Some(ResponseFormat::Text) => {}
            Some(ResponseFormat::JsonObject) => {
                self.losses.book(LossFeature::JsonObjectUnsupported, path, "");
            }
            Some(ResponseFormat::JsonSchema { schema, .. }) => {
                let (schema, changed) = within_limits(schema);
                if !changed.is_empty() {
                    let detail = format!("changed: {}", changed.join(", "));
                    self.losses.book(LossFeature::ResponseSchemaChanged, path, detail);
                }
                let format = json!({"type": "json_schema", "schema": schema});
                self.output_config.insert("format".into(), format);
            }
        }
    }

    fn unsupported(&mut self) {
        let (request, names) = (&self.parsed.request, &self.parsed.names);
        if let Some(choices) = request.choices.filter(|choices| *choices > 1) {
            let detail = format!("{choices} choices in one request");
            self.losses.book(LossFeature::ChoicesUnsupported, names.choices, detail);
        }
        if request.seed.is_some() {
            self.losses.book(LossFeature::SeedDropped, names.seed, "");
        }
        let penalties = [
            (names.presence_penalty, request.presence_penalty),
            (names.frequency_penalty, request.frequency_penalty),
        ];
        for (name, value) in penalties {
            if let Some(value) = value {
                let is_off = value.abs() < f64::EPSILON;
                let severity = if is_off { LossSeverity::Benign } else { LossSeverity::Lossy };
                self.losses.book_as(severity, LossFeature::PenaltyDropped, name, "");
            }
        }
    }

    /// The API refuses e-mail addresses as identifiers.
    fn user(&mut self) {
        match &self.parsed.request.user {
            Some(user) if user.contains('@') => {
                self.losses.book(LossFeature::UserDropped, self.parsed.names.user, "");
            }
            Some(user) => self.put("metadata", json!({"user_id": user})),
            None => {}
        }
    }

    fn extra(&mut self) {
        for (name, value) in &self.parsed.request.extra {
            match (name.as_str(), value.as_str()) {
                // Settled with the thinking.
                ("thinking", _) if self.parsed.request.reasoning_effort.is_none() => {}
                ("service_tier", Some("auto")) => self.service_tier("auto"),
                ("service_tier", Some("default")) => self.service_tier("standard_only"),
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

/// LiteLLM's thinking budgets, in tokens; any such table is arbitrary, so its use is a loss.
fn budget_of_effort(effort: &str) -> Option<u64> {
    Some(match effort {
        "minimal" | "low" => MIN_THINKING_BUDGET,
        "medium" => 2048,
        "high" => 4096,
        "xhigh" => 8192,
        "max" => 16_384,
        _ => return None,
    })
}
