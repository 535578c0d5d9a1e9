//! Logs that lie in an object store, fetched for the time of an import.

use std::path::PathBuf;

use super::failure::Failure;
use super::{Common, load};
use crate::dataset::{DatasetError, Store, create_private_dir, inside};

/// Inputs as local paths; what was fetched for them goes when this is let go.
pub(super) struct LocalInputs {
    pub(super) names: Vec<String>,
    folder: Option<PathBuf>,
}

impl Drop for LocalInputs {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            // What stays behind is fetched anew by the next import.
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// Fetches every input that is an `s3://` address: an object, a pattern, or all under a prefix.
///
/// The folder has the same name every time, so that the same objects make the same capture.
pub(super) async fn fetch(common: &Common, named: Vec<String>) -> Result<LocalInputs, Failure> {
    let mut inputs = LocalInputs { names: Vec::new(), folder: None };
    for name in named {
        let Some(place) = name.strip_prefix("s3://") else {
            inputs.names.push(name);
            continue;
        };
        let folder = load::project(common).folder().join(".inputs");
        if inputs.folder.is_none() {
            let _ = std::fs::remove_dir_all(&folder);
            inputs.folder = Some(folder.clone());
        }
        let (bucket, wanted) = place.split_once('/').unwrap_or((place, ""));
        let store = Store::open(&format!("s3://{bucket}"), &load::variable)?;
        let failed = |message: &str| DatasetError::Store {
            address: name.clone(),
            message: message.to_owned(),
        };
        let keys = matching(&store, wanted).await?;
        if keys.is_empty() {
            return Err(failed("there is no such object").into());
        }
        for key in keys {
            let target = inside(&folder, &format!("{bucket}/{key}"))
                .ok_or_else(|| failed("the name of an object leads out of its folder"))?;
            if let Some(parent) = target.parent() {
                create_private_dir(parent)?;
            }
            // Named twice, by a pattern and by itself, it is fetched once.
            if !target.exists() {
                store.save(&key, &target).await?;
                inputs.names.push(target.to_string_lossy().into_owned());
            }
        }
    }
    Ok(inputs)
}

/// The keys that an address means, sorted.
async fn matching(store: &Store, wanted: &str) -> Result<Vec<String>, Failure> {
    let fixed = wanted.find(['*', '?']).map_or(wanted, |at| &wanted[..at]);
    // A store lists by whole folders.
    let folder = fixed.rsplit_once('/').map_or("", |(folder, _)| folder);
    let keys = store.list(folder).await?;
    let below = format!("{}/", wanted.trim_end_matches('/'));
    let means = |key: &String| {
        matches(wanted.as_bytes(), key.as_bytes())
            || wanted.is_empty()
            || (fixed == wanted && key.starts_with(&below))
    };
    Ok(keys.into_iter().filter(means).collect())
}

/// Whether a name fits a pattern: `?` is one character, `*` any within a folder, `**` any at all.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern {
        [] => name.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=name.len()).any(|at| matches(rest, &name[at..])),
        [b'*', rest @ ..] => {
            let end = name.iter().position(|byte| *byte == b'/').unwrap_or(name.len());
            (0..=end).any(|at| matches(rest, &name[at..]))
        }
        [b'?', rest @ ..] => name.first().is_some_and(|b| *b != b'/') && matches(rest, &name[1..]),
        [first, rest @ ..] => name.first() == Some(first) && matches(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_pattern_stays_within_a_folder_unless_it_says_otherwise() {
        let fits = |pattern: &str, name: &str| super::matches(pattern.as_bytes(), name.as_bytes());
        assert!(fits("logs/*.gz", "logs/a.gz"));
        assert!(!fits("logs/*.gz", "logs/2026/a.gz"));
        assert!(fits("logs/**.gz", "logs/2026/a.gz"));
        assert!(fits("logs/202?/a.gz", "logs/2026/a.gz"));
        assert!(!fits("logs/202?", "logs/202/"));
        assert!(!fits("logs/a.gz", "logs/a.gz.old"));
    }
}
