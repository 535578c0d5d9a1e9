//! `rehearsal top`: a look at a running or finished run.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::{Common, load, print, top_view};
use crate::dataset::RunFolder;
use crate::replay::{RunState, RunView, Watch};

/// Least time between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks take at most one part in this many of the time, however large the run is.
const SHARE_OF_TIME: u32 = 10;

/// The terminal's other page, without cursor and without wrapping of long lines.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

#[derive(Debug, Args)]
#[command(after_long_help = "\
Reads the journal and the sealed results of a run and never writes: a running replay neither waits \
for it nor notices it. In a terminal the view is renewed every second until the run ends or you \
interrupt; elsewhere, or with `--once`, it is printed once. Latencies are those of answered attempts.

Examples:
  rehearsal top
  rehearsal top --once --format json
  rehearsal top run-4f1d0a9c2b7e.shard-2-of-8")]
pub(super) struct TopArguments {
    /// The run or shard [default: the one that began last]
    #[arg(value_name = "RUN")]
    name: Option<String>,
    /// Look once
    #[arg(long)]
    once: bool,
    /// What is printed; JSON is always one look
    #[arg(long, value_enum, default_value_t = TopFormat::Table)]
    format: TopFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TopFormat {
    /// For people
    Table,
    /// One JSON document, see `rehearsal schema top`
    Json,
}

pub(super) async fn top(common: &Common, own: &TopArguments) -> Result<u8, Failure> {
    let folder = folder(common, own)?;
    // The limits and the budget now in force, where the plan is at hand.
    let plan = load::plan(common).ok();
    let mut watch = Watch::open(folder, plan.as_ref())?;
    let mut view = look(&mut watch)?;
    if own.format == TopFormat::Json {
        let text = serde_json::to_string_pretty(&view)
            .map_err(|error| Failure::internal(error.to_string()))?;
        print(&format!("{text}\n"))?;
        return Ok(0);
    }
    let live = !own.once && std::io::stdout().is_terminal();
    if live && view.state == RunState::Running {
        print(ENTER)?;
        let ended = follow(&mut watch, &mut view).await;
        print(LEAVE)?;
        ended?;
    }
    print(&top_view::text(&view))?;
    Ok(0)
}

fn folder(common: &Common, own: &TopArguments) -> Result<RunFolder, Failure> {
    let project = load::project(common);
    let named = own.name.as_deref().or(common.run.as_deref());
    let latest = if named.is_none() { project.latest_run_or_shard()? } else { None };
    match latest {
        Some(run) => Ok(run),
        None => Ok(project.existing_run(named)?),
    }
}

fn look(watch: &mut Watch) -> Result<RunView, Failure> {
    Ok(watch.look(load::now_us())?)
}

/// Renews the view until the run ends or the user interrupts.
async fn follow(watch: &mut Watch, view: &mut RunView) -> Result<(), Failure> {
    loop {
        print(&top_view::page(view))?;
        if view.state != RunState::Running {
            return Ok(());
        }
        let began = Instant::now();
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
        let looked = Instant::now();
        *view = look(watch)?;
        let rest = (looked.elapsed() * SHARE_OF_TIME).saturating_sub(began.elapsed());
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            _ = tokio::signal::ctrl_c() => return Ok(()),
        }
    }
}
