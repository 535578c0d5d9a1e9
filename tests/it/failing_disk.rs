//! System calls that write, failing one after another under `strace`, and disks that are full.
//!
//! `REHEARSAL_FAULTS` sets how many places of each system call fail (3 here; a large number, for all
//! of them, in the long run).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::kills::{Answer, Site};
use crate::support::{Said, has_tool, number, program, rows, run, said, setting, skip};

/// Calls that put something on the disk, with an error that each may meet. `write` is not among
/// them: the program's own wake-ups are writes too; `src/replay/fault_tests.rs` fails those.
const CALLS: &[(&str, &str)] = &[
    ("pwrite64", "ENOSPC"),
    ("pwrite64", "EIO"),
    ("fsync", "EIO"),
    ("fdatasync", "EIO"),
    ("rename", "ENOSPC"),
    ("renameat", "ENOSPC"),
    ("renameat2", "ENOSPC"),
    ("ftruncate", "EIO"),
];

fn traced(site: &Site, name: &str, trace: &Path, inject: Option<&str>) -> Said {
    let calls: Vec<&str> = CALLS.iter().map(|(call, _)| *call).collect();
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-qq", "-o"]).arg(trace);
    command.arg("-e").arg(format!("trace={}", calls.join(",")));
    if let Some(inject) = inject {
        command.arg("-e").arg(format!("inject={inject}"));
    }
    let replay = site.replay(name);
    command.arg(replay.get_program()).args(replay.get_args());
    for (variable, value) in replay.get_envs() {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    said(&command.stdin(Stdio::null()).output().unwrap())
}

/// How often the busiest thread makes each call: `strace` counts by thread.
fn most_calls(trace: &str) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in trace.lines() {
        let mut words = line.splitn(2, ' ');
        let thread = words.next().unwrap_or_default();
        let call = words.next().unwrap_or_default().trim_start().split('(').next().unwrap();
        *counts.entry((call.to_owned(), thread.to_owned())).or_default() += 1;
    }
    let mut most: BTreeMap<String, usize> = BTreeMap::new();
    for ((call, _), count) in counts {
        let known = most.entry(call).or_default();
        *known = count.max(*known);
    }
    most
}

/// Places from the first to the last, as many as are wanted, evenly.
fn places(last: usize, wanted: usize) -> Vec<usize> {
    let wanted = wanted.clamp(1, last.max(1));
    let mut places: Vec<usize> =
        (0..wanted).map(|index| 1 + index * last.saturating_sub(1) / (wanted - 1).max(1)).collect();
    places.dedup();
    places
}

/// Whether nothing failed but syncs of a folder, of which SQLite takes no notice; the program syncs
/// the same folder itself and does.
fn only_folders_failed(trace: &str, folder: &Path) -> bool {
    let folder = format!("<{}>)", folder.display());
    let mut failed = trace.lines().filter(|line| line.contains("(INJECTED)"));
    failed.all(|line| line.contains("fsync(") && line.contains(&folder))
}

/// No descriptor of the journal whose sync failed is synced again.
fn check_never_synced_again(trace: &str, what: &str) {
    let mut failed: Vec<&str> = Vec::new();
    let syncs = |line: &&str| line.contains("sync(") && line.contains("journal.sqlite");
    for line in trace.lines().filter(syncs) {
        let target = line.split("sync(").nth(1).and_then(|rest| rest.split(')').next()).unwrap();
        assert!(!failed.contains(&target), "{what}: {target} was synced again");
        if line.contains("(INJECTED)") {
            failed.push(target);
        }
    }
}

#[test]
fn every_failing_system_call_is_named_and_the_same_command_goes_on() {
    const EXCHANGES: usize = 12;
    if !has_tool("strace", "-V") {
        return;
    }
    let wanted = setting("REHEARSAL_FAULTS", 3);
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path(), elsewhere.path(), "time_scale = 0.0", EXCHANGES);
    let expected = site.undisturbed("undisturbed");
    let trace = elsewhere.path().join("trace");
    let whole = traced(&site, "traced", &trace, None);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    let most = most_calls(&fs::read_to_string(&trace).unwrap());
    let mut struck = 0;
    for (call, error) in CALLS {
        let Some(last) = most.get(*call) else { continue };
        for place in places(*last, wanted) {
            let name = format!("{call}-{error}-{place}");
            let inject = format!("{call}:error={error}:when={place}");
            let outcome = traced(&site, &name, &trace, Some(&inject));
            let log = fs::read_to_string(&trace).unwrap();
            let is_noticed = !only_folders_failed(&log, &site.run_folder(&name));
            if log.contains("(INJECTED)") && (outcome.code != 0 || is_noticed) {
                struck += 1;
                let path = folder.path().to_str().unwrap();
                let text = &outcome.stderr;
                assert!([1, 75].contains(&outcome.code), "{name}: {} {text}\n{log}", outcome.code);
                assert!(text.contains(path) && text.contains("hint: "), "{name}: {text}");
                assert!(!text.contains("panicked"), "{name}: {text}");
                check_never_synced_again(&log, &name);
                let journaled = site.journaled(&name);
                for id in site.asked(&name) {
                    assert!(journaled.knows(&id), "{name}: {id} was sent and is in no journal");
                }
            } else {
                assert_eq!(outcome.code, 0, "{name}: {}", outcome.stderr);
            }
            assert_eq!(site.undisturbed(&name), expected, "{name}");
            site.check_finished(&name, &expected);
        }
    }
    println!("{struck} failures struck; calls of the busiest thread: {most:?}");
    assert!(struck >= wanted.min(3), "only {struck} failures struck");
}

