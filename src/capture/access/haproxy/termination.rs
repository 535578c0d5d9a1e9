//! How a session ended, by HAProxy's termination state.

use serde_json::Value;

use super::super::super::failure::Failure;
use super::super::call::Outcome;
use super::super::lookup::{known_number, known_text};

/// The outcome of a record, by its status and its termination state.
///
/// The first letter says who ended the session (`-` nobody, `C`/`c` the client, `S`/`s` the server,
/// the rest HAProxy itself), in small letters by a timeout; the second says when (`D` and `L` while
/// the answer was sent).
pub(super) fn outcome(record: &Value) -> Outcome {
    let state = known_text(record, &["term_state", "termination_state", "tsc", "ts"]);
    let state = state.unwrap_or_default();
    let mut letters = state.chars();
    let (who, when) = (letters.next().unwrap_or('-'), letters.next().unwrap_or('-'));
    let status = known_number(record, &["status", "status_code", "ST"]).map(|status| status as i32);
    let client_left = matches!(who, 'C' | 'c');
    let is_cut = !client_left && who != '-' && matches!(when, 'D' | 'L');
    let no_server = known_text(record, &["server"]).is_some_and(|server| server == "<NOSRV>");
    let is_failed = status.is_none_or(|status| !(200..400).contains(&status));
    let ended = is_failed && who != '-';
    let message = ended.then(|| format!("ended by HAProxy's termination state {who}{when}"));
    Outcome {
        status,
        failure: Failure { message, ..Failure::default() },
        is_cut,
        client_left,
        by_gateway: matches!(who, 'P' | 'L' | 'R' | 'I') || (no_server && is_failed),
        ..Outcome::default()
    }
}
