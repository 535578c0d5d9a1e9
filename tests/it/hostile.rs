//! Input that was made to do harm: no panic, bounded memory, and the other lines intact.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::{Said, program, repository, rows, run};

/// What an import may take of the memory, in KiB, whatever its input.
const MAX_MEMORY_KIB: u64 = 500 << 10;

fn line(id: &str) -> String {
    json!({"timestamp": 1_793_597_601, "request_id": id, "latency_ms": 5, "status": 200,
        "request": {"model": "m", "messages": [{"role": "user", "content": "hi"}]},
        "response": {"choices": [{"message": {"role": "assistant", "content": "ho"}}]}})
    .to_string()
}

/// Imports and says how much memory that took at most, in KiB (0 where the system does not tell).
fn import_measured(project: &Path, arguments: &[&str]) -> (Said, u64) {
    let mut child = program()
        .arg("import")
        .args(arguments)
        .args(["--max-reject-rate", "100%", "-C"])
        .arg(project)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = high.and_then(|high| high.trim().strip_suffix(" kB")?.trim().parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    (crate::support::said(&child.wait_with_output().unwrap()), peak)
}

fn ids(project: &Path) -> Vec<String> {
    let question = "SELECT request_id FROM capture ORDER BY request_id";
    let text = |row: &Value| row["request_id"].as_str().unwrap().to_owned();
    rows(project, question).iter().map(text).collect()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_line_of_a_gibibyte_is_passed_over_without_being_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let mut file = File::create(&path).unwrap();
    writeln!(file, "{}", line("a")).unwrap();
    // A hole reads as a gibibyte of zeros and takes no room.
    file.seek(SeekFrom::Current(1 << 30)).unwrap();
    write!(file, "\n{}\n", line("b")).unwrap();
    drop(file);
    let project = folder.path().join("project");
    let (said, peak_kib) = import_measured(&project, &[path.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stdout.contains("2 accepted + 1 rejected (1 line_too_long)"), "{}", said.stdout);
    assert_eq!(ids(&project), ["a", "b"]);
    assert!(peak_kib < MAX_MEMORY_KIB, "{peak_kib} KiB");
}

#[test]
fn decompression_bombs_are_stopped_with_what_was_read_before() {
    let folder = tempfile::tempdir().unwrap();
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    writeln!(zstd, "{}", line("a")).unwrap();
    let zeros = vec![b'0'; 16 << 20];
    for _ in 0..80 {
        zstd.write_all(&zeros).unwrap();
    }
    let bomb = write(folder.path(), "bomb.zst", &zstd.finish().unwrap());
    let project = folder.path().join("project");
    let (said, peak_kib) = import_measured(&project, &[&bomb]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(said.stderr.contains("decompression bomb"), "{}", said.stderr);
    assert_eq!(ids(&project), ["a"]);
    assert!(peak_kib < MAX_MEMORY_KIB, "{peak_kib} KiB");

    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    writeln!(gzip, "{}", line("b")).unwrap();
    gzip.write_all(&zeros).unwrap();
    let bomb = write(folder.path(), "bomb.gz", &gzip.finish().unwrap());
    let (said, _) = import_measured(&project, &[&bomb, "--max-input-bytes", "1000000"]);
    assert!(said.stderr.contains("--max-input-bytes"), "{}", said.stderr);
    assert_eq!(ids(&project), ["b"]);
}

#[test]
fn cut_and_joined_compressed_files_give_all_that_is_in_them() {
    let folder = tempfile::tempdir().unwrap();
    let gzip = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let texts: Vec<String> = ["a", "b", "c", "d", "e"].map(|id| line(id) + "\n").into();
    let joined: Vec<u8> = texts.iter().flat_map(|text| gzip(text)).collect();
    let project = folder.path().join("project");
    let file = write(folder.path(), "joined.gz", &joined);
    assert_eq!(run(&project, &["import", &file]).code, 0);
    assert_eq!(ids(&project), ["a", "b", "c", "d", "e"]);
    let frames: Vec<u8> =
        texts.iter().flat_map(|text| zstd::encode_all(text.as_bytes(), 1).unwrap()).collect();
    let file = write(folder.path(), "joined.zst", &frames);
    assert_eq!(run(&project, &["import", &file]).code, 0);
    assert_eq!(ids(&project), ["a", "b", "c", "d", "e"]);
    for (name, bytes) in [("cut.gz", &joined), ("cut.zst", &frames)] {
        let file = write(folder.path(), name, &bytes[..bytes.len() - 20]);
        let said = run(&project, &["import", &file]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert!(said.stderr.contains("read in part"), "{name}: {}", said.stderr);
        assert_eq!(ids(&project), ["a", "b", "c", "d"], "{name}");
    }
}

#[test]
fn odd_texts_are_read_or_set_aside_with_their_place_and_the_others_are_intact() {
    let folder = tempfile::tempdir().unwrap();
    let mut log: Vec<u8> = b"\xef\xbb\xbf".to_vec();
    let mut push = |bytes: &[u8]| {
        log.extend_from_slice(bytes);
        log.extend_from_slice(b"\r\n");
    };
    push(line("01-bom-and-crlf").as_bytes());
    let with = |id: &str, from: &str, to: &[u8]| {
        let text = line(id);
        let at = text.find(from).unwrap();
        [&text.as_bytes()[..at], to, &text.as_bytes()[at + from.len()..]].concat()
    };
    push(&with("02-invalid-utf8", "hi", b"h\xff"));
    push(&with("03-nul", "hi", b"h\0i"));
    push(&with("04-lone-surrogate", "hi", br"h\ud83d"));
    push(&with("05-duplicate-key", "\"status\":200", b"\"status\":200,\"status\":500"));
    push(&with("06-nan", "\"latency_ms\":5", b"\"latency_ms\":NaN"));
    push(&with("07-infinity", "\"latency_ms\":5", b"\"latency_ms\":-Infinity"));
    push(&with("08-overflow", "\"latency_ms\":5", b"\"latency_ms\":1e999"));
    push(&with("09", "\"request_id\":\"09\"", b"\"request_id\":12345678901234567890123"));
    let deep = format!("{{\"request\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    push(deep.as_bytes());
    push(b"{\"request\": ");
    push(line("99-last").as_bytes());
    let file = write(folder.path(), "odd.jsonl", &log);
    let project = folder.path().join("project");
    let (said, peak_kib) = import_measured(&project, &[&file]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(peak_kib < MAX_MEMORY_KIB, "{peak_kib} KiB");
    let read = rows(
        &project,
        "SELECT request_id, source_line, array_to_string(flaws, ',') AS flaws, latency_ms \
         FROM capture ORDER BY source_line",
    );
    let seen: Vec<(i64, &str)> = read
        .iter()
        .map(|row| (row["source_line"].as_i64().unwrap(), row["flaws"].as_str().unwrap_or("")))
        .collect();
    let control = "";
    assert_eq!(
        seen,
        [
            (1, ""),
            (2, "invalid_utf8"),
            (4, "mended_json"),
            (5, "duplicate_keys"),
            (6, "mended_json"),
            (7, "mended_json"),
            (8, "mended_json"),
            (9, control),
            (12, ""),
        ]
    );
    assert_eq!(read[7]["request_id"], "12345678901234567890123", "every digit of it");
    for row in &read[4..7] {
        assert_eq!(row["latency_ms"], Value::Null);
    }
    let rejects = rows(&project, "SELECT source_line, reason FROM rejects ORDER BY source_line");
    let rejects: Vec<(i64, &str)> = rejects
        .iter()
        .map(|row| (row["source_line"].as_i64().unwrap(), row["reason"].as_str().unwrap()))
        .collect();
    // A bare control character in a text is no JSON.
    assert_eq!(rejects, [(3, "invalid_json"), (10, "too_deep"), (11, "invalid_json")]);
}

#[test]
fn utf_16_is_read_as_it_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("\u{feff}{}\r\n{}\r\n", line("a"), line("b"));
    let project = folder.path().join("project");
    for to in [u16::to_le_bytes, u16::to_be_bytes] {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(to).collect();
        let file = write(folder.path(), "wide.jsonl", &bytes);
        let said = run(&project, &["import", &file]);
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert_eq!(ids(&project), ["a", "b"]);
    }
}

#[test]
fn damaged_parquet_ends_with_a_word_on_the_file_and_never_with_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    let sample = repository("sample-data/captures/plain.jsonl");
    assert_eq!(run(&project, &["import", sample.to_str().unwrap()]).code, 0);
    let whole = fs::read(project.join("capture/part-00000.parquet")).unwrap();
    let again = folder.path().join("again");
    let file = write(folder.path(), "own.parquet", &whole);
    let said = run(&again, &["import", &file]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let all = "SELECT * EXCLUDE (source_file, source_line) FROM capture ORDER BY ordinal";
    assert_eq!(rows(&again, all), rows(&project, all), "our own capture comes back as it was");
    let step = whole.len() / 24;
    for at in (0..whole.len()).step_by(step.max(1)) {
        let mut damaged = whole.clone();
        for byte in damaged.iter_mut().skip(at).take(8) {
            *byte ^= 0x5a;
        }
        let file = write(folder.path(), "damaged.parquet", &damaged);
        let (said, peak_kib) = import_measured(&again, &[&file]);
        assert!([0, 3, 4].contains(&said.code), "{}: {}", said.code, said.stderr);
        assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
        assert!(peak_kib < MAX_MEMORY_KIB, "{peak_kib} KiB");
    }
}

#[cfg(unix)]
#[test]
fn archives_links_and_names_do_no_harm() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("a\n\u{1b}[31mred.jsonl"), line("a") + "\n").unwrap();
    // A zip whose member would be unpacked outside of the folder.
    let slip = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\x05\0\0\0\x0e\0\0\0../../evil.txthello";
    fs::write(logs.join("slip.log"), slip).unwrap();
    symlink(&logs, logs.join("loop")).unwrap();
    symlink("/etc/passwd", logs.join("passwd.jsonl")).unwrap();
    let project = folder.path().join("project");
    let said = run(&project, &["import", logs.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(ids(&project), ["a"]);
    assert!(said.stderr.contains("never unpacked"), "{}", said.stderr);
    assert!(!said.stderr.contains('\u{1b}') && !said.stdout.contains('\u{1b}'), "{said:?}");
    assert!(!folder.path().join("evil.txt").exists());
    let named = run(&project, &["import", logs.join("slip.log").to_str().unwrap()]);
    assert_eq!(named.code, 3, "{}", named.stderr);
}
