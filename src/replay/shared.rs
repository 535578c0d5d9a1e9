//! A run whose state lives in a store: fetched when this process begins, committed while it sends.
//!
//! What a machine loses with its disk is bounded. Every commit states a ceiling, the most that may
//! have been spent until the next one, and nothing is reserved beyond it; after a holder was lost,
//! everything up to its ceiling counts as spent, so that the budget holds whatever it sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::budget::Ledger;
use super::lease::{self, Claim, Lease, Renewed};
use super::stop::Halt;
use super::{ReplayError, StopReason, journal_view};
use crate::dataset::{
    DatasetError, FileRecord, Project, RunFolder, Store, download, read_json, sync_dir, upload,
    write_json,
};

/// Where a run is kept for several machines.
#[derive(Debug, Clone)]
pub struct SharedStore {
    /// The store.
    pub store: Store,
    /// Who this process is, for whoever finds the run taken.
    pub owner: String,
    /// How long the claim may stand still before another process may take it.
    pub term: Duration,
    /// Time between two commits of the state.
    pub commit_every: Duration,
}

/// The share of the budget that may be spent between two commits.
const ALLOWANCE_SHARE: i64 = 20;

/// Files of a run beside its results and its journal.
const FILES: &[&str] = &["run.json", "plan.json", "planned.parquet"];

/// How the names of folders begin that hold a copy of the journal for the time of an upload. Each
/// upload has its own: one that is given up may still be writing when the next begins.
const COPY: &str = ".journal-copy-";

/// Terms without a commit after which nothing leaves any more.
const TERMS_WITHOUT_COMMIT: u32 = 4;

/// The mark of the last claim under which this disk held the run.
const MARK: &str = "CLAIM";

/// The claim on a run and what of it is in the store.
#[derive(Debug)]
pub(super) struct Shared {
    settings: SharedStore,
    folder: RunFolder,
    known_here: bool,
    lease: Mutex<Lease>,
    renewed: Renewed,
    uploaded: Mutex<BTreeMap<String, FileRecord>>,
    unaccounted_nanousd: std::sync::atomic::AtomicI64,
    budget: i64,
    allowance: i64,
}

impl Shared {
    /// Takes the claim and brings the run's folder to the state that was committed last.
    ///
    /// # Errors
    /// [`ReplayError::Claimed`], or a store or folder that cannot be read or written.
    pub(super) async fn take(
        settings: &SharedStore,
        project: &Project,
        folder: RunFolder,
        budget: i64,
        largest_nanousd: i64,
    ) -> Result<Self, ReplayError> {
        let name = folder.name();
        if let Some((seen, _)) = lease::read(&settings.store, name).await?
            && is_of_this_disk(&folder, &seen)
        {
            // Before the claim changes, so that no crash in between disowns what this disk knows.
            let next = (seen.fence + 1, settings.owner.clone());
            mark(&folder, &[(seen.fence, seen.owner), next])?;
        }
        let lease = Lease::take(&settings.store, name, &settings.owner, settings.term).await?;
        remove_copies(&folder)?;
        let known_here = lease.before().is_some_and(|before| is_of_this_disk(&folder, before));
        let mut uploaded = BTreeMap::new();
        if let Some(before) = lease.before() {
            if !known_here {
                restore(&settings.store, project, &folder, before).await?;
            }
            let fixed = before.files.iter().filter(|file| file.path != journal_name());
            uploaded.extend(fixed.map(|file| (file.path.clone(), file.clone())));
        }
        Ok(Shared {
            settings: settings.clone(),
            folder,
            known_here,
            renewed: lease.renewed(),
            lease: Mutex::new(lease),
            uploaded: Mutex::new(uploaded),
            unaccounted_nanousd: 0.into(),
            budget,
            allowance: (budget / ALLOWANCE_SHARE).max(largest_nanousd.saturating_mul(2)),
        })
    }

