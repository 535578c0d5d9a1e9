//! How alike two answers are: as texts, as JSON values, as tool calls.
//!
//! Pure functions of strings; each says what it ignores. Similarities run from 0 to 1, where 1
//! means alike; the disagreement of two answers is one minus it.

mod edit;
mod json;
mod name;
mod refusal;
mod text;
mod token;
mod tool_call;

pub use edit::{EDIT_LIMIT_CHARS, edit_distance, edit_similarity};
pub use json::{json_equal, parses};
pub use name::closest_name;
pub use refusal::reads_like_refusal;
pub use text::{Case, exact_equal, normalise, normalised_equal};
pub use token::{LcsOverlap, lcs_f1, token_exact, token_f1};
pub use tool_call::{ToolCallView, same_tool_sequence, tool_calls_equal, tool_calls_json_equal};
