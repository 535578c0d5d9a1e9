//! Parts of exchanges, held until all inputs are read and then put together.
//!
//! Parts are kept as JSON text. Above a limit they go to scratch files in the folder that is being
//! filled, spread by the hash of their key, so that each file can be put together by itself. They
//! are sealed with a key that is in memory only (ChaCha20-Poly1305, RFC 8439): nothing that was not
//! redacted can be read from the disk, not even after a crash.

use std::collections::HashMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dataset::{DatasetError, create_private_dir};

use super::super::format::{Part, ReadContext, Reading, format_named};
use super::super::reason::RejectReason;
use super::parse::Place;

/// How many bytes of parts are held in memory.
const HELD_BYTES: usize = 64 << 20;

/// Over how many scratch files parts are spread.
const SCRATCH_FILES: u64 = 64;

/// A part and where it came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Held {
    key: String,
    /// Index of the source.
    source: usize,
    line: u64,
    offset: u64,
    /// Order in which it was read.
    number: u64,
    format: String,
    record: String,
}

/// What became of one part, or of the exchange that it led.
#[derive(Debug)]
pub(super) struct Joined {
    /// Index of the source that the part came from.
    pub(super) source: usize,
    /// Where the part stood.
    pub(super) place: Place,
    /// Name of the format.
    pub(super) format: &'static str,
    /// What it became; none where another part stands for it.
    pub(super) reading: Option<Reading>,
    /// The part itself, for the excerpt of a rejection.
    pub(super) text: String,
}

/// Parts that wait for others.
#[derive(Debug)]
pub(super) struct Joins {
    held: Vec<Held>,
    bytes: usize,
    next: u64,
    folder: PathBuf,
    scratch: Option<Scratch>,
}

/// The scratch files and the key that seals them.
#[derive(Debug)]
struct Scratch {
    files: Vec<BufWriter<File>>,
    key: LessSafeKey,
}

impl Joins {
    /// Holds parts; scratch files go to a folder of its own below `folder`.
    pub(super) fn new(folder: &Path) -> Self {
        let folder = folder.join("scratch");
        Joins { held: Vec::new(), bytes: 0, next: 0, folder, scratch: None }
    }

    /// Takes a part of a source.
    pub(super) fn push(
        &mut self,
        part: Part,
        format: &str,
        source: usize,
        place: Place,
    ) -> Result<(), DatasetError> {
        let record = part.record.to_string();
        self.bytes += record.len() + part.key.len() + 128;
        self.held.push(Held {
            key: part.key,
            source,
            line: place.line,
            offset: place.offset,
            number: self.next,
            format: format.to_owned(),
            record,
        });
        self.next += 1;
        if self.bytes > HELD_BYTES { self.spill() } else { Ok(()) }
    }

