//! Broken inputs: each is named, and nothing readable is lost with it.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;

use super::*;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_kind_of_broken_line_is_set_aside_with_its_place_and_the_rest_is_kept() {
    let bench = Bench::new();
    let good = |id: &str| record(id, 1, id).to_string();
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(300), "]".repeat(300));
    let long = record("long", 1, &"x".repeat(5_000)).to_string();
    let text = [
        "\u{feff}".to_owned() + &good("a"),
        String::new(),
        "{\"request\": ".to_owned(),
        deep,
        "  \r".to_owned(),
        long,
        "[1, 2]".to_owned(),
        good("b") + &good("c"),
        "{\"level\": \"info\"}".to_owned(),
        good("d") + "\r",
        good("e"),
    ]
    .join("\n");
    let file = bench.file("a.jsonl", &text);
    let mut options = Bench::options(&[&file]);
    options.max_line_bytes = 4_096;
    let outcome = bench.import_with(&options).unwrap();
    assert_eq!(ids(&bench.rows()), ["a", "b", "c", "d", "e"]);
    assert_eq!(
        outcome.conservation_line(),
        "11 lines = 5 accepted + 6 rejected (1 invalid_json, 1 line_too_long, 1 missing_field, \
         2 not_an_object, 1 too_deep) + 0 filtered + 0 duplicates"
    );
    let places: Vec<(i64, String)> =
        bench.rejects().into_iter().map(|row| (row.source_line, row.reason)).collect();
    let expected = [
        (3, "invalid_json"),
        (4, "too_deep"),
        (6, "line_too_long"),
        (7, "not_an_object"),
        (7, "not_an_object"),
        (9, "missing_field"),
    ];
    assert_eq!(places, expected.map(|(line, reason)| (line, reason.to_owned())));
    for row in bench.rejects() {
        let line = text.as_bytes().split(|byte| *byte == b'\n').nth(row.source_line as usize - 1);
        let at = &text.as_bytes()[row.byte_offset as usize..];
        assert!(at.starts_with(line.unwrap()), "{row:?}");
    }
}

#[test]
fn writers_faults_inside_texts_are_mended() {
    let bench = Bench::new();
    let text = lines(&[record("a", 1, "cut \u{1f600}")]).replace('\u{1f600}', "\\ud83d");
    let text = text.replace("\"latency_ms\":101", "\"latency_ms\":NaN");
    let file = bench.file("a.jsonl", text);
    assert_eq!(bench.import(&[&file]).unwrap().rejects, 0);
    let row = &bench.rows()[0];
    assert!(row.request_body.as_deref().unwrap().contains("cut \u{fffd}"));
    assert_eq!(row.latency_baseline_reason.as_deref(), Some("no_latency"));
}

