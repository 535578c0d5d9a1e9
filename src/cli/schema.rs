//! `rehearsal schema`.

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::print;
use crate::plan::PlanFile;
use crate::preflight::Preflight;
use crate::replay::RunView;
use crate::report::{json_schema, schema_of};
use crate::verdict::Verdict;

#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  rehearsal schema verdict\n  rehearsal schema plan")]
pub(super) struct SchemaArguments {
    /// Which file
    #[arg(value_enum)]
    subject: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// rehearsal.toml
    Plan,
    /// verdict.json
    Verdict,
    /// report.json
    Report,
    /// The JSON of `rehearsal audit`
    Audit,
    /// The JSON of `rehearsal top`
    Top,
    /// The JSON of `rehearsal plan`
    DryRun,
}

pub(super) fn schema(own: &SchemaArguments) -> Result<u8, Failure> {
    let schema = match own.subject {
        Subject::Plan => schema_of::<PlanFile>(),
        Subject::Verdict => schema_of::<Verdict>(),
        Subject::Report => json_schema(),
        Subject::Top => schema_of::<RunView>(),
        Subject::Audit => crate::audit::json_schema(),
        Subject::DryRun => schema_of::<Preflight>(),
    };
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Failure::internal(error.to_string()))?;
    print(&format!("{text}\n"))?;
    Ok(0)
}
