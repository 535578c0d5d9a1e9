//! `rehearsal report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::assess::{Assessment, assess};
use super::failure::Failure;
use super::{Common, load, print, say};
use crate::dataset::{DatasetError, RunFolder, write_atomically};
use crate::plan::Plan;
use crate::report::{self, Report};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Without `--as`, report.html, report.md and report.json are written into the folder of the run.

Examples:
  rehearsal report
  rehearsal report --as markdown
  rehearsal report --as html -o sign-off.html")]
pub(super) struct ReportArguments {
    /// Only this form, on stdout or into FILE
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<ReportForm>,
    /// Write into FILE instead of stdout
    #[arg(short, long, value_name = "FILE", requires = "form")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportForm {
    /// One self-contained page
    Html,
    /// For a pull request
    Markdown,
    /// For programs
    Json,
}

pub(super) async fn report(common: &Common, own: &ReportArguments) -> Result<u8, Failure> {
    let project = load::project(common);
    let run = project.existing_run(common.run.as_deref())?;
    let plan = load::plan_of_run(common, &run)?;
    let prices = load::prices(common, &plan)?;
    let judged = assess(&project, &run, &plan, &prices, None, common.threads).await?;
    let report = build(&plan, judged).await?;
    match own.form {
        None => write_all(common, &run, &report)?,
        Some(form) => {
            let text = match form {
                ReportForm::Html => report::html(&report)?,
                ReportForm::Markdown => report::markdown(&report),
                ReportForm::Json => report::json(&report)?,
            };
            match &own.output {
                Some(path) => write_text(path, &text)?,
                None => print(&text)?,
            }
        }
    }
    Ok(0)
}

/// The report of a judged run.
pub(super) async fn build(plan: &Plan, judged: Assessment) -> Result<Report, Failure> {
    let Assessment { verdict, session, capture } = judged;
    Ok(report::build(&session, plan, &capture, verdict, &load::now()).await?)
}

/// Writes all views of a report into the folder of its run.
pub(super) fn write_all(common: &Common, run: &RunFolder, report: &Report) -> Result<(), Failure> {
    write_text(&run.report_file("json"), &report::json(report)?)?;
    write_text(&run.report_file("md"), &report::markdown(report))?;
    write_text(&run.report_file("html"), &report::html(report)?)?;
    say(common, &format!("report: {}", run.report_file("html").display()));
    Ok(())
}

fn write_text(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    write_atomically(path, |file| {
        file.write_all(text.as_bytes()).map_err(|source| DatasetError::io("write", path, source))
    })?;
    Ok(())
}
