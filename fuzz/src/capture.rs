//! The log formats, framings and redaction of `src/capture/mod.rs`, and their targets.
//!
//! Left out is what reads files, writes tables or needs their errors: opening and spilling sources,
//! joining in scratch files, segments and outcomes.

#[path = "../../src/capture/access/mod.rs"]
mod access;
#[path = "../../src/capture/azure/mod.rs"]
mod azure;
#[path = "../../src/capture/bedrock/mod.rs"]
mod bedrock;
#[path = "../../src/capture/body.rs"]
mod body;
#[path = "../../src/capture/cloudflare/mod.rs"]
mod cloudflare;
#[path = "../../src/capture/dedupe.rs"]
mod dedupe;
#[path = "../../src/capture/failure.rs"]
mod failure;
#[path = "../../src/capture/features.rs"]
mod features;
#[path = "../../src/capture/format.rs"]
mod format;
#[path = "../../src/capture/frame/mod.rs"]
mod frame;
#[path = "../../src/capture/goreplay/mod.rs"]
mod goreplay;
#[path = "../../src/capture/har/mod.rs"]
mod har;
#[path = "../../src/capture/helicone/mod.rs"]
mod helicone;
#[path = "../../src/capture/kong/mod.rs"]
mod kong;
#[path = "../../src/capture/langfuse/mod.rs"]
mod langfuse;
#[path = "../../src/capture/langsmith/mod.rs"]
mod langsmith;
#[path = "../../src/capture/litellm/mod.rs"]
mod litellm;
#[path = "../../src/capture/litellm_batch/mod.rs"]
mod litellm_batch;
#[path = "../../src/capture/litellm_spend/mod.rs"]
mod litellm_spend;
#[path = "../../src/capture/load_trace/mod.rs"]
mod load_trace;
#[path = "../../src/capture/mapping.rs"]
mod mapping;
#[path = "../../src/capture/marks.rs"]
mod marks;
#[path = "../../src/capture/mitmproxy/mod.rs"]
mod mitmproxy;
#[path = "../../src/capture/openai_batch/mod.rs"]
mod openai_batch;
#[path = "../../src/capture/openai_stored/mod.rs"]
mod openai_stored;
#[path = "../../src/capture/openrouter/mod.rs"]
mod openrouter;
#[path = "../../src/capture/otlp/mod.rs"]
mod otlp;
#[path = "../../src/capture/personal/mod.rs"]
mod personal;
#[path = "../../src/capture/plain/mod.rs"]
mod plain;
#[path = "../../src/capture/portkey/mod.rs"]
mod portkey;
#[path = "../../src/capture/reason.rs"]
mod reason;
#[path = "../../src/capture/redact.rs"]
mod redact;
#[path = "../../src/capture/reject.rs"]
mod reject;
#[path = "../../src/capture/row.rs"]
mod row;
#[path = "../../src/capture/secrets.rs"]
mod secrets;
#[path = "../../src/capture/time.rs"]
mod time;
#[path = "../../src/capture/value.rs"]
mod value;
#[path = "../../src/capture/wire/mod.rs"]
mod wire;

mod import;
mod targets;

use mapping::Mapping;
use personal::{PersonalData, RedactionPolicy};
use reason::RejectReason;

pub use import::reader;
pub use targets::{frames, mapping, personal, secrets};
