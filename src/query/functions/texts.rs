//! Scalar functions that compare texts or say what kind of text one is, over `similarity`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, LargeStringArray, ListBuilder, StringArray,
    StringBuilder, StructArray, StructBuilder,
};
use arrow::datatypes::{DataType, Field, Fields};
use rayon::prelude::*;

use super::scalar::{TextFunction, text};
use crate::similarity::{
    Case, JsonDiffOptions, JsonDifference, ToolDifference, chrf, chrf_plus_plus, edit_similarity,
    json_diff, json_equal, language, length_ratio, normalised_equal, parses, reads_like_refusal,
    refusal, rouge_l, token_f1, tool_calls_diff, tool_calls_json_equal, tool_sequence_json_equal,
    word_lcs_f1,
};

/// Rows that one thread takes at a time.
const ROWS_AT_A_TIME: usize = 64;

pub(super) const COMPARISONS: &[TextFunction] = &[
    TextFunction {
        name: "edit_similarity",
        description: "1 minus the edit distance over the longer length, 0 to 1",
        syntax: "edit_similarity(a, b)",
        arguments: (2, 2),
        returns: || DataType::Float64,
        compute: |texts, rows| floats(texts, rows, |a, b| Some(edit_similarity(a, b))),
    },
    TextFunction {
        name: "token_f1",
        description: "F1 of the words of two texts without case, punctuation and articles, 0 to 1",
        syntax: "token_f1(a, b)",
        arguments: (2, 2),
        returns: || DataType::Float64,
        compute: |texts, rows| floats(texts, rows, |a, b| Some(token_f1(a, b))),
    },
    TextFunction {
        name: "lcs_f1",
        description: "F1 of the longest common subsequence of words of any script, without case \
                      and punctuation, 0 to 1",
        syntax: "lcs_f1(a, b)",
        arguments: (2, 2),
        returns: || DataType::Float64,
        compute: |texts, rows| floats(texts, rows, |a, b| Some(word_lcs_f1(a, b).f1)),
    },
    TextFunction {
        name: "rouge_l",
        description: "ROUGE-L as Google's rouge_score: precision, recall and f1; only letters and \
                      digits of ASCII count",
        syntax: "rouge_l(reference, candidate)",
        arguments: (2, 2),
        returns: || DataType::Struct(rouge_fields()),
        compute: rouge_structs,
    },
    TextFunction {
        name: "chrf",
        description: "chrF of a sentence as sacrebleu: character n-grams up to 6, 0 to 100",
        syntax: "chrf(reference, candidate)",
        arguments: (2, 2),
        returns: || DataType::Float64,
        compute: |texts, rows| floats(texts, rows, |a, b| Some(chrf(a, b))),
    },
    TextFunction {
        name: "chrf_plus_plus",
        description: "chrF++ of a sentence as sacrebleu: chrF with words and pairs of words, 0 to \
                      100",
        syntax: "chrf_plus_plus(reference, candidate)",
        arguments: (2, 2),
        returns: || DataType::Float64,
        compute: |texts, rows| floats(texts, rows, |a, b| Some(chrf_plus_plus(a, b))),
    },
    TextFunction {
        name: "length_ratio",
        description: "Characters of b over characters of a; NULL when a is empty",
        syntax: "length_ratio(a, b)",
        arguments: (2, 2),
        returns: || DataType::Float64,
        compute: |texts, rows| floats(texts, rows, length_ratio),
    },
    TextFunction {
        name: "normalised_equal",
        description: "Whether two texts agree but for Unicode form, line ends and white space",
        syntax: "normalised_equal(a, b)",
        arguments: (2, 2),
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| {
                Some(normalised_equal(text(texts, 0, row)?, text(texts, 1, row)?, Case::Sensitive))
            })
        },
    },
    TextFunction {
        name: "json_equal",
        description: "Whether two JSON texts hold the same value; NULL when neither is JSON",
        syntax: "json_equal(a, b)",
        arguments: (2, 2),
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| json_equal(text(texts, 0, row)?, text(texts, 1, row)?))
        },
    },
    TextFunction {
        name: "json_diff",
        description: "Where two JSON texts differ: a list of path, kind (removed, added, type, \
                      value), left_type and right_type, at most 100; NULL when one is not JSON. \
                      array_order is 'ordered' (default) or 'free', tolerance a share of the \
                      larger number (default 0)",
        syntax: "json_diff(a, b[, array_order[, tolerance]])",
        arguments: (2, 4),
        returns: || list_of(DIFFERENCE_FIELDS),
        compute: json_differences,
    },
    TextFunction {
        name: "json_similarity",
        description: "Share of the leaf paths of two JSON texts that are equal in both, 0 to 1; \
                      NULL when one is not JSON; options as of json_diff",
        syntax: "json_similarity(a, b[, array_order[, tolerance]])",
        arguments: (2, 4),
        returns: || DataType::Float64,
        compute: |texts, rows| {
            let similarity = |row| {
                let found =
                    json_diff(text(texts, 0, row)?, text(texts, 1, row)?, options(texts, row)?);
                Some(found?.similarity())
            };
            Arc::new(Float64Array::from(each_row(rows, similarity)))
        },
    },
    TextFunction {
        name: "is_json",
        description: "Whether a text is JSON",
        syntax: "is_json(a)",
        arguments: (1, 1),
        returns: || DataType::Boolean,
        compute: |texts, rows| booleans(rows, |row| Some(parses(text(texts, 0, row)?))),
    },
    TextFunction {
        name: "tool_calls_equal",
        description: "Whether two lists of tool calls agree but for their order, identifiers and \
                      the order of keys",
        syntax: "tool_calls_equal(a, b)",
        arguments: (2, 2),
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| tool_calls_json_equal(text(texts, 0, row)?, text(texts, 1, row)?))
        },
    },
    TextFunction {
        name: "tool_sequence_equal",
        description: "Whether two lists of tool calls agree in their order too",
        syntax: "tool_sequence_equal(a, b)",
        arguments: (2, 2),
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| {
                tool_sequence_json_equal(text(texts, 0, row)?, text(texts, 1, row)?)
            })
        },
    },
    TextFunction {
        name: "tool_calls_diff",
        description: "How two lists of tool calls differ: a list of tool, kind (missing_call, \
                      extra_call, order, not_json, removed, added, type, value), argument (a \
                      path), left_type and right_type; options as of json_diff",
        syntax: "tool_calls_diff(a, b[, array_order[, tolerance]])",
        arguments: (2, 4),
        returns: || list_of(TOOL_FIELDS),
        compute: tool_differences,
    },
    TextFunction {
        name: "refusal",
        description: "none, partial or full: whether an answer refuses, by its opening words",
        syntax: "refusal(text)",
        arguments: (1, 1),
        returns: || DataType::Utf8,
        compute: |texts, rows| {
            let kinds = each_row(rows, |row| Some(refusal(text(texts, 0, row)?).as_str()));
            Arc::new(StringArray::from(kinds))
        },
    },
    TextFunction {
        name: "is_refusal",
        description: "Whether an answer is a full refusal, by its refusal field, its finish reason \
                      or its opening words",
        syntax: "is_refusal(text, refusal, finish_reason)",
        arguments: (3, 3),
        returns: || DataType::Boolean,
        compute: |texts, rows| {
            booleans(rows, |row| {
                let by_field = text(texts, 1, row).is_some_and(|refusal| !refusal.is_empty());
                let by_reason = matches!(text(texts, 2, row), Some("refusal" | "content_filter"));
                let by_words = || text(texts, 0, row).is_some_and(reads_like_refusal);
                Some(by_field || by_reason || by_words())
            })
        },
    },
    TextFunction {
        name: "language",
        description: "ISO 639-1 code of the language of a text; NULL when it cannot be told",
        syntax: "language(text)",
        arguments: (1, 1),
        returns: || DataType::Utf8,
        compute: |texts, rows| {
            let languages = each_row(rows, |row| language(text(texts, 0, row)?));
            Arc::new(StringArray::from(languages))
        },
    },
];

