//! The statistical SQL functions: each says what the library says, whatever the rows hold and
//! however they arrive, and each is listed with its documentation.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rehearsal::dataset::Project;
use rehearsal::query::{
    OutputFormat, Parameters, QueryError, Scope, Session, functions, write_rows,
};
use rehearsal::stats::{
    self, Alternative, DifferenceMethod, Direction, EquivalenceDesign, NullDistribution,
    ProportionMethod, RankMethod, ScoreVariance, Side, TieRule, WeightedRow, ZeroMethod,
};
use serde_json::Value;

use crate::support::program;

struct Questions {
    session: Session,
    _folder: tempfile::TempDir,
}

impl Questions {
    async fn open(threads: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scope = Scope { threads: Some(threads), ..Scope::default() };
        let session = Session::open(&Project::new(folder.path()), scope).await.unwrap();
        Questions { session, _folder: folder }
    }

    async fn text(&self, sql: &str) -> Result<String, QueryError> {
        let frame = self.session.sql(sql, &Parameters::new()).await?;
        let batches = self.session.collect(frame, "a question").await?;
        let mut text = Vec::new();
        write_rows(&batches, OutputFormat::JsonLines, &mut text)?;
        Ok(String::from_utf8(text).unwrap())
    }

    /// The struct that an expression over the rows of `from` gives.
    async fn ask(&self, expression: &str, from: &str) -> Value {
        let sql = format!("SELECT {expression} AS r{from}");
        let text = self.text(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let row: Value = serde_json::from_str(&text).unwrap();
        row["r"].clone()
    }
}

const X: [f64; 12] = [3.5, 1.25, 9.0, 4.0, 4.0, 7.5, 2.0, 8.25, 6.0, 5.5, 4.0, 10.0];
const Y: [f64; 12] = [2.5, 1.0, 8.0, 4.0, 3.0, 7.75, 1.5, 6.25, 6.5, 2.25, 3.75, 9.5];
/// Four arrive with a weight of two, sessions of two rows.
const WEIGHT: [f64; 12] = [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0];

/// Rows (x, y, cluster, session, weight, a, b), paired.
fn paired() -> String {
    let mut sql = " FROM (VALUES ".to_owned();
    for i in 0..X.len() {
        let comma = if i == 0 { "" } else { ", " };
        let (x, y, weight, cluster) = (X[i], Y[i], WEIGHT[i], i / 2);
        let flags = format!("{}, {}", x > 4.5, y > 4.5);
        write!(sql, "{comma}({x:?}, {y:?}, {cluster}, 's{cluster}', {weight:?}, {flags})").unwrap();
    }
    sql + ") AS t(x, y, cluster, session, weight, a, b)"
}

/// Rows (x, arm, stratum): all of X in arm `a`, all of Y in arm `b`.
fn arms() -> String {
    let rows: Vec<String> = X
        .iter()
        .map(|x| (x, "a"))
        .chain(Y.iter().map(|y| (y, "b")))
        .enumerate()
        .map(|(i, (value, arm))| format!("({value:?}, '{arm}', 's{}')", i % 3))
        .collect();
    format!(" FROM (VALUES {}) AS t(x, arm, stratum)", rows.join(", "))
}

fn near(row: &Value, field: &str, wanted: f64) {
    let found = row[field].as_f64().unwrap_or_else(|| panic!("{field} of {row}"));
    assert!((found - wanted).abs() <= 1e-12 * wanted.abs().max(1.0), "{field} of {row}: {wanted}");
    assert!(row["problem"].is_null(), "{row}");
}

fn clusters() -> Vec<u64> {
    (0..12).map(|i| i / 2).collect()
}

#[tokio::test]
async fn functions_of_two_arms_say_what_the_library_says() {
    let questions = Questions::open(2).await;
    let arms = arms();
    let ask = async |call: &str| questions.ask(call, &arms).await;
    let exact = RankMethod::Exact;
    let two = Alternative::TwoSided;

    let test = stats::mann_whitney(&X, &Y, exact, two).unwrap();
    let found = ask("mann_whitney(x, arm)").await;
    near(&found, "p", test.p);
    near(&found, "u_first", test.u1);
    assert_eq!(found["first"], "a");
    assert_eq!((&found["second"], found["n_second"].as_u64()), (&"b".into(), Some(12)));
    let less = stats::mann_whitney(&X, &Y, exact, Alternative::Less).unwrap();
    near(&ask("mann_whitney(x, arm, 'less')").await, "p", less.p);

    let test = stats::brunner_munzel(&X, &Y, two, NullDistribution::Student).unwrap();
    let found = ask("brunner_munzel(x, arm)").await;
    near(&found, "p", test.p.unwrap());
    near(&found, "theta", test.theta);
    near(
        &ask("ks_test(x, arm)").await,
        "p",
        stats::kolmogorov_smirnov(&X, &Y, true, two).unwrap().p,
    );
    near(&ask("cliffs_delta(x, arm)").await, "delta", stats::cliffs_delta(&X, &Y).unwrap().delta);
    let shift = stats::hodges_lehmann(&X, &Y, 0.9, true).unwrap();
    let found = ask("hodges_lehmann(x, arm, 0.9)").await;
    near(&found, "value", shift.estimate);
    near(&found, "low", shift.low);
    near(&found, "high", shift.high);
    let test = stats::equivalence(&X, &Y, (-4.0, 4.0), EquivalenceDesign::Welch).unwrap();
    near(&ask("tost(x, arm, -4, 4)").await, "p", test.p);
    let test = stats::anderson_darling(&[X.to_vec(), Y.to_vec()], TieRule::MidRank).unwrap();
    near(&ask("anderson_darling(x, arm)").await, "statistic", test.statistic);

    let mut strata = [[0; 4]; 3];
    for (i, value) in X.iter().chain(&Y).enumerate() {
        strata[i % 3][if i < 12 { 0 } else { 2 } + usize::from(*value <= 4.5)] += 1;
    }
    let pooled = stats::stratified(&strata, true).unwrap();
    let found = ask("cmh(x > 4.5, arm, stratum, 1)").await;
    near(&found, "chi2", pooled.chi2);
    near(&found, "risk_difference", pooled.risk_difference);
}

#[tokio::test]
async fn functions_of_pairs_say_what_the_library_says() {
    let questions = Questions::open(2).await;
    let paired = paired();
    let ask = async |call: &str| questions.ask(call, &paired).await;
    let d: Vec<f64> = X.iter().zip(&Y).map(|(x, y)| x - y).collect();

    let test = stats::signed_rank(&d, ZeroMethod::Pratt, RankMethod::Exact, Alternative::Greater);
    let found = ask("wilcoxon(x, y, 'greater')").await;
    near(&found, "p", test.unwrap().p);
    assert_eq!((found["n"].as_u64(), found["nonzero"].as_u64()), (Some(12), Some(11)));
    let shift = stats::hodges_lehmann_paired(&d, 0.95, true).unwrap();
    near(&ask("hodges_lehmann_paired(x, y)").await, "high", shift.high);
    let test = stats::equivalence(&X, &Y, (-2.0, 2.0), EquivalenceDesign::Paired).unwrap();
    near(&ask("tost_paired(x, y, -2, 2)").await, "p", test.p);

    let only = |a: &[f64], b: &[f64]| {
        a.iter().zip(b).filter(|(a, b)| **a > 4.5 && **b <= 4.5).count() as u64
    };
    let (only_a, only_b) = (only(&X, &Y), only(&Y, &X));
    let found = ask("mcnemar(a, b)").await;
    near(&found, "p_midp", stats::mcnemar(only_a, only_b).p_midp);
    assert_eq!(found["only_a"].as_u64(), Some(only_a));
    let interval = stats::tango_interval(12, only_a, only_b, 0.9).unwrap();
    let found = ask("paired_diff_ci(a, b, 0.9)").await;
    near(&found, "low", interval.low);
    near(&found, "high", interval.high);
}

#[tokio::test]
async fn functions_of_clusters_say_what_the_library_says() {
    let questions = Questions::open(2).await;
    let paired = paired();
    let ask = async |call: &str| questions.ask(call, &paired).await;

    let mean = stats::cluster_mean(&X, &clusters()).unwrap();
    let bounds = stats::mean_bounds(&X, &clusters(), 0.95).unwrap();
    for cluster in ["cluster", "session"] {
        let found = ask(&format!("cluster_mean(x, {cluster}, 0.9)")).await;
        near(&found, "mean", mean.mean);
        near(&found, "se", mean.se_cluster_g.unwrap());
        near(&found, "low", bounds.low);
        assert_eq!(found["clusters"].as_u64(), Some(6));
    }
    let ratio = stats::ratio_of_totals(&Y, &X, Some(&clusters()), 0.9).unwrap();
    let found = ask("ratio_ci(y, x, session, 0.9)").await;
    near(&found, "ratio", ratio.ratio);
    near(&found, "high", ratio.wald_high);
    near(&found, "fieller_low", ratio.fieller_low.unwrap());
    let found = ask("ratio_bootstrap_ci(y, x, session, 0.9, 7)").await;
    near(&found, "value", ratio.ratio);
    assert!(found["low"].as_f64() < found["value"].as_f64());
    let found = ask("bootstrap_ci(x, 'trimmed_mean', 0.9)").await;
    near(&found, "value", (X.iter().sum::<f64>() - 11.25) / 10.0);
    assert!(found["value"].as_f64() < found["high"].as_f64());
    // With so few pairs no bound of a p90 is finite, and JSON has no infinity.
    let found = ask("quantile_ratio_ci(x, y, 0.5, session, 0.9)").await;
    let (p50_x, p50_y) = (4.0, 3.75);
    near(&found, "value", p50_x / p50_y);
    near(&ask("quantile_ratio_bootstrap(x, y, 0.5, session)").await, "value", p50_x / p50_y);
}

#[tokio::test]
async fn functions_of_quantiles_say_what_the_library_says() {
    let questions = Questions::open(2).await;
    let paired = paired();
    let ask = async |call: &str| questions.ask(call, &paired).await;
    let sample = stats::sorted(&X).unwrap();

    let bounds = stats::quantile_bounds(&sample, 0.5, 0.9).unwrap();
    let found = ask("quantile_ci(x, 0.5, 0.9)").await;
    near(&found, "low", bounds.low);
    near(&found, "high", bounds.high);
    let type8 = stats::quantile(&sample, 0.9, stats::QuantileType::MedianUnbiased).unwrap();
    near(&ask("sample_quantile(x, 0.9, 8)").await, "value", type8);
    near(&ask("harrell_davis(x, 0.9)").await, "value", stats::harrell_davis(&sample, 0.9).unwrap());
    near(
        &ask("weighted_quantile(x, weight, 0.9)").await,
        "value",
        stats::weighted_type1(&X, &WEIGHT, 0.9).unwrap(),
    );
    let rows: Vec<WeightedRow> = (0..12)
        .map(|i| WeightedRow { value: X[i], weight: WEIGHT[i], cluster: clusters()[i] })
        .collect();
    let bounds = stats::woodruff_bounds(&rows, 0.5, 0.8).unwrap();
    let found = ask("quantile_weighted_ci(x, weight, session, 0.5, 0.8)").await;
    near(&found, "value", bounds.value);
    near(&found, "low", bounds.low);
    let ended: Vec<bool> = Y.iter().map(|y| *y > 4.5).collect();
    let curve = stats::kaplan_meier(&X, &ended).unwrap();
    let found = ask("kaplan_meier_quantile(x, b, 0.5)").await;
    near(&found, "value", curve.quantile(0.5).unwrap().unwrap());
    assert_eq!(found["events"].as_u64(), Some(curve.events));
}

#[tokio::test]
async fn functions_of_counts_say_what_the_library_says() {
    let questions = Questions::open(2).await;
    let ask = async |call: &str| questions.ask(call, "").await;

    let method = ProportionMethod::Wilson;
    let interval = stats::proportion_interval(3, 40, 0.9, Side::TwoSided, method).unwrap();
    let found = ask("proportion_ci(3, 40, 'wilson', 0.9)").await;
    near(&found, "value", 3.0 / 40.0);
    near(&found, "low", interval.low);
    let exact = ProportionMethod::ClopperPearson;
    let upper = stats::proportion_interval(0, 3000, 0.95, Side::Upper, exact).unwrap();
    let found = ask("proportion_ci(0, 3000, 'clopper_pearson', 0.95, 'upper')").await;
    near(&found, "high", upper.high);
    let newcombe = DifferenceMethod::Newcombe;
    let interval = stats::difference_interval((56, 70), (48, 80), 0.95, newcombe).unwrap();
    let found = ask("proportion_diff_ci(56, 70, 48, 80, 'newcombe')").await;
    near(&found, "low", interval.low);
    let variance = ScoreVariance::MiettinenNurminen;
    let test = stats::score_test((5, 900), (4, 800), 0.01, variance).unwrap();
    near(&ask("noninferiority(5, 900, 4, 800, 0.01)").await, "p", test.p);
    let p = stats::binom_test(7, 50, 0.1, Alternative::Greater).unwrap();
    near(&ask("binomial_test(7, 50, 0.1, 'greater')").await, "p", p);
    let test = stats::fisher_exact([3, 5, 4, 50], Alternative::TwoSided).unwrap();
    let found = ask("fisher_exact(3, 5, 4, 50)").await;
    near(&found, "p", test.p);
    near(&found, "odds_ratio", 7.5);
    let log = stats::bernoulli_log_evidence(3, 2000, 0.01, (0.5, 0.5), Direction::AtMost).unwrap();
    let found = ask("bernoulli_evidence(3, 2000, 0.01, 'below')").await;
    near(&found, "log_evidence", log);
    near(&found, "p_any_time", (-log).exp());
    let width = stats::confidence_sequence(500, 2.0, 0.05, 1000).unwrap().half_width;
    near(&ask("confidence_sequence(500, 1.5, 2, 0.05, 1000)").await, "high", 1.5 + width);
    let ranks = ask("order_statistic_ranks(100, 0.5)").await;
    assert_eq!((ranks["lower"].as_u64(), ranks["upper"].as_u64()), (Some(40), Some(61)));
    for (call, n) in [
        ("n_without_failure(0.001, 0.05)", 2995),
        ("n_for_quantile(0.99, 0.05)", 299),
        ("n_for_rate(0.001, 0, 0.05, 0.8)", 2995),
    ] {
        assert_eq!(ask(call).await["n"].as_u64(), Some(n), "{call}");
    }
    let adjusted = ask("p_adjust([0.01, 0.04, NULL, 0.03], 'holm')").await;
    let wanted = stats::holm(&[0.01, 0.04, f64::NAN, 0.03]);
    let found: Vec<f64> =
        adjusted.as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
    assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-15), "{adjusted}");
}

