//! Logs of other people's software to captured exchanges: sniffing, reading, redaction, rejects.
//!
//! A log format is one file with a [`LogFormat`]; [`FORMATS`] lists them. [`import`] reads the
//! inputs in pieces, turns each record into a [`crate::dataset::CapturedExchange`] on all cores,
//! scrubs secrets before anything is written, finds duplicates and superseded attempts, and leaves
//! a capture that depends on nothing but its inputs. Every line is accounted for: accepted,
//! rejected, filtered or a duplicate.

mod access;
mod arrivals;
mod azure;
mod bedrock;
mod body;
mod cloudflare;
mod dedupe;
mod error;
mod failure;
mod features;
mod format;
mod frame;
mod goreplay;
mod har;
mod helicone;
mod import;
mod input;
mod kong;
mod langfuse;
mod langsmith;
mod litellm;
mod litellm_batch;
mod litellm_spend;
mod load_trace;
mod mapping;
mod marks;
mod mitmproxy;
mod openai_batch;
mod openai_stored;
mod openrouter;
mod otlp;
mod outcome;
mod pattern;
mod personal;
mod plain;
mod portkey;
mod reason;
mod redact;
mod reject;
mod row;
mod secrets;
mod segments;
mod source;
mod swap;
mod time;
mod value;
mod window;
mod wire;

pub use arrivals::arrivals;
pub use error::ImportError;
pub use format::{
    Confidence, FORMATS, LatencyUnit, LogFormat, Part, ReadContext, Reading, UnknownLatencyUnit,
    detect, format_named,
};
pub use import::{DEFAULT_MAX_LINE_BYTES, DEFAULT_MAX_REJECT_RATE, ImportOptions, import};
pub use mapping::{Mapping, MappingError};
pub use outcome::{ImportOutcome, ImportProgress, LeftOut};
pub use personal::{
    JsonPath, JsonPathError, Kind, PersonalData, RedactionPolicy, RedactionPolicyError,
};
pub use reason::{BaselineReason, FilterReason, NotReplayable, RejectReason};
pub use redact::{Redactor, SecretScrubber, SecretsOnly};
