//! The log format `azure_openai`: diagnostic logs of Azure OpenAI, category `RequestResponse`.
//!
//! The events hold no prompts, no answers and no tokens: they serve for volume, latency and
//! failures. What is easily got wrong:
//!
//! - `properties` is a text of JSON; `durationMs` and `resultSignature` (the HTTP status) are
//!   numbers or texts.
//! - `requestTime` and `responseTime` are .NET ticks: hundreds of nanoseconds since the year 1.
//!   `time`, which may be that of writing after the call, counts only where they are missing.
//! - `modelDeploymentName` is what was asked for, `modelName` what it is.
//! - The categories `Audit` (listing of keys and the like) and `Trace` are no calls.

use serde_json::Value;

use crate::capture::body::{set_failure, set_replayable, without_request};
use crate::capture::failure::{Failure, clip};
use crate::capture::format::{Confidence, LogFormat, ReadContext, Reading};
use crate::capture::kong::labels::add_tags;
use crate::capture::kong::proxied::http_status;
use crate::capture::marks::{BaselineMarks, settle_baseline};
use crate::capture::reason::{FilterReason, NotReplayable, RejectReason};
use crate::capture::time::{Moment, fill_time, moment};
use crate::dataset::{CapturedExchange, sha256_hex};

use super::fields::{Fields, rows};
use super::operation::operation;

/// Ticks from the year 1 to 1970.
const EPOCH_TICKS: i64 = 621_355_968_000_000_000;
const TICKS_PER_US: i64 = 10;
/// Ticks of the years 2000 to 2200, beyond which a number is in another unit.
const PLAUSIBLE_TICKS: std::ops::Range<i64> = 630_822_816_000_000_000..693_937_152_000_000_000;

/// The format of Azure OpenAI's diagnostic logs.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct AzureOpenAi;

impl LogFormat for AzureOpenAi {
    fn name(&self) -> &'static str {
        "azure_openai"
    }

    fn title(&self) -> &'static str {
        "Azure OpenAI diagnostic logs"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let rows = rows(record);
            let Some(fields) = rows.first().map(Fields::of) else { return false };
            let table = fields.table().unwrap_or_default();
            let is_category = matches!(table.as_str(), "requestresponse" | "audit" | "trace");
            let place = fields.text(&["resourceid", "resource", "_resourceid", "resourceprovider"]);
            let place = place.unwrap_or_default().to_ascii_lowercase();
            let is_model = fields.has("modeldeploymentname") || fields.has("modelname");
            is_category && (is_model || place.contains("cognitiveservices"))
        })
    }

    fn read(&self, record: &Value, context: &ReadContext) -> Vec<Reading> {
        if !record.is_object() {
            return Reading::reject(RejectReason::NotAnObject, "an event is an object");
        }
        rows(record).iter().map(|row| read(&Fields::of(row), row, context)).collect()
    }
}

fn read(fields: &Fields, row: &Value, context: &ReadContext) -> Reading {
    let name = fields.text(&["operationname"]).unwrap_or_default();
    let has_model = fields.has("modeldeploymentname") || fields.has("modelname");
    let is_call = fields.table().is_some_and(|table| table == "requestresponse");
    let operation = operation(&name);
    if !is_call || (operation.is_none() && !has_model) {
        return Reading::Filtered(FilterReason::NotLlm);
    }
    let (start, end) = (ticks(fields, "requesttime"), ticks(fields, "responsetime"));
    let time = match (start, fields.time()) {
        (Some(ticks), _) => {
            Some(Moment { us: (ticks - EPOCH_TICKS) / TICKS_PER_US, basis: "epoch" })
        }
        (None, Some(time)) => moment(time, context.utc_offset_s),
        (None, None) => {
            return Reading::Reject(RejectReason::MissingField, "`time` is not there".to_owned());
        }
    };
    let Some(time) = time else {
        return Reading::Reject(RejectReason::BadField, "`time` is no point in time".to_owned());
    };
    let between = start.zip(end).map(|(start, end)| (end - start) as f64 / 10_000.0);
    let id = fields.text(&["correlationid"]);
    let mut row = CapturedExchange {
        request_id: id.unwrap_or_else(|| format!("row-{:.16}", sha256_hex(row.to_string()))),
        operation: operation.unwrap_or("other").to_owned(),
        latency_ms: fields.number("durationms").or(between),
        ..identity(fields)
    };
    row.latency_scope = row.latency_ms.map(|_| "provider".to_owned());
    fill_time(&mut row, time);
    let not_chat = !matches!(row.operation.as_str(), "chat" | "text_completion");
    without_request(&mut row);
    if not_chat {
        set_replayable(&mut row, Some(NotReplayable::NotChat));
    }
    if row.status_code.is_some_and(|status| status >= 400) {
        let message = fields.text(&["resultdescription"]).map(|message| clip(&message));
        let names = fields.text(&["resulttype"]).into_iter().collect();
        set_failure(&mut row, Failure { status: None, message, names });
    }
    settle_baseline(&mut row, BaselineMarks { not_chat, ..BaselineMarks::default() });
    Reading::Exchange(Box::new(row))
}

/// Ticks as a number or a text; they have more digits than a float.
fn ticks(fields: &Fields, name: &str) -> Option<i64> {
    let value = fields.get(name)?;
    let ticks = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    ticks.filter(|ticks| PLAUSIBLE_TICKS.contains(ticks))
}

fn identity(fields: &Fields) -> CapturedExchange {
    let model = fields.text(&["modelname"]);
    let deployment = fields.text(&["modeldeploymentname"]);
    let mut row = CapturedExchange {
        user_id: fields.text(&["objectid"]),
        provider: Some("azure".to_owned()),
        request_model: deployment.or_else(|| model.clone()).unwrap_or_default(),
        response_model: model,
        stream: fields.text(&["streamtype"]).and_then(|kind| {
            match kind.to_ascii_lowercase().as_str() {
                "streaming" => Some(true),
                "non-streaming" => Some(false),
                _ => None,
            }
        }),
        status_code: ["resultsignature", "httpstatuscode"]
            .iter()
            .find_map(|name| fields.get(name).and_then(http_status)),
        time_resolution_ms: Some(1.0),
        attempt: 1,
        ..CapturedExchange::default()
    };
    let version = fields.text(&["modelversion"]).map(|version| format!("model_version:{version}"));
    add_tags(&mut row, version.into_iter().collect());
    row
}
