//! A source file opened: container recognised, decompressed, counted and hashed.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

use crate::dataset::DatasetError;

use super::error::ImportError;
use super::frame::{HEAD_BYTES, Order, Utf16Reader};
use super::input::Input;

const BUFFER_BYTES: usize = 256 << 10;

/// The largest window that a zstd frame may ask for, as a power of two: 128 MiB.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Bytes that a source may always decompress to.
const FREE_BYTES: u64 = 1 << 30;

/// How many times its own size a source may decompress to beyond that.
///
/// Logs shrink by 5 to 50 times; a decompression bomb by a thousand and more.
const MAX_RATIO: u64 = 200;

/// The decompressed bytes of a source as UTF-8, counted and hashed as they pass.
pub(super) struct Source {
    reader: Box<dyn Read + Send>,
    /// Bytes that were read to look at, the first of the source.
    head: Cursor<Vec<u8>>,
    /// Whether the head is all there is.
    head_is_whole: bool,
    /// What went wrong behind the head, as in a gzip that ends in its header.
    failure: Option<io::Error>,
    hash: Sha256,
    bytes: u64,
    raw_bytes: Arc<AtomicU64>,
    max_bytes: Option<u64>,
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
    ///
    /// `max_bytes` limits what it may decompress to.
    pub(super) fn open(input: &Input, max_bytes: Option<u64>) -> Result<Self, ImportError> {
        match input {
            Input::Stdin => Source::new("-", Box::new(io::stdin()), max_bytes),
            Input::File(path) => {
                let file =
                    File::open(path).map_err(|source| DatasetError::io("read", path, source))?;
                Source::new(&input.name(), Box::new(file), max_bytes)
            }
        }
    }

    fn new(
        name: &str,
        reader: Box<dyn Read + Send>,
        max_bytes: Option<u64>,
    ) -> Result<Self, ImportError> {
        let raw_bytes = Arc::new(AtomicU64::new(0));
        let counted = Counted { reader, bytes: Arc::clone(&raw_bytes) };
        let mut reader = BufReader::with_capacity(BUFFER_BYTES, counted);
        let (magic, failure) = head(&mut reader, 8);
        if let Some(error) = failure {
            return Err(DatasetError::io("read", name, error).into());
        }
        refuse_containers(name, &magic)?;
        let whole = Cursor::new(magic.clone()).chain(reader);
        let mut reader = decompressed(name, &magic, Box::new(whole))?;
        let (first, failure) = head(&mut reader, 8);
        let order = Order::of(&first);
        let reader = Cursor::new(first).chain(Failing(failure)).chain(reader);
        let mut reader: Box<dyn Read + Send> = match order {
            Some(order) => Box::new(Utf16Reader::new(reader, order)),
            None => Box::new(reader),
        };
        let (first, failure) = head(&mut reader, HEAD_BYTES);
        if first.get(257..262) == Some(b"ustar") {
            let advice = "unpack it first; archives are never unpacked here";
            return Err(ImportError::Container { file: name.to_owned(), kind: "tar", advice });
        }
        Ok(Source {
            head_is_whole: first.len() < HEAD_BYTES,
            head: Cursor::new(first),
            reader,
            failure,
            hash: Sha256::new(),
            bytes: 0,
            raw_bytes,
            max_bytes,
        })
    }

    /// The first bytes, and whether they are all.
    pub(super) fn head(&self) -> (&[u8], bool) {
        (self.head.get_ref(), self.head_is_whole)
    }

