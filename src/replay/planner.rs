//! What is to be sent: every captured exchange, in every arm, with its worst-case cost.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rayon::prelude::*;

use super::ReplayError;
use super::estimate::{Bounds, Recorded, Typical, estimate};
use super::sampling::Sampling;
use super::schedule::{HOUR_US, busiest_hour};
use crate::dataset::{CaptureStore, PlannedRow, ReplayInput};
use crate::plan::{Arm, Pace, Plan, PriceBook, ReplaySettings};
use crate::pricing::PriceError;
use crate::provider::{self, Dialect, Loss, LossAction, PrepareError, Target, WireRequest};

/// Most input tokens that a provider counts for one picture, whatever its size.
///
/// OpenAI's high detail is at most 1,105 tokens for tiled models and 1,536 patches for the others
/// (times at most 2.46); Anthropic's at most about 1,600.
const TOKENS_PER_IMAGE: u64 = 4_000;

/// Rows that are replayed only when the plan includes them, by baseline reason.
const NOT_TRAFFIC: &[&str] = &["cache_hit", "superseded", "health_check", "silent_experiment"];

/// One planned exchange of one arm.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// Index of the arm.
    pub arm: u16,
    /// Row number of the captured exchange.
    pub ordinal: i32,
    /// When it was captured, microseconds since 1970.
    pub captured_at: i64,
    /// Number of its conversation, where the log names one.
    pub session: Option<u32>,
    /// Most that one attempt can cost.
    pub worst_case_nanousd: i64,
    /// What one attempt can be expected to cost.
    pub expected_nanousd: i64,
    /// What one attempt costs at the low end.
    pub low_nanousd: i64,
    /// Most tokens that one attempt can take, input and output.
    pub token_bound: u64,
    /// Inverse of the exchange's probability to be in the sample.
    pub sample_weight: f64,
}

/// Everything that a run intends.
#[derive(Debug, Default)]
pub struct Planned {
    /// What is sent, in order of ordinals and arms.
    pub items: Vec<Item>,
    /// One row per exchange and arm, for the table `planned`.
    pub rows: Vec<PlannedRow>,
    /// Models without a price, per arm: reason to refuse the run.
    pub unpriced: BTreeMap<(String, String), String>,
}

/// Plans every exchange of the capture in every arm.
///
/// # Errors
/// A capture that cannot be read.
pub fn plan_items(
    plan: &Plan,
    prices: &PriceBook,
    capture: &CaptureStore,
) -> Result<Planned, ReplayError> {
    let rules = Rules { plan, prices, sampling: Sampling::new(&plan.replay, capture)? };
    let arms: Vec<&Arm> = plan.arms().collect();
    let mut planned = Planned::default();
    let mut typical = Typical::default();
    let mut pending = Vec::new();
    let mut sessions: HashMap<String, u32> = HashMap::new();
    for block in capture.blocks() {
        let inputs = capture.read(block)?;
        let decided: Vec<Vec<Decided>> = inputs
            .par_iter()
            .map(|input| {
                let arms = arms.iter().enumerate();
                arms.map(|(index, arm)| rules.decide(arm, index, input)).collect()
            })
            .collect();
        for (input, decided) in inputs.iter().zip(decided) {
            let recorded = Recorded::of(input);
            typical.note(&recorded);
            let session = input.session_id.as_ref().map(|id| number_of(&mut sessions, id));
            for mut decided in decided {
                if let Some((key, message)) = decided.unpriced {
                    planned.unpriced.entry(key).or_insert(message);
                }
                if decided.item.is_some() && !recorded.is_complete() {
                    pending.push((planned.items.len(), planned.rows.len(), recorded.clone()));
                }
                if let Some(item) = &mut decided.item {
                    item.session = session;
                }
                planned.items.extend(decided.item);
                planned.rows.push(decided.row);
            }
        }
    }
    // What the log does not know follows from what it knows of the other exchanges.
    for (item, row, recorded) in pending {
        let (Some(item), Some(row)) = (planned.items.get_mut(item), planned.rows.get_mut(row))
        else {
            continue;
        };
        rules.expect(item, row, &recorded, &typical);
    }
    if let Pace::Peak { .. } = plan.replay.pace {
        keep_busiest_hour(&mut planned);
    }
    Ok(planned)
}

