//! Every view of an audit: its schema, poor captures, hostile names, the command line.

use rehearsal::audit::{Audit, audit, json_schema};
use rehearsal::dataset::CaptureStore;
use rehearsal::query::{OutputFormat, Parameters, find, write_rows};
use rehearsal::report::{audit_html, audit_json, audit_markdown, audit_text};
use serde_json::{Value, json};

use super::{audited, exchange, opened, two_weeks};
use crate::support::run;

/// Every view, with the JSON checked against its schema.
fn views(audit: &Audit) -> [String; 4] {
    let json = audit_json(audit).unwrap();
    let value: Value = serde_json::from_str(&json).unwrap();
    let validator = jsonschema::validator_for(&json_schema()).unwrap();
    let faults: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let html = audit_html(audit, "2026-11-22T00:00:00Z").unwrap();
    [audit_text(audit), audit_markdown(audit), html, json]
}

#[tokio::test]
async fn every_view_names_every_query_and_the_json_follows_its_schema() {
    let audit = audited(&two_weeks()).await;
    for view in views(&audit) {
        for query in rehearsal::audit::TABLES {
            assert!(view.contains(query), "{query} is not in {view}");
        }
        assert!(view.contains("ft:gpt-4o-mini-2024-07-18:acme::x"));
    }
    let published = include_str!("../../../src/audit/audit.schema.json");
    let mut broken: Value = serde_json::from_str(&audit_json(&audit).unwrap()).unwrap();
    broken["tables"]["audit/models"]["rows"][0]["exchanges"] = json!("many");
    let schema: Value = serde_json::from_str(published).unwrap();
    assert!(!jsonschema::is_valid(&schema, &broken));
}

#[tokio::test]
async fn a_poor_capture_still_has_every_view() {
    let at = "2026-11-02T10:00:00Z";
    let failed = json!({"status": 500, "response": null, "error": {"message": "x"}});
    let poor: [Vec<String>; 3] = [
        vec![exchange("one", at, "gpt-4o", None, &json!({}))],
        (0..3).map(|i| exchange(&format!("f{i}"), at, "gpt-4o", None, &failed)).collect(),
        vec![
            "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}, \
              {\"role\": \"assistant\", \"content\": \"b\"}]}"
                .to_owned(),
        ],
    ];
    for lines in poor {
        for view in views(&audited(&lines).await) {
            assert!(!view.contains("NaN") && !view.contains("inf"), "{view}");
        }
    }
}

/// A hundred names made to attack a page, a document, a terminal, a spreadsheet.
fn hostile() -> Vec<String> {
    const ATTACKS: [&str; 20] = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "</td></table><h1>",
        "' onmouseover='alert(1)",
        "<!--",
        "]]>",
        "javascript:alert(1)",
        "[a](http://example.com)",
        "![a](http://example.com/x.png)",
        "a|b|c",
        "`code`",
        "**bold**",
        "@everyone",
        "#1",
        "\u{1b}[2J\u{1b}[31m",
        "\u{1b}]52;c;AAAA\u{7}",
        "\u{202e}desrever",
        "=HYPERLINK(1)",
        "line\nbreak\r\n| new | row |",
        "\u{0}nul\u{200b}",
    ];
    const FRAMES: [(&str, &str); 5] =
        [("", ""), ("gpt-4o ", ""), ("", " 4o"), ("ft:", "::x"), ("a/", "/b")];
    ATTACKS
        .iter()
        .flat_map(|attack| {
            FRAMES.iter().map(move |(before, after)| format!("{before}{attack}{after}"))
        })
        .collect()
}

