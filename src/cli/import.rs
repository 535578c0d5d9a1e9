//! `rehearsal import`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::import_progress::ImportReporter;
use super::redaction::{self, Personal};
use super::{Common, load, print, remote_inputs, say};
use crate::capture::{
    self, DEFAULT_MAX_LINE_BYTES, FORMATS, ImportOptions, ImportOutcome, LatencyUnit, Mapping,
};
use crate::dataset::{DatasetError, Project, push_capture};
use crate::plan::{CaptureSettings, utc_offset};

/// Exit code when more lines were set aside than the user allows.
const EXIT_TOO_MANY_REJECTS: u8 = 4;

/// How many files are named one by one.
const MAX_LISTED_FILES: usize = 20;

#[derive(Debug, Args)]
#[command(after_long_help = "\
The log format is found by content, for each file apart, and said with how sure that is. Lines \
that cannot be used are set aside in the table `rejects` with file, line and reason. Secrets are \
removed before anything is written; personal data is replaced by pseudonyms where `[redaction]` of \
the plan says so.

Examples:
  rehearsal import gateway.jsonl
  rehearsal import logs/ langfuse.csv traces.jsonl.gz
  zcat old.gz | rehearsal import -
  rehearsal import s3://bucket/logs/*.jsonl.gz
  rehearsal import access.log --tz +02:00
  rehearsal import own.csv --mapping own.toml
  rehearsal import --formats")]
pub(super) struct ImportArguments {
    /// Files, folders, patterns, or - for standard input
    /// [default: those of the plan's `[capture]`]
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,
    /// Log format [default: found by content]
    #[arg(long, value_name = "FORMAT")]
    from: Option<String>,
    /// Share of lines that may be set aside, such as 1% or 0.01 [default: the plan's, else 1%]
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    max_reject_rate: Option<f64>,
    /// Unit of latencies whose key names none
    #[arg(long, value_enum, value_name = "UNIT")]
    latency_unit: Option<UnitArgument>,
    /// Zone of times that state none, such as +02:00 [default: UTC]
    #[arg(long = "tz", value_name = "ZONE", value_parser = parse_zone, allow_hyphen_values = true)]
    zone: Option<i32>,
    /// File that says which field of an own log means what
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Longest line in bytes; a longer one is set aside
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_MAX_LINE_BYTES)]
    max_line_bytes: usize,
    /// Most bytes that one input may decompress to [default: 1 GiB, then 200 times its size]
    #[arg(long, value_name = "BYTES")]
    max_input_bytes: Option<u64>,
    /// List the log formats that are understood
    #[arg(long)]
    formats: bool,
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

fn parse_zone(text: &str) -> Result<i32, String> {
    utc_offset(text).ok_or_else(|| "write for instance `+02:00` or `UTC`".to_owned())
}

pub(super) async fn import(common: &Common, own: &ImportArguments) -> Result<u8, Failure> {
    // Opened first: what is wrong with its address shows before anything is read.
    let store = load::store(common)?;
    let code = import_here(common, own).await?;
    if let Some(store) = store.filter(|_| code == 0 && !own.formats) {
        push_capture(&store, &load::project(common)).await?;
        say(common, &format!("capture: {}/capture", store.address()));
    }
    Ok(code)
}

async fn import_here(common: &Common, own: &ImportArguments) -> Result<u8, Failure> {
    if own.formats {
        return list_formats();
    }
    let settings = load::import_settings(common)?;
    let folder = load::plan_path(common).parent().map(PathBuf::from).unwrap_or_default();
    let mut options = match &settings {
        Some(settings) => options(&settings.capture, &folder)?,
        None => ImportOptions::default(),
    };
    options.inputs = match &settings {
        Some(settings) if own.inputs.is_empty() => inputs(common, &settings.capture),
        _ => own.inputs.clone(),
    };
    options.max_line_bytes = own.max_line_bytes;
    options.max_input_bytes = own.max_input_bytes;
    options.format = own.from.clone().or(options.format);
    options.max_reject_rate = own.max_reject_rate.unwrap_or(options.max_reject_rate);
    options.utc_offset_s = own.zone.or(options.utc_offset_s);
    if let Some(unit) = own.latency_unit {
        options.latency_unit = Some(match unit {
            UnitArgument::Ms => LatencyUnit::Milliseconds,
            UnitArgument::S => LatencyUnit::Seconds,
        });
    }
    if let Some(path) = &own.mapping {
        options.mapping = Some(read_mapping(path)?);
    }
    // Held until they are read.
    let fetched = remote_inputs::fetch(common, std::mem::take(&mut options.inputs)).await?;
    options.inputs.clone_from(&fetched.names);
    let redaction = settings.map(|settings| settings.redaction).unwrap_or_default();
    let redactor = redaction::redactor(common, &redaction)?;
    import_into(common, &load::project(common), &options, &redactor)
}

