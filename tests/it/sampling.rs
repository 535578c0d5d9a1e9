//! Samples of whole sessions, with and without strata, seen from the command line.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::dry_run::{exchange, plan, project};
use crate::kills::Provider;
use crate::support::{number, rows, run};

const PRICES: &str = "prices = { input = \"1 USD/1M\", output = \"2 USD/1M\" }";

/// 120 sessions of two turns on the route `/chat`, and 6 sessions that also use `/rare` once.
fn traffic() -> Vec<Value> {
    let mut log = Vec::new();
    for session in 0..120 {
        for _ in 0..2 {
            let mut record = exchange(log.len(), &json!({}));
            record["session_id"] = json!(format!("s-{session}"));
            record["route"] =
                json!(if session < 6 && log.len() % 2 == 1 { "/rare" } else { "/chat" });
            log.push(record);
        }
    }
    log
}

fn with_sample(base_url: &str, sample: &str) -> String {
    plan(base_url, PRICES, &format!("budget = \"5 USD\"\nsample = {sample}"))
}

/// The sampled exchanges, by session.
fn sampled(folder: &Path, sample: &str) -> BTreeSet<(String, i64)> {
    fs::write(folder.join("rehearsal.toml"), with_sample("http://127.0.0.1:9/v1", sample)).unwrap();
    // A replay that reaches nobody still says what it intends.
    let _ = fs::remove_dir_all(folder.join("runs"));
    assert_eq!(run(folder, &["replay"]).code, 75);
    rows(
        folder,
        "SELECT session_id, ordinal FROM planned JOIN capture USING (ordinal) \
         WHERE excluded_reason IS NULL",
    )
    .iter()
    .map(|row| (row["session_id"].as_str().unwrap().to_owned(), row["ordinal"].as_i64().unwrap()))
    .collect()
}

#[test]
fn whole_sessions_are_taken_and_a_larger_sample_contains_a_smaller_one() {
    let folder = project(&with_sample("http://127.0.0.1:9/v1", "\"100%\""), &traffic());
    for form in ["\"{}%\"", "{ share = \"{}%\", stratify_by = \"route\", min_per_stratum = 3 }"] {
        let samples: Vec<BTreeSet<(String, i64)>> = [10, 30, 60]
            .iter()
            .map(|share| sampled(folder.path(), &form.replace("{}", &share.to_string())))
            .collect();
        assert!(!samples[0].is_empty());
        for pair in samples.windows(2) {
            assert!(pair[0].is_subset(&pair[1]), "{form}");
            assert!(pair[0].len() < pair[1].len(), "{form}");
        }
        for sample in &samples {
            let sessions: BTreeSet<&String> = sample.iter().map(|(session, _)| session).collect();
            assert_eq!(sample.len(), 2 * sessions.len(), "a session was torn apart");
        }
    }
}

#[test]
fn a_rare_route_is_taken_whole_and_every_row_carries_its_weight() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path());
    let sample = "{ share = \"25%\", stratify_by = \"route\", min_per_stratum = 10 }";
    let folder = project(&with_sample(&provider.base_url, sample), &traffic());
    let path = folder.path();

    let strata = run(path, &["sql", "--query", "plan/strata", "--format", "json"]);
    let strata: Value = serde_json::from_str(&strata.stdout).unwrap();
    // 114 sessions, of which 25 % rounded up are 29; the six that use the rare route are all taken.
    assert_eq!(strata[0]["stratum"], "/chat");
    assert_eq!((&strata[0]["sessions"], &strata[0]["sessions_taken"]), (&json!(114), &json!(29)));
    assert_eq!(strata[1]["stratum"], "/rare");
    assert_eq!((&strata[1]["sessions"], &strata[1]["sessions_taken"]), (&json!(6), &json!(6)));
    assert_eq!(strata[1]["sample_weight"], 1.0);
    let text = run(path, &["plan"]).stdout;
    assert!(text.contains("25.0% of the sessions of each route, at least 10"), "{text}");
    assert!(text.contains("not_sampled"), "{text}");

    assert_eq!(run(path, &["replay"]).code, 0);
    let weights = rows(
        path,
        "SELECT stratum, COUNT(*) AS n, MIN(results.sample_weight) AS least, \
         MAX(results.sample_weight) AS most FROM results JOIN planned USING (arm, ordinal) \
         WHERE \"final\" GROUP BY stratum ORDER BY stratum",
    );
    let expected = 114.0 / 29.0;
    assert_eq!(weights[0]["n"], 58);
    assert_eq!(weights[0]["least"].as_f64(), Some(expected));
    assert_eq!(weights[0]["most"].as_f64(), Some(expected));
    assert_eq!((&weights[1]["n"], &weights[1]["most"]), (&json!(12), &json!(1.0)));
    // The weights of what was sent add up to what was captured: 240 exchanges.
    let total = rows(path, "SELECT SUM(sample_weight) AS total FROM planned")[0]["total"].as_f64();
    assert!((total.unwrap() - 240.0).abs() < 1e-9, "{total:?}");
    assert_eq!(
        number(path, "SELECT COUNT(*) FROM pairs WHERE excluded_reason = 'not_sampled'"),
        170
    );
    let judged = run(path, &["judge", "--json"]);
    let verdict: Value = serde_json::from_str(&judged.stdout).unwrap();
    let coverage = &verdict["coverage"][0];
    assert_eq!((&coverage["captured"], &coverage["planned"]), (&json!(240), &json!(70)));
    assert_eq!(coverage["excluded"]["not_sampled"], 170);
}

