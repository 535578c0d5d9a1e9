//! Every query of the catalogue: its header, its plan, and what it says of nothing.

use std::collections::BTreeSet;
use std::fs;

use rehearsal::dataset::Project;
use rehearsal::query::{NamedQuery, OutputFormat, Parameters, QUERIES, Scope, Session, write_rows};

use crate::support::repository;

async fn empty_session() -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&Project::new(folder.path()), Scope::default()).await.unwrap();
    (folder, session)
}

/// A value of the right type for each parameter.
fn parameters(query: &NamedQuery) -> Parameters {
    let value = |name: &str, data_type: &str| match (name, data_type) {
        ("arm", _) => "next",
        ("segment", _) => "request_model",
        ("measure", _) if query.name.contains("consistency") => "edit",
        ("measure", _) => "latency_ms",
        ("array_order", _) => "free",
        (_, "Int64") => "10",
        _ => "0.5",
    };
    let header = query.header().unwrap();
    header
        .parameters
        .iter()
        .map(|field| (field.name.clone(), value(&field.name, &field.data_type).to_owned()))
        .collect()
}

#[test]
fn every_file_is_in_the_catalogue_and_has_a_header() {
    let mut files = BTreeSet::new();
    for group in fs::read_dir(repository("queries")).unwrap() {
        let group = group.unwrap().path();
        let Ok(entries) = fs::read_dir(&group) else { continue };
        for file in entries {
            let file = file.unwrap().path();
            if file.extension().is_some_and(|ending| ending == "sql") {
                let name = file.file_stem().unwrap().to_string_lossy().into_owned();
                files.insert(format!("{}/{name}", group.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    let catalogue: BTreeSet<String> = QUERIES.iter().map(|query| query.name.to_owned()).collect();
    assert_eq!(files, catalogue);
    for query in QUERIES {
        query.header().unwrap_or_else(|error| panic!("{}: {error}", query.name));
        assert!(!query.sql.contains("SELECT *"), "{} selects everything", query.name);
    }
}

fn plain_type(data_type: &str) -> &str {
    match data_type {
        "Utf8View" | "LargeUtf8" => "Utf8",
        other if other.starts_with("Timestamp") => "Timestamp",
        other => other,
    }
}

#[tokio::test]
async fn every_query_plans_to_the_columns_of_its_header() {
    let (_folder, session) = empty_session().await;
    for query in QUERIES {
        let frame = session.query(query, &parameters(query)).await.unwrap();
        let planned: Vec<(String, String)> = frame
            .schema()
            .fields()
            .iter()
            .map(|f| (f.name().clone(), plain_type(&f.data_type().to_string()).to_owned()))
            .collect();
        let promised: Vec<(String, String)> = query
            .header()
            .unwrap()
            .columns
            .into_iter()
            .map(|column| (column.name, column.data_type))
            .collect();
        assert_eq!(planned, promised, "{}", query.name);
    }
}

#[tokio::test]
async fn every_query_runs_on_empty_tables_and_invents_no_number() {
    let (_folder, session) = empty_session().await;
    for query in QUERIES {
        let frame = session.query(query, &parameters(query)).await.unwrap();
        let rows = session.collect(frame, query.name).await.unwrap();
        let mut text = Vec::new();
        write_rows(&rows, OutputFormat::Json, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("NaN"), "{}: {text}", query.name);
        let parsed: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert!(parsed.is_empty(), "{} finds {} rows in nothing", query.name, parsed.len());
    }
}

#[tokio::test]
async fn no_deciding_query_sums_floats_in_the_engine() {
    let (_folder, session) = empty_session().await;
    let mut looked_at = 0;
    for query in QUERIES.iter().filter(|query| query.name.starts_with("criteria/")) {
        let frame = session.query(query, &parameters(query)).await.unwrap();
        let plan = frame.into_optimized_plan().unwrap().display_indent().to_string().to_lowercase();
        let money_only = plan
            .replace("sum(results.cost_nanousd)", "")
            .replace("sum(results.input_tokens)", "")
            .replace("sum(results.output_tokens)", "");
        for forbidden in ["avg(", "sum(", "stddev", "approx_"] {
            assert!(!money_only.contains(forbidden), "{} uses {forbidden}: {plan}", query.name);
        }
        looked_at += 1;
    }
    assert!(looked_at >= 12);
}

#[tokio::test]
async fn parameters_are_checked_against_the_header() {
    let (_folder, session) = empty_session().await;
    let query = rehearsal::query::find("criteria/error_rate").unwrap();
    let mut given = parameters(query);
    given.insert("limit".into(), "many".into());
    let refused = session.query(query, &given).await.unwrap_err().to_string();
    assert!(refused.contains("`limit` is not of type Float64"), "{refused}");
    given.insert("limit".into(), "0.1".into());
    given.insert("limt".into(), "0.1".into());
    assert!(session.query(query, &given).await.unwrap_err().to_string().contains("`limt`"));
    given.remove("limt");
    given.remove("arm");
    assert!(session.query(query, &given).await.unwrap_err().to_string().contains("`arm`"));
}

#[tokio::test]
async fn a_user_can_ask_but_not_change() {
    let (_folder, session) = empty_session().await;
    let none = Parameters::new();
    assert!(session.sql("SELECT COUNT(*) FROM pairs", &none).await.is_ok());
    for attack in [
        "DROP TABLE capture",
        "COPY capture TO 'stolen.parquet'",
        "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '/etc'",
        "INSERT INTO arms VALUES ('x', true, 1)",
        "SET datafusion.execution.batch_size = 1",
    ] {
        assert!(session.sql(attack, &none).await.is_err(), "{attack}");
    }
}