    /// Puts together what belongs together, batch by batch; `take` gets the results of each batch
    /// in the order of their first parts.
    pub(super) fn finish<E: From<DatasetError>>(
        mut self,
        context: &ReadContext,
        mut take: impl FnMut(Vec<Joined>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.scratch.is_none() {
            return take(join(self.held, context));
        }
        self.spill()?;
        let Some(Scratch { files, key }) = self.scratch.take() else { return Ok(()) };
        drop(files);
        for index in 0..SCRATCH_FILES {
            let mut parts = self.read(index, &key)?;
            parts.sort_by_key(|part| part.number);
            take(join(parts, context))?;
        }
        std::fs::remove_dir_all(&self.folder)
            .map_err(|source| DatasetError::io("remove", &self.folder, source))?;
        Ok(())
    }

    fn path(&self, index: u64) -> PathBuf {
        self.folder.join(format!("{index:02}.sealed"))
    }

    fn spill(&mut self) -> Result<(), DatasetError> {
        let mut scratch = match self.scratch.take() {
            Some(scratch) => scratch,
            None => self.create()?,
        };
        let key = &scratch.key;
        let sealed: Vec<(u64, Vec<u8>)> = std::mem::take(&mut self.held)
            .into_par_iter()
            .map(|part| (hash(&part.key) % SCRATCH_FILES, seal(&part, key)))
            .collect();
        for (index, bytes) in sealed {
            if let Some(file) = scratch.files.get_mut(index as usize) {
                let failed = |source| DatasetError::io("write", self.path(index), source);
                let length = u32::try_from(bytes.len()).map_err(|_| failed(too_long()))?;
                file.write_all(&length.to_le_bytes()).map_err(failed)?;
                file.write_all(&bytes).map_err(failed)?;
            }
        }
        for (index, file) in scratch.files.iter_mut().enumerate() {
            let failed = |source| DatasetError::io("write", self.path(index as u64), source);
            file.flush().map_err(failed)?;
        }
        self.bytes = 0;
        self.scratch = Some(scratch);
        Ok(())
    }

    fn create(&self) -> Result<Scratch, DatasetError> {
        create_private_dir(&self.folder)?;
        let create = |index| {
            let path = self.path(index);
            let file = File::create(&path);
            file.map(BufWriter::new).map_err(|source| DatasetError::io("create", &path, source))
        };
        let no_key = |_| {
            let source = io::Error::other("the system gives no random numbers");
            DatasetError::io("seal", &self.folder, source)
        };
        let mut bytes = [0; 32];
        SystemRandom::new().fill(&mut bytes).map_err(no_key)?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(no_key)?;
        let files = (0..SCRATCH_FILES).map(create).collect::<Result<_, _>>()?;
        Ok(Scratch { files, key: LessSafeKey::new(key) })
    }

    fn read(&self, index: u64, key: &LessSafeKey) -> Result<Vec<Held>, DatasetError> {
        let path = self.path(index);
        let failed = |source| DatasetError::io("read", &path, source);
        let mut file = BufReader::new(File::open(&path).map_err(failed)?);
        let mut sealed = Vec::new();
        let mut length = [0; 4];
        while read_or_end(&mut file, &mut length).map_err(failed)? {
            let mut bytes = vec![0; u32::from_le_bytes(length) as usize];
            file.read_exact(&mut bytes).map_err(failed)?;
            sealed.push(bytes);
        }
        let opened: Option<Vec<Held>> =
            sealed.into_par_iter().map(|bytes| open(bytes, key)).collect();
        opened.ok_or_else(|| failed(io::Error::other("it was changed by somebody else")))
    }
}

fn too_long() -> io::Error {
    io::Error::other("a part of an exchange is longer than 4 GiB")
}

/// Fills a buffer; `false` at the end of the file.
fn read_or_end(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        other => other.map(|()| true),
    }
}

/// The nonce of a part, which no other part of an import has.
fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes.iter_mut().zip(number.to_le_bytes()).for_each(|(to, from)| *to = from);
    Nonce::assume_unique_for_key(bytes)
}

/// A part as it stands in a scratch file: its number, and the rest sealed.
fn seal(part: &Held, key: &LessSafeKey) -> Vec<u8> {
    // A record of plain fields always serialises, and every part can be sealed.
    let mut bytes = serde_json::to_vec(part).unwrap_or_default();
    if key.seal_in_place_append_tag(nonce(part.number), Aad::empty(), &mut bytes).is_err() {
        bytes.clear();
    }
    [part.number.to_le_bytes().as_slice(), &bytes].concat()
}

fn open(mut bytes: Vec<u8>, key: &LessSafeKey) -> Option<Held> {
    let (number, sealed) = bytes.split_at_mut_checked(8)?;
    let number = u64::from_le_bytes((&*number).try_into().ok()?);
    let opened = key.open_in_place(nonce(number), Aad::empty(), sealed).ok()?;
    serde_json::from_slice(opened).ok()
}

/// A hash that is the same in every run.
fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Groups parts, which are in the order of reading, and has each group read by its format.
fn join(parts: Vec<Held>, context: &ReadContext) -> Vec<Joined> {
    let mut groups: Vec<Vec<Held>> = Vec::new();
    let mut index: HashMap<(String, String), usize> = HashMap::new();
    for part in parts {
        let key = (part.format.clone(), part.key.clone());
        let at = *index.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(part),
            None => groups.push(vec![part]),
        }
    }
    groups.into_par_iter().flat_map_iter(|group| join_group(&group, context)).collect()
}

