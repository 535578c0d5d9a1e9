//! The table of metrics: what a criterion may ask for, and which query answers.

use super::model::Direction;
use crate::compare::Measurement;
use crate::plan::{BoundKind, BoundUnit, Criterion};
use crate::query::Parameters;
use crate::similarity::closest_name;
use crate::stats::{quantile_upper, zero_fail};

/// One metric, or a family that differs in one part of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricInfo {
    /// Its name; `pNN` stands for a percentile such as `p99` or `p99.9`.
    pub name: &'static str,
    /// Unit of an absolute figure.
    pub unit: &'static str,
    /// What is estimated.
    pub estimand: &'static str,
    /// Over which exchanges.
    pub denominator: &'static str,
    /// How.
    pub method: &'static str,
    /// The bounds that it takes.
    pub bounds: &'static [BoundKind],
}

const DURATION_BOUNDS: &[BoundKind] =
    &[BoundKind::Max, BoundKind::MaxRatio, BoundKind::MaxIncrease];
const RATIO_BOUNDS: &[BoundKind] = &[BoundKind::Max, BoundKind::MaxRatio, BoundKind::MaxIncrease];

/// Every metric.
pub const METRICS: &[MetricInfo] = &[
    MetricInfo {
        name: "latency_ms.pNN",
        unit: "ms",
        estimand: "quantile of the time to a usable answer",
        denominator: "first attempts; failures count as infinitely slow; 429 and configuration \
                      faults left out",
        method: "order-statistic bounds at the effective sample size",
        bounds: DURATION_BOUNDS,
    },
    MetricInfo {
        name: "ttft_ms.pNN",
        unit: "ms",
        estimand: "quantile of the time to the first token",
        denominator: "first attempts of streamed requests; failures count as infinitely slow",
        method: "order-statistic bounds at the effective sample size",
        bounds: DURATION_BOUNDS,
    },
    MetricInfo {
        name: "tpot_ms.pNN",
        unit: "ms",
        estimand: "quantile of the time per output token after the first",
        denominator: "first attempts of streamed requests; failures count as infinitely slow",
        method: "order-statistic bounds at the effective sample size",
        bounds: DURATION_BOUNDS,
    },
    MetricInfo {
        name: "error_rate",
        unit: "share",
        estimand: "share of failures",
        denominator: "first attempts; 429 and configuration faults left out",
        method: "Clopper-Pearson at the effective sample size",
        bounds: &[BoundKind::Max, BoundKind::MaxIncrease],
    },
    MetricInfo {
        name: "rate_limit_rate",
        unit: "share",
        estimand: "share of 429",
        denominator: "first attempts",
        method: "Clopper-Pearson at the effective sample size",
        bounds: &[BoundKind::Max],
    },
    MetricInfo {
        name: "config_error_rate",
        unit: "share",
        estimand: "share of requests refused for a fault of ours",
        denominator: "first attempts",
        method: "Clopper-Pearson at the effective sample size",
        bounds: &[BoundKind::Max],
    },
    MetricInfo {
        name: "cost_usd.ratio",
        unit: "ratio",
        estimand: "candidate's cost over the incumbent's for the same exchanges",
        denominator: "exchanges that both answered; every attempt of the candidate counts",
        method: "ratio of totals, cluster-robust",
        bounds: RATIO_BOUNDS,
    },
    MetricInfo {
        name: "cost_per_token.ratio",
        unit: "ratio",
        estimand: "candidate's cost per token over the incumbent's",
        denominator: "exchanges that both answered",
        method: "ratio of ratios, linearised, cluster-robust",
        bounds: RATIO_BOUNDS,
    },
    MetricInfo {
        name: "consistency.exact",
        unit: "share",
        estimand: "share of answers that differ in any byte",
        denominator: "exchanges that both answered",
        method: "mean, cluster-robust",
        bounds: &[BoundKind::Max, BoundKind::MaxExcess],
    },
    MetricInfo {
        name: "consistency.normalised",
        unit: "share",
        estimand: "share of answers that differ in more than white space",
        denominator: "exchanges that both answered",
        method: "mean, cluster-robust",
        bounds: &[BoundKind::Max, BoundKind::MaxExcess],
    },
    MetricInfo {
        name: "consistency.edit",
        unit: "share",
        estimand: "mean edit distance over the longer length",
        denominator: "exchanges that both answered",
        method: "mean, cluster-robust",
        bounds: &[BoundKind::Max, BoundKind::MaxExcess],
    },
    MetricInfo {
        name: "consistency.json",
        unit: "share",
        estimand: "share of JSON answers with another value",
        denominator: "exchanges that the incumbent answered with JSON",
        method: "mean, cluster-robust",
        bounds: &[BoundKind::Max, BoundKind::MaxExcess],
    },
    MetricInfo {
        name: "consistency.tool_calls",
        unit: "share",
        estimand: "share of answers with other tool calls",
        denominator: "exchanges in which either side called a tool",
        method: "mean, cluster-robust",
        bounds: &[BoundKind::Max, BoundKind::MaxExcess],
    },
    MetricInfo {
        name: "refusal.new",
        unit: "share",
        estimand: "share of answers that the candidate alone refuses",
        denominator: "exchanges that both answered and the incumbent did not refuse",
        method: "Clopper-Pearson at the effective sample size",
        bounds: &[BoundKind::Max],
    },
    MetricInfo {
        name: "losses.untranslatable",
        unit: "share",
        estimand: "share of exchanges without a counterpart at the candidate",
        denominator: "exchanges of real traffic that were prepared",
        method: "Clopper-Pearson at the effective sample size",
        bounds: &[BoundKind::Max],
    },
    MetricInfo {
        name: "coverage",
        unit: "share",
        estimand: "share of exchanges with a known outcome",
        denominator: "exchanges of real traffic",
        method: "Clopper-Pearson at the effective sample size",
        bounds: &[BoundKind::Min],
    },
];