/// A call of every statistical function that collects rows, over columns x, y, g (two
/// arms), c (clusters) and flag.
const COLLECTING: &[&str] = &[
    "quantile_ci(x, 0.5)",
    "quantile_clustered_ci(x, c, 0.5, 0.95, 1)",
    "quantile_ratio_ci(x, y, 0.5, c)",
    "quantile_ratio_bootstrap(x, y, 0.5, c)",
    "quantile_weighted_ci(x, y, c, 0.5)",
    "sample_quantile(x, 0.5, 7)",
    "harrell_davis(x, 0.5)",
    "weighted_quantile(x, y, 0.5)",
    "kaplan_meier_quantile(x, flag, 0.5)",
    "rate_ci(flag, c)",
    "mean_ci(x, c)",
    "bounded_mean_ci(x, c, 0.95, 0, -10, 10)",
    "ratio_of_totals_ci(x, y, c)",
    "ratio_of_ratios_ci(x, y, y, x, c, 0.95, 1)",
    "limit_rejections(x, y, flag, 1, 1, 1)",
    "mann_whitney(x, g)",
    "brunner_munzel(x, g)",
    "ks_test(x, g)",
    "cliffs_delta(x, g)",
    "hodges_lehmann(x, g)",
    "tost(x, g, -1, 1)",
    "anderson_darling(x, g)",
    "cmh(flag, g, c)",
    "wilcoxon(x, y)",
    "hodges_lehmann_paired(x, y)",
    "mcnemar(x, y)",
    "paired_diff_ci(x, y)",
    "tost_paired(x, y, -1, 1)",
    "cluster_mean(x, c)",
    "ratio_ci(x, y, c)",
    "bootstrap_ci(x, 'mean')",
    "ratio_bootstrap_ci(x, y, c)",
];

