//! `rehearsal audit`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::{Common, load, print, say};
use crate::audit::audit as audit_capture;
use crate::dataset::{CaptureStore, DatasetError, write_atomically};
use crate::query::{Scope, Session};
use crate::report::{audit_html, audit_json, audit_markdown, audit_text};

#[derive(Debug, Args)]
#[command(after_long_help = "\
Says what the captured traffic uses: endpoints, models with cost and retirement dates, a projected \
month, peaks with the limits to ask of a candidate, features, lengths, latency, errors, caches, \
conversations, tenants, what can be replayed, and how good the data is. It needs a capture only; \
with a plan it also says which models the plan maps. Every table is a query of \
`rehearsal sql --list`.

Examples:
  rehearsal audit
  rehearsal audit --format html -o audit.html
  rehearsal audit --format json
  rehearsal sql --query audit/models")]
pub(super) struct AuditArguments {
    /// How the audit is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = AuditFormat::Table)]
    format: AuditFormat,
    /// Write into FILE instead of stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum AuditFormat {
    /// For a terminal
    Table,
    /// For a document
    Markdown,
    /// For programs; `rehearsal schema audit` describes it
    Json,
    /// One self-contained page
    Html,
}

pub(super) async fn audit(common: &Common, own: &AuditArguments) -> Result<u8, Failure> {
    let project = load::project(common);
    let manifest = CaptureStore::open(&project)?.manifest().clone();
    let has_plan = common.config.is_some() || load::plan_path(common).is_file();
    let plan = match has_plan.then(|| load::plan(common)).transpose() {
        Err(_) if common.config.is_none() => {
            say(common, "warning: the plan is not finished, so its model maps are left aside");
            None
        }
        plan => plan?,
    };
    let prices = plan.as_ref().map(|plan| load::prices(common, plan)).transpose()?;
    let scope =
        Scope { run: None, plan: plan.as_ref().zip(prices.as_ref()), threads: common.threads };
    let session = Session::open(&project, scope).await?;
    let audit = audit_capture(&session, &manifest, plan.as_ref()).await?;
    let text = match own.format {
        AuditFormat::Table => audit_text(&audit),
        AuditFormat::Markdown => audit_markdown(&audit),
        AuditFormat::Json => audit_json(&audit)?,
        AuditFormat::Html => audit_html(&audit, &load::now())?,
    };
    match &own.output {
        None => print(&text)?,
        Some(path) => {
            write_atomically(path, |file| {
                use std::io::Write;
                let failed = |source| DatasetError::io("write", path, source);
                file.write_all(text.as_bytes()).map_err(failed)
            })?;
            say(common, &format!("audit: {}", path.display()));
        }
    }
    Ok(0)
}
