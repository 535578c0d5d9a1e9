//! `rehearsal sql`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::failure::Failure;
use super::{Common, load, print};
use crate::dataset::{DatasetError, write_atomically};
use crate::query::{
    OutputFormat, Parameters, QUERIES, Scope, Session, find, functions, write_rows,
};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Tables: capture, results, rejects, planned, arms, clusters, incumbent_costs, prices, criteria, \
scores, sources, source_reasons, capture_range, catalogue, capture_models, model_maps; views: \
pairs, losses. Only questions are allowed: nothing can be changed or written.

Examples:
  rehearsal sql \"SELECT arm, quantile_ci(latency_ms, 0.99) FROM results GROUP BY arm\"
  rehearsal sql --query report/coverage
  rehearsal sql --query audit/models
  rehearsal sql --query criteria/error_rate --param arm=next --param \"segment=(all)\" \\
      --param min_n=0 --param confidence=0.95 --param limit=0.001
  rehearsal sql -f question.sql --format csv -o answer.csv
  rehearsal sql --list
  rehearsal sql '\\functions'
  rehearsal sql '\\functions quantile' --format json")]
pub(super) struct SqlArguments {
    /// The question; `\functions [PART]` lists the functions with their documentation
    #[arg(value_name = "SELECT", conflicts_with_all = ["file", "query", "list"])]
    sql: Option<String>,
    /// A file that holds the question
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["query", "list"])]
    file: Option<PathBuf>,
    /// A query of the catalogue
    #[arg(long, value_name = "NAME", conflicts_with = "list")]
    query: Option<String>,
    /// A parameter of the question
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parse_parameter)]
    parameters: Vec<(String, String)>,
    /// How rows are printed: table, json, jsonl or csv
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = OutputFormat::from_str)]
    format: OutputFormat,
    /// Write into FILE instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// List the queries of the catalogue
    #[arg(long)]
    list: bool,
}

fn parse_parameter(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write NAME=VALUE".to_owned())
}

pub(super) async fn sql(common: &Common, own: &SqlArguments) -> Result<u8, Failure> {
    if own.list {
        return list();
    }
    let batches = if let Some(part) = own.sql.as_deref().and_then(asks_for_functions) {
        vec![functions(part)?]
    } else {
        let is_of_plan = own.query.as_ref().is_some_and(|name| name.starts_with("plan/"));
        let session = open(common, is_of_plan).await?;
        let parameters: Parameters = own.parameters.iter().cloned().collect();
        let (frame, name) = match (&own.sql, &own.file, &own.query) {
            (Some(text), _, _) => (session.sql(text, &parameters).await?, "the question"),
            (_, Some(file), _) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|source| DatasetError::io("read", file, source))?;
                (session.sql(&text, &parameters).await?, "the question")
            }
            (_, _, Some(name)) => (session.query(find(name)?, &parameters).await?, name.as_str()),
            _ => {
                return Err(Failure::usage("there is no question")
                    .hint("give SQL, `-f FILE`, `--query NAME` or `--list`"));
            }
        };
        session.collect(frame, name).await?
    };
    let mut text = Vec::new();
    write_rows(&batches, own.format, &mut text)?;
    match &own.output {
        Some(path) => write_atomically(path, |file| {
            use std::io::Write;
            file.write_all(&text).map_err(|source| DatasetError::io("write", path, source))
        })?,
        None => print(&String::from_utf8_lossy(&text))?,
    }
    Ok(0)
}

/// The part of a name in `\functions PART`, empty for all of them.
fn asks_for_functions(question: &str) -> Option<&str> {
    let rest = question.trim().strip_prefix("\\functions")?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

/// The session over the project; run and plan are there if they exist.
///
/// Queries of a dry run see what the plan intends now, not what a run intended.
async fn open(common: &Common, is_of_plan: bool) -> Result<Session, Failure> {
    let project = load::project(common);
    let run = match &common.run {
        Some(_) => Some(project.existing_run(common.run.as_deref())?),
        None => project.latest_run()?,
    };
    if let Some(run) = &run {
        crate::replay::recover(run).await?;
    }
    let has_plan = load::plan_path(common).is_file();
    let plan = match has_plan.then(|| load::plan(common)).transpose() {
        // The capture can be asked before the plan is finished.
        Err(_) if run.is_none() && common.config.is_none() => None,
        plan => plan?,
    };
    let prices = plan.as_ref().map(|plan| load::prices(common, plan)).transpose()?;
    let scope = Scope {
        run: run.as_ref(),
        plan: plan.as_ref().zip(prices.as_ref()),
        threads: common.threads,
    };
    let session = Session::open(&project, scope).await?;
    if is_of_plan && let Some((plan, prices)) = scope.plan {
        super::plan::preview(common, &session, plan, prices).await?;
    }
    Ok(session)
}

fn list() -> Result<u8, Failure> {
    let mut text = String::new();
    for query in QUERIES {
        let header = query.header().map_err(|error| Failure::internal(error.to_string()))?;
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{:<36} {}", query.name, header.purpose);
    }
    print(&text)?;
    Ok(0)
}
