//! The log format `openai_batch`: the files of batch jobs, with requests and answers apart.
//!
//! | who | request | answer |
//! |---|---|---|
//! | OpenAI, Azure and others | `custom_id`, `method`, `url`, `body` | `custom_id`, `response` with `status_code` and `body`, or `error` |
//! | Anthropic | `custom_id`, `params` | `custom_id`, `result` with `type` and `message` or `error` |
//! | Gemini | `key`, `request` | `key`, `response` or `error` |
//!
//! Sources: openai-python `types/batch.py`; Anthropic's Message Batches API; Gemini's batch mode.
//! What is easily got wrong:
//!
//! - Answers come in another order than requests, and failures in a file of their own.
//! - `custom_id` is unique in one file only: where it stands for different requests or answers, none
//!   of them can be told to belong together.
//! - There is no time but the answer's own `created`, to the second, and no latency at all.
//! - `url` of Azure has no version, and `model` is the name of a deployment.

mod item;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::format::{Confidence, LogFormat, Part, ReadContext, Reading};
use super::reason::RejectReason;
use super::value::{decoded, is_blank, present, text};

pub(super) use item::Item;

/// The format of files of batch jobs.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenAiBatch;

impl LogFormat for OpenAiBatch {
    fn name(&self) -> &'static str {
        "openai_batch"
    }

    fn title(&self) -> &'static str {
        "batch files of OpenAI, Azure, Anthropic and Gemini"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            // Items that LiteLLM logs have both sides and the batch's identifier.
            record.get("batch_id").is_none() && side(record).is_some()
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        let Some((maker, record_side)) = side(record) else {
            let detail = "neither a request (`body`, `params`, `request`) nor an answer \
                          (`response`, `error`, `result`) with `custom_id` or `key` is there";
            return Reading::reject(RejectReason::MissingField, detail);
        };
        let Some(id) = text(record, &[maker.id_member()]) else {
            let detail = format!("`{}` is no text", maker.id_member());
            return Reading::reject(RejectReason::BadField, detail);
        };
        let key = format!("{}:{id}", maker.name());
        let part = match record_side {
            Side::Request => request_part(maker, record),
            Side::Answer => answer_part(maker, record),
        };
        vec![Reading::Part(Part { key, record: with_id(part, &id) })]
    }

    fn join(&self, parts: &[Value], _: &ReadContext) -> Vec<(usize, Reading)> {
        let requests = distinct(parts, "request");
        let answers = distinct(parts, "answer");
        let place = requests.first().or(answers.first()).copied();
        let Some(place) = place else { return Vec::new() };
        if requests.len() > 1 || answers.len() > 1 {
            let what = if requests.len() > 1 { "requests" } else { "answers" };
            let detail = format!("`custom_id` stands for different {what}: import them apart");
            let all = 0..parts.len();
            return all
                .map(|index| (index, Reading::Reject(RejectReason::BadField, detail.clone())))
                .collect();
        }
        let of = |places: &[usize], name: &str| {
            places.first().and_then(|place| present(parts.get(*place)?, name))
        };
        let (request, answer) = (of(&requests, "request"), of(&answers, "answer"));
        let id = parts.get(place).and_then(|part| text(part, &["id"])).unwrap_or_default();
        vec![(place, Reading::Exchange(Box::new(item(id, request, answer).row())))]
    }
}

fn item<'v>(id: String, request: Option<&'v Value>, answer: Option<&'v Value>) -> Item<'v> {
    let member = |side: Option<&'v Value>, name: &str| side.and_then(|side| present(side, name));
    Item {
        request_id: id,
        url: member(request, "url").and_then(Value::as_str),
        body: member(request, "body"),
        status_code: member(answer, "status_code"),
        answer: member(answer, "body"),
        error: member(answer, "error"),
        failed: false,
    }
}

