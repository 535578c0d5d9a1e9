//! Records taken out of what other software has put them in.

use serde_json::Value;

use super::documents::LISTS;

/// Members that stand beside a list of records and say nothing of them.
const BESIDE_LISTS: &[&str] = &[
    "object",
    "first_id",
    "last_id",
    "has_more",
    "meta",
    "error",
    "errors",
    "messages",
    "success",
    "result_info",
    "next",
    "nextLink",
    "@odata.nextLink",
    "next_page",
    "next_cursor",
    "cursor",
    "cursors",
    "page",
    "total",
    "count",
    "status",
    "messageType",
    "owner",
    "logGroup",
    "logStream",
    "subscriptionFilters",
    "nextToken",
];

/// Members that log shippers put around a record that they carry as text.
const BESIDE_MESSAGE: &[&str] = &[
    "timestamp",
    "@timestamp",
    "ingestionTime",
    "eventId",
    "id",
    "logStreamName",
    "log_group",
    "log_stream",
    "logGroup",
    "logStream",
    "date",
    "ddsource",
    "ddtags",
    "dd.trace_id",
    "dd.span_id",
    "hostname",
    "host",
    "service",
    "status",
    "source",
    "stream",
    "ptr",
];

/// How deep envelopes lie in each other: Datadog in a list, CloudWatch in a subscription.
const MAX_DEPTH: u32 = 3;

/// The records in a value: its own, or those that it is the envelope of.
pub(super) fn open(value: Value) -> Vec<Value> {
    let mut records = Vec::with_capacity(1);
    open_into(value, MAX_DEPTH, &mut records);
    records
}

fn open_into(value: Value, depth: u32, records: &mut Vec<Value>) {
    let Value::Object(mut members) = value else {
        match value {
            Value::Array(items) if depth > 0 => {
                for item in items {
                    open_into(item, depth - 1, records);
                }
            }
            other => records.push(other),
        }
        return;
    };
    if depth > 0 {
        if let Some(Value::Object(log)) = members.get_mut("log")
            && log.contains_key("version")
            && let Some(Value::Array(entries)) = log.get_mut("entries")
        {
            records.append(entries);
            return;
        }
        let is_otlp = |name: &str| name.starts_with("resource");
        let lists: Vec<&str> =
            LISTS.iter().copied().filter(|list| members.contains_key(*list)).collect();
        let only_beside =
            |name: &String| LISTS.contains(&name.as_str()) || BESIDE_LISTS.contains(&name.as_str());
        let is_envelope = lists.iter().any(|list| is_otlp(list)) || members.keys().all(only_beside);
        if is_envelope
            && lists.iter().all(|list| members.get(*list).is_some_and(holds_records))
            && !lists.is_empty()
        {
            for list in lists {
                if let Some(inner) = members.remove(list) {
                    open_into(inner, depth - 1, records);
                }
            }
            return;
        }
        if let Some(inner) = carried(&members) {
            open_into(inner, depth - 1, records);
            return;
        }
    }
    records.push(Value::Object(members));
}

/// A list of objects, or the one object of a page that holds one record.
fn holds_records(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(Value::is_object) && !items.is_empty(),
        Value::Object(_) => true,
        _ => false,
    }
}

/// The record that a shipper carries as the text of a message.
fn carried(members: &serde_json::Map<String, Value>) -> Option<Value> {
    let message = members.get("message")?.as_str()?;
    let is_beside = |name: &String| name == "message" || BESIDE_MESSAGE.contains(&name.as_str());
    if !message.trim_start().starts_with('{') || !members.keys().all(is_beside) {
        return None;
    }
    serde_json::from_str(message).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages_lists_and_carried_texts_are_opened() {
        let (a, b) = (json!({"a": 1}), json!({"b": 2}));
        for envelope in [
            json!([a, b]),
            json!({"object": "list", "data": [a, b], "has_more": false}),
            json!({"log": {"version": "1.2", "entries": [a, b]}}),
            json!({"resourceSpans": [a], "resourceLogs": [b]}),
            json!({"logGroup": "g", "logEvents": [
                {"id": "1", "timestamp": 1, "message": "{\"a\":1}"},
                {"id": "2", "timestamp": 2, "message": "{\"b\":2}"}]}),
            json!([{"ddsource": "litellm", "message": "{\"a\":1}"}, b]),
        ] {
            assert_eq!(open(envelope.clone()), [a.clone(), b.clone()], "{envelope}");
        }
        assert_eq!(open(json!({"data": a})), [a]);
    }

    #[test]
    fn a_record_with_such_members_of_its_own_is_left_alone() {
        for record in [
            json!({"timestamp": 1, "request": {}, "data": [{"a": 1}]}),
            json!({"object": "list", "data": [1, 2]}),
            json!({"data": [], "object": "list"}),
            json!({"message": "{not json", "timestamp": 1}),
            json!({"message": "{\"a\":1}", "request": {}}),
            json!({"log": {"entries": [{"a": 1}]}}),
            json!({"messages": []}),
            json!({}),
        ] {
            assert_eq!(open(record.clone()), [record]);
        }
    }
}
