//! The claim of one process on a run or shard that is kept in a store.
//!
//! One object, `runs/<name>/claim.json`, says who may send and which files are the state so far.
//! It is only ever replaced by a conditional write, so that of two processes one is refused, and
//! whoever lost the claim can no longer commit anything. A claim that is renewed is held; one that
//! stands still for its whole term has lost its holder. Terms are measured by whoever waits, on
//! its own monotonic clock: clocks of different machines are never compared.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::ReplayError;
use crate::dataset::{FileRecord, Store, Version};

/// How often a waiting process looks at a claim within its term.
const LOOKS_PER_TERM: u32 = 10;

/// Longest time between two such looks, however long the term is.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

/// What `claim.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    /// Version of this document's shape.
    pub schema_version: u32,
    /// The run, with the shard if it is one.
    pub run: String,
    /// Who holds the claim.
    pub owner: String,
    /// Grows with every change of the holder.
    pub fence: u64,
    /// Grows with every renewal.
    pub beat: u64,
    /// How long a claim may stand still before it counts as lost, in ms.
    pub term_ms: u64,
    /// Whether the holder ended in good order, with everything committed.
    pub released: bool,
    /// Most that the holder may have spent or reserved, whatever became of it.
    pub ceiling_nanousd: i64,
    /// The part of all spending that no journal shows: what lost holders may have spent.
    pub unaccounted_nanousd: i64,
    /// Whether everything has a final outcome.
    pub finished: bool,
    /// The state of the run: files of its folder.
    pub files: Vec<FileRecord>,
}

/// A claim that this process holds.
#[derive(Debug)]
pub(super) struct Lease {
    store: Store,
    claim: Claim,
    version: Version,
    before: Option<Claim>,
    renewed: Renewed,
}

/// When a claim was last renewed: before that renewal was sent, so that it errs to the safe side.
///
/// It is read while a write is under way, which may hang for as long as the store does.
#[derive(Debug, Clone)]
pub(super) struct Renewed(Arc<Mutex<Instant>>);

impl Renewed {
    /// The time of the last renewal.
    pub(super) fn at(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, at: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// The key of the folder of a run or shard in a store.
pub(super) fn root(run_name: &str) -> String {
    format!("runs/{run_name}")
}

/// The key of the claim of a run or shard.
pub(super) fn claim_key(run_name: &str) -> String {
    format!("{}/claim.json", root(run_name))
}

/// Reads a claim.
///
/// # Errors
/// A store that cannot be read, or an object that is no claim.
pub(super) async fn read(
    store: &Store,
    run_name: &str,
) -> Result<Option<(Claim, Version)>, ReplayError> {
    let Some((bytes, version)) = store.get(&claim_key(run_name)).await? else { return Ok(None) };
    let claim = serde_json::from_slice(&bytes).map_err(|source| ReplayError::BadClaim {
        claim: format!("{}/{}", store.address(), claim_key(run_name)),
        source,
    })?;
    Ok(Some((claim, version)))
}

impl Lease {
    /// Takes the claim on a run: a new one, a released one, or one whose holder is lost.
    ///
    /// # Errors
    /// [`ReplayError::Claimed`] while another process renews it.
    pub(super) async fn take(
        store: &Store,
        run_name: &str,
        owner: &str,
        term: Duration,
    ) -> Result<Self, ReplayError> {
        let taken = |by: String| ReplayError::Claimed { run: run_name.to_owned(), owner: by };
        let mut found = read(store, run_name).await?;
        if let Some((claim, version)) = &found
            && !claim.released
        {
            found = wait_out(store, run_name, claim, version).await?;
        }
        let before = found.as_ref().map(|(claim, _)| claim.clone());
        let mut claim = before.clone().unwrap_or_else(|| Claim {
            schema_version: 1,
            run: run_name.to_owned(),
            owner: String::new(),
            fence: 0,
            beat: 0,
            term_ms: 0,
            released: false,
            ceiling_nanousd: 0,
            unaccounted_nanousd: 0,
            finished: false,
            files: Vec::new(),
        });
        owner.clone_into(&mut claim.owner);
        claim.fence += 1;
        claim.beat = 0;
        claim.term_ms = u64::try_from(term.as_millis()).unwrap_or(u64::MAX);
        claim.released = false;
        let began = Instant::now();
        let expected = found.as_ref().map(|(_, version)| version);
        let version = put(store, &claim, expected).await?;
        let Some(version) = version else { return Err(taken("another process".to_owned())) };
        let renewed = Renewed(Arc::new(Mutex::new(began)));
        Ok(Lease { store: store.clone(), claim, version, before, renewed })
    }

    /// What the claim said before this process took it.
    pub(super) fn before(&self) -> Option<&Claim> {
        self.before.as_ref()
    }

    /// What it says now.
    pub(super) fn claim(&self) -> &Claim {
        &self.claim
    }

    /// When it was last renewed, now and later.
    pub(super) fn renewed(&self) -> Renewed {
        self.renewed.clone()
    }

    /// Changes the claim, which renews it too.
    ///
    /// # Errors
    /// [`ReplayError::ClaimLost`] when another process has taken it.
    pub(super) async fn write(
        &mut self,
        change: impl FnOnce(&mut Claim),
    ) -> Result<(), ReplayError> {
        let mut claim = self.claim.clone();
        change(&mut claim);
        claim.beat += 1;
        let began = Instant::now();
        let Some(version) = put(&self.store, &claim, Some(&self.version)).await? else {
            return Err(ReplayError::ClaimLost(claim.run));
        };
        self.claim = claim;
        self.version = version;
        self.renewed.set(began);
        Ok(())
    }
}

/// Waits until a claim has stood still for its term; a change in between means that it is held.
async fn wait_out(
    store: &Store,
    run_name: &str,
    seen: &Claim,
    version: &Version,
) -> Result<Option<(Claim, Version)>, ReplayError> {
    let term = Duration::from_millis(seen.term_ms);
    let deadline = Instant::now() + term;
    while Instant::now() < deadline {
        tokio::time::sleep((term / LOOKS_PER_TERM).min(LONGEST_LOOK)).await;
        let now = read(store, run_name).await?;
        match &now {
            Some((_, unchanged)) if unchanged == version => {}
            Some((claim, _)) if claim.released => return Ok(now),
            Some((claim, _)) => {
                let owner = claim.owner.clone();
                return Err(ReplayError::Claimed { run: run_name.to_owned(), owner });
            }
            None => return Ok(None),
        }
    }
    Ok(Some((seen.clone(), version.clone())))
}

/// Writes a claim if it is still the expected version; `None` when another process wrote.
///
/// A write whose answer was lost is tried again by the store's client and then refused, though it
/// happened: the claim itself tells whose write it was.
async fn put(
    store: &Store,
    claim: &Claim,
    expected: Option<&Version>,
) -> Result<Option<Version>, ReplayError> {
    let text = serde_json::to_vec_pretty(claim).map_err(ReplayError::Encode)?;
    let written = store.put_if(&claim_key(&claim.run), text.into(), expected).await?;
    if written.is_some() {
        return Ok(written);
    }
    let found = read(store, &claim.run).await?;
    Ok(found.filter(|(found, _)| found == claim).map(|(_, version)| version))
}