/// The places of the parts of one side that differ from all before them.
fn distinct(parts: &[Value], side: &str) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let Some(own) = present(part, side) else { continue };
        let is_same =
            |place: &usize| parts.get(*place).and_then(|other| other.get(side)) == Some(own);
        if !found.iter().any(is_same) {
            found.push(index);
        }
    }
    found
}

fn with_id(mut part: Value, id: &str) -> Value {
    if let Some(members) = part.as_object_mut() {
        members.insert("id".to_owned(), Value::String(id.to_owned()));
    }
    part
}

/// Whose form a record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    OpenAi,
    Anthropic,
    Gemini,
}

impl Maker {
    fn name(self) -> &'static str {
        match self {
            Maker::OpenAi => "openai",
            Maker::Anthropic => "anthropic",
            Maker::Gemini => "gemini",
        }
    }

    fn id_member(self) -> &'static str {
        if self == Maker::Gemini { "key" } else { "custom_id" }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Answer,
}

/// What a record is, by its members.
fn side(record: &Value) -> Option<(Maker, Side)> {
    let has = |name: &str| record.get(name).is_some();
    let inner = |name: &str, member: &str| {
        record.get(name).is_some_and(|inner| inner.get(member).is_some())
    };
    if has("custom_id") {
        return if has("body") && (has("url") || has("method")) {
            Some((Maker::OpenAi, Side::Request))
        } else if has("params") {
            Some((Maker::Anthropic, Side::Request))
        } else if inner("result", "type") {
            Some((Maker::Anthropic, Side::Answer))
        } else if has("response") || has("error") {
            Some((Maker::OpenAi, Side::Answer))
        } else {
            None
        };
    }
    if !has("key") {
        None
    } else if inner("request", "contents") {
        Some((Maker::Gemini, Side::Request))
    } else if inner("response", "candidates") || inner("error", "code") {
        Some((Maker::Gemini, Side::Answer))
    } else {
        None
    }
}

fn request_part(maker: Maker, record: &Value) -> Value {
    let member =
        |name: &str| record.get(name).map_or(Value::Null, |value| decoded(value).into_owned());
    json!({ "request": match maker {
        Maker::OpenAi => json!({ "url": record.get("url"), "body": member("body") }),
        Maker::Anthropic => json!({ "url": ANTHROPIC_URL, "body": member("params") }),
        Maker::Gemini => json!({ "url": GEMINI_URL, "body": member("request") }),
    }})
}

/// Where the requests of a batch that states no address would have gone one by one.
const ANTHROPIC_URL: &str = "https://api.anthropic.com/v1/messages";
const GEMINI_URL: &str = "/v1beta/models/:generateContent";

fn answer_part(maker: Maker, record: &Value) -> Value {
    let member = |name: &str| present(record, name).map(|value| decoded(value).into_owned());
    json!({ "answer": match maker {
        Maker::OpenAi => {
            let response = member("response").unwrap_or(Value::Null);
            json!({
                "status_code": response.get("status_code"),
                "body": response.get("body").map(|body| decoded(body).into_owned()),
                "error": member("error").filter(|error| !is_blank(error)),
            })
        }
        Maker::Anthropic => {
            let result = member("result").unwrap_or(Value::Null);
            match result.get("type").and_then(Value::as_str) {
                Some("succeeded") => json!({ "status_code": 200, "body": result.get("message") }),
                Some("errored") => json!({ "error": inner_error(result.get("error")) }),
                // Cancelled or expired.
                kind => json!({ "error": { "type": kind } }),
            }
        }
        Maker::Gemini => json!({
            "status_code": member("response").map(|_| 200),
            "body": member("response"),
            "error": member("error").filter(|error| !is_blank(error)),
        }),
    }})
}

/// Anthropic wraps an error in an object of type `error`.
fn inner_error(error: Option<&Value>) -> Option<&Value> {
    let error = error?;
    Some(error.get("error").filter(|inner| inner.is_object()).unwrap_or(error))
}