/// The value of each row, in order, computed on all cores.
fn each_row<T: Send>(
    rows: usize,
    compute: impl Fn(usize) -> Option<T> + Sync + Send,
) -> Vec<Option<T>> {
    (0..rows).into_par_iter().with_min_len(ROWS_AT_A_TIME).map(compute).collect()
}

fn booleans(rows: usize, compute: impl Fn(usize) -> Option<bool> + Sync + Send) -> ArrayRef {
    Arc::new(BooleanArray::from(each_row(rows, compute)))
}

/// A figure of the first two arguments; NULL where one of them is.
fn floats(
    texts: &[LargeStringArray],
    rows: usize,
    compute: impl Fn(&str, &str) -> Option<f64> + Sync + Send,
) -> ArrayRef {
    let of_row = |row| compute(text(texts, 0, row)?, text(texts, 1, row)?);
    Arc::new(Float64Array::from(each_row(rows, of_row)))
}

fn rouge_fields() -> Fields {
    ["precision", "recall", "f1"]
        .iter()
        .map(|name| Field::new(*name, DataType::Float64, true))
        .collect()
}

fn rouge_structs(texts: &[LargeStringArray], rows: usize) -> ArrayRef {
    let scores = each_row(rows, |row| Some(rouge_l(text(texts, 0, row)?, text(texts, 1, row)?)));
    let nulls = scores.iter().map(Option::is_some).collect::<Vec<bool>>().into();
    let column = |of: fn(&crate::similarity::RougeL) -> f64| {
        let values: Float64Array = scores.iter().map(|score| score.as_ref().map(of)).collect();
        Arc::new(values) as ArrayRef
    };
    let columns = vec![column(|s| s.precision), column(|s| s.recall), column(|s| s.f1)];
    Arc::new(StructArray::new(rouge_fields(), columns, Some(nulls)))
}

