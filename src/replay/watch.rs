//! A look at a run from outside: running, stopped or finished, from what is on disk.
//!
//! Nothing is written and nobody waits: the journal is read in short transactions, sealed
//! segments are read once, and the lock is only asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};

use serde::Deserialize;

use super::ReplayError;
use super::journal_view::{self, ArmCounts, JournalView};
use super::run_view::{ArmView, Percentiles, RunState, RunView};
use crate::chat::ErrorClass;
use crate::dataset::{
    DatasetError, PlannedRow, RunFolder, RunManifest, Table, read_json, read_rows,
};
use crate::plan::Plan;

/// How far back the figures of "now" look.
const WINDOW_US: i64 = 60_000_000;

/// What is needed of an attempt.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Fact {
    arm: String,
    ordinal: i32,
    repeat: i32,
    attempt: i32,
    #[serde(rename = "final")]
    is_final: bool,
    sent_at: i64,
    ttft_ms: Option<f64>,
    latency_ms: f64,
    error_class: Option<String>,
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cost_nanousd: Option<i64>,
    reserved_nanousd: i64,
}

const FACT_COLUMNS: &[&str] = &[
    "arm",
    "ordinal",
    "repeat",
    "attempt",
    "final",
    "sent_at",
    "ttft_ms",
    "latency_ms",
    "error_class",
    "input_tokens",
    "output_tokens",
    "cost_nanousd",
    "reserved_nanousd",
];

impl Fact {
    fn back_at_us(&self) -> i64 {
        self.sent_at.saturating_add((self.latency_ms * 1_000.0) as i64)
    }

    fn is_uncertain(&self) -> bool {
        self.error_class.as_deref() == Some(ErrorClass::Uncertain.as_str())
    }

    fn spent(&self) -> i64 {
        self.cost_nanousd.unwrap_or(self.reserved_nanousd)
    }
}

