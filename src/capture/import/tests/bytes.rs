//! The same bytes every time, and segments that roll.

use super::*;

/// Enough records for several chunks and segments, with failures and repeats among them.
fn many() -> String {
    let mut text = String::new();
    for index in 0..9_000_u32 {
        let at = index * 7 % 5_000;
        let mut record =
            record(&format!("r{index}"), at, &format!("{index} {}", "ab ".repeat(600)));
        if index % 11 == 0 {
            record["status"] = json!(503);
            record["session_id"] = json!("shared");
        }
        text.push_str(&record.to_string());
        text.push('\n');
        if index % 97 == 0 {
            text.push_str(&record.to_string());
            text.push_str("\nbroken\n");
        }
    }
    text
}

#[test]
fn the_same_inputs_give_the_same_bytes_every_time() {
    let bench = Bench::new();
    let file = bench.file("many.jsonl", many());
    assert!(fs::metadata(&file).unwrap().len() > 16 << 20, "more than one chunk");
    let mut captures = Vec::new();
    for _ in 0..2 {
        let outcome = bench.import(&[&file]).unwrap();
        assert_eq!(outcome.manifest.segments.len(), 2);
        assert_eq!(outcome.manifest.exchanges, 9_000);
        assert_eq!(outcome.manifest.sources[0].duplicates, 93);
        assert_eq!(outcome.rejects, 93);
        let folders = [bench.project().capture_folder(), bench.project().rejects_folder()];
        captures.push(folders.map(|folder| contents(&folder)));
    }
    assert!(captures[0] == captures[1], "captures differ");
    let rows = bench.rows();
    let dense = rows.iter().zip(0..).all(|(row, ordinal)| row.ordinal == ordinal);
    assert!(dense, "ordinals are not dense");
    let segments = rows.chunks(8_192);
    assert!(segments.into_iter().all(|rows| rows.is_sorted_by_key(|row| row.captured_at)));
}
