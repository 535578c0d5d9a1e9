//! Where everything lies: the project folder and the folders of runs.

use std::path::{Path, PathBuf};

use super::{DatasetError, RunManifest, Shard, check_sha256, create_private_dir, read_json};

/// An address of a file or folder, shaped like a URL so that other stores can come later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(PathBuf);

impl Location {
    /// Reads a plain path or a `file://` URL; every other scheme is refused by name.
    pub fn parse(text: &str) -> Result<Self, DatasetError> {
        if let Some(path) = text.strip_prefix("file://") {
            return Ok(Location(PathBuf::from(path)));
        }
        if text.contains("://") {
            return Err(DatasetError::UnsupportedLocation(text.to_owned()));
        }
        Ok(Location(PathBuf::from(text)))
    }

    /// The local path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// The project folder: `rehearsal.toml`, `capture/`, `rejects/` and `runs/`.
#[derive(Debug, Clone)]
pub struct Project {
    folder: PathBuf,
}

impl Project {
    /// The project in a folder, which need not hold anything yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Project { folder: folder.into() }
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The plan, unless another file was named.
    pub fn plan_file(&self) -> PathBuf {
        self.folder.join("rehearsal.toml")
    }

    /// The captured exchanges.
    pub fn capture_folder(&self) -> PathBuf {
        self.folder.join("capture")
    }

    /// The lines that were set aside.
    pub fn rejects_folder(&self) -> PathBuf {
        self.folder.join("rejects")
    }

    /// The runs.
    pub fn runs_folder(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// The folder of a run, which need not exist.
    pub fn run(&self, run_id: &str) -> Result<RunFolder, DatasetError> {
        let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if run_id.is_empty() || run_id.starts_with('.') || !run_id.chars().all(harmless) {
            return Err(DatasetError::BadRunName(run_id.to_owned()));
        }
        Ok(RunFolder::new(self.runs_folder().join(run_id), run_id))
    }

    /// A run that exists: the named one, else the latest.
    pub fn existing_run(&self, run_id: Option<&str>) -> Result<RunFolder, DatasetError> {
        let missing =
            |run: &str| DatasetError::NoRun { run: run.to_owned(), folder: self.runs_folder() };
        match run_id {
            Some(run_id) => {
                let run = self.run(run_id)?;
                if run.manifest_file().is_file() { Ok(run) } else { Err(missing(run_id)) }
            }
            None => match self.latest_run()? {
                Some(run) => Ok(run),
                None if self.latest_run_or_shard()?.is_some() => {
                    Err(DatasetError::OnlyShards(self.runs_folder()))
                }
                None => Err(missing("latest")),
            },
        }
    }

    /// The run that began last, if there is one; names break ties. Shards are no runs.
    pub fn latest_run(&self) -> Result<Option<RunFolder>, DatasetError> {
        self.latest(|run| run.shard().is_none())
    }

    /// The run or shard that began last, if there is one; names break ties.
    pub fn latest_run_or_shard(&self) -> Result<Option<RunFolder>, DatasetError> {
        self.latest(|_| true)
    }

    fn latest(
        &self,
        wanted: impl Fn(&RunFolder) -> bool,
    ) -> Result<Option<RunFolder>, DatasetError> {
        let mut latest: Option<(String, RunFolder)> = None;
        for run in self.runs()?.into_iter().filter(wanted) {
            let key = format!("{} {}", run.manifest()?.started_at, run.name());
            if latest.as_ref().is_none_or(|(best, _)| key > *best) {
                latest = Some((key, run));
            }
        }
        Ok(latest.map(|(_, run)| run))
    }

    /// All runs and shards that were begun, by name.
    pub fn runs(&self) -> Result<Vec<RunFolder>, DatasetError> {
        let folder = self.runs_folder();
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let entries = std::fs::read_dir(&folder)
            .map_err(|source| DatasetError::io("list", &folder, source))?;
        let mut runs = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| DatasetError::io("list", &folder, source))?;
            let Ok(run) = self.run(&entry.file_name().to_string_lossy()) else { continue };
            if run.manifest_file().is_file() {
                runs.push(run);
            }
        }
        runs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(runs)
    }
}