/// A criterion that asks for what is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricProblem {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// A criterion ready to be measured for one candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// `absolute`, `ratio`, `increase` or `excess`.
    pub comparison: &'static str,
    /// Unit of estimate and bound.
    pub unit: &'static str,
    /// On which side of the limit the figure is good.
    pub direction: Direction,
    /// The limit on the scale of the estimate.
    pub limit: f64,
    /// The method, for people.
    pub method: &'static str,
    /// Why the criterion only advises, if it does.
    pub advisory_reason: Option<&'static str>,
    /// Whether the estimate is a share of events or of exceedances.
    pub counts_events: bool,
    /// Share of exceedances that the limit allows, for quantiles.
    pub exceedance: Option<f64>,
    /// Whether the figure rests on durations, which are the client's measurements.
    pub is_duration: bool,
    /// Whether the control's figure stands beside the candidate's.
    pub compares_with_control: bool,
    /// The query to run.
    pub measurement: Measurement,
}

const DIFFERENT_VANTAGE: &str = "different vantage: without a control arm the candidate is compared with the log, which was \
     taken elsewhere, at another hour and under another load";
const NO_NOISE_FLOOR: &str = "noise floor unknown: without a control arm nobody knows how much the incumbent disagrees \
     with itself";

/// Checks a criterion against the table.
///
/// # Errors
/// A metric that does not exist, a bound that it does not take, or a unit that it does not have.
pub fn resolve(criterion: &Criterion) -> Result<(&'static MetricInfo, Option<f64>), MetricProblem> {
    let (info, p) = lookup(&criterion.metric)?;
    if !info.bounds.contains(&criterion.bound.kind) {
        let known: Vec<&str> = info.bounds.iter().map(|kind| kind.as_str()).collect();
        return Err(MetricProblem {
            message: format!("`{}` takes no `{}`", criterion.metric, criterion.bound.kind.as_str()),
            help: format!("it takes {}", known.join(", ")),
        });
    }
    let absolute = matches!(criterion.bound.kind, BoundKind::Max | BoundKind::Min);
    let (wanted, example) = match (info.unit, criterion.bound.kind) {
        ("ms", _) if absolute => (&[BoundUnit::Milliseconds][..], "\"1500ms\""),
        ("ratio", BoundKind::Max) | (_, BoundKind::MaxRatio) => (&[BoundUnit::None][..], "1.2"),
        _ => (&[BoundUnit::Share, BoundUnit::None][..], "\"1%\""),
    };
    if !wanted.contains(&criterion.bound.unit) {
        return Err(MetricProblem {
            message: format!("the bound of `{}` has another unit", criterion.metric),
            help: format!("write for instance `{} = {example}`", criterion.bound.kind.as_str()),
        });
    }
    Ok((info, p))
}

