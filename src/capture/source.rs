//! A source file opened: container recognised, decompressed, counted and hashed.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::dataset::DatasetError;

use super::error::ImportError;
use super::input::Input;

const BUFFER_BYTES: usize = 256 << 10;

/// The decompressed bytes of a source, counted and hashed as they pass.
pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    /// Bytes that were read to look at, the first of the source.
    head: Cursor<Vec<u8>>,
    /// What went wrong behind the head, as in a gzip that ends in its header.
    failure: Option<io::Error>,
    hash: Sha256,
    bytes: u64,
    raw_bytes: Arc<AtomicU64>,
}

/// What a source was, once it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// SHA-256 of the decompressed bytes as hex digits.
    pub(super) sha256: String,
    /// Decompressed bytes.
    pub(super) bytes: u64,
}

impl Source {
    /// Opens an input; the kind of file is told by its first bytes, never by its name.
    pub(super) fn open(input: &Input) -> Result<Self, ImportError> {
        match input {
            Input::Stdin => Source::new("-", Box::new(io::stdin())),
            Input::File(path) => {
                let file =
                    File::open(path).map_err(|source| DatasetError::io("read", path, source))?;
                Source::new(&input.name(), Box::new(file))
            }
        }
    }

    fn new(name: &str, reader: Box<dyn Read + Send>) -> Result<Self, ImportError> {
        let raw_bytes = Arc::new(AtomicU64::new(0));
        let counted = Counted { reader, bytes: Arc::clone(&raw_bytes) };
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, counted);
        let (magic, failure) = head(&mut reader);
        if let Some(error) = failure {
            return Err(DatasetError::io("read", name, error).into());
        }
        refuse_containers(name, &magic)?;
        let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
        let whole = Cursor::new(magic).chain(reader);
        // Always the decoder of several members: log shards are joined byte by byte.
        let mut reader: Box<dyn Read + Send> =
            if is_gzip { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) };
        let (first, failure) = head(&mut reader);
        if is_utf16(&first) {
            return Err(ImportError::Utf16(name.to_owned()));
        }
        let (head, hash) = (Cursor::new(first), Sha256::new());
        Ok(Source { reader, head, failure, hash, bytes: 0, raw_bytes })
    }

    /// Bytes read from the file itself so far, before decompression.
    pub(super) fn raw_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.raw_bytes)
    }

    /// Hash and length of what was given out.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint { sha256: format!("{:x}", self.hash.clone().finalize()), bytes: self.bytes }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = self.head.read(buffer)?;
        if read == 0 {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            read = self.reader.read(buffer)?;
        }
        self.hash.update(buffer.get(..read).unwrap_or_default());
        self.bytes += read as u64;
        Ok(read)
    }
}

struct Counted {
    reader: Box<dyn Read + Send>,
    bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The first four bytes, fewer only at the end of the source or before a failure.
fn head(reader: &mut impl Read) -> (Vec<u8>, Option<io::Error>) {
    let mut bytes = Vec::new();
    let failure = reader.take(4).read_to_end(&mut bytes).err();
    (bytes, failure)
}

fn refuse_containers(name: &str, magic: &[u8]) -> Result<(), ImportError> {
    let (kind, advice) = match magic {
        [0x28, 0xb5, 0x2f, 0xfd] => ("zstd", "decompress it first, with `zstd -d`"),
        [b'P', b'A', b'R', b'1'] => ("Parquet", "export the log as JSON lines"),
        [b'P', b'K', 3, 4] => ("zip", "unpack it first"),
        [b'B', b'Z', b'h', _] => ("bzip2", "decompress it first, with `bunzip2`"),
        [0xfd, b'7', b'z', b'X'] => ("xz", "decompress it first, with `unxz`"),
        _ => return Ok(()),
    };
    Err(ImportError::Container { file: name.to_owned(), kind, advice })
}

/// UTF-16 by its byte order mark, or by the zero half of an ASCII character.
fn is_utf16(first: &[u8]) -> bool {
    matches!(
        first,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'{' | b'[', ..] | [b'{' | b'[', 0, ..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::sha256_hex;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn open(bytes: Vec<u8>) -> Result<Source, ImportError> {
        Source::new("log", Box::new(Cursor::new(bytes)))
    }

    #[test]
    fn all_members_of_a_joined_gzip_are_read_and_hashed() {
        let joined: Vec<u8> = ["a\n", "b\n", "c"].iter().flat_map(|text| gzip(text)).collect();
        let mut source = open(joined).unwrap();
        let mut text = String::new();
        source.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a\nb\nc");
        let expected = Fingerprint { sha256: sha256_hex("a\nb\nc"), bytes: 5 };
        assert_eq!(source.fingerprint(), expected);
    }

    #[test]
    fn what_holds_no_lines_is_refused_with_advice() {
        for (bytes, word) in [
            (b"\x28\xb5\x2f\xfd____".to_vec(), "zstd -d"),
            (b"PAR1____".to_vec(), "Parquet"),
            (b"\xff\xfe{\0".to_vec(), "UTF-16"),
            (b"{\0\"\0".to_vec(), "UTF-16"),
            (gzip("\u{0}{\u{0}\""), "UTF-16"),
        ] {
            let refused = open(bytes).err().map(|error| error.to_string()).unwrap();
            assert!(refused.contains(word) && refused.contains("log"), "{refused}");
        }
    }

    #[test]
    fn a_cut_gzip_gives_what_it_has_and_then_fails() {
        let mut cut = gzip(&"line\n".repeat(10_000));
        cut.truncate(cut.len() - 6);
        let mut source = open(cut).unwrap();
        let mut bytes = Vec::new();
        assert!(source.read_to_end(&mut bytes).is_err());
        assert!(bytes.starts_with(b"line\nline\n"));
        assert!(open(vec![0x1f, 0x8b]).unwrap().read(&mut [0; 8]).is_err());
    }
}
