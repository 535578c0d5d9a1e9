//! Changes to a body that is captured and replayed as Anthropic Messages.

use crate::provider::adapter::{Patched, Target};
use crate::provider::loss::{LossFeature, Losses};
use crate::provider::patch;
use crate::provider::raw::Edit;

use super::takes_sampling;

/// Makes the changes and says what the sender must know.
pub(super) fn patch(edit: &mut Edit<'_>, target: &Target<'_>, losses: &mut Losses) -> Patched {
    patch::set_model(edit, target);
    patch::strip_state(edit, target, losses);
    patch::strip_hosted_tools(edit, &["custom"], target, losses);
    if !takes_sampling(target) {
        patch::drop_sampling(edit, &["temperature", "top_p", "top_k"], losses);
    }
    // Vertex and Bedrock take the version in the body; the API itself refuses it there.
    if edit.object().get("anthropic_version").is_some() {
        edit.remove("anthropic_version");
        losses.book(LossFeature::ApiVersionMoved, "anthropic_version", "");
    }
    let output_cap = edit.object().count("max_tokens").or_else(|| {
        let cap = target.max_output_tokens?;
        if edit.object().present("max_tokens").is_some() {
            return None;
        }
        edit.set("max_tokens", cap.to_string());
        let detail = format!("the plan's {cap} tokens");
        losses.book(LossFeature::OutputCapAdded, "max_tokens", detail);
        Some(cap)
    });
    Patched {
        stream: edit.object().is_true("stream"),
        output_cap,
        choices: 1,
        image_count: patch::image_count(edit.object(), &["image"]),
    }
}