#[tokio::test]
async fn a_hundred_hostile_names_are_shown_and_not_obeyed() {
    let names = hostile();
    assert_eq!(names.len(), 100);
    let lines: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let at = format!("2026-11-02T10:{:02}:{:02}Z", index / 60, index % 60);
            let extra = json!({"tenant": name, "route": name, "session_id": name, "provider": name,
                               "latency_ms": 5.0});
            exchange(&format!("h{index}"), &at, name, Some((1, 1)), &extra)
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let (session, project) = opened(folder.path(), &lines).await;
    let manifest = CaptureStore::open(&project).unwrap().manifest().clone();
    let audit = audit(&session, &manifest, None).await.unwrap();
    assert!(audit.tables["audit/tenants"].rows.len() > 90);
    let [text, markdown, html, _] = views(&audit);
    let is_hidden =
        |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    for view in [&text, &markdown, &html] {
        assert!(!view.chars().any(is_hidden), "{:?}", view.chars().find(|c| is_hidden(*c)));
    }
    for tag in ["<script", "<img", "<h1>alert", "onerror=alert(1)>", "</table><h1>"] {
        assert!(!html.contains(tag), "{tag}");
        assert!(!markdown.contains(tag), "{tag}");
    }
    assert_eq!(html.matches("<h1>").count(), 1);
    assert!(html.contains("&#60;script&#62;"));
    let table = markdown.split("**Traffic and cost by tenant**").nth(1).unwrap();
    let cells: Vec<usize> = table
        .lines()
        .filter(|line| line.starts_with('|'))
        .take(20)
        .map(|line| line.matches('|').count())
        .collect();
    assert!(cells.iter().all(|count| *count == cells[0]), "{cells:?}");
    let frame = session.query(find("audit/tenants").unwrap(), &Parameters::new()).await.unwrap();
    let batches = session.collect(frame, "audit/tenants").await.unwrap();
    let mut csv = Vec::new();
    write_rows(&batches, OutputFormat::Csv, &mut csv).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    assert!(!csv.lines().any(|line| line.starts_with("=HYPERLINK")), "{csv}");
}

const PLAN: &str = r#"
version = 1
[incumbent]
provider = "openai"
[[candidate]]
name = "next"
protocol = "openai_chat"
base_url = "http://127.0.0.1:9/v1"
models = { "gpt-4o" = "next-large" }
prices = { input = "1 USD/1M", output = "1 USD/1M" }
[[criterion]]
metric = "error_rate"
max = "1%"
"#;

#[test]
fn the_verb_needs_a_capture_only_and_says_what_a_plan_maps() {
    let folder = tempfile::tempdir().unwrap();
    let empty = run(folder.path(), &["audit"]);
    assert_eq!(empty.code, 3, "{}", empty.stderr);
    std::fs::write(folder.path().join("log.jsonl"), two_weeks().join("\n")).unwrap();
    let log = folder.path().join("log.jsonl");
    let import = ["import", log.to_str().unwrap(), "--from", "plain", "--max-reject-rate", "1"];
    assert_eq!(run(folder.path(), &import).code, 0);

    let said = run(folder.path(), &["audit"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("1 fine-tuned, custom or unlisted model (ft:gpt-4o-mini"));
    let models = run(folder.path(), &["sql", "--query", "audit/models", "--format", "json"]);
    assert_eq!(models.code, 0, "{}", models.stderr);

    std::fs::write(folder.path().join("rehearsal.toml"), PLAN).unwrap();
    let said = run(folder.path(), &["audit", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let audit: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(audit["candidates"], json!(["next"]));
    let first = &audit["findings"][0];
    assert_eq!((&first["severity"], &first["code"]), (&json!("blocker"), &json!("custom_models")));
    assert_eq!(first["subjects"], json!(["ft:gpt-4o-mini-2024-07-18:acme::x"]));
    let maps = audit["tables"]["audit/model_maps"]["rows"].as_array().unwrap();
    assert_eq!(maps.len(), 2);
    assert_eq!(maps[1]["target_model"], "next-large");

    let page = folder.path().join("audit.html");
    let html = ["audit", "--format", "html", "-o", page.to_str().unwrap()];
    assert_eq!(run(folder.path(), &html).code, 0);
    assert!(std::fs::read_to_string(page).unwrap().trim_start().starts_with("<!doctype html>"));
}
