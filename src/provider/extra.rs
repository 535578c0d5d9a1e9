//! Parameters that have no neutral field, on their way to another protocol.

use serde_json::Value;

use super::loss::{LossFeature, LossSeverity, Losses};
use super::patch::state_feature;

/// Members that cannot change an answer's content.
const LABELS: &[&str] = &[
    "metadata",
    "stream_options",
    "modalities",
    // Which of the answer's members shall be stated.
    "include",
    "additionalModelResponseFieldPaths",
    // What Gemini and Bedrock call metadata.
    "labels",
    "requestMetadata",
];

/// Books a parameter that the target's protocol cannot be given.
///
/// A wish for token counts is no loss: every protocol without such a switch states them always.
pub(super) fn book(name: &str, value: &Value, losses: &mut Losses) {
    if name == "stream_options" && asks_for_usage_alone(value) {
        return;
    }
    let (feature, severity) = weigh(name, value);
    losses.book_as(severity, feature, name, "");
}

fn weigh(name: &str, value: &Value) -> (LossFeature, LossSeverity) {
    let is_off = matches!(value, Value::Bool(false));
    if let Some(feature) = state_feature(name) {
        let severity = if is_off { LossSeverity::Benign } else { feature.severity() };
        return (feature, severity);
    }
    let feature = match name {
        "store" => LossFeature::StoreStripped,
        "anthropic_version" => LossFeature::ApiVersionMoved,
        "logit_bias" => LossFeature::LogitBiasDropped,
        "logprobs" | "top_logprobs" => LossFeature::LogprobsDropped,
        "seed" => LossFeature::SeedDropped,
        "top_k" | "min_p" => LossFeature::SamplingDropped,
        "repetition_penalty" => LossFeature::PenaltyDropped,
        "audio" => LossFeature::AudioUnsupported,
        "modalities" if asks_for_audio(value) => LossFeature::AudioUnsupported,
        "prompt_cache_key" | "prompt_cache_options" | "prompt_cache_retention" => {
            LossFeature::CacheControlDropped
        }
        "safety_identifier" => LossFeature::UserDropped,
        "service_tier" | "serviceTier" => LossFeature::ServiceTierChanged,
        "thinking" => LossFeature::ReasoningEffortDropped,
        _ => LossFeature::ParameterDropped,
    };
    // What only labels a request, or asks for what is the case anyway, cannot change an answer.
    let is_label = LABELS.contains(&name);
    let benign = is_off || (is_label && feature == LossFeature::ParameterDropped);
    (feature, if benign { LossSeverity::Benign } else { feature.severity() })
}

fn asks_for_usage_alone(options: &Value) -> bool {
    options.as_object().is_some_and(|options| options.keys().all(|name| name == "include_usage"))
}

fn asks_for_audio(modalities: &Value) -> bool {
    modalities.as_array().is_some_and(|list| list.iter().any(|item| item == "audio"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_value_decides_what_a_parameter_weighs() {
        let modalities = |value| weigh("modalities", &value).1;
        assert_eq!(modalities(json!(["text"])), LossSeverity::Benign);
        assert_eq!(modalities(json!(["text", "audio"])), LossSeverity::Untranslatable);
        assert_eq!(weigh("logprobs", &json!(false)).1, LossSeverity::Benign);
        assert_eq!(weigh("logprobs", &json!(true)).1, LossSeverity::Lossy);
        assert_eq!(
            weigh("never_heard_of", &json!(1)),
            (LossFeature::ParameterDropped, LossSeverity::Lossy)
        );
    }
}