fn lookup(name: &str) -> Result<(&'static MetricInfo, Option<f64>), MetricProblem> {
    if let Some(info) = METRICS.iter().find(|info| info.name == name) {
        if !info.name.ends_with(".pNN") {
            return Ok((info, None));
        }
    } else if let Some((family, percentile)) = name.split_once(".p") {
        // The decimal point is moved in the text: dividing by 100 would not give the nearest number.
        let p: Option<f64> = format!("{percentile}e-2").parse().ok();
        let info = METRICS.iter().find(|info| info.name.strip_suffix(".pNN") == Some(family));
        if let (Some(info), Some(p)) = (info, p)
            && p > 0.0
            && p < 1.0
        {
            return Ok((info, Some(p)));
        }
    }
    let names: Vec<String> = METRICS.iter().map(|i| i.name.replace("pNN", "p99")).collect();
    let help = closest_name(name, names.iter().map(String::as_str)).map_or_else(
        || format!("metrics: {}", names.join(", ")),
        |near| format!("did you mean `{near}`?"),
    );
    Err(MetricProblem { message: format!("there is no metric `{name}`"), help })
}

/// What is measured for a criterion and a candidate.
///
/// # Errors
/// As [`resolve`].
pub fn measurements(
    criterion: &Criterion,
    arm: &str,
    has_control: bool,
    seed: u64,
) -> Result<Measured, MetricProblem> {
    let (info, p) = resolve(criterion)?;
    let kind = criterion.bound.kind;
    let family = info.name.split('.').next().unwrap_or(info.name);
    let is_duration = p.is_some();
    let comparison = match kind {
        BoundKind::Max | BoundKind::Min if info.unit == "ratio" => "ratio",
        BoundKind::Max | BoundKind::Min => "absolute",
        BoundKind::MaxIncrease if info.unit == "share" => "increase",
        BoundKind::MaxRatio | BoundKind::MaxIncrease => "ratio",
        BoundKind::MaxExcess => "excess",
    };
    let value = criterion.bound.value;
    let limit = match kind {
        BoundKind::MaxIncrease if comparison == "ratio" => 1.0 + value,
        _ => value,
    };
    let relative_duration = is_duration && comparison == "ratio";
    let (query, advisory_reason) = question(family, comparison, is_duration, has_control);
    let counts_events = matches!(
        query,
        "criteria/error_rate"
            | "criteria/rate_limit_rate"
            | "criteria/config_error_rate"
            | "criteria/refusal_new"
            | "criteria/losses_untranslatable"
    );
    let exceedance = p.filter(|_| !relative_duration).map(|p| 1.0 - p);
    let mut parameters = Parameters::from([
        ("arm".to_owned(), arm.to_owned()),
        ("segment".to_owned(), criterion.segment.clone().unwrap_or_else(|| "(all)".to_owned())),
        ("min_n".to_owned(), least_n(criterion, p, limit, counts_events).to_string()),
        ("confidence".to_owned(), criterion.confidence.to_string()),
        ("limit".to_owned(), limit.to_string()),
    ]);
    if let Some(p) = p {
        parameters.insert("measure".to_owned(), family.to_owned());
        parameters.insert("p".to_owned(), p.to_string());
        if relative_duration {
            parameters.insert("seed".to_owned(), seed.to_string());
        }
    }
    if family == "consistency" {
        let measure = info.name.split('.').nth(1).unwrap_or_default();
        parameters.insert("measure".to_owned(), measure.to_owned());
    }
    let method = match comparison {
        "ratio" if is_duration => "ratio of quantiles, index bootstrap with clusters",
        "increase" => "mean of paired differences, cluster-robust",
        "excess" => "mean of paired excesses over the control, cluster-robust",
        _ => info.method,
    };
    Ok(Measured {
        comparison,
        unit: if comparison == "ratio" { "ratio" } else { info.unit },
        direction: if kind == BoundKind::Min { Direction::AtLeast } else { Direction::AtMost },
        limit,
        method,
        advisory_reason,
        counts_events,
        exceedance,
        is_duration,
        compares_with_control: has_control && comparison != "absolute",
        measurement: Measurement { query, parameters },
    })
}

