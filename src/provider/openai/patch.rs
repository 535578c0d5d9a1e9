//! Changes to a body that is captured and replayed as OpenAI Chat Completions.

use crate::provider::adapter::{Patched, Target};
use crate::provider::loss::{LossFeature, Losses};
use crate::provider::patch;
use crate::provider::raw::{Edit, RawObject};

/// Makes the changes and says what the sender must know.
pub(super) fn patch(edit: &mut Edit<'_>, target: &Target<'_>, losses: &mut Losses) -> Patched {
    patch::set_model(edit, target);
    patch::strip_state(edit, target, losses);
    patch::strip_hosted_tools(edit, &["function", "custom"], target, losses);
    if !target.supports_sampling {
        patch::drop_sampling(edit, &["temperature", "top_p"], losses);
    }
    let stream = edit.object().is_true("stream");
    if stream {
        include_usage(edit, losses);
    }
    let output_cap = output_cap(edit.object()).or_else(|| add_cap(edit, target, losses));
    Patched {
        stream,
        output_cap,
        choices: edit.object().count("n").unwrap_or(1).max(1),
        image_count: patch::image_count(edit.object(), &["image_url"]),
    }
}

/// The member in which a model takes its cap: reasoning models refuse the older name, and many
/// servers of other makers do not know the newer one.
pub(super) fn cap_member(model: &str) -> &'static str {
    if is_reasoning_model(model) { "max_completion_tokens" } else { "max_tokens" }
}

/// Whether a name is one of OpenAI's reasoning models: `o1`, `o3-mini`, `gpt-5`, `openai/gpt-5.1`…
pub(super) fn is_reasoning_model(model: &str) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    let generation = |rest: &str| -> Option<u32> {
        let digits = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..digits)?.parse().ok()
    };
    match (name.strip_prefix("gpt-"), name.strip_prefix('o')) {
        (Some(rest), _) => generation(rest).is_some_and(|generation| generation >= 5),
        (_, Some(rest)) => generation(rest).is_some(),
        _ => false,
    }
}

/// The greater of the two caps, because servers differ in which of them they follow.
fn output_cap(object: &RawObject<'_>) -> Option<u64> {
    object.count("max_completion_tokens").max(object.count("max_tokens"))
}

fn add_cap(edit: &mut Edit<'_>, target: &Target<'_>, losses: &mut Losses) -> Option<u64> {
    let unreadable = |name| edit.object().present(name).is_some();
    if unreadable("max_tokens") || unreadable("max_completion_tokens") {
        return None;
    }
    let cap = target.max_output_tokens?;
    let member = cap_member(target.model);
    edit.set(member, cap.to_string());
    losses.book(LossFeature::OutputCapAdded, member, format!("the plan's {cap} tokens"));
    Some(cap)
}

fn include_usage(edit: &mut Edit<'_>, losses: &mut Losses) {
    let options = edit.object().present("stream_options").and_then(RawObject::of_checked);
    let options = match options {
        Some(options) if options.is_true("include_usage") => return,
        Some(options) => {
            let mut inner = Edit::new(options);
            inner.set("include_usage", "true".into());
            inner.finish()
        }
        None => r#"{"include_usage":true}"#.to_owned(),
    };
    edit.set("stream_options", options);
    losses.book(LossFeature::IncludeUsageAdded, "stream_options.include_usage", "");
}
