//! The command line: one file per subcommand. It parses, calls the library, prints, and exits.

mod assess;
mod audit;
mod consent;
mod demo;
mod failure;
mod import;
mod import_progress;
mod judge;
mod load;
mod merge;
mod plan;
mod progress;
mod redaction;
mod remote_inputs;
mod replay;
mod report;
mod run;
mod schema;
mod signals;
mod simulator;
mod sql;
mod top;
mod top_view;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::failure::Failure;

/// Exit code when a run is stopped but can be resumed (budget, outage, SIGTERM).
const EXIT_RESUMABLE: u8 = 75;

/// Exit code after an interruption by the user.
const EXIT_INTERRUPTED: u8 = 130;

/// May we move this LLM traffic to another provider?
///
/// Rehearsal imports the logs of a gateway, replays the captured requests against a candidate,
/// and judges latency, errors, answers and cost against criteria of a plan.
#[derive(Debug, Parser)]
#[command(name = "rehearsal", version, propagate_version = true)]
#[command(after_long_help = "\
Exit codes: 0 done or GO, 1 internal error, 2 usage, 3 bad plan or data, 4 too many rejected \
lines, 10 NO-GO, 11 INCONCLUSIVE, 75 stopped but resumable, 130 interrupted, resumable.

Examples:
  rehearsal demo
  rehearsal import gateway.jsonl.gz
  rehearsal audit
  rehearsal plan
  rehearsal run
  rehearsal sql \"SELECT request_model, COUNT(*) FROM capture GROUP BY request_model\"")]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every subcommand takes.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Project folder: holds rehearsal.toml, capture/ and runs/
    #[arg(short = 'C', long = "dir", global = true, default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// Plan file [default: rehearsal.toml in the project folder]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Run to work on [default: the latest; for `replay` the one that follows from the plan]
    #[arg(long, global = true, value_name = "ID")]
    run: Option<String>,
    /// Store that several machines share: `s3://bucket/prefix` or a folder [default: none]
    #[arg(long, global = true, value_name = "URL")]
    store: Option<String>,
    /// Say less: only data and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// How progress is shown on stderr
    #[arg(long, global = true, value_enum, default_value_t = ProgressStyle::Auto)]
    progress: ProgressStyle,
    /// Threads for parsing and queries [default: all cores]
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProgressStyle {
    /// A bar in a terminal, else a line every ten seconds
    Auto,
    /// A line every ten seconds
    Plain,
    /// JSON objects, one a line, for every event and every second (docs/events.md)
    Json,
    /// Nothing
    None,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole flow on invented traffic and a simulated provider: no key, no network
    Demo(demo::DemoArguments),
    /// Import logs into capture/
    Import(import::ImportArguments),
    /// Say what the captured traffic uses today
    Audit(audit::AuditArguments),
    /// Say what a replay would send, cost and lose, without sending anything
    Plan(plan::PlanArguments),
    /// Replay the capture against the candidates; the same command resumes
    Replay(replay::ReplayArguments),
    /// Join the shards of a run
    Merge(merge::MergeArguments),
    /// Look at a running or finished run
    Top(top::TopArguments),
    /// Judge a run: writes verdict.json and exits with the verdict
    Judge(judge::JudgeArguments),
    /// Write the sign-off report of a judged run
    Report(report::ReportArguments),
    /// Import, replay, judge and report, from the plan alone; exits with the verdict
    Run(run::RunArguments),
    /// Ask SQL questions of the capture and a run
    Sql(sql::SqlArguments),
    /// Serve the simulated provider on a port
    Simulator(simulator::SimulatorArguments),
    /// Print the JSON Schema of a file format
    Schema(schema::SchemaArguments),
}

/// Parses the command line, runs the subcommand, and maps the result to an exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let json = arguments.common.progress == ProgressStyle::Json;
    if let Some(threads) = arguments.common.threads {
        // Fails only when the pool exists already, which nothing before this line makes.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::internal(error.to_string()).print(json),
    };
    expect_panics_of_the_table_reader();
    let result = runtime.block_on(dispatch(arguments));
    // A task that hangs must not keep the program from ending.
    runtime.shutdown_background();
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => failure.print(json),
    }
}

/// A damaged Parquet file may make its library panic, which ends only the thread that reads it and
/// is told as a fault of the file.
fn expect_panics_of_the_table_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(crate::dataset::TABLE_THREAD) {
            usual(panic);
        }
    }));
}

async fn dispatch(arguments: Arguments) -> Result<u8, Failure> {
    let Arguments { common, command } = arguments;
    match command {
        Command::Demo(own) => demo::demo(&common, &own).await,
        Command::Import(own) => import::import(&common, &own).await,
        Command::Audit(own) => audit::audit(&common, &own).await,
        Command::Plan(own) => plan::plan(&common, &own).await,
        Command::Replay(own) => replay::replay(&common, &own).await,
        Command::Merge(own) => merge::merge(&common, &own).await,
        Command::Top(own) => top::top(&common, &own).await,
        Command::Judge(own) => judge::judge(&common, &own).await,
        Command::Report(own) => report::report(&common, &own).await,
        Command::Run(own) => run::run(&common, &own).await,
        Command::Sql(own) => sql::sql(&common, &own).await,
        Command::Simulator(own) => simulator::simulator(&own).await,
        Command::Schema(own) => schema::schema(&own),
    }
}

/// Prints a message on stderr: for people, or as an event where events are asked for.
fn say(common: &Common, message: &str) {
    match common.progress {
        _ if common.quiet => {}
        ProgressStyle::Json => progress::event("message", &serde_json::json!({ "text": message })),
        _ => progress::note(&crate::report::escape_terminal(message)),
    }
}

/// Prints data on stdout.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|e| Failure::output(&e))
}
