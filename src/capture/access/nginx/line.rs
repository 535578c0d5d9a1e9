//! Lines of NGINX's format `combined` and its usual extensions, as records of its variables.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::super::content::unescaped;

/// The format `combined`, or `common`, and whatever an operator put behind it.
static COMBINED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let quoted = r#""((?:[^"\\]|\\.)*)""#;
    let agent = format!("(?: {quoted} {quoted})?");
    let time = r"\[(\d\d/[A-Za-z]{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]";
    let line = format!(r"(\S+) \S+ (\S+) {time} {quoted} (\d{{3}}) (\d+|-){agent}(.*)$");
    Regex::new(&line).ok()
});

/// What the NGINX ingress controller of Kubernetes puts behind: request length, request time,
/// upstream name twice, then address, length, time and status of the upstream, request identifier.
static INGRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let list = r"([^\s,]+(?:(?:, | : )[^\s,]+)*)";
    Regex::new(&format!(
        r"^ \d+ (\d+\.\d+) \[[^\]]*\] \[[^\]]*\] {list} {list} {list} {list} (\S+)"
    ))
    .ok()
});

/// A pair such as `rt=0.096` or `urt="0.1, 0.2"`; several times are a list.
static PAIR: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let times = r"(?:-|\d+\.\d+)(?:(?:, ?| : )(?:-|\d+\.\d+))*";
    Regex::new(&format!(r#"([A-Za-z_]\w*)=(?:"((?:[^"\\]|\\.)*)"|({times}|[^\s",]+))"#)).ok()
});

/// A bare item: in quotes, or a time, which NGINX writes with three digits.
static BARE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:^|\s)(?:"((?:[^"\\]|\\.)*)"|(\d+\.\d{3}))(?:\s|$)"#).ok());

/// Short names that operators give to variables.
const SHORT: &[(&str, &str)] = &[
    ("rt", "request_time"),
    ("reqtime", "request_time"),
    ("uct", "upstream_connect_time"),
    ("uht", "upstream_header_time"),
    ("urt", "upstream_response_time"),
    ("us", "upstream_status"),
    ("ua", "upstream_addr"),
    ("cs", "upstream_cache_status"),
    ("cache", "upstream_cache_status"),
    ("rid", "request_id"),
    ("req_id", "request_id"),
    ("body", "request_body"),
    ("sid", "session_id"),
];

/// The line as a record of NGINX's variables; `None` if it is no access log line.
///
/// A syslog prefix is no obstacle.
pub(super) fn record(line: &str) -> Option<Value> {
    let found = COMBINED.as_ref()?.captures(line.trim_end())?;
    let group = |at: usize| found.get(at).map_or("", |group| group.as_str());
    let mut record = Map::new();
    let mut put = |name: &str, text: &str| {
        record.insert(name.to_owned(), Value::String(text.to_owned()));
    };
    for (name, at) in [("remote_user", 2), ("time_local", 3), ("status", 5)] {
        put(name, group(at));
    }
    put("request", &unescaped(group(4)));
    let rest = group(9);
    if let Some(ingress) = INGRESS.as_ref()?.captures(rest) {
        let group = |at: usize| ingress.get(at).map_or("", |group| group.as_str());
        for (name, at) in [
            ("request_time", 1),
            ("upstream_addr", 2),
            ("upstream_response_time", 4),
            ("upstream_status", 5),
            ("request_id", 6),
        ] {
            put(name, group(at));
        }
        return Some(Value::Object(record));
    }
    let mut bare = String::with_capacity(rest.len());
    let mut end = 0;
    for pair in PAIR.as_ref()?.captures_iter(rest) {
        let (Some(whole), Some(name)) = (pair.get(0), pair.get(1)) else { continue };
        bare.push_str(rest.get(end..whole.start()).unwrap_or_default());
        end = whole.end();
        let short = SHORT.iter().find(|(short, _)| *short == name.as_str());
        let name = short.map_or(name.as_str(), |(_, name)| name);
        let value = pair.get(2).or(pair.get(3)).map_or("", |value| value.as_str());
        put(name, value);
    }
    bare.push_str(rest.get(end..).unwrap_or_default());
    put_bare(&mut record, &bare);
    Some(Value::Object(record))
}

/// Items without a name: a body shows itself, and the request's time is the longest of the times.
fn put_bare(record: &mut Map<String, Value>, items: &str) {
    let Some(pattern) = BARE.as_ref() else { return };
    let mut longest: Option<&str> = None;
    let mut at = 0;
    while let Some(found) = items.get(at..).and_then(|rest| pattern.captures(rest)) {
        let Some(item) = found.get(1).or(found.get(2)) else { break };
        // The space behind an item is the one before the next.
        at += found.get(0).map_or(1, |whole| whole.start() + whole.as_str().trim_end().len());
        let text = item.as_str();
        let seconds = |text: &str| text.parse::<f64>().unwrap_or(0.0);
        let is_time = text.split_once('.').is_some_and(|(whole, fraction)| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits(whole) && digits(fraction) && fraction.len() == 3
        });
        if is_time {
            if longest.is_none_or(|longest| seconds(text) > seconds(longest)) {
                longest = Some(text);
            }
        } else if text.starts_with('{') || text.starts_with("\\x7B") || text.starts_with("\\x7b") {
            record.entry("request_body").or_insert_with(|| Value::String(text.to_owned()));
        }
    }
    if let Some(longest) = longest {
        record.entry("request_time").or_insert_with(|| Value::String(longest.to_owned()));
    }
}

/// A line of JSON behind a syslog prefix, or with NGINX's default escaping, which is no JSON.
pub(super) fn json_record(line: &str) -> Option<Value> {
    let json = line.get(line.find('{')?..)?.trim_end();
    let parse = |text: &str| serde_json::from_str(text).ok().filter(Value::is_object);
    parse(json).or_else(|| parse(&json.replace("\\x", "\\\\x")))
}
