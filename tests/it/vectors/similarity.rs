//! Similarity of texts.

use rehearsal::similarity;

use super::Families;
use super::case::Case;

pub(super) const FAMILIES: Families =
    &[("levenshtein", levenshtein), ("lcs_f1", lcs_f1), ("token_f1", token_f1)];

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