/// A reason may quote what was given; nothing else may be NaN.
fn without_nan(result: &Value) {
    let mut figures = result.clone();
    if let Some(fields) = figures.as_object_mut() {
        fields.remove("problem");
    }
    assert!(!figures.to_string().contains("NaN"), "{result}");
}

#[tokio::test]
async fn bad_rows_give_a_problem_or_a_result_and_never_nan() {
    let questions = Questions::open(2).await;
    let data = [
        "(1.0, 2.0, 'a', true)",
        "(CAST('NaN' AS DOUBLE), 2.0, 'a', true), (1.0, CAST('NaN' AS DOUBLE), 'b', false)",
        "(CAST('Infinity' AS DOUBLE), 2.0, 'a', true), (1.0, CAST('-Infinity' AS DOUBLE), 'b', \
         false), (2.0, 3.0, 'a', true)",
        "(0.0, 0.0, 'a', false), (0.0, 0.0, 'b', false), (0.0, 0.0, 'a', false), (0.0, 0.0, 'b', \
         false)",
        "(CAST(NULL AS DOUBLE), CAST(NULL AS DOUBLE), 'a', true), (1.0, 1.0, NULL, NULL)",
        "(1.0, -2.0, 'a', true), (-3.0, 4.0, 'b', false), (5.0, 6.0, 'c', true)",
    ];
    for call in COLLECTING {
        for rows in data {
            let from = format!(
                " FROM (SELECT x, y, g, flag, g AS c FROM (VALUES {rows}) AS t(x, y, g, flag)) AS u"
            );
            without_nan(&questions.ask(call, &from).await);
            // No rows at all: everything is unknown, and the reason is said.
            let none = questions.ask(call, &format!("{from} WHERE x > 99 AND x < 98")).await;
            without_nan(&none);
            let counts_nothing = call.starts_with("limit_rejections");
            assert!(counts_nothing || none["problem"].is_string(), "{call}: {none}");
        }
    }
    for call in [
        "proportion_ci(-1, 10, 'wilson')",
        "proportion_ci(1, 0, 'wilson')",
        "proportion_ci(1.5, 10, 'wilson')",
        "proportion_ci(11, 10, 'wilson')",
        "proportion_ci(1, 10, 'guess')",
        "proportion_ci(1, 10, 'wilson', 1.5)",
        "proportion_ci(CAST('NaN' AS DOUBLE), 10, 'wilson')",
        "noninferiority(1, 2, 1, 2, 2)",
        "bernoulli_evidence(1, 2, 0.5, 'sideways')",
        "n_for_rate(0.1, 0.2, 0.05, 0.8)",
    ] {
        let found = questions.ask(call, "").await;
        without_nan(&found);
        assert!(found["problem"].is_string(), "{call}: {found}");
    }
    // A margin of zero rows has no odds; that is undefined, not a number.
    assert!(questions.ask("fisher_exact(0, 10, 0, 10)", "").await["odds_ratio"].is_null());
    assert!(questions.ask("proportion_ci(NULL, 10, 'wilson')", "").await.is_null());
}