    /// What must count as spent at the start, beyond what the journal shows.
    ///
    /// A holder that ended in good order left everything in its journal. One that was lost may
    /// have spent up to its ceiling, unless this disk is the one that it wrote its journal to.
    pub(super) async fn unaccounted(&self, recovered_nanousd: i64) -> Result<i64, ReplayError> {
        let mut lease = self.lease.lock().await;
        let amount = match lease.before() {
            None => 0,
            Some(before) if before.released || self.known_here => before.unaccounted_nanousd,
            Some(before) => before.ceiling_nanousd.saturating_sub(recovered_nanousd).max(0),
        };
        self.unaccounted_nanousd.store(amount, std::sync::atomic::Ordering::Relaxed);
        let ceiling = self.ceiling(recovered_nanousd.saturating_add(amount));
        lease
            .write(|claim| {
                claim.unaccounted_nanousd = amount;
                claim.ceiling_nanousd = ceiling;
            })
            .await?;
        // From here on this disk knows everything that is sent under the claim.
        mark(&self.folder, &[(lease.claim().fence, lease.claim().owner.clone())])?;
        Ok(amount)
    }

    /// The most that may be spent and reserved until the next commit.
    pub(super) fn ceiling(&self, committed: i64) -> i64 {
        committed.saturating_add(self.allowance).min(self.budget).max(committed)
    }

    /// Renews the claim and commits the state until the task is aborted.
    pub(super) fn keep(self: &Arc<Self>, ledger: Arc<Ledger>, halt: Arc<Halt>) -> Kept {
        let renewing = tokio::spawn(renew(self.clone(), halt.clone()));
        let committing = tokio::spawn(commit_often(self.clone(), ledger, halt));
        Kept { renewing, committing }
    }

    /// Commits the state with what is sealed and journaled now.
    ///
    /// # Errors
    /// [`ReplayError::ClaimLost`], or files and stores that cannot be read or written.
    async fn commit(&self, committed_nanousd: i64, last: Option<bool>) -> Result<i64, ReplayError> {
        let ceiling = match last {
            None => self.ceiling(committed_nanousd),
            Some(_) => committed_nanousd,
        };
        let files = self.upload().await?;
        let mut lease = self.lease.lock().await;
        // While requests leave, the ceiling never sinks: they may have come near the earlier one.
        let ceiling = match last {
            None => ceiling.max(lease.claim().ceiling_nanousd),
            Some(_) => ceiling,
        };
        lease
            .write(|claim| {
                claim.files.clone_from(&files);
                claim.ceiling_nanousd = ceiling;
                claim.released = last.is_some();
                claim.finished = last == Some(true);
            })
            .await?;
        drop(lease);
        self.forget_journals(&files).await?;
        Ok(ceiling)
    }

    /// Removes journals of earlier commits, which are of no use to anybody.
    async fn forget_journals(&self, files: &[FileRecord]) -> Result<(), ReplayError> {
        let root = lease::root(self.folder.name());
        let current: BTreeSet<String> = files.iter().map(|file| file.key(&root)).collect();
        for key in self.settings.store.list(&format!("{root}/files")).await? {
            if key.ends_with(&format!("/{}", journal_name())) && !current.contains(&key) {
                self.settings.store.remove(&key).await?;
            }
        }
        Ok(())
    }

    /// Puts into the store what is not there yet, the journal last.
    async fn upload(&self) -> Result<Vec<FileRecord>, ReplayError> {
        let root = lease::root(self.folder.name());
        let store = &self.settings.store;
        let folder = self.folder.folder();
        let journal = self.folder.journal_file();
        let aside = folder.to_owned();
        // The copy names its segments, which are on disk before a journal names them.
        let copied = tokio::task::spawn_blocking(move || copy_of(&journal, &aside)).await;
        let (copy, segments) = copied.map_err(|error| ReplayError::Task(error.to_string()))??;
        let segments = segments.iter().map(|file| format!("results/{file}"));
        let mut uploaded = self.uploaded.lock().await;
        let mut files = Vec::new();
        for path in FILES.iter().map(|file| (*file).to_owned()).chain(segments) {
            let record = match uploaded.get(&path) {
                Some(record) => record.clone(),
                None => upload(store, &root, &folder.join(&path), &path).await?,
            };
            uploaded.insert(path, record.clone());
            files.push(record);
        }
        let snapshot = copy.path().join(journal_name());
        files.push(upload(store, &root, &snapshot, journal_name()).await?);
        copy.close().map_err(|source| DatasetError::io("remove", &snapshot, source))?;
        Ok(files)
    }

