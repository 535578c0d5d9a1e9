//! The text functions of SQL: what they return, what they make of NULL, and that batches and
//! partitions do not matter.

use rehearsal::dataset::Project;
use rehearsal::query::{OutputFormat, Parameters, Scope, Session, write_rows};
use serde_json::{Value, json};

async fn ask(sql: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let session = Session::open(&Project::new(folder.path()), Scope::default()).await.unwrap();
    let frame = session.sql(sql, &Parameters::new()).await.unwrap();
    let rows = session.collect(frame, "test").await.unwrap();
    let mut text = Vec::new();
    write_rows(&rows, OutputFormat::Json, &mut text).unwrap();
    serde_json::from_slice(&text).unwrap()
}

async fn one(expression: &str) -> Value {
    ask(&format!("SELECT {expression} AS x")).await[0].get("x").cloned().unwrap_or(Value::Null)
}

fn close(value: &Value, wanted: f64) {
    let got = value.as_f64().unwrap_or_else(|| panic!("{value}"));
    assert!((got - wanted).abs() < 1e-9, "{got} {wanted}");
}

#[tokio::test]
async fn similarities_are_those_of_the_reference_implementations() {
    close(&one("edit_similarity('kitten', 'sitting')").await, 4.0 / 7.0);
    close(&one("token_f1('The cat sat', 'cat sat down')").await, 0.8);
    close(&one("lcs_f1('Привет, мир', 'привет мир')").await, 1.0);
    // rouge_score 0.1.2 and sacrebleu 2.6.0.
    let rouge = one("rouge_l('the cat sat on the mat', 'a cat sat on a mat')").await;
    close(&rouge["f1"], 2.0 / 3.0);
    close(&rouge["precision"], 2.0 / 3.0);
    close(&one("chrf('the cat', 'the cat')").await, 100.0);
    close(&one("chrf('abc', 'abd')").await, 38.888_888_888_888_886);
    close(&one("length_ratio('ab', 'abcd')").await, 2.0);
    close(&one("cosine([1.0, 0.0], [1.0, 1.0])").await, std::f64::consts::FRAC_1_SQRT_2);
    assert_eq!(one("cosine([0.0], [1.0])").await, Value::Null);
}

#[tokio::test]
async fn json_is_compared_by_path() {
    let left = r#"{"a": 1, "b": [1, {"c": "x"}], "gone": null}"#;
    let right = r#"{"b": [1, {"c": 7}], "a": 1.0}"#;
    let found = one(&format!("json_diff('{left}', '{right}')")).await;
    let expected = json!([
        {"path": "$.b[1].c", "kind": "type", "left_type": "string", "right_type": "number"},
        {"path": "$.gone", "kind": "removed", "left_type": "null", "right_type": null},
    ]);
    assert_eq!(found, expected);
    close(&one(&format!("json_similarity('{left}', '{right}')")).await, 0.5);
    assert_eq!(one("json_diff('[1,2]', '[2,1]', 'free')").await, json!([]));
    assert_eq!(one("json_diff('[100]', '[101]', 'ordered', 0.02)").await, json!([]));
    assert_eq!(one("json_diff('[100]', '[101]', 'no such option')").await, Value::Null);
    assert_eq!(one("json_diff('prose', '{}')").await, Value::Null);
}

#[tokio::test]
async fn tool_calls_are_compared_by_argument() {
    let left = r#"[{"id":"1","name":"f","arguments":"{\"x\":1}"},{"id":"2","name":"g"}]"#;
    let right = r#"[{"id":"9","name":"g"},{"id":"8","name":"f","arguments":"{\"x\":2}"}]"#;
    let found = one(&format!("tool_calls_diff('{left}', '{right}')")).await;
    let wanted = json!([{"tool": "f", "kind": "value", "argument": "$.x", "left_type": "number",
                         "right_type": "number"}]);
    assert_eq!(found, wanted);
    let swapped = r#"[{"name":"g"},{"name":"f","arguments":"{\"x\":1}"}]"#;
    assert_eq!(one(&format!("tool_calls_equal('{left}', '{swapped}')")).await, json!(true));
    assert_eq!(one(&format!("tool_sequence_equal('{left}', '{swapped}')")).await, json!(false));
    assert_eq!(one("tool_calls_diff('prose', '[]')").await, Value::Null);
}

#[tokio::test]
async fn refusals_and_languages_are_named() {
    assert_eq!(one("refusal('Sorry, I cannot help with that.')").await, json!("full"));
    assert_eq!(one("refusal('The answer is 42.')").await, json!("none"));
    assert_eq!(one("language('Die Rechnung ist noch nicht da.')").await, json!("de"));
    assert_eq!(one("language('42')").await, Value::Null);
    assert_eq!(one("is_refusal(NULL, NULL, 'content_filter')").await, json!(true));
}

#[tokio::test]
async fn null_in_null_out() {
    for (function, arguments) in [
        ("edit_similarity", 2),
        ("token_f1", 2),
        ("lcs_f1", 2),
        ("rouge_l", 2),
        ("chrf", 2),
        ("chrf_plus_plus", 2),
        ("length_ratio", 2),
        ("normalised_equal", 2),
        ("json_equal", 2),
        ("json_diff", 2),
        ("json_similarity", 2),
        ("tool_calls_equal", 2),
        ("tool_sequence_equal", 2),
        ("tool_calls_diff", 2),
        ("cosine", 2),
        ("refusal", 1),
        ("language", 1),
        ("is_json", 1),
    ] {
        let given = if function == "cosine" { "[1.0]" } else { "'{}'" };
        for missing in 0..arguments {
            let list: Vec<&str> =
                (0..arguments).map(|i| if i == missing { "NULL" } else { given }).collect();
            let call = format!("{function}({})", list.join(", "));
            assert_eq!(one(&call).await, Value::Null, "{call}");
        }
    }
}

#[tokio::test]
async fn many_rows_give_what_one_row_gives() {
    let sql = "SELECT CAST(MAX(n) - MIN(n) AS DOUBLE) AS spread, COUNT(*) AS n
               FROM (SELECT chrf('the cat sat', 'the cat ran') + edit_similarity('abc', 'abd')
                            + CAST(COALESCE(cardinality(json_diff('[1]', text)), -1) AS DOUBLE) AS n
                     FROM (SELECT '[' || CAST(value AS VARCHAR) || ']' AS text
                           FROM generate_series(2, 50000)))";
    let rows = ask(sql).await;
    assert_eq!(rows, [json!({"spread": 0.0, "n": 49_999})]);
}
