//! From a replayed run to its verdict: opens the evidence, measures, judges.

use super::failure::Failure;
use crate::compare;
use crate::dataset::{CaptureManifest, CaptureStore, Project, RunFolder, sha256_hex};
use crate::plan::{Plan, PriceBook};
use crate::query::{Parameters, QUERIES, Scope, Session};
use crate::replay::{check_belongs, recover};
use crate::verdict::{ClientEvidence, Evidence, Inputs, Verdict, judge, measurements};

/// A judged run with the session that it was judged in.
pub(super) struct Assessment {
    pub(super) verdict: Verdict,
    pub(super) session: Session,
    pub(super) capture: CaptureManifest,
}

/// Judges a run; `candidate` narrows the verdict to one of them.
pub(super) async fn assess(
    project: &Project,
    run: &RunFolder,
    plan: &Plan,
    prices: &PriceBook,
    candidate: Option<&str>,
    threads: Option<usize>,
) -> Result<Assessment, Failure> {
    let capture = CaptureStore::open_checked(project)?.manifest().clone();
    check_belongs(&run.manifest()?, plan, &capture.rows_sha256)?;
    if let Some(shard) = run.shard() {
        let message =
            format!("`{}` is shard {shard} of a run, which only as a whole is judged", run.name());
        return Err(Failure::input(message).hint("join the shards with `rehearsal merge`"));
    }
    recover(run).await?;
    let scope = Scope { run: Some(run), plan: Some((plan, prices)), threads };
    let session = Session::open(project, scope).await?;
    check_results(&session).await?;

    let candidates: Vec<String> = plan
        .candidates
        .iter()
        .map(|arm| arm.name.clone())
        .filter(|name| candidate.is_none_or(|wanted| wanted == name))
        .collect();
    if candidates.is_empty() {
        let wanted = candidate.unwrap_or_default();
        return Err(Failure::usage(format!("the plan has no candidate `{wanted}`")));
    }
    let has_control = plan.control.is_some();
    let mut findings = Vec::new();
    let mut config_faults = std::collections::BTreeMap::new();
    for arm in &candidates {
        for criterion in &plan.criteria {
            let measured = measurements(criterion, arm, has_control, plan.replay.seed)
                .map_err(|problem| Failure::input(problem.message).hint(problem.help))?;
            let mut found = compare::measure(&session, &measured.measurement).await?;
            // Coverage is a figure of the run itself.
            if plan.replay.strata.is_some() && measured.measurement.query != "criteria/coverage" {
                let measurement = &measured.measurement;
                compare::refuse_unequal_weights(&session, measurement, &mut found).await?;
            }
            findings.push((criterion, arm.clone(), measured, found));
        }
        config_faults.insert(arm.clone(), faults(&session, arm).await?);
    }
    let evidence = Evidence {
        run_id: run.run_id(),
        candidates,
        findings,
        config_faults,
        coverage: compare::coverage(&session).await?,
        money: compare::money(&session).await?,
        budget_nanousd: plan.replay.budget.map_or(0, |budget| budget.0),
        client: ClientEvidence {
            open_loop: plan.replay.pace.is_open(),
            health: compare::client_health(&session).await?,
            slip: compare::schedule_slip(&session).await?,
        },
        inputs: inputs(&session, plan, &capture).await?,
    };
    let verdict = judge(&evidence);
    Ok(Assessment { verdict, session, capture })
}

/// First attempts of an arm that were refused for a fault of ours.
async fn faults(session: &Session, arm: &str) -> Result<u64, Failure> {
    let parameters = Parameters::from([
        ("arm".to_owned(), arm.to_owned()),
        ("segment".to_owned(), "(all)".to_owned()),
        ("min_n".to_owned(), "0".to_owned()),
        ("confidence".to_owned(), "0.95".to_owned()),
        ("limit".to_owned(), "0.5".to_owned()),
    ]);
    let query = "criteria/config_error_rate";
    let found = compare::measure(session, &compare::Measurement { query, parameters }).await?;
    let events = found.first().and_then(|finding| finding.events);
    Ok(events.unwrap_or(0).unsigned_abs())
}

/// Runs every query that must find nothing.
async fn check_results(session: &Session) -> Result<(), Failure> {
    for query in QUERIES.iter().filter(|query| query.name.starts_with("checks/")) {
        let frame = session.query(query, &Parameters::new()).await?;
        let rows = session.count(frame, query.name).await?;
        if rows > 0 {
            let message =
                format!("the results are inconsistent: `{}` finds {rows} rows", query.name);
            let hint = format!("look at them with `rehearsal sql --query {}`", query.name);
            return Err(Failure::input(message).hint(hint));
        }
    }
    Ok(())
}

async fn inputs(
    session: &Session,
    plan: &Plan,
    capture: &CaptureManifest,
) -> Result<Inputs, Failure> {
    let plan_text = plan.canonical_json().map_err(|error| Failure::internal(error.to_string()))?;
    Ok(Inputs {
        plan_sha256: sha256_hex(plan_text),
        prices_sha256: session.prices_sha256().await?,
        capture_sha256: capture.rows_sha256.clone(),
        results_sha256: session.results_sha256().await?,
        seed: plan.replay.seed,
    })
}
