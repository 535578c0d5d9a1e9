//! `generationConfig` of Gemini requests into neutral parameters.

use serde_json::{Value, json};

use crate::chat::{ReasoningEffort, ResponseFormat};
use crate::provider::adapter::{ParseError, Parsed};
use crate::provider::fields::Fields;
use crate::provider::loss::{LossFeature, LossSeverity};

use super::schema;

/// Reads the settings and books those without a neutral place.
pub(super) fn settings(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(config) = fields.object("generationConfig")? else { return Ok(()) };
    let request = &mut parsed.request;
    request.temperature = config.number("temperature")?;
    request.top_p = config.number("topP")?;
    request.top_k = config.whole("topK")?;
    request.choices = config.whole("candidateCount")?;
    request.max_output_tokens = config.whole("maxOutputTokens")?;
    request.stop = config.texts("stopSequences")?;
    request.presence_penalty = config.number("presencePenalty")?;
    request.frequency_penalty = config.number("frequencyPenalty")?;
    request.seed = config.get("seed").and_then(Value::as_i64);
    response_format(&config, parsed)?;
    thinking(&config, parsed)?;
    modalities(&config, parsed)?;
    for (name, value) in config.members() {
        book(&config, &name, value, parsed);
    }
    Ok(())
}

fn book(config: &Fields<'_>, name: &str, value: &Value, parsed: &mut Parsed) {
    let feature = match name {
        "temperature" | "topP" | "topK" | "candidateCount" | "maxOutputTokens"
        | "stopSequences" | "presencePenalty" | "frequencyPenalty" | "responseMimeType"
        | "responseSchema" | "responseJsonSchema" | "thinkingConfig" | "responseModalities" => {
            return;
        }
        "seed" if parsed.request.seed.is_some() => return,
        "seed" => LossFeature::SeedDropped,
        "responseLogprobs" | "logprobs" => LossFeature::LogprobsDropped,
        "mediaResolution" => LossFeature::ImageDetailDropped,
        _ => LossFeature::ParameterDropped,
    };
    let is_off = matches!(value, Value::Bool(false));
    let severity = if is_off { LossSeverity::Benign } else { feature.severity() };
    parsed.losses.book_as(severity, feature, config.at(name), "");
}

fn response_format(config: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let own = config.get("responseSchema").map(schema::json_schema);
    let change = own.as_ref().and_then(|own| own.change);
    let schema = config.get("responseJsonSchema").cloned().or(own.map(|own| own.schema));
    let kind = config.text("responseMimeType")?;
    parsed.request.response_format = match (kind, schema) {
        (Some("application/json") | None, Some(schema)) => {
            if let Some(severity) = change {
                let (feature, at) = (LossFeature::ResponseSchemaChanged, "responseSchema");
                parsed.losses.book_as(severity, feature, config.at(at), "to JSON Schema");
            }
            Some(ResponseFormat::JsonSchema { name: None, schema, strict: Some(true) })
        }
        (Some("application/json"), None) => Some(ResponseFormat::JsonObject),
        (Some("text/plain"), None) => Some(ResponseFormat::Text),
        (None, None) => None,
        // One word of a list (`text/x.enum`) is no form that other protocols know.
        (Some(kind), _) => {
            let at = config.at("responseMimeType");
            parsed.losses.book(LossFeature::ParameterDropped, at, kind);
            None
        }
    };
    Ok(())
}

/// A level is an effort; a budget travels in Anthropic's form, which both encoders read.
fn thinking(config: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let Some(thinking) = config.object("thinkingConfig")? else { return Ok(()) };
    let level = thinking.text("thinkingLevel")?.filter(|level| !level.ends_with("UNSPECIFIED"));
    if let Some(level) = level {
        parsed.request.reasoning_effort = Some(ReasoningEffort(level.to_lowercase()));
        return Ok(());
    }
    let budget = thinking.get("thinkingBudget");
    match budget.map(Value::as_i64) {
        None => {}
        Some(Some(0)) => parsed.request.reasoning_effort = Some(ReasoningEffort("none".into())),
        Some(Some(tokens)) if tokens > 0 => {
            let budget = json!({"type": "enabled", "budget_tokens": tokens});
            parsed.request.extra.insert("thinking".into(), budget);
        }
        // -1 leaves it to the model.
        Some(Some(_)) => {
            let (feature, at) = (LossFeature::ReasoningEffortDropped, "thinkingBudget");
            parsed.losses.book(feature, thinking.at(at), "left to the model");
        }
        Some(None) => {
            return Err(ParseError::wrong(thinking.at("thinkingBudget"), "a whole number"));
        }
    }
    Ok(())
}

fn modalities(config: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    for modality in config.texts("responseModalities")? {
        let feature = match modality.to_ascii_uppercase().as_str() {
            "TEXT" | "MODALITY_UNSPECIFIED" => continue,
            "AUDIO" => LossFeature::AudioUnsupported,
            _ => LossFeature::ContentUnsupported,
        };
        parsed.losses.book(feature, config.at("responseModalities"), modality.to_lowercase());
    }
    Ok(())
}
