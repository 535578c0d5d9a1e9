//! A call put together from the rows that API Management wrote about it.

use serde_json::{Map, Value, json};

use crate::capture::body::{set_error, set_failure};
use crate::capture::failure::{Failure, clip};
use crate::capture::format::{ReadContext, Reading};
use crate::capture::kong::labels::add_tags;
use crate::capture::kong::proxied::{Call, fill_gateway_usage, http_status, path_of};
use crate::capture::marks::{BaselineMarks, is_probe, names_a_probe, settle_baseline};
use crate::capture::reason::{FilterReason, RejectReason};
use crate::capture::time::{Moment, fill_time, moment};
use crate::capture::value::{decoded, is_blank};
use crate::dataset::CapturedExchange;
use crate::provider::{endpoint, sniff_dialect};

use super::apim::{KIND, Kind};
use super::fields::Fields;
use super::operation::operation;

/// The rows of one call.
struct Rows {
    /// The model's, in the order of their sequence.
    llm: Vec<Fields>,
    gateway: Fields,
    /// The place in the log that the call takes.
    place: usize,
}

/// Puts the rows of one `CorrelationId` together.
pub(super) fn join(parts: &[Value], context: &ReadContext) -> Vec<(usize, Reading)> {
    let all: Vec<(usize, Fields)> = parts.iter().map(Fields::of).enumerate().collect();
    let of = |kind: Kind| {
        all.iter().filter(move |(_, part)| part.text(&[KIND]).as_deref() == Some(kind.as_str()))
    };
    let gateway = of(Kind::Gateway).next();
    let first = of(Kind::Llm).next().or(gateway);
    let Some((place, _)) = first else { return Vec::new() };
    let mut llm: Vec<Fields> = of(Kind::Llm).map(|(_, part)| part.clone()).collect();
    llm.sort_by_key(|part| part.count("sequencenumber").unwrap_or(0));
    // Overlapping exports hold the same piece twice.
    llm.dedup();
    let gateway = gateway.map(|(_, part)| part.clone()).unwrap_or_default();
    let rows = Rows { llm, gateway, place: *place };
    if rows.llm.is_empty() && !rows.is_call_of_model() {
        let readings = of(Kind::Gateway);
        return readings.map(|(at, _)| (*at, Reading::Filtered(FilterReason::NotLlm))).collect();
    }
    vec![(rows.place, rows.read(context))]
}

impl Rows {
    fn parts(&self) -> impl Iterator<Item = &Fields> {
        self.llm.iter().chain([&self.gateway])
    }

    fn text(&self, names: &[&str]) -> Option<String> {
        self.parts().find_map(|part| part.text(names))
    }

    /// The address with the provider's host, where the gateway logged it.
    fn address(&self) -> String {
        let urls = ["backendurl", "url"].iter().filter_map(|name| self.gateway.text(&[name]));
        let urls: Vec<String> = urls.collect();
        let known = urls.iter().find(|url| endpoint(url).is_some());
        known.or(urls.last()).cloned().unwrap_or_default()
    }

    fn is_call_of_model(&self) -> bool {
        let (address, null) = (self.address(), Value::Null);
        let request = self.gateway.get("requestbody").unwrap_or(&null);
        Call { address: &address, request, response: &null }.is_llm()
    }

    fn read(&self, context: &ReadContext) -> Reading {
        let Some(time) = self.parts().find_map(Fields::time) else {
            let detail = "`TimeGenerated` is not there".to_owned();
            return Reading::Reject(RejectReason::MissingField, detail);
        };
        let Some(time) = moment(time, context.utc_offset_s) else {
            let detail = "`TimeGenerated` is no point in time".to_owned();
            return Reading::Reject(RejectReason::BadField, detail);
        };
        Reading::Exchange(Box::new(self.row(time)))
    }

    fn row(&self, time: Moment) -> CapturedExchange {
        let mut row = self.identity();
        fill_time(&mut row, time);
        let address = self.address();
        let request = self.request(&mut row);
        let response = answer(&assemble(&self.llm, "responsemessages"));
        let call = Call { address: &address, request: &request, response: &response };
        let content = call.fill(&mut row);
        row.response_model = row.response_model.take().or_else(|| self.text(&["modelname"]));
        row.provider = row.provider.take().or_else(|| Some("azure".to_owned()));
        let most = |name: &str| self.llm.iter().filter_map(|part| part.count(name)).max();
        fill_gateway_usage(&mut row, most("prompttokens"), most("completiontokens"));
        let gateway_answer = self.fill_failure(&mut row);
        let marks = BaselineMarks {
            gateway_answer,
            not_chat: content.not_chat,
            health_check: row.route.as_deref().is_some_and(names_a_probe)
                || content.request.as_ref().is_some_and(is_probe),
            ..BaselineMarks::default()
        };
        settle_baseline(&mut row, marks);
        row
    }