#[test]
fn a_figure_over_unequal_weights_decides_nothing_and_one_within_a_stratum_does() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(folder.path());
    // Sessions keep to one route each, so that each route is a stratum of its own.
    let mut log = traffic();
    for (index, record) in log.iter_mut().enumerate() {
        record["route"] = json!(if index < 12 { "/rare" } else { "/chat" });
    }
    let sample = "{ share = \"25%\", stratify_by = \"route\", min_per_stratum = 10 }";
    let text = with_sample(&provider.base_url, sample)
        + "[[criterion]]\nmetric = \"error_rate\"\nmax = \"90%\"\nsegment = \"route\"\n"
        + "[[criterion]]\nmetric = \"coverage\"\nmin = \"50%\"\n";
    let folder = project(&text, &log);
    let path = folder.path();
    assert_eq!(run(path, &["replay"]).code, 0);
    let judged = run(path, &["judge", "--json"]);
    assert_eq!(judged.code, 11, "{}", judged.stdout);
    let verdict: Value = serde_json::from_str(&judged.stdout).unwrap();
    let criteria = verdict["criteria"].as_array().unwrap();
    let overall = criteria.iter().find(|row| row["segment"].is_null()).unwrap();
    assert_eq!(
        (&overall["metric"], &overall["outcome"]),
        (&json!("error_rate"), &json!("inconclusive"))
    );
    let reason = overall["reason"].as_str().unwrap();
    assert!(reason.contains("it is of the sample, not of the traffic"), "{reason}");
    assert_eq!(overall["needed"], Value::Null);
    let by_route: Vec<&Value> = criteria.iter().filter(|row| row["segment"] == "route").collect();
    assert!(!by_route.is_empty());
    assert!(by_route.iter().all(|row| row["outcome"] == "met"), "{by_route:?}");
    let coverage = criteria.iter().find(|row| row["metric"] == "coverage").unwrap();
    assert_eq!(coverage["outcome"], "met", "coverage is a figure of the run itself");
}

#[test]
fn mistakes_in_a_sample_are_shown_with_the_way_out() {
    let log = [exchange(0, &json!({}))];
    let cases: &[(&str, &str)] = &[
        ("{ share = \"10%\", stratify_by = \"rout\" }", "did you mean `route`?"),
        ("{ share = \"0%\", stratify_by = \"route\" }", "more than 0"),
        ("{ share = \"10%\", by = \"route\" }", "stratify_by = \"route\""),
        ("\"200%\"", "at most 100 %"),
    ];
    let folder = project(&with_sample("http://127.0.0.1:9/v1", "\"100%\""), &log);
    for (sample, words) in cases {
        let text = with_sample("http://127.0.0.1:9/v1", sample);
        fs::write(folder.path().join("rehearsal.toml"), text).unwrap();
        let said = run(folder.path(), &["plan"]);
        assert_eq!(said.code, 3, "{sample}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{sample}: {}", said.stderr);
    }
}