/// Limits and budget of a plan.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlanFile {
    candidates: Vec<PlannedArm>,
    control: Option<PlannedArm>,
    replay: PlannedReplay,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlannedReplay {
    budget: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PlannedArm {
    name: String,
    limits: PlannedLimits,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct PlannedLimits {
    concurrency: Option<u64>,
    rpm: Option<u64>,
    tpm: Option<u64>,
}

/// Looks at a run again and again, and reads anew only what is new.
#[derive(Debug)]
pub struct Watch {
    folder: RunFolder,
    manifest: RunManifest,
    plan: PlanFile,
    planned: BTreeMap<String, u64>,
    facts: BTreeMap<(String, i32, i32, i32), Fact>,
    read_files: BTreeSet<String>,
    read_rows: BTreeSet<i64>,
}

impl Watch {
    /// Begins to look at a run; limits and budget are those of `plan`, else those that the run
    /// was begun with.
    ///
    /// # Errors
    /// A run whose manifest or planned rows cannot be read.
    pub fn open(folder: RunFolder, plan: Option<&Plan>) -> Result<Self, ReplayError> {
        let manifest = folder.manifest()?;
        let columns: &[&str] = &["arm", "excluded_reason"];
        let rows: Vec<PlannedRow> =
            read_rows(&folder.planned_file(), Table::Planned, Some(columns), None)?;
        let mut planned = BTreeMap::new();
        for row in rows.into_iter().filter(|row| row.excluded_reason.is_none()) {
            *planned.entry(row.arm).or_insert(0) += u64::from(manifest.repeats);
        }
        // Limits are shown beside what is used; without them the rest still says something.
        let now = plan.and_then(|plan| serde_json::to_value(plan).ok());
        let plan = match now.and_then(|plan| serde_json::from_value(plan).ok()) {
            Some(plan) => plan,
            None => read_json(&folder.plan_file(), "plan").unwrap_or_default(),
        };
        Ok(Watch {
            folder,
            manifest,
            plan,
            planned,
            facts: BTreeMap::new(),
            read_files: BTreeSet::new(),
            read_rows: BTreeSet::new(),
        })
    }

    /// The run as it is; `now_us` is the time in microseconds since 1970.
    ///
    /// # Errors
    /// A journal or segment that cannot be read.
    pub fn look(&mut self, now_us: i64) -> Result<RunView, ReplayError> {
        let running = self.is_running()?;
        let since = now_us.saturating_sub(WINDOW_US);
        let journal = self.folder.journal_file();
        let view = if journal.is_file() {
            let known = |id: i64| self.read_rows.contains(&id);
            Some(journal_view::view(&journal, since, &known)?)
        } else {
            None
        };
        self.read_new(view.as_ref())?;
        let names: Vec<String> = self.manifest.arms.iter().map(|arm| arm.name.clone()).collect();
        let mut arms = Vec::new();
        let mut counts = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let of_arm = match &view {
                Some(view) => {
                    let found = view.arms.iter().find(|arm| usize::from(arm.arm) == index);
                    found.copied().unwrap_or_default()
                }
                None => self.counts_of_segments(name),
            };
            arms.push(self.arm(name, of_arm, since, running));
            counts.push(of_arm);
        }
        Ok(self.summary(arms, &counts, since, running))
    }

    fn summary(
        &self,
        arms: Vec<ArmView>,
        counts: &[ArmCounts],
        since: i64,
        running: bool,
    ) -> RunView {
        let planned = self.planned.values().sum();
        let done = arms.iter().map(|arm| arm.done).sum();
        let recent: Vec<&Fact> = self.facts.values().filter(|f| f.back_at_us() >= since).collect();
        let first = self.facts.values().map(|fact| fact.sent_at).min().unwrap_or(since);
        // A run that is younger than the window has had less time for what it did.
        let seconds = (since + WINDOW_US - first.max(since)).max(1_000_000) as f64 / 1e6;
        let finals = recent.iter().filter(|fact| fact.is_final).count();
        let pace = running.then_some(finals as f64 / seconds);
        let left = u64::saturating_sub(planned, done);
        RunView {
            schema_version: 1,
            run: self.folder.name().to_owned(),
            state: match running {
                true => RunState::Running,
                false if left == 0 => RunState::Finished,
                false => RunState::Stopped,
            },
            started_at: self.manifest.started_at.clone(),
            planned,
            done,
            in_flight: counts.iter().map(|arm| arm.open).sum(),
            uncertain: counts.iter().map(|arm| arm.uncertain).sum(),
            done_per_second: pace,
            remaining_s: pace.filter(|pace| *pace > 0.0).map(|pace| (left as f64 / pace) as u64),
            spent_nanousd: counts.iter().map(|arm| arm.spent_nanousd).sum(),
            reserved_nanousd: counts.iter().map(|arm| arm.reserved_nanousd).sum(),
            budget_nanousd: self.plan.replay.budget.map(|budget| {
                let whole = budget.unsigned_abs();
                i64::try_from(self.part(whole)).unwrap_or(i64::MAX)
            }),
            arms,
        }
    }

    /// Whether a process holds the run's lock; asking takes a shared one for an instant.
    fn is_running(&self) -> Result<bool, ReplayError> {
        let path = self.folder.lock_file();
        let Ok(file) = File::open(&path) else { return Ok(false) };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(fs::TryLockError::WouldBlock) => Ok(true),
            Err(fs::TryLockError::Error(source)) => {
                Err(DatasetError::io("look at the lock", &path, source).into())
            }
        }
    }

    /// This run's part of something that all shards together have.
    fn part(&self, whole: u64) -> u64 {
        self.manifest.shard.map_or(whole, |shard| shard.part_of(whole))
    }

    fn read_new(&mut self, view: Option<&JournalView>) -> Result<(), ReplayError> {
        for (id, payload) in view.map(|view| view.unsealed.as_slice()).unwrap_or_default() {
            self.read_rows.insert(*id);
            let fact: Fact = serde_json::from_slice(payload).map_err(ReplayError::Encode)?;
            self.add(fact);
        }
        let files = match view {
            Some(view) => view.segments.clone(),
            None => self.files_of_results()?,
        };
        for file in files {
            if self.read_files.contains(&file) {
                continue;
            }
            let path = self.folder.results_folder().join(&file);
            let rows: Vec<Fact> = read_rows(&path, Table::Results, Some(FACT_COLUMNS), None)?;
            for fact in rows {
                self.add(fact);
            }
            self.read_files.insert(file);
        }
        Ok(())
    }

    fn add(&mut self, fact: Fact) {
        let key = (fact.arm.clone(), fact.ordinal, fact.repeat, fact.attempt);
        self.facts.insert(key, fact);
    }

    fn files_of_results(&self) -> Result<Vec<String>, ReplayError> {
        let folder = self.folder.results_folder();
        let failed = |source| DatasetError::io("list", &folder, source);
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".parquet") {
                files.push(name);
            }
        }
        Ok(files)
    }

    fn facts_of<'a>(&'a self, arm: &'a str) -> impl Iterator<Item = &'a Fact> {
        self.facts.values().filter(move |fact| fact.arm == arm)
    }

    /// What a journal would say of an arm, for a run that has none, such as a merged one.
    fn counts_of_segments(&self, arm: &str) -> ArmCounts {
        let mut counts = ArmCounts::default();
        for fact in self.facts_of(arm) {
            counts.attempts += 1;
            counts.done += u64::from(fact.is_final);
            counts.uncertain += u64::from(fact.is_uncertain());
            counts.spent_nanousd += fact.spent();
        }
        counts
    }

    fn arm(&self, name: &str, counts: ArmCounts, since: i64, running: bool) -> ArmView {
        let arms = self.plan.candidates.iter().chain(&self.plan.control);
        let limits =
            arms.into_iter().find(|arm| arm.name == name).map(|arm| arm.limits).unwrap_or_default();
        let mut view = ArmView {
            arm: name.to_owned(),
            planned: self.planned.get(name).copied().unwrap_or(0),
            done: counts.done,
            in_flight: counts.open,
            attempts: counts.attempts,
            requests_per_minute: running.then_some(counts.recent),
            rpm_limit: limits.rpm.map(|limit| self.part(limit)),
            tpm_limit: limits.tpm.map(|limit| self.part(limit)),
            concurrency_limit: limits.concurrency.map(|limit| self.part(limit)),
            spent_nanousd: counts.spent_nanousd,
            ..ArmView::default()
        };
        let (mut ttft, mut latency) = (Durations::default(), Durations::default());
        let mut tokens = 0;
        for fact in self.facts_of(name) {
            let recent = running && fact.back_at_us() >= since;
            view.retries += u64::from(fact.attempt > 1);
            if recent {
                let used = fact.input_tokens.unwrap_or(0) + fact.output_tokens.unwrap_or(0);
                tokens += used.unsigned_abs();
            }
            if let Some(class) = &fact.error_class {
                *view.errors.entry(class.clone()).or_default() += 1;
                continue;
            }
            latency.add(Some(fact.latency_ms), recent);
            ttft.add(fact.ttft_ms, recent);
        }
        let limited =
            |class: &str| class.parse().is_ok_and(|class: ErrorClass| class.is_rate_limit());
        view.rate_limited =
            view.errors.iter().filter(|(class, _)| limited(class)).map(|(_, count)| count).sum();
        view.tokens_per_minute = running.then_some(tokens);
        (view.ttft_ms, view.recent_ttft_ms) = ttft.percentiles();
        (view.latency_ms, view.recent_latency_ms) = latency.percentiles();
        view
    }
}

#[derive(Default)]
struct Durations {
    all: Vec<f64>,
    recent: Vec<f64>,
}

impl Durations {
    fn add(&mut self, value: Option<f64>, recent: bool) {
        if let Some(value) = value {
            self.all.push(value);
            if recent {
                self.recent.push(value);
            }
        }
    }

    fn percentiles(&self) -> (Option<Percentiles>, Option<Percentiles>) {
        (percentiles(&self.all), percentiles(&self.recent))
    }
}

fn percentiles(values: &[f64]) -> Option<Percentiles> {
    let sorted = crate::stats::sorted(values).ok()?;
    let at = |p| crate::stats::type1(&sorted, p).ok();
    Some(Percentiles { n: values.len() as u64, p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)? })
}
