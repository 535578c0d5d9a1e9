//! The import: inputs to a capture, in pieces, on all cores, with the same bytes every time.
//!
//! A chunk of lines is parsed, redacted and hashed in parallel while the next chunk is read and
//! full segments are written; then its rows pass one after the other through the search for
//! duplicates and the window for superseded attempts into segments. What is held at a time: two
//! chunks of 8 MiB (more only for a longer line), a window and a few segments of 32 MiB, and 19 to
//! 37 bytes for each row of the capture.

mod parse;
#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering;

use serde_json::Value;

use crate::dataset::{CaptureManifest, Project, SourceRecord, create_private_dir, write_json};

use super::chunk::{Chunk, Line};
use super::dedupe::Seen;
use super::error::ImportError;
use super::format::{LatencyUnit, LogFormat, ReadContext, detect, format_named, format_names};
use super::input::{Input, resolve};
use super::lenient;
use super::lines::Lines;
use super::outcome::{ImportOutcome, ImportProgress};
use super::reason::BaselineReason;
use super::redact::{Redactor, SecretScrubber};
use super::segments::{RejectWriter, SegmentWriter};
use super::source::Source;
use super::swap::Staging;
use super::window::Window;

use parse::{Item, Parser};

/// The share of lines that may be set aside unless the user says otherwise.
pub const DEFAULT_MAX_REJECT_RATE: f64 = 0.01;

/// The cap on the length of a line unless the user says otherwise; pictures in prompts fit.
pub const DEFAULT_MAX_LINE_BYTES: usize = 64 << 20;

/// How many records a format is told by.
const SNIFFED_RECORDS: usize = 20;

/// What to import and how.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOptions {
    /// Files, folders, patterns with `*`, `?` and `**`, or `-` for standard input.
    pub inputs: Vec<String>,
    /// The log format; told from the records of each file if absent.
    pub format: Option<String>,
    /// The share of lines that may be set aside, 0 to 1.
    pub max_reject_rate: f64,
    /// The cap on the length of a line, in bytes.
    pub max_line_bytes: usize,
    /// The unit of latencies whose name states none.
    pub latency_unit: Option<LatencyUnit>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        ImportOptions {
            inputs: Vec::new(),
            format: None,
            max_reject_rate: DEFAULT_MAX_REJECT_RATE,
            max_line_bytes: DEFAULT_MAX_LINE_BYTES,
            latency_unit: None,
        }
    }
}

/// Imports logs into the project's capture.
///
/// Secrets are always scrubbed; `redactor` comes after that. An earlier capture is replaced only
/// by a complete one: on an error it stays, and also if more lines than allowed were set aside,
/// which the outcome says. The table `rejects` is replaced in both cases of an outcome. The
/// capture depends on the inputs, their names and the options alone.
pub fn import(
    project: &Project,
    options: &ImportOptions,
    redactor: &dyn Redactor,
    observe: &mut dyn FnMut(&ImportProgress),
) -> Result<ImportOutcome, ImportError> {
    let forced = options.format.as_deref().map(format_or_error).transpose()?;
    let inputs = resolve(&options.inputs, project)?;
    create_private_dir(project.folder())?;
    let capture = Staging::new(project.capture_folder())?;
    let rejects = Staging::new(project.rejects_folder())?;
    let mut importer = Importer {
        options,
        redactor,
        forced,
        observe,
        progress: ImportProgress {
            files: inputs.read.len(),
            bytes_total: total_bytes(&inputs.read),
            ..ImportProgress::default()
        },
        sources: Vec::new(),
        seen: Seen::default(),
        window: Window::default(),
        superseded: 0,
        segments: SegmentWriter::new(capture.folder()),
        rejects: RejectWriter::new(rejects.folder()),
    };
    for input in &inputs.read {
        importer.read(input)?;
    }
    let mut outcome = importer.finish()?;
    outcome.left_out = inputs.left_out;
    rejects.commit()?;
    if outcome.reject_rate_exceeded {
        return Ok(outcome);
    }
    if outcome.manifest.exchanges == 0 {
        return Err(ImportError::NoExchanges(outcome.conservation_line()));
    }
    write_json(&capture.folder().join("manifest.json"), &outcome.manifest)?;
    capture.commit()?;
    Ok(outcome)
}

