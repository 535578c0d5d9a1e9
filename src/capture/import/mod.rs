//! The import: inputs to a capture, in pieces, on all cores, with the same bytes every time.
//!
//! One thread reads a chunk of lines while all cores parse, redact and hash the one before it
//! ([`pipeline`]); then its rows pass one after the other through the search for duplicates and the
//! window for superseded attempts into segments ([`books`]), which are written meanwhile. What is
//! held at a time: a few chunks of 8 MiB and their rows (more only for a longer line), a window and
//! a few segments of 32 MiB, and 19 to 37 bytes for each row of the capture.

mod books;
mod detect;
mod joins;
mod parse;
mod pipeline;
mod table;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::dataset::{CaptureManifest, Project, SourceRecord, create_private_dir, write_json};

use super::error::ImportError;
use super::format::{FORMATS, LatencyUnit, LogFormat, ReadContext, Reading, format_named};
use super::frame::{Framing, Line, Units};
use super::input::{Input, resolve};
use super::mapping::Mapping;
use super::outcome::{ImportOutcome, ImportProgress, LeftOut};
use super::redact::{Redactor, SecretScrubber};
use super::reject::reject_row;
use super::source::Source;
use super::swap::Staging;

use books::{Books, leave};
use detect::{Detected, detect_format};
use joins::{Joined, Joins};
use parse::Parser;
use pipeline::pass;

/// The share of lines that may be set aside unless the user says otherwise.
pub const DEFAULT_MAX_REJECT_RATE: f64 = 0.01;

/// The cap on the length of a line; a prompt of a million tokens with pictures fits.
pub const DEFAULT_MAX_LINE_BYTES: usize = 256 << 20;

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
    /// What one input may decompress to, in bytes; absent: 1 GiB, and beyond that 200 times its
    /// own size.
    pub max_input_bytes: Option<u64>,
    /// The unit of latencies whose name states none.
    pub latency_unit: Option<LatencyUnit>,
    /// The zone of times that state none, seconds east of UTC; absent: UTC.
    pub utc_offset_s: Option<i32>,
    /// Which field of an own log means what, for the format `mapped`.
    pub mapping: Option<Arc<Mapping>>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        ImportOptions {
            inputs: Vec::new(),
            format: None,
            max_reject_rate: DEFAULT_MAX_REJECT_RATE,
            max_line_bytes: DEFAULT_MAX_LINE_BYTES,
            max_input_bytes: None,
            latency_unit: None,
            utc_offset_s: None,
            mapping: None,
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
    if forced.is_some_and(|format| format.name() == "mapped") && options.mapping.is_none() {
        return Err(ImportError::NoMapping);
    }
    let inputs = resolve(&options.inputs, project)?;
    create_private_dir(project.folder())?;
    let capture = Staging::new(project.capture_folder())?;
    let rejects = Staging::new(project.rejects_folder())?;
    let progress = ImportProgress {
        files: inputs.read.len(),
        bytes_total: total_bytes(inputs.read.iter().map(|found| &found.input)),
        ..ImportProgress::default()
    };
    let mut importer = Importer {
        options,
        redactor,
        forced,
        observe,
        context: ReadContext {
            latency_unit: options.latency_unit,
            utc_offset_s: options.utc_offset_s,
            mapping: options.mapping.clone(),
        },
        sources: Vec::new(),
        left_out: inputs.left_out.into_iter().map(LeftOut::by_name).collect(),
        books: Books::new(progress, capture.folder(), rejects.folder()),
    };
    for found in &inputs.read {
        match importer.read(&found.input) {
            // One file of a folder that is no log must not keep the others out.
            Err(error) if !found.is_named && error.is_about_one_file() => {
                importer.left_out.push(LeftOut::because(&found.input, &error));
            }
            other => other?,
        }
        importer.books.progress.files_done += 1;
        importer.report();
    }
    let outcome = importer.finish()?;
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
    let names = FORMATS.iter().map(|format| format.name());
    let missing = || ImportError::NoSuchFormat {
        name: name.to_owned(),
        nearest: crate::similarity::closest_name(name, names),
    };
    format_named(name).ok_or_else(missing)
}

