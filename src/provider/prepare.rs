//! A captured body made ready for a target.

use serde_json::Value;

use crate::chat::Part;

use super::adapter::{Adapter, Encoded, ParseError, Parsed, Target, WireRequest, adapter};
use super::dialect::Dialect;
use super::loss::{Loss, LossSeverity, Losses};
use super::raw::{Edit, RawError, RawObject};
use super::read;

/// Why a captured body cannot be sent to a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// It is not a request of its dialect.
    #[error("the captured body cannot be read: {reason}")]
    Malformed {
        /// What is wrong and where, without content.
        reason: String,
    },
    /// It has no counterpart in the target's protocol.
    #[error("the request has no counterpart at the target: {}", features(losses))]
    Untranslatable {
        /// Every loss of the attempt, the untranslatable ones among them.
        losses: Vec<Loss>,
    },
}

impl From<RawError> for PrepareError {
    fn from(error: RawError) -> Self {
        PrepareError::Malformed { reason: error.to_string() }
    }
}

impl From<ParseError> for PrepareError {
    fn from(error: ParseError) -> Self {
        PrepareError::Malformed { reason: error.to_string() }
    }
}

fn features(losses: &[Loss]) -> String {
    let refused = losses.iter().filter(|loss| loss.severity == LossSeverity::Untranslatable);
    let names: Vec<String> =
        refused.map(|loss| format!("{} at {}", loss.feature, loss.path)).collect();
    names.join(", ")
}

/// Makes a captured body ready for a target.
///
/// In the target's own dialect the body stays byte for byte as it was but for the model and the
/// changes that are booked as losses. In another dialect it is translated.
pub fn prepare(
    captured_body: &str,
    dialect: impl Into<Dialect>,
    target: &Target<'_>,
) -> Result<WireRequest, PrepareError> {
    let object = RawObject::parse(captured_body)?;
    let dialect = dialect.into();
    let to = adapter(target.protocol);
    if dialect.protocol() == Some(target.protocol) {
        return Ok(edit(to, object, target));
    }
    let body: Value = serde_json::from_str(captured_body).map_err(|error| {
        let reason = format!("not JSON that can be translated (line {})", error.line());
        PrepareError::Malformed { reason }
    })?;
    translate(to, read::request(dialect, &body)?, target)
}

fn edit(to: &dyn Adapter, object: RawObject<'_>, target: &Target<'_>) -> WireRequest {
    let mut losses = Losses::default();
    let mut edit = Edit::new(object);
    let patched = to.patch(&mut edit, target, &mut losses);
    WireRequest {
        path: target.protocol.path(),
        headers: to.headers(target),
        body: edit.finish().into_bytes(),
        losses: losses.into_vec(),
        stream: patched.stream,
        output_cap: patched.output_cap,
        choices: patched.choices,
        image_count: patched.image_count,
    }
}

fn translate(
    to: &dyn Adapter,
    mut parsed: Parsed,
    target: &Target<'_>,
) -> Result<WireRequest, PrepareError> {
    let mut losses = std::mem::take(&mut parsed.losses);
    let Encoded { body, output_cap } = to.encode(&parsed, target, &mut losses);
    if losses.is_untranslatable() {
        return Err(PrepareError::Untranslatable { losses: losses.into_vec() });
    }
    let parts = parsed.request.messages.iter().flat_map(|message| &message.parts);
    Ok(WireRequest {
        path: target.protocol.path(),
        headers: to.headers(target),
        body: Value::Object(body).to_string().into_bytes(),
        losses: losses.into_vec(),
        stream: parsed.request.stream,
        output_cap,
        choices: parsed.request.choices.unwrap_or(1).max(1),
        image_count: parts.map(images).sum(),
    })
}

fn images(part: &Part) -> usize {
    match part {
        Part::Image { .. } => 1,
        Part::ToolResult { content, .. } => content.iter().map(images).sum(),
        _ => 0,
    }
}
