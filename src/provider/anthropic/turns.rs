//! The order that Anthropic requires of a conversation: turns, tool results, the last word.

use serde_json::{Value, json};

use crate::provider::adapter::Target;
use crate::provider::loss::{LossFeature, Losses};

/// What stands in for a user who has not spoken first.
const PLACEHOLDER: &str = ".";

/// A turn under construction.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) role: &'static str,
    pub(super) path: String,
    pub(super) blocks: Vec<Value>,
    /// How many of the first blocks are tool results.
    pub(super) result_count: usize,
    /// Identifiers and paths of the tool calls that the turn makes.
    pub(super) calls: Vec<(String, String)>,
    /// Identifiers and paths of the tool results that the turn brings.
    pub(super) results: Vec<(String, String)>,
}

impl Turn {
    pub(super) fn new(role: &'static str, path: &str) -> Self {
        Turn { role, path: path.to_owned(), ..Turn::default() }
    }
}

/// Puts the turns into an order that the API accepts, or books why there is none.
pub(super) fn settle(mut turns: Vec<Turn>, target: &Target<'_>, losses: &mut Losses) -> Vec<Value> {
    check_results(&turns, losses);
    settle_last(&mut turns, target, losses);
    if turns.first().is_none_or(|turn| turn.role != "user") {
        losses.book(LossFeature::FirstUserAdded, "messages", "");
        let mut first = Turn::new("user", "messages");
        first.blocks.push(json!({"type": "text", "text": PLACEHOLDER}));
        turns.insert(0, first);
    }
    turns.into_iter().map(|turn| json!({"role": turn.role, "content": turn.blocks})).collect()
}

/// Every call must be answered in the turn right after it, and every result must answer one.
fn check_results(turns: &[Turn], losses: &mut Losses) {
    let nothing = Turn::default();
    let befores = std::iter::once(&nothing).chain(turns);
    let turns = turns.iter().chain(std::iter::once(&nothing));
    for (before, turn) in befores.zip(turns) {
        for (id, path) in &before.calls {
            if !turn.results.iter().any(|(result, _)| result == id) {
                losses.book(LossFeature::ToolResultMissing, path.clone(), "");
            }
        }
        for (id, path) in &turn.results {
            if !before.calls.iter().any(|(call, _)| call == id) {
                losses.book(LossFeature::ToolResultOrphaned, path.clone(), "");
            }
        }
    }
}

/// A conversation that ends with the assistant is an answer to be continued.
fn settle_last(turns: &mut [Turn], target: &Target<'_>, losses: &mut Losses) {
    let Some(last) = turns.last_mut().filter(|turn| turn.role == "assistant") else { return };
    if !last.calls.is_empty() {
        return;
    }
    if !target.model_traits.assistant_prefill {
        losses.book(LossFeature::PrefillUnsupported, last.path.clone(), "");
        return;
    }
    if let Some(Value::String(text)) =
        last.blocks.last_mut().and_then(|block| block.get_mut("text"))
    {
        let kept = text.trim_end().len();
        if kept < text.len() {
            text.truncate(kept);
            losses.book(LossFeature::PrefillTrimmed, last.path.clone(), "");
        }
    }
}