fn join_group(group: &[Held], context: &ReadContext) -> Vec<Joined> {
    let Some(format) = group.first().and_then(|part| format_named(&part.format)) else {
        return Vec::new();
    };
    let records: Vec<Value> = group
        .iter()
        .map(|part| serde_json::from_str(&part.record).unwrap_or(Value::Null))
        .collect();
    let mut readings = format.join(&records, context);
    if readings.is_empty() {
        let detail = "nothing can be made of the records that belong together".to_owned();
        let reject = |at| (at, Reading::Reject(RejectReason::BadField, detail.clone()));
        readings = (0..group.len()).map(reject).collect();
    }
    let mut joined: Vec<Joined> = Vec::new();
    let mut stands: Vec<bool> = vec![false; group.len()];
    let last = group.len().saturating_sub(1);
    let mut push = |part: &Held, reading: Option<Reading>| {
        joined.push(Joined {
            source: part.source,
            place: Place { line: part.line, offset: part.offset },
            format: format.name(),
            reading,
            text: part.record.clone(),
        });
    };
    for (at, reading) in readings {
        let at = at.min(last);
        if let (Some(part), Some(stands)) = (group.get(at), stands.get_mut(at)) {
            *stands = true;
            push(part, Some(reading));
        }
    }
    for (part, stands) in group.iter().zip(&stands) {
        if !stands {
            push(part, None);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn place(line: u64) -> Place {
        Place { line, offset: line * 10 }
    }

    fn joined(joins: Joins) -> Vec<(u64, usize, bool)> {
        let mut all = Vec::new();
        let context = ReadContext::default();
        joins
            .finish::<DatasetError>(&context, |batch| {
                all.extend(
                    batch.iter().map(|one| (one.place.line, one.source, one.reading.is_some())),
                );
                Ok(())
            })
            .unwrap();
        all.sort_unstable();
        all
    }

    fn push(joins: &mut Joins, line: u64, custom_id: &str) {
        let record = json!({"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions",
            "body": {"model": "m", "messages": [{"role": "user", "content": "a secret plan"}]}});
        let mut parts = Vec::new();
        for format in super::super::super::format::FORMATS {
            if format.name() == "openai_batch" {
                parts = format.read(&record, &ReadContext::default());
            }
        }
        for part in parts {
            let Reading::Part(part) = part else { panic!("a part was expected") };
            joins.push(part, "openai_batch", 0, place(line)).unwrap();
        }
    }

    #[test]
    fn parts_come_back_from_scratch_files_as_from_memory_and_cannot_be_read_there() {
        let folder = tempfile::tempdir().unwrap();
        let (mut held, mut spilled) = (Joins::new(folder.path()), Joins::new(folder.path()));
        for line in 0..200 {
            push(&mut held, line, &format!("t-{}", line % 150));
            push(&mut spilled, line, &format!("t-{}", line % 150));
            if line % 70 == 0 {
                spilled.spill().unwrap();
            }
        }
        spilled.spill().unwrap();
        for entry in std::fs::read_dir(folder.path().join("scratch")).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(memchr::memmem::find(&bytes, b"secret").is_none());
        }
        assert_eq!(joined(spilled), joined(held));
        assert!(!folder.path().join("scratch").exists());
    }

    #[test]
    fn a_scratch_file_that_was_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut joins = Joins::new(folder.path());
        push(&mut joins, 1, "t");
        joins.spill().unwrap();
        for entry in std::fs::read_dir(folder.path().join("scratch")).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
                std::fs::write(&path, &bytes).unwrap();
            }
        }
        let refused = joins.finish::<DatasetError>(&ReadContext::default(), |_| Ok(()));
        assert!(refused.unwrap_err().to_string().contains("scratch"));
    }
}