    /// Gives the claim back with the state in which the replay ended.
    ///
    /// # Errors
    /// As for every commit; the claim then runs out by itself.
    pub(super) async fn release(&self, spent: i64, finished: bool) -> Result<(), ReplayError> {
        let unaccounted = self.unaccounted_nanousd.load(std::sync::atomic::Ordering::Relaxed);
        self.commit(spent.saturating_add(unaccounted), Some(finished)).await?;
        Ok(())
    }
}

/// The tasks that keep a claim; they end when this is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    renewing: tokio::task::JoinHandle<()>,
    committing: tokio::task::JoinHandle<()>,
}

impl Kept {
    /// Ends both tasks and waits until they have ended.
    pub(super) async fn end(mut self) {
        self.renewing.abort();
        self.committing.abort();
        let _ = (&mut self.renewing).await;
        let _ = (&mut self.committing).await;
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.renewing.abort();
        self.committing.abort();
    }
}

/// Renews the claim three times a term; without a renewal for two thirds of it nothing leaves.
async fn renew(shared: Arc<Shared>, halt: Arc<Halt>) {
    let term = shared.settings.term;
    loop {
        let valid_until = shared.renewed.at() + term * 2 / 3;
        if Instant::now() >= valid_until {
            return halt.stop(StopReason::ClaimLost);
        }
        tokio::time::sleep_until(valid_until - term / 3).await;
        let renewing = async { shared.lease.lock().await.write(|_| {}).await };
        match tokio::time::timeout_at(valid_until, renewing).await {
            Ok(Err(ReplayError::ClaimLost(_))) => return halt.stop(StopReason::ClaimLost),
            // The store may come back in time.
            Ok(Err(_)) => tokio::time::sleep(term / 30).await,
            Ok(Ok(())) | Err(_) => {}
        }
    }
}

/// Commits every so often, and at once when the ceiling holds requests back.
async fn commit_often(shared: Arc<Shared>, ledger: Arc<Ledger>, halt: Arc<Halt>) {
    let every = shared.settings.commit_every;
    let patience = shared.settings.term * TERMS_WITHOUT_COMMIT + every;
    let mut last = Instant::now();
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = ledger.starved() => {}
        }
        let (spent, reserved) = ledger.totals();
        match shared.commit(spent.saturating_add(reserved), None).await {
            Ok(ceiling) => {
                last = Instant::now();
                ledger.raise_ceiling(ceiling);
            }
            Err(ReplayError::ClaimLost(_)) => return halt.stop(StopReason::ClaimLost),
            // Requests that wait for a higher ceiling must not wait for ever.
            Err(_) if last.elapsed() > patience => return halt.stop(StopReason::ClaimLost),
            // What is not committed is on this disk; requests stop at the ceiling by themselves.
            Err(_) => tokio::time::sleep(every / 10).await,
        }
    }
}

/// A copy of the journal in a folder that goes with it, and the segments that it names.
fn copy_of(journal: &Path, aside: &Path) -> Result<(tempfile::TempDir, Vec<String>), ReplayError> {
    let made = tempfile::Builder::new().prefix(COPY).tempdir_in(aside);
    let folder = made.map_err(|source| DatasetError::io("write in", aside, source))?;
    let segments = journal_view::copy(journal, &folder.path().join(journal_name()))?;
    Ok((folder, segments))
}