fn total_bytes<'i>(mut inputs: impl Iterator<Item = &'i Input>) -> Option<u64> {
    inputs.try_fold(0, |total, input| match input {
        Input::File(path) => Some(total + path.metadata().ok()?.len()),
        Input::Stdin => None,
    })
}

struct Importer<'a> {
    options: &'a ImportOptions,
    redactor: &'a dyn Redactor,
    forced: Option<&'static dyn LogFormat>,
    observe: &'a mut dyn FnMut(&ImportProgress),
    context: ReadContext,
    sources: Vec<SourceRecord>,
    left_out: Vec<LeftOut>,
    books: Books,
}

impl Importer<'_> {
    fn read(&mut self, input: &Input) -> Result<(), ImportError> {
        self.books.progress.file = input.name();
        if let Input::File(path) = input
            && table::is_table(path)
        {
            return self.read_table(path);
        }
        let source = Source::open(input, self.options.max_input_bytes)?;
        let file = input.name();
        let Some(detected) =
            detect_format(&file, &source, self.forced, self.options.mapping.is_some())?
        else {
            self.read_nothing(file, source);
            return Ok(());
        };
        let Detected { framing, format, confidence } = detected;
        let raw_bytes = source.raw_bytes();
        let read_before = self.books.progress.bytes_read;
        let units = Units::new(source, framing.scanner(), self.options.max_line_bytes);
        let mut record = SourceRecord {
            file: file.clone(),
            format: format.name().to_owned(),
            confidence: confidence.map(|confidence| confidence.0),
            ..SourceRecord::default()
        };
        let index = self.sources.len();
        let Importer { books, observe, context, redactor, .. } = self;
        let parser =
            Parser { file: &file, framing: &framing, format, context, redactor: *redactor };
        let units = pass(units, parser, |items| {
            books.book(items, &mut record, index)?;
            books.progress.bytes_read = read_before + raw_bytes.load(Ordering::Relaxed);
            observe(&books.progress);
            Ok::<(), ImportError>(())
        })?;
        note_failure(&units, &mut record);
        let fingerprint = units.reader().fingerprint();
        record.sha256 = fingerprint.sha256;
        record.bytes = fingerprint.bytes;
        self.sources.push(record);
        Ok(())
    }

    /// Books a source without a line in it.
    fn read_nothing(&mut self, file: String, mut source: Source) {
        let mut record = SourceRecord { file, ..SourceRecord::default() };
        if let Err(failure) = std::io::copy(&mut source, &mut std::io::sink()) {
            record.incomplete = Some(failure_text(&failure));
        }
        let fingerprint = source.fingerprint();
        record.sha256 = fingerprint.sha256;
        record.bytes = fingerprint.bytes;
        self.sources.push(record);
    }

    /// Reads a Parquet file batch by batch.
    fn read_table(&mut self, path: &Path) -> Result<(), ImportError> {
        let mut table = table::Rows::open(path, self.forced)?;
        let file = path.to_string_lossy().into_owned();
        let mut record = SourceRecord {
            file,
            format: table.format_name().to_owned(),
            confidence: table.confidence(),
            ..SourceRecord::default()
        };
        let (sha256, bytes) = table::fingerprint(path)?;
        record.sha256 = sha256;
        record.bytes = bytes;
        while let Some(items) = table.next(&record.file, &self.context, self.redactor) {
            self.books.book(items?, &mut record, self.sources.len())?;
            self.report();
        }
        record.incomplete = table.failure();
        self.books.progress.bytes_read += bytes;
        self.sources.push(record);
        Ok(())
    }

    fn report(&mut self) {
        (self.observe)(&self.books.progress);
    }

    /// Puts the parts together and books what became of each.
    fn join(&mut self) -> Result<(), ImportError> {
        let joins = std::mem::replace(&mut self.books.joins, Joins::new(Path::new("")));
        let context = self.context.clone();
        joins.finish(&context, |joined| {
            for part in joined {
                self.take_joined(part)?;
            }
            self.books.segments.write_full()
        })
    }

    fn take_joined(&mut self, part: Joined) -> Result<(), ImportError> {
        let Some(record) = self.sources.get_mut(part.source) else { return Ok(()) };
        let mut source = std::mem::take(record);
        let line = Line {
            range: 0..part.text.len(),
            number: part.place.line,
            offset: part.place.offset,
            oversize: None,
            unended: false,
        };
        source.lines += 1;
        match part.reading {
            Some(Reading::Exchange(row)) => {
                if let Some(format) = format_named(part.format) {
                    let parser = Parser {
                        file: &source.file,
                        framing: &Framing::JsonLines,
                        format,
                        context: &self.context,
                        redactor: self.redactor,
                    };
                    let row = parser.row(row, line.number);
                    self.books.take_row(row, &mut source);
                }
            }
            Some(Reading::Filtered(reason)) => {
                *source.filtered.entry(reason.as_str().to_owned()).or_insert(0) += 1;
            }
            Some(Reading::Reject(reason, detail)) => {
                let text = part.text.as_bytes();
                let row = reject_row(&source.file, &line, (reason, detail), text, self.redactor);
                self.books.take_reject(row, &mut source)?;
            }
            Some(Reading::Part(_)) | None => source.joined += 1,
        }
        if let Some(record) = self.sources.get_mut(part.source) {
            *record = source;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<ImportOutcome, ImportError> {
        self.join()?;
        for source in &self.sources {
            source.check_conservation()?;
        }
        let Books { progress, mut window, mut segments, mut superseded, rejects, .. } = self.books;
        window.drain(|row| leave(row, &mut segments, &mut superseded));
        let (segments, rows_sha256) = segments.finish()?;
        let rejects = rejects.finish()?;
        let lines: u64 = self.sources.iter().map(|source| source.lines).sum();
        if lines == 0 {
            return Err(nothing_read(&self.sources, &self.left_out));
        }
        let mut redaction = SecretScrubber.describe();
        redaction.extend(self.redactor.describe());
        let manifest = CaptureManifest {
            schema_version: 1,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            sources: self.sources,
            exchanges: progress.accepted,
            from_us: segments.iter().map(|segment| segment.from_us).min(),
            to_us: segments.iter().map(|segment| segment.to_us).max(),
            segments,
            rows_sha256,
            redaction,
            checksum: String::new(),
        }
        .with_checksum();
        let reject_rate = rejects as f64 / lines as f64;
        Ok(ImportOutcome {
            manifest,
            rejects,
            reject_rate,
            reject_rate_exceeded: reject_rate > self.options.max_reject_rate,
            superseded,
            left_out: self.left_out,
        })
    }
}

/// Why there is nothing to import: what each file said, or that they have no lines.
fn nothing_read(sources: &[SourceRecord], left_out: &[LeftOut]) -> ImportError {
    let incomplete = sources.iter().filter_map(|source| {
        source.incomplete.as_ref().map(|why| format!("{}: {why}", source.file))
    });
    let left_out = left_out.iter().filter_map(|left_out| left_out.reason.clone());
    let reasons: Vec<String> = incomplete.chain(left_out).take(3).collect();
    if !reasons.is_empty() {
        return ImportError::NothingReadable(reasons.join("; "));
    }
    let files: Vec<&str> = sources.iter().take(3).map(|source| source.file.as_str()).collect();
    ImportError::NoLines(files.join(", "))
}

fn note_failure(units: &Units<Source>, source: &mut SourceRecord) {
    let Some(failure) = units.failure() else { return };
    let kind = failure_text(failure);
    source.incomplete = Some(match source.incomplete.take() {
        Some(cut) => format!("{kind}; {cut}"),
        None => kind,
    });
}

fn failure_text(failure: &std::io::Error) -> String {
    match failure.kind() {
        std::io::ErrorKind::UnexpectedEof => "the compressed data ends early".to_owned(),
        std::io::ErrorKind::FileTooLarge => failure.to_string(),
        _ => format!("reading failed: {failure}"),
    }
}