/// Options from the third and fourth argument; `None` when one of them is NULL or no option.
fn options(texts: &[LargeStringArray], row: usize) -> Option<JsonDiffOptions> {
    let mut options = JsonDiffOptions::default();
    if texts.len() > 2 {
        options.array_order_matters = match text(texts, 2, row)? {
            "ordered" => true,
            "free" => false,
            _ => return None,
        };
    }
    if texts.len() > 3 {
        let tolerance: f64 = text(texts, 3, row)?.parse().ok()?;
        options.tolerance = Some(tolerance).filter(|tolerance| *tolerance >= 0.0)?;
    }
    Some(options)
}

const DIFFERENCE_FIELDS: &[&str] = &["path", "kind", "left_type", "right_type"];
const TOOL_FIELDS: &[&str] = &["tool", "kind", "argument", "left_type", "right_type"];

fn text_fields(names: &[&str]) -> Fields {
    names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect()
}

fn list_of(names: &[&str]) -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Struct(text_fields(names)), true)))
}

/// A list of structs of texts per row.
fn lists<const N: usize>(names: &[&str], rows: Vec<Option<Vec<[Option<String>; N]>>>) -> ArrayRef {
    let items = StructBuilder::from_fields(text_fields(names), rows.len());
    let mut list = ListBuilder::new(items);
    for row in rows {
        for values in row.iter().flatten() {
            let item = list.values();
            for (index, value) in values.iter().enumerate() {
                if let Some(column) = item.field_builder::<StringBuilder>(index) {
                    column.append_option(value.as_deref());
                }
            }
            item.append(true);
        }
        list.append(row.is_some());
    }
    Arc::new(list.finish())
}

fn json_differences(texts: &[LargeStringArray], rows: usize) -> ArrayRef {
    let owned = |text: &'static str| Some(text.to_owned());
    let fields = |difference: JsonDifference| {
        let kind = owned(difference.kind.as_str());
        let types = (difference.left_type.and_then(owned), difference.right_type.and_then(owned));
        [Some(difference.path), kind, types.0, types.1]
    };
    let of_row = |row| {
        let found = json_diff(text(texts, 0, row)?, text(texts, 1, row)?, options(texts, row)?)?;
        Some(found.differences.into_iter().map(fields).collect())
    };
    lists(DIFFERENCE_FIELDS, each_row(rows, of_row))
}

fn tool_differences(texts: &[LargeStringArray], rows: usize) -> ArrayRef {
    let owned = |text: &'static str| Some(text.to_owned());
    let fields = |difference: ToolDifference| {
        let kind = owned(difference.kind.as_str());
        let types = (difference.left_type.and_then(owned), difference.right_type.and_then(owned));
        [Some(difference.tool), kind, difference.argument, types.0, types.1]
    };
    let of_row = |row| {
        let options = options(texts, row)?;
        let found = tool_calls_diff(text(texts, 0, row)?, text(texts, 1, row)?, options)?;
        Some(found.into_iter().map(fields).collect())
    };
    lists(TOOL_FIELDS, each_row(rows, of_row))
}