/// What decides over every exchange.
struct Rules<'a> {
    plan: &'a Plan,
    prices: &'a PriceBook,
    sampling: Sampling,
}

/// The number of a conversation; numbers are given as conversations appear.
fn number_of(sessions: &mut HashMap<String, u32>, id: &str) -> u32 {
    if let Some(number) = sessions.get(id) {
        return *number;
    }
    let number = u32::try_from(sessions.len()).unwrap_or(u32::MAX);
    sessions.insert(id.to_owned(), number);
    number
}

/// Excludes every exchange outside the hour in which most of what can be sent was captured.
fn keep_busiest_hour(planned: &mut Planned) {
    let mut exchanges: Vec<(i32, i64)> =
        planned.items.iter().map(|item| (item.ordinal, item.captured_at)).collect();
    exchanges.dedup();
    let mut times: Vec<i64> = exchanges.iter().map(|(_, at)| *at).collect();
    let Some((begin, _)) = busiest_hour(&mut times) else { return };
    let outside = |at: i64| at < begin || at.saturating_sub(begin) >= HOUR_US;
    let left_out: BTreeSet<i32> =
        exchanges.into_iter().filter(|(_, at)| outside(*at)).map(|(ordinal, _)| ordinal).collect();
    planned.items.retain(|item| !outside(item.captured_at));
    for row in &mut planned.rows {
        if row.excluded_reason.is_none() && left_out.contains(&row.ordinal) {
            row.excluded_reason = Some("outside_busiest_hour".to_owned());
        }
    }
}

struct Decided {
    row: PlannedRow,
    item: Option<Item>,
    unpriced: Option<((String, String), String)>,
}

impl Decided {
    fn excluded(mut self, reason: &str) -> Self {
        self.row.excluded_reason = Some(reason.to_owned());
        self
    }
}

