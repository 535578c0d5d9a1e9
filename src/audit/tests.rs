use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{AuditTable, Finding, FindingCode, Severity, TABLES, findings, json_schema};
use crate::query::{QUERIES, named};

#[test]
fn every_query_of_the_folder_is_part_of_an_audit() {
    let of_folder: Vec<&str> =
        QUERIES.iter().map(|query| query.name).filter(|name| name.starts_with("audit/")).collect();
    let mut of_audit = TABLES.to_vec();
    of_audit.sort_unstable();
    assert_eq!(of_audit, of_folder);
}

#[test]
fn the_published_schema_is_the_one_that_the_queries_promise() {
    let published: Value = serde_json::from_str(include_str!("audit.schema.json")).unwrap();
    assert_eq!(published, json_schema(), "write `rehearsal schema audit` into the file");
}

#[test]
fn the_schema_knows_every_column_of_every_query() {
    let schema = json_schema();
    for name in TABLES {
        let row = &schema["properties"]["tables"]["properties"][*name]["properties"]["rows"];
        let columns = row["items"]["properties"].as_object().unwrap();
        assert_eq!(columns.len(), named(name).unwrap().header().unwrap().columns.len(), "{name}");
    }
}

/// The findings of a capture of 1000 exchanges that has nothing to find, but for `changes`.
fn found(changes: &Value, others: &[(&str, Value)]) -> Vec<Finding> {
    let mut overview = json!({
        "exchanges": 1000, "sessions": 400, "with_tokens": 1000, "streamed": 500,
        "with_latency": 1000, "with_ttft": 500, "sampled": 0, "replayable": 1000,
    });
    for (name, value) in changes.as_object().unwrap() {
        overview[name] = value.clone();
    }
    let period = json!({"days_covered": 15.2, "days_with_traffic": 16, "weekdays_present": 7,
                        "two_weeks": true});
    let mut tables = BTreeMap::new();
    let mut add = |query: &str, row: &Value| {
        let rows = vec![row.as_object().unwrap().clone()];
        let table = AuditTable { purpose: String::new(), columns: Vec::new(), rows };
        tables.insert(query.to_owned(), table);
    };
    add("audit/overview", &overview);
    add("audit/sufficiency", &period);
    for (query, row) in others {
        add(query, row);
    }
    findings::findings(&tables, false).unwrap()
}

fn codes(found: &[Finding]) -> Vec<(Severity, FindingCode)> {
    found.iter().map(|finding| (finding.severity, finding.code)).collect()
}

#[test]
fn a_capture_without_fault_only_says_that_it_suffices() {
    let found = found(&json!({}), &[]);
    assert_eq!(codes(&found), [(Severity::Info, FindingCode::TwoWeeks)]);
    assert!(found[0].text.contains("15.2 days are covered, 16 of them"), "{}", found[0].text);
}

#[test]
fn each_lack_of_a_capture_is_a_finding_and_blockers_come_first() {
    let changes = json!({"sessions": 0, "with_tokens": 899, "with_ttft": 0, "with_latency": 0,
                         "sampled": 10, "replayable": 499});
    let reason = json!({"not_replayable_reason": "redacted", "exchanges": 501});
    let source = json!({"file": "a.log", "lines": 100, "rejected": 2, "incomplete": "cut gzip"});
    let found = found(&changes, &[("audit/replayability", reason), ("audit/sources", source)]);
    let warning = |code| (Severity::Warning, code);
    assert_eq!(
        codes(&found),
        [
            (Severity::Blocker, FindingCode::LowReplayable),
            warning(FindingCode::Sampled),
            warning(FindingCode::NoLatency),
            warning(FindingCode::NoTtft),
            warning(FindingCode::NoTokens),
            warning(FindingCode::NoSessions),
            warning(FindingCode::Rejected),
            warning(FindingCode::Incomplete),
            (Severity::Info, FindingCode::TwoWeeks),
        ]
    );
    assert!(found[0].text.contains("49.9% of the exchanges (499 of 1000)"), "{}", found[0].text);
    assert!(found[0].text.contains("redacted 501"), "{}", found[0].text);
    assert_eq!(found[6].subjects, ["a.log"]);
}

#[test]
fn a_retirement_within_180_days_is_found_and_a_later_one_is_not() {
    let model = |left: i64| {
        json!({"request_model": "prod", "response_model": "m-1", "kind": "deployment",
               "exchanges": 1, "deprecation_date": "2027-01-01", "days_left": left,
               "mapped": null})
    };
    let text = |left| {
        let found = found(&json!({}), &[("audit/models", model(left))]);
        found.into_iter().find(|f| f.code == FindingCode::DeprecatedModels).map(|f| f.text)
    };
    assert_eq!(text(181), None);
    assert!(text(180).unwrap().contains("prod (served by m-1) on 2027-01-01 (180 days after it)"));
    assert!(text(-3).unwrap().contains("(3 days before it)"));
}
