//! How alike two answers are: as texts, as JSON values, as tool calls.
//!
//! Pure functions of strings; each says what it ignores. Similarities run from 0 to 1, where 1
//! means alike; the disagreement of two answers is one minus it.

mod chrf;
mod cosine;
mod edit;
mod interner;
mod json;
mod json_diff;
mod language;
mod lcs;
mod length;
mod levenshtein;
mod name;
mod refusal;
mod rouge;
mod text;
mod token;
mod tool_call;
mod tool_diff;

pub use chrf::{chrf, chrf_plus_plus};
pub use cosine::cosine;
pub use edit::{EDIT_LIMIT_CHARS, edit_distance, edit_similarity};
pub use json::{json_equal, parses};
pub use json_diff::{DifferenceKind, JsonDiff, JsonDiffOptions, JsonDifference, json_diff};
pub use language::language;
pub use length::length_ratio;
pub use name::closest_name;
pub use refusal::{Refusal, reads_like_refusal, refusal};
pub use rouge::{LcsOverlap, RougeL, lcs_f1, rouge_l, word_lcs_f1};
pub use text::{Case, exact_equal, normalise, normalised_equal};
pub use token::{token_exact, token_f1};
pub use tool_call::{
    ToolCallView, same_tool_sequence, tool_calls_equal, tool_calls_json_equal,
    tool_sequence_json_equal,
};
pub use tool_diff::{ToolDifference, ToolDifferenceKind, tool_calls_diff};