#[tokio::test]
async fn results_depend_on_neither_threads_nor_the_order_of_rows() {
    let one = Questions::open(1).await;
    let many = Questions::open(4).await;
    for call in COLLECTING {
        // Parts of a union are aggregated apart and merged in whatever order they end.
        let shaped = |ranges: [(u32, u32); 3]| {
            let parts = ranges.map(|(from, to)| format!("SELECT unnest(range({from}, {to})) AS i"));
            let parts = parts.join(" UNION ALL ");
            format!(
                "SELECT s, {call} AS r FROM (SELECT i % 3 AS s, (i * 7919 % 1009) / 100.0 AS x, \
                 1 + (i * 104729 % 997) / 100.0 AS y, CASE WHEN (i / 3) % 2 = 0 THEN 'a' ELSE 'b' \
                 END AS g, i % 40 AS c, i % 5 < 2 AS flag FROM ({parts})) GROUP BY s ORDER BY s"
            )
        };
        let forward = one.text(&shaped([(0, 100), (100, 350), (350, 600)])).await.unwrap();
        let backward = many.text(&shaped([(350, 600), (0, 100), (100, 350)])).await.unwrap();
        assert_eq!(forward, backward, "{call}");
        assert_eq!(forward.lines().count(), 3);
    }
}

#[tokio::test]
async fn wrong_calls_are_refused_by_name() {
    let questions = Questions::open(1).await;
    let paired = paired();
    let refused = async |call: &str| {
        let error = questions.text(&format!("SELECT {call}{paired}")).await.unwrap_err();
        format!("{error:?}")
    };
    let text = refused("mann_whitney(session, x)").await;
    assert!(text.contains("argument 1 of mann_whitney is a number, not a text"), "{text}");
    assert!(refused("mann_whitney(DISTINCT x, session)").await.contains("DISTINCT"));
    let unknown = refused("p_adjust([0.1], 'guess')").await;
    assert!(unknown.contains("`guess` is not holm"), "{unknown}");
    let groups = questions.ask("mann_whitney(x, session)", &paired).await;
    assert_eq!(groups["problem"], "6 different labels were found; two are needed");
}

