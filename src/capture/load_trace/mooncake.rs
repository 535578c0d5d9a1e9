//! The log format `mooncake`: the traces of Mooncake, a service of Moonshot AI, as lines of JSON.
//!
//! Members follow `FAST25-release/README.md` of the repository `kvcache-ai/Mooncake`. What is easily
//! got wrong:
//!
//! - `timestamp` is milliseconds since the start of the trace, and many are equal.
//! - `hash_ids` name blocks of 512 tokens that requests have in common. They show what a prefix
//!   cache could have found, not what it found, so no cached tokens are made of them.

use serde_json::Value;

use crate::dataset::CapturedExchange;

use super::super::format::{Confidence, LogFormat, ReadContext, Reading};
use super::{Rejection, reading, relative, row, tokens};

/// The format of Mooncake's traces.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Mooncake;

impl LogFormat for Mooncake {
    fn name(&self) -> &'static str {
        "mooncake"
    }

    fn title(&self) -> &'static str {
        "Mooncake trace"
    }

    fn sniff(&self, first_records: &[Value]) -> Confidence {
        Confidence::if_most(first_records, Confidence::CERTAIN, |record| {
            let names = ["timestamp", "input_length", "output_length"];
            names.iter().all(|name| record.get(*name).is_some_and(Value::is_number))
                && record.get("hash_ids").is_some_and(Value::is_array)
        })
    }

    fn read(&self, record: &Value, _: &ReadContext) -> Vec<Reading> {
        reading(exchange(record))
    }
}

fn exchange(record: &Value) -> Result<CapturedExchange, Rejection> {
    let at = relative(record, "timestamp", 1e3)?;
    let output = tokens(record, "output_length")?;
    Ok(row(at, 1.0, tokens(record, "input_length")?, Some(output)))
}
