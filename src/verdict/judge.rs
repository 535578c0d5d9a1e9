//! Outcomes and the decision.
//!
//! A criterion is met only if its unfavourable one-sided bound is within the limit, not met only
//! if the favourable one is beyond it, and inconclusive otherwise. GO is every gate met (an
//! intersection-union test, so that each gate at its own level already bounds a false GO; Berger
//! 1982). NO-GO is a failing gate that survives Holm's correction over the candidate's gates. The
//! rest is INCONCLUSIVE, and so is a GO that the data cannot carry.

use std::collections::BTreeMap;

use super::client::ClientEvidence;
use super::metrics::{Measured, resolve};
use super::model::{
    ArmCoverage, CandidateDecision, CriterionResult, Decision, Direction, Inputs, Money, Outcome,
    Reason, VERDICT_SCHEMA_VERSION, Verdict,
};
use super::needed::needed;
use crate::compare::{CoverageRow, Finding, MoneyRow};
use crate::plan::Criterion;
use crate::query::find;
use crate::stats::{self, decide, holm};

/// The name of the control among the arms.
const CONTROL: &str = "control";

/// Share of exchanges that may be without an outcome before a GO is withheld.
const MOST_MISSING: f64 = 0.01;

/// Everything that a verdict is made of.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// The run.
    pub run_id: &'a str,
    /// The candidates in the order of the plan.
    pub candidates: Vec<String>,
    /// Each criterion and candidate, as it was measured.
    pub findings: Vec<(&'a Criterion, String, Measured, Vec<Finding>)>,
    /// First attempts that met a configuration fault, per candidate.
    pub config_faults: BTreeMap<String, u64>,
    /// What became of captured exchanges.
    pub coverage: Vec<CoverageRow>,
    /// What the arms cost.
    pub money: Vec<MoneyRow>,
    /// The budget in nano-dollars.
    pub budget_nanousd: i64,
    /// Whether the client was the bottleneck.
    pub client: ClientEvidence,
    /// Hashes of everything.
    pub inputs: Inputs,
}

/// Judges.
pub fn judge(evidence: &Evidence<'_>) -> Verdict {
    let coverage = coverage(&evidence.coverage);
    let mut criteria: Vec<CriterionResult> = Vec::new();
    for (criterion, arm, measured, findings) in &evidence.findings {
        let context = Context {
            criterion,
            arm,
            measured,
            mean_usd: mean_usd(evidence, &coverage, arm),
            spoiled: spoiled(evidence, criterion, measured, arm),
        };
        criteria.extend(outcomes(&context, findings));
    }
    let mut reasons = Vec::new();
    let mut candidates = Vec::new();
    for arm in &evidence.candidates {
        correct(&mut criteria, arm);
        let (decision, mut why) = decide_candidate(&criteria, evidence, &coverage, arm);
        candidates.push(CandidateDecision { arm: arm.clone(), decision });
        reasons.append(&mut why);
    }
    Verdict {
        schema_version: VERDICT_SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: evidence.run_id.to_owned(),
        decision: overall(&candidates),
        reasons,
        candidates,
        criteria,
        money: money(evidence),
        coverage,
        inputs: evidence.inputs.clone(),
    }
}

/// GO only if every candidate may go; NO-GO if any must not.
fn overall(candidates: &[CandidateDecision]) -> Decision {
    let any = |decision| candidates.iter().any(|candidate| candidate.decision == decision);
    if candidates.is_empty() || any(Decision::Inconclusive) && !any(Decision::NoGo) {
        Decision::Inconclusive
    } else if any(Decision::NoGo) {
        Decision::NoGo
    } else {
        Decision::Go
    }
}

/// What a finding is judged by.
struct Context<'a> {
    criterion: &'a Criterion,
    arm: &'a str,
    measured: &'a Measured,
    mean_usd: Option<f64>,
    /// Why the figure says nothing of the provider, if it does not.
    spoiled: Option<String>,
}

