//! `rehearsal judge`.

use clap::Args;

use super::assess::assess;
use super::failure::Failure;
use super::{Common, load, print, say};
use crate::dataset::write_json;
use crate::verdict::{CriterionResult, Decision, Outcome, Verdict};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Writes verdict.json into the folder of the run. The exit code is the verdict: 0 GO, 10 NO-GO, \
11 INCONCLUSIVE.

Examples:
  rehearsal judge
  rehearsal judge --candidate next --json")]
pub(super) struct JudgeArguments {
    /// Judge this candidate alone
    #[arg(long, value_name = "NAME")]
    candidate: Option<String>,
    /// Print verdict.json on stdout
    #[arg(long)]
    json: bool,
}

pub(super) async fn judge(common: &Common, own: &JudgeArguments) -> Result<u8, Failure> {
    let project = load::project(common);
    let run = project.existing_run(common.run.as_deref())?;
    let plan = load::plan_of_run(common, &run)?;
    let prices = load::prices(common, &plan)?;
    let candidate = own.candidate.as_deref();
    let judged = assess(&project, &run, &plan, &prices, candidate, common.threads).await?;
    write_json(&run.verdict_file(), &judged.verdict)?;
    if own.json {
        let text = serde_json::to_string_pretty(&judged.verdict)
            .map_err(|error| Failure::internal(error.to_string()))?;
        print(&format!("{text}\n"))?;
    } else {
        print(&summary(&judged.verdict))?;
    }
    say(common, &format!("verdict: {}", run.verdict_file().display()));
    Ok(exit_code(judged.verdict.decision))
}

/// The exit code of a decision.
pub(super) fn exit_code(decision: Decision) -> u8 {
    match decision {
        Decision::Go => 0,
        Decision::NoGo => 10,
        Decision::Inconclusive => 11,
    }
}

/// The verdict in a few lines for a terminal.
pub(super) fn summary(verdict: &Verdict) -> String {
    let mut lines = vec![format!("{} (run {})", verdict.decision.as_str(), verdict.run_id)];
    for reason in &verdict.reasons {
        let arm = reason.arm.as_deref().unwrap_or("all");
        lines.push(format!("  {arm}: {}", reason.text));
    }
    lines.push(String::new());
    for criterion in &verdict.criteria {
        lines.push(criterion_line(criterion));
    }
    lines.push(String::new());
    for row in &verdict.coverage {
        let excluded: u64 = row.excluded.values().sum();
        lines.push(format!(
            "  {} repeat {}: {} captured = {} planned + {} excluded; {} planned = {} done + {} \
             failed + {} uncertain + {} not sent",
            row.arm,
            row.repeat,
            row.captured,
            row.planned,
            excluded,
            row.planned,
            row.done,
            row.failed,
            row.uncertain,
            row.not_sent
        ));
    }
    let text: Vec<String> =
        lines.iter().map(|line| crate::report::escape_terminal_line(line)).collect();
    format!("{}\n", text.join("\n"))
}

fn criterion_line(criterion: &CriterionResult) -> String {
    let mark = match criterion.outcome {
        Outcome::Met => "met         ",
        Outcome::NotMet => "NOT MET     ",
        Outcome::Inconclusive => "inconclusive",
    };
    let number = |value: Option<f64>| value.map_or("unknown".to_owned(), |v| format!("{v:.4}"));
    let segment = match (&criterion.segment, &criterion.segment_value) {
        (Some(segment), Some(value)) => format!(" [{segment} = {value}]"),
        _ => String::new(),
    };
    let needed = criterion
        .needed
        .as_ref()
        .and_then(|needed| needed.n)
        .map_or(String::new(), |n| format!("; {n} exchanges would decide"));
    format!(
        "  {mark} {} {}{segment}: {} [{}, {}] against {} {}, n = {}{}{needed}",
        criterion.arm,
        criterion.metric,
        number(criterion.estimate),
        number(criterion.low),
        number(criterion.high),
        criterion.bound,
        criterion.unit,
        criterion.n,
        if criterion.gate { "" } else { ", advisory" },
    )
}
