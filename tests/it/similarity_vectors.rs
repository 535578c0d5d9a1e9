//! Reference values of the families of the vector file that belong to `similarity`.
//!
//! `tests/fixtures/vectors/text_vectors.json` has the six families of texts and vectors, computed
//! with rapidfuzz, rouge-score, sacrebleu and mpmath. `REHEARSAL_VECTORS` names another file of the
//! same form.

use rehearsal::similarity;
use serde_json::Value;

const FIXTURE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/vectors/text_vectors.json"));

const FAMILIES: &[(&str, usize)] = &[
    ("levenshtein", 24),
    ("rouge_l", 24),
    ("lcs_f1", 7),
    ("chrf", 48),
    ("token_f1", 24),
    ("cosine", 10),
];

/// Whether one case holds; `None` for a family of which this file knows nothing. A number passes
/// when it differs by at most max(`absolute`, `relative` times the larger magnitude).
pub(crate) fn check(
    family: &str,
    input: &Value,
    output: &Value,
    (relative, absolute): (f64, f64),
) -> Option<bool> {
    let text = |key: &str| input[key].as_str().unwrap_or_else(|| panic!("{family}: {key}"));
    let near = |key: &str, got: f64| {
        let wanted = output[key].as_f64().unwrap_or_else(|| panic!("{family}: {key}"));
        (got - wanted).abs() <= absolute.max(relative * got.abs().max(wanted.abs()))
    };
    let tokens = |key: &str| -> Vec<String> {
        let list = input[key].as_array().unwrap();
        list.iter().map(|token| token.as_str().unwrap().to_owned()).collect()
    };
    let numbers = |key: &str| -> Vec<f64> {
        input[key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    Some(match family {
        "levenshtein" => {
            let (a, b) = (text("a"), text("b"));
            output["distance"].as_u64() == Some(similarity::edit_distance(a, b) as u64)
                && near("norm_sim", similarity::edit_similarity(a, b))
        }
        "rouge_l" => {
            let score = similarity::rouge_l(text("reference"), text("candidate"));
            near("precision", score.precision)
                && near("recall", score.recall)
                && near("f1", score.f1)
        }
        "lcs_f1" => {
            let overlap = similarity::lcs_f1(&tokens("ref_tokens"), &tokens("cand_tokens"));
            output["lcs"].as_u64() == Some(overlap.length as u64) && near("f1", overlap.f1)
        }
        "chrf" => {
            assert_eq!((input["char_order"].as_u64(), input["beta"].as_u64()), (Some(6), Some(2)));
            let (reference, candidate) = (text("reference"), text("candidate"));
            let score = match input["word_order"].as_u64() {
                Some(0) => similarity::chrf(reference, candidate),
                Some(2) => similarity::chrf_plus_plus(reference, candidate),
                other => panic!("word order {other:?}"),
            };
            near("score", score)
        }
        "token_f1" => {
            let (reference, candidate) = (text("reference"), text("candidate"));
            output["exact"].as_bool() == Some(similarity::token_exact(reference, candidate))
                && near("f1", similarity::token_f1(reference, candidate))
        }
        "cosine" => match similarity::cosine(&numbers("a"), &numbers("b")) {
            Some(cosine) => !output["cos"].is_null() && near("cos", cosine),
            None => output["cos"].is_null(),
        },
        _ => return None,
    })
}

#[test]
fn vectors_of_texts_match() {
    let text = std::env::var_os("REHEARSAL_VECTORS")
        .map_or_else(|| FIXTURE.to_owned(), |path| std::fs::read_to_string(path).unwrap());
    let file: Value = serde_json::from_str(&text).unwrap();
    for (name, least) in FAMILIES {
        let family = &file["families"][*name];
        let cases = family["cases"].as_array().unwrap();
        let holds = |case: &&Value| {
            let tolerance = case.get("tol").unwrap_or(&family["tol"]);
            let of = |key: &str| tolerance[key].as_f64().unwrap();
            let tolerance = (of("rel"), of("abs"));
            check(name, &case["in"], &case["out"], tolerance).unwrap()
        };
        let missed: Vec<&str> = cases
            .iter()
            .filter(|case| !holds(case))
            .map(|case| case["id"].as_str().unwrap())
            .collect();
        println!("{name} {}/{}", cases.len() - missed.len(), cases.len());
        assert!(missed.is_empty(), "{name}: {missed:?}");
        assert!(cases.len() >= *least, "{name} has shrunk to {}", cases.len());
    }
}