/// Removes copies of the journal that a process left behind when it was killed.
fn remove_copies(folder: &RunFolder) -> Result<(), ReplayError> {
    let folder = folder.folder();
    if !folder.is_dir() {
        return Ok(());
    }
    let failed = |source| DatasetError::io("list", folder, source);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with(COPY) {
            let path = entry.path();
            std::fs::remove_dir_all(&path)
                .map_err(|source| DatasetError::io("remove", &path, source))?;
        }
    }
    Ok(())
}

fn journal_name() -> &'static str {
    "journal.sqlite"
}

/// Whether the folder on this disk was the last to hold the run, so that it knows everything.
fn is_of_this_disk(folder: &RunFolder, before: &Claim) -> bool {
    let marks: Result<Vec<(u64, String)>, _> =
        read_json(&folder.folder().join(MARK), "mark of a claim");
    let last = (before.fence, before.owner.clone());
    folder.manifest_file().is_file() && marks.is_ok_and(|marks| marks.contains(&last))
}

/// Notes under which claims this disk may have held the run last.
fn mark(folder: &RunFolder, claims: &[(u64, String)]) -> Result<(), ReplayError> {
    Ok(write_json(&folder.folder().join(MARK), &claims)?)
}

/// Puts the committed files in the place of the folder; what was there is set aside.
async fn restore(
    store: &Store,
    project: &Project,
    folder: &RunFolder,
    claim: &Claim,
) -> Result<(), ReplayError> {
    if claim.files.is_empty() {
        return Ok(());
    }
    let place = folder.folder();
    let runs = project.runs_folder();
    crate::dataset::create_private_dir(&runs)?;
    let aside = fetch(store, &claim.run, &claim.files, &runs).await?;
    if place.exists() {
        let stale = runs.join(format!(".stale-{}-{}", claim.fence, folder.name()));
        std::fs::rename(place, &stale).map_err(|e| DatasetError::io("set aside", place, e))?;
    }
    std::fs::rename(&aside, place).map_err(|e| DatasetError::io("replace", place, e))?;
    sync_dir(&runs)?;
    Ok(())
}

async fn fetch(
    store: &Store,
    run_name: &str,
    files: &[FileRecord],
    runs: &Path,
) -> Result<PathBuf, ReplayError> {
    let aside = tempfile::Builder::new()
        .prefix(".fetching-")
        .tempdir_in(runs)
        .map_err(|source| DatasetError::io("write in", runs, source))?;
    crate::dataset::create_private_dir(&aside.path().join("results"))?;
    download(store, &lease::root(run_name), files, aside.path()).await?;
    Ok(aside.keep())
}

/// Fetches what the claims of a run's shards have committed, each into a folder in `into`.
///
/// `run_id` names the run; without it the store must hold the shards of one run only.
///
/// # Errors
/// A store that cannot be read, shards of several runs, or none.
pub async fn fetch_shards(
    store: &Store,
    run_id: Option<&str>,
    into: &Path,
) -> Result<Vec<PathBuf>, ReplayError> {
    let project = Project::new(into);
    let mut names = BTreeMap::new();
    for key in store.list("runs").await? {
        let mut parts = key.split('/').skip(1);
        if let (Some(name), Some("claim.json"), None) = (parts.next(), parts.next(), parts.next()) {
            let run = project.run(name)?;
            if run.shard().is_some() && run_id.is_none_or(|wanted| wanted == run.run_id()) {
                names.insert(name.to_owned(), run.run_id().to_owned());
            }
        }
    }
    let runs: BTreeSet<&String> = names.values().collect();
    if runs.len() > 1 {
        let runs = runs.into_iter().cloned().collect();
        return Err(ReplayError::SeveralRuns { store: store.address().to_owned(), runs });
    }
    let mut folders = Vec::new();
    for name in names.keys() {
        let Some((claim, _)) = lease::read(store, name).await? else { continue };
        if claim.files.is_empty() {
            continue;
        }
        let aside = fetch(store, name, &claim.files, into).await?;
        let folder = into.join(name);
        std::fs::rename(&aside, &folder).map_err(|e| DatasetError::io("replace", &folder, e))?;
        folders.push(folder);
    }
    Ok(folders)
}