    fn identity(&self) -> CapturedExchange {
        let gateway = &self.gateway;
        let latency_ms = gateway.number("totaltime").or_else(|| gateway.number("durationms"));
        let url = gateway.text(&["url"]);
        let asked = self.llm.iter().find_map(|part| operation(&part.text(&["operationname"])?));
        let mut row = CapturedExchange {
            request_id: self.text(&["correlationid"]).unwrap_or_default(),
            user_id: gateway.text(&["userid"]),
            operation: asked.unwrap_or_default().to_owned(),
            route: url.map(|url| path_of(&url).to_owned()).or_else(|| gateway.text(&["apiid"])),
            tenant: gateway.text(&["apimsubscriptionid"]),
            request_model: self.text(&["deploymentname", "modelname"]).unwrap_or_default(),
            stream: self.llm.iter().find_map(|part| part.flag("isstreamcompletion")),
            status_code: gateway.get("responsecode").and_then(http_status),
            latency_ms,
            latency_scope: latency_ms.map(|_| "gateway".to_owned()),
            time_resolution_ms: Some(1.0),
            cache_hit: match gateway.text(&["cache"]).as_deref() {
                Some("hit") => Some(true),
                Some("miss" | "none") => Some(false),
                _ => None,
            },
            attempt: 1,
            ..CapturedExchange::default()
        };
        let product = gateway.text(&["productid"]).map(|product| format!("product:{product}"));
        add_tags(&mut row, product.into_iter().collect());
        row
    }

    /// The request body: the gateway's if it is whole, else one of the logged messages.
    fn request(&self, row: &mut CapturedExchange) -> Value {
        if let Some(body) = self.gateway.get("requestbody") {
            let body = decoded(body);
            if sniff_dialect(&body).is_some() {
                return body.into_owned();
            }
        }
        let mut body = Map::new();
        body.insert("model".to_owned(), Value::String(row.request_model.clone()));
        match assemble(&self.llm, "requestmessages") {
            Value::String(prompt) if row.operation == "text_completion" && !is_cut(&prompt) => {
                body.insert("prompt".to_owned(), Value::String(prompt));
            }
            messages @ Value::Array(_) => {
                body.insert("messages".to_owned(), messages);
            }
            Value::String(cut) if is_cut(&cut) => return Value::String(cut),
            _ => return Value::Null,
        }
        row.flaws.push("params_missing".to_owned());
        Value::Object(body)
    }

    /// Fills in the failure that the gateway states; says whether the gateway itself answered.
    fn fill_failure(&self, row: &mut CapturedExchange) -> bool {
        let Some(status) = row.status_code.filter(|status| *status >= 400) else { return false };
        let reason = self.gateway.text(&["lasterrorreason"]);
        let message = self.gateway.text(&["lasterrormessage"]).map(|message| clip(&message));
        if row.error_message.is_none() {
            let names = reason.into_iter().collect();
            let failure = Failure { status: Some(status), message, names };
            match failure.message {
                Some(_) => set_failure(row, failure),
                None => set_error(row, failure.class(), None),
            }
        }
        // The backend's status is zero or missing where the backend was not asked.
        self.gateway.get("backendresponsecode").and_then(http_status).is_none()
    }
}

/// The pieces of a list of messages, put together: a list, a text that is none, or null.
fn assemble(parts: &[Fields], name: &str) -> Value {
    let pieces: Vec<&Value> = parts.iter().filter_map(|part| part.get(name)).collect();
    let lists: Vec<_> = pieces.iter().map(|piece| decoded(piece)).collect();
    if !lists.is_empty() && lists.iter().all(|list| list.is_array() || list.is_object()) {
        let messages = lists.iter().flat_map(|list| match list.as_ref() {
            Value::Array(messages) => messages.clone(),
            message => vec![message.clone()],
        });
        return Value::Array(messages.collect());
    }
    let text: String = pieces
        .iter()
        .map(|piece| piece.as_str().map_or_else(|| piece.to_string(), str::to_owned))
        .collect();
    match decoded(&Value::String(text)).into_owned() {
        value if is_blank(&value) => Value::Null,
        message @ Value::Object(_) => Value::Array(vec![message]),
        value => value,
    }
}

/// Whether a text is a list whose pieces are not all there.
fn is_cut(text: &str) -> bool {
    text.trim_start().starts_with(['[', '{'])
}

/// The messages of an answer as a response body: one choice each.
fn answer(messages: &Value) -> Value {
    let Value::Array(messages) = messages else { return messages.clone() };
    let choices = messages.iter().enumerate().map(|(index, message)| {
        if message.get("message").is_some() {
            message.clone()
        } else {
            json!({ "index": index, "message": message })
        }
    });
    json!({ "choices": choices.collect::<Vec<Value>>() })
}