/// A disk of its own that can be filled.
struct SmallDisk {
    mounted: tempfile::TempDir,
}

impl SmallDisk {
    /// `None`, with a word on it, where nothing may be mounted.
    fn mount(size: &str) -> Option<Self> {
        let mounted = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(mounted.path())
            .stderr(Stdio::null())
            .status();
        if done.is_ok_and(|status| status.success()) {
            return Some(SmallDisk { mounted });
        }
        skip("a small disk can be mounted by root alone");
        None
    }

    fn path(&self) -> &Path {
        self.mounted.path()
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// Leaves so many bytes free.
    fn fill(&self, leave: u64) {
        let mut file = File::create(self.filler()).unwrap();
        let block = [0_u8; 4_096];
        let mut written = 0;
        while let Ok(bytes) = file.write(&block) {
            written += bytes as u64;
        }
        file.set_len(written.saturating_sub(leave)).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.mounted.path()).status();
    }
}

#[track_caller]
fn assert_tells_of_the_disk(outcome: &Said, path: &Path) {
    assert!([1, 75].contains(&outcome.code), "{} {}", outcome.code, outcome.stderr);
    for word in [path.to_str().unwrap(), "full", "hint: ", "room"] {
        let text = outcome.stderr.replace("No space left", "full");
        assert!(text.contains(word), "`{word}` is missing: {text}");
    }
}

fn site_on(disk: &SmallDisk, elsewhere: &Path, exchanges: usize) -> (Site, Vec<Answer>) {
    let site = Site::new(&disk.path().join("project"), elsewhere, "time_scale = 0.0", exchanges);
    let expected = site.undisturbed("undisturbed");
    (site, expected)
}

#[test]
fn a_disk_that_fills_up_stops_the_replay_and_loses_nothing() {
    const EXCHANGES: usize = 600;
    let Some(disk) = SmallDisk::mount("24m") else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let (site, expected) = site_on(&disk, elsewhere.path(), EXCHANGES);
    disk.fill(1_500 << 10);
    let outcome = said(&site.replay("full").stderr(Stdio::piped()).output().unwrap());
    assert_tells_of_the_disk(&outcome, disk.path());
    let journaled = site.journaled("full");
    let asked = site.asked("full");
    let sent = asked.len();
    assert!(sent > 0 && sent < EXCHANGES, "{sent} were sent: {}", outcome.stderr);
    // The last group that could be written holds every request that was sent.
    for id in &asked {
        assert!(journaled.knows(id), "{id} was sent and is not in the journal");
    }
    assert!(!journaled.done.is_empty(), "nothing was kept");

    let again = said(&site.replay("full").stderr(Stdio::piped()).output().unwrap());
    assert_tells_of_the_disk(&again, disk.path());
    let kept = site.journaled("full").done;
    assert!(journaled.done.keys().all(|id| kept.contains_key(id)), "results are still there");
    disk.make_room();
    assert_eq!(site.undisturbed("full"), expected);
    site.check_finished("full", &expected);
    for id in journaled.done.keys() {
        assert!(site.journaled("full").done.contains_key(id), "{id} was lost");
    }
}

