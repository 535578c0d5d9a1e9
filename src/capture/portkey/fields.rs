//! Portkey's figures and labels whose form or unit differs between its logs.

use serde_json::Value;

use crate::dataset::CapturedExchange;

use super::super::value::{decoded, flag, is_blank, nanousd, number, path, present, text};

/// Dollars per token beyond which no price list goes: a figure above it is not in dollars.
///
/// The dearest list price of a text model is 600 dollars per million tokens.
const MAX_USD_PER_TOKEN: f64 = 0.001;

/// What a log says of its cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// Nano-dollars.
    Stated(i64),
    /// A figure in an unknown unit; the flaw that the row gets.
    Doubtful(&'static str),
    /// None.
    Absent,
}

/// Reads the cost of a log; `row` has its tokens.
pub(super) fn cost(record: &Value, row: &CapturedExchange) -> Cost {
    let Some(amount) = present(record, "cost").and_then(number) else { return Cost::Absent };
    let currency = text(record, &["cost_currency"]).map(|name| name.trim().to_ascii_uppercase());
    let usd = match currency.as_deref() {
        Some("USD") => amount,
        Some("USD_CENTS" | "CENTS" | "USC") => amount / 100.0,
        _ => return Cost::Doubtful("cost_unit_unstated"),
    };
    let tokens = row.input_tokens.unwrap_or(0).saturating_add(row.output_tokens.unwrap_or(0));
    if tokens > 0 && usd / tokens as f64 > MAX_USD_PER_TOKEN {
        return Cost::Doubtful("cost_implausible");
    }
    nanousd(&Value::from(usd)).map_or(Cost::Absent, Cost::Stated)
}

/// Whether the gateway answered from its cache, exact or semantic.
pub(super) fn cache_hit(record: &Value, response: &Value) -> Option<bool> {
    let status = text(record, &["cache_status"])
        .or_else(|| header(response, "x-portkey-cache-status"))?
        .to_ascii_lowercase();
    match status.trim() {
        "hit" | "semantic hit" | "semantic_hit" => Some(true),
        "miss" | "disabled" | "refresh" | "semantic miss" | "semantic_miss" => Some(false),
        other => flag(&Value::String(other.to_owned())),
    }
}

/// How many retries the log's time includes.
///
/// The header is −1 where every retry failed: their number is then unknown, but at least one.
pub(super) fn retries(record: &Value, response: &Value) -> i64 {
    let counted = present(record, "retry_success_count").and_then(number);
    let stated = header(response, "x-portkey-retry-attempt-count");
    let stated = stated.and_then(|text| text.trim().parse::<f64>().ok());
    match counted.or(stated) {
        Some(..0.0) => 1,
        Some(retries) => retries as i64,
        None => 0,
    }
}

/// The caller's metadata: an object, a text of one, or two parallel lists.
pub(super) fn labels(record: &Value) -> Vec<(String, Value)> {
    let Some(metadata) = present(record, "metadata") else { return Vec::new() };
    let metadata = decoded(metadata);
    let list = |name: &str| metadata.get(name).and_then(Value::as_array);
    if let (Some(names), Some(values)) = (list("key"), list("value")) {
        let names = names.iter().filter_map(Value::as_str).map(str::to_owned);
        return names.zip(values.iter().cloned()).collect();
    }
    let members = metadata.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A response header, whose name may be written in any case.
fn header(response: &Value, name: &str) -> Option<String> {
    let headers = path(response, &["headers"])?.as_object()?;
    let (_, value) = headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    let value = value.as_array().and_then(|values| values.first()).unwrap_or(value);
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !is_blank(value) => Some(text.clone()),
        _ => None,
    }
}
