//! Logs of other people's software to captured exchanges: sniffing, reading, redaction, rejects.
//!
//! A log format is one file with a [`LogFormat`]; [`FORMATS`] lists them. [`import`] reads the
//! inputs in pieces, turns each record into a [`crate::dataset::CapturedExchange`] on all cores,
//! scrubs secrets before anything is written, finds duplicates and superseded attempts, and leaves
//! a capture that depends on nothing but its inputs. Every line is accounted for: accepted,
//! rejected, filtered or a duplicate.

mod body;
mod chunk;
mod dedupe;
mod error;
mod failure;
mod format;
mod import;
mod input;
mod lenient;
mod lines;
mod litellm;
mod marks;
mod outcome;
mod pattern;
mod plain;
mod reason;
mod redact;
mod reject;
mod secrets;
mod segments;
mod source;
mod swap;
mod time;
mod value;
mod window;

pub use error::ImportError;
pub use format::{
    Confidence, FORMATS, LatencyUnit, LogFormat, ReadContext, Reading, UnknownLatencyUnit, detect,
    format_named, format_names,
};
pub use import::{DEFAULT_MAX_LINE_BYTES, DEFAULT_MAX_REJECT_RATE, ImportOptions, import};
pub use outcome::{ImportOutcome, ImportProgress};
pub use reason::{BaselineReason, FilterReason, NotReplayable, RejectReason};
pub use redact::{Redactor, SecretScrubber, SecretsOnly};
