//! Errors at the command line: what was wrong, where, and what to do next.

use std::process::ExitCode;

use super::{EXIT_RESUMABLE, progress};
use crate::capture::ImportError;
use crate::dataset::DatasetError;
use crate::plan::{PlanError, PriceBookError};
use crate::query::QueryError;
use crate::replay::{MergeError, ReplayError};
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

    /// Prints the failure on stderr, as an event where events are asked for.
    pub(super) fn print(&self, json: bool) -> ExitCode {
        if json {
            let fields = serde_json::json!({
                "message": self.message,
                "hint": self.hint,
                "exit_code": self.code,
            });
            progress::event("error", &fields);
            return ExitCode::from(self.code);
        }
        progress::note(&format!("error: {}", escape_terminal(&self.message)));
        if let Some(hint) = &self.hint {
            progress::note(&format!("hint: {}", escape_terminal(hint)));
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

/// Whether a disk is full or failing, rather than a path wrong.
fn is_storage_failure(error: &DatasetError) -> bool {
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    /// `EIO`, which has no kind of its own.
    const INPUT_OUTPUT_ERROR: i32 = 5;
    let DatasetError::Io { source, .. } = error else { return false };
    matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge | ReadOnlyFilesystem)
        || source.raw_os_error() == Some(INPUT_OUTPUT_ERROR)
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        if is_storage_failure(&error) {
            return Failure::internal(chain(&error)).hint(
                "make room on the disk, or see whether it is failing, then run the same command \
                 again",
            );
        }
        let failure = Failure::input(chain(&error));
        match &error {
            DatasetError::Store { .. } => Failure::new(failure.message, EXIT_RESUMABLE)
                .hint("check the address, the AWS_… variables and the network, then run again"),
            DatasetError::Damaged { .. } => failure.hint(
                "put the file back from a copy; without one, import the logs again if it is in \
                 `capture`, or begin a new run with `--run NAME` if it is in `runs`",
            ),
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
        if let QueryError::Dataset(error) = error {
            return error.into();
        }
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
        match error {
            ImportError::Dataset(error) => error.into(),
            error => Failure::input(chain(&error)),
        }
    }
}

/// A certificate that is not trusted: what to do depends on what is wrong with it.
fn untrusted(message: String) -> Failure {
    let hint = if message.contains("UnknownIssuer") || message.contains("CaUsedAsEndEntity") {
        "if the server's certificate comes from an authority of your own, name that authority's \
         certificate with `ca_file` in the plan or with `--ca-file`"
    } else if message.contains("expired") || message.contains("Expired") {
        "the server's certificate has expired, or this machine's clock is wrong"
    } else if message.contains("not valid for") || message.contains("NotValidForName") {
        "the certificate is one of another host: check the host in `base_url`"
    } else {
        "check the server's certificate; there is no way to go on without a valid one"
    };
    Failure::input(message).hint(hint)
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Self {
        let message = chain(&error);
        match error {
            ReplayError::Dataset(error) => {
                let can_be_resumed = is_storage_failure(&error);
                let failure = Failure::from(error);
                if can_be_resumed { Failure { code: EXIT_RESUMABLE, ..failure } } else { failure }
            }
            ReplayError::Unreachable { .. } => Failure::new(message, EXIT_RESUMABLE).hint(
                "check `base_url` and the network, then run the same command again: nothing was sent",
            ),
            ReplayError::Journal { .. } | ReplayError::JournalClosed | ReplayError::Task(_) => {
                Failure::new(message, EXIT_RESUMABLE)
                    .hint("make room on the disk if it is full, then run the same command again")
            }
            ReplayError::JournalDamaged { .. } => Failure::input(message).hint(
                "the disk may be failing; put the journal back from a copy, or begin a new run \
                 with `--run NAME`",
            ),
            ReplayError::UnknownResults { .. } => Failure::input(message)
                .hint("put the journal of that run back, or begin a new run with `--run NAME`"),
            ReplayError::OtherPrices { .. } => Failure::input(message)
                .hint("restore the prices, or begin a new run with `--run NAME`"),
            ReplayError::OtherPlan { .. } => Failure::input(message)
                .hint("restore the plan, or leave out `--run` to begin a run of the new plan"),
            ReplayError::NotAgreed => {
                Failure::usage(message).hint("answer with `y`, or pass `--yes`")
            }
            ReplayError::NoBudget => Failure::input(message)
                .hint("`rehearsal plan` says what the replay will cost, and sends nothing"),
            ReplayError::Locked(_) => {
                Failure::new(message, EXIT_RESUMABLE).hint(
                    "wait for it, or stop it and run the same command again; its number is in the \
                     file LOCK of the run",
                )
            }
            ReplayError::Claimed { .. } | ReplayError::ClaimLost(_) => {
                Failure::new(message, EXIT_RESUMABLE)
                    .hint("nothing is sent twice: wait for it, or run again once it is gone")
            }
            ReplayError::SeveralRuns { .. } => {
                Failure::input(message).hint("say which with `--run ID`")
            }
            ReplayError::Merged(_) => Failure::input(message).hint(
                "resume its shards with `--shard`, then `rehearsal merge --replace`",
            ),
            ReplayError::TooManyShards { limit, .. } => Failure::input(message)
                .hint(format!("use at most {limit} shards, or raise the limit")),
            ReplayError::Merge(error) => Failure::input(message).hint(merge_hint(&error)),
            ReplayError::Untrusted { .. } => untrusted(message),
            ReplayError::ForbiddenAddress { .. } => {
                Failure::input(message).hint("check `base_url`, and what its name resolves to")
            }
            ReplayError::CaFile { .. } => Failure::input(message)
                .hint("name a PEM file that holds the certificate of the authority"),
            ReplayError::KeyFile { .. } => Failure::input(message)
                .hint("write the key alone into that file, readable by you only"),
            ReplayError::TooFewDescriptors { needed, .. } => Failure::input(message).hint(format!(
                "raise the limit with `ulimit -n {needed}` (or LimitNOFILE= of the service), or \
                 lower `concurrency`"
            )),
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

/// The next step after shards that do not fit together.
fn merge_hint(error: &MergeError) -> &'static str {
    match error {
        MergeError::NoShards(_) => "`rehearsal replay --shard 1/N` makes them",
        MergeError::NotAShard { .. } => "name only folders of shards",
        MergeError::Duplicated { .. } => "name only one of the two",
        MergeError::Missing { .. } => {
            "copy them from the machines that replayed them, and name all"
        }
        MergeError::Foreign { .. } => "name the shards of one run, or say which with `--run ID`",
        MergeError::OtherCapture { .. } => "merge in the project that holds the capture",
        MergeError::Unfinished(_) => {
            "run their `rehearsal replay --shard` again, or pass `--allow-unfinished`"
        }
        MergeError::Inconsistent { .. } => "copy the folder again, with all its files",
        MergeError::Exists(_) => "it is kept; `--replace` replaces a run that was merged before",
    }
}
