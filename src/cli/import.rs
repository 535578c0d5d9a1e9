//! `rehearsal import`.

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::{Common, load, print, say};
use crate::capture::{self, ImportOptions, LatencyUnit, SecretScrubber};
use crate::dataset::Project;

/// Exit code when more lines were set aside than the user allows.
const EXIT_TOO_MANY_REJECTS: u8 = 4;

#[derive(Debug, Args)]
#[command(after_long_help = "\
The log format is found by content. Lines that cannot be used are set aside in the table \
`rejects` with file, line and reason. Secrets are removed before anything is written.

Examples:
  rehearsal import gateway.jsonl
  rehearsal import logs/ more.jsonl.gz
  zcat old.gz | rehearsal import -")]
pub(super) struct ImportArguments {
    /// Files, folders, patterns, or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// Log format [default: found by content]
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// Share of lines that may be set aside, such as 1% or 0.01
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = parse_share)]
    max_reject_rate: f64,
    /// Unit of latencies whose key names none
    #[arg(long, value_enum, value_name = "UNIT")]
    latency_unit: Option<UnitArgument>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UnitArgument {
    /// Milliseconds
    Ms,
    /// Seconds
    S,
}

fn parse_share(text: &str) -> Result<f64, String> {
    let (number, divisor) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent, 100.0),
        None => (text, 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(value) if (0.0..=divisor).contains(&value) => Ok(value / divisor),
        _ => Err("write for instance `1%` or `0.01`".to_owned()),
    }
}

pub(super) fn import(common: &Common, own: &ImportArguments) -> Result<u8, Failure> {
    let options = ImportOptions {
        inputs: own.inputs.clone(),
        format: own.from.clone(),
        max_reject_rate: own.max_reject_rate,
        latency_unit: own.latency_unit.map(|unit| match unit {
            UnitArgument::Ms => LatencyUnit::Milliseconds,
            UnitArgument::S => LatencyUnit::Seconds,
        }),
        ..ImportOptions::default()
    };
    import_into(common, &load::project(common), &options)
}

/// Imports and says what became of every line.
pub(super) fn import_into(
    common: &Common,
    project: &Project,
    options: &ImportOptions,
) -> Result<u8, Failure> {
    let outcome = capture::import(project, options, &SecretScrubber, &mut |_| {})?;
    print(&format!("{}\n", outcome.conservation_line()))?;
    for source in outcome.manifest.sources.iter().filter(|source| source.incomplete.is_some()) {
        let why = source.incomplete.as_deref().unwrap_or_default();
        say(common, &format!("warning: {} was read in part: {why}", source.file));
    }
    if outcome.reject_rate_exceeded {
        say(
            common,
            "error: too many lines were set aside, and the capture was not replaced\n\
             hint: look at them with `rehearsal sql \"SELECT reason, COUNT(*) FROM rejects GROUP BY reason\"`, \
             or allow more with `--max-reject-rate`",
        );
        return Ok(EXIT_TOO_MANY_REJECTS);
    }
    say(common, &format!("capture: {}", project.capture_folder().display()));
    Ok(0)
}
