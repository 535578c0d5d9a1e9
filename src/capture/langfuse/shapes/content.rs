//! What tracing tools and gateways take out of content, and how they say so.

use crate::capture::body::{set_replayable, set_state};
use crate::capture::reason::NotReplayable;
use crate::dataset::{CapturedExchange, ContentState};

/// Stand-ins for pictures, sound and files.
///
/// Langfuse keeps media apart and leaves a reference (`langfuse/media`); Helicone stores pictures
/// as assets.
const MEDIA: &[&str] = &["@@@langfuseMedia:", "<helicone-asset-id"];
/// What Langfuse's clients put in place of content that they could not mask.
const MASKED: &[&str] = &["<fully masked due to failed mask function>"];
/// What Langfuse's clients put in place of content that is too large for one event.
const CUT: &[&str] = &["<truncated due to size exceeding limit>"];

/// Marks a row whose request is not what was sent because something was taken out of it.
pub(in crate::capture) fn mark_elided(row: &mut CapturedExchange) {
    let Some(body) = row.request_body.as_deref() else { return };
    let has = |marks: &[&str]| marks.iter().any(|mark| body.contains(mark));
    let (state, reason) = if has(MASKED) {
        (ContentState::Redacted, NotReplayable::Redacted)
    } else if has(CUT) {
        (ContentState::Truncated, NotReplayable::Truncated)
    } else if has(MEDIA) {
        (ContentState::Redacted, NotReplayable::MediaElided)
    } else {
        return;
    };
    set_state(row, state);
    set_replayable(row, Some(reason));
}