/// The query that answers, and why its answer only advises, if it does.
fn question(
    family: &str,
    comparison: &str,
    is_duration: bool,
    has_control: bool,
) -> (&'static str, Option<&'static str>) {
    match (family, comparison, has_control) {
        _ if is_duration && comparison == "absolute" => ("criteria/latency_quantile", None),
        _ if is_duration && has_control => ("criteria/latency_ratio", None),
        _ if is_duration => ("criteria/latency_ratio_to_log", Some(DIFFERENT_VANTAGE)),
        ("error_rate", "increase", true) => ("criteria/error_rate_increase", None),
        ("error_rate", "increase", false) => {
            ("criteria/error_rate_increase_to_log", Some(DIFFERENT_VANTAGE))
        }
        ("error_rate", ..) => ("criteria/error_rate", None),
        ("rate_limit_rate", ..) => ("criteria/rate_limit_rate", None),
        ("config_error_rate", ..) => ("criteria/config_error_rate", None),
        ("cost_usd", ..) => ("criteria/cost_ratio", None),
        ("cost_per_token", ..) => ("criteria/cost_per_token_ratio", None),
        ("consistency", "excess", true) => ("criteria/consistency_excess", None),
        ("consistency", "excess", false) => ("criteria/consistency_excess", Some(NO_NOISE_FLOOR)),
        ("consistency", _, true) => ("criteria/consistency", None),
        ("consistency", ..) => ("criteria/consistency", Some(NO_NOISE_FLOOR)),
        ("refusal", ..) => ("criteria/refusal_new", None),
        ("losses", ..) => ("criteria/losses_untranslatable", None),
        _ => ("criteria/coverage", None),
    }
}

/// The fewest exchanges with which a segment could be decided at all; smaller ones are pooled.
fn least_n(criterion: &Criterion, p: Option<f64>, limit: f64, counts_events: bool) -> u64 {
    const LEAST_FOR_MEANS: u64 = 30;
    let alpha = 1.0 - criterion.confidence;
    let least = match p {
        Some(p) => quantile_upper(p, alpha),
        None if counts_events => zero_fail(limit, alpha),
        None => Ok(LEAST_FOR_MEANS),
    };
    least.unwrap_or(LEAST_FOR_MEANS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Bound;

    fn criterion(metric: &str, kind: BoundKind, value: f64, unit: BoundUnit) -> Criterion {
        Criterion {
            metric: metric.to_owned(),
            bound: Bound { kind, value, unit },
            segment: None,
            confidence: 0.95,
            gate: true,
            span: 0..0,
        }
    }

    #[test]
    fn a_mistyped_metric_is_told_the_right_name() {
        let wrong = criterion("latency.p99", BoundKind::Max, 1.0, BoundUnit::Milliseconds);
        let problem = resolve(&wrong).unwrap_err();
        assert_eq!(problem.help, "did you mean `latency_ms.p99`?");
    }

    #[test]
    fn a_bound_needs_the_unit_of_its_metric() {
        let bare = criterion("latency_ms.p99", BoundKind::Max, 1500.0, BoundUnit::None);
        assert!(resolve(&bare).unwrap_err().help.contains("1500ms"));
        let share = criterion("error_rate", BoundKind::Max, 0.001, BoundUnit::Share);
        assert!(resolve(&share).is_ok());
    }

    #[test]
    fn percentiles_of_percentiles_are_read() {
        let p999 = criterion("ttft_ms.p99.9", BoundKind::MaxIncrease, 0.2, BoundUnit::Share);
        assert_eq!(resolve(&p999).unwrap().1, Some(0.999));
        assert!(
            resolve(&criterion("ttft_ms.p100", BoundKind::MaxRatio, 1.0, BoundUnit::None)).is_err()
        );
    }

    #[test]
    fn without_a_control_a_relative_gate_only_advises() {
        let relative = criterion("latency_ms.p99", BoundKind::MaxIncrease, 0.2, BoundUnit::Share);
        let alone = measurements(&relative, "next", false, 1).unwrap();
        assert!(alone.advisory_reason.is_some_and(|reason| reason.contains("different vantage")));
        let controlled = measurements(&relative, "next", true, 1).unwrap();
        assert_eq!(controlled.advisory_reason, None);
        assert!((controlled.limit - 1.2).abs() < 1e-12);
        let consistency = criterion("consistency.edit", BoundKind::Max, 0.1, BoundUnit::Share);
        let alone = measurements(&consistency, "next", false, 1).unwrap();
        assert!(alone.advisory_reason.is_some_and(|reason| reason.contains("noise floor")));
    }

    #[test]
    fn small_segments_are_those_that_no_outcome_could_decide() {
        let p99 = criterion("latency_ms.p99", BoundKind::Max, 1.0, BoundUnit::Milliseconds);
        let measured = measurements(&p99, "next", true, 1).unwrap();
        // ln(0.05) / ln(0.99) = 298.07 (stated in the literature as 299).
        assert_eq!(measured.measurement.parameters["min_n"], "299");
    }
}
