//! One item of a batch job, with what is known of its two sides, to a row.

use serde_json::Value;

use crate::chat::ErrorClass;
use crate::dataset::{CapturedExchange, UsageSource};
use crate::provider::{Dialect, Endpoint, endpoint, sniff_dialect};

use super::super::body::{
    fill_request, fill_response, set_error, set_failure, set_replayable, without_request,
};
use super::super::failure::{Failure, is_error};
use super::super::litellm::fill_consumption;
use super::super::marks::{BaselineMarks, settle_baseline};
use super::super::reason::NotReplayable;
use super::super::time::{Moment, fill_time, parse};
use super::super::value::{is_blank, number, present, text};

/// The answer's own time is in whole seconds.
const RESOLUTION_MS: f64 = 1_000.0;

/// An item of a batch job.
#[derive(Debug)]
pub(in crate::capture) struct Item<'v> {
    pub(in crate::capture) request_id: String,
    /// The address that the request would have gone to alone, whole or the path.
    pub(in crate::capture) url: Option<&'v str>,
    pub(in crate::capture) body: Option<&'v Value>,
    pub(in crate::capture) status_code: Option<&'v Value>,
    /// The body of the answer.
    pub(in crate::capture) answer: Option<&'v Value>,
    /// Why there is no answer.
    pub(in crate::capture) error: Option<&'v Value>,
    /// Whether the log says that it failed, in whatever words.
    pub(in crate::capture) failed: bool,
}

impl Item<'_> {
    /// The row; settled, as all rows of a batch are alike in what they may stand for.
    pub(in crate::capture) fn row(&self) -> CapturedExchange {
        let asked = self.url.and_then(endpoint);
        let body = self.body.filter(|body| !is_blank(body));
        let known = asked.as_ref().and_then(|asked| asked.dialect);
        let dialect = known.or_else(|| body.and_then(sniff_dialect));
        let operation = operation(asked.as_ref(), dialect);
        let mut row = CapturedExchange {
            request_id: self.request_id.clone(),
            provider: asked.as_ref().and_then(|asked| asked.provider).map(str::to_owned),
            operation: operation.to_owned(),
            route: self.url.map(path),
            request_model: body.and_then(|body| text(body, &["model"])).unwrap_or_default(),
            ..CapturedExchange::default()
        };
        self.fill_created(&mut row);
        match body {
            Some(body) => drop(fill_request(&mut row, dialect, body)),
            None => without_request(&mut row),
        }
        let not_chat = !matches!(operation, "chat" | "text_completion");
        if not_chat {
            set_replayable(&mut row, Some(NotReplayable::NotChat));
        }
        self.fill_outcome(&mut row, dialect, not_chat);
        settle_baseline(
            &mut row,
            BaselineMarks { batch: true, not_chat, ..BaselineMarks::default() },
        );
        row
    }

    fn fill_created(&self, row: &mut CapturedExchange) {
        let created = ["created", "created_at", "createTime"];
        let created = created.iter().find_map(|name| present(self.answer?, name));
        if let Some(us) = created.and_then(parse) {
            let is_number = created.is_some_and(Value::is_number);
            fill_time(row, Moment { us, basis: if is_number { "epoch" } else { "rfc3339" } });
            row.time_resolution_ms = Some(RESOLUTION_MS);
        }
    }

    fn fill_outcome(&self, row: &mut CapturedExchange, dialect: Option<Dialect>, not_chat: bool) {
        let status = self.status_code.and_then(number);
        row.status_code =
            status.filter(|code| (100.0..600.0).contains(code)).map(|code| code as i32);
        let failure = self.answer.and_then(Failure::from_response);
        match (self.answer, failure) {
            (_, Some(failure)) => set_failure(row, failure),
            (Some(answer), None) if not_chat => fill_consumption(row, answer),
            (Some(answer), None) => fill_response(row, dialect, answer),
            (None, None) => {}
        }
        if row.input_tokens.is_some() || row.output_tokens.is_some() {
            row.usage_source = Some(UsageSource::Provider.as_str().to_owned());
        }
        if row.error_class.is_some() {
            return;
        }
        if let Some(error) = self.error.filter(|error| is_error(error)) {
            set_failure(row, Failure::from_error(error));
        } else if row.status_code.is_some_and(|status| status >= 400) {
            set_failure(row, Failure::default());
        } else if self.failed {
            set_error(row, ErrorClass::Unknown, None);
        }
    }
}

fn operation(asked: Option<&Endpoint>, dialect: Option<Dialect>) -> &'static str {
    match asked {
        Some(asked) => asked.operation,
        None if dialect == Some(Dialect::OpenAiCompletions) => "text_completion",
        None => "chat",
    }
}

/// The path of an address, without host and query.
fn path(address: &str) -> String {
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => address,
    };
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}