#[test]
fn a_full_disk_keeps_results_from_being_sealed_and_nothing_is_lost() {
    const EXCHANGES: usize = 300;
    let Some(disk) = SmallDisk::mount("24m") else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let (site, expected) = site_on(&disk, elsewhere.path(), EXCHANGES);
    let mut child = site.replay("killed").spawn().unwrap();
    while site.asked("killed").len() < EXCHANGES / 3 && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = site.journaled("killed").done;
    assert!(!before.is_empty() && before.len() < EXCHANGES, "{} were done", before.len());
    disk.fill(0);
    let judged = run(&site.folder, &["judge", "--run", "killed"]);
    assert_tells_of_the_disk(&judged, disk.path());
    disk.make_room();
    let judged = run(&site.folder, &["judge", "--run", "killed"]);
    assert_eq!(judged.code, 11, "an unfinished run decides nothing: {}", judged.stderr);
    let known = "SELECT COUNT(*) AS n FROM results WHERE error_class IS DISTINCT FROM 'uncertain'";
    let asked = run(&site.folder, &["sql", known, "--run", "killed", "--format", "csv"]);
    assert_eq!(asked.stdout.trim(), format!("n\n{}", before.len()), "{}", asked.stderr);
    assert_eq!(site.undisturbed("killed"), expected);
    site.check_finished("killed", &expected);
}

#[test]
fn a_full_disk_stops_an_import_and_leaves_the_earlier_capture() {
    let Some(disk) = SmallDisk::mount("8m") else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let project = disk.path().join("project");
    fs::create_dir(&project).unwrap();
    crate::kills::write_project(elsewhere.path(), "http://127.0.0.1:9/v1", 2_000);
    let large = elsewhere.path().join("log.jsonl");
    let text = fs::read_to_string(&large).unwrap();
    let small = elsewhere.path().join("small.jsonl");
    fs::write(&small, text.lines().take(3).collect::<Vec<_>>().join("\n") + "\n").unwrap();
    let first = run(&project, &["import", small.to_str().unwrap()]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    for leave in [0, 4 << 10, 12 << 10] {
        disk.fill(leave);
        let outcome = run(&project, &["import", large.to_str().unwrap()]);
        assert_tells_of_the_disk(&outcome, disk.path());
        disk.make_room();
        assert_eq!(number(&project, "SELECT COUNT(*) FROM capture"), 3);
        let left: Vec<String> = fs::read_dir(&project)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains("importing") || name.contains("replaced"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
    assert_eq!(run(&project, &["import", large.to_str().unwrap()]).code, 0);
    assert_eq!(number(&project, "SELECT COUNT(*) FROM capture"), 2_000);
}

/// A library of `libfaketime` that can be preloaded.
fn faketime() -> Option<PathBuf> {
    let found = Command::new("find")
        .args(["/usr/lib", "/usr/local/lib", "-name", "libfaketimeMT.so.1"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    let library = text.lines().next().map(PathBuf::from);
    if library.is_none() {
        skip("libfaketime is not installed");
    }
    library
}

#[test]
fn a_clock_that_is_set_during_a_replay_changes_no_duration() {
    let Some(library) = faketime() else { return };
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let site = Site::new(folder.path(), elsewhere.path(), "time_scale = 0.05", 400);
    let offset = elsewhere.path().join("offset");
    // The clock is set again whenever some more requests have arrived.
    fs::write(&offset, "+0\n").unwrap();
    let replay = site.replay("stepped");
    let mut command = program();
    command.args(replay.get_args()).stderr(Stdio::piped());
    let mut child = command
        .env("LD_PRELOAD", &library)
        .env("FAKETIME_TIMESTAMP_FILE", &offset)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .spawn()
        .unwrap();
    let steps = ["-1h", "+1d", "-1d", "+1h", "-30d", "+0"];
    for (index, step) in steps.iter().enumerate() {
        while site.asked("stepped").len() < (index + 1) * 40 && child.try_wait().unwrap().is_none()
        {
            std::thread::yield_now();
        }
        fs::write(&offset, format!("{step}\n")).unwrap();
    }
    assert!(child.wait().unwrap().success());
    let attempts = rows(
        folder.path(),
        "SELECT CAST(sent_at AS BIGINT) - sent_mono_ns / 1000 AS began, latency_ms, queue_ms, \
         COALESCE(ttft_ms, 0.0) AS ttft_ms FROM results",
    );
    assert!(attempts.len() >= 400, "{}", attempts.len());
    let starts: Vec<i64> = attempts.iter().map(|row| row["began"].as_i64().unwrap()).collect();
    let (first, last) = (starts.iter().min().unwrap(), starts.iter().max().unwrap());
    assert!(last - first <= 1, "wall times follow one clock that is never set: {first} to {last}");
    // A minute is far from a step of an hour and far from what an answer takes here.
    for row in &attempts {
        for column in ["latency_ms", "queue_ms", "ttft_ms"] {
            let duration = row[column].as_f64().unwrap();
            assert!((0.0..60_000.0).contains(&duration), "{column}: {duration}");
        }
    }
}
