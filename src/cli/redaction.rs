//! The redactor of an import, from the plan's `[redaction]`, and the key of its pseudonyms.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::{Common, load, say};
use crate::capture::{Kind, PersonalData, RedactionPolicy, Redactor};
use crate::dataset::{CapturedExchange, DatasetError, create_private_dir, write_atomically};
use crate::plan::RedactionSettings;

/// The file that holds the key where the plan names no variable.
const KEY_FILE: &str = "redaction.key";

/// What an import applies beside the scrubbing of secrets.
pub(super) struct Personal {
    redactor: Option<PersonalData>,
}

impl Personal {
    /// Nothing but secrets is taken out.
    pub(super) fn none() -> Self {
        Personal { redactor: None }
    }

    /// What was replaced, in one line; `None` where nothing was to be.
    pub(super) fn summary(&self) -> Option<String> {
        let counts = self.redactor.as_ref()?.counts();
        let mut line = "pseudonyms:".to_owned();
        for (index, (kind, count)) in counts.iter().enumerate() {
            // Writing into a String cannot fail.
            let _ = write!(line, "{} {count} {kind}", if index > 0 { "," } else { "" });
        }
        if counts.is_empty() {
            line.push_str(" none needed");
        }
        Some(line)
    }
}

impl Redactor for Personal {
    fn redact(&self, exchange: &mut CapturedExchange) -> bool {
        self.redactor.as_ref().is_some_and(|redactor| redactor.redact(exchange))
    }

    fn redact_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.redactor {
            Some(redactor) => redactor.redact_text(text),
            None => Cow::Borrowed(text),
        }
    }

    fn redact_json<'t>(&self, json: &'t str) -> Cow<'t, str> {
        match &self.redactor {
            Some(redactor) => redactor.redact_json(json),
            None => Cow::Borrowed(json),
        }
    }

    fn needs_whole_records(&self) -> bool {
        self.redactor.as_ref().is_some_and(Redactor::needs_whole_records)
    }

    fn describe(&self) -> Vec<String> {
        let Some(redactor) = &self.redactor else { return Vec::new() };
        redactor.describe()
    }
}

/// The redactor that the plan asks for.
pub(super) fn redactor(common: &Common, settings: &RedactionSettings) -> Result<Personal, Failure> {
    if settings.is_off() {
        if settings.key_env.is_some() {
            say(common, "warning: `[redaction]` names a key but nothing to replace");
        }
        return Ok(Personal::none());
    }
    let folder = load::plan_path(common).parent().map(PathBuf::from).unwrap_or_default();
    let policy = policy(settings, &folder)?;
    let key = key(common, settings)?;
    let redactor = PersonalData::new(&policy, &key).map_err(refused)?;
    Ok(Personal { redactor: Some(redactor) })
}

fn refused(problem: impl std::fmt::Display) -> Failure {
    Failure::input(format!("`[redaction]` cannot be applied: {problem}"))
}

fn policy(settings: &RedactionSettings, folder: &Path) -> Result<RedactionPolicy, Failure> {
    let kinds: Result<_, _> = settings.kinds.iter().map(|kind| kind.parse::<Kind>()).collect();
    let paths: Result<_, _> = settings.paths.iter().map(|path| path.parse()).collect();
    let mut names = settings.names.clone();
    if let Some(file) = &settings.names_file {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path)
            .map_err(|source| DatasetError::io("read", &path, source))?;
        let lines = text.lines().map(str::trim);
        names.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(RedactionPolicy {
        kinds: kinds.map_err(refused)?,
        names,
        paths: paths.map_err(refused)?,
        patterns: settings.patterns.clone(),
        ids: settings.ids,
    })
}

/// The key: the hash of the variable's value, or a random one that is kept beside the capture, so
/// that another import gives the same pseudonyms.
fn key(common: &Common, settings: &RedactionSettings) -> Result<[u8; 32], Failure> {
    if let Some(name) = &settings.key_env {
        let value = load::variable(name).ok_or_else(|| {
            Failure::input(format!("the variable {name} of `[redaction]` is not set")).hint(
                "set it to a long random text, and keep that: another one gives other pseudonyms",
            )
        })?;
        return Ok(Sha256::digest(value).into());
    }
    let path = load::project(common).folder().join(KEY_FILE);
    match std::fs::read(&path) {
        Ok(bytes) => <[u8; 32]>::try_from(bytes).map_err(|_| {
            Failure::input(format!("{} is not a key of 32 bytes", path.display()))
                .hint("restore it, or remove it to get other pseudonyms from now on")
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            OsRng.try_fill_bytes(&mut key).map_err(|error| {
                Failure::internal(format!("the system gives no random numbers: {error}"))
            })?;
            create_private_dir(load::project(common).folder())?;
            write_atomically(&path, |file| {
                std::io::Write::write_all(file, &key)
                    .map_err(|source| DatasetError::io("write", &path, source))
            })?;
            Ok(key)
        }
        Err(source) => Err(DatasetError::io("read", &path, source).into()),
    }
}
