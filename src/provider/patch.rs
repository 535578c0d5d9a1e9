//! Changes to a body whose dialect is the target's own: the same for every protocol.

use super::adapter::Target;
use super::loss::{LossFeature, LossSeverity, Losses};
use super::raw::{Edit, RawObject, elements, retain};

/// Members by which a request acts on, or depends on, more than its own answer.
const STATE_MEMBERS: &[(&str, LossFeature)] = &[
    ("previous_response_id", LossFeature::ServerStateStripped),
    ("conversation", LossFeature::ServerStateStripped),
    ("background", LossFeature::ServerStateStripped),
    ("webhook", LossFeature::ServerStateStripped),
    ("webhook_url", LossFeature::ServerStateStripped),
    ("container", LossFeature::ServerStateStripped),
    ("web_search_options", LossFeature::HostedToolStripped),
    ("mcp_servers", LossFeature::HostedToolStripped),
];

/// The feature under which a state member is stripped, if `name` is one.
pub(super) fn state_feature(name: &str) -> Option<LossFeature> {
    STATE_MEMBERS.iter().find(|(member, _)| *member == name).map(|(_, feature)| *feature)
}

/// Puts the target's model in; an equal name keeps its spelling.
pub(super) fn set_model(edit: &mut Edit<'_>, target: &Target<'_>) {
    if edit.object().text("model").as_deref() != Some(target.model) {
        edit.set("model", serde_json::Value::from(target.model).to_string());
    }
}

/// Takes out what would act on the provider's side, unless the plan allows it.
pub(super) fn strip_state(edit: &mut Edit<'_>, target: &Target<'_>, losses: &mut Losses) {
    let harmless = |value: &str| value == "false";
    if let Some(value) = edit.object().present("store")
        && !target.allow_store
        && !harmless(value)
    {
        edit.remove("store");
        losses.book(LossFeature::StoreStripped, "store", "");
    }
    for (name, feature) in STATE_MEMBERS {
        let present = edit.object().present(name).is_some_and(|value| !harmless(value));
        if present && !target.allows(name) {
            edit.remove(name);
            losses.book(*feature, *name, "");
        }
    }
}

/// Takes out the tools that the provider itself runs, and a choice that names one of them.
///
/// `own` lists the values of a tool's `type` that stand for the caller's own tools.
pub(super) fn strip_hosted_tools(
    edit: &mut Edit<'_>,
    own: &[&str],
    target: &Target<'_>,
    losses: &mut Losses,
) {
    let Some(list) = edit.object().present("tools") else { return };
    let tools = elements(list);
    let mut kept = Vec::with_capacity(tools.len());
    let mut stripped = Vec::new();
    for (index, tool) in tools.iter().enumerate() {
        let object = RawObject::of_checked(tool);
        let member = |name| object.as_ref().and_then(|object| object.text(name));
        let (kind, name) = (member("type"), member("name"));
        let is_hosted = kind.as_deref().is_some_and(|kind| !own.contains(&kind));
        let names = [kind, name].into_iter().flatten();
        if is_hosted && !names.clone().any(|name| target.allows(&name)) {
            let kind = names.clone().next().unwrap_or_default();
            losses.book(LossFeature::HostedToolStripped, format!("tools[{index}]"), kind);
            stripped.extend(names);
            kept.push(false);
        } else {
            kept.push(true);
        }
    }
    if stripped.is_empty() {
        return;
    }
    let choice = edit.object().present("tool_choice");
    if kept.contains(&true) {
        edit.set("tools", retain(list, |index| kept.get(index) == Some(&true)));
        let choice = choice.and_then(RawObject::of_checked);
        let chosen = |name| choice.as_ref().and_then(|choice| choice.text(name));
        if [chosen("type"), chosen("name")].iter().flatten().any(|name| stripped.contains(name)) {
            edit.remove("tool_choice");
            losses.book(LossFeature::HostedToolStripped, "tool_choice", "");
        }
    } else {
        // Providers refuse an empty list, and a choice among no tools.
        edit.remove("tools");
        for name in ["tool_choice", "parallel_tool_calls"] {
            if edit.object().present(name).is_some() {
                edit.remove(name);
                losses.book(LossFeature::HostedToolStripped, name, "");
            }
        }
    }
}

/// Takes out sampling parameters, for a target that refuses them.
pub(super) fn drop_sampling(edit: &mut Edit<'_>, names: &[&'static str], losses: &mut Losses) {
    for name in names {
        if let Some(value) = edit.object().present(name) {
            let value = value.parse().unwrap_or(f64::NAN);
            edit.remove(name);
            losses.book_as(sampling_severity(value), LossFeature::SamplingDropped, *name, "");
        }
    }
}

/// What the loss of a temperature or top-p weighs; both default to 1 everywhere.
pub(super) fn sampling_severity(value: f64) -> LossSeverity {
    if (value - 1.0).abs() < f64::EPSILON { LossSeverity::Benign } else { LossSeverity::Lossy }
}

/// Pictures in the messages of a body: parts of one of these `kinds`, in tool results too.
pub(super) fn image_count(object: &RawObject<'_>, kinds: &[&str]) -> usize {
    fn in_content(message: &RawObject<'_>, kinds: &[&str], depth: usize) -> usize {
        let parts = message.get("content").map(elements).unwrap_or_default();
        let parts = parts.into_iter().filter_map(RawObject::of_checked);
        parts
            .map(|part| {
                let is_image = part.text("type").is_some_and(|kind| kinds.contains(&&*kind));
                let nested = if depth > 0 { in_content(&part, kinds, depth - 1) } else { 0 };
                usize::from(is_image) + nested
            })
            .sum()
    }
    let messages = object.get("messages").map(elements).unwrap_or_default();
    let messages = messages.into_iter().filter_map(RawObject::of_checked);
    messages.map(|message| in_content(&message, kinds, 1)).sum()
}
