//! `rehearsal plan`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::replay::Overrides;
use super::{Common, load, print, say};
use crate::dataset::{CaptureStore, DatasetError, write_atomically};
use crate::plan::{Plan, PriceBook};
use crate::preflight::{Circumstances, preflight};
use crate::query::{OutputFormat, Parameters, Scope, Session, find, write_rows};
use crate::replay::{Planned, check_belongs, default_run_id, plan_items, schedule_end};
use crate::report::{preflight_json, preflight_markdown, preflight_text};

/// The rows that stand for the dry run in CSV.
const CSV_QUERY: &str = "plan/arms";

#[derive(Debug, Args)]
#[command(after_long_help = "\
Plans the replay as `replay` does, and sends nothing: requests, tokens and cost at the low end, as \
expected and at most, the time that it takes, what translations lose, hosted tools that would fire, \
what cannot be replayed, the capture's peak against the limits of each candidate, and whether the \
budget will do. No address is contacted. Every table is a query of `rehearsal sql --list`. Exits \
with 3 when a price is missing, because `replay` will refuse to begin.

Examples:
  rehearsal plan
  rehearsal plan --format markdown -o plan.md
  rehearsal plan --format json
  rehearsal sql --query plan/models")]
pub(super) struct PlanArguments {
    /// How the dry run is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = PlanFormat::Table)]
    format: PlanFormat,
    /// Write into FILE instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PlanFormat {
    /// For a terminal
    Table,
    /// For a document
    Markdown,
    /// For programs; `rehearsal schema dry-run` describes it
    Json,
    /// One row per arm: the query `plan/arms`
    Csv,
}

pub(super) async fn plan(common: &Common, own: &PlanArguments) -> Result<u8, Failure> {
    let mut plan = load::plan(common)?;
    own.overrides.apply(&mut plan);
    let project = load::project(common);
    let prices = load::prices(common, &plan)?;
    let capture = CaptureStore::open(&project)?;
    let planned = plan_items(&plan, &prices, &capture)?;
    let arrivals = load::arrivals(common, &plan)?;
    let run_id = common.run.clone().unwrap_or_else(|| default_run_id(&plan, capture.manifest()));
    let run = project.run(&run_id)?;
    let is_begun = run.manifest_file().is_file();
    if is_begun {
        check_belongs(&run.manifest()?, &plan, &capture.manifest().rows_sha256)?;
    }
    let scope = Scope { run: None, plan: Some((&plan, &prices)), threads: common.threads };
    let session = Session::open(&project, scope).await?;
    let circumstances = Circumstances {
        plan: &plan,
        capture: capture.manifest(),
        planned: &planned,
        run_id,
        is_begun,
        schedule_end: schedule_end(&plan, &planned, &capture, arrivals.as_deref()),
        variable: &load::environment,
    };
    let found = preflight(&session, &circumstances).await?;
    let text = match own.format {
        PlanFormat::Table => preflight_text(&found),
        PlanFormat::Markdown => preflight_markdown(&found),
        PlanFormat::Json => preflight_json(&found)?,
        PlanFormat::Csv => csv(&session).await?,
    };
    match &own.output {
        None => print(&text)?,
        Some(path) => {
            write(path, &text)?;
            say(common, &format!("dry run: {}", path.display()));
        }
    }
    match unpriced(&planned) {
        None => Ok(0),
        Some(failure) => Err(failure),
    }
}

async fn csv(session: &Session) -> Result<String, Failure> {
    let frame = session.query(find(CSV_QUERY)?, &Parameters::new()).await?;
    let mut text = Vec::new();
    write_rows(&session.collect(frame, CSV_QUERY).await?, OutputFormat::Csv, &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    write_atomically(path, |file| {
        use std::io::Write;
        let failed = |source| DatasetError::io("write", path, source);
        file.write_all(text.as_bytes()).map_err(failed)
    })?;
    Ok(())
}

/// What `replay` would say of a model without a price.
fn unpriced(planned: &Planned) -> Option<Failure> {
    let ((arm, _), message) = planned.unpriced.iter().next()?;
    let failure = Failure::input(format!("arm `{arm}`: {message}"));
    Some(failure.hint(
        "add `prices = { input = \"… USD/1M\", output = \"… USD/1M\" }` to the candidate: \
         `replay` refuses to begin without",
    ))
}

/// What the plan intends, as tables of a session.
pub(super) async fn preview(
    common: &Common,
    session: &Session,
    plan: &Plan,
    prices: &PriceBook,
) -> Result<(), Failure> {
    let capture = CaptureStore::open(&load::project(common))?;
    let planned = plan_items(plan, prices, &capture)?;
    Ok(session.preview(plan, &planned.rows).await?)
}
