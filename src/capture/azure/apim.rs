//! The log format `azure_apim`: Azure API Management's `ApiManagementGatewayLlmLog`, joined with
//! its `ApiManagementGatewayLogs`.
//!
//! Field meanings follow the reference of the two tables in Azure Monitor and API Management's page
//! on logging of language models. What is easily got wrong:
//!
//! - A call has several rows: messages above 32 kB are cut into pieces numbered by
//!   `SequenceNumber`, and request and response stand in rows of their own. They are put together
//!   by `CorrelationId`, as texts, before they are read.
//! - The rows of a call have no latency and no status; the gateway's row of the same
//!   `CorrelationId` has (`TotalTime` in milliseconds, `ResponseCode`). Without it the calls are
//!   kept without.
//! - Only messages are logged. Parameters and tools are missing, which the row's flaws say, unless
//!   the gateway's row holds the request body (up to 8 kB) whole.
//! - Gateway rows of calls that go to no model's API are set aside.
//! - Headers, keys in addresses and callers' addresses are never read.

use serde_json::Value;

use crate::capture::format::{Confidence, LogFormat, Part, ReadContext, Reading};
use crate::capture::reason::{FilterReason, RejectReason};

use super::call;
use super::fields::{Fields, rows};

/// What [`call::join`] needs of a row about the model's call.
const LLM_FIELDS: &[&str] = &[
    "timegenerated",
    "time",
    "correlationid",
    "sequencenumber",
    "operationname",
    "deploymentname",
    "modelname",
    "isstreamcompletion",
    "prompttokens",
    "completiontokens",
    "requestmessages",
    "responsemessages",
];

/// What it needs of a row about the gateway's work.
const GATEWAY_FIELDS: &[&str] = &[
    "timegenerated",
    "time",
    "correlationid",
    "totaltime",
    "durationms",
    "responsecode",
    "backendresponsecode",
    "url",
    "backendurl",
    "cache",
    "lasterrorreason",
    "lasterrormessage",
    "requestbody",
    "apimsubscriptionid",
    "apiid",
    "productid",
    "userid",
];

/// The member of a part that tells the kinds apart.
pub(super) const KIND: &str = "rehearsalkind";

/// The format of API Management's logs.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct AzureApim;

impl LogFormat for AzureApim {
    fn name(&self) -> &'static str {
        "azure_apim"
    }

    fn title(&self) -> &'static str {
        "Azure API Management, LLM and gateway logs"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let rows = rows(record);
            rows.first().is_some_and(|row| Kind::of(&Fields::of(row)).is_some())
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        if !record.is_object() {
            return Reading::reject(RejectReason::NotAnObject, "a row is an object");
        }
        rows(record).iter().map(part).collect()
    }

    fn join(&self, parts: &[Value], context: &ReadContext) -> Vec<(usize, Reading)> {
        call::join(parts, context)
    }
}

/// A row of one of the two tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Llm,
    Gateway,
}

impl Kind {
    /// The kind by the table's name, else by columns that only it has.
    fn of(fields: &Fields) -> Option<Self> {
        if let Some(table) = fields.table() {
            return match table.as_str() {
                "apimanagementgatewayllmlog" | "gatewayllmlogs" => Some(Kind::Llm),
                "apimanagementgatewaylogs" | "gatewaylogs" => Some(Kind::Gateway),
                _ => None,
            };
        }
        let any = |names: &[&str]| names.iter().any(|name| fields.has(name));
        if !fields.has("correlationid") {
            None
        } else if any(&["sequencenumber", "requestmessages", "responsemessages"]) {
            Some(Kind::Llm)
        } else {
            let is_gateway = fields.has("totaltime") && any(&["backendtime", "responsecode"]);
            is_gateway.then_some(Kind::Gateway)
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Kind::Llm => "llm",
            Kind::Gateway => "gateway",
        }
    }
}

fn part(row: &Value) -> Reading {
    let fields = Fields::of(row);
    let Some(kind) = Kind::of(&fields) else {
        return Reading::Filtered(FilterReason::NotLlm);
    };
    let Some(key) = fields.text(&["correlationid"]) else {
        return Reading::Reject(
            RejectReason::MissingField,
            "`CorrelationId` is not there".to_owned(),
        );
    };
    let mut record = fields.only(match kind {
        Kind::Llm => LLM_FIELDS,
        Kind::Gateway => GATEWAY_FIELDS,
    });
    if let Some(members) = record.as_object_mut() {
        members.insert(KIND.to_owned(), Value::String(kind.as_str().to_owned()));
        for address in ["url", "backendurl"] {
            // Queries hold subscription keys, which must not even be spilled.
            if let Some(Value::String(url)) = members.get_mut(address) {
                url.truncate(url.find(['?', '#']).unwrap_or(url.len()));
            }
        }
    }
    // Exports differ in the case of identifiers.
    Reading::Part(Part { key: key.to_ascii_lowercase(), record })
}
