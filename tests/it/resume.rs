//! Who may resume a run, and with what.

use std::fs;
use std::process::Stdio;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::kills::Site;
use crate::support::{Said, run, said};

#[track_caller]
fn assert_says(said: &Said, code: i32, words: &[&str]) {
    assert_eq!(said.code, code, "{}{}", said.stdout, said.stderr);
    for word in words {
        assert!(said.stderr.contains(word), "`{word}` is missing in: {}", said.stderr);
    }
}

fn edit(site: &Site, from: &str, to: &str) {
    let plan = site.folder.join("rehearsal.toml");
    let text = fs::read_to_string(&plan).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(plan, text.replace(from, to)).unwrap();
}

#[test]
fn a_second_process_is_refused_and_a_killed_one_leaves_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path(), elsewhere.path(), "time_scale = 0.5", 300);
    let mut first = site.replay("one").spawn().unwrap();
    while site.asked("one").is_empty() {
        assert!(first.try_wait().unwrap().is_none(), "it ended before anything was sent");
        std::thread::yield_now();
    }
    let second = said(&site.replay("one").stderr(Stdio::piped()).output().unwrap());
    assert!(first.try_wait().unwrap().is_none(), "the first is still at it");
    assert_says(&second, 75, &["`one` is being replayed by another process", "hint: ", "LOCK"]);
    let owner = fs::read_to_string(site.run_folder("one").join("LOCK")).unwrap();
    assert_eq!(owner.trim(), first.id().to_string());
    first.kill().unwrap();
    first.wait().unwrap();
    // Taken over at once, and released at the end.
    edit(&site, "[replay]", "[replay]\ndrain = \"1s\"");
    for _ in 0..2 {
        let said = said(&site.replay("one").stderr(Stdio::piped()).output().unwrap());
        assert_eq!(said.code, 0, "{}", said.stderr);
    }
}

#[test]
fn a_run_is_not_resumed_with_other_prices_another_plan_or_another_capture() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path(), elsewhere.path(), "time_scale = 0.0", 10);
    let begun = run(folder.path(), &["replay"]);
    assert_eq!(begun.code, 0, "{}", begun.stderr);
    let asked = fs::read_to_string(&site.log).unwrap();

    edit(&site, "input = \"1 USD/1M\"", "input = \"3 USD/1M\"");
    let said = run(folder.path(), &["replay"]);
    let words = ["next/next was input 1.00 USD/1M", "is input 3.00 USD/1M", "--run NAME"];
    assert_says(&said, 3, &words);
    edit(&site, "input = \"3 USD/1M\"", "input = \"1 USD/1M\"");
    assert_eq!(run(folder.path(), &["replay"]).code, 0);

    let name = fs::read_dir(folder.path().join("runs")).unwrap().next().unwrap().unwrap();
    let name = name.file_name().into_string().unwrap();
    edit(&site, "[replay]", "[replay]\nretries = 7");
    assert_says(&run(folder.path(), &["replay", "--run", &name]), 3, &[&name, "replay.retries"]);
    edit(&site, "\nretries = 7", "");

    let text = fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
    let shorter = elsewhere.path().join("shorter.jsonl");
    fs::write(&shorter, text.lines().skip(1).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    assert_eq!(run(folder.path(), &["import", shorter.to_str().unwrap()]).code, 0);
    assert_says(&run(folder.path(), &["replay", "--run", &name]), 3, &[&name, "the capture"]);
    assert_says(&run(folder.path(), &["judge", "--run", &name]), 3, &[&name, "the capture"]);
    assert_eq!(fs::read_to_string(&site.log).unwrap(), asked, "nothing was sent");
}

#[test]
fn a_flipped_bit_of_any_file_that_a_verdict_rests_on_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path(), elsewhere.path(), "time_scale = 0.0", 40);
    site.undisturbed("r");
    let judged = run(folder.path(), &["judge"]).code;
    assert!([0, 10, 11].contains(&judged), "{judged}");
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let in_run = site.run_folder("r");
    for file in [
        in_run.join("results/part-00001.parquet"),
        in_run.join("planned.parquet"),
        in_run.join("plan.json"),
        in_run.join("run.json"),
        in_run.join("journal.sqlite"),
        folder.path().join("capture/manifest.json"),
        folder.path().join("capture/part-00000.parquet"),
    ] {
        let whole = fs::read(&file).unwrap();
        let mut named = 0;
        for _ in 0..3 {
            let bit = random.random_range(0..whole.len() * 8);
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &flipped).unwrap();
            for verb in ["judge", "replay"] {
                let said = run(folder.path(), &[verb, "--run", "r"]);
                // A page of the journal may be flipped where it holds nothing.
                if said.code != 3 && file.ends_with("journal.sqlite") {
                    assert!([0, judged].contains(&said.code), "bit {bit}: {}", said.stderr);
                    continue;
                }
                let name = file.file_name().unwrap().to_str().unwrap();
                assert_says(&said, 3, &[name]);
                assert!(!said.stderr.contains("panicked"), "{}", said.stderr);
                named += 1;
            }
            let journal = in_run.join("journal.sqlite");
            let _ = fs::remove_file(journal.with_extension("sqlite-wal"));
        }
        fs::write(&file, &whole).unwrap();
        assert!(named > 0 || file.ends_with("journal.sqlite"), "{}", file.display());
    }
    assert_eq!(run(folder.path(), &["judge"]).code, judged);
    fs::remove_file(in_run.join("results/part-00001.parquet")).unwrap();
    assert_says(&run(folder.path(), &["judge"]), 3, &["part-00001.parquet", "missing"]);
    assert_says(&run(folder.path(), &["report"]), 3, &["part-00001.parquet", "missing"]);
    let question = ["sql", "SELECT COUNT(*) FROM results"];
    assert_says(&run(folder.path(), &question), 3, &["part-00001.parquet", "missing"]);
}