    /// Bytes read from the file itself so far, before decompression.
    pub(super) fn raw_bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.raw_bytes)
    }

    /// Hash and length of what was given out.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint { sha256: format!("{:x}", self.hash.clone().finalize()), bytes: self.bytes }
    }

    fn check_size(&self) -> io::Result<()> {
        let raw = self.raw_bytes.load(Ordering::Relaxed);
        let limit = self.max_bytes.unwrap_or(FREE_BYTES.max(raw.saturating_mul(MAX_RATIO)));
        if self.bytes <= limit {
            return Ok(());
        }
        let advice = match self.max_bytes {
            Some(limit) => format!("it holds more than the {limit} bytes of `--max-input-bytes`"),
            None => format!(
                "it decompresses to more than {MAX_RATIO} times its size, as a decompression bomb \
                 does; `--max-input-bytes` allows more"
            ),
        };
        Err(io::Error::new(io::ErrorKind::FileTooLarge, advice))
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
        self.check_size()?;
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

/// Fails once where reading failed before, and is empty otherwise.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn decompressed(
    name: &str,
    magic: &[u8],
    reader: Box<dyn Read + Send>,
) -> Result<Box<dyn Read + Send>, ImportError> {
    Ok(match magic {
        // Always the decoder of several members: log shards are joined byte by byte.
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(reader)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            let failed = |source| DatasetError::io("read", name, source);
            let mut decoder = zstd::Decoder::new(reader).map_err(failed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(failed)?;
            Box::new(decoder)
        }
        _ => reader,
    })
}

/// The first bytes, fewer only at the end of the source or before a failure.
fn head(reader: &mut impl Read, length: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut bytes = Vec::new();
    let failure = reader.take(length as u64).read_to_end(&mut bytes).err();
    (bytes, failure)
}

fn refuse_containers(name: &str, magic: &[u8]) -> Result<(), ImportError> {
    let (kind, advice) = match magic {
        [b'P', b'A', b'R', b'1', ..] => {
            ("Parquet", "name it as a file, it cannot be read as a stream")
        }
        [b'P', b'K', 3, 4, ..] => ("zip", "unpack it first; archives are never unpacked here"),
        [b'B', b'Z', b'h', _, ..] => ("bzip2", "decompress it first, with `bunzip2`"),
        [0xfd, b'7', b'z', b'X', ..] => ("xz", "decompress it first, with `unxz`"),
        _ => return Ok(()),
    };
    Err(ImportError::Container { file: name.to_owned(), kind, advice })
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
        Source::new("log", Box::new(Cursor::new(bytes)), None)
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

    fn text(bytes: Vec<u8>) -> String {
        let mut text = String::new();
        open(bytes).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn zstd_frames_and_utf16_are_read_wherever_they_stand() {
        let frame = |text: &str| zstd::encode_all(text.as_bytes(), 1).unwrap();
        let joined: Vec<u8> = ["a\n", "b\n"].iter().flat_map(|text| frame(text)).collect();
        assert_eq!(text(joined), "a\nb\n");
        let wide: Vec<u8> =
            "\u{feff}{\"a\":1}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(wide.clone()), "\u{feff}{\"a\":1}\n");
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&wide).unwrap();
        assert_eq!(text(encoder.finish().unwrap()), "\u{feff}{\"a\":1}\n");
    }

    #[test]
    fn what_holds_no_lines_is_refused_with_advice() {
        for (bytes, word) in [
            (b"PAR1____".to_vec(), "Parquet"),
            (b"PK\x03\x04____".to_vec(), "never unpacked"),
            (b"BZh9____".to_vec(), "bunzip2"),
        ] {
            let refused = open(bytes).err().map(|error| error.to_string()).unwrap();
            assert!(refused.contains(word) && refused.contains("log"), "{refused}");
        }
    }

    #[test]
    fn a_source_that_decompresses_to_too_much_ends_with_advice() {
        let bytes = gzip(&"line\n".repeat(10_000));
        let reader = Box::new(Cursor::new(bytes));
        let mut source = Source::new("log", reader, Some(20_000)).unwrap();
        let mut read = Vec::new();
        let failure = source.read_to_end(&mut read).unwrap_err();
        assert!(failure.to_string().contains("--max-input-bytes"), "{failure}");
        let mut bomb = open(b"x".to_vec()).unwrap();
        bomb.bytes = FREE_BYTES + 1;
        assert!(bomb.check_size().unwrap_err().to_string().contains("bomb"));
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