#[test]
fn functions_are_listed_with_their_documentation() {
    let output = program().args(["sql", r"\functions", "--format", "jsonl"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: BTreeSet<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), rows.len());
    for row in &rows {
        let name = row["name"].as_str().unwrap();
        assert!(row["call"].as_str().unwrap().starts_with(&format!("{name}(")), "{row}");
        assert!(row["description"].as_str().unwrap().len() > 20, "{row}");
        assert!(!row["returns"].as_str().unwrap().is_empty(), "{row}");
    }
    for call in COLLECTING {
        assert!(names.contains(call.split('(').next().unwrap()), "{call} is not listed");
    }
    let aggregates = rows.iter().filter(|row| row["kind"] == "aggregate").count();
    assert_eq!(aggregates, COLLECTING.len(), "a function is listed but not tested");
    for name in ["proportion_ci", "edit_similarity", "catalogue_cost", "p_adjust"] {
        assert!(names.contains(name), "{name} is not listed");
    }
    let some = functions("quantile").unwrap();
    assert!(some.num_rows() >= 5 && some.num_rows() < rows.len());
    assert_eq!(functions("no such function").unwrap().num_rows(), 0);
}

#[tokio::test]
async fn the_engine_documents_them_too() {
    let questions = Questions::open(1).await;
    let text = questions
        .text(
            "SELECT DISTINCT routine_name, description FROM information_schema.routines WHERE \
             routine_name IN ('mann_whitney', 'proportion_ci', 'p_adjust') ORDER BY routine_name",
        )
        .await
        .unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.lines().all(|line| !line.contains("\"description\":null")), "{text}");
}
