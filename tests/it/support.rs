//! Runs the built program in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The built program.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rehearsal"));
    command.env("NO_PROXY", "*").env_remove("HTTP_PROXY").env_remove("HTTPS_PROXY");
    command.stdin(Stdio::null());
    command
}

/// A file of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a subcommand in a project folder.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Said {
    said(&program().args(arguments).arg("-C").arg(folder).output().expect("the program starts"))
}

pub(crate) fn said(output: &Output) -> Said {
    Said {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The JSON rows of a question.
pub(crate) fn rows(folder: &Path, question: &str) -> Vec<serde_json::Value> {
    let answer = run(folder, &["sql", question, "--format", "json"]);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    serde_json::from_str(&answer.stdout).expect("rows are JSON")
}

/// The one number that a question asks for.
pub(crate) fn number(folder: &Path, question: &str) -> i64 {
    let rows = rows(folder, question);
    let row = rows[0].as_object().expect("a row");
    row.values().next().and_then(serde_json::Value::as_i64).expect("a number")
}

/// The only run of a project.
pub(crate) fn only_run(folder: &Path) -> PathBuf {
    let runs: Vec<PathBuf> = std::fs::read_dir(folder.join("runs"))
        .expect("there are runs")
        .map(|entry| entry.expect("a run").path())
        .collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

/// A number of the environment, by which a long run asks for more than a short one does.
#[expect(clippy::disallowed_methods, reason = "the long run is asked for by the environment")]
pub(crate) fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Says that a test cannot run here for want of something outside; where everything has to be
/// there, that is a failure.
#[expect(clippy::print_stdout, reason = "the runner shows it to whoever asks for the output")]
#[expect(clippy::disallowed_methods, reason = "only some machines must have every tool")]
pub(crate) fn skip(want: &str) {
    assert!(std::env::var("REHEARSAL_REQUIRE_TOOLS").is_err(), "{want}");
    println!("skipped: {want}");
}

/// Whether an outside tool is installed; says so if it is not.
pub(crate) fn has_tool(name: &str, argument: &str) -> bool {
    let mut command = Command::new(name);
    if command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        return true;
    }
    skip(&format!("{name} is not installed"));
    false
}