fn list_formats() -> Result<u8, Failure> {
    let width = FORMATS.iter().map(|format| format.name().len()).max().unwrap_or(0);
    let mut lines = String::new();
    for format in FORMATS {
        // Writing into a String cannot fail.
        let _ = writeln!(lines, "{:width$}  {}", format.name(), format.title());
    }
    print(&lines)?;
    Ok(0)
}

/// What the plan says of an import; paths are relative to the plan's folder.
pub(super) fn options(settings: &CaptureSettings, folder: &Path) -> Result<ImportOptions, Failure> {
    let mapping = settings.mapping.as_ref().map(|path| read_mapping(&folder.join(path)));
    Ok(ImportOptions {
        format: settings.from.clone(),
        max_reject_rate: settings.max_reject_rate,
        latency_unit: settings
            .latency_unit_ms
            .map(|ms| if ms > 1.0 { LatencyUnit::Seconds } else { LatencyUnit::Milliseconds }),
        utc_offset_s: settings.utc_offset_s,
        mapping: mapping.transpose()?,
        ..ImportOptions::default()
    })
}

/// The inputs that the plan names; paths are relative to the project folder.
pub(super) fn inputs(common: &Common, settings: &CaptureSettings) -> Vec<String> {
    let absolute = |input: &String| match input.as_str() {
        "-" => input.clone(),
        _ if Path::new(input).is_absolute() || input.contains("://") => input.clone(),
        _ => common.folder.join(input).to_string_lossy().into_owned(),
    };
    settings.inputs.iter().map(absolute).collect()
}

fn read_mapping(path: &Path) -> Result<Arc<Mapping>, Failure> {
    let text =
        std::fs::read_to_string(path).map_err(|source| DatasetError::io("read", path, source))?;
    let mapping = Mapping::parse(&text).map_err(|problem| {
        Failure::input(format!("the mapping {}: {problem}", path.display()))
            .hint("docs/formats.md shows a mapping")
    })?;
    Ok(Arc::new(mapping))
}

/// Imports and says what became of every line.
pub(super) fn import_into(
    common: &Common,
    project: &Project,
    options: &ImportOptions,
    redactor: &Personal,
) -> Result<u8, Failure> {
    let mut reporter = ImportReporter::new(common);
    let outcome =
        capture::import(project, options, redactor, &mut |progress| reporter.observe(progress))?;
    drop(reporter);
    tell_sources(common, &outcome);
    print(&format!("{}\n", outcome.conservation_line()))?;
    if let Some(line) = redactor.summary() {
        say(common, &line);
    }
    if outcome.reject_rate_exceeded {
        let folder = match common.folder.to_string_lossy() {
            folder if folder == "." => String::new(),
            folder => format!(" -C {folder}"),
        };
        say(
            common,
            &format!(
                "error: too many lines were set aside, and the capture was not replaced\n\
                 hint: look at them with `rehearsal sql{folder} \"SELECT reason, detail, COUNT(*) FROM \
                 rejects GROUP BY reason, detail\"`, or allow more with `--max-reject-rate`"
            ),
        );
        return Ok(EXIT_TOO_MANY_REJECTS);
    }
    say(common, &format!("capture: {}", project.capture_folder().display()));
    Ok(0)
}

/// Names each file with its format, and what was not read.
fn tell_sources(common: &Common, outcome: &ImportOutcome) {
    let sources = &outcome.manifest.sources;
    for source in sources.iter().take(MAX_LISTED_FILES).filter(|source| !source.format.is_empty()) {
        let sure = match source.confidence {
            Some(percent) => format!("{percent} % sure"),
            None if source.format == "rehearsal" => "a capture".to_owned(),
            None => "as stated".to_owned(),
        };
        say(common, &format!("{}: {} ({sure})", source.file, source.format));
    }
    if sources.len() > MAX_LISTED_FILES {
        say(common, &format!("and {} more files", sources.len() - MAX_LISTED_FILES));
    }
    for source in sources.iter().filter(|source| source.incomplete.is_some()) {
        let why = source.incomplete.as_deref().unwrap_or_default();
        say(common, &format!("warning: {} was read in part: {why}", source.file));
    }
    for left_out in outcome.left_out.iter().filter(|left_out| left_out.reason.is_some()) {
        let why = left_out.reason.as_deref().unwrap_or_default();
        say(common, &format!("warning: left out: {why}"));
    }
}