impl Rules<'_> {
    fn decide(&self, arm: &Arm, arm_index: usize, input: &ReplayInput) -> Decided {
        let row = PlannedRow {
            arm: arm.name.clone(),
            ordinal: input.ordinal,
            request_id: input.request_id.clone(),
            ..PlannedRow::default()
        };
        let mut decided = Decided { row, item: None, unpriced: None };
        if let Some(reason) = set_aside(&self.plan.replay, input) {
            return decided.excluded(&reason);
        }
        let draw = self.sampling.draw(input);
        decided.row.stratum = draw.stratum;
        decided.row.sample_weight = draw.weight;
        let Some(sample_weight) = draw.weight else { return decided.excluded("not_sampled") };
        let Some(model) = arm.models.target(&input.request_model) else {
            return decided.excluded("no_target_model");
        };
        decided.row.target_model = Some(model.to_owned());
        let wire = match prepare(arm, self.prices, model, input) {
            Ok(wire) => wire,
            Err(NotSendable { reason, losses }) => {
                decided.row.losses = losses;
                return decided.excluded(reason);
            }
        };
        decided.row.losses = losses_json(&wire.losses);
        decided.row.hosted_tools = let_through(arm, self.prices, model, input, &wire.losses);
        match self.item(arm, model, &wire, &mut decided.row) {
            Ok(Some((worst_case_nanousd, token_bound))) => {
                let mut item = Item {
                    arm: u16::try_from(arm_index).unwrap_or(u16::MAX),
                    ordinal: input.ordinal,
                    captured_at: input.captured_at,
                    session: None,
                    worst_case_nanousd,
                    expected_nanousd: worst_case_nanousd,
                    low_nanousd: worst_case_nanousd,
                    token_bound,
                    sample_weight,
                };
                let recorded = Recorded::of(input);
                decided.row.usage_recorded = Some(recorded.is_complete());
                if recorded.is_complete() {
                    self.expect(&mut item, &mut decided.row, &recorded, &Typical::default());
                }
                decided.item = Some(item);
                decided
            }
            Ok(None) => decided.excluded("no_output_cap"),
            Err(failure) => {
                let key = (arm.name.clone(), model.to_owned());
                decided.unpriced = Some((key, failure.to_string()));
                decided
            }
        }
    }

    /// Worst case in nano-dollars and in tokens, put into the row as well; nothing without a cap.
    fn item(
        &self,
        arm: &Arm,
        model: &str,
        wire: &WireRequest,
        row: &mut PlannedRow,
    ) -> Result<Option<(i64, u64)>, PriceError> {
        let price = self.prices.arm(&arm.name, model)?;
        let known = self.prices.catalogue_entry(&arm.name, model);
        let known_maximum = known.and_then(|price| price.max_output_tokens);
        let Some(cap) = wire.output_cap.or(known_maximum) else { return Ok(None) };
        let output_bound = cap.saturating_mul(wire.choices.max(1));
        let input_bound = input_bound(wire);
        let worst_case = price.worst_case(input_bound, output_bound)?.0;
        row.output_cap = i64::try_from(cap).ok();
        row.input_bound = i64::try_from(input_bound).ok();
        row.output_bound = i64::try_from(output_bound).ok();
        row.worst_case_nanousd = Some(worst_case);
        Ok(Some((worst_case, input_bound.saturating_add(output_bound))))
    }

    /// Puts what can be expected into an item and its row.
    fn expect(
        &self,
        item: &mut Item,
        row: &mut PlannedRow,
        recorded: &Recorded,
        typical: &Typical,
    ) {
        let model = row.target_model.as_deref().unwrap_or_default();
        let Ok(price) = self.prices.arm(&row.arm, model) else { return };
        let bound = |tokens: Option<i64>| tokens.map_or(u64::MAX, i64::unsigned_abs);
        let bounds = Bounds {
            input: bound(row.input_bound),
            output: bound(row.output_bound),
            cost_nanousd: item.worst_case_nanousd,
        };
        let found = estimate(recorded, typical, price, bounds);
        item.expected_nanousd = found.cost_nanousd;
        item.low_nanousd = found.low_nanousd;
        row.expected_input_tokens = i64::try_from(found.input_tokens).ok();
        row.expected_output_tokens = i64::try_from(found.output_tokens).ok();
        row.expected_cost_nanousd = Some(found.cost_nanousd);
        row.low_cost_nanousd = Some(found.low_nanousd);
    }
}

/// Why an exchange is not replayed whatever the arm and the sample, if it is not.
pub(super) fn set_aside(replay: &ReplaySettings, input: &ReplayInput) -> Option<String> {
    if !input.replayable {
        let reason = input.not_replayable_reason.as_deref().unwrap_or("not_replayable");
        return Some(reason.to_owned());
    }
    let reason = input.latency_baseline_reason.as_deref()?;
    let is_included = replay.include.iter().any(|included| included == reason);
    (NOT_TRAFFIC.contains(&reason) && !is_included).then(|| reason.to_owned())
}

/// Why an exchange cannot be sent to an arm.
struct NotSendable {
    reason: &'static str,
    losses: Option<String>,
}

fn prepare(
    arm: &Arm,
    prices: &PriceBook,
    model: &str,
    input: &ReplayInput,
) -> Result<WireRequest, NotSendable> {
    let without_losses = |reason| NotSendable { reason, losses: None };
    let dialect = input
        .dialect
        .as_deref()
        .and_then(|name| name.parse::<Dialect>().ok())
        .ok_or_else(|| without_losses("unsupported_dialect"))?;
    let body = input.request_body.as_deref().ok_or_else(|| without_losses("no_request_content"))?;
    wire_request(arm, prices, model, dialect, body).map_err(|failure| match failure {
        PrepareError::Malformed { .. } => without_losses("malformed_body"),
        PrepareError::Untranslatable { losses } => {
            NotSendable { reason: "untranslatable", losses: losses_json(&losses) }
        }
    })
}