/// Why a duration cannot be judged, if the client was the bottleneck in an arm that it rests on.
fn spoiled(
    evidence: &Evidence<'_>,
    criterion: &Criterion,
    measured: &Measured,
    arm: &str,
) -> Option<String> {
    if !measured.is_duration {
        return None;
    }
    let compared = measured.compares_with_control.then_some(CONTROL);
    let mut arms = std::iter::once(arm).chain(compared);
    arms.find_map(|arm| evidence.client.spoils(&criterion.metric, arm))
}

fn outcomes(context: &Context<'_>, findings: &[Finding]) -> Vec<CriterionResult> {
    let nothing = Finding {
        segment: "(all)".to_owned(),
        value: None,
        low: None,
        high: None,
        n: Some(0),
        clusters: Some(0),
        events: None,
        p_above: None,
        p_below: None,
        problem: Some("no exchange could be measured".to_owned()),
        is_of_sample: false,
    };
    let findings = if findings.is_empty() { std::slice::from_ref(&nothing) } else { findings };
    findings.iter().map(|finding| outcome(context, finding)).collect()
}

fn outcome(context: &Context<'_>, finding: &Finding) -> CriterionResult {
    let Context { criterion, measured, .. } = context;
    let outcome = match (finding.low, finding.high, &finding.problem) {
        _ if context.spoiled.is_some() => Outcome::Inconclusive,
        (Some(low), Some(high), None) => three_way(low, high, measured),
        _ => Outcome::Inconclusive,
    };
    let p = match measured.direction {
        Direction::AtMost => finding.p_above,
        Direction::AtLeast => finding.p_below,
    };
    let query_hash =
        find(measured.measurement.query).map(crate::query::NamedQuery::sha256).unwrap_or_default();
    let needed = match outcome {
        Outcome::Inconclusive if finding.is_of_sample => None,
        Outcome::Inconclusive => needed(finding, measured, criterion.confidence, context.mean_usd),
        Outcome::Met | Outcome::NotMet => None,
    };
    CriterionResult {
        metric: criterion.metric.clone(),
        comparison: measured.comparison.to_owned(),
        unit: measured.unit.to_owned(),
        direction: measured.direction,
        segment: criterion.segment.clone(),
        segment_value: criterion.segment.as_ref().map(|_| finding.segment.clone()),
        arm: context.arm.to_owned(),
        gate: criterion.gate && measured.advisory_reason.is_none(),
        advisory_reason: measured.advisory_reason.filter(|_| criterion.gate).map(str::to_owned),
        outcome,
        estimate: finding.value,
        low: finding.low,
        high: finding.high,
        n: finding.n.unwrap_or(0).unsigned_abs(),
        clusters: finding.clusters.unwrap_or(0).unsigned_abs(),
        events: finding.events.map(i64::unsigned_abs),
        bound: measured.limit,
        confidence: criterion.confidence,
        // What is not judged takes no part in the correction, and more of it would not help.
        p: p.filter(|_| context.spoiled.is_none()),
        p_holm: None,
        method: measured.method.to_owned(),
        query: measured.measurement.query.to_owned(),
        query_hash,
        parameters: measured.measurement.parameters.clone(),
        reason: context.spoiled.clone().unwrap_or_else(|| explain(outcome, measured, finding)),
        needed: needed.filter(|_| context.spoiled.is_none()),
    }
}

fn three_way(low: f64, high: f64, measured: &Measured) -> Outcome {
    let direction = match measured.direction {
        Direction::AtMost => stats::Direction::AtMost,
        Direction::AtLeast => stats::Direction::AtLeast,
    };
    match decide(low, high, measured.limit, direction) {
        stats::Decision::Met => Outcome::Met,
        stats::Decision::NotMet => Outcome::NotMet,
        stats::Decision::Inconclusive => Outcome::Inconclusive,
    }
}

