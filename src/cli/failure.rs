//! Errors at the command line: what was wrong, where, and what to do next.

use std::process::ExitCode;

use super::EXIT_RESUMABLE;
use crate::capture::ImportError;
use crate::dataset::DatasetError;
use crate::plan::{PlanError, PriceBookError};
use crate::query::QueryError;
use crate::replay::ReplayError;
use crate::report::{ReportError, escape_terminal};

const EXIT_INTERNAL: u8 = 1;
const EXIT_USAGE: u8 = 2;
const EXIT_BAD_INPUT: u8 = 3;

/// A failure with its exit code and the next step.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    hint: Option<String>,
    code: u8,
    broken_pipe: bool,
}

impl Failure {
    fn new(message: impl Into<String>, code: u8) -> Self {
        Failure { message: message.into(), hint: None, code, broken_pipe: false }
    }

    /// A defect of this program.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Failure::new(message, EXIT_INTERNAL)
    }

    /// A command line that cannot be meant.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Failure::new(message, EXIT_USAGE)
    }

    /// A plan or data that cannot be used.
    pub(super) fn input(message: impl Into<String>) -> Self {
        Failure::new(message, EXIT_BAD_INPUT)
    }

    /// Output that could not be written.
    pub(super) fn output(error: &std::io::Error) -> Self {
        let broken_pipe = error.kind() == std::io::ErrorKind::BrokenPipe;
        Failure { broken_pipe, ..Failure::internal(format!("cannot write the output: {error}")) }
    }

    /// The same with the next step.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether somebody closed the pipe that was written to, which is no failure.
    pub(super) fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }

    /// Prints the failure on stderr.
    #[expect(clippy::print_stderr, reason = "the command line is what prints")]
    pub(super) fn print(&self) -> ExitCode {
        eprintln!("error: {}", escape_terminal(&self.message));
        if let Some(hint) = &self.hint {
            eprintln!("hint: {}", escape_terminal(hint));
        }
        ExitCode::from(self.code)
    }
}

/// An error with all its reasons, the innermost last.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        let reason_text = reason.to_string();
        if !text.contains(&reason_text) {
            text.push_str(": ");
            text.push_str(&reason_text);
        }
        source = reason.source();
    }
    text
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        let failure = Failure::input(chain(&error));
        match &error {
            DatasetError::Io { action: "read", .. } => failure.hint("check the path"),
            DatasetError::Io { path, .. } => failure.hint(format!(
                "check that {} can be written, and that the disk is not full",
                path.display()
            )),
            _ => failure,
        }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let failure = Failure::input(chain(&error));
        match error {
            PlanError::Read { .. } => {
                failure.hint("write a plan, or name one with `--config FILE`")
            }
            _ => failure,
        }
    }
}

impl From<PriceBookError> for Failure {
    fn from(error: PriceBookError) -> Self {
        Failure::input(chain(&error))
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let failure = Failure::input(chain(&error));
        match error {
            QueryError::UnknownQuery { .. } => {
                failure.hint("`rehearsal sql --list` shows all queries")
            }
            QueryError::MissingParameter { name, .. } => {
                failure.hint(format!("add `--param {name}=…`"))
            }
            _ => failure,
        }
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        Failure::internal(chain(&error))
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Failure::input(chain(&error))
    }
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        let message = chain(&error);
        match error {
            ReplayError::Dataset(error) => error.into(),
            ReplayError::Unreachable { .. } => Failure::new(message, EXIT_RESUMABLE).hint(
                "check `base_url` and the network, then run the same command again: nothing was sent",
            ),
            ReplayError::Journal { .. } | ReplayError::JournalClosed | ReplayError::Task(_) => {
                Failure::new(message, EXIT_RESUMABLE)
                    .hint("make room on the disk if it is full, then run the same command again")
            }
            ReplayError::JournalDamaged { .. } => Failure::input(message)
                .hint("the disk may be failing; begin a new run with `--run NAME`"),
            ReplayError::OtherPlan { .. } => Failure::input(message)
                .hint("restore the plan, or leave out `--run` to begin a run of the new plan"),
            ReplayError::Locked(_) => {
                Failure::input(message).hint("wait for it, or stop it; it can be resumed")
            }
            ReplayError::MissingKey { variable, .. } => {
                Failure::input(message).hint(format!("export {variable}=… and run again"))
            }
            ReplayError::Price { .. } => Failure::input(message).hint(
                "add `prices = { input = \"… USD/1M\", output = \"… USD/1M\" }` to the candidate: \
                 an unknown price is never taken as zero",
            ),
            ReplayError::Encode(_) => Failure::internal(message),
            _ => Failure::input(message),
        }
    }
}