#[test]
fn joined_gzip_shards_are_read_to_the_end() {
    let bench = Bench::new();
    let shards: Vec<u8> = ["a", "b", "c", "d", "e"]
        .iter()
        .flat_map(|id| gzip(&lines(&[record(id, 1, id)])))
        .collect();
    let file = bench.file("no-ending", shards);
    bench.import(&[&file]).unwrap();
    assert_eq!(ids(&bench.rows()), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_cut_gzip_keeps_its_whole_lines_and_says_that_it_is_cut() {
    let bench = Bench::new();
    let records: Vec<Value> = (0..200)
        .map(|index| record(&index.to_string(), index, &"ab".repeat(index as usize)))
        .collect();
    let mut shard = gzip(&lines(&records));
    shard.truncate(shard.len() / 2);
    let file = bench.file("a.gz", shard);
    let outcome = bench.import(&[&file]).unwrap();
    let source = &outcome.manifest.sources[0];
    assert!(source.incomplete.as_deref().unwrap().contains("ends early"), "{source:?}");
    assert!(source.accepted > 10 && source.accepted < 200, "{source:?}");
    assert_eq!((source.accepted, outcome.rejects), (source.lines, 0));
}

#[test]
fn an_earlier_capture_survives_everything_but_a_better_one() {
    let bench = Bench::new();
    let good = bench.file("good.jsonl", lines(&[record("a", 1, "x")]));
    bench.import(&[&good]).unwrap();
    let before = contents(&bench.project().capture_folder());
    let bad = bench.file("bad.jsonl", lines(&[record("b", 1, "x")]) + "broken\n");
    let mut options = Bench::options(&[&bad]);
    options.max_reject_rate = 0.01;
    let outcome = bench.import_with(&options).unwrap();
    assert!(outcome.reject_rate_exceeded);
    assert_eq!(outcome.reject_rate.to_bits(), 0.5_f64.to_bits());
    assert_eq!(bench.rejects().len(), 1, "there to be looked at");
    let strange = bench.file("strange.jsonl", "{\"a\":1}\n");
    assert!(bench.import(&[&strange]).is_err());
    assert_eq!(contents(&bench.project().capture_folder()), before);
    options.max_reject_rate = 0.5;
    assert!(!bench.import_with(&options).unwrap().reject_rate_exceeded);
    assert_eq!(ids(&bench.rows()), ["b"]);
    assert_eq!(names_in(bench.project().folder()), ["capture", "rejects"]);
}

#[test]
fn documents_over_several_lines_and_lists_are_read_record_by_record() {
    let bench = Bench::new();
    let all = [record("a", 1, "x"), record("b", 2, "y")];
    let pretty: String =
        all.iter().map(|one| serde_json::to_string_pretty(one).unwrap() + "\n").collect();
    let list = serde_json::to_string_pretty(&all).unwrap();
    let page = serde_json::to_string(&json!({"data": all, "meta": {"page": 1}})).unwrap();
    for (name, text) in [("pretty.json", &pretty), ("list.json", &list), ("page.json", &page)] {
        let file = bench.file(name, text);
        bench.import(&[&file]).unwrap();
        assert_eq!(ids(&bench.rows()), ["a", "b"], "{name}");
    }
}

#[test]
fn inputs_with_nothing_in_them_are_refused_with_advice() {
    let bench = Bench::new();
    let refused = |name: &str, bytes: &[u8]| {
        let file = bench.file(name, bytes);
        bench.import(&[&file]).unwrap_err()
    };
    assert!(matches!(refused("empty.jsonl", b""), ImportError::NoLines(_)));
    assert!(matches!(refused("blank.jsonl", b"\n \n"), ImportError::NoLines(_)));
    let text = refused("text.log", b"GET / 200\nGET /x 404\n").to_string();
    assert!(text.contains("text.log") && text.contains("no fields"), "{text}");
    assert!(text.contains("--from") && text.contains("import --formats"), "{text}");
    assert!(!text.contains("GET"), "{text}");
    let audit = json!({"table_name": "k", "changed_by": "a", "call_type": "x", "startTime": 1.0,
        "endTime": 2.0});
    let none = refused("audit.jsonl", lines(&[audit]).as_bytes()).to_string();
    assert!(none.contains("1 filtered (1 not_llm)"), "{none}");
    assert!(!bench.project().capture_folder().exists());
}

#[test]
fn a_named_format_reads_what_cannot_be_told_and_a_strange_name_is_refused() {
    let bench = Bench::new();
    let file = bench.file("a.jsonl", "broken\n{\"timestamp\": 1, \"status\": 200}\n");
    assert!(matches!(bench.import(&[&file]), Err(ImportError::UnknownFormat { .. })));
    let mut options = Bench::options(&[&file]);
    options.format = Some("plain".to_owned());
    let outcome = bench.import_with(&options).unwrap();
    assert_eq!((outcome.manifest.exchanges, outcome.rejects), (1, 1));
    options.format = Some("helicon".to_owned());
    let refused = bench.import_with(&options).unwrap_err().to_string();
    assert!(refused.contains("did you mean `helicone`"), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let bench = Bench::new();
    let file = bench.file("a.jsonl", lines(&[record("a", 1, "x")]));
    let in_the_way = bench.file("file", "");
    let project = Project::new(format!("{in_the_way}/project"));
    let error = import(&project, &Bench::options(&[&file]), &SecretsOnly, &mut |_| {});
    assert!(error.unwrap_err().to_string().contains("file/project"));
}