fn explain(outcome: Outcome, measured: &Measured, finding: &Finding) -> String {
    let (met_bound, failed_bound) = match measured.direction {
        Direction::AtMost => ("upper", "lower"),
        Direction::AtLeast => ("lower", "upper"),
    };
    let n_is_zero = finding.n.unwrap_or(0) == 0;
    match (outcome, &finding.problem) {
        (Outcome::Met, _) => format!("the {met_bound} bound is within the limit"),
        (Outcome::NotMet, _) => format!("even the {failed_bound} bound is beyond the limit"),
        (Outcome::Inconclusive, Some(_)) if measured.advisory_reason.is_some() && n_is_zero => {
            measured.advisory_reason.unwrap_or_default().to_owned()
        }
        (Outcome::Inconclusive, Some(problem)) => problem.clone(),
        (Outcome::Inconclusive, None) => "the limit lies between the two bounds".to_owned(),
    }
}

/// Holm's correction over the gates of one candidate.
fn correct(criteria: &mut [CriterionResult], arm: &str) {
    let gates: Vec<usize> = (0..criteria.len())
        .filter(|index| criteria[*index].gate && criteria[*index].arm == arm)
        .filter(|index| criteria[*index].p.is_some())
        .collect();
    let p: Vec<f64> = gates.iter().filter_map(|index| criteria[*index].p).collect();
    let adjusted = holm(&p);
    for (index, p_holm) in gates.into_iter().zip(adjusted) {
        criteria[index].p_holm = Some(p_holm);
    }
}

fn decide_candidate(
    criteria: &[CriterionResult],
    evidence: &Evidence<'_>,
    coverage: &[ArmCoverage],
    arm: &str,
) -> (Decision, Vec<Reason>) {
    let gates: Vec<&CriterionResult> =
        criteria.iter().filter(|result| result.arm == arm && result.gate).collect();
    let mut reasons = Vec::new();
    let mut reason = |code: &str, text: String| {
        reasons.push(Reason { code: code.to_owned(), arm: Some(arm.to_owned()), text });
    };
    let mut failed = false;
    for gate in gates.iter().filter(|gate| gate.outcome == Outcome::NotMet) {
        let level = 1.0 - gate.confidence;
        if gate.p_holm.is_some_and(|p| p <= level) {
            failed = true;
            reason("criterion_not_met", format!("{} is not met: {}", title(gate), gate.reason));
        } else {
            let text = format!("{} fails alone, but not after Holm's correction", title(gate));
            reason("failure_not_significant", text);
        }
    }
    for gate in gates.iter().filter(|gate| gate.outcome == Outcome::Inconclusive) {
        reason("criterion_inconclusive", format!("{} is undecided: {}", title(gate), gate.reason));
    }
    if gates.is_empty() {
        reason("no_gate", "no criterion of the plan decides".to_owned());
    }
    let all_met = !gates.is_empty() && gates.iter().all(|gate| gate.outcome == Outcome::Met);
    for (code, text) in vetoes(evidence, coverage, arm) {
        reason(code, text);
    }
    let (client_vetoes, statements) = evidence.client.reasons(arm);
    reasons.extend(client_vetoes);
    let decision = match (failed, all_met && reasons.is_empty()) {
        (true, _) => Decision::NoGo,
        (false, true) => Decision::Go,
        (false, false) => Decision::Inconclusive,
    };
    if decision == Decision::Go {
        let text = format!("every one of the {} gates is met", gates.len());
        reasons.push(Reason { code: "all_gates_met".to_owned(), arm: Some(arm.to_owned()), text });
    }
    reasons.extend(statements);
    (decision, reasons)
}

fn title(result: &CriterionResult) -> String {
    match (&result.segment, &result.segment_value) {
        (Some(segment), Some(value)) => format!("{} for {segment} = {value}", result.metric),
        _ => result.metric.clone(),
    }
}