/// The request that an arm is sent for a captured body.
///
/// # Errors
/// A body that is no request of its dialect, or that has no counterpart at the target.
pub(super) fn wire_request(
    arm: &Arm,
    prices: &PriceBook,
    model: &str,
    dialect: Dialect,
    body: &str,
) -> Result<WireRequest, PrepareError> {
    provider::prepare(body, dialect, &target(arm, prices, model))
}

fn target<'a>(arm: &'a Arm, prices: &PriceBook, model: &'a str) -> Target<'a> {
    let known = prices.catalogue_entry(&arm.name, model);
    Target {
        max_output_tokens: arm.max_output_tokens,
        model_max_output_tokens: known.and_then(|price| price.max_output_tokens),
        anthropic_version: &arm.anthropic_version,
        supports_sampling: known.is_none_or(|price| price.supports_sampling_params),
        allow_hosted_tools: &arm.allow_hosted_tools,
        allow_store: arm.allow_store,
        ..Target::new(arm.protocol, model)
    }
}

/// The hosted tools and server-side state of a request that the plan lets through: what would be
/// stripped if the plan allowed nothing, and is not.
fn let_through(
    arm: &Arm,
    prices: &PriceBook,
    model: &str,
    input: &ReplayInput,
    losses: &[Loss],
) -> Vec<String> {
    if arm.allow_hosted_tools.is_empty() && !arm.allow_store {
        return Vec::new();
    }
    let strict =
        Target { allow_hosted_tools: &[], allow_store: false, ..target(arm, prices, model) };
    let dialect = input.dialect.as_deref().and_then(|name| name.parse::<Dialect>().ok());
    let (Some(dialect), Some(body)) = (dialect, input.request_body.as_deref()) else {
        return Vec::new();
    };
    let stripped = match provider::prepare(body, dialect, &strict) {
        Ok(wire) => wire.losses,
        Err(PrepareError::Untranslatable { losses }) => losses,
        Err(PrepareError::Malformed { .. }) => return Vec::new(),
    };
    let is_kept = |loss: &&Loss| {
        loss.action == LossAction::Stripped
            && !losses.iter().any(|other| other.feature == loss.feature && other.path == loss.path)
    };
    let name = |loss: &Loss| if loss.detail.is_empty() { &loss.path } else { &loss.detail }.clone();
    // The choice among the tools goes with them and is none itself.
    let is_choice =
        |loss: &&Loss| matches!(loss.path.as_str(), "tool_choice" | "parallel_tool_calls");
    let names = stripped.iter().filter(is_kept).filter(|loss| !is_choice(loss)).map(name);
    names.collect::<BTreeSet<String>>().into_iter().collect()
}

/// Upper bound of a request's input tokens: no tokenizer makes more tokens than bytes.
fn input_bound(wire: &WireRequest) -> u64 {
    let images = u64::try_from(wire.image_count).unwrap_or(u64::MAX);
    let bytes = u64::try_from(wire.body.len()).unwrap_or(u64::MAX);
    bytes.saturating_add(images.saturating_mul(TOKENS_PER_IMAGE))
}

/// Losses as the JSON array that stands in tables.
pub(super) fn losses_json(losses: &[Loss]) -> Option<String> {
    if losses.is_empty() {
        return None;
    }
    let rows: Vec<serde_json::Value> = losses
        .iter()
        .map(|loss| {
            serde_json::json!({
                "path": loss.path,
                "feature": loss.feature.as_str(),
                "action": loss.action.as_str(),
                "severity": loss.severity.as_str(),
                "detail": loss.detail,
            })
        })
        .collect();
    serde_json::to_string(&rows).ok()
}
