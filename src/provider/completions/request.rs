//! Completion request bodies into neutral form.

use serde_json::Value;

use crate::chat::{Part, Role};
use crate::provider::adapter::{ParameterNames, ParseError, Parsed};
use crate::provider::fields::{Fields, push};
use crate::provider::json::count;
use crate::provider::loss::{LossFeature, LossSeverity};

/// Members that a field of the neutral request takes, or that are booked here.
const NEUTRAL: &[&str] = &[
    "model",
    "prompt",
    "suffix",
    "max_tokens",
    "max_gen_len",
    "max_tokens_to_sample",
    "temperature",
    "top_p",
    "top_k",
    "n",
    "seed",
    "presence_penalty",
    "frequency_penalty",
    "stop",
    "stop_sequences",
    "stream",
    "user",
    "logprobs",
    "best_of",
    "echo",
];

/// Reads a request body.
pub(in crate::provider) fn parse(body: &Value) -> Result<Parsed, ParseError> {
    let fields = Fields::of_body(body)?;
    let mut parsed = Parsed { names: ParameterNames::COMMON, ..Parsed::default() };
    prompt(&fields, &mut parsed)?;
    let request = &mut parsed.request;
    fields.text("model")?.unwrap_or_default().clone_into(&mut request.model);
    // The second is Llama's name on Bedrock, the third that of Claude before Messages.
    let cap = fields.whole("max_tokens")?.or(fields.whole("max_gen_len")?);
    request.max_output_tokens = cap.or(fields.whole("max_tokens_to_sample")?);
    request.temperature = fields.number("temperature")?;
    request.top_p = fields.number("top_p")?;
    request.choices = fields.whole("n")?;
    request.presence_penalty = fields.number("presence_penalty")?;
    request.frequency_penalty = fields.number("frequency_penalty")?;
    request.stop = fields.texts("stop")?;
    request.stop.extend(fields.texts("stop_sequences")?);
    request.stream = fields.flag("stream").unwrap_or(false);
    request.user = fields.text("user")?.map(str::to_owned);
    // vLLM takes -1 for "no limit"; what is no plain number stays under its own name.
    request.top_k = fields.get("top_k").and_then(count);
    request.seed = fields.get("seed").and_then(Value::as_i64);
    let odd = [("top_k", request.top_k.is_none()), ("seed", request.seed.is_none())];
    for (name, value) in fields.members() {
        if !NEUTRAL.contains(&name.as_str()) || odd.contains(&(name.as_str(), true)) {
            request.extra.insert(name, value.clone());
        }
    }
    book_others(&fields, &mut parsed);
    Ok(parsed)
}

fn prompt(fields: &Fields<'_>, parsed: &mut Parsed) -> Result<(), ParseError> {
    let prompt = fields.get("prompt").ok_or_else(|| ParseError::Missing("prompt".into()))?;
    let wrong = || ParseError::wrong("prompt", "a text or a list");
    let one = std::slice::from_ref(prompt);
    let list = match prompt {
        Value::String(_) => one,
        Value::Array(list) => list.as_slice(),
        _ => return Err(wrong()),
    };
    let by_token = |value: &Value| value.is_u64() || value.is_array();
    if list.iter().any(by_token) {
        parsed.losses.book(LossFeature::ContentUnsupported, "prompt", "token identifiers");
    } else {
        for (index, value) in list.iter().enumerate() {
            let text = value.as_str().ok_or_else(wrong)?;
            let path =
                if prompt.is_string() { "prompt".into() } else { format!("prompt[{index}]") };
            push(parsed, Role::User, &path.clone(), vec![(Part::Text(text.to_owned()), path)]);
        }
    }
    if list.len() > 1 && !list.iter().any(by_token) {
        let detail = format!("{} prompts in one request", list.len());
        parsed.losses.book(LossFeature::ChoicesUnsupported, "prompt", detail);
    }
    parsed.losses.book(LossFeature::PromptToMessage, "prompt", "");
    Ok(())
}

fn book_others(fields: &Fields<'_>, parsed: &mut Parsed) {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    if text("suffix").is_some_and(|suffix| !suffix.is_empty()) {
        parsed.losses.book(LossFeature::ContentUnsupported, "suffix", "text after the answer");
    }
    // A number of alternatives for each token, where chat takes true or false.
    if fields.get("logprobs").is_some_and(|value| *value != Value::Bool(false)) {
        parsed.losses.book(LossFeature::LogprobsDropped, "logprobs", "");
    }
    let best_of = fields.get("best_of").and_then(count).unwrap_or(1);
    for (name, asked) in [("best_of", best_of > 1), ("echo", fields.flag("echo") == Some(true))] {
        if fields.get(name).is_some() {
            let severity = if asked { LossSeverity::Lossy } else { LossSeverity::Benign };
            parsed.losses.book_as(severity, LossFeature::ParameterDropped, name, "");
        }
    }
}