/// What keeps a GO away though every gate is met.
fn vetoes(
    evidence: &Evidence<'_>,
    coverage: &[ArmCoverage],
    arm: &str,
) -> Vec<(&'static str, String)> {
    let mut vetoes = Vec::new();
    let faults = evidence.config_faults.get(arm).copied().unwrap_or(0);
    if faults > 0 {
        let text =
            format!("{faults} requests were refused for a fault of ours; mend it and replay");
        vetoes.push(("configuration_faults", text));
    }
    let (mut missing, mut wanted) = (0, 0);
    for row in coverage.iter().filter(|row| row.arm == arm) {
        let lost: u64 = row
            .excluded
            .iter()
            .filter(|(reason, _)| !expected_exclusion(reason))
            .map(|(_, count)| count)
            .sum();
        missing += lost + row.planned - row.done;
        wanted += lost + row.planned;
    }
    if wanted == 0 {
        vetoes.push(("nothing_replayed", "no exchange was planned for this candidate".to_owned()));
    } else if missing as f64 > MOST_MISSING * wanted as f64 {
        let text = format!("{missing} of {wanted} exchanges have no outcome, more than 1 %");
        vetoes.push(("coverage_too_low", text));
    }
    vetoes
}

/// Exclusions that say nothing against the replay.
fn expected_exclusion(reason: &str) -> bool {
    matches!(
        reason,
        "cache_hit" | "superseded" | "health_check" | "silent_experiment" | "not_sampled"
    )
}

fn coverage(rows: &[CoverageRow]) -> Vec<ArmCoverage> {
    let mut arms: BTreeMap<(String, u32), ArmCoverage> = BTreeMap::new();
    for row in rows {
        let repeat = row.repeat.unsigned_abs();
        let entry = arms.entry((row.arm.clone(), repeat)).or_insert_with(|| ArmCoverage {
            arm: row.arm.clone(),
            repeat,
            captured: 0,
            replayable: 0,
            planned: 0,
            done: 0,
            failed: 0,
            uncertain: 0,
            not_sent: 0,
            excluded: BTreeMap::new(),
        });
        let exchanges = row.exchanges.unsigned_abs();
        entry.captured += exchanges;
        if let ("excluded", Some(reason)) = (row.outcome.as_str(), &row.excluded_reason) {
            if matches!(reason.as_str(), "not_sampled" | "no_target_model" | "untranslatable")
                || expected_exclusion(reason)
            {
                entry.replayable += exchanges;
            }
            *entry.excluded.entry(reason.clone()).or_default() += exchanges;
            continue;
        }
        entry.replayable += exchanges;
        entry.planned += exchanges;
        match row.outcome.as_str() {
            "done" => entry.done += exchanges,
            "failed" => entry.failed += exchanges,
            "uncertain" => entry.uncertain += exchanges,
            _ => entry.not_sent += exchanges,
        }
    }
    arms.into_values().collect()
}

fn money(evidence: &Evidence<'_>) -> Money {
    Money {
        budget_nanousd: evidence.budget_nanousd,
        spent_nanousd: evidence.money.iter().map(|row| row.spent_nanousd).sum(),
        uncertain_nanousd: evidence.money.iter().map(|row| row.uncertain_nanousd).sum(),
        arms: evidence.money.iter().map(|row| (row.arm.clone(), row.spent_nanousd)).collect(),
    }
}

/// Mean cost of one more exchange: of the candidate and of every control beside it.
fn mean_usd(evidence: &Evidence<'_>, coverage: &[ArmCoverage], arm: &str) -> Option<f64> {
    let done: u64 = coverage.iter().filter(|row| row.arm == arm).map(|row| row.done).sum();
    let is_other_candidate =
        |name: &str| name != arm && evidence.candidates.iter().any(|c| c == name);
    let spent: i64 = evidence
        .money
        .iter()
        .filter(|row| !is_other_candidate(&row.arm))
        .map(|row| row.spent_nanousd)
        .sum();
    (done > 0).then(|| spent as f64 / 1e9 / done as f64)
}

/// Whether every criterion of a plan names a metric that exists.
///
/// # Errors
/// The problems, each with the place of the metric's name in the file.
pub fn check_criteria(criteria: &[Criterion]) -> Result<(), Vec<crate::plan::Problem>> {
    let problems: Vec<crate::plan::Problem> = criteria
        .iter()
        .filter_map(|criterion| {
            let problem = resolve(criterion).err()?;
            let place = crate::plan::Problem::at(criterion.span.clone(), problem.message);
            Some(place.with_help(problem.help))
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}
