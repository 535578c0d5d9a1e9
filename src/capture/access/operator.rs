//! Members that operators add to their access logs: the model, tokens, who asked and for what.

use serde_json::Value;

use super::super::value::{count, flag, nanousd};
use super::call::HttpCall;
use super::lookup::{known, known_text};

/// Names under which operators log a thing, the first that is known counts.
///
/// Names with `http_` are NGINX's for a request header.
const SESSION: &[&str] = &[
    "session_id",
    "conversation_id",
    "http_x_session_id",
    "http_x_session",
    "http_x_conversation_id",
    "x_session_id",
];
const USER: &[&str] = &["user_id", "end_user", "http_x_user_id", "x_user_id"];
const TENANT: &[&str] =
    &["tenant", "tenant_id", "team", "team_id", "consumer", "http_x_tenant", "http_x_tenant_id"];
const ROUTE: &[&str] = &["app_route", "route", "http_x_app_route", "http_x_route"];
const MODEL: &[&str] =
    &["request_model", "model", "llm_model", "model_name", "gen_ai_request_model"];
const RESPONSE_MODEL: &[&str] = &["response_model", "gen_ai_response_model"];
const INPUT: &[&str] = &["input_tokens", "prompt_tokens", "gen_ai_usage_input_tokens"];
const OUTPUT: &[&str] = &["output_tokens", "completion_tokens", "gen_ai_usage_output_tokens"];
const CACHE_READ: &[&str] = &["cached_tokens", "cache_read_input_tokens"];
const CACHE_CREATION: &[&str] = &["cache_creation_input_tokens"];
const REASONING: &[&str] = &["reasoning_tokens", "reasoning_output_tokens"];

/// Fills in what a record says under such names, where nothing is known yet.
pub(super) fn fill(call: &mut HttpCall, record: &Value) {
    let text = |names: &[&str]| known_text(record, names);
    let tokens = |names: &[&str]| known(record, names).and_then(count);
    or(&mut call.session_id, || text(SESSION));
    or(&mut call.user_id, || text(USER));
    or(&mut call.tenant, || text(TENANT));
    or(&mut call.route, || text(ROUTE));
    or(&mut call.provider, || text(&["provider", "llm_provider", "gen_ai_provider_name"]));
    or(&mut call.request_model, || text(MODEL));
    or(&mut call.response_model, || text(RESPONSE_MODEL));
    or(&mut call.cost_nanousd, || known(record, &["cost_usd"]).and_then(nanousd));
    or(&mut call.stream, || known(record, &["stream", "is_stream"]).and_then(flag));
    or(&mut call.tokens.input, || tokens(INPUT));
    or(&mut call.tokens.output, || tokens(OUTPUT));
    or(&mut call.tokens.cache_read, || tokens(CACHE_READ));
    or(&mut call.tokens.cache_creation, || tokens(CACHE_CREATION));
    or(&mut call.tokens.reasoning, || tokens(REASONING));
}

fn or<T>(slot: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if slot.is_none() {
        *slot = value();
    }
}
