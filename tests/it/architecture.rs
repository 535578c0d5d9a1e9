//! The layers and walls that `src/lib.rs` promises.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repository;

/// Crates that only some modules may name.
const WALLS: &[(&str, &[&str])] = &[
    ("reqwest", &["replay"]),
    ("arrow", &["dataset", "query", "capture"]),
    ("parquet", &["dataset", "query", "capture"]),
    ("datafusion", &["query"]),
    ("statrs", &["stats"]),
    ("object_store", &["dataset"]),
    ("rusqlite", &["replay"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
];

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
}

/// Every source file with its top module.
fn modules() -> Vec<(String, PathBuf, String)> {
    let root = repository("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let module = |path: &Path| {
        let inside = path.strip_prefix(&root).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        first.trim_end_matches(".rs").to_owned()
    };
    files
        .into_iter()
        .map(|path| (module(&path), path.clone(), fs::read_to_string(&path).unwrap()))
        .filter(|(module, ..)| module != "lib" && module != "main")
        .collect()
}

/// The table in the doc comment of `src/lib.rs`.
fn layers() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(repository("src/lib.rs")).unwrap();
    text.lines()
        .filter_map(|line| line.strip_prefix("//! |"))
        .filter_map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let layer = cells.first()?.parse().ok()?;
            Some((cells.get(1)?.trim_matches('`').to_owned(), layer))
        })
        .collect()
}

#[test]
fn every_module_stands_in_the_table() {
    let layers = layers();
    assert!(layers.len() >= 15, "{layers:?}");
    for (module, path, _) in modules() {
        assert!(layers.contains_key(&module), "{} is in no layer", path.display());
    }
}

#[test]
fn a_module_imports_only_from_layers_below() {
    let layers = layers();
    let import = regex::Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let mut found = 0;
    for (module, path, text) in modules() {
        for used in import.captures_iter(&text).map(|captures| captures[1].to_owned()) {
            let Some(layer) = layers.get(&used) else { continue };
            found += 1;
            let allowed = used == module || *layer < layers[&module];
            assert!(allowed, "{} ({module}) imports `{used}`", path.display());
        }
    }
    assert!(found > 100, "only {found} imports were seen");
}

#[test]
fn only_the_modules_that_may_name_a_crate() {
    for (name, allowed) in WALLS {
        let named = regex::Regex::new(&format!(r"\b{name}::|\buse {name}\b")).unwrap();
        let mut seen = false;
        for (module, path, text) in modules() {
            if named.is_match(&text) {
                seen = true;
                assert!(allowed.contains(&module.as_str()), "{} names {name}", path.display());
            }
        }
        assert!(seen, "nobody names {name}: the wall guards nothing");
    }
}

#[test]
fn files_have_one_subject_and_main_only_starts() {
    for (_, path, text) in modules() {
        let lines = text.lines().count();
        assert!(lines <= 620, "{} has {lines} lines", path.display());
    }
    let main = fs::read_to_string(repository("src/main.rs")).unwrap();
    assert!(main.lines().count() < 60);
}
