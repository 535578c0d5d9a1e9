//! Similarity of texts.

use rehearsal::similarity;

use super::Families;
use super::case::Case;

pub(super) const FAMILIES: Families = &[
    ("levenshtein", levenshtein),
    ("rouge_l", rouge_l),
    ("lcs_f1", lcs_f1),
    ("chrf", chrf),
    ("token_f1", token_f1),
    ("cosine", cosine),
];

fn levenshtein(case: &Case<'_>) {
    let (a, b) = (case.text("a"), case.text("b"));
    case.expect_count("distance", similarity::edit_distance(a, b) as u64);
    case.expect("norm_sim", similarity::edit_similarity(a, b));
}

fn lcs_f1(case: &Case<'_>) {
    let tokens = |key: &str| -> Vec<String> {
        let list = case.input[key].as_array().unwrap();
        list.iter().map(|token| token.as_str().unwrap().to_owned()).collect()
    };
    let overlap = similarity::lcs_f1(&tokens("ref_tokens"), &tokens("cand_tokens"));
    case.expect_count("lcs", overlap.length as u64);
    case.expect("f1", overlap.f1);
}

fn token_f1(case: &Case<'_>) {
    let (reference, candidate) = (case.text("reference"), case.text("candidate"));
    case.expect_flag("exact", similarity::token_exact(reference, candidate));
    case.expect("f1", similarity::token_f1(reference, candidate));
}

fn rouge_l(case: &Case<'_>) {
    let score = similarity::rouge_l(case.text("reference"), case.text("candidate"));
    case.expect("precision", score.precision);
    case.expect("recall", score.recall);
    case.expect("f1", score.f1);
}

fn chrf(case: &Case<'_>) {
    let (reference, candidate) = (case.text("reference"), case.text("candidate"));
    let score = match (case.count("char_order"), case.count("beta"), case.count("word_order")) {
        (6, 2, 0) => similarity::chrf(reference, candidate),
        (6, 2, 2) => similarity::chrf_plus_plus(reference, candidate),
        other => panic!("orders and beta {other:?}"),
    };
    case.expect("score", score);
}

fn cosine(case: &Case<'_>) {
    case.expect_option("cos", similarity::cosine(&case.numbers("a"), &case.numbers("b")));
}