fn format_or_error(name: &str) -> Result<&'static dyn LogFormat, ImportError> {
    let missing = || ImportError::NoSuchFormat { name: name.to_owned(), known: format_names() };
    format_named(name).ok_or_else(missing)
}

fn total_bytes(inputs: &[Input]) -> Option<u64> {
    let length = |input: &Input| match input {
        Input::File(path) => path.metadata().ok().map(|metadata| metadata.len()),
        Input::Stdin => None,
    };
    inputs.iter().map(length).sum()
}

struct Importer<'a> {
    options: &'a ImportOptions,
    redactor: &'a dyn Redactor,
    forced: Option<&'static dyn LogFormat>,
    observe: &'a mut dyn FnMut(&ImportProgress),
    progress: ImportProgress,
    sources: Vec<SourceRecord>,
    seen: Seen,
    window: Window,
    superseded: u64,
    segments: SegmentWriter,
    rejects: RejectWriter,
}

impl Importer<'_> {
    fn read(&mut self, input: &Input) -> Result<(), ImportError> {
        let file = input.name();
        let mut lines = Lines::new(Source::open(input)?, self.options.max_line_bytes);
        let raw_bytes = lines.reader().raw_bytes();
        let read_before = self.progress.bytes_read;
        self.progress.file.clone_from(&file);
        let mut source = SourceRecord { file, ..SourceRecord::default() };
        let mut chunk = next_with_lines(&mut lines);
        let format = match &chunk {
            Some(chunk) => Some(self.format_of(&source.file, chunk)?),
            None => None,
        };
        if let Some(format) = format {
            format.name().clone_into(&mut source.format);
        }
        while let Some((lines_now, format)) = chunk.take().zip(format) {
            let parser = Parser {
                file: &source.file,
                format,
                context: ReadContext { latency_unit: self.options.latency_unit },
                redactor: self.redactor,
                cut: lines.failure().is_some(),
            };
            let segments = &mut self.segments;
            let (items, (next, written)) = rayon::join(
                || parser.parse(&lines_now),
                || (lines.next_chunk(), segments.write_full()),
            );
            written?;
            self.fold(items, &mut source)?;
            self.progress.bytes_read = read_before + raw_bytes.load(Ordering::Relaxed);
            (self.observe)(&self.progress);
            chunk = next;
        }
        note_failure(&lines, &mut source);
        let fingerprint = lines.reader().fingerprint();
        source.sha256 = fingerprint.sha256;
        source.bytes = fingerprint.bytes;
        source.check_conservation()?;
        self.sources.push(source);
        self.progress.files_done += 1;
        (self.observe)(&self.progress);
        Ok(())
    }

    /// The format of a file by the first records of its first lines.
    fn format_of(&self, file: &str, chunk: &Chunk) -> Result<&'static dyn LogFormat, ImportError> {
        let begins_alone = |line: &Line| matches!(chunk.text(line).trim_ascii(), b"[" | b"{");
        if chunk.lines.first().is_some_and(begins_alone) && chunk.lines.len() > 1 {
            return Err(ImportError::NotJsonLines(file.to_owned()));
        }
        if let Some(format) = self.forced {
            return Ok(format);
        }
        let mut records: Vec<Value> = Vec::new();
        let mut fault = None;
        for line in chunk.lines.iter().filter(|line| line.oversize.is_none()) {
            for record in lenient::records(chunk.text(line)) {
                match record {
                    Ok(record) => records.push(record),
                    Err(found) => fault = fault.or(Some((line.number, found))),
                }
            }
            if records.len() >= SNIFFED_RECORDS {
                break;
            }
        }
        records.truncate(SNIFFED_RECORDS);
        if let Some(format) = detect(&records) {
            return Ok(format);
        }
        let problem = match fault {
            Some((number, fault)) if records.is_empty() => {
                format!("no line is a JSON object; line {number}: {}", fault.detail)
            }
            _ => "its records have no fields by which a format is known".to_owned(),
        };
        Err(ImportError::UnknownFormat { file: file.to_owned(), problem, known: format_names() })
    }

    fn fold(&mut self, items: Vec<Item>, source: &mut SourceRecord) -> Result<(), ImportError> {
        for item in items {
            match item {
                Item::Row(row, key) => {
                    if self.seen.is_new(key) {
                        source.accepted += 1;
                        self.progress.accepted += 1;
                        let (segments, superseded) = (&mut self.segments, &mut self.superseded);
                        self.window.push(*row, |row| leave(row, segments, superseded));
                    } else {
                        source.duplicates += 1;
                    }
                }
                Item::Reject(row) => {
                    *source.rejected.entry(row.reason.clone()).or_insert(0) += 1;
                    self.progress.rejected += 1;
                    self.rejects.push(row)?;
                }
                Item::Filtered(reason) => {
                    *source.filtered.entry(reason.as_str().to_owned()).or_insert(0) += 1;
                }
                Item::Cut(bytes) => {
                    source.incomplete =
                        Some(format!("its unfinished last line of {bytes} bytes was left out"));
                    continue;
                }
            }
            source.lines += 1;
            self.progress.lines += 1;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<ImportOutcome, ImportError> {
        let (mut segments, mut superseded) = (self.segments, self.superseded);
        self.window.drain(|row| leave(row, &mut segments, &mut superseded));
        let (segments, rows_sha256) = segments.finish()?;
        let rejects = self.rejects.finish()?;
        if self.progress.lines == 0 {
            let files: Vec<&str> =
                self.sources.iter().take(3).map(|source| source.file.as_str()).collect();
            return Err(ImportError::NoLines(files.join(", ")));
        }
        let mut redaction = SecretScrubber.describe();
        redaction.extend(self.redactor.describe());
        let manifest = CaptureManifest {
            schema_version: 1,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            sources: self.sources,
            exchanges: self.progress.accepted,
            from_us: segments.iter().map(|segment| segment.from_us).min(),
            to_us: segments.iter().map(|segment| segment.to_us).max(),
            segments,
            rows_sha256,
            redaction,
        };
        let reject_rate = rejects as f64 / self.progress.lines as f64;
        Ok(ImportOutcome {
            manifest,
            rejects,
            reject_rate,
            reject_rate_exceeded: reject_rate > self.options.max_reject_rate,
            superseded,
            left_out: Vec::new(),
        })
    }
}

fn leave(
    row: crate::dataset::CapturedExchange,
    segments: &mut SegmentWriter,
    superseded: &mut u64,
) {
    let reason = BaselineReason::Superseded.as_str();
    *superseded += u64::from(row.latency_baseline_reason.as_deref() == Some(reason));
    segments.push(row);
}

fn next_with_lines(lines: &mut Lines<Source>) -> Option<Chunk> {
    loop {
        let chunk = lines.next_chunk()?;
        if !chunk.lines.is_empty() {
            return Some(chunk);
        }
    }
}

fn note_failure(lines: &Lines<Source>, source: &mut SourceRecord) {
    let Some(failure) = lines.failure() else { return };
    let kind = if failure.kind() == std::io::ErrorKind::UnexpectedEof {
        "the compressed data ends early".to_owned()
    } else {
        format!("reading failed: {failure}")
    };
    source.incomplete = Some(match source.incomplete.take() {
        Some(cut) => format!("{kind}; {cut}"),
        None => kind,
    });
}
