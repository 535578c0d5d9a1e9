//! The audit: every figure of a small capture by hand, and every view of poor and hostile ones.

mod figures;
mod views;

use std::path::Path;

use rehearsal::audit::{Audit, audit};
use rehearsal::capture::{ImportOptions, SecretsOnly, import};
use rehearsal::dataset::{CaptureStore, Project};
use rehearsal::query::{Scope, Session};
use serde_json::{Value, json};

/// Imports records as lines of the plain convention and opens a session without run and plan.
async fn opened(folder: &Path, lines: &[String]) -> (Session, Project) {
    let log = folder.join("log.jsonl");
    std::fs::write(&log, lines.join("\n")).unwrap();
    let project = Project::new(folder);
    let options = ImportOptions {
        inputs: vec![log.to_string_lossy().into_owned()],
        format: Some("plain".to_owned()),
        max_reject_rate: 1.0,
        ..ImportOptions::default()
    };
    import(&project, &options, &SecretsOnly, &mut |_| {}).unwrap();
    (Session::open(&project, Scope::default()).await.unwrap(), project)
}

async fn audited(lines: &[String]) -> Audit {
    let folder = tempfile::tempdir().unwrap();
    let (session, project) = opened(folder.path(), lines).await;
    let manifest = CaptureStore::open(&project).unwrap().manifest().clone();
    audit(&session, &manifest, None).await.unwrap()
}

/// One exchange: `extra` is laid over a plain request and answer.
fn exchange(id: &str, at: &str, model: &str, tokens: Option<(u64, u64)>, extra: &Value) -> String {
    let usage = tokens.map(|(input, output)| {
        json!({"prompt_tokens": input, "completion_tokens": output,
               "total_tokens": input + output})
    });
    let mut record = json!({
        "id": id, "timestamp": at, "provider": "openai",
        "request": {"model": model, "messages": [{"role": "user", "content": format!("Ask {id}")}]},
        "status": 200,
        "response": {"object": "chat.completion", "model": model, "usage": usage,
                     "choices": [{"index": 0, "finish_reason": "stop",
                                  "message": {"role": "assistant", "content": "Yes."}}]},
    });
    overlay(&mut record, extra);
    record.to_string()
}

fn overlay(record: &mut Value, extra: &Value) {
    let (Some(record), Some(extra)) = (record.as_object_mut(), extra.as_object()) else { return };
    for (name, value) in extra {
        match record.get_mut(name) {
            Some(inner) if inner.is_object() && value.is_object() => overlay(inner, value),
            _ => {
                record.insert(name.clone(), value.clone());
            }
        }
    }
}

/// Two Mondays and a Tuesday: five exchanges, one of them refused, and one broken line.
fn two_weeks() -> Vec<String> {
    let cached = json!({
        "latency_ms": 1000.0, "ttft_ms": 200.0, "session_id": "s1", "tenant": "ops",
        "cost_usd": 0.001, "request": {"stream": true},
        "response": {"usage": {"prompt_tokens_details": {"cached_tokens": 40}}},
    });
    let warm = json!({"latency_ms": 1000.0, "session_id": "s1", "tenant": "ops",
                      "request": {"temperature": 0.5, "stream": false}});
    let tuned = json!({"latency_ms": 2000.0, "session_id": "s2", "tenant": "search",
                       "request": {"n": 2}});
    let refused = json!({"latency_ms": 50.0, "status": 429, "response": null,
                         "error": {"message": "Rate limit reached", "type": "rate_limit_error"}});
    let late = json!({"latency_ms": 3000.0});
    let model = "ft:gpt-4o-mini-2024-07-18:acme::x";
    vec![
        exchange("r1", "2026-11-02T10:00:00Z", "gpt-4o", Some((100, 10)), &cached),
        exchange("r2", "2026-11-02T10:00:00.500Z", "gpt-4o", Some((200, 20)), &warm),
        exchange("r3", "2026-11-02T10:00:30Z", model, Some((300, 30)), &tuned),
        exchange("r4", "2026-11-03T11:15:00Z", "gpt-4o", None, &refused),
        exchange("r5", "2026-11-16T10:00:00Z", "gpt-4o", Some((400, 40)), &late),
        "{\"id\": ".to_owned(),
    ]
}

/// The rows of a table in which all named columns have the given values.
fn rows<'a>(
    audit: &'a Audit,
    query: &str,
    wanted: &Value,
) -> Vec<&'a serde_json::Map<String, Value>> {
    let fits = |row: &&serde_json::Map<String, Value>| {
        wanted.as_object().unwrap().iter().all(|(name, value)| row.get(name) == Some(value))
    };
    audit.tables[query].rows.iter().filter(fits).collect()
}

/// Checks that exactly one row has these values.
fn check(audit: &Audit, query: &str, wanted: &Value) {
    let table = serde_json::to_string_pretty(&audit.tables[query].rows).unwrap();
    assert_eq!(rows(audit, query, wanted).len(), 1, "{query}: {wanted} in {table}");
}
