//! Lines of HAProxy's `option httplog`, as records of its format's aliases.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

/// The line behind whatever syslog put before it; `option httpslog` adds fields behind it.
static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let time = r"\[(\d\d/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d\.\d+)\]";
    let timers = r"(-?\d+)/(-?\d+)/(-?\d+)/(-?\d+)/(\+?-?\d+)";
    let counts = r"\d+/\d+/\d+/\d+/(\+?\d+) \d+/\d+";
    let captures = r"(?: \{([^}]*)\})?(?: \{([^}]*)\})?";
    Regex::new(&format!(
        r#"\S+:\d+ {time} (\S+) ([^\s/]+)/(\S+) {timers} (-?\d+) (\+?\d+) \S+ \S+ (\S{{4}}) {counts}{captures} "([^"]*)"#
    ))
    .ok()
});

/// Names of what the pattern finds, in its order.
const NAMES: [&str; 13] = [
    "accept_date",
    "frontend",
    "backend",
    "server",
    "TR",
    "Tw",
    "Tc",
    "Tr",
    "Ta",
    "status",
    "bytes_read",
    "term_state",
    "retries",
];

/// The line as a record; `None` if it is no access log line.
pub(super) fn record(line: &str) -> Option<Value> {
    let found = LINE.as_ref()?.captures(line)?;
    let text = |at: usize| found.get(at).map(|group| group.as_str());
    let mut record = Map::new();
    for (at, name) in NAMES.iter().enumerate() {
        record.insert((*name).to_owned(), json!(text(at + 1)));
    }
    // Captured headers have no names in the log; a mapping can name them by their position.
    for (at, name) in [(14, "request_captures"), (15, "response_captures")] {
        if let Some(captures) = text(at) {
            let captures: Vec<&str> = captures.split('|').collect();
            record.insert(name.to_owned(), json!(captures));
        }
    }
    record.insert("request".to_owned(), json!(text(16)));
    Some(Value::Object(record))
}
