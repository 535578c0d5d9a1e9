//! What is to be sent: every captured exchange, in every arm, with its worst-case cost.

use std::collections::BTreeMap;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::ReplayError;
use crate::dataset::{CaptureStore, PlannedRow, ReplayInput};
use crate::plan::{Arm, Plan, PriceBook};
use crate::provider::{self, Dialect, Loss, PrepareError, Target, WireRequest};

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
    /// Most that one attempt can cost.
    pub worst_case_nanousd: i64,
    /// Most tokens that one attempt can take, input and output.
    pub token_bound: u64,
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
/// A capture that cannot be read, or a model without a price.
pub fn plan_items(
    plan: &Plan,
    prices: &PriceBook,
    capture: &CaptureStore,
) -> Result<Planned, ReplayError> {
    let arms: Vec<&Arm> = plan.arms().collect();
    let mut planned = Planned::default();
    for block in capture.blocks() {
        let inputs = capture.read(block)?;
        let decided: Vec<Vec<Decided>> = inputs
            .par_iter()
            .map(|input| {
                arms.iter()
                    .enumerate()
                    .map(|(index, arm)| decide(plan, prices, arm, index, input))
                    .collect()
            })
            .collect();
        for decided in decided.into_iter().flatten() {
            if let Some((key, message)) = decided.unpriced {
                planned.unpriced.entry(key).or_insert(message);
            }
            planned.items.extend(decided.item);
            planned.rows.push(decided.row);
        }
    }
    Ok(planned)
}

struct Decided {
    row: PlannedRow,
    item: Option<Item>,
    unpriced: Option<((String, String), String)>,
}

fn decide(
    plan: &Plan,
    prices: &PriceBook,
    arm: &Arm,
    arm_index: usize,
    input: &ReplayInput,
) -> Decided {
    let row = PlannedRow {
        arm: arm.name.clone(),
        ordinal: input.ordinal,
        request_id: input.request_id.clone(),
        ..PlannedRow::default()
    };
    let mut decided = Decided { row, item: None, unpriced: None };
    if let Some(reason) = not_wanted(plan, input) {
        decided.row.excluded_reason = Some(reason);
        return decided;
    }
    let Some(model) = arm.models.target(&input.request_model) else {
        decided.row.excluded_reason = Some("no_target_model".to_owned());
        return decided;
    };
    decided.row.target_model = Some(model.to_owned());
    let wire = match prepare(arm, prices, model, input) {
        Ok(wire) => wire,
        Err(NotSendable { reason, losses }) => {
            decided.row.excluded_reason = Some(reason.to_owned());
            decided.row.losses = losses;
            return decided;
        }
    };
    decided.row.losses = losses_json(&wire.losses);
    let price = match prices.arm(&arm.name, model) {
        Ok(price) => price,
        Err(failure) => {
            let key = (arm.name.clone(), model.to_owned());
            decided.unpriced = Some((key, failure.to_string()));
            return decided;
        }
    };
    let known_maximum = prices.catalogue_entry(&arm.name, model).and_then(|p| p.max_output_tokens);
    let Some(cap) = wire.output_cap.or(known_maximum) else {
        decided.row.excluded_reason = Some("no_output_cap".to_owned());
        return decided;
    };
    let output_bound = cap.saturating_mul(wire.choices.max(1));
    let input_bound = input_bound(&wire);
    let worst_case = match price.worst_case(input_bound, output_bound) {
        Ok(amount) => amount.0,
        Err(failure) => {
            let key = (arm.name.clone(), model.to_owned());
            decided.unpriced = Some((key, failure.to_string()));
            return decided;
        }
    };
    decided.row.output_cap = i64::try_from(cap).ok();
    decided.row.input_bound = i64::try_from(input_bound).ok();
    decided.row.worst_case_nanousd = Some(worst_case);
    decided.item = Some(Item {
        arm: u16::try_from(arm_index).unwrap_or(u16::MAX),
        ordinal: input.ordinal,
        captured_at: input.captured_at,
        worst_case_nanousd: worst_case,
        token_bound: input_bound.saturating_add(output_bound),
    });
    decided
}

fn not_wanted(plan: &Plan, input: &ReplayInput) -> Option<String> {
    if !input.replayable {
        let reason = input.not_replayable_reason.as_deref().unwrap_or("not_replayable");
        return Some(reason.to_owned());
    }
    if let Some(reason) = input.latency_baseline_reason.as_deref()
        && NOT_TRAFFIC.contains(&reason)
        && !plan.replay.include.iter().any(|included| included == reason)
    {
        return Some(reason.to_owned());
    }
    let sampled = in_sample(plan.replay.seed, plan.replay.sample, input);
    (!sampled).then(|| "not_sampled".to_owned())
}

/// Whole sessions are in or out, by a hash, so that a larger sample contains a smaller one.
fn in_sample(seed: u64, share: f64, input: &ReplayInput) -> bool {
    if share >= 1.0 {
        return true;
    }
    let unit = input.session_id.as_deref().unwrap_or(&input.request_id);
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(unit);
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_le_bytes(first) as f64) < share * (u64::MAX as f64)
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
    let known = prices.catalogue_entry(&arm.name, model);
    let target = Target {
        max_output_tokens: arm.max_output_tokens,
        model_max_output_tokens: known.and_then(|price| price.max_output_tokens),
        anthropic_version: &arm.anthropic_version,
        supports_sampling: known.is_none_or(|price| price.supports_sampling_params),
        allow_hosted_tools: &arm.allow_hosted_tools,
        allow_store: arm.allow_store,
        ..Target::new(arm.protocol, model)
    };
    provider::prepare(body, dialect, &target)
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