/// The folder of one run, or of one shard of it.
#[derive(Debug, Clone)]
pub struct RunFolder {
    folder: PathBuf,
    name: String,
    run_id: String,
    shard: Option<Shard>,
}

impl RunFolder {
    fn new(folder: PathBuf, name: &str) -> Self {
        let (run_id, shard) = Shard::split_name(name);
        RunFolder { folder, name: name.to_owned(), run_id: run_id.to_owned(), shard }
    }

    /// A run or shard that was begun, wherever its folder lies and whatever it is called.
    pub fn open(folder: PathBuf) -> Result<Self, DatasetError> {
        let manifest: RunManifest = read_json(&folder.join("run.json"), "run manifest")?;
        let name = match manifest.shard {
            Some(shard) => shard.folder_name(&manifest.run_id),
            None => manifest.run_id.clone(),
        };
        Ok(RunFolder { folder, name, run_id: manifest.run_id, shard: manifest.shard })
    }

    /// The name of the run; that of the whole run for a shard, whose results are a part of it.
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// The name that `--run` takes: the run's, with the shard if it is one.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which part of the run the folder holds; absent: all of it.
    pub fn shard(&self) -> Option<Shard> {
        self.shard
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder and its parts.
    pub fn create(&self) -> Result<(), DatasetError> {
        create_private_dir(&self.results_folder())
    }

    /// `run.json`.
    pub fn manifest_file(&self) -> PathBuf {
        self.folder.join("run.json")
    }

    /// Reads `run.json`.
    ///
    /// # Errors
    /// A document that is missing, of another shape, or not as it was written.
    pub fn manifest(&self) -> Result<RunManifest, DatasetError> {
        let path = self.manifest_file();
        let manifest: RunManifest = read_json(&path, "run manifest")?;
        if manifest.is_as_written() {
            return Ok(manifest);
        }
        Err(DatasetError::Damaged { path, what: "it does not match its own checksum" })
    }

    /// Checks that `run.json` and what it names are as they were written.
    ///
    /// # Errors
    /// [`DatasetError::Damaged`] with the file.
    pub fn check_documents(&self) -> Result<(), DatasetError> {
        for (name, sha256) in &self.manifest()?.files {
            check_sha256(&self.folder.join(name), sha256)?;
        }
        Ok(())
    }

    /// The journal.
    pub fn journal_file(&self) -> PathBuf {
        self.folder.join("journal.sqlite")
    }

    /// The lock that keeps a second replay out.
    pub fn lock_file(&self) -> PathBuf {
        self.folder.join("LOCK")
    }

    /// The attempts.
    pub fn results_folder(&self) -> PathBuf {
        self.folder.join("results")
    }

    /// What the run intends with every captured exchange.
    pub fn planned_file(&self) -> PathBuf {
        self.folder.join("planned.parquet")
    }

    /// The plan as it was validated.
    pub fn plan_file(&self) -> PathBuf {
        self.folder.join("plan.json")
    }

    /// The prices that the run was begun with.
    pub fn prices_file(&self) -> PathBuf {
        self.folder.join("prices.json")
    }

    /// The verdict.
    pub fn verdict_file(&self) -> PathBuf {
        self.folder.join("verdict.json")
    }

    /// The report, with the given ending.
    pub fn report_file(&self, extension: &str) -> PathBuf {
        self.folder.join(format!("report.{extension}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_name_cannot_leave_the_folder_of_runs() {
        let project = Project::new("/p");
        for name in ["", "..", "a/b", "/etc", ".hidden", "a b"] {
            assert!(project.run(name).is_err(), "{name}");
        }
        assert!(project.run("2026-11-22-a.1").is_ok());
    }

    #[test]
    fn other_stores_are_refused_by_name() {
        assert_eq!(Location::parse("file:///a/b").unwrap().path(), Path::new("/a/b"));
        let refused = Location::parse("s3://bucket/key").unwrap_err().to_string();
        assert!(refused.contains("s3://bucket/key"), "{refused}");
    }
}
